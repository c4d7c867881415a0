/* SPDX-License-Identifier: MIT */
#include "serve/models.h"

#include "core/digest.h"
#include "core/words/number.h"
#include "serve/cold.h"
#include "serve/ranking/recent.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

typedef struct dq_serve_counted_scores {
    dq_serve_scores s; /* first: what is handed out is a counted one */
    atomic_uint references;
    float numbers[];
} counted_scores;

/* A model that was loaded, counted. */
typedef struct dq_serve_model {
    dq_ranker *ranker;
    atomic_uint references;
    pthread_mutex_t lock; /* of what is kept */
    dq_recent *kept;      /* by user */
} dq_serve_model;

/* What a file was when it was looked at. */
typedef struct file_state {
    bool there;
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec changed;
} file_state;

typedef struct place {
    dq_serve_model_spec spec;
    double upto; /* shares below it, and not below those before, are this one's */
    dq_serve_model *now;
    file_state seen;
    char error[400];        /* why the file's is not served; "": it is */
    _Atomic double written; /* when the file of `now` was, in Unix seconds; NAN: nothing is served */
    dq_metric *loads, *failures;
} place;

struct dq_serve_models {
    dq_serve_models_config config;
    place *places; /* (config.count) */
    const dq_ranking_items *items;
    pthread_mutex_t lock;    /* of `items`, and of places' `now` and `error` */
    pthread_mutex_t loading; /* one loads at a time */
    dq_metric *hits, *misses;
};

/* ---- what is asked for ---- */

/* The log's column `model` tells lists of models from those of the fallbacks, from which --cold learns. */
static bool is_fallback(const char *name, size_t bytes)
{
    static const char history[] = "history";
    bool is = bytes == sizeof history - 1 && memcmp(name, history, bytes) == 0;
    for (int i = DQ_SERVE_COLD_POPULARITY; dq_serve_cold_names[i]; i++)
        is |= bytes == strlen(dq_serve_cold_names[i]) && memcmp(name, dq_serve_cold_names[i], bytes) == 0;
    return is;
}

dq_status dq_serve_model_parse(const char *text, dq_arena *arena, dq_serve_model_spec *spec, dq_error *error)
{
    const char *equals = strchr(text, '='), *path = equals ? equals + 1 : text, *colon = strrchr(path, ':');
    double share = (double)NAN;
    bool shared = equals && colon && dq_number_is(colon + 1, &share);
    size_t n = shared ? (size_t)(colon - path) : strlen(path);
    *spec = (dq_serve_model_spec){.share = shared ? share : (double)NAN};
    if (n == 0 || equals == text)
        return dq_fail(error, DQ_ERR_RANGE, "%s: FILE or NAME=FILE:SHARE is wanted", text);
    if (shared && !(share > 0 && share <= 1))
        return dq_fail(error, DQ_ERR_RANGE, "%s: a share is above 0 and at most 1", text);
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    if (equals && strspn(text, letters) != (size_t)(equals - text))
        return dq_fail(error, DQ_ERR_RANGE, "%s: a name is of letters, digits, '_', '.' and '-'", text);
    if (equals && is_fallback(text, (size_t)(equals - text)))
        return dq_fail(error, DQ_ERR_RANGE,
                       "%s: that is what the log calls lists for users whom no model knows: another name",
                       text);
    spec->name = equals ? dq_arena_text(arena, text, (size_t)(equals - text))
                        : dq_arena_text(arena, "model", 5);
    spec->path = dq_arena_text(arena, path, n);
    return spec->name && spec->path ? DQ_OK : dq_fail_memory(error, "a model");
}

