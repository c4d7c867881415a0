/* SPDX-License-Identifier: MIT
 *
 * A list for a user: his model's scores, or where it knows nothing of him those of his history, of a bandit,
 * or of popularity; then the best of them, as dq-rank chooses.
 */
#include "serve/recommend.h"

#include "core/array.h"
#include "core/digest.h"
#include "data/time.h"
#include "port/files/json.h"
#include "rank/lists.h"
#include "serve/cold.h"
#include "serve/models.h"
#include "serve/tables.h"
#include "serve/view/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ITEMS = 1000, DEFAULT_ITEMS = 10, MOST_HISTORY = 1000 };

/* ---- what is asked and answered ---- */

static const dq_serve_field event_fields[] = {
    {"item_id", DQ_SERVE_STRING | DQ_SERVE_INTEGER, .required = true, .max_length = 1024},
    {"label", DQ_SERVE_STRING, .max_length = 256},
    {"reward", DQ_SERVE_NUMBER, .required = false},
    {"time", DQ_SERVE_STRING | DQ_SERVE_NUMBER, .max_length = 64, .help = "ISO 8601, or seconds since 1970"},
    {0}};
static const dq_serve_schema event_schema = {.name = "Event", .fields = event_fields};

static const char *const methods[] = {"epsilon", "softmax", "ensemble", NULL};
static const dq_serve_field explore_fields[] = {
    {"method", DQ_SERVE_STRING, .required = true, .choices = methods,
     .help = "epsilon: each place is a random item with probability `epsilon`; softmax: drawn by exp(score / "
             "`temperature`); ensemble: the list of one of the model's networks"},
    {"epsilon", DQ_SERVE_NUMBER, .min = 0, .max = 1},
    {"temperature", DQ_SERVE_NUMBER, .min = 1e-9, .max = 1e9},
    {0}};
static const dq_serve_schema explore_schema = {.name = "Explore", .fields = explore_fields};

static const dq_serve_field body_fields[] = {
    {"user_id", DQ_SERVE_STRING | DQ_SERVE_INTEGER, .required = true, .max_length = 1024,
     .help = "an integer stands for its decimal form"},
    {"n_recommendations", DQ_SERVE_INTEGER, .min = 1, .max = MOST_ITEMS, .help = "items wanted (10)"},
    {"history", DQ_SERVE_LIST, .max_items = MOST_HISTORY, .of_type = DQ_SERVE_OBJECT, .of = &event_schema,
     .help = "what the user did, the earliest first, in place of what the server knows of him"},
    {"exclude", DQ_SERVE_LIST, .of_type = DQ_SERVE_STRING | DQ_SERVE_INTEGER, .max_length = 1024,
     .help = "ids of items that are not wanted"},
    {"candidates", DQ_SERVE_LIST, .of_type = DQ_SERVE_STRING | DQ_SERVE_INTEGER, .max_length = 1024,
     .help = "ids of the items to choose from (all)"},
    {"explore", DQ_SERVE_OBJECT, .of = &explore_schema, .help = "let chance have a part in the places"},
    {"diversity", DQ_SERVE_NUMBER, .min = 0, .max = 1,
     .help = "0: relevance alone; 1: items unlike one another alone (maximal marginal relevance)"},
    {0}};
static const dq_serve_schema body = {.name = "RecommendRequest", .fields = body_fields};

static const dq_serve_field item_fields[] = {
    {"item_id", DQ_SERVE_STRING, .required = true},
    {"rank", DQ_SERVE_INTEGER, .required = true},
    {"score", DQ_SERVE_NUMBER, .required = true},
    {"title", DQ_SERVE_STRING | DQ_SERVE_NULL, .required = true},
    {"propensity", DQ_SERVE_NUMBER, .required = true,
     .help = "the probability of this item at this place, given those above it"},
    {0}};
static const dq_serve_schema item_schema = {.name = "RecommendedItem", .fields = item_fields};

