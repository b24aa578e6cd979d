/* WebSocket over TCP, as much of it as a load client needs. */
#define _GNU_SOURCE
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

enum {
    READ_AT_ONCE = 256 << 10,
    LARGEST_PARTIAL = 2 << 20,
    CONTINUATION = 0,
    TEXT = 1,
    BINARY = 2,
    CLOSE = 8,
    PING = 9,
    PONG = 10
};

Plan plan;
Tally tally;
static uint8_t workspace[LARGEST_PARTIAL + READ_AT_ONCE];

uint64_t stamp_now(void) { return plan.stamp_is_wall_ms ? wall_ns() / 1000000 : monotonic_ns(); }

void bytes_replace(Bytes *bytes, const void *with, size_t length) {
    if (length > bytes->capacity) {
        uint8_t *larger = malloc(length * 2);
        if (!larger) abort();
        memcpy(larger, with, length);
        free(bytes->bytes);
        *bytes = (Bytes){larger, length, length * 2};
        return;
    }
    if (length) memmove(bytes->bytes, with, length);
    bytes->length = length;
}

void bytes_append(Bytes *bytes, const void *more, size_t length) {
    if (bytes->length + length > bytes->capacity) {
        bytes->capacity = (bytes->length + length) * 2;
        bytes->bytes = realloc(bytes->bytes, bytes->capacity);
        if (!bytes->bytes) abort();
    }
    memcpy(bytes->bytes + bytes->length, more, length);
    bytes->length += length;
}

void client_fail(Client *client, const char *why, const void *detail, size_t length) {
    if (client->state == GONE) return;
    if (!tally.trouble[0])
        snprintf(tally.trouble, sizeof tally.trouble, "%s%.*s", why, length > 160 ? 160 : (int)length,
                 (const char *)detail);
    if (client->state == RUNNING) {
        if (client->kind == READS) tally.lost++;
    } else {
        tally.failed++;
    }
    close(client->fd);
    client->state = GONE;
}

static void fail_with_errno(Client *client, const char *what) { client_fail(client, what, strerror(errno), 100); }

static void watch(Client *client) {
    struct epoll_event event = {.data.ptr = client};
    event.events = (client->deaf ? 0u : (uint32_t)EPOLLIN) | (client->output.length ? (uint32_t)EPOLLOUT : 0u);
    epoll_ctl(plan.epoll, EPOLL_CTL_MOD, client->fd, &event);
}

static void flush(Client *client) {
    ssize_t sent = send(client->fd, client->output.bytes, client->output.length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        fail_with_errno(client, "send: ");
        return;
    }
    if (sent > 0) bytes_replace(&client->output, client->output.bytes + sent, client->output.length - (size_t)sent);
    watch(client);
}

static void send_frame(Client *client, uint8_t opcode, const uint8_t *payload, size_t length) {
    uint8_t head[14] = {(uint8_t)(0x80 | opcode)};
    size_t size = 2;
    if (length < 126) {
        head[1] = (uint8_t)(0x80 | length);
    } else {
        size_t digits = length < 65536 ? 2 : 8;
        head[1] = (uint8_t)(0x80 | (digits == 2 ? 126 : 127));
        for (size_t i = 0; i < digits; i++) head[size++] = (uint8_t)(length >> (8 * (digits - 1 - i)));
    }
    /* What the mask is does not matter between two programs of one machine; that there is one does. */
    uint8_t mask[4] = {0x5a, 0xc3, 0x17, (uint8_t)client->fd};
    memcpy(head + size, mask, 4);
    bytes_append(&client->output, head, size + 4);
    bytes_append(&client->output, payload, length);
    uint8_t *masked = client->output.bytes + client->output.length - length;
    for (size_t i = 0; i < length; i++) masked[i] ^= mask[i & 3];
    flush(client);
}

void client_send(Client *client, const char *text, size_t length) {
    send_frame(client, plan.nats ? BINARY : TEXT, (const uint8_t *)text, length);
}

/* A message of permessage-deflate without context takeover (RFC 7692 section 7.2.2): each stands for itself, so one stream
 * serves all clients. Returns its length; 0 = it cannot be read. */
static size_t inflated(const uint8_t *payload, size_t length, uint8_t *out, size_t room) {
    static z_stream stream;
    static bool ready;
    static const uint8_t tail[] = {0, 0, 0xff, 0xff};
    if (!ready && inflateInit2(&stream, -15) != Z_OK) abort();
    ready = true;
    inflateReset(&stream);
    stream.next_out = out;
    stream.avail_out = (uInt)room;
    for (int part = 0; part < 2; part++) {
        stream.next_in = (uint8_t *)(part ? tail : payload);
        stream.avail_in = (uInt)(part ? sizeof tail : length);
        int status = inflate(&stream, Z_SYNC_FLUSH);
        if ((status != Z_OK && status != Z_BUF_ERROR) || stream.avail_in) return 0;
    }
    return room - stream.avail_out;
}

