/* SPDX-License-Identifier: MIT */
#include "scale.h"

#include "core/array.h"
#include "core/layout.h"

#include <stdlib.h>
#include <string.h>

enum { USERS, ITEMS, SIDES };

/* A bundle that waits for the last row, and the input's section that it stood in. */
typedef struct held {
    dq_bundle bundle;
    uint64_t section;
} held;

typedef struct run {
    const scale_options *o;
    dq_filter *filter;
    dq_reader *reader;     /* of --factors: an input of the output's until that is closed */
    dq_value metas[SIDES]; /* of --factors */
    dq_arena arena;
    dq_scale_side sides[SIDES];
    bool finished[SIDES];
    held *held; /* (held_count) */
    size_t held_count, held_slots;
    uint64_t section; /* that the output is in */
    dq_progress progress;
} run;

static dq_scale_side *side_of(run *r, const dq_bundle *bundle)
{
    for (size_t i = 0; i < SIDES; i++)
        if (strcmp(bundle->kind, r->sides[i].kind) == 0) return &r->sides[i];
    return NULL;
}

/* ---- --factors ---- */

static dq_status read_factors(run *r, dq_error *error)
{
    dq_bundle bundle;
    dq_status status = DQ_OK;
    bool any = false;
    int got = 0;
    while (!status && (got = dq_reader_next(r->reader, &bundle, error)) > 0) {
        const dq_scale_side *side = side_of(r, &bundle);
        dq_value *meta = side ? &r->metas[side - r->sides] : NULL;
        const dq_value *scale = dq_map_get(&bundle.meta, "scale");
        any |= side && scale;
        if (side && meta->type == DQ_NIL && !dq_value_copy(&r->arena, &bundle.meta, meta))
            status = dq_fail_memory(error, "scaling");
        dq_bundle_free(&bundle);
    }
    if (!status && got < 0) return error->status;
    if (status || any) return status;
    dq_fail(error, DQ_ERR_UNKNOWN, "no users or items in it were scaled (dq-embed scale:z or scale:unit)");
    return dq_error_at(error, r->o->factors, DQ_NO_RECORD);
}

/* ---- a block ---- */

/* The steps of a side, once all rows that they depend on have come. */
static dq_status finish(run *r, dq_scale_side *side, dq_error *error)
{
    bool *finished = &r->finished[side - r->sides];
    if (*finished || !side->known) return DQ_OK;
    *finished = true;
    if (!r->o->factors) return dq_scale_finish(side, r->o->how, error);
    return dq_scale_follow(side, &r->metas[side - r->sides], error);
}

static dq_status put(run *r, const dq_bundle *bundle, uint64_t section, dq_error *error)
{
    dq_status status = section != r->section ? dq_writer_next_section(r->filter->out, error) : DQ_OK;
    r->section = section;
    return status ? status : dq_writer_put(r->filter->out, bundle, error);
}

static dq_status write(run *r, const dq_bundle *bundle, uint64_t section, dq_error *error)
{
    dq_scale_side *side = side_of(r, bundle);
    dq_bundle out;
    bool none = !side || !bundle->rows;
    dq_status status = none ? DQ_OK : finish(r, side, error);
    if (none || status || !side->width) return status ? status : put(r, bundle, section, error);
    status = dq_scale_apply(side, bundle, r->o->factors != NULL, &out, error);
    if (!status) status = put(r, &out, section, error);
    dq_bundle_free(&out);
    dq_progress_step(&r->progress, r->progress.done + bundle->rows, NULL);
    return status;
}

static dq_status hold(run *r, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    if (!dq_array_reserve(&r->held, &r->held_slots, r->held_count + 1, sizeof *r->held))
        return dq_fail_memory(error, "scaling");
    r->held[r->held_count++] = (held){*bundle, section};
    *bundle = DQ_BUNDLE_EMPTY;
    return DQ_OK;
}

static dq_status take(run *r, dq_bundle *bundle, dq_error *error)
{
    bool waits = r->o->how == DQ_SCALE_Z && !r->o->factors;
    uint64_t section = dq_reader_section(r->filter->in);
    dq_scale_side *side = side_of(r, bundle);
    dq_status status = DQ_OK;
    if (side) status = dq_scale_look(side, r->o->fields->at, r->o->fields->count, bundle, error);
    if (!status && side && waits) status = dq_scale_fit(side, bundle, error);
    if (status) return status;
    return waits ? hold(r, bundle, section, error) : write(r, bundle, section, error);
}

/* ---- all of them ---- */

static dq_status check(const run *r, dq_error *error)
{
    if (!r->sides[USERS].width && !r->sides[ITEMS].width) return dq_fail_no_vectors(error, "users and items");
    for (size_t i = 0; i < r->o->fields->count; i++)
        if (!dq_scale_has(&r->sides[USERS], r->o->fields->at[i]) &&
            !dq_scale_has(&r->sides[ITEMS], r->o->fields->at[i]))
            return dq_fail(error, DQ_ERR_UNKNOWN, "no user or item has a field '%s'", r->o->fields->at[i]);
    return DQ_OK;
}

static dq_status stream(run *r, dq_error *error)
{
    dq_bundle bundle;
    bool more;
    dq_status status = DQ_OK;
    while (!status && !(status = dq_filter_next(r->filter, &bundle, &more, error)) && more) {
        status = dq_filter_blame(r->filter, take(r, &bundle, error), error);
        dq_bundle_free(&bundle);
    }
    if (!status) status = check(r, error);
    for (size_t i = 0; !status && i < r->held_count; i++)
        status = write(r, &r->held[i].bundle, r->held[i].section, error);
    return status;
}

dq_status scale_run(dq_filter *filter, const scale_options *options, dq_cli *cli, const dq_common *common,
                    dq_error *error)
{
    run r = {.o = options, .filter = filter};
    r.sides[USERS].kind = DQ_KIND_USERS;
    r.sides[ITEMS].kind = DQ_KIND_ITEMS;
    dq_status status = options->factors ? dq_reader_open(&r.reader, &options->factors, 1, error) : DQ_OK;
    if (!status && options->factors) status = read_factors(&r, error);
    if (!status) status = dq_filter_open_with(filter, cli, common, -1, r.reader, error);
    r.progress = dq_progress_start(common, "scaling", "rows", 0);
    if (!status) status = stream(&r, error);
    dq_progress_end(&r.progress);
    status = dq_filter_close(filter, status, error);
    dq_reader_close(r.reader);
    for (size_t i = 0; i < r.held_count; i++) dq_bundle_free(&r.held[i].bundle);
    free(r.held);
    for (size_t i = 0; i < SIDES; i++) dq_scale_free(&r.sides[i]);
    dq_arena_free(&r.arena);
    return status;
}
