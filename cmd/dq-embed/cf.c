/* SPDX-License-Identifier: MIT */
#include "cf.h"
#include "data/catalogue.h"
#include "data/transitions.h"
#include "math/parallel.h"

#include "data/label_map.h"
#include "embed/als.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct run {
    dq_filter *filter;
    const dq_embed_cf_options *o;
    uint32_t width;
    const char *field;
    unsigned threads;
    uint64_t seed;
    dq_label_map map;
    dq_catalogue catalogue;
    dq_bundle *behind; /* transitions and rankings, which come after the items */
    size_t behind_count;
    float *users, *items; /* (rows, width) the new vectors */
} run;

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for vectors");
}

/* ---- reading ---- */

static dq_status hold(run *r, dq_bundle *bundle, dq_error *error)
{
    dq_bundle *grown = realloc(r->behind, (r->behind_count + 1) * sizeof *grown);
    if (!grown) return no_memory(error);
    r->behind = grown;
    grown[r->behind_count++] = *bundle;
    *bundle = DQ_BUNDLE_EMPTY;
    return DQ_OK;
}

static dq_status take(run *r, dq_bundle *bundle, dq_error *error)
{
    bool taken;
    dq_bundle carried;
    dq_status status = dq_catalogue_add(&r->catalogue, bundle, dq_reader_section(r->filter->in), &taken,
                                        error);
    if (status || taken) return status;
    if (strcmp(bundle->kind, DQ_KIND_RANKINGS) == 0) return hold(r, bundle, error);
    if (strcmp(bundle->kind, DQ_KIND_TRANSITIONS) != 0) return dq_writer_put(r->filter->out, bundle, error);
    status = dq_transitions_carry(&carried, bundle, &r->catalogue, error);
    return status ? status : hold(r, &carried, error);
}

static dq_status read_all(run *r, dq_error *error)
{
    dq_bundle bundle;
    bool more;
    dq_status status;
    while (!(status = dq_filter_next(r->filter, &bundle, &more, error)) && more) {
        status = dq_filter_blame(r->filter, take(r, &bundle, error), error);
        dq_bundle_free(&bundle);
        if (status) return status;
    }
    return status ? status : dq_catalogue_finish(&r->catalogue, false, error);
}

/* ---- factoring ---- */

/* With --map the weight of its label, and 0 outside the map, whatever its reward: a weight says how sure one
 * is that it was liked. Without, its reward, and 1 where it has none. */
static float weight_of(const run *r, const dq_interaction *x)
{
    size_t n;
    double weight;
    if (!r->o->map) return isnan(x->reward) ? 1 : x->reward;
    const char *label = dq_catalogue_label(&r->catalogue, x, &n);
    return label && dq_label_map_find(&r->map, label, n, &weight) ? (float)weight : 0;
}

static void in_parallel(void *self, size_t tiles, void (*tile)(void *arg, size_t i, unsigned thread),
                        void *arg)
{
    dq_parallel(*(const unsigned *)self, tiles, tile, arg);
}

static dq_status factor(run *r, dq_error *error)
{
    const dq_catalogue *c = &r->catalogue;
    uint32_t users = dq_entities_count(&c->users), items = dq_entities_count(&c->items);
    dq_als_config config = {.width = r->width,
                            .alpha = r->o->alpha,
                            .lambda = r->o->lambda,
                            .sweeps = (uint32_t)r->o->sweeps,
                            .seed = r->seed};
    dq_als_workers workers = {in_parallel, &r->threads, r->threads};
    if (c->interaction_count == 0)
        return dq_fail(error, DQ_ERR_UNKNOWN, "no interactions in the stream to make vectors of");
    dq_als_entry *met = malloc(c->interaction_count * sizeof *met);
    r->users = calloc((size_t)users * r->width + 1, sizeof *r->users);
    r->items = calloc((size_t)items * r->width + 1, sizeof *r->items);
    dq_status status = met && r->users && r->items ? DQ_OK : no_memory(error);
    for (size_t i = 0; !status && i < c->interaction_count; i++) {
        const dq_interaction *x = &c->interactions[i];
        met[i] = (dq_als_entry){x->user, x->item, weight_of(r, x)};
    }
    if (!status)
        status = dq_als_fit(&config, met, c->interaction_count, r->users, users, r->items, items, &workers,
                            error);
    free(met);
    return status;
}

