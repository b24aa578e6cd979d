/* Prints the layout of the contract, a struct or an enumerator a line, for comparison with layout.txt. It ends with an error
 * when a field was not listed here: without padding, each field must begin where the one before it ends. */
#include <stdio.h>
#include "feedhost/extensions.h"

static int incomplete;
static size_t end;
static const char *name;

static void done(size_t size) {
    if (end == size) return;
    fprintf(stderr, "layout.c does not list every field of %s: %zu of %zu bytes\n", name, end, size);
    incomplete = 1;
}
static void field(const char *f, size_t offset, size_t size) {
    if (offset != end) {
        fprintf(stderr, "layout.c misses a field of %s before %s\n", name, f);
        incomplete = 1;
    }
    printf("field %s.%s %zu %zu\n", name, f, offset, size);
    end = offset + size;
}
static void begin(const char *kind, const char *s, size_t size) {
    printf("%s %s %zu\n", kind, s, size);
    end = 0, name = s;
}

#define F(f) field(#f, offsetof(T, f), sizeof(((T *)0)->f));
#define STRUCT(kind, s, fields) { typedef s T; begin(#kind, #s, sizeof(T)); fields done(sizeof(T)); }
#define C(c) printf("const %s %lld\n", #c, (long long)(c));

static void structs(void) {
    STRUCT(frozen, fh_str, F(ptr) F(len))
    STRUCT(frozen, fh_level, F(px) F(qty) F(orders) F(reserved))
    STRUCT(frozen, fh_tick, F(instrument) F(kind) F(flags) F(fields) F(ts_exchange) F(ts_recv) F(sequence) F(price_exp)
        F(qty_exp) F(reserved) F(ltp) F(open) F(high) F(low) F(close) F(avg_px) F(ltq) F(volume) F(oi) F(total_buy_qty)
        F(total_sell_qty) F(bid_px) F(bid_qty) F(ask_px) F(ask_qty) F(lower_limit) F(upper_limit) F(ts_last_trade)
        F(year_high) F(year_low) F(oi_high) F(oi_low) F(oi_prev) F(turnover) F(spare))
    STRUCT(growable, fh_instrument, F(size) F(handle) F(exchange) F(symbol) F(broker_exchange) F(broker_token) F(price_exp)
        F(qty_exp) F(reserved) F(tick_size) F(lot_size))
    STRUCT(frozen, fh_sub_request, F(instrument) F(mode) F(depth) F(reserved))
    STRUCT(frozen, fh_sub_result, F(handle) F(outcome) F(granted_mode) F(granted_depth) F(status) F(broker_code) F(reserved)
        F(message))
    STRUCT(growable, fh_conn_event, F(size) F(state) F(reason) F(retry_after_ms) F(generation) F(broker_code) F(reserved)
        F(message))
    STRUCT(frozen, fh_field, F(name) F(value))
    STRUCT(growable, fh_credentials, F(size) F(reserved) F(version) F(expires_at) F(user_id) F(api_key) F(api_secret)
        F(access_token) F(feed_token) F(fields) F(field_count) F(reserved2))
    STRUCT(frozen, fh_depth_cap, F(exchange) F(levels) F(count) F(reserved))
    STRUCT(frozen, fh_link, F(name) F(carries) F(unit) F(quota) F(deep_quota) F(max_links) F(max_depth) F(batch)
        F(per_second))
    STRUCT(growable, fh_capabilities, F(size) F(modes) F(flags) F(order_stream) F(exchanges) F(depth) F(links)
        F(depth_count) F(link_count) F(ack_timeout_ms) F(keep_alive_ms) F(ws_ping_ms) F(ws_pong_timeout_ms)
        F(app_heartbeat_ms) F(data_silence_ms) F(off_hours_silence_ms) F(backoff_base_ms) F(backoff_max_ms) F(reserved))
    STRUCT(frozen, fh_config_key, F(name) F(default_value) F(help) F(type) F(required))
    STRUCT(growable, fh_descriptor, F(size) F(reserved) F(id) F(name) F(vendor) F(version) F(url) F(license) F(broker)
        F(capabilities) F(config_keys) F(credential_keys))
    STRUCT(growable, fh_host, F(size) F(abi_major) F(abi_minor) F(name) F(version) F(log) F(publish_ticks) F(publish_depth)
        F(report_connection) F(report_subscriptions) F(report_traffic) F(find_by_token) F(config) F(metric_add) F(now_ns)
        F(extension))
    STRUCT(growable, fh_create_params, F(size) F(link) F(connection_index) F(reserved) F(ctx) F(host) F(adapter_id))
    STRUCT(growable, fh_adapter, F(size) F(reserved) F(create) F(connect) F(subscribe) F(unsubscribe) F(disconnect)
        F(destroy) F(extension))
    STRUCT(frozen, fh_layout, F(ptr) F(tick) F(level) F(str))
    STRUCT(growable, fh_entry, F(magic) F(size) F(abi_major) F(abi_minor) F(min_host_minor) F(reserved) F(layout)
        F(descriptors) F(adapter))
    STRUCT(growable, fh_request, F(size) F(method) F(field_count) F(timeout_ms) F(generation) F(user) F(url) F(body)
        F(fields))
    STRUCT(growable, fh_response, F(size) F(field_count) F(status) F(http_status) F(fields) F(body))
    STRUCT(growable, fh_transport, F(size) F(reserved) F(open) F(send) F(close) F(fetch) F(timer) F(cancel))
    STRUCT(growable, fh_transport_events, F(size) F(reserved) F(on_open) F(on_frame) F(on_closed) F(on_fetched) F(on_timer))
    STRUCT(growable, fh_order, F(size) F(known) F(order_id) F(broker_exchange) F(broker_symbol) F(broker_token) F(action)
        F(price_type) F(product) F(status) F(reason) F(price_exp) F(qty_exp) F(reserved) F(quantity) F(filled) F(pending)
        F(price) F(trigger) F(average) F(ts_exchange))
    STRUCT(growable, fh_order_sink, F(size) F(reserved) F(publish))
    STRUCT(growable, fh_orders, F(size) F(reserved) F(start) F(stop))
    STRUCT(growable, fh_master_query, F(size) F(file) F(adapter_id) F(settings) F(credentials) F(setting_count)
        F(credential_count))
    STRUCT(frozen, fh_master_row, F(symbol) F(exchange) F(broker_symbol) F(broker_exchange) F(broker_token) F(name) F(type)
        F(strike) F(tick_size) F(lot_size) F(expiry) F(price_exp) F(reserved))
    STRUCT(growable, fh_left_out, F(size) F(kind) F(count) F(line) F(reason) F(example))
    STRUCT(growable, fh_master_sink, F(size) F(reserved) F(sink) F(rows) F(problem) F(left_out) F(doubt))
    STRUCT(growable, fh_instruments, F(size) F(reserved) F(name) F(locate) F(parse) F(read))
    STRUCT(growable, fh_account, F(size) F(allows) F(key_id) F(expires_at) F(user) F(broker) F(brokers) F(exchanges)
        F(symbols) F(broker_count) F(exchange_count) F(symbol_count) F(modes) F(max_instruments) F(reserved))
    STRUCT(growable, fh_account_change, F(size) F(kind) F(key_id) F(user) F(broker))
    STRUCT(growable, fh_auth_host, F(size) F(reserved) F(log) F(changed))
    STRUCT(growable, fh_auth, F(size) F(concurrency) F(start) F(authenticate) F(credentials) F(stop))
    STRUCT(growable, fh_raw_publish, F(size) F(reserved) F(publish))
}

