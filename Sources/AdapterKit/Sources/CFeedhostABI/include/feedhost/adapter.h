/**
 * @file feedhost/adapter.h
 * @brief The contract between the Feedhost host and one broker adapter, ABI 1.1.
 *
 * Plain C11; also valid C++17; imports into Swift and bindgen. An adapter is a shared object that exports one function,
 * feedhost_adapter_entry_v1(). It is dropped into `plugins.d/` and found at the next start.
 *
 * Two kinds of struct, never mixed:
 *  - GROWABLE tables start with `uint32_t size`. Fields are only ever appended; test for one with FH_HAS().
 *  - FROZEN records have a fixed size and no hidden padding, and never change inside a major version. Whatever travels in
 *    an array is FROZEN, because both sides step through it with their own sizeof.
 *
 * Thread tags, per adapter instance:
 *  - [control] never called concurrently with another [control] call; not tied to one OS thread; must return within the
 *    deadline (250 ms); no network waits.
 *  - [feed] one thread at a time per instance; wait-free: it fills a single-producer ring.
 *  - [any] any thread, concurrently; bounded.
 * An adapter that uses `feedhost.transport/1` (extensions.h) gets all its calls one after another and needs no lock.
 *
 * Memory: every pointer argument is borrowed for the call. Nobody frees the other side's memory.
 * Unwinding: no exception, panic, longjmp or Swift error may cross a call in either direction.
 * Absent is absent: a value that is not known has its bit cleared; it is never 0.
 */
