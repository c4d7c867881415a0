/* SPDX-License-Identifier: MIT */
#include "embed/layout.h"

#include <string.h>

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for vectors");
}

static bool has_text(const dq_embed_layout *layout, const char *name)
{
    for (size_t i = 0; i < layout->text_count; i++)
        if (strcmp(layout->texts[i], name) == 0) return true;
    return false;
}

/* NAME of "users:NAME" when the kind is users; NULL for what is not so. */
static const char *named_for(const char *kind, const char *name)
{
    size_t n = strlen(kind);
    return strncmp(name, kind, n) == 0 && name[n] == ':' ? name + n + 1 : NULL;
}

static bool is_wanted(const dq_embed_config *c, const char *kind, const char *text)
{
    for (size_t i = 0; i < c->wanted_count; i++) {
        const char *alone = named_for(kind, c->wanted[i]);
        if (strcmp(alone ? alone : c->wanted[i], text) == 0) return true;
    }
    return c->wanted_count == 0;
}

static dq_status add_text(dq_embed_layout *layout, const char *name, dq_arena *arena, dq_error *error)
{
    if (layout->text_count == DQ_EMBED_TEXTS_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "more than %d texts", DQ_EMBED_TEXTS_MAX);
    layout->texts[layout->text_count] = dq_arena_text(arena, name, strlen(name));
    return layout->texts[layout->text_count++] ? DQ_OK : no_memory(error);
}

static dq_status choose_texts(dq_embed_layout *layout, const dq_embed_config *c, const dq_bundle *bundle,
                              dq_arena *arena, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < bundle->column_count; i++) {
        const char *name = bundle->columns[i].name;
        if (strncmp(name, "text.", 5) == 0 && is_wanted(c, layout->kind, name + 5))
            status = add_text(layout, name + 5, arena, error);
    }
    return status;
}

dq_status dq_embed_check_new(const char *kind, const dq_field *fields, size_t count, const char *name,
                             dq_error *error)
{
    if (!dq_field_find(fields, count, name)) return DQ_OK;
    return dq_fail(error, DQ_ERR_DUPLICATE,
                   "%s have a field '%s' already (another prefix makes another name)", kind, name);
}

static dq_status add_field(dq_embed_layout *layout, const dq_embed_config *c, const char *text,
                           dq_arena *arena, dq_error *error)
{
    size_t a = strlen(c->prefix), b = strlen(text);
    char *name = dq_arena_take(arena, a + b + 1);
    if (!name) return no_memory(error);
    memcpy(name, c->prefix, a);
    memcpy(name + a, text, b + 1);
    dq_status status = dq_embed_check_new(layout->kind, layout->fields, layout->field_count, name, error);
    if (status) return status;
    layout->fields[layout->field_count++] = (dq_field){
        .name = name, .offset = layout->width, .width = c->width};
    if (c->width > UINT32_MAX - layout->width) return dq_fail(error, DQ_ERR_RANGE, "vectors too wide");
    layout->width += c->width;
    return DQ_OK;
}

/* The fields that are there, and behind them one for each text, or one for all. */
static dq_status lay_out(dq_embed_layout *layout, const dq_embed_config *c, const dq_bundle *bundle,
                         dq_arena *arena, dq_error *error)
{
    const dq_column *old = dq_bundle_column(bundle, "vector");
    dq_field *kept = NULL;
    dq_status status = DQ_OK;
    if (old) {
        if (dq_column_width(old) > UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "vectors too wide");
        layout->old_width = layout->width = (uint32_t)dq_column_width(old);
        status = dq_fields_read(&bundle->meta, layout->width, arena, &kept, &layout->field_count, error);
        if (status) return status;
    }
    layout->fields = dq_arena_zero(arena, layout->field_count + DQ_EMBED_TEXTS_MAX, sizeof *layout->fields);
    if (!layout->fields) return no_memory(error);
    if (kept) memcpy(layout->fields, kept, layout->field_count * sizeof *kept);
    if (c->join && layout->text_count) return add_field(layout, c, "text", arena, error);
    for (size_t i = 0; !status && i < layout->text_count; i++)
        status = add_field(layout, c, layout->texts[i], arena, error);
    return status;
}

/* A later block must fit what the first decided: a layout cannot change within a stream. */
static dq_status check_later(const dq_embed_layout *layout, const dq_embed_config *c, const dq_bundle *bundle,
                             dq_error *error)
{
    const dq_column *old = dq_bundle_column(bundle, "vector");
    if ((old ? dq_column_width(old) : 0) != layout->old_width)
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: vectors of another width than those before", layout->kind);
    for (size_t i = 0; i < bundle->column_count; i++) {
        const char *name = bundle->columns[i].name;
        if (strncmp(name, "text.", 5) != 0 || !is_wanted(c, layout->kind, name + 5)) continue;
        if (!has_text(layout, name + 5))
            return dq_fail(
                error, DQ_ERR_SCHEMA,
                "%s: text '%s' is not in the first block, so it has no field (named %s:%s it has one)",
                layout->kind, name + 5, layout->kind, name + 5);
    }
    return DQ_OK;
}

/* Texts that are wanted of this kind alone have a field even where the first block lacks them. */
static dq_status add_named(dq_embed_layout *layout, const dq_embed_config *c, dq_arena *arena,
                           dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < c->wanted_count; i++) {
        const char *name = named_for(layout->kind, c->wanted[i]);
        if (name && !has_text(layout, name)) status = add_text(layout, name, arena, error);
    }
    return status;
}

dq_status dq_embed_layout_add(dq_embed_layout *layout, const dq_embed_config *config, const dq_bundle *block,
                              dq_arena *arena, dq_error *error)
{
    if (layout->known) return check_later(layout, config, block, error);
    layout->known = true;
    dq_status status = choose_texts(layout, config, block, arena, error);
    if (!status) status = add_named(layout, config, arena, error);
    return status ? status : lay_out(layout, config, block, arena, error);
}

bool dq_embed_layout_has(const dq_embed_layout *layout, const char *name)
{
    const char *alone = named_for(layout->kind, name);
    return has_text(layout, alone ? alone : name);
}