/* ---- writing ---- */

/* The fields that were there, and behind them the new one. */
static dq_status add_field(const run *r, const dq_entities *entities, dq_bundle *out, dq_error *error)
{
    size_t old = entities->width ? entities->field_count : 0;
    dq_field *fields = dq_arena_zero(&out->arena, old + 1, sizeof *fields);
    dq_value meta;
    if (!fields || !dq_value_copy(&out->arena, &out->meta, &meta)) return no_memory(error);
    if (dq_field_find(entities->fields, old, r->field))
        return dq_fail(error, DQ_ERR_DUPLICATE, "%s have a field '%s' already (--prefix makes another name)",
                       out->kind, r->field);
    if (old) memcpy(fields, entities->fields, old * sizeof *fields);
    fields[old] = (dq_field){.name = r->field, .offset = entities->width, .width = r->width};
    out->meta = meta;
    return dq_fields_write(fields, old + 1, &out->arena, &out->meta, error);
}

/* Bundle b of users or items with its rows' vectors and behind them the new ones, (rows, old + width). */
static dq_status write_bundle(const run *r, const dq_entities *entities, const float *made, uint32_t b,
                              dq_error *error)
{
    static const char *const without[] = {"vector", NULL};
    const dq_bundle *in = &entities->bundles[b];
    uint64_t shape[2] = {in->rows, (uint64_t)entities->width + r->width};
    float *vectors = calloc(shape[0] * shape[1] + 1, sizeof *vectors);
    dq_bundle out;
    if (!vectors) return no_memory(error);
    for (uint32_t row = 0; row < dq_entities_count(entities); row++) {
        if (entities->rows[row].bundle != b) continue;
        float *to = vectors + entities->rows[row].row * shape[1];
        if (entities->width) memcpy(to, entities->vectors[row], entities->width * sizeof *to);
        memcpy(to + entities->width, made + (size_t)row * r->width, r->width * sizeof *to);
    }
    dq_status status = dq_bundle_borrow(&out, in, without, error);
    if (!status) status = add_field(r, entities, &out, error);
    if (!status) status = dq_bundle_add_tensor(&out, "vector", DQ_F4, 2, shape, vectors, error);
    if (!status) status = dq_writer_put(r->filter->out, &out, error);
    dq_bundle_free(&out);
    free(vectors);
    return status;
}

static dq_status write_all(const run *r, dq_error *error)
{
    const dq_catalogue *c = &r->catalogue;
    dq_status status = DQ_OK;
    for (uint32_t b = 0; !status && b < c->users.bundle_count; b++)
        status = write_bundle(r, &c->users, r->users, b, error);
    for (size_t b = 0; !status && b < c->interaction_bundle_count; b++)
        status = dq_writer_put(r->filter->out, &c->interaction_bundles[b], error);
    for (uint32_t b = 0; !status && b < c->items.bundle_count; b++)
        status = write_bundle(r, &c->items, r->items, b, error);
    for (size_t b = 0; !status && b < r->behind_count; b++)
        status = dq_writer_put(r->filter->out, &r->behind[b], error);
    return status;
}

dq_status dq_embed_cf(dq_filter *filter, const dq_embed_cf_options *options, uint32_t width,
                      const char *field, const dq_common *common, dq_error *error)
{
    run r = {.filter = filter, .o = options, .width = width, .field = field, .seed = common->seed};
    dq_status status = DQ_OK;
    r.threads = dq_cli_threads(common, 1);
    if (r.threads > DQ_PARALLEL_MAX) r.threads = DQ_PARALLEL_MAX;
    if (options->map) status = dq_label_map_parse(&r.map, options->map, error);
    if (!status) status = read_all(&r, error);
    if (!status) status = factor(&r, error);
    if (!status) status = write_all(&r, error);
    for (size_t b = 0; b < r.behind_count; b++) dq_bundle_free(&r.behind[b]);
    free(r.behind);
    dq_catalogue_free(&r.catalogue);
    dq_label_map_free(&r.map);
    free(r.users);
    free(r.items);
    return status;
}
