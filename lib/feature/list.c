/* SPDX-License-Identifier: MIT
 *
 * A set bound to a list of items, and lists of users within it. What depends on the items alone is computed
 * once. Work is cut into tiles of users, which threads take.
 */
#include "feature/feature_impl.h"

#include "core/buffers.h"
#include "math/blas.h"
#include "math/vec.h"

#include <math.h>
#include <string.h>

/* Numbers that p of all training users may take: 1 GiB. */
enum { LIKELY_MAX = 1 << 28 };

bool feature_fits_table(const dq_feature_set *set, uint32_t items)
{
    return (uint64_t)set->users * (items + 2 * dq_gemm_margin()) <= LIKELY_MAX;
}

/* ---- memory ---- */

static uint32_t widest_field(const feature_fields *fields)
{
    uint32_t width = 0;
    for (uint32_t f = 0; f < fields->count; f++)
        if (fields->at[f].width > width) width = fields->at[f].width;
    return width;
}

static bool make_scratch(dq_feature_set *set, feature_scratch *s)
{
    feature_list *list = &set->list;
    size_t row = FEATURE_TILE * list->stride;
    const dq_buffer buffers[] = {
        DQ_BUFFER(s->cosine, set->pair_count * row),
        DQ_BUFFER(s->likely, row),
        DQ_BUFFER(s->column, row),
        DQ_BUFFER(s->neighbour, (size_t)FEATURE_TILE * set->users),
        DQ_BUFFER(s->weight, (size_t)FEATURE_TILE * set->users),
        DQ_BUFFER(s->mean, (size_t)FEATURE_TILE * widest_field(&set->item_fields)),
        DQ_BUFFER(s->rank, list->n),
        DQ_BUFFER(s->order, 4 * (size_t)list->n),
        DQ_BUFFER(s->rest, list->n),
        DQ_BUFFER(s->own, 3 * (size_t)list->n),
        DQ_BUFFER(s->holders, 2 * (size_t)list->n),
        DQ_BUFFER(s->held, feature_has(set, &feature_held_reciprocity) ? 3 * row : 0),
    };
    if (!dq_buffers_take(&list->arena, buffers, DQ_BUFFERS(buffers))) return false;
    for (uint32_t f = 0; f < set->user_fields.count; f++) {
        s->user[f] = dq_arena_zero(&list->arena, (size_t)FEATURE_TILE * set->user_fields.at[f].width,
                                   sizeof *s->user[f]);
        if (!s->user[f]) return false;
    }
    for (uint32_t i = 0; i < list->n; i++) s->rank[i] = -logf(1 + (float)i);
    return true;
}

static bool copy_field(dq_feature_set *set, const dq_vectors *items, uint32_t f)
{
    feature_list *list = &set->list;
    const feature_field *field = &set->item_fields.at[f];
    float *to = dq_arena_zero(&list->arena, list->stride * field->width, sizeof *to);
    if (!to) return false;
    list->unit[f] = to;
    for (uint32_t i = 0; i < list->n; i++)
        dq_vec_unit(to + (list->margin + i) * field->width, items->at[i] + field->offset, field->width);
    return true;
}

dq_status feature_list_open(dq_feature_set *set, const dq_vectors *items, dq_error *error)
{
    feature_list *list = &set->list;
    unsigned threads = dq_pool_threads(set->pool);
    feature_list_free(set);
    if (items->count == 0) return dq_fail(error, DQ_ERR_RANGE, "no items to compute features within");
    if (items->width != set->item_width)
        return dq_fail(error, DQ_ERR_RANGE, "features of items of width %u, and these have %u",
                       set->item_width, items->width);
    list->n = items->count;
    list->margin = dq_gemm_margin();
    list->stride = list->n + 2 * list->margin;
    set->tile_users = dq_gemm_alike() ? FEATURE_TILE : 1;
    const dq_buffer buffers[] = {DQ_BUFFER(list->unit, FEATURE_FIELDS), DQ_BUFFER(set->scratch, threads)};
    bool ok = dq_buffers_take(&list->arena, buffers, DQ_BUFFERS(buffers));
    for (uint32_t f = 0; ok && f < set->item_fields.count; f++) ok = copy_field(set, items, f);
    for (unsigned t = 0; ok && t < threads; t++) ok = make_scratch(set, &set->scratch[t]);
    return ok ? DQ_OK : dq_fail_memory(error, "features of %u items", list->n);
}

