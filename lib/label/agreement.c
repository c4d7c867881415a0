/* SPDX-License-Identifier: MIT
 *
 * Pairs with equal labels from everybody are one pattern, and every measure is a function of how many pairs
 * each pattern has; the bootstrap draws these counts anew.
 */
#include "label/agreement.h"

#include "core/index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A square table, over labels or places. */
typedef struct square {
    uint32_t k;
    double at[DQ_RATED_LABELS * DQ_RATED_LABELS];
} square;

typedef struct patterns {
    const dq_ratings *ratings;
    size_t count, drawn;
    uint32_t *first; /* (count) a pair that has it */
    uint32_t *of;    /* (drawn) the pattern of each pair that anybody labelled */
    double *weights; /* (count) how many pairs have it: in all, or in a draw */
    square table;    /* in use by one measure at a time */
} patterns;

static const uint32_t *labels_of(const patterns *p, size_t pattern)
{
    return p->ratings->given + (size_t)p->first[pattern] * p->ratings->raters;
}

/* How many raters gave a label. */
static uint32_t given_in(const dq_ratings *r, const uint32_t *labels)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->raters; i++) n += labels[i] != DQ_NO_LABEL;
    return n;
}

static uint32_t place_of(const dq_ratings *r, bool ordered, uint32_t label)
{
    return ordered ? r->place[label] : label;
}

static uint32_t places(const dq_ratings *r, bool ordered)
{
    uint32_t k = 0;
    for (uint32_t i = 0; i < r->labels; i++)
        if (place_of(r, ordered, i) >= k) k = place_of(r, ordered, i) + 1;
    return k;
}

static void clear(patterns *p, bool ordered)
{
    p->table.k = places(p->ratings, ordered);
    memset(p->table.at, 0, sizeof *p->table.at * p->table.k * p->table.k);
}

static double *cell(square *t, uint32_t i, uint32_t j)
{
    return &t->at[i * t->k + j];
}

/* ---- two raters ---- */

static uint64_t fill_pairs(patterns *p, uint32_t a, uint32_t b, bool ordered)
{
    double n = 0;
    clear(p, ordered);
    for (size_t i = 0; i < p->count; i++) {
        const uint32_t *labels = labels_of(p, i);
        if (labels[a] == DQ_NO_LABEL || labels[b] == DQ_NO_LABEL) continue;
        *cell(&p->table, place_of(p->ratings, ordered, labels[a]),
              place_of(p->ratings, ordered, labels[b])) += p->weights[i];
        n += p->weights[i];
    }
    return (uint64_t)n;
}

static double share(square *t, double n)
{
    double same = 0;
    for (uint32_t i = 0; i < t->k; i++) same += *cell(t, i, i);
    return n > 0 ? same / n : NAN;
}

/* How far two places disagree: 0 or 1, or their distance to the first or second power. */
static double distance(dq_agreement_measure measure, uint32_t i, uint32_t j)
{
    double apart = i > j ? i - j : j - i;
    if (measure == DQ_AGREE_LINEAR) return apart;
    return measure == DQ_AGREE_QUADRATIC ? apart * apart : apart > 0;
}

/* 1 - sum w o / sum w e, e = row sum times column sum over n. */
static double kappa(square *t, double n, dq_agreement_measure measure)
{
    double rows[DQ_RATED_LABELS] = {0}, columns[DQ_RATED_LABELS] = {0}, observed = 0, expected = 0;
    for (uint32_t i = 0; i < t->k; i++)
        for (uint32_t j = 0; j < t->k; j++) {
            rows[i] += *cell(t, i, j);
            columns[j] += *cell(t, i, j);
        }
    for (uint32_t i = 0; i < t->k; i++)
        for (uint32_t j = 0; j < t->k; j++) {
            observed += distance(measure, i, j) * *cell(t, i, j);
            expected += distance(measure, i, j) * rows[i] * columns[j];
        }
    return expected > 0 ? 1 - n * observed / expected : NAN;
}

/* ---- all raters ---- */

/* P-bar: the mean over pairs of the share of agreeing couples of raters; P_e: the sum of p_j squared. */
static double fleiss(const patterns *p, uint64_t *pairs)
{
    const dq_ratings *r = p->ratings;
    double totals[DQ_RATED_LABELS] = {0}, agreed = 0, n = 0, chance = 0;
    const double raters = r->raters;
    for (size_t i = 0; i < p->count; i++) {
        const uint32_t *labels = labels_of(p, i);
        double counts[DQ_RATED_LABELS] = {0}, squares = 0;
        if (given_in(r, labels) < r->raters) continue;
        for (uint32_t k = 0; k < r->raters; k++) counts[labels[k]]++;
        for (uint32_t j = 0; j < r->labels; j++) {
            squares += counts[j] * counts[j];
            totals[j] += p->weights[i] * counts[j];
        }
        agreed += p->weights[i] * (squares - raters) / (raters * (raters - 1));
        n += p->weights[i];
    }
    *pairs = (uint64_t)n;
    for (uint32_t j = 0; j < r->labels; j++) chance += totals[j] * totals[j];
    chance /= n * raters * n * raters;
    return n > 0 && chance < 1 ? (agreed / n - chance) / (1 - chance) : NAN;
}

