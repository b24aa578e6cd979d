/* One WebSocket connection of the load client, and what all of them count together. */
#ifndef FANOUT_CLIENT_H
#define FANOUT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure.h"

/* How a connection behaves once it is measured. Before that all of them read. */
typedef enum { READS, STALLS, READS_SLOWLY, VANISHES, IDLES } Kind;
typedef enum { UNBORN, CONNECTING, UPGRADING, AUTHENTICATING, SUBSCRIBING, RUNNING, GONE } State;

typedef struct {
    uint8_t *bytes;
    size_t length, capacity;
} Bytes;

typedef struct {
    int fd;
    Kind kind;
    State state;
    bool greeted;     /* NATS: the server's INFO has come */
    bool deaf;        /* not read by the event loop any more */
    int first_symbol; /* it subscribes to this one and those after it */
    Bytes input;      /* the beginning of a frame that is not complete */
    Bytes message;    /* fragments of a message, or of a NATS line */
    Bytes output;     /* what the socket has not taken */
    int64_t *newest;  /* sequence number of each symbol; -1 = none yet */
} Client;

/* Fixed before the first connection. */
typedef struct {
    int port;
    bool nats;
    bool deflate; /* asks for permessage-deflate, and takes nothing else */
    const char *api_key, *exchange, *mode;
    int symbols, total_symbols;
    const char *stamp;     /* name of the member that holds the time of sending */
    bool stamp_is_wall_ms; /* in ms of the wall clock, else in ns of CLOCK_MONOTONIC */
    int epoll;
} Plan;

/* Only kind READS is counted in the first block. */
typedef struct {
    bool measuring;
    uint64_t messages, bytes, wire_bytes, gaps, repeats, unreadable, reads;
    Histogram latency;
    uint64_t ready_at;    /* when everybody had subscribed, in the unit of the stamps */
    uint64_t fresh_ticks; /* sent after that, to any kind */
    int ready, failed, lost;
    char trouble[256]; /* the first thing that went wrong */
} Tally;

extern Plan plan;
extern Tally tally;

/* Now, in the unit of the stamps. */
uint64_t stamp_now(void);

void client_connect(Client *client);
/* What epoll says of this connection. */
void client_event(Client *client, uint32_t events);
/* Takes up to `limit` bytes and throws them away. */
void client_sip(Client *client, size_t limit);
/* From now on the event loop does not read it. */
void client_deafen(Client *client);
/* Resets the connection without a word. */
void client_vanish(Client *client);

/* For the protocols: sends one masked frame of text, or of bytes with NATS. */
void client_send(Client *client, const char *text, size_t length);
void client_fail(Client *client, const char *why, const void *detail, size_t length);
void bytes_append(Bytes *bytes, const void *more, size_t length);
void bytes_replace(Bytes *bytes, const void *with, size_t length);

/* protocol.c: what is said over the WebSocket. `now` is the time of the read in the unit of the stamps. */
void protocol_upgraded(Client *client);
void protocol_message(Client *client, const uint8_t *text, size_t length, uint64_t now);

#endif
