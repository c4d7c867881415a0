/* SPDX-License-Identifier: MIT
 *
 * The strategy human: a person at the terminal plays the user. Answers are kept in a file
 * (label/answer_log.h), so that an interrupted session goes on where it stopped.
 */
#ifndef DQ_REWARD_HUMAN_H
#define DQ_REWARD_HUMAN_H

#include "reward/label.h"

typedef struct dq_human dq_human;

/* Opens the terminal with the first question. The catalogue and map are kept. */
dq_status dq_human_open(dq_human **human, const char *answers, const dq_catalogue *catalogue,
                        const dq_label_map *map, dq_error *error);
dq_label_source dq_human_source(dq_human *human);
/* Accepts NULL. */
void dq_human_close(dq_human *human);

#endif
