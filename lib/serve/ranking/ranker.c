/* SPDX-License-Identifier: MIT
 *
 * One thread computes at a time, for all who wait: whoever finds nobody computing takes them, and for those
 * who do not wait there is a thread of its own. The networks' scratch memory is so used by one thread, and a
 * product of 64 states costs little more than that of one.
 */
#include "serve/ranking/ranker.h"

#include "core/array.h"
#include "data/load.h"
#include "rank/features.h"
#include "rank/sessions.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GROUP = DQ_RANK_SESSIONS_GROUP, GROUP_SCORES = 1 << 22 /* floats of a group's scores */ };

typedef dq_ranker_job job;

/* Events of a group of users, one after the other. */
typedef struct group_events {
    uint32_t first[GROUP + 1];
    size_t start[GROUP + 1];
    uint32_t *item, *value;
    float *reward;
    double *second;
    size_t count, capacity;
} group_events;

struct dq_ranker {
    const dq_ranking_items *on;
    dq_ranker_about about;
    dq_pool *pool;
    dq_rank_scorer scorer, world;
    dq_rank_history seen; /* of the scorer's features */
    dq_history base_seen; /* by the catalogue's users */
    dq_rank_sessions sessions;
    dq_session_rows base; /* likewise */
    group_events events;
    float *scores; /* (a group, items) */
    size_t score_slots;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* the queue, or something is done; */
    pthread_cond_t work;    /* the queue, for the thread that computes for those who do not wait */
    pthread_t worker;
    job *first, **last; /* who waits */
    bool busy, working, ending;
};

/* ---- opening ---- */

/* What the catalogue's interactions are to a model. */
static dq_status read_log(const dq_ranker *r, dq_session_log *log, uint32_t **user_row, uint32_t **item_row,
                          dq_error *error)
{
    const dq_catalogue *c = r->on->catalogue;
    const dq_index *ids[] = {&log->users, &log->items};
    const dq_entities *among[] = {&c->users, &c->items};
    uint32_t *rows[2] = {NULL, NULL};
    dq_status status = DQ_OK;
    for (size_t b = 0; b < c->interaction_bundle_count && !status; b++)
        status = dq_session_log_add(log, &c->interaction_bundles[b], error);
    for (size_t s = 0; s < 2 && !status; s++) {
        uint32_t n = (uint32_t)dq_index_count(ids[s]);
        rows[s] = malloc(((size_t)n + 1) * sizeof *rows[s]);
        if (!rows[s]) status = dq_fail_memory(error, "interactions");
        for (uint32_t i = 0; i < n && !status; i++) {
            size_t bytes;
            const char *id = dq_index_id(ids[s], i, &bytes);
            rows[s][i] = dq_entities_find(among[s], id, bytes);
        }
    }
    *user_row = rows[0];
    *item_row = rows[1];
    return status;
}

static dq_status open_sessions(dq_ranker *r, dq_bundle *model, dq_error *error)
{
    dq_rank_sessions *s = &r->sessions;
    const dq_catalogue *c = r->on->catalogue;
    const dq_vectors users = dq_entities_vectors(&c->users);
    uint32_t *user_row = NULL, *item_row = NULL, count = dq_entities_count(&c->users);
    dq_status status = dq_rank_sessions_load(s, model, error);
    if (!status)
        status = dq_rank_sessions_fit(s, &c->users, &users, &r->on->items, &r->on->block, 1, r->pool, error);
    if (!status && !s->catalogue) {
        status = read_log(r, &s->log, &user_row, &item_row, error);
        if (!status) status = dq_session_log_sort(&s->log, error);
        if (!status) status = dq_session_log_rows(&s->log, user_row, item_row, count, &r->base, error);
    }
    free(user_row);
    free(item_row);
    r->about.kind = s->kind;
    r->about.world = dq_rank_sessions_has_world(s);
    r->about.reads_history = !s->catalogue;
    r->about.networks = 1;
    return status;
}

static dq_status open_seen(dq_ranker *r, const dq_bundle *model, dq_error *error)
{
    uint32_t *user_row = NULL, *item_row = NULL;
    dq_status status = dq_rank_history_load(&r->seen, model, error);
    if (status || !r->seen.on) return status;
    status = read_log(r, &r->seen.log, &user_row, &item_row, error);
    if (!status)
        status = dq_history_list(&r->base_seen, &r->seen.log, user_row, item_row,
                                 dq_entities_count(&r->on->catalogue->users), error);
    free(user_row);
    free(item_row);
    return status;
}

