/* SPDX-License-Identifier: MIT
 *
 * A connection whose replies are looked at (reply.h) in libmongoc's own buffer, before it reads them there: a
 * stream around the one that libmongoc would use by itself, TLS and all. The other way, a client in a child
 * process whose crash becomes one line, was left: it would only turn reading beyond a buffer into words when
 * that happens to crash, and every document would be copied through a pipe.
 *
 * Since libmongoc does not connect by itself then, hosts are tried one after the other, each for
 * connectTimeoutMS at most.
 */
#include "port/mongo/client.h"
#include "port/mongo/reply.h"

#include <errno.h>
#include <stdlib.h>

typedef struct looked_at {
    mongoc_stream_t stream; /* first: libmongoc sees no more of us */
    mongoc_stream_t *base;
    dq_mongo_link *link;
    dq_reply reply;
} looked_at;

static looked_at *of(mongoc_stream_t *stream)
{
    return (looked_at *)(void *)stream;
}

static bool look(looked_at *s, const mongoc_iovec_t *to, size_t count, size_t got)
{
    for (size_t i = 0; i < count && got; i++) {
        size_t some = got < to[i].iov_len ? got : to[i].iov_len;
        if (!dq_reply_push(&s->reply, to[i].iov_base, some)) break;
        got -= some;
    }
    if (s->reply.fault || !s->reply.state) s->link->of->lie = s->reply.fault;
    return !s->reply.fault;
}

static ssize_t read_looking(mongoc_stream_t *stream, mongoc_iovec_t *to, size_t count, size_t least,
                            int32_t timeout)
{
    looked_at *s = of(stream);
    ssize_t got = s->reply.fault ? -1 : mongoc_stream_readv(s->base, to, count, least, timeout);
    if (got <= 0 || look(s, to, count, (size_t)got)) return got;
    errno = EPROTO;
    return -1;
}

static ssize_t write_through(mongoc_stream_t *stream, mongoc_iovec_t *from, size_t count, int32_t timeout)
{
    return mongoc_stream_writev(of(stream)->base, from, count, timeout);
}

static void destroy(mongoc_stream_t *stream)
{
    mongoc_stream_destroy(of(stream)->base);
    free(stream);
}

static void failed(mongoc_stream_t *stream)
{
    mongoc_stream_failed(of(stream)->base);
    free(stream);
}

static int close_it(mongoc_stream_t *stream)
{
    return mongoc_stream_close(of(stream)->base);
}

static int flush(mongoc_stream_t *stream)
{
    return mongoc_stream_flush(of(stream)->base);
}

static int set_option(mongoc_stream_t *stream, int level, int name, void *value, mongoc_socklen_t size)
{
    return mongoc_stream_setsockopt(of(stream)->base, level, name, value, size);
}

static mongoc_stream_t *base_of(mongoc_stream_t *stream)
{
    return of(stream)->base;
}

static bool is_closed(mongoc_stream_t *stream)
{
    return mongoc_stream_check_closed(of(stream)->base);
}

static bool is_late(mongoc_stream_t *stream)
{
    return mongoc_stream_timed_out(of(stream)->base);
}

static bool may_retry(mongoc_stream_t *stream)
{
    return !of(stream)->reply.fault && mongoc_stream_should_retry(of(stream)->base);
}

mongoc_stream_t *dq_mongo_stream(const mongoc_uri_t *uri, const mongoc_host_list_t *host, void *self,
                                 bson_error_t *error)
{
    enum { OURS = 1000 }; /* a type that none of libmongoc's streams has */
    dq_mongo_link *link = self;
    mongoc_stream_t *base = mongoc_client_default_stream_initiator(uri, host, link->client, error);
    looked_at *s = base ? calloc(1, sizeof *s) : NULL;
    if (base && !s) {
        bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, "out of memory");
        mongoc_stream_destroy(base);
    }
    if (!s) return NULL;
    s->base = base;
    s->link = link;
    s->stream = (mongoc_stream_t){.type = OURS,
                                  .destroy = destroy,
                                  .close = close_it,
                                  .flush = flush,
                                  .writev = write_through,
                                  .readv = read_looking,
                                  .setsockopt = set_option,
                                  .get_base_stream = base_of,
                                  .check_closed = is_closed,
                                  .failed = failed,
                                  .timed_out = is_late,
                                  .should_retry = may_retry};
    return &s->stream;
}
