/**
 * @file feedhost/extensions.h
 * @brief Optional abilities, found by id through extension() on either side.
 *
 * Tables are GROWABLE, records FROZEN, as in adapter.h. Third parties use ids of their own in reverse DNS.
 *
 * The lane: the host makes ALL calls into an instance that uses `feedhost.transport/1` one after another (control,
 * events, timers), and that instance calls the transport's functions on the lane only, that is, from inside such a call.
 * They never block and never call back before they return, so an adapter on the transport needs no lock.
 * After close(), cancel() or disconnect() no callback for that id arrives.
 */
#ifndef FEEDHOST_EXTENSIONS_H
#define FEEDHOST_EXTENSIONS_H

#include "adapter.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A socket, request or timer; chosen by the host, never reused; 0 = none. */
typedef uint64_t fh_id;

/** WebSocket opcodes (RFC 6455 section 5.2); fragments arrive joined. */
enum { FH_WS_TEXT = 1, FH_WS_BINARY = 2, FH_WS_PING = 9, FH_WS_PONG = 10 };
/** fh_request.method; ignored by open(). */
enum { FH_HTTP_GET = 1, FH_HTTP_POST = 2 };

/** A WebSocket to open or an HTTP request to send. URL, fields and body are secrets: never logged, never recorded. GROWABLE. */
typedef struct fh_request {
    uint32_t size;           /**< sizeof(fh_request) of the adapter. */
    uint32_t method;         /**< FH_HTTP_*. */
    uint32_t field_count;    /**< Of fields. */
    /**
     * open(), fetch(): for the whole answer; 0 = 10,000. locate() of `feedhost.instruments/1`: the longest silence of the
     * server, at least 30,000; a whole file may take 15 minutes.
     */
    uint32_t timeout_ms;
    uint64_t generation;     /**< Of connect(). */
    uint64_t user;           /**< Echoed in callbacks; the adapter's own. */
    fh_str url;              /**< ws, wss, http or https. */
    fh_str body;             /**< Of a POST. */
    const fh_field *fields;  /**< Header fields. */
} fh_request;

/** What came back: the answer to a request, or to a WebSocket's upgrade, refused or not. GROWABLE. */
typedef struct fh_response {
    uint32_t size;           /**< sizeof(fh_response) of the host. */
    uint32_t field_count;    /**< Of fields. */
    /**
     * FH_OK; FH_E_NETWORK, FH_E_TIMEOUT, FH_E_LIMIT (429), FH_E_INVALID. FH_E_AUTH: 401 or 403 with words. Anything on the
     * way may have said so: report FH_WHY_AUTH_REJECTED only for words that are the broker's own. A web page or an empty
     * answer is FH_E_NETWORK.
     */
    fh_status status;
    int32_t http_status;     /**< 0 if none came. */
    const fh_field *fields;  /**< Header fields. */
    fh_str body;             /**< Decompressed; at most 64 MiB. */
} fh_response;

/** "feedhost.transport/1", the host's half. create() may look it up. */
typedef struct fh_transport {
    uint32_t size;      /**< sizeof(fh_transport) of the host. */
    uint32_t reserved;  /**< 0. */
    /** Opens a WebSocket. Outcome: on_open(), or on_closed() if it fails. */
    fh_status (*open)(fh_host_ctx *ctx, const fh_request *request, fh_id *socket);
    /** Sends one message (copied). FH_E_LIMIT: 1 MiB is waiting to be sent already. */
    fh_status (*send)(fh_host_ctx *ctx, fh_id socket, uint32_t opcode, fh_str bytes);
    /** Closes with a WebSocket close code, e.g. 1000. */
    void (*close)(fh_host_ctx *ctx, fh_id socket, uint32_t code);
    /** Sends an HTTP request. Outcome: on_fetched(). Redirects are handed to the adapter, not followed. */
    fh_status (*fetch)(fh_host_ctx *ctx, const fh_request *request, fh_id *id);
    /**
     * Calls on_timer() after @p delay_us, then @p repeat_us after each call; 0 = once. Microseconds. What a stall has
     * missed is not made up for. Ends with cancel(), disconnect() or destroy().
     */
    fh_status (*timer)(fh_host_ctx *ctx, uint64_t user, uint32_t delay_us, uint32_t repeat_us, fh_id *timer);
    /** Forgets a request or a timer. */
    void (*cancel)(fh_host_ctx *ctx, fh_id request_or_timer);
} fh_transport;

