/* SPDX-License-Identifier: MIT */
#include "rollout/visitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static dq_visitor *open_visitor(uint64_t seed)
{
    dq_visitor *v;
    assert_int_equal(dq_visitor_open(&v, "session:users=10,items=20", seed, NULL), DQ_OK);
    return v;
}

/* A session in words: who, and what he clicked of items 0, 1, 2 ... */
static void live(dq_visitor *v, uint64_t session, char words[64])
{
    assert_int_equal(dq_visitor_begin(v, session, NULL), DQ_OK);
    (void)snprintf(words, 64, "%s ", dq_visitor_user(v));
    for (int i = 0; !dq_visitor_left(v); i++) {
        char item[8];
        dq_visitor_look look;
        (void)snprintf(item, sizeof item, "i%02d", i % 20);
        assert_int_equal(dq_visitor_look_at(v, item, strlen(item), &look, NULL), DQ_OK);
        assert_true(look.clicked == (look.reward > 0));
        strcat(words, look.clicked ? "x" : ".");
    }
}

static void a_session_follows_from_its_number(void **state)
{
    (void)state;
    dq_visitor *a = open_visitor(1), *b = open_visitor(1), *c = open_visitor(2);
    char first[64], again[64], other[64];
    int differ = 0, users = 0;
    for (uint64_t s = 0; s < 8; s++) {
        live(a, s, first);
        live(b, 7 - s, again);
        live(b, s, again); /* whatever came before */
        live(c, s, other);
        assert_string_equal(first, again);
        assert_int_equal(strlen(first), strlen("u0 ") + 10); /* ten items a session */
        differ += strcmp(first, other) != 0;
        live(a, s + 1, again);
        users += first[1] != again[1];
    }
    assert_true(differ > 4 && users > 3);
    dq_visitor_free(a);
    dq_visitor_free(b);
    dq_visitor_free(c);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    dq_visitor *v = open_visitor(1);
    dq_visitor_look look;
    dq_error e = DQ_ERROR_NONE;
    assert_true(dq_visitor_left(v)); /* nobody came yet */
    assert_int_equal(dq_visitor_look_at(v, "i01", 3, &look, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_visitor_begin(v, 0, NULL), DQ_OK);
    assert_int_equal(dq_visitor_look_at(v, "i77", 3, &look, &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.reason, "the world has no item 'i77'");
    dq_visitor_free(v);
    assert_int_equal(dq_visitor_open(&v, "cartpole", 1, NULL), DQ_ERR_UNSUPPORTED);
    dq_visitor_free(v);
    assert_int_equal(dq_visitor_open(&v, "nowhere", 1, NULL), DQ_ERR_UNKNOWN);
    dq_visitor_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_follows_from_its_number),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
