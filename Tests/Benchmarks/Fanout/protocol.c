/* OpenAlgo's client protocol, and NATS over WebSocket for the NATS server. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

/* Text that is looked for in every message, and where it was the last time: messages resemble each other. */
typedef struct {
    const char *text;
    size_t length, hint;
} Needle;

static Needle symbol_needle = {"SYM", 3, 0}, seq_needle = {"\"seq\":", 6, 0}, stamp_needle;

/* Behind the needle, or NULL. */
static const uint8_t *seek(Needle *needle, const uint8_t *from, const uint8_t *end) {
    if ((size_t)(end - from) >= needle->hint + needle->length &&
        memcmp(from + needle->hint, needle->text, needle->length) == 0)
        return from + needle->hint + needle->length;
    const uint8_t *found = memmem(from, (size_t)(end - from), needle->text, needle->length);
    if (!found) return NULL;
    needle->hint = (size_t)(found - from);
    return found + needle->length;
}

static int64_t number(const uint8_t *at, const uint8_t *end) {
    int64_t value = 0;
    while (at < end && *at == ' ') at++;
    while (at < end && *at >= '0' && *at <= '9') value = value * 10 + (*at++ - '0');
    return value;
}

static void count_tick(Client *client, const uint8_t *text, size_t length, uint64_t now) {
    bool counted = tally.measuring && client->kind == READS;
    if (counted) {
        tally.messages++;
        tally.bytes += length;
    }
    const uint8_t *end = text + length;
    const uint8_t *symbol = seek(&symbol_needle, text, end);
    const uint8_t *seq = symbol ? seek(&seq_needle, symbol, end) : NULL;
    const uint8_t *stamp = symbol ? seek(&stamp_needle, symbol, end) : NULL;
    if (!seq || !stamp) {
        tally.unreadable++;
        return;
    }
    /* Symbols count from 1. */
    int64_t index = number(symbol, end) - 1 - client->first_symbol;
    if (index < 0) index += plan.total_symbols;
    if (index < 0 || index >= plan.symbols) {
        tally.unreadable++;
        return;
    }
    int64_t sequence = number(seq, end), newest = client->newest[index];
    uint64_t sent = (uint64_t)number(stamp, end);
    /* A server may send its last value first, and that may be of an earlier feed, which had counted further. */
    client->newest[index] = sequence;
    if (sent >= tally.ready_at) tally.fresh_ticks++;
    if (!counted) return;
    if (newest >= 0 && sequence > newest + 1) tally.gaps += (uint64_t)(sequence - newest - 1);
    if (newest >= 0 && sequence <= newest) tally.repeats++;
    histogram_add(&tally.latency, now > sent ? now - sent : 0);
}

static void become_ready(Client *client) {
    client->state = RUNNING;
    tally.ready++;
}

static int symbol_of(const Client *client, int index) {
    /* Nobody feeds these: a client that goes leaves routes behind, and takes no share of the ticks while it is there. */
    if (client->kind == VANISHES) return plan.total_symbols + client->first_symbol + index + 1;
    return (client->first_symbol + index) % plan.total_symbols + 1;
}

static void subscribe(Client *client) {
    if (plan.symbols == 0 || client->kind == IDLES) {
        become_ready(client);
        return;
    }
    size_t capacity = 128 + (size_t)plan.symbols * 64, length = 0;
    char *text = malloc(capacity);
    if (!text) abort();
    if (!plan.nats) length += (size_t)snprintf(text, capacity, "{\"action\":\"subscribe\",\"symbols\":[");
    for (int i = 0; i < plan.symbols; i++) {
        char *at = text + length;
        size_t room = capacity - length;
        int symbol = symbol_of(client, i);
        length +=
            (size_t)(plan.nats ? snprintf(at, room, "SUB %s_SYM%d_%s %d\r\n", plan.exchange, symbol, plan.mode, i + 1)
                               : snprintf(at, room, "%s{\"symbol\":\"SYM%d\",\"exchange\":\"%s\"}", i ? "," : "",
                                          symbol, plan.exchange));
    }
    length += (size_t)(plan.nats ? snprintf(text + length, capacity - length, "PING\r\n")
                                 : snprintf(text + length, capacity - length, "],\"mode\":\"%s\"}", plan.mode));
    client->state = SUBSCRIBING;
    client_send(client, text, length);
    free(text);
}

static void authenticate(Client *client) {
    char text[512];
    int length = plan.nats
                     ? snprintf(text, sizeof text, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING\r\n")
                     : snprintf(text, sizeof text, "{\"action\":\"authenticate\",\"api_key\":\"%s\"}", plan.api_key);
    client->state = AUTHENTICATING;
    client_send(client, text, (size_t)length);
}

void protocol_upgraded(Client *client) {
    stamp_needle = (Needle){plan.stamp, strlen(plan.stamp), 0};
    /* NATS speaks first. */
    if (plan.nats) client->state = AUTHENTICATING;
    else authenticate(client);
}

static bool begins(const uint8_t *text, size_t length, const char *word) {
    return length >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

static bool holds(const uint8_t *text, size_t length, const char *word) {
    return memmem(text, length, word, strlen(word)) != NULL;
}

static void openalgo_message(Client *client, const uint8_t *text, size_t length, uint64_t now) {
    if (begins(text, length, "{\"type\":\"market_data\"")) {
        count_tick(client, text, length, now);
        return;
    }
    if (client->state == RUNNING) return;
    if (!holds(text, length, "\"status\":\"success\"")) {
        client_fail(client, "refused: ", text, length);
    } else if (client->state == AUTHENTICATING) {
        subscribe(client);
    } else {
        become_ready(client);
    }
}

/* One line, or one message with its payload. Returns the bytes used; 0 = not complete. */
static size_t nats_step(Client *client, const uint8_t *text, size_t length, uint64_t now) {
    const uint8_t *feed = memchr(text, '\n', length);
    if (!feed) return 0;
    size_t line = (size_t)(feed - text) + 1;
    if (begins(text, line, "MSG ")) {
        const uint8_t *size = memrchr(text, ' ', line);
        size_t whole = line + (size_t)number(size, feed) + 2;
        if (length < whole) return 0;
        count_tick(client, text, whole, now);
        return whole;
    }
    if (begins(text, line, "PING")) client_send(client, "PONG\r\n", 6);
    else if (begins(text, line, "-ERR")) client_fail(client, "refused: ", text, line);
    else if (begins(text, line, "INFO") && !client->greeted) {
        client->greeted = true;
        authenticate(client);
    } else if (begins(text, line, "PONG")) {
        if (client->state == AUTHENTICATING) subscribe(client);
        else if (client->state == SUBSCRIBING) become_ready(client);
    }
    return line;
}

/* NATS is a stream of bytes: frames end wherever they like. */
static void nats_bytes(Client *client, const uint8_t *text, size_t length, uint64_t now) {
    bool joined = client->message.length > 0;
    if (joined) {
        bytes_append(&client->message, text, length);
        text = client->message.bytes;
        length = client->message.length;
    }
    size_t used = 0, step;
    while (client->state != GONE && (step = nats_step(client, text + used, length - used, now)) > 0) used += step;
    if (client->state != GONE) bytes_replace(&client->message, text + used, length - used);
}

void protocol_message(Client *client, const uint8_t *text, size_t length, uint64_t now) {
    if (plan.nats) nats_bytes(client, text, length, now);
    else openalgo_message(client, text, length, now);
}