/* Krippendorff's coincidences: each pair gives m values, and each of its m (m - 1) couples 1 / (m - 1). */
static uint64_t fill_coincidences(patterns *p, bool ordered)
{
    const dq_ratings *r = p->ratings;
    double pairs = 0;
    clear(p, ordered);
    for (size_t i = 0; i < p->count; i++) {
        const uint32_t *labels = labels_of(p, i), m = given_in(r, labels);
        if (m < 2) continue;
        pairs += p->weights[i];
        for (uint32_t a = 0; a < r->raters; a++)
            for (uint32_t b = 0; b < r->raters; b++)
                if (a != b && labels[a] != DQ_NO_LABEL && labels[b] != DQ_NO_LABEL)
                    *cell(&p->table, place_of(r, ordered, labels[a]),
                          place_of(r, ordered, labels[b])) += p->weights[i] / (m - 1);
    }
    return (uint64_t)pairs;
}

/* The squared difference of places i < j; totals: how many values each place has. */
static double difference(const double *totals, const double *values, dq_agreement_measure measure, uint32_t i,
                         uint32_t j)
{
    if (measure == DQ_AGREE_NOMINAL) return 1;
    double d = measure == DQ_AGREE_INTERVAL ? values[j] - values[i] : -(totals[i] + totals[j]) / 2;
    for (uint32_t g = i; measure == DQ_AGREE_ORDINAL && g <= j; g++) d += totals[g];
    return d * d;
}

static double alpha(patterns *p, dq_agreement_measure measure, uint64_t *pairs)
{
    bool ordered = measure != DQ_AGREE_NOMINAL;
    double totals[DQ_RATED_LABELS] = {0}, values[DQ_RATED_LABELS] = {0}, n = 0, observed = 0, expected = 0;
    *pairs = fill_coincidences(p, ordered);
    square *t = &p->table;
    for (uint32_t i = 0; ordered && i < p->ratings->labels; i++)
        values[p->ratings->place[i]] = p->ratings->value[i];
    for (uint32_t i = 0; i < t->k; i++) {
        for (uint32_t j = 0; j < t->k; j++) totals[i] += *cell(t, i, j);
        n += totals[i];
    }
    for (uint32_t i = 0; i < t->k; i++)
        for (uint32_t j = i + 1; j < t->k; j++) {
            if (totals[i] == 0 || totals[j] == 0) continue;
            double d = difference(totals, values, measure, i, j);
            observed += d * *cell(t, i, j);
            expected += d * totals[i] * totals[j];
        }
    return expected > 0 ? 1 - (n - 1) * observed / expected : NAN;
}

/* ---- measures ---- */

const char *dq_agreement_name(dq_agreement_measure measure)
{
    static const char *const names[] = {"share",  "kappa",         "kappa-linear",  "kappa-quadratic",
                                        "fleiss", "alpha-nominal", "alpha-ordinal", "alpha-interval"};
    return names[measure];
}

static bool is_ordered(dq_agreement_measure m)
{
    return m == DQ_AGREE_LINEAR || m == DQ_AGREE_QUADRATIC || m == DQ_AGREE_ORDINAL || m == DQ_AGREE_INTERVAL;
}

static double measure_one(patterns *p, const dq_agreement_row *row, uint64_t *pairs)
{
    if (row->measure >= DQ_AGREE_NOMINAL) return alpha(p, row->measure, pairs);
    if (row->measure == DQ_AGREE_FLEISS) return fleiss(p, pairs);
    *pairs = fill_pairs(p, row->first, row->second, is_ordered(row->measure));
    double n = (double)*pairs;
    return row->measure == DQ_AGREE_SHARE ? share(&p->table, n) : kappa(&p->table, n, row->measure);
}

static void add_rows(dq_agreement *a, const dq_ratings *r, dq_agreement_measure from, dq_agreement_measure to,
                     uint32_t first, uint32_t second)
{
    for (dq_agreement_measure m = from; m <= to; m++)
        if (r->place || !is_ordered(m))
            a->rows[a->count++] = (dq_agreement_row){.measure = m, .first = first, .second = second};
}

static dq_status list_rows(dq_agreement *a, const dq_ratings *r, dq_error *error)
{
    a->rows = calloc((size_t)r->raters * r->raters * 2 + 4, sizeof *a->rows);
    if (!a->rows) return dq_fail_memory(error, "an agreement");
    for (uint32_t i = 0; i < r->raters; i++)
        for (uint32_t j = i + 1; j < r->raters; j++) add_rows(a, r, DQ_AGREE_SHARE, DQ_AGREE_QUADRATIC, i, j);
    add_rows(a, r, DQ_AGREE_FLEISS, DQ_AGREE_INTERVAL, 0, 0);
    return DQ_OK;
}

