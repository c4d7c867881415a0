/* SPDX-License-Identifier: MIT
 *
 * Models as what differs from their start: what is left out, what comes back, and what is refused.
 */
#include "core/delta/delta.h"
#include "dq/schema.h"
#include "dq/stream.h"
#include "wire/delta/starts.h"

#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 50, WIDTH = 3 };

static char folder[] = "/tmp/dq-delta-XXXXXX", file[64];
static const dq_maker maker = {.program = "test", .version = "1", .options = {.type = DQ_MAP}, .seed = 7};

static float matrix[ROWS * WIDTH], bias[ROWS], other[4] = {1, 2, 3, 4};

static void add(dq_bundle *b, const char *name, unsigned dims, uint64_t rows, uint64_t width,
                const float *data)
{
    const uint64_t shape[2] = {rows, width};
    assert_int_equal(dq_bundle_add_tensor(b, name, DQ_F4, dims, shape, data, NULL), DQ_OK);
}

/* With two columns, and of the metadata two entries. */
static dq_bundle model_of(const float *weight, const float *bias_at, int64_t step)
{
    dq_bundle b = table(DQ_KIND_MODEL, 0);
    add(&b, "q.weight", 2, ROWS, WIDTH, weight);
    add(&b, "q.bias", 1, ROWS, 0, bias_at);
    assert_true(dq_map_set(&b.arena, &b.meta, "architecture", dq_string(&b.arena, "dqn")));
    assert_true(dq_map_set(&b.arena, &b.meta, "step", dq_int(step)));
    return b;
}

static void write_model(const char *path, const dq_bundle *model)
{
    dq_writer *w;
    assert_int_equal(dq_writer_open(&w, path, &maker, NULL, 0, NULL), DQ_OK);
    assert_int_equal(dq_writer_put(w, model, NULL), DQ_OK);
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
}

/* The first model of a file, with starts that are looked for beside it, or as it is. */
static int read_model(const char *path, dq_bundle *model, bool follow, dq_error *error)
{
    dq_reader *reader;
    dq_starts starts = {0};
    assert_int_equal(dq_reader_open(&reader, &path, 1, error), DQ_OK);
    if (follow) dq_starts_follow(&starts, reader);
    int got = dq_reader_next(reader, model, error);
    dq_starts_free(&starts);
    dq_reader_close(reader);
    return got;
}

/* As it comes back out of a file. */
static dq_bundle filed(dq_bundle model)
{
    dq_bundle read;
    write_model(file, &model);
    dq_bundle_free(&model);
    assert_int_equal(read_model(file, &read, false, NULL), 1);
    return read;
}

static dq_bundle the_start(void)
{
    for (size_t i = 0; i < ROWS * WIDTH; i++) matrix[i] = (float)i / 7;
    for (size_t i = 0; i < ROWS; i++) bias[i] = -(float)i;
    return filed(model_of(matrix, bias, 3));
}

static void assert_same(const dq_bundle *a, const dq_bundle *b)
{
    assert_true(dq_value_equal(&a->meta, &b->meta));
    assert_int_equal(a->column_count, b->column_count);
    for (size_t i = 0; i < a->column_count; i++) {
        const dq_column *x = &a->columns[i], *y = &b->columns[i];
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->type, y->type);
        assert_int_equal(x->dims, y->dims);
        assert_memory_equal(x->shape, y->shape, x->dims * sizeof *x->shape);
        assert_int_equal(x->bytes, y->bytes);
        assert_memory_equal(x->data, y->data, x->bytes);
    }
}

/* Makes a delta, has it read from a file, and the model from that; returns the delta. */
static dq_bundle around(const dq_bundle *start, const dq_bundle *model)
{
    dq_bundle delta, whole;
    assert_int_equal(dq_delta_make(&delta, start, model, NULL), DQ_OK);
    delta = filed(delta);
    assert_true(dq_delta_is(&delta) && !dq_delta_is(model));
    assert_int_equal(dq_delta_expand(&whole, start, &delta, NULL), DQ_OK);
    assert_same(&whole, model);
    dq_bundle_free(&whole);
    return delta;
}

