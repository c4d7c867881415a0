/* SPDX-License-Identifier: MIT
 *
 * The fuzz body of the stream reader. The first byte says whether the rest is a stream as it is, or records
 * without their lengths and hashes, to which both are given here: else no mutation would pass the hash.
 *
 *     0  payload, zstd or gzip bytes, as they are
 *     1  bodies, each behind its length in two bytes, the higher first
 */
#include "core/digest.h"
#include "dq/schema.h"

#include "dq/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void put_u64(unsigned char *p, uint64_t u)
{
    *p++ = 0xcf;
    for (int shift = 56; shift >= 0; shift -= 8) *p++ = (unsigned char)(u >> shift);
}

/* Bodies to records; returns the bytes written to `to`, which has room for 18 more a body than n. */
static size_t frame(const unsigned char *data, size_t n, unsigned char *to)
{
    size_t out = 0;
    for (size_t at = 0; at + 2 <= n;) {
        size_t length = (size_t)data[at] << 8 | data[at + 1];
        at += 2;
        if (length > n - at) length = n - at;
        put_u64(to + out, length);
        put_u64(to + out + 9, dq_digest(data + at, length));
        if (length) memcpy(to + out + 18, data + at, length);
        out += 18 + length;
        at += length;
    }
    return out;
}

/* Touches everything that a bundle offers: what was handed out must be sound. */
static double use(const dq_bundle *bundle)
{
    double sum = 0;
    size_t n;
    for (size_t i = 0; i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        uint64_t rows = c->shape[0], width = dq_column_width(c);
        bool text = dq_dtype_size(c->type) == 0;
        for (uint64_t r = 0; text && r < rows; r++) {
            const char *t = dq_column_text(c, r, &n);
            for (size_t k = 0; t && k < n; k++) sum += t[k];
        }
        for (uint64_t k = 0; !text && width && k < rows * width; k++) sum += dq_column_number(c, k);
    }
    return sum;
}

static void read_stream(const char *path)
{
    dq_error e = DQ_ERROR_NONE;
    dq_reader *reader;
    dq_bundle bundle;
    int got;
    if (dq_reader_open(&reader, &path, 1, &e)) return;
    while ((got = dq_reader_next(reader, &bundle, &e)) > 0) {
        double sum = use(&bundle);
        __asm__ volatile("" : : "m"(sum)); /* keeps the reads */
        dq_bundle_free(&bundle);
    }
    if (got < 0 && (!e.reason[0] || !e.source[0])) abort(); /* a failure says what and where */
    dq_reader_close(reader);
}

/* The name that libFuzzer calls; tests/unit/test_corpus.c calls it over the saved corpus. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0) return 0;
    unsigned char *bytes = malloc(10 * n + 64);
    if (!bytes) return 0;
    size_t length = n - 1;
    if (data[0] & 1)
        length = frame(data + 1, n - 1, bytes);
    else
        memcpy(bytes, data + 1, length);
    int file = memfd_create("fuzz", 0);
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (file >= 0 && write(file, bytes, length) == (ssize_t)length) read_stream(path);
    if (file >= 0) (void)close(file);
    free(bytes);
    return 0;
}
