/* SPDX-License-Identifier: MIT */
#include "elements.h"

#include <stdlib.h>
#include <string.h>

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

unsigned char *fuzz_make_document(fuzz_bytes rest, size_t *bytes, size_t *elements)
{
    maker m = {.rest = rest, .to = calloc(1, 8 * rest.n + 64)};
    if (m.to) put_document(&m, 0, elements);
    *bytes = m.n;
    return m.to;
}
