/* SPDX-License-Identifier: MIT
 *
 * Mutations of bundles: a body is unpacked, something in it is changed, and it is packed again, so that
 * padding and headers are right. What cannot be unpacked is changed as bytes.
 */
#include "bundles.h"
#include "core/rng.h"
#include "wire/wire.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's own mutations of bytes; not there in a replay, which mutates nothing. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t most) __attribute__((weak));

enum { BODIES = 32, LARGEST = 1 << 16, VALUES = 4096 };

/* ---- values ---- */

static int64_t other_integer(dq_rng *rng, int64_t i)
{
    static const int64_t known[] = {0,         1,         2,       -1,      3,         7,          64,
                                    255,       65535,     1 << 20, 1 << 24, 1LL << 31, UINT32_MAX, 1LL << 32,
                                    INT64_MAX, INT64_MIN, 100,     1000000, 1LL << 53, 1LL << 62};
    switch (dq_rng_below(rng, 4)) {
    case 0: return (int64_t)((uint64_t)i + 1);
    case 1: return (int64_t)((uint64_t)i - 1);
    case 2: return (int64_t)((uint64_t)i * 2);
    default: return known[dq_rng_below(rng, sizeof known / sizeof *known)];
    }
}

static double other_real(dq_rng *rng, double d)
{
    static const double known[] = {0,      1,     -1,   0.5,  2,        1e-300,    1e300,
                                   -1e300, 1e-40, 3e38, 1e22, INFINITY, -INFINITY, NAN};
    if (dq_rng_below(rng, 4) == 0) return d * 2;
    return known[dq_rng_below(rng, sizeof known / sizeof *known)];
}

static void other_type(dq_rng *rng, dq_value *v)
{
    static const float numbers[] = {1, 2};
    const dq_value types[] = {dq_nil(),
                              dq_bool(true),
                              dq_int(1),
                              dq_real(1.5),
                              dq_list(),
                              dq_map(),
                              {.type = DQ_FLOATS, .count = 2, .as.floats = numbers}};
    *v = types[dq_rng_below(rng, sizeof types / sizeof *types)];
}

static void other_text(dq_arena *arena, dq_value *v)
{
    size_t most = v->count + 8;
    uint8_t *text = dq_arena_zero(arena, most + 1, 1);
    if (!text) return;
    if (v->count) memcpy(text, v->as.string, v->count);
    v->count = (uint32_t)LLVMFuzzerMutate(text, v->count, most);
    v->as.string = (const char *)text;
}

static void change_value(dq_rng *rng, dq_arena *arena, dq_value *v)
{
    if (dq_rng_below(rng, 8) == 0) {
        other_type(rng, v);
        return;
    }
    switch (v->type) {
    case DQ_BOOL: v->as.boolean = !v->as.boolean; break;
    case DQ_INT: v->as.integer = other_integer(rng, v->as.integer); break;
    case DQ_REAL: v->as.real = other_real(rng, v->as.real); break;
    case DQ_STRING: other_text(arena, v); break;
    case DQ_LIST:
        if (v->count && dq_rng_below(rng, 2))
            v->count--;
        else
            (void)dq_list_add(arena, v, v->count ? v->as.list[0] : dq_int(1));
        break;
    case DQ_MAP:
        if (v->count) v->as.map[dq_rng_below(rng, v->count)] = v->as.map[v->count - 1];
        v->count -= v->count > 0;
        break;
    default: other_type(rng, v);
    }
}

/* All values of a tree, but for its root. */
static size_t gather(dq_value *v, dq_value **all, size_t n)
{
    for (uint32_t i = 0; v->type == DQ_LIST && i < v->count && n < VALUES; i++) {
        all[n++] = &v->as.list[i];
        n = gather(&v->as.list[i], all, n);
    }
    for (uint32_t i = 0; v->type == DQ_MAP && i < v->count && n < VALUES; i++) {
        all[n++] = &v->as.map[i].value;
        n = gather(&v->as.map[i].value, all, n);
    }
    return n;
}

static void change_meta(dq_rng *rng, dq_bundle *bundle)
{
    static dq_value *all[VALUES];
    dq_value copy;
    if (!dq_value_copy(&bundle->arena, &bundle->meta, &copy)) return;
    bundle->meta = copy;
    size_t n = gather(&bundle->meta, all, 0);
    change_value(rng, &bundle->arena, n && dq_rng_below(rng, 16) ? all[dq_rng_below(rng, n)] : &bundle->meta);
    if (bundle->meta.type != DQ_MAP) bundle->meta = copy;
}

/* ---- columns ---- */

