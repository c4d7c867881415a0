/* SPDX-License-Identifier: MIT */
#include "train.h"

#include "core/array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ACTIONS = 1 << 24 };

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "no memory for the input");
}

/* ---- reading ---- */

/* Transitions with vectors are kept; those of users and items say nothing of an order, and are passed over.
 */
static dq_status keep_transitions(train_logged_input *in, dq_bundle *bundle, dq_error *error)
{
    if (!dq_bundle_column(bundle, "state")) return DQ_OK;
    if (!dq_bundle_column(bundle, "choice") || !dq_bundle_column(bundle, "reward"))
        return dq_fail(error, DQ_ERR_SCHEMA, "transitions with states need the columns choice and reward");
    if (!dq_array_reserve(&in->bundles, &in->bundle_capacity, in->bundle_count + 1, sizeof *in->bundles))
        return no_memory(error);
    in->bundles[in->bundle_count++] = *bundle;
    *bundle = DQ_BUNDLE_EMPTY;
    return DQ_OK;
}

static dq_status take(train *t, train_logged_input *in, dq_bundle *bundle, dq_error *error)
{
    bool taken, interactions = strcmp(bundle->kind, DQ_KIND_INTERACTIONS) == 0;
    uint64_t section = dq_reader_section(t->inputs[0]);
    dq_status status = interactions ? dq_session_log_add(&in->log, bundle, error) : DQ_OK;
    t->logged_digest ^= bundle->body_hash + 0x9e3779b97f4a7c15 * ++t->logged_bundles;
    if (!status) status = dq_catalogue_add(&t->dataset.catalogue, bundle, section, &taken, error);
    if (status || taken) return status;
    return strcmp(bundle->kind, DQ_KIND_TRANSITIONS) == 0 ? keep_transitions(in, bundle, error) : DQ_OK;
}

static dq_status read_all(train *t, train_logged_input *in, dq_error *error)
{
    dq_bundle bundle;
    int got;
    dq_status status = dq_reader_open(&t->inputs[0], t->cli->operands, t->cli->operand_count, error);
    if (status) return status;
    t->input_count = 1;
    while ((got = dq_reader_next(t->inputs[0], &bundle, error)) > 0) {
        status = take(t, in, &bundle, error);
        dq_bundle_free(&bundle);
        if (status) return dq_error_at(error, dq_reader_source(t->inputs[0]), dq_reader_record(t->inputs[0]));
    }
    return got < 0 ? error->status : dq_catalogue_finish(&t->dataset.catalogue, false, error);
}

/* ---- sessions ---- */

/* The catalogue's row of each id of an index; every one has one, the catalogue was finished. */
static uint32_t *rows_of(const dq_index *ids, const dq_index *rows)
{
    uint32_t count = (uint32_t)dq_index_count(ids), *row = malloc(((size_t)count + 1) * sizeof *row);
    for (uint32_t i = 0; row && i < count; i++) {
        size_t n;
        const char *id = dq_index_id(ids, i, &n);
        row[i] = dq_index_find(rows, id, n);
    }
    return row;
}

static dq_session_layout layout_of(const train_logged_options *o, const dq_session_rows *rows)
{
    return (dq_session_layout){.user_width = rows->users.width,
                               .item_width = rows->items.width,
                               .history = (uint32_t)o->history,
                               .mean = o->mean,
                               .recency = o->recency,
                               .steps = (uint32_t)o->steps,
                               .count = o->count,
                               .clock = o->clock,
                               .since = o->since};
}

