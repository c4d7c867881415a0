/* SPDX-License-Identifier: MIT */
#include "label/agreement_read.h"

#include "core/array.h"
#include "core/utf8.h"
#include "data/label_map.h"
#include "data/select.h"
#include "dq/schema.h"
#include "dq/stream.h"

#include <stdlib.h>
#include <string.h>

/* In `given` while a stream is read: the label is of a transition. */
static const uint32_t OF_TRANSITION = 0x80000000;

/* ---- one stream ---- */

typedef struct reading {
    dq_labelled *to;
    uint32_t rater;
    dq_selection ids; /* knows the ids behind references */
    uint64_t transitions, again_there, again;
    char *key;
    size_t key_room;
} reading;

/* The row of a pair; a new one nobody has labelled. */
static dq_status find_pair(reading *r, const char *user, size_t user_bytes, const char *item,
                           size_t item_bytes, uint32_t **given, dq_error *error)
{
    dq_labelled *l = r->to;
    uint32_t row;
    bool added;
    size_t need = user_bytes + item_bytes + sizeof user_bytes;
    if (!dq_array_reserve(&r->key, &r->key_room, need, 1)) return dq_fail_memory(error, "a pair");
    memcpy(r->key, &user_bytes, sizeof user_bytes);
    memcpy(r->key + sizeof user_bytes, user, user_bytes);
    memcpy(r->key + sizeof user_bytes + user_bytes, item, item_bytes);
    dq_status status = dq_index_add(&l->pairs, r->key, need, &row, &added, error);
    if (status) return status;
    if (!dq_array_reserve(&l->given, &l->room, ((size_t)row + 1) * DQ_RATERS, sizeof *l->given))
        return dq_fail_memory(error, "labels");
    *given = l->given + (size_t)row * DQ_RATERS;
    for (uint32_t i = 0; added && i < DQ_RATERS; i++) (*given)[i] = DQ_NO_LABEL;
    return DQ_OK;
}

static dq_status find_label(dq_labelled *l, const char *text, size_t bytes, uint32_t *label, dq_error *error)
{
    dq_status status = dq_index_add(&l->labels, text, bytes, label, NULL, error);
    if (status || *label < DQ_RATED_LABELS) return status;
    return dq_fail(error, DQ_ERR_RANGE, "more than %d different labels", DQ_RATED_LABELS);
}

/* Keeps a label, and counts the one that it takes the place of; a transition's stays against an
 * interaction's. */
static void keep(reading *r, uint32_t *given, uint32_t label, bool transition)
{
    uint32_t *slot = &given[r->rater];
    bool there = *slot != DQ_NO_LABEL, of_transition = there && (*slot & OF_TRANSITION);
    if (transition) r->transitions++;
    if (there && of_transition == transition) (*(transition ? &r->again_there : &r->again))++;
    if (!of_transition || transition) *slot = label | (transition ? OF_TRANSITION : 0);
}

static const char *name_in(const reading *r, const dq_column *c, uint64_t row, size_t *bytes)
{
    if (!c || dq_column_is_null(c, row)) return NULL;
    return c->type == DQ_TEXT ? dq_column_text(c, row, bytes) : dq_select_id(&r->ids, c, row, bytes);
}

static dq_status take_labels(reading *r, const dq_bundle *b, dq_error *error)
{
    const dq_column *user = dq_bundle_column(b, "user"), *item = dq_bundle_column(b, "item"),
                    *label = dq_bundle_column(b, "label");
    bool transition = strcmp(b->kind, DQ_KIND_TRANSITIONS) == 0;
    dq_status status = DQ_OK;
    for (uint64_t i = 0; label && i < b->rows && !status; i++) {
        size_t user_bytes = 0, item_bytes = 0, bytes;
        const char *u = name_in(r, user, i, &user_bytes), *v = name_in(r, item, i, &item_bytes);
        const char *text = dq_column_text(label, i, &bytes);
        uint32_t number, *given = NULL;
        if (text && !(u && v)) r->to->rater[r->rater].nameless++;
        if (!text || !u || !v) continue;
        status = find_label(r->to, text, bytes, &number, error);
        if (!status) status = find_pair(r, u, user_bytes, v, item_bytes, &given, error);
        if (!status) keep(r, given, number, transition);
    }
    return status;
}

