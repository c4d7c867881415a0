/* SPDX-License-Identifier: MIT
 *
 * Runs the fuzz body over its saved corpus, without libFuzzer: a crash, or a report of a sanitizer, fails.
 */
#include "../fuzz/fuzz_reader.c"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void replay(const char *path)
{
    enum { MOST = 1 << 20 };
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(MOST);
    assert_true(f && data);
    size_t n = fread(data, 1, MOST, f);
    (void)fclose(f);
    uint8_t *exact = malloc(n + !n); /* so that a read beyond the end is seen */
    assert_non_null(exact);
    memcpy(exact, data, n);
    assert_int_equal(LLVMFuzzerTestOneInput(exact, n), 0);
    free(exact);
    free(data);
}

static void corpus(void **state)
{
    (void)state;
    char folder[4096] = __FILE__, path[8192];
    char *last = strstr(folder, "unit/");
    assert_non_null(last);
    (void)snprintf(last, sizeof folder - (size_t)(last - folder), "fuzz/corpus");
    DIR *d = opendir(folder);
    if (!d) {
        print_message("%s is not here: run this from the root of the source\n", folder);
        skip();
    }
    size_t count = 0;
    for (struct dirent *f = readdir(d); f; f = readdir(d)) {
        if (f->d_name[0] == '.') continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, f->d_name);
        replay(path);
        count++;
    }
    (void)closedir(d);
    assert_true(count > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(corpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