static dq_status make_log(const train *t, train_logged_input *in, dq_error *error)
{
    const dq_catalogue *c = &t->dataset.catalogue;
    uint32_t users = dq_entities_count(&c->users);
    uint32_t *user_row = rows_of(&in->log.users, &c->users.identity.ids);
    uint32_t *item_row = rows_of(&in->log.items, &c->items.identity.ids);
    dq_status status = user_row && item_row ? dq_session_log_sort(&in->log, error) : no_memory(error);
    in->by_user.users = dq_entities_vectors(&c->users);
    in->by_user.items = dq_entities_vectors(&c->items);
    in->by_user.layout = layout_of(&t->o->logged, &in->by_user);
    in->by_user.gap = t->o->logged.gap;
    if (!status) status = dq_session_log_rows(&in->log, user_row, item_row, users, &in->by_user, error);
    free(user_row);
    free(item_row);
    return status;
}

static dq_status make_sessions(train *t, train_logged_input *in, dq_error *error)
{
    const dq_entities *items = &t->dataset.catalogue.items;
    if (items->width == 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "the items have no vectors (dq-embed makes them from texts)");
    dq_status status = make_log(t, in, error);
    if (status) return status;
    in->shape = dq_sessions_shape(&in->by_user, t->o->env.config.head == DQ_HEAD_ACTIONS);
    status = train_groups(t, &in->group, error);
    if (!status)
        status = dq_sessions_new(&in->sessions, &in->by_user, t->o->logged.end == TRAIN_END_TERMINAL, error);
    if (!status) in->rows = dq_sessions_rows(in->sessions, in->group);
    return status;
}

/* ---- transitions with vectors for states ---- */

/* One flat run of the columns of all bundles. */
typedef struct flat {
    float *state, *next, *reward;
    uint32_t *action, *episode;
    uint8_t *done;
} flat;

static void copy_numbers(float *to, const dq_column *from, uint64_t rows)
{
    dq_convert_f4(to, from->data, from->type, rows * dq_column_width(from));
}

static dq_status copy_bundle(const dq_bundle *b, const flat *f, size_t at, uint32_t width, dq_error *error)
{
    const dq_column *state = dq_bundle_column(b, "state"), *next = dq_bundle_column(b, "next_state");
    const dq_column *choice = dq_bundle_column(b, "choice"), *reward = dq_bundle_column(b, "reward");
    const dq_column *done = dq_bundle_column(b, "done"), *episode = dq_bundle_column(b, "episode");
    if (dq_column_width(state) != width || (next && dq_column_width(next) != width))
        return dq_fail(error, DQ_ERR_SCHEMA, "states of unequal width");
    copy_numbers(f->state + at * width, state, b->rows);
    copy_numbers(f->next + at * width, next ? next : state, b->rows);
    for (uint64_t r = 0; r < b->rows; r++) {
        double number = dq_column_number(choice, r);
        if (number >= DQ_ABSENT) return dq_fail(error, DQ_ERR_RANGE, "a choice beyond 2^32 - 2");
        f->action[at + r] = (uint32_t)number;
        f->reward[at + r] = dq_column_is_null(reward, r) ? NAN : (float)dq_column_number(reward, r);
        f->done[at + r] = done && dq_column_number(done, r) != 0;
        f->episode[at + r] = episode ? (uint32_t)dq_column_number(episode, r) : (uint32_t)(at + r);
    }
    return DQ_OK;
}

/* Episodes get numbers 0, 1, ... in the order in which they come. */
static dq_status number_episodes(uint32_t *episode, size_t count, uint32_t *episodes, dq_error *error)
{
    dq_index index = DQ_INDEX_EMPTY;
    dq_status status = DQ_OK;
    for (size_t r = 0; !status && r < count; r++) {
        uint32_t number = episode[r];
        status = dq_index_add(&index, (const char *)&number, sizeof number, &episode[r], NULL, error);
    }
    *episodes = (uint32_t)dq_index_count(&index);
    dq_index_free(&index);
    return status;
}