void feature_list_free(dq_feature_set *set)
{
    dq_arena_free(&set->list.arena);
    set->list = (feature_list){0};
    set->scratch = NULL;
}

/* ---- what items alone decide ---- */

static bool find_hubs(dq_feature_set *set)
{
    feature_list *list = &set->list;
    uint32_t field = set->pairs[set->best].item;
    size_t width = set->item_fields.at[field].width;
    const float *unit = list->unit[field];
    float *mean = set->scratch[0].mean;
    list->hub = dq_arena_zero(&list->arena, list->stride, sizeof *list->hub);
    if (!list->hub) return false;
    memset(mean, 0, width * sizeof *mean);
    for (size_t i = 0; i < list->stride; i++) dq_vec_add(mean, unit + i * width, width);
    dq_vec_scale(mean, 1 / (float)list->n, width);
    for (size_t i = 0; i < list->stride; i++) list->hub[i] = dq_vec_dot(mean, unit + i * width, width);
    return true;
}

uint32_t feature_find_item(const dq_feature_set *set, uint64_t id)
{
    uint32_t low = 0, high = set->items;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set->item_id[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->items && set->item_id[low] == id ? low : DQ_ABSENT;
}

bool feature_place_labels(dq_feature_set *set, const uint64_t *id)
{
    feature_list *list = &set->list;
    uint32_t *place, count = 0;
    size_t all = set->users ? set->labels.start[set->users] : 0;
    const dq_buffer buffers[] = {
        DQ_BUFFER(place, set->items),
        DQ_BUFFER(list->labels.start, set->users + (size_t)1),
        DQ_BUFFER(list->labels.item, all),
        DQ_BUFFER(list->labels.gain, all),
    };
    if (!dq_buffers_take(&list->arena, buffers, DQ_BUFFERS(buffers))) return false;
    memset(place, 0xff, set->items * sizeof *place); /* DQ_ABSENT */
    for (uint32_t i = 0; i < list->n; i++) {
        uint32_t item = feature_find_item(set, id[i]);
        if (item != DQ_ABSENT) place[item] = i;
    }
    for (uint32_t v = 0; v < set->users; v++) {
        for (uint32_t l = set->labels.start[v]; l < set->labels.start[v + 1]; l++) {
            if (place[set->labels.item[l]] == DQ_ABSENT) continue;
            list->labels.item[count] = place[set->labels.item[l]];
            list->labels.gain[count++] = set->labels.gain[l];
        }
        list->labels.start[v + 1] = count;
    }
    return true;
}

/* p of a tile of training users. */
static void likely_tile(void *arg, size_t i, unsigned thread)
{
    dq_feature_set *set = arg;
    feature_list *list = &set->list;
    uint32_t field = set->pairs[set->best].user, first = (uint32_t)i * FEATURE_TILE;
    size_t width = set->user_fields.at[field].width, n = set->users - first;
    float *vectors = set->scratch[thread].user[field], *p = set->scratch[thread].likely;
    if (n > FEATURE_TILE) n = FEATURE_TILE;
    memset(vectors, 0, FEATURE_TILE * width * sizeof *vectors);
    memcpy(vectors, set->vectors + first * width, n * width * sizeof *vectors);
    feature_against_items(set, vectors, set->pairs[set->best].item, p);
    for (size_t u = 0; u < n; u++) {
        float *to = list->likely + (first + u) * list->stride + list->margin;
        memcpy(to, p + u * list->stride + list->margin, list->n * sizeof *to);
        feature_softmax(to, list->n, LIKELY_SHARPNESS);
    }
}

static dq_status find_likely(dq_feature_set *set, dq_error *error)
{
    feature_list *list = &set->list;
    if (!feature_has(set, &feature_reciprocity)) return DQ_OK;
    if (!feature_fits_table(set, list->n))
        return dq_fail(error, DQ_ERR_RANGE,
                       "features %s: %u users with labels times %u items are more than 2^28",
                       feature_reciprocity.name, set->users, list->n);
    const dq_buffer buffers[] = {DQ_BUFFER(list->likely, set->users * list->stride),
                                 DQ_BUFFER(list->likely_sum, list->stride)};
    if (!dq_buffers_take(&list->arena, buffers, DQ_BUFFERS(buffers)))
        return dq_fail_memory(error, "features of %u items", list->n);
    dq_pool_run(set->pool, likely_tile, set, (set->users + FEATURE_TILE - 1) / FEATURE_TILE);
    for (uint32_t v = 0; v < set->users; v++)
        for (size_t j = 0; j < list->stride; j++)
            list->likely_sum[j] += (double)list->likely[v * list->stride + j];
    return DQ_OK;
}

dq_status dq_feature_bind(dq_feature_set *set, const dq_vectors *items, const uint64_t *id, dq_error *error)
{
    dq_status status = feature_list_open(set, items, error);
    if (!status && !(find_hubs(set) && feature_place_labels(set, id)))
        status = dq_fail_memory(error, "features of %u items", items->count);
    if (!status) status = find_likely(set, error);
    if (!status) status = feature_history_bind(set, id, feature_has(set, &feature_held_reciprocity), error);
    if (!status)
        status = feature_ridge_bind(set, feature_has(set, &feature_ridge_kind),
                                    feature_has(set, &feature_held_ridge), error);
    if (status) feature_list_free(set);
    return status;
}

/* ---- lists ---- */

/* In place; zeros where the numbers differ by nothing but rounding. */
static void standardise(float *x, size_t n)
{
    static const double least = 1e-6;
    double sum = 0, squares = 0, greatest = 0;
    for (size_t i = 0; i < n; i++) {
        double size = fabs((double)x[i]);
        sum += (double)x[i];
        greatest = size > greatest ? size : greatest;
    }
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) squares += ((double)x[i] - mean) * ((double)x[i] - mean);
    double deviation = sqrt(squares / (double)n), scale = deviation > least * greatest ? 1 / deviation : 0;
    for (size_t i = 0; i < n; i++) x[i] = (float)(((double)x[i] - mean) * scale);
}

