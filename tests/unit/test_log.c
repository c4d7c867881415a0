/* SPDX-License-Identifier: MIT
 *
 * The log of a server: what was appended is read back, whatever happened to the process or to the file in
 * between.
 */
#include "log/follow.h"
#include "log/log_impl.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LARGEST = 1 << 20 };

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    /* in memory where that can be: a disk would be synced a thousand times */
    (void)snprintf(folder, sizeof folder, "%s/dq-test-XXXXXX",
                   access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(path, sizeof path, "%s/log.dq", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char command[96];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* ---- writing ---- */

static const dq_log_config durable = {.maker = {.program = "test", .version = "1", .seed = -1}};

static dq_log_writer *open_log(const dq_log_config *config)
{
    dq_log_writer *w;
    dq_error e = DQ_ERROR_NONE;
    if (dq_log_writer_open(&w, path, config, &e)) fail_msg("%s: %s", e.source, e.reason);
    return w;
}

static void close_log(dq_log_writer *w)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_log_writer_close(w, &e)) fail_msg("%s", e.reason);
}

static dq_log_text text(const char *words)
{
    return (dq_log_text){words, strlen(words)};
}

/* Row number n, and its item's id in `item`. */
static dq_log_row numbered(unsigned n, char item[16])
{
    (void)snprintf(item, 16, "i%u", n);
    return (dq_log_row){.user = text("u"),
                        .item = text(item),
                        .request = text("r"),
                        .position = n + 1,
                        .propensity = 0.5,
                        .reward = NAN,
                        .time = 1700000000.25};
}

static dq_status try_append(dq_log_writer *w, unsigned n, uint64_t *position)
{
    char item[16];
    dq_log_row row = numbered(n, item);
    dq_error e = DQ_ERROR_NONE;
    return dq_log_append(w, DQ_LOG_SHOWN, &row, 1, position, &e);
}

static uint64_t append(dq_log_writer *w, unsigned n)
{
    uint64_t position;
    assert_int_equal(try_append(w, n, &position), DQ_OK);
    return position;
}

/* A log of `count` rows, a section each; its bytes. */
static size_t make_log(unsigned count)
{
    struct stat is;
    dq_log_writer *w = open_log(&durable);
    for (unsigned i = 0; i < count; i++) (void)append(w, i);
    close_log(w);
    assert_int_equal(stat(path, &is), 0);
    return (size_t)is.st_size;
}

/* ---- reading ---- */

static dq_log_follow *follow_from(uint64_t position)
{
    dq_log_follow *f;
    dq_error e = DQ_ERROR_NONE;
    if (dq_log_follow_open(&f, path, position, &e)) fail_msg("%s: %s", e.source, e.reason);
    return f;
}

static unsigned number_of(const dq_bundle *b, uint64_t row)
{
    size_t n;
    char id[16];
    const char *item = dq_column_text(dq_bundle_column(b, "item"), row, &n);
    (void)snprintf(id, sizeof id, "%.*s", (int)n, item);
    return (unsigned)strtoul(id + 1, NULL, 10);
}

/* Reads what is there: rows that go on from `next`; returns the next after them. */
static unsigned read_on(dq_log_follow *f, unsigned next, uint64_t *position)
{
    dq_bundle b;
    dq_error e = DQ_ERROR_NONE;
    int got;
    while ((got = dq_log_follow_next(f, &b, position, &e)) > 0) {
        for (uint64_t r = 0; r < b.rows; r++) assert_int_equal(number_of(&b, r), next++);
        dq_bundle_free(&b);
    }
    if (got < 0) fail_msg("%s", e.reason);
    return next;
}

static void holds(unsigned count)
{
    uint64_t position;
    dq_log_follow *f = follow_from(0);
    assert_int_equal(read_on(f, 0, &position), count);
    assert_int_equal(dq_log_follow_unfinished(f), 0);
    dq_log_follow_close(f);
}

/* The file as a whole. */
static size_t read_file(unsigned char *bytes)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, LARGEST, f);
    assert_int_equal(fclose(f), 0);
    return n;
}

