/* SPDX-License-Identifier: MIT */
#include "label/llm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One sample of a pair. */
typedef struct vote {
    double click; /* soft, two stages: the probability of CLICK at the first; NAN: not known */
    double reward;
    dq_label label;
    bool soft, rewarded;
} vote;

typedef struct pair {
    uint32_t user, item;
    uint32_t left; /* votes to come */
} pair;

/* Pairs are numbered as they are submitted; number n lives in slot n % capacity. */
struct dq_llm {
    dq_llm_config config;
    dq_messages messages;
    dq_ask *ask;
    dq_label_form forms[DQ_PROMPT_STAGES];
    double rewards[DQ_LABELS];
    bool has_reward[DQ_LABELS];
    pair *pairs;     /* (capacity) */
    vote *votes;     /* (capacity, K) */
    size_t capacity; /* a power of two */
    uint64_t submitted, asked, taken;
    uint32_t votes_asked; /* of pair `asked` */
    dq_json_text head, request;
    size_t head_bytes;
    dq_arena arena;
    uint64_t missing;
    dq_llm_softness soft;
};

/* ---- questions ---- */

static vote *votes_of(dq_llm *l, uint64_t number)
{
    return &l->votes[(number & (l->capacity - 1)) * l->config.votes];
}

static pair *pair_of(dq_llm *l, uint64_t number)
{
    return &l->pairs[number & (l->capacity - 1)];
}

/* A question's tag: its pair, its vote, its stage. */
static uint64_t tag_of(const dq_llm *l, uint64_t number, uint32_t sample, dq_prompt_stage stage)
{
    return (number * l->config.votes + sample) << 2 | (uint64_t)stage;
}

static dq_status ask(dq_llm *l, uint64_t number, uint32_t sample, dq_prompt_stage stage, bool maybe,
                     dq_error *error)
{
    const pair *p = pair_of(l, number);
    dq_json_text *request = &l->head;
    request->bytes = l->head_bytes;
    /* a pair that was submitted is there: NOLINTNEXTLINE(*.CallAndMessage) */
    dq_status status = dq_messages_write(&l->messages, stage, p->user, p->item, request, error);
    if (!status) status = dq_json_write_raw(request, "}", 1, error);
    if (status) return status;
    dq_question q = {.form = &l->forms[stage].form,
                     .request = request->data,
                     .bytes = request->bytes,
                     .sample = sample,
                     .maybe = maybe,
                     .tag = tag_of(l, number, sample, stage)};
    return dq_ask_put(l->ask, &q, error);
}

/* Puts what was submitted and the window has room for. */
static dq_status ask_ahead(dq_llm *l, dq_error *error)
{
    dq_prompt_stage stage = l->config.two_stages ? DQ_PROMPT_FIRST : DQ_PROMPT_ONCE;
    dq_status status = DQ_OK;
    while (!status && l->asked < l->submitted && dq_ask_room(l->ask)) {
        status = ask(l, l->asked, l->votes_asked, stage, false, error);
        if (++l->votes_asked < l->config.votes) continue;
        l->votes_asked = 0;
        l->asked++;
    }
    return status;
}

/* ---- answers ---- */

/* The expectation over a stage's labels; false when there are no log-probabilities, or a label that has one
 * has no reward. The first stage leaves its part in v->click. IGNORE at the second stage was a CLICK. */
static bool expect(dq_llm *l, vote *v, dq_prompt_stage stage, dq_label label, const dq_reply *reply)
{
    double p[DQ_LABELS], sum = 0;
    bool read = dq_label_probabilities(stage, label, reply->answer, reply->bytes, &l->arena, p);
    dq_arena_free(&l->arena);
    l->soft.answers++;
    l->soft.bare += !read;
    if (!read) return false;
    if (stage == DQ_PROMPT_SECOND) {
        p[DQ_CLICK] = p[DQ_IGNORE] * v->click;
        p[DQ_APPLY] *= v->click;
        p[DQ_SAVE] *= v->click;
        p[DQ_IGNORE] = 1 - v->click;
    }
    if (stage == DQ_PROMPT_FIRST) v->click = p[DQ_CLICK];
    for (size_t i = 0; i < DQ_LABELS; i++) {
        if (p[i] > 0 && !l->has_reward[i]) return false;
        sum += p[i] > 0 ? p[i] * l->rewards[i] : 0;
    }
    v->reward = sum;
    return true;
}