/* ---- patterns ---- */

static dq_status find_patterns(patterns *p, dq_error *error)
{
    const dq_ratings *r = p->ratings;
    dq_index seen = DQ_INDEX_EMPTY;
    dq_status status = DQ_OK;
    p->first = malloc((r->pairs + 1) * sizeof *p->first);
    p->of = malloc((r->pairs + 1) * sizeof *p->of);
    p->weights = calloc(r->pairs + 1, sizeof *p->weights);
    if (!p->first || !p->of || !p->weights) status = dq_fail_memory(error, "%zu pairs", r->pairs);
    for (size_t i = 0; i < r->pairs && !status; i++) {
        const uint32_t *labels = r->given + i * r->raters;
        uint32_t at;
        bool added;
        if (given_in(r, labels) == 0) continue;
        status = dq_index_add(&seen, (const char *)labels, r->raters * sizeof *labels, &at, &added, error);
        if (status) break;
        if (added) p->first[p->count++] = (uint32_t)i;
        p->of[p->drawn++] = at;
        p->weights[at]++;
    }
    dq_index_free(&seen);
    return status;
}

static void free_patterns(patterns *p)
{
    free(p->first);
    free(p->of);
    free(p->weights);
    free(p);
}

static void draw(patterns *p, dq_rng *rng)
{
    memset(p->weights, 0, p->count * sizeof *p->weights);
    for (size_t i = 0; i < p->drawn; i++) p->weights[p->of[dq_rng_below(rng, p->drawn)]]++;
}

/* values (rows, resamples): those that are defined first, and how many these are. */
static dq_status resample(patterns *p, dq_agreement *a, size_t resamples, double level, dq_rng *rng,
                          dq_error *error)
{
    double *values = calloc(a->count, resamples * sizeof *values);
    size_t *defined = calloc(a->count, sizeof *defined);
    dq_status status = values && defined ? DQ_OK : dq_fail_memory(error, "%zu resamples", resamples);
    for (size_t i = 0; i < resamples && !status; i++) {
        draw(p, rng);
        for (size_t r = 0; r < a->count; r++) {
            uint64_t pairs;
            double value = measure_one(p, &a->rows[r], &pairs);
            if (!isnan(value)) values[r * resamples + defined[r]++] = value;
        }
    }
    for (size_t r = 0; r < a->count && !status; r++)
        a->rows[r].interval = defined[r] ? dq_interval_of(values + r * resamples, defined[r], level)
                                         : (dq_interval){NAN, NAN};
    free(values);
    free(defined);
    return status;
}

static dq_status check(const dq_ratings *r, size_t resamples, double level, dq_error *error)
{
    bool fits = r->raters >= 2 && r->raters <= DQ_RATERS && r->labels >= 1 && r->labels <= DQ_RATED_LABELS;
    for (uint32_t i = 0; fits && r->place && i < r->labels; i++) fits = r->place[i] < DQ_RATED_LABELS;
    if (fits && r->pairs < DQ_NO_LABEL && resamples >= 2 && level > 0 && level < 1) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "agreement of %u labellers on %u labels, %zu resamples, level %.9g",
                   r->raters, r->labels, resamples, level);
}

dq_status dq_agreement_find(const dq_ratings *r, size_t resamples, double level, dq_rng *rng, dq_agreement *a,
                            dq_error *error)
{
    *a = (dq_agreement){0};
    dq_status status = check(r, resamples, level, error);
    if (status) return status;
    patterns *p = calloc(1, sizeof *p);
    if (!p) return dq_fail_memory(error, "an agreement");
    p->ratings = r;
    status = find_patterns(p, error);
    if (!status) status = list_rows(a, r, error);
    for (size_t i = 0; i < a->count && !status; i++)
        a->rows[i].value = measure_one(p, &a->rows[i], &a->rows[i].pairs);
    if (!status) status = resample(p, a, resamples, level, rng, error);
    free_patterns(p);
    if (status) dq_agreement_free(a);
    return status;
}

void dq_agreement_free(dq_agreement *a)
{
    free(a->rows);
    *a = (dq_agreement){0};
}

void dq_agreement_confusion(const dq_ratings *r, uint32_t a, uint32_t b, uint64_t *table)
{
    memset(table, 0, (size_t)r->labels * r->labels * sizeof *table);
    for (size_t i = 0; i < r->pairs; i++) {
        const uint32_t *labels = r->given + i * r->raters;
        if (labels[a] != DQ_NO_LABEL && labels[b] != DQ_NO_LABEL) table[labels[a] * r->labels + labels[b]]++;
    }
}
