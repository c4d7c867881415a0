/* SPDX-License-Identifier: MIT
 *
 * A place with collections, by a mapping: users, interactions, items, as a section holds them. Interactions
 * are checked against items, which come later; a database is therefore asked for the items twice when there
 * are any.
 */
#include "import/entities.h"
#include "import/import.h"
#include "import/interactions.h"

/* *there is whether the mapping names interactions and the place has them. */
static dq_status open_interactions(const dq_import_mapping *mapping, dq_collections *place,
                                   dq_documents *documents, bool *there, dq_error *error)
{
    dq_query query = {.collection = mapping->interactions, .key = "_id"};
    *there = false;
    if (!mapping->interactions) return DQ_OK;
    dq_status status = place->open(place, &query, documents, error);
    *there = !status;
    if (status != DQ_ERR_UNKNOWN || !mapping->interactions_optional) return status;
    *error = DQ_ERROR_NONE;
    return DQ_OK;
}

static dq_status into_block(void *block, const dq_import_entity *entity, dq_error *error)
{
    return dq_import_block_entity(block, entity, error);
}

static dq_status write_entities(dq_import_entities *entities, const char *kind,
                                const dq_import_layout *layout, dq_import_tally *tally,
                                const dq_import_target *target, dq_error *error)
{
    dq_import_block *block;
    dq_status status = dq_import_block_new(&block, kind, layout, target, error);
    if (!status) status = dq_import_entities_read(entities, tally, into_block, block, error);
    if (!status) status = dq_import_check_used(tally, kind, kind, NULL, error);
    if (!status) status = dq_import_block_finish(block, error);
    dq_import_block_free(block);
    return status;
}

static dq_status write_rows(const dq_import_interactions *all, const dq_import_target *target,
                            dq_error *error)
{
    dq_import_block *block;
    dq_status status = dq_import_block_new(&block, DQ_KIND_INTERACTIONS, NULL, target, error);
    for (size_t i = 0; i < all->count && !status; i++)
        status = dq_import_block_interaction(block, &all->rows[i].interaction, error);
    if (!status) status = dq_import_block_finish(block, error);
    dq_import_block_free(block);
    return status;
}

static dq_status write_interactions(dq_import_request *request, const dq_import_mapping *mapping,
                                    dq_documents *documents, const dq_import_entities *users,
                                    const dq_import_entities *items, dq_error *error)
{
    dq_import_interactions all = {0};
    dq_import_interaction_keys keys = mapping->keys;
    keys.times = &request->times;
    keys.scale = &request->scale;
    dq_status status = dq_import_interactions_read(&all, documents, &keys, dq_import_entities_chosen(users),
                                                   dq_import_entities_chosen(items),
                                                   &request->interaction_tally, error);
    if (!status)
        status = dq_import_check_used(&request->interaction_tally, documents->name, DQ_KIND_INTERACTIONS,
                                      NULL, error);
    if (!status) status = write_rows(&all, &request->target, error);
    dq_import_interactions_free(&all);
    return status;
}

/* Users, interactions (NULL: none) and items. Faulty items are counted when they are read first. */
static dq_status write_all(dq_import_request *request, const dq_import_mapping *mapping,
                           dq_documents *interactions, dq_import_entities *users, dq_import_entities *items,
                           dq_error *error)
{
    const dq_import_target *target = &request->target;
    dq_import_tally counted = {.strict = request->items.tally.strict}, *tally = &request->items.tally;
    dq_status status = write_entities(users, DQ_KIND_USERS, &mapping->users.layout, &request->users.tally,
                                      target, error);
    dq_import_entities_release(users);
    if (!status && interactions) {
        status = dq_import_entities_read(items, tally, NULL, NULL, error);
        if (!status) status = dq_import_check_used(tally, DQ_KIND_ITEMS, DQ_KIND_ITEMS, NULL, error);
        if (!status) status = write_interactions(request, mapping, interactions, users, items, error);
        tally = &counted;
    }
    if (status) return status;
    return write_entities(items, DQ_KIND_ITEMS, &mapping->items.layout, tally, target, error);
}

dq_status dq_import_collections(dq_import_request *request, const dq_import_mapping *mapping,
                                dq_collections *place, dq_error *error)
{
    dq_import_entities *users = NULL, *items = NULL;
    dq_documents interactions;
    bool there = false;
    dq_status status = dq_import_check_pairs(&request->target, &mapping->users.layout, &mapping->items.layout,
                                             error);
    if (!status) status = open_interactions(mapping, place, &interactions, &there, error);
    if (!status)
        status = dq_import_entities_new(&users, DQ_KIND_USERS, place, &mapping->users,
                                        &request->users.selection, there, error);
    if (!status)
        status = dq_import_entities_new(&items, DQ_KIND_ITEMS, place, &mapping->items,
                                        &request->items.selection, there, error);
    if (!status) status = write_all(request, mapping, there ? &interactions : NULL, users, items, error);
    dq_import_entities_free(users);
    dq_import_entities_free(items);
    if (there) interactions.close(&interactions);
    return status;
}
