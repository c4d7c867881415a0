/* SPDX-License-Identifier: MIT
 *
 * Sums of IEEE halves: every form that this CPU has, and the one that every CPU has, to the bits of the sums
 * of their floats.
 */
#include "math/cosine.c" /* its forms are its own */

#include "math/pool.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ALL = 1 << 16, WIDE = 1024 };

static uint16_t halves[ALL];
static float floats[ALL], user[WIDE];

/* Every half, but 1 for what is no number. */
static void fill(void)
{
    for (size_t i = 0; i < ALL; i++) halves[i] = (i & 0x7c00U) == 0x7c00U ? 0x3c00U : (uint16_t)i;
    dq_convert_f4(floats, halves, DQ_F2, ALL);
    for (size_t i = 0; i < WIDE; i++) user[i] = (float)((i * 31 + 7) % 101) / 8 - 6;
}

static void forms_have_the_bits_of_floats(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 15, 16, 31, 32, 33, 63, 100, WIDE};
    dq_pool *pool = NULL;
    size_t ran = 0;
    fill();
    for (int flushed = 0; flushed < 2; flushed++) {
        if (flushed) assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
        for (size_t f = 0; f < sizeof f2_forms / sizeof *f2_forms; f++) {
            if (!f2_forms[f].has()) continue;
            ran++;
            for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
                for (size_t at = 0; at + widths[w] <= ALL; at += widths[w]) {
                    float got[2], wanted[2];
                    f2_forms[f].sums(user, halves + at, widths[w], 0, got);
                    two_sums(user, floats + at, widths[w], 0, wanted);
                    assert_memory_equal(got, wanted, sizeof got);
                }
        }
    }
    assert_true(ran >= 2);
    dq_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms_have_the_bits_of_floats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