typedef struct lists {
    const dq_feature_set *set;
    const dq_feature_who *who;
    size_t n;
    float *out;
} lists;

static void list_tile(void *arg, size_t i, unsigned thread)
{
    const lists *work = arg;
    const dq_feature_set *set = work->set;
    size_t first = i * set->tile_users, n = work->n - first, columns = dq_feature_columns(set);
    size_t items = set->list.n;
    feature_tile tile;
    feature_tile_start(&tile, set, work->who + first, n < set->tile_users ? n : set->tile_users, thread);
    float *column = tile.scratch->column;
    for (size_t k = 0; k < set->kind_count; k++)
        for (uint32_t c = set->first[k]; c < set->first[k + 1]; c++) {
            set->kinds[k]->fill(&tile, c - set->first[k], column);
            for (size_t u = 0; u < tile.count; u++) {
                float *x = feature_row(&tile, column, u), *to = work->out + (first + u) * items * columns + c;
                standardise(x, items);
                for (size_t j = 0; j < items; j++) to[j * columns] = x[j];
            }
        }
}

void dq_feature_lists(dq_feature_set *set, const dq_feature_who *who, size_t n, float *out)
{
    lists work = {set, who, n, out};
    dq_pool_run(set->pool, list_tile, &work, (n + set->tile_users - 1) / set->tile_users);
}

void dq_feature_list(dq_feature_set *set, const dq_feature_who *who, float *out)
{
    dq_feature_lists(set, who, 1, out);
}
