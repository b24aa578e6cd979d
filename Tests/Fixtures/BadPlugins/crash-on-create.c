/* Loads without a complaint and crashes at the first use. */
static int *volatile nowhere;
#define BROKER "crash_on_create"
#define ON_CREATE *nowhere = 1
#include "minimal.h"
