/* Clock, latency histogram and what /proc tells of a process. */
#ifndef FANOUT_MEASURE_H
#define FANOUT_MEASURE_H

#include <stdint.h>

enum { HISTOGRAM_LINEAR_BITS = 6, HISTOGRAM_SLOTS = 64 << HISTOGRAM_LINEAR_BITS };

/* Values in ns; every power of two is cut into 64 equal parts, so a quantile is exact to 1.6 %. */
typedef struct {
    uint64_t slots[HISTOGRAM_SLOTS];
    uint64_t count;
    uint64_t greatest;
} Histogram;

/* CPU seconds and resident KiB of a process; zeros when it does not exist. */
typedef struct {
    double user, kernel;
    long resident;
} ProcessUsage;

/* Nanoseconds of CLOCK_MONOTONIC, or of CLOCK_REALTIME. */
uint64_t monotonic_ns(void);
uint64_t wall_ns(void);

void histogram_add(Histogram *histogram, uint64_t value);
/* The value that the share `quantile` (0 to 1) of all values does not exceed; 0 when there are none. */
uint64_t histogram_quantile(const Histogram *histogram, double quantile);

ProcessUsage process_usage(int pid);
/* CPU seconds of this process. */
double own_cpu(void);

#endif
