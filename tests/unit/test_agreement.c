/* SPDX-License-Identifier: MIT
 *
 * Agreement of labellers against published figures, identities and closed forms; the intervals by simulation.
 * tests/fixtures/agreement/agreement.py --check computes the same figures another way, and
 * tests/cli/agreement.bats compares whole streams.
 */
#include "label/agreement.h"

#include "tables.h"

#include <math.h>
#include <string.h>

static const uint32_t steps[] = {0, 1, 2, 3, 4, 5};
static const double values[] = {1, 2, 3, 4, 5, 6};
static dq_error ignored;

static const dq_agreement_row *row_of(const dq_agreement *a, dq_agreement_measure measure)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->rows[i].measure == measure) return &a->rows[i];
    fail();
    return NULL;
}

static dq_agreement find(const dq_ratings *r, size_t resamples, uint64_t seed)
{
    dq_agreement a;
    dq_rng rng = dq_rng_new(seed);
    assert_int_equal(dq_agreement_find(r, resamples, 0.95, &rng, &a, &ignored), DQ_OK);
    return a;
}

static void assert_value(const dq_ratings *r, dq_agreement_measure measure, double want, double within)
{
    dq_agreement a = find(r, 2, 1);
    double value = row_of(&a, measure)->value;
    if (isnan(want))
        assert_true(isnan(value));
    else
        assert_true(fabs(value - want) <= within);
    dq_agreement_free(&a);
}

/* Ratings from one text a rater, a character a pair: '.' is no label, 'a' or '1' label 0, and so on. */
static dq_ratings of_texts(const char *const *texts, uint32_t raters, uint32_t labels, uint32_t *given)
{
    size_t pairs = strlen(texts[0]);
    for (size_t i = 0; i < pairs; i++)
        for (uint32_t r = 0; r < raters; r++) {
            char c = texts[r][i];
            given[i * raters + r] = c == '.' ? DQ_NO_LABEL : (uint32_t)(c - (c >= 'a' ? 'a' : '1'));
        }
    return (dq_ratings){
        .raters = raters, .labels = labels, .pairs = pairs, .given = given, .place = steps, .value = values};
}

/* Ratings from a row of counts a pair, a digit (or 'e' for 14) a label. */
static dq_ratings of_counts(const char *const *rows, size_t pairs, uint32_t raters, uint32_t *given)
{
    size_t n = 0;
    for (size_t i = 0; i < pairs; i++)
        for (uint32_t label = 0; label < 5; label++) {
            int count = rows[i][label] == 'e' ? 14 : rows[i][label] - '0';
            for (int k = 0; k < count; k++) given[n++] = label;
        }
    assert_int_equal(n, pairs * raters);
    return (dq_ratings){.raters = raters, .labels = 5, .pairs = pairs, .given = given};
}

/* Psychiatric diagnoses, table 1 of Fleiss 1971; and the worked example of Wikipedia's "Fleiss' kappa". */
static void fleiss_of_published_tables(void **state)
{
    (void)state;
    uint32_t given[200];
    static const char *const patients[] = {
        "00060", "03003", "01401", "00006", "03030", "20400", "00402", "20310", "20040", "00006",
        "10050", "11040", "03300", "10050", "02031", "00501", "30012", "51000", "02040", "10203",
        "00006", "01050", "02013", "20040", "10041", "05010", "40002", "02040", "10500", "00006"};
    static const char *const graded[] = {"0000e", "02642", "00356", "03920", "22811",
                                         "77000", "32630", "25322", "65210", "02237"};
    dq_ratings r = of_counts(patients, 30, 6, given);
    assert_value(&r, DQ_AGREE_FLEISS, 0.430, 0.0005);
    r = of_counts(graded, 10, 14, given);
    assert_value(&r, DQ_AGREE_FLEISS, 0.210, 0.0005);
}

