/* SPDX-License-Identifier: MIT
 *
 * Thousands of agents do not fit into memory, a catalogue does. So with several models the items are held,
 * and models of a file stream by, those of a folder are opened user by user; those of the catalogue's own
 * stream, which come before it, have to be held, too.
 */
#include "rank.h"

#include "core/array.h"
#include "models/directory.h"

#include <stdlib.h>
#include <string.h>

dq_status rank_agents_add(rank_agents *agents, dq_bundle *model, dq_error *error)
{
    bool named = dq_map_get(&model->meta, "user") != NULL;
    if (agents->count && !(named && dq_map_get(&agents->models[0].meta, "user")))
        return dq_fail(error, DQ_ERR_DUPLICATE,
                       "a second model: dq-rank takes one, or one for each user (dq-train --each-user)");
    if (!dq_array_reserve(&agents->models, &agents->slots, agents->count + 1, sizeof *agents->models))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for models");
    agents->models[agents->count++] = *model;
    *model = DQ_BUNDLE_EMPTY;
    return DQ_OK;
}

/* The next model of a stream; other kinds are passed over, and last models behind the best. */
static int next_model(rank_agents *agents, dq_reader *reader, dq_bundle *model, dq_error *error)
{
    int got;
    while ((got = dq_reader_next(reader, model, error)) > 0 &&
           (strcmp(model->kind, DQ_KIND_MODEL) != 0 ||
            dq_kept_passes_over(&agents->kept, model, dq_reader_section(reader))))
        dq_bundle_free(model);
    return got;
}

dq_status rank_agents_read(rank_agents *agents, dq_reader *reader, const char *name, dq_error *error)
{
    dq_bundle model;
    dq_status status = DQ_OK;
    int got = 1;
    dq_starts_follow(&agents->starts, reader);
    while (!status && agents->count < 2 && (got = next_model(agents, reader, &model, error)) > 0) {
        if ((status = rank_agents_add(agents, &model, error)))
            dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
        dq_bundle_free(&model);
    }
    if (got < 0) return error->status;
    if (!status && agents->count == 0) {
        status = dq_fail(error, DQ_ERR_SCHEMA, "no model in it");
        dq_error_at(error, name, DQ_NO_RECORD);
    }
    if (agents->count > 1) agents->reader = reader;
    return status;
}

dq_status rank_agents_read_dir(rank_agents *agents, dq_error *error)
{
    const dq_model_dir dir = {.path = agents->dir};
    dq_reader *reader;
    dq_status status = dq_model_dir_any(&dir, &reader, error);
    if (status == DQ_ERR_UNKNOWN && agents->fallback) return DQ_OK;
    if (status) return status;
    status = rank_agents_read(agents, reader, agents->dir, error);
    agents->reader = NULL;
    dq_starts_leave(&agents->starts);
    dq_reader_close(reader);
    return status;
}

bool rank_agents_each(const rank_agents *agents)
{
    return agents->count > 1 || agents->dir || agents->fallback;
}

int rank_agents_of(rank_agents *agents, const char *id, size_t bytes, dq_bundle *model, dq_error *error)
{
    const dq_model_dir dir = {.path = agents->dir};
    dq_reader *reader;
    if (dq_model_dir_open(&dir, id, bytes, &reader, error)) return -1;
    if (reader) dq_starts_follow(&agents->starts, reader);
    int got = reader ? next_model(agents, reader, model, error) : 0;
    dq_bundle more;
    int rest = got > 0 ? next_model(agents, reader, &more, error) : 0; /* verified to its end */
    if (rest > 0) {
        dq_bundle_free(&more);
        (void)dq_fail(error, DQ_ERR_DUPLICATE, "a second model in the file of user %.*s", (int)bytes, id);
    }
    if (rest) dq_bundle_free(model);
    dq_starts_leave(&agents->starts);
    dq_reader_close(reader);
    return rest ? -1 : got;
}

int rank_agents_next(rank_agents *agents, dq_bundle *model, dq_error *error)
{
    if (agents->next < agents->count) {
        *model = agents->models[agents->next];
        agents->models[agents->next++] = DQ_BUNDLE_EMPTY;
        return 1;
    }
    return agents->reader ? next_model(agents, agents->reader, model, error) : 0;
}

void rank_agents_free(rank_agents *agents)
{
    for (size_t i = 0; i < agents->count; i++) dq_bundle_free(&agents->models[i]);
    free(agents->models);
    dq_starts_free(&agents->starts);
    *agents = (rank_agents){.dir = agents->dir, .fallback = agents->fallback, .kept = agents->kept};
}
