/* SPDX-License-Identifier: MIT
 *
 * The bandit is an agent in one state, of which nothing is known: a vector of one zero. One lock for all that
 * it is asked and told: a list of a thousand items by a hundred samples takes milliseconds, and its posterior
 * must stay what it was meanwhile.
 *
 * The saved state is a model bundle with meta.cold: {position, learnt, unknown, items: digest of the ids, and
 * of the vectors where it learns by them, map: digest of the labels' rewards, vectors}, and the columns of
 * serve/cold/answered.h.
 */
#include "serve/cold/cold_impl.h"

#include "core/digest.h"
#include "core/record.h"
#include "data/load.h"
#include "learn/bandit/bandit.h"
#include "log/follow.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const dq_serve_cold_names[] = {"none", "popularity", "linucb", "thompson", NULL};

/* What it knows of a user. */
static const float nothing[1];
static const float *const nobody[] = {nothing};
const dq_vectors cold_states = {nobody, 1, 1};

/* ---- making ---- */

static uint32_t count_of(const dq_serve_cold *c)
{
    return dq_entities_count(&c->config.catalogue->items);
}

/* As metadata have whole numbers. */
static uint64_t whole(uint64_t digest)
{
    return digest & INT64_MAX;
}

static uint64_t digest_items(const dq_entities *items, bool by_vectors)
{
    const dq_vectors vectors = dq_entities_vectors(items);
    uint64_t digest = 1;
    for (uint32_t i = 0; i < dq_entities_count(items); i++) {
        size_t n;
        const char *id = dq_entities_id(items, i, &n);
        digest = dq_digest_seeded(id, n, digest);
        if (by_vectors && vectors.at)
            digest = dq_digest_seeded(vectors.at[i], vectors.width * sizeof **vectors.at, digest);
    }
    return whole(digest);
}

/* Whatever the order of its labels. */
static uint64_t digest_map(const dq_label_map *map)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < dq_index_count(&map->labels); i++) {
        size_t n;
        const char *label = dq_index_id(&map->labels, i, &n);
        sum += dq_digest_seeded(&map->rewards[i], sizeof map->rewards[i], dq_digest(label, n));
    }
    return whole(sum);
}

static void count_popularity(dq_serve_cold *c)
{
    const dq_catalogue *all = c->config.catalogue;
    for (size_t i = 0; i < all->interaction_count; i++) {
        const dq_interaction *x = &all->interactions[i];
        size_t n = 0;
        const char *label = x->label == DQ_ABSENT ? NULL : dq_index_id(&all->labels, x->label, &n);
        if (x->item != DQ_ABSENT && dq_label_map_reward(c->config.map, x->reward, label, n) > 0)
            c->scores[x->item]++;
    }
}

static dq_status make_agent(dq_serve_cold *c, dq_error *error)
{
    const char *kind = dq_serve_cold_names[c->config.by];
    dq_status status = dq_answered_init(&c->answered, error);
    if (status) return status;
    const dq_vectors items = dq_entities_vectors(&c->config.catalogue->items);
    dq_agent_config config = dq_agent_find(kind)->defaults;
    dq_env_spec shape = {.state_width = 1, .action_count = count_of(c)};
    config.ridge = c->config.ridge;
    config.spread = c->config.spread;
    config.seed = c->config.seed;
    config.batch = config.fit_rows = 1;
    if (c->config.vectors && (items.width == 0 || !items.at)) return dq_fail_no_vectors(error, "the items");
    if (c->config.vectors) {
        config.head = DQ_HEAD_ACTIONS;
        shape.actions = items.at;
        shape.action_width = items.width;
    }
    return dq_agent_new(&c->agent, kind, &config, &shape, NULL, error);
}

static dq_status make(dq_serve_cold *c, dq_error *error)
{
    size_t items = count_of(c), draws = c->config.by == DQ_SERVE_COLD_THOMPSON ? c->config.draws : 1;
    if (items == 0) return dq_fail(error, DQ_ERR_SCHEMA, "no items to show to anybody");
    c->at.vectors = c->config.vectors;
    c->at.items = digest_items(&c->config.catalogue->items, c->config.vectors);
    c->at.map = digest_map(c->config.map);
    c->scores = calloc(items, sizeof *c->scores);
    c->values = calloc(items * draws, sizeof *c->values);
    if (!c->scores || !c->values) return dq_fail_memory(error, "%zu lists of %zu items", draws, items);
    if (c->config.by != DQ_SERVE_COLD_POPULARITY) return make_agent(c, error);
    count_popularity(c);
    return DQ_OK;
}

/* ---- learning ---- */

static bool is_ours(const dq_column *model, uint64_t row)
{
    size_t n = 0;
    const char *name = model ? dq_column_text(model, row, &n) : NULL;
    for (int i = DQ_SERVE_COLD_POPULARITY; name && dq_serve_cold_names[i]; i++)
        if (strlen(dq_serve_cold_names[i]) == n && memcmp(dq_serve_cold_names[i], name, n) == 0) return true;
    return false;
}

