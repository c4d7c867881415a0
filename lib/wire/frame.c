/* SPDX-License-Identifier: MIT */
#include "wire/frame.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

dq_frame dq_frame_find(const void *bytes, size_t n, size_t *size)
{
    static const char magic[] = "\x28\xb5\x2f\xfd";
    enum { MAGIC = 4 };
    *size = 0;
    if (n == 0) return DQ_FRAME_CUT;
    if (memcmp(bytes, magic, n < MAGIC ? n : MAGIC) != 0) return DQ_FRAME_NONE;
    size_t found = ZSTD_findFrameCompressedSize(bytes, n);
    if (ZSTD_isError(found))
        return ZSTD_getErrorCode(found) == ZSTD_error_srcSize_wrong ? DQ_FRAME_CUT : DQ_FRAME_NONE;
    *size = found;
    return DQ_FRAME_WHOLE;
}

size_t dq_frame_room(void)
{
    return DQ_FRAME_MARK + ZSTD_COMPRESSBOUND((size_t)DQ_FRAME_PAYLOAD);
}

/* ---- marks ---- */

static const unsigned char mark[] = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0};

static void put_mark(unsigned char *to, size_t bytes)
{
    memcpy(to, mark, sizeof mark);
    for (size_t i = 0; i < 4; i++) to[sizeof mark + i] = (unsigned char)(bytes >> (8 * i));
}

size_t dq_frame_marked(const unsigned char *bytes, size_t n)
{
    size_t frame = 0;
    if (n < DQ_FRAME_MARK || memcmp(bytes, mark, sizeof mark) != 0) return 0;
    for (size_t i = 0; i < 4; i++) frame |= (size_t)bytes[sizeof mark + i] << (8 * i);
    return frame <= dq_frame_room() - DQ_FRAME_MARK ? frame : 0;
}

bool dq_frame_states(const void *frame, size_t n, size_t *payload)
{
    size_t size;
    if (dq_frame_find(frame, n, &size) != DQ_FRAME_WHOLE || size != n) return false;
    unsigned long long stated = ZSTD_getFrameContentSize(frame, n);
    *payload = (size_t)stated;
    return stated <= DQ_FRAME_PAYLOAD; /* what says that there is none is larger */
}

/* ---- a frame in one call ---- */

/* zstd's own contexts under other names, so that no other file needs the header. */

dq_frame_encoder *dq_frame_encoder_new(int level)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    if (zstd && !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level)) &&
        !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1)))
        return (dq_frame_encoder *)zstd;
    ZSTD_freeCCtx(zstd);
    return NULL;
}

void dq_frame_encoder_free(dq_frame_encoder *encoder)
{
    ZSTD_freeCCtx((ZSTD_CCtx *)encoder);
}

static dq_status failed(size_t code, dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "zstd: %s", ZSTD_getErrorName(code));
}

dq_status dq_frame_encode(dq_frame_encoder *encoder, const void *payload, size_t n, bool marked,
                          unsigned char *to, size_t *bytes, dq_error *error)
{
    size_t before = marked ? DQ_FRAME_MARK : 0;
    size_t made = ZSTD_compress2((ZSTD_CCtx *)encoder, to + before, dq_frame_room() - before, payload, n);
    if (ZSTD_isError(made)) return failed(made, error);
    if (marked) put_mark(to, made);
    *bytes = before + made;
    return DQ_OK;
}

dq_status dq_frame_make(const void *payload, size_t n, int level, unsigned char **frame, size_t *bytes,
                        dq_error *error)
{
    dq_frame_encoder *encoder = dq_frame_encoder_new(level);
    size_t room = ZSTD_compressBound(n);
    *frame = encoder ? malloc(room) : NULL;
    size_t made = *frame ? ZSTD_compress2((ZSTD_CCtx *)encoder, *frame, room, payload, n) : 0;
    dq_frame_encoder_free(encoder);
    if (!*frame) return dq_fail_memory(error, "a zstd frame");
    *bytes = made;
    if (!ZSTD_isError(made)) return DQ_OK;
    free(*frame);
    *frame = NULL;
    return failed(made, error);
}

dq_frame_decoder *dq_frame_decoder_new(void)
{
    return (dq_frame_decoder *)ZSTD_createDCtx();
}

void dq_frame_decoder_free(dq_frame_decoder *decoder)
{
    ZSTD_freeDCtx((ZSTD_DCtx *)decoder);
}

bool dq_frame_decode(dq_frame_decoder *decoder, const void *frame, size_t n, void *to, size_t payload)
{
    return ZSTD_decompressDCtx((ZSTD_DCtx *)decoder, to, payload, frame, n) == payload;
}
