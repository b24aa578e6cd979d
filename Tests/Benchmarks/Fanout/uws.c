/* The peer: uWebSockets as a bridge of one process and one loop. It speaks as much of OpenAlgo's protocol as the load
 * client does, subscribes each connection to uWebSockets' own topics, and publishes what comes over ZeroMQ in the same
 * envelope as Feedhost. uWebSockets is the build inside the Python package socketify, whose C functions are called
 * directly: no Python runs here. Prints READY when it listens. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include <zmq.h>

/* The part of the library's C interface that is used (uWebSockets/capi/libuwebsockets.h). */
typedef struct uws_app uws_app;
typedef struct uws_websocket uws_websocket;
typedef struct {
    const char *texts[6];
    int low_memory;
} uws_tls;
typedef void (*uws_handler)(uws_websocket *, void *);
typedef void (*uws_message_handler)(uws_websocket *, const char *, size_t, int, void *);
typedef struct {
    int compression;
    unsigned largest_message;
    unsigned short idle_timeout;
    unsigned backpressure;
    bool close_on_backpressure, reset_idle_on_send, ping;
    unsigned short lifetime;
    void (*upgrade)(void *, void *, void *, void *);
    uws_handler open;
    uws_message_handler message;
    uws_handler drain;
    void (*control[2])(uws_websocket *, const char *, size_t, void *);
    void (*close)(uws_websocket *, int, const char *, size_t, void *);
    void (*subscription)(uws_websocket *, const char *, size_t, int, int, void *);
} uws_behavior;
typedef struct {
    int port;
    const char *host;
    int options;
} uws_listen_config;

void *uws_get_loop_with_native(void *uv_loop);
uws_app *uws_create_app(int tls, uws_tls options);
void uws_ws(int tls, uws_app *, const char *pattern, uws_behavior, void *);
void uws_app_listen_with_config(int tls, uws_app *, uws_listen_config, void (*)(void *, uws_listen_config, void *),
                                void *);
int uws_ws_send(int tls, uws_websocket *, const char *, size_t, int opcode);
bool uws_ws_subscribe(int tls, uws_websocket *, const char *topic, size_t);
bool uws_publish(int tls, uws_app *, const char *topic, size_t, const char *, size_t, int opcode, bool compress);

enum { TEXT = 1, AT_ONCE = 512, TOPIC = 256, LARGEST = 64 << 10 };

static uws_app *app;
static void *bus;
static uv_idle_t more;
static bool listening;

static void answer(uws_websocket *socket, const char *text) { uws_ws_send(0, socket, text, strlen(text), TEXT); }

/* The text behind `"name":"`, up to the next quote. */
static const char *member(const char *text, const char *end, const char *name, size_t *length) {
    const char *at = memmem(text, (size_t)(end - text), name, strlen(name));
    const char *quote = at ? memchr(at + strlen(name), '"', (size_t)(end - at) - strlen(name)) : NULL;
    if (!quote) return NULL;
    *length = (size_t)(quote - at) - strlen(name);
    return at + strlen(name);
}

static void on_message(uws_websocket *socket, const char *text, size_t length, int opcode, void *unused) {
    (void)opcode, (void)unused;
    const char *end = text + length;
    if (memmem(text, length, "\"authenticate\"", 14)) {
        answer(socket, "{\"type\":\"auth\",\"status\":\"success\",\"message\":\"Authentication "
                       "successful\",\"broker\":\"external\"}");
        return;
    }
    size_t mode_length = 0;
    const char *mode = member(text, end, "\"mode\":\"", &mode_length);
    if (!mode) {
        answer(socket, "{\"status\":\"error\",\"code\":\"INVALID_PARAMETERS\",\"message\":\"no mode\"}");
        return;
    }
    size_t symbol_length, exchange_length;
    const char *symbol, *exchange, *at = text;
    while ((symbol = member(at, end, "\"symbol\":\"", &symbol_length)) &&
           (exchange = member(symbol, end, "\"exchange\":\"", &exchange_length))) {
        char topic[TOPIC];
        int size = snprintf(topic, sizeof topic, "%.*s_%.*s_%.*s", (int)exchange_length, exchange, (int)symbol_length,
                            symbol, (int)mode_length, mode);
        uws_ws_subscribe(0, socket, topic, (size_t)size);
        at = exchange + exchange_length;
    }
    answer(socket, "{\"type\":\"subscribe\",\"status\":\"success\",\"message\":\"Subscription processing "
                   "complete\",\"broker\":\"external\"}");
}

