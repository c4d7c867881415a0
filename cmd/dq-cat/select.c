/* SPDX-License-Identifier: MIT */
#include "cat.h"

#include <stdlib.h>
#include <string.h>

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for a selection");
}

int dq_cat_side_of(const char *kind)
{
    if (!kind) return -1;
    if (strcmp(kind, DQ_KIND_USERS) == 0) return DQ_CAT_USERS;
    return strcmp(kind, DQ_KIND_ITEMS) == 0 ? DQ_CAT_ITEMS : -1;
}

bool dq_cat_is_table(const dq_bundle *bundle)
{
    if (strcmp(bundle->kind, DQ_KIND_MODEL) == 0) return false;
    for (size_t i = 0; i < bundle->column_count; i++)
        if (bundle->columns[i].shape[0] != bundle->rows) return false;
    return true;
}

static bool wants_kind(const dq_cat_select *s, const char *kind)
{
    if (s->kinds.count == 0 && (s->user || s->item)) {
        int side = dq_cat_side_of(kind);
        return (side == DQ_CAT_USERS && s->user) || (side == DQ_CAT_ITEMS && s->item);
    }
    for (size_t i = 0; i < s->kinds.count; i++)
        if (strcmp(s->kinds.at[i], kind) == 0) return true;
    return s->kinds.count == 0;
}

static void begin_section(dq_cat_select *s, uint64_t section)
{
    if (s->section == section) return;
    s->section = section;
    for (int i = 0; i < DQ_CAT_SIDES; i++) {
        dq_strings_clear(&s->side[i].ids);
        s->side[i].kept = 0;
    }
}

/* ---- which rows ---- */

/* The text that a row has in a column, through its reference when it is one; NULL when there is none. */
static const char *name_of(const dq_cat_select *s, const dq_column *column, uint64_t row, size_t *bytes)
{
    int side = dq_cat_side_of(column->ref);
    if (dq_dtype_size(column->type) == 0) return dq_column_text(column, row, bytes);
    if (side < 0 || column->dims != 1 || dq_column_is_null(column, row)) return NULL;
    return dq_strings_get(&s->side[side].ids, (size_t)dq_column_number(column, row), bytes);
}

/* Whether the row's column, where the kind has it, names the wanted id. */
static bool names(const dq_cat_select *s, const dq_column *column, uint64_t row, const char *wanted)
{
    size_t n;
    if (!wanted || !column) return true;
    const char *text = name_of(s, column, row, &n);
    return text && strlen(wanted) == n && memcmp(text, wanted, n) == 0;
}

/* Whether a row that the references mean was left out. */
static bool lost(const dq_cat_select *s, const dq_bundle *bundle, uint64_t row)
{
    for (size_t i = 0; i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        int side = dq_cat_side_of(c->ref);
        uint64_t width = dq_column_width(c);
        for (uint64_t k = 0; side >= 0 && k < width; k++)
            if (!dq_column_is_null(c, row) &&
                s->side[side].place[(size_t)dq_column_number(c, row * width + k)] == UINT32_MAX)
                return true;
    }
    return false;
}

/* Enters the bundle's ids; their places are UINT32_MAX until rows are chosen. */
static dq_status enter_ids(dq_cat_side *side, const dq_bundle *bundle, dq_error *error)
{
    const dq_column *ids = dq_bundle_column(bundle, "id");
    size_t need = side->ids.count + bundle->rows;
    if (need > side->room) {
        size_t room = 2 * side->room > need ? 2 * side->room : need;
        uint32_t *place = realloc(side->place, room * sizeof *place);
        if (!place) return no_memory(error);
        side->place = place;
        side->room = room;
    }
    dq_status status = DQ_OK;
    for (uint64_t r = 0; !status && r < bundle->rows; r++) {
        size_t n;
        const char *id = dq_column_text(ids, r, &n);
        side->place[side->ids.count] = UINT32_MAX;
        status = dq_strings_add(&side->ids, id, n, error);
    }
    return status;
}

/* The columns that say whether a row is wanted; each may be NULL. */
typedef struct test_columns {
    const dq_column *user, *item, *time;
} test_columns;

static bool matches(const dq_cat_select *s, const dq_bundle *bundle, const test_columns *w, uint64_t row)
{
    return names(s, w->user, row, s->user) && names(s, w->item, row, s->item) &&
           dq_cat_in_time(s, w->time, row) && !(s->renumber && lost(s, bundle, row));
}

/* Takes one matching row, or counts it and passes on. */
static void take(dq_cat_select *s, uint64_t row, dq_cat_side *side, size_t first)
{
    bool wanted = !s->by_row || s->matched == s->row;
    s->matched++;
    if (!wanted) return;
    s->rows[s->count++] = (uint32_t)row;
    s->kept++;
    if (side) side->place[first + row] = side->kept++;
    if (s->by_row || (s->by_head && s->kept == s->head)) s->done = true;
}

static bool moved(const dq_cat_select *s, const dq_bundle *bundle)
{
    for (size_t i = 0; i < bundle->column_count; i++) {
        int side = dq_cat_side_of(bundle->columns[i].ref);
        if (side >= 0 && s->side[side].kept != s->side[side].ids.count) return true;
    }
    return false;
}

