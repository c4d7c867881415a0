/* SPDX-License-Identifier: MIT
 *
 * Streams written and read back; cut at every byte, with every bit flipped, in both forms; and what the
 * writer refuses. Hostile records, which no writer of ours makes, are in tests/fault.
 */
#include "dq/schema.h"
#include "dq/source.h"
#include "dq/stream.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/dq-stream-XXXXXX", path[64], other[64];
static int memory; /* a file in memory, for those that are written thousands of times */
static char memory_path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(path, sizeof path, "%s/a.dq", folder);
    (void)snprintf(other, sizeof other, "%s/b.dq", folder);
    memory = memfd_create("stream", 0);
    (void)snprintf(memory_path, sizeof memory_path, "/proc/self/fd/%d", memory);
    return memory < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)unlink(other);
    return rmdir(folder);
}

/* ---- a small stream of every kind of column ---- */

static const float vectors[2][3] = {{1, -2, 0.5F}, {0, 1e-30F, 3e30F}};

static void add_ids(dq_bundle *b, const char *name, const char *data)
{
    static const uint32_t two[] = {0, 1, 3};
    assert_int_equal(dq_bundle_add_text(b, name, DQ_TEXT, two, data, NULL, NULL), DQ_OK);
}

static void make_model(dq_bundle *b)
{
    static const double moments[2][1][2] = {{{1, 2}}, {{3, 4}}};
    static const int8_t flags[3] = {-1, 0, 1};
    assert_int_equal(dq_bundle_init(b, "model", 0, NULL), DQ_OK);
    dq_value list = dq_list();
    assert_true(dq_list_add(&b->arena, &list, dq_int(-5)) && dq_list_add(&b->arena, &list, dq_nil()) &&
                dq_list_add(&b->arena, &list, dq_bool(true)));
    assert_true(dq_map_set(&b->arena, &b->meta, "architecture", dq_string(&b->arena, "dyna-q")) &&
                dq_map_set(&b->arena, &b->meta, "gamma", dq_real(0.9)) &&
                dq_map_set(&b->arena, &b->meta, "list", list));
    assert_int_equal(dq_bundle_add_tensor(b, "q.adam", DQ_F8, 3, (const uint64_t[]){2, 1, 2}, moments, NULL),
                     DQ_OK);
    assert_int_equal(dq_bundle_add_tensor(b, "flags", DQ_I1, 1, (const uint64_t[]){3}, flags, NULL), DQ_OK);
}

static void make_side(dq_bundle *b, const char *kind)
{
    static const uint32_t title[] = {0, 4, 4};
    static const uint8_t second[] = {0, 1};
    assert_int_equal(dq_bundle_init(b, kind, 2, NULL), DQ_OK);
    add_ids(b, "id", "abc");
    assert_int_equal(dq_bundle_add_text(b, "text.title", DQ_TEXT, title, "af\xc3\xa9", second, NULL), DQ_OK);
    assert_int_equal(dq_bundle_add_text(b, "attr.x", DQ_JSON, title, "1234", NULL, NULL), DQ_OK);
    assert_int_equal(dq_bundle_add_tensor(b, "vector", DQ_F4, 2, (const uint64_t[]){2, 3}, vectors, NULL),
                     DQ_OK);
}

static void make_transitions(dq_bundle *b, const uint32_t *items)
{
    static const uint32_t users[] = {1, 0};
    static const float reward[] = {1, NAN};
    static const uint8_t second[] = {0, 1}, done[] = {0, 1};
    assert_int_equal(dq_bundle_init(b, "transitions", 2, NULL), DQ_OK);
    assert_int_equal(dq_bundle_add_numbers(b, "user", DQ_U4, users, "users", NULL, NULL), DQ_OK);
    assert_int_equal(dq_bundle_add_numbers(b, "item", DQ_U4, items, "items", NULL, NULL), DQ_OK);
    assert_int_equal(dq_bundle_add_numbers(b, "reward", DQ_F4, reward, NULL, second, NULL), DQ_OK);
    assert_int_equal(dq_bundle_add_numbers(b, "done", DQ_U1, done, NULL, NULL, NULL), DQ_OK);
}

static dq_writer *start(const char *name, dq_reader *in)
{
    const dq_maker maker = {.program = "test", .version = "1", .seed = 7};
    dq_error e = DQ_ERROR_NONE;
    dq_writer *w;
    assert_int_equal(dq_writer_open(&w, name, &maker, &in, in != NULL, &e), DQ_OK);
    return w;
}

static void put(dq_writer *w, dq_bundle *b)
{
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_writer_put(w, b, &e), DQ_OK);
    dq_bundle_free(b);
}

