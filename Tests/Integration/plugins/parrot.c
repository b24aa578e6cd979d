/* parrot: an adapter, a master and a provider of accounts that breaks the one rule about secrets: it keeps whatever it is lent
 * and says it again and again, in every encoding it knows, to the log, to clients and in its errors. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "feedhost/extensions.h"

enum { MOST = 64, LONGEST = 400, LINE = 8192 };
struct fh_instance { fh_host_ctx *ctx; const fh_host *host; uint64_t generation; char token[LONGEST]; };
typedef void (*say)(void *to, const char *line);

/* All that it was ever lent, by anybody. */
static struct { char text[LONGEST]; } kept[MOST];
static int count, connects;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static fh_str text(const char *s) { return (fh_str){s, strlen(s)}; }
static int is(fh_str a, const char *b) { return a.len == strlen(b) && memcmp(a.ptr, b, a.len) == 0; }
static int begins(fh_str a, const char *b) { return a.len >= strlen(b) && memcmp(a.ptr, b, strlen(b)) == 0; }
static void copy(char *to, fh_str from) {
    size_t length = from.len < LONGEST - 1 ? from.len : LONGEST - 1;
    if (length) memcpy(to, from.ptr, length);
    to[length] = 0;
}
static void keep(fh_str value) {
    if (value.len == 0) return;
    pthread_mutex_lock(&lock);
    int at = 0;
    while (at < count && !is(value, kept[at].text)) at++;
    if (at == count && count < MOST) copy(kept[count++].text, value);
    pthread_mutex_unlock(&lock);
}