static dq_status open_scorer(dq_ranker *r, dq_rank_scorer *scorer, dq_rank_by by, const dq_bundle *model,
                             dq_error *error)
{
    const dq_catalogue *c = r->on->catalogue;
    scorer->by = by;
    scorer->pool = r->pool;
    dq_status status = dq_rank_scorer_load(scorer, model, error);
    if (!status) status = dq_catalogue_check_vectors(c, error);
    if (!status) status = dq_rank_scorer_fit(scorer, &c->users, &r->on->items, NULL, 0, error);
    if (!status && dq_rank_scorer_needs_lists(scorer))
        status = dq_rank_features_bind_items(scorer, &c->items, error);
    return status;
}

static dq_status open_pairs(dq_ranker *r, const dq_bundle *model, dq_error *error)
{
    dq_agent_config config;
    dq_env_spec shape;
    dq_status status = dq_agent_read_config(model, &r->about.kind, &config, &shape, error);
    if (!status) status = open_scorer(r, &r->scorer, DQ_RANK_BY_Q, model, error);
    if (!status && config.world) status = open_scorer(r, &r->world, DQ_RANK_BY_WORLD, model, error);
    if (!status) status = open_seen(r, model, error);
    r->about.world = r->world.net_count > 0;
    r->about.reads_history = r->seen.on;
    r->about.networks = r->scorer.net_count;
    return status;
}

static dq_status open_model(dq_ranker *r, const char *path, dq_error *error)
{
    dq_models models = {0};
    dq_reader *reader = NULL;
    dq_status status = dq_models_read(&models, &reader, path, error);
    if (!status && models.count > 1)
        status = dq_fail(error, DQ_ERR_DUPLICATE, "%zu models: one serves all users", models.count);
    if (!status) {
        const dq_value *ends = dq_reader_ends(reader);
        const dq_value *digest = ends->count ? dq_map_get(&ends->as.list[ends->count - 1], "digest") : NULL;
        if (digest && digest->type == DQ_STRING && digest->count < sizeof r->about.digest)
            memcpy(r->about.digest, digest->as.string, digest->count);
        dq_bundle *model = &models.at[0];
        status = dq_rank_sessions_fits(model) ? open_sessions(r, model, error) : open_pairs(r, model, error);
    }
    dq_models_free(&models);
    dq_reader_close(reader);
    return status ? dq_error_at(error, path, DQ_NO_RECORD) : DQ_OK;
}

/* ---- the thread that computes for those who do not wait ---- */

static void work(dq_ranker *r);

/* Where it shares a core with the threads that read requests, it does not take their place as soon as the
 * first has come: they read all that are there, and these are computed together. */
static void let_others_go_first(void)
{
    struct sched_param now;
    int policy;
    if (!pthread_getschedparam(pthread_self(), &policy, &now) && policy == SCHED_OTHER)
        (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &now);
}

static void *run_worker(void *arg)
{
    dq_ranker *r = arg;
    let_others_go_first();
    (void)pthread_mutex_lock(&r->lock);
    while (!r->ending) {
        if (r->busy || !r->first)
            (void)pthread_cond_wait(&r->work, &r->lock);
        else
            work(r);
    }
    (void)pthread_mutex_unlock(&r->lock);
    return NULL;
}

static dq_status start_worker(dq_ranker *r, dq_error *error)
{
    const int sys = pthread_create(&r->worker, NULL, run_worker, r);
    r->working = !sys;
    return sys ? dq_fail_errno(error, sys, "a thread that ranks") : DQ_OK;
}

static void stop_worker(dq_ranker *r)
{
    if (!r->working) return;
    (void)pthread_mutex_lock(&r->lock);
    r->ending = true;
    (void)pthread_cond_signal(&r->work);
    (void)pthread_mutex_unlock(&r->lock);
    (void)pthread_join(r->worker, NULL);
}

dq_status dq_ranker_open(dq_ranker **ranker, const char *path, const dq_ranking_items *on, unsigned threads,
                         dq_error *error)
{
    dq_ranker *r = *ranker = calloc(1, sizeof *r);
    struct timespec now;
    if (!r) return dq_fail_memory(error, "a model");
    r->on = dq_ranking_items_hold(on);
    r->last = &r->first;
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->changed, NULL);
    (void)pthread_cond_init(&r->work, NULL);
    dq_status status = dq_pool_new(&r->pool, threads, error);
    if (!status) status = open_model(r, path, error);
    if (!status) status = start_worker(r, error);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    r->about.loaded = (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
    if (!status) return DQ_OK;
    dq_ranker_close(r);
    *ranker = NULL;
    return status;
}