/* Where the log says how its states are laid out, it says so in all bundles; this is their shape then. */
static dq_status take_layout(train_logged_input *in, uint32_t width, uint32_t actions, dq_error *error)
{
    dq_session_layout first, layout;
    dq_status status = dq_session_layout_load(&first, &in->bundles[0], error);
    for (size_t b = 1; !status && b < in->bundle_count; b++) {
        status = dq_session_layout_load(&layout, &in->bundles[b], error);
        if (!status &&
            (layout.item_width != first.item_width || dq_session_layout_fits(&first, &layout, NULL)))
            status = dq_fail(error, DQ_ERR_SCHEMA, "states of several layouts");
    }
    if (status) return status;
    if (first.item_width && dq_session_state_width(&first) != width)
        return dq_fail(error, DQ_ERR_SCHEMA, "states %u wide, and a layout of other ones", width);
    in->shape = first.item_width ? dq_env_session_spec(&first, actions, NULL)
                                 : (dq_env_spec){.state_width = width, .action_count = actions};
    return DQ_OK;
}

static dq_status make_transitions(train_logged_input *in, dq_error *error)
{
    dq_logged_transitions *log = &in->transitions;
    uint32_t width = (uint32_t)dq_column_width(dq_bundle_column(&in->bundles[0], "state"));
    dq_status status = DQ_OK;
    for (size_t b = 0; b < in->bundle_count; b++) log->count += in->bundles[b].rows;
    size_t n = log->count + 1;
    flat f = {.state = malloc(n * width * sizeof(float)),
              .next = malloc(n * width * sizeof(float)),
              .reward = malloc(n * sizeof(float)),
              .action = malloc(n * sizeof(uint32_t)),
              .episode = malloc(n * sizeof(uint32_t)),
              .done = malloc(n)};
    log->state_width = width;
    log->state = f.state;
    log->next = f.next;
    log->reward = f.reward;
    log->action = f.action;
    log->episode = f.episode;
    log->done = f.done;
    if (!f.state || !f.next || !f.reward || !f.action || !f.episode || !f.done) return no_memory(error);
    size_t at = 0;
    for (size_t b = 0; !status && b < in->bundle_count; at += in->bundles[b++].rows)
        status = copy_bundle(&in->bundles[b], &f, at, width, error);
    if (!status) status = number_episodes(f.episode, log->count, &log->episodes, error);
    for (size_t b = 0; !status && b < in->bundle_count; b++) {
        int64_t actions = dq_value_integer(dq_map_get(&in->bundles[b].meta, "actions"), 0);
        if (actions > log->actions && actions <= MOST_ACTIONS) log->actions = (uint32_t)actions;
    }
    for (size_t r = 0; !status && r < log->count; r++)
        if (f.action[r] >= log->actions) log->actions = f.action[r] + 1;
    if (!status) status = take_layout(in, width, log->actions, error);
    in->rows = dq_logged_of_transitions(log);
    return status;
}

/* ---- either ---- */

dq_status train_logged_read(train *t, train_logged_input *in, dq_error *error)
{
    in->log.map = &t->map;
    in->log.time = t->o->logged.time;
    in->log.seconds = t->o->logged.gap > 0 || t->o->logged.clock || t->o->logged.since;
    dq_status status = train_read_map(t, error);
    if (!status) status = read_all(t, in, error);
    if (status) return status;
    if (in->bundle_count && in->log.count)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "interactions, and transitions with states: learn from one of them");
    if (in->bundle_count) return make_transitions(in, error);
    if (in->log.count) return make_sessions(t, in, error);
    return dq_fail(error, DQ_ERR_SCHEMA, "the input has neither interactions nor transitions with states");
}

void train_logged_free(train_logged_input *in)
{
    dq_sessions_free(in->sessions);
    dq_session_rows_free(&in->by_user);
    dq_session_log_free(&in->log);
    for (size_t b = 0; b < in->bundle_count; b++) dq_bundle_free(&in->bundles[b]);
    free(in->bundles);
    const dq_logged_transitions *log = &in->transitions;
    const void *owned[] = {log->state, log->next, log->reward, log->action, log->episode, log->done};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) free((void *)(uintptr_t)owned[i]);
    free(in->group);
}
