/* SPDX-License-Identifier: MIT
 *
 * Linear contextual bandits, two kinds of agents (learn/agent.h) that differ in how they explore:
 *
 *     linucb     by the greatest upper bound, theta . x + spread sqrt(x' A^-1 x)   (Li, Chu, Langford and
 *                Schapire, "A contextual-bandit approach to personalized news article recommendation", WWW
 *                2010; spread is its alpha)
 *     thompson   by the greatest theta~ . x, theta~ drawn from N(theta, spread^2 A^-1)   (Agrawal and Goyal,
 *                "Thompson sampling for contextual bandits with linear payoffs", ICML 2013; spread is its v)
 *
 * and greedily by theta . x, the posterior's mean (bandit/posterior.h). What x is, config.head says:
 *
 *     outputs   a posterior for each action ("disjoint"), of x = [1, state]
 *     actions   one for all of them, of x = [1, action, cosines of config.features], or with config.outer
 *               [(1, state) (x) (1, action), cosines]: each product of a number of the state and one of the
 *               action, so that who likes what is learnt and holds for actions that were never shown
 *
 * A reward is for the action alone: gamma is 0. Each observation is learnt at once, by one change of the
 * posterior, and nothing is remembered beside it.
 *
 * In a bundle: bandit.factor f8 (arms, width (width + 1) / 2), bandit.y f8 (arms, width), bandit.rows u8
 * (arms), of which theta = L'^-1 y; the checkpoint also meta.bandit.
 */
#ifndef DQ_LEARN_BANDIT_BANDIT_H
#define DQ_LEARN_BANDIT_BANDIT_H

#include "learn/agent.h"

/* Whether agents of this kind are bandits. */
bool dq_bandit_is(const char *kind);

/* Of the actions on offer, in one state: upper bounds, q (offered). spread NAN: the agent's. */
void dq_bandit_upper(dq_agent *agent, const dq_vectors *states, uint32_t state, double spread, float *q);
/* So many samples of the posterior, each scored whole: q (draws, offered). A sample of the actions' values is
 * what one choice of Thompson's is made by, and in order a list of his. */
void dq_bandit_draw(dq_agent *agent, const dq_vectors *states, uint32_t state, double spread, uint32_t draws,
                    dq_rng *rng, float *q);
/* The reward of an observation of weight 1 that was learnt was `by` more (finite). */
void dq_bandit_correct(dq_agent *agent, const dq_vectors *states, uint32_t state, uint32_t action, double by);

#endif
