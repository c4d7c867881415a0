/* SPDX-License-Identifier: MIT */
#include "embed.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows [from, to) of a block, for one thread. */
typedef struct share {
    const dq_embed_options *o;
    const dq_embed_side *side;
    const dq_bundle *bundle;
    const dq_column *texts[DQ_EMBED_TEXTS]; /* NULL: none of the block's rows has it */
    float *vectors;                         /* (rows, side->width) */
    uint64_t from, to;
    dq_features *features;
    dq_status status;
    dq_error error;
} share;

static const char *text_of(const share *w, size_t i, uint64_t row, size_t *n)
{
    *n = 0;
    return w->texts[i] ? dq_column_text(w->texts[i], row, n) : NULL;
}

/* All texts of a row as one, a line each. */
static dq_status embed_joined(share *w, uint64_t row, float *to)
{
    size_t bytes = 0, n;
    for (size_t i = 0; i < w->side->text_count; i++)
        if (text_of(w, i, row, &n)) bytes += n + 1;
    char *all = malloc(bytes + 1);
    if (!all) return dq_fail(&w->error, DQ_ERR_MEMORY, "out of memory for a text");
    size_t used = 0;
    for (size_t i = 0; i < w->side->text_count; i++) {
        const char *text = text_of(w, i, row, &n);
        if (!text) continue;
        if (n) memcpy(all + used, text, n);
        all[used + n] = '\n';
        used += n + 1;
    }
    dq_status status = dq_features_text(w->features, all, used, to, &w->error);
    free(all);
    return status;
}

static dq_status embed_row(share *w, uint64_t row, float *to)
{
    dq_status status = DQ_OK;
    if (w->o->join) return w->side->text_count ? embed_joined(w, row, to) : DQ_OK;
    for (size_t i = 0; !status && i < w->side->text_count; i++, to += w->o->width) {
        size_t n;
        const char *text = text_of(w, i, row, &n);
        status = dq_features_text(w->features, text ? text : "", n, to, &w->error);
    }
    return status;
}

static void *embed_rows(void *arg)
{
    share *w = arg;
    const dq_column *old = dq_bundle_column(w->bundle, "vector");
    size_t old_width = w->side->old_width, width = w->side->width;
    for (uint64_t row = w->from; !w->status && row < w->to; row++) {
        float *to = w->vectors + row * width;
        if (old)
            dq_convert_f4(to, (const char *)old->data + row * old_width * dq_dtype_size(old->type), old->type,
                          old_width);
        w->status = embed_row(w, row, to + old_width);
    }
    return NULL;
}

static void set_up(share *w, unsigned t, unsigned threads)
{
    w->from = w->bundle->rows * t / threads;
    w->to = w->bundle->rows * (t + 1) / threads;
    w->error = DQ_ERROR_NONE;
    for (size_t i = 0; i < w->side->text_count; i++) {
        char name[256];
        (void)snprintf(name, sizeof name, "text.%s", w->side->texts[i]);
        w->texts[i] = dq_bundle_column(w->bundle, name);
    }
}

/* Cuts the rows among the threads. A row's vector depends on the row alone. */
dq_status dq_embed_block(const dq_embed_side *side, const dq_embed_options *options, const dq_bundle *bundle,
                         dq_features *const *features, unsigned threads, float *vectors, dq_error *error)
{
    share shares[DQ_EMBED_THREADS];
    pthread_t running[DQ_EMBED_THREADS];
    bool started[DQ_EMBED_THREADS] = {false};
    if (bundle->rows < threads) threads = 1;
    for (unsigned t = threads; t-- > 0;) { /* the first share, last, is the caller's own */
        shares[t] = (share){
            .o = options, .side = side, .bundle = bundle, .vectors = vectors, .features = features[t]};
        set_up(&shares[t], t, threads);
        started[t] = t > 0 && pthread_create(&running[t], NULL, embed_rows, &shares[t]) == 0;
        if (!started[t]) (void)embed_rows(&shares[t]);
    }
    dq_status status = DQ_OK;
    for (unsigned t = 0; t < threads; t++) {
        if (started[t]) (void)pthread_join(running[t], NULL);
        if (!status && shares[t].status) *error = shares[t].error;
        if (!status) status = shares[t].status;
    }
    return status;
}