static void write_file(const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* ---- what is appended ---- */

static bool cell_is(const dq_bundle *b, const char *name, uint64_t row, const char *words)
{
    size_t n;
    const dq_column *c = dq_bundle_column(b, name);
    const char *cell = c ? dq_column_text(c, row, &n) : NULL;
    return words ? cell && n == strlen(words) && memcmp(cell, words, n) == 0 : !cell;
}

static void a_row_comes_back_as_it_was(void **state)
{
    const dq_log_row shown[] = {{.user = text("Zoë"),
                                 .item = text(""),
                                 .request = text("r-1"),
                                 .model = text("a"),
                                 .position = 7,
                                 .propensity = 0.1,
                                 .reward = NAN,
                                 .time = 1700000000.9999999},
                                {.user = text("u2"), .item = text("i"), .propensity = NAN, .reward = NAN}};
    dq_log_row answer = shown[0];
    dq_log_writer *w = open_log(&durable);
    dq_bundle b;
    uint64_t at[2], position;
    (void)state;
    answer.label = text("APPLY");
    answer.reward = 0.75;
    assert_int_equal(dq_log_append(w, DQ_LOG_SHOWN, shown, 2, &at[0], NULL), DQ_OK);
    assert_int_equal(dq_log_append(w, DQ_LOG_ANSWERS, &answer, 1, &at[1], NULL), DQ_OK);
    assert_int_equal(dq_log_writer_position(w), at[1]);

    dq_log_follow *f = follow_from(0);
    assert_int_equal(dq_log_follow_next(f, &b, &position, NULL), 1);
    assert_int_equal(position, at[0]);
    assert_int_equal(dq_log_kind_of(&b), DQ_LOG_SHOWN);
    assert_int_equal(b.rows, 2);
    assert_true(cell_is(&b, "user", 0, "Zoë") && cell_is(&b, "item", 0, "") &&
                cell_is(&b, "request", 0, "r-1"));
    assert_true(cell_is(&b, "model", 0, "a") && cell_is(&b, "model", 1, NULL) &&
                cell_is(&b, "request", 1, NULL));
    assert_true(cell_is(&b, "attr.time", 0, "\"2023-11-14T22:13:21Z\""));
    assert_true(cell_is(&b, "attr.time", 1, "\"1970-01-01T00:00:00Z\""));
    assert_true(dq_column_number(dq_bundle_column(&b, "position"), 0) == 7);
    assert_true(dq_column_is_null(dq_bundle_column(&b, "position"), 1));
    assert_true(dq_column_number(dq_bundle_column(&b, "propensity"), 0) == 0.1);
    assert_true(dq_column_is_null(dq_bundle_column(&b, "propensity"), 1));
    assert_true(cell_is(&b, "label", 0, NULL));
    assert_true(dq_column_is_null(dq_bundle_column(&b, "reward"), 0));
    dq_bundle_free(&b);

    assert_int_equal(dq_log_follow_next(f, &b, &position, NULL), 1);
    assert_int_equal(position, at[1]);
    assert_int_equal(dq_log_kind_of(&b), DQ_LOG_ANSWERS);
    assert_true(cell_is(&b, "label", 0, "APPLY"));
    assert_true(dq_column_number(dq_bundle_column(&b, "reward"), 0) == 0.75);
    dq_bundle_free(&b);
    assert_int_equal(dq_log_follow_next(f, &b, &position, NULL), 0);
    dq_log_follow_close(f);
    close_log(w);
}

static void a_log_is_a_stream(void **state)
{
    const char *const paths[] = {path};
    dq_reader *reader;
    dq_bundle b;
    uint64_t rows = 0;
    int got;
    (void)state;
    (void)make_log(5);
    assert_int_equal(dq_reader_open(&reader, paths, 1, NULL), DQ_OK);
    while ((got = dq_reader_next(reader, &b, NULL)) > 0) {
        rows += b.rows;
        dq_bundle_free(&b);
    }
    assert_int_equal(got, 0);
    assert_int_equal(rows, 5);
    dq_reader_close(reader);
}

static void what_is_no_row_is_refused(void **state)
{
    char item[16];
    const dq_log_row good = numbered(0, item);
    dq_log_row rows[6];
    const dq_status wanted[] = {DQ_ERR_SCHEMA,  DQ_ERR_FORMAT, DQ_ERR_RANGE,
                                DQ_ERR_NUMERIC, DQ_ERR_RANGE,  DQ_ERR_SCHEMA};
    dq_log_writer *w = open_log(&durable);
    (void)state;
    for (size_t i = 0; i < 6; i++) rows[i] = good;
    rows[0].user.at = NULL;
    rows[1].request = text("\xff");
    rows[2].propensity = 0;
    rows[3].reward = INFINITY;
    rows[4].time = NAN;
    rows[5].label = text("APPLY");
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(dq_log_append(w, DQ_LOG_SHOWN, &rows[i], 1, NULL, NULL), wanted[i]);
    assert_int_equal(dq_log_append(w, DQ_LOG_ANSWERS, &good, 1, NULL, NULL), DQ_ERR_SCHEMA);
    (void)append(w, 0);
    close_log(w);
    holds(1);
}

/* ---- recovery ---- */

static void an_unfinished_tail_is_cut_wherever_it_was_broken_off(void **state)
{
    static unsigned char bytes[LARGEST];
    dq_error e = DQ_ERROR_NONE;
    size_t two = make_log(2);
    dq_log_writer *w = open_log(&durable);
    (void)state;
    (void)append(w, 2);
    close_log(w);
    size_t three = read_file(bytes);
    for (size_t n = two; n <= three; n++) {
        write_file(bytes, n);
        bool whole = n == three;
        uint64_t position;
        dq_log_follow *f = follow_from(0);
        assert_int_equal(read_on(f, 0, &position), whole ? 3 : 2);
        assert_int_equal(dq_log_follow_unfinished(f), whole ? 0 : n - two);
        if (dq_log_writer_open(&w, path, &durable, &e)) fail_msg("cut at %zu: %s", n, e.reason);
        assert_int_equal(dq_log_writer_cut(w), whole ? 0 : n - two);
        (void)append(w, whole ? 3 : 2);
        assert_int_equal(read_on(f, whole ? 3 : 2, &position), whole ? 4 : 3);
        dq_log_follow_close(f);
        close_log(w);
        holds(whole ? 4 : 3);
    }
}

static void pages_that_never_reached_the_disk_are_cut(void **state)
{
    static unsigned char bytes[LARGEST];
    size_t two = make_log(2);
    dq_log_writer *w = open_log(&durable);
    (void)state;
    (void)append(w, 2);
    close_log(w);
    size_t three = read_file(bytes);
    for (int how = 0; how < 3; how++) {
        static unsigned char torn[LARGEST];
        memcpy(torn, bytes, three);
        size_t middle = two + (three - two) / 2;
        if (how != 1) memset(torn + middle, 0, three - middle);
        if (how != 0) memset(torn + two, 0, middle - two);
        write_file(torn, three);
        w = open_log(&durable);
        assert_int_equal(dq_log_writer_cut(w), three - two);
        (void)append(w, 2);
        close_log(w);
        holds(3);
    }
}

static void refused_by_writer(dq_status status)
{
    static unsigned char before[LARGEST], after[LARGEST];
    dq_log_writer *w;
    dq_error e = DQ_ERROR_NONE;
    size_t n = read_file(before);
    assert_int_equal(dq_log_writer_open(&w, path, &durable, &e), status);
    assert_null(w);
    assert_string_equal(e.source, path);
    assert_int_equal(read_file(after), n);
    assert_memory_equal(before, after, n);
}

static void damage_in_its_midst_is_refused(void **state)
{
    static unsigned char bytes[LARGEST];
    (void)state;
    size_t one = make_log(1);
    dq_log_writer *w = open_log(&durable);
    for (unsigned i = 1; i < 4; i++) (void)append(w, i);
    close_log(w);
    size_t n = read_file(bytes);
    dq_error e = DQ_ERROR_NONE;
    for (size_t at = one; at < one + 40; at += 3) {
        bytes[at] ^= 0x55;
        write_file(bytes, n);
        refused_by_writer(DQ_ERR_FORMAT);
        bytes[at] ^= 0x55;
        dq_log_follow *f = follow_from(0);
        dq_bundle b;
        uint64_t position;
        assert_int_equal(dq_log_follow_next(f, &b, &position, &e), 1);
        dq_bundle_free(&b);
        assert_int_equal(dq_log_follow_next(f, &b, &position, &e), -1);
        dq_log_follow_close(f);
    }
}

/* Writes a stream that is no log. */
static void write_other(const char *to)
{
    dq_writer *w;
    dq_bundle b;
    assert_int_equal(dq_writer_open(&w, to, &durable.maker, NULL, 0, NULL), DQ_OK);
    assert_int_equal(dq_bundle_init(&b, "numbers", 0, NULL), DQ_OK);
    assert_int_equal(dq_writer_put(w, &b, NULL), DQ_OK);
    dq_bundle_free(&b);
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
}

static void what_is_no_log_is_refused(void **state)
{
    static unsigned char log[LARGEST], other[LARGEST];
    (void)state;
    write_file("hello\n", 6);
    refused_by_writer(DQ_ERR_FORMAT);
    write_file("\0\0\0\0", 4);
    refused_by_writer(DQ_ERR_FORMAT);
    write_other(path);
    size_t n = read_file(other);
    refused_by_writer(DQ_ERR_FORMAT);
    assert_int_equal(unlink(path), 0);
    (void)make_log(2);
    size_t m = read_file(log);
    memcpy(log + m, other, n); /* somebody appended to it */
    write_file(log, m + n);
    refused_by_writer(DQ_ERR_FORMAT);
    memcpy(log + m, "hello\n", 6);
    write_file(log, m + 6);
    refused_by_writer(DQ_ERR_FORMAT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    dq_log_writer *w;
    assert_int_equal(dq_log_writer_open(&w, path, &durable, NULL), DQ_ERR_UNSUPPORTED);
}

static void an_empty_file_becomes_a_log_and_a_second_writer_is_refused(void **state)
{
    dq_log_writer *second;
    (void)state;
    write_file("", 0);
    dq_log_writer *w = open_log(&durable);
    (void)append(w, 0);
    assert_int_equal(dq_log_writer_open(&second, path, &durable, NULL), DQ_ERR_UNSUPPORTED);
    close_log(w);
    holds(1);
}

/* ---- faults ---- */

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A limit on the size of files stands for a disk that is full: the write fails in its midst. */
static void a_full_disk_leaves_the_file_whole(void **state)
{
    struct stat before, after;
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)make_log(1);
    dq_log_writer *w = open_log(&durable);
    assert_int_equal(stat(path, &before), 0);
    for (rlim_t more = 0; more < 300; more += 60) {
        limit_files((rlim_t)before.st_size + more);
        assert_int_equal(try_append(w, 1, NULL), DQ_ERR_IO);
        limit_files(RLIM_INFINITY);
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(after.st_size, before.st_size);
    }
    (void)append(w, 1);
    close_log(w);
    holds(2);
}

static void rows_that_wait_outlive_a_full_disk(void **state)
{
    dq_log_config config = durable;
    struct stat is;
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    config.sync_rows = 3;
    dq_log_writer *w = open_log(&config);
    assert_int_equal(stat(path, &is), 0);
    limit_files((rlim_t)is.st_size + 10);
    assert_int_equal(try_append(w, 0, NULL), DQ_OK);
    assert_int_equal(try_append(w, 1, NULL), DQ_OK);
    assert_int_equal(try_append(w, 2, NULL), DQ_OK); /* taken, but not written */
    assert_int_equal(try_append(w, 3, NULL), DQ_ERR_IO);
    assert_int_equal(dq_log_sync(w, NULL), DQ_ERR_IO);
    limit_files(RLIM_INFINITY);
    assert_int_equal(try_append(w, 3, NULL), DQ_OK);
    close_log(w);
    holds(4);
}

static void whoever_is_killed_has_lost_nothing_durable(void **state)
{
    int done[2], status;
    unsigned acknowledged = 0;
    uint64_t position;
    (void)state;
    assert_int_equal(pipe(done), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dq_log_writer *w;
        if (dq_log_writer_open(&w, path, &durable, NULL)) _exit(1);
        for (unsigned n = 0;; n++)
            if (try_append(w, n, NULL) || write(done[1], &n, sizeof n) != sizeof n) _exit(1);
    }
    assert_int_equal(close(done[1]), 0);
    while (acknowledged < 40 && read(done[0], &acknowledged, sizeof acknowledged) > 0) {
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(done[0], &acknowledged, sizeof acknowledged) > 0) {
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_true(acknowledged >= 40);
    close_log(open_log(&durable));
    dq_log_follow *f = follow_from(0);
    assert_true(read_on(f, 0, &position) > acknowledged);
    dq_log_follow_close(f);
    assert_int_equal(close(done[0]), 0);
}

/* ---- rotation ---- */

enum { MANY = 40 };

static void a_rotated_log_is_followed_from_anywhere(void **state)
{
    dq_log_config config = durable;
    uint64_t ends[MANY], position;
    (void)state;
    config.rotate_bytes = 1500;
    dq_log_writer *w = open_log(&config);
    dq_log_follow *early = follow_from(0);
    unsigned seen = 0;
    for (unsigned i = 0; i < MANY; i++) {
        ends[i] = append(w, i);
        if (i % 7 == 0) seen = read_on(early, seen, &position); /* several rotations between two looks */
    }
    assert_int_equal(read_on(early, seen, &position), MANY);
    assert_int_equal(position, ends[MANY - 1]);
    dq_log_follow_close(early);
    for (unsigned i = 0; i < MANY; i++) {
        dq_log_follow *f = follow_from(ends[i]);
        assert_int_equal(read_on(f, i + 1, &position), MANY);
        dq_log_follow_close(f);
    }
    close_log(w);
    close_log(open_log(&config));
    holds(MANY);

    bool found;
    uint64_t first, second;
    assert_int_equal(dq_log_file_find(path, 0, true, &found, &first, NULL), DQ_OK);
    assert_true(found);
    char *name = dq_log_file_name(path, first);
    assert_int_equal(unlink(name), 0); /* somebody needs the room */
    free(name);
    dq_log_follow *f;
    assert_int_equal(dq_log_follow_open(&f, path, ends[0], NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_log_follow_open(&f, path, ends[MANY - 1] + 1, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_log_file_find(path, 0, true, &found, &second, NULL), DQ_OK);
    dq_bundle b;
    f = follow_from(0);
    assert_int_equal(dq_log_follow_next(f, &b, &position, NULL), 1);
    assert_true(number_of(&b, 0) > 0 && position > second);
    dq_bundle_free(&b);
    dq_log_follow_close(f);
}

/* From a file's beginning that lies so far back, and never less. */
static void the_end_of_a_log_is_read_by_itself(void **state)
{
    dq_log_config config = durable;
    uint64_t ends[MANY], position;
    dq_bundle b;
    dq_log_follow *f;
    (void)state;
    config.rotate_bytes = 1500;
    dq_log_writer *w = open_log(&config);
    for (unsigned i = 0; i < MANY; i++) ends[i] = append(w, i);
    close_log(w);
    for (uint64_t bytes = 0; bytes < ends[MANY - 1] + 3000; bytes += 997) {
        uint64_t from = ends[MANY - 1] > bytes ? ends[MANY - 1] - bytes : 0;
        memset(&b, 0, sizeof b);
        assert_int_equal(dq_log_follow_open_last(&f, path, bytes, NULL), DQ_OK);
        int got = dq_log_follow_next(f, &b, &position, NULL);
        unsigned first = got > 0 ? number_of(&b, 0) : MANY;
        dq_bundle_free(&b);
        assert_true(first == 0 || ends[first - 1] <= from); /* all that ends behind it is read, */
        if (first < MANY) assert_int_equal(read_on(f, first + 1, &position), MANY);
        assert_true(first == MANY || from < ends[first] + 4 * 1500); /* and little before it */
        dq_log_follow_close(f);
    }
}

static void a_position_that_is_no_sections_end_is_refused(void **state)
{
    dq_bundle b;
    uint64_t position;
    (void)state;
    (void)make_log(3);
    dq_log_follow *f = follow_from(1);
    assert_int_equal(dq_log_follow_next(f, &b, &position, NULL), -1);
    dq_log_follow_close(f);
}

static void a_log_goes_on_after_its_file_is_gone(void **state)
{
    dq_log_config config = durable;
    uint64_t position;
    (void)state;
    config.rotate_bytes = 1;
    dq_log_writer *w = open_log(&config);
    for (unsigned i = 0; i < 3; i++) (void)append(w, i);
    uint64_t end = dq_log_writer_position(w);
    close_log(w);
    char old[128];
    (void)snprintf(old, sizeof old, "%s/moved", folder);
    assert_int_equal(rename(path, old), 0); /* the process died between two steps of somebody's rotation */
    w = open_log(&config);
    assert_true(dq_log_writer_position(w) < end);
    close_log(w);
    assert_int_equal(rename(old, path), 0);
    dq_log_follow *f = follow_from(0);
    assert_int_equal(read_on(f, 0, &position), 3);
    assert_int_equal(position, end);
    dq_log_follow_close(f);
}

static void a_file_that_was_renamed_is_begun_anew(void **state)
{
    char old[128];
    uint64_t position;
    (void)state;
    (void)snprintf(old, sizeof old, "%s/log.1", folder);
    dq_log_writer *w = open_log(&durable);
    dq_log_follow *f = follow_from(0);
    (void)append(w, 0);
    assert_int_equal(rename(path, old), 0);
    (void)append(w, 1); /* still into the old one */
    assert_int_equal(dq_log_writer_reopen(w, NULL), DQ_OK);
    uint64_t end = append(w, 2);
    assert_int_equal(dq_log_writer_reopen(w, NULL), DQ_OK); /* nothing to do */
    assert_int_equal(append(w, 3) > end, 1);
    assert_int_equal(read_on(f, 0, &position), 4);
    dq_log_follow_close(f);
    assert_int_equal(rename(path, old), 0);
    write_other(path);
    assert_int_not_equal(dq_log_writer_reopen(w, NULL), DQ_OK);
    (void)append(w, 4); /* the old one goes on */
    close_log(w);
}

/* logrotate beside --log-rotate: between its renaming and its signal the log goes on in the renamed file, and
 * an empty file that it put into the place is no successor. */
static void a_file_that_somebody_renamed_is_not_rotated(void **state)
{
    char old[128];
    uint64_t position;
    dq_log_config config = durable;
    (void)state;
    (void)snprintf(old, sizeof old, "%s/log.1", folder);
    config.rotate_bytes = 1;
    dq_log_writer *w = open_log(&config);
    (void)append(w, 0);
    dq_log_follow *f = follow_from(0);
    assert_int_equal(read_on(f, 0, &position), 1);
    for (unsigned empty = 0; empty < 2; empty++) {
        assert_int_equal(rename(path, old), 0);
        if (empty) write_file("", 0);
        (void)append(w, 1 + 3 * empty);
        (void)append(w, 2 + 3 * empty);
        assert_int_equal(read_on(f, 1 + 3 * empty, &position), 3 + 3 * empty);
        assert_int_equal(dq_log_writer_reopen(w, NULL), DQ_OK);
        (void)append(w, 3 + 3 * empty);
        assert_int_equal(read_on(f, 3 + 3 * empty, &position), 4 + 3 * empty);
    }
    dq_log_follow_close(f);
    close_log(w);
}

/* ---- many at once ---- */

enum { THREADS = 8, EACH = 50 };

typedef struct appender {
    dq_log_writer *w;
    unsigned from;
    uint64_t last;
} appender;

static void *append_some(void *arg)
{
    appender *a = arg;
    for (unsigned i = 0; i < EACH; i++) {
        char item[16];
        uint64_t position;
        dq_log_row row = numbered(a->from + i, item);
        if (dq_log_append(a->w, DQ_LOG_SHOWN, &row, 1, &position, NULL) || position <= a->last) return arg;
        a->last = position;
    }
    return NULL;
}

typedef struct commits {
    uint64_t rows, position;
    bool ordered;
} commits;

static void note_commit(void *arg, const dq_bundle *bundle, uint64_t position)
{
    commits *c = arg;
    c->rows += bundle->rows;
    c->ordered &= position > c->position;
    c->position = position;
}

static void many_append_at_once(void **state)
{
    commits seen = {.ordered = true};
    bool had[THREADS * EACH] = {false};
    unsigned next[THREADS] = {0};
    pthread_t threads[THREADS];
    appender appenders[THREADS];
    dq_log_config config = durable;
    (void)state;
    config.rotate_bytes = 4000;
    config.committed = note_commit;
    config.arg = &seen;
    dq_log_writer *w = open_log(&config);
    for (unsigned t = 0; t < THREADS; t++) {
        appenders[t] = (appender){.w = w, .from = t * EACH};
        assert_int_equal(pthread_create(&threads[t], NULL, append_some, &appenders[t]), 0);
    }
    for (unsigned t = 0; t < THREADS; t++) {
        void *failed;
        assert_int_equal(pthread_join(threads[t], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(seen.rows, THREADS * EACH);
    assert_true(seen.ordered);
    assert_int_equal(seen.position, dq_log_writer_position(w));
    close_log(w);

    dq_log_follow *f = follow_from(0);
    dq_bundle b;
    uint64_t position;
    while (dq_log_follow_next(f, &b, &position, NULL) > 0) {
        for (uint64_t r = 0; r < b.rows; r++) {
            unsigned n = number_of(&b, r);
            assert_false(had[n]);
            had[n] = true;
            assert_int_equal(n % EACH, next[n / EACH]++); /* each thread's in its order */
        }
        dq_bundle_free(&b);
    }
    for (unsigned n = 0; n < THREADS * EACH; n++) assert_true(had[n]);
    dq_log_follow_close(f);
}

static void rows_wait_for_their_number_or_the_clock(void **state)
{
    dq_log_config config = durable;
    uint64_t position;
    (void)state;
    config.sync_rows = 3;
    dq_log_writer *w = open_log(&config);
    dq_log_follow *f = follow_from(0);
    assert_int_equal(append(w, 0), 0);
    (void)append(w, 1);
    assert_int_equal(read_on(f, 0, &position), 0);
    (void)append(w, 2);
    assert_int_equal(read_on(f, 0, &position), 3);
    (void)append(w, 3);
    assert_int_equal(dq_log_sync(w, NULL), DQ_OK);
    assert_int_equal(read_on(f, 3, &position), 4);
    (void)append(w, 4);
    close_log(w);
    assert_int_equal(read_on(f, 4, &position), 5);
    config.sync_rows = 0;
    config.sync_seconds = 0.01;
    w = open_log(&config);
    (void)append(w, 5);
    while (read_on(f, 5, &position) == 5) dq_log_follow_wait(f, 1000); /* it comes by itself */
    close_log(w);
    dq_log_follow_close(f);
}

#define LOG_TEST(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(a_row_comes_back_as_it_was),
        LOG_TEST(a_log_is_a_stream),
        LOG_TEST(what_is_no_row_is_refused),
        LOG_TEST(an_unfinished_tail_is_cut_wherever_it_was_broken_off),
        LOG_TEST(pages_that_never_reached_the_disk_are_cut),
        LOG_TEST(damage_in_its_midst_is_refused),
        LOG_TEST(what_is_no_log_is_refused),
        LOG_TEST(an_empty_file_becomes_a_log_and_a_second_writer_is_refused),
        LOG_TEST(a_full_disk_leaves_the_file_whole),
        LOG_TEST(rows_that_wait_outlive_a_full_disk),
        LOG_TEST(whoever_is_killed_has_lost_nothing_durable),
        LOG_TEST(a_rotated_log_is_followed_from_anywhere),
        LOG_TEST(the_end_of_a_log_is_read_by_itself),
        LOG_TEST(a_position_that_is_no_sections_end_is_refused),
        LOG_TEST(a_log_goes_on_after_its_file_is_gone),
        LOG_TEST(a_file_that_was_renamed_is_begun_anew),
        LOG_TEST(a_file_that_somebody_renamed_is_not_rotated),
        LOG_TEST(many_append_at_once),
        LOG_TEST(rows_wait_for_their_number_or_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
