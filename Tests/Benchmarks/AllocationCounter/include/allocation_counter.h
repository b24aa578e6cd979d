#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H
#include <stdint.h>

/** Calls of malloc and its relatives since the process began, all threads together. */
uint64_t allocation_count(void);

#endif