static float reward_of(const dq_serve_cold *c, const dq_column *reward, const dq_column *label, uint64_t row)
{
    size_t n = 0;
    bool given = reward && !dq_column_is_null(reward, row);
    const char *text = label ? dq_column_text(label, row, &n) : NULL;
    return dq_label_map_reward(c->config.map, given ? (float)dq_column_number(reward, row) : NAN, text, n);
}

/* The columns of answers. */
typedef struct answers {
    const dq_column *request, *item, *model, *label, *reward;
} answers;

/* How much more a showing is worth than was learnt of it: the whole, when nothing was. */
static float more_of(dq_serve_cold *c, const answers *a, uint64_t row, float worth, bool *first)
{
    size_t n = 0, m = 0;
    float by = worth;
    const char *request = a->request ? dq_column_text(a->request, row, &n) : NULL;
    const char *item = dq_column_text(a->item, row, &m);
    *first = true; /* what has no request, or no room, is of itself alone */
    if (request) (void)dq_answered_take(&c->answered, request, n, item, m, worth, first, &by, NULL);
    return by;
}

static void learn_row(dq_serve_cold *c, const answers *a, uint64_t row)
{
    size_t n = 0;
    const char *id = dq_column_text(a->item, row, &n);
    const uint32_t item = id ? dq_entities_find(&c->config.catalogue->items, id, n) : DQ_ABSENT;
    const float worth = reward_of(c, a->reward, a->label, row);
    dq_agent_losses losses;
    bool first;
    if (item == DQ_ABSENT || !isfinite(worth)) {
        c->at.unknown++;
        return;
    }
    const float by = more_of(c, a, row, worth, &first);
    const dq_transition t = {.action = item, .reward = by, .discount = 1, .done = true};
    if (!first)
        dq_bandit_correct(c->agent, &cold_states, 0, item, (double)by);
    else if (!dq_agent_fit(c->agent, &cold_states, &t, 1, NULL, &losses, NULL))
        c->at.learnt++;
}

static void learn(dq_serve_cold *c, const dq_bundle *bundle)
{
    const answers a = {dq_bundle_column(bundle, "request"), dq_bundle_column(bundle, "item"),
                       dq_bundle_column(bundle, "model"), dq_bundle_column(bundle, "label"),
                       dq_bundle_column(bundle, "reward")};
    for (uint64_t r = 0; a.item && r < bundle->rows; r++)
        if (is_ours(a.model, r)) learn_row(c, &a, r);
}

void dq_serve_cold_learn(dq_serve_cold *c, const dq_bundle *bundle, uint64_t position)
{
    if (!c->agent) return;
    pthread_mutex_lock(&c->lock);
    if (dq_log_kind_of(bundle) == DQ_LOG_ANSWERS) {
        learn(c, bundle);
        c->bounded = false;
    }
    c->at.position = position;
    pthread_mutex_unlock(&c->lock);
}

/* ---- what is kept ---- */

static const dq_record_field fields[] = {
    {"position", DQ_RECORD_COUNT, offsetof(cold_progress, position)},
    {"learnt", DQ_RECORD_COUNT, offsetof(cold_progress, learnt)},
    {"unknown", DQ_RECORD_COUNT, offsetof(cold_progress, unknown)},
    {"items", DQ_RECORD_COUNT, offsetof(cold_progress, items)},
    {"map", DQ_RECORD_COUNT, offsetof(cold_progress, map)},
    {"vectors", DQ_RECORD_FLAG, offsetof(cold_progress, vectors)},
};
enum { FIELDS = sizeof fields / sizeof *fields };

/* Columns borrowed from the agent become the bundle's own: it is written when others may learn on. */
static dq_status own_columns(dq_bundle *bundle, dq_error *error)
{
    for (size_t i = 0; i < bundle->column_count; i++) {
        dq_column *column = &bundle->columns[i];
        size_t bytes = (size_t)(column->shape[0] * dq_column_width(column)) * dq_dtype_size(column->type);
        void *copy = dq_arena_take(&bundle->arena, bytes + 1);
        if (!copy) return dq_fail_memory(error, "what a bandit has learnt");
        if (bytes) memcpy(copy, column->data, bytes);
        column->data = copy;
    }
    return DQ_OK;
}

static dq_status snapshot(dq_serve_cold *c, dq_bundle *bundle, cold_progress *at, dq_error *error)
{
    dq_status status = dq_bundle_init(bundle, DQ_KIND_MODEL, 0, error);
    if (status) return status;
    pthread_mutex_lock(&c->lock);
    *at = c->at;
    status = dq_agent_save(c->agent, false, bundle, error);
    if (!status) status = own_columns(bundle, error);
    if (!status) status = dq_answered_save(&c->answered, bundle, error);
    pthread_mutex_unlock(&c->lock);
    if (!status && !dq_map_set(&bundle->arena, &bundle->meta, "step", dq_int((int64_t)at->learnt)))
        status = dq_fail_memory(error, "what a bandit has learnt");
    return status ? status : dq_record_save(fields, FIELDS, at, "cold", bundle, error);
}

