/* SPDX-License-Identifier: MIT
 *
 * What others made of an item: users who resemble the one that is asked about (neighbours), and whoever is
 * likely to be the item's own kind (reciprocity). Both leave out whom feature_is_left_out names.
 *
 * The likely item: in a catalogue where users are themselves something that items are, an occupation, a
 * style, the nearest item is a guess at what they are, and what is near to that item is near to them.
 */
#include "feature/feature_impl.h"

#include "math/blas.h"
#include "math/vec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- neighbours: kernel regression on labels (Nadaraya, 1964; Watson, 1964) ---- */

static const float kernels[] = {8.0F, 20.0F};
enum { KERNELS = sizeof kernels / sizeof *kernels };

static uint32_t count_kernels(const dq_feature_set *set)
{
    (void)set;
    return KERNELS;
}

static void name_kernel(const dq_feature_set *set, uint32_t i, char *name, size_t size)
{
    (void)set;
    (void)snprintf(name, size, "%g", (double)kernels[i]);
}

/* weight (users) = exp(sharpness (cosine - greatest)) of those who count, else 0; returns their sum. */
static double weigh(const feature_tile *tile, size_t u, const float *cosine, float sharpness, float *weight)
{
    const dq_feature_set *set = tile->set;
    float greatest = -INFINITY;
    double sum = 0;
    for (uint32_t v = 0; v < set->users; v++) {
        weight[v] = feature_is_left_out(tile, u, v) ? -INFINITY : cosine[v];
        if (weight[v] > greatest) greatest = weight[v];
    }
    for (uint32_t v = 0; v < set->users; v++) {
        weight[v] = weight[v] > -INFINITY ? expf(sharpness * (weight[v] - greatest)) : 0;
        sum += (double)weight[v];
    }
    return sum;
}

/* to (items) = sum of weight times gain over the labels, over the weights' sum. */
static void spread(const dq_feature_set *set, const float *weight, double sum, float *to)
{
    const feature_labels *labels = &set->list.labels;
    memset(to, 0, set->list.n * sizeof *to);
    if (sum <= 0) return;
    for (uint32_t v = 0; v < set->users; v++)
        for (uint32_t l = labels->start[v]; l < labels->start[v + 1]; l++)
            to[labels->item[l]] += weight[v] * labels->gain[l];
    dq_vec_scale(to, (float)(1 / sum), set->list.n);
}

static void fill_neighbours(feature_tile *tile, uint32_t i, float *to)
{
    const float *cosine = feature_neighbour_cosines(tile);
    float *weight = tile->scratch->weight;
    for (size_t u = 0; u < tile->count; u++) {
        double sum = weigh(tile, u, cosine + u * tile->set->users, kernels[i], weight);
        spread(tile->set, weight, sum, feature_row(tile, to, u));
    }
}

const dq_feature_kind feature_neighbours = {
    .name = "neighbours",
    .help = "labels of similar training users, weighted by kernels of two widths, as z-score",
    .needs = DQ_FEATURE_PAIR | DQ_FEATURE_LABELS,
    .columns = count_kernels,
    .name_column = name_kernel,
    .fill = fill_neighbours,
};

/* ---- the likely item ---- */

/* sum_i p(i) cos(item i, item j) is the product of j's vector with the mean of the items' by p. */
static void fill_likely(feature_tile *tile, uint32_t field, float *to)
{
    const dq_feature_set *set = tile->set;
    size_t width = set->item_fields.at[field].width, stride = set->list.stride;
    float *mean = tile->scratch->mean;
    dq_gemm_nn(FEATURE_TILE, width, stride, feature_likely(tile), stride, set->list.unit[field], width, mean,
               width);
    feature_against_items(set, mean, field, to);
}

const dq_feature_kind feature_likely_item = {
    .name = "likely-item",
    .help = "cosine of the item's fields with those of the items that the user is nearest to, as z-score",
    .needs = DQ_FEATURE_PAIR,
    .columns = feature_count_item_fields,
    .name_column = feature_name_item_field,
    .fill = fill_likely,
};

/* ---- reciprocity ---- */

/* a (users) = what each training user gave to the items that this user is likely to be: sum_i p(i) g(v, i).
 */
static void find_gifts(const feature_tile *tile, size_t u, const float *p, float *a)
{
    const feature_labels *labels = &tile->set->list.labels;
    for (uint32_t v = 0; v < tile->set->users; v++) {
        float sum = 0;
        for (uint32_t l = labels->start[v]; l < labels->start[v + 1]; l++)
            sum += p[labels->item[l]] * labels->gain[l];
        a[v] = feature_is_left_out(tile, u, v) ? 0 : sum;
    }
}

/* to (items) over how many training users are likely to be the item, without those who are left out. */
static void divide(const feature_tile *tile, size_t u, float *to)
{
    static const double least = 1e-6;
    const feature_list *list = &tile->set->list;
    double *rest = tile->scratch->rest;
    for (uint32_t j = 0; j < list->n; j++) rest[j] = list->likely_sum[list->margin + j];
    for (uint32_t v = 0; v < tile->set->users; v++) {
        if (!feature_is_left_out(tile, u, v)) continue;
        const float *p = list->likely + v * list->stride + list->margin;
        for (uint32_t j = 0; j < list->n; j++) rest[j] -= (double)p[j];
    }
    for (uint32_t j = 0; j < list->n; j++) to[j] = rest[j] > least ? (float)((double)to[j] / rest[j]) : 0;
}

/* sum_i p(i) R(j, i), R(j, i) being the mean gain that users who are likely to be j gave to i: whether the
 * user is on the item's own list. */
static void fill_reciprocity(feature_tile *tile, uint32_t i, float *to)
{
    const dq_feature_set *set = tile->set;
    size_t stride = set->list.stride, margin = set->list.margin;
    const float *p = feature_likely(tile);
    float *a = tile->scratch->weight;
    (void)i;
    memset(a, 0, FEATURE_TILE * set->users * sizeof *a);
    for (size_t u = 0; u < tile->count; u++) find_gifts(tile, u, p + u * stride + margin, a + u * set->users);
    dq_gemm_nn(FEATURE_TILE, stride, set->users, a, set->users, set->list.likely, stride, to, stride);
    for (size_t u = 0; u < tile->count; u++) divide(tile, u, feature_row(tile, to, u));
}

const dq_feature_kind feature_reciprocity = {
    .name = "reciprocity",
    .help =
        "what users who are likely to be the item gave to those that the user is likely to be, as z-score",
    .needs = DQ_FEATURE_PAIR | DQ_FEATURE_LABELS | DQ_FEATURE_TABLE,
    .fill = fill_reciprocity,
};
