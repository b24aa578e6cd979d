/* auth_file: accounts for Feedhost from a text file, in C (`feedhost.auth/1`). A line a key, fields separated by spaces:
 *
 *   # sha-256 of the key            user   broker     what it allows; left out: all of it, but no orders
 *   9f86d081884c7d659a2feaa0c55a…   alice  zerodha    brokers=angel exchanges=NSE,NFO symbols=NIFTY*,RELIANCE modes=LTP,Quote
 *   60303ae22b998861bce3b28f33ee…   bob    simulator  orders max=50 until=1924991999
 *
 * `printf %s KEY | sha256sum` makes the first field. Make keys long and random: `openssl rand -hex 32`. Write a new file
 * beside the old one and rename it: a change counts within a second, and a line that is gone closes the clients of that key.
 * Use: FEEDHOST_ACCOUNTS=plugin:auth_file feedhost serve --set keyfile.path=/etc/feedhost/keys
 * Broker credentials stay in the store. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "feedhost/extensions.h"

enum { MAX_KEYS = 10000, MAX_LIST = 32, MAX_FILE = 1 << 20 };
typedef struct list { fh_str items[MAX_LIST]; uint32_t count; } list;
typedef struct key { uint8_t hash[32]; const char *line; fh_account account; list brokers, exchanges, symbols; } key;
typedef struct table { char *text, *lines; key *keys; uint32_t count; } table; /* text is cut into fields, lines is whole */

static fh_auth_ctx *ctx;
static const fh_auth_host *host;
static char path[4096];
static table keys; /* under lock: authenticate() reads it, the watcher replaces it */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake; /* Of the monotonic clock: a change of the time of day must not stop the watcher. */
static pthread_t watcher;
static int watching;
static struct stat seen;

static fh_str text(const char *s) { return (fh_str){s, strlen(s)}; }
static void say(int32_t level, const char *what) {
    char line[4400];
    snprintf(line, sizeof line, "%s: %s", path[0] ? path : "keyfile.path", what);
    host->log(ctx, level, text(line));
}

