/* Nothing is wrong with this one; the Makefile spoils copies of it: cut, patched, made writable. */
#include "minimal.h"

/* Long enough that half of the file ends well before its last page, which is what makes the loader read past the end. */
__attribute__((used)) static char ballast[65536] = {1};
