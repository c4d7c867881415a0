/* SPDX-License-Identifier: MIT
 *
 * A job goes through the stages of its order on its own thread:
 *
 *     init        dq-sim writes the catalogue's file, the server takes it up        init, pipeline
 *     reward      dq-reward makes transitions of labels, where there are none       train, pipeline
 *     train       dq-train writes the model's file, the server takes it up          train, pipeline
 *     recommend   the handler of /api/recommend is asked                            pipeline
 */
#include "serve/demo/demo_impl.h"

#include "port/files/json.h"
#include "serve/models.h"
#include "serve/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An order on its way: a copy, with the files that it is about. */
typedef struct task {
    dq_serve_demo *demo;
    dq_demo_order order;
    dq_demo_world world; /* what the catalogue is, or will be, made of */
    dq_demo_training training;
    dq_value user;  /* nil: the first */
    dq_arena arena; /* of all texts */
} task;

static bool is(const task *t, const char *what)
{
    return strcmp(t->order.what, what) == 0;
}

static bool makes_data(const task *t)
{
    return !is(t, "train");
}

static bool trains(const task *t)
{
    return !is(t, "init");
}

static void drop(void *arg)
{
    task *t = arg;
    dq_arena_free(&t->arena);
    free(t);
}

/* ---- the stages ---- */

static dq_status init(task *t, dq_demo_job *job, dq_error *error)
{
    dq_serve *serve = t->demo->serve;
    dq_status status = dq_demo_make_world(job, &t->training, &t->world, error);
    if (!status) status = dq_served_reload(serve->served, error);
    if (!status) dq_serve_models_refit(serve->models);
    return status;
}

/* A model that was trained and cannot be served is a failure. */
static dq_status train(task *t, dq_demo_job *job, dq_error *error)
{
    dq_status status = dq_demo_train(job, &t->training, &t->world, error);
    return status ? status : dq_serve_models_reload(t->demo->serve->models, t->order.model, error);
}

/* Whoever is asked for, or the first user. */
static dq_value user_of(task *t)
{
    const dq_served *now = dq_served_take(t->demo->serve->served);
    dq_value user = t->user;
    size_t n;
    if (user.type == DQ_NIL && now->catalogue && dq_entities_count(&now->catalogue->users)) {
        const char *id = dq_entities_id(&now->catalogue->users, 0, &n);
        user = dq_string_n(&t->arena, id, n);
    }
    dq_served_release(now);
    return user;
}

static const dq_serve_route *recommend_route(void)
{
    const dq_serve_route *r = dq_serve_recommend_routes;
    while (r->path && strcmp(r->path, "/api/recommend") != 0) r++;
    return r->path ? r : NULL;
}

/* A problem as an error. */
static dq_status refused(const dq_httpd_reply *reply, dq_arena *arena, dq_error *error)
{
    dq_value problem = dq_map();
    const char *detail = NULL;
    if (reply->body && !dq_json_parse(reply->body, reply->bytes, arena, &problem, NULL))
        detail = dq_value_text(arena, dq_map_get(&problem, "detail"));
    return dq_fail(error, DQ_ERR_UNKNOWN, "no recommendations: %s", detail ? detail : "no reason is known");
}

/* As if a client had asked. */
static dq_status recommend(task *t, dq_demo_job *job, dq_error *error)
{
    const dq_httpd_request request = {.method = "POST", .path = "/api/recommend", .arena = &t->arena};
    dq_serve_call call = {.request = &request, .body = dq_map()};
    dq_httpd_reply reply = {.status = 200};
    dq_status status = dq_demo_job_stage(job, "recommend", error);
    if (status) return status;
    dq_map_set(&t->arena, &call.body, "user_id", user_of(t));
    dq_map_set(&t->arena, &call.body, "n_recommendations", dq_int((int64_t)t->order.n));
    if (t->arena.failed) return dq_fail_memory(error, "recommendations");
    recommend_route()->handle(t->demo->serve, &call, &reply);
    if (reply.status == 200) return dq_demo_job_result(job, reply.body, reply.bytes, error);
    return refused(&reply, &t->arena, error);
}

static dq_status run(void *arg, dq_demo_job *job, dq_error *error)
{
    task *t = arg;
    dq_status status = makes_data(t) ? init(t, job, error) : DQ_OK;
    if (!status && trains(t)) status = train(t, job, error);
    if (!status && is(t, "pipeline")) status = recommend(t, job, error);
    return status;
}

/* ---- an order ---- */

static const char *copy(task *t, const char *text)
{
    return text ? dq_arena_text(&t->arena, text, strlen(text)) : NULL;
}

/* What would be replaced must be made up, too: nobody loses data to a demonstration. */
static dq_status find_world(task *t, dq_error *error)
{
    const dq_served *taken = dq_served_take(t->demo->serve->served);
    const dq_demo_world now = dq_demo_world_of(taken);
    bool there = taken->catalogue != NULL;
    dq_served_release(taken);
    t->world = makes_data(t) ? t->order.world : now;
    if (makes_data(t) && there && !now.simulated)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "the served catalogue was not made by dq-sim --users: it is not replaced");
    if (!makes_data(t) && !there)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "there is nothing to train on: POST /api/init makes data");
    return DQ_OK;
}

