/* SPDX-License-Identifier: MIT */
#include "inspect/join.h"

#include "core/array.h"
#include "data/load.h"
#include "data/transitions.h"
#include "dq/schema.h"

#include <stdlib.h>

typedef struct joining {
    dq_catalogue catalogue;
    dq_bundle *others; /* (count) what is no catalogue, in the order of arrival */
    size_t count, room;
} joining;

static bool has_references(const dq_bundle *bundle)
{
    for (size_t i = 0; i < bundle->column_count; i++)
        if (dq_entity_kind(bundle->columns[i].ref) >= 0) return true;
    return false;
}

/* Takes the bundle over; its references count the catalogue's rows from now on. */
static dq_status keep(joining *j, dq_bundle *bundle, dq_error *error)
{
    if (!dq_array_reserve(&j->others, &j->room, j->count + 1, sizeof *j->others))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory to join");
    if (!has_references(bundle)) {
        j->others[j->count++] = *bundle;
        *bundle = DQ_BUNDLE_EMPTY;
        return DQ_OK;
    }
    dq_status status = dq_transitions_carry(&j->others[j->count], bundle, &j->catalogue, error);
    if (!status) j->count++;
    return status;
}

/* Writes the bundles whose kinds have a place in [first, last] of a section. */
static dq_status write_kinds(const joining *j, int first, int last, dq_writer *out, dq_error *error)
{
    dq_status status = DQ_OK;
    for (int order = first; order <= last; order++)
        for (size_t i = 0; !status && i < j->count; i++)
            if (dq_schema_order(j->others[i].kind) == order)
                status = dq_writer_put(out, &j->others[i], error);
    return status;
}

static dq_status take_next(void *arg, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    joining *j = arg;
    bool taken;
    dq_status status = dq_catalogue_add(&j->catalogue, bundle, section, &taken, error);
    return status || taken ? status : keep(j, bundle, error);
}

dq_status dq_join_sections(dq_reader *in, dq_writer *out, const dq_watch *watch, dq_error *error)
{
    joining j = {0};
    const int model = dq_schema_order(DQ_KIND_MODEL), users = dq_schema_order(DQ_KIND_USERS),
              rankings = dq_schema_order(DQ_KIND_RANKINGS);
    dq_status status = dq_each_bundle(in, take_next, &j, watch, error);
    if (!status) status = write_kinds(&j, model, model, out, error);
    if (!status) status = dq_catalogue_write(&j.catalogue, out, error);
    if (!status) status = write_kinds(&j, users, rankings, out, error);
    if (!status) status = write_kinds(&j, -1, -1, out, error); /* kinds that we do not know */
    for (size_t i = 0; i < j.count; i++) dq_bundle_free(&j.others[i]);
    free(j.others);
    dq_catalogue_free(&j.catalogue);
    return status;
}