/** "feedhost.transport/1", the adapter's half. Every event may publish ticks; one that is not needed may be NULL. */
typedef struct fh_transport_events {
    uint32_t size;      /**< sizeof(fh_transport_events) of the adapter. */
    uint32_t reserved;  /**< 0. */
    /** The upgrade succeeded. */
    void (*on_open)(fh_instance *instance, fh_id socket, uint64_t user, const fh_response *upgrade);
    /** A message or a pong; the host has answered pings itself. @p ts_recv: ns since the Unix epoch, UTC. */
    void (*on_frame)(fh_instance *instance, fh_id socket, uint64_t user, uint32_t opcode, fh_str bytes, uint64_t ts_recv);
    /** The socket is gone. @p code: the WebSocket close code, 1006 without one. @p upgrade: the refusal, or NULL. */
    void (*on_closed)(fh_instance *instance, fh_id socket, uint64_t user, uint32_t code, const fh_response *upgrade);
    /** The answer to fetch(). */
    void (*on_fetched)(fh_instance *instance, fh_id id, uint64_t user, const fh_response *response);
    /** A timer has run out. */
    void (*on_timer)(fh_instance *instance, fh_id timer, uint64_t user, uint64_t now_ns);
} fh_transport_events;

/* ------------------------------------------------------------------ orders */

/** Bits of fh_order.known: which of its numbers hold a value. */
enum {
    FH_O_QUANTITY = 1u << 0, /**< quantity. */
    FH_O_FILLED = 1u << 1,   /**< filled. */
    FH_O_PENDING = 1u << 2,  /**< pending. */
    FH_O_PRICE = 1u << 3,    /**< price. */
    FH_O_TRIGGER = 1u << 4,  /**< trigger. */
    FH_O_AVERAGE = 1u << 5   /**< average. */
};

/**
 * How one order stands. The texts are those of the client protocol's `order_update`; the instrument is in the broker's own
 * terms and the host maps it, by the token if there is one, else by the symbol. Texts that are not known are empty. GROWABLE.
 */
typedef struct fh_order {
    uint32_t size;          /**< sizeof(fh_order) of the adapter. */
    uint32_t known;         /**< FH_O_*. */
    fh_str order_id;        /**< The broker's order number; never empty. */
    fh_str broker_exchange; /**< The broker's name of the segment, as in the instrument master. */
    fh_str broker_symbol;   /**< The broker's own symbol. */
    fh_str broker_token;    /**< The broker's token; empty if the update has none. */
    fh_str action;          /**< BUY or SELL. */
    fh_str price_type;      /**< MARKET, LIMIT, SL or SL-M. */
    fh_str product;         /**< CNC, NRML or MIS, or the broker's own word for any other. */
    fh_str status;          /**< open, trigger pending, complete, rejected, cancelled or expired. */
    fh_str reason;          /**< Why it was rejected. */
    int8_t price_exp;       /**< Decimal exponent of the prices, -18 to 0. */
    int8_t qty_exp;         /**< Decimal exponent of the quantities. */
    uint8_t reserved[6];    /**< 0. */
    int64_t quantity;       /**< FH_O_QUANTITY: units ordered. */
    int64_t filled;         /**< FH_O_FILLED: units traded so far. */
    int64_t pending;        /**< FH_O_PENDING: units still to trade. */
    int64_t price;          /**< FH_O_PRICE: limit. */
    int64_t trigger;        /**< FH_O_TRIGGER: trigger of a stop order. */
    int64_t average;        /**< FH_O_AVERAGE: average price of what has traded. */
    uint64_t ts_exchange;   /**< When it changed: ns since the Unix epoch, UTC, or fh_ts_none(). */
} fh_order;

/** "feedhost.orders/1", the host's half. */
typedef struct fh_order_sink {
    uint32_t size;      /**< sizeof(fh_order_sink) of the host. */
    uint32_t reserved;  /**< 0. */
    /**
     * [any] Hands over one update; copied. Goes to the user of this instance alone. The same state told twice reaches
     * clients once. FH_E_INVALID: no order id or no status.
     */
    fh_status (*publish)(fh_host_ctx *ctx, const fh_order *order);
} fh_order_sink;

