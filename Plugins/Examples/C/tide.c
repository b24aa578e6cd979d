/* tide: a complete Feedhost adapter in C. Its prices rise and fall like a tide. Copy it, rename it, and put a broker's
 * protocol where beat() is. The host's transport makes all calls into one instance one after another: no lock needed. */
#include <stdlib.h>
#include <string.h>
#include "feedhost/extensions.h"

enum { MAX_ITEMS = 500, LEVELS = 5, STEP = 5, MODES = FH_MODE_LTP | FH_MODE_QUOTE | FH_MODE_DEPTH };
/* The seed comes from the symbol's letters: each instrument has its own tide, the same in every run. */
typedef struct item { uint32_t handle, seed; uint16_t mode; } item;
struct fh_instance {
    fh_host_ctx *ctx;
    const fh_host *host;
    const fh_transport *transport;
    fh_id timer; /* 0 while disconnected */
    uint64_t generation;
    uint32_t period_us, beats, count;
    item items[MAX_ITEMS];
};

static fh_str text(const char *s) { return (fh_str){s, strlen(s)}; }
static int same(fh_str a, const char *b) { return a.len == strlen(b) && memcmp(a.ptr, b, a.len) == 0; }
static item *find(fh_instance *self, uint32_t handle) {
    for (item *it = self->items; it < self->items + self->count; it++)
        if (it->handle == handle) return it;
    return NULL;
}

/* All prices are paise, so their exponent is -2. Two parabolas look like a sine and need no float. */
static int64_t mean(const item *it) { return 10000 + it->seed % 80000 * STEP; }
static int64_t water(const item *it, uint32_t beats) {
    int64_t half = 300 + it->seed % 200, t = (beats + it->seed % 1000) % (2 * half), x = t % half;
    int64_t wave = mean(it) / 50 * 4 * x * (half - x) / (half * half) / STEP * STEP;
    return t < half ? mean(it) + wave : mean(it) - wave;
}
static void beat(fh_instance *self, item *it, uint64_t now) {
    int64_t px = water(it, self->beats), traded = 1 + it->seed % 50;
    fh_level bids[LEVELS], asks[LEVELS];
    for (uint32_t i = 0; i < LEVELS; i++) {
        uint32_t crowd = it->seed % 1000 + self->beats + 37 * i;
        bids[i] = (fh_level){px - STEP * (i + 1), 10 + crowd % 90, 1 + crowd % 7, 0};
        asks[i] = (fh_level){px + STEP * (i + 1), 10 + crowd % 80, 1 + crowd % 5, 0};
    }
    fh_tick tick = { /* Of the values, only those that `fields` names are read. */
        .instrument = it->handle, .kind = it->mode, .flags = FH_TF_SNAPSHOT | FH_TF_SYNTHETIC, .price_exp = -2,
        .ts_exchange = now, .ts_recv = now, .sequence = fh_seq_none(), .fields = FH_F_LTP | FH_F_TRADE_TS,
        .ltp = px, .ts_last_trade = now, .ltq = traded, .volume = traded * self->beats, .open = water(it, 0),
        .high = mean(it) + mean(it) / 50, .low = mean(it) - mean(it) / 50, .close = mean(it),
        .bid_px = bids[0].px, .bid_qty = bids[0].qty, .ask_px = asks[0].px, .ask_qty = asks[0].qty};
    if (it->mode >= FH_MODE_QUOTE)
        tick.fields |= FH_F_LTQ | FH_F_VOLUME | FH_F_BID | FH_F_ASK | FH_F_OPEN | FH_F_HIGH | FH_F_LOW | FH_F_CLOSE;
    if (it->mode == FH_MODE_DEPTH) tick.fields |= FH_F_BIDS | FH_F_ASKS;
    /* FH_E_LIMIT: the host dropped and counted the record. The next beat brings a newer one, so there is nothing to do. */
    if (it->mode == FH_MODE_DEPTH) (void)self->host->publish_depth(self->ctx, &tick, bids, LEVELS, asks, LEVELS);
    else (void)self->host->publish_ticks(self->ctx, &tick, 1);
}
static void on_timer(fh_instance *self, fh_id timer, uint64_t user, uint64_t now_ns) {
    (void)timer, (void)user; /* There is one timer, and after cancel() it is silent. */
    self->beats++;
    for (item *it = self->items; it < self->items + self->count; it++) beat(self, it, now_ns);
}

