/* decode LIBRARY BROKER [LINK] [NAME=VALUE…]: a host of one page that reads, a line each, what the venue and the user do, and
 * prints as JSON lines what the adapter makes of it: every value of every update, and nothing that it did not say.
 *
 *   credentials NAME=VALUE…                  kept for connect
 *   connect                                  connects; the newest socket is accepted
 *   subscribe HANDLE EXCHANGE SYMBOL MODE DEPTH BROKER_EXCHANGE BROKER_TOKEN      MODE is FH_MODE_*, - is an empty name
 *   orders                                   order updates are wanted
 *   text PAYLOAD | binary HEX                a message of the newest socket; answered by {"frame":N} behind its updates
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "feedhost/extensions.h"

enum { TEXTS = 32, WISHES = 100, TIMERS = 16, LINE = 1 << 20 };
struct timer { fh_id id; uint64_t user, due, repeat; };
struct fh_host_ctx {
    fh_id last, socket;
    uint64_t user, clock; /* microseconds */
    struct timer timers[TIMERS];
};
static fh_field settings[TEXTS], credentials[TEXTS];
static uint32_t setting_count, credential_count;
static const fh_descriptor *descriptor;

static fh_str text(const char *s) { return (fh_str){s, strlen(s)}; }
static int same(fh_str a, const char *b) { return a.len == strlen(b) && memcmp(a.ptr, b, a.len) == 0; }
static void die(const char *what) {
    fprintf(stderr, "decode: %s\n", what);
    exit(2);
}
static void quoted(fh_str s) {
    putchar('"');
    for (uint64_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 32 || c == '"' || c == '\\') printf("\\u%04x", c);
        else putchar(c);
    }
    putchar('"');
}
static void word(const char *name, fh_str value) {
    printf(",\"%s\":", name);
    quoted(value);
}
static void split(char *pair, fh_field *fields, uint32_t *count) {
    char *equals = strchr(pair, '=');
    if (!equals || *count == TEXTS) die("NAME=VALUE expected, and not too many");
    *equals = 0;
    fields[(*count)++] = (fh_field){text(strdup(pair)), text(strdup(equals + 1))};
}

/* ------------------------------------------------------------------ fh_host */