static void on_frame(Client *client, uint8_t first, const uint8_t *payload, size_t length, uint64_t now) {
    uint8_t opcode = first & 15;
    bool last = first & 0x80;
    if (tally.measuring && client->kind == READS) tally.wire_bytes += length;
    static uint8_t plain[64 << 10];
    if (first & 0x40) {
        length = inflated(payload, length, plain, sizeof plain);
        payload = plain;
        if (!length) {
            client_fail(client, "a compressed message that cannot be read", "", 0);
            return;
        }
    }
    if (opcode == PING) {
        send_frame(client, PONG, payload, length);
    } else if (opcode == CLOSE) {
        client_fail(client, "closed: ", length > 2 ? payload + 2 : payload, length > 2 ? length - 2 : 0);
    } else if (opcode > BINARY) {
        return;
    } else if (plan.nats || (last && opcode != CONTINUATION)) {
        protocol_message(client, payload, length, now);
    } else {
        bytes_append(&client->message, payload, length);
        if (!last) return;
        protocol_message(client, client->message.bytes, client->message.length, now);
        client->message.length = 0;
    }
}

/* Returns the bytes used. */
static size_t parse(Client *client, const uint8_t *text, size_t length, uint64_t now) {
    size_t used = 0;
    if (client->state == UPGRADING) {
        const uint8_t *end = memmem(text, length, "\r\n\r\n", 4);
        if (!end) return 0;
        if (memcmp(text, "HTTP/1.1 101", 12) != 0) {
            client_fail(client, "handshake: ", text, length);
            return length;
        }
        if (plan.deflate && !memmem(text, (size_t)(end - text), "permessage-deflate", 18)) {
            client_fail(client, "the server does not compress", "", 0);
            return length;
        }
        used = (size_t)(end - text) + 4;
        protocol_upgraded(client);
    }
    while (client->state != GONE && length - used >= 2) {
        const uint8_t *frame = text + used;
        size_t size = frame[1] & 127, head = size < 126 ? 2 : size == 126 ? 4 : 10;
        if (length - used < head) break;
        if (head > 2) {
            size = 0;
            for (size_t i = 2; i < head; i++) size = size << 8 | frame[i];
        }
        if (length - used < head + size) break;
        on_frame(client, frame[0], frame + head, size, now);
        used += head + size;
    }
    return used;
}

static void on_readable(Client *client) {
    size_t held = client->input.length;
    if (held > LARGEST_PARTIAL) {
        client_fail(client, "a frame of more than 2 MiB", "", 0);
        return;
    }
    if (held) memcpy(workspace, client->input.bytes, held);
    ssize_t read = recv(client->fd, workspace + held, READ_AT_ONCE, 0);
    if (read < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (read < 0) {
        fail_with_errno(client, "recv: ");
        return;
    }
    if (read == 0) {
        client_fail(client, "the server closed the connection", "", 0);
        return;
    }
    if (tally.measuring) tally.reads++;
    size_t length = held + (size_t)read;
    size_t used = parse(client, workspace, length, stamp_now());
    if (client->state != GONE) bytes_replace(&client->input, workspace + used, length - used);
}

void client_connect(Client *client) {
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    client->state = CONNECTING;
    if (client->fd < 0) {
        fail_with_errno(client, "socket: ");
        return;
    }
    int one = 1, small = 64 << 10;
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    /* So that it shows within the run that nobody reads. */
    if (client->kind == STALLS || client->kind == READS_SLOWLY)
        setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)plan.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) {
        fail_with_errno(client, "connect: ");
        return;
    }
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = client};
    epoll_ctl(plan.epoll, EPOLL_CTL_ADD, client->fd, &event);
}

static void on_connected(Client *client) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        errno = error;
        fail_with_errno(client, "connect: ");
        return;
    }
    char request[512];
    int length = snprintf(request, sizeof request,
                          "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ZmVlZGhvc3QtZmFub3V0LQ==\r\n%s\r\n",
                          plan.port,
                          plan.deflate ? "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                                         "client_no_context_takeover\r\n"
                                       : "");
    client->state = UPGRADING;
    bytes_append(&client->output, request, (size_t)length);
    flush(client);
}

void client_event(Client *client, uint32_t events) {
    if (client->state == GONE) return;
    if (client->state == CONNECTING) {
        on_connected(client);
        return;
    }
    if (events & EPOLLOUT) flush(client);
    if (client->state == GONE) return;
    if (client->deaf && (events & (EPOLLHUP | EPOLLERR))) client_fail(client, "cut off while it did not read", "", 0);
    else if (!client->deaf && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) on_readable(client);
}

void client_deafen(Client *client) {
    if (client->state != RUNNING) return;
    client->deaf = true;
    watch(client);
}

void client_sip(Client *client, size_t limit) {
    if (client->state == RUNNING) recv(client->fd, workspace, limit < sizeof workspace ? limit : sizeof workspace, 0);
}

void client_vanish(Client *client) {
    if (client->state != RUNNING) return;
    struct linger none = {.l_onoff = 1};
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(client->fd);
    client->state = GONE;
}
