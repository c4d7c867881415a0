/* SPDX-License-Identifier: MIT
 *
 * Environments that are lived through step by step, for the tests of environments.
 */
#ifndef DQ_TEST_ENV_LIFE_H
#define DQ_TEST_ENV_LIFE_H

#include "env/env.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* In its first episode. */
static dq_env *make(const char *kind, const char *options, uint64_t seed)
{
    dq_error e = DQ_ERROR_NONE;
    dq_env *env;
    if (dq_env_new(&env, kind, options, seed, &e)) fail_msg("%s", e.reason);
    assert_int_equal(dq_env_reset(env, &e), DQ_OK);
    return env;
}

static dq_step take(dq_env *env, uint32_t action)
{
    dq_error e = DQ_ERROR_NONE;
    dq_step step;
    if (dq_env_step(env, action, &step, &e)) fail_msg("%s", e.reason);
    return step;
}

static void near(double got, double wanted, double within)
{
    if (!(fabs(got - wanted) <= within)) fail_msg("%.9g is not %.9g within %.9g", got, wanted, within);
}

static inline double product(const float *a, const float *b, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

#endif