static void what_is_the_same_is_left_out(void **state)
{
    (void)state;
    dq_bundle start = the_start(), model = model_of(matrix, bias, 3), delta = around(&start, &model);
    assert_int_equal(delta.column_count, 0);
    assert_int_equal(delta.meta.count, 1);
    dq_bundle_free(&delta);
    dq_bundle_free(&model);

    float weight[ROWS * WIDTH], zero[ROWS];
    memcpy(weight, matrix, sizeof weight);
    memcpy(zero, bias, sizeof zero);
    for (size_t j = 0; j < WIDTH; j++) {
        weight[5 * WIDTH + j] += 1;
        weight[49 * WIDTH + j] *= -1;
    }
    zero[0] = 0; /* which was -0: other bits */
    model = model_of(weight, zero, 4);
    delta = around(&start, &model);
    const dq_column *rows = dq_bundle_column(&delta, "delta.q.weight"),
                    *of = dq_bundle_column(&delta, "q.weight");
    assert_int_equal(rows->shape[0], 2);
    assert_int_equal(((const uint32_t *)rows->data)[1], 49);
    assert_int_equal(of->shape[0], 2);
    assert_int_equal(of->shape[1], WIDTH);
    assert_int_equal(dq_bundle_column(&delta, "delta.q.bias")->shape[0], 1);
    assert_int_equal(dq_value_integer(dq_map_get(&delta.meta, "step"), 0), 4);
    assert_null(dq_map_get(&delta.meta, "architecture"));
    dq_bundle_free(&delta);
    dq_bundle_free(&model);
    dq_bundle_free(&start);
}

/* A number in each row: inputs that alone were not zero. */
static void single_numbers_are_fewer_than_rows(void **state)
{
    (void)state;
    dq_bundle start = the_start();
    float weight[ROWS * WIDTH];
    memcpy(weight, matrix, sizeof weight);
    for (size_t r = 0; r < ROWS; r++) weight[r * WIDTH + 2] += 1;
    dq_bundle model = model_of(weight, bias, 3), delta = around(&start, &model);
    const dq_column *numbers = dq_bundle_column(&delta, "delta.q.weight"),
                    *of = dq_bundle_column(&delta, "q.weight");
    assert_int_equal(of->dims, 1);
    assert_int_equal(of->shape[0], ROWS);
    assert_int_equal(((const uint32_t *)numbers->data)[1], WIDTH + 2);
    dq_bundle_free(&delta);
    dq_bundle_free(&model);
    dq_bundle_free(&start);
}

static void what_is_all_new_is_whole(void **state)
{
    (void)state;
    float weight[ROWS * WIDTH];
    dq_bundle start = the_start();
    for (size_t i = 0; i < ROWS * WIDTH; i++) weight[i] = matrix[i] + 1;
    dq_bundle model = model_of(weight, bias, 3);
    add(&model, "more", 2, 2, 2, other); /* the start has none */
    assert_true(dq_map_set(&model.arena, &model.meta, "user", dq_string(&model.arena, "u")));
    dq_bundle delta = around(&start, &model);
    assert_int_equal(delta.column_count, 2);
    assert_null(dq_bundle_column(&delta, "delta.q.weight"));
    dq_bundle_free(&delta);
    dq_bundle_free(&model);

    model = table(DQ_KIND_MODEL, 0); /* another shape, and without the start's bias and metadata */
    add(&model, "q.weight", 2, WIDTH, ROWS, matrix);
    delta = around(&start, &model);
    dq_bundle_free(&delta);
    dq_bundle_free(&model);
    dq_bundle_free(&start);
}

/* Whose it is stays, though the start is his, too. */
static void whose_it_is_stays(void **state)
{
    (void)state;
    dq_bundle start = model_of(matrix, bias, 3);
    assert_true(dq_map_set(&start.arena, &start.meta, "user", dq_string(&start.arena, "u")));
    start = filed(start);
    dq_bundle delta = around(&start, &start);
    assert_true(dq_value_is(dq_map_get(&delta.meta, "user"), "u"));
    dq_bundle_free(&delta);
    dq_bundle_free(&start);
}

