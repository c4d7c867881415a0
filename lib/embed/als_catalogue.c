/* SPDX-License-Identifier: MIT */
#include "embed/als_catalogue.h"
#include "embed/block.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for vectors");
}

/* ---- factoring ---- */

static float weight_of(const dq_catalogue *catalogue, const dq_label_map *weights, const dq_interaction *x)
{
    size_t n;
    double weight;
    if (!weights) return isnan(x->reward) ? 1 : x->reward;
    const char *label = dq_catalogue_label(catalogue, x, &n);
    return label && dq_label_map_find(weights, label, n, &weight) ? (float)weight : 0;
}

dq_status dq_als_fit_catalogue(dq_als_factors *factors, const dq_catalogue *catalogue,
                               const dq_label_map *weights, const dq_als_config *config, unsigned threads,
                               dq_error *error)
{
    uint32_t users = dq_entities_count(&catalogue->users), items = dq_entities_count(&catalogue->items);
    size_t count = catalogue->interaction_count;
    if (count == 0) return dq_fail(error, DQ_ERR_UNKNOWN, "no interactions in the stream to make vectors of");
    dq_als_entry *entries = malloc(count * sizeof *entries);
    factors->width = config->width;
    factors->users = calloc((size_t)users * factors->width + 1, sizeof *factors->users);
    factors->items = calloc((size_t)items * factors->width + 1, sizeof *factors->items);
    dq_status status = entries && factors->users && factors->items ? DQ_OK : no_memory(error);
    for (size_t i = 0; !status && i < count; i++) {
        const dq_interaction *x = &catalogue->interactions[i];
        entries[i] = (dq_als_entry){x->user, x->item, weight_of(catalogue, weights, x)};
    }
    if (!status)
        status = dq_als_fit(config, entries, count, factors->users, users, factors->items, items, threads,
                            error);
    free(entries);
    return status;
}

void dq_als_factors_free(dq_als_factors *factors)
{
    free(factors->users);
    free(factors->items);
    *factors = (dq_als_factors){0};
}

/* ---- the further field ---- */

/* Fills vectors (rows of the block, old + width): the old ones, and behind them the added. */
static void append(const dq_entities *entities, uint32_t block, const float *added, size_t width,
                   float *vectors)
{
    size_t old = entities->width;
    for (uint32_t row = 0; row < dq_entities_count(entities); row++) {
        if (entities->rows[row].bundle != block) continue;
        float *to = vectors + entities->rows[row].row * (old + width);
        if (old) memcpy(to, entities->vectors[row], old * sizeof *to);
        memcpy(to + old, added + row * width, width * sizeof *to);
    }
}

dq_status dq_als_append(const dq_entities *entities, uint32_t block, const char *name, const float *added,
                        uint32_t width, dq_bundle *out, dq_error *error)
{
    const dq_bundle *in = &entities->bundles[block];
    size_t old = entities->width ? entities->field_count : 0;
    float *vectors = NULL;
    *out = DQ_BUNDLE_EMPTY;
    dq_status status = dq_embed_check_new(in->kind, entities->fields, old, name, error);
    if (status) return status;
    dq_field *fields = calloc(old + 1, sizeof *fields);
    if (!fields) return no_memory(error);
    if (old) memcpy(fields, entities->fields, old * sizeof *fields);
    fields[old] = (dq_field){.name = name, .offset = entities->width, .width = width};
    status = dq_embed_replace_vectors(in, fields, old + 1, entities->width + width, out, &vectors, error);
    if (!status) append(entities, block, added, width, vectors);
    free(fields);
    return status;
}
