/* SPDX-License-Identifier: MIT */
#include "mpi/ranks.h"

#include "core/array.h"
#include "math/vec.h"

#include <mpi.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEVELS = 16,
    MESSAGE = 1 << 26, /* numbers of one, as MPI counts in int */
    PIECE = 1 << 18,   /* numbers of the first piece of shared memory; each is twice the one before */
};

struct dq_mpi {
    dq_ranks ranks;
    float *received; /* (room) */
    size_t room;
    /* shared memory of the node: the last piece is being filled */
    MPI_Comm node;
    int node_rank, node_count;
    MPI_Win *pieces;
    size_t piece_count, piece_capacity;
    float *piece;
    size_t piece_used, piece_size;
    dq_watch *watch;
    MPI_Win said_window;
    atomic_int *said; /* of the node; NULL: nobody watches */
};

static dq_status fail(dq_error *error, dq_status status, int code, const char *what)
{
    char words[MPI_MAX_ERROR_STRING] = "";
    int bytes;
    if (MPI_Error_string(code, words, &bytes) != MPI_SUCCESS) *words = 0;
    return dq_fail(error, status, "MPI: %s: %s", what, words);
}

/* ---- sums ---- */

static dq_status make_room(dq_mpi *mpi, size_t n, dq_error *error)
{
    if (n <= mpi->room) return DQ_OK;
    free(mpi->received);
    mpi->received = malloc(n * sizeof *mpi->received);
    mpi->room = mpi->received ? n : 0;
    return mpi->received ? DQ_OK : dq_fail_memory(error, "%zu numbers to exchange", n);
}

/* Sends n numbers to a rank that sends m, which come to `in`. */
static dq_status exchange(int with, const float *out, size_t n, float *in, size_t m, dq_error *error)
{
    while (n > 0 || m > 0) {
        int a = (int)(n < MESSAGE ? n : MESSAGE), b = (int)(m < MESSAGE ? m : MESSAGE);
        int code = MPI_Sendrecv(out, a, MPI_FLOAT, with, 0, in, b, MPI_FLOAT, with, 0, MPI_COMM_WORLD,
                                MPI_STATUS_IGNORE);
        if (code != MPI_SUCCESS) return fail(error, DQ_ERR_IO, code, "an exchange between ranks");
        out += a;
        in += b;
        n -= (size_t)a;
        m -= (size_t)b;
    }
    return DQ_OK;
}

/* Of numbers from .. to - 1 this rank keeps one half and its neighbour of this level the other. */
typedef struct halves {
    size_t keep, keep_end, give, give_end;
    int neighbour;
} halves;

static halves halve(uint32_t rank, unsigned level, size_t from, size_t to)
{
    size_t middle = from + (to - from) / 2;
    int neighbour = (int)(rank ^ (uint32_t)1 << level);
    if (rank >> level & 1) return (halves){middle, to, from, middle, neighbour};
    return (halves){from, middle, middle, to, neighbour};
}

/* Up the tree each rank sums ever smaller parts of x over ever more ranks; down it collects them. A sum of
 * two has no order, so it does not matter which of both neighbours adds. */
static dq_status sum(void *self, float *x, size_t n, dq_error *error)
{
    dq_mpi *mpi = self;
    halves level[LEVELS] = {{0}};
    unsigned levels = 0;
    dq_status status = make_room(mpi, n / 2 + 1, error);
    for (size_t from = 0, to = n; !status && (uint32_t)1 << levels < mpi->ranks.count; levels++) {
        halves h = level[levels] = halve(mpi->ranks.rank, levels, from, to);
        status = exchange(h.neighbour, x + h.give, h.give_end - h.give, mpi->received, h.keep_end - h.keep,
                          error);
        if (!status) dq_vec_add(x + h.keep, mpi->received, h.keep_end - h.keep);
        from = h.keep;
        to = h.keep_end;
    }
    while (!status && levels-- > 0) {
        halves h = level[levels];
        status = exchange(h.neighbour, x + h.keep, h.keep_end - h.keep, x + h.give, h.give_end - h.give,
                          error);
    }
    return status;
}

