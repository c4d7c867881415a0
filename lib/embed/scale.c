/* SPDX-License-Identifier: MIT */
#include "embed/scale.h"

#include <math.h>
#include <string.h>

static const char *const how_names[] = {"z", "unit"};

static dq_status no_memory(dq_error *error)
{
    return dq_fail_memory(error, "scaling");
}

void dq_scale_free(dq_scale_side *side)
{
    dq_arena_free(&side->arena);
    *side = (dq_scale_side){.kind = side->kind};
}

/* ---- the fields ---- */

/* NAME of "users:NAME" when the side is users; the name itself where it names no side; NULL: the other. */
static const char *name_for(const char *kind, const char *wanted)
{
    static const char *const kinds[] = {DQ_KIND_USERS, DQ_KIND_ITEMS};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i]);
        if (strncmp(wanted, kinds[i], n) == 0 && wanted[n] == ':')
            return strcmp(kind, kinds[i]) == 0 ? wanted + n + 1 : NULL;
    }
    return wanted;
}

static bool is_wanted(const char *kind, const char *field, const char *const *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = name_for(kind, wanted[i]);
        if (name && strcmp(name, field) == 0) return true;
    }
    return count == 0;
}

bool dq_scale_has(const dq_scale_side *side, const char *name)
{
    const char *own = name_for(side->kind, name);
    return own && dq_field_find(side->fields, side->field_count, own);
}

/* The fields of a block's vectors: none where it has no vectors. */
static dq_status fields_of(const dq_bundle *block, dq_arena *arena, dq_field **fields, size_t *count,
                           uint32_t *width, dq_error *error)
{
    const dq_column *c = dq_bundle_column(block, "vector");
    uint64_t wide = c ? dq_column_width(c) : 0;
    *fields = NULL;
    *count = 0;
    *width = (uint32_t)wide;
    if (wide > UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "%s: vectors too wide", block->kind);
    return wide ? dq_fields_read(&block->meta, *width, arena, fields, count, error) : DQ_OK;
}

static bool same_fields(const dq_scale_side *side, const dq_field *fields, size_t count)
{
    bool same = count == side->field_count;
    for (size_t i = 0; same && i < count; i++) {
        const dq_field *a = &side->fields[i], *b = &fields[i];
        same = strcmp(a->name, b->name) == 0 && a->offset == b->offset && a->width == b->width &&
               a->scale == b->scale;
    }
    return same;
}

dq_status dq_scale_look(dq_scale_side *side, const char *const *wanted, size_t wanted_count,
                        const dq_bundle *block, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_field *fields;
    size_t count;
    uint32_t width;
    if (block->rows == 0) return DQ_OK;
    dq_status status = fields_of(block, side->known ? &arena : &side->arena, &fields, &count, &width, error);
    if (!status && side->known && (width != side->width || !same_fields(side, fields, count)))
        status = dq_fail(error, DQ_ERR_SCHEMA,
                         "%s: the vectors' fields are not those of earlier rows, or are scaled otherwise",
                         side->kind);
    dq_arena_free(&arena);
    if (status || side->known) return status;
    side->known = true;
    side->fields = fields;
    side->field_count = count;
    side->width = width;
    side->scaled = dq_arena_zero(&side->arena, count + 1, sizeof *side->scaled);
    side->mean = dq_arena_zero(&side->arena, (size_t)width + 1, sizeof *side->mean);
    side->m2 = dq_arena_zero(&side->arena, (size_t)width + 1, sizeof *side->m2);
    if (!side->scaled || !side->mean || !side->m2) return no_memory(error);
    for (size_t i = 0; i < count; i++)
        side->scaled[i].chosen = is_wanted(side->kind, fields[i].name, wanted, wanted_count);
    return DQ_OK;
}

/* ---- fitting ---- */

dq_status dq_scale_fit(dq_scale_side *side, const dq_bundle *block, dq_error *error)
{
    const dq_column *c = dq_bundle_column(block, "vector");
    dq_arena arena = DQ_ARENA_EMPTY;
    size_t width = side->width;
    if (!block->rows || !width) return DQ_OK;
    float *row = dq_arena_take(&arena, width * sizeof *row);
    if (!row) return no_memory(error);
    for (uint64_t r = 0; r < block->rows; r++) {
        dq_convert_f4(row, (const char *)c->data + r * width * dq_dtype_size(c->type), c->type, width);
        side->rows++;
        for (size_t i = 0; i < width; i++) {
            double x = (double)row[i], before = x - side->mean[i];
            side->mean[i] += before / (double)side->rows;
            side->m2[i] += before * (x - side->mean[i]);
        }
    }
    dq_arena_free(&arena);
    return DQ_OK;
}

