/* SPDX-License-Identifier: MIT
 *
 * --reward-cmd: a labeller that is asked while training goes on. It gets the user, what the user did, and the
 * items once, then pairs; a pair is never asked twice, so what it said is a table by items:
 *
 *     asked      in a bundle that is on its way
 *     known      answered: a reward, or none
 *
 * Candidates may be asked ahead (--ask-ahead): behind the one that was chosen, in a bundle of their own, so
 * that nobody waits for them; their answers are read when the next unknown one is needed.
 */
#include "train.h"
#include "wire/coprocess.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { UNKNOWN, ASKED, KNOWN };

struct train_labeller {
    train *t;
    uint32_t user, items;
    dq_coprocess *process; /* NULL until the first question */
    uint8_t *state;        /* (items) */
    float *reward, *llm;   /* (items) NAN: none */
    uint64_t sent, taken;  /* bundles of questions, and of answers */
    uint64_t asked;        /* pairs, in this run */
    dq_value maker;        /* {program, options} of the labeller, or nil */
};

dq_status train_labeller_new(train_labeller **labeller, train *t, uint32_t user, dq_error *error)
{
    train_labeller *l = *labeller = calloc(1, sizeof *l);
    if (!l) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a labeller");
    *l = (train_labeller){.t = t, .user = user, .maker = dq_nil()};
    l->items = dq_entities_count(&t->dataset.catalogue.items);
    l->state = calloc(l->items, sizeof *l->state);
    l->reward = calloc(l->items, sizeof *l->reward);
    l->llm = calloc(l->items, sizeof *l->llm);
    if (l->state && l->reward && l->llm) return DQ_OK;
    return dq_fail(error, DQ_ERR_MEMORY, "no memory for the labels of %u items", l->items);
}

dq_status train_labeller_end(train_labeller *l, dq_status status, dq_error *error)
{
    if (!l) return status;
    status = dq_coprocess_end(l->process, status, error);
    if (l->asked)
        dq_cli_say(l->t->cli, &l->t->o->common, "%llu pairs asked of %s", (unsigned long long)l->asked,
                   l->t->o->reward_cmd);
    free(l->state);
    free(l->reward);
    free(l->llm);
    free(l);
    return status;
}

/* ---- the catalogue, once ---- */

/* The interactions of one user, bundle by bundle. */
static dq_status put_interactions(train_labeller *l, dq_error *error)
{
    const dq_catalogue *c = &l->t->dataset.catalogue;
    uint32_t *rows = NULL;
    size_t at = 0;
    dq_status status = DQ_OK;
    for (size_t b = 0; !status && b < c->interaction_bundle_count; b++) {
        const dq_bundle *all = &c->interaction_bundles[b];
        uint32_t *more = realloc(rows, ((size_t)all->rows + 1) * sizeof *rows);
        if (!more) {
            status = dq_fail(error, DQ_ERR_MEMORY, "no memory for interactions");
            break;
        }
        rows = more;
        size_t n = 0;
        for (uint32_t r = 0; r < all->rows; r++)
            if (c->interactions[at++].user == l->user) rows[n++] = r;
        dq_bundle own;
        if (n == 0) continue;
        status = dq_bundle_select(&own, all, rows, n, error);
        if (!status) status = dq_coprocess_put(l->process, &own, error);
        dq_bundle_free(&own);
    }
    free(rows);
    return status;
}

static dq_status put_catalogue(train_labeller *l, dq_error *error)
{
    const dq_catalogue *c = &l->t->dataset.catalogue;
    const dq_row *row = &c->users.rows[l->user];
    dq_bundle user;
    dq_status status = dq_bundle_select(&user, &c->users.bundles[row->bundle], &row->row, 1, error);
    if (!status) status = dq_coprocess_put(l->process, &user, error);
    dq_bundle_free(&user);
    if (!status) status = put_interactions(l, error);
    for (size_t b = 0; !status && b < c->items.bundle_count; b++)
        status = dq_coprocess_put(l->process, &c->items.bundles[b], error);
    return status;
}

static dq_status start(train_labeller *l, dq_error *error)
{
    static const char *const variables[] = {"DQ_LABELS_ONLY=1", NULL};
    if (l->process) return DQ_OK;
    dq_status status = dq_coprocess_start(&l->process, l->t->o->reward_cmd, variables, &l->t->maker, error);
    if (status) return status;
    if (l->t->o->checkpoint) dq_coprocess_stop_when(l->process, train_stop_asked);
    return put_catalogue(l, error);
}