/* Where transitions have labels, those of interactions go. */
static void settle(reading *r)
{
    dq_labelled *l = r->to;
    for (size_t i = 0; i < dq_index_count(&l->pairs); i++) {
        uint32_t *slot = &l->given[i * DQ_RATERS + r->rater];
        if (*slot == DQ_NO_LABEL) continue;
        if (r->transitions && !(*slot & OF_TRANSITION))
            *slot = DQ_NO_LABEL;
        else
            *slot &= ~OF_TRANSITION;
        l->rater[r->rater].labelled += *slot != DQ_NO_LABEL;
    }
    l->rater[r->rater].again = r->transitions ? r->again_there : r->again;
}

static dq_status read_bundles(reading *r, dq_reader *in, dq_error *error)
{
    dq_bundle b;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = dq_reader_next(in, &b, error)) > 0) {
        status = dq_select_rows(&r->ids, &b, dq_reader_section(in), error);
        bool labels = strcmp(b.kind, DQ_KIND_TRANSITIONS) == 0 || strcmp(b.kind, DQ_KIND_INTERACTIONS) == 0;
        if (!status && labels) status = take_labels(r, &b, error);
        if (status) (void)dq_error_at(error, dq_reader_source(in), dq_reader_record(in));
        dq_bundle_free(&b);
    }
    return got < 0 ? error->status : status;
}

dq_status dq_labelled_read(dq_labelled *l, const char *path, dq_error *error)
{
    dq_reader *in;
    reading r = {.to = l, .rater = l->raters++};
    dq_status status = dq_reader_open(&in, &path, 1, error);
    if (status) return status;
    l->rater[r.rater].path = path;
    status = read_bundles(&r, in, error);
    if (!status) settle(&r);
    if (!status && l->rater[r.rater].labelled == 0) {
        status = dq_fail(error, DQ_ERR_SCHEMA, "no labels of pairs in its transitions or interactions");
        (void)dq_error_at(error, dq_reader_source(in), DQ_NO_RECORD);
    }
    dq_select_free(&r.ids);
    free(r.key);
    dq_reader_close(in);
    return status;
}

/* ---- all of them ---- */

/* A label with what it is sorted by. */
typedef struct sorted {
    const char *text;
    size_t bytes;
    double value;
    uint32_t was;
} sorted;

