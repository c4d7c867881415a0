/* SPDX-License-Identifier: MIT */
#include "label/remote.h"

#include "core/array.h"
#include "core/index.h"
#include "core/record.h"
#include "wire/coprocess.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { UNKNOWN, ASKED, KNOWN };

/* Seconds: answers that a labeller waits for are paid for, and a model takes its time. */
enum { PATIENCE = 600 };

struct dq_remote {
    dq_remote_config config;
    uint32_t items;
    dq_coprocess *process; /* NULL until the first question */
    uint8_t *state;        /* (items) */
    float *reward, *llm;   /* (items) NAN: none */
    uint32_t *label;       /* (items) row of labels, or DQ_ABSENT */
    dq_index labels;
    uint64_t sent, taken; /* bundles of questions, and of answers */
    uint64_t asked;       /* pairs, in this run */
    dq_value maker;       /* {program, options} of the labeller, or nil; in the arena */
    dq_arena arena;
};

static void free_remote(dq_remote *r)
{
    free(r->state);
    free(r->reward);
    free(r->llm);
    free(r->label);
    dq_index_free(&r->labels);
    dq_arena_free(&r->arena);
    free(r);
}

dq_status dq_remote_new(dq_remote **remote, const dq_remote_config *config, dq_error *error)
{
    uint32_t items = (uint32_t)dq_entities_count(&config->catalogue->items);
    *remote = NULL;
    dq_remote *r = calloc(1, sizeof *r);
    if (!r) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a labeller");
    *r = (dq_remote){.config = *config, .items = items, .maker = dq_nil()};
    r->state = calloc((size_t)items + 1, sizeof *r->state);
    r->reward = calloc((size_t)items + 1, sizeof *r->reward);
    r->llm = calloc((size_t)items + 1, sizeof *r->llm);
    r->label = calloc((size_t)items + 1, sizeof *r->label);
    if (!r->state || !r->reward || !r->llm || !r->label) {
        free_remote(r);
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for the labels of %u items", items);
    }
    for (uint32_t i = 0; i < items; i++) r->label[i] = DQ_ABSENT;
    *remote = r;
    return DQ_OK;
}

dq_status dq_remote_end(dq_remote *r, dq_status status, dq_error *error)
{
    if (!r) return status;
    status = dq_coprocess_end(r->process, status, error);
    free_remote(r);
    return status;
}

/* ---- the catalogue, once ---- */

/* The interactions of one user, bundle by bundle. */
static dq_status put_interactions(dq_remote *r, dq_error *error)
{
    const dq_catalogue *c = r->config.catalogue;
    uint32_t *rows = NULL;
    size_t at = 0, capacity = 0;
    dq_status status = DQ_OK;
    for (size_t b = 0; !status && b < c->interaction_bundle_count; b++) {
        const dq_bundle *all = &c->interaction_bundles[b];
        if (!dq_array_reserve(&rows, &capacity, (size_t)all->rows, sizeof *rows)) {
            status = dq_fail(error, DQ_ERR_MEMORY, "no memory for interactions");
            break;
        }
        size_t n = 0;
        for (uint32_t row = 0; row < all->rows; row++)
            if (c->interactions[at++].user == r->config.user) rows[n++] = row;
        dq_bundle own;
        if (n == 0) continue;
        status = dq_bundle_select(&own, all, rows, n, error);
        if (!status) status = dq_coprocess_put(r->process, &own, error);
        dq_bundle_free(&own);
    }
    free(rows);
    return status;
}

static dq_status put_catalogue(dq_remote *r, dq_error *error)
{
    const dq_catalogue *c = r->config.catalogue;
    const dq_row *row = &c->users.rows[r->config.user];
    dq_bundle user;
    dq_status status = dq_bundle_select(&user, &c->users.bundles[row->bundle], &row->row, 1, error);
    if (!status) status = dq_coprocess_put(r->process, &user, error);
    dq_bundle_free(&user);
    if (!status) status = put_interactions(r, error);
    for (size_t b = 0; !status && b < c->items.bundle_count; b++)
        status = dq_coprocess_put(r->process, &c->items.bundles[b], error);
    return status;
}

static dq_status start(dq_remote *r, dq_error *error)
{
    static const char *const variables[] = {"DQ_LABELS_ONLY=1", NULL};
    static const char *const trusted[] = {"OPENAI_API_KEY", "PGPASSWORD", NULL}; /* dq-reward asks servers by them */
    if (r->process) return DQ_OK;
    dq_status status = dq_coprocess_start(&r->process, r->config.command, variables, trusted, r->config.maker,
                                          error);
    if (status) return status;
    dq_coprocess_wait_for(r->process, PATIENCE);
    if (r->config.stop_asked) dq_coprocess_stop_when(r->process, r->config.stop_asked);
    return put_catalogue(r, error);
}

/* ---- questions ---- */

