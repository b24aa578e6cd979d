/* A broker key is made of a-z, 0-9 and _. */
#define BROKER "Bad Key!"
#include "minimal.h"
