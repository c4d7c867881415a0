/* SPDX-License-Identifier: MIT
 *
 * The byte source: plain, zstd and gzip told by their first bytes, frames and members joined, damage and
 * truncation refused, lines of every kind.
 */
#include "dq/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

static int file; /* in memory */
static char path[64];

static int make_file(void **state)
{
    (void)state;
    file = memfd_create("source", 0);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return file < 0 ? -1 : 0;
}

static int remove_file(void **state)
{
    (void)state;
    return close(file);
}

static void put(const void *data, size_t n)
{
    assert_int_equal(ftruncate(file, 0), 0);
    assert_int_equal(pwrite(file, data, n, 0), n);
}

/* Reads all of the file in pieces of `piece` bytes. Returns the status; *n bytes are in to. */
static dq_status take(void *to, size_t room, size_t piece, size_t *n, dq_error *error)
{
    dq_source *s;
    *error = DQ_ERROR_NONE;
    dq_status status = dq_source_open(&s, path, error);
    size_t got = 1;
    *n = 0;
    while (!status && got && *n < room) {
        status = dq_source_read(s, (char *)to + *n, piece < room - *n ? piece : room - *n, &got, error);
        if (!status) *n += got;
    }
    dq_source_close(s);
    return status;
}

static size_t zstd(void *to, size_t room, const void *from, size_t n, int window_log)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    (void)ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    if (window_log) {
        (void)ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log);
        (void)ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
    }
    ZSTD_inBuffer in = {from, n, 0};
    ZSTD_outBuffer out = {to, room, 0};
    assert_int_equal(ZSTD_compressStream2(c, &out, &in, window_log ? ZSTD_e_flush : ZSTD_e_end), 0);
    if (window_log) assert_int_equal(ZSTD_compressStream2(c, &out, &in, ZSTD_e_end), 0);
    ZSTD_freeCCtx(c);
    return out.pos;
}

static size_t gzip(void *to, size_t room, const void *from, size_t n)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = from;
    z.avail_in = (uInt)n;
    z.next_out = to;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    (void)deflateEnd(&z);
    return room - z.avail_out;
}

static const char text[] = "one\ntwo\r\n\nfour, the last without a newline";

static void reads_what_is_there(const void *data, size_t n, size_t copies)
{
    char got[1024];
    size_t length;
    dq_error e;
    put(data, n);
    for (size_t piece = 1; piece < 64; piece += 7) {
        assert_int_equal(take(got, sizeof got, piece, &length, &e), DQ_OK);
        assert_int_equal(length, copies * strlen(text));
        for (size_t i = 0; i < copies; i++) assert_memory_equal(got + i * strlen(text), text, strlen(text));
    }
}

static void codings(void **state)
{
    (void)state;
    char packed[2048];
    reads_what_is_there(text, strlen(text), 1);
    size_t n = zstd(packed, sizeof packed, text, strlen(text), 0);
    reads_what_is_there(packed, n, 1);
    n += zstd(packed + n, sizeof packed - n, text, strlen(text), 0);
    reads_what_is_there(packed, n, 2);
    n = gzip(packed, sizeof packed, text, strlen(text));
    n += gzip(packed + n, sizeof packed - n, text, strlen(text));
    reads_what_is_there(packed, n, 2);
}

static void cut_anywhere(const unsigned char *packed, size_t n)
{
    char got[1024];
    size_t length;
    dq_error e;
    for (size_t cut = 1; cut < n; cut++) {
        put(packed, cut);
        assert_int_equal(take(got, sizeof got, 100, &length, &e), DQ_ERR_TRUNCATED);
        assert_string_equal(e.source, path);
    }
}

static void truncation(void **state)
{
    (void)state;
    unsigned char packed[2048];
    cut_anywhere(packed, zstd(packed, sizeof packed, text, strlen(text), 0));
    cut_anywhere(packed, gzip(packed, sizeof packed, text, strlen(text)));
}

