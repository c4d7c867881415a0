/* SPDX-License-Identifier: MIT */
#include "plot/axis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dq_plot_include(dq_plot_range *range, double value)
{
    if (!isfinite(value)) return;
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
}

/* ---- linear ---- */

/* 1, 2 or 5 times a power of ten, not less than raw. */
static double round_step(double raw)
{
    double power = pow(10, floor(log10(raw)));
    for (int i = 0; i < 3; i++) {
        static const double steps[] = {1, 2, 5};
        if (raw <= steps[i] * power * (1 + 1e-9)) return steps[i] * power;
    }
    return 10 * power;
}

/* Makes low < high; one number gets some room on both sides. */
static void open_up(const dq_plot_axis *axis, double *low, double *high)
{
    if (!(*low <= *high)) *low = 0, *high = 1; /* nothing at all */
    double size = fmax(fabs(*low), fabs(*high));
    if (*high - *low > 1e-9 * size) return;
    double room = size > 0 ? 0.1 * size : 0.5;
    *low = fmax(*low - room, isnan(axis->min) ? -INFINITY : axis->min);
    *high = fmin(*high + room, isnan(axis->max) ? INFINITY : axis->max);
    if (!(*low < *high)) *high = *low + room;
}

static void set_ticks(dq_plot_scale *s)
{
    double first = ceil(s->low / s->step - 1e-9), last = floor(s->high / s->step + 1e-9);
    for (double i = first; i <= last && s->count < DQ_PLOT_TICKS; i++)
        s->ticks[s->count++] = i == 0 ? 0 : i * s->step; /* no -0 */
}

/* Some room beyond the ends, but not beyond a 0 that is one of them: it is where bars stand, and what is not
 * negative should not look so. */
static void add_room(double *low, double *high)
{
    double room = 0.04 * (*high - *low);
    if (*low > 0 && *low < 0.3 * *high) *low = 0;
    if (*high < 0 && *high > 0.3 * *low) *high = 0;
    if (*low != 0) *low -= room;
    if (*high != 0) *high += room;
}

static dq_plot_scale linear(const dq_plot_axis *axis, double low, double high, unsigned wanted, bool snug)
{
    dq_plot_scale s = {0};
    open_up(axis, &low, &high);
    if (!snug) add_room(&low, &high);
    if (low < axis->min) low = axis->min; /* false for NAN */
    if (high > axis->max) high = axis->max;
    s.low = low;
    s.high = high;
    s.step = round_step((high - low) / (wanted ? wanted : 1));
    if (axis->whole && s.step < 1) s.step = 1;
    set_ticks(&s);
    return s;
}

/* ---- logarithmic ---- */

static dq_plot_scale logarithmic(double low, double high, bool snug)
{
    dq_plot_scale s = {.log = true};
    if (!(low > 0)) low = high > 0 ? high / 1000 : 1;
    if (!(high > low)) high = 10 * low;
    int first = (int)floor(log10(low) + 1e-9), last = (int)ceil(log10(high) - 1e-9);
    int every = (last - first) / 12 + 1, parts = last - first > 3 ? 1 : 3;
    s.low = low;
    s.high = high;
    for (int k = first; k <= last; k += every)
        for (int i = 0; i < parts; i++) {
            static const double steps[] = {1, 2, 5};
            double tick = steps[i] * pow(10, k), after = steps[(i + 1) % 3] * pow(10, k + (i == 2));
            bool around = after > low * (1 + 1e-9) && tick < high * (1 - 1e-9);
            if (!snug && parts == 3 && around && tick <= low) s.low = tick;
            if (!snug && parts == 3 && around && after >= high) s.high = after;
            if (s.count < DQ_PLOT_TICKS) s.ticks[s.count++] = tick;
        }
    if (!snug && parts == 1) {
        s.low = pow(10, first);
        s.high = pow(10, last);
    }
    size_t kept = 0;
    for (size_t i = 0; i < s.count; i++)
        if (s.ticks[i] >= s.low * (1 - 1e-9) && s.ticks[i] <= s.high * (1 + 1e-9))
            s.ticks[kept++] = s.ticks[i];
    s.count = kept;
    return s;
}