/* ---- what has one result ---- */

static dq_status count_up(void *self, uint64_t *x, size_t n, dq_error *error)
{
    (void)self;
    for (size_t from = 0; from < n; from += MESSAGE) {
        int count = (int)(n - from < MESSAGE ? n - from : MESSAGE);
        int code = MPI_Allreduce(MPI_IN_PLACE, x + from, count, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
        if (code != MPI_SUCCESS) return fail(error, DQ_ERR_IO, code, "a count over ranks");
    }
    return DQ_OK;
}

static dq_status gather(void *self, void *x, size_t bytes, dq_error *error)
{
    (void)self;
    int n = (int)bytes;
    int code = MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, x, n, MPI_BYTE, MPI_COMM_WORLD);
    return code == MPI_SUCCESS ? DQ_OK : fail(error, DQ_ERR_IO, code, "numbers of all ranks");
}

/* ---- memory of a node ---- */

/* Another piece of at least n numbers, which the node's first rank owns. */
static dq_status add_piece(dq_mpi *mpi, size_t n, dq_error *error)
{
    float *own;
    MPI_Aint bytes;
    int unit;
    if (!dq_array_reserve(&mpi->pieces, &mpi->piece_capacity, mpi->piece_count + 1, sizeof *mpi->pieces))
        return dq_fail_memory(error, "the catalogue");
    size_t twice = mpi->piece_size ? 2 * mpi->piece_size : PIECE;
    mpi->piece_size = n > twice ? n : twice;
    bytes = mpi->node_rank == 0 ? (MPI_Aint)(mpi->piece_size * sizeof *own) : 0;
    MPI_Win *piece = &mpi->pieces[mpi->piece_count];
    int code = MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, mpi->node, (void *)&own, piece);
    if (code == MPI_SUCCESS) {
        mpi->piece_count++;
        code = MPI_Win_shared_query(*piece, 0, &bytes, &unit, (void *)&mpi->piece);
    }
    if (code == MPI_SUCCESS) code = MPI_Win_lock_all(MPI_MODE_NOCHECK, *piece);
    mpi->piece_used = 0;
    return code == MPI_SUCCESS
               ? DQ_OK
               : fail(error, DQ_ERR_MEMORY, code, "the catalogue in the node's memory (/dev/shm full?)");
}

dq_status dq_mpi_settle(dq_mpi *mpi, dq_error *error)
{
    int code = MPI_SUCCESS;
    for (size_t i = 0; i < mpi->piece_count && code == MPI_SUCCESS; i++) code = MPI_Win_sync(mpi->pieces[i]);
    if (code == MPI_SUCCESS) code = MPI_Barrier(mpi->node);
    for (size_t i = 0; i < mpi->piece_count && code == MPI_SUCCESS; i++) code = MPI_Win_sync(mpi->pieces[i]);
    return code == MPI_SUCCESS ? DQ_OK : fail(error, DQ_ERR_IO, code, "the catalogue in the node's memory");
}

dq_status dq_mpi_place(void *self, const float *from, size_t n, const float **to, dq_error *error)
{
    dq_mpi *mpi = self;
    dq_status status = mpi->piece_size - mpi->piece_used < n ? add_piece(mpi, n, error) : DQ_OK;
    if (status) return status;
    float *place = mpi->piece + mpi->piece_used;
    if (mpi->node_rank == 0) memcpy(place, from, n * sizeof *place);
    mpi->piece_used += n;
    *to = place;
    return DQ_OK;
}

/* ---- who ends early ---- */

/* A number that the node's ranks share, at 0. */
static int share_number(dq_mpi *mpi)
{
    MPI_Aint bytes = mpi->node_rank == 0 ? (MPI_Aint)sizeof *mpi->said : 0;
    void *own, *number;
    int unit;
    int code = MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, mpi->node, (void *)&own, &mpi->said_window);
    if (code != MPI_SUCCESS) return code;
    code = MPI_Win_shared_query(mpi->said_window, 0, &bytes, &unit, (void *)&number);
    if (code == MPI_SUCCESS) mpi->said = number;
    if (code == MPI_SUCCESS && mpi->node_rank == 0) atomic_store(mpi->said, 0);
    return code == MPI_SUCCESS ? MPI_Barrier(mpi->node) : code;
}

