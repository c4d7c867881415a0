/* SPDX-License-Identifier: MIT */
#include "ope/sessions.h"

#include <math.h>

/* The sums of a block: of sessions, and for each step of rho(t), of gamma^(t-1) rho(t) r(t), and of the last
 * rho of sessions that ended before the step. Steps that no session has reached are left out of resamples. */
enum { COUNT, PDIS, OVER, WEIGHT, STEPS };
enum { ALIVE, EARNED, ENDED, OF_STEP };
enum { WIDTH = STEPS + OF_STEP * (DQ_OPE_MAX_STEPS + 1), BLOCKS = 1000 };

static double *step_of(double *sums, size_t step)
{
    return sums + STEPS + OF_STEP * step;
}

dq_status dq_ope_sessions_init(dq_ope_sessions *sessions, double gamma, dq_error *error)
{
    *sessions = (dq_ope_sessions){.gamma = gamma};
    dq_status status = dq_ope_blocks_init(&sessions->blocks, WIDTH, BLOCKS, error);
    sessions->blocks.used = STEPS;
    return status;
}

void dq_ope_sessions_free(dq_ope_sessions *sessions)
{
    dq_ope_blocks_free(&sessions->blocks);
}

void dq_ope_sessions_end(dq_ope_sessions *sessions)
{
    dq_ope_sessions *s = sessions;
    if (!s->sums) return;
    double over = s->rho * s->returned;
    const double *columns[] = {&s->earned, &over, &s->rho};
    dq_ope_moments_add(&s->moments, columns, DQ_OPE_MOMENTS, 1);
    s->sums[COUNT] += 1;
    s->sums[PDIS] += s->earned;
    s->sums[OVER] += over;
    s->sums[WEIGHT] += s->rho;
    step_of(s->sums, s->step)[ENDED] += s->rho;
    size_t used = STEPS + OF_STEP * (s->step + 1);
    if (used > s->blocks.used) s->blocks.used = used;
    s->sums = NULL;
}

static void begin(dq_ope_sessions *s)
{
    dq_ope_sessions_end(s);
    (void)dq_ope_blocks_take(&s->blocks, 1, &s->sums);
    s->rho = s->discount = 1;
    s->earned = s->returned = 0;
    s->step = 0;
}

dq_status dq_ope_sessions_add(dq_ope_sessions *sessions, const dq_ope_row *rows, size_t n, dq_error *error)
{
    dq_ope_sessions *s = sessions;
    for (const dq_ope_row *r = rows; r < rows + n; r++) {
        if (r->begins || !s->sums) begin(s);
        if (s->step == DQ_OPE_MAX_STEPS)
            return dq_fail(error, DQ_ERR_RANGE, "a session of more than %d rows", DQ_OPE_MAX_STEPS);
        s->rho *= r->target / r->propensity;
        double earned = s->discount * r->reward;
        s->earned += s->rho * earned;
        s->returned += earned;
        step_of(s->sums, s->step)[ALIVE] += s->rho;
        step_of(s->sums, s->step)[EARNED] += s->rho * earned;
        s->discount *= s->gamma;
        s->step++;
    }
    return DQ_OK;
}

static double weighted(const double *sums, size_t used)
{
    double value = 0, ended = 0;
    const double *step = sums + STEPS;
    if (!(step[ALIVE] > 0)) return NAN;
    for (; step < sums + used; step += OF_STEP) {
        ended += step[ENDED];
        double weight = step[ALIVE] + ended;
        if (weight > 0) value += step[EARNED] / weight;
    }
    return value;
}

static double value_of(dq_ope_session_kind kind, const double *sums, size_t used)
{
    if (kind == DQ_OPE_PDIS) return sums[PDIS] / sums[COUNT];
    if (kind == DQ_OPE_WIS) return sums[WEIGHT] > 0 ? sums[OVER] / sums[WEIGHT] : NAN;
    return weighted(sums, used);
}

typedef struct kinds_wanted {
    const dq_ope_session_kind *at;
    size_t count, used;
} kinds_wanted;

static void statistic(const void *self, const double *sums, double *values)
{
    const kinds_wanted *kinds = self;
    for (size_t i = 0; i < kinds->count; i++) values[i] = value_of(kinds->at[i], sums, kinds->used);
}

/* What the moments say, which is nothing of wpdis. */
static void describe(dq_ope_estimate *e, const dq_ope_moments *m, dq_ope_session_kind kind, double confidence)
{
    enum { OF_PDIS, OF_OVER, OF_WEIGHT };
    double variance = dq_ope_moments_covariance(m, OF_PDIS, OF_PDIS), range = dq_ope_range(m, OF_PDIS);
    e->ess = dq_ope_effective_size(m, OF_WEIGHT);
    e->largest = m->max[OF_WEIGHT];
    e->bernstein = (dq_interval){NAN, NAN};
    if (kind == DQ_OPE_WPDIS) return;
    if (kind == DQ_OPE_WIS) {
        variance = dq_ope_ratio_variance(m, OF_OVER, OF_WEIGHT);
        range = dq_ope_range(m, OF_OVER) / m->mean[OF_WEIGHT];
    }
    e->se = m->rows < 2 ? NAN : sqrt(variance / (double)m->rows);
    e->bernstein = dq_ope_bernstein(e->value, variance, range, m->rows, confidence);
}

dq_status dq_ope_sessions_estimate(const dq_ope_sessions *sessions, const dq_ope_session_kind *kinds,
                                   dq_ope_estimate *const *estimates, size_t count, double confidence,
                                   size_t resamples, uint64_t seed, dq_error *error)
{
    double total[WIDTH], sd[DQ_OPE_SESSION_KINDS];
    dq_interval intervals[DQ_OPE_SESSION_KINDS];
    const kinds_wanted wanted = {kinds, count, sessions->blocks.used};
    dq_rng rng = dq_rng_new(seed);
    if (sessions->moments.rows == 0) return dq_fail(error, DQ_ERR_RANGE, "no session to estimate from");
    dq_ope_blocks_total(&sessions->blocks, total);
    dq_status status = dq_ope_blocks_bootstrap(&sessions->blocks, statistic, &wanted, count, resamples,
                                               confidence, &rng, intervals, sd, error);
    for (size_t i = 0; i < count && !status; i++) {
        dq_ope_estimate *e = estimates[i];
        e->value = value_of(kinds[i], total, wanted.used);
        e->bootstrap = intervals[i];
        e->se = sd[i];
        describe(e, &sessions->moments, kinds[i], confidence);
        if (!isfinite(e->value))
            status = dq_fail(error, DQ_ERR_NUMERIC, "%s is no number: %s", e->name,
                             e->largest > 0 ? "weights or rewards are too large"
                                            : "no session went as the target would go, all weights are 0");
    }
    return status;
}

dq_status dq_ope_sessions_influence(const dq_ope_sessions *sessions, dq_ope_session_kind kind, double *values,
                                    dq_error *error)
{
    const kinds_wanted wanted = {&kind, 1, sessions->blocks.used};
    return dq_ope_blocks_influence(&sessions->blocks, statistic, &wanted, 1, 0, values, error);
}
