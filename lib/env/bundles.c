/* SPDX-License-Identifier: MIT */
#include "env/bundles.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCK = 8192, MAX_TEXTS = 12 };

/* A block in the making: text columns, and the row that is being filled. */
typedef struct block {
    const char *name[MAX_TEXTS];
    dq_dtype type[MAX_TEXTS];
    dq_strings texts[MAX_TEXTS];
    size_t columns, at; /* at: the next column of the present row */
    const dq_bundle_taker *taker;
    dq_status status;
    dq_error *error;
} block;

static void put(block *b, const char *name, dq_dtype type, const char *text)
{
    size_t i = b->at++;
    b->name[i] = name;
    b->type[i] = type;
    if (b->at > b->columns) b->columns = b->at;
    if (!b->status) b->status = dq_strings_add(&b->texts[i], text, text ? strlen(text) : 0, b->error);
}

static void put_format(block *b, const char *name, dq_dtype type, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void put_format(block *b, const char *name, dq_dtype type, const char *format, ...)
{
    char text[64];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put(b, name, type, text);
}

static void put_word(block *b, const char *name, const char *word)
{
    put_format(b, name, DQ_JSON, "\"%s\"", word);
}

static void put_number(block *b, const char *name, double x)
{
    put_format(b, name, DQ_JSON, "%.9g", x);
}

static void put_id(block *b, const char *name, const dq_env_entities *entities, uint32_t number)
{
    char id[DQ_ENTITY_ID_SIZE];
    dq_env_entities_name(entities, number, id);
    put(b, name, DQ_TEXT, id);
}

static void clear(block *b)
{
    for (size_t i = 0; i < b->columns; i++) dq_strings_clear(&b->texts[i]);
}

static void free_block(block *b)
{
    for (size_t i = 0; i < MAX_TEXTS; i++) dq_strings_free(&b->texts[i]);
}

/* Rows of the bundle: vectors (rows, width), and what is said of them. */
typedef struct described {
    const dq_env_entities *entities;
    const float *vectors;
    const dq_value *pairs; /* NULL: none */
} described;

static dq_status add_vectors(const described *d, dq_bundle *out, dq_error *error)
{
    const dq_env_entities *e = d->entities;
    const uint64_t shape[2] = {out->rows, e->width};
    dq_status status = DQ_OK;
    if (e->fields) status = dq_fields_write(e->fields, e->field_count, &out->arena, &out->meta, error);
    if (!status && d->pairs && !dq_map_set(&out->arena, &out->meta, "pairs", *d->pairs))
        status = dq_fail_memory(error, "a block");
    return status ? status : dq_bundle_add_tensor(out, "vector", DQ_F4, 2, shape, d->vectors, error);
}

/* Gives the block as a bundle, with vectors where there are any. */
static dq_status end_block(block *b, const char *kind, const described *vectors, dq_error *error)
{
    dq_bundle out;
    dq_status status = b->status ? b->status : dq_bundle_init(&out, kind, b->texts[0].count, error);
    if (status) return status;
    for (size_t i = 0; !status && i < b->columns; i++)
        status = dq_bundle_add_text(&out, b->name[i], b->type[i], b->texts[i].offsets, b->texts[i].data,
                                    b->texts[i].nulls, error);
    if (!status && vectors) status = add_vectors(vectors, &out, error);
    if (!status) status = b->taker->take(b->taker->arg, &out, error);
    dq_bundle_free(&out);
    clear(b);
    return status;
}

/* ---- the three kinds ---- */

static void put_preferences(block *b, const dq_person *p)
{
    char text[40 * DQ_CATEGORIES];
    size_t used = 0;
    for (int c = 0; c < DQ_CATEGORIES; c++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\"%s\":%.9g", c ? "," : "{",
                                 dq_categories[c], p->preference[c]);
    (void)snprintf(text + used, sizeof text - used, "}");
    put(b, "attr.preferences", DQ_JSON, text);
}

static void put_user(block *b, const dq_synthetic *p, uint32_t u)
{
    const dq_person *x = &p->persons[u];
    put_format(b, "attr.age", DQ_JSON, "%u", x->age);
    put_word(b, "attr.gender", dq_genders[x->gender]);
    put_number(b, "attr.income", x->income);
    put_word(b, "attr.location", dq_locations[x->location]);
    put_word(b, "attr.activity", dq_activities[x->activity]);
    put_number(b, "attr.price_sensitivity", x->price_sensitivity);
    put_word(b, "attr.segment", dq_segments[x->segment]);
    put_preferences(b, x);
}

static void put_item(block *b, const dq_synthetic *p, uint32_t i)
{
    const dq_product *x = &p->products[i];
    put_format(b, "text.title", DQ_TEXT, "%s, %s, no. %u", dq_categories[x->category],
               dq_brand_tiers[x->brand_tier], i);
    put_word(b, "attr.category", dq_categories[x->category]);
    put_number(b, "attr.price", x->price);
    put_number(b, "attr.quality", x->quality);
    put_number(b, "attr.popularity", x->popularity);
    put_word(b, "attr.brand_tier", dq_brand_tiers[x->brand_tier]);
    put_word(b, "attr.season", dq_seasons[x->season]);
}

static void put_event(block *b, const dq_env_entities *users, const dq_env_entities *items, const dq_event *e)
{
    time_t when = DQ_SYNTHETIC_BEGINNING + (time_t)e->second;
    char text[32] = "";
    struct tm parts;
    if (gmtime_r(&when, &parts)) (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    b->at = 0;
    put_id(b, "user", users, e->user);
    put_id(b, "item", items, e->item);
    put(b, "label", DQ_TEXT, dq_event_types[e->type]);
    put_word(b, "attr.time", text);
    if (e->rating)
        put_format(b, "attr.rating", DQ_JSON, "%u", e->rating);
    else
        put(b, "attr.rating", DQ_JSON, NULL);
}

/* Each field of the users with the field of the items in its place. */
static dq_status pairs_of(const dq_env_entities *users, const dq_env_entities *items, dq_arena *arena,
                          dq_value *pairs, dq_error *error)
{
    *pairs = dq_list();
    for (size_t i = 0; i < items->field_count; i++) {
        dq_value pair = dq_list();
        if (!dq_list_add(arena, &pair, dq_string(arena, users->fields[i].name)) ||
            !dq_list_add(arena, &pair, dq_string(arena, items->fields[i].name)) ||
            !dq_list_add(arena, pairs, pair))
            return dq_fail_memory(error, "pairs of fields");
    }
    return DQ_OK;
}

/* put_rest: the attributes of a row of p; NULL: there are none. */
static dq_status give_entities(const dq_env_entities *e, const char *kind, const dq_value *pairs,
                               void (*put_rest)(block *, const dq_synthetic *, uint32_t),
                               const dq_synthetic *p, const dq_bundle_taker *taker, dq_error *error)
{
    block b = {.error = error, .taker = taker};
    dq_status status = DQ_OK;
    for (uint32_t from = 0; !status && from < e->count; from += BLOCK) {
        uint32_t n = e->count - from < BLOCK ? e->count - from : BLOCK;
        for (uint32_t r = from; r < from + n; r++) {
            b.at = 0;
            put_id(&b, "id", e, r);
            if (put_rest) put_rest(&b, p, r);
        }
        const described rows = {e, e->vectors + (size_t)from * e->width, pairs};
        status = end_block(&b, kind, &rows, error);
    }
    free_block(&b);
    return status;
}

static dq_status give_items(const dq_env_entities *users, const dq_env_entities *items,
                            void (*put_rest)(block *, const dq_synthetic *, uint32_t), const dq_synthetic *p,
                            const dq_bundle_taker *taker, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value pairs;
    dq_status status = pairs_of(users, items, &arena, &pairs, error);
    if (!status)
        status = give_entities(items, DQ_KIND_ITEMS, items->fields ? &pairs : NULL, put_rest, p, taker,
                               error);
    dq_arena_free(&arena);
    return status;
}

static dq_status give_events(const dq_synthetic *p, const dq_bundle_taker *taker, dq_error *error)
{
    const dq_env_entities users = dq_synthetic_users(p), items = dq_synthetic_items(p);
    block b = {.error = error, .taker = taker};
    dq_status status = DQ_OK;
    for (size_t from = 0; !status && from < p->event_count; from += BLOCK) {
        size_t n = p->event_count - from < BLOCK ? p->event_count - from : BLOCK;
        for (size_t e = from; e < from + n; e++) put_event(&b, &users, &items, &p->events[e]);
        status = end_block(&b, DQ_KIND_INTERACTIONS, NULL, error);
    }
    free_block(&b);
    return status;
}

dq_status dq_synthetic_bundles(const dq_synthetic *p, const dq_bundle_taker *taker, dq_error *error)
{
    const dq_env_entities users = dq_synthetic_users(p), items = dq_synthetic_items(p);
    dq_status status = give_entities(&users, DQ_KIND_USERS, NULL, put_user, p, taker, error);
    if (!status) status = give_events(p, taker, error);
    return status ? status : give_items(&users, &items, put_item, p, taker, error);
}

dq_status dq_env_bundles(const dq_env *env, const dq_bundle_taker *taker, dq_error *error)
{
    dq_status status = give_entities(&env->users, DQ_KIND_USERS, NULL, NULL, NULL, taker, error);
    return status ? status : give_items(&env->users, &env->items, NULL, NULL, taker, error);
}