static void write_all(const char *name)
{
    static const uint32_t items[] = {1, 1};
    dq_error e = DQ_ERROR_NONE;
    dq_writer *w = start(name, NULL);
    dq_bundle b;
    make_model(&b);
    put(w, &b);
    make_side(&b, "users");
    put(w, &b);
    make_side(&b, "items");
    put(w, &b);
    make_transitions(&b, items);
    put(w, &b);
    assert_int_equal(dq_writer_close(w, &e), DQ_OK);
}

/* Reads the operands to the end; -1, or the number of bundles. */
static int count_bundles(const char *const *paths, size_t count, dq_error *error)
{
    dq_reader *r;
    dq_bundle b;
    int n = 0, got;
    *error = DQ_ERROR_NONE;
    if (dq_reader_open(&r, paths, count, error)) return -1;
    while ((got = dq_reader_next(r, &b, error)) > 0) {
        n++;
        dq_bundle_free(&b);
    }
    dq_reader_close(r);
    return got < 0 ? -1 : n;
}

static int count_in(const char *name, dq_error *error)
{
    return count_bundles(&name, 1, error);
}

/* ---- tests ---- */

static void same_column(const dq_column *a, const dq_column *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->dims, b->dims);
    assert_memory_equal(a->shape, b->shape, a->dims * sizeof *a->shape);
    assert_int_equal(a->bytes, b->bytes);
    assert_memory_equal(a->data, b->data, a->bytes);
    assert_int_equal((uintptr_t)b->data % 64, 0);
    assert_int_equal(!a->ref, !b->ref);
    if (a->ref) assert_string_equal(a->ref, b->ref);
    assert_int_equal(!a->nulls, !b->nulls);
    if (a->nulls) assert_memory_equal(a->nulls, b->nulls, a->shape[0]);
    assert_int_equal(!a->offsets, !b->offsets);
    if (a->offsets) assert_memory_equal(a->offsets, b->offsets, 4 * (a->shape[0] + 1));
}

static void comes_back(dq_reader *r, dq_bundle *made)
{
    dq_error e = DQ_ERROR_NONE;
    dq_bundle read;
    assert_int_equal(dq_reader_next(r, &read, &e), 1);
    assert_string_equal(read.kind, made->kind);
    assert_int_equal(read.rows, made->rows);
    assert_true(dq_value_equal(&read.meta, &made->meta));
    assert_int_equal(read.column_count, made->column_count);
    for (size_t i = 0; i < made->column_count; i++) same_column(&made->columns[i], &read.columns[i]);
    dq_bundle_free(&read);
    dq_bundle_free(made);
}

static void round_trip(void **state)
{
    (void)state;
    static const uint32_t items[] = {1, 1};
    write_all(path);
    dq_error e = DQ_ERROR_NONE;
    dq_reader *r;
    dq_bundle b;
    const char *const paths[] = {path};
    assert_int_equal(dq_reader_open(&r, paths, 1, &e), DQ_OK);
    make_model(&b);
    comes_back(r, &b);
    make_side(&b, "users");
    comes_back(r, &b);
    make_side(&b, "items");
    comes_back(r, &b);
    make_transitions(&b, items);
    comes_back(r, &b);
    assert_int_equal(dq_reader_next(r, &b, &e), 0);
    assert_int_equal(dq_reader_next(r, &b, &e), 0);
    const dq_value *end = &dq_reader_ends(r)->as.list[0];
    assert_int_equal(dq_value_integer(dq_map_get(end, "bundles"), 0), 4);
    assert_int_equal(dq_value_integer(dq_map_get(dq_map_get(end, "rows"), "transitions"), 0), 2);
    dq_reader_close(r);
}

static size_t slurp(const char *name, unsigned char *to, size_t room, bool decoded)
{
    dq_error e = DQ_ERROR_NONE;
    size_t n;
    if (decoded) {
        dq_source *s;
        assert_int_equal(dq_source_open(&s, name, &e), DQ_OK);
        assert_int_equal(dq_source_read_full(s, to, room, &n, &e), DQ_OK);
        dq_source_close(s);
    } else {
        FILE *f = fopen(name, "rb");
        assert_non_null(f);
        n = fread(to, 1, room, f);
        (void)fclose(f);
    }
    assert_true(n < room);
    return n;
}

/* Makes the file in memory hold n bytes. */
static void spill(const unsigned char *data, size_t n)
{
    assert_int_equal(ftruncate(memory, 0), 0);
    assert_int_equal(pwrite(memory, data, n, 0), n);
}

