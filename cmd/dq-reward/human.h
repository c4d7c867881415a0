/* SPDX-License-Identifier: MIT
 *
 * The strategy human: a person at the terminal plays the user. Each answer is a line of a file, durable
 * before the next question, in the form in which dq-export reads interactions:
 *
 *     {"user":"anna","item":"welder","label":"APPLY"}
 *
 * so that an interrupted session goes on where it stopped, and the answers of months are a data set. The last
 * line of a pair counts; a null label takes one back. (Not the cache of a model's answers, whose keys are
 * requests: what a person said belongs to a pair of ids, and should be read, corrected and merged as text.)
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