/* {"how": "z", "mean": [..], "sd": [..]} of a field. */
static bool describe_z(dq_scale_side *side, const dq_field *field, dq_value *step)
{
    dq_value mean = dq_list(), sd = dq_list();
    bool ok = true;
    for (uint32_t i = field->offset; ok && i < field->offset + field->width; i++)
        ok = dq_list_add(&side->arena, &mean, dq_real(side->mean[i])) &&
             dq_list_add(&side->arena, &sd, dq_real(sqrt(side->m2[i] / (double)side->rows)));
    return ok && dq_map_set(&side->arena, step, "mean", mean) && dq_map_set(&side->arena, step, "sd", sd);
}

/* ---- steps ---- */

/* Whether meta.scale is a map of lists of maps; it may be NULL. */
static dq_status check_scale(const dq_value *scale, dq_error *error)
{
    if (!scale) return DQ_OK;
    if (scale->type != DQ_MAP) return dq_fail(error, DQ_ERR_SCHEMA, "meta.scale: not a map");
    for (uint32_t i = 0; i < scale->count; i++) {
        const dq_value *name = &scale->as.map[i].key, *list = &scale->as.map[i].value;
        bool steps = list->type == DQ_LIST && list->count;
        for (uint32_t k = 0; steps && k < list->count; k++) steps = list->as.list[k].type == DQ_MAP;
        if (!steps)
            return dq_fail(error, DQ_ERR_SCHEMA, "meta.scale: field %.*s: no list of steps", (int)name->count,
                           name->as.string);
    }
    return DQ_OK;
}

/* Numbers of a list, finite and at least `least`; NULL: there are none such. */
static double *read_numbers(const dq_value *list, uint32_t width, double least, dq_arena *arena)
{
    if (!list || list->type != DQ_LIST || list->count != width) return NULL;
    double *numbers = dq_arena_zero(arena, width + 1U, sizeof *numbers);
    for (uint32_t i = 0; numbers && i < width; i++) {
        numbers[i] = dq_value_number(&list->as.list[i], NAN);
        if (!isfinite(numbers[i]) || numbers[i] < least) return NULL;
    }
    return numbers;
}

static dq_status read_step(const dq_value *v, const dq_field *field, dq_arena *arena, dq_scale_step *step,
                           dq_error *error)
{
    const dq_value *how = dq_map_get(v, "how");
    *step = (dq_scale_step){.how = dq_value_is(how, how_names[DQ_SCALE_UNIT]) ? DQ_SCALE_UNIT : DQ_SCALE_Z};
    if (step->how == DQ_SCALE_UNIT) return DQ_OK;
    step->mean = read_numbers(dq_map_get(v, "mean"), field->width, -INFINITY, arena);
    step->sd = read_numbers(dq_map_get(v, "sd"), field->width, 0, arena);
    if (dq_value_is(how, how_names[DQ_SCALE_Z]) && step->mean && step->sd) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA, "meta.scale: field %s: no step that scales %u numbers", field->name,
                   field->width);
}

/* Makes a field's steps of the list in `added`. */
static dq_status read_steps(dq_scale_side *side, size_t f, dq_error *error)
{
    dq_scale_field *scaled = &side->scaled[f];
    const dq_value *list = &scaled->added;
    scaled->steps = dq_arena_zero(&side->arena, list->count, sizeof *scaled->steps);
    if (!scaled->steps) return no_memory(error);
    for (; scaled->step_count < list->count; scaled->step_count++) {
        dq_status status = read_step(&list->as.list[scaled->step_count], &side->fields[f], &side->arena,
                                     &scaled->steps[scaled->step_count], error);
        if (status) return status;
    }
    return DQ_OK;
}

dq_status dq_scale_finish(dq_scale_side *side, dq_scale_how how, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t f = 0; !status && f < side->field_count; f++) {
        dq_value step = dq_map();
        if (!side->scaled[f].chosen) continue;
        bool ok = dq_map_set(&side->arena, &step, "how", dq_string(&side->arena, how_names[how]));
        if (ok && how == DQ_SCALE_Z) ok = describe_z(side, &side->fields[f], &step);
        side->scaled[f].added = dq_list();
        ok = ok && dq_list_add(&side->arena, &side->scaled[f].added, step);
        status = ok ? read_steps(side, f, error) : no_memory(error);
    }
    return status;
}

static dq_status follow_field(dq_scale_side *side, const dq_value *name, const dq_value *steps,
                              dq_error *error)
{
    size_t f = 0;
    while (f < side->field_count && !dq_value_is(name, side->fields[f].name)) f++;
    if (f == side->field_count)
        return dq_fail(error, DQ_ERR_UNKNOWN, "the %s have no field '%.*s', which is scaled there",
                       side->kind, (int)name->count, name->as.string);
    side->scaled[f].chosen = true;
    if (!dq_value_copy(&side->arena, steps, &side->scaled[f].added)) return no_memory(error);
    return read_steps(side, f, error);
}

dq_status dq_scale_follow(dq_scale_side *side, const dq_value *meta, dq_error *error)
{
    const dq_value *scale = dq_map_get(meta, "scale");
    dq_status status = check_scale(scale, error);
    for (size_t f = 0; f < side->field_count; f++) side->scaled[f].chosen = false;
    for (uint32_t i = 0; !status && scale && i < scale->count; i++)
        status = follow_field(side, &scale->as.map[i].key, &scale->as.map[i].value, error);
    return status;
}

