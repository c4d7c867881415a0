/* SPDX-License-Identifier: MIT
 *
 * Distributions are held to their moments and, where they are shares, to chi-square at 1 in 10000 (the seed
 * is fixed, so a test that passes passes always).
 */
#include "env/synthetic.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { USERS = 4000, ITEMS = 3000 };

static dq_synthetic *make(uint32_t users, uint32_t items, uint64_t interactions, uint64_t seed)
{
    dq_error e = DQ_ERROR_NONE;
    dq_synthetic *p;
    dq_synthetic_config config = {users, items, interactions, seed};
    if (dq_synthetic_new(&p, &config, &e)) fail_msg("%s", e.reason);
    return p;
}

static int set_up(void **state)
{
    *state = make(USERS, ITEMS, 0, 42);
    return 0;
}

static int tear_down(void **state)
{
    dq_synthetic_free(*state);
    return 0;
}

/* The mean of n numbers of standard deviation sd, within four of its own. */
static void mean_is(double sum, double n, double mean, double sd)
{
    if (fabs(sum / n - mean) > 4 * sd / sqrt(n)) fail_msg("mean %.6g, not %.6g", sum / n, mean);
}

/* Shares against counts; limit: the 0.9999 quantile of chi-square with k - 1 degrees of freedom. */
static void shares_are(const double *count, const double *share, int k)
{
    static const double limit[] = {0, 15.14, 18.42, 21.11, 23.51, 25.74, 27.86, 29.88, 31.83, 33.72};
    double n = 0, chi = 0;
    for (int i = 0; i < k; i++) n += count[i];
    for (int i = 0; i < k; i++) chi += (count[i] - n * share[i]) * (count[i] - n * share[i]) / (n * share[i]);
    if (chi > limit[k - 1]) fail_msg("chi-square %.3g > %.3g", chi, limit[k - 1]);
}

static void users_are_drawn_as_stated(void **state)
{
    const dq_synthetic *p = *state;
    double gender[3] = {0}, location[3] = {0}, activity[3] = {0}, age = 0, income = 0, spread = 0, price = 0;
    double preference[DQ_CATEGORIES] = {0}, squares = 0;
    for (uint32_t u = 0; u < USERS; u++) {
        const dq_person *x = &p->persons[u];
        double sum = 0, z = log(x->income / 35000);
        gender[x->gender]++;
        location[x->location]++;
        activity[x->activity]++;
        age += x->age;
        income += z;
        spread += z * z;
        price += x->price_sensitivity;
        assert_true(x->age >= 16 && x->age <= 90);
        for (int c = 0; c < DQ_CATEGORIES; c++) {
            sum += x->preference[c];
            preference[c] += x->preference[c];
            squares += x->preference[c] * x->preference[c];
        }
        assert_true(fabs(sum - 1) < 1e-12);
    }
    shares_are(gender, (double[]){0.49, 0.49, 0.02}, 3);
    shares_are(location, (double[]){0.55, 0.3, 0.15}, 3);
    shares_are(activity, (double[]){0.5, 0.35, 0.15}, 3);
    mean_is(age, USERS, 38.3, 13.5); /* N(38, 14) cut at 16: 38.3 */
    mean_is(income, USERS, 0, 0.5);
    mean_is(spread, USERS, 0.25, 0.25 * sqrt(2));
    mean_is(price, USERS, 0.5, sqrt(1 / 12.0));
    for (int c = 0; c < DQ_CATEGORIES; c++) mean_is(preference[c], USERS, 0.1, 0.0905);
    mean_is(squares, 10.0 * USERS, 2 / 110.0, 0.04); /* Dirichlet(1): E p^2 = 2 / (10 x 11) */
}

static void items_are_drawn_as_stated(void **state)
{
    const dq_synthetic *p = *state;
    double category[DQ_CATEGORIES] = {0}, tier[3] = {0}, season[5] = {0}, price = 0, spread = 0, quality = 0;
    double popularity = 0, wanted = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        const dq_product *x = &p->products[i];
        double z = log(x->price / 30);
        category[x->category]++;
        tier[x->brand_tier]++;
        season[x->season]++;
        price += z;
        spread += z * z;
        quality += x->quality;
        popularity += x->popularity;
        wanted += pow(i + 1.0, -0.7);
        assert_true(x->quality >= 1 && x->quality <= 5);
    }
    const double tenth[DQ_CATEGORIES] = {.1, .1, .1, .1, .1, .1, .1, .1, .1, .1};
    shares_are(category, tenth, DQ_CATEGORIES);
    shares_are(tier, (double[]){0.5, 0.35, 0.15}, 3);
    shares_are(season, (double[]){0.15, 0.15, 0.15, 0.15, 0.4}, 5);
    mean_is(price, ITEMS, 0, 0.8);
    mean_is(spread, ITEMS, 0.64, 0.64 * sqrt(2));
    mean_is(quality, ITEMS, 3.49, 0.78); /* N(3.5, 0.8) cut at 5 */
    assert_true(fabs(popularity - wanted) < 1e-9);
}

/* Counts by activity are Poisson: mean and variance are 5, 20, 50. */
static void activity_decides_how_many(void **state)
{
    const dq_synthetic *p = *state;
    static const double rate[] = {5, 20, 50};
    double n[3] = {0}, sum[3] = {0}, squares[3] = {0};
    double *count = calloc(USERS, sizeof *count);
    assert_non_null(count);
    for (size_t e = 0; e < p->event_count; e++) count[p->events[e].user]++;
    for (uint32_t u = 0; u < USERS; u++) {
        unsigned a = p->persons[u].activity;
        n[a]++;
        sum[a] += count[u];
        squares[a] += (count[u] - rate[a]) * (count[u] - rate[a]);
    }
    free(count);
    for (int a = 0; a < 3; a++) {
        mean_is(sum[a], n[a], rate[a], sqrt(rate[a]));
        mean_is(squares[a], n[a], rate[a], sqrt(rate[a] + 2 * rate[a] * rate[a]));
    }
}

