#include <stdlib.h>
#define ON_ENTRY exit(0)
#include "minimal.h"
