/* SPDX-License-Identifier: MIT
 *
 * Views over HTTP, read-only: how the server stands, users, items, how all is distributed, and what the
 * models make of a user. They are there without --demo, too.
 */
#include "serve/demo/demo.h"
#include "serve/models.h"
#include "serve/tables.h"
#include "serve/view/schemas.h"
#include "serve/view/view.h"

#include <string.h>

enum { LIMIT = 20, VALUES = 10 };

/* ---- a catalogue to look at ---- */

static void refuse(dq_httpd_reply *reply, const dq_httpd_request *request, const dq_error *error)
{
    if (error->status == DQ_ERR_UNKNOWN)
        dq_serve_problem(reply, request, 404, "Not Found", "%s", error->reason);
    else
        dq_serve_problem(reply, request, 503, "Service Unavailable", "%s", error->reason);
}

/* One of the views below, of the catalogue that is served. */
typedef dq_status view(dq_serve *serve, const dq_served *now, const dq_serve_call *call, dq_value *out,
                       dq_error *error);

static void answer(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply, view *make)
{
    dq_value out = dq_map();
    dq_error e = DQ_ERROR_NONE;
    const dq_served *now = serve->served ? dq_served_take(serve->served) : NULL;
    if (!now || !now->catalogue)
        dq_serve_problem(reply, call->request, 404, "Not Found", "no catalogue is served");
    else if (make(serve, now, call, &out, &e))
        refuse(reply, call->request, &e);
    else
        dq_serve_json(reply, call->request, &out); /* copies what is the catalogue's */
    if (now) dq_served_release(now);
}

/* ---- users and items ---- */

static const char *word_of(const dq_serve_call *call, const char *name)
{
    return dq_value_text(call->request->arena, dq_map_get(&call->query, name));
}

static dq_status list(const dq_served *now, dq_view_side side, const dq_serve_call *call, dq_value *out,
                      dq_error *error)
{
    const dq_view_page page = {.limit = (uint32_t)dq_value_integer(dq_map_get(&call->query, "limit"), LIMIT),
                               .after = word_of(call, "after"),
                               .words = word_of(call, "q")};
    return dq_view_list(now->catalogue, side, &page, call->request->arena, out, error);
}

static dq_status list_users(dq_serve *serve, const dq_served *now, const dq_serve_call *call, dq_value *out,
                            dq_error *error)
{
    (void)serve;
    return list(now, DQ_VIEW_USERS, call, out, error);
}

static dq_status list_items(dq_serve *serve, const dq_served *now, const dq_serve_call *call, dq_value *out,
                            dq_error *error)
{
    (void)serve;
    return list(now, DQ_VIEW_ITEMS, call, out, error);
}

static dq_status show_user(dq_serve *serve, const dq_served *now, const dq_serve_call *call, dq_value *out,
                           dq_error *error)
{
    return dq_view_one(now->catalogue, DQ_VIEW_USERS, call->id, serve->map, call->request->arena, out, error);
}

static dq_status show_item(dq_serve *serve, const dq_served *now, const dq_serve_call *call, dq_value *out,
                           dq_error *error)
{
    return dq_view_one(now->catalogue, DQ_VIEW_ITEMS, call->id, serve->map, call->request->arena, out, error);
}

static dq_status show_distributions(dq_serve *serve, const dq_served *now, const dq_serve_call *call,
                                    dq_value *out, dq_error *error)
{
    return dq_view_distributions(now->catalogue, serve->map, call->request->arena, out, error);
}

static void answer_users(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    answer(serve, call, reply, list_users);
}

static void answer_items(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    answer(serve, call, reply, list_items);
}

static void answer_user(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    answer(serve, call, reply, show_user);
}

static void answer_item(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    answer(serve, call, reply, show_item);
}

static void answer_distributions(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    answer(serve, call, reply, show_distributions);
}

/* ---- what the models make of a user ---- */

/* One model's values of all items, where it has some. */
static dq_status fill_model(dq_serve *serve, size_t i, const dq_serve_model_facts *facts,
                            const dq_served *now, uint32_t user, dq_arena *arena, dq_view_model *model,
                            dq_error *error)
{
    uint32_t items = dq_entities_count(&now->catalogue->items);
    float *q = dq_arena_zero(arena, (size_t)items + 1, sizeof *q);
    float *world = dq_arena_zero(arena, (size_t)items + 1, sizeof *world);
    dq_error why = DQ_ERROR_NONE;
    *model = (dq_view_model){.name = facts->name, .kind = facts->kind, .error = facts->error};
    if (!q || !world) return dq_fail_memory(error, "values");
    if (!facts->loaded) return DQ_OK;
    if (dq_serve_models_values(serve->models, i, now, user, q, world, &why)) {
        model->error = dq_arena_text(arena, why.reason, strlen(why.reason));
        return DQ_OK;
    }
    model->q = q;
    model->world = facts->world ? world : NULL;
    return DQ_OK;
}