static void another_start_is_refused(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_bundle start = the_start(), model = model_of(matrix, bias, 4), delta, whole;
    assert_int_equal(dq_delta_make(&delta, &start, &model, NULL), DQ_OK);
    dq_bundle another = filed(model_of(matrix, bias, 4));
    assert_int_equal(dq_delta_expand(&whole, &another, &delta, &e), DQ_ERR_RANGE);
    assert_non_null(strstr(e.reason, "it started from the model"));
    assert_int_equal(dq_delta_make(&whole, &model, &model, NULL), DQ_ERR_UNSUPPORTED); /* never in a file */
    delta = filed(delta);
    assert_int_equal(dq_delta_make(&whole, &delta, &model, NULL), DQ_ERR_UNSUPPORTED);
    assert_int_equal(dq_delta_refuse(&delta, &e), DQ_ERR_UNSUPPORTED);
    assert_non_null(strstr(e.reason, "dq-cat --start"));
    assert_int_equal(dq_delta_refuse(&start, NULL), DQ_OK);
    dq_bundle_free(&delta);
    dq_bundle_free(&another);
    dq_bundle_free(&model);
    dq_bundle_free(&start);
}

/* A delta of the start, whose parts a test sets by hand. */
static dq_bundle made_up(const dq_bundle *start, const char *digest, const char *const *columns)
{
    dq_bundle b = table(DQ_KIND_MODEL, 0);
    dq_value map = dq_map(), names = dq_list();
    char digits[17];
    (void)snprintf(digits, sizeof digits, "%016llx", (unsigned long long)start->body_hash);
    for (; *columns; columns++) assert_true(dq_list_add(&b.arena, &names, dq_string(&b.arena, *columns)));
    assert_true(dq_map_set(&b.arena, &map, "start", dq_string(&b.arena, digest ? digest : digits)) &&
                dq_map_set(&b.arena, &map, "columns", names) &&
                dq_map_set(&b.arena, &map, "meta", dq_list()) && dq_map_set(&b.arena, &b.meta, "delta", map));
    return b;
}

static void assert_unsound(const dq_bundle *start, dq_bundle *delta)
{
    dq_bundle whole;
    assert_int_equal(dq_delta_expand(&whole, start, delta, NULL), DQ_ERR_SCHEMA);
    assert_null(whole.columns);
    dq_bundle_free(delta);
}

