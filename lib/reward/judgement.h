/* SPDX-License-Identifier: MIT
 *
 * Judgements: what a model's answer says, from fields that are parsed already. A label is read or it is not;
 * it is never guessed from prose.
 *
 *     {"decision": "APPLY"}            an answer by JSON schema
 *     DECISION: APPLY                  a line of its own, whatever stands around it
 *     APPLY                            nothing else
 *
 * Case, quotes and Markdown's marks do not count. What a model thinks aloud first (<think> ... </think>) is
 * passed over. Two decisions that differ, a refusal and an answer that was cut short are no label.
 */
#ifndef DQ_REWARD_JUDGEMENT_H
#define DQ_REWARD_JUDGEMENT_H

#include "dq/value.h"

/* Changes whenever an answer could be read otherwise than before: kept labels of another number are read
 * anew. */
enum { DQ_JUDGEMENT_VERSION = 1 };

typedef struct dq_label_set {
    const char *const *labels; /* in capitals */
    size_t count;
} dq_label_set;

/* Of a chat completion: texts point into its values. */
typedef struct dq_answer {
    const char *content; /* (bytes); NULL: no choice, or one without words */
    size_t bytes;
    bool refused, cut;        /* a refusal or a filter; finish_reason "length" */
    const dq_value *object;   /* content parsed as JSON, where it is an object; else NULL */
    const dq_value *logprobs; /* choices[0].logprobs.content, a list; else NULL */
} dq_answer;

/* The fields of a chat completion's body. `object` is left NULL: whoever can parse JSON fills it. */
void dq_answer_take(const dq_value *body, dq_answer *answer);
/* Where the content may hold a JSON object: behind thoughts, inside ``` marks. NULL when it does not. */
const char *dq_answer_json(const dq_answer *answer, size_t *bytes);

typedef enum dq_reading {
    DQ_READ,
    DQ_READ_NOTHING, /* no choice, or no words */
    DQ_READ_REFUSAL,
    DQ_READ_CUT,
    DQ_READ_NO_LABEL,
    DQ_READ_TWO_LABELS
} dq_reading;

/* The label of an answer, its number in the set. */
dq_reading dq_judgement_read(const dq_answer *answer, const dq_label_set *set, size_t *label);
/* "a label", "an empty answer", "a refusal", ... */
const char *dq_reading_word(dq_reading reading);

/* The probability of every label of the set, p (count) with sum 1, from the log-probabilities of the token
 * that decides between them: the first one of the label that was read. False when the answer has none, or
 * when that token tells no label from another. Scratch memory from the arena. */
bool dq_judgement_soft(const dq_answer *answer, const dq_label_set *set, size_t label, dq_arena *arena,
                       double *p);

#endif