void dq_ranker_close(dq_ranker *r)
{
    if (!r) return;
    stop_worker(r);
    r->sessions.by_user = (dq_session_rows){0}; /* these were a group's */
    dq_rank_sessions_free(&r->sessions);
    dq_session_rows_free(&r->base);
    dq_rank_scorer_free(&r->scorer);
    dq_rank_scorer_free(&r->world);
    dq_rank_history_free(&r->seen);
    dq_history_free(&r->base_seen);
    dq_pool_free(r->pool);
    free(r->events.item);
    free(r->events.value);
    free(r->events.reward);
    free(r->events.second);
    free(r->scores);
    (void)pthread_cond_destroy(&r->changed);
    (void)pthread_cond_destroy(&r->work);
    (void)pthread_mutex_destroy(&r->lock);
    dq_ranking_items_release(r->on);
    free(r);
}

const dq_ranker_about *dq_ranker_get_about(const dq_ranker *ranker)
{
    return &ranker->about;
}

const dq_ranking_items *dq_ranker_get_items(const dq_ranker *ranker)
{
    return ranker->on;
}

bool dq_ranker_knows(const dq_ranker *r, const dq_ranker_who *who)
{
    bool states = r->sessions.on && !r->sessions.catalogue && r->sessions.shape.user_width == 0;
    return who->row != DQ_ABSENT || (states && who->event_count > 0);
}

/* ---- what users did ---- */

static dq_status reserve_events(group_events *e, size_t need, dq_error *error)
{
    size_t capacity = dq_array_capacity(e->capacity, need);
    if (capacity == e->capacity) return DQ_OK;
    if (!dq_array_resize(&e->item, capacity, sizeof *e->item) ||
        !dq_array_resize(&e->value, capacity, sizeof *e->value) ||
        !dq_array_resize(&e->reward, capacity, sizeof *e->reward) ||
        !dq_array_resize(&e->second, capacity, sizeof *e->second))
        return dq_fail_memory(error, "a user's history");
    e->capacity = capacity;
    return DQ_OK;
}

/* The place of an event's label among the values that states show. */
static uint32_t value_of(const dq_session_log *log, const dq_ranker_event *event)
{
    if (!log->attribute || strcmp(log->attribute, "label") != 0 || !event->label) return DQ_SESSION_NO_VALUE;
    uint32_t place = dq_index_find(&log->vocabulary, event->label, event->label_bytes);
    return place == DQ_ABSENT ? (uint32_t)dq_index_count(&log->vocabulary) : place;
}

static float reward_of(const dq_session_log *log, const dq_ranker_event *event)
{
    return dq_label_map_reward(log->map, event->reward, event->label, event->label_bytes);
}

/* Appends what the catalogue knows of a user, then what he did since. */
static dq_status add_session(dq_ranker *r, const dq_ranker_who *who, dq_error *error)
{
    group_events *e = &r->events;
    const dq_session_log *log = &r->sessions.log;
    bool known = who->row != DQ_ABSENT && !who->whole;
    size_t from = known ? r->base.first[who->row] : 0, to = known ? r->base.first[who->row + 1] : 0;
    dq_status status = reserve_events(e, e->count + (to - from) + who->event_count, error);
    for (size_t i = from; i < to && !status; i++, e->count++) {
        e->item[e->count] = r->base.item[i];
        e->reward[e->count] = r->base.reward[i];
        e->value[e->count] = r->base.value ? r->base.value[i] : DQ_SESSION_NO_VALUE;
        e->second[e->count] = r->base.second ? r->base.second[i] : (double)NAN;
    }
    for (size_t i = 0; i < who->event_count && !status; i++, e->count++) {
        const dq_ranker_event *event = &who->events[i];
        e->item[e->count] = event->item;
        e->reward[e->count] = reward_of(log, event);
        e->value[e->count] = value_of(log, event);
        e->second[e->count] = event->time;
    }
    return status;
}

