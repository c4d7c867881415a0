/* SPDX-License-Identifier: MIT */
#include "core/delta/delta.h"

#include "core/digest.h"
#include "dq/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "delta.";
enum { PREFIX = sizeof prefix - 1, NAME_BYTES = 256, DIGITS = 16 };

static dq_status no_memory(dq_error *error)
{
    return dq_fail_memory(error, "a model");
}

bool dq_delta_is(const dq_bundle *model)
{
    return strcmp(model->kind, DQ_KIND_MODEL) == 0 && dq_map_get(&model->meta, "delta");
}

bool dq_delta_start(const dq_bundle *delta, uint64_t *digest)
{
    const dq_value *start = dq_map_get(dq_map_get(&delta->meta, "delta"), "start");
    char digits[DIGITS + 1] = "", *end;
    if (!start || start->type != DQ_STRING || start->count != DIGITS) return false;
    memcpy(digits, start->as.string, DIGITS);
    if (strspn(digits, "0123456789abcdef") != DIGITS) return false;
    *digest = strtoull(digits, &end, 16);
    return true;
}

dq_status dq_delta_refuse(const dq_bundle *model, dq_error *error)
{
    uint64_t digest = 0;
    if (!dq_delta_is(model)) return DQ_OK;
    (void)dq_delta_start(model, &digest);
    return dq_fail(error, DQ_ERR_UNSUPPORTED,
                   "it has only what differs from the model %016" PRIx64
                   " (--save delta); dq-cat --start MODEL makes it whole",
                   digest);
}

/* The name of the column that numbers a column's units. */
static dq_status name_units(const char *name, char to[NAME_BYTES], dq_error *error)
{
    if (snprintf(to, NAME_BYTES, "%s%s", prefix, name) < NAME_BYTES) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "a column's name is too long");
}

static size_t row_bytes(const dq_column *c)
{
    return dq_dtype_size(c->type) * (size_t)dq_column_width(c);
}

static bool same_shape(const dq_column *a, const dq_column *b)
{
    return a->type == b->type && a->dims == b->dims &&
           memcmp(a->shape, b->shape, a->dims * sizeof *a->shape) == 0;
}

/* ---- making one ---- */

/* Which units of so many bytes, rows or single numbers, differ, into number (NULL: only counted). */
static size_t find_units(const dq_column *start, const dq_column *now, size_t bytes, uint32_t *number)
{
    size_t n = 0, units = bytes ? now->bytes / bytes : 0;
    const char *a = start->data, *b = now->data;
    for (size_t u = 0; u < units; u++, a += bytes, b += bytes) {
        if (memcmp(a, b, bytes) == 0) continue;
        if (number) number[n] = (uint32_t)u;
        n++;
    }
    return n;
}

/* `count` units of a column, and their numbers. */
static dq_status add_units(dq_bundle *delta, const dq_column *start, const dq_column *now, size_t bytes,
                           size_t count, dq_error *error)
{
    char name[NAME_BYTES];
    bool rows = bytes == row_bytes(now);
    uint64_t shape[DQ_MAX_DIMS], n = count;
    uint32_t *number = dq_arena_zero(&delta->arena, count, sizeof *number);
    char *data = dq_arena_take(&delta->arena, count * bytes);
    if (!number || !data) return no_memory(error);
    (void)find_units(start, now, bytes, number);
    for (size_t i = 0; i < count; i++)
        memcpy(data + i * bytes, (const char *)now->data + number[i] * bytes, bytes);
    memcpy(shape, now->shape, sizeof shape);
    shape[0] = count;
    dq_status status = name_units(now->name, name, error);
    if (!status) status = dq_bundle_add_tensor(delta, name, DQ_U4, 1, &n, number, error);
    if (status) return status;
    return dq_bundle_add_tensor(delta, now->name, now->type, rows ? now->dims : 1, shape, data, error);
}

/* Rows or numbers, whichever are fewer bytes, where they are fewer than the whole. */
static dq_status add_difference(dq_bundle *delta, const dq_column *start, const dq_column *now,
                                dq_error *error)
{
    const size_t units[2] = {row_bytes(now), dq_dtype_size(now->type)};
    size_t least = now->bytes, which = 2, counts[2];
    for (size_t i = 0; i < 2; i++) {
        counts[i] = find_units(start, now, units[i], NULL);
        size_t bytes = counts[i] * (units[i] + sizeof(uint32_t));
        if (bytes >= least) continue;
        least = bytes;
        which = i;
    }
    if (counts[0] == 0) return DQ_OK;
    if (which < 2) return add_units(delta, start, now, units[which], counts[which], error);
    return dq_bundle_add_tensor(delta, now->name, now->type, now->dims, now->shape, now->data, error);
}