/* Krippendorff 2011: sections A to C; and the worked example of Wikipedia's "Krippendorff's alpha". */
static void alpha_of_published_examples(void **state)
{
    (void)state;
    uint32_t given[200];
    dq_ratings r = of_texts(TEXTS("1211111121", "2221121111"), 2, 2, given);
    assert_value(&r, DQ_AGREE_NOMINAL, 0.095, 0.0005);
    r = of_texts(TEXTS("aabbdcccedda", "babbbccceddd"), 2, 5, given);
    assert_value(&r, DQ_AGREE_NOMINAL, 0.692, 0.0005);
    r = of_texts(TEXTS("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 4, 5, given);
    assert_value(&r, DQ_AGREE_NOMINAL, 0.743, 0.0005);
    assert_value(&r, DQ_AGREE_ORDINAL, 0.815, 0.0005);
    assert_value(&r, DQ_AGREE_INTERVAL, 0.849, 0.0005);
    r = of_texts(TEXTS(".....34121133.3", "1.213343.......", "..21344.21133.4"), 3, 4, given);
    assert_value(&r, DQ_AGREE_NOMINAL, 0.691, 0.0005);
    assert_value(&r, DQ_AGREE_INTERVAL, 0.811, 0.0005);
}

/* Two radiologists and 85 mammograms (Stata Base Reference Manual, "kappa"). */
static size_t films(uint32_t *given)
{
    static const uint32_t table[4][4] = {{21, 12, 0, 0}, {4, 17, 1, 0}, {3, 9, 15, 2}, {0, 0, 0, 1}};
    size_t n = 0;
    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t j = 0; j < 4; j++)
            for (uint32_t k = 0; k < table[i][j]; k++, n++) {
                given[2 * n] = i;
                given[2 * n + 1] = j;
            }
    return n;
}

static void kappa_of_published_tables(void **state)
{
    (void)state;
    uint32_t given[200];
    dq_ratings r = {
        .raters = 2, .labels = 4, .pairs = films(given), .given = given, .place = steps, .value = values};
    assert_value(&r, DQ_AGREE_SHARE, 54.0 / 85, 1e-12);
    assert_value(&r, DQ_AGREE_KAPPA, 0.4728, 0.00005);
    assert_value(&r, DQ_AGREE_LINEAR, 0.5684, 0.00005);
    uint64_t table[16];
    dq_agreement_confusion(&r, 0, 1, table);
    assert_int_equal(table[0 * 4 + 1], 12);
    assert_int_equal(table[1 * 4 + 0], 4);
    assert_int_equal(table[3 * 4 + 2], 0);
}

/* Quadratic kappa is 2 cov / (var + var + (difference of means)^2), Lin's concordance, with n in all three
 * (Fleiss and Cohen 1973). With two places every weighting is Cohen's. */
static void identities(void **state)
{
    (void)state;
    uint32_t given[200];
    size_t n = films(given);
    double a = 0, b = 0, aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++) {
        a += given[2 * i];
        b += given[2 * i + 1];
    }
    a /= (double)n;
    b /= (double)n;
    for (size_t i = 0; i < n; i++) {
        double x = given[2 * i] - a, y = given[2 * i + 1] - b;
        aa += x * x / (double)n;
        bb += y * y / (double)n;
        ab += x * y / (double)n;
    }
    dq_ratings r = {.raters = 2, .labels = 4, .pairs = n, .given = given, .place = steps, .value = values};
    assert_value(&r, DQ_AGREE_QUADRATIC, 2 * ab / (aa + bb + (a - b) * (a - b)), 1e-12);
    const uint32_t two[] = {0, 0, 1, 1};
    const double halves[] = {0, 0, 5, 5};
    r.place = two;
    r.value = halves;
    for (size_t i = 0; i < 2 * n; i++) given[i] /= 2; /* labels 0 and 1, of places 0 and 0: one label */
    assert_value(&r, DQ_AGREE_LINEAR, NAN, 0);
    for (size_t i = 0; i < 2 * n; i++) given[i] *= 2; /* labels 0 and 2 */
    dq_agreement found = find(&r, 2, 1);
    double kappa = row_of(&found, DQ_AGREE_KAPPA)->value;
    dq_agreement_free(&found);
    assert_value(&r, DQ_AGREE_LINEAR, kappa, 1e-12);
    assert_value(&r, DQ_AGREE_QUADRATIC, kappa, 1e-12);
    double alpha_nominal = 0;
    found = find(&r, 2, 1);
    alpha_nominal = row_of(&found, DQ_AGREE_NOMINAL)->value;
    dq_agreement_free(&found);
    assert_value(&r, DQ_AGREE_ORDINAL, alpha_nominal, 1e-12);
    assert_value(&r, DQ_AGREE_INTERVAL, alpha_nominal, 1e-12);
}

