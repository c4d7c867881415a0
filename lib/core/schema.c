/* SPDX-License-Identifier: MIT */
#include "dq/schema.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What a column may be. A CHANCE is a probability of what has happened: above 0, and at most 1. */
enum {
    TEXT = 1,
    FLOAT = 2,
    COUNT = 4,
    FLAG = 8,
    NULLABLE = 16,
    REQUIRED = 32,
    MATRIX = 64,
    REF = 128,
    CHANCE = 256,
    FROM_ONE = 512
};

typedef struct rule {
    const char *column;
    unsigned flags;
    const char *ref;
} rule;

typedef struct schema {
    const char *kind;
    rule rules[24]; /* ended by a NULL column */
} schema;

/* What was logged of a choice: how likely it was, its place in a list, in answer to what, and who chose. */
/* clang-format off */
#define LOGGED                                                                                               \
    {"propensity", FLOAT | NULLABLE | CHANCE, NULL}, {"position", COUNT | NULLABLE | FROM_ONE, NULL},        \
    {"request", TEXT | NULLABLE, NULL}, {"model", TEXT | NULLABLE, NULL}
/* clang-format on */

/* In the order of a section. */
static const schema schemas[] = {
    {DQ_KIND_MODEL, {{0}}},
    {DQ_KIND_USERS, {{"id", TEXT | REQUIRED, NULL}, {"vector", FLOAT | MATRIX, NULL}}},
    {DQ_KIND_INTERACTIONS,
     {{"user", TEXT | REQUIRED, NULL},
      {"item", TEXT | REQUIRED, NULL},
      {"label", TEXT | NULLABLE, NULL},
      {"reward", FLOAT | NULLABLE, NULL},
      LOGGED}},
    {DQ_KIND_ITEMS, {{"id", TEXT | REQUIRED, NULL}, {"vector", FLOAT | MATRIX, NULL}}},
    {DQ_KIND_TRANSITIONS,
     {{"user", COUNT | REF, DQ_KIND_USERS},
      {"item", COUNT | REF, DQ_KIND_ITEMS},
      {"state", FLOAT | MATRIX, NULL},
      {"action", FLOAT | MATRIX, NULL},
      {"choice", COUNT, NULL},
      {"reward", FLOAT | NULLABLE, NULL},
      {"cosine", FLOAT | NULLABLE, NULL},
      {"llm", FLOAT | NULLABLE, NULL},
      {"label", TEXT | NULLABLE, NULL},
      {"done", FLAG, NULL},
      {"next_user", COUNT | REF, DQ_KIND_USERS},
      {"next_state", FLOAT | MATRIX, NULL},
      LOGGED,
      {"episode", COUNT, NULL},
      {"step", COUNT, NULL},
      {"candidates", COUNT | REF | MATRIX, DQ_KIND_ITEMS}}},
    {DQ_KIND_RANKINGS,
     {{"user", TEXT | REQUIRED, NULL},
      {"item", TEXT | REQUIRED, NULL},
      {"rank", COUNT | REQUIRED, NULL},
      {"score", FLOAT | REQUIRED, NULL},
      LOGGED}},
};

static const schema *find(const char *kind)
{
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++)
        if (strcmp(schemas[i].kind, kind) == 0) return &schemas[i];
    return NULL;
}

int dq_schema_order(const char *kind)
{
    const schema *s = find(kind);
    return s ? (int)(s - schemas) : -1;
}

static bool is_float(dq_dtype type)
{
    return type == DQ_F4 || type == DQ_F8 || type == DQ_F2 || type == DQ_BF16;
}

static bool type_fits(dq_dtype type, unsigned flags)
{
    if (flags & TEXT) return type == DQ_TEXT;
    if (flags & FLOAT) return is_float(type);
    if (flags & COUNT) return type == DQ_U4 || type == DQ_U8;
    if (flags & FLAG) return type == DQ_U1;
    return true;
}

/* True when every number of a 4-byte float run is finite: exponents are not all ones. Vectorises. */
static bool finite_f4(const unsigned char *data, size_t n)
{
    uint32_t worst = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, data + 4 * i, sizeof bits);
        worst |= (bits & 0x7f800000U) == 0x7f800000U;
    }
    return !worst;
}

/* The same of halves, of either type. */
static bool finite_halves(const unsigned char *data, size_t n, uint16_t exponent)
{
    uint16_t worst = 0;
    for (size_t i = 0; i < n; i++) {
        uint16_t bits;
        memcpy(&bits, data + 2 * i, sizeof bits);
        worst |= (bits & exponent) == exponent;
    }
    return !worst;
}