/* What has no reward is what a user has seen (data/seen.h). */
static dq_status add_seen(dq_ranker *r, const dq_ranker_who *who, dq_error *error)
{
    group_events *e = &r->events;
    bool known = who->row != DQ_ABSENT && !who->whole;
    size_t from = known ? r->base_seen.start[who->row] : 0, to = known ? r->base_seen.start[who->row + 1] : 0;
    dq_status status = reserve_events(e, e->count + (to - from) + who->event_count, error);
    for (size_t i = from; i < to && !status; i++) e->item[e->count++] = r->base_seen.item[i];
    for (size_t i = 0; i < who->event_count && !status; i++)
        if (isnan(reward_of(&r->seen.log, &who->events[i]))) e->item[e->count++] = who->events[i].item;
    return status;
}

static dq_status gather(dq_ranker *r, job *const *jobs, size_t n,
                        dq_status (*add)(dq_ranker *, const dq_ranker_who *, dq_error *), dq_error *error)
{
    group_events *e = &r->events;
    dq_status status = DQ_OK;
    e->count = 0;
    e->start[0] = e->first[0] = 0;
    for (size_t i = 0; i < n && !status; i++) {
        status = add(r, jobs[i]->who, error);
        e->start[i + 1] = e->count;
        e->first[i + 1] = (uint32_t)e->count;
    }
    return status ? status : reserve_events(e, 1, error); /* no NULL for nobody's */
}

/* ---- a group's scores ---- */

static void find_vectors(const dq_ranker *r, job *const *jobs, size_t n, const float **vectors)
{
    const dq_entities *users = &r->on->catalogue->users;
    for (size_t i = 0; i < n; i++) {
        uint32_t row = jobs[i]->who->row;
        vectors[i] = row == DQ_ABSENT || !users->width ? NULL : users->vectors[row];
    }
}

static dq_status score_sessions(dq_ranker *r, job *const *jobs, size_t n, dq_error *error)
{
    dq_rank_sessions *s = &r->sessions;
    const float *vectors[GROUP];
    find_vectors(r, jobs, n, vectors);
    if (!s->catalogue) {
        dq_status status = gather(r, jobs, n, add_session, error);
        if (status) return status;
        const group_events *e = &r->events;
        s->by_user = (dq_session_rows){.first = e->first, .item = e->item, .reward = e->reward};
        s->by_user.gap = s->log.gap;
        if (s->log.attribute) s->by_user.value = e->value;
        if (s->log.seconds) s->by_user.second = e->second;
        status = dq_rank_sessions_follow(s, vectors, (uint32_t)n, error);
        if (status) return status;
    }
    dq_rank_sessions_values(s, vectors, 0, n);
    dq_status status = DQ_OK;
    for (size_t i = 0; i < n && !status && jobs[0]->world; i++)
        status = dq_rank_sessions_rewards(s, i, jobs[i]->scores, error);
    if (jobs[0]->world) return status;
    for (size_t i = 0; i < n; i++)
        for (uint32_t item = 0; item < r->on->count; item++)
            jobs[i]->scores[item] = s->values[i * s->shape.action_count + s->output_of[item]];
    return DQ_OK;
}

static dq_status score_some(dq_ranker *r, dq_rank_scorer *scorer, job *const *jobs,
                            const float *const *vectors, size_t first, size_t n, dq_error *error)
{
    size_t items = r->on->count;
    if (!dq_array_reserve(&r->scores, &r->score_slots, n * items, sizeof *r->scores))
        return dq_fail_memory(error, "scores");
    dq_status status = dq_rank_scorer_score(scorer, vectors + first, n, first, &r->on->block, r->scores,
                                            error);
    for (size_t i = 0; i < n && !status; i++) {
        job *j = jobs[first + i];
        memcpy(j->scores, r->scores + i * items, items * sizeof *j->scores);
        for (size_t k = 0; j->members && scorer->net_count > 1 && k < scorer->net_count; k++)
            memcpy(j->members + k * items, scorer->members + (k * n + i) * items, items * sizeof *j->members);
    }
    return status;
}