static dq_status write_state(const dq_serve_cold *c, const dq_bundle *bundle, dq_error *error)
{
    dq_writer *writer = NULL;
    dq_status status = dq_writer_open(&writer, c->config.state, &c->config.maker, NULL, 0, error);
    if (status) return status;
    if (!(status = dq_writer_put(writer, bundle, error))) return dq_writer_close(writer, error);
    dq_writer_abort(writer);
    return status;
}

dq_status dq_serve_cold_save(dq_serve_cold *c, dq_error *error)
{
    cold_progress at;
    dq_bundle bundle = DQ_BUNDLE_EMPTY;
    if (!c->agent || !c->config.state) return DQ_OK;
    pthread_mutex_lock(&c->lock);
    bool same = c->at.position == c->saved;
    pthread_mutex_unlock(&c->lock);
    if (same) return DQ_OK;
    dq_status status = snapshot(c, &bundle, &at, error);
    if (!status) status = write_state(c, &bundle, error);
    if (!status) c->saved = at.position;
    dq_bundle_free(&bundle);
    return status;
}

static dq_status take_state(dq_serve_cold *c, const dq_bundle *model, dq_error *error)
{
    cold_progress at = {0};
    dq_status status = dq_record_restore(fields, FIELDS, &at, "cold", model, error);
    if (status) return dq_fail(error, DQ_ERR_SCHEMA, "a model, but not what --cold has learnt");
    if (at.vectors != c->at.vectors)
        return dq_fail(error, DQ_ERR_RANGE, "it learnt by %s",
                       at.vectors ? "the items' vectors" : "a posterior for each item");
    if (at.items != c->at.items || at.map != c->at.map)
        return dq_fail(error, DQ_ERR_SCHEMA, "it is of %s: remove it, and all is learnt from the log anew",
                       at.items != c->at.items ? "other items than the catalogue's"
                                               : "other rewards than --map's");
    if ((status = dq_agent_load(c->agent, false, model, error))) return status;
    if ((status = dq_answered_restore(&c->answered, model, error))) return status;
    c->at = at;
    c->saved = at.position;
    return DQ_OK;
}

static dq_status read_state(dq_serve_cold *c, dq_error *error)
{
    const char *path = c->config.state;
    dq_models models = {0};
    dq_reader *reader = NULL;
    if (!path || (access(path, F_OK) && errno == ENOENT)) return DQ_OK;
    dq_status status = dq_models_read(&models, &reader, path, error);
    if (!status && (status = take_state(c, &models.at[0], error)))
        (void)dq_error_at(error, path, DQ_NO_RECORD);
    dq_models_free(&models);
    dq_reader_close(reader);
    return status;
}

/* A log that lacks what the state stands on. */
static dq_status explain(const dq_serve_cold *c, dq_status status, dq_error *error)
{
    const dq_error was = *error;
    return dq_fail(error, status, "%s (%s has learnt to %llu of the log: remove it to learn what is left)",
                   was.reason, c->config.state, (unsigned long long)c->at.position);
}

/* What the log has behind the state. */
static dq_status catch_up(dq_serve_cold *c, const char *log, dq_error *error)
{
    dq_log_follow *follow;
    dq_bundle bundle;
    uint64_t position;
    int got;
    if (!log || (access(log, F_OK) && errno == ENOENT && c->at.position == 0)) return DQ_OK;
    dq_status status = dq_log_follow_open(&follow, log, c->at.position, error);
    if (status) return c->at.position ? explain(c, status, error) : status;
    while ((got = dq_log_follow_next(follow, &bundle, &position, error)) > 0) {
        dq_serve_cold_learn(c, &bundle, position);
        dq_bundle_free(&bundle);
    }
    dq_log_follow_close(follow);
    return got < 0 ? error->status : DQ_OK;
}

dq_status dq_serve_cold_open(dq_serve_cold **cold, const dq_serve_cold_config *config, const char *log,
                             dq_error *error)
{
    *cold = NULL;
    dq_serve_cold *c = calloc(1, sizeof *c);
    if (!c) return dq_fail_memory(error, "a bandit");
    c->config = *config;
    pthread_mutex_init(&c->lock, NULL);
    dq_status status = make(c, error);
    if (!status && c->agent) status = read_state(c, error);
    if (!status && c->agent) status = catch_up(c, log, error);
    if (status) {
        dq_serve_cold_free(c);
        return status;
    }
    *cold = c;
    return DQ_OK;
}

const char *dq_serve_cold_name(const dq_serve_cold *c)
{
    return dq_serve_cold_names[c->config.by];
}

bool dq_serve_cold_ranks(const dq_serve_cold *c, const dq_catalogue *catalogue)
{
    return c->config.catalogue == catalogue;
}

void dq_serve_cold_counts(dq_serve_cold *c, uint64_t *learnt, uint64_t *unknown)
{
    pthread_mutex_lock(&c->lock);
    *learnt = c->at.learnt;
    *unknown = c->at.unknown;
    pthread_mutex_unlock(&c->lock);
}

void dq_serve_cold_free(dq_serve_cold *c)
{
    if (!c) return;
    dq_agent_free(c->agent);
    dq_answered_free(&c->answered);
    free(c->scores);
    free(c->values);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
