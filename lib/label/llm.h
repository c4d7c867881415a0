/* SPDX-License-Identifier: MIT
 *
 * The strategy llm: a model plays the user. Pairs are submitted ahead and asked as the window allows, in one
 * stage or two, once or K times; their labels are taken in order.
 *
 *     pair -> K votes, each:  once -> label
 *                             first -> IGNORE | CLICK -> second -> APPLY | SAVE | IGNORE (a CLICK then)
 */
#ifndef DQ_LABEL_LLM_H
#define DQ_LABEL_LLM_H

#include "label/answer.h"
#include "label/messages.h"
#include "llm/ask.h"
#include "reward/label.h"

/* What is asked, and how. What it points to outlives the llm. */
typedef struct dq_llm_config {
    dq_ask_config ask;  /* `whole` is set by dq_llm_open */
    double temperature; /* of the model; NAN: none is sent */
    uint64_t votes;     /* K, at least 1 */
    dq_answer_format format;
    bool two_stages, soft;
} dq_llm_config;

typedef struct dq_llm dq_llm;

/* The messages pass over, and their catalogue is kept; of the map the rewards are taken. */
dq_status dq_llm_open(dq_llm **llm, const dq_llm_config *config, dq_messages *messages,
                      const dq_label_map *map, dq_error *error);
/* The source of labels that a labeller takes. */
dq_label_source dq_llm_source(dq_llm *llm);
const dq_ask_stats *dq_llm_stats(const dq_llm *llm);
/* Pairs left without a label. */
uint64_t dq_llm_missing(const dq_llm *llm);
/* Soft: answers with a label, how many of them had no log-probabilities that tell labels apart, and how many
 * rewards are of labels alone for it. */
typedef struct dq_llm_softness {
    uint64_t answers, bare, hard;
} dq_llm_softness;
dq_llm_softness dq_llm_soft(const dq_llm *llm);
/* Frees. Returns status, or a failure of its own. Accepts NULL. */
dq_status dq_llm_close(dq_llm *llm, dq_status status, dq_error *error);

#endif
