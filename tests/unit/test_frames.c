/* SPDX-License-Identifier: MIT
 *
 * Frames and threads: the same bytes are written whatever the number of threads, and the same bytes and the
 * same failure are read, where a file is sound, cut, damaged, or marked with lies. What zstd says of the
 * frames without their marks is the oracle.
 */
#include "dq/sink.h"
#include "dq/source.h"
#include "wire/frame.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = 11 << 20, THREADS = 3, STEP = 300 << 10 };

static unsigned char *payload, *got;   /* SIZE bytes; what was read */
static unsigned char *written, *plain; /* a file; it without marks */
static size_t written_bytes, plain_bytes;
static int file;
static char path[64];

/* Text and noise in turns of 64 KiB, so that frames differ in size. */
static void make_payload(void)
{
    uint32_t x = 1;
    for (size_t i = 0; i < SIZE; i++) {
        x = x * 1664525 + 1013904223;
        payload[i] = (unsigned char)(i >> 16 & 1 ? x >> 24 : 'a' + i % 7);
    }
}

static void put(const unsigned char *bytes, size_t n)
{
    assert_int_equal(ftruncate(file, 0), 0);
    assert_int_equal(pwrite(file, bytes, n, 0), n);
}

/* Writes the payload in pieces, flushed now and then, to any file. */
static dq_status write_to(const char *name, unsigned threads, dq_error *error)
{
    dq_sink *sink;
    *error = DQ_ERROR_NONE;
    dq_status status = dq_sink_open(&sink, name, DQ_SINK_ZSTD, error);
    if (status) return status;
    dq_sink_threads(sink, threads);
    for (size_t at = 0, i = 0; !status && at < SIZE; i++) {
        size_t n = i % 5 == 4 ? 3 << 20 : 1000 + 40000 * (i % 4);
        if (n > SIZE - at) n = SIZE - at;
        status = dq_sink_write(sink, payload + at, n, error);
        if (!status && i % 7 == 6) status = dq_sink_flush(sink, error);
        at += n;
    }
    if (!status) return dq_sink_close(sink, error);
    dq_sink_abort(sink);
    return status;
}

static size_t load(unsigned char *to, size_t room, const char *name)
{
    FILE *f = fopen(name, "rb");
    assert_non_null(f);
    size_t n = fread(to, 1, room, f);
    assert_int_equal(fclose(f), 0);
    return n;
}

/* The same frames without their marks. */
static size_t without_marks(unsigned char *to, const unsigned char *from, size_t n)
{
    size_t made = 0;
    for (size_t at = 0, size; at < n; at += size) {
        if (dq_frame_marked(from + at, n - at)) at += DQ_FRAME_MARK;
        assert_int_equal(dq_frame_find(from + at, n - at, &size), DQ_FRAME_WHOLE);
        memcpy(to + made, from + at, size);
        made += size;
    }
    return made;
}

static int set_up(void **state)
{
    (void)state;
    dq_error e;
    payload = malloc(SIZE);
    got = malloc(SIZE + 1);
    written = malloc(2 * SIZE);
    plain = malloc(2 * SIZE);
    file = memfd_create("frames", 0);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (!payload || !got || !written || !plain || file < 0) return -1;
    make_payload();
    char name[] = "/tmp/dq-frames-XXXXXX";
    int fd = mkstemp(name);
    if (fd < 0 || close(fd) || write_to(name, 0, &e)) return -1;
    written_bytes = load(written, 2 * SIZE, name);
    plain_bytes = without_marks(plain, written, written_bytes);
    return unlink(name);
}

static int tear_down(void **state)
{
    (void)state;
    free(payload);
    free(got);
    free(written);
    free(plain);
    return close(file);
}

typedef struct outcome {
    dq_status status;
    size_t bytes;
    char reason[400];
} outcome;

/* With `pause` each read lets the threads go ahead as far as they will. */
static outcome read_with(const char *name, unsigned threads, bool pause)
{
    dq_source *s;
    dq_error e = DQ_ERROR_NONE;
    size_t more = 1;
    outcome o = {.status = dq_source_open(&s, name, &e)};
    assert_int_equal(o.status, DQ_OK);
    dq_source_threads(s, threads);
    while (!o.status && more) {
        size_t n = STEP < SIZE + 1 - o.bytes ? STEP : SIZE + 1 - o.bytes;
        if (pause) (void)usleep(2000);
        o.status = dq_source_read(s, got + o.bytes, n, &more, &e);
        if (!o.status) o.bytes += more;
    }
    if (o.status) assert_string_equal(e.source, name);
    (void)snprintf(o.reason, sizeof o.reason, "%s", e.reason);
    dq_source_close(s);
    return o;
}

static outcome read_all(const char *name, unsigned threads)
{
    return read_with(name, threads, false);
}

static void same(outcome a, outcome b)
{
    assert_int_equal(a.status, b.status);
    assert_int_equal(a.bytes, b.bytes);
    if (a.status) assert_string_equal(a.reason, b.reason);
}

