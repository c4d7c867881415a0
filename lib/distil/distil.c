/* SPDX-License-Identifier: MIT */
#include "distil/distil.h"

#include "distil/maker.h"
#include "math/cholesky.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static const char *part_of(const dq_bundle *bundle)
{
    const dq_value *part = dq_map_get(&bundle->meta, "part");
    bool index = strcmp(bundle->kind, DQ_KIND_INDEX) == 0;
    if (index && dq_value_is(part, "anchors")) return "anchors";
    return index && dq_value_is(part, "lists") ? "lists" : "";
}

/* The reader's next bundle of an index: 1, 0 at the end, -1 broken. */
static int next_part(dq_reader *reader, dq_bundle *bundle, dq_error *error)
{
    int got = dq_reader_next(reader, bundle, error);
    if (got <= 0) return got;
    if (*part_of(bundle)) return 1;
    (void)dq_fail(error, DQ_ERR_SCHEMA,
                  "a bundle of kind %s, where an index is wanted: dq-rank --make-index writes one",
                  bundle->kind);
    dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
    dq_bundle_free(bundle);
    return -1;
}

static const float *floats_of(const dq_bundle *b, const char *name, size_t *width)
{
    const dq_column *c = dq_bundle_column(b, name);
    if (!c || c->type != DQ_F4 || c->dims != 2 || c->shape[0] != b->rows || !c->shape[1]) return NULL;
    *width = (size_t)c->shape[1];
    return c->data;
}

static bool read_digest(const dq_value *v, uint64_t *digest)
{
    char text[17], *end;
    if (!v || v->type != DQ_STRING || v->count != 16) return false;
    memcpy(text, v->as.string, 16);
    text[16] = '\0';
    *digest = strtoull(text, &end, 16);
    return !*end;
}

static dq_status take_anchors(dq_distil *d, dq_error *error)
{
    const dq_value *meta = &d->anchors.meta, *by = dq_map_get(meta, "by");
    size_t width = 0;
    int64_t items = dq_value_integer(dq_map_get(meta, "items"), 0);
    d->vectors = floats_of(&d->anchors, "vector", &width);
    d->distilled = floats_of(&d->anchors, "components", &d->components);
    if (!d->vectors || !d->distilled || d->anchors.rows == 0 || width > UINT32_MAX || items < 1 ||
        (uint64_t)items >= UINT32_MAX || !by || by->type != DQ_STRING ||
        !read_digest(dq_map_get(meta, "catalogue"), &d->catalogue))
        return dq_fail(error, DQ_ERR_SCHEMA, "an index whose anchors lack what a search goes by");
    d->width = (uint32_t)width;
    d->items = (uint64_t)items;
    d->by = dq_arena_text(&d->anchors.arena, by->as.string, by->count);
    return d->by ? DQ_OK : dq_fail_memory(error, "the index");
}

/* The lists' bytes, out of bundle after bundle. */
typedef struct parts {
    dq_reader *reader;
    dq_bundle bundle;
    const dq_column *bytes; /* NULL: the next bundle is to be read */
    size_t at;
    int got;
    dq_error *error;
} parts;

static bool next_bytes(parts *p)
{
    dq_bundle_free(&p->bundle);
    p->got = next_part(p->reader, &p->bundle, p->error);
    p->bytes = p->got > 0 ? dq_bundle_column(&p->bundle, "bytes") : NULL;
    p->at = 0;
    if (p->got <= 0 || (p->bytes && p->bytes->type == DQ_U1)) return p->got > 0;
    p->got = -1;
    (void)dq_fail(p->error, DQ_ERR_SCHEMA, "a second index, or one without its lists: --index takes one");
    dq_error_at(p->error, dq_reader_source(p->reader), dq_reader_record(p->reader));
    return false;
}

static size_t get_bytes(void *arg, void *to, size_t n)
{
    parts *p = arg;
    size_t done = 0;
    while (done < n && p->got > 0 && ((p->bytes && p->at < p->bytes->bytes) || next_bytes(p))) {
        size_t left = p->bytes->bytes - p->at, some = left < n - done ? left : n - done;
        memcpy((char *)to + done, (const char *)p->bytes->data + p->at, some);
        p->at += some;
        done += some;
    }
    return done;
}

static dq_status read_lists(dq_distil *d, dq_reader *reader, dq_error *error)
{
    dq_error of_faiss = DQ_ERROR_NONE;
    parts p = {.reader = reader, .got = 1, .error = error};
    dq_status status = dq_ann_read(d->ann, get_bytes, &p, &of_faiss);
    bool more = !status && ((p.bytes && p.at < p.bytes->bytes) || next_bytes(&p));
    dq_bundle_free(&p.bundle);
    if (p.got < 0) return error->status;
    if (status) return dq_fail(error, status, "%s", of_faiss.reason);
    if (more || dq_ann_count(d->ann) != d->items || dq_ann_rank(d->ann) != d->components)
        return dq_fail(error, DQ_ERR_SCHEMA, "the lists of the index are not those of its anchors");
    d->lists = dq_ann_lists(d->ann);
    return DQ_OK;
}

