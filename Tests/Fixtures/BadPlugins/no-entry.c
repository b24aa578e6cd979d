/* A library like any other: it exports a function, but not the one that the host asks for. */
#define ENTRY_NAME some_other_function
#include "minimal.h"
