/* SPDX-License-Identifier: MIT
 *
 * The models that serve. Users are split among them by their ids (core/digest.h, dq_share), so that a user
 * always meets the same one. A model whose file was replaced is taken up without losing a request: whoever
 * has a reference keeps what he has. One that does not load, or does not fit the catalogue, is not taken: the
 * one before stays, and is said to.
 *
 *     dq_serve_taken t;
 *     dq_serve_models_take(models, id, bytes, &t);
 *     if (t.ranker) dq_serve_taken_score(&t, &who, version, &scores, &e) ...
 *     dq_serve_taken_release(&t);
 *
 * Scores of users are kept, up to a number of bytes, and given again as long as the user's state is the same.
 */
#ifndef DQ_SERVE_MODELS_H
#define DQ_SERVE_MODELS_H

#include "serve/ranking/ranker.h"
#include "serve/telemetry.h"

/* A model as it is asked for: FILE, NAME=FILE or NAME=FILE:SHARE. */
typedef struct dq_serve_model_spec {
    const char *name, *path;
    double share; /* in (0, 1]; NAN: not said */
} dq_serve_model_spec;

/* Texts are the arena's. DQ_ERR_RANGE for another form, and for a name that is a fallback's: history, or one
 * of dq_serve_cold_names (serve/cold.h). */
dq_status dq_serve_model_parse(const char *text, dq_arena *arena, dq_serve_model_spec *spec, dq_error *error);
/* Shares of models of which none says one become equal; DQ_ERR_RANGE where some say one and others do not,
 * where they do not come to 1, or where two have one name. */
dq_status dq_serve_model_shares(dq_serve_model_spec *specs, size_t count, dq_error *error);

typedef struct dq_serve_models_config {
    const dq_serve_model_spec *specs; /* (count) their texts are kept */
    size_t count;
    dq_served_file *served;
    dq_telemetry *telemetry; /* may be NULL */
    unsigned threads;        /* of a model */
    uint64_t cache_bytes;    /* of the scores that are kept, of each model */
    bool may_lack;           /* files that are not there are no error */
} dq_serve_models_config;

typedef struct dq_serve_models dq_serve_models;

/* Reads all of them. Without models (count 0) whoever is asked for has a fallback alone. */
dq_status dq_serve_models_open(dq_serve_models **models, const dq_serve_models_config *config,
                               dq_error *error);
void dq_serve_models_close(dq_serve_models *models);

/* Looks whether files were replaced, and takes up those that were (again: those named, NULL: all, whether
 * they were or not). The first failure is told; from any thread. */
dq_status dq_serve_models_watch(dq_serve_models *models, dq_error *error);
dq_status dq_serve_models_reload(dq_serve_models *models, const char *name, dq_error *error);
/* The catalogue was replaced: models are fitted to it; what does not fit is not served any more. */
void dq_serve_models_refit(dq_serve_models *models);

/* ---- for a request ---- */

/* Scores of all items for a user, by their rows; counted, do not change. */
typedef struct dq_serve_scores {
    uint64_t version;
    const float *scores;  /* (items) */
    const float *members; /* (networks, items) of several networks; else NULL */
} dq_serve_scores;

typedef struct dq_serve_taken {
    const char *name;              /* of the model whose share the user is in; NULL: there are no models */
    const dq_ranking_items *items; /* NULL: there is no catalogue */
    dq_ranker *ranker;             /* NULL: it is not loaded */
    struct dq_serve_model *model;
    struct dq_serve_models *of;
} dq_serve_taken;

void dq_serve_models_take(dq_serve_models *models, const char *user, size_t bytes, dq_serve_taken *taken);
void dq_serve_taken_release(dq_serve_taken *taken);
/* version: equal for equal states of the user; UINT64_MAX: never seen again, nothing is kept. */
dq_status dq_serve_taken_score(const dq_serve_taken *taken, const dq_ranker_who *who, uint64_t version,
                               const dq_serve_scores **scores, dq_error *error);
void dq_serve_scores_release(const dq_serve_scores *scores);

/* The same in two steps, for who does not wait in between:
 *
 *     if (!dq_serve_taken_find(&t, &who, version))                  they are not kept
 *         dq_serve_taken_reserve(&t, &who, version, &scoring, &e);  memory
 *         dq_serve_taken_begin(&t, &scoring, tell, arg);            tell(arg), from another thread
 *         dq_serve_taken_end(&t, &scoring, &scores, &e);            after that
 */
typedef struct dq_serve_scoring {
    dq_ranker_job job;
    struct dq_serve_counted_scores *into;
    size_t bytes;
} dq_serve_scoring;

/* NULL: they are not kept. */
const dq_serve_scores *dq_serve_taken_find(const dq_serve_taken *taken, const dq_ranker_who *who,
                                           uint64_t version);
dq_status dq_serve_taken_reserve(const dq_serve_taken *taken, const dq_ranker_who *who, uint64_t version,
                                 dq_serve_scoring *scoring, dq_error *error);
void dq_serve_taken_begin(const dq_serve_taken *taken, dq_serve_scoring *scoring, void (*tell)(void *arg),
                          void *arg);
dq_status dq_serve_taken_end(const dq_serve_taken *taken, dq_serve_scoring *scoring,
                             const dq_serve_scores **scores, dq_error *error);
/* Of one that was not begun, or was and nobody wants. */
void dq_serve_taken_give_up(dq_serve_scoring *scoring);

/* ---- for people ---- */

/* Texts are the arena's; kind, digest and error may be NULL. */
typedef struct dq_serve_model_facts {
    const char *name, *path, *kind, *digest, *error;
    double share;
    bool loaded, world;
} dq_serve_model_facts;

/* False: there is no i-th. */
bool dq_serve_models_describe(dq_serve_models *models, size_t i, dq_arena *arena,
                              dq_serve_model_facts *facts);
/* What model i makes of a user, by the rows of the catalogue as it is served now: q (items), world (items;
 * NAN: it has no world model). DQ_ERR_UNKNOWN: it is not loaded, or knows another catalogue, or not the user.
 */
dq_status dq_serve_models_values(dq_serve_models *models, size_t i, const dq_served *served, uint32_t user,
                                 float *q, float *world, dq_error *error);

#endif
