/* SPDX-License-Identifier: MIT
 *
 * Training by several processes. What they say to each other stands in lib/mpi, which dq-train-mpi has and
 * dq-train lacks, so that who has one machine needs no MPI: the two are otherwise one program, and dq-train
 * becomes the other when it is asked for --mpi.
 *
 * The ranks do the same, and fail alike, but for what one of them meets alone: its memory, its disk. So the
 * others are silent; one that fails waits a little, in case the first does too, before it speaks, and ends
 * all.
 */
#include "train.h"

#include "cli/voice.h"
#include "mpi/ranks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#pragma weak dq_mpi_open
#pragma weak dq_mpi_close
#pragma weak dq_mpi_ranks
#pragma weak dq_mpi_neighbours
#pragma weak dq_mpi_place
#pragma weak dq_mpi_settle
#pragma weak dq_mpi_end_all
#pragma weak dq_mpi_part
#pragma weak dq_mpi_watch

enum { PATIENCE_NS = 50000000 }; /* times a rank's number, and a second */

static dq_mpi *mpi;
static bool silent; /* at the beginning */
static bool left;   /* by train_ranks_leave */

/* Who ends by himself, as by a usage error, which all have: mpirun ends the others then, so the silent ones
 * wait until the first has spoken. */
static void part(void)
{
    if (left) return;
    if (mpi) dq_mpi_part(mpi);
    if (silent) (void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
}

void train_ranks_hush(char **argv)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    bool asked = false;
    for (; *argv && strcmp(*argv, "--") != 0; argv++) asked = asked || strcmp(*argv, "--mpi") == 0;
    silent = asked && rank && strcmp(rank, "0") != 0;
    if (silent) dq_voice_hush();
    if (asked) (void)atexit(part); /* without it a line is lost at worst */
}

void train_ranks_fail(dq_status status)
{
    if (!mpi) return; /* whoever has not met the others is heard as the first is */
    uint64_t wait = PATIENCE_NS * (uint64_t)dq_mpi_ranks(mpi)->rank;
    struct timespec time = {.tv_sec = 1 + (time_t)(wait / 1000000000), .tv_nsec = (long)(wait % 1000000000)};
    if (dq_mpi_ranks(mpi)->rank == 0 || status == DQ_ERR_STOPPED) return; /* all of them stop together */
    if (nanosleep(&time, NULL) == 0) dq_voice_speak();
}

/* ---- meeting ---- */

/* Its place from the folder of this program: as it was built, and as it is installed. */
static const char *const places[] = {"libexec/dq-train-mpi", "../libexec/dq/dq-train-mpi", NULL};

static dq_status become_other(char **argv, dq_error *error)
{
    enum { ROOM = 64 };
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - ROOM);
    char *end = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
    dq_voice_speak();
    for (const char *const *place = places; end && *place; place++) {
        (void)snprintf(end + 1, ROOM, "%s", *place);
        (void)execv(path, argv);
        if (errno != ENOENT) break;
    }
    int why = errno;
    train_ranks_hush(argv);
    return dq_fail(error, DQ_ERR_UNSUPPORTED,
                   "--mpi is dq-train-mpi's, which is not to be run (%s): make builds it where Open MPI is "
                   "(Debian: libopenmpi-dev)",
                   strerror(why));
}

/* What the first rank alone does. */
static void follow_first(train *t)
{
    train_options *o = t->o;
    o->common.quiet = true;
    o->common.progress = false;
    o->log = NULL;
    dq_voice_hush();
}

static bool is_here(const void *arg, uint32_t user)
{
    const train *t = arg;
    return dq_offline_is_here(t->o->passes.tiles, t->ranks, user);
}

/* A neighbour was killed, or has crashed: mpirun is about to end all, and may be silent (-q). */
static void lose(void *arg, uint32_t rank, int64_t pid)
{
    const train *t = arg;
    dq_error error = DQ_ERROR_NONE;
    const dq_checkpoint kept = {.path = t->o->checkpoint};
    const char *path = dq_checkpoint_exists(&kept) ? kept.path : NULL;
    (void)dq_fail(&error, DQ_ERR_IO,
                  "rank %u (process %lld) was killed, or has crashed: all ranks end%s%.200s", rank,
                  (long long)pid, path ? "; the same command goes on from " : "", path ? path : "");
    dq_voice_speak();
    dq_cli_report(t->cli, &error);
    dq_voice_hush(); /* what the others' end makes of us is no news */
}

dq_status train_ranks_meet(train *t, char **argv, dq_error *error)
{
    t->base.dataset.by_bundles = t->o->passes.tiles > 0;
    if (!t->o->mpi) return DQ_OK;
    if (!dq_mpi_open) return become_other(argv, error);
    dq_status status = dq_mpi_open(&mpi, error);
    if (status) return status;
    t->ranks = dq_mpi_ranks(mpi);
    if (t->ranks->rank) follow_first(t);
    if (t->ranks->count > t->o->passes.tiles)
        return dq_fail(error, DQ_ERR_RANGE, "%u ranks for %u tiles: --tiles %u has one for each",
                       t->ranks->count, t->o->passes.tiles, t->ranks->count);
    t->base.dataset.is_here = is_here;
    t->base.dataset.here_arg = t;
    dq_mpi_watch(mpi, &(dq_watch_config){.stopping = dq_stop_asked, .lost = lose, .arg = t});
    if (dq_mpi_neighbours(mpi) > 1) t->base.dataset.catalogue.place = (dq_vectors_place){mpi, dq_mpi_place};
    return DQ_OK;
}

/* ---- what all know ---- */

bool train_ranks_writes(const train *t)
{
    return !t->ranks || t->ranks->rank == 0;
}

dq_status train_ranks_settle(dq_error *error)
{
    return mpi ? dq_mpi_settle(mpi, error) : DQ_OK;
}

int train_ranks_leave(int code)
{
    left = true;
    if (!mpi) return code;
    if (code == DQ_EXIT_DONE || code == DQ_EXIT_STOPPED)
        dq_mpi_close(mpi);
    else
        dq_mpi_end_all(mpi, code);
    return code;
}
