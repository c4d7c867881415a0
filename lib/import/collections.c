/* SPDX-License-Identifier: MIT
 *
 * A place with collections, by a mapping: users, interactions, items, as a section holds them. Interactions
 * are checked against items, which come later; a database is therefore asked for the items twice when there
 * are any.
 */
#include "import/entities.h"

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

/* The items' ids, counting what is passed over; what came whole stays for run_items. */
static dq_status note_items(dq_import_entities *items, dq_error *error)
{
    items->keeps_ids = true;
    dq_status status = dq_import_entities_open(items, error);
    if (!status) status = dq_import_entities_run(items, NULL, error);
    if (items->way != DQ_IMPORT_WHOLE) dq_import_entities_close(items);
    return status;
}

static dq_status write_items(dq_import_entities *items, bool noted, const dq_import_target *target,
                             dq_error *error)
{
    dq_import_tally again = *items->tally, *counting = items->tally;
    dq_status status = DQ_OK;
    if (noted) items->tally = &again; /* counted already */
    if (noted) dq_index_free(&items->left);
    if (!noted || items->way != DQ_IMPORT_WHOLE) status = dq_import_entities_open(items, error);
    if (!status) status = dq_import_entities_run(items, target, error);
    items->tally = counting;
    return status;
}

dq_status dq_import_collections(dq_import_request *request, const dq_import_mapping *mapping,
                                dq_collections *place, dq_error *error)
{
    dq_import_entities users = {
        .noun = "user", .kind = DQ_KIND_USERS, .mapping = &mapping->users, .place = place};
    dq_import_entities items = {
        .noun = "item", .kind = DQ_KIND_ITEMS, .mapping = &mapping->items, .place = place};
    const dq_import_target *target = &request->target;
    dq_documents interactions;
    bool there = false;
    users.selection = &request->users.selection;
    users.tally = &request->users.tally;
    items.selection = &request->items.selection;
    items.tally = &request->items.tally;
    dq_status status = dq_import_check_pairs(target, &mapping->users.layout, &mapping->items.layout, error);
    if (!status) status = open_interactions(mapping, place, &interactions, &there, error);
    users.keeps_ids = there;
    if (!status) status = dq_import_entities_open(&users, error);
    if (!status) status = dq_import_entities_run(&users, target, error);
    dq_import_entities_close(&users);
    if (!status && there) status = note_items(&items, error);
    if (!status && there)
        status = dq_import_write_interactions(request, mapping, &interactions, &users, &items, error);
    if (!status) status = write_items(&items, there, target, error);
    dq_import_entities_close(&items);
    if (there) interactions.close(&interactions);
    dq_index_free(&users.left);
    dq_index_free(&items.left);
    return status;
}