static const dq_serve_field answer_fields[] = {
    {"request_id", DQ_SERVE_STRING, .required = true, .help = "for /api/feedback"},
    {"user_id", DQ_SERVE_STRING, .required = true},
    {"model", DQ_SERVE_STRING | DQ_SERVE_NULL, .required = true, .help = "who chose: the log's column model"},
    {"items", DQ_SERVE_LIST, .required = true, .of_type = DQ_SERVE_OBJECT, .of = &item_schema},
    {"fallback", DQ_SERVE_STRING | DQ_SERVE_NULL, .required = true,
     .help = "null: the model chose; \"history\": items that others met who met the same; \"thompson\", "
             "\"linucb\": "
             "a bandit; \"popularity\""},
    {0}};
static const dq_serve_schema answer = {.name = "Recommendations", .fields = answer_fields};

/* ---- one request ---- */

typedef struct asking {
    dq_serve *serve;
    dq_serve_call call;
    dq_httpd_reply *reply;
    dq_arena *arena;
    dq_serve_taken taken;
    dq_serve_scoring scoring;
    const dq_serve_scores *scores; /* the model's; NULL: it has none yet */
    dq_ranker_who who;
    uint64_t version; /* of his state */
    dq_rank_config config;
    const char *fallback, *chooser;
    char request[DQ_SERVE_REQUEST_ID];
    dq_rank_place *places; /* (count) */
    size_t count;
    dq_error why;
} asking;

static bool refuse(asking *a, unsigned status, const char *why)
{
    dq_serve_problem(a->reply, a->call.request, status, status == 400 ? "Bad Request" : "Service Unavailable",
                     "%s", why);
    return false;
}

static bool fail(asking *a)
{
    return refuse(a, 503, a->why.reason);
}

static const dq_value *asked(const asking *a, const char *name)
{
    return dq_map_get(&a->call.body, name);
}

/* ---- the user ---- */

static bool find_user(asking *a)
{
    const dq_served *now = dq_served_take(a->serve->served);
    a->who.id = dq_served_user_id(now, asked(a, "user_id"), a->arena);
    dq_served_release(now);
    if (!a->who.id) return refuse(a, 503, "out of memory");
    const dq_value *id = asked(a, "user_id");
    a->who.id_bytes = id->type == DQ_STRING ? id->count : strlen(a->who.id);
    dq_serve_models_take(a->serve->models, a->who.id, a->who.id_bytes, &a->taken);
    if (!a->taken.items) return refuse(a, 503, "there is no catalogue yet");
    a->who.row = dq_entities_find(&a->taken.items->catalogue->users, a->who.id, a->who.id_bytes);
    return true;
}

static double time_of(const dq_value *value)
{
    if (!value) return (double)NAN;
    if (value->type != DQ_STRING) return dq_value_number(value, (double)NAN);
    const dq_time time = dq_time_parse(value->as.string, value->count);
    return dq_time_seconds(&time);
}

/* An event of the request; an item that the catalogue does not have is passed over (*known false). */
static bool read_event(asking *a, const dq_value *from, dq_ranker_event *to, bool *known)
{
    const dq_value *label = dq_map_get(from, "label"), *reward = dq_map_get(from, "reward");
    dq_log_text item = dq_serve_id(dq_map_get(from, "item_id"), a->arena);
    *to = (dq_ranker_event){.item = dq_entities_find(&a->taken.items->catalogue->items, item.at, item.bytes),
                            .reward = reward ? (float)dq_value_number(reward, (double)NAN) : NAN,
                            .time = time_of(dq_map_get(from, "time"))};
    if (label) {
        to->label = label->as.string;
        to->label_bytes = label->count;
    }
    if (isinf(to->reward)) return refuse(a, 400, "/history: a reward that is not finite as a float32");
    if (dq_map_get(from, "time") && isnan(to->time)) return refuse(a, 400, "/history: a time that is none");
    *known = to->item != DQ_ABSENT;
    return true;
}

