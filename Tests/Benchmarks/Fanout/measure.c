#define _GNU_SOURCE
#include "measure.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
uint64_t wall_ns(void) { return clock_ns(CLOCK_REALTIME); }

static unsigned slot_of(uint64_t value) {
    const unsigned parts = 1u << HISTOGRAM_LINEAR_BITS;
    if (value < parts) return (unsigned)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_LINEAR_BITS;
    return (shift + 1) * parts + (unsigned)((value >> shift) - parts);
}

/* The middle of a slot. */
static uint64_t value_of(unsigned slot) {
    const unsigned parts = 1u << HISTOGRAM_LINEAR_BITS;
    if (slot < parts) return slot;
    unsigned shift = slot / parts - 1;
    return ((uint64_t)(slot % parts + parts) << shift) + ((1ull << shift) >> 1);
}

void histogram_add(Histogram *histogram, uint64_t value) {
    histogram->slots[slot_of(value)]++;
    histogram->count++;
    if (value > histogram->greatest) histogram->greatest = value;
}

uint64_t histogram_quantile(const Histogram *histogram, double quantile) {
    uint64_t wanted = (uint64_t)(quantile * (double)histogram->count), seen = 0;
    for (unsigned slot = 0; slot < HISTOGRAM_SLOTS; slot++) {
        seen += histogram->slots[slot];
        if (seen <= wanted) continue;
        uint64_t value = value_of(slot);
        return value < histogram->greatest ? value : histogram->greatest;
    }
    return histogram->greatest;
}

ProcessUsage process_usage(int pid) {
    ProcessUsage usage = {0};
    char path[64], text[2048];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return usage;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    /* The name in brackets may hold spaces, so fields are counted from its end: 14 and 15 are CPU, 24 is memory. */
    char *field = strrchr(text, ')');
    unsigned long user, kernel;
    long pages;
    if (field &&
        sscanf(field + 2, "%*s %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %ld",
               &user, &kernel, &pages) == 3) {
        double ticks = (double)sysconf(_SC_CLK_TCK);
        usage.user = (double)user / ticks;
        usage.kernel = (double)kernel / ticks;
        usage.resident = pages * (sysconf(_SC_PAGESIZE) / 1024);
    }
    return usage;
}

double own_cpu(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
