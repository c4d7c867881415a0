/* SPDX-License-Identifier: MIT
 *
 * Rows into blocks: nulls count towards a block's bytes, and many names are found at once.
 */
#include "import/block.h"

#include "core/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

typedef struct bytes {
    char *data;
    size_t n, at, room;
} bytes;

static dq_status write_bytes(void *arg, const void *data, size_t n, dq_error *error)
{
    bytes *b = arg;
    (void)error;
    assert_true(dq_array_reserve(&b->data, &b->room, b->n + n, 1));
    memcpy(b->data + b->n, data, n);
    b->n += n;
    return DQ_OK;
}

static dq_status read_bytes(void *arg, void *to, size_t n, size_t *got, dq_error *error)
{
    bytes *b = arg;
    (void)error;
    *got = b->n - b->at < n ? b->n - b->at : n;
    memcpy(to, b->data + b->at, *got);
    b->at += *got;
    return DQ_OK;
}

/* A user with one attribute aN, or with none (N < 0). */
static void put_user(dq_import_block *block, int number, int attribute, dq_arena *arena)
{
    char id[16], name[16];
    dq_error e = DQ_ERROR_NONE;
    dq_import_entity user = {.texts = dq_map(), .attributes = dq_map()};
    user.id = (dq_import_id){.kind = DQ_ID_STRING, .text = id};
    user.id.bytes = (size_t)snprintf(id, sizeof id, "u%d", number);
    (void)snprintf(name, sizeof name, "a%d", attribute);
    if (attribute >= 0) assert_true(dq_map_set(arena, &user.attributes, name, dq_int(1)));
    if (dq_import_block_entity(block, &user, &e)) fail_msg("%s", e.reason);
    dq_arena_free(arena);
}

enum { NAMES = 2000, ROWS = 100000 };

static void write_users(bytes *stream, int step)
{
    const dq_maker maker = {.program = "test", .version = "1", .seed = -1};
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    const dq_import_layout layout = {.known = true};
    dq_import_target target = {0};
    dq_import_block *block;
    dq_sink *sink;
    assert_int_equal(dq_sink_open_fn(&sink, "memory", DQ_SINK_ZSTD, write_bytes, stream, &e), DQ_OK);
    assert_int_equal(dq_writer_open_sink(&target.writer, sink, &maker, NULL, 0, &e), DQ_OK);
    assert_int_equal(dq_import_block_new(&block, DQ_KIND_USERS, &layout, &target, &e), DQ_OK);
    for (int i = 0; i < ROWS; i++)
        put_user(block, i, step || i < NAMES ? (i + i * step) % NAMES : -1, &arena);
    assert_int_equal(dq_import_block_finish(block, &e), DQ_OK);
    dq_import_block_free(block);
    assert_int_equal(dq_writer_close(target.writer, &e), DQ_OK);
}

/* All rows are there, in blocks whose texts and nulls take some megabytes. */
static void check_users(bytes *stream)
{
    dq_error e = DQ_ERROR_NONE;
    dq_source *source;
    dq_reader *reader;
    dq_bundle b;
    uint64_t rows = 0, values = 0;
    assert_int_equal(dq_source_open_fn(&source, "memory", read_bytes, stream, &e), DQ_OK);
    assert_int_equal(dq_reader_open_source(&reader, source, &e), DQ_OK);
    while (dq_reader_next(reader, &b, &e) > 0) {
        assert_true(b.rows * b.column_count * sizeof(uint32_t) < 4 << 20);
        rows += b.rows;
        for (size_t c = 1; c < b.column_count; c++)
            for (uint64_t r = 0; r < b.rows; r++) values += !dq_column_is_null(&b.columns[c], r);
        dq_bundle_free(&b);
    }
    assert_int_equal(e.status, DQ_OK);
    assert_int_equal(rows, ROWS);
    assert_true(values == ROWS || values == NAMES);
    dq_reader_close(reader);
    free(stream->data);
}

/* Two thousand users with a name each, and then many with none: 800 MB of nulls, if they were one block. */
static void nulls_are_bytes(void **state)
{
    (void)state;
    bytes stream = {0};
    write_users(&stream, 0);
    check_users(&stream);
}

/* Names that never come in the order of the last row. */
static void names_in_any_order(void **state)
{
    (void)state;
    bytes stream = {0};
    clock_t began = clock();
    write_users(&stream, 6);
    check_users(&stream);
    assert_true(clock() - began < 8 * CLOCKS_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nulls_are_bytes),
        cmocka_unit_test(names_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
