/* SPDX-License-Identifier: MIT */
#include "data/load.h"

#include <string.h>

dq_status dq_dataset_read(dq_dataset *dataset, dq_reader *reader, dq_error *error)
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

dq_status dq_models_read(dq_models *models, dq_reader **reader, const char *path, dq_error *error)
{
    dq_bundle bundle;
    int got;
    dq_status status = dq_reader_open(reader, &path, 1, error);
    if (status) return status;
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
