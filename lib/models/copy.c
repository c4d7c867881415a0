/* SPDX-License-Identifier: MIT */
#include "models/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

dq_status dq_models_write(int fd, const void *data, size_t n, dq_error *error)
{
    const char *at = data;
    while (n > 0) {
        ssize_t wrote = write(fd, at, n);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return dq_fail_errno(error, errno, "cannot write");
        at += wrote;
        n -= (size_t)wrote;
    }
    return DQ_OK;
}

dq_status dq_models_copy(dq_source_fn read, void *from, int fd, uint64_t *bytes, dq_error *error)
{
    enum { BLOCK = 256 << 10 };
    char *block = malloc(BLOCK);
    size_t got = 0;
    dq_status status = block ? DQ_OK : dq_fail_memory(error, "a file");
    for (*bytes = 0; !status && !(status = read(from, block, BLOCK, &got, error)) && got > 0; *bytes += got)
        status = dq_models_write(fd, block, got, error);
    free(block);
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* a beginning; the sync says what came of it */
    return status;
}
