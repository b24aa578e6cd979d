/* Tick feed: two-frame ZeroMQ messages [NSE_SYMn_LTP][JSON of about 175 bytes] from a connecting PUB socket, or the
 * same as PUB lines to a NATS server. Symbols count from 1 and take turns. Each payload carries the symbol's sequence
 * number and the time of sending. Ends on SIGTERM or after --seconds; prints one line of JSON. Loopback only. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "measure.h"

enum { TOPIC = 64, PENDING = 64 << 10, FIRST_SEQUENCE = 1000000000 };

static volatile sig_atomic_t ended;
static void *publisher;
static int nats = -1;
static char pending[PENDING];
static size_t pending_length;

static void end(int signal) {
    (void)signal;
    ended = 1;
}

static void sleep_until(uint64_t due) {
    struct timespec time = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static int nats_flush(void) {
    for (size_t sent = 0; sent < pending_length;) {
        ssize_t count = send(nats, pending + sent, pending_length - sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR && !ended) continue;
        if (count < 0) return ended ? 0 : -1;
        sent += (size_t)count;
    }
    pending_length = 0;
    char said[4096];
    ssize_t count = recv(nats, said, sizeof said, MSG_DONTWAIT);
    if (count == 0) return -1;
    if (count > 0 && memmem(said, (size_t)count, "PING\r\n", 6) && send(nats, "PONG\r\n", 6, MSG_NOSIGNAL) < 0)
        return -1;
    return 0;
}

static int nats_open(int port) {
    nats = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    setsockopt(nats, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(nats, (struct sockaddr *)&address, sizeof address) < 0) return -1;
    pending_length = (size_t)snprintf(pending, sizeof pending, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n");
    return nats_flush();
}

static int zeromq_open(void *context, const char *endpoint) {
    publisher = zmq_socket(context, ZMQ_PUB);
    /* More than the default of 1,000, so that a server that is late shows as late and not as lossy. */
    int high_water_mark = 100000, linger = 0;
    zmq_setsockopt(publisher, ZMQ_SNDHWM, &high_water_mark, sizeof high_water_mark);
    zmq_setsockopt(publisher, ZMQ_LINGER, &linger, sizeof linger);
    return zmq_connect(publisher, endpoint);
}

static int publish(const char *topic, const char *payload, size_t length) {
    if (nats < 0) {
        if (zmq_send(publisher, topic, strlen(topic), ZMQ_SNDMORE) < 0) return errno == EINTR ? 0 : -1;
        return zmq_send(publisher, payload, length, 0) < 0 && errno != EINTR ? -1 : 0;
    }
    if (pending_length + length + 128 > sizeof pending && nats_flush() < 0) return -1;
    pending_length += (size_t)snprintf(pending + pending_length, sizeof pending - pending_length,
                                       "PUB %s %zu\r\n%s\r\n", topic, length, payload);
    return 0;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"connect", 1, 0, 'c'}, {"nats", 1, 0, 'n'},    {"symbols", 1, 0, 'k'},
                                            {"rate", 1, 0, 'r'},    {"seconds", 1, 0, 's'}, {0}};
    const char *endpoint = NULL;
    int symbols = 10, nats_port = 0, option;
    double rate = 1000, seconds = 60;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'c') endpoint = optarg;
        else if (option == 'n') nats_port = atoi(optarg);
        else if (option == 'k') symbols = atoi(optarg);
        else if (option == 'r') rate = atof(optarg);
        else if (option == 's') seconds = atof(optarg);
        else endpoint = NULL, nats_port = 0, optind = argc + 1;
    }
    if (optind != argc || (!endpoint && !nats_port) || symbols < 1 || rate < 0) {
        fputs("feed --connect tcp://127.0.0.1:PORT | --nats PORT [--symbols K] [--rate TICKS_A_SECOND, 0 = as fast as "
              "it goes] [--seconds S]\n",
              stderr);
        return 2;
    }
    signal(SIGTERM, end);
    signal(SIGINT, end);
    void *context = endpoint ? zmq_ctx_new() : NULL;
    if ((endpoint ? zeromq_open(context, endpoint) : nats_open(nats_port)) < 0) {
        fprintf(stderr, "feed: cannot connect: %s\n", strerror(errno));
        return 1;
    }
    /* What is sent before the connection stands is lost. */
    sleep_until(monotonic_ns() + 300000000u);
    char (*topics)[TOPIC] = malloc(sizeof *topics * (size_t)symbols);
    if (!topics) return 1;
    for (int i = 0; i < symbols; i++) snprintf(topics[i], TOPIC, "NSE_SYM%d_LTP", i + 1);

    uint64_t start = monotonic_ns(), stop = start + (uint64_t)(seconds * 1e9), sent = 0, now = start, last = start;
    bool broken = false;
    while (!ended && !broken && now < stop) {
        uint64_t due = rate > 0 ? start + (uint64_t)((double)sent * 1e9 / rate) : now;
        if (due > now) {
            if (nats >= 0 && pending_length && nats_flush() < 0) broken = true;
            sleep_until(due);
            now = monotonic_ns();
            if (ended) break;
        }
        uint64_t turn = sent / (uint64_t)symbols;
        unsigned symbol = (unsigned)(sent % (uint64_t)symbols);
        char payload[256];
        double price = 1000.05 + (double)(symbol % 97) + (double)(turn % 200) * 0.05;
        int length =
            snprintf(payload, sizeof payload,
                     "{\"seq\":%" PRIu64 ",\"sent_ns\":%" PRIu64 ",\"ltp\":%.2f,\"ltt\":%" PRIu64 ",\"volume\":%" PRIu64
                     ",\"last_quantity\":%u,\"change\":%.2f,\"average_price\":%.2f,\"timestamp\":%" PRIu64 "}",
                     FIRST_SEQUENCE + turn, now, price, 1795400000000u + turn, 1000000u + turn * 7,
                     10 + (unsigned)(turn % 90), 1.25, price - 0.5, 1795400000000u + turn);
        if (publish(topics[symbol], payload, (size_t)length) < 0) broken = true;
        else sent++, last = now;
        now = monotonic_ns();
    }
    if (broken && !ended) {
        fprintf(stderr, "feed: sending: %s\n", strerror(errno));
        return 1;
    }
    /* From the first to the last one. */
    double length = (double)(last - start) / 1e9, per_second = sent > 1 ? (double)(sent - 1) / length : 0;
    printf("{\"sent\":%" PRIu64 ",\"seconds\":%.3f,\"rate\":%.1f,\"cpu_s\":%.3f}\n",
           sent, length, per_second, own_cpu());
    if (nats >= 0) close(nats);
    if (publisher) zmq_close(publisher);
    if (context) zmq_ctx_term(context);
    free(topics);
    return 0;
}
