/* Status 0 is no sign of success: the probe must want its token. */
#include <stdlib.h>
#include "minimal.h"

__attribute__((constructor)) static void leave(void) { exit(0); }