/**
 * "feedhost.orders/1", the adapter's half, of an instance whose link carries FH_CARRIES_ORDERS. Both calls are [control].
 * The host calls start() while a client wants orders and the connection is ready, again after every reconnect, and on one
 * instance a user only.
 */
typedef struct fh_orders {
    uint32_t size;      /**< sizeof(fh_orders) of the adapter. */
    uint32_t reserved;  /**< 0. */
    fh_status (*start)(fh_instance *instance); /**< Order updates are wanted. */
    fh_status (*stop)(fh_instance *instance);  /**< Nobody wants them any more; updates that still come are dropped. */
} fh_orders;

/* ------------------------------------------------------------- instruments */

/** What locate() may need. GROWABLE; borrowed for the call. */
typedef struct fh_master_query {
    uint32_t size;             /**< sizeof(fh_master_query) of the host. */
    uint32_t file;             /**< Index of the file. */
    fh_str adapter_id;         /**< fh_descriptor.id of the broker. */
    const fh_field *settings;  /**< The adapter's settings by bare name, defaults included. */
    const fh_field *credentials; /**< By the names of credential_keys; none if the user has stored none. */
    uint32_t setting_count;    /**< Of settings. */
    uint32_t credential_count; /**< Of credentials. */
} fh_master_query;

/** One instrument of a broker's master file, mapped to OpenAlgo's names by the adapter. FROZEN, 144 bytes. */
typedef struct fh_master_row {
    fh_str symbol;          /**< OpenAlgo symbol, e.g. "RELIANCE", "NIFTY28NOV24FUT", "NIFTY28NOV2424000CE". */
    fh_str exchange;        /**< OpenAlgo exchange, e.g. "NFO", "NSE_INDEX". */
    fh_str broker_symbol;   /**< The broker's symbol. */
    fh_str broker_exchange; /**< The broker's name of the segment; together with the token it is unique. */
    fh_str broker_token;    /**< The broker's token. */
    fh_str name;            /**< Of the company or the underlying; may be empty. */
    fh_str type;            /**< EQ, FUT, CE, PE, INDEX, or the broker's own word. */
    int64_t strike;         /**< Mantissa of price_exp; 0 = none. */
    int64_t tick_size;      /**< Mantissa of price_exp; 0 = unknown. */
    int64_t lot_size;       /**< Units; 0 = unknown. */
    uint32_t expiry;        /**< yyyymmdd; 0 = none. */
    int8_t price_exp;       /**< Decimal exponent of strike and tick_size, -18 to 0. */
    uint8_t reserved[3];    /**< 0. */
} fh_master_row;

/** Takes @p count rows, borrowed for the call. Negative: stop and return that. */
typedef fh_status (*fh_rows)(void *sink, const fh_master_row *rows, uint32_t count);

/** fh_left_out.kind: how a row that is left out counts. */
enum {
    FH_LEFT_OUT_FAULT = 1,   /**< It could not be understood. Too many of these, and the host refuses the file. */
    FH_LEFT_OUT_FOREIGN = 2  /**< It was understood, and clients have no name for it, e.g. the spot of a currency. */
};

/** Rows of a master file that are left out for one reason. Since ABI 1.1. GROWABLE; borrowed for the call. */
typedef struct fh_left_out {
    uint32_t size;   /**< sizeof(fh_left_out) of the adapter. */
    uint32_t kind;   /**< FH_LEFT_OUT_*. */
    uint64_t count;  /**< Rows, at least 1. */
    uint64_t line;   /**< Where the first of them is, from 1: a line, or a record of a file without lines; 0 = unknown. */
    fh_str reason;   /**< E.g. "expiry not understood": the same words for the same reason, and few of them. */
    fh_str example;  /**< The first of them as the file has it, or its beginning; the host keeps a few; may be empty. */
} fh_left_out;

/** Where the rows of a file go, and what is to be said of it. Since ABI 1.1. GROWABLE; borrowed for the call of read(). */
typedef struct fh_master_sink {
    uint32_t size;      /**< sizeof(fh_master_sink) of the host. */
    uint32_t reserved;  /**< 0. */
    void *sink;         /**< Handed back in each of the calls. */
    fh_rows rows;       /**< Takes rows. */
    /** Receives a sentence for the person who reads it, before an error is returned. */
    void (*problem)(void *sink, fh_str message);
    /** Tells of rows that are left out. One call for each row is fine. */
    void (*left_out)(void *sink, const fh_left_out *what);
    /**
     * Says in a sentence why the file as a whole is not to be trusted, e.g. that its last line is cut short. Reading goes
     * on. The host then keeps what it had, unless the user insists: then it takes the rows that were handed over.
     */
    void (*doubt)(void *sink, fh_str sentence);
} fh_master_sink;

