/* SPDX-License-Identifier: MIT
 *
 * A body as a list of pieces: glue (keys, headers, padding), packed by msgpack-c into one growing run, and
 * the columns' own memory, which is hashed and written from where it lies.
 *
 *     {"dq":"items","rows":2,..."columns":[{"name":"vector",...,"data_pad":<zeros>,"data":bin32<numbers>}]}
 *     |---------------------------- glue --------------------------------------------|--- column ---|-glue-|
 *                                                                                     ^ a multiple of 64
 */
#include "wire/wire.h"

#include "core/array.h"
#include "core/utf8.h"
#include "wire/bytes/shuffle.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

static bool room_for_glue(dq_pieces *p, size_t n)
{
    return dq_array_reserve(&p->glue, &p->glue_room, p->glue_bytes + n, 1);
}

static dq_piece *new_piece(dq_pieces *p)
{
    if (!dq_array_reserve(&p->piece, &p->room, p->count + 1, sizeof *p->piece)) return NULL;
    return &p->piece[p->count++];
}

/* msgpack-c's way out: appends to the glue. */
static int add_glue(void *data, const char *bytes, size_t n)
{
    dq_pieces *p = data;
    dq_piece *last = p->count ? &p->piece[p->count - 1] : NULL;
    bool fresh = !last || last->data;
    if (!room_for_glue(p, n) || (fresh && !(last = new_piece(p)))) {
        p->failed = true;
        return -1;
    }
    if (fresh) *last = (dq_piece){.at = p->glue_bytes};
    memcpy(p->glue + p->glue_bytes, bytes, n);
    p->glue_bytes += n;
    last->n += n;
    p->bytes += n;
    return 0;
}

static void add_data(dq_pieces *p, const void *data, size_t n)
{
    if (n == 0) return;
    dq_piece *piece = new_piece(p);
    if (!piece) {
        p->failed = true;
        return;
    }
    *piece = (dq_piece){.data = data, .n = n};
    p->bytes += n;
}

const void *dq_piece_data(const dq_pieces *pieces, size_t i)
{
    const dq_piece *piece = &pieces->piece[i];
    return piece->data ? piece->data : pieces->glue + piece->at;
}

void dq_pieces_clear(dq_pieces *pieces)
{
    dq_arena_free(&pieces->shuffled);
    pieces->glue_bytes = 0;
    pieces->count = 0;
    pieces->bytes = 0;
    pieces->failed = pieces->foreign = false;
}

void dq_pieces_free(dq_pieces *pieces)
{
    dq_arena_free(&pieces->shuffled);
    free(pieces->glue);
    free(pieces->piece);
    *pieces = (dq_pieces){0};
}

/* No reader takes another text than UTF-8; what columns hold is checked with their schema. */
static void pack_text(msgpack_packer *out, const char *text, size_t n)
{
    dq_pieces *pieces = out->data;
    pieces->foreign |= !dq_utf8_valid(text, n);
    (void)msgpack_pack_str(out, n);
    (void)msgpack_pack_str_body(out, text, n);
}

static void pack_key(msgpack_packer *out, const char *key)
{
    pack_text(out, key, strlen(key));
}

/* False when the tree is too deep. */
static bool pack(msgpack_packer *out, const dq_value *v, unsigned depth)
{
    bool ok = true;
    switch (v->type) {
    case DQ_NIL: (void)msgpack_pack_nil(out); break;
    case DQ_BOOL: (void)(v->as.boolean ? msgpack_pack_true : msgpack_pack_false)(out); break;
    case DQ_INT: (void)msgpack_pack_int64(out, v->as.integer); break;
    case DQ_REAL: (void)msgpack_pack_double(out, v->as.real); break;
    case DQ_STRING: pack_text(out, v->as.string, v->count); break;
    case DQ_BINARY:
        (void)msgpack_pack_bin(out, v->count);
        (void)msgpack_pack_bin_body(out, v->as.binary, v->count);
        break;
    case DQ_LIST:
        (void)msgpack_pack_array(out, v->count);
        ok = depth > 0;
        for (uint32_t i = 0; ok && i < v->count; i++) ok = pack(out, &v->as.list[i], depth - 1);
        break;
    case DQ_MAP:
        (void)msgpack_pack_map(out, v->count);
        ok = depth > 0;
        for (uint32_t i = 0; ok && i < v->count; i++)
            ok = pack(out, &v->as.map[i].key, depth - 1) && pack(out, &v->as.map[i].value, depth - 1);
        break;
    case DQ_FLOATS:
        (void)msgpack_pack_array(out, v->count);
        ok = depth > 0;
        for (uint32_t i = 0; ok && i < v->count; i++) (void)msgpack_pack_double(out, (double)v->as.floats[i]);
        break;
    }
    return ok;
}

static dq_status packed(const dq_pieces *pieces, bool shallow, dq_error *error)
{
    if (!shallow) return dq_fail(error, DQ_ERR_RANGE, "metadata nested more than %d deep", DQ_MAX_DEPTH);
    if (pieces->failed) return dq_fail_memory(error, "a record");
    if (pieces->foreign)
        return dq_fail(error, DQ_ERR_FORMAT, "a name, or a text of options or metadata, is not UTF-8");
    if (pieces->bytes > DQ_MAX_RECORD)
        return dq_fail(error, DQ_ERR_RANGE, "a record of %llu bytes: more than 1 GiB",
                       (unsigned long long)pieces->bytes);
    return DQ_OK;
}

