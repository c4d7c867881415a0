/* SPDX-License-Identifier: MIT
 *
 * BSON, as a database sends it. The first byte says what the rest is:
 *
 *     0  a document
 *     1  elements of a document, into which the lengths of documents and arrays are put
 *     2  the payload of a binary vector, behind its subtype and its width
 *     3  a filter in extended JSON
 *
 * So of 1 mutations do not break the lengths. A text's or a binary's length is one byte there.
 * Of a document made by 1 that is read, every element has come over.
 */
#include "fuzz.h"
#include "port/mongo/mongo.h"

#include <stdlib.h>
#include <string.h>

static const dq_vector_key vectors[] = {{"v", 2}, {"w", 4}, {"vector", 3}};
enum { VECTORS = sizeof vectors / sizeof *vectors };

/* ---- elements to documents ---- */

typedef struct maker {
    fuzz_bytes rest;
    unsigned char *to;
    size_t n;
} maker;

static void put_length(maker *m, size_t at, size_t length)
{
    for (size_t i = 0; i < 4; i++) m->to[at + i] = (unsigned char)(length >> 8 * i);
}

static void copy(maker *m, size_t n)
{
    if (n > m->rest.n) n = m->rest.n;
    if (n) memcpy(m->to + m->n, m->rest.data, n);
    m->n += n;
    m->rest.data += n;
    m->rest.n -= n;
}

/* A text of so many bytes as the next byte says, behind its length, with its NUL. */
static void put_text(maker *m)
{
    size_t n = fuzz_byte(&m->rest), at = m->n;
    m->n += 4;
    copy(m, n);
    m->to[m->n++] = 0;
    put_length(m, at, m->n - at - 4);
}

static void put_binary(maker *m)
{
    size_t n = fuzz_byte(&m->rest), at = m->n;
    m->n += 4;
    copy(m, 1); /* the subtype */
    size_t begin = m->n;
    copy(m, n);
    put_length(m, at, m->n - begin);
}

/* Up to the next NUL, and it. */
static void put_name(maker *m)
{
    const unsigned char *end = m->rest.n ? memchr(m->rest.data, 0, m->rest.n) : NULL;
    copy(m, end ? (size_t)(end - m->rest.data) + 1 : m->rest.n);
    if (!end) m->to[m->n++] = 0;
}

static void put_document(maker *m, unsigned depth, size_t *elements);

static void put_value(maker *m, unsigned type, unsigned depth)
{
    size_t ignored;
    switch (type) {
    case 0x01:
    case 0x09:
    case 0x11:
    case 0x12: copy(m, 8); break;
    case 0x02:
    case 0x0d:
    case 0x0e: put_text(m); break;
    case 0x03:
    case 0x04: put_document(m, depth + 1, &ignored); break;
    case 0x05: put_binary(m); break;
    case 0x07: copy(m, 12); break;
    case 0x08: copy(m, 1); break;
    case 0x0c:
        put_text(m);
        copy(m, 12);
        break;
    case 0x10: copy(m, 4); break;
    case 0x13: copy(m, 16); break;
    case 0x0b:
        put_name(m);
        put_name(m);
        break;
    default: break; /* without a value, or none of BSON's */
    }
}

static void put_document(maker *m, unsigned depth, size_t *elements)
{
    size_t at = m->n;
    m->n += 4;
    *elements = 0;
    while (m->rest.n && depth < 40) {
        unsigned type = fuzz_byte(&m->rest);
        if (type == 0) break;
        m->to[m->n++] = (unsigned char)type;
        put_name(m);
        put_value(m, type, depth);
        ++*elements;
    }
    m->to[m->n++] = 0;
    put_length(m, at, m->n - at);
}

/* ---- the reader ---- */

static void use(const dq_value *v, unsigned depth)
{
    if (depth > DQ_BSON_DEPTH + 4) fuzz_fail("%u levels", depth);
    for (uint32_t i = 0; v->type == DQ_LIST && i < v->count; i++) use(&v->as.list[i], depth + 1);
    for (uint32_t i = 0; v->type == DQ_MAP && i < v->count; i++) use(&v->as.map[i].value, depth + 1);
    if (v->type == DQ_REAL) fuzz_finite(v->as.real);
}

static void read_document(const void *bytes, size_t n, bool counted, size_t elements)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value document;
    if (dq_bson_read(bytes, n, vectors, VECTORS, &arena, &document, &e)) {
        fuzz_refused(&e);
    } else {
        if (document.type != DQ_MAP) fuzz_fail("a document that is no map");
        if (counted && document.count != elements) fuzz_fail("%u of %zu elements", document.count, elements);
        use(&document, 0);
    }
    dq_arena_free(&arena);
}

static void read_vector(fuzz_bytes rest)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value floats;
    unsigned subtype = fuzz_byte(&rest), width = fuzz_byte(&rest);
    if (dq_bson_vector(rest.data, rest.n, subtype, width, &arena, &floats, &e))
        fuzz_refused(&e);
    else if (floats.type != DQ_FLOATS)
        fuzz_fail("a vector of type %d", (int)floats.type);
    dq_arena_free(&arena);
}

static void read_bson(const uint8_t *data, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    maker m = {.rest = {data, n}};
    size_t elements;
    char *text;
    switch (fuzz_byte(&m.rest) & 3) {
    case 0: read_document(m.rest.data, m.rest.n, false, 0); break;
    case 1:
        m.to = calloc(1, 8 * n + 64);
        if (!m.to) return;
        put_document(&m, 0, &elements);
        read_document(m.to, m.n, true, elements);
        free(m.to);
        break;
    case 2: read_vector(m.rest); break;
    default:
        text = fuzz_text(m.rest);
        if (dq_mongo_check_filter(text, &e)) fuzz_refused(&e);
        free(text);
    }
}

const fuzz_target fuzz_it = {.read = read_bson, .memory = 1 << 20, .per_byte = 1024};
