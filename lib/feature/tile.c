/* SPDX-License-Identifier: MIT */
#include "feature/feature_impl.h"

#include "math/blas.h"
#include "math/vec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void feature_softmax(float *x, size_t n, float sharpness)
{
    float greatest = x[0];
    double sum = 0;
    for (size_t i = 1; i < n; i++) greatest = x[i] > greatest ? x[i] : greatest;
    for (size_t i = 0; i < n; i++) {
        x[i] = expf(sharpness * (x[i] - greatest));
        sum += (double)x[i];
    }
    for (size_t i = 0; i < n; i++) x[i] = (float)((double)x[i] / sum);
}

bool feature_is_left_out(const feature_tile *tile, size_t user, uint32_t v)
{
    const dq_feature_set *set = tile->set;
    const dq_feature_who *who = &tile->who[user];
    if (who->id && who->id == set->id[v]) return true;
    return set->group && who->group != DQ_ABSENT && who->group == set->group[v];
}

uint32_t feature_count_item_fields(const dq_feature_set *set)
{
    return set->item_fields.count;
}

void feature_name_item_field(const dq_feature_set *set, uint32_t i, char *name, size_t size)
{
    (void)snprintf(name, size, "%s", set->item_fields.at[i].name);
}

void feature_against_items(const dq_feature_set *set, const float *vectors, uint32_t field, float *to)
{
    size_t width = set->item_fields.at[field].width, stride = set->list.stride;
    dq_gemm_nt(FEATURE_TILE, stride, width, vectors, width, set->list.unit[field], width, to, stride);
}

void feature_tile_start(feature_tile *tile, const dq_feature_set *set, const dq_feature_who *who, size_t n,
                        unsigned thread)
{
    *tile = (feature_tile){.set = set, .who = who, .count = n, .scratch = &set->scratch[thread]};
    for (uint32_t f = 0; f < set->user_fields.count; f++) {
        const feature_field *field = &set->user_fields.at[f];
        float *to = tile->scratch->user[f];
        memset(to, 0, FEATURE_TILE * field->width * sizeof *to);
        for (size_t u = 0; u < n; u++)
            dq_vec_unit(to + u * field->width, who[u].vector + field->offset, field->width);
    }
}

const float *feature_cosines(feature_tile *tile, uint32_t pair)
{
    const dq_feature_set *set = tile->set;
    float *to = tile->scratch->cosine + pair * FEATURE_TILE * set->list.stride;
    if (tile->cosines >> pair & 1) return to;
    feature_against_items(set, tile->scratch->user[set->pairs[pair].user], set->pairs[pair].item, to);
    tile->cosines |= (uint64_t)1 << pair;
    return to;
}

const float *feature_likely(feature_tile *tile)
{
    const feature_list *list = &tile->set->list;
    float *p = tile->scratch->likely;
    if (tile->likely) return p;
    memcpy(p, feature_cosines(tile, tile->set->best), FEATURE_TILE * list->stride * sizeof *p);
    for (size_t u = 0; u < tile->count; u++)
        feature_softmax(feature_row(tile, p, u), list->n, LIKELY_SHARPNESS);
    tile->likely = true;
    return p;
}

const float *feature_neighbour_cosines(feature_tile *tile)
{
    const dq_feature_set *set = tile->set;
    uint32_t field = set->pairs[set->best].user;
    size_t width = set->user_fields.at[field].width;
    float *to = tile->scratch->neighbour;
    if (tile->neighbours) return to;
    dq_gemm_nt(FEATURE_TILE, set->users, width, tile->scratch->user[field], width, set->vectors, width, to,
               set->users);
    tile->neighbours = true;
    return to;
}
