/* SPDX-License-Identifier: MIT
 *
 * What system B's API asks of a demo server: data, trainings, how they go.
 */
#include "port/files/json.h"
#include "serve/demo/demo_impl.h"

#include "serve/tables.h"

#include <stdlib.h>
#include <string.h>

enum { USERS = 500, ITEMS = 100, INTERACTIONS = 10000, EPISODES = 50, LIST = 5, SEED = 42 };
enum { MOMENT = 1000 }; /* milliseconds that a handler waits for data to be made */

static dq_serve_demo *demo_of(const dq_serve *serve)
{
    return serve->demo;
}

/* ---- refusals ---- */

static void refuse(dq_httpd_reply *reply, const dq_httpd_request *request, const dq_error *error)
{
    switch (error->status) {
    case DQ_ERR_UNKNOWN: dq_serve_problem(reply, request, 404, "Not Found", "%s", error->reason); break;
    case DQ_ERR_DUPLICATE:
    case DQ_ERR_UNSUPPORTED: dq_serve_problem(reply, request, 409, "Conflict", "%s", error->reason); break;
    case DQ_ERR_MEMORY:
    case DQ_ERR_STOPPED:
        dq_serve_problem(reply, request, 503, "Service Unavailable", "%s", error->reason);
        break;
    default: dq_serve_problem(reply, request, 500, "Internal Server Error", "%s", error->reason);
    }
}

/* ---- orders ---- */

static uint64_t number_of(const dq_value *body, const char *name, uint64_t otherwise)
{
    return (uint64_t)dq_value_integer(dq_map_get(body, name), (int64_t)otherwise);
}

static const char *const agents[] = {"dqn", "dyna-q", NULL};

static const char *agent_of(const dq_value *body)
{
    const dq_value *agent = dq_map_get(body, "agent");
    for (size_t i = 0; agent && agents[i]; i++)
        if (dq_value_is(agent, agents[i])) return agents[i];
    return NULL;
}

static dq_demo_order order_of(const char *what, const dq_serve_call *call)
{
    dq_arena *arena = call->request->arena;
    const dq_value *body = &call->body;
    uint64_t seed = number_of(body, "seed", SEED);
    return (dq_demo_order){.what = what,
                           .world = {.simulated = true,
                                     .users = number_of(body, "n_users", USERS),
                                     .items = number_of(body, "n_items", ITEMS),
                                     .interactions = number_of(body, "n_interactions", INTERACTIONS),
                                     .seed = seed},
                           .model = dq_value_text(arena, dq_map_get(body, "model")),
                           .agent = agent_of(body),
                           .episodes = number_of(body, "episodes", EPISODES),
                           .seed = seed,
                           .user = dq_map_get(body, "user_id"),
                           .n = number_of(body, "n_recommendations", LIST)};
}

/* What has begun. */
static void answer_begun(const dq_serve_call *call, const dq_demo_view *began, dq_httpd_reply *reply)
{
    dq_arena *arena = call->request->arena;
    dq_value map = dq_map();
    reply->status = 202;
    dq_map_set(arena, &map, "job", dq_int((int64_t)began->number));
    if (began->unit) {
        dq_map_set(arena, &map, "model", dq_string(arena, began->model));
        dq_map_set(arena, &map, "unit", dq_string(arena, began->unit));
        dq_map_set(arena, &map, "episodes", dq_int((int64_t)began->episodes));
    }
    dq_serve_json(reply, call->request, &map);
}

static void begin(dq_serve *serve, const char *what, const dq_serve_call *call, dq_httpd_reply *reply)
{
    const dq_demo_order order = order_of(what, call);
    dq_demo_view began;
    dq_error e = DQ_ERROR_NONE;
    if (dq_demo_begin(demo_of(serve), &order, &began, &e))
        refuse(reply, call->request, &e);
    else
        answer_begun(call, &began, reply);
}

static void answer_train(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    begin(serve, "train", call, reply);
}

static void answer_pipeline(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    begin(serve, "pipeline", call, reply);
}

/* ---- init: a moment, mostly ---- */

static void answer_made(const dq_serve_call *call, const dq_demo_order *order, const dq_demo_view *view,
                        dq_httpd_reply *reply)
{
    dq_arena *arena = call->request->arena;
    dq_value map = dq_map();
    dq_map_set(arena, &map, "job", dq_int((int64_t)view->number));
    dq_map_set(arena, &map, "ok", dq_bool(true));
    dq_map_set(arena, &map, "users", dq_int((int64_t)order->world.users));
    dq_map_set(arena, &map, "items", dq_int((int64_t)order->world.items));
    dq_map_set(arena, &map, "interactions", dq_int((int64_t)order->world.interactions));
    dq_map_set(arena, &map, "seed", dq_int((int64_t)order->world.seed));
    dq_serve_json(reply, call->request, &map);
}