/* Its data become so many bytes, that are the caller's to change. */
static uint8_t *resize(dq_bundle *bundle, dq_column *c, size_t size)
{
    uint8_t *data = dq_arena_zero(&bundle->arena, size + 1, 1);
    if (data && c->bytes) memcpy(data, c->data, size < c->bytes ? size : c->bytes);
    if (!data) return NULL;
    c->data = data;
    c->bytes = size;
    return data;
}

static void change_data(dq_rng *rng, dq_bundle *bundle, dq_column *c)
{
    uint8_t *data = c->bytes ? resize(bundle, c, c->bytes) : NULL;
    size_t size = dq_dtype_size(c->type);
    if (!data || c->bytes < size) return;
    if ((c->type == DQ_F4 || c->type == DQ_F8) && dq_rng_below(rng, 2)) {
        size_t i = dq_rng_below(rng, c->bytes / size);
        double d = other_real(rng, dq_column_number(c, i));
        float f = (float)d;
        memcpy(data + i * size, size == 4 ? (void *)&f : (void *)&d, size);
    } else if (size && dq_rng_below(rng, 2)) {
        int64_t n = other_integer(rng, (int64_t)data[0]);
        memcpy(data + dq_rng_below(rng, c->bytes / size) * size, &n, size);
    } else {
        (void)LLVMFuzzerMutate(data, c->bytes, c->bytes);
    }
}

/* One dimension is another, of the data too; of all columns where it is the rows. */
static void change_shape(dq_rng *rng, dq_bundle *bundle, dq_column *c)
{
    unsigned d = (unsigned)dq_rng_below(rng, c->dims);
    uint64_t was = c->shape[d], is = dq_rng_below(rng, 2) ? was + 1 : was / 2, elements = 1;
    if (dq_dtype_size(c->type) == 0) return;
    c->nulls = NULL;
    c->shape[d] = is;
    for (unsigned i = 0; i < c->dims; i++) elements *= c->shape[i];
    if (elements <= LARGEST / 8) (void)resize(bundle, c, elements * dq_dtype_size(c->type));
}

static void change_type(dq_rng *rng, dq_bundle *bundle, dq_column *c)
{
    uint64_t elements = 1;
    if (dq_dtype_size(c->type) == 0) return;
    c->type = (dq_dtype)dq_rng_below(rng, DQ_U8 + 1);
    for (unsigned i = 0; i < c->dims; i++) elements *= c->shape[i];
    if (elements <= LARGEST / 8) (void)resize(bundle, c, elements * dq_dtype_size(c->type));
}

static void change_nulls(dq_rng *rng, dq_bundle *bundle, dq_column *c)
{
    uint64_t rows = c->shape[0];
    uint8_t *nulls = rows && c->dims == 1 ? dq_arena_zero(&bundle->arena, rows, 1) : NULL;
    if (!nulls) return;
    if (c->nulls) memcpy(nulls, c->nulls, rows);
    nulls[dq_rng_below(rng, rows)] ^= 1;
    c->nulls = nulls;
}

static void change_column(dq_rng *rng, dq_bundle *bundle)
{
    size_t i = dq_rng_below(rng, bundle->column_count), k = dq_rng_below(rng, bundle->column_count);
    dq_column *c = &bundle->columns[i], *other = &bundle->columns[k], swapped;
    switch (dq_rng_below(rng, 12)) {
    case 0: change_shape(rng, bundle, c); break;
    case 1: change_type(rng, bundle, c); break;
    case 2: change_nulls(rng, bundle, c); break;
    case 3: *c = bundle->columns[--bundle->column_count]; break;
    case 4: /* each under the other's name */
        swapped = *c;
        c->name = other->name;
        other->name = swapped.name;
        break;
    case 5: /* the other's data */
        swapped = *other;
        swapped.name = c->name;
        *c = swapped;
        break;
    default: change_data(rng, bundle, c);
    }
}

/* Another number of rows, for every column. */
static void change_rows(dq_rng *rng, dq_bundle *bundle)
{
    uint64_t rows = dq_rng_below(rng, 2) ? bundle->rows / 2 : bundle->rows + 1;
    static const uint32_t none[LARGEST] = {0};
    for (size_t i = 0; i < bundle->column_count; i++) {
        dq_column *c = &bundle->columns[i];
        size_t size = dq_dtype_size(c->type), width = dq_column_width(c);
        if (c->shape[0] != bundle->rows) continue; /* another change's */
        if (c->nulls && rows > c->shape[0]) c->nulls = NULL;
        if (!size && rows > bundle->rows)
            c->offsets = none, c->bytes = 0;
        else if (!size)
            c->bytes = c->offsets[rows];
        else
            (void)resize(bundle, c, rows * width * size);
        c->shape[0] = rows;
    }
    bundle->rows = rows;
}

