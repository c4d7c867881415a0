/* SPDX-License-Identifier: MIT */
#include "serve/view/view.h"

#include "core/array.h"
#include "port/files/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static dq_status no_memory(dq_error *error)
{
    return dq_fail_memory(error, "distributions");
}

/* ---- numbers ---- */

static bool add_bin(double from, double to, uint64_t count, dq_arena *arena, dq_value *bins)
{
    dq_value bin = dq_map();
    return dq_map_set(arena, &bin, "from", dq_real(from)) && dq_map_set(arena, &bin, "to", dq_real(to)) &&
           dq_map_set(arena, &bin, "count", dq_int((int64_t)count)) && dq_list_add(arena, bins, bin);
}

/* Bins over [min, max]: as many as it takes, of one width. Whole numbers n lie in [n, n + 1). */
static bool add_bins(const double *numbers, size_t n, double min, double max, bool whole, dq_arena *arena,
                     dq_value *bins)
{
    uint64_t counts[DQ_VIEW_BINS] = {0};
    double span = max - min + whole;
    double width = whole ? ceil(span / DQ_VIEW_BINS) : span / DQ_VIEW_BINS;
    size_t used = width > 0 && isfinite(width) ? (size_t)ceil(span / width) : 1;
    if (used > DQ_VIEW_BINS) used = DQ_VIEW_BINS;
    for (size_t i = 0; i < n; i++) {
        double at = used > 1 ? floor((numbers[i] - min) / width) : 0;
        counts[at < (double)used ? (size_t)at : used - 1]++;
    }
    bool ok = true;
    for (size_t b = 0; ok && b < used; b++) {
        double end = b + 1 < used || whole ? min + (double)(b + 1) * width : max;
        ok = add_bin(min + (double)b * width, end, counts[b], arena, bins);
    }
    return ok;
}

dq_status dq_view_histogram(const double *numbers, size_t n, bool whole, dq_arena *arena, dq_value *out,
                            dq_error *error)
{
    double min = n ? numbers[0] : NAN, max = min, sum = 0;
    dq_value bins = dq_list();
    for (size_t i = 0; i < n; i++) {
        min = fmin(min, numbers[i]);
        max = fmax(max, numbers[i]);
        sum += numbers[i];
    }
    *out = dq_map();
    bool ok = dq_map_set(arena, out, "mean", dq_real_or_nil(n ? sum / (double)n : NAN)) &&
              dq_map_set(arena, out, "min", dq_real_or_nil(min)) &&
              dq_map_set(arena, out, "max", dq_real_or_nil(max)) &&
              (!n || add_bins(numbers, n, min, max, whole, arena, &bins)) &&
              dq_map_set(arena, out, "bins", bins);
    return ok ? DQ_OK : no_memory(error);
}

/* ---- values ---- */

/* Texts, each with how often it was met. */
typedef struct tally {
    dq_index values;
    uint64_t *counts;
    size_t room;
} tally;

static void free_tally(tally *t)
{
    dq_index_free(&t->values);
    free(t->counts);
}

static dq_status count_value(tally *t, const char *text, size_t n, dq_error *error)
{
    uint32_t number;
    bool added;
    dq_status status = dq_index_add(&t->values, text, n, &number, &added, error);
    if (status) return status;
    if (!dq_array_reserve(&t->counts, &t->room, (size_t)number + 1, sizeof *t->counts))
        return no_memory(error);
    t->counts[number] = added ? 1 : t->counts[number] + 1;
    return DQ_OK;
}

/* The most frequent that was not taken yet; of equally frequent ones the first that was met. */
static uint32_t most_frequent(const tally *t)
{
    uint32_t best = DQ_ABSENT;
    for (uint32_t i = 0; i < dq_index_count(&t->values); i++)
        /* each value has its count: NOLINTNEXTLINE(*.NullDereference) */
        if (t->counts[i] && (best == DQ_ABSENT || t->counts[i] > t->counts[best])) best = i;
    return best;
}

/* A value as JSON has it, copied. */
static dq_value value_of(const tally *t, uint32_t number, bool json, dq_arena *arena)
{
    size_t n;
    dq_value value;
    const char *text = dq_index_id(&t->values, number, &n);
    if (json && dq_json_parse(text, n, arena, &value, NULL) == DQ_OK) return value;
    return dq_string_n(arena, text, n);
}

