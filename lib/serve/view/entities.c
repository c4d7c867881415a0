/* SPDX-License-Identifier: MIT */
#include "serve/view/view.h"

#include "data/time.h"
#include "port/files/json.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

static dq_status no_memory(dq_error *error)
{
    return dq_fail_memory(error, "a view");
}

static const dq_entities *side_of(const dq_catalogue *catalogue, dq_view_side side)
{
    return side == DQ_VIEW_USERS ? &catalogue->users : &catalogue->items;
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A text that stays where it is. */
static dq_value borrow(const char *text, size_t n)
{
    return (dq_value){.type = DQ_STRING, .count = (uint32_t)n, .as.string = text};
}

/* ---- pieces ---- */

dq_value dq_view_id(const dq_entities *entities, uint32_t row)
{
    size_t n;
    const char *id = dq_entities_id(entities, row, &n);
    return borrow(id, n);
}

dq_value dq_view_title(const dq_entities *items, uint32_t row)
{
    size_t n;
    const dq_row *at = &items->rows[row];
    const dq_bundle *bundle = &items->bundles[at->bundle];
    const char *text = dq_entities_text(items, row, "text.title", &n);
    for (size_t i = 0; !text && i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        if (starts_with(c->name, "text.") && c->type == DQ_TEXT) text = dq_column_text(c, at->row, &n);
    }
    return text ? borrow(text, n) : dq_nil();
}

uint32_t *dq_view_count(const dq_catalogue *catalogue, dq_view_side side, dq_arena *arena)
{
    uint32_t n = dq_entities_count(side_of(catalogue, side));
    uint32_t *counts = dq_arena_zero(arena, (size_t)n + 1, sizeof *counts);
    for (size_t i = 0; counts && i < catalogue->interaction_count; i++) {
        const dq_interaction *x = &catalogue->interactions[i];
        uint32_t row = side == DQ_VIEW_USERS ? x->user : x->item;
        if (row != DQ_ABSENT) counts[row]++;
    }
    return counts;
}

/* A cell as a value; a text that calls itself JSON and is none is shown as it stands. */
static dq_value cell(const dq_column *c, uint64_t row, dq_arena *arena)
{
    size_t n;
    dq_value value;
    if (dq_column_is_null(c, row) || c->dims > 1) return dq_nil();
    if (dq_dtype_size(c->type)) return dq_real_or_nil(dq_column_number(c, row));
    const char *text = dq_column_text(c, row, &n);
    if (c->type == DQ_JSON && dq_json_parse(text, n, arena, &value, NULL) == DQ_OK) return value;
    return borrow(text, n);
}

/* {"NAME": value ...} of the columns PREFIX.NAME of a row that have one. */
static bool add_columns(const dq_entities *entities, uint32_t row, const char *prefix, const char *key,
                        dq_arena *arena, dq_value *map)
{
    const dq_row *at = &entities->rows[row];
    const dq_bundle *bundle = &entities->bundles[at->bundle];
    dq_value all = dq_map();
    bool ok = true;
    for (size_t i = 0; ok && i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        if (starts_with(c->name, prefix) && !dq_column_is_null(c, at->row))
            ok = dq_map_set(arena, &all, c->name + strlen(prefix), cell(c, at->row, arena));
    }
    return ok && dq_map_set(arena, map, key, all);
}

static bool describe(const dq_catalogue *catalogue, dq_view_side side, uint32_t row, uint32_t interactions,
                     dq_arena *arena, dq_value *map)
{
    const dq_entities *entities = side_of(catalogue, side);
    bool users = side == DQ_VIEW_USERS;
    *map = dq_map();
    return dq_map_set(arena, map, users ? "user_id" : "item_id", dq_view_id(entities, row)) &&
           (users || dq_map_set(arena, map, "title", dq_view_title(entities, row))) &&
           add_columns(entities, row, "text.", "texts", arena, map) &&
           add_columns(entities, row, "attr.", "attributes", arena, map) &&
           dq_map_set(arena, map, "interactions", dq_int(interactions));
}

/* ---- a list ---- */

static bool contains(const char *text, size_t n, const char *words)
{
    size_t length = strlen(words);
    for (size_t i = 0; i + length <= n; i++) {
        size_t k = 0;
        while (k < length && tolower((unsigned char)text[i + k]) == tolower((unsigned char)words[k])) k++;
        if (k == length) return true;
    }
    return false;
}

static bool matches(const dq_entities *entities, uint32_t row, const char *words)
{
    const dq_row *at = &entities->rows[row];
    const dq_bundle *bundle = &entities->bundles[at->bundle];
    size_t n;
    const char *id = dq_entities_id(entities, row, &n);
    bool found = !words || contains(id, n, words);
    for (size_t i = 0; !found && i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        bool shown = starts_with(c->name, "text.") || starts_with(c->name, "attr.");
        const char *text = shown && !dq_dtype_size(c->type) ? dq_column_text(c, at->row, &n) : NULL;
        found = text && contains(text, n, words);
    }
    return found;
}

static dq_status find(const dq_entities *entities, dq_view_side side, const char *id, uint32_t *row,
                      dq_error *error)
{
    return dq_entities_find_named(entities, side == DQ_VIEW_USERS ? "user" : "item", id, row, error);
}

/* The rows of a page from `row` on; *next is the last one's where there are more behind it. */
static bool fill(const dq_catalogue *catalogue, dq_view_side side, const dq_view_page *page, uint32_t row,
                 dq_arena *arena, dq_value *list, uint32_t *next)
{
    const dq_entities *entities = side_of(catalogue, side);
    const uint32_t *counts = dq_view_count(catalogue, side, arena);
    uint32_t last = DQ_ABSENT;
    bool ok = counts != NULL;
    for (; ok && row < dq_entities_count(entities); row++) {
        dq_value one;
        if (!matches(entities, row, page->words)) continue;
        if (list->count == page->limit) {
            *next = last;
            return true;
        }
        last = row;
        ok = describe(catalogue, side, row, counts[row], arena, &one) && dq_list_add(arena, list, one);
    }
    return ok;
}

dq_status dq_view_list(const dq_catalogue *catalogue, dq_view_side side, const dq_view_page *page,
                       dq_arena *arena, dq_value *out, dq_error *error)
{
    const dq_entities *entities = side_of(catalogue, side);
    uint32_t row = 0, next = DQ_ABSENT;
    dq_value list = dq_list();
    dq_status status = page->after ? find(entities, side, page->after, &row, error) : DQ_OK;
    if (status) return status;
    if (page->after) row++;
    *out = dq_map();
    bool ok = fill(catalogue, side, page, row, arena, &list, &next) &&
              dq_map_set(arena, out, side == DQ_VIEW_USERS ? "users" : "items", list) &&
              dq_map_set(arena, out, "next", next == DQ_ABSENT ? dq_nil() : dq_view_id(entities, next)) &&
              dq_map_set(arena, out, "total", dq_int(dq_entities_count(entities)));
    return ok ? DQ_OK : no_memory(error);
}

/* ---- one, and its history ---- */

typedef struct done {
    const dq_interaction *what;
    const dq_bundle *bundle;
    uint64_t row;
    double second; /* NAN: it has no time */
    size_t place;  /* in the stream */
} done;

static bool is_later(const done *a, const done *b)
{
    if (!isnan(a->second) && !isnan(b->second) && a->second != b->second) return a->second > b->second;
    return a->place > b->place;
}

/* Keeps the latest, the latest first. */
static void keep(done *kept, size_t *count, const done *one)
{
    size_t at = *count;
    while (at && is_later(one, &kept[at - 1])) at--;
    if (at == DQ_VIEW_HISTORY) return;
    size_t move = (*count < DQ_VIEW_HISTORY ? *count : DQ_VIEW_HISTORY - 1) - at;
    memmove(&kept[at + 1], &kept[at], move * sizeof *kept);
    kept[at] = *one;
    if (*count < DQ_VIEW_HISTORY) (*count)++;
}

static uint32_t collect(const dq_catalogue *catalogue, dq_view_side side, uint32_t row, done *kept,
                        size_t *count)
{
    size_t place = 0;
    uint32_t all = 0;
    for (size_t b = 0; b < catalogue->interaction_bundle_count; b++) {
        const dq_bundle *bundle = &catalogue->interaction_bundles[b];
        const dq_column *times = dq_time_column(bundle, "time");
        for (uint64_t r = 0; r < bundle->rows; r++, place++) {
            const dq_interaction *x = &catalogue->interactions[place];
            if ((side == DQ_VIEW_USERS ? x->user : x->item) != row) continue;
            dq_time time = dq_time_of(times, r);
            const done one = {x, bundle, r, dq_time_seconds(&time), place};
            keep(kept, count, &one);
            all++;
        }
    }
    return all;
}

static dq_value time_of(const done *one, dq_arena *arena)
{
    const dq_column *c = dq_time_column(one->bundle, "time");
    return c ? cell(c, one->row, arena) : dq_nil();
}

static bool add_done(const dq_catalogue *catalogue, dq_view_side side, const done *one,
                     const dq_label_map *map, dq_arena *arena, dq_value *list)
{
    size_t n;
    const char *label = dq_catalogue_label(catalogue, one->what, &n);
    float reward = dq_label_map_reward(map, one->what->reward, label, n);
    dq_value entry = dq_map();
    uint32_t other = side == DQ_VIEW_USERS ? one->what->item : one->what->user;
    const dq_entities *others = side == DQ_VIEW_USERS ? &catalogue->items : &catalogue->users;
    if (other == DQ_ABSENT) return true;
    return dq_map_set(arena, &entry, side == DQ_VIEW_USERS ? "item_id" : "user_id",
                      dq_view_id(others, other)) &&
           (side == DQ_VIEW_ITEMS || dq_map_set(arena, &entry, "title", dq_view_title(others, other))) &&
           dq_map_set(arena, &entry, "label", label ? borrow(label, n) : dq_nil()) &&
           dq_map_set(arena, &entry, "reward", dq_real_or_nil((double)reward)) &&
           dq_map_set(arena, &entry, "time", time_of(one, arena)) && dq_list_add(arena, list, entry);
}

dq_status dq_view_one(const dq_catalogue *catalogue, dq_view_side side, const char *id,
                      const dq_label_map *map, dq_arena *arena, dq_value *out, dq_error *error)
{
    done kept[DQ_VIEW_HISTORY];
    size_t count = 0;
    uint32_t row;
    dq_value list = dq_list();
    dq_status status = find(side_of(catalogue, side), side, id, &row, error);
    if (status) return status;
    uint32_t all = collect(catalogue, side, row, kept, &count);
    bool ok = describe(catalogue, side, row, all, arena, out);
    for (size_t i = 0; ok && i < count; i++) ok = add_done(catalogue, side, &kept[i], map, arena, &list);
    ok = ok && dq_map_set(arena, out, "history", list);
    return ok ? DQ_OK : no_memory(error);
}
