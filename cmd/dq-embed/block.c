/* SPDX-License-Identifier: MIT */
#include "embed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 64 }; /* rows that a thread takes at a time */

/* What the threads share, and the first failure of each. */
typedef struct work {
    const dq_embed_options *o;
    const dq_embed_side *side;
    const dq_bundle *bundle;
    const dq_column *texts[DQ_EMBED_TEXTS]; /* NULL: none of the block's rows has it */
    const dq_column *old;
    float *vectors; /* (rows, side->width) */
    dq_hashing *const *features;
    dq_status status[DQ_PARALLEL_MAX];
    dq_error error[DQ_PARALLEL_MAX];
} work;

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
    for (size_t i = 0; i < w->side->text_count; i++)
        if (text_of(w, i, row, &n)) *bytes += n + 1;
    char *all = malloc(*bytes + 1);
    if (!all) return NULL;
    for (size_t i = 0; i < w->side->text_count; i++) {
        const char *text = text_of(w, i, row, &n);
        if (!text) continue;
        if (n) memcpy(all + used, text, n);
        all[used + n] = '\n';
        used += n + 1;
    }
    return all;
}

static dq_status embed_joined(const work *w, uint64_t row, dq_hashing *f, float *to, dq_error *error)
{
    size_t n;
    char *all = join_texts(w, row, &n);
    if (!all) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for a text");
    dq_status status = dq_hashing_text(f, all, n, to, error);
    free(all);
    return status;
}

static dq_status embed_row(const work *w, uint64_t row, dq_hashing *f, float *to, dq_error *error)
{
    dq_status status = DQ_OK;
    if (w->o->join) return w->side->text_count ? embed_joined(w, row, f, to, error) : DQ_OK;
    for (size_t i = 0; !status && i < w->side->text_count; i++, to += w->o->width) {
        size_t n;
        const char *text = text_of(w, i, row, &n);
        status = dq_hashing_text(f, text ? text : "", n, to, error);
    }
    return status;
}

static void copy_old(const work *w, uint64_t row, float *to)
{
    size_t width = w->side->old_width;
    if (w->old)
        dq_convert_f4(to, (const char *)w->old->data + row * width * dq_dtype_size(w->old->type),
                      w->old->type, width);
}

static void embed_tile(void *arg, size_t tile, unsigned thread)
{
    work *w = arg;
    size_t old_width = w->side->old_width, end = (tile + 1) * TILE;
    if (end > w->bundle->rows) end = (size_t)w->bundle->rows;
    for (size_t row = tile * TILE; !w->status[thread] && row < end; row++) {
        float *to = w->vectors + row * w->side->width;
        copy_old(w, row, to);
        w->status[thread] = embed_row(w, row, w->features[thread], to + old_width, &w->error[thread]);
    }
}

static void find_texts(work *w)
{
    w->old = dq_bundle_column(w->bundle, "vector");
    for (size_t i = 0; i < w->side->text_count; i++) {
        char name[256];
        (void)snprintf(name, sizeof name, "text.%s", w->side->texts[i]);
        w->texts[i] = dq_bundle_column(w->bundle, name);
    }
}

/* One row's texts to a model, each to its field. */
static dq_status put_row(const work *w, dq_embed_model *model, uint64_t row, float *to, dq_error *error)
{
    dq_status status = DQ_OK;
    if (w->o->join && w->side->text_count) {
        size_t n;
        char *all = join_texts(w, row, &n);
        if (!all) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for a text");
        status = dq_embed_model_put(model, all, n, w->o->width, to, error);
        free(all);
        return status;
    }
    for (size_t i = 0; !status && i < w->side->text_count; i++, to += w->o->width) {
        size_t n;
        const char *text = text_of(w, i, row, &n);
        status = dq_embed_model_put(model, text ? text : "", n, w->o->width, to, error);
    }
    return status;
}

dq_status dq_embed_block_by(const dq_embed_side *side, const dq_embed_options *options,
                            const dq_bundle *bundle, dq_embed_model *model, float *vectors, dq_error *error)
{
    work w = {.o = options, .side = side, .bundle = bundle, .vectors = vectors};
    dq_status status = DQ_OK;
    find_texts(&w);
    for (uint64_t row = 0; !status && row < bundle->rows; row++) {
        float *to = vectors + row * side->width;
        copy_old(&w, row, to);
        status = put_row(&w, model, row, to + side->old_width, error);
    }
    return status ? status : dq_embed_model_wait(model, error);
}

dq_status dq_embed_block(const dq_embed_side *side, const dq_embed_options *options, const dq_bundle *bundle,
                         dq_hashing *const *features, unsigned threads, float *vectors, dq_error *error)
{
    work w = {.o = options, .side = side, .bundle = bundle, .vectors = vectors, .features = features};
    find_texts(&w);
    for (unsigned t = 0; t < threads; t++) w.error[t] = DQ_ERROR_NONE;
    dq_parallel(threads, (size_t)(bundle->rows + TILE - 1) / TILE, embed_tile, &w);
    for (unsigned t = 0; t < threads; t++)
        if (w.status[t]) {
            *error = w.error[t];
            return w.status[t];
        }
    return DQ_OK;
}
