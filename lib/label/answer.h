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

/* How answers are asked to be written: --response-format. AUTO: by JSON schema, or as near to it as the
 * server takes; DQ_FORMAT_OBJECT: as a JSON object, with the schema inside where it is taken. */
typedef enum dq_answer_format {
    DQ_FORMAT_AUTO,
    DQ_FORMAT_SCHEMA,
    DQ_FORMAT_OBJECT,
    DQ_FORMAT_NONE
} dq_answer_format;
/* "auto", "json_schema", "json_object", "none": by their numbers, ended by NULL. */
extern const char *const dq_answer_formats[];

/* What of asking the questions of all stages have in common. */
typedef struct dq_answer_wish {
    dq_answer_format format;
    bool soft;   /* with log-probabilities */
    bool seeded; /* with the sample's number as the seed */
} dq_answer_wish;

/* The form of a stage's questions. It points into itself: it is not to be moved. */
typedef struct dq_label_form {
    dq_ask_form form; /* first: `read` gets it */
    dq_prompt_stage stage;
    dq_ask_variant formats[4]; /* those of response_format that are wished for */
    dq_ask_member members[DQ_ASK_MEMBERS + 1];
} dq_label_form;

void dq_label_form_init(dq_label_form *form, dq_prompt_stage stage, const dq_answer_wish *wish);

/* The probabilities of all labels (DQ_LABELS) from a raw answer that was read as `label`; false: it has none.
 */
bool dq_label_probabilities(dq_prompt_stage stage, dq_label label, const char *answer, size_t bytes,
                            dq_arena *arena, double *p);

#endif
