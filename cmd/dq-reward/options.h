/* SPDX-License-Identifier: MIT
 *
 * The options of dq-reward: those of a model that is asked, and the rest.
 */
#ifndef DQ_REWARD_OPTIONS_H
#define DQ_REWARD_OPTIONS_H

#include "cli/llm_options.h"
#include "label/answer.h"
#include "reward/label.h"
#include "reward/pairs.h"

typedef struct dq_llm_options {
    dq_ask_options ask;
    const char *model, *prompt, *temperature;
    uint64_t stages, votes;
    int format;
    bool soft, allow_missing, show_prompt;
    const char *ledger, *export_cache, *import_cache;
} dq_llm_options;

#define DQ_LLM_DEFAULTS                                                                                      \
    {                                                                                                        \
        .ask = DQ_ASK_DEFAULTS, .temperature = "0", .stages = 2, .votes = 1                                  \
    }

/* clang-format off */
/* Of a program whose modes llm_modes ask, and whose other modes print the ledger of a cache, or move its answers. A cache
 * that is exported counts as written to, so that no --output replaces it. */
#define DQ_OPTIONS_LLM(l, llm_modes, ledger_mode, export_mode, import_mode)                                          \
    {"model", 'm', DQ_OPT_TEXT, &(l).model, "NAME", "the model that is asked", .flags = DQ_OPT_PAYLOAD,              \
     .modes = llm_modes},                                                                                            \
    {"prompt", 0, DQ_OPT_TEXT, &(l).prompt, "NAME|FILE",                                                                  \
     "jobs, items, or a file of yours (else by what the catalogue has)", .flags = DQ_OPT_PAYLOAD, .values = dq_reward_prompt_at,                    \
     .modes = llm_modes},                                                                                            \
    {"stages", 0, DQ_OPT_COUNT, &(l).stages, "N", "2: the title first, then the rest; 1: all at once",               \
     .flags = DQ_OPT_PAYLOAD, .min = 1, .max = 2, .modes = llm_modes},                                               \
    {"temperature", 0, DQ_OPT_TEXT, &(l).temperature, "T", "of the model; none: do not send one",                    \
     .flags = DQ_OPT_PAYLOAD, .modes = llm_modes},                                                                   \
    {"votes", 0, DQ_OPT_COUNT, &(l).votes, "K", "ask K times: the mean reward, the most frequent label",             \
     .flags = DQ_OPT_PAYLOAD, .min = 1, .max = 1000, .modes = llm_modes},                                            \
    {"soft", 0, DQ_OPT_FLAG, &(l).soft, NULL, "expected rewards from the label's log-probabilities",                 \
     .flags = DQ_OPT_PAYLOAD, .modes = llm_modes},                                                                   \
    {"response-format", 0, DQ_OPT_CHOICE, &(l).format, "NAME",                                                      \
     "the form that answers are asked for in; auto finds out what the server takes", .flags = DQ_OPT_PAYLOAD,        \
     .choices = dq_answer_formats, .modes = llm_modes},                                                              \
    {"allow-missing", 0, DQ_OPT_FLAG, &(l).allow_missing, NULL, "a pair without a label leaves without, exit 0",     \
     .modes = llm_modes},                                                                                            \
    {"show-prompt", 0, DQ_OPT_FLAG, &(l).show_prompt, NULL, "print the messages as JSON lines; ask nobody",          \
     .modes = llm_modes, .excludes = "output"},                                                                      \
    {"ledger", 0, DQ_OPT_TEXT, &(l).ledger, "CACHE", "print what the cache has cost, by model, and exit",            \
     .modes = ledger_mode},                                                                                          \
    {"export-cache", 0, DQ_OPT_TEXT, &(l).export_cache, "CACHE", "write the answers of a cache as a stream",          \
     .flags = DQ_OPT_WRITES, .modes = export_mode, .excludes = "ledger import-cache"},                                                       \
    {"import-cache", 0, DQ_OPT_TEXT, &(l).import_cache, "CACHE", "merge the answers of a stream into a cache",        \
     .flags = DQ_OPT_WRITES, .modes = import_mode, .excludes = "ledger export-cache"}
/* clang-format on */

typedef struct dq_reward_options {
    dq_common common;
    int strategy;
    bool raw_cosine, strict, labels_only;
    dq_texts pair_fields;
    const char *map, *pairs, *pairs_file, *users_file, *part, *answers;
    dq_texts users;
    double weight;
    dq_llm_options llm;
    dq_ask_key key;
} dq_reward_options;

/* Whether nothing but words is written: --dry-run, --show-prompt. */
bool dq_reward_prints(const dq_llm_options *options);
/* --temperature: a number in 0 .. 2, or none (NAN); false for anything else. */
bool dq_reward_temperature(const char *text, double *temperature);

/* Sets the labeller's strategy, map and weight and the plan of pairs, or ends in a usage error. */
void dq_reward_apply_options(const dq_reward_options *options, const dq_cli *cli, dq_labeller *labeller,
                             dq_pair_plan *plan);

/* Words that --prompt and --pairs know. */
const char *dq_reward_prompt_at(size_t i);
const char *dq_reward_pairs_at(size_t i);

#endif
