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
    uint32_t timeout_ms;     /**< For the whole answer; 0 = 10,000. */
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
    fh_status status;        /**< FH_OK; FH_E_NETWORK, FH_E_TIMEOUT, FH_E_AUTH (401, 403), FH_E_LIMIT (429), FH_E_INVALID. */
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

/** "feedhost.raw-publish/1", the host's half: for a source that has JSON already. */
typedef struct fh_raw_publish {
    uint32_t size;      /**< sizeof(fh_raw_publish) of the host. */
    uint32_t reserved;  /**< 0. */
    /** [feed] Publishes @p json, one JSON object, as the `data` of that instrument and FH_MODE_*, untouched. */
    fh_status (*publish)(fh_host_ctx *ctx, uint32_t instrument, uint32_t mode, fh_str json);
} fh_raw_publish;

#ifdef __cplusplus
}
#endif
#endif
