/*
 * Two brokers with an instrument master of lines "symbol,exchange,token" under that very header. `harbour` has one file and
 * wants an access token for it; `pier` has two, for everybody. Prices of both are the tokens: who sees one knows that the
 * host has looked the instrument up.
 *
 * `harbour` is an adapter of ABI 1.0: its table ends behind parse(). `pier` has read() of ABI 1.1, and tells what it leaves
 * out and what it doubts.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "feedhost/extensions.h"

enum { MAX_ROWS = 512 };

struct fh_instance {
    const fh_host *host;
    fh_host_ctx *ctx;
};

static fh_str text(const char *s) { return (fh_str){s, strlen(s)}; }
static int same(fh_str a, const char *b) { return a.len == strlen(b) && memcmp(a.ptr, b, a.len) == 0; }
static int is_harbour(fh_str adapter) { return same(adapter, "io.feedhost.test.harbour"); }

/* ---------------------------------------------------------------- master */

static fh_str master_name(fh_str adapter, uint32_t file) {
    static const char *const pier[] = {"north.csv.zip", "south.csv"};
    if (is_harbour(adapter)) return text(file == 0 ? "harbour.csv.gz" : "");
    return text(file < 2 ? pier[file] : "");
}

static fh_str value(const fh_field *fields, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++)
        if (same(fields[i].name, name)) return fields[i].value;
    return text("");
}

static fh_status master_locate(const fh_master_query *query, void *sink, void (*request)(void *, const fh_request *)) {
    char url[1024], secret[256];
    fh_str base = value(query->settings, query->setting_count, "master_endpoint");
    fh_str name = master_name(query->adapter_id, query->file);
    fh_str token = value(query->credentials, query->credential_count, "access_token");
    if (base.len + name.len + 2 > sizeof url || token.len + 8 > sizeof secret) return FH_E_INVALID;
    if (is_harbour(query->adapter_id) && token.len == 0) return FH_E_AUTH;
    memcpy(url, base.ptr, base.len);
    url[base.len] = '/';
    memcpy(url + base.len + 1, name.ptr, name.len);
    memcpy(secret, "Bearer ", 7);
    if (token.len) memcpy(secret + 7, token.ptr, token.len);
    fh_field field = {text("Authorization"), {secret, 7 + token.len}};
    fh_request wanted = {.size = sizeof wanted, .method = FH_HTTP_GET, .field_count = is_harbour(query->adapter_id),
                         .url = {url, base.len + 1 + name.len}, .fields = &field};
    request(sink, &wanted);
    return FH_OK;
}

/* The next line, without its end; 0 when there is none. */
static int next_line(fh_str *rest, fh_str *line) {
    if (rest->len == 0) return 0;
    const char *end = memchr(rest->ptr, '\n', rest->len);
    *line = (fh_str){rest->ptr, end ? (uint64_t)(end - rest->ptr) : rest->len};
    uint64_t used = line->len + (end != NULL);
    rest->ptr += used, rest->len -= used;
    return 1;
}

static fh_str next_field(fh_str *line) {
    const char *comma = line->len ? memchr(line->ptr, ',', line->len) : NULL;
    fh_str field = {line->ptr, comma ? (uint64_t)(comma - line->ptr) : line->len};
    uint64_t used = field.len + (comma != NULL);
    line->ptr += used, line->len -= used;
    return field;
}

static fh_status master_parse(fh_str adapter, uint32_t file, fh_str bytes, fh_rows rows, void *sink,
                              void (*problem)(void *, fh_str)) {
    static _Thread_local fh_master_row batch[MAX_ROWS];
    uint32_t count = 0;
    fh_str line;
    (void)file;
    if (!next_line(&bytes, &line) || !same(line, "symbol,exchange,token")) {
        if (problem) problem(sink, text("its first line is not symbol,exchange,token"));
        return FH_E_INVALID;
    }
    while (next_line(&bytes, &line)) {
        fh_master_row row = {.price_exp = -2, .tick_size = 5, .lot_size = 1};
        row.symbol = row.broker_symbol = row.name = next_field(&line);
        row.exchange = row.broker_exchange = next_field(&line);
        row.broker_token = next_field(&line);
        row.type = text("EQ");
        if (is_harbour(adapter) || row.broker_token.len > 0) batch[count++] = row;
        if (count < MAX_ROWS && bytes.len > 0) continue;
        fh_status status = rows(sink, batch, count);
        if (status != FH_OK) return status;
        count = 0;
    }
    return FH_OK;
}

/* What read() adds to parse(): lines without a token are left out and told, and so is a file that ends within a line. */
static fh_status master_read(fh_str adapter, uint32_t file, fh_str bytes, const fh_master_sink *to) {
    fh_str rest = bytes, line;
    uint64_t number = 1;
    if (bytes.len > 0 && bytes.ptr[bytes.len - 1] != '\n') to->doubt(to->sink, text("it ends within a line"));
    if (!next_line(&rest, &line)) return master_parse(adapter, file, bytes, to->rows, to->sink, to->problem);
    while (next_line(&rest, &line)) {
        fh_str row = line;
        number++;
        (void)next_field(&row), (void)next_field(&row);
        if (row.len > 0) continue;
        fh_left_out what = {.size = sizeof what, .kind = FH_LEFT_OUT_FAULT, .count = 1, .line = number,
                            .reason = text("no token"), .example = line};
        if (FH_HAS(to, fh_master_sink, left_out)) to->left_out(to->sink, &what);
    }
    return master_parse(adapter, file, bytes, to->rows, to->sink, to->problem);
}