/* What he did: as the request says, or as the server knows. */
static bool find_history(asking *a)
{
    const dq_value *history = asked(a, "history");
    dq_ranker_event *events;
    bool reads = a->taken.ranker && dq_ranker_get_about(a->taken.ranker)->reads_history;
    a->who.whole = history != NULL;
    a->version = reads ? UINT64_MAX : 0; /* 0: nothing that he does changes his scores */
    if (!history) {
        bool asks = reads || a->who.row == DQ_ABSENT || !a->taken.ranker;
        if (dq_serve_log_history(a->serve->log, a->who.id, a->who.id_bytes, a->taken.items,
                                 asks ? a->arena : NULL, &a->version, asks ? &events : NULL,
                                 asks ? &a->who.event_count : NULL, &a->why))
            return fail(a);
        a->who.events = asks ? events : NULL;
        if (!reads) a->version = 0;
        return true;
    }
    events = dq_arena_zero(a->arena, (size_t)history->count + 1, sizeof *events);
    if (!events) return refuse(a, 503, "out of memory");
    for (uint32_t i = 0; i < history->count; i++) {
        bool known = false;
        if (!read_event(a, &history->as.list[i], &events[a->who.event_count], &known)) return false;
        a->who.event_count += known;
    }
    a->who.events = events;
    return true;
}

/* ---- the order ---- */

static bool read_explore(asking *a, const dq_value *explore)
{
    const dq_value *method = dq_map_get(explore, "method");
    const dq_value *epsilon = dq_map_get(explore, "epsilon"), *heat = dq_map_get(explore, "temperature");
    size_t networks = a->taken.ranker ? dq_ranker_get_about(a->taken.ranker)->networks : 0;
    bool by_epsilon = dq_value_is(method, "epsilon"), by_softmax = dq_value_is(method, "softmax");
    if (by_epsilon != (epsilon != NULL) || by_softmax != (heat != NULL))
        return refuse(a, 400,
                      "/explore: epsilon goes with epsilon, temperature with softmax, neither with ensemble");
    a->config.epsilon = epsilon ? dq_value_number(epsilon, 0) : 0;
    a->config.temperature = heat ? dq_value_number(heat, 0) : 0;
    a->config.order = by_epsilon ? DQ_RANK_EPSILON : by_softmax ? DQ_RANK_SOFTMAX : DQ_RANK_ENSEMBLE;
    a->config.members = networks;
    if (a->config.order == DQ_RANK_ENSEMBLE && networks < 2)
        return refuse(a, 400,
                      "/explore: the user's model has one network, or is not loaded: nothing to draw from");
    return true;
}

static bool read_order(asking *a)
{
    const dq_value *n = asked(a, "n_recommendations"), *explore = asked(a, "explore"),
                   *diversity = asked(a, "diversity");
    size_t k = n ? (size_t)dq_value_integer(n, DEFAULT_ITEMS) : DEFAULT_ITEMS;
    if (k > a->taken.items->count) k = a->taken.items->count;
    a->config = (dq_rank_config){.k = k, .order = DQ_RANK_SCORE, .pool = 10 * k, .lambda = 1};
    a->config.seed = dq_digest(a->request, strlen(a->request));
    if (explore && diversity) return refuse(a, 400, "/explore and /diversity: one of them");
    if (explore) return read_explore(a, explore);
    if (!diversity || dq_value_number(diversity, 0) <= 0) return true;
    a->config.order = DQ_RANK_MMR;
    a->config.lambda = 1 - dq_value_number(diversity, 0);
    return a->taken.items->block.width || refuse(a, 400, "/diversity: the items have no vectors to compare");
}

/* Items that are asked for, or asked to be left out, as flags by row. */
static bool mark(asking *a, const char *name, uint8_t *flags, uint8_t flag)
{
    const dq_value *list = asked(a, name);
    for (uint32_t i = 0; list && i < list->count; i++) {
        dq_log_text id = dq_serve_id(&list->as.list[i], a->arena);
        uint32_t row = dq_entities_find(&a->taken.items->catalogue->items, id.at, id.bytes);
        if (row != DQ_ABSENT)
            flags[row] = flag;
        else if (!flag)
            return refuse(a, 400, "/candidates: an item that the catalogue does not have");
    }
    return true;
}