/* FH_ABI_MINOR is left out: it is meant to change. */
static void constants(void) {
    C(FH_ABI_MAJOR) C(FH_MAGIC)
    C(FH_OK) C(FH_E_INVALID) C(FH_E_UNSUPPORTED) C(FH_E_NOMEM) C(FH_E_STATE) C(FH_E_LIMIT) C(FH_E_AUTH) C(FH_E_NETWORK)
    C(FH_E_UNKNOWN_INSTRUMENT) C(FH_E_STOPPING) C(FH_E_TIMEOUT) C(FH_E_INTERNAL)
    C(FH_MODE_LTP) C(FH_MODE_QUOTE) C(FH_MODE_DEPTH)
    C(FH_F_LTP) C(FH_F_LTQ) C(FH_F_AVG) C(FH_F_OPEN) C(FH_F_HIGH) C(FH_F_LOW) C(FH_F_CLOSE) C(FH_F_VOLUME) C(FH_F_OI)
    C(FH_F_OI_HIGH) C(FH_F_OI_LOW) C(FH_F_OI_PREV) C(FH_F_TOTAL_BUY) C(FH_F_TOTAL_SELL) C(FH_F_BID) C(FH_F_ASK)
    C(FH_F_LOWER_LIMIT) C(FH_F_UPPER_LIMIT) C(FH_F_YEAR_HIGH) C(FH_F_YEAR_LOW) C(FH_F_TURNOVER) C(FH_F_TRADE_TS)
    C(FH_F_BIDS) C(FH_F_ASKS)
    C(FH_TF_SNAPSHOT) C(FH_TF_LAST) C(FH_TF_BAD_TS) C(FH_TF_GAP_BEFORE) C(FH_TF_SYNTHETIC)
    C(FH_SUB_ACKED) C(FH_SUB_SENT_NO_ACK) C(FH_SUB_DOWNGRADED) C(FH_SUB_REJECTED)
    C(FH_CONN_CONNECTING) C(FH_CONN_AUTHENTICATING) C(FH_CONN_READY) C(FH_CONN_DISCONNECTED) C(FH_CONN_FAILED)
    C(FH_WHY_REQUESTED) C(FH_WHY_NETWORK) C(FH_WHY_AUTH_EXPIRED) C(FH_WHY_AUTH_REJECTED) C(FH_WHY_RATE_LIMITED)
    C(FH_WHY_CONNECTION_LIMIT) C(FH_WHY_PROTOCOL) C(FH_WHY_REPLACED) C(FH_WHY_MAINTENANCE)
    C(FH_UNIT_NONE) C(FH_UNIT_INSTRUMENT) C(FH_UNIT_INSTRUMENT_MODE) C(FH_CARRIES_ORDERS)
    C(FH_ORDERS_NONE) C(FH_ORDERS_SAME_SOCKET) C(FH_ORDERS_OWN_SOCKET) C(FH_ORDERS_POLL)
    C(FH_CAP_SNAPSHOT_ON_SUB) C(FH_CAP_SUB_ACK) C(FH_CAP_SEQUENCE) C(FH_CAP_DAILY_TOKEN) C(FH_CAP_EXCLUSIVE_SESSION)
    C(FH_CAP_ANY_SYMBOL)
    C(FH_CFG_STRING) C(FH_CFG_INT) C(FH_CFG_BOOL) C(FH_CFG_DURATION) C(FH_CFG_SECRET) C(FH_CFG_URL)
    C(FH_M_FRAMES_IGNORED) C(FH_M_FRAMES_BAD) C(FH_M_TICKS_DROPPED) C(FH_M_GAPS)
    C(FH_LOG_TRACE) C(FH_LOG_DEBUG) C(FH_LOG_INFO) C(FH_LOG_WARNING) C(FH_LOG_ERROR)
    C(FH_WS_TEXT) C(FH_WS_BINARY) C(FH_WS_PING) C(FH_WS_PONG) C(FH_HTTP_GET) C(FH_HTTP_POST)
    C(FH_O_QUANTITY) C(FH_O_FILLED) C(FH_O_PENDING) C(FH_O_PRICE) C(FH_O_TRIGGER) C(FH_O_AVERAGE)
    C(FH_LEFT_OUT_FAULT) C(FH_LEFT_OUT_FOREIGN)
    C(FH_ALLOWS_ALL_EXCHANGES) C(FH_ALLOWS_ALL_SYMBOLS) C(FH_ALLOWS_ORDERS)
    C(FH_CHANGE_KEY_REVOKED) C(FH_CHANGE_KEY) C(FH_CHANGE_USER) C(FH_CHANGE_CREDENTIALS) C(FH_CHANGE_CREDENTIALS_REVOKED)
}

int main(void) {
    structs();
    constants();
    return incomplete;
}
