/* SPDX-License-Identifier: MIT
 *
 * Where the vectors of texts go in the vectors of users or of items. The first block of a stream decides,
 * since a stream's vectors have one width:
 *
 *     | fields that were there | one for each wanted text (or one for all, joined) |
 *       old_width                each config.width
 */
#ifndef DQ_EMBED_LAYOUT_H
#define DQ_EMBED_LAYOUT_H

#include "dq/schema.h"

enum { DQ_EMBED_TEXTS_MAX = 64 };

/* Which texts become fields. What it points to is borrowed. */
typedef struct dq_embed_config {
    const char *const *wanted; /* (wanted_count) "NAME", or "users:NAME" or "items:NAME" for one kind alone */
    size_t wanted_count;       /* 0: every text */
    bool join;                 /* one field, "text", of all texts together */
    const char *prefix;        /* put before the names of the new fields */
    uint32_t width;            /* of a text's vector, >= 1 */
} dq_embed_config;

/* The layout of one kind. Begin with {.kind = ...}. */
typedef struct dq_embed_layout {
    const char *kind;                      /* DQ_KIND_USERS or DQ_KIND_ITEMS */
    bool known;                            /* a block has been added */
    const char *texts[DQ_EMBED_TEXTS_MAX]; /* (text_count) names without "text."; in the arena */
    size_t text_count;
    uint32_t old_width; /* of the vectors that were there */
    dq_field *fields;   /* (field_count) old and new; in the arena */
    size_t field_count;
    uint32_t width; /* old and new */
} dq_embed_layout;

/* Decides the layout at the first block, and holds later blocks to it. A text that is wanted of this kind
 * alone has a field even where the first block lacks it. DQ_ERR_DUPLICATE for a field that is there already,
 * DQ_ERR_SCHEMA for a later block with a further wanted text or old vectors of another width, DQ_ERR_RANGE
 * for too many texts. */
dq_status dq_embed_layout_add(dq_embed_layout *layout, const dq_embed_config *config, const dq_bundle *block,
                              dq_arena *arena, dq_error *error);

/* Whether a text, as config.wanted names it, is one of the layout's. */
bool dq_embed_layout_has(const dq_embed_layout *layout, const char *name);

/* DQ_ERR_DUPLICATE when the entities have a field of that name. */
dq_status dq_embed_check_new(const char *kind, const dq_field *fields, size_t count, const char *name,
                             dq_error *error);

#endif
