/* A program that also has the entry: dlopen() takes libraries only. */
#define BROKER "executable"
#include "minimal.h"

int main(void) { return 0; }
