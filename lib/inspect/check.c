/* SPDX-License-Identifier: MIT */
#include "inspect/check.h"

#include "core/index.h"
#include "data/identity.h"
#include "dq/schema.h"
#include "port/files/json.h"

#include <inttypes.h>
#include <string.h>

typedef struct known {
    dq_identity rows;
    uint64_t width;     /* of the vectors; 0: none */
    dq_index mentioned; /* by interactions */
} known;

/* All vectors of users have one width, and all of items, in whatever section or operand they stand. */
static dq_status check_width(known *k, const dq_bundle *bundle, dq_error *error)
{
    const dq_column *c = dq_bundle_column(bundle, "vector");
    uint64_t width = c ? dq_column_width(c) : 0;
    if (bundle->rows == 0) return DQ_OK;
    if (dq_index_count(&k->rows.ids) && width != k->width)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "%s: vectors of width %" PRIu64 " after vectors of width %" PRIu64, bundle->kind,
                       width, k->width);
    k->width = width;
    return DQ_OK;
}

static dq_status mention(known *k, const dq_column *ids, dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint64_t r = 0; !status && r < ids->shape[0]; r++) {
        size_t n;
        const char *id = dq_column_text(ids, r, &n);
        status = dq_index_add(&k->mentioned, id, n, NULL, NULL, error);
    }
    return status;
}

/* Interactions come before the items that they name, so ids are looked up when all is read. A stream of
 * interactions alone is sound. */
static dq_status check_mentioned(const known *k, const char *what, dq_error *error)
{
    for (uint32_t i = 0; dq_index_count(&k->rows.ids) && i < dq_index_count(&k->mentioned); i++) {
        size_t n;
        const char *id = dq_index_id(&k->mentioned, i, &n);
        if (dq_index_find(&k->rows.ids, id, n) == DQ_ABSENT)
            return dq_fail(error, DQ_ERR_UNKNOWN, "interactions: no %s %.*s", what, (int)n, id);
    }
    return DQ_OK;
}

static dq_status check_json(const dq_bundle *bundle, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        for (uint64_t r = 0; c->type == DQ_JSON && !status && r < c->shape[0]; r++) {
            size_t n;
            dq_value value;
            dq_arena arena = DQ_ARENA_EMPTY;
            const char *text = dq_column_text(c, r, &n);
            if (text) status = dq_json_parse(text, n, &arena, &value, error);
            dq_arena_free(&arena);
        }
    }
    return status;
}

static dq_status check_next(void *arg, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    known *of = arg; /* (DQ_ENTITY_KINDS) */
    dq_status status = check_json(bundle, error);
    int kind = dq_entity_kind(bundle->kind);
    if (!status && kind >= 0) status = check_width(&of[kind], bundle, error);
    if (!status && kind >= 0) status = dq_identity_add(&of[kind].rows, bundle, section, NULL, error);
    if (status || strcmp(bundle->kind, DQ_KIND_INTERACTIONS) != 0) return status;
    status = mention(&of[DQ_USERS], dq_bundle_column(bundle, "user"), error);
    return status ? status : mention(&of[DQ_ITEMS], dq_bundle_column(bundle, "item"), error);
}

dq_status dq_check_stream(dq_reader *in, const dq_watch *watch, dq_error *error)
{
    known of[DQ_ENTITY_KINDS] = {0};
    dq_status status = dq_each_bundle(in, check_next, of, watch, error);
    if (!status) status = check_mentioned(&of[DQ_USERS], "user", error);
    if (!status) status = check_mentioned(&of[DQ_ITEMS], "item", error);
    for (int i = 0; i < DQ_ENTITY_KINDS; i++) {
        dq_identity_free(&of[i].rows);
        dq_index_free(&of[i].mentioned);
    }
    return status;
}
