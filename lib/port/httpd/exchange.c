/* SPDX-License-Identifier: MIT
 *
 * A request to the handler, its answer back. libmicrohttpd calls in pieces: once when the first line has
 * come, once when the headers have, once for each piece of the body, and once at its end, where the answer is
 * given.
 */
#include "port/httpd/impl.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A body that is too large is read to its end all the same, so that the client reads the answer and not a
 * reset; one that is larger than this, or says so beforehand, is not. */
static const uint64_t drained_bytes = (uint64_t)256 << 20;

void *dq_exchange_begin(void *arg, const char *uri, struct MHD_Connection *connection)
{
    dq_httpd *httpd = arg;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection,
                                                                   MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    dq_exchange *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    x->httpd = httpd;
    x->connection = info ? info->socket_context : NULL;
    x->nul = strstr(uri, "%00") != NULL;
    x->request.arena = &x->arena;
    x->request.connection = connection;
    atomic_fetch_add(&httpd->request_count, 1);
    dq_connection_note(x->connection, DQ_CONNECTION_READING);
    return x;
}

void dq_exchange_end(void *httpd, struct MHD_Connection *connection, void **context,
                     enum MHD_RequestTerminationCode code)
{
    (void)connection, (void)code;
    dq_exchange *x = *context;
    if (!x) return;
    if (x->later && x->dropped) x->dropped(x->later_arg);
    dq_connection_note(x->connection, DQ_CONNECTION_IDLE);
    atomic_fetch_sub(&((dq_httpd *)httpd)->request_count, 1);
    dq_arena_free(&x->arena);
    free(x->body);
    free(x);
    *context = NULL;
}

/* ---- the answer ---- */

static struct MHD_Response *make_stream(dq_exchange *x, dq_httpd_reply *reply)
{
    struct MHD_Response *response = dq_watcher_response(x->httpd, reply->events, x->request.connection,
                                                        x->connection,
                                                        dq_httpd_header(&x->request, "Last-Event-ID"));
    dq_httpd_reply_header(reply, "Cache-Control", "no-store");
    if (response) {
        reply->type = "text/event-stream";
        dq_httpd_reply_header(reply, "X-Accel-Buffering", "no");
    } else {
        reply->status = MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    return response;
}

static struct MHD_Response *make_response(dq_exchange *x, dq_httpd_reply *reply)
{
    struct MHD_Response *stream = reply->events ? make_stream(x, reply) : NULL;
    return stream ? stream
                  : MHD_create_response_from_buffer(reply->bytes, (void *)(uintptr_t)reply->body,
                                                    MHD_RESPMEM_PERSISTENT);
}

static void add_headers(const dq_httpd *httpd, struct MHD_Response *response, const dq_httpd_reply *reply)
{
    if (reply->type) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    for (size_t i = 0; i < reply->header_count; i++)
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    if (atomic_load(&httpd->stopping)) MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

static enum MHD_Result answer(dq_exchange *x)
{
    dq_httpd_reply reply = {0};
    x->request.body = x->body;
    dq_connection_note(x->connection, DQ_CONNECTION_UNBOUNDED);
    if (x->later)
        x->later(x->later_arg, &x->request, &reply);
    else
        x->httpd->handle(x->httpd->arg, &x->request, &reply);
    x->later = reply.later;
    x->dropped = reply.dropped;
    x->later_arg = reply.later_arg;
    if (x->later) return MHD_YES; /* it is suspended: this is called again when it is resumed */
    struct MHD_Response *response = make_response(x, &reply);
    if (!response) return MHD_NO;
    add_headers(x->httpd, response, &reply);
    dq_connection_note(x->connection, DQ_CONNECTION_ANSWERED);
    const enum MHD_Result done = MHD_queue_response(x->request.connection, reply.status ? reply.status : 500,
                                                    response);
    MHD_destroy_response(response);
    return done;
}

/* ---- an answer that comes later ---- */

static dq_exchange *exchange_of(const dq_httpd_request *request)
{
    return (dq_exchange *)((uintptr_t)request - offsetof(dq_exchange, request));
}

bool dq_httpd_suspend(const dq_httpd_request *request)
{
    dq_httpd *httpd = exchange_of(request)->httpd;
    atomic_fetch_add(&httpd->suspended, 1); /* before it looks: who closes looks at this one after */
    if (atomic_load(&httpd->closing)) {
        atomic_fetch_sub(&httpd->suspended, 1);
        return false;
    }
    MHD_suspend_connection(request->connection);
    return true;
}

void dq_httpd_resume(const dq_httpd_request *request)
{
    dq_httpd *httpd = exchange_of(request)->httpd; /* the request may be gone as soon as it is resumed */
    MHD_resume_connection(request->connection);
    atomic_fetch_sub(&httpd->suspended, 1);
}

/* ---- the request ---- */

static bool body_append(dq_exchange *x, const char *data, size_t bytes)
{
    const size_t have = x->request.body_bytes, need = have + bytes;
    if (need > x->capacity) {
        const size_t capacity = need < 4096 ? 4096 : 2 * need;
        char *body = realloc(x->body, capacity);
        if (!body) return false;
        x->body = body;
        x->capacity = capacity;
    }
    memcpy(x->body + have, data, bytes);
    x->request.body_bytes = need;
    return true;
}

static void body_drop(dq_exchange *x)
{
    free(x->body);
    x->body = NULL;
    x->capacity = x->request.body_bytes = 0;
    x->request.too_large = true;
}

/* What is said of where the body ends. */
typedef struct framing {
    unsigned lengths;
    bool unclear; /* a coding that we do not undo; a name with a blank, which somebody may take for another */
} framing;

static enum MHD_Result look_at_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    framing *f = arg;
    const bool coded = strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    f->lengths += coded || strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    f->unclear |= strpbrk(name, " \t") || (coded && (!value || strcasecmp(value, "chunked") != 0));
    return MHD_YES;
}

/* A proxy before us may have believed something else than we would of where the body ends, and taken for a
 * body what we would take for the next request (RFC 9112, 5.1 and 11.2). */
static bool ends_somewhere_else(const dq_exchange *x)
{
    framing f = {0};
    MHD_get_connection_values(x->request.connection, MHD_HEADER_KIND, look_at_header, &f);
    return f.lengths > 1 || f.unclear;
}

static enum MHD_Result refuse(const dq_exchange *x)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    const enum MHD_Result done = MHD_queue_response(x->request.connection, MHD_HTTP_BAD_REQUEST, response);
    MHD_destroy_response(response);
    return done;
}

