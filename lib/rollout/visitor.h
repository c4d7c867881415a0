/* SPDX-License-Identifier: MIT
 *
 * A simulated user who is shown lists by somebody else: an environment of users and items (env/env.h) whose
 * user looks at each item of a list in turn, and clicks or not, by the environment's rules. Whoever makes the
 * lists knows the user by his id alone.
 *
 *     dq_visitor_open(&v, env, seed, &e);
 *     dq_visitor_begin(v, n, &e);                a session: another user, v's own random numbers
 *     id = dq_visitor_user(v);                   ask for a list for him
 *     dq_visitor_look(v, item, bytes, &look, &e);    for each of its items, until dq_visitor_left(v)
 */
#ifndef DQ_ROLLOUT_VISITOR_H
#define DQ_ROLLOUT_VISITOR_H

#include "env/env.h"

typedef struct dq_visitor dq_visitor;

/* The environment ("session:items=50") is made here; environments of one spec are one world.
 * DQ_ERR_UNSUPPORTED for one without users and items, or that does not count clicks. */
dq_status dq_visitor_open(dq_visitor **visitor, const char *spec, uint64_t seed, dq_error *error);
void dq_visitor_free(dq_visitor *visitor);

/* Session n begins: who comes and what he does follows from the seed and n alone, and from what he is shown.
 */
dq_status dq_visitor_begin(dq_visitor *visitor, uint64_t n, dq_error *error);
const char *dq_visitor_user(const dq_visitor *visitor); /* his id, until the next session */
/* His session is over: he looks at nothing more. */
bool dq_visitor_left(const dq_visitor *visitor);

typedef struct dq_visitor_look {
    bool clicked;
    float reward; /* the environment's */
} dq_visitor_look;

/* He looks at an item. DQ_ERR_UNKNOWN for one that his world does not have, DQ_ERR_RANGE when he has left. */
dq_status dq_visitor_look_at(dq_visitor *visitor, const char *item, size_t bytes, dq_visitor_look *look,
                             dq_error *error);

#endif