static void events_are_in_two_years_and_in_order(void **state)
{
    const dq_synthetic *p = *state;
    double tenth[10] = {0}, types[4] = {0};
    for (size_t e = 0; e < p->event_count; e++) {
        const dq_event *x = &p->events[e], *before = e ? x - 1 : NULL;
        assert_true(x->user < USERS && x->item < ITEMS && x->type <= DQ_RATING);
        assert_true(x->second < DQ_SYNTHETIC_DAYS * 86400U);
        assert_true((x->type == DQ_RATING) == (x->rating > 0) && x->rating <= 5);
        assert_true(!before || before->user < x->user ||
                    (before->user == x->user && before->second <= x->second));
        tenth[x->second / (DQ_SYNTHETIC_DAYS * 8640U)]++;
        types[x->type]++;
    }
    const double shares[10] = {.1, .1, .1, .1, .1, .1, .1, .1, .1, .1};
    shares_are(tenth, shares, 10);
    assert_true(types[DQ_VIEW] > 0 && types[DQ_CLICK] > 0 && types[DQ_PURCHASE] > types[DQ_RATING] / 2 &&
                types[DQ_RATING] > 0);
    mean_is(types[DQ_RATING], types[DQ_RATING] + types[DQ_PURCHASE], 0.5, 0.5); /* half of the buyers rate */
}

/* Vectors: their fields face each other, and what users do follows their product. */
static void preference_decides(void **state)
{
    const dq_synthetic *p = *state;
    const dq_env_entities users = dq_synthetic_users(p), items = dq_synthetic_items(p);
    uint32_t width = 0;
    double taken = 0, any = 0;
    assert_int_equal(users.field_count, items.field_count);
    for (size_t f = 0; f < users.field_count; f++) {
        const dq_field *u = &users.fields[f], *i = &items.fields[f];
        assert_true(u->offset == width && i->offset == width && u->width == i->width);
        width += u->width;
    }
    assert_int_equal(width, DQ_SYNTHETIC_WIDTH);
    for (size_t e = 0; e < p->event_count; e++) {
        taken += dq_synthetic_affinity(p, p->events[e].user, p->events[e].item);
        any += dq_synthetic_affinity(p, p->events[e].user, (uint32_t)(e * 7919 % ITEMS));
    }
    taken /= (double)p->event_count;
    any /= (double)p->event_count;
    assert_true(any > 0.2 && any < 0.6); /* neither all nor nothing is liked */
    assert_true(taken > any + 0.2);
}

/* The past raises: with one item and one user who dislikes it, later visits go further than the first. */
static void the_past_raises_the_preference(void **state)
{
    (void)state;
    double early = 0, late = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        dq_synthetic *p = make(1, 1, 20, seed);
        if (dq_synthetic_affinity(p, 0, 0) < 0.3)
            for (size_t e = 0; e < 20; e++)
                *(e < 5 ? &early : &late) += (p->events[e].type > DQ_VIEW) / (e < 5 ? 5.0 : 15.0);
        dq_synthetic_free(p);
    }
    assert_true(early > 0 && late > 1.5 * early);
}

static void a_total_is_kept_and_a_seed_repeats(void **state)
{
    (void)state;
    dq_synthetic *a = make(50, 60, 1234, 5), *b = make(50, 60, 1234, 5), *c = make(50, 60, 1234, 6);
    assert_int_equal(a->event_count, 1234);
    for (size_t e = 0; e < a->event_count; e++) {
        const dq_event *x = &a->events[e], *y = &b->events[e];
        assert_true(x->user == y->user && x->item == y->item && x->second == y->second && x->type == y->type);
    }
    assert_memory_equal(a->user, b->user, sizeof(float) * 50 * DQ_SYNTHETIC_WIDTH);
    assert_memory_not_equal(a->user, c->user, sizeof(float) * 50 * DQ_SYNTHETIC_WIDTH);
    dq_synthetic_free(a);
    dq_synthetic_free(b);
    dq_synthetic_free(c);
    dq_error e = DQ_ERROR_NONE;
    dq_synthetic_config none = {.users = 3};
    assert_int_equal(dq_synthetic_new(&a, &none, &e), DQ_ERR_RANGE);
}

static void poisson_has_its_shares(void **state)
{
    (void)state;
    dq_rng rng = dq_rng_new(4);
    double count[8] = {0}, share[8], p = exp(-2.5), rest = 1, sum = 0;
    for (int k = 0; k < 7; k++) {
        share[k] = p;
        rest -= p;
        p *= 2.5 / (k + 1);
    }
    share[7] = rest;
    for (int i = 0; i < 50000; i++) {
        uint64_t n = dq_poisson(2.5, &rng);
        count[n < 7 ? n : 7]++;
    }
    shares_are(count, share, 8);
    for (int i = 0; i < 5000; i++) sum += (double)dq_poisson(1000, &rng);
    mean_is(sum, 5000, 1000, sqrt(1000));
    assert_int_equal(dq_poisson(0, &rng), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_drawn_as_stated),
        cmocka_unit_test(items_are_drawn_as_stated),
        cmocka_unit_test(activity_decides_how_many),
        cmocka_unit_test(events_are_in_two_years_and_in_order),
        cmocka_unit_test(preference_decides),
        cmocka_unit_test(the_past_raises_the_preference),
        cmocka_unit_test(a_total_is_kept_and_a_seed_repeats),
        cmocka_unit_test(poisson_has_its_shares),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