/* The headers have come. An answer given here leaves the body unread, and the connection is closed after it.
 */
static enum MHD_Result begin(dq_exchange *x, const char *url, const char *method)
{
    x->begun = true;
    x->request.method = method;
    x->request.path = x->nul ? "" : url;
    if (ends_somewhere_else(x)) return refuse(x);
    const char *length = dq_httpd_header(&x->request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const uint64_t bytes = length ? strtoull(length, NULL, 10) : 0;
    if (bytes <= x->httpd->config.body_bytes) return MHD_YES;
    body_drop(x);
    const char *expect = dq_httpd_header(&x->request, MHD_HTTP_HEADER_EXPECT);
    if (bytes > drained_bytes || (expect && strcasecmp(expect, "100-continue") == 0)) return answer(x);
    return MHD_YES;
}

enum MHD_Result dq_exchange_take(void *httpd, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *data, size_t *bytes,
                                 void **context)
{
    (void)version;
    dq_exchange *x = *context;
    if (!x) x = *context = dq_exchange_begin(httpd, url, connection);
    if (!x || !x->connection) return MHD_NO;
    if (!x->begun) return begin(x, url, method);
    if (!*bytes) return answer(x);
    x->came += *bytes;
    if (x->came > drained_bytes + x->httpd->config.body_bytes) return MHD_NO;
    if (!x->request.too_large) {
        if (*bytes > x->httpd->config.body_bytes - x->request.body_bytes)
            body_drop(x);
        else if (!body_append(x, data, *bytes))
            return MHD_NO;
    }
    *bytes = 0;
    return MHD_YES;
}

/* ---- what a handler asks ---- */

const char *dq_httpd_header(const dq_httpd_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *dq_httpd_query(const dq_httpd_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

typedef struct query_visit {
    void (*visit)(void *arg, const char *name, const char *value);
    void *arg;
} query_visit;

static enum MHD_Result visit_one(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    const query_visit *v = arg;
    v->visit(v->arg, name, value);
    return MHD_YES;
}

void dq_httpd_query_each(const dq_httpd_request *request,
                         void (*visit)(void *arg, const char *name, const char *value), void *arg)
{
    query_visit v = {visit, arg};
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, visit_one, &v);
}

bool dq_httpd_reply_header(dq_httpd_reply *reply, const char *name, const char *value)
{
    if (reply->header_count == DQ_HTTPD_HEADERS) return false;
    reply->headers[reply->header_count++] = (dq_httpd_header_line){name, value};
    return true;
}
