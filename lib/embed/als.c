/* SPDX-License-Identifier: MIT */
#include "embed/als.h"

#include "core/rng.h"
#include "math/cholesky.h"
#include "math/parallel.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 16 }; /* vectors that one thread solves at a time */

/* One side's meetings, as compressed rows: those of row r are at[first[r]] .. at[first[r + 1] - 1]. */
typedef struct rows {
    size_t *first; /* (count + 1) */
    uint32_t *other;
    float *weight;
    uint32_t count;
} rows;

/* What a half sweep needs: this side's vectors from the other's. */
typedef struct half {
    const rows *entries;
    const double *gram; /* (dq_triangle(k)) Y'Y + lambda I */
    const float *fixed; /* (others, k) */
    float *solved;      /* (count, k) */
    double *scratch;    /* (threads, dq_triangle(k) + k) */
    double alpha;
    size_t k;
} half;

static int by_pair(const void *a, const void *b)
{
    const dq_als_entry *x = a, *y = b;
    if (x->user != y->user) return x->user < y->user ? -1 : 1;
    if (x->item != y->item) return x->item < y->item ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight);
}

/* A sorted copy: equal pairs once, positive weights only. *kept entries. */
static dq_als_entry *merge(const dq_als_entry *entries, size_t count, size_t *kept)
{
    dq_als_entry *all = malloc(count * sizeof *all + 1);
    size_t n = 0;
    if (!all) return NULL;
    for (size_t i = 0; i < count; i++)
        if (entries[i].weight > 0) all[n++] = entries[i];
    qsort(all, n, sizeof *all, by_pair);
    *kept = 0;
    for (size_t i = 0; i < n; i++) {
        dq_als_entry *last = *kept ? &all[*kept - 1] : NULL;
        if (last && last->user == all[i].user && last->item == all[i].item)
            last->weight += all[i].weight;
        else
            all[(*kept)++] = all[i];
    }
    return all;
}

static void free_rows(rows *r)
{
    free(r->first);
    free(r->other);
    free(r->weight);
}

static bool make_rows(rows *r, const dq_als_entry *entries, size_t n, uint32_t count, bool by_item)
{
    *r = (rows){.first = calloc((size_t)count + 2, sizeof *r->first),
                .other = malloc(n * sizeof *r->other + 1),
                .weight = malloc(n * sizeof *r->weight + 1),
                .count = count};
    if (!r->first || !r->other || !r->weight) return false;
    for (size_t i = 0; i < n; i++) r->first[(by_item ? entries[i].item : entries[i].user) + 2]++;
    for (uint32_t c = 0; c < count; c++) r->first[c + 2] += r->first[c + 1];
    for (size_t i = 0; i < n; i++) { /* first[row + 1] is where the row's next one goes */
        size_t at = r->first[(by_item ? entries[i].item : entries[i].user) + 1]++;
        r->other[at] = by_item ? entries[i].user : entries[i].item;
        r->weight[at] = entries[i].weight;
    }
    return true;
}

/* ---- one vector ---- */

/* (Y'Y + lambda I + sum alpha w y y') x = sum (1 + alpha w) y */
static void solve_row(const half *h, uint32_t row, double *a, double *b)
{
    size_t k = h->k, from = h->entries->first[row], to = h->entries->first[row + 1];
    float *out = h->solved + row * k;
    if (from == to) {
        memset(out, 0, k * sizeof *out);
        return;
    }
    memcpy(a, h->gram, dq_triangle(k) * sizeof *a);
    memset(b, 0, k * sizeof *b);
    for (size_t e = from; e < to; e++) {
        const float *y = h->fixed + h->entries->other[e] * k;
        double extra = h->alpha * (double)h->entries->weight[e];
        for (size_t i = 0; i < k; i++) {
            double scaled = extra * (double)y[i];
            for (size_t j = 0; j <= i; j++) a[dq_triangle(i) + j] += scaled * (double)y[j];
            b[i] += (1 + extra) * (double)y[i];
        }
    }
    bool solved = dq_cholesky_solve(a, k, b);
    for (size_t i = 0; i < k; i++) out[i] = solved ? (float)b[i] : NAN;
}