#ifndef FEEDHOST_ADAPTER_H
#define FEEDHOST_ADAPTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define FH_ASSERT(condition, message) static_assert(condition, message)
extern "C" {
#else
#define FH_ASSERT(condition, message) _Static_assert(condition, message)
#endif

/** Marks the one function that an adapter exports; build everything else with -fvisibility=hidden. */
#define FH_EXPORT __attribute__((visibility("default")))

#define FH_ABI_MAJOR 1        /**< Changes only when old adapters can no longer be served. */
#define FH_ABI_MINOR 1        /**< Grows with every appended field or function. */
#define FH_MAGIC 0x31484446u  /**< "FDH1" in little-endian memory order. */

/** True when the table that @p p points to is long enough to hold field @p f of type @p T. */
#define FH_HAS(p, T, f) ((p)->size >= offsetof(T, f) + sizeof(((T *)0)->f))

/** A price or quantity that the venue has withdrawn: the bit is set and the value is this. */
static inline int64_t fh_px_none(void) { return INT64_MAX; }
/** A time that is not known. */
static inline uint64_t fh_ts_none(void) { return UINT64_MAX; }
/** A sequence number that is not known. */
static inline uint64_t fh_seq_none(void) { return UINT64_MAX; }

/** Text or bytes: UTF-8 unless said otherwise, not NUL-terminated. FROZEN. */
typedef struct fh_str {
    const char *ptr; /**< First byte; may be NULL when len is 0. */
    uint64_t len;    /**< Bytes. */
} fh_str;

typedef struct fh_instance fh_instance; /**< One broker connection; owned by the adapter. */
typedef struct fh_host_ctx fh_host_ctx; /**< The host's side of one instance; owned by the host. */

/** 0 is success, negative is an error; unknown negative values are errors too. Never a C enum in a signature. */
typedef int32_t fh_status;
enum {
    FH_OK = 0,
    FH_E_INVALID = -1,             /**< An argument is wrong. */
    FH_E_UNSUPPORTED = -2,         /**< This adapter or broker cannot do it. */
    FH_E_NOMEM = -3,               /**< Out of memory. */
    FH_E_STATE = -4,               /**< Not now: for example, subscribe before connect. */
    FH_E_LIMIT = -5,               /**< A quota, a rate or a full buffer. */
    FH_E_AUTH = -6,                /**< Refused credentials: do not try again with the same ones. */
    FH_E_NETWORK = -7,             /**< The connection failed. */
    FH_E_UNKNOWN_INSTRUMENT = -8,  /**< No such symbol on that exchange. */
    FH_E_STOPPING = -9,            /**< The host is shutting down. */
    FH_E_TIMEOUT = -10,            /**< No answer in time. */
    FH_E_INTERNAL = -11            /**< A fault of the callee. */
};

/** How much of an instrument is wanted. Each mode holds the fields of the modes before it. */
enum { FH_MODE_LTP = 1, FH_MODE_QUOTE = 2, FH_MODE_DEPTH = 4 };

/* ------------------------------------------------------------------ ticks */

/** One price level of an order book. FROZEN, 24 bytes. */
typedef struct fh_level {
    int64_t px;        /**< Price mantissa; the exponent is the tick's price_exp. */
    int64_t qty;       /**< Quantity mantissa; the exponent is the tick's qty_exp. */
    uint32_t orders;   /**< Number of orders; 0 when the broker does not say. */
    uint32_t reserved; /**< 0. */
} fh_level;

/** Bits of fh_tick.fields. A clear bit means "unchanged", so a delta carries any subset. */
enum {
    FH_F_LTP = 1u << 0,         /**< ltp: last traded price. */
    FH_F_LTQ = 1u << 1,         /**< ltq: last traded quantity. */
    FH_F_AVG = 1u << 2,         /**< avg_px: volume-weighted average price of the day. */
    FH_F_OPEN = 1u << 3,        /**< open: first price of the day. */
    FH_F_HIGH = 1u << 4,        /**< high: highest price of the day. */
    FH_F_LOW = 1u << 5,         /**< low: lowest price of the day. */
    FH_F_CLOSE = 1u << 6,       /**< close: previous close. */
    FH_F_VOLUME = 1u << 7,      /**< volume: quantity traded today. */
    FH_F_OI = 1u << 8,          /**< oi: open interest. */
    FH_F_OI_HIGH = 1u << 9,     /**< oi_high: highest open interest of the day. */
    FH_F_OI_LOW = 1u << 10,     /**< oi_low: lowest open interest of the day. */
    FH_F_OI_PREV = 1u << 11,    /**< oi_prev: open interest at the previous close. */
    FH_F_TOTAL_BUY = 1u << 12,  /**< total_buy_qty: quantity of all buy orders. */
    FH_F_TOTAL_SELL = 1u << 13, /**< total_sell_qty: quantity of all sell orders. */
    FH_F_BID = 1u << 14,        /**< bid_px and bid_qty: best bid. */
    FH_F_ASK = 1u << 15,        /**< ask_px and ask_qty: best ask. */
    FH_F_LOWER_LIMIT = 1u << 16, /**< lower_limit: lower circuit. */
    FH_F_UPPER_LIMIT = 1u << 17, /**< upper_limit: upper circuit. */
    FH_F_YEAR_HIGH = 1u << 18,  /**< year_high: highest price of 52 weeks. */
    FH_F_YEAR_LOW = 1u << 19,   /**< year_low: lowest price of 52 weeks. */
    FH_F_TURNOVER = 1u << 20,   /**< turnover: traded value of the day, mantissa of price_exp. */
    FH_F_TRADE_TS = 1u << 21,   /**< ts_last_trade: time of the last trade. */
    FH_F_BIDS = 1u << 22,       /**< The buy side of the book is in this call; with count 0 it is empty. */
    FH_F_ASKS = 1u << 23        /**< The sell side of the book is in this call; with count 0 it is empty. */
};

/** Bits of fh_tick.flags. */
enum {
    FH_TF_SNAPSHOT = 1u << 0,   /**< Holds everything known: fields whose bit is clear are now unknown, and so is ts_exchange
                                     without a time. The book is part of it when `kind` is FH_MODE_DEPTH, else it stays. */
    FH_TF_LAST = 1u << 1,       /**< Last of the records that one frame produced. */
    FH_TF_BAD_TS = 1u << 2,     /**< ts_exchange is implausible and was kept as it came. */
    FH_TF_GAP_BEFORE = 1u << 3, /**< Records before this one were lost. */
    FH_TF_SYNTHETIC = 1u << 4   /**< Made by the adapter, not by the venue. */
};

/**
 * One update of one instrument. FROZEN, 256 bytes. A real price is `mantissa * 10^price_exp`, a real quantity
 * `mantissa * 10^qty_exp`. Only the values whose bit is set in `fields` are read.
 */
typedef struct fh_tick {
    uint32_t instrument;     /**< Handle from fh_instrument: process-wide, never 0, never reused. */
    uint16_t kind;           /**< FH_MODE_*: the richest mode that this record belongs to. */
    uint16_t flags;          /**< FH_TF_*. */
    uint64_t fields;         /**< FH_F_*. */
    uint64_t ts_exchange;    /**< When the venue sent it: ns since the Unix epoch, UTC, or fh_ts_none(). Belongs to the ltp
                                  beside it: with a new one and no time, the time is unknown. */
    uint64_t ts_recv;        /**< When the frame arrived here: ns since the Unix epoch, UTC, or fh_ts_none(). */
    uint64_t sequence;       /**< Sequence number of the venue or broker, or fh_seq_none(). */
    int8_t price_exp;        /**< Decimal exponent of all prices in this record and its levels, -18 to 0. */
    int8_t qty_exp;          /**< Decimal exponent of all quantities; 0 unless the instrument is fractional. */
    uint8_t reserved[6];     /**< 0. */
    int64_t ltp;             /**< FH_F_LTP. */
    int64_t open;            /**< FH_F_OPEN. */
    int64_t high;            /**< FH_F_HIGH. */
    int64_t low;             /**< FH_F_LOW. */
    int64_t close;           /**< FH_F_CLOSE. */
    int64_t avg_px;          /**< FH_F_AVG. */
    int64_t ltq;             /**< FH_F_LTQ. */
    int64_t volume;          /**< FH_F_VOLUME. */
    int64_t oi;              /**< FH_F_OI. */
    int64_t total_buy_qty;   /**< FH_F_TOTAL_BUY. */
    int64_t total_sell_qty;  /**< FH_F_TOTAL_SELL. */
    int64_t bid_px;          /**< FH_F_BID. */
    int64_t bid_qty;         /**< FH_F_BID. */
    int64_t ask_px;          /**< FH_F_ASK. */
    int64_t ask_qty;         /**< FH_F_ASK. */
    int64_t lower_limit;     /**< FH_F_LOWER_LIMIT. */
    int64_t upper_limit;     /**< FH_F_UPPER_LIMIT. */
    uint64_t ts_last_trade;  /**< FH_F_TRADE_TS: ns since the Unix epoch, UTC. */
    int64_t year_high;       /**< FH_F_YEAR_HIGH. */
    int64_t year_low;        /**< FH_F_YEAR_LOW. */
    int64_t oi_high;         /**< FH_F_OI_HIGH. */
    int64_t oi_low;          /**< FH_F_OI_LOW. */
    int64_t oi_prev;         /**< FH_F_OI_PREV. */
    int64_t turnover;        /**< FH_F_TURNOVER. */
    int64_t spare[2];        /**< 0; room for fields of later minors. */
} fh_tick;

/* ---------------------------------------------------------- subscriptions */

/** An instrument as the host hands it to the adapter. GROWABLE; borrowed for the call, so copy what you keep. */
typedef struct fh_instrument {
    uint32_t size;           /**< sizeof(fh_instrument) of the host. */
    uint32_t handle;         /**< What ticks carry back. */
    fh_str exchange;         /**< OpenAlgo exchange, e.g. "NSE", "NSE_INDEX". */
    fh_str symbol;           /**< OpenAlgo symbol, e.g. "RELIANCE". */
    fh_str broker_exchange;  /**< The broker's name of the segment; empty without an instrument master. */
    fh_str broker_token;     /**< The broker's token; empty without an instrument master. */
    int8_t price_exp;        /**< Exponent of tick_size; 0 if unknown. */
    int8_t qty_exp;          /**< Exponent of lot_size; 0 if unknown. */
    uint8_t reserved[6];     /**< 0. */
    int64_t tick_size;       /**< Smallest price step, mantissa; 0 if unknown. */
    int64_t lot_size;        /**< Units a lot, mantissa; 0 if unknown. */
} fh_instrument;

/** One wish. FROZEN, 16 bytes. It replaces an earlier wish for the same instrument on the same instance. */
typedef struct fh_sub_request {
    const fh_instrument *instrument; /**< Borrowed for the call. */
    uint16_t mode;                   /**< FH_MODE_*: the highest mode that any client wants. */
    uint16_t depth;                  /**< Levels wanted, one of the descriptor's; 0 unless mode is FH_MODE_DEPTH. */
    uint32_t reserved;               /**< 0. */
} fh_sub_request;

/** What became of a wish: fh_sub_result.outcome. */
enum {
    FH_SUB_ACKED = 1,       /**< The broker has confirmed it. */
    FH_SUB_SENT_NO_ACK = 2, /**< Sent; this broker confirms nothing. */
    FH_SUB_DOWNGRADED = 3,  /**< Granted with a lower mode or depth than asked. */
    FH_SUB_REJECTED = 4     /**< Refused; `status` and `message` say why. */
};

/** The answer to one wish. FROZEN, 40 bytes. */
typedef struct fh_sub_result {
    uint32_t handle;         /**< Of the instrument. */
    uint32_t outcome;        /**< FH_SUB_*. */
    uint16_t granted_mode;   /**< FH_MODE_*. */
    uint16_t granted_depth;  /**< Levels; 0 unless granted_mode is FH_MODE_DEPTH. */
    fh_status status;        /**< FH_OK or why it was refused. */
    int32_t broker_code;     /**< The broker's own code; 0 if none. */
    int32_t reserved;        /**< 0. */
    fh_str message;          /**< For the person who reads it; no secrets. */
} fh_sub_result;

/* ------------------------------------------------------------- connection */

/** fh_conn_event.state. */
enum {
    FH_CONN_CONNECTING = 1,     /**< Trying. */
    FH_CONN_AUTHENTICATING = 2, /**< The socket is open; the broker has not accepted us yet. */
    FH_CONN_READY = 3,          /**< Subscriptions may be sent. */
    FH_CONN_DISCONNECTED = 4,   /**< Lost; the host connects again after a backoff. */
    FH_CONN_FAILED = 5          /**< Given up: the host waits for new credentials or configuration. */
};

/** fh_conn_event.reason. */
enum {
    FH_WHY_REQUESTED = 1,        /**< The host asked for it. */
    FH_WHY_NETWORK = 2,          /**< The socket failed or closed. */
    FH_WHY_AUTH_EXPIRED = 3,     /**< The token was good and is no longer. */
    FH_WHY_AUTH_REJECTED = 4,    /**< The credentials were refused. */
    FH_WHY_RATE_LIMITED = 5,     /**< Too many requests; see retry_after_ms. */
    FH_WHY_CONNECTION_LIMIT = 6, /**< Too many connections for this account. */
    FH_WHY_PROTOCOL = 7,         /**< The broker sent what its protocol does not allow. */
    FH_WHY_REPLACED = 8,         /**< Another session of the same account took over. */
    FH_WHY_MAINTENANCE = 9       /**< The broker is closed for maintenance. */
};

/** A change of state of one broker connection. GROWABLE. */
typedef struct fh_conn_event {
    uint32_t size;           /**< sizeof(fh_conn_event) of the adapter. */
    uint32_t state;          /**< FH_CONN_*. */
    uint32_t reason;         /**< FH_WHY_*; 0 for the first three states. */
    uint32_t retry_after_ms; /**< Milliseconds; 0 leaves it to the host's backoff. */
    uint64_t generation;     /**< Echo of connect(): late events of an older connection are ignored. */
    int32_t broker_code;     /**< The broker's own code; 0 if none. */
    int32_t reserved;        /**< 0. */
    fh_str message;          /**< For the person who reads it; no secrets. */
} fh_conn_event;

/** A name and its value. FROZEN, 32 bytes. */
typedef struct fh_field {
    fh_str name;
    fh_str value;
} fh_field;

/** Fresh with every connect(), wiped when the call returns. GROWABLE. Unknown values are empty. */
typedef struct fh_credentials {
    uint32_t size;           /**< sizeof(fh_credentials) of the host. */
    uint32_t reserved;       /**< 0. */
    uint64_t version;        /**< Rises whenever the user's credentials change. */
    uint64_t expires_at;     /**< ns since the Unix epoch, UTC, or fh_ts_none(). */
    fh_str user_id;          /**< The account at the broker. */
    fh_str api_key;          /**< Of the broker's developer portal. */
    fh_str api_secret;       /**< Of the broker's developer portal. */
    fh_str access_token;     /**< Of today's login. */
    fh_str feed_token;       /**< Some brokers have a second token for the feed. */
    const fh_field *fields;  /**< Whatever else the descriptor's credential_keys name. */
    uint32_t field_count;    /**< Of fields. */
    uint32_t reserved2;      /**< 0. */
} fh_credentials;

/* ------------------------------------------------------------- descriptor */

/** Depth levels that one exchange offers through this broker. FROZEN, 24 bytes. */
typedef struct fh_depth_cap {
    const char *exchange;  /**< OpenAlgo exchange; "*" for all that are not named. */
    uint16_t levels[6];    /**< Ascending, e.g. 5, 20, 30. */
    uint16_t count;        /**< Used entries of levels, 1 to 6. */
    uint16_t reserved;     /**< 0. */
} fh_depth_cap;

/**
 * What an fh_link's quota counts. Under FH_UNIT_INSTRUMENT_MODE an instrument counts 1 at its highest mode, whatever lower
 * modes clients hold beside it, and 2 with more than 5 levels: the deep book is a mode of its own beside the one that
 * brings the prices.
 */
enum { FH_UNIT_NONE = 0, FH_UNIT_INSTRUMENT = 1, FH_UNIT_INSTRUMENT_MODE = 2 };
/** fh_link.carries: beside FH_MODE_*, order updates. */
enum { FH_CARRIES_ORDERS = 8 };

/** One kind of broker connection. FROZEN, 40 bytes. One adapter instance is one connection of one kind. */
typedef struct fh_link {
    const char *name;     /**< "market", "depth", "orders". */
    uint32_t carries;     /**< FH_MODE_* and FH_CARRIES_ORDERS, added up. */
    uint32_t unit;        /**< FH_UNIT_*: what quota counts. */
    uint32_t quota;       /**< Units a connection; 0 = no limit. */
    uint32_t deep_quota;  /**< Instruments with more than 5 levels a connection; 0 = no limit of its own. */
    uint32_t max_links;   /**< Connections of this kind a user; 0 = one. */
    uint32_t max_depth;   /**< Levels, if lower than fh_depth_cap says; 0 = as the exchange allows. */
    uint32_t batch;       /**< Instruments a subscribe() call; 0 = no limit. */
    uint32_t per_second;  /**< subscribe() calls a second; 0 = no limit. */
} fh_link;

/** Where order updates come from: fh_capabilities.order_stream. */
enum { FH_ORDERS_NONE = 0, FH_ORDERS_SAME_SOCKET = 1, FH_ORDERS_OWN_SOCKET = 2, FH_ORDERS_POLL = 3 };

/** fh_capabilities.flags. */
enum {
    FH_CAP_SNAPSHOT_ON_SUB = 1u << 0,   /**< The broker sends a full record after subscribe. */
    FH_CAP_SUB_ACK = 1u << 1,           /**< The broker confirms subscriptions. */
    FH_CAP_SEQUENCE = 1u << 2,          /**< Ticks carry a sequence number. */
    FH_CAP_DAILY_TOKEN = 1u << 3,       /**< The access token dies every day. */
    FH_CAP_EXCLUSIVE_SESSION = 1u << 4, /**< One session an account: no second link, ever. */
    FH_CAP_ANY_SYMBOL = 1u << 5         /**< No instrument master: every symbol is handed to subscribe(). */
};

/** What the host needs to know; it reads this and holds no broker's name. GROWABLE. Times in milliseconds, 0 = default. */
typedef struct fh_capabilities {
    uint32_t size;                 /**< sizeof(fh_capabilities) of the adapter. */
    uint32_t modes;                /**< FH_MODE_*, added up. */
    uint32_t flags;                /**< FH_CAP_*. */
    uint32_t order_stream;         /**< FH_ORDERS_*. */
    const char *const *exchanges;  /**< OpenAlgo exchanges; ends with NULL. */
    const fh_depth_cap *depth;     /**< May be NULL: 5 levels everywhere. */
    const fh_link *links;          /**< Kinds of connection; may be NULL: one kind without quota. */
    uint32_t depth_count;          /**< Of depth. */
    uint32_t link_count;           /**< Of links. */
    uint32_t ack_timeout_ms;       /**< How long to wait for report_subscriptions(); default 3,000. */
    uint32_t keep_alive_ms;        /**< After the last client has left; default 30,000; UINT32_MAX = stay. */
    uint32_t ws_ping_ms;           /**< Host pings the broker's WebSocket so often; default off. */
    uint32_t ws_pong_timeout_ms;   /**< Reconnect when a pong takes longer; default 10,000. */
    uint32_t app_heartbeat_ms;     /**< The adapter's own heartbeat, for information. */
    uint32_t data_silence_ms;      /**< Reconnect when a link with subscriptions or orders is silent so long; off. */
    uint32_t off_hours_silence_ms; /**< The same outside market hours; default off. */
    uint32_t backoff_base_ms;      /**< First wait before a reconnect; default 500. */
    uint32_t backoff_max_ms;       /**< Longest wait before a reconnect; default 60,000. */
    uint32_t reserved;             /**< 0. */
} fh_capabilities;

/** fh_config_key.type. */
enum { FH_CFG_STRING = 1, FH_CFG_INT = 2, FH_CFG_BOOL = 3, FH_CFG_DURATION = 4, FH_CFG_SECRET = 5, FH_CFG_URL = 6 };

/** One setting or one credential. FROZEN, 32 bytes. The host checks the type before create(); the range is the adapter's. */
typedef struct fh_config_key {
    const char *name;          /**< As in `BROKER.name=value`; NULL ends the list. */
    const char *default_value; /**< NULL if there is none. */
    const char *help;          /**< One line: meaning, unit and range. */
    uint32_t type;             /**< FH_CFG_*. */
    uint32_t required;         /**< 1 if there must be a value. */
} fh_config_key;

/** One broker. GROWABLE; static. */
typedef struct fh_descriptor {
    uint32_t size;                        /**< sizeof(fh_descriptor) of the adapter. */
    uint32_t reserved;                    /**< 0. */
    const char *id;                       /**< Reverse DNS, e.g. "in.example.zerodha". */
    const char *name;                     /**< For people, e.g. "Zerodha Kite". */
    const char *vendor;                   /**< Who made the adapter. */
    const char *version;                  /**< Of the adapter, e.g. "1.2.0". */
    const char *url;                      /**< Home page; may be NULL. */
    const char *license;                  /**< SPDX id; may be NULL. */
    const char *broker;                   /**< OpenAlgo broker key: a-z, 0-9 and _, e.g. "zerodha"; settings bear it. */
    const fh_capabilities *capabilities;  /**< NULL: no broker is served, it provides accounts alone (extensions.h). */
    const fh_config_key *config_keys;     /**< Ends with name == NULL; may be NULL. */
    const fh_config_key *credential_keys; /**< Ends with name == NULL; may be NULL. */
} fh_descriptor;

/* ------------------------------------------------------------- the tables */

/** Counters that metric_add() knows. */
enum {
    FH_M_FRAMES_IGNORED = 1, /**< Frames that are valid and of no use: streams that were not asked for. */
    FH_M_FRAMES_BAD = 2,     /**< Frames that could not be decoded. */
    FH_M_TICKS_DROPPED = 3,  /**< Updates that the adapter had to throw away. */
    FH_M_GAPS = 4            /**< Breaks in the venue's sequence. */
};

/** Severity of log(). */
enum { FH_LOG_TRACE = 0, FH_LOG_DEBUG = 1, FH_LOG_INFO = 2, FH_LOG_WARNING = 3, FH_LOG_ERROR = 4 };

/** What the host offers. GROWABLE; valid until destroy() returns. */
typedef struct fh_host {
    uint32_t size;        /**< sizeof(fh_host) of the host. */
    uint16_t abi_major;   /**< FH_ABI_MAJOR of the host. */
    uint16_t abi_minor;   /**< FH_ABI_MINOR of the host. */
    const char *name;     /**< "feedhost". */
    const char *version;  /**< Of the host. */
    /** [any] Writes a line to the host's log. Rate-limited; no secrets. @p level is FH_LOG_*. */
    void (*log)(fh_host_ctx *ctx, int32_t level, fh_str message);
    /**
     * [feed] Hands over @p count updates without books. When the ring is full, a thread of the adapter's own is held for up to
     * 50 ms, so that it reads nothing meanwhile and the broker is held up in turn: hold no lock there for which a call of the
     * host's waits. FH_E_LIMIT: there was no room; the rest was dropped and counted.
     */
    fh_status (*publish_ticks)(fh_host_ctx *ctx, const fh_tick *ticks, uint32_t count);
    /** [feed] Hands over one update with a book, best level first, at most 200 a side. A side counts only if its bit is set. */
    fh_status (*publish_depth)(fh_host_ctx *ctx, const fh_tick *tick, const fh_level *bids, uint32_t bid_count,
                               const fh_level *asks, uint32_t ask_count);
    /** [any] Tells the host how the connection stands. */
    void (*report_connection)(fh_host_ctx *ctx, const fh_conn_event *event);
    /** [any] Answers the wishes of subscribe() with that @p request, all at once or in parts. */
    void (*report_subscriptions)(fh_host_ctx *ctx, uint64_t request, const fh_sub_result *results, uint32_t count);
    /** [feed] Tells the silence watchdog of traffic that the host did not carry. */
    void (*report_traffic)(fh_host_ctx *ctx, uint32_t frames, uint64_t bytes, uint32_t heartbeats);
    /** [any] Handle of a subscribed instrument by the broker's own name, or 0. Not for the tick path: keep a map. */
    uint32_t (*find_by_token)(fh_host_ctx *ctx, fh_str broker_exchange, fh_str broker_token);
    /** [any] Value of a setting by its bare name, its default included; empty if none. Valid until destroy() returns. */
    fh_str (*config)(fh_host_ctx *ctx, fh_str key);
    /** [any] Adds to a counter, FH_M_*. */
    void (*metric_add)(fh_host_ctx *ctx, uint32_t metric, int64_t delta);
    /** [any] The host's clock: ns since the Unix epoch, UTC. */
    uint64_t (*now_ns)(fh_host_ctx *ctx);
    /** [any] A table of an optional ability, e.g. "feedhost.transport/1", or NULL if this host does not have it. */
    const void *(*extension)(fh_host_ctx *ctx, const char *id);
} fh_host;

/** Arguments of create(). GROWABLE. */
typedef struct fh_create_params {
    uint32_t size;             /**< sizeof(fh_create_params) of the host. */
    uint32_t link;             /**< Index into capabilities->links; 0 without links. */
    uint32_t connection_index; /**< 0 for the first connection of this kind, 1 for the second … */
    uint32_t reserved;         /**< 0. */
    fh_host_ctx *ctx;          /**< First argument of every call to the host. */
    const fh_host *host;       /**< Valid until destroy() returns. */
    fh_str adapter_id;         /**< fh_descriptor.id of the broker that is wanted. */
} fh_create_params;

/**
 * What an adapter offers. GROWABLE; static. Every call is [control]; outcomes come back through fh_host.
 *
 * Calls into fh_host are allowed from inside any of these calls, destroy() excepted: the host queues what it is told.
 * A negative status answers the whole call: no outcome is owed for it. extension() may be NULL; all others may not.
 * A descriptor without capabilities turns that round: extension() is called, with NULL, and nothing else.
 */
typedef struct fh_adapter {
    uint32_t size;      /**< sizeof(fh_adapter) of the adapter. */
    uint32_t reserved;  /**< 0. */
    /** Makes one connection object. No I/O; log(), config() and extension() are allowed. */
    fh_status (*create)(const fh_create_params *params, fh_instance **out);
    /**
     * Connects, with the credentials of this moment. Outcome: report_connection() with this @p generation. The host calls
     * disconnect() before it connects again.
     */
    fh_status (*connect)(fh_instance *instance, uint64_t generation, const fh_credentials *credentials);
    /** Sets the mode of each instrument, replacing an earlier one. Outcome: report_subscriptions(). */
    fh_status (*subscribe)(fh_instance *instance, uint64_t request, const fh_sub_request *requests, uint32_t count);
    /** Removes the instruments. Needs no outcome. */
    fh_status (*unsubscribe)(fh_instance *instance, uint64_t request, const fh_sub_request *requests, uint32_t count);
    /**
     * Ends the connection and forgets all subscriptions; the host replays them after the next connect(). Needs no
     * outcome: a report with FH_WHY_REQUESTED is ignored. A @p generation that is not the current one does nothing.
     */
    fh_status (*disconnect)(fh_instance *instance, uint64_t generation);
    /** Ends the object: joins every thread; no code of this instance runs after it returns. */
    void (*destroy)(fh_instance *instance);
    /**
     * A table of an optional ability, e.g. "feedhost.transport/1", or NULL. Called right after create(), and with a NULL
     * @p instance for abilities that need none, such as "feedhost.instruments/1": do not follow the pointer before the id
     * is known.
     */
    const void *(*extension)(fh_instance *instance, const char *id);
} fh_adapter;

/* -------------------------------------------------------------- the entry */

/** Sizes that both sides must agree on. FROZEN, 8 bytes. */
typedef struct fh_layout {
    uint16_t ptr;   /**< sizeof(void *). */
    uint16_t tick;  /**< sizeof(fh_tick). */
    uint16_t level; /**< sizeof(fh_level). */
    uint16_t str;   /**< sizeof(fh_str). */
} fh_layout;

/** Initialiser of fh_entry.layout for C and C++. */
#define FH_LAYOUT \
    { (uint16_t)sizeof(void *), (uint16_t)sizeof(fh_tick), (uint16_t)sizeof(fh_level), (uint16_t)sizeof(fh_str) }

/** The table behind the one exported symbol. Its first 24 bytes never change, in any major version. */
typedef struct fh_entry {
    uint32_t magic;          /**< FH_MAGIC. */
    uint32_t size;           /**< sizeof(fh_entry) of the adapter. */
    uint16_t abi_major;      /**< FH_ABI_MAJOR that the adapter was built with. */
    uint16_t abi_minor;      /**< FH_ABI_MINOR that the adapter was built with. */
    uint16_t min_host_minor; /**< Oldest host minor that it can live with. */
    uint16_t reserved;       /**< 0. */
    fh_layout layout;        /**< FH_LAYOUT. */
    const fh_descriptor *const *descriptors;      /**< Ends with NULL: one file may carry several brokers. */
    const fh_adapter *(*adapter)(const char *id); /**< The table of one descriptor's id, or NULL. */
} fh_entry;

/**
 * The only symbol that an adapter exports. A function and not data, because dlsym() on data is not portable and Swift
 * cannot export a C global. It returns a static and runs no other code.
 */
FH_EXPORT const fh_entry *feedhost_adapter_entry_v1(void);

/* -------------------------------------------------- layouts that are frozen */

FH_ASSERT(sizeof(void *) == 8, "Feedhost is 64-bit only");
FH_ASSERT(sizeof(fh_str) == 16 && offsetof(fh_str, len) == 8, "fh_str is frozen");
FH_ASSERT(sizeof(fh_level) == 24 && offsetof(fh_level, orders) == 16, "fh_level is frozen");
FH_ASSERT(sizeof(fh_tick) == 256, "fh_tick is frozen");
FH_ASSERT(offsetof(fh_tick, fields) == 8 && offsetof(fh_tick, price_exp) == 40 && offsetof(fh_tick, ltp) == 48 &&
              offsetof(fh_tick, ltq) == 96 && offsetof(fh_tick, bid_px) == 136 &&
              offsetof(fh_tick, ts_last_trade) == 184 && offsetof(fh_tick, turnover) == 232,
          "fh_tick is frozen");
FH_ASSERT(sizeof(fh_sub_request) == 16 && offsetof(fh_sub_request, mode) == 8, "fh_sub_request is frozen");
FH_ASSERT(sizeof(fh_sub_result) == 40 && offsetof(fh_sub_result, status) == 12 && offsetof(fh_sub_result, message) == 24,
          "fh_sub_result is frozen");
FH_ASSERT(sizeof(fh_field) == 32 && offsetof(fh_field, value) == 16, "fh_field is frozen");
FH_ASSERT(sizeof(fh_depth_cap) == 24 && offsetof(fh_depth_cap, count) == 20, "fh_depth_cap is frozen");
FH_ASSERT(sizeof(fh_link) == 40 && offsetof(fh_link, quota) == 16, "fh_link is frozen");
FH_ASSERT(sizeof(fh_config_key) == 32 && offsetof(fh_config_key, type) == 24, "fh_config_key is frozen");
FH_ASSERT(sizeof(fh_layout) == 8, "fh_layout is frozen");
FH_ASSERT(offsetof(fh_entry, layout) == 16 && offsetof(fh_entry, descriptors) == 24, "the entry's prefix is frozen");

#ifdef __cplusplus
}
#endif
#endif
