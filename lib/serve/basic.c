/* SPDX-License-Identifier: MIT
 *
 * What every server answers: whether it is well, its numbers, and what it can be asked.
 */
#include "serve/openapi.h"
#include "serve/server.h"
#include "serve/tables.h"

#include <string.h>

static const dq_serve_field health_fields[] = {
    {"status", DQ_SERVE_STRING, .required = true, .help = "\"ok\""},
    {"version", DQ_SERVE_STRING, .required = true, .help = "of the program"},
    {0}};
static const dq_serve_schema health_answer = {.name = "Health", .fields = health_fields};

static void answer_health(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    dq_arena *arena = call->request->arena;
    dq_value map = dq_map();
    if (serve->stopping) {
        dq_serve_problem(reply, call->request, 503, "Service Unavailable", "the server stops");
        return;
    }
    dq_map_set(arena, &map, "status", dq_string(arena, "ok"));
    dq_map_set(arena, &map, "version", dq_string(arena, serve->version));
    dq_serve_json(reply, call->request, &map);
}

static void answer_metrics(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    dq_arena *arena = call->request->arena;
    if (!dq_telemetry_write(serve->telemetry, &text, NULL))
        reply->body = dq_arena_text(arena, text.data, text.bytes);
    reply->bytes = text.bytes;
    dq_json_text_free(&text);
    if (!reply->body) dq_serve_problem(reply, call->request, 503, "Service Unavailable", "out of memory");
}

static void answer_openapi(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    dq_value description;
    if (dq_serve_openapi(serve, call->request->arena, &description))
        dq_serve_json(reply, call->request, &description);
    else
        dq_serve_problem(reply, call->request, 503, "Service Unavailable", "out of memory");
}

const dq_serve_route dq_serve_basic_routes[] = {
    {"GET", "/api/health", "whether the server is well", answer_health, .answer = &health_answer,
     .flags = DQ_SERVE_PUBLIC},
    {"GET", "/metrics", "counters, gauges and histograms, for Prometheus", answer_metrics,
     .type = "text/plain; version=0.0.4; charset=utf-8"},
    {"GET", "/api/openapi.json", "this description (OpenAPI 3.1)", answer_openapi,
     .type = "application/json"},
    {0}};