dq_plot_scale dq_plot_scale_for(const dq_plot_axis *axis, dq_plot_range range, unsigned wanted, bool snug)
{
    if (axis->zero && !axis->log) dq_plot_include(&range, 0);
    if (axis->full && isfinite(axis->min) && isfinite(axis->max)) {
        dq_plot_include(&range, axis->min);
        dq_plot_include(&range, axis->max);
    }
    double low = range.low < axis->min ? axis->min : range.low; /* false for NAN */
    double high = range.high > axis->max ? axis->max : range.high;
    return axis->log ? logarithmic(low, high, snug) : linear(axis, low, high, wanted, snug);
}

/* ---- words ---- */

static void true_minus(const char *from, char text[40])
{
    (void)snprintf(text, 40, "%s%s", *from == '-' ? "\u2212" : "", from + (*from == '-'));
}

/* "2×10⁻⁵" */
static void exponential(double value, int digits, char text[40])
{
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char plain[32], power[24] = "", *e, *end;
    (void)snprintf(plain, sizeof plain, "%.*e", digits > 1 ? digits - 1 : 0, value);
    e = strchr(plain, 'e');
    if (!e) e = plain + strlen(plain); /* an infinity */
    long exponent = *e ? strtol(e + 1, NULL, 10) : 0;
    *e = '\0';
    if (strchr(plain, '.')) { /* 2.00 is 2 */
        for (end = e; end[-1] == '0'; end--) continue;
        end[end[-1] == '.' ? -1 : 0] = '\0';
    }
    long size = labs(exponent);
    (void)snprintf(power, sizeof power, "%s%s%s%s", exponent < 0 ? "⁻" : "",
                   size >= 100 ? raised[size / 100 % 10] : "", size >= 10 ? raised[size / 10 % 10] : "",
                   raised[size % 10]);
    (void)snprintf(text, 40, "%s%s×10%s", *plain == '-' ? "\u2212" : "", plain + (*plain == '-'), power);
}

void dq_plot_tick_text(const dq_plot_scale *s, double value, char text[40])
{
    static const struct {
        double from, unit;
        const char *letter;
    } units[] = {{1e9, 1e9, "G"}, {1e6, 1e6, "M"}, {1e5, 1e3, "k"}, {0, 1, ""}};
    double size = s->log ? fabs(value) : fmax(fabs(s->low), fabs(s->high));
    char plain[32];
    if (value == 0 || (size >= 1e-4 && size < 1e12)) {
        size_t u = 0;
        while (size < units[u].from) u++;
        double step = (s->log ? value : s->step) / units[u].unit;
        int decimals = step > 0 && step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
        (void)snprintf(plain, sizeof plain, "%.*f%s", value == 0 ? 0 : decimals, value / units[u].unit,
                       value == 0 ? "" : units[u].letter);
        true_minus(plain, text);
    } else {
        exponential(value, 3, text);
    }
}

int dq_plot_decimals(double largest, bool whole, int digits)
{
    double size = fabs(largest);
    if (whole || size == 0) return 0;
    int before = (int)floor(log10(size)) + 1; /* 0, -1 ... of a small one */
    return digits > before ? digits - before : 0;
}

void dq_plot_number_text(double value, int decimals, char text[40])
{
    char plain[32];
    if (fabs(value) >= 1e12 || decimals > 8) {
        exponential(value, 3, text);
        return;
    }
    (void)snprintf(plain, sizeof plain, "%.*f", decimals, value);
    if (*plain == '-' && strspn(plain, "-0.") == strlen(plain)) /* no -0.00 */
        (void)snprintf(plain, sizeof plain, "%.*f", decimals, 0.0);
    true_minus(plain, text);
}
