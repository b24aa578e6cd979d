/* What the machine can do at most: a loop of send() of bytes that are framed already, over N loopback connections, and
 * a second process on the other core that reads and throws away. Prints one line of JSON. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

static void pin(int core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    sched_setaffinity(0, sizeof cores, &cores);
}

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(1);
}

/* Reads until the other side closes. Never returns. */
static _Noreturn void drain(struct sockaddr_in address, int connections) {
    static char buffer[256 << 10];
    struct epoll_event events[256];
    int epoll = epoll_create1(0);
    for (int i = 0; i < connections; i++) {
        int reader = socket(AF_INET, SOCK_STREAM, 0);
        if (reader < 0 || connect(reader, (struct sockaddr *)&address, sizeof address) < 0) fail("ceiling: connect");
        struct epoll_event event = {.events = EPOLLIN, .data.fd = reader};
        epoll_ctl(epoll, EPOLL_CTL_ADD, reader, &event);
    }
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            ssize_t read = recv(events[i].data.fd, buffer, sizeof buffer, MSG_DONTWAIT);
            if (read == 0 || (read < 0 && errno != EAGAIN)) exit(0);
        }
    }
}

int main(int argc, char **argv) {
    static const struct option options[] = {
        {"clients", 1, 0, 'n'}, {"bytes", 1, 0, 'b'}, {"per-call", 1, 0, 'm'}, {"seconds", 1, 0, 's'}, {0}};
    int connections = 100, bytes = 272, per_call = 1, option;
    double seconds = 3;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'n') connections = atoi(optarg);
        else if (option == 'b') bytes = atoi(optarg);
        else if (option == 'm') per_call = atoi(optarg);
        else if (option == 's') seconds = atof(optarg);
        else optind = argc + 1;
    }
    if (optind != argc || connections < 1 || bytes < 1 || per_call < 1) {
        fputs("ceiling [--clients N] [--bytes SIZE_OF_A_MESSAGE] [--per-call MESSAGES] [--seconds S]\n", stderr);
        return 2;
    }
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 4096) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        fail("ceiling: listen");
    pid_t reader = fork();
    if (reader < 0) fail("ceiling: fork");
    if (reader == 0) {
        close(listener);
        pin(1);
        drain(address, connections);
    }
    struct pollfd *sockets = calloc((size_t)connections, sizeof *sockets);
    size_t length = (size_t)bytes * (size_t)per_call;
    char *block = malloc(length);
    if (!sockets || !block) fail("ceiling: memory");
    memset(block, 'x', length);
    int one = 1;
    for (int i = 0; i < connections; i++) {
        sockets[i] = (struct pollfd){accept4(listener, NULL, NULL, SOCK_NONBLOCK), POLLOUT, 0};
        if (sockets[i].fd < 0) fail("ceiling: accept");
        setsockopt(sockets[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    pin(0);
    uint64_t sent = 0, calls = 0, start = monotonic_ns(), end = start + (uint64_t)(seconds * 1e9);
    double cpu = own_cpu();
    while (monotonic_ns() < end) {
        int taken = 0;
        for (int i = 0; i < connections; i++) {
            ssize_t count = send(sockets[i].fd, block, length, MSG_NOSIGNAL);
            if (count < 0 && errno != EAGAIN) fail("ceiling: send");
            calls++;
            if (count > 0) sent += (uint64_t)count, taken++;
        }
        if (taken == 0) poll(sockets, (nfds_t)connections, 10);
    }
    double elapsed = (double)(monotonic_ns() - start) / 1e9, messages = (double)sent / bytes;
    cpu = own_cpu() - cpu;
    kill(reader, SIGTERM);
    waitpid(reader, NULL, 0);
    printf("{\"clients\":%d,\"bytes\":%d,\"per_call\":%d,\"per_second\":%.0f,\"server_cpu_s_per_million\":%.3f,"
           "\"calls\":%" PRIu64 "}\n",
           connections, bytes, per_call, messages / elapsed, cpu * 1e6 / messages, calls);
    return 0;
}