/* ---- what queries are solved by ---- */

static dq_status factor(dq_distil *d, dq_error *error)
{
    size_t r = d->components, n = (size_t)d->anchors.rows;
    double trace = 0;
    float *off = malloc(r * sizeof *off);
    d->mean = calloc(r, sizeof *d->mean);
    d->factor = calloc(dq_triangle(r), sizeof *d->factor);
    if (!off || !d->mean || !d->factor) {
        free(off);
        return dq_fail_memory(error, "the index");
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < r; k++) d->mean[k] += (double)d->distilled[i * r + k] / (double)n;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < r; k++) off[k] = (float)((double)d->distilled[i * r + k] - d->mean[k]);
        dq_triangle_add_outer(d->factor, off, 1, r);
    }
    free(off);
    for (size_t k = 0; k < r; k++) trace += d->factor[dq_triangle(k) + k];
    for (size_t k = 0; k < r; k++) d->factor[dq_triangle(k) + k] += trace > 0 ? 1e-9 * trace : 1;
    return dq_cholesky_factor(d->factor, r)
               ? DQ_OK
               : dq_fail(error, DQ_ERR_NUMERIC, "the anchors of the index are no finite numbers");
}

dq_status dq_distil_read(dq_distil *d, dq_reader *reader, unsigned threads, dq_error *error)
{
    int got = next_part(reader, &d->anchors, error);
    if (got < 0) return error->status;
    if (got == 0 || strcmp(part_of(&d->anchors), "anchors") != 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: no index: dq-rank --make-index writes one",
                       dq_reader_source(reader));
    dq_status status = take_anchors(d, error);
    if (!status) status = dq_ann_new(&d->ann, threads, error);
    if (!status) status = read_lists(d, reader, error);
    return status ? status : factor(d, error);
}

dq_status dq_distil_check(const dq_distil *d, const dq_rank_items *items, dq_error *error)
{
    const dq_value *a = dq_map_get(&d->anchors.meta, "fields"), *b = dq_map_get(&items->meta, "fields");
    bool alike = a && b ? dq_value_equal(a, b) : a == b;
    if (d->width != items->width)
        return dq_fail(error, DQ_ERR_SCHEMA, "an index of items whose vectors are %u wide; these are %u wide",
                       d->width, items->width);
    return alike ? DQ_OK : dq_fail(error, DQ_ERR_SCHEMA, "an index of items whose vectors have other fields");
}

/* ---- queries ---- */

/* The least squares of one user: his scores y of the anchors by their components. Returns the share that they
 * explain. */
static double solve(const dq_distil *d, const float *y, double *b, float *q)
{
    size_t r = d->components, n = (size_t)d->anchors.rows;
    double mean = 0, whole = 0, rest = 0;
    for (size_t i = 0; i < n; i++) mean += (double)y[i] / (double)n;
    for (size_t k = 0; k < r; k++) b[k] = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < r; k++)
            b[k] += ((double)y[i] - mean) * ((double)d->distilled[i * r + k] - d->mean[k]);
    dq_cholesky_solve_factored(d->factor, r, b);
    for (size_t i = 0; i < n; i++) {
        double off = (double)y[i] - mean, left = off;
        for (size_t k = 0; k < r; k++) left -= b[k] * ((double)d->distilled[i * r + k] - d->mean[k]);
        whole += off * off;
        rest += left * left;
    }
    for (size_t k = 0; k < r; k++) q[k] = (float)b[k];
    return whole > 0 ? 1 - rest / whole : 1;
}

dq_status dq_distil_queries(dq_distil *d, dq_rank_scorer *scorer, const float *const *users, size_t n,
                            float *q, double *explained, dq_error *error)
{
    size_t rows = (size_t)d->anchors.rows;
    dq_rank_block block = {.vectors = d->vectors, .width = d->width, .rows = (uint32_t)rows};
    float *scores = malloc((n * rows + 1) * sizeof *scores);
    double *b = malloc((d->components + 1) * sizeof *b);
    dq_status status = scores && b ? dq_rank_scorer_score(scorer, users, n, 0, &block, scores, error)
                                   : dq_fail_memory(error, "scores");
    for (size_t i = 0; !status && i < n * rows; i++)
        if (!isfinite(scores[i]))
            status = dq_fail(error, DQ_ERR_NUMERIC,
                             "a score of an anchor of the index is not a finite number");
    for (size_t i = 0; !status && i < n; i++)
        *explained += solve(d, scores + i * rows, b, q + i * d->components);
    free(scores);
    free(b);
    return status;
}

dq_status dq_distil_search(dq_distil *d, const float *q, size_t n, size_t k, size_t probes, int64_t *rows,
                           dq_error *error)
{
    return dq_ann_search(d->ann, q, n, k, probes < d->lists ? probes : d->lists, rows, error);
}

void dq_distil_forget(dq_distil *d)
{
    dq_ann_free(d->ann);
    d->ann = NULL;
}

void dq_distil_free(dq_distil *d)
{
    dq_distil_forget(d);
    dq_bundle_free(&d->anchors);
    free(d->mean);
    free(d->factor);
}
