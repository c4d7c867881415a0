/* SPDX-License-Identifier: MIT */
#include "measure/qrels.h"

#include "core/array.h"
#include "core/bytes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static dq_status reserve(dq_lists *lists, dq_error *error)
{
    size_t capacity = dq_array_capacity(lists->capacity, lists->count + 1);
    if (capacity == lists->capacity) return DQ_OK;
    if (!dq_array_resize(&lists->query, capacity, sizeof *lists->query) ||
        !dq_array_resize(&lists->doc, capacity, sizeof *lists->doc) ||
        !dq_array_resize(&lists->value, capacity, sizeof *lists->value))
        return dq_fail_memory(error, "%zu entries", lists->count + 1);
    lists->capacity = capacity;
    return DQ_OK;
}

/* The query's row. Files are nearly always grouped by query, so the last one is tried before the index. */
static dq_status query_row(dq_lists *lists, const char *id, size_t bytes, uint32_t *row, dq_error *error)
{
    if (lists->count) {
        size_t n;
        const char *held = dq_index_id(&lists->queries, lists->last, &n);
        if (n == bytes && dq_bytes_equal(held, id, n)) {
            *row = lists->last;
            return DQ_OK;
        }
    }
    dq_status status = dq_index_add(&lists->queries, id, bytes, row, NULL, error);
    if (!status) lists->last = *row;
    return status;
}

dq_status dq_lists_add(dq_lists *lists, const char *query, size_t query_bytes, const char *doc,
                       size_t doc_bytes, double value, dq_error *error)
{
    if (!isfinite(value))
        return dq_fail(error, DQ_ERR_NUMERIC, "%.*s for %.*s is not a finite number", (int)doc_bytes, doc,
                       (int)query_bytes, query);
    dq_status status = reserve(lists, error);
    uint32_t q = 0, d = 0;
    if (!status) status = query_row(lists, query, query_bytes, &q, error);
    if (!status) status = dq_index_add(&lists->docs, doc, doc_bytes, &d, NULL, error);
    if (status) return status;
    lists->query[lists->count] = q;
    lists->doc[lists->count] = d;
    lists->value[lists->count++] = value;
    return DQ_OK;
}

static bool is_grouped(const dq_lists *lists)
{
    for (size_t i = 1; i < lists->count; i++)
        if (lists->query[i] < lists->query[i - 1]) return false;
    return true;
}

/* A counting sort by query, which keeps the order inside a query. */
static dq_status regroup(dq_lists *lists, dq_error *error)
{
    size_t queries = dq_index_count(&lists->queries);
    size_t *next = malloc((queries + 1) * sizeof *next);
    uint32_t *doc = malloc(lists->count * sizeof *doc);
    double *value = malloc(lists->count * sizeof *value);
    if (!next || !doc || !value) {
        free(next);
        free(doc);
        free(value);
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory to group %zu entries by query", lists->count);
    }
    memcpy(next, lists->start, queries * sizeof *next);
    for (size_t i = 0; i < lists->count; i++) {
        size_t at = next[lists->query[i]]++;
        doc[at] = lists->doc[i];
        value[at] = lists->value[i];
    }
    free(next);
    free(lists->doc);
    free(lists->value);
    lists->doc = doc;
    lists->value = value;
    return DQ_OK;
}

static dq_status refuse_duplicate(const dq_lists *lists, uint32_t q, uint32_t d, dq_error *error)
{
    size_t qn, dn;
    const char *query = dq_index_id(&lists->queries, q, &qn), *doc = dq_index_id(&lists->docs, d, &dn);
    return dq_fail(error, DQ_ERR_DUPLICATE, "query %.*s has %.*s twice", (int)qn, query, (int)dn, doc);
}

/* Goes through the groups and moves what stays to the front. held[d] - 1 is where document d stands now. */
static dq_status find_twice(dq_lists *lists, dq_twice twice, size_t *held, dq_error *error)
{
    size_t queries = dq_index_count(&lists->queries), to = 0, i = 0;
    for (uint32_t q = 0; q < queries; q++) {
        size_t first = to, end = lists->start[q + 1];
        for (; i < end; i++) {
            uint32_t doc = lists->doc[i];
            bool again = held[doc] > first; /* held in this query, not in an earlier one */
            if (again && twice == DQ_TWICE_REFUSED) return refuse_duplicate(lists, q, doc, error);
            size_t at = again ? held[doc] - 1 : to++;
            lists->value[at] = again ? fmax(lists->value[at], lists->value[i]) : lists->value[i];
            lists->doc[at] = doc;
            held[doc] = at + 1;
        }
        lists->start[q + 1] = to;
    }
    lists->count = to;
    return DQ_OK;
}

static dq_status settle_twice(dq_lists *lists, dq_twice twice, dq_error *error)
{
    size_t docs = dq_index_count(&lists->docs);
    size_t *held = calloc(docs + 1, sizeof *held);
    if (!held) return dq_fail_memory(error, "%zu documents", docs);
    dq_status status = find_twice(lists, twice, held, error);
    free(held);
    return status;
}

dq_status dq_lists_finish(dq_lists *lists, dq_twice twice, dq_error *error)
{
    size_t queries = dq_index_count(&lists->queries);
    lists->start = calloc(queries + 1, sizeof *lists->start);
    if (!lists->start) return dq_fail_memory(error, "%zu queries", queries);
    for (size_t i = 0; i < lists->count; i++) lists->start[lists->query[i] + 1]++;
    for (size_t q = 0; q < queries; q++) lists->start[q + 1] += lists->start[q];
    dq_status status = is_grouped(lists) ? DQ_OK : regroup(lists, error);
    if (status) return status;
    free(lists->query);
    lists->query = NULL;
    lists->capacity = lists->count;
    return settle_twice(lists, twice, error);
}

void dq_lists_free(dq_lists *lists)
{
    dq_index_free(&lists->queries);
    dq_index_free(&lists->docs);
    free(lists->query);
    free(lists->doc);
    free(lists->value);
    free(lists->start);
    *lists = DQ_LISTS_EMPTY;
}