dq_status dq_pack_value(dq_pieces *pieces, const dq_value *value, dq_error *error)
{
    msgpack_packer out;
    msgpack_packer_init(&out, pieces, add_glue);
    bool shallow = pack(&out, value, DQ_MAX_DEPTH);
    return packed(pieces, shallow, error);
}

/* A binary always under a 32-bit header, whatever its size, so that its place can be known beforehand. */
static void pack_binary(dq_pieces *pieces, const void *data, size_t n)
{
    const unsigned char header[5] = {0xc6, (unsigned char)(n >> 24), (unsigned char)(n >> 16),
                                     (unsigned char)(n >> 8), (unsigned char)n};
    (void)add_glue(pieces, (const char *)header, sizeof header);
    add_data(pieces, data, n);
}

/* PAD_KEY: zeros, KEY: data, such that data begins at a multiple of 64 from the body's start. */
static void pack_aligned(msgpack_packer *out, dq_pieces *pieces, const char *pad_key, const char *key,
                         const void *data, size_t n)
{
    static const unsigned char zeros[64] = {0};
    enum { PAD_HEADER = 2, STRING_HEADER = 1, BINARY_HEADER = 5 };
    pack_key(out, pad_key);
    uint64_t start = pieces->bytes + PAD_HEADER + STRING_HEADER + strlen(key) + BINARY_HEADER;
    unsigned char pad = (unsigned char)(-start & 63);
    const unsigned char header[PAD_HEADER] = {0xc4, pad};
    (void)add_glue(pieces, (const char *)header, sizeof header);
    if (pad) (void)add_glue(pieces, (const char *)zeros, pad);
    pack_key(out, key);
    pack_binary(pieces, data, n);
}

static bool any_null(const dq_column *column)
{
    return column->nulls && column->shape[0] && memchr(column->nulls, 1, column->shape[0]);
}

/* The bytes of vectors that are smaller so, shuffled; NULL where they stay as they are. The payload may not
 * depend on the memory at hand: where it is short, the record fails. */
static const void *shuffled(dq_pieces *pieces, const dq_column *column)
{
    bool floats = column->type == DQ_F2 || column->type == DQ_BF16 || column->type == DQ_F4 ||
                  column->type == DQ_F8;
    size_t size = dq_dtype_size(column->type);
    if (!floats || column->dims < 2 || !dq_shuffle_pays(column->data, column->bytes, size)) return NULL;
    void *to = dq_arena_take(&pieces->shuffled, column->bytes);
    pieces->failed |= !to;
    if (to) dq_shuffle(to, column->data, column->bytes, size);
    return to;
}

static void pack_column(msgpack_packer *out, dq_pieces *pieces, const dq_column *column)
{
    bool text = dq_dtype_size(column->type) == 0, nulls = any_null(column);
    const void *data = shuffled(pieces, column);
    (void)msgpack_pack_map(out, 5U + (column->ref != NULL) + nulls + (text ? 2U : 0U) + (data != NULL));
    pack_key(out, "name");
    pack_key(out, column->name);
    pack_key(out, "type");
    pack_key(out, dq_dtype_name(column->type));
    pack_key(out, "shape");
    (void)msgpack_pack_array(out, column->dims);
    for (unsigned i = 0; i < column->dims; i++) (void)msgpack_pack_uint64(out, column->shape[i]);
    if (column->ref) {
        pack_key(out, "ref");
        pack_key(out, column->ref);
    }
    if (nulls) {
        pack_key(out, "nulls");
        pack_binary(pieces, column->nulls, column->shape[0]);
    }
    if (text)
        pack_aligned(out, pieces, "offsets_pad", "offsets", column->offsets,
                     (column->shape[0] + 1) * sizeof(uint32_t));
    if (data) {
        pack_key(out, "shuffle");
        (void)msgpack_pack_true(out);
    }
    pack_aligned(out, pieces, "data_pad", "data", data ? data : column->data, column->bytes);
}

dq_status dq_pack_bundle(dq_pieces *pieces, const dq_bundle *bundle, dq_error *error)
{
    msgpack_packer out;
    msgpack_packer_init(&out, pieces, add_glue);
    (void)msgpack_pack_map(&out, 5);
    pack_key(&out, "dq");
    pack_key(&out, "bundle");
    pack_key(&out, "kind");
    pack_key(&out, bundle->kind);
    pack_key(&out, "rows");
    (void)msgpack_pack_uint64(&out, bundle->rows);
    pack_key(&out, "meta");
    bool shallow = pack(&out, &bundle->meta, DQ_MAX_DEPTH - 1);
    pack_key(&out, "columns");
    (void)msgpack_pack_array(&out, bundle->column_count);
    for (size_t i = 0; i < bundle->column_count; i++) pack_column(&out, pieces, &bundle->columns[i]);
    return packed(pieces, shallow, error);
}
