/* SPDX-License-Identifier: MIT */
#include "data/split.h"

#include "core/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Groups that have a row, each once, ascending; returns their number. */
static size_t list_groups(const uint32_t *group, const size_t *counts, uint32_t user_count, uint64_t *list)
{
    size_t n = 0, distinct = 0;
    for (uint32_t u = 0; u < user_count; u++)
        if (counts[u]) list[n++] = group[u];
    qsort(list, n, sizeof *list, by_number);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || list[i] != list[i - 1]) list[distinct++] = list[i];
    return distinct;
}

static size_t groups_to_hold(double share, size_t groups)
{
    if (share <= 0) return 0;
    size_t n = (size_t)(share * (double)groups + 0.5);
    if (n < 1) n = 1;
    return n < groups ? n : groups - 1;
}

/* A Fisher-Yates shuffle of the first n places. */
static void draw(uint64_t *list, size_t n, size_t count, dq_rng *rng)
{
    for (size_t i = 0; i < n; i++) {
        size_t j = i + (size_t)dq_rng_below(rng, count - i);
        uint64_t swap = list[i];
        list[i] = list[j];
        list[j] = swap;
    }
}

bool dq_split_users(const dq_split *split, const uint32_t *group, const size_t *counts, uint32_t user_count,
                    uint8_t *held, size_t *groups, size_t *held_groups)
{
    uint64_t *list = calloc((size_t)user_count + 1, sizeof *list);
    if (!list) return false;
    dq_rng rng = dq_rng_stream(split->seed, 203);
    size_t n = list_groups(group, counts, user_count, list), from = 0, to = 0;
    if (n >= 2 && split->folds) {
        draw(list, n, n, &rng);
        from = n * (split->fold - 1) / split->folds;
        to = n * split->fold / split->folds;
    } else if (n >= 2) {
        to = groups_to_hold(split->share, n);
        draw(list, to, n, &rng);
    }
    qsort(list + from, to - from, sizeof *list, by_number);
    for (uint32_t u = 0; u < user_count; u++) {
        uint64_t g = group[u];
        held[u] = bsearch(&g, list + from, to - from, sizeof g, by_number) != NULL;
    }
    *groups = n;
    *held_groups = to - from;
    free(list);
    return true;
}

bool dq_split_parse_fold(const char *text, uint32_t *fold, uint32_t *folds)
{
    char rest;
    int read = sscanf(text, "%9u/%9u%c", fold, folds, &rest); /* NOLINT: 9 digits fit */
    return !strpbrk(text, "-+ \t\n") && read == 2 && *folds >= 2 && *fold >= 1 && *fold <= *folds;
}

static dq_status group_by(const dq_entities *users, const char *attribute, uint32_t *group, dq_error *error)
{
    char column[256];
    dq_index values = DQ_INDEX_EMPTY;
    dq_status status = DQ_OK;
    uint32_t count = dq_entities_count(users), grouped = 0;
    if (snprintf(column, sizeof column, "attr.%s", attribute) >= (int)sizeof column)
        return dq_fail(error, DQ_ERR_RANGE, "too long a name of an attribute");
    for (uint32_t u = 0; !status && u < count; u++) {
        size_t n;
        const char *value = dq_entities_text(users, u, column, &n);
        group[u] = count + u;
        if (!value) continue;
        status = dq_index_add(&values, value, n, &group[u], NULL, error);
        grouped++;
    }
    dq_index_free(&values);
    if (!status && grouped == 0)
        return dq_fail(error, DQ_ERR_UNKNOWN, "no user has an attribute '%s'", attribute);
    return status;
}

dq_status dq_split_group(const dq_entities *users, const char *attribute, uint32_t *group, dq_error *error)
{
    if (attribute) return group_by(users, attribute, group, error);
    for (uint32_t u = 0; u < dq_entities_count(users); u++) group[u] = u;
    return DQ_OK;
}
