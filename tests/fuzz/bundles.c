/* SPDX-License-Identifier: MIT */
#include "bundles.h"

#include "core/digest.h"
#include "wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bytes {
    unsigned char *at;
    size_t n, room;
} bytes;

static void add(bytes *b, const void *data, size_t n)
{
    if (b->n + n > b->room) {
        b->room = 2 * (b->n + n);
        b->at = realloc(b->at, b->room);
        if (!b->at) fuzz_fail("no memory");
    }
    if (n) memcpy(b->at + b->n, data, n);
    b->n += n;
}

static void add_u64(bytes *b, uint64_t u)
{
    unsigned char p[9] = {0xcf};
    for (int i = 8; i > 0; i--, u >>= 8) p[i] = (unsigned char)u;
    add(b, p, sizeof p);
}

static void add_record(bytes *b, const void *body, size_t n)
{
    add_u64(b, n);
    add_u64(b, dq_digest(body, n));
    add(b, body, n);
}

unsigned char *fuzz_frame(fuzz_bytes bodies, size_t *n)
{
    bytes b = {0};
    add(&b, "", 0);
    while (bodies.n) {
        fuzz_bytes body = fuzz_part(&bodies);
        add_record(&b, body.data, body.n);
    }
    *n = b.n;
    return b.at;
}

/* ---- a section around them ---- */

static void add_value(bytes *b, const dq_value *value)
{
    dq_pieces pieces = {0};
    bytes body = {0};
    if (dq_pack_value(&pieces, value, NULL)) fuzz_fail("a value that cannot be packed");
    for (size_t i = 0; i < pieces.count; i++) add(&body, dq_piece_data(&pieces, i), pieces.piece[i].n);
    add_record(b, body.at, body.n);
    free(body.at);
    dq_pieces_free(&pieces);
}

static void add_head(bytes *b)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value head = dq_map(), maker = dq_map(), version = dq_list();
    (void)dq_list_add(&arena, &version, dq_int(DQ_STREAM_MAJOR));
    (void)dq_list_add(&arena, &version, dq_int(DQ_STREAM_MINOR));
    (void)dq_map_set(&arena, &maker, "program", dq_string(&arena, "fuzz"));
    (void)dq_map_set(&arena, &maker, "version", dq_string(&arena, "1"));
    (void)dq_map_set(&arena, &maker, "options", dq_map());
    (void)dq_map_set(&arena, &maker, "seed", dq_nil());
    (void)dq_map_set(&arena, &maker, "inputs", dq_list());
    (void)dq_map_set(&arena, &head, "dq", dq_string(&arena, "head"));
    (void)dq_map_set(&arena, &head, "version", version);
    (void)dq_map_set(&arena, &head, "maker", maker);
    add_value(b, &head);
    dq_arena_free(&arena);
}

/* What the end says of the section so far. */
typedef struct ending {
    dq_arena arena;
    dq_value rows;
    int64_t bundles;
    dq_hasher *digest;
} ending;

/* Counts a body that can be unpacked; of another nothing matters, for the reader ends there. */
static void count(ending *e, fuzz_bytes body)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value value;
    uint64_t hash = dq_digest(body.data, body.n);
    unsigned char little[8];
    for (int i = 0; i < 8; i++) little[i] = (unsigned char)(hash >> 8 * i);
    dq_hasher_add(e->digest, little, sizeof little);
    e->bundles++;
    if (!dq_unpack(body.data, body.n, &arena, &value, NULL)) {
        const char *kind = dq_value_text(&e->arena, dq_map_get(&value, "kind"));
        int64_t rows = dq_value_integer(dq_map_get(&value, "rows"), 0), had;
        had = kind ? dq_value_integer(dq_map_get(&e->rows, kind), 0) : 0;
        if (kind && rows >= 0 && rows <= INT64_MAX - had)
            (void)dq_map_set(&e->arena, &e->rows, kind, dq_int(had + rows));
    }
    dq_arena_free(&arena);
}

static void add_end(bytes *b, ending *e)
{
    char digest[17];
    dq_value end = dq_map();
    (void)snprintf(digest, sizeof digest, "%016llx", (unsigned long long)dq_hasher_value(e->digest));
    (void)dq_map_set(&e->arena, &end, "dq", dq_string(&e->arena, "end"));
    (void)dq_map_set(&e->arena, &end, "bundles", dq_int(e->bundles));
    (void)dq_map_set(&e->arena, &end, "rows", e->rows);
    (void)dq_map_set(&e->arena, &end, "digest", dq_string(&e->arena, digest));
    (void)dq_map_set(&e->arena, &end, "inputs", dq_list());
    add_value(b, &end);
}

unsigned char *fuzz_sign(fuzz_bytes bodies, size_t *n)
{
    bytes b = {0};
    ending e = {.rows = dq_map(), .digest = dq_hasher_new()};
    dq_hasher_reset(e.digest);
    add_head(&b);
    while (bodies.n) {
        fuzz_bytes body = fuzz_part(&bodies);
        add_record(&b, body.data, body.n);
        count(&e, body);
    }
    add_end(&b, &e);
    dq_hasher_free(e.digest);
    dq_arena_free(&e.arena);
    *n = b.n;
    return b.at;
}

size_t fuzz_read_bundles(fuzz_bytes bodies, dq_bundle *to, size_t most)
{
    dq_error e = DQ_ERROR_NONE;
    dq_reader *reader;
    dq_bundle rest;
    size_t n, count = 0;
    int got;
    unsigned char *payload = fuzz_sign(bodies, &n);
    const char *path = fuzz_file(payload, n);
    free(payload);
    if (dq_reader_open(&reader, &path, 1, &e)) fuzz_fail("a signed head is refused: %s", e.reason);
    while ((got = dq_reader_next(reader, count < most ? &to[count] : &rest, &e)) > 0) {
        if (count < most)
            count++;
        else
            dq_bundle_free(&rest);
    }
    if (got < 0) fuzz_failed(&e);
    while (got < 0 && count) dq_bundle_free(&to[--count]);
    dq_reader_close(reader);
    return count;
}