/* A secret in every way of writing. */
static void spell(char *out, const char *value) {
    static const char digits[] = "0123456789abcdef";
    static const char sixty[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char before[LONGEST + 8];
    char *p = out + sprintf(out, "plain %s hex ", value);
    for (const char *c = value; *c; c++) *p++ = digits[(unsigned char)*c >> 4], *p++ = digits[*c & 15];
    for (int shift = 0; shift < 3; shift++) {
        int length = sprintf(before, "%.*s%s", shift, "me", value);
        p += sprintf(p, " base64 ");
        for (int i = 0; i < length; i += 3) {
            unsigned n = (unsigned char)before[i] << 16;
            if (i + 1 < length) n |= (unsigned)(unsigned char)before[i + 1] << 8;
            if (i + 2 < length) n |= (unsigned char)before[i + 2];
            *p++ = sixty[n >> 18], *p++ = sixty[n >> 12 & 63];
            *p++ = i + 1 < length ? sixty[n >> 6 & 63] : '=', *p++ = i + 2 < length ? sixty[n & 63] : '=';
        }
    }
    p += sprintf(p, " url ");
    for (const char *c = value; *c; c++)
        if (strchr("+/=:", *c)) p += sprintf(p, "%%%02X", *c); else *p++ = *c;
    p += sprintf(p, " json ");
    for (const char *c = value; *c; c++) {
        if (*c == '/') *p++ = '\\';
        *p++ = *c;
    }
    *p = 0;
}
/* Once in all encodings, and once where a line of the log is cut. */
static void repeat(say to, void *whom) {
    char line[LINE];
    pthread_mutex_lock(&lock);
    for (int i = 0; i < count; i++) {
        spell(line, kept[i].text);
        to(whom, line);
        size_t half = 1024 - strlen(kept[i].text) / 2;
        memset(line, 'x', half);
        strcpy(line + half, kept[i].text);
        to(whom, line);
    }
    pthread_mutex_unlock(&lock);
}

/* The adapter. */
static void log_line(void *whom, const char *line) {
    static int level;
    fh_instance *self = whom;
    self->host->log(self->ctx, level++ % 5, text(line));
}
static fh_status create(const fh_create_params *params, fh_instance **out) {
    fh_instance *self = *out = calloc(1, sizeof *self);
    if (!self) return FH_E_NOMEM;
    self->ctx = params->ctx, self->host = params->host;
    keep(self->host->config(self->ctx, text("pin")));
    return FH_OK;
}
static fh_status connect(fh_instance *self, uint64_t generation, const fh_credentials *c) {
    const fh_str own[] = {c->api_key, c->api_secret, c->access_token, c->feed_token};
    char line[LINE];
    self->generation = generation;
    for (int i = 0; i < 4; i++) keep(own[i]);
    for (uint32_t i = 0; i < c->field_count; i++) keep(c->fields[i].value);
    copy(self->token, c->access_token);
    repeat(log_line, self);
    spell(line, self->token);
    fh_conn_event event = {.size = sizeof event, .state = FH_CONN_READY, .generation = generation, .message = text(line)};
    if (begins(c->access_token, "refused")) event.state = FH_CONN_FAILED, event.reason = FH_WHY_AUTH_REJECTED;
    self->host->report_connection(self->ctx, &event);
    pthread_mutex_lock(&lock);
    sprintf(line, "this was connect number %d", ++connects);
    pthread_mutex_unlock(&lock);
    self->host->log(self->ctx, FH_LOG_INFO, text(line));
    return FH_OK;
}
static fh_status subscribe(fh_instance *self, uint64_t request, const fh_sub_request *wishes, uint32_t number) {
    char line[LINE];
    spell(line, self->token);
    for (uint32_t i = 0; i < number; i++) {
        fh_sub_result result = {.handle = wishes[i].instrument->handle, .outcome = FH_SUB_ACKED, .granted_mode = FH_MODE_LTP};
        if (is(wishes[i].instrument->symbol, "LEAK"))
            result.outcome = FH_SUB_REJECTED, result.status = FH_E_UNKNOWN_INSTRUMENT, result.message = text(line);
        self->host->report_subscriptions(self->ctx, request, &result, 1);
    }
    return FH_OK;
}
static fh_status unsubscribe(fh_instance *i, uint64_t r, const fh_sub_request *w, uint32_t n) { (void)i, (void)r, (void)w, (void)n; return FH_OK; }
static fh_status disconnect(fh_instance *self, uint64_t g) { (void)g; repeat(log_line, self); return FH_OK; }
static void destroy(fh_instance *self) { free(self); }

/* An order whose number is the setting `order`, and whose reason holds the token. */
static fh_status start_orders(fh_instance *self) {
    const fh_order_sink *sink = self->host->extension(self->ctx, "feedhost.orders/1");
    fh_str number = self->host->config(self->ctx, text("order"));
    char line[LINE];
    if (!sink) return FH_E_UNSUPPORTED;
    spell(line, self->token);
    fh_order order = {.size = sizeof order, .order_id = number, .status = text("rejected"), .reason = text(line),
                      .broker_exchange = text("NSE"), .broker_symbol = text("SBIN"), .ts_exchange = fh_ts_none()};
    return sink->publish(self->ctx, &order);
}
static fh_status stop_orders(fh_instance *self) { (void)self; return FH_OK; }
static const fh_orders orders = {sizeof orders, 0, start_orders, stop_orders};

/* The master. */
static fh_str file_name(fh_str id, uint32_t file) { (void)id; return file == 0 ? text("parrot.csv") : (fh_str){0}; }
static fh_status locate(const fh_master_query *query, void *sink, void (*request)(void *sink, const fh_request *request)) {
    char url[LINE] = "", base[LONGEST] = "", token[LONGEST] = "";
    for (uint32_t i = 0; i < query->setting_count; i++) {
        if (is(query->settings[i].name, "pin")) keep(query->settings[i].value);
        if (is(query->settings[i].name, "master")) copy(base, query->settings[i].value);
    }
    for (uint32_t i = 0; i < query->credential_count; i++) {
        keep(query->credentials[i].value);
        if (is(query->credentials[i].name, "access_token")) copy(token, query->credentials[i].value);
    }
    if (!base[0]) return FH_E_AUTH;
    sprintf(url, "%s/parrot.csv?token=%s", base, token);
    fh_field field = {text("Authorization"), text(token)};
    fh_request what = {.size = sizeof what, .method = FH_HTTP_GET, .field_count = 1, .fields = &field, .url = text(url)};
    request(sink, &what);
    return FH_OK;
}
static void last_line(void *whom, const char *line) { strcpy(whom, line); }
static fh_status parse(fh_str id, uint32_t file, fh_str bytes, fh_rows rows, void *sink, void (*problem)(void *sink, fh_str message)) {
    char line[LINE] = "";
    (void)id, (void)file, (void)rows;
    repeat(last_line, line);
    if (begins(bytes, "cut")) return problem(sink, text(line)), FH_E_INVALID;
    pthread_mutex_lock(&lock);
    size_t length = 0;
    for (int i = 0; i < count && length < LINE; i++) length += (size_t)snprintf(line + length, LINE - length, " %s", kept[i].text);
    pthread_mutex_unlock(&lock);
    problem(sink, text(line));
    return FH_E_INVALID;
}
static const fh_instruments master = {
    .size = sizeof master, .name = file_name, .locate = locate, .parse = parse};

/* The provider of accounts. A key says what is to become of it. */
static fh_auth_ctx *auth_ctx;
static const fh_auth_host *auth_host;
static char given[LONGEST];
static void auth_line(void *whom, const char *line) { (void)whom; auth_host->log(auth_ctx, FH_LOG_WARNING, text(line)); }
static fh_status auth_start(fh_auth_ctx *ctx, const fh_auth_host *host, const fh_field *settings, uint32_t number) {
    auth_ctx = ctx, auth_host = host;
    for (uint32_t i = 0; i < number; i++) {
        if (is(settings[i].name, "pin")) keep(settings[i].value);
        if (is(settings[i].name, "token")) keep(settings[i].value), copy(given, settings[i].value);
    }
    repeat(auth_line, NULL);
    for (uint32_t i = 0; i < number; i++)
        if (is(settings[i].name, "pin") && begins(settings[i].value, "stop")) return FH_E_NETWORK;
    return FH_OK;
}
static fh_status authenticate(fh_str key, void *sink, void (*account)(void *sink, const fh_account *account)) {
    fh_account a = {.size = sizeof a, .allows = FH_ALLOWS_ALL_EXCHANGES | FH_ALLOWS_ALL_SYMBOLS | FH_ALLOWS_ORDERS,
                    .modes = FH_MODE_LTP, .expires_at = fh_ts_none(), .key_id = 1, .user = text("alice"), .broker = text("parrot")};
    keep(key);
    repeat(auth_line, NULL);
    if (begins(key, "fail")) return FH_E_NETWORK;
    if (begins(key, "named")) a.user = key;
    if (begins(key, "broken")) a.broker = key;
    if (begins(key, "bob")) a.user = text("bob"), a.broker = text("simulator");
    if (!begins(key, "alice") && !begins(key, "bob") && !begins(key, "named") && !begins(key, "broken")) return FH_E_AUTH;
    account(sink, &a);
    return FH_OK;
}
static fh_status credentials(fh_str user, fh_str broker, void *sink,
                             void (*take)(void *sink, uint64_t version, const fh_field *fields, uint32_t number)) {
    char made[2 * LONGEST + 8];
    (void)user;
    if (!is(broker, "parrot")) return FH_E_AUTH;
    snprintf(made, sizeof made, "%s-of-today", given);
    fh_field fields[] = {{text("access_token"), text(made)}, {text("api_key"), text(given)}};
    take(sink, 1, fields, 2);
    return FH_OK;
}
static const fh_auth auth = {.size = sizeof auth, .concurrency = 1, .start = auth_start, .authenticate = authenticate, .credentials = credentials};

static const void *extension(fh_instance *self, const char *id) {
    if (self) return strcmp(id, "feedhost.orders/1") == 0 ? &orders : NULL;
    return strcmp(id, "feedhost.auth/1") == 0 ? (const void *)&auth : strcmp(id, "feedhost.instruments/1") == 0 ? &master : NULL;
}
static const char *const exchanges[] = {"NSE", NULL};
static const fh_link market = {.name = "market", .carries = FH_MODE_LTP | FH_CARRIES_ORDERS};
static const fh_capabilities capabilities = {
    .size = sizeof capabilities, .modes = FH_MODE_LTP, .flags = FH_CAP_ANY_SYMBOL | FH_CAP_SUB_ACK, .exchanges = exchanges,
    .order_stream = FH_ORDERS_SAME_SOCKET, .links = &market, .link_count = 1, .keep_alive_ms = 500};
static const fh_config_key settings[] = {
    {"pin", NULL, "Something that nobody may see", FH_CFG_SECRET, 0}, {"token", NULL, "What its accounts go to brokers with", FH_CFG_SECRET, 0},
    {"order", "1", "Number of its order", FH_CFG_STRING, 0}, {"master", NULL, "Where its master is", FH_CFG_URL, 0}, {0}};
static const fh_config_key wanted[] = {
    {"access_token", NULL, "Of today", FH_CFG_SECRET, 0}, {"api_key", NULL, "Of the application", FH_CFG_SECRET, 0},
    {"api_secret", NULL, "Of the application", FH_CFG_SECRET, 0}, {"feed_token", NULL, "Of the feed", FH_CFG_SECRET, 0},
    {"totp", NULL, "Seed", FH_CFG_SECRET, 0}, {0}};
static const fh_descriptor parrot = {
    .size = sizeof parrot, .id = "io.feedhost.test.parrot", .name = "Parrot", .vendor = "Feedhost", .version = "1.0.0",
    .broker = "parrot", .capabilities = &capabilities, .config_keys = settings, .credential_keys = wanted};
/* A broker with a master: parrot takes any symbol, and is not asked for one. */
static const fh_capabilities with_master = {.size = sizeof with_master, .modes = FH_MODE_LTP, .exchanges = exchanges, .links = &market,
                                            .order_stream = FH_ORDERS_SAME_SOCKET, .link_count = 1};
static const fh_descriptor magpie = {
    .size = sizeof magpie, .id = "io.feedhost.test.magpie", .name = "Magpie", .vendor = "Feedhost", .version = "1.0.0",
    .broker = "magpie", .capabilities = &with_master, .config_keys = settings, .credential_keys = wanted};
static const fh_descriptor *const descriptors[] = {&parrot, &magpie, NULL};
static const fh_adapter functions = {sizeof functions, 0, create, connect, subscribe, unsubscribe, disconnect, destroy, extension};
static const fh_adapter *adapter(const char *id) { (void)id; return &functions; }
FH_EXPORT const fh_entry *feedhost_adapter_entry_v1(void) {
    static const fh_entry e = {FH_MAGIC, sizeof e, FH_ABI_MAJOR, FH_ABI_MINOR, 0, 0, FH_LAYOUT, descriptors, adapter};
    return &e;
}
