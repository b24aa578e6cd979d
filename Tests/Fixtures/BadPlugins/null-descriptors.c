#define DESCRIPTORS NULL
#include "minimal.h"
