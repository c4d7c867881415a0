/* SPDX-License-Identifier: MIT */
#include "data/load.h"

#include "core/array.h"
#include "wire/delta/starts.h"

#include <stdlib.h>
#include <string.h>

dq_status dq_bundles_each(dq_reader *reader, const char *kind,
                          dq_status (*take)(void *arg, const dq_bundle *bundle, dq_error *error), void *arg,
                          dq_error *error)
{
    dq_bundle bundle;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = dq_reader_next(reader, &bundle, error)) > 0) {
        if (strcmp(bundle.kind, kind) == 0) status = take(arg, &bundle, error);
        dq_bundle_free(&bundle);
        if (status) (void)dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
    }
    return got < 0 ? error->status : status;
}

/* Models in it are made whole, if they are not. */
static dq_status read_dataset(dq_dataset *dataset, dq_reader *reader, dq_error *error)
{
    dq_bundle bundle;
    int got;
    while ((got = dq_reader_next(reader, &bundle, error)) > 0) {
        dq_status status = dq_dataset_add(dataset, &bundle, dq_reader_section(reader), error);
        dq_bundle_free(&bundle);
        if (status) {
            (void)dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
            return status;
        }
    }
    if (got < 0) return error->status;
    return dq_catalogue_finish(&dataset->catalogue, false, error);
}

dq_status dq_dataset_read(dq_dataset *dataset, dq_reader *reader, dq_error *error)
{
    dq_starts starts = {0};
    dq_starts_follow(&starts, reader);
    dq_status status = read_dataset(dataset, reader, error);
    dq_starts_free(&starts);
    return status;
}

static void note_digest(dq_dataset_logged *l, const dq_bundle *bundle)
{
    l->digest ^= bundle->body_hash + 0x9e3779b97f4a7c15 * ++l->bundles;
}

/* ---- a server's log ---- */

static dq_status hold(dq_dataset_logged *l, dq_bundle *shown, dq_error *error)
{
    if (!dq_array_reserve(&l->shown, &l->shown_capacity, l->shown_count + 1, sizeof *l->shown))
        return dq_fail_memory(error, "a log");
    note_digest(l, shown);
    l->propensities |= dq_bundle_column(shown, "propensity") != NULL;
    l->shown[l->shown_count++] = *shown;
    *shown = DQ_BUNDLE_EMPTY;
    return DQ_OK;
}

/* Its rows of users and items that the catalogue has. */
static dq_status select_known(dq_dataset_logged *l, const dq_bundle *shown, dq_bundle *known, dq_error *error)
{
    const dq_column *user = dq_bundle_column(shown, "user"), *item = dq_bundle_column(shown, "item");
    uint32_t *rows = malloc(((size_t)shown->rows + 1) * sizeof *rows);
    size_t count = 0, n, m;
    if (!rows) return dq_fail_memory(error, "a log");
    for (uint32_t r = 0; r < shown->rows; r++) {
        const char *who = dq_column_text(user, r, &n), *what = dq_column_text(item, r, &m);
        bool here = dq_entities_find(&l->dataset->catalogue.users, who, n) != DQ_ABSENT &&
                    dq_entities_find(&l->dataset->catalogue.items, what, m) != DQ_ABSENT;
        if (here) rows[count++] = r;
        l->strangers += !here;
    }
    dq_status status = dq_bundle_select(known, shown, rows, count, error);
    free(rows);
    return status;
}

static dq_status free_shown(dq_dataset_logged *l, dq_status status)
{
    for (size_t i = 0; i < l->shown_count; i++) dq_bundle_free(&l->shown[i]);
    free(l->shown);
    l->shown = NULL;
    l->shown_count = 0;
    return status;
}

/* What was held, now that users and items are known. */
static dq_status take_shown(dq_dataset_logged *l, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < l->shown_count && !status; i++) {
        dq_bundle known = DQ_BUNDLE_EMPTY;
        status = select_known(l, &l->shown[i], &known, error);
        if (!status && known.rows && !l->sessions)
            status = dq_dataset_add_shown(l->dataset, &known, l->map, error);
        if (!status && known.rows && l->sessions) {
            status = dq_session_log_add(l->sessions, &known, error);
            if (!status) status = dq_dataset_add(l->dataset, &known, l->dataset->catalogue.section, error);
        }
        dq_bundle_free(&known);
    }
    return free_shown(l, status);
}

