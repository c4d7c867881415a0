/* SPDX-License-Identifier: MIT */
#include "math/special.h"

#include <math.h>

/* lgamma() would put the sign into a variable that threads share. */
static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* The continued fraction of the incomplete beta function, by Lentz's method (Numerical Recipes 6.4; DLMF
 * 8.17.22). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double f = d;
    for (int m = 1; m < 10000; m++) {
        for (int odd = 0; odd < 2; odd++) {
            double t = odd ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                           : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 + t * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + t / c;
            if (fabs(c) < tiny) c = tiny;
            f *= c * d;
        }
        if (fabs(c * d - 1) < 1e-15) break;
    }
    return f;
}

double dq_beta_regularised(double a, double b, double x)
{
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                     : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double dq_student_two_sided(double t, double freedom)
{
    return dq_beta_regularised(freedom / 2, 0.5, freedom / (freedom + t * t));
}

/* Many degrees of freedom: Fisher's expansion about the normal quantile (Abramowitz and Stegun 26.7.5). */
static double student_near_normal(double z, double n)
{
    double z2 = z * z;
    double g1 = z * (z2 + 1) / 4;
    double g2 = z * ((5 * z2 + 16) * z2 + 3) / 96;
    double g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
    double g4 = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
    return z + (g1 + (g2 + (g3 + g4 / n) / n) / n) / n;
}

/* log of the density at 0. */
static double student_constant(double n)
{
    return log_gamma((n + 1) / 2) - log_gamma(n / 2) - 0.5 * log(n * M_PI);
}

/* The upper quantile, P(T > t) = tail < 1/2: Newton's method for log P in log t, which is concave, so that it
 * comes down from above after its first step. It starts from the normal's, which is smaller. */
static double student_upper(double tail, double n)
{
    double c = student_constant(n), t = -dq_normal_quantile(tail);
    for (int i = 0; i < 100; i++) {
        double p = dq_student_two_sided(t, n) / 2;
        double slope = exp(c - (n + 1) / 2 * log1p(t * t / n)) * t / p;
        double step = log(p / tail) / slope;
        if (!(fabs(step) < 2)) step = copysign(2, step);
        t *= exp(step);
        if (fabs(step) < 1e-15) break;
    }
    return t;
}

double dq_student_quantile(double p, double freedom)
{
    enum { MANY = 1000 };
    if (!(p > 0 && p < 1 && freedom > 0)) return NAN;
    if (p == 0.5) return 0;
    if (freedom > MANY) return student_near_normal(dq_normal_quantile(p), freedom);
    return p > 0.5 ? student_upper(1 - p, freedom) : -student_upper(p, freedom);
}

double dq_normal_two_sided(double z)
{
    return erfc(fabs(z) / M_SQRT2);
}

double dq_normal_below(double z)
{
    return erfc(-z / M_SQRT2) / 2;
}

/* Terms of AS 243: Poisson weights p and q, incomplete beta functions of (j + 1/2, b) and (j + 1, b), and
 * what each of these loses from j to j + 1. */
static double noncentral_sum(double x, double b, double delta)
{
    const double lambda = delta * delta / 2;
    double p = exp(-lambda) / 2, q = delta * exp(-lambda) * sqrt(2 / M_PI) / 2, left = 0.5 - p;
    double odd = dq_beta_regularised(0.5, b, x), even = dq_beta_regularised(1, b, x);
    double base = b * log1p(-x);
    double odd_loss = exp(base + 0.5 * log(x) + log_gamma(b + 0.5) - log_gamma(b) - log_gamma(1.5));
    double even_loss = exp(base + log(x)) * b;
    double sum = p * odd + q * even;
    for (int j = 1; j < 20000 && (left * odd > 1e-14 || j < lambda); j++) {
        odd -= odd_loss;
        even -= even_loss;
        odd_loss *= x * (j - 0.5 + b) / (j + 0.5);
        even_loss *= x * (j + b) / (j + 1);
        p *= lambda / j;
        q *= lambda / (j + 0.5);
        left -= p;
        sum += p * odd + q * even;
    }
    return sum;
}

double dq_student_noncentral(double t, double freedom, double delta)
{
    enum { MOST = 37, MANY = 100000 };
    if (t < 0) return 1 - dq_student_noncentral(-t, freedom, -delta);
    if (fabs(delta) > MOST || freedom > MANY)
        return dq_normal_below((t * (1 - 1 / (4 * freedom)) - delta) / sqrt(1 + t * t / (2 * freedom)));
    double below = dq_normal_below(-delta), x = t * t / (t * t + freedom);
    if (x > 0) below += noncentral_sum(x, freedom / 2, delta);
    return fmin(fmax(below, 0), 1);
}

/* numerator(r) / denominator(r), coefficients from the lowest power. */
static double rational(const double (*c)[8], double r)
{
    double numerator = c[0][7], denominator = c[1][7];
    for (int i = 6; i >= 0; i--) {
        numerator = numerator * r + c[0][i];
        denominator = denominator * r + c[1][i];
    }
    return numerator / denominator;
}

double dq_normal_quantile(double p)
{
    static const double middle[2][8] = {
        {3.3871328727963666080, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
         4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3},
        {1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
         2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3}};
    static const double tail[2][8] = {
        {1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
         1.27045825245236838258, 2.41780725177450611770e-1, 2.27238449892691845833e-2,
         7.74545014278341407640e-4},
        {1, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1,
         1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
         1.05075007164441684324e-9}};
    static const double far[2][8] = {
        {6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 2.96560571828504891230e-1,
         2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5,
         2.01033439929228813265e-7},
        {1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
         7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
         2.04426310338993978564e-15}};
    if (!(p > 0 && p < 1)) return NAN;
    double q = p - 0.5;
    if (fabs(q) <= 0.425) return q * rational(middle, 0.180625 - q * q);
    double r = sqrt(-log(q < 0 ? p : 1 - p));
    double z = r <= 5 ? rational(tail, r - 1.6) : rational(far, r - 5);
    return q < 0 ? -z : z;
}