static void answer_init(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    const dq_demo_order order = order_of("init", call);
    dq_serve_demo *demo = demo_of(serve);
    dq_demo_view began, view;
    dq_error e = DQ_ERROR_NONE;
    if (dq_demo_begin(demo, &order, &began, &e)) {
        refuse(reply, call->request, &e);
        return;
    }
    bool over = dq_demo_job_wait(demo->job, began.number, MOMENT);
    dq_demo_job_look(demo->job, &view);
    if (!over || view.number != began.number)
        answer_begun(call, &began, reply);
    else if (view.state == DQ_DEMO_DONE)
        answer_made(call, &order, &view, reply);
    else
        dq_serve_problem(reply, call->request, view.state == DQ_DEMO_CANCELLED ? 409 : 500,
                         view.state == DQ_DEMO_CANCELLED ? "Conflict" : "Internal Server Error", "%s",
                         view.message);
}

/* ---- how it goes ---- */

static void answer_cancel(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    uint64_t number;
    dq_error e = DQ_ERROR_NONE;
    dq_value map = dq_map();
    if (dq_demo_job_cancel(demo_of(serve)->job, &number, &e)) {
        dq_serve_problem(reply, call->request, 409, "Conflict", "%s", e.reason);
        return;
    }
    dq_map_set(call->request->arena, &map, "job", dq_int((int64_t)number));
    dq_serve_json(reply, call->request, &map);
}

/* 204 tells an EventSource to ask no more. */
static void answer_events(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    dq_demo_view view;
    dq_demo_job_look(demo_of(serve)->job, &view);
    reply->status = 204;
    reply->type = NULL;
    if (!view.number) return;
    dq_serve_problem(reply, call->request, 503, "Service Unavailable",
                     "too many watch already, or the server stops");
    reply->status = 200;
    reply->events = demo_of(serve)->events;
}

static void describe(const dq_demo_view *view, dq_arena *arena, dq_value *map)
{
    const char *state = dq_demo_state_name(view->state);
    dq_map_set(arena, map, "job", view->number ? dq_int((int64_t)view->number) : dq_nil());
    dq_map_set(arena, map, "state", state ? dq_string(arena, state) : dq_nil());
    dq_map_set(arena, map, "model", *view->model ? dq_string(arena, view->model) : dq_nil());
    dq_map_set(arena, map, "unit", view->unit ? dq_string(arena, view->unit) : dq_nil());
    dq_map_set(arena, map, "episode", dq_int((int64_t)view->episode));
    dq_map_set(arena, map, "episodes", dq_int((int64_t)view->episodes));
}

dq_value dq_serve_demo_describe(dq_serve_demo *demo, dq_arena *arena)
{
    dq_demo_view view;
    dq_value map = dq_map();
    dq_demo_job_look(demo->job, &view);
    if (!view.number) return dq_nil();
    describe(&view, arena, &map);
    dq_map_set(arena, &map, "what", dq_string(arena, view.what));
    dq_map_set(arena, &map, "stage", view.stage ? dq_string(arena, view.stage) : dq_nil());
    dq_map_set(arena, &map, "message", *view.message ? dq_string(arena, view.message) : dq_nil());
    return map;
}

static void answer_metrics(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    dq_arena *arena = call->request->arena;
    dq_demo_view view;
    dq_value map = dq_map();
    dq_demo_curves *curves = malloc(sizeof *curves);
    if (curves) {
        dq_demo_job_curves(demo_of(serve)->job, &view, curves);
        describe(&view, arena, &map);
        (void)dq_demo_curves_write(curves, arena, &map);
        dq_serve_json(reply, call->request, &map);
    } else {
        dq_serve_problem(reply, call->request, 503, "Service Unavailable", "out of memory");
    }
    free(curves);
}

/* ---- what they take and give ---- */

enum { MOST = 10000, MOST_INTERACTIONS = 1000000, MOST_EPISODES = 1000000, MOST_LIST = 1000 };

#define SIZES                                                                                                \
    {"n_users", DQ_SERVE_INTEGER, .min = 1, .max = MOST, .help = "users (500)"},                             \
        {"n_items", DQ_SERVE_INTEGER, .min = 1, .max = MOST, .help = "items (100)"},                         \
    {                                                                                                        \
        "n_interactions", DQ_SERVE_INTEGER, .min = 1, .max = MOST_INTERACTIONS,                              \
                                            .help = "interactions in all (10000)"                            \
    }
#define SEED_FIELD                                                                                           \
    {                                                                                                        \
        "seed", DQ_SERVE_INTEGER, .min = 0, .max = 9e15, .help = "of the random numbers (42)"                \
    }
#define TRAINING                                                                                             \
    {"episodes", DQ_SERVE_INTEGER, .min = 1, .max = MOST_EPISODES,                                           \
     .help = "episodes in a made-up world, passes over what was logged (50)"},                               \
        {"agent", DQ_SERVE_STRING, .choices = agents,                                                        \
         .help = "dqn (of a made-up world), dyna-q (of any other catalogue)"},                               \
    {                                                                                                        \
        "model", DQ_SERVE_STRING, .max_length = DQ_DEMO_NAME - 1,                                            \
                                  .help = "the served model whose file is replaced (the first)"              \
    }