/* SHA-256 (FIPS 180-4) of a key, at most 8,192 bytes long. */
static uint32_t turn(uint32_t x, int n) { return x >> n | x << (32 - n); }
static void sha256(const char *bytes, uint64_t length, uint8_t out[32]) {
    uint32_t h[8], k[64], w[64], count = 0;
    for (uint32_t n = 2; count < 64; n++) { /* Fractions of the roots of the first primes, in whole numbers. */
        int prime = 1;
        for (uint32_t d = 2; d * d <= n; d++) prime &= n % d != 0;
        if (!prime) continue;
        unsigned __int128 low = 0, high = (unsigned __int128)1 << 36;
        while (high - low > 1) { /* cube root of n * 2^96 */
            unsigned __int128 mid = (low + high) / 2;
            if (mid * mid * mid <= (unsigned __int128)n << 96) low = mid; else high = mid;
        }
        k[count] = (uint32_t)low, low = 0, high = (unsigned __int128)1 << 36;
        while (high - low > 1) { /* square root of n * 2^64 */
            unsigned __int128 mid = (low + high) / 2;
            if (mid * mid <= (unsigned __int128)n << 64) low = mid; else high = mid;
        }
        if (count < 8) h[count] = (uint32_t)low;
        count++;
    }
    for (uint64_t block = 0; block < (length + 9 + 63) / 64; block++) {
        for (int i = 0; i < 64; i++) {
            uint64_t at = block * 64 + (uint64_t)i, last = (length + 9 + 63) / 64 * 64 - 8;
            uint8_t byte = at < length ? (uint8_t)bytes[at] : at == length ? 0x80 : 0;
            if (at >= last) byte = (uint8_t)(length * 8 >> (56 - 8 * (at - last)));
            w[i / 4] = (i % 4 ? w[i / 4] << 8 : 0) | byte;
        }
        for (int i = 16; i < 64; i++)
            w[i] = w[i - 16] + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
                   (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
        uint32_t v[8];
        memcpy(v, h, sizeof v);
        for (int i = 0; i < 64; i++) {
            uint32_t a = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
            uint32_t b = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
            memmove(v + 1, v, 7 * sizeof *v), v[4] += a, v[0] = a + b;
        }
        for (int i = 0; i < 8; i++) h[i] += v[i];
    }
    for (int i = 0; i < 32; i++) out[i] = (uint8_t)(h[i / 4] >> (24 - i % 4 * 8));
}

/* Reading the file. A line that makes no sense refuses the whole file: half a restriction would be none. */
static int split(list *to, char *value) {
    for (char *rest = NULL, *item = strtok_r(value, ",", &rest); item; item = strtok_r(NULL, ",", &rest)) {
        if (to->count == MAX_LIST) return 0;
        to->items[to->count++] = text(item);
    }
    return to->count > 0;
}
static int number(const char *value, uint64_t most, uint64_t *out) {
    char *end;
    *out = strtoull(value, &end, 10);
    return *value >= '0' && *value <= '9' && !*end && *out > 0 && *out <= most;
}
static int option(key *k, char *name) {
    uint64_t n;
    char *value = strchr(name, '=');
    if (strcmp(name, "orders") == 0) { k->account.allows |= FH_ALLOWS_ORDERS; return 1; }
    if (!value) return 0;
    *value++ = 0;
    if (strcmp(name, "brokers") == 0) return split(&k->brokers, value);
    if (strcmp(name, "exchanges") == 0) { k->account.allows &= ~(uint32_t)FH_ALLOWS_ALL_EXCHANGES; return split(&k->exchanges, value); }
    if (strcmp(name, "symbols") == 0) { k->account.allows &= ~(uint32_t)FH_ALLOWS_ALL_SYMBOLS; return split(&k->symbols, value); }
    if (strcmp(name, "max") == 0 && number(value, 1000000, &n)) { k->account.max_instruments = (uint32_t)n; return 1; }
    if (strcmp(name, "until") == 0 && number(value, 9999999999, &n)) { k->account.expires_at = n * 1000000000; return 1; }
    if (strcmp(name, "modes") != 0) return 0;
    k->account.modes = 0;
    for (char *rest = NULL, *mode = strtok_r(value, ",", &rest); mode; mode = strtok_r(NULL, ",", &rest)) {
        uint32_t bit = strcmp(mode, "LTP") == 0 ? FH_MODE_LTP : strcmp(mode, "Quote") == 0 ? FH_MODE_QUOTE
                       : strcmp(mode, "Depth") == 0 ? FH_MODE_DEPTH : 0;
        if (!bit) return 0;
        k->account.modes |= bit;
    }
    return k->account.modes != 0;
}
static int read_line(key *k, char *line) {
    char *rest = NULL, *hash = strtok_r(line, " \t", &rest), *user = strtok_r(NULL, " \t", &rest), *broker = strtok_r(NULL, " \t", &rest);
    if (!broker || strlen(hash) != 64 || strspn(hash, "0123456789abcdef") != 64) return 0;
    for (int i = 0; i < 32; i++) sscanf(hash + 2 * i, "%2hhx", &k->hash[i]);
    k->account = (fh_account){.size = sizeof k->account, .allows = FH_ALLOWS_ALL_EXCHANGES | FH_ALLOWS_ALL_SYMBOLS,
        .modes = FH_MODE_LTP | FH_MODE_QUOTE | FH_MODE_DEPTH, .expires_at = fh_ts_none(), .user = text(user), .broker = text(broker)};
    for (int i = 0; i < 8; i++) k->account.key_id = k->account.key_id << 8 | k->hash[i];
    k->account.key_id = k->account.key_id >> 1 | 1;
    for (char *word; (word = strtok_r(NULL, " \t", &rest));)
        if (!option(k, word)) return 0;
    k->account.brokers = k->brokers.items, k->account.broker_count = k->brokers.count;
    k->account.exchanges = k->exchanges.items, k->account.exchange_count = k->exchanges.count;
    k->account.symbols = k->symbols.items, k->account.symbol_count = k->symbols.count;
    return 1;
}
static void forget(table *t) { free(t->text), free(t->lines), free(t->keys), *t = (table){0}; }
static const char *load(table *t) { /* What is wrong, or NULL. */
    FILE *file = fopen(path, "r");
    if (!file) return "cannot be read";
    t->text = calloc(1, MAX_FILE + 1), t->keys = calloc(MAX_KEYS, sizeof *t->keys);
    size_t length = t->text && t->keys ? fread(t->text, 1, MAX_FILE, file) : MAX_FILE;
    fclose(file);
    if (length == MAX_FILE || !(t->lines = malloc(length + 1))) return "is too large";
    memcpy(t->lines, t->text, length + 1);
    char *rest = NULL, *other = NULL, *line = strtok_r(t->text, "\r\n", &rest), *whole = strtok_r(t->lines, "\r\n", &other);
    for (; line; line = strtok_r(NULL, "\r\n", &rest), whole = strtok_r(NULL, "\r\n", &other)) {
        if (line[strspn(line, " \t")] == 0 || line[0] == '#') continue;
        if (t->count == MAX_KEYS) return "has too many keys";
        if (!read_line(&t->keys[t->count], line)) return "has a line that makes no sense";
        t->keys[t->count++].line = whole;
    }
    return NULL;
}
static const key *find(const table *t, const uint8_t hash[32]) {
    for (uint32_t i = 0; i < t->count; i++) /* How long it takes tells of hashes, from which no key follows. */
        if (memcmp(t->keys[i].hash, hash, 32) == 0) return &t->keys[i];
    return NULL;
}

/* Looks at the file five times a second, and tells the host whose keys have changed. */
static void *watch(void *unused) {
    struct stat now;
    struct timespec until;
    pthread_mutex_lock(&lock);
    while (watching) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 200000000;
        if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
        pthread_cond_timedwait(&wake, &lock, &until);
        if (!watching || stat(path, &now) != 0) continue;
        if (now.st_ino == seen.st_ino && now.st_size == seen.st_size && now.st_mtim.tv_sec == seen.st_mtim.tv_sec &&
            now.st_mtim.tv_nsec == seen.st_mtim.tv_nsec) continue;
        seen = now;
        table next = {0}, old = keys;
        const char *trouble = load(&next);
        if (trouble) { say(FH_LOG_WARNING, trouble), forget(&next); continue; }
        keys = next;
        for (uint32_t i = 0; i < old.count; i++) {
            const key *k = find(&keys, old.keys[i].hash);
            fh_account_change change = {.size = sizeof change, .kind = k ? FH_CHANGE_KEY : FH_CHANGE_KEY_REVOKED,
                                        .key_id = old.keys[i].account.key_id};
            if (!k || strcmp(k->line, old.keys[i].line) != 0) host->changed(ctx, &change);
        }
        forget(&old);
        say(FH_LOG_INFO, "was read anew");
    }
    pthread_mutex_unlock(&lock);
    return unused;
}