static dq_status put_questions(dq_remote *r, const uint32_t *items, size_t n, dq_error *error)
{
    dq_bundle b;
    uint32_t *user = calloc(n, sizeof *user); /* the only one: row 0 */
    dq_status status = user ? dq_bundle_init(&b, DQ_KIND_TRANSITIONS, n, error)
                            : dq_fail(error, DQ_ERR_MEMORY, "no memory for questions");
    if (status) {
        free(user);
        return status;
    }
    status = dq_bundle_add_numbers(&b, "user", DQ_U4, user, DQ_KIND_USERS, NULL, error);
    if (!status) status = dq_bundle_add_numbers(&b, "item", DQ_U4, items, DQ_KIND_ITEMS, NULL, error);
    for (size_t i = 0; i < n; i++) r->state[items[i]] = ASKED;
    r->asked += n;
    r->sent++;
    if (!status) status = dq_coprocess_put(r->process, &b, error);
    dq_bundle_free(&b);
    free(user);
    return status;
}

/* ---- answers ---- */

static dq_status bad_answer(const dq_remote *r, dq_error *error, const char *reason)
{
    dq_status status = dq_fail(error, DQ_ERR_SCHEMA, "%s", reason);
    (void)dq_error_at(error, r->config.command, DQ_NO_RECORD);
    return status;
}

static float number_or_none(const dq_column *column, uint64_t row)
{
    if (!column || dq_column_is_null(column, row)) return NAN;
    return (float)dq_column_number(column, row);
}

static bool is_column(const dq_column *column, dq_dtype type, uint64_t rows)
{
    return column && column->type == type && column->dims == 1 && column->shape[0] == rows;
}

static dq_status learn_labels(dq_remote *r, const dq_bundle *b, dq_error *error)
{
    const dq_column *item = dq_bundle_column(b, "item"), *reward = dq_bundle_column(b, "reward");
    const dq_column *llm = dq_bundle_column(b, "llm");
    if (!is_column(item, DQ_U4, b->rows) || !is_column(reward, DQ_F4, b->rows) ||
        (llm && !is_column(llm, DQ_F4, b->rows)))
        return bad_answer(r, error, "an answer without the columns item (u4) and reward (f4)");
    const dq_column *label = dq_bundle_column(b, "label");
    if (label && !is_column(label, DQ_TEXT, b->rows))
        return bad_answer(r, error, "an answer whose column label is no text");
    for (uint64_t row = 0; row < b->rows; row++) {
        size_t n;
        const char *text = label ? dq_column_text(label, row, &n) : NULL;
        uint32_t i = ((const uint32_t *)item->data)[row];
        if (i >= r->items || r->state[i] == UNKNOWN)
            return bad_answer(r, error, "an answer to a pair that was not asked");
        r->reward[i] = number_or_none(reward, row);
        r->llm[i] = llm ? number_or_none(llm, row) : r->reward[i];
        if (isinf(r->reward[i]) || isinf(r->llm[i]))
            return bad_answer(r, error, "a reward that is not finite");
        r->state[i] = KNOWN;
        dq_status status = text ? dq_index_add(&r->labels, text, n, &r->label[i], NULL, error) : DQ_OK;
        if (status) return status;
    }
    return DQ_OK;
}

/* What labelled is part of the run: a checkpoint goes on with the same program and options only. */
static dq_status know_maker(dq_remote *r, dq_error *error)
{
    const dq_value *head = dq_coprocess_maker(r->process);
    dq_arena *arena = &r->arena;
    dq_value maker = dq_map(), program = dq_nil(), options = dq_nil();
    if (r->taken > 0 || !head) return DQ_OK;
    const dq_value *p = dq_map_get(head, "program"), *o = dq_map_get(head, "options");
    if ((p && !dq_value_copy(arena, p, &program)) || (o && !dq_value_copy(arena, o, &options)) ||
        !dq_map_set(arena, &maker, "program", program) || !dq_map_set(arena, &maker, "options", options))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for the labeller's head");
    if (r->maker.type != DQ_NIL && !dq_value_equal(&r->maker, &maker))
        return dq_fail(error, DQ_ERR_RANGE,
                       "the checkpoint was made with another labeller, or with other options");
    r->maker = maker;
    return DQ_OK;
}

/* The next bundle of answers; a catalogue that the labeller passed on is passed over. */
static dq_status take_answers(dq_remote *r, dq_error *error)
{
    dq_bundle b;
    bool answer = false;
    dq_status status = DQ_OK;
    while (!status && !answer) {
        status = dq_coprocess_take(r->process, &b, error);
        if (!status) status = know_maker(r, error);
        answer = !status && (strcmp(b.kind, "labels") == 0 || strcmp(b.kind, DQ_KIND_TRANSITIONS) == 0);
        if (answer) status = learn_labels(r, &b, error);
        dq_bundle_free(&b);
    }
    r->taken += answer && !status;
    return status;
}

