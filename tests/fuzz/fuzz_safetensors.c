/* SPDX-License-Identifier: MIT
 *
 * safetensors: what is read is written again, and then is the same. The first byte says what the rest is:
 *
 *     0  a file
 *     1  a part that is the header, to which its right length is given, and the data
 */
#include "fuzz.h"
#include "port/files/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dq_status read_file(const char *path, dq_bundle *bundle, dq_error *error)
{
    dq_source *source;
    if (dq_source_open(&source, path, error)) fuzz_fail("%s", error->reason);
    dq_status status = dq_safetensors_read(source, bundle, error);
    if (status && (bundle->columns || bundle->kind)) fuzz_fail("a bundle that is not empty after a failure");
    dq_source_close(source);
    return status;
}

typedef struct written {
    char *bytes;
    size_t n, room;
} written;

static dq_status take(void *arg, const void *data, size_t n, dq_error *error)
{
    written *w = arg;
    (void)error;
    if (w->n + n > w->room) {
        w->room = 2 * (w->n + n);
        w->bytes = realloc(w->bytes, w->room);
        if (!w->bytes) fuzz_fail("no memory");
    }
    if (n) memcpy(w->bytes + w->n, data, n);
    w->n += n;
    return DQ_OK;
}

static void compare(const dq_bundle *a, const dq_bundle *b)
{
    if (a->column_count != b->column_count) fuzz_fail("a tensor was lost");
    for (size_t i = 0; i < a->column_count; i++) {
        const dq_column *x = &a->columns[i], *y = dq_bundle_column(b, x->name);
        if (!y || x->type != y->type || x->dims != y->dims ||
            memcmp(x->shape, y->shape, x->dims * sizeof *x->shape) != 0 || x->bytes != y->bytes ||
            (x->bytes && memcmp(x->data, y->data, x->bytes) != 0))
            fuzz_fail("tensor %s does not come back", x->name);
    }
    if (!dq_value_equal(&a->meta, &b->meta)) fuzz_fail("the metadata do not come back");
}

/* Writes it, and reads that. */
static void round_trip(const dq_bundle *bundle)
{
    dq_error e = DQ_ERROR_NONE;
    written w = {0};
    dq_sink *sink;
    dq_bundle back;
    if (dq_sink_open_fn(&sink, "written", DQ_SINK_TEXT, take, &w, &e)) fuzz_fail("%s", e.reason);
    dq_status status = dq_safetensors_write(sink, bundle, &e);
    if (!status)
        status = dq_sink_close(sink, &e);
    else
        dq_sink_abort(sink);
    if (status) fuzz_fail("what was read cannot be written: %s", e.reason);
    if (read_file(fuzz_file(w.bytes, w.n), &back, &e))
        fuzz_fail("what was written cannot be read: %s", e.reason);
    compare(bundle, &back);
    dq_bundle_free(&back);
    free(w.bytes);
}

static void read_tensors(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    unsigned char *bytes = malloc(n + 8);
    size_t length = 0;
    if (!bytes) return;
    if (fuzz_byte(&rest) & 1) {
        fuzz_bytes header = fuzz_part(&rest);
        for (size_t i = 0; i < 8; i++) bytes[i] = (unsigned char)(header.n >> 8 * i);
        if (header.n) memcpy(bytes + 8, header.data, header.n);
        length = 8 + header.n;
    }
    if (rest.n) memcpy(bytes + length, rest.data, rest.n);
    dq_error e = DQ_ERROR_NONE;
    dq_bundle bundle = DQ_BUNDLE_EMPTY;
    if (read_file(fuzz_file(bytes, length + rest.n), &bundle, &e)) {
        fuzz_refused(&e);
    } else {
        fuzz_use(&bundle);
        round_trip(&bundle);
    }
    dq_bundle_free(&bundle);
    free(bytes);
}

const fuzz_target fuzz_it = {.read = read_tensors, .memory = 4 << 20, .per_byte = 512};