static void damage_is_refused(void **state)
{
    (void)state;
    static const uint32_t behind[2] = {1, ROWS}, twice[2] = {4, 4}, fine[2] = {4, 5};
    const uint32_t *const rows[] = {behind, twice};
    const uint64_t two = 2;
    dq_bundle start = the_start(), d;
    d = made_up(&start, "0123", TEXTS("q.bias", NULL));
    assert_unsound(&start, &d);
    d = made_up(&start, "000000000000000G", TEXTS("q.bias", NULL));
    assert_unsound(&start, &d);
    d = made_up(&start, NULL, TEXTS("nobody's", NULL));
    assert_unsound(&start, &d);
    d = made_up(&start, NULL, TEXTS("q.bias", "q.bias", NULL));
    dq_bundle whole;
    assert_int_equal(dq_delta_expand(&whole, &start, &d, NULL), DQ_ERR_DUPLICATE);
    dq_bundle_free(&d);
    for (int times = 1; times <= 2; times++) { /* an entry that is named twice */
        d = made_up(&start, NULL, TEXTS("q.bias", NULL));
        dq_value map = *dq_map_get(&d.meta, "delta"), keys = dq_list();
        for (int i = 0; i < times; i++)
            assert_true(dq_list_add(&d.arena, &keys, dq_string(&d.arena, "step")));
        assert_true(dq_map_set(&d.arena, &map, "meta", keys));
        if (times == 2) {
            assert_unsound(&start, &d);
            continue;
        }
        assert_int_equal(dq_delta_expand(&whole, &start, &d, NULL), DQ_OK);
        dq_bundle_free(&whole);
        dq_bundle_free(&d);
    }
    for (size_t i = 0; i < 2; i++) {
        d = made_up(&start, NULL, TEXTS("q.bias", NULL));
        add(&d, "q.bias", 1, 2, 0, other);
        assert_int_equal(dq_bundle_add_tensor(&d, "delta.q.bias", DQ_U4, 1, &two, rows[i], NULL), DQ_OK);
        assert_unsound(&start, &d);
    }
    for (uint64_t width = WIDTH - 2; width <= WIDTH - 1; width++) { /* rows of another width */
        d = made_up(&start, NULL, TEXTS("q.weight", NULL));
        add(&d, "q.weight", 2, 2, width, other);
        assert_int_equal(dq_bundle_add_tensor(&d, "delta.q.weight", DQ_U4, 1, &two, fine, NULL), DQ_OK);
        assert_unsound(&start, &d);
    }
    d = made_up(&start, NULL, TEXTS("q.bias", NULL)); /* a column that is not named */
    add(&d, "q.weight", 2, 1, WIDTH, other);
    assert_unsound(&start, &d);
    d = made_up(&start, NULL, TEXTS("q.bias", NULL)); /* and an entry */
    assert_true(dq_map_set(&d.arena, &d.meta, "step", dq_int(9)));
    assert_unsound(&start, &d);
    dq_value twice_named = dq_list();
    d = made_up(&start, NULL, TEXTS("q.bias", NULL));
    for (size_t i = 0; i < 2; i++)
        assert_true(dq_list_add(&d.arena, &twice_named, dq_string(&d.arena, "step")));
    dq_value map = *dq_map_get(&d.meta, "delta");
    assert_true(dq_map_set(&d.arena, &map, "meta", twice_named) &&
                dq_map_set(&d.arena, &d.meta, "delta", map));
    assert_unsound(&start, &d);
    d = made_up(&start, NULL, TEXTS("q.bias", NULL)); /* rows, and nothing that they are */
    assert_int_equal(dq_bundle_add_tensor(&d, "delta.q.bias", DQ_U4, 1, &two, fine, NULL), DQ_OK);
    assert_unsound(&start, &d);
    dq_bundle_free(&start);
}

static void the_start_is_found_beside_the_file(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    float moved[ROWS];
    dq_bundle start = the_start(), delta, read;
    memcpy(moved, bias, sizeof moved);
    moved[7] = 1;
    dq_bundle model = model_of(matrix, moved, 3);
    assert_int_equal(dq_delta_make(&delta, &start, &model, NULL), DQ_OK);
    write_model(file, &delta);
    dq_bundle_free(&delta);

    assert_int_equal(read_model(file, &read, true, &e), -1);
    assert_int_equal(e.status, DQ_ERR_UNKNOWN);
    assert_non_null(strstr(e.reason, "dq-cat --start MODEL"));
    char *path = dq_starts_path(folder, start.body_hash);
    write_model(path, &model); /* another one under its name */
    assert_int_equal(read_model(file, &read, true, &e), -1);
    assert_int_equal(e.status, DQ_ERR_RANGE);
    write_model(path, &start);
    assert_int_equal(read_model(file, &read, true, &e), 1);
    assert_same(&read, &model);
    dq_bundle_free(&read);
    assert_int_equal(truncate(path, 30), 0);
    assert_int_equal(read_model(file, &read, true, &e), -1);
    assert_int_equal(unlink(path), 0);
    free(path);
    dq_bundle_free(&model);
    dq_bundle_free(&start);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(file, sizeof file, "%s/model.dq", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return unlink(file) || rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_numbers_are_fewer_than_rows), cmocka_unit_test(what_is_the_same_is_left_out),
        cmocka_unit_test(what_is_all_new_is_whole),           cmocka_unit_test(whose_it_is_stays),
        cmocka_unit_test(another_start_is_refused),           cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(the_start_is_found_beside_the_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
