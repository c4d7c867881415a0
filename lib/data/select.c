/* SPDX-License-Identifier: MIT */
#include "data/select.h"

#include "core/array.h"
#include "core/words/nearest.h"
#include "dq/schema.h"

#include <stdlib.h>
#include <string.h>

bool dq_select_is_table(const dq_bundle *bundle)
{
    return strcmp(bundle->kind, DQ_KIND_MODEL) != 0;
}

/* Whether an id of this kind's own is asked for. */
static bool names_entity(const dq_selection *s, const char *kind)
{
    int number = dq_entity_kind(kind);
    return (number == DQ_USERS && s->user.count) || (number == DQ_ITEMS && s->item.count);
}

bool dq_select_wants(const dq_selection *s, const char *kind)
{
    if (s->kind_count == 0 && (s->user.count || s->item.count)) return names_entity(s, kind);
    for (size_t i = 0; i < s->kind_count; i++)
        if (strcmp(s->kinds[i], kind) == 0) return true;
    return s->kind_count == 0;
}

/* Notes which of the kinds that are asked for there are. */
static void note_kind(dq_selection *s, const char *kind)
{
    for (size_t i = 0; i < s->kind_count && i < DQ_SELECT_KINDS; i++)
        if (strcmp(s->kinds[i], kind) == 0) s->kinds_came |= UINT64_C(1) << i;
}

/* Of models, that it was kept as what is asked for. */
static bool wants_model(dq_selection *s, const dq_bundle *bundle)
{
    if (!s->kept_as || strcmp(bundle->kind, DQ_KIND_MODEL) != 0) return true;
    const dq_value *kept = dq_map_get(&bundle->meta, "kept");
    size_t n = strlen(s->kept_as);
    bool wanted = kept && kept->type == DQ_STRING && kept->count == n &&
                  memcmp(kept->as.string, s->kept_as, n) == 0;
    s->kept_came = s->kept_came || wanted;
    return wanted;
}

static void begin_section(dq_selection *s, uint64_t section)
{
    if (s->section == section) return;
    s->section = section;
    for (int i = 0; i < DQ_ENTITY_KINDS; i++) {
        dq_strings_clear(&s->entities[i].ids);
        s->entities[i].kept = 0;
    }
}

/* ---- which rows ---- */

const char *dq_select_id(const dq_selection *s, const dq_column *column, uint64_t i, size_t *bytes)
{
    int kind = dq_entity_kind(column->ref);
    return kind < 0 ? NULL
                    : dq_strings_get(&s->entities[kind].ids, (size_t)dq_column_number(column, i), bytes);
}

/* The text that a row has in a column, through its reference when it is one; NULL when there is none. */
static const char *name_of(const dq_selection *s, const dq_column *column, uint64_t row, size_t *bytes)
{
    if (dq_dtype_size(column->type) == 0) return dq_column_text(column, row, bytes);
    if (column->dims != 1 || dq_column_is_null(column, row)) return NULL;
    return dq_select_id(s, column, row, bytes);
}

/* Whether a text is one of the ids; notes that it came. */
static bool is_wanted(dq_wanted *wanted, const char *text, size_t n)
{
    bool found = false;
    for (size_t i = 0; text && i < wanted->count; i++) {
        if (strlen(wanted->ids[i]) != n || memcmp(text, wanted->ids[i], n) != 0) continue;
        wanted->came |= UINT64_C(1) << i;
        found = true;
    }
    return found;
}

/* Whether the row's column, where the kind has it, names a wanted id. */
static bool names(const dq_selection *s, const dq_column *column, uint64_t row, dq_wanted *wanted)
{
    size_t n = 0;
    if (!wanted->count || !column) return true;
    const char *text = name_of(s, column, row, &n);
    return is_wanted(wanted, text, n);
}