/**
 * "feedhost.instruments/1", the adapter's half: where the broker's instrument master is and what it says. The host
 * downloads, unpacks (zip, gzip), makes UTF-8 of UTF-16, stores and looks up. It needs no instance, so the host asks
 * extension() with NULL for it, and the host calls it on a thread of its own that may take its time.
 */
typedef struct fh_instruments {
    uint32_t size;      /**< sizeof(fh_instruments) of the adapter. */
    uint32_t reserved;  /**< 0. */
    /** Name of the broker's file number @p file, e.g. "NSE_symbols.txt.zip"; static; empty after the last. */
    fh_str (*name)(fh_str adapter_id, uint32_t file);
    /** Says how to download a file: calls @p request once before it returns. FH_E_AUTH: credentials are missing. */
    fh_status (*locate)(const fh_master_query *query, void *sink,
                        void (*request)(void *sink, const fh_request *request));
    /**
     * Reads the unpacked @p bytes of a file and hands the rows over in batches. A row that makes no sense is left out; a
     * file that is none of this broker's is FH_E_INVALID. Hosts since ABI 1.1 call read() instead if there is one.
     * @param problem receives a sentence for the person who reads it, before an error is returned; it may be NULL.
     */
    fh_status (*parse)(fh_str adapter_id, uint32_t file, fh_str bytes, fh_rows rows, void *sink,
                       void (*problem)(void *sink, fh_str message));
    /** As parse(), and says what it leaves out and what it doubts. Since ABI 1.1; may be NULL. Test with FH_HAS(). */
    fh_status (*read)(fh_str adapter_id, uint32_t file, fh_str bytes, const fh_master_sink *sink);
} fh_instruments;

/* ---------------------------------------------------------------- accounts */

/** Bits of fh_account.allows. What is not allowed is answered to clients as if it did not exist. */
enum {
    FH_ALLOWS_ALL_EXCHANGES = 1u << 0, /**< Every exchange; fh_account.exchanges is not read. */
    FH_ALLOWS_ALL_SYMBOLS = 1u << 1,   /**< Every symbol; fh_account.symbols is not read. */
    FH_ALLOWS_ORDERS = 1u << 2         /**< Order updates of the user. */
};

/**
 * Whose a key is and what it allows. An account that is all zeros allows nothing. GROWABLE; borrowed for the call.
 * Lists hold at most 1,000 texts.
 */
typedef struct fh_account {
    uint32_t size;             /**< sizeof(fh_account) of the adapter. */
    uint32_t allows;           /**< FH_ALLOWS_*. */
    uint64_t key_id;           /**< Names the key without revealing it, 1 to INT64_MAX; 0: changes cannot name it. */
    uint64_t expires_at;       /**< The key counts until then: ns since the Unix epoch, UTC, or fh_ts_none(). */
    fh_str user;               /**< 1 to 64 visible characters without spaces. */
    fh_str broker;             /**< OpenAlgo broker key that requests without `broker` mean. */
    const fh_str *brokers;     /**< Further broker keys that requests may name. */
    const fh_str *exchanges;   /**< OpenAlgo exchanges. */
    const fh_str *symbols;     /**< Patterns: `*` any characters, `?` one. */
    uint32_t broker_count;     /**< Of brokers. */
    uint32_t exchange_count;   /**< Of exchanges. */
    uint32_t symbol_count;     /**< Of symbols. */
    uint32_t modes;            /**< FH_MODE_*, added up. */
    uint32_t max_instruments;  /**< That one client may hold at a time; 0 = no limit of its own. */
    uint32_t reserved;         /**< 0. */
} fh_account;