/* [{"value", "count"}], and with a map their rewards; the counts of those that are listed become 0. */
static bool add_values(tally *t, size_t most, bool json, const dq_label_map *map, dq_arena *arena,
                       dq_value *list)
{
    uint32_t number;
    bool ok = true;
    for (size_t i = 0; ok && i < most && (number = most_frequent(t)) != DQ_ABSENT; i++) {
        size_t n;
        double reward;
        const char *text = dq_index_id(&t->values, number, &n);
        dq_value entry = dq_map();
        ok = dq_map_set(arena, &entry, "value", value_of(t, number, json, arena)) &&
             dq_map_set(arena, &entry, "count", dq_int((int64_t)t->counts[number]));
        if (ok && map)
            ok = dq_map_set(arena, &entry, "reward",
                            dq_label_map_find(map, text, n, &reward) ? dq_real(reward) : dq_nil());
        ok = ok && dq_list_add(arena, list, entry);
        t->counts[number] = 0;
    }
    return ok;
}

/* ---- interactions ---- */

static dq_status add_labels(const dq_catalogue *catalogue, const dq_label_map *map, dq_arena *arena,
                            dq_value *out, dq_error *error)
{
    tally t = {0};
    dq_value list = dq_list();
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < catalogue->interaction_count; i++) {
        size_t n;
        const char *label = dq_catalogue_label(catalogue, &catalogue->interactions[i], &n);
        if (label) status = count_value(&t, label, n, error);
    }
    if (!status && (!add_values(&t, DQ_VIEW_VALUES, false, map, arena, &list) ||
                    !dq_map_set(arena, out, "labels", list)))
        status = no_memory(error);
    free_tally(&t);
    return status;
}

static dq_status add_histogram(const double *numbers, size_t n, bool whole, const char *key, dq_arena *arena,
                               dq_value *out, dq_error *error)
{
    dq_value histogram;
    dq_status status = dq_view_histogram(numbers, n, whole, arena, &histogram, error);
    return status || dq_map_set(arena, out, key, histogram) ? status : no_memory(error);
}

static dq_status add_rewards(const dq_catalogue *catalogue, const dq_label_map *map, dq_arena *arena,
                             dq_value *out, dq_error *error)
{
    size_t count = 0;
    double *rewards = malloc((catalogue->interaction_count + 1) * sizeof *rewards);
    if (!rewards) return no_memory(error);
    for (size_t i = 0; i < catalogue->interaction_count; i++) {
        size_t n;
        const dq_interaction *x = &catalogue->interactions[i];
        const char *label = dq_catalogue_label(catalogue, x, &n);
        rewards[count] = (double)dq_label_map_reward(map, x->reward, label, n);
        count += isfinite(rewards[count]) != 0;
    }
    dq_status status = add_histogram(rewards, count, false, "rewards", arena, out, error);
    free(rewards);
    return status;
}

static dq_status add_counts(const dq_catalogue *catalogue, dq_view_side side, const char *key,
                            dq_arena *arena, dq_value *out, dq_error *error)
{
    uint32_t n = dq_entities_count(side == DQ_VIEW_USERS ? &catalogue->users : &catalogue->items);
    const uint32_t *counts = dq_view_count(catalogue, side, arena);
    double *numbers = counts ? malloc(((size_t)n + 1) * sizeof *numbers) : NULL;
    if (!numbers) return no_memory(error);
    for (uint32_t i = 0; i < n; i++) numbers[i] = counts[i];
    dq_status status = add_histogram(numbers, n, true, key, arena, out, error);
    free(numbers);
    return status;
}

/* ---- attributes ---- */

/* One attribute of users or items. */
typedef struct attribute {
    const char *column;
    double *numbers; /* (number_count) while all are numbers */
    size_t number_count, room;
    bool numeric, compound; /* all are numbers; one is an object or a list */
    tally values;
} attribute;

static bool read_number(const char *text, size_t n, double *number)
{
    char copy[64];
    if (n >= sizeof copy) return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    return dq_json_read_number(copy, n, number) && isfinite(*number);
}

static dq_status take_cell(attribute *a, const char *text, size_t n, dq_error *error)
{
    double number;
    if (n && (*text == '{' || *text == '[')) a->compound = true;
    a->numeric = a->numeric && read_number(text, n, &number);
    if (a->numeric) {
        if (!dq_array_reserve(&a->numbers, &a->room, a->number_count + 1, sizeof *a->numbers))
            return no_memory(error);
        a->numbers[a->number_count++] = number;
    }
    return count_value(&a->values, text, n, error);
}

