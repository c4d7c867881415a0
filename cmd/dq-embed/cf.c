/* SPDX-License-Identifier: MIT */
#include "cf.h"

#include "core/array.h"
#include "data/transitions.h"
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
    dq_als_origin origin;
    dq_als_tally tally[DQ_ENTITY_KINDS];
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

/* allow_absent: interactions may name ids that stand elsewhere. */
static dq_status read_all(run *r, bool allow_absent, dq_error *error)
{
    dq_bundle bundle;
    bool more;
    dq_status status;
    while (!(status = dq_filter_next(r->filter, &bundle, &more, error)) && more) {
        status = dq_filter_blame(r->filter, take(r, &bundle, error), error);
        dq_bundle_free(&bundle);
        if (status) return status;
    }
    return status ? status : dq_catalogue_finish(&r->catalogue, allow_absent, error);
}

/* ---- the factors of an earlier run ---- */

static dq_status read_factors(cf_factors *f, dq_error *error)
{
    dq_bundle bundle;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = dq_reader_next(f->reader, &bundle, error)) > 0) {
        bool taken;
        if (dq_entity_kind(bundle.kind) >= 0)
            status = dq_catalogue_add(&f->fitted.catalogue, &bundle, dq_reader_section(f->reader), &taken,
                                      error);
        if (status) (void)dq_error_at(error, dq_reader_source(f->reader), dq_reader_record(f->reader));
        dq_bundle_free(&bundle);
    }
    return got < 0 ? error->status : status;
}

dq_status cf_factors_read(cf_factors *factors, const char *path, const char *field, dq_error *error)
{
    dq_status status = dq_reader_open(&factors->reader, &path, 1, error);
    if (!status) status = read_factors(factors, error);
    if (status) return status;
    status = dq_als_fitted_init(&factors->fitted, field, error);
    if (status) (void)dq_error_at(error, path, DQ_NO_RECORD);
    return status;
}

void cf_factors_free(cf_factors *factors)
{
    dq_reader_close(factors->reader);
    dq_als_fitted_free(&factors->fitted);
    *factors = (cf_factors){0};
}

/* ---- writing ---- */

static dq_status write_blocks(const run *r, const dq_entities *entities, const float *added, dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint32_t b = 0; !status && b < entities->bundle_count; b++) {
        dq_bundle out;
        status = dq_als_append(entities, b, r->field, added, r->factors.width, &r->origin, &out, error);
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

/* ---- all together ---- */

static void tally_fitted(dq_als_tally *tally, const float *vectors, uint32_t count, uint32_t width)
{
    for (uint32_t row = 0; row < count; row++)
        if (dq_als_is_zero(vectors + (size_t)row * width, width)) tally->zeros++;
    tally->fitted = count - tally->zeros;
}

static dq_status fit(run *r, const cf_options *o, uint32_t width, uint64_t seed, unsigned threads,
                     dq_error *error)
{
    const dq_catalogue *c = &r->catalogue;
    const dq_als_config config = {.width = width,
                                  .alpha = o->alpha,
                                  .lambda = o->lambda,
                                  .sweeps = (uint32_t)o->sweeps,
                                  .seed = seed,
                                  .solve = (dq_als_method)o->solve,
                                  .cg_steps = (uint32_t)o->cg_steps};
    dq_status status = dq_als_fit_catalogue(&r->factors, c, r->origin.map ? &r->weights : NULL, &config,
                                            threads, error);
    if (status) return status;
    tally_fitted(&r->tally[DQ_USERS], r->factors.users, dq_entities_count(&c->users), width);
    tally_fitted(&r->tally[DQ_ITEMS], r->factors.items, dq_entities_count(&c->items), width);
    return DQ_OK;
}

static void say(const run *r, bool folded, const dq_cli *cli, const dq_common *common)
{
    const dq_als_tally *u = &r->tally[DQ_USERS], *i = &r->tally[DQ_ITEMS];
    if (folded)
        dq_cli_say(cli, common,
                   "users: %u as fitted, %u folded in, %u zeros; items: %u as fitted, %u folded in, %u zeros "
                   "(zeros: met nobody who was fitted)",
                   u->fitted, u->folded, u->zeros, i->fitted, i->folded, i->zeros);
    else
        dq_cli_say(cli, common, "users: %u fitted, %u zeros; items: %u fitted, %u zeros (zeros: met nothing)",
                   u->fitted, u->zeros, i->fitted, i->zeros);
}

dq_status cf_run(dq_filter *filter, const cf_options *options, const cf_factors *factors, uint32_t width,
                 const char *field, const dq_cli *cli, const dq_common *common, dq_error *error)
{
    run r = {.filter = filter,
             .field = field,
             .origin = {.alpha = options->alpha, .lambda = options->lambda, .map = options->map}};
    if (factors) r.origin = factors->fitted.origin;
    unsigned threads = dq_cli_threads(common, 1);
    if (threads > DQ_PARALLEL_MAX) threads = DQ_PARALLEL_MAX;
    dq_status status = r.origin.map ? dq_label_map_parse(&r.weights, r.origin.map, error) : DQ_OK;
    if (!status) status = read_all(&r, factors != NULL, error);
    if (!status && !factors) status = fit(&r, options, width, common->seed, threads, error);
    if (!status && factors)
        status = dq_als_fold_catalogue(&r.factors, r.tally, &r.catalogue, &factors->fitted,
                                       r.origin.map ? &r.weights : NULL, threads, error);
    if (!status) status = write_all(&r, error);
    if (!status) say(&r, factors != NULL, cli, common);
    for (size_t b = 0; b < r.behind_count; b++) dq_bundle_free(&r.behind[b]);
    free(r.behind);
    dq_catalogue_free(&r.catalogue);
    dq_label_map_free(&r.weights);
    dq_als_factors_free(&r.factors);
    return status;
}