static void end_vote(dq_llm *l, uint64_t number, vote *v, dq_label label)
{
    v->label = label;
    if (label != DQ_NO_LABEL && !v->soft) {
        v->rewarded = l->has_reward[label];
        v->reward = l->rewards[label];
    } else {
        v->rewarded = label != DQ_NO_LABEL;
    }
    pair_of(l, number)->left--;
}

static dq_status take_reply(dq_llm *l, const dq_reply *reply, dq_error *error)
{
    dq_prompt_stage stage = (dq_prompt_stage)(reply->tag & 3);
    uint64_t number = (reply->tag >> 2) / l->config.votes;
    uint32_t sample = (uint32_t)((reply->tag >> 2) % l->config.votes);
    vote *v = &votes_of(l, number)[sample];
    dq_label label = dq_label_number(reply->label);
    bool ahead_unknown = l->config.ask.options->dry_run && reply->status == DQ_ERR_UNKNOWN;
    if (l->config.soft && label != DQ_NO_LABEL) {
        bool possible = stage != DQ_PROMPT_SECOND || v->soft;
        v->soft = expect(l, v, stage, label, reply) && possible;
    }
    if (stage == DQ_PROMPT_FIRST && (label == DQ_CLICK || ahead_unknown))
        return ask(l, number, sample, DQ_PROMPT_SECOND, ahead_unknown, error);
    if (stage == DQ_PROMPT_SECOND && label == DQ_IGNORE) label = DQ_CLICK;
    end_vote(l, number, v, label);
    return DQ_OK;
}

/* The votes of a pair as one: the mean of the rewards, the label that most gave (of equals the earlier). */
static dq_verdict count_votes(dq_llm *l, uint64_t number)
{
    const vote *v = votes_of(l, number);
    size_t counts[DQ_LABELS] = {0}, rewarded = 0, labelled = 0, soft = 0, best = DQ_NO_LABEL;
    double sum = 0;
    for (size_t i = 0; i < l->config.votes; i++) {
        if (v[i].label == DQ_NO_LABEL) continue;
        labelled++;
        counts[v[i].label]++;
        if (!v[i].rewarded) continue;
        rewarded++;
        soft += v[i].soft;
        sum += v[i].reward;
    }
    for (size_t i = 0; i < l->config.votes; i++)
        if (v[i].label != DQ_NO_LABEL && (best == DQ_NO_LABEL || counts[v[i].label] > counts[best]))
            best = v[i].label;
    dq_verdict verdict = {.label = best == DQ_NO_LABEL ? NULL : dq_labels[best],
                          .none = rewarded == 0,
                          .reward = rewarded ? (float)(sum / (double)rewarded) : 0,
                          .soft = rewarded && soft == rewarded};
    l->missing += labelled == 0;
    l->soft.hard += l->config.soft && rewarded && !verdict.soft;
    return verdict;
}

static dq_status wait_for(dq_llm *l, uint64_t number, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status && (number >= l->asked || pair_of(l, number)->left)) {
        dq_reply reply;
        status = ask_ahead(l, error);
        int got = status ? 0 : dq_ask_next(l->ask, &reply, error);
        if (got < 0) return error->status ? error->status : DQ_ERR_IO;
        if (got > 0) status = take_reply(l, &reply, error);
    }
    return status;
}

static dq_status take_pairs(void *self, size_t n, dq_verdict *verdicts, dq_error *error)
{
    dq_llm *l = self;
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < n; i++) {
        status = wait_for(l, l->taken, error);
        if (!status) verdicts[i] = count_votes(l, l->taken++);
    }
    return status;
}

/* ---- pairs ---- */

