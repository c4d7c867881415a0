/* SPDX-License-Identifier: MIT
 *
 * An ensemble of Q: networks of one shape, trained alike from several seeds, in one model bundle. Their mean
 * errs less than one of them (Hansen and Salamon, "Neural network ensembles", 1990; Lakshminarayanan et al.,
 * "Simple and scalable predictive uncertainty estimation using deep ensembles", 2017), and where they differ
 * the labels did not decide.
 *
 *     q.hidden.0.weight ...       the first member, with the agent that it is of, whole
 *     q.1.hidden.0.weight ...     the second, and so on
 *     meta.agent.q_models         how many
 *
 * An agent has one network of Q: it does not load such a model (dq_agent_load, dq_agent_of_model), which
 * rank/score.h ranks by.
 *
 *     dq_members m = {.pool = pool};
 *     train an agent;
 *     for each further member: dq_members_next(&m, &agent, another seed, &e); train it, too;
 *     dq_members_save(&m, agent, &model, &e);
 */
#ifndef DQ_LEARN_MEMBERS_H
#define DQ_LEARN_MEMBERS_H

#include "learn/agent.h"

/* Set pool, and zero-initialise the rest to start. */
typedef struct dq_members {
    dq_pool *pool;   /* borrowed */
    dq_agent *first; /* whole; NULL: there is one agent alone, the caller's */
    dq_net **nets;   /* (count) copies of the networks of those between it and the caller's */
    size_t count, slots;
} dq_members;

/* Takes a trained agent, and puts one in its place that is to be trained as the first was, but from another
 * seed, and without a world model, which the first has. What the first borrows must live as long.
 * *agent is NULL after a failure; DQ_ERR_UNSUPPORTED for an agent that has no network. */
dq_status dq_members_next(dq_members *members, dq_agent **agent, uint64_t seed, dq_error *error);
/* Saves the first, as dq_agent_save does, with the networks of the others and of this agent, the last one,
 * which stays the caller's. Columns are borrowed. */
dq_status dq_members_save(dq_members *members, dq_agent *last, dq_bundle *model, dq_error *error);
void dq_members_free(dq_members *members);

#endif
