/* SPDX-License-Identifier: MIT */
#include "embed.h"

#include <string.h>

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for vectors");
}

static bool has_text(const dq_embed_side *side, const char *name)
{
    for (size_t i = 0; i < side->text_count; i++)
        if (strcmp(side->texts[i], name) == 0) return true;
    return false;
}

/* --field NAME, or users:NAME or items:NAME for one side; none: every text. */
static bool is_wanted(const dq_embed_options *o, const char *kind, const char *text)
{
    size_t n = strlen(kind);
    for (size_t i = 0; i < o->fields.count; i++) {
        const char *name = o->fields.at[i];
        if (strncmp(name, kind, n) == 0 && name[n] == ':') name += n + 1;
        if (strcmp(name, text) == 0) return true;
    }
    return o->fields.count == 0;
}

static dq_status add_text(dq_embed_side *side, const char *name, dq_arena *arena, dq_error *error)
{
    if (side->text_count == DQ_EMBED_TEXTS)
        return dq_fail(error, DQ_ERR_RANGE, "more than %d texts", DQ_EMBED_TEXTS);
    side->texts[side->text_count] = dq_arena_text(arena, name, strlen(name));
    return side->texts[side->text_count++] ? DQ_OK : no_memory(error);
}

static dq_status choose_texts(dq_embed_side *side, const dq_embed_options *o, const dq_bundle *bundle,
                              dq_arena *arena, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < bundle->column_count; i++) {
        const char *name = bundle->columns[i].name;
        if (strncmp(name, "text.", 5) == 0 && is_wanted(o, side->kind, name + 5))
            status = add_text(side, name + 5, arena, error);
    }
    return status;
}

static dq_status add_field(dq_embed_side *side, const dq_embed_options *o, const char *text, dq_arena *arena,
                           dq_error *error)
{
    size_t a = strlen(o->prefix), b = strlen(text);
    char *name = dq_arena_take(arena, a + b + 1);
    if (!name) return no_memory(error);
    memcpy(name, o->prefix, a);
    memcpy(name + a, text, b + 1);
    if (dq_field_find(side->fields, side->field_count, name))
        return dq_fail(error, DQ_ERR_DUPLICATE, "%s have a field '%s' already (--prefix makes another name)",
                       side->kind, name);
    side->fields[side->field_count++] = (dq_field){.name = name, .offset = side->width, .width = o->width};
    if (o->width > UINT32_MAX - side->width) return dq_fail(error, DQ_ERR_RANGE, "vectors too wide");
    side->width += o->width;
    return DQ_OK;
}

/* The fields that are there, and behind them one for each text, or one for all. */
static dq_status lay_out(dq_embed_side *side, const dq_embed_options *o, const dq_bundle *bundle,
                         dq_arena *arena, dq_error *error)
{
    const dq_column *old = dq_bundle_column(bundle, "vector");
    dq_field *kept = NULL;
    dq_status status = DQ_OK;
    if (old) {
        if (dq_column_width(old) > UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "vectors too wide");
        side->old_width = side->width = (uint32_t)dq_column_width(old);
        status = dq_fields_read(&bundle->meta, side->width, arena, &kept, &side->field_count, error);
        if (status) return status;
    }
    side->fields = dq_arena_zero(arena, side->field_count + DQ_EMBED_TEXTS, sizeof *side->fields);
    if (!side->fields) return no_memory(error);
    if (side->field_count) memcpy(side->fields, kept, side->field_count * sizeof *kept);
    if (o->join && side->text_count) return add_field(side, o, "text", arena, error);
    for (size_t i = 0; !status && i < side->text_count; i++)
        status = add_field(side, o, side->texts[i], arena, error);
    return status;
}

/* A later block must fit what the first decided: a layout cannot change within a stream. */
static dq_status check_later(const dq_embed_side *side, const dq_embed_options *o, const dq_bundle *bundle,
                             dq_error *error)
{
    const dq_column *old = dq_bundle_column(bundle, "vector");
    if ((old ? dq_column_width(old) : 0) != side->old_width)
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: vectors of another width than those before", side->kind);
    for (size_t i = 0; i < bundle->column_count; i++) {
        const char *name = bundle->columns[i].name;
        if (strncmp(name, "text.", 5) != 0 || !is_wanted(o, side->kind, name + 5)) continue;
        if (!has_text(side, name + 5))
            return dq_fail(error, DQ_ERR_SCHEMA,
                           "%s: text '%s' is not in the first block, so it has no field (--field %s:%s)",
                           side->kind, name + 5, side->kind, name + 5);
    }
    return DQ_OK;
}

/* Texts named for this side alone have a field even where the first block lacks them. */
static dq_status add_named(dq_embed_side *side, const dq_embed_options *o, dq_arena *arena, dq_error *error)
{
    size_t n = strlen(side->kind);
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < o->fields.count; i++) {
        const char *name = o->fields.at[i];
        if (strncmp(name, side->kind, n) != 0 || name[n] != ':') continue;
        if (!has_text(side, name + n + 1)) status = add_text(side, name + n + 1, arena, error);
    }
    return status;
}

dq_status dq_embed_know(dq_embed_side *side, const dq_embed_options *o, const dq_bundle *bundle,
                        dq_arena *arena, dq_error *error)
{
    if (side->known) return check_later(side, o, bundle, error);
    side->known = true;
    dq_status status = choose_texts(side, o, bundle, arena, error);
    if (!status) status = add_named(side, o, arena, error);
    return status ? status : lay_out(side, o, bundle, arena, error);
}

bool dq_embed_has(const dq_embed_side *side, const char *name)
{
    size_t n = strlen(side->kind);
    if (strncmp(name, side->kind, n) == 0 && name[n] == ':') name += n + 1;
    return has_text(side, name);
}