/* ---- bodies ---- */

typedef struct body {
    uint8_t *at;
    size_t n;
} body;

/* The changed body into `to` (LARGEST); 0 when it is no bundle, or becomes too large. */
static size_t change_bundle(dq_rng *rng, fuzz_bytes from, uint8_t *to)
{
    dq_bundle bundle = DQ_BUNDLE_EMPTY;
    dq_pieces pieces = {0};
    dq_value value;
    size_t n = 0;
    bundle.body = aligned_alloc(64, (from.n + 64) / 64 * 64);
    bundle.body_bytes = from.n;
    if (!bundle.body) return 0;
    if (from.n) memcpy(bundle.body, from.data, from.n);
    if (!dq_unpack(bundle.body, from.n, &bundle.arena, &value, NULL) && value.type == DQ_MAP &&
        !dq_bundle_read(&bundle, &value, NULL)) {
        for (uint64_t i = 1 + dq_rng_below(rng, 3); i; i--) {
            uint64_t what = dq_rng_below(rng, 8);
            if (what == 0 && bundle.rows && bundle.rows < 1000)
                change_rows(rng, &bundle);
            else if (what < 4 && bundle.column_count)
                change_column(rng, &bundle);
            else
                change_meta(rng, &bundle);
        }
        if (!dq_pack_bundle(&pieces, &bundle, NULL) && pieces.bytes < LARGEST)
            for (size_t i = 0; i < pieces.count; n += pieces.piece[i++].n)
                memcpy(to + n, dq_piece_data(&pieces, i), pieces.piece[i].n);
    }
    dq_pieces_free(&pieces);
    dq_bundle_free(&bundle);
    return n;
}

/* Bodies into `to`; false where they are too many bytes. */
static bool join(const fuzz_bytes *bodies, size_t count, uint8_t *to, size_t *n, size_t most)
{
    *n = 0;
    for (size_t i = 0; i < count; i++) {
        if (bodies[i].n >= LARGEST || *n + 2 + bodies[i].n > most) return false;
        to[(*n)++] = (uint8_t)(bodies[i].n >> 8);
        to[(*n)++] = (uint8_t)bodies[i].n;
        if (bodies[i].n) memcpy(to + *n, bodies[i].data, bodies[i].n);
        *n += bodies[i].n;
    }
    return true;
}

/* One body is changed, doubled, left out, or has changed places. Returns how many there are. */
static size_t change_bodies(dq_rng *rng, fuzz_bytes *bodies, size_t count, uint8_t *scratch)
{
    size_t i = dq_rng_below(rng, count), k = dq_rng_below(rng, count);
    fuzz_bytes was = bodies[i];
    switch (dq_rng_below(rng, 24)) {
    case 0: bodies[i] = bodies[--count]; break;
    case 1:
        bodies[i] = bodies[k];
        bodies[k] = was;
        break;
    case 2:
        if (count < BODIES) bodies[count++] = was;
        break;
    default:
        bodies[i] = (fuzz_bytes){scratch, change_bundle(rng, was, scratch)};
        if (bodies[i].n) break;
        if (was.n) memcpy(scratch, was.data, was.n);
        bodies[i].n = LLVMFuzzerMutate(scratch, was.n, LARGEST - 1);
    }
    return count;
}

size_t fuzz_mutate_bundles(uint8_t *data, size_t n, size_t most, unsigned seed, size_t before)
{
    static uint8_t scratch[LARGEST], joined[1 << 20];
    dq_rng rng = dq_rng_new(seed);
    fuzz_bytes rest = {data + before, n - before}, bodies[BODIES];
    size_t count = 0, length;
    if (n <= before || dq_rng_below(&rng, 16) == 0) return LLVMFuzzerMutate(data, n, most);
    if (before && dq_rng_below(&rng, 16) == 0) data[dq_rng_below(&rng, before)] = (uint8_t)dq_rng_u64(&rng);
    while (rest.n && count < BODIES) bodies[count++] = fuzz_part(&rest);
    if (!count) return LLVMFuzzerMutate(data, n, most);
    count = change_bodies(&rng, bodies, count, scratch);
    if (most - before > sizeof joined || !join(bodies, count, joined, &length, most - before))
        return LLVMFuzzerMutate(data, n, most);
    memcpy(data + before, joined, length);
    return before + length;
}
