/* SPDX-License-Identifier: MIT
 *
 * A temporary file whose text a test decides. make_file and remove_file are a group's setup and teardown.
 */
#ifndef DQ_TESTS_UNIT_TEXT_FILE_H
#define DQ_TESTS_UNIT_TEXT_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/dq-test-XXXXXX";

static inline int make_file(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static inline int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static inline void write_text(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

#endif