dq_status dq_serve_model_shares(dq_serve_model_spec *specs, size_t count, dq_error *error)
{
    size_t said = 0;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        bool says = !isnan(specs[i].share);
        said += says;
        if (says) sum += specs[i].share;
        for (size_t j = 0; j < i; j++)
            if (strcmp(specs[i].name, specs[j].name) == 0)
                return dq_fail(error, DQ_ERR_DUPLICATE, "two models are called %s", specs[i].name);
    }
    if (said && said < count) return dq_fail(error, DQ_ERR_RANGE, "some models have a share, others none");
    if (said && fabs(sum - 1) > 1e-9)
        return dq_fail(error, DQ_ERR_RANGE, "the models' shares come to %g, not to 1", sum);
    for (size_t i = 0; i < count && !said; i++) specs[i].share = 1 / (double)count;
    return DQ_OK;
}

/* ---- scores that are kept ---- */

static counted_scores *counted_of(const dq_serve_scores *scores)
{
    counted_scores *c; /* it was given out as const, and is ours */
    memcpy(&c, &scores, sizeof c);
    return c;
}

void dq_serve_scores_release(const dq_serve_scores *scores)
{
    if (scores && atomic_fetch_sub(&counted_of(scores)->references, 1) == 1) free(counted_of(scores));
}

static void release_kept(void *value)
{
    counted_scores *c = value;
    dq_serve_scores_release(&c->s);
}

/* A user's scores, where they are kept and his state is the same. */
static counted_scores *find_kept(dq_serve_model *m, const dq_ranker_who *who, uint64_t version)
{
    (void)pthread_mutex_lock(&m->lock);
    counted_scores *c = dq_recent_get(m->kept, who->id, who->id_bytes);
    if (c && c->s.version != version) c = NULL;
    if (c) atomic_fetch_add(&c->references, 1);
    (void)pthread_mutex_unlock(&m->lock);
    return c;
}

static void keep(dq_serve_model *m, const dq_ranker_who *who, counted_scores *c, size_t bytes)
{
    atomic_fetch_add(&c->references, 1);
    (void)pthread_mutex_lock(&m->lock);
    (void)dq_recent_put(m->kept, who->id, who->id_bytes, c, bytes + who->id_bytes, NULL); /* else not kept */
    (void)pthread_mutex_unlock(&m->lock);
}

static bool keeps(const dq_serve_taken *t, uint64_t version)
{
    return version != UINT64_MAX && t->of->config.cache_bytes > 0;
}

const dq_serve_scores *dq_serve_taken_find(const dq_serve_taken *t, const dq_ranker_who *who,
                                           uint64_t version)
{
    counted_scores *c = keeps(t, version) ? find_kept(t->model, who, version) : NULL;
    dq_metric_add(c ? t->of->hits : t->of->misses, 1);
    return c ? &c->s : NULL;
}

dq_status dq_serve_taken_reserve(const dq_serve_taken *t, const dq_ranker_who *who, uint64_t version,
                                 dq_serve_scoring *scoring, dq_error *error)
{
    size_t items = t->items->count, networks = dq_ranker_get_about(t->ranker)->networks;
    size_t bytes = sizeof(counted_scores) + items * (networks > 1 ? networks + 1 : 1) * sizeof(float);
    counted_scores *c = malloc(bytes);
    if (!c) return dq_fail_memory(error, "scores");
    float *members = networks > 1 ? c->numbers + items : NULL;
    atomic_init(&c->references, 1);
    c->s = (dq_serve_scores){version, c->numbers, members};
    *scoring = (dq_serve_scoring){.into = c, .bytes = bytes};
    scoring->job.who = who;
    scoring->job.scores = c->numbers;
    scoring->job.members = members;
    return DQ_OK;
}

void dq_serve_taken_begin(const dq_serve_taken *t, dq_serve_scoring *scoring, void (*tell)(void *arg),
                          void *arg)
{
    scoring->job.tell = tell;
    scoring->job.arg = arg;
    dq_ranker_begin(t->ranker, &scoring->job);
}

dq_status dq_serve_taken_end(const dq_serve_taken *t, dq_serve_scoring *scoring,
                             const dq_serve_scores **scores, dq_error *error)
{
    counted_scores *c = scoring->into;
    *scores = NULL;
    if (scoring->job.status) {
        *error = scoring->job.error;
        dq_serve_taken_give_up(scoring);
        return error->status;
    }
    if (keeps(t, c->s.version)) keep(t->model, scoring->job.who, c, scoring->bytes);
    *scores = &c->s;
    return DQ_OK;
}