static void host_log(fh_host_ctx *ctx, int32_t level, fh_str message) {
    (void)ctx;
    printf("{\"log\":%d", level);
    word("message", message);
    printf("}\n");
}
#define VALUE(bit, field) if (t->fields & bit) printf(",\"" #field "\":%" PRId64, (int64_t)t->field);
static void values(const fh_tick *t) {
    printf("{\"tick\":%u,\"kind\":%u,\"flags\":%u,\"price_exp\":%d,\"qty_exp\":%d", t->instrument, t->kind, t->flags,
           t->price_exp, t->qty_exp);
    if (t->ts_exchange != fh_ts_none()) printf(",\"ts_exchange\":%" PRIu64, t->ts_exchange);
    if (t->sequence != fh_seq_none()) printf(",\"sequence\":%" PRIu64, t->sequence);
    VALUE(FH_F_LTP, ltp) VALUE(FH_F_LTQ, ltq) VALUE(FH_F_AVG, avg_px) VALUE(FH_F_OPEN, open) VALUE(FH_F_HIGH, high)
    VALUE(FH_F_LOW, low) VALUE(FH_F_CLOSE, close) VALUE(FH_F_VOLUME, volume) VALUE(FH_F_OI, oi) VALUE(FH_F_OI_HIGH, oi_high)
    VALUE(FH_F_OI_LOW, oi_low) VALUE(FH_F_OI_PREV, oi_prev) VALUE(FH_F_TOTAL_BUY, total_buy_qty)
    VALUE(FH_F_TOTAL_SELL, total_sell_qty) VALUE(FH_F_BID, bid_px) VALUE(FH_F_BID, bid_qty) VALUE(FH_F_ASK, ask_px)
    VALUE(FH_F_ASK, ask_qty) VALUE(FH_F_LOWER_LIMIT, lower_limit) VALUE(FH_F_UPPER_LIMIT, upper_limit)
    VALUE(FH_F_YEAR_HIGH, year_high) VALUE(FH_F_YEAR_LOW, year_low) VALUE(FH_F_TURNOVER, turnover)
    VALUE(FH_F_TRADE_TS, ts_last_trade)
}
static void side(const char *name, const fh_level *levels, uint32_t count) {
    printf(",\"%s\":[", name);
    for (uint32_t i = 0; i < count; i++)
        printf("%s[%" PRId64 ",%" PRId64 ",%u]", i ? "," : "", levels[i].px, levels[i].qty, levels[i].orders);
    putchar(']');
}
static fh_status publish_ticks(fh_host_ctx *ctx, const fh_tick *ticks, uint32_t count) {
    (void)ctx;
    for (uint32_t i = 0; i < count; i++) values(&ticks[i]), printf("}\n");
    return FH_OK;
}
static fh_status publish_depth(fh_host_ctx *ctx, const fh_tick *t, const fh_level *bids, uint32_t bid_count,
                               const fh_level *asks, uint32_t ask_count) {
    (void)ctx;
    values(t);
    if (t->fields & FH_F_BIDS) side("bids", bids, bid_count);
    if (t->fields & FH_F_ASKS) side("asks", asks, ask_count);
    printf("}\n");
    return FH_OK;
}
static void report_connection(fh_host_ctx *ctx, const fh_conn_event *event) {
    (void)ctx;
    printf("{\"connection\":%u,\"reason\":%u", event->state, event->reason);
    word("message", event->message);
    printf("}\n");
}
static void report_subscriptions(fh_host_ctx *ctx, uint64_t request, const fh_sub_result *results, uint32_t count) {
    (void)ctx, (void)request;
    for (uint32_t i = 0; i < count; i++) {
        printf("{\"result\":%u,\"outcome\":%u,\"status\":%d", results[i].handle, results[i].outcome, results[i].status);
        word("message", results[i].message);
        printf("}\n");
    }
}
static void report_traffic(fh_host_ctx *ctx, uint32_t frames, uint64_t bytes, uint32_t beats) {
    (void)ctx, (void)frames, (void)bytes, (void)beats;
}
static uint32_t find_by_token(fh_host_ctx *ctx, fh_str exchange, fh_str token) {
    (void)ctx, (void)exchange, (void)token;
    return 0;
}
static fh_str config(fh_host_ctx *ctx, fh_str key) {
    (void)ctx;
    for (uint32_t i = 0; i < setting_count; i++)
        if (settings[i].name.len == key.len && memcmp(settings[i].name.ptr, key.ptr, key.len) == 0) return settings[i].value;
    for (const fh_config_key *k = descriptor->config_keys; k && k->name; k++)
        if (same(key, k->name)) return k->default_value ? text(k->default_value) : (fh_str){NULL, 0};
    return (fh_str){NULL, 0};
}
static void metric_add(fh_host_ctx *ctx, uint32_t metric, int64_t delta) {
    (void)ctx;
    printf("{\"metric\":%u,\"delta\":%" PRId64 "}\n", metric, delta);
}
static uint64_t now_ns(fh_host_ctx *ctx) {
    (void)ctx;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ------------------------------------------------ fh_transport and the orders */

static fh_status open_socket(fh_host_ctx *ctx, const fh_request *request, fh_id *id) {
    ctx->user = request->user;
    *id = ctx->socket = ++ctx->last;
    return FH_OK;
}
static fh_status send_frame(fh_host_ctx *ctx, fh_id socket, uint32_t opcode, fh_str bytes) {
    (void)ctx, (void)socket, (void)opcode, (void)bytes;
    return FH_OK;
}
static void close_socket(fh_host_ctx *ctx, fh_id socket, uint32_t code) { (void)ctx, (void)socket, (void)code; }
static fh_status fetch(fh_host_ctx *ctx, const fh_request *request, fh_id *id) {
    (void)ctx, (void)request, (void)id;
    return FH_E_UNSUPPORTED;
}
static fh_status timer(fh_host_ctx *ctx, uint64_t user, uint32_t delay_us, uint32_t repeat_us, fh_id *id) {
    for (int i = 0; i < TIMERS; i++) {
        if (ctx->timers[i].id) continue;
        *id = ++ctx->last;
        ctx->timers[i] = (struct timer){*id, user, ctx->clock + delay_us, repeat_us};
        return FH_OK;
    }
    return FH_E_LIMIT;
}
static void cancel(fh_host_ctx *ctx, fh_id id) {
    for (int i = 0; i < TIMERS; i++)
        if (ctx->timers[i].id == id) ctx->timers[i].id = 0;
}
/* Lets so much time pass. */
static void advance(fh_host_ctx *ctx, fh_instance *self, const fh_transport_events *events, uint64_t us) {
    uint64_t end = ctx->clock + us;
    for (;;) {
        struct timer *next = NULL;
        for (int i = 0; i < TIMERS; i++)
            if (ctx->timers[i].id && ctx->timers[i].due <= end && (!next || ctx->timers[i].due < next->due)) next = &ctx->timers[i];
        if (!next) break;
        ctx->clock = next->due;
        struct timer fired = *next;
        if (fired.repeat) next->due += fired.repeat;
        else next->id = 0;
        if (events->on_timer) events->on_timer(self, fired.id, fired.user, now_ns(ctx));
    }
    ctx->clock = end;
}
static const fh_transport transport = {sizeof transport, 0, open_socket, send_frame, close_socket, fetch, timer, cancel};

#define NUMBER(bit, field) if (o->known & bit) printf(",\"" #field "\":%" PRId64, o->field);
static fh_status publish_order(fh_host_ctx *ctx, const fh_order *o) {
    (void)ctx;
    printf("{\"order\":"), quoted(o->order_id);
    word("status", o->status), word("broker_exchange", o->broker_exchange), word("broker_symbol", o->broker_symbol);
    word("broker_token", o->broker_token), word("action", o->action), word("price_type", o->price_type);
    word("product", o->product), word("reason", o->reason);
    printf(",\"price_exp\":%d,\"qty_exp\":%d", o->price_exp, o->qty_exp);
    NUMBER(FH_O_QUANTITY, quantity) NUMBER(FH_O_FILLED, filled) NUMBER(FH_O_PENDING, pending) NUMBER(FH_O_PRICE, price)
    NUMBER(FH_O_TRIGGER, trigger) NUMBER(FH_O_AVERAGE, average)
    if (o->ts_exchange != fh_ts_none()) printf(",\"ts_exchange\":%" PRIu64, o->ts_exchange);
    printf("}\n");
    return FH_OK;
}
static const fh_order_sink sink = {sizeof sink, 0, publish_order};
static const void *extension(fh_host_ctx *ctx, const char *id) {
    (void)ctx;
    if (strcmp(id, "feedhost.transport/1") == 0) return &transport;
    return strcmp(id, "feedhost.orders/1") == 0 ? (const void *)&sink : NULL;
}
static const fh_host host = {
    sizeof host, FH_ABI_MAJOR, FH_ABI_MINOR, "decode", "1.0.0", host_log, publish_ticks, publish_depth, report_connection,
    report_subscriptions, report_traffic, find_by_token, config, metric_add, now_ns, extension};

/* ---------------------------------------------------------------- the lines */

static void connect_now(const fh_adapter *adapter, fh_instance *self, const fh_transport_events *events, fh_host_ctx *ctx) {
    fh_credentials given = {.size = sizeof given, .expires_at = fh_ts_none()};
    fh_field rest[TEXTS];
    for (uint32_t i = 0; i < credential_count; i++) {
        fh_str name = credentials[i].name, value = credentials[i].value;
        if (same(name, "user_id")) given.user_id = value;
        else if (same(name, "api_key")) given.api_key = value;
        else if (same(name, "api_secret")) given.api_secret = value;
        else if (same(name, "access_token")) given.access_token = value;
        else if (same(name, "feed_token")) given.feed_token = value;
        else rest[given.field_count++] = credentials[i];
    }
    given.fields = rest;
    if (adapter->connect(self, 1, &given) != FH_OK || !ctx->socket) die("connect() opened no socket");
    fh_response upgrade = {.size = sizeof upgrade, .http_status = 101};
    if (events->on_open) events->on_open(self, ctx->socket, ctx->user, &upgrade);
}
/* Lines behind each other become one call, as the host batches them; the texts live until the process ends. */
static fh_instrument wanted[WISHES];
static fh_sub_request wishes[WISHES];
static uint32_t wish_count;
static void wish(const char *line) {
    char exchange[64], symbol[128], broker_exchange[64], token[64];
    unsigned handle, mode, depth;
    if (sscanf(line, "%u %63s %127s %u %u %63s %63s", &handle, exchange, symbol, &mode, &depth, broker_exchange, token) != 7)
        die("subscribe HANDLE EXCHANGE SYMBOL MODE DEPTH BROKER_EXCHANGE BROKER_TOKEN");
    if (wish_count == WISHES) die("too many subscriptions in one call");
    fh_str none = {NULL, 0};
    fh_instrument *one = &wanted[wish_count];
    *one = (fh_instrument){
        .size = sizeof *one, .handle = handle, .exchange = text(strdup(exchange)), .symbol = text(strdup(symbol))};
    one->broker_exchange = strcmp(broker_exchange, "-") ? text(strdup(broker_exchange)) : none;
    one->broker_token = strcmp(token, "-") ? text(strdup(token)) : none;
    wishes[wish_count++] = (fh_sub_request){one, (uint16_t)mode, (uint16_t)depth, 0};
}
/* And a second passes, for adapters that pace what they send. */
static void subscribe(const fh_adapter *adapter, fh_instance *self, const fh_transport_events *events, fh_host_ctx *ctx) {
    static uint64_t request;
    if (!wish_count) return;
    if (adapter->subscribe(self, ++request, wishes, wish_count) != FH_OK) die("subscribe() was refused");
    wish_count = 0;
    advance(ctx, self, events, 1000000);
}
static void frame(fh_instance *self, const fh_transport_events *events, fh_host_ctx *ctx, uint32_t opcode, const char *line) {
    static unsigned number;
    size_t length = strlen(line);
    if (opcode == FH_WS_BINARY) length /= 2;
    /* Memory of its own, so that a sanitizer sees the first byte read too many. */
    char *bytes = malloc(length ? length : 1);
    if (!bytes) die("out of memory");
    for (size_t i = 0; i < length; i++) {
        unsigned byte = (unsigned char)line[i];
        if (opcode == FH_WS_BINARY && sscanf(line + 2 * i, "%2x", &byte) != 1) die("hex digits expected");
        bytes[i] = (char)byte;
    }
    events->on_frame(self, ctx->socket, ctx->user, opcode, (fh_str){bytes, length}, now_ns(ctx));
    free(bytes);
    printf("{\"frame\":%u}\n", ++number);
}

int main(int argc, char **argv) {
    if (argc < 3) die("LIBRARY BROKER [LINK] [NAME=VALUE…]");
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) die(dlerror());
    const fh_entry *(*entry_of)(void) = (const fh_entry *(*)(void))dlsym(library, "feedhost_adapter_entry_v1");
    const fh_entry *entry = entry_of ? entry_of() : NULL;
    if (!entry || entry->magic != FH_MAGIC) die("no adapter");
    for (int i = 0; entry->descriptors[i]; i++)
        if (strcmp(entry->descriptors[i]->broker, argv[2]) == 0) descriptor = entry->descriptors[i];
    if (!descriptor) die("no such broker in it");
    uint32_t link = argc > 3 && !strchr(argv[3], '=') ? (uint32_t)atoi(argv[3]) : 0;
    for (int i = 3; i < argc; i++)
        if (strchr(argv[i], '=')) split(argv[i], settings, &setting_count);

    fh_host_ctx context = {0}, *ctx = &context;
    const fh_adapter *adapter = entry->adapter(descriptor->id);
    fh_create_params params = {
        .size = sizeof params, .link = link, .ctx = ctx, .host = &host, .adapter_id = text(descriptor->id)};
    fh_instance *self = NULL;
    if (!adapter || adapter->create(&params, &self) != FH_OK || !self) die("create() failed");
    const fh_transport_events *events = adapter->extension(self, "feedhost.transport/1");
    const fh_orders *orders = adapter->extension(self, "feedhost.orders/1");
    if (!events || !events->on_frame) die("it takes no frames");

    char *line = malloc(LINE);
    while (line && fgets(line, LINE, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "subscribe ", 10) == 0) {
            wish(line + 10);
            continue;
        }
        subscribe(adapter, self, events, ctx);
        if (strncmp(line, "credentials ", 12) == 0)
            for (char *pair = strtok(line + 12, " "); pair; pair = strtok(NULL, " ")) split(pair, credentials, &credential_count);
        else if (strcmp(line, "connect") == 0) connect_now(adapter, self, events, ctx);
        else if (strcmp(line, "orders") == 0) printf("{\"orders\":%d}\n", orders ? orders->start(self) : FH_E_UNSUPPORTED);
        else if (strncmp(line, "text ", 5) == 0) frame(self, events, ctx, FH_WS_TEXT, line + 5);
        else if (strncmp(line, "binary ", 7) == 0) frame(self, events, ctx, FH_WS_BINARY, line + 7);
        else die("unknown line");
    }
    adapter->destroy(self);
    free(line);
    return 0;
}
