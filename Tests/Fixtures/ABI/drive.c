/* drive PATH…: a host of one page for adapters that live on timers. It loads each file, puts it through a day (connect,
 * subscribe, 100 timer beats, unsubscribe, disconnect) on a clock of its own, and prints PASS or FAIL for each promise. */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "feedhost/extensions.h"

enum { BEATS = 100, HANDLES = 8 };
static const uint64_t MORNING = 1750000000000000000u;

/* The host's side of one instance: what the adapter asked for and what it said. */
struct fh_host_ctx {
    const char *period;
    fh_id timer, next_id;
    uint64_t user, now;
    uint32_t repeat_us;
    fh_conn_event event;
    uint32_t events;
    uint64_t request;
    uint32_t results, rejected, limited;
    fh_sub_result result[HANDLES];
    uint32_t ticks[HANDLES], wrong, logs;
    fh_tick last[HANDLES];
    int64_t first_ltp[HANDLES];
    uint32_t moved[HANDLES];
};
static int failures;

static void check(int good, const char *what) {
    printf("%s  %s\n", good ? "PASS" : "FAIL", what);
    failures += !good;
}
static fh_str text(const char *s) { return (fh_str){s, strlen(s)}; }

/* ------------------------------------------------------------------ fh_host */

static void host_log(fh_host_ctx *ctx, int32_t level, fh_str message) {
    ctx->logs += level == FH_LOG_ERROR && message.len > 0;
}
static void wrong(fh_host_ctx *ctx, const fh_tick *t, const char *why) {
    if (ctx->wrong++ < 5) printf("      handle %u: %s\n", t->instrument, why);
}
static void take(fh_host_ctx *ctx, const fh_tick *t) {
    static const uint64_t quote = FH_F_VOLUME | FH_F_OPEN | FH_F_HIGH | FH_F_LOW | FH_F_CLOSE | FH_F_BID | FH_F_ASK;
    static const uint8_t none[6];
    if (t->instrument == 0 || t->instrument >= HANDLES) { wrong(ctx, t, "unknown handle"); return; }
    fh_tick *last = &ctx->last[t->instrument];
    uint32_t seen = ctx->ticks[t->instrument]++;
    if (t->kind != ctx->result[t->instrument].granted_mode) wrong(ctx, t, "kind is not the granted mode");
    if (memcmp(t->reserved, none, 6) || t->spare[0] || t->spare[1]) wrong(ctx, t, "reserved bytes are not 0");
    if (t->price_exp > 0 || t->price_exp < -18) wrong(ctx, t, "price_exp");
    if (t->ts_recv != ctx->now && t->ts_recv != fh_ts_none()) wrong(ctx, t, "ts_recv");
    if (!(t->fields & FH_F_LTP) || t->ltp <= 0) wrong(ctx, t, "no price");
    if (t->kind == FH_MODE_LTP && t->fields & quote) wrong(ctx, t, "an LTP tick with fields of QUOTE");
    if (t->kind >= FH_MODE_QUOTE) {
        if ((t->fields & quote) != quote) wrong(ctx, t, "a field of QUOTE is missing");
        if (t->bid_px >= t->ask_px || t->bid_qty <= 0 || t->ask_qty <= 0) wrong(ctx, t, "bid and ask");
        if (t->low > t->ltp || t->high < t->ltp || t->open < t->low || t->open > t->high) wrong(ctx, t, "open, high, low");
        if (seen && last->kind >= FH_MODE_QUOTE && t->volume <= last->volume) wrong(ctx, t, "volume did not rise");
    }
    if (seen == 0) ctx->first_ltp[t->instrument] = t->ltp;
    ctx->moved[t->instrument] += t->ltp != ctx->first_ltp[t->instrument];
    *last = *t;
}
static fh_status publish_ticks(fh_host_ctx *ctx, const fh_tick *ticks, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (ticks[i].kind == FH_MODE_DEPTH) wrong(ctx, &ticks[i], "a DEPTH tick without a book");
        take(ctx, &ticks[i]);
    }
    return FH_OK;
}
static void side(fh_host_ctx *ctx, const fh_tick *t, const fh_level *level, uint32_t count, int64_t best, int sign) {
    if (count != 5 || level[0].px != best) wrong(ctx, t, "five levels, the best one first");
    for (uint32_t i = 0; i < count; i++) {
        if (level[i].px <= 0 || level[i].qty <= 0 || level[i].reserved) wrong(ctx, t, "a level's values");
        if (i && sign * (level[i].px - level[i - 1].px) <= 0) wrong(ctx, t, "levels are not sorted");
    }
}
static fh_status publish_depth(fh_host_ctx *ctx, const fh_tick *t, const fh_level *bids, uint32_t bid_count,
                               const fh_level *asks, uint32_t ask_count) {
    if (t->kind != FH_MODE_DEPTH) wrong(ctx, t, "a book outside DEPTH");
    if (~t->fields & (FH_F_BIDS | FH_F_ASKS)) wrong(ctx, t, "the bits of the book's sides");
    side(ctx, t, bids, bid_count, t->bid_px, -1);
    side(ctx, t, asks, ask_count, t->ask_px, 1);
    take(ctx, t);
    return FH_OK;
}
static void report_connection(fh_host_ctx *ctx, const fh_conn_event *event) {
    ctx->event = *event;
    ctx->events++;
}
static void report_subscriptions(fh_host_ctx *ctx, uint64_t request, const fh_sub_result *results, uint32_t count) {
    ctx->request = request;
    for (uint32_t i = 0; i < count; i++) {
        ctx->results++;
        ctx->rejected += results[i].outcome == FH_SUB_REJECTED && results[i].status < 0 && results[i].message.len > 0;
        ctx->limited += results[i].outcome == FH_SUB_REJECTED && results[i].status == FH_E_LIMIT;
        if (results[i].handle < HANDLES) ctx->result[results[i].handle] = results[i];
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
    int known = key.len == 9 && memcmp(key.ptr, "period_ms", 9) == 0;
    return known ? text(ctx->period) : (fh_str){NULL, 0};
}
static void metric_add(fh_host_ctx *ctx, uint32_t metric, int64_t delta) { (void)ctx, (void)metric, (void)delta; }
static uint64_t now_ns(fh_host_ctx *ctx) { return ctx->now; }

/* ------------------------------------------------------------ fh_transport */

static fh_status timer(fh_host_ctx *ctx, uint64_t user, uint32_t delay_us, uint32_t repeat_us, fh_id *id) {
    (void)delay_us;
    if (ctx->timer) return FH_E_LIMIT; /* one is enough for the adapters that are driven here */
    ctx->user = user, ctx->repeat_us = repeat_us;
    *id = ctx->timer = ++ctx->next_id;
    return FH_OK;
}
static void cancel(fh_host_ctx *ctx, fh_id id) {
    if (id == ctx->timer) ctx->timer = 0;
}
static fh_status no_socket(fh_host_ctx *ctx, const fh_request *request, fh_id *id) {
    (void)ctx, (void)request, (void)id;
    return FH_E_UNSUPPORTED;
}
static fh_status no_send(fh_host_ctx *ctx, fh_id socket, uint32_t opcode, fh_str bytes) {
    (void)ctx, (void)socket, (void)opcode, (void)bytes;
    return FH_E_UNSUPPORTED;
}
static void no_close(fh_host_ctx *ctx, fh_id socket, uint32_t code) { (void)ctx, (void)socket, (void)code; }

static const fh_transport transport = {sizeof transport, 0, no_socket, no_send, no_close, no_socket, timer, cancel};
static int offer_transport = 1;
static const void *extension(fh_host_ctx *ctx, const char *id) {
    (void)ctx;
    return offer_transport && strcmp(id, "feedhost.transport/1") == 0 ? &transport : NULL;
}
static const fh_host host = {
    sizeof host, FH_ABI_MAJOR, FH_ABI_MINOR, "drive", "1.0.0", host_log, publish_ticks, publish_depth, report_connection,
    report_subscriptions, report_traffic, find_by_token, config, metric_add, now_ns, extension};

/* ------------------------------------------------------------------ the day */

static uint32_t total(const fh_host_ctx *ctx) {
    uint32_t sum = 0;
    for (int i = 0; i < HANDLES; i++) sum += ctx->ticks[i];
    return sum;
}
static void beat(fh_host_ctx *ctx, fh_instance *instance, const fh_transport_events *events, int count) {
    for (int i = 0; i < count && ctx->timer; i++) {
        ctx->now += (uint64_t)ctx->repeat_us * 1000;
        events->on_timer(instance, ctx->timer, ctx->user, ctx->now);
    }
}
static fh_status create(const fh_adapter *adapter, const char *id, fh_host_ctx *ctx, const char *period, fh_instance **out) {
    fh_create_params params = {.size = sizeof params, .ctx = ctx, .host = &host, .adapter_id = text(id)};
    ctx->period = period;
    return adapter->create(&params, out);
}
static fh_instrument instrument(uint32_t handle, const char *exchange, const char *symbol) {
    return (fh_instrument){.size = sizeof(fh_instrument), .handle = handle, .exchange = text(exchange), .symbol = text(symbol)};
}

static void refuse_bad_settings(const fh_adapter *adapter, const char *id, fh_host_ctx *ctx) {
    static const char *const bad[] = {"0", "10001", "", "ten", "-5", "99999999999999999999", "1e3"};
    fh_instance *instance = NULL;
    uint32_t refused = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refused += create(adapter, id, ctx, bad[i], &instance) == FH_E_INVALID;
    check(refused == sizeof bad / sizeof *bad && ctx->logs == refused, "create() refuses each wrong period_ms and says so");
    offer_transport = 0;
    check(create(adapter, id, ctx, "100", &instance) == FH_E_UNSUPPORTED, "create() without the transport is FH_E_UNSUPPORTED");
    offer_transport = 1;
}

static void fill_the_table(const fh_adapter *adapter, fh_instance *self, fh_host_ctx *ctx, uint32_t quota) {
    uint32_t before = ctx->results;
    for (uint32_t i = 0; i <= quota; i++) {
        fh_instrument one = instrument(1000 + i, "CRYPTO", "FILLER");
        fh_sub_request wish = {&one, FH_MODE_LTP, 0, 0};
        adapter->subscribe(self, 100 + i, &wish, 1);
    }
    check(ctx->results == before + quota + 1 && ctx->limited == 1, "one instrument over the quota is rejected with FH_E_LIMIT");
    for (uint32_t i = 0; i <= quota; i++) {
        fh_instrument one = instrument(1000 + i, "CRYPTO", "FILLER");
        fh_sub_request wish = {&one, FH_MODE_LTP, 0, 0};
        adapter->unsubscribe(self, 100 + i, &wish, 1);
    }
}

static void drive(const fh_adapter *adapter, const fh_descriptor *d) {
    fh_host_ctx context = {.now = MORNING}, *ctx = &context;
    fh_instance *self = NULL;
    refuse_bad_settings(adapter, d->id, ctx);
    int made = create(adapter, d->id, ctx, "100", &self) == FH_OK && self;
    check(made, "create()");
    if (!made) return;
    const fh_transport_events *events = adapter->extension(self, "feedhost.transport/1");
    check(events && FH_HAS(events, fh_transport_events, on_timer) && events->on_timer, "it has on_timer()");
    check(adapter->extension(self, "org.example.unknown/1") == NULL, "an unknown extension is NULL");
    if (!events || !events->on_timer) return;

    /* Names on the heap and freed after the call: what the adapter keeps, it must have copied. */
    char *symbol = strdup("RELIANCE"), *exchange = strdup("NSE");
    fh_instrument a = instrument(1, "NSE", "INFY"), b = instrument(2, exchange, symbol), c = instrument(3, "CRYPTO", "BTCUSDT");
    fh_instrument elsewhere = instrument(4, "MCX", "GOLD");
    fh_sub_request wishes[] = {{&a, FH_MODE_LTP, 0, 0}, {&b, FH_MODE_QUOTE, 0, 0}, {&c, FH_MODE_DEPTH, 5, 0},
                               {&elsewhere, FH_MODE_LTP, 0, 0}};
    fh_credentials nobody = {.size = sizeof nobody, .expires_at = fh_ts_none()};
    check(adapter->subscribe(self, 1, wishes, 1) == FH_E_STATE, "subscribe() before connect() is FH_E_STATE");
    check(adapter->connect(self, 7, &nobody) == FH_OK && ctx->event.state == FH_CONN_READY && ctx->event.generation == 7,
          "connect() reports READY with its generation");
    check(ctx->timer && ctx->repeat_us == 100000, "one timer of 100 ms");
    check(adapter->subscribe(self, 2, wishes, 4) == FH_OK && ctx->results == 4 && ctx->request == 2, "four wishes, four answers");
    check(ctx->result[1].outcome == FH_SUB_ACKED && ctx->result[2].outcome == FH_SUB_ACKED &&
              ctx->result[3].outcome == FH_SUB_ACKED && ctx->result[3].granted_depth == 5 && ctx->result[1].granted_depth == 0,
          "three modes granted");
    check(ctx->result[4].outcome == FH_SUB_REJECTED && ctx->rejected == 1, "another exchange is rejected");
    free(symbol), free(exchange);

    beat(ctx, self, events, BEATS);
    check(ctx->ticks[1] == BEATS && ctx->ticks[2] == BEATS && ctx->ticks[3] == BEATS && total(ctx) == 3 * BEATS,
          "100 beats make 100 ticks for each of three handles and none for others");
    check(ctx->wrong == 0, "fields, prices and books are plausible");
    check(ctx->moved[1] > 10 && ctx->moved[2] > 10 && ctx->moved[3] > 10, "prices move");

    fh_sub_request more[] = {{&a, FH_MODE_DEPTH, 20, 0}, {&c, FH_MODE_LTP, 0, 0}};
    b = instrument(2, "NSE", "RELIANCE");
    adapter->subscribe(self, 3, more, 2);
    check(ctx->result[1].outcome == FH_SUB_DOWNGRADED && ctx->result[1].granted_depth == 5, "20 levels are downgraded to 5");
    beat(ctx, self, events, 10);
    check(ctx->ticks[1] == BEATS + 10 && ctx->ticks[3] == BEATS + 10 && ctx->last[1].kind == FH_MODE_DEPTH &&
              ctx->last[3].kind == FH_MODE_LTP && ctx->wrong == 0, "a new wish replaces the mode and adds no second stream");

    fh_sub_request off[] = {{&a, FH_MODE_DEPTH, 5, 0}, {&b, FH_MODE_QUOTE, 0, 0}, {&c, FH_MODE_LTP, 0, 0}};
    adapter->unsubscribe(self, 4, off, 1);
    beat(ctx, self, events, 10);
    check(ctx->ticks[1] == BEATS + 10 && ctx->ticks[2] == BEATS + 20 && ctx->ticks[3] == BEATS + 20, "unsubscribe() silences one");
    fill_the_table(adapter, self, ctx, d->capabilities->links[0].quota - 2);
    check(adapter->unsubscribe(self, 5, off, 3) == FH_OK, "unsubscribe() of all, one of them twice");
    uint32_t before = total(ctx);
    beat(ctx, self, events, 10);
    check(total(ctx) == before, "then there is silence");

    adapter->subscribe(self, 6, wishes, 3);
    uint32_t spoken = ctx->events;
    check(adapter->disconnect(self, 6) == FH_OK && ctx->timer && ctx->events == spoken, "a late disconnect() changes nothing");
    check(adapter->disconnect(self, 7) == FH_OK && !ctx->timer && ctx->event.state == FH_CONN_DISCONNECTED &&
              ctx->event.reason == FH_WHY_REQUESTED, "disconnect() ends the timer");
    check(adapter->connect(self, 8, &nobody) == FH_OK && ctx->event.generation == 8, "connect() again");
    before = total(ctx);
    beat(ctx, self, events, 10);
    check(total(ctx) == before, "the subscriptions were forgotten: the host replays them");
    check(adapter->connect(self, 9, &nobody) == FH_OK && ctx->timer == ctx->next_id, "connect() over a connection: one timer");
    adapter->destroy(self);
    check(!ctx->timer, "destroy() leaves no timer");
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        printf("%s\n", argv[i]);
        void *library = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        check(library != NULL, library ? "dlopen()" : dlerror());
        if (!library) continue;
        const fh_entry *(*entry_of)(void) = (const fh_entry *(*)(void))dlsym(library, "feedhost_adapter_entry_v1");
        check(entry_of != NULL, "it has the entry");
        if (!entry_of) continue;
        const fh_entry *entry = entry_of();
        static const fh_layout layout = FH_LAYOUT;
        int fits = entry->magic == FH_MAGIC && entry->abi_major == FH_ABI_MAJOR && entry->min_host_minor <= FH_ABI_MINOR &&
                   entry->size >= sizeof *entry && memcmp(&entry->layout, &layout, sizeof layout) == 0;
        check(fits, "magic, version and layout fit");
        if (!fits || !entry->descriptors[0]) continue;
        const fh_descriptor *d = entry->descriptors[0];
        printf("      %s, broker %s, version %s\n", d->id, d->broker, d->version);
        const fh_adapter *adapter = entry->adapter(d->id);
        check(adapter != NULL && entry->adapter("org.example.nobody") == NULL, "adapter() knows its id and no other");
        check(d->capabilities->flags & FH_CAP_ANY_SYMBOL && d->capabilities->link_count == 1, "capabilities");
        if (adapter) drive(adapter, d);
    }
    printf("%s\n", failures ? "FAIL" : "PASS");
    return failures || argc < 2;
}
