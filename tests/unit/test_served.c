/* SPDX-License-Identifier: MIT
 *
 * The catalogue that is served: taken by many, replaced as a whole.
 */
#include "serve/served.h"

#include "dq/stream.h"

#include "tables.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/dq-served-XXXXXX", path[64];

/* A catalogue of n users. */
static void write_catalogue(uint64_t n)
{
    static const char *const ids[] = {"a", "b", "c"};
    const dq_maker maker = {.program = "test", .version = "1", .seed = -1};
    dq_writer *w;
    dq_bundle b = table("users", n);
    add_texts(&b, "id", DQ_TEXT, ids);
    assert_int_equal(dq_writer_open(&w, path, &maker, NULL, 0, NULL), DQ_OK);
    assert_int_equal(dq_writer_put(w, &b, NULL), DQ_OK);
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
    dq_bundle_free(&b);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(path, sizeof path, "%s/c.dq", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static uint32_t count_users(dq_served_file *file)
{
    const dq_served *now = dq_served_take(file);
    uint32_t n = now->catalogue ? dq_entities_count(&now->catalogue->users) : 0;
    dq_served_release(now);
    return n;
}

static void what_was_taken_stays(void **state)
{
    (void)state;
    dq_served_file *file;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_served_open(&file, path, false, &e), DQ_ERR_IO);
    assert_null(file);
    assert_int_equal(dq_served_open(&file, path, true, NULL), DQ_OK); /* there may be none yet */
    const dq_served *none = dq_served_take(file);
    assert_null(none->catalogue);
    write_catalogue(1);
    assert_int_equal(dq_served_reload(file, NULL), DQ_OK);
    const dq_served *one = dq_served_take(file);
    write_catalogue(3);
    assert_int_equal(dq_served_reload(file, NULL), DQ_OK);
    assert_int_equal(count_users(file), 3);
    assert_null(none->catalogue);
    assert_int_equal(dq_entities_count(&one->catalogue->users), 1);
    assert_int_equal(one->generation, 1);
    dq_served_release(one);
    dq_served_release(none);
    assert_int_equal(truncate(path, 20), 0); /* a file that is broken leaves what there was */
    assert_int_not_equal(dq_served_reload(file, &e), DQ_OK);
    assert_int_equal(count_users(file), 3);
    assert_string_equal(dq_served_path(file), path);
    dq_served_close(file);
    dq_served_close(NULL);
}

static atomic_bool stop;

static void *read_on(void *file)
{
    while (!stop) {
        const dq_served *now = dq_served_take(file);
        uint32_t n = dq_entities_count(&now->catalogue->users);
        assert_true(n == 1 || n == 2); /* all of one, or all of the other */
        size_t bytes;
        assert_memory_equal(dq_entities_id(&now->catalogue->users, n - 1, &bytes), n == 1 ? "a" : "b", 1);
        dq_served_release(now);
    }
    return NULL;
}

static void readers_and_a_writer(void **state)
{
    (void)state;
    dq_served_file *file;
    pthread_t readers[4];
    write_catalogue(1);
    assert_int_equal(dq_served_open(&file, path, false, NULL), DQ_OK);
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&readers[i], NULL, read_on, file), 0);
    for (uint64_t i = 0; i < 50; i++) {
        write_catalogue(1 + i % 2);
        assert_int_equal(dq_served_reload(file, NULL), DQ_OK);
    }
    stop = true;
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_join(readers[i], NULL), 0);
    dq_served_close(file);
}

/* Of a made-up catalogue an integer is a number where it is no id. */
static void user_ids_are_strings_or_integers(void **state)
{
    (void)state;
    dq_served_file *file;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_maker maker = {.program = "dq-sim", .version = "1", .options = dq_map(), .seed = 1};
    dq_map_set(&arena, &maker.options, "users", dq_int(3));
    dq_map_set(&arena, &maker.options, "items", dq_int(3));
    static const char *const ids[] = {"u0", "u1", "0"};
    for (int made_up = 0; made_up < 2; made_up++) {
        dq_writer *w;
        maker.program = made_up ? "dq-sim" : "dq-export";
        dq_bundle b = table("users", 3);
        add_texts(&b, "id", DQ_TEXT, ids);
        assert_int_equal(dq_writer_open(&w, path, &maker, NULL, 0, NULL), DQ_OK);
        assert_int_equal(dq_writer_put(w, &b, NULL), DQ_OK);
        assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
        dq_bundle_free(&b);
        assert_int_equal(dq_served_open(&file, path, false, NULL), DQ_OK);
        const dq_served *now = dq_served_take(file);
        const dq_value text = dq_string(&arena, "1"), one = dq_int(1), none = dq_int(0), far = dq_int(3),
                       less = dq_int(-1), other = dq_bool(true);
        assert_int_equal(dq_served_is_made_up(now), made_up);
        assert_string_equal(dq_served_user_id(now, &text, &arena), "1");
        assert_string_equal(dq_served_user_id(now, &one, &arena), made_up ? "u1" : "1");
        assert_string_equal(dq_served_user_id(now, &none, &arena), "0"); /* an id */
        assert_string_equal(dq_served_user_id(now, &far, &arena), "3");
        assert_string_equal(dq_served_user_id(now, &less, &arena), "-1");
        assert_null(dq_served_user_id(now, &other, &arena));
        assert_null(dq_served_user_id(now, NULL, &arena));
        dq_served_release(now);
        dq_served_close(file);
    }
    dq_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_taken_stays),
        cmocka_unit_test(readers_and_a_writer),
        cmocka_unit_test(user_ids_are_strings_or_integers),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