dq_status dq_remote_need(dq_remote *r, uint32_t item, const uint32_t *ahead, size_t n, dq_error *error)
{
    if (r->state[item] == KNOWN) return DQ_OK;
    dq_status status = start(r, error);
    if (!status && r->state[item] == UNKNOWN) {
        status = put_questions(r, &item, 1, error);
        if (!status && n) status = put_questions(r, ahead, n, error);
    }
    while (!status && r->state[item] != KNOWN) {
        if (r->taken == r->sent) return bad_answer(r, error, "a pair was left without an answer");
        status = take_answers(r, error);
    }
    return status;
}

bool dq_remote_unasked(const dq_remote *r, uint32_t item)
{
    return r->state[item] == UNKNOWN;
}

float dq_remote_reward(const dq_remote *r, uint32_t item)
{
    return r->reward[item];
}

float dq_remote_llm(const dq_remote *r, uint32_t item)
{
    return r->llm[item];
}

const char *dq_remote_label(const dq_remote *r, uint32_t item, size_t *bytes)
{
    return r->label[item] == DQ_ABSENT ? NULL : dq_index_id(&r->labels, r->label[item], bytes);
}

uint64_t dq_remote_asked(const dq_remote *r)
{
    return r->asked;
}

bool dq_remote_answered(const dq_remote *r)
{
    return r->taken > 0;
}

int dq_remote_exit(const dq_remote *r)
{
    return r->process ? dq_coprocess_exit(r->process) : -1;
}

const dq_value *dq_remote_maker(const dq_remote *r)
{
    return r->maker.type == DQ_NIL ? NULL : &r->maker;
}

/* ---- checkpoint ---- */

enum { NO_REWARD = 1, NO_LLM = 2 }; /* flags of labels.none */

dq_status dq_remote_save(const dq_remote *r, dq_bundle *model, dq_error *error)
{
    uint64_t n = 0, k = 0;
    for (uint32_t i = 0; i < r->items; i++) n += r->state[i] == KNOWN;
    uint32_t *item = dq_arena_zero(&model->arena, (size_t)n + 1, sizeof *item);
    float *reward = dq_arena_zero(&model->arena, (size_t)n + 1, sizeof *reward);
    float *llm = dq_arena_zero(&model->arena, (size_t)n + 1, sizeof *llm);
    uint8_t *none = dq_arena_zero(&model->arena, (size_t)n + 1, sizeof *none);
    if (!item || !reward || !llm || !none) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    for (uint32_t i = 0; i < r->items; i++) {
        if (r->state[i] != KNOWN) continue;
        item[k] = i;
        none[k] = (uint8_t)((isnan(r->reward[i]) ? NO_REWARD : 0) | (isnan(r->llm[i]) ? NO_LLM : 0));
        reward[k] = isnan(r->reward[i]) ? 0 : r->reward[i];
        llm[k] = isnan(r->llm[i]) ? 0 : r->llm[i];
        k++;
    }
    dq_status status = dq_bundle_add_tensor(model, "labels.item", DQ_U4, 1, &n, item, error);
    if (!status) status = dq_bundle_add_tensor(model, "labels.reward", DQ_F4, 1, &n, reward, error);
    if (!status) status = dq_bundle_add_tensor(model, "labels.llm", DQ_F4, 1, &n, llm, error);
    if (!status) status = dq_bundle_add_tensor(model, "labels.none", DQ_U1, 1, &n, none, error);
    return status;
}

dq_status dq_remote_restore(dq_remote *r, const dq_bundle *model, dq_error *error)
{
    const dq_column *item = NULL, *reward = NULL, *llm = NULL, *none = NULL;
    const dq_value *maker = dq_map_get(&model->meta, "labeller");
    uint64_t n = DQ_RECORD_ANY;
    dq_status status = dq_record_find(model, "labels.item", DQ_U4, &n, &item, error);
    if (!status) status = dq_record_find(model, "labels.reward", DQ_F4, &n, &reward, error);
    if (!status) status = dq_record_find(model, "labels.llm", DQ_F4, &n, &llm, error);
    if (!status) status = dq_record_find(model, "labels.none", DQ_U1, &n, &none, error);
    if (status) return status;
    for (uint64_t k = 0; k < n; k++) {
        uint32_t i = ((const uint32_t *)item->data)[k];
        uint8_t missing = ((const uint8_t *)none->data)[k];
        if (i >= r->items) return dq_fail(error, DQ_ERR_SCHEMA, "a label of an item that is not there");
        r->state[i] = KNOWN;
        r->reward[i] = missing & NO_REWARD ? NAN : ((const float *)reward->data)[k];
        r->llm[i] = missing & NO_LLM ? NAN : ((const float *)llm->data)[k];
    }
    if (maker && !dq_value_copy(&r->arena, maker, &r->maker))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    return DQ_OK;
}