void dq_mpi_watch(dq_mpi *mpi, const dq_watch_config *config)
{
    const dq_mpi_process self = dq_watch_self(mpi->ranks.rank);
    const int bytes = (int)sizeof self;
    dq_watch_config ours = *config;
    if (mpi->node_count == 1) return;
    dq_mpi_process *all = calloc((size_t)mpi->node_count, sizeof *all);
    int can = all && share_number(mpi) == MPI_SUCCESS, all_can = 0;
    int code = MPI_Allreduce(&can, &all_can, 1, MPI_INT, MPI_MIN, mpi->node);
    if (code == MPI_SUCCESS && all_can)
        code = MPI_Allgather(&self, bytes, MPI_BYTE, all, bytes, MPI_BYTE, mpi->node);
    ours.said = mpi->said;
    if (code == MPI_SUCCESS && all_can) dq_watch_start(&mpi->watch, &ours, all, (size_t)mpi->node_count);
    free(all);
}

void dq_mpi_part(dq_mpi *mpi)
{
    if (mpi->said) atomic_store(mpi->said, 1);
}

/* ---- the connection ---- */

static int meet(dq_mpi *mpi)
{
    int rank, count, code = MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (code == MPI_SUCCESS) code = MPI_Comm_size(MPI_COMM_WORLD, &count);
    if (code == MPI_SUCCESS) code = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (code == MPI_SUCCESS)
        code = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &mpi->node);
    if (code == MPI_SUCCESS) code = MPI_Comm_set_errhandler(mpi->node, MPI_ERRORS_RETURN);
    if (code == MPI_SUCCESS) code = MPI_Comm_rank(mpi->node, &mpi->node_rank);
    if (code == MPI_SUCCESS) code = MPI_Comm_size(mpi->node, &mpi->node_count);
    if (code != MPI_SUCCESS) return code;
    mpi->ranks = (dq_ranks){mpi, (uint32_t)rank, (uint32_t)count, sum, count_up, gather};
    return MPI_SUCCESS;
}

dq_status dq_mpi_open(dq_mpi **to, dq_error *error)
{
    int has;
    *to = NULL;
    int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &has);
    if (code != MPI_SUCCESS) return fail(error, DQ_ERR_UNSUPPORTED, code, "it does not start");
    dq_mpi *mpi = calloc(1, sizeof *mpi);
    if (!mpi) return dq_fail_memory(error, "the ranks");
    code = meet(mpi);
    uint32_t count = mpi->ranks.count;
    *to = mpi;
    if (code != MPI_SUCCESS) return fail(error, DQ_ERR_UNSUPPORTED, code, "ranks do not meet");
    if ((count & (count - 1)) == 0 && count <= 1 << LEVELS) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNSUPPORTED, "%u ranks: their number must be a power of two", count);
}

void dq_mpi_close(dq_mpi *mpi)
{
    if (!mpi) return;
    dq_watch_end(mpi->watch);
    MPI_Barrier(mpi->node); /* whoever ends from now on is watched by nobody */
    if (mpi->said) MPI_Win_free(&mpi->said_window);
    for (size_t i = 0; i < mpi->piece_count; i++) {
        MPI_Win_unlock_all(mpi->pieces[i]);
        MPI_Win_free(&mpi->pieces[i]);
    }
    MPI_Comm_free(&mpi->node);
    MPI_Finalize();
    free(mpi->pieces);
    free(mpi->received);
    free(mpi);
}

const dq_ranks *dq_mpi_ranks(const dq_mpi *mpi)
{
    return &mpi->ranks;
}

uint32_t dq_mpi_neighbours(const dq_mpi *mpi)
{
    return (uint32_t)mpi->node_count;
}

void dq_mpi_end_all(dq_mpi *mpi, int code)
{
    dq_mpi_part(mpi);
    MPI_Abort(MPI_COMM_WORLD, code);
}