/* Whether a row that the references mean was left out. */
static bool lost(const dq_selection *s, const dq_bundle *bundle, uint64_t row)
{
    for (size_t i = 0; i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        int kind = dq_entity_kind(c->ref);
        uint64_t width = dq_column_width(c);
        for (uint64_t k = 0; kind >= 0 && k < width; k++)
            if (!dq_column_is_null(c, row) &&
                s->entities[kind].place[(size_t)dq_column_number(c, row * width + k)] == DQ_ABSENT)
                return true;
    }
    return false;
}

/* Enters the bundle's ids; their places are DQ_ABSENT until rows are chosen. Notes which wanted ones came,
 * whether or not their rows are chosen. */
static dq_status enter_ids(dq_selected *entities, const dq_bundle *bundle, dq_wanted *wanted, dq_error *error)
{
    const dq_column *ids = dq_bundle_column(bundle, "id");
    size_t need = entities->ids.count + bundle->rows;
    if (!dq_array_reserve(&entities->place, &entities->capacity, need, sizeof *entities->place))
        return dq_fail_memory(error, "a selection");
    dq_status status = DQ_OK;
    for (uint64_t r = 0; !status && r < bundle->rows; r++) {
        size_t n;
        const char *id = dq_column_text(ids, r, &n);
        (void)is_wanted(wanted, id, n);
        entities->place[entities->ids.count] = DQ_ABSENT;
        status = dq_strings_add(&entities->ids, id, n, error);
    }
    return status;
}

/* Where a time is asked for, the column of interactions that says it; NULL when none matters. */
static dq_status find_time(const dq_selection *s, const dq_bundle *bundle, const dq_column **time,
                           dq_error *error)
{
    *time = NULL;
    if (s->since.form == DQ_TIME_NONE && s->before.form == DQ_TIME_NONE) return DQ_OK;
    if (strcmp(bundle->kind, DQ_KIND_INTERACTIONS) != 0) return DQ_OK;
    *time = dq_time_column(bundle, s->time);
    if (*time) return DQ_OK;
    const char *other = dq_time_suggest(bundle);
    return dq_fail(error, DQ_ERR_UNKNOWN,
                   "the interactions have no attribute '%s' that says their time%s%s%s", s->time,
                   other ? "; '" : "", other ? other : "", other ? "' reads as one (--time)" : "");
}

/* Which of two instants is earlier, where four digits are a year beside a date and beside a number that is no
 * small one: nobody means the first hour of 1970. */
static int compare_times(dq_time a, dq_time b)
{
    if (!dq_time_is_small(&a)) b = dq_time_beside_dates(b);
    if (!dq_time_is_small(&b)) a = dq_time_beside_dates(a);
    return dq_time_compare(&a, &b);
}

/* Whether a row lies between the bounds; one without a time does not. */
static dq_status in_span(dq_selection *s, const dq_bundle *bundle, const dq_column *column, uint64_t row,
                         bool *in, dq_error *error)
{
    dq_time time;
    *in = true;
    if (!column) return DQ_OK;
    dq_status status = dq_time_take(bundle, column, row, &time, error);
    if (status) return status;
    dq_time_count(&s->times, &time);
    *in = time.form != DQ_TIME_NONE &&
          !(s->since.form != DQ_TIME_NONE && compare_times(time, s->since) < 0) &&
          !(s->before.form != DQ_TIME_NONE && compare_times(time, s->before) >= 0);
    return DQ_OK;
}

/* The columns that say whether a row is wanted; each may be NULL. */
typedef struct test_columns {
    const dq_column *user, *item, *time;
} test_columns;

static dq_status match(dq_selection *s, const dq_bundle *bundle, const test_columns *w, uint64_t row,
                       bool *matches, dq_error *error)
{
    bool user = names(s, w->user, row, &s->user);
    bool item = names(s, w->item, row, &s->item);
    *matches = user && item && !(s->renumber && lost(s, bundle, row));
    return *matches ? in_span(s, bundle, w->time, row, matches, error) : DQ_OK;
}

/* Takes one matching row, or counts it and passes on. */
static void take(dq_selection *s, uint64_t row, dq_selected *entities, size_t first)
{
    bool wanted = !s->by_row || s->matched == s->row;
    s->matched++;
    if (!wanted) return;
    s->rows[s->count++] = (uint32_t)row;
    s->kept++;
    if (entities) entities->place[first + row] = entities->kept++;
    if (s->by_row) s->done = true;
}

