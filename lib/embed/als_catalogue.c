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

float dq_als_weight(const dq_catalogue *catalogue, const dq_label_map *weights, const dq_interaction *x)
{
    size_t n;
    double weight;
    if (!weights) return isnan(x->reward) ? 1 : x->reward;
    const char *label = dq_catalogue_label(catalogue, x, &n);
    return label && dq_label_map_find(weights, label, n, &weight) ? (float)weight : 0;
}

dq_status dq_als_factors_init(dq_als_factors *factors, uint32_t width, uint32_t users, uint32_t items,
                              dq_error *error)
{
    factors->width = width;
    factors->users = calloc((size_t)users * width + 1, sizeof *factors->users);
    factors->items = calloc((size_t)items * width + 1, sizeof *factors->items);
    return factors->users && factors->items ? DQ_OK : no_memory(error);
}

dq_status dq_als_fit_catalogue(dq_als_factors *factors, const dq_catalogue *catalogue,
                               const dq_label_map *weights, const dq_als_config *config, unsigned threads,
                               dq_error *error)
{
    uint32_t users = dq_entities_count(&catalogue->users), items = dq_entities_count(&catalogue->items);
    size_t count = catalogue->interaction_count;
    if (count == 0) return dq_fail(error, DQ_ERR_UNKNOWN, "no interactions in the stream to make vectors of");
    dq_als_entry *entries = malloc(count * sizeof *entries);
    dq_status status = dq_als_factors_init(factors, config->width, users, items, error);
    if (!status && !entries) status = no_memory(error);
    for (size_t i = 0; !status && i < count; i++) {
        const dq_interaction *x = &catalogue->interactions[i];
        entries[i] = (dq_als_entry){x->user, x->item, dq_als_weight(catalogue, weights, x)};
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

bool dq_als_is_zero(const float *vector, uint32_t width)
{
    for (uint32_t j = 0; j < width; j++)
        if (vector[j] != 0) return false;
    return true;
}

/* ---- how a field came to be: meta.factors ---- */

dq_status dq_als_origin_write(const dq_als_origin *origin, const char *field, dq_arena *arena, dq_value *meta,
                              dq_error *error)
{
    const dq_value *others = dq_map_get(meta, "factors");
    dq_value factors = others && others->type == DQ_MAP ? *others : dq_map(), one = dq_map();
    bool ok = dq_map_set(arena, &one, "alpha", dq_real(origin->alpha)) &&
              dq_map_set(arena, &one, "lambda", dq_real(origin->lambda));
    if (origin->map) ok = ok && dq_map_set(arena, &one, "map", dq_string(arena, origin->map));
    ok = ok && dq_map_set(arena, &factors, field, one) && dq_map_set(arena, meta, "factors", factors);
    return ok ? DQ_OK : no_memory(error);
}

dq_status dq_als_origin_read(const dq_value *meta, const char *field, dq_arena *arena, dq_als_origin *origin,
                             dq_error *error)
{
    const dq_value *one = dq_map_get(dq_map_get(meta, "factors"), field), *map = dq_map_get(one, "map");
    *origin = (dq_als_origin){.alpha = dq_value_number(dq_map_get(one, "alpha"), -1),
                              .lambda = dq_value_number(dq_map_get(one, "lambda"), 0)};
    if (!(origin->alpha >= 0 && origin->lambda > 0))
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "field '%s' does not say by which alpha and lambda it was made: not a stream of "
                       "dq-embed cf:WIDTH",
                       field);
    if (map && !(origin->map = dq_value_text(arena, map))) return no_memory(error);
    return DQ_OK;
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
                        uint32_t width, const dq_als_origin *origin, dq_bundle *out, dq_error *error)
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
    if (!status) status = dq_als_origin_write(origin, name, &out->arena, &out->meta, error);
    if (status) dq_bundle_free(out);
    free(fields);
    return status;
}