static dq_status show_values(dq_serve *serve, const dq_served *now, const dq_serve_call *call, dq_value *out,
                             dq_error *error)
{
    dq_arena *arena = call->request->arena;
    dq_serve_model_facts facts;
    size_t count = 0;
    uint32_t user;
    uint32_t n = (uint32_t)dq_value_integer(dq_map_get(&call->query, "n"), VALUES);
    dq_status status = dq_entities_find_named(&now->catalogue->users, "user", word_of(call, "user_id"), &user,
                                              error);
    while (serve->models && dq_serve_models_describe(serve->models, count, arena, &facts)) count++;
    dq_view_model *models = dq_arena_zero(arena, count + 1, sizeof *models);
    if (!status && !models) status = dq_fail_memory(error, "values");
    for (size_t i = 0; !status && i < count; i++)
        if (dq_serve_models_describe(serve->models, i, arena, &facts))
            status = fill_model(serve, i, &facts, now, user, arena, &models[i], error);
    return status ? status : dq_view_values(now->catalogue, user, models, count, n, arena, out, error);
}

static void answer_values(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    answer(serve, call, reply, show_values);
}

/* ---- how the server stands ---- */

static dq_value describe_model(const dq_serve_model_facts *facts, dq_arena *arena)
{
    dq_value map = dq_map();
    dq_map_set(arena, &map, "name", dq_string(arena, facts->name));
    dq_map_set(arena, &map, "share", dq_real(facts->share));
    dq_map_set(arena, &map, "loaded", dq_bool(facts->loaded));
    dq_map_set(arena, &map, "kind", facts->kind ? dq_string(arena, facts->kind) : dq_nil());
    dq_map_set(arena, &map, "world", dq_bool(facts->world));
    dq_map_set(arena, &map, "digest", facts->digest ? dq_string(arena, facts->digest) : dq_nil());
    dq_map_set(arena, &map, "error", facts->error ? dq_string(arena, facts->error) : dq_nil());
    return map;
}

static dq_value describe_models(dq_serve *serve, dq_arena *arena)
{
    dq_serve_model_facts facts;
    dq_value list = dq_list();
    for (size_t i = 0; serve->models && dq_serve_models_describe(serve->models, i, arena, &facts); i++)
        (void)dq_list_add(arena, &list, describe_model(&facts, arena));
    return list;
}

static dq_value describe_labels(const dq_label_map *map, dq_arena *arena)
{
    dq_value list = dq_list();
    for (uint32_t i = 0; map && i < dq_index_count(&map->labels); i++) {
        size_t n;
        const char *label = dq_index_id(&map->labels, i, &n);
        dq_value entry = dq_map();
        dq_map_set(arena, &entry, "label", dq_string_n(arena, label, n));
        dq_map_set(arena, &entry, "reward", dq_real(map->rewards[i]));
        (void)dq_list_add(arena, &list, entry);
    }
    return list;
}

static void answer_status(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    dq_arena *arena = call->request->arena;
    const dq_served *now = serve->served ? dq_served_take(serve->served) : NULL;
    const dq_catalogue *c = now ? now->catalogue : NULL;
    dq_value map = dq_map();
    dq_map_set(arena, &map, "demo", dq_bool(serve->demo != NULL));
    dq_map_set(arena, &map, "version", dq_string(arena, serve->version));
    dq_map_set(arena, &map, "users", dq_int(c ? dq_entities_count(&c->users) : 0));
    dq_map_set(arena, &map, "items", dq_int(c ? dq_entities_count(&c->items) : 0));
    dq_map_set(arena, &map, "interactions", dq_int(c ? (int64_t)c->interaction_count : 0));
    dq_map_set(arena, &map, "simulated", dq_bool(now && dq_served_is_made_up(now)));
    dq_map_set(arena, &map, "models", describe_models(serve, arena));
    dq_map_set(arena, &map, "job", serve->demo ? dq_serve_demo_describe(serve->demo, arena) : dq_nil());
    dq_map_set(arena, &map, "labels", describe_labels(serve->map, arena));
    dq_serve_json(reply, call->request, &map);
    if (now) dq_served_release(now);
}

const dq_serve_route dq_serve_view_routes[] = {
    {"GET", "/api/status", "how the server stands", answer_status, .answer = &dq_view_status_answer},
    {"GET", "/api/users", "users, page by page", answer_users, .query = &dq_view_page_query,
     .answer = &dq_view_users_answer},
    {"GET", "/api/users/{id}", "a user, and what was done last", answer_user, .answer = &dq_view_user_answer},
    {"GET", "/api/items", "items, page by page", answer_items, .query = &dq_view_page_query,
     .answer = &dq_view_items_answer},
    {"GET", "/api/items/{id}", "an item, and what was done with it last", answer_item,
     .answer = &dq_view_item_answer},
    {"GET", "/api/distributions", "how interactions and attributes are distributed", answer_distributions,
     .answer = &dq_view_distributions_answer},
    {"GET", "/api/values", "what the models make of a user", answer_values, .query = &dq_view_values_query,
     .answer = &dq_view_values_answer},
    {0}};
