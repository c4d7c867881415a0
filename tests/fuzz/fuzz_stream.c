/* SPDX-License-Identifier: MIT
 *
 * The stream reader. The first byte says what the rest is:
 *
 *     0  payload, zstd or gzip bytes, as they are
 *     1  bodies of records, head and end among them, to which lengths and hashes are given
 *     2  bodies of bundles, to which everything is given that a writer computes (bundles.h)
 */
#include "bundles.h"
#include "dq/stream.h"

#include <stdlib.h>

/* Reads to the end; the bundles that came, or -1. */
static int read_file(const char *path)
{
    dq_error e = DQ_ERROR_NONE;
    dq_reader *reader;
    dq_bundle bundle;
    int got, bundles = 0;
    if (dq_reader_open(&reader, &path, 1, &e)) {
        fuzz_failed(&e);
        return -1;
    }
    while ((got = dq_reader_next(reader, &bundle, &e)) > 0) {
        fuzz_use(&bundle);
        dq_bundle_free(&bundle);
        bundles++;
    }
    if (got < 0) fuzz_failed(&e);
    dq_reader_close(reader);
    return got < 0 ? -1 : bundles;
}

static void read_signed(fuzz_bytes bodies)
{
    size_t n;
    int count = 0;
    unsigned char *bytes = fuzz_sign(bodies, &n);
    for (; bodies.n; count++) (void)fuzz_part(&bodies);
    int got = read_file(fuzz_file(bytes, n));
    if (got >= 0 && got != count) fuzz_fail("%d of %d bundles", got, count);
    free(bytes);
}

static void read_stream(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    unsigned char *bytes;
    switch (fuzz_byte(&rest) & 3) {
    case 0: (void)read_file(fuzz_file(rest.data, rest.n)); break;
    case 1:
        bytes = fuzz_frame(rest, &n);
        (void)read_file(fuzz_file(bytes, n));
        free(bytes);
        break;
    default: read_signed(rest);
    }
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t most) __attribute__((weak));

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    return n && data[0] & 3 ? fuzz_mutate_bundles(data, n, most, seed, 1) : LLVMFuzzerMutate(data, n, most);
}

const fuzz_target fuzz_it = {.read = read_stream, .memory = 4 << 20, .per_byte = 256};