static void ends_of_the_range(void **state)
{
    (void)state;
    uint32_t given[64];
    dq_ratings r = of_texts(TEXTS("123123.", "123123.", "123123."), 3, 3, given);
    for (dq_agreement_measure m = DQ_AGREE_SHARE; m <= DQ_AGREE_INTERVAL; m++) assert_value(&r, m, 1, 1e-12);
    r = of_texts(TEXTS("1212", "2121"), 2, 2, given);
    assert_value(&r, DQ_AGREE_KAPPA, -1, 1e-12);
    assert_value(&r, DQ_AGREE_FLEISS, -1, 1e-12);
    r = of_texts(TEXTS("111", "111"), 2, 2, given); /* chance agrees in everything */
    assert_value(&r, DQ_AGREE_SHARE, 1, 0);
    for (dq_agreement_measure m = DQ_AGREE_KAPPA; m <= DQ_AGREE_INTERVAL; m++) assert_value(&r, m, NAN, 0);
    r = of_texts(TEXTS("12..", "..12"), 2, 2, given); /* nothing in common */
    for (dq_agreement_measure m = DQ_AGREE_SHARE; m <= DQ_AGREE_INTERVAL; m++) assert_value(&r, m, NAN, 0);
    dq_agreement a;
    dq_rng rng = dq_rng_new(1);
    r.raters = 1;
    assert_int_equal(dq_agreement_find(&r, 100, 0.95, &rng, &a, NULL), DQ_ERR_RANGE);
}

static void rows_are_of_every_two_and_of_all(void **state)
{
    (void)state;
    uint32_t given[64];
    dq_ratings r = of_texts(TEXTS("1212.", "1221.", "11.21"), 3, 2, given);
    dq_agreement a = find(&r, 100, 1);
    assert_int_equal(a.count, 3 * 4 + 4);
    assert_int_equal(a.rows[4].second, 2);
    assert_int_equal(a.rows[0].pairs, 4);
    assert_int_equal(a.rows[4].pairs, 3);
    assert_int_equal(row_of(&a, DQ_AGREE_FLEISS)->pairs, 3);
    assert_int_equal(row_of(&a, DQ_AGREE_NOMINAL)->pairs, 4);
    dq_agreement_free(&a);
    r.place = NULL; /* labels without an order */
    a = find(&r, 100, 1);
    assert_int_equal(a.count, 3 * 2 + 2);
    dq_agreement_free(&a);
}

/* Two raters who agree by chance or, with probability 0.6, always: kappa is 0.6 in the long run. A 95 %
 * interval holds it in 93 to 97 of 100 of 2000 simulations. */
static void intervals_cover(void **state)
{
    (void)state;
    enum { RUNS = 2000, PAIRS = 200 };
    uint32_t given[2 * PAIRS];
    dq_rng rng = dq_rng_new(7);
    int kappas = 0, alphas = 0;
    for (int run = 0; run < RUNS; run++) {
        for (size_t i = 0; i < PAIRS; i++) {
            given[2 * i] = (uint32_t)dq_rng_below(&rng, 3);
            given[2 * i + 1] = dq_rng_uniform(&rng) < 0.6 ? given[2 * i] : (uint32_t)dq_rng_below(&rng, 3);
        }
        dq_ratings r = {.raters = 2, .labels = 3, .pairs = PAIRS, .given = given};
        dq_agreement a = find(&r, 300, (uint64_t)run);
        const dq_interval *k = &row_of(&a, DQ_AGREE_KAPPA)->interval,
                          *n = &row_of(&a, DQ_AGREE_NOMINAL)->interval;
        kappas += k->low <= 0.6 && 0.6 <= k->high;
        alphas += n->low <= 0.6 && 0.6 <= n->high;
        dq_agreement_free(&a);
    }
    assert_in_range(kappas, RUNS * 93 / 100, RUNS * 97 / 100);
    assert_in_range(alphas, RUNS * 93 / 100, RUNS * 97 / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fleiss_of_published_tables),
        cmocka_unit_test(alpha_of_published_examples),
        cmocka_unit_test(kappa_of_published_tables),
        cmocka_unit_test(identities),
        cmocka_unit_test(ends_of_the_range),
        cmocka_unit_test(rows_are_of_every_two_and_of_all),
        cmocka_unit_test(intervals_cover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
