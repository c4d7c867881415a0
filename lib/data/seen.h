/* SPDX-License-Identifier: MIT
 *
 * Which items each user of a dataset has met, in a transition or an interaction; and items that are drawn of
 * these, or of the others.
 *
 * And what users did before, in the order of time, as state: an interaction whose label has no reward (SEEN,
 * HELD, whatever the map of labels does not name) is nothing to learn from, and tells who somebody is. An
 * interaction with a reward is what is learnt: it would tell the target, and is no part of this.
 */
#ifndef DQ_DATA_SEEN_H
#define DQ_DATA_SEEN_H

#include "core/pairset.h"
#include "core/rng.h"
#include "data/dataset.h"
#include "data/session_log.h"

/* Zero-initialise to start; free with dq_seen_free. */
typedef struct dq_seen {
    dq_pairset_pair *pairs; /* (count) by ascending user, and a user's by ascending item; each once */
    size_t count;
} dq_seen;

/* Lists the pairs of the dataset's transitions and interactions. DQ_ERR_MEMORY. */
dq_status dq_seen_list(dq_seen *seen, const dq_dataset *dataset, dq_error *error);
void dq_seen_free(dq_seen *seen);

/* The pairs of a user, (*count). */
const dq_pairset_pair *dq_seen_of(const dq_seen *seen, uint32_t user, size_t *count);
/* The items that a user has met, or of 0 .. items - 1 those that he has not (unseen), ascending; or `limit`
 * of them (0: all), drawn without replacement, when there are more. drawn: (items), the caller's. Returns how
 * many. */
size_t dq_seen_draw(const dq_seen *seen, uint32_t user, bool unseen, uint32_t items, size_t limit,
                    dq_rng *rng, uint32_t *drawn);

/* ---- what users did before, as state ---- */

/* "seen" (all of it: *n 0), "seen:N" (of each user the last N), or with seen false "N", items that a state of
 * sessions shows; N from 1 to DQ_HISTORY_MAX. False for anything else. */
enum { DQ_HISTORY_MAX = 1000 };
bool dq_history_parse(const char *text, bool seen, uint32_t *n);

/* Zero-initialise to start; free with dq_history_free. */
typedef struct dq_history {
    uint32_t users;
    size_t *start;  /* (users + 1) user u's items are item[start[u]] .. item[start[u + 1] - 1] */
    uint32_t *item; /* in the order of time, the earliest first; of one item as often as it was met */
} dq_history;

/* Of a log of interactions (log->unrewarded spares it those with a reward, and the asking for their times),
 * which is sorted by this: user i of the log is row user_row[i] of `users`, item i is number item_row[i];
 * whoever and whatever is DQ_ABSENT is left out. Errors of dq_session_log_sort. */
dq_status dq_history_list(dq_history *history, dq_session_log *log, const uint32_t *user_row,
                          const uint32_t *item_row, uint32_t users, dq_error *error);
/* Of a finished catalogue, by its rows. map: the labels that have a reward; time: the attribute that tells
 * when an interaction was. */
dq_status dq_history_of_catalogue(dq_history *history, const dq_catalogue *catalogue, const dq_label_map *map,
                                  const char *time, dq_error *error);
/* The same, of labels and times as a model has learnt from them. DQ_ERR_SCHEMA where it does not say. */
dq_status dq_history_as(dq_history *history, const dq_catalogue *catalogue, const dq_bundle *model,
                        dq_error *error);
void dq_history_free(dq_history *history);

#endif
