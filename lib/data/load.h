/* SPDX-License-Identifier: MIT
 *
 * Catalogues, datasets and models out of a stream, and catalogues back into one: the only file of its room
 * that knows of streams. All else takes and gives bundles.
 */
#ifndef DQ_DATA_LOAD_H
#define DQ_DATA_LOAD_H

#include "data/dataset.h"
#include "data/session_log.h"
#include "data/state_log.h"
#include "dq/stream.h"

/* Reads everything up to the clean end, and hands each bundle of one kind to take(arg, bundle, error), whose
 * failure ends it and names the source and the record. */
dq_status dq_bundles_each(dq_reader *reader, const char *kind,
                          dq_status (*take)(void *arg, const dq_bundle *bundle, dq_error *error), void *arg,
                          dq_error *error);

/* Reads everything up to the clean end. Transitions must name users and items (DQ_ERR_UNSUPPORTED for dense
 * states); kinds that are not for learning are passed over. */
dq_status dq_dataset_read(dq_dataset *dataset, dq_reader *reader, dq_error *error);

/* A dataset with what else a stream logged. With a map what a server showed (meta.log of interactions, joined
 * with its answers: log/answers.h) is taken as the transitions that it is, rewarded by the map; of its rows
 * those of users or items that are not in the stream are left out. With sessions interactions go there too,
 * and transitions of users and items are passed over: they say nothing of an order. Transitions with vectors
 * go to states. */
typedef struct dq_dataset_logged {
    dq_dataset *dataset;
    dq_session_log *sessions; /* NULL: not asked for */
    dq_state_log *states;
    uint64_t digest, bundles; /* of what the dataset's digest does not see */
    bool propensities;        /* something has some */
    const dq_label_map *map;  /* NULL: a server's log is interactions as any */
    dq_bundle *shown;         /* held until users and items are known */
    size_t shown_count, shown_capacity;
    uint64_t strangers; /* rows that were left out */
} dq_dataset_logged;

/* Reads everything, as above. DQ_ERR_UNSUPPORTED for transitions with vectors where sessions are asked for,
 * or others of users and items are in the stream. */
dq_status dq_dataset_read_logged(dq_dataset_logged *logged, dq_reader *reader, dq_error *error);

/* Every model bundle of a file, but for last ones behind the best (dq_kept_passes_over) (kept open in
 * *reader, as an input for lineage). DQ_ERR_UNKNOWN without one.
 */
dq_status dq_models_read(dq_models *models, dq_reader **reader, const char *path, dq_error *error);

/* Writes users, interactions and items back as they were read, as one section's worth of bundles (rows of
 * equal entities once). */
dq_status dq_catalogue_write(const dq_catalogue *catalogue, dq_writer *writer, dq_error *error);

#endif
