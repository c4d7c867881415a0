/* SPDX-License-Identifier: MIT
 *
 *     a visitor:  begin -> POST /api/recommend -> looks at each item -> POST /api/feedback for each answer
 *                   ^              ^------------- his session goes on -----------|
 *                   |---------------------------- his session is over -----------|
 */
#include "against.h"

#include "core/array.h"
#include "port/files/json.h"
#include "port/http/http.h"
#include "rollout/visitor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL = 64, TOKEN = 4096, ATTEMPTS = 3, FAILURES = 8 };

/* What a model came to in a round. */
typedef struct tally {
    char model[MODEL];
    uint64_t lists, shown, clicks;
    double reward;
} tally;

typedef struct visit {
    dq_visitor *visitor;
    size_t waits; /* answers of the server that he waits for */
    bool present;
} visit;

typedef struct against {
    dq_cli *cli;
    const sim_against_options *o;
    const dq_common *common;
    char token[TOKEN];
    dq_http *http;
    visit *visits;        /* (parallel) */
    uint64_t begun, last; /* sessions: so many began, and this one ends the round */
    tally *tallies;
    size_t count, capacity;
    dq_json_text body;
    dq_progress bar;
} against;

/* ---- what is sent ---- */

static dq_status post(against *a, size_t v, const char *path, dq_value *fields, dq_arena *arena, bool ok,
                      dq_error *error)
{
    a->body.bytes = 0;
    dq_status status = ok ? dq_json_write(&a->body, fields, error) : dq_fail_memory(error, "a request");
    if (!status) status = dq_http_submit(a->http, path, a->body.data, a->body.bytes, v, 0, error);
    a->visits[v].waits += !status;
    dq_arena_free(arena);
    return status;
}

/* The places are items at random with this probability each, so that the log has propensities to learn from.
 */
static bool ask_to_explore(double epsilon, dq_arena *arena, dq_value *fields)
{
    dq_value how = dq_map();
    return !(epsilon > 0) || (dq_map_set(arena, &how, "method", dq_string(arena, "epsilon")) &&
                              dq_map_set(arena, &how, "epsilon", dq_real(epsilon)) &&
                              dq_map_set(arena, fields, "explore", how));
}

static dq_status ask_list(against *a, size_t v, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value fields = dq_map();
    bool ok = dq_map_set(&arena, &fields, "user_id",
                         dq_string(&arena, dq_visitor_user(a->visits[v].visitor))) &&
              dq_map_set(&arena, &fields, "n_recommendations", dq_int((int64_t)a->o->list)) &&
              ask_to_explore(a->o->explore, &arena, &fields);
    return post(a, v, "api/recommend", &fields, &arena, ok, error);
}

static dq_status answer(against *a, size_t v, const dq_value *request, const dq_value *item,
                        const char *label, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value fields = dq_map();
    bool ok = dq_map_set(&arena, &fields, "request_id", *request) &&
              dq_map_set(&arena, &fields, "item_id", *item) &&
              dq_map_set(&arena, &fields, "label", dq_string(&arena, label));
    return post(a, v, "api/feedback", &fields, &arena, ok, error);
}

/* ---- what comes back ---- */

static tally *tally_of(against *a, const dq_value *model)
{
    char name[MODEL] = "-";
    if (model && model->type == DQ_STRING)
        (void)snprintf(name, sizeof name, "%.*s", (int)model->count, model->as.string);
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->tallies[i].model, name) == 0) return &a->tallies[i];
    if (!dq_array_reserve(&a->tallies, &a->capacity, a->count + 1, sizeof *a->tallies)) return NULL;
    tally *t = &a->tallies[a->count++];
    *t = (tally){0};
    memcpy(t->model, name, sizeof name);
    return t;
}

static dq_status look_at(against *a, size_t v, tally *t, const dq_value *request, const dq_value *item,
                         dq_error *error)
{
    const dq_value *id = item->type == DQ_MAP ? dq_map_get(item, "item_id") : NULL;
    dq_visitor_look look;
    if (!id || id->type != DQ_STRING) return dq_fail(error, DQ_ERR_SCHEMA, "an item without an item_id");
    dq_status status = dq_visitor_look_at(a->visits[v].visitor, id->as.string, id->count, &look, error);
    if (status) return status;
    t->shown++;
    t->clicks += look.clicked;
    t->reward += (double)look.reward;
    const char *label = look.clicked ? a->o->click : a->o->pass;
    return label ? answer(a, v, request, id, label, error) : DQ_OK;
}

/* A list: he looks at its items until he leaves. */
static dq_status take_list(against *a, size_t v, const dq_value *reply, const dq_value *items,
                           dq_error *error)
{
    const dq_value *request = dq_map_get(reply, "request_id");
    tally *t = tally_of(a, dq_map_get(reply, "model"));
    dq_status status = DQ_OK;
    if (!t) return dq_fail_memory(error, "models");
    if (!request || items->type != DQ_LIST)
        return dq_fail(error, DQ_ERR_SCHEMA, "a list without a request_id");
    if (items->count == 0) return dq_fail(error, DQ_ERR_SCHEMA, "an empty list");
    t->lists++;
    for (uint32_t i = 0; !status && i < items->count && !dq_visitor_left(a->visits[v].visitor); i++)
        status = look_at(a, v, t, request, &items->as.list[i], error);
    return status;
}

/* ---- who comes ---- */

