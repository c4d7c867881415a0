/* SPDX-License-Identifier: MIT */
#include "ope/features.h"

#include <string.h>

static dq_status choose_pairs(dq_ope_features *f, dq_layout users, dq_layout items,
                              const dq_pair_names *pairs, size_t count, dq_error *error)
{
    if (!users.width || !items.width) return DQ_OK;
    if (count > DQ_OPE_MAX_PAIRS) count = DQ_OPE_MAX_PAIRS;
    if (count) return dq_pairing_choose(pairs, count, users, items, f->pairs, &f->pair_count, error);
    if (users.width == items.width) {
        f->pairs[0] = (dq_pairing){.width = users.width};
        f->pair_count = 1;
    }
    return DQ_OK;
}

dq_status dq_ope_features_init(dq_ope_features *features, dq_vectors users, dq_layout user_fields,
                               dq_vectors items, dq_layout item_fields, const dq_pair_names *pairs,
                               size_t pair_count, dq_error *error)
{
    dq_ope_features *f = features;
    *f = (dq_ope_features){.users = users, .items = items};
    if (!users.width && !items.width)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "neither users nor items have vectors: " DQ_VECTORS_ADVICE
                       "; the table is a model of rewards that "
                       "needs none");
    dq_status status = choose_pairs(f, user_fields, item_fields, pairs, pair_count, error);
    if (status) return status;
    f->places = 1;
    f->cosines = f->places + DQ_OPE_PLACES;
    f->user = f->cosines + (uint32_t)f->pair_count;
    f->vectors = (uint64_t)users.width + items.width <= DQ_OPE_MAX_INPUTS;
    f->item = f->user + (f->vectors ? users.width : 0);
    f->width = f->item + (f->vectors ? items.width : 0);
    if (f->vectors || f->pair_count) return DQ_OK;
    return dq_fail(
        error, DQ_ERR_RANGE,
        "vectors of %u and %u numbers are more than the %d that a model of rewards takes, and they have no "
        "paired fields whose cosines it could take",
        users.width, items.width, DQ_OPE_MAX_INPUTS);
}

static void copy(double *to, const float *from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) to[i] = (double)from[i];
}

void dq_ope_features_fill(const dq_ope_features *features, uint32_t user, uint32_t item, uint32_t position,
                          double *x)
{
    const dq_ope_features *f = features;
    const float *u = f->users.width ? f->users.at[user] : NULL,
                *v = f->items.width ? f->items.at[item] : NULL;
    memset(x, 0, f->user * sizeof *x);
    x[0] = 1;
    x[f->places + (position < DQ_OPE_PLACES ? position : DQ_OPE_PLACES - 1)] = 1;
    for (size_t i = 0; i < f->pair_count; i++) x[f->cosines + i] = dq_cosine(u, v, &f->pairs[i], 1);
    if (!f->vectors) return;
    if (u) copy(x + f->user, u, f->users.width);
    if (v) copy(x + f->item, v, f->items.width);
}
