/* SPDX-License-Identifier: MIT
 *
 * faiss behind port/ann: components keep what they are components of, bytes do not depend on threads, and
 * bytes that no index was written as are refused.
 */
#include "distil_world.h"

#include <math.h>

enum { ROWS = 400, WIDTH = 6, RANK = 4, LISTS = 5, BYTES = 1 << 16 };

static float x[ROWS][WIDTH], v[ROWS][WIDTH];

typedef struct tape {
    unsigned char bytes[BYTES];
    size_t count, at;
} tape;

static tape written;

static int put(void *arg, const void *bytes, size_t n)
{
    assert_true(n > 0); /* of an empty part, whose place is NULL, nothing is handed on */
    tape *t = arg;
    assert_true(t->count + n <= BYTES);
    memcpy(t->bytes + t->count, bytes, n);
    t->count += n;
    return 0;
}

static size_t get(void *arg, void *to, size_t n)
{
    tape *t = arg;
    size_t some = n < t->count - t->at ? n : t->count - t->at;
    memcpy(to, t->bytes + t->at, some);
    t->at += some;
    return some;
}

static int refuse(void *arg, const void *bytes, size_t n)
{
    (void)arg;
    (void)bytes;
    (void)n;
    return 1;
}

/* An index of x, of so many components. */
static dq_ann *make(size_t rank, unsigned threads)
{
    dq_ann *ann;
    dq_error e = DQ_ERROR_NONE;
    dq_rng rng = dq_rng_new(5);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < WIDTH; k++) x[i][k] = (float)((double)(k + 1) * dq_rng_normal(&rng)) + 3;
    if (dq_ann_new(&ann, threads, &e) || dq_ann_train(ann, x[0], ROWS, WIDTH, rank, LISTS, &e) ||
        dq_ann_project(ann, x[0], ROWS, v[0], &e) || dq_ann_add(ann, v[0], ROWS, &e))
        fail_msg("%s", e.reason);
    return ann;
}

static void write_down(size_t rank, unsigned threads)
{
    dq_error e = DQ_ERROR_NONE;
    dq_ann *ann = make(rank, threads);
    written.count = 0;
    if (dq_ann_write(ann, put, &written, &e)) fail_msg("%s", e.reason);
    dq_ann_free(ann);
}

static dq_status read_back(tape *t, dq_ann **ann, dq_error *e)
{
    t->at = 0;
    assert_int_equal(dq_ann_new(ann, 1, e), DQ_OK);
    return dq_ann_read(*ann, get, t, e);
}

static double product(const float *a, const float *b, const double *mean)
{
    double sum = 0;
    for (size_t k = 0; k < WIDTH; k++) sum += ((double)a[k] - mean[k]) * ((double)b[k] - mean[k]);
    return sum;
}

/* All components are the vectors turned: products of what differs from the mean stay. */
static void all_components_keep_products(void **state)
{
    (void)state;
    need_faiss();
    double mean[WIDTH] = {0}, none[WIDTH] = {0};
    dq_ann *ann = make(WIDTH, 1);
    assert_int_equal(dq_ann_rank(ann), WIDTH);
    assert_int_equal(dq_ann_lists(ann), LISTS);
    assert_int_equal(dq_ann_count(ann), ROWS);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < WIDTH; k++) mean[k] += (double)x[i][k] / ROWS;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j <= i; j++)
            assert_true(fabs(product(x[i], x[j], mean) - product(v[i], v[j], none)) < 1e-3);
    dq_ann_free(ann);
}

static void bytes_do_not_depend_on_threads(void **state)
{
    (void)state;
    need_faiss();
    static tape one;
    write_down(RANK, 1);
    one = written;
    for (unsigned threads = 2; threads < 5; threads++) {
        write_down(RANK, threads);
        assert_int_equal(written.count, one.count);
        assert_memory_equal(written.bytes, one.bytes, one.count);
    }
}

/* Of all lists a search finds the vector with the greatest product, or one that 8 bits cannot tell from it.
 */
static void a_search_finds_the_greatest_product(void **state)
{
    (void)state;
    need_faiss();
    dq_ann *ann;
    dq_error e = DQ_ERROR_NONE;
    int64_t found[ROWS + 1];
    write_down(WIDTH, 1);
    if (read_back(&written, &ann, &e)) fail_msg("%s", e.reason);
    assert_int_equal(dq_ann_count(ann), ROWS);
    for (size_t q = 0; q < ROWS; q += 7) {
        const double none[WIDTH] = {0};
        double best = -INFINITY, reach = 0;
        bool met[ROWS] = {false};
        assert_int_equal(dq_ann_search(ann, v[q], 1, ROWS + 1, LISTS, found, &e), DQ_OK);
        for (size_t i = 0; i < ROWS; i++) best = fmax(best, product(v[q], v[i], none));
        for (size_t k = 0; k < WIDTH; k++) reach += fabs((double)v[q][k]);
        assert_true(product(v[q], v[found[0]], none) >= best - 0.5 * reach); /* ranges are 40 wide */
        for (size_t i = 0; i < ROWS; i++) {
            assert_in_range(found[i], 0, ROWS - 1);
            assert_false(met[found[i]]);
            met[found[i]] = true;
        }
        assert_int_equal(found[ROWS], -1);
    }
    dq_ann_free(ann);
}

