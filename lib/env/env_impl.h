/* SPDX-License-Identifier: MIT
 *
 * What the kinds of environments share. A kind's memory is a struct of its own, then the state.
 */
#ifndef DQ_ENV_ENV_IMPL_H
#define DQ_ENV_ENV_IMPL_H

#include "core/buffers.h"
#include "env/env.h"

extern const dq_env_kind dq_env_session, dq_env_sequence, dq_env_films, dq_env_maze, dq_env_chain,
    dq_env_cartpole, dq_env_graph, dq_env_linear;

/* Makes memory, zeroed: `own` bytes of the kind, and the state behind them, unless states are numbered.
 * shape's states are set. */
dq_status dq_env_reserve(dq_env *env, size_t own, dq_error *error);

/* The users (user_count, shape.user_width) and items (shape.action_count, shape.item_width) of an
 * environment. */
void dq_env_describe(dq_env *env, uint32_t user_count, const float *users, const float *items);
/* at[i] becomes row i of (n, width). */
void dq_env_rows(const float **at, const float *rows, uint32_t n, uint32_t width);

/* Which users are served: `served` from `first` on, or all from there (0). DQ_ERR_RANGE where there are
 * fewer. */
dq_status dq_env_choose_served(const dq_env *env, uint32_t users, uint32_t first, uint32_t *served,
                               dq_error *error);

/* n standard normal numbers times scale. */
void dq_env_normals(float *to, size_t n, double scale, dq_rng *rng);
double dq_env_sigmoid(double x);

#endif