static fh_status create(const fh_create_params *params, fh_instance **out) {
    const fh_transport *transport = params->host->extension(params->ctx, "feedhost.transport/1");
    fh_str digits = params->host->config(params->ctx, text("period_ms"));
    uint32_t ms = 0;
    if (!transport) return FH_E_UNSUPPORTED;
    for (uint64_t i = 0; i < digits.len && ms <= 10000; i++)
        ms = digits.ptr[i] < '0' || digits.ptr[i] > '9' ? 10001 : ms * 10 + (uint32_t)(digits.ptr[i] - '0');
    if (ms < 1 || ms > 10000) {
        params->host->log(params->ctx, FH_LOG_ERROR, text("tide.period_ms must be a whole number from 1 to 10000"));
        return FH_E_INVALID;
    }
    fh_instance *self = *out = calloc(1, sizeof *self);
    if (!self) return FH_E_NOMEM;
    self->ctx = params->ctx, self->host = params->host, self->transport = transport, self->period_us = ms * 1000;
    return FH_OK;
}
static void stop(fh_instance *self) {
    if (self->timer) self->transport->cancel(self->ctx, self->timer);
    self->timer = 0, self->count = 0;
}
static void report(fh_instance *self, uint32_t state, uint32_t reason) {
    fh_conn_event event = {.size = sizeof event, .state = state, .reason = reason, .generation = self->generation};
    self->host->report_connection(self->ctx, &event);
}
static fh_status connect(fh_instance *self, uint64_t generation, const fh_credentials *credentials) {
    (void)credentials; /* The sea asks for none. A broker's token is read here, afresh at every connect. */
    stop(self);
    self->generation = generation;
    fh_status status = self->transport->timer(self->ctx, 0, self->period_us, self->period_us, &self->timer);
    if (status == FH_OK) report(self, FH_CONN_READY, 0);
    return status;
}
static fh_status disconnect(fh_instance *self, uint64_t generation) {
    if (!self->timer || generation != self->generation) return FH_OK; /* late, or done already */
    stop(self);
    report(self, FH_CONN_DISCONNECTED, FH_WHY_REQUESTED);
    return FH_OK;
}
static void destroy(fh_instance *self) { stop(self), free(self); }
static fh_sub_result grant(fh_instance *self, const fh_instrument *what, uint16_t mode, uint16_t depth) {
    fh_sub_result no = {what->handle, FH_SUB_REJECTED, 0, 0, FH_E_UNSUPPORTED, 0, 0, text("tide has NSE and CRYPTO alone")};
    if (!same(what->exchange, "NSE") && !same(what->exchange, "CRYPTO")) return no;
    if (mode != FH_MODE_LTP && mode != FH_MODE_QUOTE && mode != FH_MODE_DEPTH) return no;
    item *it = find(self, what->handle);
    no.status = FH_E_LIMIT, no.message = text("tide carries 500 instruments");
    if (!it && self->count == MAX_ITEMS) return no;
    uint32_t seed = 2166136261u; /* FNV-1a */
    for (uint64_t i = 0; i < what->symbol.len; i++) seed = (seed ^ (uint8_t)what->symbol.ptr[i]) * 16777619u;
    if (!it) *(it = &self->items[self->count++]) = (item){.handle = what->handle, .seed = seed};
    it->mode = mode; /* The new wish replaces the old one. */
    return (fh_sub_result){.handle = what->handle, .outcome = depth > LEVELS ? FH_SUB_DOWNGRADED : FH_SUB_ACKED,
                           .granted_mode = mode, .granted_depth = mode == FH_MODE_DEPTH ? LEVELS : 0};
}
static fh_status subscribe(fh_instance *self, uint64_t request, const fh_sub_request *wishes, uint32_t count) {
    for (uint32_t i = 0; self->timer && i < count; i++) {
        fh_sub_result result = grant(self, wishes[i].instrument, wishes[i].mode, wishes[i].depth);
        self->host->report_subscriptions(self->ctx, request, &result, 1);
    }
    return self->timer ? FH_OK : FH_E_STATE;
}
static fh_status unsubscribe(fh_instance *self, uint64_t request, const fh_sub_request *wishes, uint32_t count) {
    (void)request;
    for (uint32_t i = 0; i < count; i++) {
        item *it = find(self, wishes[i].instrument->handle);
        if (it) *it = self->items[--self->count];
    }
    return FH_OK;
}
static const void *extension(fh_instance *self, const char *id) {
    static const fh_transport_events events = {.size = sizeof events, .on_timer = on_timer};
    return self && strcmp(id, "feedhost.transport/1") == 0 ? &events : NULL;
}
static const char *const exchanges[] = {"NSE", "CRYPTO", NULL};
static const fh_depth_cap depths = {"*", {LEVELS}, 1, 0};
static const fh_link market = {.name = "market", .carries = MODES, .unit = FH_UNIT_INSTRUMENT, .quota = MAX_ITEMS};
static const fh_capabilities capabilities = {
    .size = sizeof capabilities, .modes = MODES, .flags = FH_CAP_ANY_SYMBOL | FH_CAP_SUB_ACK, .exchanges = exchanges,
    .depth = &depths, .links = &market, .depth_count = 1, .link_count = 1};
static const fh_config_key settings[] = {{"period_ms", "100", "Milliseconds a price, 1 to 10000", FH_CFG_INT, 0}, {0}};
static const fh_descriptor tide = {
    .size = sizeof tide, .id = "io.feedhost.example.tide", .name = "Tide, an example in C", .vendor = "Feedhost",
    .version = "1.0.0", .broker = "tide", .capabilities = &capabilities, .config_keys = settings};
static const fh_descriptor *const descriptors[] = {&tide, NULL};
static const fh_adapter table = {sizeof table, 0, create, connect, subscribe, unsubscribe, disconnect, destroy, extension};
static const fh_adapter *adapter(const char *id) { return strcmp(id, tide.id) == 0 ? &table : NULL; }
FH_EXPORT const fh_entry *feedhost_adapter_entry_v1(void) {
    static const fh_entry e = {FH_MAGIC, sizeof e, FH_ABI_MAJOR, FH_ABI_MINOR, 0, 0, FH_LAYOUT, descriptors, adapter};
    return &e;
}