static dq_status add_column(dq_bundle *delta, const dq_bundle *start, const dq_column *now, dq_error *error)
{
    const dq_column *before = dq_bundle_column(start, now->name);
    if (!dq_dtype_size(now->type) || now->nulls || now->ref || strncmp(now->name, prefix, PREFIX) == 0)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "column %s is not one of a delta", now->name);
    bool countable = now->bytes / dq_dtype_size(now->type) <= UINT32_MAX;
    if (before && same_shape(before, now) && countable) return add_difference(delta, before, now, error);
    return dq_bundle_add_tensor(delta, now->name, now->type, now->dims, now->shape, now->data, error);
}

/* Entries that always stay: whose model it is, and which of a run's, can be seen without the start. */
static bool stays(const char *key)
{
    return strcmp(key, "user") == 0 || strcmp(key, "kept") == 0;
}

/* What the model has, by name, and the entries of its metadata that the start has not. */
static bool describe(dq_bundle *delta, const dq_bundle *start, const dq_bundle *model)
{
    dq_arena *arena = &delta->arena;
    dq_value map = dq_map(), columns = dq_list(), keys = dq_list();
    char digits[DIGITS + 1];
    bool ok = true;
    (void)snprintf(digits, sizeof digits, "%016" PRIx64, start->body_hash);
    for (size_t i = 0; ok && i < model->column_count; i++)
        ok = dq_list_add(arena, &columns, dq_string(arena, model->columns[i].name));
    for (uint32_t i = 0; ok && i < model->meta.count; i++) {
        const dq_entry *e = &model->meta.as.map[i];
        const char *key = dq_value_text(arena, &e->key);
        const dq_value *before = key ? dq_map_get(&start->meta, key) : NULL;
        ok = key && dq_list_add(arena, &keys, dq_string(arena, key));
        if (ok && (stays(key) || !(before && dq_value_equal(before, &e->value))))
            ok = dq_map_set(arena, &delta->meta, key, e->value);
    }
    return ok && dq_map_set(arena, &map, "start", dq_string(arena, digits)) &&
           dq_map_set(arena, &map, "columns", columns) && dq_map_set(arena, &map, "meta", keys) &&
           dq_map_set(arena, &delta->meta, "delta", map);
}

dq_status dq_delta_make(dq_bundle *delta, const dq_bundle *start, const dq_bundle *model, dq_error *error)
{
    *delta = DQ_BUNDLE_EMPTY;
    if (!start->body || dq_delta_is(start))
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "a model is saved as a delta of one that is whole in a file");
    dq_status status = dq_bundle_init(delta, DQ_KIND_MODEL, 0, error);
    if (!status && !describe(delta, start, model)) status = no_memory(error);
    for (size_t i = 0; !status && i < model->column_count; i++)
        status = add_column(delta, start, &model->columns[i], error);
    if (status) dq_bundle_free(delta);
    return status;
}

/* ---- and the model that it is of ---- */

static dq_status unsound(dq_error *error)
{
    return dq_fail(error, DQ_ERR_SCHEMA, "what differs from its start is no model");
}

/* A column as it is, copied. */
static dq_status copy_column(dq_bundle *model, const dq_column *c, void **data, dq_error *error)
{
    *data = dq_arena_take(&model->arena, c->bytes);
    if (!*data) return no_memory(error);
    if (!dq_dtype_size(c->type)) return unsound(error);
    if (c->bytes) memcpy(*data, c->data, c->bytes);
    return dq_bundle_add_tensor(model, c->name, c->type, c->dims, c->shape, *data, error);
}

/* The start's column with other rows, or other numbers, in their places. */
static dq_status patch_column(dq_bundle *model, const dq_column *before, const dq_column *now,
                              const dq_column *numbers, dq_error *error)
{
    void *data;
    const uint32_t *number = numbers->data;
    bool fits = before && before->type == now->type && numbers->type == DQ_U4 && numbers->dims == 1 &&
                numbers->shape[0] == now->shape[0] && (now->dims == before->dims || now->dims == 1);
    if (!fits || !dq_dtype_size(now->type)) return unsound(error);
    size_t bytes = row_bytes(now), units = bytes ? before->bytes / bytes : 0;
    for (unsigned d = 1; fits && d < now->dims; d++) fits = before->shape[d] == now->shape[d];
    for (uint64_t i = 0; fits && i < numbers->shape[0]; i++)
        fits = number[i] < units && (i == 0 || number[i - 1] < number[i]);
    if (!fits) return unsound(error);
    dq_status status = copy_column(model, before, &data, error);
    for (size_t i = 0; !status && i < numbers->shape[0]; i++)
        memcpy((char *)data + number[i] * bytes, (const char *)now->data + i * bytes, bytes);
    return status;
}

