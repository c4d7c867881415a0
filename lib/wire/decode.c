/* SPDX-License-Identifier: MIT
 *
 * zstd and gzip. Frames and members may follow one another; whatever else follows is an error, and so are a
 * bad checksum and a window over 128 MiB.
 */
#include "wire/wire.h"

#define ZLIB_CONST

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { WINDOW_LOG_MAX = 27, BLOCK = 128 << 10 /* the most that one holds */ };

struct dq_decoder {
    ZSTD_DCtx *zstd; /* or NULL: gzip */
    z_stream gzip;
    bool boundary;
    size_t in_block; /* bytes that came out of the block at hand, where blocks are full */
};

static bool begins(const unsigned char *first, size_t n, const char *magic, size_t length)
{
    return memcmp(first, magic, n < length ? n : length) == 0;
}

dq_coding dq_coding_of(const unsigned char *first, size_t n)
{
    if (n == 0) return DQ_CODING_MORE;
    if (begins(first, n, "\x1f\x8b", 2)) return n < 2 ? DQ_CODING_MORE : DQ_CODING_GZIP;
    if (begins(first, n, "\x28\xb5\x2f\xfd", 4)) return n < 4 ? DQ_CODING_MORE : DQ_CODING_ZSTD;
    return DQ_CODING_PLAIN;
}

dq_decoder *dq_decoder_new(dq_coding coding)
{
    dq_decoder *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    d->boundary = true;
    if (coding == DQ_CODING_ZSTD) {
        d->zstd = ZSTD_createDCtx();
        if (d->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
            return d;
    } else if (inflateInit2(&d->gzip, 15 + 16) == Z_OK) {
        return d;
    }
    ZSTD_freeDCtx(d->zstd);
    free(d);
    return NULL;
}

void dq_decoder_free(dq_decoder *decoder)
{
    if (!decoder) return;
    if (decoder->zstd)
        ZSTD_freeDCtx(decoder->zstd);
    else
        (void)inflateEnd(&decoder->gzip);
    free(decoder);
}

bool dq_decoder_at_boundary(const dq_decoder *decoder)
{
    return decoder->boundary;
}

static dq_status zstd_failed(size_t code, dq_error *error)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_memory_allocation: return dq_fail_memory(error, "a zstd window");
    case ZSTD_error_frameParameter_windowTooLarge:
        return dq_fail(error, DQ_ERR_FORMAT, "a zstd window of more than 128 MiB");
    case ZSTD_error_prefix_unknown:
        return dq_fail(error, DQ_ERR_FORMAT, "bytes after a zstd frame that are no frame");
    default: return dq_fail(error, DQ_ERR_FORMAT, "damaged zstd frame: %s", ZSTD_getErrorName(code));
    }
}

static dq_status run_zstd(dq_decoder *d, const unsigned char *in, size_t *at, size_t end, void *to, size_t n,
                          size_t *got, dq_error *error)
{
    /* One block a call, for a call that meets damage gives out nothing: so all that is sound comes before. */
    size_t room = BLOCK - d->in_block;
    ZSTD_inBuffer from = {.src = in, .size = end, .pos = *at};
    ZSTD_outBuffer out = {.dst = to, .size = n < room ? n : room};
    size_t left = ZSTD_decompressStream(d->zstd, &out, &from);
    if (ZSTD_isError(left) && ZSTD_getErrorCode(left) == ZSTD_error_prefix_unknown && d->boundary)
        return dq_fail_foreign("bytes after a zstd frame that are no frame:", in + *at, end - *at, false,
                               error);
    if (ZSTD_isError(left)) return zstd_failed(left, error);
    *at = from.pos;
    *got = out.pos;
    d->boundary = left == 0;
    d->in_block = d->boundary ? 0 : (d->in_block + out.pos) % BLOCK;
    return DQ_OK;
}

static dq_status run_gzip(dq_decoder *d, const unsigned char *in, size_t *at, size_t end, void *to, size_t n,
                          size_t *got, dq_error *error)
{
    z_stream *z = &d->gzip;
    const size_t most = 1U << 30; /* zlib counts in unsigned int */
    if (n > most) n = most;
    z->next_in = in + *at;
    z->avail_in = (uInt)(end - *at);
    z->next_out = to;
    z->avail_out = (uInt)n;
    int code = inflate(z, Z_NO_FLUSH);
    *at = end - z->avail_in;
    *got = n - z->avail_out;
    d->boundary = code == Z_STREAM_END;
    if (code == Z_MEM_ERROR) return dq_fail_memory(error, "gzip");
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return dq_fail(error, DQ_ERR_FORMAT, "damaged gzip member: %s", z->msg ? z->msg : "bad data");
    if (code == Z_STREAM_END) (void)inflateReset(z);
    return DQ_OK;
}

dq_status dq_decoder_run(dq_decoder *decoder, const unsigned char *in, size_t *at, size_t end, void *to,
                         size_t n, size_t *got, dq_error *error)
{
    return (decoder->zstd ? run_zstd : run_gzip)(decoder, in, at, end, to, n, got, error);
}