static dq_status take_logged(dq_dataset_logged *l, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    bool transitions = strcmp(bundle->kind, DQ_KIND_TRANSITIONS) == 0;
    dq_status status = DQ_OK;
    if (l->map && dq_map_get(&bundle->meta, "log") && strcmp(bundle->kind, DQ_KIND_INTERACTIONS) == 0)
        return hold(l, bundle, error);
    l->propensities |= dq_bundle_column(bundle, "propensity") != NULL;
    if (transitions && dq_state_log_has_states(bundle)) {
        note_digest(l, bundle);
        return dq_state_log_add(l->states, bundle, error);
    }
    if (l->sessions && transitions) return DQ_OK;
    if (l->dataset->by_bundles && transitions) note_digest(l, bundle);
    if (l->sessions && strcmp(bundle->kind, DQ_KIND_INTERACTIONS) == 0) {
        note_digest(l, bundle); /* with their times */
        status = dq_session_log_add(l->sessions, bundle, error);
    }
    return status ? status : dq_dataset_add(l->dataset, bundle, section, error);
}

/* Transitions with states are learnt from by themselves. */
static dq_status check_states(const dq_dataset_logged *l, dq_error *error)
{
    if (l->states->count && l->sessions)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "transitions with states are no sessions: learn from them without --sessions");
    if (l->states->count && l->dataset->count)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "transitions with states, and others of users and items: learn from one of them");
    return DQ_OK;
}

static dq_status read_logged(dq_dataset_logged *l, dq_reader *reader, dq_error *error)
{
    dq_bundle bundle;
    int got;
    while ((got = dq_reader_next(reader, &bundle, error)) > 0) {
        dq_status status = take_logged(l, &bundle, dq_reader_section(reader), error);
        dq_bundle_free(&bundle);
        if (status) {
            (void)dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
            return free_shown(l, status);
        }
    }
    dq_status status = got < 0 ? free_shown(l, error->status) : take_shown(l, error);
    if (!status) status = dq_catalogue_finish(&l->dataset->catalogue, false, error);
    return status ? status : check_states(l, error);
}

dq_status dq_dataset_read_logged(dq_dataset_logged *l, dq_reader *reader, dq_error *error)
{
    dq_starts starts = {0};
    dq_starts_follow(&starts, reader);
    dq_status status = read_logged(l, reader, error);
    dq_starts_free(&starts);
    return status;
}

static dq_status read_models(dq_models *models, dq_reader **reader, const char *path, dq_starts *starts,
                             dq_error *error)
{
    dq_bundle bundle;
    int got;
    dq_status status = dq_reader_open(reader, &path, 1, error);
    if (status) return status;
    dq_starts_follow(starts, *reader);
    while ((got = dq_reader_next(*reader, &bundle, error)) > 0) {
        if (strcmp(bundle.kind, DQ_KIND_MODEL) == 0)
            status = dq_models_add(models, &bundle, dq_reader_section(*reader), error);
        dq_bundle_free(&bundle);
        if (status) return status;
    }
    if (got < 0) return error->status;
    if (models->count) return DQ_OK;
    dq_status none = dq_fail(error, DQ_ERR_UNKNOWN, "no model in it");
    (void)dq_error_at(error, path, DQ_NO_RECORD);
    return none;
}

dq_status dq_models_read(dq_models *models, dq_reader **reader, const char *path, dq_error *error)
{
    dq_starts starts = {0};
    dq_status status = read_models(models, reader, path, &starts, error);
    dq_starts_free(&starts);
    return status;
}

static dq_status write_all(dq_writer *writer, const dq_bundle *bundles, size_t count, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < count; i++) status = dq_writer_put(writer, &bundles[i], error);
    return status;
}

dq_status dq_catalogue_write(const dq_catalogue *c, dq_writer *writer, dq_error *error)
{
    dq_status status = write_all(writer, c->users.bundles, c->users.bundle_count, error);
    if (!status) status = write_all(writer, c->interaction_bundles, c->interaction_bundle_count, error);
    if (!status) status = write_all(writer, c->items.bundles, c->items.bundle_count, error);
    return status;
}
