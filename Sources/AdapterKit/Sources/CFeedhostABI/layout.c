/* Compiles the contract on its own, so that its static asserts are part of every build. */
#include "feedhost/extensions.h"