static bool moved(const dq_selection *s, const dq_bundle *bundle)
{
    for (size_t i = 0; i < bundle->column_count; i++) {
        int kind = dq_entity_kind(bundle->columns[i].ref);
        if (kind >= 0 && s->entities[kind].kept != s->entities[kind].ids.count) return true;
    }
    return false;
}

/* Transitions without the users and items that they count would be no stream. */
static dq_status check_referred(const dq_selection *s, const dq_bundle *bundle, dq_error *error)
{
    for (size_t i = 0; s->renumber && i < bundle->column_count; i++) {
        const char *ref = bundle->columns[i].ref;
        if (dq_entity_kind(ref) >= 0 && !dq_select_wants(s, ref))
            return dq_fail(error, DQ_ERR_RANGE, "%s refer to %s, which are not selected", bundle->kind, ref);
    }
    return DQ_OK;
}

/* Ids given without other kinds name a row each: once all are found, we are done. */
static bool found_all(const dq_selection *s)
{
    bool single = s->kind_count ? s->kind_count == 1 : !s->user.count != !s->item.count;
    const char *kind = s->kind_count ? s->kinds[0] : s->user.count ? DQ_KIND_USERS : DQ_KIND_ITEMS;
    const dq_wanted *wanted = dq_entity_kind(kind) == DQ_USERS ? &s->user : &s->item;
    return single && names_entity(s, kind) && s->kept == wanted->count;
}

bool dq_select_done(const dq_selection *s)
{
    return s->done || (s->by_head && s->kept == s->head);
}

static dq_status reserve_rows(dq_selection *s, uint64_t rows, dq_error *error)
{
    bool room = dq_array_reserve(&s->rows, &s->capacity, (size_t)rows, sizeof *s->rows);
    return room ? DQ_OK : dq_fail_memory(error, "a selection");
}

dq_status dq_select_rows(dq_selection *s, const dq_bundle *bundle, uint64_t section, dq_error *error)
{
    int kind = dq_entity_kind(bundle->kind);
    dq_selected *entities = kind >= 0 && !s->no_ids ? &s->entities[kind] : NULL;
    dq_wanted *wanted = kind == DQ_USERS ? &s->user : &s->item;
    begin_section(s, section);
    note_kind(s, bundle->kind);
    size_t first = entities ? entities->ids.count : 0;
    if (bundle->rows >= DQ_ABSENT) return dq_fail(error, DQ_ERR_RANGE, "%s: too many rows", bundle->kind);
    dq_status status = entities ? enter_ids(entities, bundle, wanted, error) : DQ_OK;
    if (status) return status;
    s->count = 0;
    s->whole = false;
    if (dq_select_done(s) || !dq_select_wants(s, bundle->kind) || !wants_model(s, bundle)) return DQ_OK;
    test_columns w = {.user = dq_bundle_column(bundle, kind == DQ_USERS ? "id" : "user"),
                      .item = dq_bundle_column(bundle, kind == DQ_ITEMS ? "id" : "item")};
    bool table = dq_select_is_table(bundle);
    uint64_t rows = table ? bundle->rows : 1;
    if ((status = check_referred(s, bundle, error)) || (status = reserve_rows(s, rows, error)) ||
        (status = find_time(s, bundle, &w.time, error)))
        return status;
    for (uint64_t r = 0; r < rows && !dq_select_done(s); r++) {
        bool matches = true;
        if (table && (status = match(s, bundle, &w, r, &matches, error))) return status;
        if (matches) take(s, r, entities, first);
    }
    s->whole = s->count == rows && !(s->renumber && moved(s, bundle));
    if (found_all(s)) s->done = true;
    return DQ_OK;
}

/* ---- a bundle of its own ---- */

