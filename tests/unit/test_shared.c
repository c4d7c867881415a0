/* SPDX-License-Identifier: MIT
 *
 * Libraries that are loaded when they are first needed: found, absent, and without a function.
 */
#include "core/load/shared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static double (*cosine)(double);
static double (*nothing)(double) = NULL;

static void a_function_is_called_by_its_pointer(void **state)
{
    (void)state;
    static const dq_shared_symbol symbols[] = {
        {"cos", &cosine, false}, {"dq_no_such", &nothing, true}, {NULL, NULL, false}};
    static dq_shared library = {.soname = "libm.so.6", .symbols = symbols};
    dq_error e = DQ_ERROR_NONE;
    nothing = cosine;
    assert_int_equal(dq_shared_load(&library, &e), DQ_OK);
    assert_true(cosine(0) == 1);
    assert_null(nothing);
    cosine = NULL; /* the second call finds it loaded, and writes nothing */
    assert_int_equal(dq_shared_load(&library, &e), DQ_OK);
    assert_null(cosine);
}

static void what_is_absent_is_named(void **state)
{
    (void)state;
    static const dq_shared_symbol none[] = {{NULL, NULL, false}},
                                  lacking[] = {{"cos", &cosine, false}, {"dq_no_such", &nothing, false}, {0}};
    static dq_shared library = {.soname = "libdq-absent.so.9", .package = "libdq-absent9", .symbols = none},
                     without = {.soname = "libm.so.6", .symbols = lacking};
    for (int again = 0; again < 2; again++) {
        dq_error e = DQ_ERROR_NONE;
        assert_int_equal(dq_shared_load(&library, &e), DQ_ERR_UNSUPPORTED);
        assert_non_null(strstr(e.reason, "libdq-absent.so.9"));
        assert_non_null(strstr(e.reason, "; Debian's package is libdq-absent9"));
        e = DQ_ERROR_NONE;
        assert_int_equal(dq_shared_load(&without, &e), DQ_ERR_UNSUPPORTED);
        assert_non_null(strstr(e.reason, "dq_no_such"));
        assert_null(strstr(e.reason, "package"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_is_called_by_its_pointer),
        cmocka_unit_test(what_is_absent_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
