/* SPDX-License-Identifier: MIT
 *
 * What a user did before, as state: the items that he holds, or saw, which are no targets (data/seen.h). An
 * item that is near to one of them, that those who hold it would give to one of them, or that those who hold
 * something alike gave much to, is near to him.
 *
 * Several items h of a user v weigh w_v(h), together 1: of the last N (history), each recency times what the
 * one after it does. Training users give an item i a row of gains, the mean of those who hold it:
 *
 *     R(i, j) = sum_v w_v(i) g(v, j) / sum_v w_v(i)        g: gains of labels, 0 where there is none
 *
 * Whoever feature_is_left_out names holds nothing: while training a user's own group has no part in R.
 */
#include "feature/feature_impl.h"

#include "core/buffers.h"
#include "core/record.h"
#include "math/vec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* k(h, i) = exp(ALIKE (cos(h, i) - 1)), of the item field that goes best with the users'. */
#define ALIKE 14.0F

/* Numbers that k of all items may take: 1 GiB. */
enum { ALIKE_MAX = 1 << 28 };

/* ---- weights ---- */

/* The weight, before all are divided by their sum, of an item that `later` items come after. */
static double raw_weight(const feature_history *h, size_t later)
{
    return h->last == 0 || later < h->last ? pow(h->recency, (double)later) : 0;
}

/* Weights of n items in the order of time; those that the list has not do not count. */
static void weigh(const feature_history *h, const uint32_t *item, size_t n, float *weight)
{
    double sum = 0;
    size_t later = 0;
    for (size_t i = n; i-- > 0;) {
        double w = item[i] == DQ_ABSENT ? 0 : raw_weight(h, later++);
        weight[i] = (float)w;
        sum += w;
    }
    for (size_t i = 0; i < n && sum > 0; i++) weight[i] = (float)((double)weight[i] / sum);
}

/* ---- learning, and a list ---- */

dq_status feature_history_learn(dq_feature_set *set, const dq_feature_training *from, const uint32_t *user,
                                dq_error *error)
{
    feature_history *h = &set->history;
    size_t count = 0;
    if (!from->seen_start) return DQ_OK;
    for (uint32_t v = 0; v < set->users; v++)
        count += from->seen_start[user[v] + 1] - from->seen_start[user[v]];
    if (count >= UINT32_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "features of %zu items seen: at most 2^32 - 2 can be", count);
    const dq_buffer buffers[] = {DQ_BUFFER(h->start, set->users + (size_t)1), DQ_BUFFER(h->item, count)};
    if (!dq_buffers_take(&set->arena, buffers, DQ_BUFFERS(buffers)))
        return dq_fail_memory(error, "features of %zu items seen", count);
    h->last = from->history;
    h->recency = from->recency;
    count = 0;
    for (uint32_t v = 0; v < set->users; v++) {
        for (size_t s = from->seen_start[user[v]]; s < from->seen_start[user[v] + 1]; s++)
            h->item[count++] = from->item_id[from->seen[s]];
        h->start[v + 1] = (uint32_t)count;
    }
    return DQ_OK;
}

typedef struct place {
    uint64_t id;
    uint32_t number;
} place;

