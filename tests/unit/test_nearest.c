/* SPDX-License-Identifier: MIT */
#include "core/words/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t distance(const char *a, const char *b)
{
    return dq_word_distance(a, strlen(a), b);
}

/* Damerau's four faults cost 1 each; the values of longer ones are those of the optimal string alignment. */
static void distances(void **state)
{
    (void)state;
    assert_int_equal(distance("", ""), 0);
    assert_int_equal(distance("", "abc"), 3);
    assert_int_equal(distance("abc", ""), 3);
    assert_int_equal(distance("model", "model"), 0);
    assert_int_equal(distance("modl", "model"), 1);   /* one left out */
    assert_int_equal(distance("moddel", "model"), 1); /* one too many */
    assert_int_equal(distance("modem", "model"), 1);  /* one changed */
    assert_int_equal(distance("modle", "model"), 1);  /* neighbours changed places */
    assert_int_equal(distance("kitten", "sitting"), 3);
    assert_int_equal(distance("saturday", "sunday"), 3);
    assert_int_equal(distance("ca", "abc"), 3); /* no part is changed twice */
    assert_int_equal(distance("saturday", "sunday"), distance("sunday", "saturday"));
}

/* Against the definition, by recursion, for all pairs of words of a, b up to five letters. */
static size_t defined(const char *a, size_t n, const char *b, size_t m)
{
    if (n == 0 || m == 0) return n + m;
    size_t best = defined(a, n - 1, b, m - 1) + (a[n - 1] != b[m - 1]);
    size_t out = defined(a, n - 1, b, m) + 1, in = defined(a, n, b, m - 1) + 1;
    if (out < best) best = out;
    if (in < best) best = in;
    if (n > 1 && m > 1 && a[n - 1] == b[m - 2] && a[n - 2] == b[m - 1]) {
        size_t swap = defined(a, n - 2, b, m - 2) + 1;
        if (swap < best) best = swap;
    }
    return best;
}

static void spell(unsigned number, char word[8])
{
    size_t n = 0;
    for (; number > 1; number /= 2) word[n++] = number & 1 ? 'a' : 'b';
    word[n] = '\0';
}

static void distances_as_defined(void **state)
{
    (void)state;
    char a[8], b[8];
    for (unsigned i = 1; i < 64; i++)
        for (unsigned j = 1; j < 64; j++) {
            spell(i, a);
            spell(j, b);
            assert_int_equal(distance(a, b), defined(a, strlen(a), b, strlen(b)));
        }
}

static void nearest(void **state)
{
    (void)state;
    static const char *const words[] = {"online", "offline", "model", "top", "by", NULL};
    const struct {
        const char *word, *near;
    } cases[] = {{"modle", "model"}, {"ofline", "offline"}, {"onlin", "online"}, {"tpo", "top"},
                 {"off", "offline"}, {"bz", NULL},          {"o", NULL},         {"nothing", NULL},
                 {"", NULL},         {"model", "model"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = dq_nearest(cases[i].word, strlen(cases[i].word), dq_word_in, words);
        if (!cases[i].near)
            assert_null(found);
        else
            assert_string_equal(found, cases[i].near);
    }
    assert_string_equal(dq_hint_of("modle=3", 5, dq_word_in, words).words, "; did you mean model?");
    assert_string_equal(dq_hint_of("nothing", 7, dq_word_in, words).words, "");
    static const char *const parts[] = {"all", "random:", NULL};
    assert_string_equal(dq_hint_of_first("randon:7", ':', dq_word_in, parts).words,
                        "; did you mean random:?");
    assert_string_equal(dq_hint_of_first("al", ':', dq_word_in, parts).words, "; did you mean all?");
    assert_string_equal(dq_hint_of_first("random:x", ':', dq_word_in, parts).words, "");
    assert_string_equal(dq_hint_of_first("", ':', dq_word_in, parts).words, "");
}

static void long_words(void **state)
{
    (void)state;
    char word[200];
    memset(word, 'x', sizeof word);
    word[sizeof word - 1] = '\0';
    const char *const words[] = {word, "x", NULL};
    assert_int_equal(distance(word, "x"), SIZE_MAX);
    assert_int_equal(dq_word_distance("x", 1, word), SIZE_MAX);
    assert_null(dq_nearest("yyy", 3, dq_word_in, words));
    dq_hint hint = dq_hint_of("xxx", 3, dq_word_in, words);
    assert_true(strlen(hint.words) < sizeof hint.words); /* cut, not overrun */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(distances_as_defined),
        cmocka_unit_test(nearest),
        cmocka_unit_test(long_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
