/* SPDX-License-Identifier: MIT */
#include "data/seen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- what users did before, as state ---- */

bool dq_history_parse(const char *text, bool seen, uint32_t *n)
{
    char rest;
    *n = 0;
    if (seen && strcmp(text, "seen") == 0) return true;
    if (!seen && (*text < '0' || *text > '9')) return false; /* no sign, no space */
    if (seen && (strncmp(text, "seen:", 5) != 0 || text[5] < '0' || text[5] > '9')) return false;
    int read = sscanf(text, seen ? "seen:%4u%c" : "%4u%c", n, &rest); /* NOLINT: four digits fit */
    return read == 1 && *n >= 1 && *n <= DQ_HISTORY_MAX;
}

static dq_status keep_unrewarded(dq_history *h, const dq_session_rows *rows, dq_error *error)
{
    size_t n = 0, events = rows->first[h->users];
    h->start = calloc(h->users + (size_t)1, sizeof *h->start);
    h->item = malloc((events + 1) * sizeof *h->item);
    if (!h->start || !h->item) return dq_fail_memory(error, "what users did before");
    for (uint32_t u = 0; u < h->users; u++) {
        for (uint32_t e = rows->first[u]; e < rows->first[u + 1]; e++)
            if (isnan(rows->reward[e]) && rows->item[e] != DQ_ABSENT) h->item[n++] = rows->item[e];
        h->start[u + 1] = n;
    }
    return DQ_OK;
}

dq_status dq_history_list(dq_history *h, dq_session_log *log, const uint32_t *user_row,
                          const uint32_t *item_row, uint32_t users, dq_error *error)
{
    dq_session_rows rows = {0};
    *h = (dq_history){.users = users};
    dq_status status = dq_session_log_sort(log, error);
    if (!status) status = dq_session_log_rows(log, user_row, item_row, users, &rows, error);
    if (!status) status = keep_unrewarded(h, &rows, error);
    dq_session_rows_free(&rows);
    return status;
}

/* By a log that is empty, and says what its interactions are. */
static dq_status list_catalogue(dq_history *h, dq_session_log *log, const dq_catalogue *c, dq_error *error)
{
    dq_status status = DQ_OK;
    log->unrewarded = true;
    for (size_t b = 0; !status && b < c->interaction_bundle_count; b++)
        status = dq_session_log_add(log, &c->interaction_bundles[b], error);
    uint32_t *users = dq_index_find_all(&c->users.identity.ids, &log->users);
    uint32_t *items = dq_index_find_all(&c->items.identity.ids, &log->items);
    if (!status && !(users && items)) status = dq_fail_memory(error, "what users did before");
    if (!status) status = dq_history_list(h, log, users, items, dq_entities_count(&c->users), error);
    free(users);
    free(items);
    return status;
}

dq_status dq_history_of_catalogue(dq_history *h, const dq_catalogue *c, const dq_label_map *map,
                                  const char *time, dq_error *error)
{
    dq_session_log log = {.map = map, .time = time};
    dq_status status = list_catalogue(h, &log, c, error);
    dq_session_log_free(&log);
    return status;
}

dq_status dq_history_as(dq_history *h, const dq_catalogue *c, const dq_bundle *model, dq_error *error)
{
    const dq_session_layout none = {0};
    dq_session_log log = {0};
    dq_status status = dq_session_log_as(&log, model, &none, error);
    if (!status) status = list_catalogue(h, &log, c, error);
    dq_session_log_free(&log);
    return status;
}

void dq_history_free(dq_history *history)
{
    free(history->start);
    free(history->item);
    *history = (dq_history){0};
}
