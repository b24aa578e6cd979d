/* duplicate-b claims the same broker in the same folder. */
#define BROKER "twin"
#include "minimal.h"