/* The same calls make the same bytes. A read bundle is passed on verbatim, whoever passes it. */
static void reproducible(void **state)
{
    (void)state;
    static unsigned char a[1 << 16], b[1 << 16];
    write_all(path);
    size_t n = slurp(path, a, sizeof a, true);
    write_all(path);
    assert_int_equal(slurp(path, b, sizeof b, true), n);
    assert_memory_equal(a, b, n);

    dq_error e = DQ_ERROR_NONE;
    dq_reader *r;
    dq_bundle read;
    const char *const paths[] = {path};
    assert_int_equal(dq_reader_open(&r, paths, 1, &e), DQ_OK);
    dq_writer *w = start(other, r);
    while (dq_reader_next(r, &read, &e) > 0) put(w, &read);
    assert_int_equal(dq_writer_close(w, &e), DQ_OK);
    dq_value digest;
    dq_arena arena = DQ_ARENA_EMPTY;
    assert_true(dq_value_copy(&arena, dq_map_get(&dq_reader_ends(r)->as.list[0], "digest"), &digest));
    dq_reader_close(r);

    const char *const others[] = {other};
    assert_int_equal(dq_reader_open(&r, others, 1, &e), DQ_OK);
    while (dq_reader_next(r, &read, &e) > 0) dq_bundle_free(&read);
    const dq_value *end = &dq_reader_ends(r)->as.list[0], *head = &dq_reader_heads(r)->as.list[0];
    assert_true(dq_value_equal(dq_map_get(end, "digest"), &digest));
    const dq_value *inputs = dq_map_get(end, "inputs");
    assert_int_equal(inputs->count, 1);
    assert_true(dq_value_equal(dq_map_get(&inputs->as.list[0], "digest"), &digest));
    assert_null(dq_map_get(&inputs->as.list[0], "maker"));
    assert_true(dq_value_is(dq_map_get(&dq_map_get(head, "inputs")->as.list[0], "program"), "test"));
    dq_arena_free(&arena);
    dq_reader_close(r);
}

static void concatenation(void **state)
{
    (void)state;
    write_all(path);
    write_all(other);
    const char *const both[] = {path, other};
    dq_error e;
    assert_int_equal(count_bundles(both, 2, &e), 8);
    dq_reader *r;
    dq_bundle b;
    assert_int_equal(dq_reader_open(&r, both, 2, &e), DQ_OK);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(dq_reader_next(r, &b, &e), 1);
        assert_int_equal(dq_reader_section(r), i / 4);
        assert_string_equal(dq_reader_source(r), i < 4 ? path : other);
        assert_int_equal(dq_reader_record(r), 2 + i % 4);
        dq_bundle_free(&b);
    }
    assert_int_equal(dq_reader_next(r, &b, &e), 0);
    assert_int_equal(dq_reader_heads(r)->count, 2);
    dq_reader_close(r);
    static unsigned char joined[1 << 16];
    size_t n = slurp(path, joined, sizeof joined, false);
    n += slurp(other, joined + n, sizeof joined - n, false);
    spill(joined, n);
    assert_int_equal(count_in(memory_path, &e), 8);
}

static void next_section(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_writer *w = start(path, NULL);
    dq_bundle b;
    make_side(&b, "items");
    put(w, &b);
    assert_int_equal(dq_writer_next_section(w, &e), DQ_OK);
    make_side(&b, "users"); /* would be out of order in the first section */
    put(w, &b);
    assert_int_equal(dq_writer_close(w, &e), DQ_OK);
    assert_int_equal(count_in(path, &e), 2);
}

/* Both forms, cut behind every byte: an error each time, and one that speaks of truncation. */
static void cut_everywhere(void **state)
{
    (void)state;
    static unsigned char data[1 << 16];
    for (int decoded = 0; decoded < 2; decoded++) {
        write_all(path);
        size_t n = slurp(path, data, sizeof data, decoded);
        for (size_t cut = 0; cut < n; cut++) {
            dq_error e;
            spill(data, cut);
            assert_int_equal(count_in(memory_path, &e), -1);
            assert_int_equal(e.status, DQ_ERR_TRUNCATED);
            assert_string_equal(e.source, memory_path);
            assert_true(e.record >= 1 && e.record <= 7);
        }
        spill(data, n);
        dq_error e;
        assert_int_equal(count_in(memory_path, &e), 4);
    }
}

static void flip_everywhere(void **state)
{
    (void)state;
    static unsigned char data[1 << 16], plain[1 << 16], back[1 << 16];
    write_all(path);
    size_t length = slurp(path, plain, sizeof plain, true);
    for (int decoded = 0; decoded < 2; decoded++) {
        size_t n = slurp(path, data, sizeof data, decoded);
        for (size_t bit = 0; bit < 8 * n; bit++) {
            dq_error e;
            data[bit / 8] ^= (unsigned char)(1U << bit % 8);
            spill(data, n);
            int got = count_in(memory_path, &e);
            if (got >= 0) { /* only a bit that zstd does not mind */
                assert_false(decoded);
                assert_int_equal(slurp(memory_path, back, sizeof back, true), length);
                assert_memory_equal(back, plain, length);
            }
            data[bit / 8] ^= (unsigned char)(1U << bit % 8);
        }
    }
}

