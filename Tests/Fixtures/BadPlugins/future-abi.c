#define MAJOR 2
#include "minimal.h"