/* Transitions without the users and items that they count would be no stream. */
static dq_status check_referred(const dq_cat_select *s, const dq_bundle *bundle, dq_error *error)
{
    for (size_t i = 0; s->renumber && i < bundle->column_count; i++) {
        const char *ref = bundle->columns[i].ref;
        if (dq_cat_side_of(ref) >= 0 && !wants_kind(s, ref))
            return dq_fail(error, DQ_ERR_RANGE, "%s refer to %s: add --kind %s", bundle->kind, ref, ref);
    }
    return DQ_OK;
}

/* An id given without other kinds names one row: once found, we are done. */
static bool found_single(const dq_cat_select *s)
{
    bool single = s->kinds.count ? s->kinds.count == 1 : !s->user != !s->item;
    const char *kind = s->kinds.count ? s->kinds.at[0] : s->user ? DQ_KIND_USERS : DQ_KIND_ITEMS;
    int side = dq_cat_side_of(kind);
    return single && s->kept == 1 && ((side == DQ_CAT_USERS && s->user) || (side == DQ_CAT_ITEMS && s->item));
}

dq_status dq_cat_choose(dq_cat_select *select, const dq_bundle *bundle, uint64_t section, dq_error *error)
{
    dq_cat_select *s = select;
    int number = dq_cat_side_of(bundle->kind);
    dq_cat_side *side = number >= 0 ? &s->side[number] : NULL;
    begin_section(s, section);
    size_t first = side ? side->ids.count : 0;
    dq_status status = side ? enter_ids(side, bundle, error) : DQ_OK;
    if (status) return status;
    s->count = 0;
    s->whole = false;
    if (s->by_head && s->kept == s->head) s->done = true;
    if (s->done || !wants_kind(s, bundle->kind)) return DQ_OK;
    if ((status = check_referred(s, bundle, error))) return status;
    bool table = dq_cat_is_table(bundle);
    uint64_t rows = table ? bundle->rows : 1;
    if (rows > s->room) {
        uint32_t *grown = realloc(s->rows, rows * sizeof *grown);
        if (!grown) return no_memory(error);
        s->rows = grown;
        s->room = rows;
    }
    test_columns w = {.user = dq_bundle_column(bundle, number == DQ_CAT_USERS ? "id" : "user"),
                      .item = dq_bundle_column(bundle, number == DQ_CAT_ITEMS ? "id" : "item")};
    if ((status = dq_cat_time_column(s, bundle, &w.time, error))) return status;
    for (uint64_t r = 0; r < rows && !s->done; r++)
        if (!table || matches(s, bundle, &w, r)) take(s, r, side, first);
    s->whole = s->count == rows && !(s->renumber && moved(s, bundle));
    if (found_single(s)) s->done = true;
    return DQ_OK;
}

/* ---- a bundle of its own ---- */

static void renumber(const dq_cat_select *s, const dq_column *c)
{
    const uint32_t *place = s->side[dq_cat_side_of(c->ref)].place;
    uint64_t n = c->shape[0] * dq_column_width(c);
    for (uint64_t i = 0; i < n; i++) {
        if (dq_column_is_null(c, i)) continue;
        uint64_t to = place[(size_t)dq_column_number(c, i)];
        /* little-endian: the low bytes come first. The new number is at most the old one. The memory is ours,
         * from dq_bundle_select. */
        memcpy((unsigned char *)(uintptr_t)c->data + i * dq_dtype_size(c->type), &to, dq_dtype_size(c->type));
    }
}

dq_status dq_cat_extract(const dq_cat_select *select, const dq_bundle *bundle, dq_bundle *to, dq_error *error)
{
    dq_status status = dq_bundle_select(to, bundle, select->rows, select->count, error);
    for (size_t i = 0; !status && select->renumber && i < to->column_count; i++)
        if (dq_cat_side_of(to->columns[i].ref) >= 0) renumber(select, &to->columns[i]);
    return status;
}

dq_status dq_cat_found(const dq_cat_select *select, dq_error *error)
{
    if (select->kept) return DQ_OK;
    if (select->by_row)
        return dq_fail(error, DQ_ERR_UNKNOWN, "no row %llu: there are %llu", (unsigned long long)select->row,
                       (unsigned long long)select->matched);
    if (select->user && select->item)
        return dq_fail(error, DQ_ERR_UNKNOWN, "nothing of user %s and item %s", select->user, select->item);
    if (select->user) return dq_fail(error, DQ_ERR_UNKNOWN, "no user %s", select->user);
    if (select->item) return dq_fail(error, DQ_ERR_UNKNOWN, "no item %s", select->item);
    return DQ_OK;
}

void dq_cat_select_free(dq_cat_select *select)
{
    for (int i = 0; i < DQ_CAT_SIDES; i++) {
        dq_strings_free(&select->side[i].ids);
        free(select->side[i].place);
    }
    free(select->rows);
    *select = (dq_cat_select){0};
}
