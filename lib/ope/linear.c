/* SPDX-License-Identifier: MIT */
#include "ope/linear.h"

#include "math/cholesky.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PASSES = 30 };

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

dq_status dq_ope_linear_init(dq_ope_linear *linear, bool logistic, const dq_ope_features *features,
                             uint32_t items, dq_error *error)
{
    dq_ope_linear *l = linear;
    size_t width = features->width;
    *l = (dq_ope_linear){.logistic = logistic, .features = features, .items = items};
    bool all = (l->x = calloc(width, sizeof *l->x)) && (l->work = calloc(width, sizeof *l->work)) &&
               (l->total = calloc(DQ_OPE_FOLDS, sizeof *l->total)) &&
               (l->units = calloc((size_t)features->users.width * DQ_OPE_MAX_PAIRS + 1, sizeof *l->units));
    for (int k = 0; k < DQ_OPE_FOLDS; k++)
        all = all && (l->b[k] = calloc(width, sizeof *l->b[k])) &&
              (l->gram[k] = calloc(dq_triangle(width), sizeof *l->gram[k])) &&
              (l->right[k] = calloc(width, sizeof *l->right[k])) &&
              (l->score[k] = calloc((size_t)items + 1, sizeof *l->score[k]));
    return all ? DQ_OK : dq_fail_memory(error, "a model of rewards with %zu inputs", width);
}

void dq_ope_linear_free(dq_ope_linear *linear)
{
    for (int k = 0; k < DQ_OPE_FOLDS; k++) {
        free(linear->b[k]);
        free(linear->gram[k]);
        free(linear->right[k]);
        free(linear->score[k]);
    }
    free(linear->total);
    free(linear->units);
    free(linear->x);
    free(linear->work);
    *linear = (dq_ope_linear){0};
}

void dq_ope_linear_begin(dq_ope_linear *linear)
{
    size_t width = linear->features->width;
    linear->row = 0;
    for (int k = 0; k < DQ_OPE_FOLDS; k++) {
        memset(linear->gram[k], 0, dq_triangle(width) * sizeof *linear->gram[k]);
        memset(linear->right[k], 0, width * sizeof *linear->right[k]);
    }
}

/* The fold of the next row. */
static int next_fold(dq_ope_linear *l)
{
    return (int)(l->row++ / DQ_OPE_FOLD_ROWS % DQ_OPE_FOLDS);
}

/* ---- fit ---- */

/* gram += weight x x', right += pull x. Most inputs are 0 where vectors are one-hot. */
static void add(dq_ope_linear *l, int k, double weight, double pull)
{
    size_t width = l->features->width;
    const double *x = l->x;
    for (size_t i = 0; i < width; i++) {
        double *row = l->gram[k] + dq_triangle(i), scale = weight * x[i];
        if (x[i] == 0) continue;
        for (size_t j = 0; j <= i; j++) row[j] += scale * x[j];
        l->right[k][i] += pull * x[i];
    }
}

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

dq_status dq_ope_linear_take(dq_ope_linear *linear, const dq_ope_row *rows, size_t n, dq_error *error)
{
    for (const dq_ope_row *r = rows; r < rows + n; r++) {
        int fold = next_fold(linear);
        dq_ope_features_fill(linear->features, r->user, r->item, r->position, linear->x);
        if (!linear->logistic) {
            add(linear, fold, 1, r->reward);
            continue;
        }
        if (!(r->reward >= 0 && r->reward <= 1))
            return dq_fail(error, DQ_ERR_RANGE, "the logistic model of rewards wants rewards in [0, 1]");
        for (int k = 0; k < DQ_OPE_FOLDS; k++) {
            if (k == fold) continue;
            double p = sigmoid(dot(linear->x, linear->b[k], linear->features->width));
            add(linear, k, p * (1 - p), r->reward - p);
        }
    }
    return DQ_OK;
}

/* Least squares took each row into its own fold: to judge a fold what all others took counts. */
static void exchange_folds(dq_ope_linear *l)
{
    size_t cells = dq_triangle(l->features->width), width = l->features->width;
    for (size_t i = 0; i < cells + width; i++) {
        double sum = 0;
        for (int k = 0; k < DQ_OPE_FOLDS; k++) sum += i < cells ? l->gram[k][i] : l->right[k][i - cells];
        for (int k = 0; k < DQ_OPE_FOLDS; k++) {
            double *at = i < cells ? &l->gram[k][i] : &l->right[k][i - cells];
            *at = sum - *at;
        }
    }
}

/* One step of Newton's method, which for least squares is the solution; returns the largest change. */
static double step(dq_ope_linear *l, int k)
{
    const double tiny = 1e-9, longest = 10;
    size_t width = l->features->width;
    double largest = 0;
    for (size_t i = 0; i < width; i++) {
        l->gram[k][dq_triangle(i) + i] += i ? 1 : tiny;
        l->work[i] = l->right[k][i] - (l->logistic && i ? l->b[k][i] : 0);
    }
    if (!dq_cholesky_solve(l->gram[k], width, l->work)) return NAN;
    for (size_t i = 0; i < width; i++) largest = fmax(largest, fabs(l->work[i]));
    double scale = l->logistic && largest > longest ? longest / largest : 1;
    for (size_t i = 0; i < width; i++) l->b[k][i] = (l->logistic ? l->b[k][i] : 0) + scale * l->work[i];
    return largest;
}

