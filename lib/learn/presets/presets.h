/* SPDX-License-Identifier: MIT
 *
 * Settings that were found or published together, by the names of dq-train's options: what an agent and its
 * run have where nobody says otherwise (docs/systems.md). Which of them hold when is dq-train's to say.
 */
#ifndef DQ_LEARN_PRESETS_PRESETS_H
#define DQ_LEARN_PRESETS_PRESETS_H

#include "core/setting.h"

/* Agents of a catalogue: system A's online, its world model's, and what its code has offline. */
extern const dq_setting dq_preset_users[], dq_preset_users_world[], dq_preset_published[];
/* Found on real labels: a loss of lists, and one of rows. */
extern const dq_setting dq_preset_lists[], dq_preset_tuned[];

/* Meta-learning (offline/meta.h): the updates of Nichol, Achiam and Schulman's Reptile on images. */
extern const dq_setting dq_preset_reptile[];

/* Agents in environments, which they name (`agent`, `env`): system B's; system C's table and its network;
 * system D's; and Dyna's of a maze. */
extern const dq_setting dq_preset_session[], dq_preset_sequence[], dq_preset_sequence_dqn[],
    dq_preset_films[], dq_preset_maze[];

#endif
