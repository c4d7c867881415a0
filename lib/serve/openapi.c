/* SPDX-License-Identifier: MIT */
#include "serve/openapi.h"

#include "serve/find.h"
#include "serve/server.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const dq_serve_field problem_fields[] = {
    {"type", DQ_SERVE_STRING, .required = true, .help = "about:blank: the status says what it is"},
    {"title", DQ_SERVE_STRING, .required = true, .help = "the kind of problem"},
    {"status", DQ_SERVE_INTEGER, .required = true, .help = "the HTTP status"},
    {"detail", DQ_SERVE_STRING, .help = "what it was this time"},
    {0}};
static const dq_serve_schema problem_schema = {.name = "Problem", .fields = problem_fields};

static dq_value text(dq_arena *arena, const char *words)
{
    return dq_string(arena, words);
}

/* {key: value} */
static dq_value single(dq_arena *arena, const char *key, dq_value value)
{
    dq_value map = dq_map();
    dq_map_set(arena, &map, key, value);
    return map;
}

static dq_value reference(dq_arena *arena, const dq_serve_schema *schema)
{
    char path[160];
    snprintf(path, sizeof path, "#/components/schemas/%s", schema->name);
    return single(arena, "$ref", text(arena, path));
}

/* {type: {"schema": ...}} */
static dq_value content(dq_arena *arena, const char *type, dq_value schema)
{
    return single(arena, type, single(arena, "schema", schema));
}

/* A schema and those that its fields refer to, once each, into the components. */
static void add_schema(dq_arena *arena, dq_value *schemas, const dq_serve_schema *schema, bool taken)
{
    dq_value description;
    if (!schema || dq_map_get(schemas, schema->name)) return;
    if (!dq_serve_schema_describe(schema, taken, arena, &description)) return; /* the arena has failed */
    dq_map_set(arena, schemas, schema->name, description);
    for (const dq_serve_field *f = schema->fields; f && f->type; f++)
        add_schema(arena, schemas, f->of, taken);
}

static void add_parameter(dq_arena *arena, dq_value *list, const dq_serve_field *f, bool in_path)
{
    dq_value map = dq_map(), schema;
    if (!dq_serve_field_describe(f, true, arena, &schema)) return;
    dq_map_set(arena, &map, "name", text(arena, f->name));
    dq_map_set(arena, &map, "in", text(arena, in_path ? "path" : "query"));
    dq_map_set(arena, &map, "required", dq_bool(in_path || f->required));
    dq_map_set(arena, &map, "schema", schema);
    dq_list_add(arena, list, map);
}

static dq_value parameters(dq_arena *arena, const dq_serve_route *route)
{
    dq_value list = dq_list();
    const char *brace = strchr(route->path, '{');
    if (brace) {
        char name[40];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(brace + 1, "}"), brace + 1);
        const dq_serve_field f = {name, DQ_SERVE_STRING, .max_length = 1024};
        add_parameter(arena, &list, &f, true);
    }
    for (const dq_serve_field *f = route->query ? route->query->fields : NULL; f && f->type; f++)
        add_parameter(arena, &list, f, false);
    return list;
}

/* An answer of this status: JSON, else of a type; without both it has no body. */
static void add_response(dq_arena *arena, dq_value *map, const char *status, const char *words,
                         const char *type, const dq_serve_schema *schema)
{
    dq_value response = single(arena, "description", text(arena, words));
    if (type)
        dq_map_set(arena, &response, "content",
                   content(arena, type, schema ? reference(arena, schema) : dq_map()));
    dq_map_set(arena, map, status, response);
}

static dq_value responses(dq_arena *arena, const dq_serve_route *route)
{
    static const char json[] = "application/json";
    dq_value map = dq_map();
    char status[12];
    snprintf(status, sizeof status, "%u", route->status ? route->status : 200);
    add_response(arena, &map, status, "the answer", route->answer ? json : route->type, route->answer);
    snprintf(status, sizeof status, "%u", route->also);
    if (route->also)
        add_response(arena, &map, status, route->begun ? "it has begun" : "there is nothing yet",
                     route->begun ? json : NULL, route->begun);
    add_response(arena, &map, "default", "a problem (RFC 9457)", "application/problem+json", &problem_schema);
    return map;
}