static dq_status grow(dq_llm *l, size_t need, dq_error *error)
{
    size_t capacity = l->capacity ? l->capacity : 1024, k = l->config.votes;
    while (capacity < need) capacity *= 2;
    pair *pairs = malloc(capacity * sizeof *pairs);
    vote *votes = malloc(capacity * k * sizeof *votes);
    if (!pairs || !votes) {
        free(pairs);
        free(votes);
        return dq_fail_memory(error, "pairs");
    }
    for (uint64_t p = l->taken; p < l->submitted; p++) {
        pairs[p & (capacity - 1)] = *pair_of(l, p);
        memcpy(&votes[(p & (capacity - 1)) * k], votes_of(l, p), k * sizeof *votes);
    }
    free(l->pairs);
    free(l->votes);
    l->pairs = pairs;
    l->votes = votes;
    l->capacity = capacity;
    return DQ_OK;
}

static dq_status submit_pairs(void *self, const uint32_t *user, const uint32_t *item, size_t n,
                              dq_error *error)
{
    dq_llm *l = self;
    size_t need = (size_t)(l->submitted - l->taken) + n;
    dq_status status = need > l->capacity ? grow(l, need, error) : DQ_OK;
    for (size_t i = 0; !status && i < n; i++) {
        *pair_of(l, l->submitted) = (pair){user[i], item[i], (uint32_t)l->config.votes};
        for (size_t k = 0; k < l->config.votes; k++)
            votes_of(l, l->submitted)[k] = (vote){.click = NAN, .label = DQ_NO_LABEL};
        l->submitted++;
    }
    return status ? status : ask_ahead(l, error);
}

dq_label_source dq_llm_source(dq_llm *llm)
{
    return (dq_label_source){
        .submit = submit_pairs, .take = take_pairs, .self = llm, .soft = llm->config.soft};
}

/* ---- life ---- */

/* {"model":"NAME","temperature":0,"messages": */
static dq_status write_head(dq_llm *l, dq_error *error)
{
    const char *model = l->config.ask.model;
    char sampling[64] = "";
    if (!isnan(l->config.temperature))
        (void)snprintf(sampling, sizeof sampling, ",\"temperature\":%.9g", l->config.temperature);
    dq_status status = dq_json_write_raw(&l->head, "{\"model\":", 9, error);
    if (!status) status = dq_json_write_string(&l->head, model, strlen(model), error);
    if (!status) status = dq_json_write_raw(&l->head, sampling, strlen(sampling), error);
    if (!status) status = dq_json_write_raw(&l->head, ",\"messages\":", 12, error);
    l->head_bytes = l->head.bytes;
    return status;
}

dq_status dq_llm_open(dq_llm **out, const dq_llm_config *config, dq_messages *messages,
                      const dq_label_map *map, dq_error *error)
{
    dq_llm *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l) return dq_fail_memory(error, "labels");
    l->config = *config;
    l->config.ask.whole = config->soft;
    l->messages = *messages;
    *messages = (dq_messages){0};
    for (size_t i = 0; i < DQ_LABELS; i++)
        l->has_reward[i] = dq_label_map_find(map, dq_labels[i], strlen(dq_labels[i]), &l->rewards[i]);
    dq_answer_wish wish = {.format = config->format, .soft = config->soft, .seeded = config->votes > 1};
    for (unsigned s = 0; s < DQ_PROMPT_STAGES; s++)
        dq_label_form_init(&l->forms[s], (dq_prompt_stage)s, &wish);
    dq_status status = write_head(l, error);
    if (!status) status = dq_ask_open(&l->ask, &l->config.ask, error);
    *out = l;
    if (!status) return DQ_OK;
    *out = NULL;
    return dq_llm_close(l, status, error);
}

const dq_ask_stats *dq_llm_stats(const dq_llm *llm)
{
    return dq_ask_stats_of(llm->ask);
}

uint64_t dq_llm_missing(const dq_llm *llm)
{
    return llm->missing;
}

dq_llm_softness dq_llm_soft(const dq_llm *llm)
{
    return llm->soft;
}

dq_status dq_llm_close(dq_llm *l, dq_status status, dq_error *error)
{
    if (!l) return status;
    status = dq_ask_close(l->ask, status, error);
    dq_messages_free(&l->messages);
    dq_json_text_free(&l->head);
    dq_arena_free(&l->arena);
    free(l->pairs);
    free(l->votes);
    free(l);
    return status;
}