static void writes_the_same(void **state)
{
    (void)state;
    dq_error e;
    char name[] = "/tmp/dq-frames-XXXXXX";
    unsigned char *other = malloc(2 * SIZE);
    assert_non_null(other);
    int fd = mkstemp(name);
    assert_int_equal(close(fd), 0);
    for (unsigned threads = 1; threads <= THREADS; threads++) {
        assert_int_equal(write_to(name, threads, &e), DQ_OK);
        assert_int_equal(load(other, 2 * SIZE, name), written_bytes);
        assert_memory_equal(other, written, written_bytes);
    }
    free(other);
    assert_int_equal(unlink(name), 0);
}

static void reads_the_same(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads <= THREADS; threads++) {
        put(written, written_bytes);
        assert_int_equal(read_all(path, threads).bytes, SIZE);
        assert_memory_equal(got, payload, SIZE);
        put(plain, plain_bytes);
        assert_int_equal(read_all(path, threads).bytes, SIZE);
        assert_memory_equal(got, payload, SIZE);
    }
}

static void begins_as_zstd_does(void **state)
{
    (void)state;
    size_t marks = 0;
    assert_memory_equal(written, "\x28\xb5\x2f\xfd", 4);
    for (size_t at = 0, size; at < written_bytes; at += size) {
        bool marked = dq_frame_marked(written + at, written_bytes - at) != 0;
        size_t holds;
        marks += marked;
        if (marked) at += DQ_FRAME_MARK;
        assert_int_equal(dq_frame_find(written + at, written_bytes - at, &size), DQ_FRAME_WHOLE);
        assert_true(dq_frame_states(written + at, size, &holds));
        assert_int_equal(marked, at > 0 && holds > DQ_FRAME_SMALL);
    }
    assert_true(marks > 8);
}

/* Where a byte of the file without marks stands in that with them. */
static size_t place_of(size_t plain_at)
{
    size_t skipped = 0;
    for (size_t at = 0, size; at - skipped <= plain_at && at < written_bytes; at += size) {
        if (dq_frame_marked(written + at, written_bytes - at)) {
            at += DQ_FRAME_MARK;
            skipped += DQ_FRAME_MARK;
        }
        assert_int_equal(dq_frame_find(written + at, written_bytes - at, &size), DQ_FRAME_WHOLE);
    }
    return plain_at + skipped;
}

/* Cut and damaged anywhere, what is given out and what is said are as of the frames alone. */
static void cut_and_damaged(void **state)
{
    (void)state;
    for (size_t i = 1; i < 24; i++) {
        size_t at = plain_bytes / 24 * i + 17 * i, there = place_of(at);
        put(plain, at);
        outcome cut = read_all(path, 0);
        assert_int_equal(cut.status, DQ_ERR_TRUNCATED);
        plain[at] ^= 4;
        put(plain, plain_bytes);
        outcome damaged = read_all(path, 0);
        plain[at] ^= 4;
        assert_int_equal(damaged.status, DQ_ERR_FORMAT);
        for (unsigned threads = 0; threads <= THREADS; threads += THREADS) {
            put(written, there);
            same(read_all(path, threads), cut);
            written[there] ^= 4;
            put(written, written_bytes);
            same(read_all(path, threads), damaged);
            written[there] ^= 4;
        }
    }
}

/* Where a frame is damaged, threads may stand far behind it, in the middle of a frame without a mark. */
static void damaged_before_a_long_frame(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    unsigned char *frame, *both = malloc(4 * SIZE);
    size_t bytes, last = 0, holds;
    assert_non_null(both);
    assert_int_equal(dq_frame_make(payload, SIZE, 3, &frame, &bytes, &e), DQ_OK);
    assert_true(written_bytes + bytes <= 4 * SIZE);
    memcpy(both, written, written_bytes);
    memcpy(both + written_bytes, frame, bytes);
    free(frame);
    for (size_t at = 0, size; at < written_bytes; at += size) {
        if (dq_frame_marked(written + at, written_bytes - at)) at += DQ_FRAME_MARK;
        assert_int_equal(dq_frame_find(written + at, written_bytes - at, &size), DQ_FRAME_WHOLE);
        if (dq_frame_states(written + at, size, &holds) && holds == DQ_FRAME_PAYLOAD) last = at + size / 2;
    }
    both[last] ^= 4;
    put(both, written_bytes + bytes);
    free(both);
    outcome one = read_all(path, 0);
    assert_int_equal(one.status, DQ_ERR_FORMAT);
    same(read_with(path, THREADS, true), one);
}

