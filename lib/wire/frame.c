/* SPDX-License-Identifier: MIT */
#include "wire/frame.h"

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
