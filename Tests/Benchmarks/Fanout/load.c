/* Load client for a fan-out server: one process, one core, N WebSocket connections. Prints one line of JSON.
 * READY goes to standard error once everybody has subscribed: the feed is started then. Loopback only. */
#define _GNU_SOURCE
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "client.h"

enum { IN_FLIGHT = 64, EVENTS = 512, VANISH_AT_ONCE = 10 };

static int counts[IDLES + 1] = {1}; /* by Kind */
static int total, pid, sip = 1;
static bool spread;
static double seconds = 3, warmup = 1, patience = 60;
static Client *clients;

static const char usage[] =
    "load --port PORT [--clients N] [--symbols K] [--total-symbols T] [--spread] [--nats] [--deflate] [--api-key KEY]\n"
    "     [--exchange NSE] [--mode LTP] [--stalled N] [--slow N] [--slow-bytes BYTES_A_SECOND] [--vanishing N] [--idle N]\n"
    "     [--seconds S] [--warmup S] [--patience S] [--stamp NAME] [--stamp-is-wall-ms] [--pid SERVER]\n"
    "--clients are measured; stalled, slow, vanishing and idle ones are connected beside them; vanishing "
    "ones have symbols of their own, idle ones none. --symbols 0: nobody has any.\n";

static void run_events(int milliseconds) {
    static struct epoll_event events[EVENTS];
    int count = epoll_wait(plan.epoll, events, EVENTS, milliseconds);
    for (int i = 0; i < count; i++) client_event(events[i].data.ptr, events[i].events);
}

static void run_for(double length) {
    uint64_t end = monotonic_ns() + (uint64_t)(length * 1e9);
    while (monotonic_ns() < end) run_events(5);
}

static int give_up(const char *what) {
    fprintf(stderr, "load: %s (%d of %d ready, %d failed)%s%s\n", what, tally.ready, total, tally.failed,
            tally.trouble[0] ? ": " : "", tally.trouble);
    return 1;
}

static void prepare(void) {
    total = counts[READS] + counts[STALLS] + counts[READS_SLOWLY] + counts[VANISHES] + counts[IDLES];
    if (plan.total_symbols < plan.symbols) plan.total_symbols = plan.symbols;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    plan.epoll = epoll_create1(0);
    clients = calloc((size_t)total, sizeof *clients);
    if (!clients) abort();
    int kind = READS, left = counts[READS];
    for (int i = 0; i < total; i++) {
        while (left == 0 && kind < IDLES) left = counts[++kind];
        left--;
        clients[i].kind = (Kind)kind;
        /* Spread: every client has a set of its own, overlapping with its neighbours'. */
        if (spread) clients[i].first_symbol = (int)((int64_t)i * plan.total_symbols / total);
        if (clients[i].kind == VANISHES) clients[i].first_symbol = i * plan.symbols;
        clients[i].newest = malloc(sizeof(int64_t) * (size_t)(plan.symbols ? plan.symbols : 1));
        if (!clients[i].newest) abort();
        for (int symbol = 0; symbol < plan.symbols; symbol++) clients[i].newest[symbol] = -1;
    }
}

static bool connect_all(void) {
    uint64_t end = monotonic_ns() + (uint64_t)(patience * 1e9);
    int started = 0;
    while (tally.ready < total && tally.failed == 0 && monotonic_ns() < end) {
        while (started < total && started - tally.ready < IN_FLIGHT) client_connect(&clients[started++]);
        run_events(20);
    }
    return tally.ready == total;
}

/* The measured time. Stalled and slow clients stop reading at its start, vanishing ones go after a quarter of it, ten
 * every 10 ms. */
static double measure(void) {
    for (int i = 0; i < total; i++)
        if (clients[i].kind == STALLS || clients[i].kind == READS_SLOWLY) client_deafen(&clients[i]);
    tally.measuring = true;
    uint64_t start = monotonic_ns(), length = (uint64_t)(seconds * 1e9), now;
    uint64_t next_sip = start + 1000000000u, vanish = start + length / 4;
    int gone = 0;
    while ((now = monotonic_ns()) - start < length) {
        for (int i = 0; now >= next_sip && i < total; i++)
            if (clients[i].kind == READS_SLOWLY) client_sip(&clients[i], (size_t)sip);
        if (now >= next_sip) next_sip += 1000000000u;
        for (int left = VANISH_AT_ONCE; now >= vanish && left > 0 && gone < total; gone++) {
            if (clients[gone].kind != VANISHES) continue;
            client_vanish(&clients[gone]);
            left--;
        }
        if (now >= vanish) vanish += 10000000u;
        run_events(5);
    }
    tally.measuring = false;
    return (double)(monotonic_ns() - start) / 1e9;
}

