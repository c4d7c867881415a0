/* SPDX-License-Identifier: MIT */
#include "label/answer.h"

#include "label/messages.h"

#include <string.h>

const char *const dq_labels[DQ_LABELS] = {"APPLY", "SAVE", "CLICK", "IGNORE"};

const char *const dq_answer_formats[] = {"auto", "json_schema", "json_object", "none", NULL};

/* A stage's labels, and behind them those of the others. */
static const char *const first[] = {"CLICK", "IGNORE", "APPLY", "SAVE"};
static const char *const second[] = {"APPLY", "SAVE", "IGNORE", "CLICK"};
static const dq_label_set sets[DQ_PROMPT_STAGES] = {
    [DQ_PROMPT_FIRST] = {first, 2, DQ_LABELS},
    [DQ_PROMPT_SECOND] = {second, 3, DQ_LABELS},
    [DQ_PROMPT_ONCE] = {dq_labels, DQ_LABELS, DQ_LABELS},
};

dq_label dq_label_number(const char *label)
{
    for (unsigned l = 0; label && l < DQ_LABELS; l++)
        if (strcmp(dq_labels[l], label) == 0) return (dq_label)l;
    return DQ_NO_LABEL;
}

/* ---- reading ---- */

/* The fields of a raw answer; false when it is no JSON. */
static bool take(const char *text, size_t bytes, dq_arena *arena, dq_answer *answer)
{
    dq_value body;
    dq_error none = DQ_ERROR_NONE;
    return dq_json_parse(text, bytes, arena, &body, &none) == DQ_OK && dq_answer_take(&body, arena, answer);
}

static const char *read_label(const dq_ask_form *form, const char *text, size_t bytes, dq_arena *arena)
{
    const dq_label_set *set = &sets[((const dq_label_form *)form)->stage];
    dq_answer answer;
    size_t label, at;
    if (!take(text, bytes, arena, &answer)) return NULL;
    return dq_judgement_read(&answer, set, &label, &at) == DQ_READ ? set->labels[label] : NULL;
}

bool dq_label_probabilities(dq_prompt_stage stage, dq_label label, const char *text, size_t bytes,
                            dq_arena *arena, double *p)
{
    dq_answer answer;
    double own[DQ_LABELS];
    const dq_label_set *set = &sets[stage];
    size_t l, at;
    for (size_t i = 0; i < DQ_LABELS; i++) p[i] = 0;
    if (!text || !take(text, bytes, arena, &answer)) return false;
    if (dq_judgement_read(&answer, set, &l, &at) != DQ_READ) return false;
    if (dq_label_number(set->labels[l]) != label) return false;
    if (!dq_judgement_soft(&answer, set, l, at, arena, own)) return false;
    for (size_t i = 0; i < set->count; i++) p[dq_label_number(set->labels[i])] = own[i];
    return true;
}

/* ---- what is asked for ---- */

#define SCHEMA(labels)                                                                                       \
    "{\"type\":\"object\",\"properties\":{\"decision\":{\"type\":\"string\",\"enum\":[" labels               \
    "]}},\"required\":[\"decision\"],\"additionalProperties\":false}"
#define FORMATS(labels)                                                                                      \
    {                                                                                                        \
        {"json_schema", "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"judgement\",\"strict\":true," \
                        "\"schema\":" SCHEMA(labels) "}}"},                                                  \
            {"json_object+schema", "{\"type\":\"json_object\",\"schema\":" SCHEMA(labels) "}"},              \
        {                                                                                                    \
            "json_object", "{\"type\":\"json_object\"}"                                                      \
        }                                                                                                    \
    }

enum { FORMATS = 3 };

/* The second is llama.cpp's and llama-cpp-python's, the third what others call JSON mode. */
static const dq_ask_variant formats[DQ_PROMPT_STAGES][FORMATS] = {
    FORMATS("\"CLICK\",\"IGNORE\""),
    FORMATS("\"APPLY\",\"SAVE\",\"IGNORE\""),
    FORMATS("\"APPLY\",\"SAVE\",\"CLICK\",\"IGNORE\""),
};

static const char *const format_words[] = {"response_format", "response format", "json_schema", "json_object",
                                           "json schema",     "json mode",       "structured",  "schema",
                                           "grammar",         "guided",          NULL};

/* What is left out last is what is wished for most. Ten likely tokens a place are enough for four labels;
 * some servers give five at most. */
static const dq_ask_member logprobs = {
    .name = "logprobs",
    .variants = (const dq_ask_variant[]){{"10", "true,\"top_logprobs\":10"},
                                         {"5", "true,\"top_logprobs\":5"},
                                         {NULL, NULL}},
    .words = (const char *const[]){"logprob", NULL}};
static const dq_ask_member seed = {.name = "seed",
                                   .variants = (const dq_ask_variant[]){{"sample", NULL}, {NULL, NULL}},
                                   .words = (const char *const[]){"seed", NULL}};
static const dq_ask_member system_messages = {
    .name = "system message",
    .variants = (const dq_ask_variant[]){{"own", NULL}, {NULL, NULL}},
    .words = (const char *const[]){"system role", "system message", "system prompt", "system instruction",
                                   "'system'", "\"system\"", "`system`", "role system", "role: system",
                                   "role=system", "developer instruction", "roles must alternate",
                                   "role must alternate", "].role", NULL},
    .within = "{\"role\":\"system\""};

/* By hand: that one alone; else all, and then none. */
static dq_ask_member format_member(dq_label_form *f, dq_answer_format format)
{
    size_t from = format == DQ_FORMAT_OBJECT, to = format == DQ_FORMAT_SCHEMA ? 1 : FORMATS;
    memcpy(f->formats, &formats[f->stage][from], (to - from) * sizeof *f->formats);
    return (dq_ask_member){.name = "response_format",
                           .variants = f->formats,
                           .words = format_words,
                           .doubted = true,
                           .fixed = format != DQ_FORMAT_AUTO};
}

static dq_status fold(const dq_ask_form *form, const dq_value *request, dq_json_text *body, dq_error *error)
{
    (void)form;
    return dq_messages_fold(request, body, error);
}

void dq_label_form_init(dq_label_form *f, dq_prompt_stage stage, const dq_answer_wish *wish)
{
    size_t n = 0;
    *f = (dq_label_form){.stage = stage};
    if (wish->format != DQ_FORMAT_NONE) f->members[n++] = format_member(f, wish->format);
    if (wish->soft) f->members[n++] = logprobs;
    if (wish->seeded) f->members[n++] = seed;
    f->members[n] = system_messages;
    f->form = (dq_ask_form){.path = "chat/completions",
                            .extra = f->members,
                            .reader = DQ_JUDGEMENT_VERSION * 16 + stage,
                            .read = read_label,
                            .fold = fold,
                            .tokens_out = 12};
}
