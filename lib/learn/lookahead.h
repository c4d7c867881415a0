/* SPDX-License-Identifier: MIT
 *
 * Lists by looking ahead: the next actions that an agent's world model expects to be best, one after the
 * other and none twice. A beam search through the learned dynamics: of all lists of each length the `beam`
 * best are kept, by
 *
 *     r_1 + gamma r_2 + ... + gamma^(k-1) r_k + gamma^k max Q(s_k, ·)
 *
 * as the world model predicts them (without the last term where it predicts an end). beam 1 is greedy.
 */
#ifndef DQ_LEARN_LOOKAHEAD_H
#define DQ_LEARN_LOOKAHEAD_H

#include "learn/agent.h"

typedef struct dq_lookahead_config {
    uint32_t places, beam; /* >= 1 */
    double max;            /* disagreement beyond which a step is not thought of; INFINITY: none is */
} dq_lookahead_config;

/* A place of a list, with the reward that is predicted there. */
typedef struct dq_lookahead_place {
    uint32_t action;
    float reward, disagreement;
} dq_lookahead_place;

typedef struct dq_lookahead dq_lookahead;

/* agent is borrowed. Fails as dq_rollout_new does. */
dq_status dq_lookahead_new(dq_lookahead **lookahead, dq_agent *agent, const dq_lookahead_config *config,
                           dq_error *error);
void dq_lookahead_free(dq_lookahead *lookahead);

/* The list for a state (state_width), of actions on offer, into places (config.places); *count of them: fewer
 * where an end is predicted, where actions run out, or where the ensemble agrees on nothing. */
dq_status dq_lookahead_list(dq_lookahead *lookahead, const float *state, dq_lookahead_place *places,
                            size_t *count, dq_error *error);

#endif