static dq_status expand_column(dq_bundle *model, const dq_bundle *start, const dq_bundle *delta,
                               const char *name, dq_error *error)
{
    char numbering[NAME_BYTES];
    void *data;
    dq_status status = name_units(name, numbering, error);
    if (status) return status;
    const dq_column *now = dq_bundle_column(delta, name), *before = dq_bundle_column(start, name),
                    *numbers = dq_bundle_column(delta, numbering);
    if (now && numbers) return patch_column(model, before, now, numbers, error);
    if (!now && (numbers || !before)) return unsound(error);
    return copy_column(model, now ? now : before, &data, error);
}

static dq_status expand_entry(dq_bundle *model, const dq_bundle *start, const dq_bundle *delta,
                              const char *key, dq_error *error)
{
    const dq_value *value = dq_map_get(&delta->meta, key);
    dq_value copy;
    if (!value) value = dq_map_get(&start->meta, key);
    bool twice = dq_map_get(&model->meta, key); /* each time a copy would be made */
    if (!value || twice || strcmp(key, "delta") == 0) return unsound(error);
    if (dq_value_copy(&model->arena, value, &copy) && dq_map_set(&model->arena, &model->meta, key, copy))
        return DQ_OK;
    return no_memory(error);
}

typedef dq_status part(dq_bundle *model, const dq_bundle *start, const dq_bundle *delta, const char *name,
                       dq_error *error);

static dq_status each_name(dq_bundle *model, const dq_bundle *start, const dq_bundle *delta, const char *list,
                           part *expand, dq_error *error)
{
    const dq_value *names = dq_map_get(dq_map_get(&delta->meta, "delta"), list);
    dq_status status = names && names->type == DQ_LIST ? DQ_OK : unsound(error);
    for (uint32_t i = 0; !status && i < names->count; i++) {
        const char *name = dq_value_text(&model->arena, &names->as.list[i]);
        status = name ? expand(model, start, delta, name, error) : unsound(error);
    }
    return status;
}

/* Whether the lists name all that is in a delta: nothing of it is passed over. */
static bool names_all(const dq_bundle *model, const dq_bundle *delta)
{
    for (size_t i = 0; i < delta->column_count; i++) {
        const char *name = delta->columns[i].name;
        bool numbers = strncmp(name, prefix, PREFIX) == 0;
        if (!dq_bundle_column(model, numbers ? name + PREFIX : name)) return false;
    }
    for (uint32_t i = 0; i < delta->meta.count; i++) {
        const dq_value *key = &delta->meta.as.map[i].key;
        bool named = false;
        for (uint32_t j = 0; j < model->meta.count; j++)
            named |= dq_value_equal(key, &model->meta.as.map[j].key);
        if (!named && !dq_value_is(key, "delta")) return false;
    }
    return true;
}

dq_status dq_delta_expand(dq_bundle *model, const dq_bundle *start, const dq_bundle *delta, dq_error *error)
{
    uint64_t digest;
    const uint64_t both[2] = {start->body_hash, delta->body_hash};
    *model = DQ_BUNDLE_EMPTY;
    if (!dq_delta_start(delta, &digest)) return unsound(error);
    if (!start->body || digest != start->body_hash)
        return dq_fail(error, DQ_ERR_RANGE,
                       "it started from the model %016" PRIx64 ", and this is %016" PRIx64, digest,
                       start->body_hash);
    dq_status status = dq_bundle_init(model, DQ_KIND_MODEL, 0, error);
    if (!status) status = each_name(model, start, delta, "meta", expand_entry, error);
    if (!status) status = each_name(model, start, delta, "columns", expand_column, error);
    if (!status && !names_all(model, delta)) status = unsound(error);
    if (!status) status = dq_schema_check(model, error);
    if (status)
        dq_bundle_free(model);
    else
        model->body_hash = dq_digest(both, sizeof both); /* it is told apart as a record is */
    return status;
}