static void garbage_behind(void **state)
{
    (void)state;
    static unsigned char data[1 << 16];
    write_all(path);
    size_t n = slurp(path, data, sizeof data, true);
    data[n] = '\n';
    spill(data, n + 1);
    dq_error e;
    assert_int_equal(count_in(memory_path, &e), -1);
    assert_int_equal(e.status, DQ_ERR_FORMAT);
    assert_string_equal(e.reason, "bytes after the end that are no head: '\\n'");
}

static void refuse(dq_bundle *b, dq_status expected, const char *words)
{
    dq_error e = DQ_ERROR_NONE;
    dq_writer *w = start(path, NULL);
    assert_int_equal(dq_writer_put(w, b, &e), expected);
    assert_non_null(strstr(e.reason, words));
    dq_writer_abort(w);
    dq_bundle_free(b);
}

static void writer_refuses(void **state)
{
    (void)state;
    static const uint32_t beyond[] = {0, 9}, descending[] = {0, 2, 1};
    static const float bad[2][3] = {{1, INFINITY, 0}};
    dq_bundle b;
    make_transitions(&b, beyond);
    refuse(&b, DQ_ERR_SCHEMA, "refers to row");
    make_side(&b, "users");
    b.columns[3].data = bad;
    refuse(&b, DQ_ERR_NUMERIC, "not a finite number");
    static const double large[2][3] = {{1, 2, 3}, {1, -1e39, 0}};
    make_side(&b, "users");
    b.columns[3].type = DQ_F8;
    b.columns[3].data = large;
    b.columns[3].bytes = sizeof large;
    refuse(&b, DQ_ERR_NUMERIC, "row 1: a vector's number beyond float32");
    make_side(&b, "users");
    b.columns[0].data = "\xff\xfe\xfd";
    refuse(&b, DQ_ERR_FORMAT, "not UTF-8");
    make_side(&b, "users");
    b.columns[0].offsets = descending;
    refuse(&b, DQ_ERR_FORMAT, "offsets");
    assert_int_equal(dq_bundle_init(&b, "strange", 1U << 30, NULL), DQ_OK);
    refuse(&b, DQ_ERR_RANGE, "rows of nothing");
    make_side(&b, "users");
    b.columns[1].name = "text.\xff";
    refuse(&b, DQ_ERR_FORMAT, "not UTF-8");
    assert_int_equal(dq_bundle_init(&b, "strange\xff", 0, NULL), DQ_OK);
    refuse(&b, DQ_ERR_FORMAT, "not UTF-8");
    make_side(&b, "users");
    assert_true(dq_map_set(&b.arena, &b.meta, "note", dq_string(&b.arena, "\xe9t\xe9")));
    refuse(&b, DQ_ERR_FORMAT, "not UTF-8");
}

static void wrong_order(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    (void)unlink(path);
    dq_writer *w = start(path, NULL);
    make_side(&b, "items");
    put(w, &b);
    assert_int_equal(dq_bundle_init(&b, "strange", 0, &e), DQ_OK); /* may stand anywhere */
    put(w, &b);
    make_side(&b, "users");
    assert_int_equal(dq_writer_put(w, &b, &e), DQ_ERR_SCHEMA);
    dq_bundle_free(&b);
    dq_writer_abort(w);
    assert_int_equal(access(path, F_OK), -1);
}

/* A chain of forty programs: the tree of makers is cut where the format's depth ends, and stays readable. */
static void deep_lineage(void **state)
{
    (void)state;
    write_all(path);
    for (int i = 0; i < 40; i++) {
        dq_error e = DQ_ERROR_NONE;
        dq_reader *r;
        dq_bundle b;
        const char *const paths[] = {path};
        assert_int_equal(dq_reader_open(&r, paths, 1, &e), DQ_OK);
        dq_writer *w = start(other, r);
        while (dq_reader_next(r, &b, &e) > 0) put(w, &b);
        assert_int_equal(dq_writer_close(w, &e), DQ_OK);
        dq_reader_close(r);
        assert_int_equal(rename(other, path), 0);
    }
    dq_error e;
    assert_int_equal(count_in(path, &e), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),      cmocka_unit_test(reproducible),   cmocka_unit_test(concatenation),
        cmocka_unit_test(next_section),    cmocka_unit_test(wrong_order),    cmocka_unit_test(cut_everywhere),
        cmocka_unit_test(flip_everywhere), cmocka_unit_test(garbage_behind), cmocka_unit_test(writer_refuses),
        cmocka_unit_test(deep_lineage),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
