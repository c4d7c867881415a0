/* SPDX-License-Identifier: MIT
 *
 * All sections as one: equal users and items once, references counted anew. It is held in memory, since a
 * section wants all users before the first item.
 */
#include "cat.h"
#include "core/array.h"
#include "data/load.h"
#include "data/transitions.h"

#include <stdlib.h>
#include <string.h>

/* What is no catalogue, in the order of arrival. */
typedef struct others {
    dq_bundle *at;
    size_t count, room;
} others;

static bool has_references(const dq_bundle *bundle)
{
    for (size_t i = 0; i < bundle->column_count; i++)
        if (dq_entity_kind(bundle->columns[i].ref) >= 0) return true;
    return false;
}

/* Takes the bundle over; its references count the catalogue's rows from now on. */
static dq_status keep(others *o, dq_bundle *bundle, const dq_catalogue *catalogue, dq_error *error)
{
    if (!dq_array_reserve(&o->at, &o->room, o->count + 1, sizeof *o->at))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory to join");
    if (!has_references(bundle)) {
        o->at[o->count++] = *bundle;
        *bundle = DQ_BUNDLE_EMPTY;
        return DQ_OK;
    }
    dq_status status = dq_transitions_carry(&o->at[o->count], bundle, catalogue, error);
    if (!status) o->count++;
    return status;
}

/* Writes the bundles whose kinds have a place in [first, last] of a section. */
static dq_status write_kinds(const others *o, int first, int last, dq_writer *out, dq_error *error)
{
    dq_status status = DQ_OK;
    for (int order = first; order <= last; order++)
        for (size_t i = 0; !status && i < o->count; i++)
            if (dq_schema_order(o->at[i].kind) == order) status = dq_writer_put(out, &o->at[i], error);
    return status;
}

static dq_status read_all(dq_reader *in, dq_catalogue *catalogue, others *o, dq_progress *progress,
                          dq_error *error)
{
    dq_bundle bundle;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = dq_reader_next(in, &bundle, error)) > 0) {
        bool taken;
        dq_progress_step(progress, progress->done + bundle.rows, "rows");
        status = dq_catalogue_add(catalogue, &bundle, dq_reader_section(in), &taken, error);
        if (!status && !taken) status = keep(o, &bundle, catalogue, error);
        if (status) (void)dq_error_at(error, dq_reader_source(in), dq_reader_record(in));
        dq_bundle_free(&bundle);
    }
    return !status && got < 0 ? error->status : status;
}

dq_status dq_cat_join(dq_reader *in, dq_writer *out, dq_progress *progress, dq_error *error)
{
    dq_catalogue catalogue = DQ_CATALOGUE_EMPTY;
    others o = {0};
    const int model = dq_schema_order(DQ_KIND_MODEL), users = dq_schema_order(DQ_KIND_USERS),
              rankings = dq_schema_order(DQ_KIND_RANKINGS);
    dq_status status = read_all(in, &catalogue, &o, progress, error);
    if (!status) status = write_kinds(&o, model, model, out, error);
    if (!status) status = dq_catalogue_write(&catalogue, out, error);
    if (!status) status = write_kinds(&o, users, rankings, out, error);
    if (!status) status = write_kinds(&o, -1, -1, out, error); /* kinds that we do not know */
    for (size_t i = 0; i < o.count; i++) dq_bundle_free(&o.at[i]);
    free(o.at);
    dq_catalogue_free(&catalogue);
    return status;
}
