/* SPDX-License-Identifier: MIT
 *
 * Notices that another process of the machine has ended: who started the processes ends the others then, but
 * need not say so (mpirun -q). It knows no MPI.
 */
#ifndef DQ_MPI_WATCH_H
#define DQ_MPI_WATCH_H

#include "dq/status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A process to watch. */
typedef struct dq_mpi_process {
    uint64_t space; /* of process numbers; one of another space than ours is not watched */
    int64_t pid;
    uint32_t rank;
} dq_mpi_process;

typedef struct dq_watch_config {
    /* Shared by all who watch: of these one says it. Whoever has said why it ends sets it to 1. */
    atomic_int *said;
    /* Whether all are told to stop: who ends a second later is no news. From a thread of ours, as is `lost`.
     */
    bool (*stopping)(void);
    /* Another process has ended. */
    void (*lost)(void *arg, uint32_t rank, int64_t pid);
    void *arg;
} dq_watch_config;

typedef struct dq_watch dq_watch;

/* What this process is to the others. */
dq_mpi_process dq_watch_self(uint32_t rank);
/* Watches all but itself, in a thread, until it is told to end. Where the system or the machine does not let
 * it, *watch is NULL, and nobody is watched. */
void dq_watch_start(dq_watch **watch, const dq_watch_config *config, const dq_mpi_process *others,
                    size_t count);
/* NULL: nothing. The others may end from now on. */
void dq_watch_end(dq_watch *watch);

#endif