static bool all_finite(const dq_column *column, size_t n)
{
    switch (column->type) {
    case DQ_F4: return finite_f4(column->data, n);
    case DQ_F2: return finite_halves(column->data, n, 0x7c00U);
    case DQ_BF16: return finite_halves(column->data, n, 0x7f80U);
    default: return false; /* number by number */
    }
}

static dq_status check_finite(const dq_column *column, const char *kind, dq_error *error)
{
    uint64_t width = dq_column_width(column), n = column->shape[0] * width;
    if (all_finite(column, n)) return DQ_OK;
    for (uint64_t i = 0; i < n; i++) {
        double x = dq_column_number(column, i);
        bool finite = isfinite(x), fits = column->dims == 1 || fabs(x) <= FLT_MAX;
        if ((finite && fits) || dq_column_is_null(column, i)) continue;
        return dq_fail(error, DQ_ERR_NUMERIC, "%s: column %s, row %llu: %s", kind, column->name,
                       (unsigned long long)(i / width),
                       finite ? "a vector's number beyond float32" : "not a finite number");
    }
    return DQ_OK;
}

/* Numbers that mean something only in a range. */
static dq_status check_range(const dq_bundle *bundle, const dq_column *column, unsigned flags,
                             dq_error *error)
{
    bool chance = flags & CHANCE;
    for (uint64_t i = 0; flags & (CHANCE | FROM_ONE) && i < column->shape[0]; i++) {
        double x = dq_column_number(column, i);
        bool fits = chance ? x > 0 && x <= 1 : x >= 1;
        if (!fits && !dq_column_is_null(column, i))
            return dq_fail(error, DQ_ERR_NUMERIC, "%s: column %s, row %llu: %.9g is %s", bundle->kind,
                           column->name, (unsigned long long)i, x,
                           chance ? "no probability of what has happened" : "no place: the first is 1");
    }
    return DQ_OK;
}

static dq_status check_column(const dq_bundle *bundle, const dq_column *column, const rule *r,
                              dq_error *error)
{
    if (!type_fits(column->type, r->flags))
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: column %s has type %s", bundle->kind, column->name,
                       dq_dtype_name(column->type));
    if (column->dims != (r->flags & MATRIX ? 2U : 1U))
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: column %s has %u dimensions", bundle->kind, column->name,
                       column->dims);
    if ((r->flags & REF) && (!column->ref || strcmp(column->ref, r->ref) != 0))
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: column %s does not say that it refers to %s", bundle->kind,
                       column->name, r->ref);
    if (column->nulls && !(r->flags & NULLABLE))
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: column %s may not have nulls", bundle->kind, column->name);
    return DQ_OK;
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Every kind but a model is a table, and a table's columns have its rows. */
static dq_status check_rows(const dq_bundle *bundle, dq_error *error)
{
    bool model = strcmp(bundle->kind, DQ_KIND_MODEL) == 0;
    if (model && bundle->rows > 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "a model with rows, where it is no table");
    for (size_t i = 0; !model && i < bundle->column_count; i++)
        if (bundle->columns[i].shape[0] != bundle->rows)
            return dq_fail(error, DQ_ERR_SCHEMA, "%s: column %s has %llu rows, not %llu", bundle->kind,
                           bundle->columns[i].name, (unsigned long long)bundle->columns[i].shape[0],
                           (unsigned long long)bundle->rows);
    return DQ_OK;
}

dq_status dq_schema_check(const dq_bundle *bundle, dq_error *error)
{
    const schema *s = find(bundle->kind);
    if (!s) return check_rows(bundle, error);
    dq_status status = DQ_OK;
    for (const rule *r = s->rules; r->column; r++) {
        const dq_column *column = dq_bundle_column(bundle, r->column);
        if (!column && (r->flags & REQUIRED))
            return dq_fail(error, DQ_ERR_SCHEMA, "%s: no column %s", bundle->kind, r->column);
        if (column && (status = check_column(bundle, column, r, error))) return status;
    }
    if ((status = check_rows(bundle, error))) return status;
    for (const rule *r = s->rules; r->column; r++) {
        const dq_column *column = dq_bundle_column(bundle, r->column);
        if (column && (status = check_range(bundle, column, r->flags, error))) return status;
    }
    for (size_t i = 0; i < bundle->column_count; i++) {
        const dq_column *column = &bundle->columns[i];
        if (starts_with(column->name, "text.") && column->type != DQ_TEXT)
            return dq_fail(error, DQ_ERR_SCHEMA, "%s: column %s is not text", bundle->kind, column->name);
        if (starts_with(column->name, "attr.") && column->type != DQ_JSON)
            return dq_fail(error, DQ_ERR_SCHEMA, "%s: column %s is not json", bundle->kind, column->name);
        if (is_float(column->type) && (status = check_finite(column, bundle->kind, error))) return status;
    }
    return DQ_OK;
}
