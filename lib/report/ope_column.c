/* SPDX-License-Identifier: MIT */
#include "report/ope_column.h"

#include "port/files/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void dq_ope_choices_clear(dq_ope_choices *choices)
{
    if (choices->arena.used) dq_arena_free(&choices->arena);
}

void dq_ope_choices_free(dq_ope_choices *choices)
{
    dq_arena_free(&choices->arena);
}

dq_status dq_ope_column_find(const dq_bundle *bundle, const char *name, dq_ope_column *column,
                             dq_error *error)
{
    char attribute[256];
    (void)snprintf(attribute, sizeof attribute, "attr.%.240s", name);
    column->column = dq_bundle_column(bundle, name);
    if (!column->column) column->column = dq_bundle_column(bundle, attribute);
    if (!column->column)
        return dq_fail(error, DQ_ERR_SCHEMA, "interactions have neither a column %s nor an attribute", name);
    if (column->column->dims == 1 && column->column->type != DQ_TEXT) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA, "the column %s is not of numbers", name);
}

static dq_status bad(const dq_ope_column *column, uint64_t row, dq_error *error)
{
    return dq_fail(error, DQ_ERR_SCHEMA, "row %llu: %s is not a finite number", (unsigned long long)row,
                   column->column->name);
}

dq_status dq_ope_column_number(const dq_ope_column *column, uint64_t row, double *number, dq_error *error)
{
    const dq_column *c = column->column;
    if (dq_column_is_null(c, row)) return bad(column, row, error);
    if (c->type == DQ_JSON) {
        char copy[64];
        size_t bytes;
        const char *text = dq_column_text(c, row, &bytes);
        if (!text || bytes >= sizeof copy) return bad(column, row, error);
        memcpy(copy, text, bytes);
        copy[bytes] = '\0';
        if (!dq_json_read_number(copy, bytes, number)) return bad(column, row, error);
    } else {
        *number = dq_column_number(c, row);
    }
    return isfinite(*number) ? DQ_OK : bad(column, row, error);
}

/* Whether the values of an object are probabilities. */
static dq_status check_object(const dq_value *map, dq_error *error)
{
    double sum = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        double share = dq_value_number(&map->as.map[i].value, NAN);
        if (!(share >= 0 && share <= 1))
            return dq_fail(error, DQ_ERR_RANGE, "the target's probability of '%.*s' is none",
                           (int)map->as.map[i].key.count, map->as.map[i].key.as.string);
        sum += share;
    }
    if (sum > 1 + 1e-6) return dq_fail(error, DQ_ERR_RANGE, "the target's probabilities add up to %.9g", sum);
    return DQ_OK;
}

static dq_status take_choice(const dq_value *map, const dq_index *items, dq_arena *arena,
                             dq_ope_choice *choice, dq_error *error)
{
    uint32_t *numbers = dq_arena_take(arena, map->count * sizeof *numbers);
    double *more = dq_arena_take(arena, map->count * sizeof *more);
    if (!numbers || !more) return dq_fail_memory(error, "a target's probabilities");
    for (uint32_t i = 0; i < map->count; i++) {
        const dq_value *id = &map->as.map[i].key;
        numbers[i] = dq_index_find(items, id->as.string, id->count);
        if (numbers[i] == DQ_ABSENT)
            return dq_fail(error, DQ_ERR_UNKNOWN, "the target takes '%.*s', which is not among the items",
                           (int)id->count, id->as.string);
        more[i] = dq_value_number(&map->as.map[i].value, 0);
    }
    *choice = (dq_ope_choice){.items = numbers, .more = more, .count = map->count};
    return DQ_OK;
}

/* What an object says of one item. */
static double number_of(const dq_value *map, const char *id, size_t bytes)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const dq_value *key = &map->as.map[i].key;
        if (key->count == bytes && memcmp(key->as.string, id, bytes) == 0)
            return dq_value_number(&map->as.map[i].value, 0);
    }
    return 0;
}

dq_status dq_ope_column_probability(const dq_ope_column *column, uint64_t row, const dq_index *items,
                                    const char *item_id, size_t item_bytes, dq_ope_choices *choices,
                                    dq_ope_row *to, dq_error *error)
{
    size_t bytes = 0;
    const dq_column *c = column->column;
    const char *text = c->type == DQ_JSON ? dq_column_text(c, row, &bytes) : NULL;
    if (text && bytes && text[0] == '{') {
        dq_value map;
        dq_status status = dq_json_parse(text, bytes, &choices->arena, &map, error);
        if (!status) status = check_object(&map, error);
        if (!status && items) status = take_choice(&map, items, &choices->arena, &to->choice, error);
        if (!status) to->target = number_of(&map, item_id, item_bytes);
        return status;
    }
    dq_status status = dq_ope_column_number(column, row, &to->target, error);
    if (!status && !(to->target >= 0 && to->target <= 1))
        status = dq_fail(error, DQ_ERR_RANGE, "row %llu: %s is %.9g, no probability", (unsigned long long)row,
                         c->name, to->target);
    return status;
}
