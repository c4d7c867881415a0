/* SPDX-License-Identifier: MIT */
#include "label/answer.h"

#include <string.h>

const char *const dq_labels[DQ_LABELS] = {"APPLY", "SAVE", "CLICK", "IGNORE"};

static const char *const first[] = {"CLICK", "IGNORE"}, *const second[] = {"APPLY", "SAVE", "IGNORE"};
static const dq_label_set sets[DQ_PROMPT_STAGES] = {
    [DQ_PROMPT_FIRST] = {first, 2},
    [DQ_PROMPT_SECOND] = {second, 3},
    [DQ_PROMPT_ONCE] = {dq_labels, DQ_LABELS},
};

dq_label dq_label_number(const char *label)
{
    for (unsigned l = 0; label && l < DQ_LABELS; l++)
        if (strcmp(dq_labels[l], label) == 0) return (dq_label)l;
    return DQ_NO_LABEL;
}

/* ---- reading ---- */

/* The fields of a raw answer; false when it is no JSON. */
static bool take(const char *text, size_t bytes, dq_arena *arena, dq_answer *answer, dq_value *object)
{
    dq_value body;
    dq_error none = DQ_ERROR_NONE;
    size_t n;
    if (dq_json_parse(text, bytes, arena, &body, &none)) return false;
    dq_answer_take(&body, answer);
    const char *json = dq_answer_json(answer, &n);
    if (json && dq_json_parse(json, n, arena, object, &none) == DQ_OK && object->type == DQ_MAP)
        answer->object = object;
    return true;
}

static const char *read_label(dq_prompt_stage stage, const char *text, size_t bytes, dq_arena *arena)
{
    dq_answer answer;
    dq_value object;
    size_t label;
    if (!take(text, bytes, arena, &answer, &object)) return NULL;
    return dq_judgement_read(&answer, &sets[stage], &label) == DQ_READ ? sets[stage].labels[label] : NULL;
}

static const char *read_first(const dq_ask_form *f, const char *text, size_t bytes, dq_arena *arena)
{
    (void)f;
    return read_label(DQ_PROMPT_FIRST, text, bytes, arena);
}

static const char *read_second(const dq_ask_form *f, const char *text, size_t bytes, dq_arena *arena)
{
    (void)f;
    return read_label(DQ_PROMPT_SECOND, text, bytes, arena);
}

static const char *read_once(const dq_ask_form *f, const char *text, size_t bytes, dq_arena *arena)
{
    (void)f;
    return read_label(DQ_PROMPT_ONCE, text, bytes, arena);
}

bool dq_label_probabilities(dq_prompt_stage stage, dq_label label, const char *text, size_t bytes,
                            dq_arena *arena, double *p)
{
    dq_answer answer;
    dq_value object;
    double own[DQ_LABELS];
    const dq_label_set *set = &sets[stage];
    size_t l = 0;
    for (size_t i = 0; i < DQ_LABELS; i++) p[i] = 0;
    while (l < set->count && strcmp(set->labels[l], dq_labels[label]) != 0) l++;
    if (l == set->count || !text || !take(text, bytes, arena, &answer, &object)) return false;
    if (!dq_judgement_soft(&answer, set, l, arena, own)) return false;
    for (size_t i = 0; i < set->count; i++) p[dq_label_number(set->labels[i])] = own[i];
    return true;
}

/* ---- forms ---- */

#define SCHEMA(labels)                                                                                       \
    "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"judgement\",\"strict\":true,\"schema\":{"         \
    "\"type\":\"object\",\"properties\":{\"decision\":{\"type\":\"string\",\"enum\":[" labels                \
    "]}},\"required\":[\"decision\"],\"additionalProperties\":false}}}"
#define MEMBERS(labels)                                                                                      \
    {                                                                                                        \
        {"response_format", SCHEMA(labels)}, {"logprobs", "true,\"top_logprobs\":10"},                       \
        {                                                                                                    \
            NULL, NULL                                                                                       \
        }                                                                                                    \
    }

/* [0] without log-probabilities is the list that ends one sooner: see `hard`. */
static const dq_ask_member soft_members[DQ_PROMPT_STAGES][3] = {
    MEMBERS("\"CLICK\",\"IGNORE\""),
    MEMBERS("\"APPLY\",\"SAVE\",\"IGNORE\""),
    MEMBERS("\"APPLY\",\"SAVE\",\"CLICK\",\"IGNORE\""),
};
static const dq_ask_member hard_members[DQ_PROMPT_STAGES][2] = {
    {{"response_format", SCHEMA("\"CLICK\",\"IGNORE\"")}, {NULL, NULL}},
    {{"response_format", SCHEMA("\"APPLY\",\"SAVE\",\"IGNORE\"")}, {NULL, NULL}},
    {{"response_format", SCHEMA("\"APPLY\",\"SAVE\",\"CLICK\",\"IGNORE\"")}, {NULL, NULL}},
};

#define FORM(stage, reading, members)                                                                        \
    {                                                                                                        \
        .path = "chat/completions", .extra = members, .reader = DQ_JUDGEMENT_VERSION * 16 + (stage),         \
        .read = reading, .tokens_out = 12                                                                    \
    }
static const dq_ask_form forms[2][DQ_PROMPT_STAGES] = {
    {FORM(DQ_PROMPT_FIRST, read_first, hard_members[0]), FORM(DQ_PROMPT_SECOND, read_second, hard_members[1]),
     FORM(DQ_PROMPT_ONCE, read_once, hard_members[2])},
    {FORM(DQ_PROMPT_FIRST, read_first, soft_members[0]), FORM(DQ_PROMPT_SECOND, read_second, soft_members[1]),
     FORM(DQ_PROMPT_ONCE, read_once, soft_members[2])},
};

const dq_ask_form *dq_label_form(dq_prompt_stage stage, bool soft)
{
    return &forms[soft][stage];
}