/** fh_account_change.kind. */
enum {
    FH_CHANGE_KEY_REVOKED = 1,         /**< key_id counts no more: its clients are told and closed. */
    FH_CHANGE_KEY = 2,                 /**< What key_id allows has changed: its clients come in anew. */
    FH_CHANGE_USER = 3,                /**< The user is gone or on another broker: the clients come in anew. */
    FH_CHANGE_CREDENTIALS = 4,         /**< New credentials of user at broker: the session is rebuilt with them. */
    FH_CHANGE_CREDENTIALS_REVOKED = 5  /**< user is logged out at broker: the session ends. */
};

/** What has changed since authenticate() or credentials() was answered. GROWABLE; borrowed for the call. */
typedef struct fh_account_change {
    uint32_t size;    /**< sizeof(fh_account_change) of the adapter. */
    uint32_t kind;    /**< FH_CHANGE_*. */
    uint64_t key_id;  /**< Of the first two kinds. */
    fh_str user;      /**< Of the last three. */
    fh_str broker;    /**< Of the last two. */
} fh_account_change;

/** The host's side of one provider; owned by the host. */
typedef struct fh_auth_ctx fh_auth_ctx;

/** What the host offers a provider of accounts. GROWABLE; valid for as long as the process lives. */
typedef struct fh_auth_host {
    uint32_t size;      /**< sizeof(fh_auth_host) of the host. */
    uint32_t reserved;  /**< 0. */
    /** [any] Writes a line to the host's log. Rate-limited; no secrets. @p level is FH_LOG_*. */
    void (*log)(fh_auth_ctx *ctx, int32_t level, fh_str message);
    /**
     * [any] Tells a change. FH_E_INVALID: no such kind, or what it needs is missing. FH_E_LIMIT: 10,000 are waiting; tell
     * it again. FH_E_STOPPING: after stop().
     */
    fh_status (*changed)(fh_auth_ctx *ctx, const fh_account_change *change);
} fh_auth_host;

/**
 * "feedhost.auth/1", the adapter's half: users and keys come from here (`accounts.provider: plugin:NAME`). It needs no
 * instance, so the host asks extension() with NULL for it. GROWABLE; static.
 *
 * Calls come on threads of the host's own and may wait for a network, but not long: one that takes more than 5 s is
 * answered for the adapter (SERVER_ERROR), and what it says later is thrown away. Up to `concurrency` calls run at once.
 * A sink is valid until the call returns, and on its thread.
 */
typedef struct fh_auth {
    uint32_t size;         /**< sizeof(fh_auth) of the adapter. */
    uint32_t concurrency;  /**< Calls at once, 1 to 16; 0 or 1 = one after another, so that no lock is needed. */
    /**
     * Once, before all others: settings by bare name, defaults included, borrowed for the call. Negative: the host does not
     * start, and shows what log() was told. From here on changed() may be called.
     */
    fh_status (*start)(fh_auth_ctx *ctx, const fh_auth_host *host, const fh_field *settings, uint32_t setting_count);
    /**
     * Whose @p key is: calls @p account once before it returns FH_OK. FH_E_AUTH: nobody's. FH_E_STATE: of a user without
     * broker. Any other status: it cannot be found out now. @p key is what a stranger has sent, at most 8,192 bytes.
     */
    fh_status (*authenticate)(fh_str key, void *sink, void (*account)(void *sink, const fh_account *account));
    /**
     * What @p user goes to @p broker with, by the names of its credential_keys: calls @p take once before it returns FH_OK.
     * @p version rises whenever they change. FH_E_AUTH: there are none. NULL: they are in the host's own store.
     */
    fh_status (*credentials)(fh_str user, fh_str broker, void *sink,
                             void (*take)(void *sink, uint64_t version, const fh_field *fields, uint32_t count));
    /** The host ends: joins every thread; no code of this provider runs after it returns. May be NULL. */
    void (*stop)(void);
} fh_auth;

/* ------------------------------------------------------------- raw publish */

/** "feedhost.raw-publish/1", the host's half: for a source that has JSON already. */
typedef struct fh_raw_publish {
    uint32_t size;      /**< sizeof(fh_raw_publish) of the host. */
    uint32_t reserved;  /**< 0. */
    /** [feed] Publishes @p json, one JSON object, as the `data` of that instrument and FH_MODE_*, untouched. */
    fh_status (*publish)(fh_host_ctx *ctx, uint32_t instrument, uint32_t mode, fh_str json);
} fh_raw_publish;

FH_ASSERT(sizeof(fh_master_row) == 144, "frozen size");

#ifdef __cplusplus
}
#endif
#endif
