/* SPDX-License-Identifier: MIT
 *
 * A completion's body read as a judgement: the forms in which dq-reward asks, by stage.
 */
#ifndef DQ_LABEL_ANSWER_H
#define DQ_LABEL_ANSWER_H

#include "llm/ask.h"
#include "reward/judgement.h"
#include "reward/prompt.h"

enum { DQ_LABELS = 4 };

/* APPLY, SAVE, CLICK, IGNORE: the labels by their numbers. */
typedef enum dq_label { DQ_APPLY, DQ_SAVE, DQ_CLICK, DQ_IGNORE, DQ_NO_LABEL } dq_label;
extern const char *const dq_labels[DQ_LABELS];

/* The number of a label, or DQ_NO_LABEL (also of NULL). */
dq_label dq_label_number(const char *label);

/* The form of a stage's questions; soft: with log-probabilities. */
const dq_ask_form *dq_label_form(dq_prompt_stage stage, bool soft);

/* The probabilities of all labels (DQ_LABELS) from a raw answer that was read as `label`; false: it has none.
 */
bool dq_label_probabilities(dq_prompt_stage stage, dq_label label, const char *answer, size_t bytes,
                            dq_arena *arena, double *p);

#endif
