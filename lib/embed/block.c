/* SPDX-License-Identifier: MIT */
#include "embed/block.h"
#include "math/parallel.h"

#include <stdlib.h>
#include <string.h>

enum { TILE = 64 }; /* rows that a thread takes at a time */

/* What the threads share, and the first failure of each. */
typedef struct work {
    const dq_embed_config *config;
    const dq_embed_layout *layout;
    const dq_bundle *block;
    const dq_text_encoder *encoder;
    const dq_column *texts[DQ_EMBED_TEXTS_MAX]; /* NULL: none of the block's rows has it */
    const dq_column *old;
    float *vectors; /* (rows, layout->width) */
    dq_status status[DQ_PARALLEL_MAX];
    dq_error error[DQ_PARALLEL_MAX];
} work;

/* ---- texts ---- */

static const dq_column *text_column(const dq_bundle *block, const char *text)
{
    for (size_t i = 0; i < block->column_count; i++) {
        const char *name = block->columns[i].name;
        if (strncmp(name, "text.", 5) == 0 && strcmp(name + 5, text) == 0) return &block->columns[i];
    }
    return NULL;
}

/* NULL: absent, or null in this row. */
static const char *text_of(const work *w, size_t i, uint64_t row, size_t *n)
{
    *n = 0;
    return w->texts[i] ? dq_column_text(w->texts[i], row, n) : NULL;
}

/* All texts of a row as one, a line each; to be freed. NULL when memory is short. */
static char *join_texts(const work *w, uint64_t row, size_t *bytes)
{
    size_t used = 0, n;
    *bytes = 0;
    for (size_t i = 0; i < w->layout->text_count; i++)
        if (text_of(w, i, row, &n)) *bytes += n + 1;
    char *all = malloc(*bytes + 1);
    if (!all) return NULL;
    for (size_t i = 0; i < w->layout->text_count; i++) {
        const char *text = text_of(w, i, row, &n);
        if (!text) continue;
        if (n) memcpy(all + used, text, n);
        all[used + n] = '\n';
        used += n + 1;
    }
    return all;
}

/* ---- vectors ---- */

static dq_status encode_joined(const work *w, uint64_t row, unsigned thread, float *to, dq_error *error)
{
    size_t n;
    char *all = join_texts(w, row, &n);
    if (!all) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for a text");
    dq_status status = w->encoder->encode(w->encoder->self, thread, (dq_text_place){row, DQ_EMBED_TEXTS_MAX},
                                          all, n, to, error);
    free(all);
    return status;
}

static dq_status encode_row(const work *w, uint64_t row, unsigned thread, float *to, dq_error *error)
{
    dq_status status = DQ_OK;
    if (w->config->join) return w->layout->text_count ? encode_joined(w, row, thread, to, error) : DQ_OK;
    for (size_t i = 0; !status && i < w->layout->text_count; i++, to += w->config->width) {
        size_t n;
        const char *text = text_of(w, i, row, &n);
        status = w->encoder->encode(w->encoder->self, thread, (dq_text_place){row, i}, text ? text : "", n,
                                    to, error);
    }
    return status;
}

static void copy_old(const work *w, uint64_t row, float *to)
{
    size_t width = w->layout->old_width;
    if (w->old)
        dq_convert_f4(to, (const char *)w->old->data + row * width * dq_dtype_size(w->old->type),
                      w->old->type, width);
}

static void encode_tile(void *arg, size_t tile, unsigned thread)
{
    work *w = arg;
    size_t old_width = w->layout->old_width, end = (tile + 1) * TILE;
    if (end > w->block->rows) end = (size_t)w->block->rows;
    for (size_t row = tile * TILE; !w->status[thread] && row < end; row++) {
        float *to = w->vectors + row * w->layout->width;
        copy_old(w, row, to);
        w->status[thread] = encode_row(w, row, thread, to + old_width, &w->error[thread]);
    }
}

dq_status dq_embed_block(const dq_embed_layout *layout, const dq_embed_config *config, const dq_bundle *block,
                         const dq_text_encoder *encoder, float *vectors, dq_error *error)
{
    work w = {.config = config, .layout = layout, .block = block, .encoder = encoder, .vectors = vectors};
    w.old = dq_bundle_column(block, "vector");
    for (size_t i = 0; i < layout->text_count; i++) w.texts[i] = text_column(block, layout->texts[i]);
    for (unsigned t = 0; t < encoder->threads; t++) w.error[t] = DQ_ERROR_NONE;
    dq_parallel(encoder->threads, (size_t)(block->rows + TILE - 1) / TILE, encode_tile, &w);
    for (unsigned t = 0; t < encoder->threads; t++)
        if (w.status[t]) {
            if (error) *error = w.error[t];
            return w.status[t];
        }
    return encoder->finish ? encoder->finish(encoder->self, error) : DQ_OK;
}

dq_status dq_embed_replace_vectors(const dq_bundle *block, const dq_field *fields, size_t field_count,
                                   uint32_t width, dq_bundle *out, float **vectors, dq_error *error)
{
    static const char *const without[] = {"vector", NULL};
    uint64_t shape[2] = {block->rows, width};
    dq_value meta;
    dq_status status = dq_bundle_borrow(out, block, without, error);
    if (status) return status;
    *vectors = dq_arena_zero(&out->arena, (size_t)block->rows * width, sizeof **vectors);
    if (!*vectors || !dq_value_copy(&out->arena, &block->meta, &meta))
        status = dq_fail(error, DQ_ERR_MEMORY, "out of memory for vectors");
    if (!status) out->meta = meta;
    if (!status) status = dq_bundle_add_tensor(out, "vector", DQ_F4, 2, shape, *vectors, error);
    if (!status) status = dq_fields_write(fields, field_count, &out->arena, &out->meta, error);
    if (status) dq_bundle_free(out);
    return status;
}
