/* SPDX-License-Identifier: MIT
 *
 * A place with collections, by a mapping: users, interactions, items, as a section holds them. Interactions
 * are checked against items, which come later; a database is therefore asked for the items twice when there
 * are any.
 */
#include "import/entities.h"

/* *there is whether the mapping names interactions and the place has them. */
static dq_status open_interactions(const export_schema *schema, dq_collections *place,
                                   dq_documents *documents, bool *there, dq_error *error)
{
    dq_query query = {.collection = schema->interactions, .key = "_id"};
    *there = false;
    if (!schema->interactions) return DQ_OK;
    dq_status status = place->open(place, &query, documents, error);
    *there = !status;
    if (status != DQ_ERR_UNKNOWN || !schema->interactions_optional) return status;
    *error = DQ_ERROR_NONE;
    return DQ_OK;
}

/* The items' ids, counting what is passed over; what came whole stays for run_items. */
static dq_status note_items(export_side *items, dq_error *error)
{
    items->keeps_ids = true;
    dq_status status = export_side_open(items, error);
    if (!status) status = export_side_run(items, NULL, error);
    if (items->way != EXPORT_WHOLE) export_side_close(items);
    return status;
}

static dq_status write_items(export_side *items, bool noted, const export_target *target, dq_error *error)
{
    export_tally again = *items->tally, *counting = items->tally;
    dq_status status = DQ_OK;
    if (noted) items->tally = &again; /* counted already */
    if (noted) dq_index_free(&items->left);
    if (!noted || items->way != EXPORT_WHOLE) status = export_side_open(items, error);
    if (!status) status = export_side_run(items, target, error);
    items->tally = counting;
    return status;
}

dq_status export_collections(export_request *request, const export_schema *schema, dq_collections *place,
                             dq_error *error)
{
    export_side users = {.noun = "user", .kind = DQ_KIND_USERS, .schema = &schema->users, .place = place};
    export_side items = {.noun = "item", .kind = DQ_KIND_ITEMS, .schema = &schema->items, .place = place};
    const export_target *target = &request->target;
    dq_documents interactions;
    bool there = false;
    users.pick = &request->users.selection;
    users.tally = &request->users.tally;
    items.pick = &request->items.selection;
    items.tally = &request->items.tally;
    dq_status status = export_check_pairs(target, &schema->users.layout, &schema->items.layout, error);
    if (!status) status = open_interactions(schema, place, &interactions, &there, error);
    users.keeps_ids = there;
    if (!status) status = export_side_open(&users, error);
    if (!status) status = export_side_run(&users, target, error);
    export_side_close(&users);
    if (!status && there) status = note_items(&items, error);
    if (!status && there)
        status = export_write_interactions(request, schema, &interactions, &users, &items, error);
    if (!status) status = write_items(&items, there, target, error);
    export_side_close(&items);
    if (there) interactions.close(&interactions);
    dq_index_free(&users.left);
    dq_index_free(&items.left);
    return status;
}