/* ---- use ---- */

/* The items' own parts, and sums over the items, so that a mean over all of them costs no loop. */
static void sum_up(dq_ope_linear *l)
{
    const dq_ope_features *f = l->features;
    memset(l->units, 0, (size_t)f->users.width * DQ_OPE_MAX_PAIRS * sizeof *l->units);
    for (uint32_t a = 0; a < l->items; a++) {
        const float *v = f->items.width ? f->items.at[a] : NULL;
        for (int k = 0; k < DQ_OPE_FOLDS; k++) {
            double sum = 0;
            for (uint32_t i = 0; f->vectors && v && i < f->items.width; i++)
                sum += l->b[k][f->item + i] * (double)v[i];
            l->score[k][a] = sum;
            l->total[k] = (a ? l->total[k] : 0) + sum;
        }
        for (size_t p = 0; p < f->pair_count; p++) {
            const float *part = v + f->pairs[p].item_offset;
            double squares = 0, *units = l->units + p * f->users.width;
            for (uint32_t i = 0; i < f->pairs[p].width; i++) squares += (double)part[i] * (double)part[i];
            for (uint32_t i = 0; squares > 0 && i < f->pairs[p].width; i++)
                units[i] += (double)part[i] / sqrt(squares);
        }
    }
}

dq_status dq_ope_linear_solve(dq_ope_linear *linear, bool *done, dq_error *error)
{
    double largest = 0;
    if (linear->row <= DQ_OPE_FOLD_ROWS)
        return dq_fail(error, DQ_ERR_RANGE,
                       "a cross-fitted model of rewards needs more than %d rows, and there are %llu",
                       DQ_OPE_FOLD_ROWS, (unsigned long long)linear->row);
    if (!linear->logistic) exchange_folds(linear);
    for (int k = 0; k < DQ_OPE_FOLDS; k++) {
        double change = step(linear, k);
        if (!isfinite(change))
            return dq_fail(error, DQ_ERR_NUMERIC,
                           "the model of rewards has no solution: vectors or rewards are too large");
        largest = fmax(largest, change);
    }
    linear->passes++;
    linear->unsettled = linear->logistic && largest >= 1e-6;
    *done = !linear->unsettled || linear->passes == MAX_PASSES;
    if (*done) sum_up(linear);
    return DQ_OK;
}

/* What x b is of a user at a place, but for the item's vector and the cosines. */
static double user_part(const dq_ope_linear *l, int k, const dq_ope_row *r)
{
    const dq_ope_features *f = l->features;
    const double *b = l->b[k];
    double sum = b[0] + b[f->places + (r->position < DQ_OPE_PLACES ? r->position : DQ_OPE_PLACES - 1)];
    const float *u = f->users.width ? f->users.at[r->user] : NULL;
    for (uint32_t i = 0; f->vectors && u && i < f->users.width; i++) sum += b[f->user + i] * (double)u[i];
    return sum;
}

/* What an item adds to it. */
static double item_part(const dq_ope_linear *l, int k, const dq_ope_row *r, uint32_t item)
{
    const dq_ope_features *f = l->features;
    double sum = l->score[k][item];
    for (size_t p = 0; p < f->pair_count; p++)
        sum += l->b[k][f->cosines + p] * dq_cosine(f->users.at[r->user], f->items.at[item], &f->pairs[p], 1);
    return sum;
}

/* The sum of what all items add: of cosines with a user the product of two sums. */
static double item_parts(const dq_ope_linear *l, int k, const dq_ope_row *r)
{
    const dq_ope_features *f = l->features;
    double sum = l->total[k];
    for (size_t p = 0; p < f->pair_count; p++) {
        const float *u = f->users.at[r->user] + f->pairs[p].user_offset;
        double squares = 0, product = 0;
        for (uint32_t i = 0; i < f->pairs[p].width; i++) {
            squares += (double)u[i] * (double)u[i];
            product += (double)u[i] * l->units[p * f->users.width + i];
        }
        if (squares > 0) sum += l->b[k][f->cosines + p] * product / sqrt(squares);
    }
    return sum;
}

static double value(const dq_ope_linear *l, int k, const dq_ope_row *r, double user, uint32_t item)
{
    double z = user + item_part(l, k, r, item);
    return l->logistic ? sigmoid(z) : z;
}

/* The sum of the values of all items. */
static double values(const dq_ope_linear *l, int k, const dq_ope_row *r, double user)
{
    double sum = 0;
    if (!l->logistic) return l->items * user + item_parts(l, k, r);
    for (uint32_t a = 0; a < l->items; a++) sum += value(l, k, r, user, a);
    return sum;
}

void dq_ope_linear_apply(dq_ope_linear *linear, dq_ope_row *rows, size_t n)
{
    for (dq_ope_row *r = rows; r < rows + n; r++) {
        int k = next_fold(linear);
        const dq_ope_choice *c = &r->choice;
        double user = user_part(linear, k, r);
        r->q = value(linear, k, r, user, r->item);
        r->q_target = c->rest > 0 ? c->rest * values(linear, k, r, user) : 0;
        for (uint32_t i = 0; i < c->count; i++)
            if (c->more[i] != 0) /* below 0 where it takes `rest` back */
                r->q_target += c->more[i] * value(linear, k, r, user, c->items ? c->items[i] : i);
    }
}