static void report(double length, ProcessUsage base, ProcessUsage before, ProcessUsage after, double cpu) {
    double unit = plan.stamp_is_wall_ms ? 1e3 : 1e-3; /* to microseconds */
    double server = after.user + after.kernel - before.user - before.kernel;
    printf("{\"clients\":%d,\"beside\":%d,\"seconds\":%.3f,\"messages\":%" PRIu64
           ",\"per_second\":%.0f,\"bytes\":%" PRIu64 ",\"wire_bytes\":%" PRIu64 ",\"gaps\":%" PRIu64 ",\"repeats\":%" PRIu64
           ",\"unreadable\":%" PRIu64 ",\"lost_clients\":%d,\"reads\":%" PRIu64 ",",
           counts[READS], total - counts[READS], length, tally.messages, (double)tally.messages / length, tally.bytes,
           tally.wire_bytes, tally.gaps, tally.repeats, tally.unreadable, tally.lost, tally.reads);
    printf("\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,", (double)histogram_quantile(&tally.latency, 0.5) * unit,
           (double)histogram_quantile(&tally.latency, 0.99) * unit, (double)tally.latency.greatest * unit);
    printf("\"server_cpu\":%.3f,\"server_cpu_s_per_million\":%.3f,\"load_cpu\":%.3f,", server / length,
           tally.messages ? server * 1e6 / (double)tally.messages : 0.0, cpu / length);
    printf("\"base_kib\":%ld,\"ready_kib\":%ld,\"end_kib\":%ld,\"kib_per_connection\":%.2f}\n", base.resident,
           before.resident, after.resident, (double)(before.resident - base.resident) / total);
}

/* clang-format off */
enum {
    PORT = 256, CLIENTS, SYMBOLS, TOTAL, SPREAD, NATS, KEY, EXCHANGE, MODE, STALLED, SLOW, SLOW_BYTES, VANISHING, IDLE,
    SECONDS, WARMUP, PATIENCE, STAMP, WALL, PID, DEFLATE
};

static const struct option options[] = {
    {"port", 1, 0, PORT}, {"clients", 1, 0, CLIENTS}, {"symbols", 1, 0, SYMBOLS}, {"total-symbols", 1, 0, TOTAL},
    {"spread", 0, 0, SPREAD}, {"nats", 0, 0, NATS}, {"api-key", 1, 0, KEY}, {"exchange", 1, 0, EXCHANGE},
    {"mode", 1, 0, MODE}, {"stalled", 1, 0, STALLED}, {"slow", 1, 0, SLOW}, {"slow-bytes", 1, 0, SLOW_BYTES},
    {"vanishing", 1, 0, VANISHING}, {"idle", 1, 0, IDLE}, {"seconds", 1, 0, SECONDS}, {"warmup", 1, 0, WARMUP},
    {"patience", 1, 0, PATIENCE}, {"stamp", 1, 0, STAMP}, {"stamp-is-wall-ms", 0, 0, WALL}, {"pid", 1, 0, PID}, {"deflate", 0, 0, DEFLATE},
    {0}};
/* clang-format on */

static bool read_options(int argc, char **argv) {
    plan = (Plan){.api_key = "none", .exchange = "NSE", .mode = "LTP", .symbols = 10, .stamp = "sent_ns"};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case PORT: plan.port = atoi(optarg); break;
        case CLIENTS: counts[READS] = atoi(optarg); break;
        case SYMBOLS: plan.symbols = atoi(optarg); break;
        case TOTAL: plan.total_symbols = atoi(optarg); break;
        case SPREAD: spread = true; break;
        case NATS: plan.nats = true; break;
        case DEFLATE: plan.deflate = true; break;
        case KEY: plan.api_key = optarg; break;
        case EXCHANGE: plan.exchange = optarg; break;
        case MODE: plan.mode = optarg; break;
        case STALLED: counts[STALLS] = atoi(optarg); break;
        case SLOW: counts[READS_SLOWLY] = atoi(optarg); break;
        case SLOW_BYTES: sip = atoi(optarg); break;
        case VANISHING: counts[VANISHES] = atoi(optarg); break;
        case IDLE: counts[IDLES] = atoi(optarg); break;
        case SECONDS: seconds = atof(optarg); break;
        case WARMUP: warmup = atof(optarg); break;
        case PATIENCE: patience = atof(optarg); break;
        case STAMP: plan.stamp = optarg; break;
        case WALL: plan.stamp_is_wall_ms = true; break;
        case PID: pid = atoi(optarg); break;
        default: return false;
        }
    }
    return optind == argc && plan.port > 0 && counts[READS] > 0 && plan.symbols >= 0;
}

int main(int argc, char **argv) {
    if (!read_options(argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    static char stamp[64];
    snprintf(stamp, sizeof stamp, "\"%s\":", plan.stamp);
    plan.stamp = stamp;
    prepare();
    ProcessUsage base = process_usage(pid);
    if (!connect_all()) return give_up("not everybody could connect and subscribe");
    tally.ready_at = stamp_now();
    tally.fresh_ticks = 0;
    fprintf(stderr, "READY\n");
    uint64_t end = monotonic_ns() + (uint64_t)(patience * 1e9);
    while (plan.symbols > 0 && tally.fresh_ticks == 0 && monotonic_ns() < end) run_events(5);
    if (plan.symbols > 0 && tally.fresh_ticks == 0) return give_up("no tick has come");
    run_for(warmup);
    ProcessUsage before = process_usage(pid);
    double cpu = own_cpu();
    double length = measure();
    cpu = own_cpu() - cpu;
    report(length, base, before, process_usage(pid), cpu);
    return 0;
}