static void solve_tile(void *arg, size_t tile, unsigned thread)
{
    const half *h = arg;
    double *a = h->scratch + thread * (dq_triangle(h->k) + h->k);
    size_t end = (tile + 1) * TILE < h->entries->count ? (tile + 1) * TILE : h->entries->count;
    for (size_t row = tile * TILE; row < end; row++) solve_row(h, (uint32_t)row, a, a + dq_triangle(h->k));
}

/* ---- sweeps ---- */

/* Y'Y + lambda I (dq_triangle(k)) */
static void make_gram(double *gram, const float *y, size_t n, size_t k, double lambda)
{
    memset(gram, 0, dq_triangle(k) * sizeof *gram);
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j <= i; j++)
                gram[dq_triangle(i) + j] += (double)y[r * k + i] * (double)y[r * k + j];
    for (size_t i = 0; i < k; i++) gram[dq_triangle(i) + i] += lambda;
}

/* Items begin as small noise, one generator each, so that a vector does not depend on how many there are. */
static void begin(const dq_als_config *c, float *items, const rows *entries)
{
    for (uint32_t i = 0; i < entries->count; i++) {
        dq_rng rng = dq_rng_stream(c->seed, 300 + (uint64_t)i);
        for (uint32_t j = 0; j < c->width; j++) {
            double x = dq_rng_normal(&rng) / sqrt((double)c->width);
            items[(size_t)i * c->width + j] = entries->first[i] == entries->first[i + 1] ? 0
                                                                                         : (float)(0.1 * x);
        }
    }
}

/* Half a sweep: `solved`, the vectors of those whose entries these are, from the other side's (n, k). */
static void solve_all(const dq_als_config *c, const rows *entries, const float *fixed, size_t n,
                      float *solved, double *room, unsigned threads)
{
    size_t k = c->width;
    half h = {entries, room, fixed, solved, room + dq_triangle(k), c->alpha, k};
    make_gram(room, fixed, n, k, c->lambda);
    dq_parallel(threads, (entries->count + TILE - 1) / TILE, solve_tile, &h);
}

/* Room for a solve_all: Y'Y + lambda I (dq_triangle(k)), and behind it each thread's (dq_triangle(k) + k).
 * NULL: no memory. */
static double *make_room(const dq_als_config *c, unsigned threads)
{
    size_t k = c->width;
    return malloc((dq_triangle(k) + threads * (dq_triangle(k) + k)) * sizeof(double));
}

static bool sweep(const dq_als_config *c, const rows *by_user, const rows *by_item, float *users,
                  float *items, unsigned threads)
{
    double *room = make_room(c, threads);
    bool ok = room != NULL;
    for (uint32_t s = 0; ok && s < c->sweeps; s++) {
        solve_all(c, by_user, items, by_item->count, users, room, threads);
        solve_all(c, by_item, users, by_user->count, items, room, threads);
    }
    free(room);
    return ok;
}

/* *any: there is a positive weight. */
static dq_status check(const dq_als_config *c, const dq_als_entry *entries, size_t count, uint32_t users,
                       uint32_t items, unsigned threads, bool *any, dq_error *error)
{
    *any = false;
    if (threads < 1) return dq_fail(error, DQ_ERR_RANGE, "vectors by no thread");
    if (c->width < 1 || c->width > DQ_ALS_WIDTH_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "vectors of 1 to %d numbers, not %u", DQ_ALS_WIDTH_MAX, c->width);
    if (!(c->lambda > 0) || !(c->alpha >= 0))
        return dq_fail(error, DQ_ERR_RANGE, "lambda > 0 and alpha >= 0");
    for (size_t i = 0; i < count; i++) {
        if (entries[i].user >= users || entries[i].item >= items)
            return dq_fail(error, DQ_ERR_RANGE, "an interaction of nobody, or with nothing");
        if (!isfinite(entries[i].weight))
            return dq_fail(error, DQ_ERR_NUMERIC, "a weight that is not finite");
        *any = *any || entries[i].weight > 0;
    }
    return DQ_OK;
}

