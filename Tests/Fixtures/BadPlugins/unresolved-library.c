/* Linked against libdoesnotexist.so.1, which is thrown away after the build. */
int function_of_a_lost_library(void);
#define ON_CREATE (void)function_of_a_lost_library()
#include "minimal.h"
