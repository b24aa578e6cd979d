/* Copied into two folders: the one in the folder that is searched first wins, and that is said. */
#define BROKER "shade"
#include "minimal.h"
