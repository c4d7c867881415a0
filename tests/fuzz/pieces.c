/* SPDX-License-Identifier: MIT */
#include "pieces.h"

#include <string.h>

static dq_status give(void *arg, void *to, size_t n, size_t *got, dq_error *error)
{
    fuzz_pieces *p = arg;
    (void)error;
    *got = p->rest.n < n ? p->rest.n : n;
    if (*got > p->piece) *got = p->piece;
    if (*got) memcpy(to, p->rest.data, *got);
    p->rest.data += *got;
    p->rest.n -= *got;
    return DQ_OK;
}

dq_source *fuzz_source(fuzz_pieces *pieces, const char *name)
{
    dq_error e = DQ_ERROR_NONE;
    dq_source *source;
    if (dq_source_open_fn(&source, name, give, pieces, &e)) fuzz_fail("no source: %s", e.reason);
    return source;
}

const char *fuzz_encoding(unsigned choice)
{
    static const char *const names[] = {"latin1", "UTF-16", "CP1252", "SHIFT_JIS", "UTF-16LE", "UTF-8"};
    enum { NAMES = sizeof names / sizeof *names };
    return choice % 16 < NAMES ? names[choice % 16] : NULL;
}

bool fuzz_is_compressed(fuzz_bytes b)
{
    static const unsigned char zstd[] = {0x28, 0xb5, 0x2f, 0xfd}, gzip[] = {0x1f, 0x8b};
    bool skippable = b.n >= 4 && (b.data[0] & 0xf0) == 0x50 && memcmp(b.data + 1, "\x2a\x4d\x18", 3) == 0;
    return skippable || (b.n >= sizeof zstd && memcmp(b.data, zstd, sizeof zstd) == 0) ||
           (b.n >= sizeof gzip && memcmp(b.data, gzip, sizeof gzip) == 0);
}