static dq_status score_pairs(dq_ranker *r, dq_rank_scorer *scorer, job *const *jobs, size_t n,
                             dq_error *error)
{
    const float *vectors[GROUP];
    dq_rank_user users[GROUP];
    dq_history seen = {.users = (uint32_t)n, .start = r->events.start};
    size_t most = GROUP_SCORES / r->on->count + 1;
    dq_status status = DQ_OK;
    find_vectors(r, jobs, n, vectors);
    for (size_t i = 0; i < n; i++)
        users[i] = (dq_rank_user){jobs[i]->who->id, jobs[i]->who->id_bytes, DQ_ABSENT};
    const dq_rank_lists lists = {.count = n, .users = users, .vectors = vectors};
    scorer->given_count = 0; /* another group's */
    if (r->seen.on) {
        status = gather(r, jobs, n, add_seen, error);
        seen.item = r->events.item;
        scorer->seen = &seen;
    }
    for (size_t first = 0, count; first < n && !status; first += count) {
        count = n - first < most ? n - first : most;
        if (dq_rank_scorer_needs_lists(scorer))
            status = dq_rank_features_fill(scorer, &lists, first, &count, error);
        if (!status) status = score_some(r, scorer, jobs, vectors, first, count, error);
    }
    scorer->seen = NULL;
    return status;
}

static void check_scores(const dq_ranker *r, job *j)
{
    for (uint32_t i = 0; i < r->on->count && !j->status; i++)
        if (!isfinite(j->scores[i]))
            j->status = dq_fail(&j->error, DQ_ERR_NUMERIC, "a score is not a finite number");
}

/* All jobs of a group are for the same networks. */
static void score_group(dq_ranker *r, job *const *jobs, size_t n)
{
    dq_error error = DQ_ERROR_NONE;
    dq_pool_enter(); /* the model was loaded by another thread */
    dq_status status = r->sessions.on
                           ? score_sessions(r, jobs, n, &error)
                           : score_pairs(r, jobs[0]->world ? &r->world : &r->scorer, jobs, n, &error);
    for (size_t i = 0; i < n; i++) {
        jobs[i]->status = status;
        jobs[i]->error = error;
        check_scores(r, jobs[i]);
    }
}

/* ---- who waits ---- */

/* Takes those off the queue's front that go together: at least the first. */
static size_t take_group(dq_ranker *r, job **jobs)
{
    size_t n = 0;
    do {
        jobs[n++] = r->first;
        r->first = r->first->next;
    } while (r->first && n < GROUP && r->first->world == jobs[0]->world);
    if (!r->first) r->last = &r->first;
    return n;
}

/* With a queue, and the lock held, which is given up meanwhile. */
static void work(dq_ranker *r)
{
    job *jobs[GROUP];
    size_t n = take_group(r, jobs), waiting = 0;
    r->busy = true;
    (void)pthread_mutex_unlock(&r->lock);
    score_group(r, jobs, n);
    for (size_t i = 0; i < n; i++) {
        if (jobs[i]->tell)
            jobs[i]->tell(jobs[i]->arg);
        else
            jobs[waiting++] = jobs[i];
    }
    (void)pthread_mutex_lock(&r->lock);
    r->busy = false;
    for (size_t i = 0; i < waiting; i++) jobs[i]->done = true;
    (void)pthread_cond_broadcast(&r->changed);
    if (r->first) (void)pthread_cond_signal(&r->work);
}

static void enqueue(dq_ranker *r, job *j)
{
    *r->last = j;
    r->last = &j->next;
}

static dq_status ask(dq_ranker *r, job *j, dq_error *error)
{
    (void)pthread_mutex_lock(&r->lock);
    enqueue(r, j);
    while (!j->done) {
        if (r->busy)
            (void)pthread_cond_wait(&r->changed, &r->lock);
        else
            work(r);
    }
    (void)pthread_mutex_unlock(&r->lock);
    if (j->status && error) *error = j->error;
    return j->status;
}

void dq_ranker_begin(dq_ranker *r, dq_ranker_job *j)
{
    (void)pthread_mutex_lock(&r->lock);
    bool alone = !r->first; /* else the thread was told already */
    enqueue(r, j);
    if (alone && !r->busy) (void)pthread_cond_signal(&r->work);
    (void)pthread_mutex_unlock(&r->lock);
}

dq_status dq_ranker_score(dq_ranker *r, const dq_ranker_who *who, float *scores, float *members,
                          dq_error *error)
{
    job j = {.who = who, .scores = scores, .members = members};
    return ask(r, &j, error);
}

dq_status dq_ranker_world(dq_ranker *r, const dq_ranker_who *who, float *rewards, dq_error *error)
{
    job j = {.who = who, .scores = rewards, .world = true};
    if (!r->about.world) return dq_fail(error, DQ_ERR_UNKNOWN, "the model has no world model");
    if (!dq_ranker_knows(r, who))
        return dq_fail(error, DQ_ERR_UNKNOWN, "the world model does not know the user");
    return ask(r, &j, error);
}