static void renumber(const dq_selection *s, const dq_column *c)
{
    const uint32_t *place = s->entities[dq_entity_kind(c->ref)].place;
    uint64_t n = c->shape[0] * dq_column_width(c);
    for (uint64_t i = 0; i < n; i++) {
        if (dq_column_is_null(c, i)) continue;
        uint64_t to = place[(size_t)dq_column_number(c, i)];
        /* little-endian: the low bytes come first. The new number is at most the old one. The memory is ours,
         * from dq_bundle_select. */
        memcpy((unsigned char *)(uintptr_t)c->data + i * dq_dtype_size(c->type), &to, dq_dtype_size(c->type));
    }
}

dq_status dq_select_copy(const dq_selection *s, const dq_bundle *bundle, dq_bundle *to, dq_error *error)
{
    dq_status status = dq_bundle_select(to, bundle, s->rows, s->count, error);
    for (size_t i = 0; !status && s->renumber && i < to->column_count; i++)
        if (dq_entity_kind(to->columns[i].ref) >= 0) renumber(s, &to->columns[i]);
    return status;
}

const char *dq_select_kind_at(size_t i)
{
    static const char *const kinds[] = {DQ_KIND_USERS,       DQ_KIND_ITEMS,    DQ_KIND_INTERACTIONS,
                                        DQ_KIND_TRANSITIONS, DQ_KIND_RANKINGS, DQ_KIND_MODEL};
    return i < sizeof kinds / sizeof *kinds ? kinds[i] : NULL;
}

static const char *kind_at(const void *none, size_t i)
{
    (void)none;
    return dq_select_kind_at(i);
}

/* "; did you mean users?" of a kind that is none of the usual ones. */
static dq_hint hint_of(const char *kind)
{
    const char *known;
    for (size_t i = 0; (known = dq_select_kind_at(i)); i++)
        if (strcmp(known, kind) == 0) return (dq_hint){.words = ""};
    return dq_hint_of(kind, strlen(kind), kind_at, NULL);
}

static dq_status found_kinds(const dq_selection *s, dq_error *error)
{
    for (size_t i = 0; i < s->kind_count && i < DQ_SELECT_KINDS; i++)
        if (!(s->kinds_came >> i & 1))
            return dq_fail(error, DQ_ERR_UNKNOWN, "no %s in the stream%s; dq-cat --count says what is there",
                           s->kinds[i], hint_of(s->kinds[i]).words);
    return DQ_OK;
}

static dq_status found_ids(const dq_wanted *wanted, const char *what, dq_error *error)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (!(wanted->came >> i & 1)) return dq_fail(error, DQ_ERR_UNKNOWN, "no %s %s", what, wanted->ids[i]);
    return DQ_OK;
}

dq_status dq_select_found(const dq_selection *s, dq_error *error)
{
    if (s->kept_as && !s->kept_came && !dq_select_done(s))
        return dq_fail(error, DQ_ERR_UNKNOWN, "no model that was kept as the %s (dq-train --keep both)",
                       s->kept_as);
    dq_status status = dq_time_check_forms(&s->times, s->time ? s->time : "", error);
    if (status || dq_select_done(s)) return status; /* what was not read may be there */
    if ((status = found_kinds(s, error))) return status;
    if ((status = found_ids(&s->user, "user", error)) || (status = found_ids(&s->item, "item", error)))
        return status;
    if (s->by_row)
        return dq_fail(error, DQ_ERR_UNKNOWN, "no row %llu: there are %llu", (unsigned long long)s->row,
                       (unsigned long long)s->matched);
    bool bounded = s->since.form != DQ_TIME_NONE || s->before.form != DQ_TIME_NONE;
    if (s->user.count && s->item.count && !s->kept && !bounded)
        return dq_fail(error, DQ_ERR_UNKNOWN, "nothing of user %s and item %s", s->user.ids[0],
                       s->item.ids[0]);
    return DQ_OK;
}

void dq_select_free(dq_selection *s)
{
    for (int i = 0; i < DQ_ENTITY_KINDS; i++) {
        dq_strings_free(&s->entities[i].ids);
        free(s->entities[i].place);
    }
    free(s->rows);
    *s = (dq_selection){0};
}
