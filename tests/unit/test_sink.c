/* SPDX-License-Identifier: MIT
 *
 * The byte sink: a file appears complete or not at all, keeps its mode, and errors count wherever they show.
 */
#include "dq/sink.h"
#include "dq/source.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/dq-sink-XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(path, sizeof path, "%s/out", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static size_t files_in_folder(void)
{
    DIR *d = opendir(folder);
    size_t n = 0;
    assert_non_null(d);
    for (struct dirent *f = readdir(d); f; f = readdir(d)) n += f->d_name[0] != '.';
    (void)closedir(d);
    return n;
}

static void holds(const char *expected)
{
    char got[4096];
    size_t n;
    dq_error e = DQ_ERROR_NONE;
    dq_source *s;
    assert_int_equal(dq_source_open(&s, path, &e), DQ_OK);
    assert_int_equal(dq_source_read_full(s, got, sizeof got, &n, &e), DQ_OK);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(got, expected, n);
    dq_source_close(s);
}

static void appears_when_complete(void **state)
{
    (void)state;
    for (int form = DQ_SINK_TEXT; form <= DQ_SINK_ZSTD; form++) {
        dq_error e = DQ_ERROR_NONE;
        dq_sink *s;
        (void)unlink(path);
        assert_int_equal(dq_sink_open(&s, path, (dq_sink_form)form, &e), DQ_OK);
        assert_int_equal(dq_sink_printf(s, &e, "%s %d\n", "number", 7), DQ_OK);
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(dq_sink_close(s, &e), DQ_OK);
        assert_int_equal(files_in_folder(), 1);
        holds("number 7\n");
    }
}

static void abort_leaves_the_old_file(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_sink *s;
    assert_int_equal(dq_sink_open(&s, path, DQ_SINK_TEXT, &e), DQ_OK);
    assert_int_equal(dq_sink_write(s, "old", 3, &e), DQ_OK);
    assert_int_equal(dq_sink_close(s, &e), DQ_OK);
    assert_int_equal(dq_sink_open(&s, path, DQ_SINK_TEXT, &e), DQ_OK);
    assert_int_equal(dq_sink_write(s, "new", 3, &e), DQ_OK);
    assert_int_equal(dq_sink_flush(s, &e), DQ_OK);
    dq_sink_abort(s);
    assert_int_equal(files_in_folder(), 1);
    holds("old");
}

static void keeps_mode_and_links(void **state)
{
    (void)state;
    char link[80];
    struct stat st;
    dq_error e = DQ_ERROR_NONE;
    dq_sink *s;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0640), 0);
    (void)snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(symlink("out", link), 0);
    assert_int_equal(dq_sink_open(&s, link, DQ_SINK_TEXT, &e), DQ_OK);
    assert_int_equal(dq_sink_write(s, "through a link", 14, &e), DQ_OK);
    assert_int_equal(dq_sink_close(s, &e), DQ_OK);
    holds("through a link");
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(unlink(link), 0);
}