static fh_status start(fh_auth_ctx *c, const fh_auth_host *h, const fh_field *settings, uint32_t count) {
    ctx = c, host = h;
    for (uint32_t i = 0; i < count; i++)
        if (settings[i].name.len == 4 && memcmp(settings[i].name.ptr, "path", 4) == 0 && settings[i].value.len < sizeof path)
            memcpy(path, settings[i].value.ptr, settings[i].value.len);
    stat(path, &seen); /* Before it is read: what is written meanwhile shows at the next look. */
    const char *trouble = path[0] ? load(&keys) : "is not set: name the file with the keys";
    if (trouble) { say(FH_LOG_ERROR, trouble); return FH_E_INVALID; }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&wake, &attributes);
    pthread_condattr_destroy(&attributes);
    watching = 1;
    return pthread_create(&watcher, NULL, watch, NULL) == 0 ? FH_OK : FH_E_INTERNAL;
}
static fh_status authenticate(fh_str secret, void *sink, void (*account)(void *sink, const fh_account *account)) {
    uint8_t hash[32];
    sha256(secret.ptr, secret.len, hash);
    pthread_mutex_lock(&lock);
    const key *found = find(&keys, hash);
    if (found) account(sink, &found->account);
    pthread_mutex_unlock(&lock);
    return found ? FH_OK : FH_E_AUTH;
}
static void stop(void) {
    pthread_mutex_lock(&lock);
    int was = watching;
    watching = 0;
    if (was) pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
    if (was) pthread_join(watcher, NULL);
}
static const fh_auth auth = {sizeof auth, 4, start, authenticate, NULL, stop};

/* A plugin without a broker: its descriptor has no capabilities, its table extension() alone. `broker` names its settings. */
static const void *extension(fh_instance *instance, const char *id) {
    return !instance && strcmp(id, "feedhost.auth/1") == 0 ? &auth : NULL;
}
static const fh_config_key settings[] = {{"path", NULL, "File with the keys, a line each", FH_CFG_STRING, 0}, {0}};
static const fh_descriptor keyfile = {
    .size = sizeof keyfile, .id = "io.feedhost.example.keyfile", .name = "Keys in a file, an example in C", .vendor = "Feedhost",
    .version = "1.0.0", .broker = "keyfile", .config_keys = settings};
static const fh_descriptor *const descriptors[] = {&keyfile, NULL};
static const fh_adapter functions = {.size = sizeof functions, .extension = extension};
static const fh_adapter *adapter(const char *id) { return strcmp(id, keyfile.id) == 0 ? &functions : NULL; }
FH_EXPORT const fh_entry *feedhost_adapter_entry_v1(void) {
    static const fh_entry e = {FH_MAGIC, sizeof e, FH_ABI_MAJOR, FH_ABI_MINOR, 0, 0, FH_LAYOUT, descriptors, adapter};
    return &e;
}
