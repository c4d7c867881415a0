/* SPDX-License-Identifier: MIT
 *
 * --labels-only: dq-reward as a co-process. What comes is a catalogue and then, as long as the other side
 * likes, bundles of transitions; each is answered at once, in order, with a bundle of its rows:
 *
 *     labels   user, item (u4, as they were asked), reward, and the parts that the strategy makes
 *              (cosine, llm: f4; label: text), null where there is none
 *
 * A kind of its own, because a section that holds no catalogue can hold no transitions, which refer to one.
 */
#ifndef DQ_REWARD_SERVE_H
#define DQ_REWARD_SERVE_H

#include "dq/stream.h"
#include "reward/label.h"

/* Answers one bundle of transitions of the section being read, whose catalogue is finished and known to the
 * labeller. */
dq_status dq_reward_answer(dq_writer *writer, dq_labeller *labeller, const dq_bundle *asked, dq_error *error);

#endif
