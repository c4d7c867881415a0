/* SPDX-License-Identifier: MIT
 *
 * The strategy llm: a model plays the user. Pairs are told ahead and asked as the window allows, in one stage
 * or two, once or K times; their labels are taken in order.
 *
 *     pair -> K votes, each:  once -> label
 *                             first -> IGNORE | CLICK -> second -> APPLY | SAVE | IGNORE (a CLICK then)
 */
#ifndef DQ_REWARD_LLM_H
#define DQ_REWARD_LLM_H

#include "cli/llm_options.h"
#include "messages.h"
#include "reward/label.h"

typedef struct dq_llm_options {
    dq_ask_options ask;
    const char *model, *prompt, *temperature;
    uint64_t stages, votes;
    bool soft, allow_missing, show_prompt;
    const char *ledger;
} dq_llm_options;

#define DQ_LLM_DEFAULTS                                                                                      \
    {                                                                                                        \
        .ask = DQ_ASK_DEFAULTS, .temperature = "0", .stages = 2, .votes = 1                                  \
    }

/* clang-format off */
#define DQ_OPTIONS_LLM(l)                                                                                            \
    {"model", 'm', DQ_OPT_TEXT, &(l).model, "NAME", "the model that is asked", .flags = DQ_OPT_PAYLOAD},             \
    {"prompt", 0, DQ_OPT_TEXT, &(l).prompt, "NAME",                                                                  \
     "jobs, items, or a file of yours (default by what the catalogue has)", .flags = DQ_OPT_PAYLOAD},                \
    {"stages", 0, DQ_OPT_COUNT, &(l).stages, "N", "2: the title first, then the rest; 1: all at once",               \
     .flags = DQ_OPT_PAYLOAD, .least = 1, .most = 2},                                                                \
    {"temperature", 0, DQ_OPT_TEXT, &(l).temperature, "T", "of the model; none: do not send one",                    \
     .flags = DQ_OPT_PAYLOAD},                                                                                       \
    {"votes", 0, DQ_OPT_COUNT, &(l).votes, "K", "ask K times: the mean reward, the most frequent label",             \
     .flags = DQ_OPT_PAYLOAD, .least = 1, .most = 1000},                                                             \
    {"soft", 0, DQ_OPT_FLAG, &(l).soft, NULL, "expected rewards from the label's log-probabilities",                 \
     .flags = DQ_OPT_PAYLOAD},                                                                                       \
    {"allow-missing", 0, DQ_OPT_FLAG, &(l).allow_missing, NULL, "a pair without a label leaves without, exit 0",     \
     .flags = 0},                                                                                                    \
    {"show-prompt", 0, DQ_OPT_FLAG, &(l).show_prompt, NULL, "print the messages as JSON lines; ask nobody",          \
     .flags = 0},                                                                                                    \
    {"ledger", 0, DQ_OPT_TEXT, &(l).ledger, "FILE", "print what the cache FILE has cost, by model, and exit",        \
     .flags = 0}
/* clang-format on */

typedef struct dq_llm dq_llm;

/* Usage errors of the options; does not return on one. */
void dq_llm_check(const dq_llm_options *options, const dq_cli *cli);

/* The catalogue and map are kept; the prompt passes over. */
dq_status dq_llm_open(dq_llm **llm, const dq_llm_options *options, dq_reward_prompt *prompt,
                      const dq_label_map *map, dq_error *error);
/* The judge that a labeller takes. */
dq_judge dq_llm_judge(dq_llm *llm);
const dq_ask_tally *dq_llm_told(const dq_llm *llm);
/* Pairs left without a label, and rewards that had to do without log-probabilities. */
uint64_t dq_llm_missing(const dq_llm *llm);
uint64_t dq_llm_hard(const dq_llm *llm);
/* Frees. Returns status, or a failure of its own. Accepts NULL. */
dq_status dq_llm_close(dq_llm *llm, dq_status status, dq_error *error);

#endif