/* A flip is either refused or harmless: what comes out is never wrong. */
static void flip_everywhere(unsigned char *packed, size_t n, size_t first)
{
    char got[4096];
    size_t length, refused = 0;
    dq_error e;
    for (size_t bit = 8 * first; bit < 8 * n; bit++) {
        packed[bit / 8] ^= (unsigned char)(1U << bit % 8);
        put(packed, n);
        if (take(got, sizeof got, sizeof got, &length, &e) == DQ_OK) {
            assert_int_equal(length, strlen(text));
            assert_memory_equal(got, text, length);
        } else {
            refused++;
        }
        packed[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    assert_true(refused > 4 * n);
}

static void damage(void **state)
{
    (void)state;
    unsigned char packed[2048];
    size_t n = zstd(packed, sizeof packed, text, strlen(text), 0);
    flip_everywhere(packed, n, 4); /* in the magic number a flip makes it a plain source */
    n = gzip(packed, sizeof packed, text, strlen(text));
    flip_everywhere(packed, n, 10); /* time stamp and system in a gzip header mean nothing to us */
}

static void garbage_behind(void **state)
{
    (void)state;
    unsigned char packed[2048];
    char got[1024];
    size_t length;
    dq_error e;
    size_t n = zstd(packed, sizeof packed, text, strlen(text), 0);
    memcpy(packed + n, "garbage", 7);
    put(packed, n + 7);
    assert_int_equal(take(got, sizeof got, 100, &length, &e), DQ_ERR_FORMAT);
    n = gzip(packed, sizeof packed, text, strlen(text));
    memcpy(packed + n, "garbage", 7);
    put(packed, n + 7);
    assert_int_equal(take(got, sizeof got, 100, &length, &e), DQ_ERR_FORMAT);
}

static void windows(void **state)
{
    (void)state;
    char packed[2048], got[1024];
    size_t length;
    dq_error e;
    put(packed, zstd(packed, sizeof packed, text, strlen(text), 27));
    assert_int_equal(take(got, sizeof got, 100, &length, &e), DQ_OK);
    put(packed, zstd(packed, sizeof packed, text, strlen(text), 28));
    assert_int_equal(take(got, sizeof got, 100, &length, &e), DQ_ERR_FORMAT);
    assert_non_null(strstr(e.reason, "128 MiB"));
}

static void lines(void **state)
{
    (void)state;
    static const char *const expected[] = {"one", "two", "", "four, the last without a newline"};
    put(text, strlen(text));
    dq_error e = DQ_ERROR_NONE;
    dq_source *s;
    char *line;
    size_t n;
    assert_int_equal(dq_source_open(&s, path, &e), DQ_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(dq_source_line(s, &line, &n, &e), DQ_OK);
        assert_string_equal(line, expected[i]);
        assert_int_equal(n, strlen(expected[i]));
    }
    assert_int_equal(dq_source_line(s, &line, &n, &e), DQ_OK);
    assert_null(line);
    dq_source_close(s);
}

/* Lines longer than any buffer, and bytes read after lines. */
static void long_lines(void **state)
{
    (void)state;
    enum { LONG = 3 << 20 };
    char *data = malloc(LONG + 16), rest[16], *line;
    assert_non_null(data);
    memset(data, 'x', LONG);
    memcpy(data + LONG, "\nshort\nrest", 11);
    put(data, LONG + 11);
    dq_error e = DQ_ERROR_NONE;
    dq_source *s;
    size_t n;
    assert_int_equal(dq_source_open(&s, path, &e), DQ_OK);
    assert_int_equal(dq_source_line(s, &line, &n, &e), DQ_OK);
    assert_int_equal(n, LONG);
    assert_memory_equal(line, data, LONG);
    assert_int_equal(dq_source_line(s, &line, &n, &e), DQ_OK);
    assert_string_equal(line, "short");
    assert_int_equal(dq_source_read_full(s, rest, sizeof rest, &n, &e), DQ_OK);
    assert_int_equal(n, 4);
    assert_memory_equal(rest, "rest", 4);
    dq_source_close(s);
    free(data);
}

static void no_such_file(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_source *s;
    assert_int_equal(dq_source_open(&s, "/nowhere/at all", &e), DQ_ERR_IO);
    assert_null(s);
    assert_string_equal(e.source, "/nowhere/at all");
    assert_string_equal(e.reason, "cannot open: No such file or directory");
    assert_int_equal(dq_source_open(&s, "/tmp", &e), DQ_ERR_IO);
}

static void count_blocks(void *arg)
{
    int *pipes = arg;
    pipes[2]++;
    assert_int_equal(write(pipes[1], "more", 4), 4);
}

/* An empty pipe calls back before it would block; here the callback fills it. */
static void blocking(void **state)
{
    (void)state;
    int pipes[3] = {0};
    char name[32], got[8];
    size_t n;
    dq_error e = DQ_ERROR_NONE;
    dq_source *s;
    assert_int_equal(pipe(pipes), 0);
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", pipes[0]);
    assert_int_equal(dq_source_open(&s, name, &e), DQ_OK);
    dq_source_on_block(s, count_blocks, pipes);
    assert_int_equal(dq_source_read_full(s, got, 8, &n, &e), DQ_OK);
    assert_memory_equal(got, "moremore", 8);
    assert_int_equal(pipes[2], 2);
    dq_source_close(s);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codings),        cmocka_unit_test(truncation),   cmocka_unit_test(damage),
        cmocka_unit_test(garbage_behind), cmocka_unit_test(windows),      cmocka_unit_test(lines),
        cmocka_unit_test(long_lines),     cmocka_unit_test(no_such_file), cmocka_unit_test(blocking),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