static dq_status go_on(against *a, size_t v, dq_error *error)
{
    visit *one = &a->visits[v];
    dq_status status = DQ_OK;
    if (one->waits) return DQ_OK;
    if (one->present && dq_visitor_left(one->visitor)) dq_progress_step(&a->bar, a->begun, NULL);
    if (!one->present || dq_visitor_left(one->visitor)) {
        one->present = a->begun < a->last;
        if (one->present) status = dq_visitor_begin(one->visitor, a->begun++, error);
    }
    return status || !one->present ? status : ask_list(a, v, error);
}

static dq_status take(against *a, const dq_http_answer *got, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value reply;
    size_t v = (size_t)got->tag;
    if (got->status) return dq_fail(error, got->status, "%s", got->reason);
    a->visits[v].waits--;
    dq_status status = dq_json_parse(got->body, got->bytes, &arena, &reply, error);
    const dq_value *items = !status && reply.type == DQ_MAP ? dq_map_get(&reply, "items") : NULL;
    if (items) status = take_list(a, v, &reply, items, error);
    if (status) (void)dq_error_at(error, dq_http_server(a->http), DQ_NO_RECORD);
    dq_arena_free(&arena);
    return status ? status : go_on(a, v, error);
}

static dq_status run_round(against *a, uint64_t round, dq_error *error)
{
    dq_http_answer got;
    dq_status status = DQ_OK;
    int came = 1;
    a->count = 0;
    a->last = (round + 1) * a->o->sessions;
    for (size_t v = 0; !status && v < a->o->parallel; v++) status = go_on(a, v, error);
    while (!status && dq_http_pending(a->http) && (came = dq_http_next(a->http, -1, &got, error)) >= 0)
        if (came > 0) status = take(a, &got, error);
    return came < 0 ? error->status : status;
}

/* ---- the table ---- */

static int by_model(const void *a, const void *b)
{
    return strcmp(((const tally *)a)->model, ((const tally *)b)->model);
}

/* se: of the click-through, as if items were shown by themselves. */
static dq_status print_round(against *a, uint64_t round, dq_sink *out, dq_error *error)
{
    dq_status status = DQ_OK;
    qsort(a->tallies, a->count, sizeof *a->tallies, by_model);
    for (size_t i = 0; !status && i < a->count; i++) {
        const tally *t = &a->tallies[i];
        double n = (double)t->shown, p = (double)t->clicks / n;
        status = dq_sink_printf(out, error, "%llu\t%s\t%llu\t%llu\t%llu\t%.6g\t%.3g\t%.6g\n",
                                (unsigned long long)round + 1, t->model, (unsigned long long)t->lists,
                                (unsigned long long)t->shown, (unsigned long long)t->clicks, p,
                                sqrt(p * (1 - p) / n), t->reward / n);
    }
    return status ? status : dq_sink_flush(out, error);
}

static dq_status run_all(against *a, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "round\tmodel\tlists\tshown\tclicks\tctr\tse\treward\n");
    a->bar = dq_progress_start(a->common, "asking", "sessions", a->o->rounds * a->o->sessions);
    for (uint64_t r = 0; !status && r < a->o->rounds; r++) {
        status = run_round(a, r, error);
        if (!status) status = print_round(a, r, out, error);
    }
    dq_progress_end(&a->bar);
    return status;
}

/* ---- the server ---- */

/* One line of a file. */
static dq_status read_token(against *a, dq_error *error)
{
    const char *path = a->o->token_file;
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(a->token, 1, sizeof a->token - 1, file) : 0;
    bool whole = file && !ferror(file) && feof(file);
    if (file) (void)fclose(file);
    if (!whole) return dq_fail(error, DQ_ERR_IO, "%s: cannot read a token", path);
    a->token[n] = '\0';
    a->token[strcspn(a->token, "\r\n")] = '\0';
    return *a->token ? DQ_OK : dq_fail(error, DQ_ERR_RANGE, "%s: no token", path);
}

static dq_status open_all(against *a, dq_error *error)
{
    const sim_against_options *o = a->o;
    dq_http_config config = DQ_HTTP_DEFAULTS;
    dq_status status = o->token_file ? read_token(a, error) : DQ_OK;
    bool socket = strncmp(o->address, "unix:", 5) == 0;
    config.address = socket ? "http://localhost" : o->address;
    config.socket = socket ? o->address + 5 : NULL;
    config.key = o->token_file ? a->token : NULL;
    config.parallel = (unsigned)o->parallel;
    config.attempts = ATTEMPTS;
    config.failures_most = FAILURES;
    config.seed = a->common->seed;
    if (!status) status = dq_http_new(&a->http, &config, error);
    a->visits = calloc((size_t)o->parallel, sizeof *a->visits);
    if (!status && !a->visits) status = dq_fail_memory(error, "visitors");
    for (size_t v = 0; !status && v < o->parallel; v++)
        status = dq_visitor_open(&a->visits[v].visitor, a->cli->operands[0], a->common->seed, error);
    return status;
}

dq_status sim_against(dq_cli *cli, const sim_against_options *o, const dq_common *common, dq_error *error)
{
    against a = {.cli = cli, .o = o, .common = common};
    dq_sink *out = NULL;
    dq_status status = open_all(&a, error);
    if (!status) status = dq_sink_open(&out, common->output, DQ_SINK_TEXT, error);
    if (!status) status = run_all(&a, out, error);
    status = dq_cli_close(out, status, error);
    for (size_t v = 0; a.visits && v < o->parallel; v++) dq_visitor_free(a.visits[v].visitor);
    free(a.visits);
    free(a.tallies);
    dq_json_text_free(&a.body);
    dq_http_free(a.http);
    return status;
}
