/* SPDX-License-Identifier: MIT
 *
 * Interactions of a collection: kept until all are read, then in order by user, then by their own `_id`
 * (integers, then strings, ObjectIds, and what else a database allows; those without one first), then as they
 * came. So a folder and a database give them alike, and events of one time keep the order in which they were
 * stored. Their memory grows with their number.
 *
 * And feedback: what came of interactions, where a log of what was shown and a log of what was done are two.
 */
#ifndef DQ_IMPORT_INTERACTIONS_H
#define DQ_IMPORT_INTERACTIONS_H

#include "import/document.h"
#include "import/selection.h"
#include "import/tally.h"

typedef struct dq_import_kept {
    dq_import_interaction interaction;
    dq_import_id id; /* `_id`; kind 0: none */
    uint32_t user;   /* place among those that left */
    size_t number;   /* as they came */
} dq_import_kept;

/* Zero-initialise. */
typedef struct dq_import_interactions {
    dq_import_kept *rows; /* (count) */
    size_t count, slots;
    dq_arena arena;
} dq_import_interactions;

/* Reads those between users and items that left, in the order of these. Faulty ones are counted in the tally,
 * among them those with somebody who was never there. To be freed also on failure. */
dq_status dq_import_interactions_read(dq_import_interactions *all, dq_documents *documents,
                                      const dq_import_interaction_keys *keys, const dq_import_chosen *users,
                                      const dq_import_chosen *items, dq_import_tally *tally, dq_error *error);
void dq_import_interactions_free(dq_import_interactions *all);

/* An answer; of several to one row the one with the greatest reward. */
typedef struct dq_import_answer {
    dq_value label; /* DQ_STRING or DQ_NIL, in the arena */
    float reward;
    bool met; /* the row has come */
} dq_import_answer;

/* Answers by what they are to: a request's item, or a user's. Zero-initialise. */
typedef struct dq_import_feedback {
    dq_index keys;
    dq_import_answer *answers; /* (keys) */
    size_t slots, met;
    dq_arena arena;
} dq_import_feedback;

/* Reads all answers, their rewards on a scale (or NULL); faulty ones are counted in the tally. To be freed
 * also on failure. */
dq_status dq_import_feedback_read(dq_import_feedback *feedback, dq_documents *documents,
                                  dq_import_scale *scale, dq_import_tally *tally, dq_error *error);
/* Forgets which rows came: they will come again. */
void dq_import_feedback_rewind(dq_import_feedback *feedback);
/* Gives an interaction, which has neither, the label and reward of its answer: that to its request and item,
 * else that to its user and item, else none and 0. DQ_IMPORT_FEEDBACK for a reward or label of its own, and
 * where the answer has been given to an earlier row: nothing then says which of them it is to. The label is
 * the feedback's. */
dq_import_fault dq_import_feedback_join(dq_import_feedback *feedback, dq_import_interaction *interaction,
                                        dq_error *error);
/* How many answers are to no row that came. */
uint64_t dq_import_feedback_unmet(const dq_import_feedback *feedback);
void dq_import_feedback_free(dq_import_feedback *feedback);

#endif
