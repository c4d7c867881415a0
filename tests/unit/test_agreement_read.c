/* SPDX-License-Identifier: MIT */
#include "text_file.h"

#include "label/agreement_read.h"

#include "memory.h"

/* Rows that name no user or no item have labels of nothing; they are counted. */
static void labels_of_nothing_are_counted(void **state)
{
    (void)state;
    const dq_maker maker = {.program = "dq-reward", .version = "1", .seed = -1};
    static const uint32_t user[] = {0}, item[] = {1};
    static const float reward[] = {1, 0, 0};
    dq_labelled l = {0};
    dq_error e = DQ_ERROR_NONE;
    dq_writer *w;
    dq_bundle users = table("users", 1), items = table("items", 2), b = table("transitions", 1),
              dense = table("transitions", 3);
    add_texts(&users, "id", DQ_TEXT, TEXTS("u"));
    add_texts(&items, "id", DQ_TEXT, TEXTS("x", "y"));
    add_numbers(&b, "user", DQ_U4, user, "users", NULL);
    add_numbers(&b, "item", DQ_U4, item, "items", NULL);
    add_texts(&b, "label", DQ_TEXT, TEXTS("SAVE"));
    add_numbers(&dense, "reward", DQ_F4, reward, NULL, NULL); /* of a state, not of a user and an item */
    add_texts(&dense, "label", DQ_TEXT, TEXTS("APPLY", NULL, "SAVE"));
    assert_int_equal(dq_writer_open(&w, path, &maker, NULL, 0, NULL), DQ_OK);
    put(w, users);
    put(w, items);
    put(w, b);
    put(w, dense);
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
    if (dq_labelled_read(&l, path, &e)) fail_msg("%s", e.reason);
    assert_int_equal(l.rater[0].labelled, 1);
    assert_int_equal(l.rater[0].nameless, 2);
    dq_labelled_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(labels_of_nothing_are_counted)};
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