/* ---- questions ---- */

static dq_status put_questions(train_labeller *l, const uint32_t *items, size_t n, dq_error *error)
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
    for (size_t i = 0; i < n; i++) l->state[items[i]] = ASKED;
    l->asked += n;
    l->sent++;
    if (!status) status = dq_coprocess_put(l->process, &b, error);
    dq_bundle_free(&b);
    free(user);
    return status;
}

/* ---- answers ---- */

static dq_status bad_answer(const train_labeller *l, dq_error *error, const char *reason)
{
    dq_status status = dq_fail(error, DQ_ERR_SCHEMA, "%s", reason);
    (void)dq_error_at(error, l->t->o->reward_cmd, DQ_NO_RECORD);
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

static dq_status learn_labels(train_labeller *l, const dq_bundle *b, dq_error *error)
{
    const dq_column *item = dq_bundle_column(b, "item"), *reward = dq_bundle_column(b, "reward");
    const dq_column *llm = dq_bundle_column(b, "llm");
    if (!is_column(item, DQ_U4, b->rows) || !is_column(reward, DQ_F4, b->rows) ||
        (llm && !is_column(llm, DQ_F4, b->rows)))
        return bad_answer(l, error, "an answer without the columns item (u4) and reward (f4)");
    for (uint64_t r = 0; r < b->rows; r++) {
        uint32_t i = ((const uint32_t *)item->data)[r];
        if (i >= l->items || l->state[i] == UNKNOWN)
            return bad_answer(l, error, "an answer to a pair that was not asked");
        l->reward[i] = number_or_none(reward, r);
        l->llm[i] = llm ? number_or_none(llm, r) : l->reward[i];
        if (isinf(l->reward[i]) || isinf(l->llm[i]))
            return bad_answer(l, error, "a reward that is not finite");
        l->state[i] = KNOWN;
    }
    return DQ_OK;
}

/* What labelled is part of the run: a checkpoint goes on with the same program and options only. */
static dq_status know_maker(train_labeller *l, dq_error *error)
{
    const dq_value *head = dq_coprocess_maker(l->process);
    dq_arena *arena = &l->t->cli->arena;
    dq_value maker = dq_map(), program = dq_nil(), options = dq_nil();
    if (l->taken > 0 || !head) return DQ_OK;
    const dq_value *p = dq_map_get(head, "program"), *o = dq_map_get(head, "options");
    if ((p && !dq_value_copy(arena, p, &program)) || (o && !dq_value_copy(arena, o, &options)) ||
        !dq_map_set(arena, &maker, "program", program) || !dq_map_set(arena, &maker, "options", options))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for the labeller's head");
    if (l->maker.type != DQ_NIL && !dq_value_equal(&l->maker, &maker)) {
        dq_status status = dq_fail(error, DQ_ERR_RANGE,
                                   "the checkpoint was made with another labeller, or with other options");
        return status;
    }
    l->maker = maker;
    return DQ_OK;
}

/* The next bundle of answers; a catalogue that the labeller passed on is passed over. */
static dq_status take_answers(train_labeller *l, dq_error *error)
{
    dq_bundle b;
    bool answer = false;
    dq_status status = DQ_OK;
    while (!status && !answer) {
        status = dq_coprocess_take(l->process, &b, error);
        if (!status) status = know_maker(l, error);
        answer = !status && (strcmp(b.kind, "labels") == 0 || strcmp(b.kind, DQ_KIND_TRANSITIONS) == 0);
        if (answer) status = learn_labels(l, &b, error);
        dq_bundle_free(&b);
    }
    l->taken += answer;
    return status;
}

dq_status train_labeller_need(train_labeller *l, uint32_t item, const uint32_t *ahead, size_t n,
                              dq_error *error)
{
    if (l->state[item] == KNOWN) return DQ_OK;
    dq_status status = start(l, error);
    if (!status && l->state[item] == UNKNOWN) {
        status = put_questions(l, &item, 1, error);
        if (!status && n) status = put_questions(l, ahead, n, error);
    }
    while (!status && l->state[item] != KNOWN) {
        if (l->taken == l->sent) return bad_answer(l, error, "a pair was left without an answer");
        status = take_answers(l, error);
    }
    return status;
}

bool train_labeller_unknown(const train_labeller *l, uint32_t item)
{
    return l->state[item] == UNKNOWN;
}

float train_labeller_reward(const train_labeller *l, uint32_t item)
{
    return l->reward[item];
}

float train_labeller_llm(const train_labeller *l, uint32_t item)
{
    return l->llm[item];
}

/* A stop with progress: the labeller said so itself (75), or it had answered something in this run. One that
 * fails at the first question would fail for ever. */
bool train_labeller_resumable(const train_labeller *l)
{
    return l->process && (l->taken > 0 || dq_coprocess_exit(l->process) == DQ_EXIT_STOPPED);
}

const dq_value *train_labeller_maker(const train_labeller *l)
{
    return l->maker.type == DQ_NIL ? NULL : &l->maker;
}

/* ---- checkpoint ---- */

enum { NO_REWARD = 1, NO_LLM = 2 };

/* What is known: labels.item, labels.reward, labels.llm, and labels.none where those are not there. */
dq_status train_labeller_save(const train_labeller *l, dq_bundle *model, dq_error *error)
{
    uint64_t n = 0, k = 0;
    for (uint32_t i = 0; i < l->items; i++) n += l->state[i] == KNOWN;
    uint32_t *item = dq_arena_zero(&model->arena, (size_t)n + 1, sizeof *item);
    float *reward = dq_arena_zero(&model->arena, (size_t)n + 1, sizeof *reward);
    float *llm = dq_arena_zero(&model->arena, (size_t)n + 1, sizeof *llm);
    uint8_t *none = dq_arena_zero(&model->arena, (size_t)n + 1, sizeof *none);
    if (!item || !reward || !llm || !none) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    for (uint32_t i = 0; i < l->items; i++) {
        if (l->state[i] != KNOWN) continue;
        item[k] = i;
        none[k] = (uint8_t)((isnan(l->reward[i]) ? NO_REWARD : 0) | (isnan(l->llm[i]) ? NO_LLM : 0));
        reward[k] = isnan(l->reward[i]) ? 0 : l->reward[i];
        llm[k] = isnan(l->llm[i]) ? 0 : l->llm[i];
        k++;
    }
    dq_status status = dq_bundle_add_tensor(model, "labels.item", DQ_U4, 1, &n, item, error);
    if (!status) status = dq_bundle_add_tensor(model, "labels.reward", DQ_F4, 1, &n, reward, error);
    if (!status) status = dq_bundle_add_tensor(model, "labels.llm", DQ_F4, 1, &n, llm, error);
    if (!status) status = dq_bundle_add_tensor(model, "labels.none", DQ_U1, 1, &n, none, error);
    return status;
}

dq_status train_labeller_restore(train_labeller *l, const dq_bundle *model, dq_error *error)
{
    const dq_column *item = dq_bundle_column(model, "labels.item");
    const dq_column *reward = dq_bundle_column(model, "labels.reward");
    const dq_column *llm = dq_bundle_column(model, "labels.llm"),
                    *none = dq_bundle_column(model, "labels.none");
    const dq_value *maker = dq_map_get(&model->meta, "labeller");
    uint64_t n = item ? item->shape[0] : 0;
    if (!is_column(item, DQ_U4, n) || !is_column(reward, DQ_F4, n) || !is_column(llm, DQ_F4, n) ||
        !is_column(none, DQ_U1, n))
        return dq_fail(error, DQ_ERR_SCHEMA, "not a checkpoint of training with --reward-cmd: no labels");
    for (uint64_t k = 0; k < n; k++) {
        uint32_t i = ((const uint32_t *)item->data)[k];
        uint8_t missing = ((const uint8_t *)none->data)[k];
        if (i >= l->items) return dq_fail(error, DQ_ERR_SCHEMA, "a label of an item that is not there");
        l->state[i] = KNOWN;
        l->reward[i] = missing & NO_REWARD ? NAN : ((const float *)reward->data)[k];
        l->llm[i] = missing & NO_LLM ? NAN : ((const float *)llm->data)[k];
    }
    if (maker && !dq_value_copy(&l->t->cli->arena, maker, &l->maker))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    return DQ_OK;
}