static dq_status no_memory(size_t count, dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "no memory for %zu interactions", count);
}

dq_status dq_als_fit(const dq_als_config *config, const dq_als_entry *entries, size_t count, float *users,
                     uint32_t user_count, float *items, uint32_t item_count, unsigned threads,
                     dq_error *error)
{
    rows by_user = {0}, by_item = {0};
    size_t n = 0;
    bool any;
    dq_status status = check(config, entries, count, user_count, item_count, threads, &any, error);
    if (!status && !any) status = dq_fail(error, DQ_ERR_RANGE, "no interaction with a positive weight");
    if (status) return status;
    dq_als_entry *all = merge(entries, count, &n);
    bool ok = all && make_rows(&by_user, all, n, user_count, false) &&
              make_rows(&by_item, all, n, item_count, true);
    if (ok) begin(config, items, &by_item);
    ok = ok && sweep(config, &by_user, &by_item, users, items, threads);
    free_rows(&by_user);
    free_rows(&by_item);
    free(all);
    return ok ? DQ_OK : no_memory(count, error);
}

/* ---- one half alone ---- */

static dq_status fold_side(const dq_als_config *config, const dq_als_entry *entries, size_t count,
                           uint32_t user_count, uint32_t item_count, bool by_item, const float *fixed,
                           float *solved, unsigned threads, dq_error *error)
{
    rows side = {0};
    size_t n = 0;
    bool any;
    dq_status status = check(config, entries, count, user_count, item_count, threads, &any, error);
    if (status) return status;
    dq_als_entry *all = merge(entries, count, &n);
    double *room = make_room(config, threads);
    bool ok = room && all && make_rows(&side, all, n, by_item ? item_count : user_count, by_item);
    if (ok) solve_all(config, &side, fixed, by_item ? user_count : item_count, solved, room, threads);
    free(room);
    free_rows(&side);
    free(all);
    return ok ? DQ_OK : no_memory(count, error);
}

dq_status dq_als_fold_users(const dq_als_config *config, const dq_als_entry *entries, size_t count,
                            float *users, uint32_t user_count, const float *items, uint32_t item_count,
                            unsigned threads, dq_error *error)
{
    return fold_side(config, entries, count, user_count, item_count, false, items, users, threads, error);
}

dq_status dq_als_fold_items(const dq_als_config *config, const dq_als_entry *entries, size_t count,
                            const float *users, uint32_t user_count, float *items, uint32_t item_count,
                            unsigned threads, dq_error *error)
{
    return fold_side(config, entries, count, user_count, item_count, true, users, items, threads, error);
}

/* ---- the objective ---- */

static double dot(const float *a, const float *b, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < k; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

double dq_als_objective(const dq_als_config *config, const dq_als_entry *entries, size_t count,
                        const float *users, uint32_t user_count, const float *items, uint32_t item_count)
{
    size_t k = config->width, n = 0;
    double sum = 0;
    dq_als_entry *all = merge(entries, count, &n);
    if (!all) return NAN;
    for (size_t u = 0; u < user_count; u++)
        for (size_t i = 0; i < item_count; i++) { /* as if nobody had met anything */
            double y = dot(users + u * k, items + i * k, k);
            sum += y * y;
        }
    for (size_t e = 0; e < n; e++) {
        double y = dot(users + all[e].user * k, items + all[e].item * k, k);
        sum += (1 + config->alpha * (double)all[e].weight) * (1 - y) * (1 - y) - y * y;
    }
    for (size_t u = 0; u < user_count; u++) sum += config->lambda * dot(users + u * k, users + u * k, k);
    for (size_t i = 0; i < item_count; i++) sum += config->lambda * dot(items + i * k, items + i * k, k);
    free(all);
    return sum;
}