/* Each of many marks says that a frame of a MiB follows, and none does: they are passed over, each once. */
static void many_lies(void **state)
{
    (void)state;
    enum { MARKS = (4 << 20) / DQ_FRAME_MARK };
    unsigned char *lying = malloc(written_bytes + (4 << 20) + plain_bytes);
    size_t n = written_bytes, first;
    assert_non_null(lying);
    memcpy(lying, written, n);
    for (size_t i = 0; i < MARKS; i++, n += DQ_FRAME_MARK)
        memcpy(lying + n, "\x50\x2a\x4d\x18\x04\0\0\0\0\0\x10\0", DQ_FRAME_MARK);
    assert_int_equal(dq_frame_find(plain, plain_bytes, &first), DQ_FRAME_WHOLE);
    memcpy(lying + n, plain, first);
    put(lying, n + first);
    free(lying);
    for (unsigned threads = 0; threads <= THREADS; threads += THREADS) {
        outcome o = read_all(path, threads);
        assert_int_equal(o.status, DQ_OK);
        assert_int_equal(o.bytes, SIZE + 1); /* as much as there is room for */
        assert_memory_equal(got, payload, SIZE);
    }
}

/* Marks that lie, and what follows the last frame. */
static void lies(void **state)
{
    (void)state;
    static const struct {
        unsigned char mark[DQ_FRAME_MARK];
        size_t bytes;
        dq_status status;
    } cases[] = {{"\x50\x2a\x4d\x18\x04\0\0\0\0\0\0\0", 12, DQ_OK},         /* of a frame of nothing */
                 {"\x50\x2a\x4d\x18\x04\0\0\0\x09\0\0\0", 12, DQ_OK},       /* too short */
                 {"\x50\x2a\x4d\x18\x04\0\0\0\xff\xff\xff\xff", 12, DQ_OK}, /* much too long */
                 {"\x50\x2a\x4d\x18\x04\0\0\0\0\0\x10\0", 12, DQ_OK},       /* too long */
                 {"\x50\x2a\x4d\x18\x03\0\0\0\1\2\3", 11, DQ_OK},           /* of somebody else */
                 {"\x50\x2a\x4d\x18\x04\0\0", 7, DQ_ERR_TRUNCATED},         /* cut */
                 {"garbage", 7, DQ_ERR_FORMAT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool last = cases[i].status != DQ_OK;
        unsigned char *lying = malloc(written_bytes + plain_bytes + DQ_FRAME_MARK);
        assert_non_null(lying);
        memcpy(lying, written, written_bytes);
        memcpy(lying + written_bytes, cases[i].mark, cases[i].bytes);
        size_t n = written_bytes + cases[i].bytes, first;
        assert_int_equal(dq_frame_find(plain, plain_bytes, &first), DQ_FRAME_WHOLE);
        if (!last) memcpy(lying + n, plain, first);
        for (unsigned threads = 0; threads <= THREADS; threads += THREADS) {
            put(lying, last ? n : n + first);
            outcome o = read_all(path, threads);
            if (o.status != cases[i].status) print_message("case %zu, %u: %s\n", i, threads, o.reason);
            assert_int_equal(o.status, cases[i].status);
            assert_int_equal(o.bytes, last ? SIZE : SIZE + 1); /* as much as there is room for */
            assert_memory_equal(got, payload, SIZE);
        }
        free(lying);
    }
}

/* A full disk is met in the same words, at the close at the latest. */
static void full(void **state)
{
    (void)state;
    dq_error one, many;
    assert_int_equal(write_to("/dev/full", 0, &one), DQ_ERR_IO);
    assert_int_equal(write_to("/dev/full", THREADS, &many), DQ_ERR_IO);
    assert_string_equal(one.reason, many.reason);
    assert_string_equal(one.source, many.source);
}

typedef struct half {
    int fd;
    size_t bytes;
} half;

static void *feed(void *arg)
{
    const half *h = arg;
    for (size_t at = 0; at < h->bytes;) {
        ssize_t n = write(h->fd, written + at, h->bytes - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
    return NULL;
}

/* Whoever has enough is not held by a pipe that has gone silent. */
static void leaves_a_silent_pipe(void **state)
{
    (void)state;
    int ends[2];
    char name[64];
    pthread_t feeder;
    dq_source *s;
    dq_error e = DQ_ERROR_NONE;
    size_t n;
    assert_int_equal(pipe(ends), 0);
    half h = {ends[1], written_bytes - 1000};
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
    assert_int_equal(dq_source_open(&s, name, &e), DQ_OK);
    dq_source_threads(s, THREADS);
    assert_int_equal(pthread_create(&feeder, NULL, feed, &h), 0);
    assert_int_equal(dq_source_read_full(s, got, SIZE - (2 << 20), &n, &e), DQ_OK);
    assert_int_equal(n, SIZE - (2 << 20));
    assert_memory_equal(got, payload, n);
    (void)fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
    dq_source_close(s); /* the threads may be waiting for the last 1000 bytes */
    char rest[4096];
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK); /* what the feeder may still want to be rid of */
    while (pthread_tryjoin_np(feeder, NULL) != 0) (void)!read(ends[0], rest, sizeof rest);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_same),
        cmocka_unit_test(reads_the_same),
        cmocka_unit_test(begins_as_zstd_does),
        cmocka_unit_test(cut_and_damaged),
        cmocka_unit_test(damaged_before_a_long_frame),
        cmocka_unit_test(lies),
        cmocka_unit_test(many_lies),
        cmocka_unit_test(full),
        cmocka_unit_test(leaves_a_silent_pipe),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