static bool read_left_out(asking *a)
{
    if (!asked(a, "exclude") && !asked(a, "candidates")) return true;
    size_t count = a->taken.items->count;
    uint8_t *flags = dq_arena_take(a->arena, count + 1);
    if (!flags) return refuse(a, 503, "out of memory");
    memset(flags, asked(a, "candidates") != NULL, count);
    a->config.left_out = flags;
    return mark(a, "candidates", flags, 0) && mark(a, "exclude", flags, 1);
}

/* ---- the list ---- */

/* Chooses of all items by their scores; members: of several networks. */
static bool choose(asking *a, const float *scores, const float *members)
{
    const dq_rank_block *block = &a->taken.items->block;
    size_t networks = members ? dq_ranker_get_about(a->taken.ranker)->networks : 1;
    dq_rank_lists lists = {0};
    a->places = dq_arena_zero(a->arena, a->config.k + 1, sizeof *a->places);
    bool ok = a->places != NULL &&
              !dq_rank_lists_open_one(&lists, &a->config, a->who.id, a->who.id_bytes, &a->why) &&
              !dq_rank_lists_offer_scores(&lists, 0, scores, members, networks, block, &a->why) &&
              !dq_rank_lists_finish(&lists, 0, a->places, &a->count, &a->why);
    for (size_t i = 0; ok && i < a->count; i++) /* their ids go with the lists */
        ok = (a->places[i].item = dq_arena_text(a->arena, a->places[i].item, a->places[i].item_bytes)) !=
             NULL;
    dq_rank_lists_free(&lists);
    return ok || refuse(a, 503, a->why.status ? a->why.reason : "out of memory");
}

static bool by_model(asking *a)
{
    const dq_serve_scores *scores = a->scores;
    if (!scores && dq_serve_taken_score(&a->taken, &a->who, a->version, &scores, &a->why)) return fail(a);
    a->scores = scores;
    a->chooser = a->taken.name;
    return choose(a, scores->scores, scores->members);
}

/* Rows that are not left out; NULL: all (or memory is short: *ok false). */
static uint32_t *list_candidates(asking *a, size_t *n, bool *ok)
{
    *n = a->taken.items->count;
    *ok = true;
    if (!a->config.left_out) return NULL;
    uint32_t *rows = dq_arena_take(a->arena, (*n + 1) * sizeof *rows);
    size_t count = 0;
    for (uint32_t r = 0; rows && r < *n; r++)
        if (!a->config.left_out[r]) rows[count++] = r;
    *n = count;
    *ok = rows != NULL;
    return rows;
}

/* The bandit's list, whose propensities are its own. */
static bool by_bandit(asking *a)
{
    size_t n, k = a->config.k;
    bool ok;
    const uint32_t *rows = list_candidates(a, &n, &ok);
    dq_serve_cold_place *found = dq_arena_zero(a->arena, k + 1, sizeof *found);
    a->places = dq_arena_zero(a->arena, k + 1, sizeof *a->places);
    if (!ok || !found || !a->places) return refuse(a, 503, "out of memory");
    if (a->config.order != DQ_RANK_SCORE)
        return refuse(
            a, 400,
            "/explore and /diversity: nothing is known of the user, and the bandit explores by itself");
    a->fallback = a->chooser = dq_serve_cold_name(a->serve->cold);
    if (n && dq_serve_cold_rank(a->serve->cold, a->request, strlen(a->request), rows, n, k, found, &a->count,
                                &a->why))
        return fail(a);
    for (size_t i = 0; i < a->count; i++) {
        dq_rank_place *place = &a->places[i];
        place->item = dq_entities_id(&a->taken.items->catalogue->items, found[i].item, &place->item_bytes);
        place->score = found[i].score;
        place->propensity = found[i].propensity;
    }
    return true;
}

