/* SPDX-License-Identifier: MIT */
#include "report/ope_log.h"

#include "dq/schema.h"
#include "report/ope_log_impl.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const dq_index *dq_ope_log_items(const dq_ope_log *log)
{
    return log->items_of_log ? &log->logged_items : &log->entities.items.identity.ids;
}

bool dq_ope_log_again(const dq_ope_log *log)
{
    struct stat is;
    for (size_t i = 0; i < log->path_count; i++)
        if (strcmp(log->paths[i], "-") == 0 || (stat(log->paths[i], &is) == 0 && !S_ISREG(is.st_mode)))
            return false; /* what is not there fails when it is opened */
    return log->path_count > 0;
}

void dq_ope_log_free(dq_ope_log *log)
{
    dq_catalogue_free(&log->entities);
    dq_index_free(&log->logged_items);
    dq_log_join_free(&log->join);
}

/* ---- items and users ---- */

dq_status dq_ope_log_bundles(dq_ope_log *log, const char *const *paths, size_t count, dq_ope_take_bundle take,
                             void *arg, dq_error *error)
{
    dq_reader *reader;
    dq_bundle bundle;
    int got = 0;
    dq_status status = dq_reader_open(&reader, paths, count, error);
    if (status) return status;
    log->join.map = log->map;
    log->join.unanswered = log->unanswered;
    if (paths == log->paths) status = dq_log_join_reader(&log->join, reader, paths, count, error);
    while (!status && (got = dq_reader_next(reader, &bundle, error)) > 0) {
        status = take(log, &bundle, dq_reader_section(reader), arg, error);
        dq_bundle_free(&bundle);
        if (status) dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
    }
    dq_reader_close(reader);
    return got < 0 ? error->status : status;
}

static dq_status take_entities(dq_ope_log *log, dq_bundle *bundle, uint64_t section, void *arg,
                               dq_error *error)
{
    bool taken, users = strcmp(bundle->kind, DQ_KIND_USERS) == 0;
    (void)arg;
    if (strcmp(bundle->kind, DQ_KIND_INTERACTIONS) == 0 || (users && !log->wants_users)) return DQ_OK;
    return dq_catalogue_add(&log->entities, bundle, section, &taken, error);
}

static dq_status add_item(dq_ope_log *log, const char *id, size_t bytes, dq_error *error)
{
    uint32_t row;
    return dq_index_add(&log->logged_items, id, bytes, &row, NULL, error);
}

/* The actions of an environment, which have numbers alone. */
static dq_status take_actions(dq_ope_log *log, const dq_bundle *bundle, dq_error *error)
{
    int64_t actions = dq_value_integer(dq_map_get(&bundle->meta, "actions"), -1);
    dq_status status = DQ_OK;
    if (!dq_bundle_column(bundle, "choice")) return DQ_OK;
    if (actions < 1 || actions > DQ_OPE_MAX_ACTIONS)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "transitions say that there are %lld actions: 1 to %d are wanted", (long long)actions,
                       DQ_OPE_MAX_ACTIONS);
    for (int64_t a = 0; a < actions && !status; a++) {
        char id[24];
        int bytes = snprintf(id, sizeof id, "%lld", (long long)a);
        status = add_item(log, id, (size_t)bytes, error);
    }
    return status;
}

static dq_status take_item_ids(dq_ope_log *log, dq_bundle *bundle, uint64_t section, void *arg,
                               dq_error *error)
{
    dq_status status = DQ_OK;
    (void)section, (void)arg;
    if (strcmp(bundle->kind, DQ_KIND_TRANSITIONS) == 0) return take_actions(log, bundle, error);
    if (strcmp(bundle->kind, DQ_KIND_INTERACTIONS) != 0) return DQ_OK;
    const dq_column *item = dq_bundle_column(bundle, "item");
    for (uint64_t r = 0; r < bundle->rows && !status; r++) {
        size_t bytes;
        const char *id = dq_column_text(item, r, &bytes);
        status = add_item(log, id, bytes, error);
    }
    return status;
}

dq_status dq_ope_log_open(dq_ope_log *log, dq_error *error)
{
    dq_status status = DQ_OK;
    if (!log->wants_items && !log->wants_users) return DQ_OK;
    if (!log->catalogue && !dq_ope_log_again(log))
        return dq_fail(
            error, DQ_ERR_UNSUPPORTED,
            "items come after the rows, and what is read is no file to read again: name the items' "
            "stream, or a file");
    if (log->catalogue)
        status = dq_ope_log_bundles(log, &log->catalogue, 1, take_entities, NULL, error);
    else
        status = dq_ope_log_bundles(log, log->paths, log->path_count, take_entities, NULL, error);
    if (dq_entities_count(&log->entities.users) == 0) log->wants_users = false;
    log->items_of_log = dq_entities_count(&log->entities.items) == 0;
    if (!status && log->items_of_log && log->catalogue)
        status = dq_fail(error, DQ_ERR_SCHEMA, "%s: there are no items in it", log->catalogue);
    if (!status && log->items_of_log)
        status = dq_ope_log_bundles(log, log->paths, log->path_count, take_item_ids, NULL, error);
    return status;
}
