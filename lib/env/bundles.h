/* SPDX-License-Identifier: MIT
 *
 * Made-up users, items and interactions (env/synthetic.h), or the users and items of an environment, as
 * bundles of a stream in a section's order. One rule names both (env/entities.h). Times are of the years 2023
 * and 2024.
 *
 *     users, items   id; of made-up ones text.title of items and attributes; vector, where there are any,
 *                    with its fields. Items say which fields of users and items face each other ("pairs").
 *     interactions   of made-up ones: user, item, label, attr.time, attr.rating
 */
#ifndef DQ_ENV_BUNDLES_H
#define DQ_ENV_BUNDLES_H

#include "dq/bundle.h"
#include "env/env.h"
#include "env/synthetic.h"

/* Takes bundles of at most 8192 rows; each is gone after the call. A failure ends it. */
typedef struct dq_bundle_taker {
    dq_status (*take)(void *arg, const dq_bundle *bundle, dq_error *error);
    void *arg;
} dq_bundle_taker;

/* Users, interactions, items. DQ_ERR_MEMORY, or the taker's. */
dq_status dq_synthetic_bundles(const dq_synthetic *synthetic, const dq_bundle_taker *taker, dq_error *error);
/* Users and items of an environment that has some. */
dq_status dq_env_bundles(const dq_env *env, const dq_bundle_taker *taker, dq_error *error);

#endif
