/* SPDX-License-Identifier: MIT */
#include "import/interactions.h"

#include "core/array.h"

#include <stdlib.h>

/* By user, then item, then as they came. */
static int by_pair(const void *a, const void *b)
{
    const dq_import_kept *x = a, *y = b;
    if (x->user != y->user) return x->user < y->user ? -1 : 1;
    if (x->item != y->item) return x->item < y->item ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static dq_status keep(dq_import_interactions *all, const dq_import_interaction *x, uint32_t user,
                      uint32_t item, dq_error *error)
{
    if (!dq_array_reserve(&all->rows, &all->slots, all->count + 1, sizeof *all->rows))
        return dq_fail_memory(error, "interactions");
    dq_import_kept *k = &all->rows[all->count];
    *k = (dq_import_kept){.interaction = *x, .user = user, .item = item, .number = all->count};
    k->interaction.user.text = dq_arena_text(&all->arena, x->user.text, x->user.bytes);
    k->interaction.item.text = dq_arena_text(&all->arena, x->item.text, x->item.bytes);
    if (!k->interaction.user.text || !k->interaction.item.text ||
        !dq_value_copy(&all->arena, &x->label, &k->interaction.label) ||
        !dq_value_copy(&all->arena, &x->attributes, &k->interaction.attributes))
        return dq_fail_memory(error, "interactions");
    all->count++;
    return DQ_OK;
}

static dq_status read_all(dq_import_interactions *all, dq_documents *documents,
                          const dq_import_interaction_keys *keys, const dq_import_chosen *users,
                          const dq_import_chosen *items, dq_import_tally *tally, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value document = dq_nil();
    dq_import_interaction x;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = documents->next(documents, &arena, &document, error)) > 0) {
        uint32_t user = DQ_ABSENT, item = DQ_ABSENT;
        dq_import_fault fault = dq_import_answered(got);
        if (!fault) fault = dq_import_read_interaction(&document, keys, &arena, &x, error);
        if (!fault) fault = dq_import_chosen_find(users, &x.user, &user, error);
        if (!fault) fault = dq_import_chosen_find(items, &x.item, &item, error);
        tally->used += !fault;
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

dq_status dq_import_interactions_read(dq_import_interactions *all, dq_documents *documents,
                                      const dq_import_interaction_keys *keys, const dq_import_chosen *users,
                                      const dq_import_chosen *items, dq_import_tally *tally, dq_error *error)
{
    dq_status status = read_all(all, documents, keys, users, items, tally, error);
    if (!status && all->count) qsort(all->rows, all->count, sizeof *all->rows, by_pair);
    return status;
}

void dq_import_interactions_free(dq_import_interactions *all)
{
    free(all->rows);
    dq_arena_free(&all->arena);
    *all = (dq_import_interactions){0};
}