void dq_serve_taken_give_up(dq_serve_scoring *scoring)
{
    free(scoring->into);
    scoring->into = NULL;
}

dq_status dq_serve_taken_score(const dq_serve_taken *t, const dq_ranker_who *who, uint64_t version,
                               const dq_serve_scores **scores, dq_error *error)
{
    dq_serve_scoring scoring;
    *scores = dq_serve_taken_find(t, who, version);
    if (*scores) return DQ_OK;
    dq_status status = dq_serve_taken_reserve(t, who, version, &scoring, error);
    if (status) return status;
    dq_ranker_job *job = &scoring.job;
    job->status = dq_ranker_score(t->ranker, who, job->scores, job->members, &job->error);
    return dq_serve_taken_end(t, &scoring, scores, error);
}

/* ---- a model's life ---- */

static void release_model(dq_serve_model *m)
{
    if (!m || atomic_fetch_sub(&m->references, 1) > 1) return;
    dq_ranker_close(m->ranker);
    dq_recent_free(m->kept);
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

static dq_status load(const dq_serve_models *models, const place *p, dq_serve_model **model, dq_error *error)
{
    dq_serve_model *m = *model = calloc(1, sizeof *m);
    if (!m) return dq_fail_memory(error, "a model");
    atomic_init(&m->references, 1);
    (void)pthread_mutex_init(&m->lock, NULL);
    dq_status status = dq_recent_new(&m->kept, models->config.cache_bytes, release_kept, error);
    if (!status && !models->items)
        status = dq_fail(error, DQ_ERR_UNKNOWN, "there is no catalogue to fit it to");
    if (!status)
        status = dq_ranker_open(&m->ranker, p->spec.path, models->items, models->config.threads, error);
    if (!status) return DQ_OK;
    release_model(m);
    *model = NULL;
    return status;
}

static file_state look(const char *path)
{
    struct stat is;
    if (stat(path, &is) < 0) return (file_state){.there = false};
    return (file_state){true, is.st_dev, is.st_ino, is.st_size, is.st_mtim};
}

static bool same(const file_state *a, const file_state *b)
{
    return a->there == b->there && a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* Takes up a place's file; drops: where it cannot be, what was there is not served any more. */
static dq_status take_up(dq_serve_models *models, place *p, bool drops, dq_error *error)
{
    dq_serve_model *m, *before = NULL;
    dq_error why = DQ_ERROR_NONE;
    p->seen = look(p->spec.path); /* before it is read: what comes meanwhile is taken up next */
    dq_status status = load(models, p, &m, &why);
    (void)pthread_mutex_lock(&models->lock);
    if (!status || drops) {
        before = p->now;
        p->now = m;
        atomic_store(&p->written, m ? (double)p->seen.changed.tv_sec : (double)NAN);
    }
    (void)snprintf(p->error, sizeof p->error, "%s", status ? why.reason : "");
    (void)pthread_mutex_unlock(&models->lock);
    release_model(before);
    dq_metric_add(status ? p->failures : p->loads, 1);
    if (status && error) {
        *error = why;
        (void)dq_error_at(error, p->spec.path, DQ_NO_RECORD);
    }
    return status;
}

/* Items of the catalogue as it is now. */
static dq_status take_items(dq_serve_models *models, dq_error *error)
{
    const dq_served *now = dq_served_take(models->config.served);
    const dq_ranking_items *items = NULL;
    dq_status status = DQ_OK;
    if (now->catalogue && dq_entities_count(&now->catalogue->items))
        status = dq_ranking_items_new(&items, now, error);
    else
        dq_served_release(now);
    if (status) return status;
    (void)pthread_mutex_lock(&models->lock);
    const dq_ranking_items *before = models->items;
    models->items = items;
    (void)pthread_mutex_unlock(&models->lock);
    dq_ranking_items_release(before);
    return DQ_OK;
}

/* Once each for the files that were asked for. */
static dq_status take_up_all(dq_serve_models *models, const char *name, bool changed, bool drops,
                             dq_error *error)
{
    dq_status first = DQ_OK;
    for (size_t i = 0; i < models->config.count; i++) {
        place *p = &models->places[i];
        file_state now = look(p->spec.path);
        if (name && strcmp(name, p->spec.name) != 0) continue;
        if (changed && (same(&now, &p->seen) || !now.there)) continue;
        dq_status status = take_up(models, p, drops, first ? NULL : error);
        if (!first) first = status;
    }
    return first;
}

dq_status dq_serve_models_watch(dq_serve_models *models, dq_error *error)
{
    (void)pthread_mutex_lock(&models->loading);
    dq_status status = take_up_all(models, NULL, true, false, error);
    (void)pthread_mutex_unlock(&models->loading);
    return status;
}

dq_status dq_serve_models_reload(dq_serve_models *models, const char *name, dq_error *error)
{
    (void)pthread_mutex_lock(&models->loading);
    dq_status status = take_up_all(models, name, false, false, error);
    (void)pthread_mutex_unlock(&models->loading);
    return status;
}

void dq_serve_models_refit(dq_serve_models *models)
{
    dq_error why = DQ_ERROR_NONE;
    (void)pthread_mutex_lock(&models->loading);
    if (!take_items(models, &why)) (void)take_up_all(models, NULL, false, true, NULL);
    (void)pthread_mutex_unlock(&models->loading);
}

/* ---- opening ---- */

static double age_of(void *arg)
{
    struct timespec now;
    const place *p = arg;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec - atomic_load(&p->written);
}

static void open_metrics(dq_serve_models *models)
{
    dq_telemetry *t = models->config.telemetry;
    if (!t) return;
    models->hits = dq_telemetry_counter(t, "dq_serve_score_cache_hits_total",
                                        "users whose scores were kept and given again", NULL);
    models->misses = dq_telemetry_counter(t, "dq_serve_score_cache_misses_total",
                                          "users whose scores were computed", NULL);
    for (size_t i = 0; i < models->config.count; i++) {
        place *p = &models->places[i];
        char labels[128];
        (void)snprintf(labels, sizeof labels, "model=\"%.100s\"", p->spec.name);
        p->loads = dq_telemetry_counter(t, "dq_serve_model_loads_total", "model files that were taken up",
                                        labels);
        p->failures = dq_telemetry_counter(t, "dq_serve_model_failures_total",
                                           "model files that could not be taken up", labels);
        (void)dq_telemetry_read(t, false, "dq_serve_model_age_seconds", "since the model's file was written",
                                labels, age_of, p);
    }
}

dq_status dq_serve_models_open(dq_serve_models **models, const dq_serve_models_config *config,
                               dq_error *error)
{
    dq_serve_models *m = *models = calloc(1, sizeof *m);
    if (!m) return dq_fail_memory(error, "models");
    m->config = *config;
    (void)pthread_mutex_init(&m->lock, NULL);
    (void)pthread_mutex_init(&m->loading, NULL);
    m->places = calloc(config->count + 1, sizeof *m->places);
    dq_status status = m->places ? take_items(m, error) : dq_fail_memory(error, "models");
    double upto = 0;
    for (size_t i = 0; i < config->count && !status; i++) {
        m->places[i].spec = config->specs[i];
        m->places[i].upto = upto += config->specs[i].share;
        atomic_init(&m->places[i].written, (double)NAN);
    }
    if (!status) open_metrics(m);
    for (size_t i = 0; i < config->count && !status; i++) {
        dq_status loaded = take_up(m, &m->places[i], false, error);
        bool lacks = config->may_lack && (!m->places[i].seen.there || !m->items);
        status = lacks ? DQ_OK : loaded;
    }
    if (!status) return DQ_OK;
    dq_serve_models_close(m);
    *models = NULL;
    return status;
}

void dq_serve_models_close(dq_serve_models *models)
{
    if (!models) return;
    for (size_t i = 0; models->places && i < models->config.count; i++) release_model(models->places[i].now);
    free(models->places);
    dq_ranking_items_release(models->items);
    (void)pthread_mutex_destroy(&models->lock);
    (void)pthread_mutex_destroy(&models->loading);
    free(models);
}

/* ---- for a request ---- */

/* A reference to a place's model, and to the items that it ranks; with the lock held. */
static void hold(dq_serve_models *models, place *p, dq_serve_taken *taken)
{
    *taken = (dq_serve_taken){.of = models, .items = models->items};
    if (p) taken->name = p->spec.name;
    if (p && p->now) {
        taken->model = p->now;
        taken->ranker = p->now->ranker;
        taken->items = dq_ranker_get_items(p->now->ranker);
        atomic_fetch_add(&p->now->references, 1);
    }
    (void)dq_ranking_items_hold(taken->items);
}

void dq_serve_models_take(dq_serve_models *models, const char *user, size_t bytes, dq_serve_taken *taken)
{
    double share = dq_share(user, bytes);
    size_t i = 0, count = models->config.count;
    while (i + 1 < count && share >= models->places[i].upto) i++;
    (void)pthread_mutex_lock(&models->lock);
    hold(models, count ? &models->places[i] : NULL, taken);
    (void)pthread_mutex_unlock(&models->lock);
}

void dq_serve_taken_release(dq_serve_taken *taken)
{
    dq_ranking_items_release(taken->items);
    release_model(taken->model);
    *taken = (dq_serve_taken){0};
}

/* ---- for people ---- */

bool dq_serve_models_describe(dq_serve_models *models, size_t i, dq_arena *arena, dq_serve_model_facts *facts)
{
    if (i >= models->config.count) return false;
    const place *p = &models->places[i];
    *facts = (dq_serve_model_facts){.name = p->spec.name, .path = p->spec.path, .share = p->spec.share};
    (void)pthread_mutex_lock(&models->lock);
    if (*p->error) facts->error = dq_arena_text(arena, p->error, strlen(p->error));
    if (p->now) {
        const dq_ranker_about *about = dq_ranker_get_about(p->now->ranker);
        facts->loaded = true;
        facts->world = about->world;
        facts->kind = dq_arena_text(arena, about->kind, strlen(about->kind));
        facts->digest = *about->digest ? dq_arena_text(arena, about->digest, strlen(about->digest)) : NULL;
    }
    (void)pthread_mutex_unlock(&models->lock);
    return true;
}

dq_status dq_serve_models_values(dq_serve_models *models, size_t i, const dq_served *served, uint32_t user,
                                 float *q, float *world, dq_error *error)
{
    dq_serve_taken t;
    dq_ranker_who who = {.row = user};
    if (i >= models->config.count) return dq_fail(error, DQ_ERR_UNKNOWN, "there is no such model");
    (void)pthread_mutex_lock(&models->lock);
    hold(models, &models->places[i], &t);
    (void)pthread_mutex_unlock(&models->lock);
    dq_status status = t.ranker ? DQ_OK : dq_fail(error, DQ_ERR_UNKNOWN, "the model is not loaded");
    if (!status && t.items->served->generation != served->generation)
        status = dq_fail(error, DQ_ERR_UNKNOWN, "the model is of another catalogue");
    if (!status) who.id = dq_entities_id(&t.items->catalogue->users, user, &who.id_bytes);
    if (!status && !dq_ranker_knows(t.ranker, &who))
        status = dq_fail(error, DQ_ERR_UNKNOWN, "the model does not know the user");
    if (!status) status = dq_ranker_score(t.ranker, &who, q, NULL, error);
    bool has = !status && dq_ranker_get_about(t.ranker)->world;
    for (uint32_t k = 0; !status && !has && k < t.items->count; k++) world[k] = NAN;
    if (has) status = dq_ranker_world(t.ranker, &who, world, error);
    dq_serve_taken_release(&t);
    return status;
}