static dq_value request_body(dq_arena *arena, const dq_serve_route *route)
{
    dq_value map = dq_map();
    bool required = false; /* no body is as good as an empty object */
    for (const dq_serve_field *f = route->body->fields; f && f->type; f++) required |= f->required;
    dq_map_set(arena, &map, "required", dq_bool(required));
    dq_map_set(arena, &map, "content", content(arena, "application/json", reference(arena, route->body)));
    return map;
}

static dq_value operation(const dq_serve *serve, dq_arena *arena, const dq_serve_route *route)
{
    dq_value map = dq_map(), list = parameters(arena, route);
    dq_map_set(arena, &map, "summary", text(arena, route->summary));
    if (list.count) dq_map_set(arena, &map, "parameters", list);
    if (route->body) dq_map_set(arena, &map, "requestBody", request_body(arena, route));
    dq_map_set(arena, &map, "responses", responses(arena, route));
    if (serve->token && route->flags & DQ_SERVE_PUBLIC) dq_map_set(arena, &map, "security", dq_list());
    return map;
}

static void add_route(const dq_serve *serve, dq_arena *arena, const dq_serve_route *route, dq_value *paths)
{
    char method[16] = "";
    for (size_t i = 0; route->method[i] && i + 1 < sizeof method; i++)
        method[i] = (char)tolower((unsigned char)route->method[i]);
    const dq_value *known = dq_map_get(paths, route->path);
    dq_value at = known ? *known : dq_map();
    dq_map_set(arena, &at, method, operation(serve, arena, route));
    dq_map_set(arena, paths, route->path, at);
}

static dq_value info(const dq_serve *serve, dq_arena *arena)
{
    dq_value map = dq_map();
    dq_map_set(arena, &map, "title", text(arena, "dq-serve"));
    dq_map_set(arena, &map, "version", text(arena, serve->version));
    dq_map_set(arena, &map, "description",
               text(arena, "recommendations, what was made of them, and how it goes"));
    return map;
}

static void add_security(dq_arena *arena, dq_value *out, dq_value *components)
{
    dq_value bearer = dq_map(), all = dq_list();
    dq_map_set(arena, &bearer, "type", text(arena, "http"));
    dq_map_set(arena, &bearer, "scheme", text(arena, "bearer"));
    dq_map_set(arena, components, "securitySchemes", single(arena, "bearer", bearer));
    dq_list_add(arena, &all, single(arena, "bearer", dq_list()));
    dq_map_set(arena, out, "security", all);
}

bool dq_serve_openapi(const dq_serve *serve, dq_arena *arena, dq_value *out)
{
    dq_value paths = dq_map(), schemas = dq_map();
    add_schema(arena, &schemas, &problem_schema, false);
    for (const dq_serve_route *const *table = serve->tables; *table; table++)
        for (const dq_serve_route *r = *table; r->method; r++) {
            if (r->flags & DQ_SERVE_ASIDE || !dq_serve_route_there(serve, r)) continue;
            add_route(serve, arena, r, &paths);
            add_schema(arena, &schemas, r->body, true);
            add_schema(arena, &schemas, r->answer, false);
            add_schema(arena, &schemas, r->begun, false);
        }
    *out = dq_map();
    dq_map_set(arena, out, "openapi", text(arena, "3.1.0"));
    dq_map_set(arena, out, "info", info(serve, arena));
    dq_map_set(arena, out, "paths", paths);
    dq_value components = single(arena, "schemas", schemas);
    if (serve->token) add_security(arena, out, &components);
    dq_map_set(arena, out, "components", components);
    return !arena->failed;
}
