/* SPDX-License-Identifier: MIT */
#include "port/files/json.h"
#include "serve/route.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The text of a value, in the request's arena; NULL: it has none, or memory is short. */
static const char *json_text(const dq_httpd_request *request, const dq_value *value, size_t *bytes)
{
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    const char *copy = NULL;
    if (!request->arena->failed && !dq_json_write(&text, value, NULL))
        copy = dq_arena_text(request->arena, text.data, text.bytes);
    *bytes = text.bytes;
    dq_json_text_free(&text);
    return copy;
}

static void put(dq_httpd_reply *reply, const char *type, const char *body, size_t bytes)
{
    reply->type = type;
    reply->body = body;
    reply->bytes = bytes;
}

static dq_value problem(dq_arena *arena, unsigned status, const char *title, const char *detail)
{
    dq_value map = dq_map();
    dq_map_set(arena, &map, "type", dq_string(arena, "about:blank"));
    dq_map_set(arena, &map, "title", dq_string(arena, title));
    dq_map_set(arena, &map, "status", dq_int(status));
    dq_map_set(arena, &map, "detail", dq_string(arena, detail));
    return map;
}

/* A client's bytes in the detail need not be UTF-8, of which JSON is: those that are not ASCII are left out.
 */
static void keep_ascii(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e) *text = '?';
}

void dq_serve_problem(dq_httpd_reply *reply, const dq_httpd_request *request, unsigned status,
                      const char *title, const char *format, ...)
{
    static const char fallback[] =
        "{\"type\":\"about:blank\",\"title\":\"Internal Server Error\",\"status\":500}";
    char detail[600];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    keep_ascii(detail);
    const dq_value map = problem(request->arena, status, title, detail);
    size_t bytes;
    const char *text = json_text(request, &map, &bytes);
    reply->status = text ? status : 500;
    put(reply, "application/problem+json", text ? text : fallback, text ? bytes : sizeof fallback - 1);
    reply->events = NULL;
}

void dq_serve_json(dq_httpd_reply *reply, const dq_httpd_request *request, const dq_value *value)
{
    size_t bytes;
    const char *text = json_text(request, value, &bytes);
    if (!text) {
        dq_serve_problem(reply, request, 500, "Internal Server Error", "the answer has no JSON form");
        return;
    }
    dq_serve_json_text(reply, text, bytes);
}

void dq_serve_json_text(dq_httpd_reply *reply, const char *text, size_t bytes)
{
    if (!reply->status) reply->status = 200;
    put(reply, "application/json", text, bytes);
}
