/* SPDX-License-Identifier: MIT */
#include "data/seen.h"

#include <stdlib.h>

static dq_status add_all(dq_pairset *set, const dq_dataset *dataset, dq_error *error)
{
    const dq_catalogue *c = &dataset->catalogue;
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < dataset->count; i++)
        status = dq_pairset_add(set, dataset->transitions[i].state, dataset->transitions[i].action, NULL,
                                error);
    for (size_t i = 0; !status && i < c->interaction_count; i++)
        status = dq_pairset_add(set, c->interactions[i].user, c->interactions[i].item, NULL, error);
    return status;
}

dq_status dq_seen_list(dq_seen *seen, const dq_dataset *dataset, dq_error *error)
{
    dq_pairset set = DQ_PAIRSET_EMPTY;
    dq_status status = add_all(&set, dataset, error);
    if (!status) {
        seen->count = dq_pairset_count(&set);
        seen->pairs = malloc((seen->count + 1) * sizeof *seen->pairs);
        if (seen->pairs)
            dq_pairset_sorted(&set, seen->pairs);
        else
            status = dq_fail(error, DQ_ERR_MEMORY, "no memory for pairs");
    }
    dq_pairset_free(&set);
    return status;
}

void dq_seen_free(dq_seen *seen)
{
    free(seen->pairs);
    *seen = (dq_seen){0};
}

/* The first pair of this user or of a later one. */
static size_t first_of(const dq_seen *seen, uint64_t user)
{
    size_t low = 0, high = seen->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (seen->pairs[middle].user < user)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const dq_pairset_pair *dq_seen_of(const dq_seen *seen, uint32_t user, size_t *count)
{
    size_t from = first_of(seen, user);
    *count = first_of(seen, (uint64_t)user + 1) - from;
    return seen->pairs + from;
}

size_t dq_seen_draw(const dq_seen *seen, uint32_t user, bool unseen, uint32_t items, size_t limit,
                    dq_rng *rng, uint32_t *drawn)
{
    size_t count, n = 0, next = 0;
    const dq_pairset_pair *met = dq_seen_of(seen, user, &count);
    for (size_t i = 0; !unseen && i < count; i++) drawn[n++] = met[i].item;
    for (uint32_t item = 0; unseen && item < items; item++) {
        if (next < count && met[next].item == item)
            next++;
        else
            drawn[n++] = item;
    }
    if (limit == 0 || n <= limit) return n;
    for (size_t i = 0; i < limit; i++) { /* a partial Fisher-Yates shuffle: distinct items */
        size_t j = i + (size_t)dq_rng_below(rng, n - i);
        uint32_t swap = drawn[i];
        drawn[i] = drawn[j];
        drawn[j] = swap;
    }
    return limit;
}
