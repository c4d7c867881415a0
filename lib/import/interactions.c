/* SPDX-License-Identifier: MIT
 *
 * Interactions of a collection: kept until all are read, then sent by user, then item, then as they came. So
 * their memory grows with their number.
 */
#include "import/entities.h"

#include <stdlib.h>

typedef struct kept {
    dq_import_interaction interaction;
    uint32_t user, item; /* places in the order of the ids */
    size_t number;       /* as they came */
} kept;

typedef struct interactions {
    kept *rows;
    size_t count, slots;
    dq_arena arena;
} interactions;

static dq_status out_of_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for interactions");
}

/* By user, then item, then as they came. */
static int by_pair(const void *a, const void *b)
{
    const kept *x = a, *y = b;
    if (x->user != y->user) return x->user < y->user ? -1 : 1;
    if (x->item != y->item) return x->item < y->item ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* The place of an interaction's end: DQ_ABSENT when it does not leave. Where all were to leave that is a
 * fault, and an entity that was passed over is as unknown as one that never was. */
static dq_import_fault find_place(const dq_import_entities *s, const dq_import_id *id,
                                  dq_import_fault unknown, uint32_t *place, dq_error *error)
{
    *place = dq_index_find(&s->left, id->text, id->bytes);
    if (*place != DQ_ABSENT || !dq_import_selects_all(s->selection)) return DQ_IMPORT_FINE;
    dq_fail(error, DQ_ERR_UNKNOWN, "no %s '%.*s'", s->noun, (int)id->bytes, id->text);
    return unknown;
}

static dq_status keep(interactions *all, const dq_import_interaction *x, uint32_t user, uint32_t item,
                      dq_error *error)
{
    if (all->count == all->slots) {
        size_t slots = all->slots ? 2 * all->slots : 1024;
        kept *rows = realloc(all->rows, slots * sizeof *rows);
        if (!rows) return out_of_memory(error);
        all->rows = rows;
        all->slots = slots;
    }
    kept *k = &all->rows[all->count];
    *k = (kept){.interaction = *x, .user = user, .item = item, .number = all->count};
    k->interaction.user.text = dq_arena_text(&all->arena, x->user.text, x->user.bytes);
    k->interaction.item.text = dq_arena_text(&all->arena, x->item.text, x->item.bytes);
    if (!k->interaction.user.text || !k->interaction.item.text ||
        !dq_value_copy(&all->arena, &x->label, &k->interaction.label) ||
        !dq_value_copy(&all->arena, &x->attributes, &k->interaction.attributes))
        return out_of_memory(error);
    all->count++;
    return DQ_OK;
}

static dq_status read_all(interactions *all, const dq_import_mapping *mapping,
                          const dq_import_entities *users, const dq_import_entities *items,
                          dq_documents *documents, dq_import_tally *tally, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value document = dq_nil();
    dq_import_interaction x;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = documents->next(documents, &arena, &document, error)) > 0) {
        uint32_t user = DQ_ABSENT, item = DQ_ABSENT;
        dq_import_fault fault = got == DQ_DOCUMENT_BAD ? DQ_IMPORT_MALFORMED : DQ_IMPORT_FINE;
        if (!fault) fault = dq_import_read_interaction(&document, &mapping->keys, &arena, &x, error);
        if (!fault) fault = find_place(users, &x.user, DQ_IMPORT_UNKNOWN_USER, &user, error);
        if (!fault) fault = find_place(items, &x.item, DQ_IMPORT_UNKNOWN_ITEM, &item, error);
        if (fault) {
            dq_import_locate(documents, got == DQ_DOCUMENT ? &document : NULL, error);
            status = dq_import_skip(tally, fault, error);
        } else if (user != DQ_ABSENT && item != DQ_ABSENT) {
            status = keep(all, &x, user, item, error);
        }
        dq_arena_free(&arena);
    }
    dq_arena_free(&arena);
    return !status && got < 0 ? error->status : status;
}

static dq_status write_all(interactions *all, const dq_import_target *target, dq_error *error)
{
    dq_import_block *block;
    dq_status status = dq_import_block_new(&block, DQ_KIND_INTERACTIONS, target, error);
    if (all->count) qsort(all->rows, all->count, sizeof *all->rows, by_pair);
    for (size_t i = 0; i < all->count && !status; i++)
        status = dq_import_block_interaction(block, &all->rows[i].interaction, error);
    if (!status) status = dq_import_block_finish(block, error);
    dq_import_block_free(block);
    return status;
}

dq_status dq_import_write_interactions(dq_import_request *request, const dq_import_mapping *mapping,
                                       dq_documents *documents, const dq_import_entities *users,
                                       const dq_import_entities *items, dq_error *error)
{
    interactions all = {0};
    dq_status status = read_all(&all, mapping, users, items, documents, &request->interaction_tally, error);
    if (!status) status = write_all(&all, &request->target, error);
    free(all.rows);
    dq_arena_free(&all.arena);
    return status;
}