/* Links in a row, the last of which names a file that is not there, by a relative path. */
static void keeps_links_that_lead_nowhere(void **state)
{
    (void)state;
    char first[80], second[80];
    struct stat st;
    dq_error e = DQ_ERROR_NONE;
    dq_sink *s;
    (void)unlink(path);
    (void)snprintf(first, sizeof first, "%s/first", folder);
    (void)snprintf(second, sizeof second, "%s/second", folder);
    assert_int_equal(symlink(second, first), 0);
    assert_int_equal(symlink("./out", second), 0);
    assert_int_equal(dq_sink_open(&s, first, DQ_SINK_TEXT, &e), DQ_OK);
    assert_int_equal(dq_sink_write(s, "made", 4, &e), DQ_OK);
    assert_int_equal(dq_sink_close(s, &e), DQ_OK);
    holds("made");
    assert_int_equal(lstat(first, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(lstat(second, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(unlink(second), 0);
    assert_int_equal(symlink("first", second), 0); /* a circle */
    assert_int_equal(dq_sink_open(&s, first, DQ_SINK_TEXT, &e), DQ_ERR_IO);
    assert_string_equal(e.reason, "cannot create: Too many levels of symbolic links");
    assert_int_equal(unlink(second), 0);
    assert_int_equal(symlink("no/such", second), 0);
    assert_int_equal(dq_sink_open(&s, first, DQ_SINK_TEXT, &e), DQ_ERR_IO);
    assert_string_equal(e.reason, "cannot create: No such file or directory");
    assert_int_equal(lstat(second, &st), 0);
    assert_int_equal(unlink(first), 0);
    assert_int_equal(unlink(second), 0);
}

static void full_disk(void **state)
{
    (void)state;
    for (int form = DQ_SINK_TEXT; form <= DQ_SINK_ZSTD; form++) {
        dq_error e = DQ_ERROR_NONE;
        dq_sink *s;
        assert_int_equal(dq_sink_open(&s, "/dev/full", (dq_sink_form)form, &e), DQ_OK);
        assert_int_equal(dq_sink_write(s, "small: shows at close", 21, &e), DQ_OK);
        assert_int_equal(dq_sink_close(s, &e), DQ_ERR_IO);
        assert_string_equal(e.source, "/dev/full");
        assert_string_equal(e.reason, "cannot write: No space left on device");
    }
}

/* After a failed write nothing goes out any more, and every later call fails: no output with a hole. */
static void stays_broken(void **state)
{
    (void)state;
    static const char large[600000];
    dq_error e = DQ_ERROR_NONE;
    dq_sink *s;
    assert_int_equal(dq_sink_open(&s, "/dev/full", DQ_SINK_TEXT, &e), DQ_OK);
    assert_int_equal(dq_sink_write(s, large, sizeof large, &e), DQ_ERR_IO);
    assert_int_equal(dq_sink_flush(s, &e), DQ_ERR_IO);
    e = DQ_ERROR_NONE;
    assert_int_equal(dq_sink_close(s, &e), DQ_ERR_IO);
    assert_string_equal(e.reason, "cannot write: No space left on device");
}

static void large_writes(void **state)
{
    (void)state;
    enum { LARGE = 5 << 20 };
    unsigned char *data = malloc(LARGE), *back = malloc(LARGE + 1);
    assert_true(data && back);
    for (size_t i = 0; i < LARGE; i++) data[i] = (unsigned char)(i * 2654435761U >> 13);
    for (int form = DQ_SINK_TEXT; form <= DQ_SINK_ZSTD; form++) {
        dq_error e = DQ_ERROR_NONE;
        dq_sink *sink;
        dq_source *source;
        size_t n;
        assert_int_equal(dq_sink_open(&sink, path, (dq_sink_form)form, &e), DQ_OK);
        for (size_t at = 0, piece = 1; at < LARGE; at += piece, piece = piece * 3 % 1000003) {
            if (piece > LARGE - at) piece = LARGE - at;
            assert_int_equal(dq_sink_write(sink, data + at, piece, &e), DQ_OK);
            if (piece % 7 == 0) assert_int_equal(dq_sink_flush(sink, &e), DQ_OK);
        }
        assert_int_equal(dq_sink_close(sink, &e), DQ_OK);
        assert_int_equal(dq_source_open(&source, path, &e), DQ_OK);
        assert_int_equal(dq_source_read_full(source, back, LARGE + 1, &n, &e), DQ_OK);
        assert_int_equal(n, LARGE);
        assert_memory_equal(back, data, LARGE);
        dq_source_close(source);
    }
    free(data);
    free(back);
}

/* What was flushed can be read before the sink is closed. */
static void flush_shows(void **state)
{
    (void)state;
    int ends[2];
    char to[32], from[32], got[8];
    size_t n;
    dq_error e = DQ_ERROR_NONE;
    dq_sink *sink;
    dq_source *source;
    assert_int_equal(pipe(ends), 0);
    (void)snprintf(from, sizeof from, "/proc/self/fd/%d", ends[0]);
    (void)snprintf(to, sizeof to, "/proc/self/fd/%d", ends[1]);
    assert_int_equal(dq_source_open(&source, from, &e), DQ_OK);
    assert_int_equal(dq_sink_open(&sink, to, DQ_SINK_ZSTD, &e), DQ_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(dq_sink_write(sink, "letter", 6, &e), DQ_OK);
        assert_int_equal(dq_sink_flush(sink, &e), DQ_OK);
        assert_int_equal(dq_source_read_full(source, got, 6, &n, &e), DQ_OK);
        assert_memory_equal(got, "letter", 6);
    }
    assert_int_equal(dq_sink_close(sink, &e), DQ_OK);
    (void)close(ends[1]);
    assert_int_equal(dq_source_read_full(source, got, 1, &n, &e), DQ_OK);
    assert_int_equal(n, 0);
    dq_source_close(source);
    (void)close(ends[0]);
}

static void no_such_folder(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_sink *s;
    assert_int_equal(dq_sink_open(&s, "/nowhere/out", DQ_SINK_TEXT, &e), DQ_ERR_IO);
    assert_null(s);
    assert_string_equal(e.source, "/nowhere/out");
    assert_int_equal(dq_sink_open(&s, folder, DQ_SINK_TEXT, &e), DQ_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appears_when_complete),
        cmocka_unit_test(abort_leaves_the_old_file),
        cmocka_unit_test(keeps_mode_and_links),
        cmocka_unit_test(keeps_links_that_lead_nowhere),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(stays_broken),
        cmocka_unit_test(large_writes),
        cmocka_unit_test(flush_shows),
        cmocka_unit_test(no_such_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