static int by_value_and_name(const void *a, const void *b)
{
    const sorted *x = a, *y = b;
    if (x->value < y->value) return -1;
    if (x->value > y->value) return 1;
    int order = memcmp(x->text, y->text, x->bytes < y->bytes ? x->bytes : y->bytes);
    return order ? order : (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* The labels that any pair has: what another label took the place of is none of the scale. Returns how many.
 */
static size_t list_labels(const dq_labelled *l, sorted *all)
{
    bool given[DQ_RATED_LABELS] = {false};
    size_t n = 0;
    for (size_t i = 0; i < dq_index_count(&l->pairs) * l->raters; i++)
        if (l->given[i] != DQ_NO_LABEL) given[l->given[i]] = true;
    for (uint32_t i = 0; i < dq_index_count(&l->labels); i++) {
        if (!given[i]) continue;
        all[n].text = dq_index_id(&l->labels, i, &all[n].bytes);
        all[n++].was = i;
    }
    return n;
}

static bool scale(dq_labelled *l, const dq_label_map *map, sorted *all, size_t n)
{
    bool ordered = true;
    for (size_t i = 0; i < n; i++) {
        if (dq_label_map_find(map, all[i].text, all[i].bytes, &all[i].value)) continue;
        if (ordered) (void)dq_utf8_show(all[i].text, all[i].bytes, l->unordered, sizeof l->unordered);
        ordered = false;
    }
    for (size_t i = 0; i < n && !ordered; i++) all[i].value = 0;
    return ordered;
}

/* How many distinct values of the map lie below this one. */
static uint32_t place_in(const dq_label_map *map, double value)
{
    uint32_t place = 0;
    for (size_t i = 0; i < dq_index_count(&map->labels); i++) {
        bool seen = false;
        for (size_t j = 0; j < i; j++) seen = seen || map->rewards[j] == map->rewards[i];
        place += map->rewards[i] < value && !seen;
    }
    return place;
}

/* Numbers the labels in their order. */
static dq_status sort_labels(dq_labelled *l, const dq_label_map *map, dq_error *error)
{
    sorted all[DQ_RATED_LABELS] = {{0}};
    uint32_t now[DQ_RATED_LABELS];
    size_t n = list_labels(l, all);
    dq_index ordered = DQ_INDEX_EMPTY;
    dq_status status = DQ_OK;
    l->ordered = scale(l, map, all, n);
    qsort(all, n, sizeof *all, by_value_and_name);
    for (uint32_t i = 0; i < n && !status; i++) {
        uint32_t number;
        now[all[i].was] = i;
        l->value[i] = all[i].value;
        l->place[i] = l->ordered ? place_in(map, all[i].value) : 0;
        if (l->place[i] >= DQ_RATED_LABELS)
            status = dq_fail(error, DQ_ERR_RANGE, "a scale of more than %d values", DQ_RATED_LABELS);
        if (!status) status = dq_index_add(&ordered, all[i].text, all[i].bytes, &number, NULL, error);
    }
    for (size_t i = 0; !status && i < dq_index_count(&l->pairs) * l->raters; i++)
        if (l->given[i] != DQ_NO_LABEL) l->given[i] = now[l->given[i]];
    dq_index_free(status ? &ordered : &l->labels);
    if (!status) l->labels = ordered;
    return status;
}

/* Rows of as many labels as there are streams; counts the pairs. Returns how many have two labels. */
static uint64_t pack(dq_labelled *l)
{
    uint64_t comparable = 0;
    for (size_t i = 0; i < dq_index_count(&l->pairs); i++) {
        uint32_t n = 0;
        memmove(l->given + i * l->raters, l->given + i * DQ_RATERS, l->raters * sizeof *l->given);
        for (uint32_t k = 0; k < l->raters; k++) n += l->given[i * l->raters + k] != DQ_NO_LABEL;
        l->in_all += n == l->raters;
        l->in_some += n > 0 && n < l->raters;
        comparable += n > 1;
    }
    return comparable;
}

dq_status dq_labelled_finish(dq_labelled *l, const char *values, dq_error *error)
{
    dq_label_map map = {0};
    dq_status status = dq_label_map_parse(&map, values, error);
    if (!status && pack(l) == 0)
        status = dq_fail(error, DQ_ERR_UNKNOWN, "no pair of a user and an item has labels of two streams");
    if (!status) status = sort_labels(l, &map, error);
    dq_label_map_free(&map);
    return status;
}

dq_ratings dq_labelled_ratings(const dq_labelled *l)
{
    return (dq_ratings){.raters = l->raters,
                        .labels = (uint32_t)dq_index_count(&l->labels),
                        .pairs = dq_index_count(&l->pairs),
                        .given = l->given,
                        .place = l->ordered ? l->place : NULL,
                        .value = l->ordered ? l->value : NULL};
}

void dq_labelled_free(dq_labelled *l)
{
    dq_index_free(&l->pairs);
    dq_index_free(&l->labels);
    free(l->given);
    *l = (dq_labelled){0};
}
