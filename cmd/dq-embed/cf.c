/* SPDX-License-Identifier: MIT */
#include "cf.h"

#include "core/array.h"
#include "data/transitions.h"
#include "embed/als_catalogue.h"
#include "math/parallel.h"

#include <stdlib.h>
#include <string.h>

typedef struct run {
    dq_filter *filter;
    dq_label_map weights; /* of --map */
    dq_catalogue catalogue;
    dq_bundle *behind; /* transitions and rankings, which come after the items */
    size_t behind_count;
    dq_als_factors factors;
    const char *field;
} run;

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for vectors");
}

/* ---- reading ---- */

static dq_status hold(run *r, dq_bundle *bundle, dq_error *error)
{
    if (!dq_array_resize(&r->behind, r->behind_count + 1, sizeof *r->behind)) return no_memory(error);
    r->behind[r->behind_count++] = *bundle;
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

/* ---- writing ---- */

static dq_status write_blocks(const run *r, const dq_entities *entities, const float *added, dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint32_t b = 0; !status && b < entities->bundle_count; b++) {
        dq_bundle out;
        status = dq_als_append(entities, b, r->field, added, r->factors.width, &out, error);
        if (!status) status = dq_writer_put(r->filter->out, &out, error);
        dq_bundle_free(&out);
    }
    return status;
}

static dq_status write_all(const run *r, dq_error *error)
{
    const dq_catalogue *c = &r->catalogue;
    dq_status status = write_blocks(r, &c->users, r->factors.users, error);
    for (size_t b = 0; !status && b < c->interaction_bundle_count; b++)
        status = dq_writer_put(r->filter->out, &c->interaction_bundles[b], error);
    if (!status) status = write_blocks(r, &c->items, r->factors.items, error);
    for (size_t b = 0; !status && b < r->behind_count; b++)
        status = dq_writer_put(r->filter->out, &r->behind[b], error);
    return status;
}

dq_status cf_run(dq_filter *filter, const cf_options *options, uint32_t width, const char *field,
                 const dq_common *common, dq_error *error)
{
    run r = {.filter = filter, .field = field};
    const dq_als_config config = {.width = width,
                                  .alpha = options->alpha,
                                  .lambda = options->lambda,
                                  .sweeps = (uint32_t)options->sweeps,
                                  .seed = common->seed};
    const dq_label_map *weights = options->map ? &r.weights : NULL;
    unsigned threads = dq_cli_threads(common, 1);
    if (threads > DQ_PARALLEL_MAX) threads = DQ_PARALLEL_MAX;
    dq_status status = weights ? dq_label_map_parse(&r.weights, options->map, error) : DQ_OK;
    if (!status) status = read_all(&r, error);
    if (!status) status = dq_als_fit_catalogue(&r.factors, &r.catalogue, weights, &config, threads, error);
    if (!status) status = write_all(&r, error);
    for (size_t b = 0; b < r.behind_count; b++) dq_bundle_free(&r.behind[b]);
    free(r.behind);
    dq_catalogue_free(&r.catalogue);
    dq_label_map_free(&r.weights);
    dq_als_factors_free(&r.factors);
    return status;
}
