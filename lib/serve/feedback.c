/* SPDX-License-Identifier: MIT */
#include "serve/recommend.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static const dq_serve_field feedback_fields[] = {
    {"request_id", DQ_SERVE_STRING, .required = true, .max_length = 64,
     .help = "of the list that the item was in"},
    {"item_id", DQ_SERVE_STRING | DQ_SERVE_INTEGER, .required = true, .max_length = 1024},
    {"label", DQ_SERVE_STRING, .max_length = 256,
     .help = "what the user did; one of the labels of /api/status"},
    {"reward", DQ_SERVE_NUMBER, .help = "what it is worth, in place of a label, or of the label's reward"},
    {0}};
const dq_serve_schema dq_serve_feedback_body = {.name = "Feedback", .fields = feedback_fields};

static const dq_serve_field reply_fields[] = {
    {"ok", DQ_SERVE_BOOLEAN, .required = true},
    {"reward", DQ_SERVE_NUMBER, .required = true, .help = "what it is worth"},
    {0}};
const dq_serve_schema dq_serve_feedback_reply = {.name = "FeedbackTaken", .fields = reply_fields};

dq_log_text dq_serve_id(const dq_value *value, dq_arena *arena)
{
    char digits[24];
    if (value->type == DQ_STRING) return (dq_log_text){value->as.string, value->count};
    int n = snprintf(digits, sizeof digits, "%lld", (long long)dq_value_integer(value, 0));
    const char *text = dq_arena_text(arena, digits, (size_t)n);
    return (dq_log_text){text, text ? (size_t)n : 0};
}

double dq_serve_clock(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void refuse(dq_httpd_reply *reply, const dq_httpd_request *request, dq_status status,
                   const dq_error *why)
{
    if (status == DQ_ERR_UNKNOWN)
        dq_serve_problem(reply, request, 404, "Not Found", "%s", why->reason);
    else if (status == DQ_ERR_SCHEMA || status == DQ_ERR_FORMAT || status == DQ_ERR_NUMERIC)
        dq_serve_problem(reply, request, 400, "Bad Request", "%s", why->reason);
    else
        dq_serve_problem(reply, request, 503, "Service Unavailable", "the feedback was not kept: %s",
                         why->reason);
}

void dq_serve_answer_feedback(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    dq_arena *arena = call->request->arena;
    const dq_value *label = dq_map_get(&call->body, "label"), *given = dq_map_get(&call->body, "reward");
    dq_serve_answer answer = {.request = dq_serve_id(dq_map_get(&call->body, "request_id"), arena),
                              .item = dq_serve_id(dq_map_get(&call->body, "item_id"), arena),
                              .reward = given ? dq_value_number(given, (double)NAN) : (double)NAN,
                              .time = dq_serve_clock()};
    double reward;
    dq_error why = DQ_ERROR_NONE;
    if (label) answer.label = dq_serve_id(label, arena);
    if (!label && !given) {
        dq_serve_problem(reply, call->request, 400, "Bad Request", "a label or a reward is wanted");
        return;
    }
    if (given && !isfinite((float)answer.reward)) {
        dq_serve_problem(reply, call->request, 400, "Bad Request", "/reward: not finite as a float32");
        return;
    }
    dq_status status = dq_serve_log_answer(serve->log, &answer, &reward, &why);
    if (status) {
        refuse(reply, call->request, status, &why);
        return;
    }
    dq_value map = dq_map();
    (void)dq_map_set(arena, &map, "ok", dq_bool(true));
    (void)dq_map_set(arena, &map, "reward", dq_real(reward));
    dq_serve_json(reply, call->request, &map);
}
