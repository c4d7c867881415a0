/* SPDX-License-Identifier: MIT
 *
 * The fuzz body of the stream reader. The first byte says whether the rest is a stream as it is, or records
 * without their lengths and hashes, to which both are given here: else no mutation would pass the hash.
 *
 *     0  payload, zstd or gzip bytes, as they are
 *     1  bodies, each behind its length in two bytes, the higher first
 */
#include "core/digest.h"
#include "dq/stream.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

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

static void read_file(const char *path)
{
    dq_error e = DQ_ERROR_NONE;
    dq_reader *reader;
    dq_bundle bundle;
    int got;
    if (dq_reader_open(&reader, &path, 1, &e)) {
        fuzz_failed(&e);
        return;
    }
    while ((got = dq_reader_next(reader, &bundle, &e)) > 0) {
        fuzz_use(&bundle);
        dq_bundle_free(&bundle);
    }
    if (got < 0) fuzz_failed(&e);
    dq_reader_close(reader);
}

static void read_stream(const uint8_t *data, size_t n)
{
    if (n == 0) return;
    unsigned char *bytes = malloc(10 * n + 64);
    if (!bytes) return;
    size_t length = n - 1;
    if (data[0] & 1)
        length = frame(data + 1, n - 1, bytes);
    else
        memcpy(bytes, data + 1, length);
    read_file(fuzz_file(bytes, length));
    free(bytes);
}

const fuzz_target fuzz_it = {.read = read_stream, .memory = 4 << 20, .per_byte = 256};
