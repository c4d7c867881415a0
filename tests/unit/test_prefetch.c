/* SPDX-License-Identifier: MIT
 *
 * Reading ahead gives what reading gives: the bundles in order with where they stood, the end, or the error.
 * The stream is made in memory; a source can be held back at a byte, as a silent pipe is.
 */
#include "wire/prefetch.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SECTIONS = 2, EACH = 4, BUNDLES = SECTIONS * EACH, ROOM = 1 << 16 };

/* A stream, and where each bundle ends in it. */
typedef struct stream {
    unsigned char data[ROOM];
    size_t bytes, ends[BUNDLES];
} stream;

static stream made;

static dq_status append(void *arg, const void *data, size_t n, dq_error *error)
{
    stream *s = arg;
    (void)error;
    assert_true(s->bytes + n <= sizeof s->data);
    memcpy(s->data + s->bytes, data, n);
    s->bytes += n;
    return DQ_OK;
}

static void put(dq_writer *w, uint32_t number)
{
    const uint32_t data[3] = {number, 2 * number, 0};
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    assert_int_equal(dq_bundle_init(&b, "numbers", 3, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_numbers(&b, "n", DQ_U4, data, NULL, NULL, &e), DQ_OK);
    assert_int_equal(dq_writer_put(w, &b, &e), DQ_OK);
    assert_int_equal(dq_writer_flush(w, &e), DQ_OK);
    dq_bundle_free(&b);
}

static int make_stream(void **state)
{
    (void)state;
    const dq_maker maker = {.program = "test", .version = "1", .seed = -1};
    dq_error e = DQ_ERROR_NONE;
    dq_sink *sink;
    dq_writer *w;
    assert_int_equal(dq_sink_open_fn(&sink, "memory", DQ_SINK_TEXT, append, &made, &e), DQ_OK);
    assert_int_equal(dq_writer_open_sink(&w, sink, &maker, NULL, 0, &e), DQ_OK);
    for (uint32_t n = 0; n < BUNDLES; n++) {
        if (n == EACH) assert_int_equal(dq_writer_next_section(w, &e), DQ_OK);
        put(w, n);
        made.ends[n] = made.bytes;
    }
    assert_int_equal(dq_writer_close(w, &e), DQ_OK);
    return 0;
}

/* Gives the first `bytes`, a few at a time; then the end, or silence for ever. */
typedef struct input {
    size_t at, bytes;
    bool silent;
    sem_t reached, never; /* the reader waits for more: has come there, and will not go on */
} input;

static dq_status give(void *arg, void *to, size_t n, size_t *got, dq_error *error)
{
    input *in = arg;
    (void)error;
    *got = in->bytes - in->at < n ? in->bytes - in->at : n;
    if (*got > 7) *got = 7;
    if (*got == 0 && in->silent) {
        sem_post(&in->reached);
        while (sem_wait(&in->never)) continue;
    }
    memcpy(to, made.data + in->at, *got);
    in->at += *got;
    return DQ_OK;
}

static dq_reader *open_input(input *in, size_t bytes, bool silent)
{
    dq_error e = DQ_ERROR_NONE;
    dq_source *source;
    dq_reader *reader;
    *in = (input){.bytes = bytes, .silent = silent};
    assert_int_equal(sem_init(&in->reached, 0, 0) || sem_init(&in->never, 0, 0), 0);
    assert_int_equal(dq_source_open_fn(&source, "input", give, in, &e), DQ_OK);
    assert_int_equal(dq_reader_open_source(&reader, source, &e), DQ_OK);
    return reader;
}

static dq_prefetch *open_prefetch(dq_reader *reader, bool ahead)
{
    dq_error e = DQ_ERROR_NONE;
    dq_prefetch *prefetch;
    assert_int_equal(dq_prefetch_open(&prefetch, reader, ahead, &e), DQ_OK);
    return prefetch;
}

static void expect(dq_prefetch *prefetch, uint32_t number)
{
    dq_error e = DQ_ERROR_NONE;
    dq_prefetched next;
    assert_int_equal(dq_prefetch_next(prefetch, &next, &e), 1);
    assert_int_equal(dq_column_number(dq_bundle_column(&next.bundle, "n"), 0), number);
    assert_int_equal(dq_column_number(dq_bundle_column(&next.bundle, "n"), 1), 2 * number);
    assert_int_equal(next.section, number / EACH);
    assert_int_equal(next.record, 2 + number + 2 * (number / EACH)); /* behind heads and an end */
    assert_string_equal(next.source, "input");
    dq_bundle_free(&next.bundle);
}

static void test_in_order(void **state)
{
    (void)state;
    for (int ahead = 0; ahead < 2; ahead++) {
        input in;
        dq_reader *reader = open_input(&in, made.bytes, false);
        dq_prefetch *prefetch = open_prefetch(reader, ahead);
        dq_error e = DQ_ERROR_NONE;
        dq_prefetched next;
        for (uint32_t n = 0; n < BUNDLES; n++) expect(prefetch, n);
        assert_int_equal(dq_prefetch_next(prefetch, &next, &e), 0);
        assert_int_equal(dq_prefetch_next(prefetch, &next, &e), 0);
        assert_true(dq_prefetch_close(prefetch));
        dq_reader_close(reader);
    }
}

/* Cut inside a bundle: those before it come out, then what the reader says of it, and says again. */
static void test_error(void **state)
{
    (void)state;
    for (int ahead = 0; ahead < 2; ahead++) {
        input in;
        dq_reader *reader = open_input(&in, made.ends[4] + 9, false);
        dq_prefetch *prefetch = open_prefetch(reader, ahead);
        for (uint32_t n = 0; n < 5; n++) expect(prefetch, n);
        for (int again = 0; again < 2; again++) {
            dq_error e = DQ_ERROR_NONE;
            dq_prefetched next;
            assert_int_equal(dq_prefetch_next(prefetch, &next, &e), -1);
            assert_int_equal(e.status, DQ_ERR_TRUNCATED);
            assert_string_equal(e.source, "input");
            assert_int_equal(e.record, 9);
        }
        assert_true(dq_prefetch_close(prefetch));
        dq_reader_close(reader);
    }
}

/* Closed in the middle of the stream with bundles in the ring, which nobody else frees. Whether the thread
 * already waits for room cannot be seen: where it does not, it is left, and another try gives it more time.
 */
static void test_close_in_the_middle(void **state)
{
    (void)state;
    bool closed = false;
    static input tries[12]; /* a thread that is left goes on using its own */
    for (unsigned t = 0; t < 12 && !closed; t++) {
        dq_reader *reader = open_input(&tries[t], made.bytes, false);
        dq_prefetch *prefetch = open_prefetch(reader, true);
        expect(prefetch, 0);
        (void)usleep(500U << t);
        closed = dq_prefetch_close(prefetch);
        if (closed) dq_reader_close(reader);
    }
    assert_true(closed);
}

static void test_close_without_thread(void **state)
{
    (void)state;
    input in;
    dq_reader *reader = open_input(&in, made.bytes, false);
    dq_prefetch *prefetch = open_prefetch(reader, false);
    expect(prefetch, 0);
    assert_true(dq_prefetch_close(prefetch));
    dq_bundle next; /* the reader stands behind what was given out */
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_reader_next(reader, &next, &e), 1);
    assert_int_equal(dq_column_number(dq_bundle_column(&next, "n"), 0), 1);
    dq_bundle_free(&next);
    dq_reader_close(reader);
    assert_true(dq_prefetch_close(NULL));
}

/* A thread that waits for a silent input is left behind, at once. */
static void test_close_while_silent(void **state)
{
    (void)state;
    static input in; /* outlives this function, as the thread does */
    dq_prefetch *prefetch = open_prefetch(open_input(&in, made.ends[1] + 9, true), true);
    expect(prefetch, 0);
    while (sem_wait(&in.reached)) continue;
    assert_false(dq_prefetch_close(prefetch));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_close_in_the_middle),
        cmocka_unit_test(test_close_without_thread),
        cmocka_unit_test(test_close_while_silent),
    };
    return cmocka_run_group_tests(tests, make_stream, NULL);
}