static const dq_serve_field init_fields[] = {SIZES, SEED_FIELD, {0}};
static const dq_serve_field train_fields[] = {TRAINING, SEED_FIELD, {0}};
static const dq_serve_field pipeline_fields[] = {
    SIZES,
    TRAINING,
    SEED_FIELD,
    {"user_id", DQ_SERVE_STRING | DQ_SERVE_INTEGER, .max_length = 256,
     .help = "who gets recommendations (the first user)"},
    {"n_recommendations", DQ_SERVE_INTEGER, .min = 1, .max = MOST_LIST, .help = "how many (5)"},
    {0}};
static const dq_serve_field begun_fields[] = {
    {"job", DQ_SERVE_INTEGER, .required = true, .help = "its number"},
    {"model", DQ_SERVE_STRING, .help = "the model that will be replaced"},
    {"unit", DQ_SERVE_STRING, .help = "what is counted: episode, epoch"},
    {"episodes", DQ_SERVE_INTEGER, .help = "so many"},
    {0}};
static const dq_serve_field made_fields[] = {
    {"job", DQ_SERVE_INTEGER, .required = true, .help = "its number"},
    {"ok", DQ_SERVE_BOOLEAN, .help = "true; where it takes longer (202), the end event tells"},
    {"users", DQ_SERVE_INTEGER, .help = "users made"},
    {"items", DQ_SERVE_INTEGER, .help = "items made"},
    {"interactions", DQ_SERVE_INTEGER, .help = "interactions made"},
    {"seed", DQ_SERVE_INTEGER, .help = "that they were made with"},
    {0}};
static const dq_serve_field cancel_fields[] = {
    {"job", DQ_SERVE_INTEGER, .required = true, .help = "what was told to end"}, {0}};

#define NULLABLE_STRING  (DQ_SERVE_STRING | DQ_SERVE_NULL)
#define NULLABLE_NUMBERS DQ_SERVE_LIST, .of_type = DQ_SERVE_NUMBER | DQ_SERVE_NULL
static const dq_serve_field metrics_fields[] = {
    {"job", DQ_SERVE_INTEGER | DQ_SERVE_NULL, .required = true, .help = "of the latest training; null: none"},
    {"state", NULLABLE_STRING, .required = true, .help = "running, done, failed, cancelled"},
    {"model", NULLABLE_STRING, .required = true, .help = "the model that is replaced"},
    {"unit", NULLABLE_STRING, .required = true, .help = "episode, epoch"},
    {"episode", DQ_SERVE_INTEGER, .required = true, .help = "so many are done"},
    {"episodes", DQ_SERVE_INTEGER, .required = true, .help = "of so many"},
    {"window", DQ_SERVE_INTEGER, .required = true, .help = "of the moving average"},
    {"stride", DQ_SERVE_INTEGER, .required = true, .help = "from point to point, in episodes"},
    {"points", DQ_SERVE_INTEGER, .required = true, .help = "of each curve"},
    {"rewards", NULLABLE_NUMBERS, .required = true, .help = "an episode's return"},
    {"lengths", NULLABLE_NUMBERS, .required = true, .help = "its steps"},
    {"moving_average", NULLABLE_NUMBERS, .required = true, .help = "of the returns"},
    {"losses", NULLABLE_NUMBERS, .required = true, .help = "of Q"},
    {"epsilons", NULLABLE_NUMBERS, .required = true, .help = "the share of random steps"},
    {0}};

static const dq_serve_schema init_body = {.name = "InitRequest", .fields = init_fields};
static const dq_serve_schema init_answer = {.name = "InitAnswer", .fields = made_fields};
static const dq_serve_schema train_body = {.name = "TrainRequest", .fields = train_fields};
static const dq_serve_schema pipeline_body = {.name = "PipelineRequest", .fields = pipeline_fields};
static const dq_serve_schema begun = {.name = "JobBegun", .fields = begun_fields};
static const dq_serve_schema cancel_answer = {.name = "CancelAnswer", .fields = cancel_fields};
static const dq_serve_schema metrics_answer = {.name = "TrainingCurves", .fields = metrics_fields};

const dq_serve_route dq_serve_demo_routes[] = {
    {"POST", "/api/init", "makes up users, items and interactions, and serves them", answer_init,
     .body = &init_body, .answer = &init_answer, .also = 202, .begun = &begun, .flags = DQ_SERVE_DEMO},
    {"POST", "/api/train", "trains a model in a job", answer_train, .body = &train_body, .answer = &begun,
     .status = 202, .flags = DQ_SERVE_DEMO},
    {"POST", "/api/pipeline", "makes data, trains, and recommends in one job", answer_pipeline,
     .body = &pipeline_body, .answer = &begun, .status = 202, .flags = DQ_SERVE_DEMO},
    {"POST", "/api/cancel", "ends the job that runs", answer_cancel, .answer = &cancel_answer,
     .flags = DQ_SERVE_DEMO},
    {"GET", "/api/events", "the latest job's events: stage, progress, end", answer_events,
     .type = "text/event-stream", .also = 204, .flags = DQ_SERVE_DEMO},
    {"GET", "/api/metrics", "curves of the latest training", answer_metrics, .answer = &metrics_answer,
     .flags = DQ_SERVE_DEMO},
    {0}};
