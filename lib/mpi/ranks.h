/* SPDX-License-Identifier: MIT
 *
 * Ranks (core/ranks.h) over MPI, and memory that the ranks of one node share. Sums are by recursive halving
 * and doubling (Thakur, Rabenseifner and Gropp, "Optimization of collective communication operations in
 * MPICH", 2005): each level of the tree is one exchange between neighbours, of half as many numbers as the
 * one before. MPI_Allreduce moves as much, but says nothing of the order in which it adds.
 *
 * This room is a part of dq-train-mpi alone, so that no other program needs MPI. One connection a process.
 */
#ifndef DQ_MPI_RANKS_H
#define DQ_MPI_RANKS_H

#include "core/ranks.h"
#include "mpi/watch.h"

typedef struct dq_mpi dq_mpi;

/* Meets the other ranks. DQ_ERR_UNSUPPORTED where MPI does not start, or their number is no power of two. */
dq_status dq_mpi_open(dq_mpi **mpi, dq_error *error);
/* Parts from the others, who do the same; frees. NULL: nothing. */
void dq_mpi_close(dq_mpi *mpi);
/* The calls between ranks. Borrowed. */
const dq_ranks *dq_mpi_ranks(const dq_mpi *mpi);
/* How many of them are on this node. */
uint32_t dq_mpi_neighbours(const dq_mpi *mpi);
/* Ends all ranks, this one too, with this exit code: the way out of a failure that the others do not share,
 * and that this one has said. */
void dq_mpi_end_all(dq_mpi *mpi, int code);

/* Watches the other ranks of this node until the connection is closed: config->lost hears of one that has
 * ended without a word; `said` is ours. A call of all ranks alike. Where they cannot watch, they go on
 * without. */
void dq_mpi_watch(dq_mpi *mpi, const dq_watch_config *config);
/* This rank has said why it is about to end, or is one of all that do. */
void dq_mpi_part(dq_mpi *mpi);

/* Puts n numbers that all ranks of the node have, to stay as they are, into memory that they share: *to. A
 * call of all ranks alike; what stands there is readable after dq_mpi_settle. DQ_ERR_MEMORY
 * where there is no such memory. */
dq_status dq_mpi_place(void *mpi, const float *from, size_t n, const float **to, dq_error *error);

/* Once all is placed: every rank of the node sees it. */
dq_status dq_mpi_settle(dq_mpi *mpi, dq_error *error);

#endif
