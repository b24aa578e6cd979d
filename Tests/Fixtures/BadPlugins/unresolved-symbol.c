/* Needs a function that no library has: RTLD_NOW must refuse it. */
int function_that_nobody_has(void);
#define ON_CREATE (void)function_that_nobody_has()
#include "minimal.h"
