/* SPDX-License-Identifier: MIT
 *
 * What the kinds of tasks share. A kind's memory is a struct of its own, then the state.
 */
#ifndef DQ_ENV_ENV_IMPL_H
#define DQ_ENV_ENV_IMPL_H

#include "env/env.h"

extern const dq_task_kind dq_task_session, dq_task_sequence, dq_task_films, dq_task_maze, dq_task_chain,
    dq_task_cartpole;

/* Makes memory, zeroed: `own` bytes of the kind, and the state behind them. shape.state_width is set. */
dq_status dq_task_reserve(dq_task *task, size_t own, dq_error *error);

/* n standard normal numbers times scale. */
void dq_task_normals(float *to, size_t n, double scale, dq_rng *rng);
double dq_task_sigmoid(double x);
/* Puts a row before the rows of a history, the last of which goes. */
void dq_task_remember(float *history, const float *row, size_t rows, size_t width);

#endif
