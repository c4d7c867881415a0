/* SPDX-License-Identifier: MIT
 *
 * The byte shuffle: its order, its inverse, when it pays, and vectors that go through a stream with it.
 */
#include "dq/stream.h"
#include "wire/bytes/shuffle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROWS = 64, WIDTH = 512, COUNT = ROWS * WIDTH };

static void order(void **state)
{
    (void)state;
    const unsigned char numbers[] = "a0a1a2a3b0b1b2b3c0c1c2c3";
    char to[25] = "";
    dq_shuffle(to, numbers, 24, 2);
    assert_string_equal(to, "aaaabbbbcccc012301230123");
    dq_shuffle(to, numbers, 24, 4);
    assert_string_equal(to, "aabbcc020202aabbcc131313");
    dq_shuffle(to, numbers, 24, 8);
    assert_string_equal(to, "abc000abc111abc222abc333");
}

static void inverse(void **state)
{
    (void)state;
    unsigned char from[8 * 67], there[8 * 67], back[8 * 67];
    for (size_t i = 0; i < sizeof from; i++) from[i] = (unsigned char)(i * 37 + i / 256);
    for (size_t size = 2; size <= 8; size *= 2)
        for (size_t count = 0; count <= 67; count++) {
            dq_shuffle(there, from, count * size, size);
            dq_unshuffle(back, there, count * size, size);
            assert_memory_equal(back, from, count * size);
            for (size_t i = 0; i < count * size; i++)
                assert_int_equal(there[i % size * count + i / size], from[i]);
        }
}

static float uniform(uint32_t *x)
{
    *x = *x * 1664525 + 1013904223;
    return (float)(*x >> 8) * 0x1p-24F;
}

/* Sums of small steps; numbers of any size; mostly zeros. */
static void fill(float *smooth, float *noise, float *sparse)
{
    uint32_t x = 7;
    float sum = 1;
    for (size_t i = 0; i < COUNT; i++) {
        smooth[i] = sum += 0.01F * (uniform(&x) - 0.5F);
        noise[i] = tanf(3 * (uniform(&x) - 0.5F));
        sparse[i] = uniform(&x) < 0.02F ? noise[i] : 0;
    }
}

static void pays(void **state)
{
    (void)state;
    static float smooth[COUNT], noise[COUNT], sparse[COUNT];
    static double wide[COUNT];
    static uint16_t half[COUNT];
    fill(smooth, noise, sparse);
    assert_true(dq_shuffle_pays(smooth, sizeof smooth, 4));
    assert_false(dq_shuffle_pays(noise, sizeof noise, 4));
    assert_false(dq_shuffle_pays(sparse, sizeof sparse, 4)); /* runs as it is */
    assert_false(dq_shuffle_pays(smooth, 60000, 4));
    for (size_t i = 0; i < COUNT; i++) half[i] = (uint16_t)(0x3f00 | (i * i % 251)); /* between 0.5 and 2 */
    assert_true(dq_shuffle_pays(half, sizeof half, 2));
    for (size_t i = 0; i < COUNT; i++) wide[i] = (double)smooth[i];
    assert_true(dq_shuffle_pays(wide, sizeof wide, 8)); /* three bytes of each are zeros */
}

static const dq_maker maker = {.program = "test", .version = "1", .seed = -1};

static void write_vectors(const char *path, const float *numbers, const dq_bundle *as_read)
{
    dq_error e = DQ_ERROR_NONE;
    dq_writer *w;
    dq_bundle b;
    assert_int_equal(dq_writer_open(&w, path, &maker, NULL, 0, &e), DQ_OK);
    if (as_read) {
        assert_int_equal(dq_writer_put(w, as_read, &e), DQ_OK);
    } else {
        assert_int_equal(dq_bundle_init(&b, "model", 0, &e), DQ_OK);
        assert_int_equal(dq_bundle_add_tensor(&b, "vector", DQ_F4, 2, (uint64_t[]){ROWS, WIDTH}, numbers, &e),
                         DQ_OK);
        assert_int_equal(dq_bundle_add_tensor(&b, "flat", DQ_F4, 1, (uint64_t[]){COUNT}, numbers, &e), DQ_OK);
        assert_int_equal(dq_writer_put(w, &b, &e), DQ_OK);
        dq_bundle_free(&b);
    }
    assert_int_equal(dq_writer_close(w, &e), DQ_OK);
}

static void read_vectors(const char *path, dq_bundle *b)
{
    dq_error e = DQ_ERROR_NONE;
    dq_reader *r;
    dq_bundle more;
    assert_int_equal(dq_reader_open(&r, &path, 1, &e), DQ_OK);
    assert_int_equal(dq_reader_next(r, b, &e), 1);
    assert_int_equal(dq_reader_next(r, &more, &e), 0);
    dq_reader_close(r);
}

static bool says_shuffle(const dq_bundle *b)
{
    return memmem(b->body, b->body_bytes, "\xa7shuffle\xc3", 9) != NULL;
}

/* What is read is what was written; a bundle that goes on as it came keeps its bytes, one that is made anew
 * of the same numbers has the same. */
static void through_a_stream(void **state)
{
    (void)state;
    static float smooth[COUNT], noise[COUNT], sparse[COUNT];
    char path[] = "/tmp/dq-shuffle-XXXXXX";
    fill(smooth, noise, sparse);
    int fd = mkstemp(path);
    assert_int_equal(close(fd), 0);
    const float *all[] = {smooth, noise, sparse};
    for (size_t i = 0; i < 3; i++) {
        dq_bundle first, again;
        write_vectors(path, all[i], NULL);
        read_vectors(path, &first);
        assert_int_equal(says_shuffle(&first), all[i] == smooth);
        const dq_column *c = dq_bundle_column(&first, "vector");
        assert_memory_equal(c->data, all[i], sizeof smooth);
        assert_int_equal((uintptr_t)c->data % 64, 0);
        assert_memory_equal(dq_bundle_column(&first, "flat")->data, all[i], sizeof smooth);
        write_vectors(path, NULL, &first);
        read_vectors(path, &again);
        assert_int_equal(again.body_hash, first.body_hash);
        assert_memory_equal(dq_bundle_column(&again, "vector")->data, all[i], sizeof smooth);
        dq_bundle_free(&first);
        dq_bundle_free(&again);
    }
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(order), cmocka_unit_test(inverse),
                                       cmocka_unit_test(pays), cmocka_unit_test(through_a_stream)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