enum { SIZE_IN_1_0 = offsetof(fh_instruments, read) };
static const fh_instruments old_instruments = {SIZE_IN_1_0, 0, master_name, master_locate, master_parse, NULL};
static const fh_instruments new_instruments = {sizeof new_instruments, 0, master_name, master_locate, master_parse,
                                               master_read};

/* --------------------------------------------------------------- session */

static fh_status create(const fh_create_params *params, fh_instance **out) {
    fh_instance *self = *out = calloc(1, sizeof *self);
    if (!self) return FH_E_NOMEM;
    self->host = params->host, self->ctx = params->ctx;
    return FH_OK;
}
static fh_status connect(fh_instance *self, uint64_t generation, const fh_credentials *credentials) {
    (void)credentials;
    fh_conn_event event = {.size = sizeof event, .state = FH_CONN_READY, .generation = generation};
    self->host->report_connection(self->ctx, &event);
    return FH_OK;
}
static fh_status subscribe(fh_instance *self, uint64_t request, const fh_sub_request *wishes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const fh_instrument *what = wishes[i].instrument;
        char digits[32] = {0};
        memcpy(digits, what->broker_token.ptr, what->broker_token.len < 31 ? what->broker_token.len : 31);
        fh_sub_result result = {.handle = what->handle, .outcome = FH_SUB_ACKED, .granted_mode = wishes[i].mode};
        self->host->report_subscriptions(self->ctx, request, &result, 1);
        fh_tick tick = {.instrument = what->handle, .kind = FH_MODE_LTP, .flags = FH_TF_SNAPSHOT, .price_exp = 0,
                        .ts_exchange = fh_ts_none(), .ts_recv = self->host->now_ns(self->ctx),
                        .sequence = fh_seq_none(), .fields = FH_F_LTP, .ltp = atoll(digits)};
        (void)self->host->publish_ticks(self->ctx, &tick, 1);
    }
    return FH_OK;
}
static fh_status unsubscribe(fh_instance *self, uint64_t request, const fh_sub_request *wishes, uint32_t count) {
    (void)self, (void)request, (void)wishes, (void)count;
    return FH_OK;
}
static fh_status disconnect(fh_instance *self, uint64_t generation) {
    (void)self, (void)generation;
    return FH_OK;
}
static void destroy(fh_instance *self) { free(self); }
static const void *old_extension(fh_instance *self, const char *id) {
    (void)self;
    return strcmp(id, "feedhost.instruments/1") == 0 ? &old_instruments : NULL;
}
static const void *new_extension(fh_instance *self, const char *id) {
    (void)self;
    return strcmp(id, "feedhost.instruments/1") == 0 ? &new_instruments : NULL;
}

/* ----------------------------------------------------------------- entry */

static const char *const exchanges[] = {"NSE", "NFO", NULL};
static const fh_capabilities capabilities = {
    .size = sizeof capabilities, .modes = FH_MODE_LTP, .flags = FH_CAP_SUB_ACK, .exchanges = exchanges};
static const fh_config_key config_keys[] = {
    {"master_endpoint", "https://masters.invalid", "Where the master is: a URL without its last part.", FH_CFG_URL, 0},
    {NULL, NULL, NULL, 0, 0}};
static const fh_config_key credential_keys[] = {
    {"access_token", NULL, "Of today's login.", FH_CFG_SECRET, 0}, {NULL, NULL, NULL, 0, 0}};

#define BROKER(key) \
    { \
        .size = sizeof(fh_descriptor), .id = "io.feedhost.test." key, .name = key, .vendor = "Feedhost tests", \
        .version = "1.0.0", .broker = key, .capabilities = &capabilities, .config_keys = config_keys, \
        .credential_keys = credential_keys \
    }
static const fh_descriptor harbour = BROKER("harbour"), pier = BROKER("pier");
static const fh_descriptor *const descriptors[] = {&harbour, &pier, NULL};

static const fh_adapter *adapter(const char *id) {
#define TABLE(e) {sizeof(fh_adapter), 0, create, connect, subscribe, unsubscribe, disconnect, destroy, e}
    static const fh_adapter old_table = TABLE(old_extension), new_table = TABLE(new_extension);
    return same(text(id), "io.feedhost.test.harbour") ? &old_table : &new_table;
}

FH_EXPORT const fh_entry *feedhost_adapter_entry_v1(void) {
    static const fh_entry entry = {.magic = FH_MAGIC, .size = sizeof entry, .abi_major = FH_ABI_MAJOR,
                                   .abi_minor = FH_ABI_MINOR, .layout = FH_LAYOUT, .descriptors = descriptors,
                                   .adapter = adapter};
    return &entry;
}