static int by_id(const void *a, const void *b)
{
    const place *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static uint32_t number_of(const place *places, size_t n, uint64_t id)
{
    const place wanted = {.id = id}, *at = bsearch(&wanted, places, n, sizeof *places, by_id);
    return at ? at->number : DQ_ABSENT;
}

bool feature_fits_square(uint32_t items)
{
    uint64_t stride = items + 2 * (uint64_t)dq_gemm_margin();
    return stride * stride <= ALIKE_MAX;
}

/* k of each two items, a tile of rows after the other. */
static dq_status find_alike(dq_feature_set *set, dq_error *error)
{
    feature_list *list = &set->list;
    uint32_t field = set->pairs[set->best].item;
    size_t width = set->item_fields.at[field].width, stride = list->stride;
    float *vectors = set->scratch[0].mean, *cosine = set->scratch[0].column;
    if (!feature_fits_square(list->n))
        return dq_fail(error, DQ_ERR_RANGE, "features %s: %u items are too many to compare each two of them",
                       feature_held_reciprocity.name, list->n);
    list->alike = dq_arena_zero(&list->arena, stride * stride, sizeof *list->alike);
    if (!list->alike) return dq_fail_memory(error, "features of %u items", list->n);
    for (uint32_t first = 0; first < list->n; first += FEATURE_TILE) {
        uint32_t n = list->n - first < FEATURE_TILE ? list->n - first : FEATURE_TILE;
        memset(vectors, 0, FEATURE_TILE * width * sizeof *vectors);
        memcpy(vectors, list->unit[field] + (list->margin + first) * width, n * width * sizeof *vectors);
        feature_against_items(set, vectors, field, cosine);
        for (uint32_t i = 0; i < n; i++) {
            float *to = list->alike + (list->margin + first + i) * stride + list->margin;
            for (uint32_t j = 0; j < list->n; j++)
                to[j] = expf(ALIKE * (cosine[i * stride + list->margin + j] - 1));
        }
    }
    return DQ_OK;
}

dq_status feature_history_bind(dq_feature_set *set, const uint64_t *id, bool alike, dq_error *error)
{
    feature_history *h = &set->history;
    feature_list *list = &set->list;
    if (!h->start) return DQ_OK;
    size_t count = h->start[set->users];
    place *places = malloc((list->n + (size_t)1) * sizeof *places);
    const dq_buffer buffers[] = {DQ_BUFFER(list->seen, count), DQ_BUFFER(list->seen_weight, count)};
    if (!places || !dq_buffers_take(&list->arena, buffers, DQ_BUFFERS(buffers))) {
        free(places);
        return dq_fail_memory(error, "features of %zu items seen", count);
    }
    for (uint32_t i = 0; i < list->n; i++) places[i] = (place){id[i], i};
    qsort(places, list->n, sizeof *places, by_id);
    for (size_t s = 0; s < count; s++) list->seen[s] = number_of(places, list->n, h->item[s]);
    for (uint32_t v = 0; v < set->users; v++)
        weigh(h, list->seen + h->start[v], h->start[v + 1] - h->start[v], list->seen_weight + h->start[v]);
    free(places);
    return alike ? find_alike(set, error) : DQ_OK;
}

/* ---- in a model ---- */

static const dq_record_field fields[] = {
    {"last", DQ_RECORD_SMALL, offsetof(feature_history, last)},
    {"recency", DQ_RECORD_REAL, offsetof(feature_history, recency)},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static const char key[] = "features_history";

dq_status feature_history_save(const dq_feature_set *set, dq_bundle *model, dq_error *error)
{
    const feature_history *h = &set->history;
    if (!h->start) return DQ_OK;
    const dq_record_part parts[] = {{"seen_start", DQ_U4, set->users + (uint64_t)1, 0, h->start},
                                    {"seen_item", DQ_U8, h->start[set->users], 0, h->item}};
    dq_status status = dq_record_save(fields, FIELDS, h, key, model, error);
    return status ? status : dq_record_save_parts(parts, 2, "features", model, error);
}

bool dq_feature_model_asks_seen(const dq_bundle *model)
{
    return dq_map_get(&model->meta, key) != NULL;
}

static bool is_sound(const feature_history *h, uint32_t users, uint64_t items)
{
    bool sound = h->recency > 0 && h->recency <= 1 && h->start[0] == 0 && h->start[users] == items;
    for (uint32_t v = 0; v < users; v++) sound = sound && h->start[v] <= h->start[v + 1];
    return sound;
}

dq_status feature_history_load(dq_feature_set *set, const dq_bundle *model, dq_error *error)
{
    feature_history *h = &set->history;
    uint64_t starts = set->users + (uint64_t)1, items = DQ_RECORD_ANY;
    const dq_column *column;
    if (!dq_map_get(&model->meta, key)) return DQ_OK;
    dq_status status = dq_record_restore(fields, FIELDS, h, key, model, error);
    if (!status) status = dq_record_find(model, "features.seen_item", DQ_U8, &items, &column, error);
    if (!status) status = dq_record_find(model, "features.seen_start", DQ_U4, &starts, &column, error);
    if (status) return status;
    const dq_buffer buffers[] = {DQ_BUFFER(h->start, starts), DQ_BUFFER(h->item, items)};
    if (!dq_buffers_take(&set->arena, buffers, DQ_BUFFERS(buffers))) return dq_fail_memory(error, "features");
    const dq_record_part parts[] = {{"seen_start", DQ_U4, starts, 0, h->start},
                                    {"seen_item", DQ_U8, items, 0, h->item}};
    status = dq_record_restore_parts(parts, 2, "features", model, error);
    if (!status && !is_sound(h, set->users, items))
        status = dq_fail(error, DQ_ERR_SCHEMA, "the model's features are broken: seen_start");
    return status;
}

/* ---- the asked user's items ---- */

/* Weights (items) of a user's own items within the list. */
static float *weigh_own(const feature_tile *tile, size_t u)
{
    const dq_feature_set *set = tile->set;
    const dq_feature_who *who = &tile->who[u];
    float *own = tile->scratch->own;
    double sum = 0;
    memset(own, 0, set->list.n * sizeof *own);
    for (size_t later = 0; later < who->seen_count; later++) {
        double w = raw_weight(&set->history, later);
        own[who->seen[who->seen_count - 1 - later]] += (float)w;
        sum += w;
    }
    if (sum > 0) dq_vec_scale(own, (float)(1 / sum), set->list.n);
    return own;
}

/* ---- means of what was seen ---- */

void feature_own_mean(feature_tile *tile, uint32_t field, float *to)
{
    const feature_list *list = &tile->set->list;
    size_t width = tile->set->item_fields.at[field].width;
    memset(to, 0, FEATURE_TILE * width * sizeof *to);
    for (size_t u = 0; u < tile->count; u++) {
        const float *own = weigh_own(tile, u);
        for (uint32_t i = 0; i < list->n; i++)
            if (own[i] > 0)
                dq_vec_add_scaled(to + u * width, list->unit[field] + (list->margin + i) * width, own[i],
                                  width);
    }
}

void feature_seen_mean(const dq_feature_set *set, uint32_t v, uint32_t field, float *to)
{
    const feature_list *list = &set->list;
    size_t width = set->item_fields.at[field].width;
    memset(to, 0, width * sizeof *to);
    for (uint32_t s = set->history.start[v]; s < set->history.start[v + 1]; s++)
        if (list->seen_weight[s] > 0)
            dq_vec_add_scaled(to, list->unit[field] + (list->margin + list->seen[s]) * width,
                              list->seen_weight[s], width);
}

/* ---- held-cosine ---- */

/* sum_h w(h) cos(item h, item j) is the product of j's vector with the mean of the user's items'. */
static void fill_cosine(feature_tile *tile, uint32_t field, float *to)
{
    feature_own_mean(tile, field, tile->scratch->mean);
    feature_against_items(tile->set, tile->scratch->mean, field, to);
}

const dq_feature_kind feature_held_cosine = {
    .name = "held-cosine",
    .help = "cosine of the item's fields with those of what the user has seen, as z-score",
    .needs = DQ_FEATURE_PAIR | DQ_FEATURE_SEEN,
    .columns = feature_count_item_fields,
    .name_column = feature_name_item_field,
    .fill = fill_cosine,
};

/* ---- held-reciprocity ---- */

/* sum (items) of w_v(i) over those who count for the tile's user. */
static void count_holders(const feature_tile *tile, size_t u, double *sum)
{
    const dq_feature_set *set = tile->set;
    memset(sum, 0, set->list.n * sizeof *sum);
    for (uint32_t v = 0; v < set->users; v++) {
        if (feature_is_left_out(tile, u, v)) continue;
        for (uint32_t s = set->history.start[v]; s < set->history.start[v + 1]; s++)
            if (set->list.seen_weight[s] > 0) sum[set->list.seen[s]] += (double)set->list.seen_weight[s];
    }
}

/* row (items) = sum_h w(h) R(j, h), 0 where nobody holds j; has (items): whether somebody does. */
static void find_given(const feature_tile *tile, size_t u, float *row, float *has)
{
    const dq_feature_set *set = tile->set;
    const feature_list *list = &set->list;
    double *holders = tile->scratch->holders, *given = holders + list->n;
    const float *own = weigh_own(tile, u);
    count_holders(tile, u, holders);
    memset(given, 0, list->n * sizeof *given);
    for (uint32_t v = 0; v < set->users; v++) {
        double gift = 0;
        if (feature_is_left_out(tile, u, v)) continue;
        for (uint32_t l = list->labels.start[v]; l < list->labels.start[v + 1]; l++)
            gift += (double)own[list->labels.item[l]] * (double)list->labels.gain[l];
        for (uint32_t s = set->history.start[v]; gift > 0 && s < set->history.start[v + 1]; s++)
            if (list->seen_weight[s] > 0) given[list->seen[s]] += gift * (double)list->seen_weight[s];
    }
    for (uint32_t j = 0; j < list->n; j++) {
        has[j] = holders[j] > 0 ? 1 : 0;
        row[j] = holders[j] > 0 ? (float)(given[j] / holders[j]) : 0;
    }
}

static uint32_t count_reciprocities(const dq_feature_set *set)
{
    (void)set;
    return 2;
}

static void name_reciprocity(const dq_feature_set *set, uint32_t i, char *name, size_t size)
{
    (void)set;
    (void)snprintf(name, size, "%s", i ? "alike" : "item");
}

/* Whether what the user holds is on the list of those who hold the item, sum_h w(h) R(j, h); and the mean of
 * it over items i by k(j, i), which also knows items that nobody holds. */
static void fill_reciprocity(feature_tile *tile, uint32_t column, float *to)
{
    const feature_list *list = &tile->set->list;
    size_t stride = list->stride, numbers = FEATURE_TILE * stride;
    float *given = tile->scratch->held, *has = given + numbers, *sum = has + numbers;
    memset(given, 0, 2 * numbers * sizeof *given);
    for (size_t u = 0; u < tile->count; u++)
        find_given(tile, u, feature_row(tile, given, u), feature_row(tile, has, u));
    memcpy(to, given, numbers * sizeof *to);
    if (column == 0) return;
    dq_gemm_nn(FEATURE_TILE, stride, stride, given, stride, list->alike, stride, to, stride);
    dq_gemm_nn(FEATURE_TILE, stride, stride, has, stride, list->alike, stride, sum, stride);
    for (size_t i = 0; i < numbers; i++) to[i] = sum[i] > 0 ? to[i] / sum[i] : 0;
}

const dq_feature_kind feature_held_reciprocity = {
    .name = "held-reciprocity",
    .help =
        "what training users who have seen the item, or the like, gave to what the user has seen, as z-score",
    .needs = DQ_FEATURE_PAIR | DQ_FEATURE_LABELS | DQ_FEATURE_SEEN | DQ_FEATURE_SQUARE,
    .columns = count_reciprocities,
    .name_column = name_reciprocity,
    .fill = fill_reciprocity,
};

/* ---- held-transfer ---- */

/* share (items) = sum_h w(h) k(h, i) / sum_i k(h, i), over items that somebody who counts holds. */
static void find_shares(const feature_tile *tile, const float *own, const double *holders, float *kernel,
                        float *share)
{
    const feature_list *list = &tile->set->list;
    uint32_t field = tile->set->pairs[tile->set->best].item;
    size_t width = tile->set->item_fields.at[field].width;
    const float *unit = list->unit[field] + list->margin * width;
    memset(share, 0, list->n * sizeof *share);
    for (uint32_t h = 0; h < list->n; h++) {
        double sum = 0;
        if (!(own[h] > 0)) continue;
        for (uint32_t i = 0; i < list->n; i++) {
            float cosine = holders[i] > 0 ? dq_vec_dot(unit + h * width, unit + i * width, width) : 0;
            kernel[i] = holders[i] > 0 ? expf(ALIKE * (cosine - 1)) : 0;
            sum += (double)kernel[i];
        }
        for (uint32_t i = 0; i < list->n && sum > 0; i++)
            share[i] += (float)((double)(own[h] * kernel[i]) / sum);
    }
}

/* to (items) = sum_i share(i) R(i, j), by training users. */
static void transfer(const feature_tile *tile, size_t u, const float *share, const double *holders, float *to)
{
    const dq_feature_set *set = tile->set;
    const feature_list *list = &set->list;
    memset(to, 0, list->n * sizeof *to);
    for (uint32_t v = 0; v < set->users; v++) {
        double weight = 0;
        if (feature_is_left_out(tile, u, v)) continue;
        for (uint32_t s = set->history.start[v]; s < set->history.start[v + 1]; s++)
            if (list->seen_weight[s] > 0)
                weight += (double)share[list->seen[s]] * (double)list->seen_weight[s] /
                          holders[list->seen[s]];
        for (uint32_t l = list->labels.start[v]; weight > 0 && l < list->labels.start[v + 1]; l++)
            to[list->labels.item[l]] += (float)(weight * (double)list->labels.gain[l]);
    }
}

static void fill_transfer(feature_tile *tile, uint32_t column, float *to)
{
    const size_t n = tile->set->list.n;
    double *holders = tile->scratch->holders;
    float *kernel = tile->scratch->own + n, *share = kernel + n;
    (void)column;
    for (size_t u = 0; u < tile->count; u++) {
        const float *own = weigh_own(tile, u);
        count_holders(tile, u, holders);
        find_shares(tile, own, holders, kernel, share);
        transfer(tile, u, share, holders, feature_row(tile, to, u));
    }
}

const dq_feature_kind feature_held_transfer = {
    .name = "held-transfer",
    .help = "labels of training users who have seen something like what the user has seen, as z-score",
    .needs = DQ_FEATURE_PAIR | DQ_FEATURE_LABELS | DQ_FEATURE_SEEN,
    .fill = fill_transfer,
};
