/* SPDX-License-Identifier: MIT
 *
 * Judgements: what a model's answer says (reward/completion.h). A label is read where the answer states it,
 * and it is never guessed from prose:
 *
 *     {"decision": "APPLY"}            an object, as strict or as sloppy as small models write it
 *     DECISION: APPLY                  a line of its own, whatever stands around it
 *     APPLY                            the whole answer, or its first or last line
 *
 * label_text.h has the rules. Two statements that differ, a refusal, an answer that was cut short and one
 * that names two labels are no label; what a model thinks aloud says nothing.
 */
#ifndef DQ_REWARD_JUDGEMENT_H
#define DQ_REWARD_JUDGEMENT_H

#include "reward/completion.h"

/* Changes whenever an answer could be read otherwise than before: kept labels of another number are read
 * anew. */
enum { DQ_JUDGEMENT_VERSION = 3 };

/* labels[count .. known) are no answers to this question, but stand for a decision all the same. */
typedef struct dq_label_set {
    const char *const *labels; /* in capitals */
    size_t count, known;
} dq_label_set;

typedef enum dq_reading {
    DQ_READ,
    DQ_READ_NOTHING, /* no choice, or no words */
    DQ_READ_REFUSAL,
    DQ_READ_CUT,
    DQ_READ_NO_LABEL,
    DQ_READ_TWO_LABELS
} dq_reading;

/* The label of an answer, its number in the set, and where it stands in the content. The scratch is used. */
dq_reading dq_judgement_read(const dq_answer *answer, const dq_label_set *set, size_t *label, size_t *at);

/* The probability of every label of the set, p (count) with sum 1, from the log-probabilities of the token
 * that decides between them: the first one of the label that was read, where it was read. False when the
 * answer has none, or when that token tells no label from another. Scratch memory from the arena. */
bool dq_judgement_soft(const dq_answer *answer, const dq_label_set *set, size_t label, size_t at,
                       dq_arena *arena, double *p);

#endif
