#define MAGIC 0x21444142u /* "BAD!" */
#include "minimal.h"
