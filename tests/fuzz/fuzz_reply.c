/* SPDX-License-Identifier: MIT
 *
 * Replies of a database, as they come from a connection. The first byte says in pieces of how many bytes, the
 * second what the rest is:
 *
 *     0  bytes of a connection
 *     1  elements of a document (elements.h), which an OP_MSG brings
 *     2  an OP_REPLY of it
 *     3  an OP_MSG, whose bytes are changed by what the third byte says: place / 256 of it, by the fourth
 *
 * The verdict is one whatever the pieces are. What a document holds in lengths is held against libbson: what
 * is taken it walks through, but for what is no matter of lengths; and what it walks through is taken, but
 * for what no reply has.
 */
#include "elements.h"

#include "port/mongo/reply.h"

#include <bson/bson.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTION, MESSAGE, REPLY, CHANGED };
enum { HEAD = 16, MSG_HEAD = HEAD + 5, REPLY_HEAD = HEAD + 20 };

typedef struct message {
    unsigned char *bytes;
    size_t n, head; /* head: where its document begins */
} message;

static void put_number(unsigned char *to, size_t n)
{
    for (size_t i = 0; i < 4; i++) to[i] = (unsigned char)(n >> 8 * i);
}

static message message_of(fuzz_bytes elements, bool reply)
{
    size_t count, n;
    message m = {.head = reply ? REPLY_HEAD : MSG_HEAD};
    unsigned char *document = fuzz_make_document(elements, &n, &count);
    if (document) m.bytes = calloc(1, m.head + n);
    if (m.bytes) {
        m.n = m.head + n;
        put_number(m.bytes, m.n);
        put_number(m.bytes + 12, reply ? 1 : 2013);
        if (reply) put_number(m.bytes + 32, 1);
        memcpy(m.bytes + m.head, document, n);
    }
    free(document);
    return m;
}

/* ---- libbson's word ---- */

typedef struct walk {
    bool whole;  /* to the end of every document, but those that reply.h calls rows */
    bool pardon; /* where it stopped is no matter of lengths */
    bool alien;  /* a value that no reply has */
} walk;

static bool is_batch(const bson_iter_t *at, bool in_cursor)
{
    const char *key = bson_iter_key(at);
    return in_cursor && BSON_ITER_HOLDS_ARRAY(at) &&
           (strcmp(key, "firstBatch") == 0 || strcmp(key, "nextBatch") == 0);
}

static bool is_alien(bson_type_t type)
{
    return type == BSON_TYPE_REGEX || type == BSON_TYPE_DBPOINTER || type == BSON_TYPE_CODEWSCOPE;
}

/* depth: of the document that the iterator is in, 0 for the message's own. */
static void walk_on(walk *w, bson_iter_t *at, unsigned depth, bool in_cursor, bool in_batch)
{
    bson_iter_t inner;
    const unsigned char *bytes = at->raw; /* which it forgets where it stops */
    while (w->whole && bson_iter_next(at)) {
        bson_type_t type = bson_iter_type(at);
        bool cursor = depth == 0 && type == BSON_TYPE_DOCUMENT && strcmp(bson_iter_key(at), "cursor") == 0;
        w->alien |= is_alien(type) || (in_batch && type != BSON_TYPE_DOCUMENT);
        if (in_batch || (type != BSON_TYPE_DOCUMENT && type != BSON_TYPE_ARRAY)) continue;
        if (bson_iter_recurse(at, &inner))
            walk_on(w, &inner, depth + 1, cursor, is_batch(at, in_cursor));
        else
            w->whole = false;
    }
    if (!w->whole || !at->err_off) return;
    w->whole = false;
    unsigned char type = bytes[at->type];
    w->pardon = type == BSON_TYPE_BOOL || type == BSON_TYPE_BINARY;
}

static walk walk_through(const message *m)
{
    walk w = {.whole = true};
    bson_t b;
    bson_iter_t at;
    if (bson_init_static(&b, m->bytes + m->head, m->n - m->head) && bson_iter_init(&at, &b))
        walk_on(&w, &at, 0, false, false);
    else
        w.whole = false;
    return w;
}

/* ---- the reader ---- */

/* What is wrong with the bytes, in pieces of so many; NULL: nothing. *rest: whether a message is begun. */
static const char *verdict(const unsigned char *bytes, size_t n, size_t piece, bool *rest)
{
    dq_reply r = {0};
    for (size_t at = 0; at < n; at += piece) {
        size_t some = n - at < piece ? n - at : piece;
        unsigned char *copy = malloc(some); /* so that nothing lies behind them */
        if (!copy) abort();
        memcpy(copy, bytes + at, some);
        bool sound = dq_reply_push(&r, copy, some);
        free(copy);
        if (sound != !r.fault) fuzz_fail("sound: %d, and '%s'", sound, r.fault ? r.fault : "");
    }
    *rest = r.state || r.have;
    return r.fault;
}

static const char *verdict_of_all(const unsigned char *bytes, size_t n, size_t piece, bool *rest)
{
    bool other;
    const char *whole = verdict(bytes, n, n ? n : 1, rest), *cut = verdict(bytes, n, piece, &other);
    if (whole != cut || (!whole && *rest != other))
        fuzz_fail("'%s' in one piece, '%s' in pieces of %zu", whole ? whole : "", cut ? cut : "", piece);
    return whole;
}

static void check(const message *m, size_t piece)
{
    bool rest;
    const char *fault = verdict_of_all(m->bytes, m->n, piece, &rest);
    walk w = walk_through(m);
    if (!fault && rest) fuzz_fail("a whole message is not at its end");
    if (!fault && !w.whole && !w.pardon) fuzz_fail("taken, and libbson does not come through it");
    bool stopped = fault && strcmp(fault, "a document that does not end where it says") == 0;
    if (fault && w.whole && !w.alien && !stopped) fuzz_fail("'%s', and libbson comes through it", fault);
}

static void read_reply(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    bool more;
    size_t piece = 1 + fuzz_byte(&rest);
    unsigned what = fuzz_byte(&rest) & 3;
    if (what == CONNECTION) {
        (void)verdict_of_all(rest.data, rest.n, piece, &more);
        return;
    }
    unsigned place = what == CHANGED ? fuzz_byte(&rest) : 0, by = what == CHANGED ? fuzz_byte(&rest) : 0;
    message m = message_of(rest, what == REPLY);
    if (m.bytes && what == CHANGED) m.bytes[m.head + (m.n - m.head) * place / 256] ^= (unsigned char)by;
    if (m.bytes) check(&m, piece);
    free(m.bytes);
}

const fuzz_target fuzz_it = {.read = read_reply, .memory = 1 << 16, .per_byte = 64};
