/* SPDX-License-Identifier: MIT */
#include "dq/bundle.h"
#include "embed/hashing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 512 };

static void vector_of(const char *text, float *out)
{
    dq_hashing *f;
    assert_int_equal(dq_hashing_new(&f, WIDTH, DQ_TERM_SQRT, NULL), DQ_OK);
    assert_int_equal(dq_hashing_text(f, text, strlen(text), out, NULL), DQ_OK);
    dq_hashing_free(f);
}

static double similarity(const char *a, const char *b)
{
    float x[WIDTH], y[WIDTH];
    double sum = 0;
    vector_of(a, x);
    vector_of(b, y);
    for (size_t i = 0; i < WIDTH; i++) sum += (double)x[i] * (double)y[i];
    return sum;
}

static void a_vector_has_length_one_or_is_zero(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"engineer", "a", "C++, C#", "\xc3\x84rztin f\xc3\xbcr Kinder",
                                        "\xff\xfe ok"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_true(fabs(similarity(texts[i], texts[i]) - 1) < 1e-6);
    assert_true(similarity("", "") == 0);
    assert_true(similarity(" .,;!\xe2\x80\xa6 \xc2\xa0", "word") == 0);
}

static void case_order_and_signs_between_words_do_not_matter(void **unused)
{
    (void)unused;
    assert_true(fabs(similarity("Senior Engineer", "engineer, SENIOR.") - 1) < 1e-6);
    assert_true(fabs(similarity("\xc3\x84RZTIN", "\xc3\xa4rztin") - 1) < 1e-6);       /* Latin-1 */
    assert_true(fabs(similarity("\xd0\x98\xd0\x9d", "\xd0\xb8\xd0\xbd") - 1) < 1e-6); /* Cyrillic */
    assert_true(fabs(similarity("\xc5\xa0koda", "\xc5\xa1KODA") - 1) < 1e-6);         /* Latin Extended-A */
    assert_true(fabs(similarity("\xce\xa9\xce\x91", "\xcf\x89\xce\xb1") - 1) < 1e-6); /* Greek */
}

static void alike_words_are_nearer_than_others(void **unused)
{
    (void)unused;
    double same_stem = similarity("engineering", "engineer"), other = similarity("engineering", "nursery");
    assert_true(same_stem > 0.4 && fabs(other) < 0.2);
    assert_true(similarity("C++", "C#") < 0.5);
}

/* Weinberger's claim: the inner product is unbiased. Texts without a common feature average to 0. */
static void collisions_cancel_in_the_mean(void **unused)
{
    (void)unused;
    double sum = 0, squares = 0;
    enum { N = 400 };
    for (int i = 0; i < N; i++) {
        char a[32], b[32];
        (void)snprintf(a, sizeof a, "a%dq", 7919 * i + 13);
        (void)snprintf(b, sizeof b, "Z%dX", 104729 * i + 11);
        double s = similarity(a, b);
        sum += s;
        squares += s * s;
    }
    double mean = sum / N, error = sqrt(squares / N / N);
    assert_true(fabs(mean) < 5 * error + 0.02);
}

static void more_of_a_word_weighs_more_but_less_than_in_proportion(void **unused)
{
    (void)unused;
    float one[WIDTH], both[WIDTH];
    dq_hashing *log_weight;
    vector_of("alpha beta", one);
    vector_of("alpha alpha alpha alpha beta", both);
    double once = similarity("alpha", "alpha beta"),
           often = similarity("alpha", "alpha alpha alpha alpha beta");
    assert_true(often > once && often < 1);
    assert_int_equal(dq_hashing_new(&log_weight, WIDTH, DQ_TERM_LOG, NULL), DQ_OK);
    assert_int_equal(dq_hashing_text(log_weight, "alpha alpha alpha alpha beta", 28, one, NULL), DQ_OK);
    assert_memory_not_equal(one, both, sizeof one);
    dq_hashing_free(log_weight);
}

static void one_memory_serves_texts_of_all_lengths(void **unused)
{
    (void)unused;
    static char huge[200000];
    float first[WIDTH], again[WIDTH], out[WIDTH];
    dq_hashing *f;
    memset(huge, 'x', sizeof huge);
    assert_int_equal(dq_hashing_new(&f, WIDTH, DQ_TERM_SQRT, NULL), DQ_OK);
    assert_int_equal(dq_hashing_text(f, "short", 5, first, NULL), DQ_OK);
    assert_int_equal(dq_hashing_text(f, huge, sizeof huge, out, NULL), DQ_OK);
    assert_int_equal(dq_hashing_text(f, "short", 5, again, NULL), DQ_OK);
    assert_memory_equal(first, again, sizeof first);
    dq_hashing_free(f);
    assert_int_equal(dq_hashing_new(&f, 0, DQ_TERM_SQRT, NULL), DQ_ERR_RANGE);
}

/* Rows of every kind of column, chosen in another order. */
static void rows_are_selected_and_columns_borrowed(void **unused)
{
    (void)unused;
    static const uint32_t offsets[] = {0, 1, 3, 3}, user[] = {7, 8, 9}, rows[] = {2, 0};
    static const uint8_t nulls[] = {0, 0, 1};
    static const float vectors[] = {1, 2, 3, 4, 5, 6};
    static const uint64_t shape[] = {3, 2};
    static const char *const without[] = {"id", NULL};
    dq_bundle from, to, borrowed;
    size_t n;
    assert_int_equal(dq_bundle_init(&from, "transitions", 3, NULL), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&from, "id", DQ_TEXT, offsets, "abb", nulls, NULL), DQ_OK);
    assert_int_equal(dq_bundle_add_numbers(&from, "user", DQ_U4, user, "users", NULL, NULL), DQ_OK);
    assert_int_equal(dq_bundle_add_tensor(&from, "vector", DQ_F4, 2, shape, vectors, NULL), DQ_OK);
    assert_int_equal(dq_bundle_select(&to, &from, rows, 2, NULL), DQ_OK);
    assert_int_equal(to.rows, 2);
    assert_null(dq_column_text(dq_bundle_column(&to, "id"), 0, &n));
    assert_memory_equal(dq_column_text(dq_bundle_column(&to, "id"), 1, &n), "a", 1);
    assert_true(dq_column_number(dq_bundle_column(&to, "user"), 0) == 9);
    assert_string_equal(dq_bundle_column(&to, "user")->ref, "users");
    assert_true(dq_column_number(dq_bundle_column(&to, "vector"), 1) == 6);
    assert_int_equal(dq_bundle_borrow(&borrowed, &to, without, NULL), DQ_OK);
    assert_int_equal(borrowed.column_count, 2);
    assert_null(dq_bundle_column(&borrowed, "id"));
    dq_bundle_free(&borrowed);
    dq_bundle_free(&to);
    dq_bundle_free(&from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vector_has_length_one_or_is_zero),
        cmocka_unit_test(case_order_and_signs_between_words_do_not_matter),
        cmocka_unit_test(alike_words_are_nearer_than_others),
        cmocka_unit_test(collisions_cancel_in_the_mean),
        cmocka_unit_test(more_of_a_word_weighs_more_but_less_than_in_proportion),
        cmocka_unit_test(one_memory_serves_texts_of_all_lengths),
        cmocka_unit_test(rows_are_selected_and_columns_borrowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