static void expect_refusal(tape *t, const char *words)
{
    dq_ann *ann;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(read_back(t, &ann, &e), DQ_ERR_FORMAT);
    assert_non_null(strstr(e.reason, words));
    dq_ann_free(ann);
}

static unsigned char *mark_in(tape *t, const char *mark)
{
    for (size_t i = 0; i + 4 <= t->count; i++)
        if (memcmp(t->bytes + i, mark, 4) == 0) return t->bytes + i;
    fail_msg("no mark %s", mark);
    return NULL;
}

static void bytes_of_other_kinds_are_refused(void **state)
{
    (void)state;
    need_faiss();
    static const char *const kinds[][2] = {
        {"IwSq", "IwFl"}, {"IwSq", "IxMp"}, {"IxFI", "IHNf"}, {"ilar", "ilod"}};
    static tape other;
    write_down(RANK, 1);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        other = written;
        memcpy(mark_in(&other, kinds[i][0]), kinds[i][1], 4);
        expect_refusal(&other, "another kind");
    }
}

static void bytes_that_end_early_are_refused(void **state)
{
    (void)state;
    need_faiss();
    static tape half;
    write_down(RANK, 1);
    for (size_t n = 0; n < written.count; n += n < 600 ? 1 : 97) {
        half = written;
        half.count = n;
        expect_refusal(&half, "faiss: ");
    }
}

/* The last bytes are the number of the last vector of the last list. */
static void numbers_that_are_not_each_once_are_refused(void **state)
{
    (void)state;
    need_faiss();
    static tape other;
    int64_t last, wrong;
    write_down(RANK, 1);
    memcpy(&last, written.bytes + written.count - sizeof last, sizeof last);
    assert_in_range(last, 0, ROWS - 1);
    const int64_t wrongs[] = {-1, ROWS, INT64_MAX, last ? last - 1 : last + 1};
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        other = written;
        wrong = wrongs[i];
        memcpy(other.bytes + other.count - sizeof wrong, &wrong, sizeof wrong);
        expect_refusal(&other, "each vector once");
    }
}

/* How many vectors there are stands behind the mark and the width, and again in the lists. */
static void a_count_that_is_not_that_of_the_lists_is_refused(void **state)
{
    (void)state;
    need_faiss();
    static tape other;
    const int64_t wrongs[] = {-1, 0, ROWS - 1, ROWS + 1, INT64_MAX};
    int64_t count;
    write_down(RANK, 1);
    memcpy(&count, written.bytes + 8, sizeof count);
    assert_int_equal(count, ROWS);
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        other = written;
        memcpy(other.bytes + 8, &wrongs[i], sizeof *wrongs);
        expect_refusal(&other, "each vector once");
    }
}

static void a_writer_that_fails_is_asked_no_more(void **state)
{
    (void)state;
    need_faiss();
    dq_error e = DQ_ERROR_NONE;
    dq_ann *ann = make(RANK, 1);
    assert_int_equal(dq_ann_write(ann, refuse, NULL, &e), DQ_ERR_IO);
    dq_ann_free(ann);
}

/* More lists than vectors to learn from. */
static void what_faiss_cannot_learn_is_said(void **state)
{
    (void)state;
    need_faiss();
    dq_ann *ann;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_ann_new(&ann, 1, &e), DQ_OK);
    assert_int_equal(dq_ann_rank(ann), 0);
    assert_int_equal(dq_ann_train(ann, x[0], 3, WIDTH, 2, 9, &e), DQ_ERR_UNSUPPORTED);
    assert_non_null(strstr(e.reason, "faiss: "));
    dq_ann_free(ann);
}

static void without_faiss_one_line_says_so(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_status status = dq_ann_load("/nowhere", &e);
    if (!status) skip(); /* another test has loaded it */
    assert_int_equal(status, DQ_ERR_UNSUPPORTED);
    assert_non_null(strstr(e.reason, "an index needs faiss"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_faiss_one_line_says_so), /* the first: nothing unloads it */
        cmocka_unit_test(all_components_keep_products),
        cmocka_unit_test(bytes_do_not_depend_on_threads),
        cmocka_unit_test(a_search_finds_the_greatest_product),
        cmocka_unit_test(bytes_of_other_kinds_are_refused),
        cmocka_unit_test(bytes_that_end_early_are_refused),
        cmocka_unit_test(numbers_that_are_not_each_once_are_refused),
        cmocka_unit_test(a_count_that_is_not_that_of_the_lists_is_refused),
        cmocka_unit_test(a_writer_that_fails_is_asked_no_more),
        cmocka_unit_test(what_faiss_cannot_learn_is_said),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