static dq_status read_attribute(attribute *a, const dq_entities *entities, dq_error *error)
{
    dq_status status = DQ_OK;
    a->numeric = true;
    for (uint32_t row = 0; !status && !a->compound && row < dq_entities_count(entities); row++) {
        size_t n;
        const char *text = dq_entities_text(entities, row, a->column, &n);
        if (text) status = take_cell(a, text, n, error);
    }
    return status;
}

static bool are_whole(const double *numbers, size_t n)
{
    bool whole = true;
    for (size_t i = 0; whole && i < n; i++) whole = numbers[i] == floor(numbers[i]);
    return whole;
}

static dq_status write_numbers(const attribute *a, dq_arena *arena, dq_value *entry, dq_error *error)
{
    bool whole = are_whole(a->numbers, a->number_count);
    dq_value histogram;
    dq_status status = dq_view_histogram(a->numbers, a->number_count, whole, arena, &histogram, error);
    if (status) return status;
    return dq_map_set(arena, entry, "bins", *dq_map_get(&histogram, "bins")) ? DQ_OK : no_memory(error);
}

static dq_status write_values(attribute *a, dq_arena *arena, dq_value *entry, dq_error *error)
{
    dq_value list = dq_list();
    uint64_t others = 0;
    bool ok = add_values(&a->values, DQ_VIEW_VALUES, true, NULL, arena, &list);
    for (size_t i = 0; i < dq_index_count(&a->values.values); i++) others += a->values.counts[i];
    ok = ok && dq_map_set(arena, entry, "values", list) &&
         dq_map_set(arena, entry, "others", dq_int((int64_t)others));
    return ok ? DQ_OK : no_memory(error);
}

static dq_status add_attribute(const dq_entities *entities, const char *column, dq_arena *arena,
                               dq_value *list, dq_error *error)
{
    attribute a = {.column = column};
    dq_value entry = dq_map();
    dq_status status = read_attribute(&a, entities, error);
    bool shown = !status && !a.compound && dq_index_count(&a.values.values);
    if (shown && !dq_map_set(arena, &entry, "attribute", dq_string(arena, column + strlen("attr."))))
        status = no_memory(error);
    if (shown && !status && a.numeric)
        status = write_numbers(&a, arena, &entry, error);
    else if (shown && !status)
        status = write_values(&a, arena, &entry, error);
    if (shown && !status && !dq_list_add(arena, list, entry)) status = no_memory(error);
    free(a.numbers);
    free_tally(&a.values);
    return status;
}

/* Those that the first bundle has: a catalogue's bundles have the same. */
static dq_status add_attributes(const dq_entities *entities, const char *key, dq_arena *arena, dq_value *out,
                                dq_error *error)
{
    dq_value list = dq_list();
    dq_status status = DQ_OK;
    const dq_bundle *first = entities->bundle_count ? &entities->bundles[0] : NULL;
    for (size_t i = 0; first && !status && i < first->column_count; i++) {
        const dq_column *c = &first->columns[i];
        if (strncmp(c->name, "attr.", strlen("attr.")) == 0 && !dq_dtype_size(c->type))
            status = add_attribute(entities, c->name, arena, &list, error);
    }
    return status || dq_map_set(arena, out, key, list) ? status : no_memory(error);
}

dq_status dq_view_distributions(const dq_catalogue *catalogue, const dq_label_map *map, dq_arena *arena,
                                dq_value *out, dq_error *error)
{
    *out = dq_map();
    if (!dq_map_set(arena, out, "interactions", dq_int((int64_t)catalogue->interaction_count)))
        return no_memory(error);
    dq_status status = add_labels(catalogue, map, arena, out, error);
    if (!status) status = add_rewards(catalogue, map, arena, out, error);
    if (!status) status = add_counts(catalogue, DQ_VIEW_ITEMS, "item_popularity", arena, out, error);
    if (!status) status = add_counts(catalogue, DQ_VIEW_USERS, "user_activity", arena, out, error);
    if (!status) status = add_attributes(&catalogue->users, "users", arena, out, error);
    return status ? status : add_attributes(&catalogue->items, "items", arena, out, error);
}
