/* SPDX-License-Identifier: MIT */
#include "feature/feature_impl.h"

#include "core/words/nearest.h"

#include <stdio.h>
#include <string.h>

const dq_feature_kind *const dq_feature_kinds[] = {
    &feature_cosine_z,         &feature_log_rank,      &feature_hubness,    &feature_likely_item,
    &feature_reciprocity,      &feature_neighbours,    &feature_ridge_kind, &feature_held_cosine,
    &feature_held_reciprocity, &feature_held_transfer, &feature_held_ridge, NULL,
};

const dq_feature_kind *dq_feature_find(const char *name, size_t bytes)
{
    for (const dq_feature_kind *const *k = dq_feature_kinds; *k; k++)
        if (strlen((*k)->name) == bytes && memcmp((*k)->name, name, bytes) == 0) return *k;
    return NULL;
}

const char *dq_feature_name_at(size_t i)
{
    return dq_feature_kinds[i] ? dq_feature_kinds[i]->name : NULL;
}

static const char *name_at(const void *none, size_t i)
{
    (void)none;
    return dq_feature_name_at(i);
}

dq_status dq_feature_unknown(const char *name, size_t bytes, dq_error *error)
{
    return dq_fail(error, DQ_ERR_UNKNOWN, "there are no features called '%.*s'%s", (int)bytes, name,
                   dq_hint_of(name, bytes, name_at, NULL).words);
}

bool feature_has(const dq_feature_set *set, const dq_feature_kind *kind)
{
    for (size_t k = 0; k < set->kind_count; k++)
        if (set->kinds[k] == kind) return true;
    return false;
}

/* What a kind needs and the data lack, in words; NULL: nothing. */
static const char *find_lack(const dq_feature_kind *kind, unsigned have)
{
    unsigned lacks = kind->needs & ~have;
    if (lacks & DQ_FEATURE_PAIR) return "users and items have no fields of one width";
    if (lacks & DQ_FEATURE_LABELS) return "no user has a label that is worth more than an item passed over";
    if (lacks & DQ_FEATURE_TABLE) return "users with labels times items are more than 2^28";
    if (lacks & DQ_FEATURE_SQUARE) return "items times items are more than 2^28";
    if (lacks & DQ_FEATURE_SEEN) return "what users have seen is not told (--history seen)";
    return NULL;
}

static dq_status add(dq_feature_set *set, const dq_feature_kind *kind, unsigned have, dq_error *error)
{
    const char *lack = find_lack(kind, have);
    if (lack) return dq_fail(error, DQ_ERR_RANGE, "features %s: %s", kind->name, lack);
    if (feature_has(set, kind))
        return dq_fail(error, DQ_ERR_DUPLICATE, "features %s are named twice", kind->name);
    set->kinds[set->kind_count++] = kind;
    return DQ_OK;
}

static dq_status add_named(dq_feature_set *set, const char *names, unsigned have, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status) {
        size_t n = strcspn(names, ",");
        const dq_feature_kind *kind = dq_feature_find(names, n);
        status = kind ? add(set, kind, have, error) : dq_feature_unknown(names, n, error);
        if (!names[n]) break;
        names += n + 1;
    }
    return status;
}

dq_status feature_choose(dq_feature_set *set, const char *names, unsigned have, dq_error *error)
{
    set->kind_count = 0;
    if (strcmp(names, "auto") != 0) return add_named(set, names, have, error);
    for (const dq_feature_kind *const *k = dq_feature_kinds; *k; k++)
        if (!find_lack(*k, have)) set->kinds[set->kind_count++] = *k;
    return DQ_OK;
}

dq_status feature_count_columns(dq_feature_set *set, dq_error *error)
{
    uint32_t columns = 0;
    for (size_t k = 0; k < set->kind_count; k++) {
        set->first[k] = columns;
        columns += set->kinds[k]->columns ? set->kinds[k]->columns(set) : 1;
    }
    set->first[set->kind_count] = columns;
    if (columns <= DQ_FEATURE_COLUMNS_MAX) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "%u features of a pair, and at most %d can be", columns,
                   DQ_FEATURE_COLUMNS_MAX);
}

bool dq_feature_asks_seen(const dq_feature_set *set)
{
    for (size_t k = 0; k < set->kind_count; k++)
        if (set->kinds[k]->needs & DQ_FEATURE_SEEN) return true;
    return false;
}

uint32_t dq_feature_columns(const dq_feature_set *set)
{
    return set->first[set->kind_count];
}

void dq_feature_name(const dq_feature_set *set, uint32_t column, char *name, size_t size)
{
    size_t k = 0;
    char of[160] = "";
    while (k + 1 < set->kind_count && set->first[k + 1] <= column) k++;
    const dq_feature_kind *kind = set->kinds[k];
    if (kind->name_column) kind->name_column(set, column - set->first[k], of, sizeof of);
    (void)snprintf(name, size, "%s%s%s", kind->name, *of ? "." : "", of);
}