/* Of whom the model knows nothing: by what he did, else by popularity. */
static bool by_fallback(asking *a)
{
    const dq_ranking_items *items = a->taken.items;
    float *scores = dq_arena_take(a->arena, (items->count + 1) * sizeof *scores);
    uint32_t *history = dq_arena_take(a->arena, (a->who.event_count + 1) * sizeof *history);
    bool near = false;
    if (!scores || !history) return refuse(a, 503, "out of memory");
    if (a->config.order == DQ_RANK_ENSEMBLE)
        return refuse(a, 400,
                      "/explore: the model does not know the user, so that no network has a list for him");
    for (size_t i = 0; i < a->who.event_count; i++) history[i] = a->who.events[i].item;
    if (dq_ranking_items_near(items, history, a->who.event_count, scores, &near, &a->why)) return fail(a);
    a->fallback = a->chooser = near ? "history" : "popularity";
    return choose(a, near ? scores : items->popularity, NULL);
}

static bool is_known(const asking *a)
{
    return a->taken.ranker && dq_ranker_knows(a->taken.ranker, &a->who);
}

static bool rank(asking *a)
{
    if (is_known(a)) return by_model(a);
    const dq_serve_cold *cold = a->who.event_count ? NULL : a->serve->cold;
    return cold && dq_serve_cold_ranks(cold, a->taken.items->catalogue) ? by_bandit(a) : by_fallback(a);
}

/* ---- the answer ---- */

/* What is drawn has its probability, what is not has 1. */
static double propensity_of(const dq_rank_place *place)
{
    return isnan(place->propensity) ? 1 : place->propensity;
}

static bool log_list(asking *a)
{
    dq_log_row *rows = dq_arena_zero(a->arena, a->count + 1, sizeof *rows);
    if (!rows) return refuse(a, 503, "out of memory");
    double now = dq_serve_clock();
    for (size_t i = 0; i < a->count; i++)
        rows[i] = (dq_log_row){.user = {a->who.id, a->who.id_bytes},
                               .item = {a->places[i].item, a->places[i].item_bytes},
                               .request = {a->request, strlen(a->request)},
                               .model = {a->chooser, strlen(a->chooser)},
                               .position = (uint32_t)i + 1,
                               .propensity = propensity_of(&a->places[i]),
                               .reward = (double)NAN,
                               .time = now};
    return !dq_serve_log_show(a->serve->log, rows, a->count, &a->why) || fail(a);
}

static bool put(dq_json_text *out, const char *name, const dq_value *value)
{
    return !dq_json_write_raw(out, name, strlen(name), NULL) && !dq_json_write(out, value, NULL);
}

/* Text that the arena need not copy. */
static dq_value borrowed(const char *text, size_t bytes)
{
    return text ? (dq_value){.type = DQ_STRING, .count = (uint32_t)bytes, .as.string = text} : dq_nil();
}

static bool put_item(asking *a, dq_json_text *out, size_t i)
{
    const dq_rank_place *place = &a->places[i];
    const dq_entities *items = &a->taken.items->catalogue->items;
    const dq_value id = borrowed(place->item, place->item_bytes), rank = dq_int((int64_t)i + 1),
                   score = dq_real(dq_json_real_of(place->score)), /* as dq-rank writes it */
        title = dq_view_title(items, dq_entities_find(items, place->item, place->item_bytes)),
                   propensity = dq_real(propensity_of(place));
    return put(out, i ? ",{\"item_id\":" : "{\"item_id\":", &id) && put(out, ",\"rank\":", &rank) &&
           put(out, ",\"score\":", &score) && put(out, ",\"title\":", &title) &&
           put(out, ",\"propensity\":", &propensity) && !dq_json_write_raw(out, "}", 1, NULL);
}