static void forward(const char *topic, size_t topic_length, const char *payload, size_t length) {
    const char *first = memchr(topic, '_', topic_length), *last = memrchr(topic, '_', topic_length);
    if (!first || first == last || length > LARGEST) return;
    static char frame[LARGEST + 512];
    int mode = last[1] == 'L' ? 1 : last[1] == 'Q' ? 2 : 3;
    int size = snprintf(frame, sizeof frame,
                        "{\"type\":\"market_data\",\"symbol\":\"%.*s\",\"exchange\":\"%.*s\",\"mode\":%d,\"data\":%.*s,"
                        "\"broker\":\"external\"}",
                        (int)(last - first) - 1, first + 1, (int)(first - topic), topic, mode, (int)length, payload);
    uws_publish(0, app, topic, topic_length, frame, (size_t)size, TEXT, false);
}

/* Takes a batch; the library writes each connection's share at the end of the loop's turn. */
static void take(uv_idle_t *idle) {
    (void)idle;
    zmq_msg_t topic, payload;
    zmq_msg_init(&topic);
    zmq_msg_init(&payload);
    int taken = 0;
    while (taken < AT_ONCE && zmq_msg_recv(&topic, bus, ZMQ_DONTWAIT) >= 0) {
        taken++;
        if (!zmq_msg_more(&topic) || zmq_msg_recv(&payload, bus, ZMQ_DONTWAIT) < 0) continue;
        forward(zmq_msg_data(&topic), zmq_msg_size(&topic), zmq_msg_data(&payload), zmq_msg_size(&payload));
    }
    zmq_msg_close(&topic);
    zmq_msg_close(&payload);
    if (taken == AT_ONCE && !uv_is_active((uv_handle_t *)&more)) uv_idle_start(&more, take);
    if (taken < AT_ONCE) uv_idle_stop(&more);
}

static void on_bus(uv_poll_t *poll, int status, int events) {
    (void)poll, (void)status, (void)events;
    take(NULL);
}

static void on_listen(void *socket, uws_listen_config config, void *unused) {
    (void)config, (void)unused;
    listening = socket != NULL;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fputs("uws WEBSOCKET_PORT tcp://127.0.0.1:BUS_PORT\n", stderr);
        return 2;
    }
    bus = zmq_socket(zmq_ctx_new(), ZMQ_SUB);
    int high_water_mark = 100000;
    zmq_setsockopt(bus, ZMQ_RCVHWM, &high_water_mark, sizeof high_water_mark);
    zmq_setsockopt(bus, ZMQ_SUBSCRIBE, "", 0);
    if (zmq_bind(bus, argv[2]) < 0) {
        fprintf(stderr, "uws: %s: %s\n", argv[2], zmq_strerror(zmq_errno()));
        return 1;
    }
    uv_loop_t *loop = uv_default_loop();
    uws_get_loop_with_native(loop);
    app = uws_create_app(0, (uws_tls){0});
    uws_behavior behavior = {
        .largest_message = 1 << 20, .idle_timeout = 120, .backpressure = 4 << 20, .ping = true, .message = on_message};
    uws_ws(0, app, "/*", behavior, NULL);
    uws_app_listen_with_config(0, app, (uws_listen_config){.port = atoi(argv[1]), .host = "127.0.0.1"}, on_listen,
                               NULL);
    if (!listening) {
        fprintf(stderr, "uws: cannot listen on port %s\n", argv[1]);
        return 1;
    }
    int descriptor;
    size_t size = sizeof descriptor;
    zmq_getsockopt(bus, ZMQ_FD, &descriptor, &size);
    uv_poll_t poll;
    uv_idle_init(loop, &more);
    uv_poll_init(loop, &poll, descriptor);
    uv_poll_start(&poll, UV_READABLE, on_bus);
    puts("READY");
    fflush(stdout);
    /* ZeroMQ's descriptor tells changes only. */
    take(NULL);
    return uv_run(loop, UV_RUN_DEFAULT);
}
