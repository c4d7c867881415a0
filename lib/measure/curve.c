/* SPDX-License-Identifier: MIT */
#include "measure/curve.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* By point. */
typedef struct sums {
    double *sum, *squares; /* squares: about the mean, when all of sum is known */
    uint32_t *runs, *own;  /* that count, and that have a number of their own */
    bool *changes;         /* a run begins here, or has ended the point before */
    double *filled;        /* one run without gaps */
    size_t points;
} sums;

static bool make_sums(sums *s, size_t points)
{
    size_t n = points + 1; /* changes[points]: ends of the longest */
    *s = (sums){.sum = calloc(n, sizeof *s->sum),
                .squares = calloc(n, sizeof *s->squares),
                .runs = calloc(n, sizeof *s->runs),
                .own = calloc(n, sizeof *s->own),
                .changes = calloc(n, sizeof *s->changes),
                .filled = calloc(n, sizeof *s->filled),
                .points = points};
    return s->sum && s->squares && s->runs && s->own && s->changes && s->filled;
}

static void free_sums(sums *s)
{
    free(s->sum);
    free(s->squares);
    free(s->runs);
    free(s->own);
    free(s->changes);
    free(s->filled);
}

/* Where a run's numbers begin, and behind its last; equal when it has none. */
static void find_ends(const dq_curve *run, size_t *from, size_t *to)
{
    *from = 0;
    *to = run->points;
    while (*from < *to && isnan(run->y[*from])) ++*from;
    while (*to > *from && isnan(run->y[*to - 1])) --*to;
}

/* The run's numbers from..to, by straight lines where it has none. */
static void fill_gaps(const dq_curve *run, size_t from, size_t to, double *filled)
{
    size_t last = from; /* that is known */
    for (size_t x = from; x < to; x++) {
        if (isnan(run->y[x])) continue;
        double rise = x > last ? (run->y[x] - run->y[last]) / (double)(x - last) : 0;
        for (size_t gap = last + 1; gap < x; gap++) filled[gap] = run->y[last] + rise * (double)(gap - last);
        filled[x] = run->y[x];
        last = x;
    }
}

static void add_run(sums *s, const dq_curve *run)
{
    size_t from, to;
    find_ends(run, &from, &to);
    if (from == to) return;
    fill_gaps(run, from, to, s->filled);
    s->changes[from] = s->changes[to] = true;
    for (size_t x = from; x < to; x++) {
        s->sum[x] += s->filled[x];
        s->runs[x]++;
        if (!isnan(run->y[x])) s->own[x]++;
    }
}

static void add_squares(sums *s, const dq_curve *run)
{
    size_t from, to;
    find_ends(run, &from, &to);
    fill_gaps(run, from, to, s->filled);
    for (size_t x = from; x < to; x++) s->squares[x] += pow(s->filled[x] - s->sum[x] / s->runs[x], 2);
}

static void take_points(const sums *s, dq_curve_mean *mean)
{
    uint32_t stretch = 0;
    bool changed = false;
    for (size_t x = 0; x < s->points; x++) {
        changed = changed || s->changes[x];
        if (!s->own[x]) continue;
        if (changed && mean->count) stretch++;
        changed = false;
        double n = s->runs[x];
        mean->points[mean->count++] = (dq_curve_point){.at = x,
                                                       .mean = s->sum[x] / n,
                                                       .sd = n > 1 ? sqrt(s->squares[x] / (n - 1)) : 0,
                                                       .runs = s->runs[x],
                                                       .stretch = stretch};
    }
}

dq_status dq_curve_average(const dq_curve *runs, size_t count, dq_curve_mean *mean, dq_error *error)
{
    sums s;
    size_t points = 0;
    *mean = (dq_curve_mean){0};
    for (size_t r = 0; r < count; r++)
        if (runs[r].points > points) points = runs[r].points;
    mean->points = malloc((points + 1) * sizeof *mean->points);
    bool ok = make_sums(&s, points) && mean->points;
    for (size_t r = 0; ok && r < count; r++) {
        size_t from, to;
        find_ends(&runs[r], &from, &to);
        mean->runs += from < to;
        add_run(&s, &runs[r]);
    }
    for (size_t r = 0; ok && r < count; r++) add_squares(&s, &runs[r]);
    if (ok) take_points(&s, mean);
    free_sums(&s);
    if (ok) return DQ_OK;
    dq_curve_mean_free(mean);
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for curves");
}

void dq_curve_mean_free(dq_curve_mean *mean)
{
    free(mean->points);
    *mean = (dq_curve_mean){0};
}
