/* SPDX-License-Identifier: MIT
 *
 * What reader and writer both keep of a section: the order of kinds, the rows seen of each (references count
 * them), and the running digest.
 */
#include "wire/wire.h"

#include "dq/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void forget_kinds(dq_section *section)
{
    for (size_t i = 0; i < section->kind_count; i++) free(section->kinds[i].kind);
    section->kind_count = 0;
}

dq_status dq_section_begin(dq_section *section, dq_error *error)
{
    forget_kinds(section);
    section->order = -1;
    section->bundles = 0;
    if (!section->digest) section->digest = dq_hasher_new();
    if (!section->kinds) section->kinds = calloc(DQ_MAX_KINDS, sizeof *section->kinds);
    if (!section->digest || !section->kinds) return dq_fail_memory(error, "a section");
    dq_hasher_reset(section->digest);
    return DQ_OK;
}

static dq_kind_rows *find(const dq_section *section, const char *kind)
{
    for (size_t i = 0; i < section->kind_count; i++)
        if (strcmp(section->kinds[i].kind, kind) == 0) return &section->kinds[i];
    return NULL;
}

static dq_status count_rows(dq_section *section, const dq_bundle *bundle, dq_error *error)
{
    dq_kind_rows *k = find(section, bundle->kind);
    if (!k) {
        if (section->kind_count == DQ_MAX_KINDS)
            return dq_fail(error, DQ_ERR_SCHEMA, "more than %d kinds in a section", DQ_MAX_KINDS);
        k = &section->kinds[section->kind_count];
        *k = (dq_kind_rows){.kind = strdup(bundle->kind)};
        if (!k->kind) return dq_fail_memory(error, "a section");
        section->kind_count++;
    }
    if (bundle->rows > INT64_MAX - k->rows)
        return dq_fail(error, DQ_ERR_RANGE, "%s: the number of rows overflows", bundle->kind);
    k->rows += bundle->rows;
    return DQ_OK;
}

static uint64_t reference(const dq_column *column, uint64_t i)
{
    switch (column->type) {
    case DQ_U1: return ((const uint8_t *)column->data)[i];
    case DQ_U2: return ((const uint16_t *)column->data)[i];
    case DQ_U4: return ((const uint32_t *)column->data)[i];
    default: return ((const uint64_t *)column->data)[i];
    }
}

static dq_status check_references(const dq_section *section, const dq_bundle *bundle, const dq_column *column,
                                  dq_error *error)
{
    if (column->type != DQ_U1 && column->type != DQ_U2 && column->type != DQ_U4 && column->type != DQ_U8)
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: column %s refers to %s, but has type %s", bundle->kind,
                       column->name, column->ref, dq_dtype_name(column->type));
    const dq_kind_rows *k = find(section, column->ref);
    uint64_t rows = k ? k->rows : 0, width = dq_column_width(column), n = column->shape[0] * width;
    for (uint64_t i = 0; i < n; i++)
        if (reference(column, i) >= rows && !dq_column_is_null(column, i))
            return dq_fail(error, DQ_ERR_SCHEMA, "%s: column %s, row %llu: refers to row %llu of %llu %s",
                           bundle->kind, column->name, (unsigned long long)(i / width),
                           (unsigned long long)reference(column, i), (unsigned long long)rows, column->ref);
    return DQ_OK;
}

dq_status dq_section_add(dq_section *section, const dq_bundle *bundle, uint64_t hash, dq_error *error)
{
    int order = dq_schema_order(bundle->kind);
    if (order >= 0 && order < section->order)
        return dq_fail(error, DQ_ERR_SCHEMA, "a bundle of %s stands after the bundles that follow its kind",
                       bundle->kind);
    for (size_t i = 0; i < bundle->column_count; i++)
        if (bundle->columns[i].ref) {
            dq_status status = check_references(section, bundle, &bundle->columns[i], error);
            if (status) return status;
        }
    dq_status status = count_rows(section, bundle, error);
    if (status) return status;
    if (order >= 0) section->order = order;
    section->bundles++;
    unsigned char little[8];
    for (int i = 0; i < 8; i++) little[i] = (unsigned char)(hash >> (8 * i));
    dq_hasher_add(section->digest, little, sizeof little);
    return DQ_OK;
}

void dq_section_digest(const dq_section *section, char hex[17])
{
    (void)snprintf(hex, 17, "%016llx", (unsigned long long)dq_hasher_value(section->digest));
}

void dq_section_free(dq_section *section)
{
    forget_kinds(section);
    free(section->kinds);
    dq_hasher_free(section->digest);
    *section = (dq_section){0};
}
