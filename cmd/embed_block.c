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
    dq_features *const *features;
    dq_status status[DQ_PARALLEL_MAX];
    dq_error error[DQ_PARALLEL_MAX];
} work;

static const char *text_of(const work *w, size_t i, uint64_t row, size_t *n)
{
    *n = 0;
    return w->texts[i] ? dq_column_text(w->texts[i], row, n) : NULL;
}

/* All texts of a row as one, a line each. */
static dq_status embed_joined(const work *w, uint64_t row, dq_features *f, float *to, dq_error *error)
{
    size_t bytes = 0, used = 0, n;
    for (size_t i = 0; i < w->side->text_count; i++)
        if (text_of(w, i, row, &n)) bytes += n + 1;
    char *all = malloc(bytes + 1);
    if (!all) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for a text");
    for (size_t i = 0; i < w->side->text_count; i++) {
        const char *text = text_of(w, i, row, &n);
        if (!text) continue;
        if (n) memcpy(all + used, text, n);
        all[used + n] = '\n';
        used += n + 1;
    }
    dq_status status = dq_features_text(f, all, used, to, error);
    free(all);
    return status;
}

static dq_status embed_row(const work *w, uint64_t row, dq_features *f, float *to, dq_error *error)
{
    dq_status status = DQ_OK;
    if (w->o->join) return w->side->text_count ? embed_joined(w, row, f, to, error) : DQ_OK;
    for (size_t i = 0; !status && i < w->side->text_count; i++, to += w->o->width) {
        size_t n;
        const char *text = text_of(w, i, row, &n);
        status = dq_features_text(f, text ? text : "", n, to, error);
    }
    return status;
}

static void embed_tile(void *arg, size_t tile, unsigned thread)
{
    work *w = arg;
    size_t old_width = w->side->old_width, end = (tile + 1) * TILE;
    if (end > w->bundle->rows) end = (size_t)w->bundle->rows;
    for (size_t row = tile * TILE; !w->status[thread] && row < end; row++) {
        float *to = w->vectors + row * w->side->width;
        if (w->old)
            dq_convert_f4(to, (const char *)w->old->data + row * old_width * dq_dtype_size(w->old->type),
                          w->old->type, old_width);
        w->status[thread] = embed_row(w, row, w->features[thread], to + old_width, &w->error[thread]);
    }
}

dq_status dq_embed_block(const dq_embed_side *side, const dq_embed_options *options, const dq_bundle *bundle,
                         dq_features *const *features, unsigned threads, float *vectors, dq_error *error)
{
    work w = {.o = options,
              .side = side,
              .bundle = bundle,
              .old = dq_bundle_column(bundle, "vector"),
              .vectors = vectors,
              .features = features};
    for (size_t i = 0; i < side->text_count; i++) {
        char name[256];
        (void)snprintf(name, sizeof name, "text.%s", side->texts[i]);
        w.texts[i] = dq_bundle_column(bundle, name);
    }
    for (unsigned t = 0; t < threads; t++) w.error[t] = DQ_ERROR_NONE;
    dq_parallel(threads, (size_t)(bundle->rows + TILE - 1) / TILE, embed_tile, &w);
    for (unsigned t = 0; t < threads; t++)
        if (w.status[t]) {
            *error = w.error[t];
            return w.status[t];
        }
    return DQ_OK;
}