/* ---- scaling ---- */

static void scale_z(float *x, const dq_scale_step *step, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++)
        x[i] = step->sd[i] > 0 ? (float)(((double)x[i] - step->mean[i]) / step->sd[i]) : 0;
}

static void scale_unit(float *x, uint32_t width)
{
    double sum = 0;
    for (uint32_t i = 0; i < width; i++) sum += (double)x[i] * (double)x[i];
    double length = sqrt(sum);
    for (uint32_t i = 0; i < width && length > 0; i++) x[i] = (float)((double)x[i] / length);
}

static dq_status scale_row(const dq_scale_side *side, float *row, dq_error *error)
{
    for (size_t f = 0; f < side->field_count; f++) {
        const dq_scale_field *scaled = &side->scaled[f];
        const dq_field *field = &side->fields[f];
        for (size_t s = 0; s < scaled->step_count; s++)
            if (scaled->steps[s].how == DQ_SCALE_Z)
                scale_z(row + field->offset, &scaled->steps[s], field->width);
            else
                scale_unit(row + field->offset, field->width);
    }
    for (uint32_t i = 0; i < side->width; i++)
        if (!isfinite(row[i]))
            return dq_fail(error, DQ_ERR_NUMERIC, "%s: a number is not finite once it is scaled", side->kind);
    return DQ_OK;
}

/* A step is done once: of z after z nothing would be left but the rounding, and one that was fitted elsewhere
 * is for vectors as they were there. */
static dq_status check_once(const dq_scale_side *side, size_t f, const dq_value *before, bool first,
                            dq_error *error)
{
    const dq_scale_field *scaled = &side->scaled[f];
    bool again = first && before && before->count;
    for (uint32_t i = 0; before && i < before->count; i++)
        again |= dq_value_is(dq_map_get(&before->as.list[i], "how"), how_names[scaled->steps[0].how]);
    return again ? dq_fail(error, DQ_ERR_DUPLICATE, "%s: the field '%s' has been scaled already", side->kind,
                           side->fields[f].name)
                 : DQ_OK;
}

/* meta.scale with what is done now; its values are shared with the side's arena. */
static dq_status write_steps(const dq_scale_side *side, bool first, dq_bundle *out, dq_error *error)
{
    const dq_value *before = dq_map_get(&out->meta, "scale");
    dq_value scale = before ? *before : dq_map(), copy;
    dq_status sound = check_scale(before, error);
    if (sound) return sound;
    if (!dq_value_copy(&out->arena, &scale, &copy)) return no_memory(error);
    for (size_t f = 0; f < side->field_count; f++) {
        const dq_scale_field *scaled = &side->scaled[f];
        if (!scaled->step_count) continue;
        const char *name = side->fields[f].name;
        const dq_value *there = dq_map_get(&copy, name);
        dq_status status = check_once(side, f, there, first, error);
        if (status) return status;
        dq_value list = there ? *there : dq_list(), step;
        bool ok = true;
        for (uint32_t i = 0; ok && i < scaled->added.count; i++)
            ok = dq_value_copy(&out->arena, &scaled->added.as.list[i], &step) &&
                 dq_list_add(&out->arena, &list, step);
        if (!ok || !dq_map_set(&out->arena, &copy, name, list)) return no_memory(error);
    }
    return dq_map_set(&out->arena, &out->meta, "scale", copy) ? DQ_OK : no_memory(error);
}

/* The block with zeros for vectors, cut as they are. */
static dq_status replace_vectors(const dq_bundle *block, uint32_t width, dq_bundle *out, float **vectors,
                                 dq_error *error)
{
    static const char *const without[] = {"vector", NULL};
    uint64_t shape[2] = {block->rows, width};
    dq_value meta;
    dq_status status = dq_bundle_borrow(out, block, without, error);
    if (status) return status;
    *vectors = dq_arena_zero(&out->arena, (size_t)block->rows * width, sizeof **vectors);
    if (!*vectors || !dq_value_copy(&out->arena, &block->meta, &meta)) return no_memory(error);
    out->meta = meta;
    return dq_bundle_add_tensor(out, "vector", DQ_F4, 2, shape, *vectors, error);
}

dq_status dq_scale_apply(const dq_scale_side *side, const dq_bundle *block, bool first, dq_bundle *out,
                         dq_error *error)
{
    const dq_column *c = dq_bundle_column(block, "vector");
    size_t width = side->width;
    float *vectors = NULL;
    *out = DQ_BUNDLE_EMPTY;
    dq_status status = replace_vectors(block, side->width, out, &vectors, error);
    if (!status) status = write_steps(side, first, out, error);
    if (!status && c) dq_convert_f4(vectors, c->data, c->type, block->rows * width);
    for (uint64_t r = 0; !status && r < block->rows; r++)
        status = scale_row(side, vectors + r * width, error);
    if (status) dq_bundle_free(out);
    return status;
}
