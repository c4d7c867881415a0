/* SPDX-License-Identifier: MIT */
#include "compare/power.h"

#include "math/special.h"

#include <math.h>

double dq_power(dq_design design, double n, double effect, double alpha)
{
    double freedom = design == DQ_DESIGN_PAIRED ? n - 1 : 2 * n - 2;
    double delta = fabs(effect) * sqrt(design == DQ_DESIGN_PAIRED ? n : n / 2);
    double bound = dq_student_quantile(1 - alpha / 2, freedom);
    return 1 - dq_student_noncentral(bound, freedom, delta) + dq_student_noncentral(-bound, freedom, delta);
}

static dq_status check(double alpha, double power, dq_error *error)
{
    if (alpha > 0 && alpha < 1 && power > alpha && power < 1) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "no test at level %.9g has the power %.9g: it must be above", alpha,
                   power);
}

dq_status dq_power_units(dq_design design, double effect, double alpha, double power, double *n,
                         dq_error *error)
{
    double below = 1, enough = 2;
    dq_status status = check(alpha, power, error);
    if (status) return status;
    if (!(fabs(effect) > 0 && isfinite(effect)))
        return dq_fail(error, DQ_ERR_RANGE, "no number of units finds an effect of %.9g", effect);
    while (dq_power(design, enough, effect, alpha) < power) {
        below = enough;
        enough *= 2;
        if (enough > 2 * DQ_POWER_MAX)
            return dq_fail(error, DQ_ERR_RANGE, "an effect of %.9g needs more than %.9g units", effect,
                           DQ_POWER_MAX);
    }
    while (enough - below > 1) {
        double middle = floor((below + enough) / 2);
        if (dq_power(design, middle, effect, alpha) < power)
            below = middle;
        else
            enough = middle;
    }
    *n = enough;
    return DQ_OK;
}

dq_status dq_power_effect(dq_design design, double n, double alpha, double power, double *effect,
                          dq_error *error)
{
    double low = 0, high = 1;
    dq_status status = check(alpha, power, error);
    if (status) return status;
    if (!(n >= 2 && n <= DQ_POWER_MAX))
        return dq_fail(error, DQ_ERR_RANGE, "%.9g units: 2 .. %.9g are wanted", n, DQ_POWER_MAX);
    while (dq_power(design, n, high, alpha) < power && high < 1e12) high *= 2;
    for (int i = 0; i < 100 && high - low > 1e-12 * high; i++) {
        double middle = (low + high) / 2;
        if (dq_power(design, n, middle, alpha) < power)
            low = middle;
        else
            high = middle;
    }
    *effect = high;
    return DQ_OK;
}
