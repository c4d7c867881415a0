/* SPDX-License-Identifier: MIT */
#include "buffer.h"

#include "core/array.h"
#include "port/files/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 8, COLUMNS = 8, WIDTH = 6, BUNDLES = 16 };

void fuzz_buffer_free(fuzz_buffer *buffer)
{
    free(buffer->data);
    *buffer = (fuzz_buffer){0};
}

static dq_status take(void *arg, const void *data, size_t n, dq_error *error)
{
    fuzz_buffer *b = arg;
    if (!dq_array_reserve(&b->data, &b->room, b->n + n, 1)) return dq_fail_memory(error, "a stream");
    if (n) memcpy(b->data + b->n, data, n);
    b->n += n;
    return DQ_OK;
}

dq_writer *fuzz_writer(fuzz_buffer *buffer)
{
    static const dq_maker maker = {.program = "fuzz", .version = "0", .seed = -1};
    dq_error e = DQ_ERROR_NONE;
    dq_sink *sink;
    dq_writer *writer;
    if (dq_sink_open_fn(&sink, "buffer", DQ_SINK_TEXT, take, buffer, &e) ||
        dq_writer_open_sink(&writer, sink, &maker, NULL, 0, &e))
        fuzz_fail("no writer: %s", e.reason);
    return writer;
}

/* ---- bundles of bytes ---- */

static double number_of(unsigned byte)
{
    static const double others[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 4294967295.0, -1, 0.5, 65535};
    enum { OTHERS = sizeof others / sizeof *others };
    return byte >= 256 - OTHERS ? others[255 - byte] : (double)byte;
}

/* One number of a type; what does not fit is 0. */
static void put_number(unsigned char *to, dq_dtype type, double x)
{
    float f = (float)x;
    int64_t whole = isfinite(x) && fabs(x) < 1e18 ? (int64_t)x : INT64_MAX;
    if (type == DQ_F8)
        memcpy(to, &x, sizeof x);
    else if (type == DQ_F4)
        memcpy(to, &f, sizeof f);
    else if (type == DQ_F2 || type == DQ_BF16)
        dq_convert_from_f4(to, type, &f, 1);
    else
        memcpy(to, &whole, dq_dtype_size(type));
}

static dq_status add_numbers(dq_bundle *b, const char *name, dq_dtype type, unsigned width, unsigned flags,
                             fuzz_bytes part, dq_error *error)
{
    static const char *const refs[] = {NULL, NULL, "users", "items"};
    size_t size = dq_dtype_size(type), n = (size_t)b->rows * (width ? width : 1);
    unsigned char *data = dq_arena_zero(&b->arena, n + 1, size);
    uint8_t *nulls = dq_arena_zero(&b->arena, b->rows + 1, 1);
    const uint64_t shape[2] = {b->rows, width};
    if (!data || !nulls) return dq_fail_memory(error, "a bundle");
    for (size_t i = 0; i < n && part.n; i++)
        put_number(data + i * size, type, number_of(part.data[i % part.n]));
    for (size_t i = 0; i < b->rows; i++) nulls[i] = flags >> (i % 4) & 1;
    if (width) return dq_bundle_add_tensor(b, name, type, 2, shape, data, error);
    return dq_bundle_add_numbers(b, name, type, data, refs[flags >> 6], flags & 0x20 ? nulls : NULL, error);
}

static dq_status add_texts(dq_bundle *b, const char *name, dq_dtype type, unsigned flags, fuzz_bytes part,
                           dq_error *error)
{
    uint32_t *offsets = dq_arena_zero(&b->arena, b->rows + 1, sizeof *offsets);
    uint8_t *nulls = dq_arena_zero(&b->arena, b->rows + 1, 1);
    char *data = dq_arena_zero(&b->arena, part.n + 1, 1), *to = data;
    if (!offsets || !nulls || !data) return dq_fail_memory(error, "a bundle");
    for (size_t i = 0; i < b->rows; i++) {
        size_t n = part.n ? strnlen((const char *)part.data, part.n) : 0;
        if (n) memcpy(to, part.data, n);
        to += n;
        n += n < part.n;
        part.data += n;
        part.n -= n;
        offsets[i + 1] = (uint32_t)(to - data);
        nulls[i] = flags >> (i % 4) & 1;
        if (flags & 0x20 && nulls[i]) to = data + (offsets[i + 1] = offsets[i]);
    }
    return dq_bundle_add_text(b, name, type, offsets, data, flags & 0x20 ? nulls : NULL, error);
}

static dq_status add_column(dq_bundle *b, fuzz_bytes *rest, dq_error *error)
{
    static const char *const names[] = {"id",     "vector", "state", "reward", "terminal", "truncated",
                                        "item",   "user",   "llm",   "label",  "env",      "seed",
                                        "action", "clicks", "soft",  "none",   "attr.x",   "text.t"};
    const char *name = names[fuzz_byte(rest) % (sizeof names / sizeof *names)];
    dq_dtype type = (dq_dtype)(fuzz_byte(rest) % (DQ_JSON + 1));
    unsigned width = fuzz_byte(rest) % WIDTH, flags = fuzz_byte(rest);
    fuzz_bytes part = fuzz_part(rest);
    if (dq_dtype_size(type)) return add_numbers(b, name, type, width, flags, part, error);
    return add_texts(b, name, type, flags, part, error);
}

static void make_bundle(dq_writer *writer, fuzz_bytes *rest)
{
    static const char *const kinds[] = {"env",   "state", "reset", "step",         "labels", "transitions",
                                        "users", "items", "model", "interactions", "other"};
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    const char *kind = kinds[fuzz_byte(rest) % (sizeof kinds / sizeof *kinds)];
    if (dq_bundle_init(&b, kind, fuzz_byte(rest) % ROWS, &e)) fuzz_fail("%s", e.reason);
    unsigned columns = fuzz_byte(rest) % COLUMNS;
    fuzz_bytes meta = fuzz_part(rest);
    dq_value v;
    if (!dq_json_parse((const char *)meta.data, meta.n, &b.arena, &v, &e) && v.type == DQ_MAP) b.meta = v;
    for (unsigned i = 0; i < columns; i++) {
        e = DQ_ERROR_NONE;
        (void)add_column(&b, rest, &e); /* a name that is there already, say */
    }
    e = DQ_ERROR_NONE;
    (void)dq_writer_put(writer, &b, &e);
    dq_bundle_free(&b);
}

void fuzz_make_stream(fuzz_bytes *rest, fuzz_buffer *buffer)
{
    dq_error e = DQ_ERROR_NONE;
    dq_writer *writer = fuzz_writer(buffer);
    for (int i = 0; rest->n && i < BUNDLES; i++) make_bundle(writer, rest);
    if (dq_writer_close(writer, &e)) fuzz_fail("no stream: %s", e.reason);
}
