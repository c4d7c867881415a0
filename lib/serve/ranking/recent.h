/* SPDX-License-Identifier: MIT
 *
 * A map of texts to values that is bounded: what was used lately stays, what was not is forgotten. There are
 * two generations: who is asked for moves into the younger one, and when that holds half of what there is
 * room for, the older one is dropped as a whole. So nothing is kept in order, and a value stays at least as
 * long as half of the room is not asked for anew.
 *
 * Not for several threads at once: its owner locks.
 */
#ifndef DQ_SERVE_RANKING_RECENT_H
#define DQ_SERVE_RANKING_RECENT_H

#include "dq/status.h"

#include <stddef.h>

typedef struct dq_recent dq_recent;

/* most: what the values may cost together, in whatever the owner counts. release frees a value. */
dq_status dq_recent_new(dq_recent **recent, uint64_t most, void (*release)(void *value), dq_error *error);
/* The value of a key, until the next call; NULL: there is none any more. */
void *dq_recent_get(dq_recent *recent, const char *key, size_t bytes);
/* Takes a value over, also on failure; it replaces that of an equal key. */
dq_status dq_recent_put(dq_recent *recent, const char *key, size_t bytes, void *value, uint64_t cost,
                        dq_error *error);
/* What the values that are kept cost. */
uint64_t dq_recent_cost(const dq_recent *recent);
void dq_recent_free(dq_recent *recent);

#endif
