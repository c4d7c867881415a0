/* SPDX-License-Identifier: MIT */
#include "models/claim.h"

#include "core/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static dq_status open_file(dq_model_claim *claim, const dq_model_dir *dir, dq_error *error)
{
    size_t n = strlen(dir->path) + sizeof "/.lock";
    char *path = malloc(n);
    if (!path) return dq_fail_memory(error, "a file's name");
    (void)snprintf(path, n, "%s/.lock", dir->path);
    claim->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) + 1;
    int sys = errno;
    free(path);
    return claim->fd ? DQ_OK : dq_fail_errno(error, sys, "cannot open .lock");
}

/* Another's: his process, where he is on this machine and still there. */
static dq_status taken(const dq_model_claim *claim, struct flock lock, const char *id, size_t bytes,
                       dq_error *error)
{
    char process[32] = "";
    if (fcntl(claim->fd - 1, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0)
        (void)snprintf(process, sizeof process, " (process %ld)", (long)lock.l_pid);
    if (!id)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "another run%s makes models here; wait for it, or end it",
                       process);
    return dq_fail(error, DQ_ERR_UNSUPPORTED,
                   "another run%s makes the model of user %.*s here; wait for it, or end it", process,
                   (int)bytes, id);
}

/* id NULL: everybody's. */
static dq_status take_one(const dq_model_claim *claim, const char *id, size_t bytes, dq_error *error)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = id != NULL};
    if (id) lock.l_start = (off_t)(dq_digest(id, bytes) >> 2); /* an off_t, and its end another */
    while (fcntl(claim->fd - 1, F_SETLK, &lock) != 0) {
        if (errno == EINTR) continue;
        if (errno == EACCES || errno == EAGAIN) return taken(claim, lock, id, bytes, error);
        if (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL) return DQ_OK;
        return dq_fail_errno(error, errno, "cannot lock .lock");
    }
    return DQ_OK;
}

dq_status dq_model_claim_take(dq_model_claim *claim, const dq_model_dir *dir, const dq_user_list *users,
                              const dq_index *among, dq_error *error)
{
    size_t n = dq_user_list_narrows(users) ? dq_index_count(among) : 0;
    dq_status status = open_file(claim, dir, error);
    if (!status && !dq_user_list_narrows(users)) status = take_one(claim, NULL, 0, error);
    for (uint32_t i = 0; !status && i < n; i++) {
        size_t bytes;
        const char *id = dq_index_id(among, i, &bytes);
        if (dq_user_list_has(users, id, bytes)) status = take_one(claim, id, bytes, error);
    }
    return status ? dq_error_at(error, dir->path, DQ_NO_RECORD) : DQ_OK;
}

bool dq_model_claim_all(const dq_model_claim *claim)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return claim->fd && fcntl(claim->fd - 1, F_SETLK, &lock) == 0;
}

void dq_model_claim_end(dq_model_claim *claim)
{
    if (claim->fd) (void)close(claim->fd - 1);
    *claim = (dq_model_claim){0};
}