static dq_status find_model(task *t, dq_error *error)
{
    dq_serve_model_facts facts;
    if (!trains(t)) return DQ_OK;
    size_t i = 0;
    while (dq_serve_models_describe(t->demo->serve->models, i, &t->arena, &facts)) {
        if (!t->order.model || strcmp(t->order.model, facts.name) == 0) {
            t->order.model = copy(t, facts.name);
            t->training.model = copy(t, facts.path);
            return DQ_OK;
        }
        i++;
    }
    return dq_fail(error, DQ_ERR_UNKNOWN, "no model is called %s", t->order.model ? t->order.model : "so");
}

static dq_status prepare(task *t, dq_serve_demo *demo, const dq_demo_order *order, dq_error *error)
{
    t->demo = demo;
    t->order = *order;
    if (order->user && !dq_value_copy(&t->arena, order->user, &t->user))
        return dq_fail_memory(error, "a job");
    t->order.model = copy(t, order->model);
    dq_status status = find_world(t, error);
    if (!status) status = find_model(t, error);
    if (status) return status;
    t->training.programs = demo->programs;
    t->training.catalogue = dq_served_path(demo->serve->served);
    t->training.log = demo->log;
    t->training.map = demo->map;
    t->training.version = demo->serve->version;
    t->training.agent = order->agent ? order->agent : t->world.simulated ? "dqn" : "dyna-q";
    t->training.episodes = order->episodes;
    t->training.seed = order->seed;
    return t->arena.failed ? dq_fail_memory(error, "a job") : DQ_OK;
}

static dq_demo_task task_of(task *t)
{
    dq_demo_task made = {.what = t->order.what, .run = run, .drop = drop, .arg = t};
    if (!trains(t)) return made;
    made.unit = t->world.simulated ? "episode" : "epoch";
    made.episodes = t->order.episodes;
    (void)snprintf(made.model, sizeof made.model, "%s", t->order.model);
    return made;
}

dq_status dq_demo_begin(dq_serve_demo *demo, const dq_demo_order *order, dq_demo_view *began, dq_error *error)
{
    uint64_t number;
    task *t = calloc(1, sizeof *t);
    if (!t) return dq_fail_memory(error, "a job");
    dq_status status = prepare(t, demo, order, error);
    if (status) {
        drop(t);
        return status;
    }
    const dq_demo_task started = task_of(t);
    *began = (dq_demo_view){.what = started.what, .unit = started.unit, .episodes = started.episodes};
    memcpy(began->model, started.model, sizeof started.model);
    status = dq_demo_job_start(demo->job, &started, &number, error); /* t is the job's from now on */
    began->number = number;
    return status;
}

/* ---- events ---- */

static dq_status begin_events(void *arg, dq_error *error)
{
    (void)error;
    dq_httpd_events_begin(((dq_serve_demo *)arg)->events);
    return DQ_OK;
}

static void tell(void *arg, const char *event, const char *json, size_t n)
{
    dq_serve_demo *demo = arg;
    if (strcmp(event, "end") == 0)
        (void)dq_httpd_events_end(demo->events, json, n);
    else
        (void)dq_httpd_events_send(demo->events, event, json, n);
}

/* ---- life ---- */

static dq_status copy_config(dq_serve_demo *demo, const dq_serve_demo_config *config, dq_error *error)
{
    demo->programs = config->programs ? strdup(config->programs) : NULL;
    demo->log = config->log ? strdup(config->log) : NULL;
    demo->map = strdup(config->map);
    bool ok = demo->map && (!config->programs || demo->programs) && (!config->log || demo->log);
    return ok ? DQ_OK : dq_fail_memory(error, "the demonstration");
}

dq_status dq_serve_demo_new(dq_serve_demo **demo, const dq_serve_demo_config *config, dq_serve *serve,
                            dq_error *error)
{
    dq_serve_demo *d = *demo = calloc(1, sizeof *d);
    if (!d) return dq_fail_memory(error, "the demonstration");
    d->serve = serve;
    const dq_demo_listener listener = {begin_events, tell, d};
    dq_status status = copy_config(d, config, error);
    if (!status) status = dq_httpd_events_new(&d->events, error);
    if (!status) status = dq_demo_job_new(&d->job, &listener, error);
    if (!status) return DQ_OK;
    dq_serve_demo_free(d);
    *demo = NULL;
    return status;
}

void dq_serve_demo_stop(dq_serve_demo *demo)
{
    if (demo) dq_demo_job_stop(demo->job);
}

void dq_serve_demo_free(dq_serve_demo *demo)
{
    if (!demo) return;
    dq_demo_job_free(demo->job);
    dq_httpd_events_free(demo->events);
    free(demo->programs);
    free(demo->log);
    free(demo->map);
    free(demo);
}
