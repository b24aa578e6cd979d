/* Built with a header whose fh_tick was 248 bytes. */
#define LAYOUT {sizeof(void *), 248, sizeof(fh_level), sizeof(fh_str)}
#include "minimal.h"
