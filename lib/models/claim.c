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

/* The file's bytes: users, by their ids' hashes; parts, by their numbers; and how the users are cut: by lists
 * (0), or into so many parts. Each run shares the byte of its cut, and looks whether another byte is held. A
 * part takes one byte of its own and none of its users': the kernel walks all locks of a file for each new
 * one, so that locks of 50,000 users would take minutes. */
#define PARTS ((off_t)1 << 62)
#define CUTS  (PARTS + 2 * (off_t)DQ_SHARD_MAX)

static struct flock bytes_at(short type, off_t start, off_t count) /* count 0: all from there on */
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = count};
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

/* id NULL: not one user's. */
static dq_status take(const dq_model_claim *claim, struct flock lock, const char *id, size_t bytes,
                      dq_error *error)
{
    while (fcntl(claim->fd - 1, F_SETLK, &lock) != 0) {
        if (errno == EINTR) continue;
        if (errno == EACCES || errno == EAGAIN) return taken(claim, lock, id, bytes, error);
        if (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL) return DQ_OK;
        return dq_fail_errno(error, errno, "cannot lock .lock");
    }
    return DQ_OK;
}

/* Shares a cut, and looks whether a run is at work by another one: first the own, then the look, so that of
 * two that begin at once both never pass. */
static dq_status share_cut(const dq_model_claim *claim, off_t cut, dq_error *error)
{
    struct flock others[] = {bytes_at(F_WRLCK, CUTS, cut), bytes_at(F_WRLCK, CUTS + cut + 1, 0)};
    dq_status status = take(claim, bytes_at(F_RDLCK, CUTS + cut, 1), NULL, 0, error);
    for (size_t i = cut ? 0 : 1; !status && i < 2; i++) { /* none stands before the first */
        struct flock found = others[i];
        if (fcntl(claim->fd - 1, F_GETLK, &found) == 0 && found.l_type != F_UNLCK)
            status = taken(claim, others[i], NULL, 0, error);
    }
    return status;
}

static dq_status take_users(const dq_model_claim *claim, const dq_user_list *users, const dq_index *among,
                            dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint32_t i = 0; !status && i < dq_index_count(among); i++) {
        size_t bytes;
        const char *id = dq_index_id(among, i, &bytes);
        off_t hash = (off_t)(dq_digest(id, bytes) >> 2); /* an off_t, and its end another */
        if (dq_user_list_has(users, id, bytes))
            status = take(claim, bytes_at(F_WRLCK, hash, 1), id, bytes, error);
    }
    return status;
}

dq_status dq_model_claim_take(dq_model_claim *claim, const dq_model_dir *dir, const dq_user_list *users,
                              const dq_index *among, dq_error *error)
{
    bool part = dq_shard_cuts(&users->shard) && !dq_index_count(&users->ids);
    dq_status status = open_file(claim, dir, error);
    if (!status && !dq_user_list_narrows(users))
        status = take(claim, bytes_at(F_WRLCK, 0, 0), NULL, 0, error);
    else if (!status && part) {
        status = take(claim, bytes_at(F_WRLCK, PARTS + users->shard.index, 1), NULL, 0, error);
        if (!status) status = share_cut(claim, users->shard.count, error);
    } else if (!status) {
        status = take_users(claim, users, among, error);
        if (!status) status = share_cut(claim, 0, error);
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