/* Written as it goes: as a value first, it would be half of what a list costs whose scores are kept. */
static bool put_answer(asking *a, dq_json_text *out)
{
    static const char items[] = ",\"items\":[";
    const dq_value request = borrowed(a->request, strlen(a->request)),
                   user = borrowed(a->who.id, a->who.id_bytes),
                   chooser = borrowed(a->chooser, a->chooser ? strlen(a->chooser) : 0),
                   fallback = borrowed(a->fallback, a->fallback ? strlen(a->fallback) : 0);
    bool ok = put(out, "{\"request_id\":", &request) && put(out, ",\"user_id\":", &user) &&
              put(out, ",\"model\":", &chooser) && !dq_json_write_raw(out, items, sizeof items - 1, NULL);
    for (size_t i = 0; ok && i < a->count; i++) ok = put_item(a, out, i);
    return ok && put(out, "],\"fallback\":", &fallback) && !dq_json_write_raw(out, "}", 1, NULL);
}

static void write_answer(asking *a)
{
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    bool room = dq_array_reserve(&text.data, &text.capacity, 256 + 160 * a->count, 1); /* most need no more */
    const char *copy = room && put_answer(a, &text) ? dq_arena_text(a->arena, text.data, text.bytes) : NULL;
    if (copy)
        dq_serve_json_text(a->reply, copy, text.bytes);
    else
        (void)refuse(a, 503, "the answer has no JSON form, or memory is short");
    dq_json_text_free(&text);
}

static void answer_list(asking *a)
{
    if (rank(a) && log_list(a)) write_answer(a);
}

static void end(asking *a)
{
    dq_serve_scores_release(a->scores);
    dq_serve_taken_release(&a->taken);
}

/* ---- a list whose scores are computed together with those of others ---- */

static void resume(void *arg)
{
    const asking *a = arg;
    dq_httpd_resume(a->call.request);
}

static void go_on(void *arg, const dq_httpd_request *request, dq_httpd_reply *reply)
{
    asking *a = arg;
    (void)request;
    a->reply = reply;
    if (dq_serve_taken_end(&a->taken, &a->scoring, &a->scores, &a->why))
        (void)fail(a);
    else
        answer_list(a);
    end(a);
}

/* Nobody is there any more who could be shown a list. */
static void drop(void *arg)
{
    asking *a = arg;
    dq_serve_taken_give_up(&a->scoring);
    end(a);
}

/* True: go_on answers, when others who ask now have been read, too, and all have their scores. */
static bool waits(asking *a)
{
    const dq_httpd_request *request = a->call.request;
    if (!request->connection || !is_known(a)) return false; /* a part of the server asks */
    a->scores = dq_serve_taken_find(&a->taken, &a->who, a->version);
    if (a->scores || dq_serve_taken_reserve(&a->taken, &a->who, a->version, &a->scoring, &a->why))
        return false;
    if (!dq_httpd_suspend(request)) {
        dq_serve_taken_give_up(&a->scoring);
        return false;
    }
    a->reply->later = go_on;
    a->reply->dropped = drop;
    a->reply->later_arg = a;
    dq_serve_taken_begin(&a->taken, &a->scoring, resume, a);
    return true;
}

static void answer_recommend(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    dq_arena *arena = call->request->arena;
    asking *a = dq_arena_take(arena, sizeof *a);
    if (!a) {
        dq_serve_problem(reply, call->request, 503, "Service Unavailable", "out of memory");
        return;
    }
    *a = (asking){.serve = serve, .call = *call, .reply = reply, .arena = arena};
    a->why = DQ_ERROR_NONE;
    dq_serve_log_request(serve->log, a->request);
    if (find_user(a) && find_history(a) && read_order(a) && read_left_out(a)) {
        if (waits(a)) return;
        answer_list(a);
    }
    end(a);
}

const dq_serve_route dq_serve_recommend_routes[] = {
    {"POST", "/api/recommend", "the best items for a user", answer_recommend, .body = &body,
     .answer = &answer},
    {"POST", "/api/feedback", "what a user made of an item that was shown", dq_serve_answer_feedback,
     .body = &dq_serve_feedback_body, .answer = &dq_serve_feedback_reply},
    {0}};
