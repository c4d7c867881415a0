/* SPDX-License-Identifier: MIT
 *
 * Experience replay (Lin, 1992) of dense states: a ring of the latest transitions, sampled uniformly without
 * replacement within a batch, or by priority (Schaul et al., "Prioritized experience replay", ICLR 2016).
 * System A's, of catalogue rows, is learn/replay.h.
 *
 *     P(i) = p_i^alpha / sum p^alpha       p_i = |TD error| + 1e-6; a new one has the greatest so far
 *     w_i = (N P(i))^-beta / max w         what makes up for the bias, in the loss
 *
 * A batch by priority takes one from each of n equal shares of the sum, so one may come twice.
 */
#ifndef DQ_LEARN_MEMORY_H
#define DQ_LEARN_MEMORY_H

#include "core/rng.h"
#include "dq/bundle.h"

/* (s, a, R, s'), over one step or several: R is the discounted sum of their rewards, and the value of s'
 * counts `discount` times (gamma to the number of steps). A terminal s' has none. */
typedef struct dq_memory_row {
    const float *state, *next; /* (width) */
    uint32_t action;
    float reward, discount;
    bool terminal;
} dq_memory_row;

typedef struct dq_memory dq_memory;

/* Room for capacity >= 1 transitions of states of width numbers. alpha 0: uniform. */
dq_status dq_memory_new(dq_memory **memory, size_t capacity, uint32_t width, double alpha, dq_error *error);
void dq_memory_free(dq_memory *memory);

/* Remembers one (copied); the oldest gives way when the ring is full. */
void dq_memory_push(dq_memory *memory, const dq_memory_row *row);
size_t dq_memory_count(const dq_memory *memory);
/* What stands in a slot below count; it points into the memory. */
dq_memory_row dq_memory_at(const dq_memory *memory, uint32_t slot);

/* n slots, n <= count, and with priorities their weights (all 1 without). */
void dq_memory_sample(dq_memory *memory, dq_rng *rng, double beta, size_t n, uint32_t *slots, float *weights);
/* New priorities of sampled slots, from their TD errors. */
void dq_memory_prioritise(dq_memory *memory, const uint32_t *slots, const float *errors, size_t n);
/* A slot's share of all draws: P(i), or 1 / count. */
double dq_memory_share(const dq_memory *memory, uint32_t slot);

/* Adds PREFIX.state, .next, .action, .reward, .discount, .terminal, .priority to a checkpoint (borrowed) and
 * takes them up again, into a memory of the same capacity, width and alpha: it then samples as the one that
 * was saved. */
dq_status dq_memory_save(const dq_memory *memory, const char *prefix, dq_bundle *model, dq_error *error);
dq_status dq_memory_restore(dq_memory *memory, const char *prefix, const dq_bundle *model, dq_error *error);

/* Returns over n steps (Sutton, "Learning to predict by the methods of temporal differences", 1988): what is
 * lived through in each of several tasks side by side becomes
 *
 *     r_t + gamma r_t+1 + ... + gamma^(n-1) r_t+n-1      then gamma^n V(s_t+n)
 *
 * At an episode's end the sums that are under way end there. */
typedef struct dq_nstep dq_nstep;

dq_status dq_nstep_new(dq_nstep **nstep, uint32_t n, uint32_t tasks, uint32_t width, double gamma,
                       dq_error *error);
void dq_nstep_free(dq_nstep *nstep);
/* One step of a task (row->discount is not looked at); over: its episode has ended. What is complete goes to
 * memory. */
void dq_nstep_push(dq_nstep *nstep, uint32_t task, const dq_memory_row *row, bool over, dq_memory *memory);
dq_status dq_nstep_save(const dq_nstep *nstep, const char *prefix, dq_bundle *model, dq_error *error);
dq_status dq_nstep_restore(dq_nstep *nstep, const char *prefix, const dq_bundle *model, dq_error *error);

#endif
