/* SPDX-License-Identifier: MIT
 *
 * Vectors in answers: which is which text's, and their numbers in both forms.
 */
#include "llm/vector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Places the vectors of a body; "0:7 1:8 " are their first numbers, or the error's words. */
static void place(const char *text, size_t n, dq_status expected, const char *words)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value body;
    const dq_value *vectors[8];
    dq_error e = DQ_ERROR_NONE;
    char said[200] = "";
    assert_int_equal(dq_json_parse(text, strlen(text), &arena, &body, &e), DQ_OK);
    assert_int_equal(dq_vectors_place(&body, n, vectors, &e), expected);
    for (size_t i = 0; !expected && i < n; i++)
        (void)snprintf(said + strlen(said), sizeof said - strlen(said), "%zu:%lld ", i,
                       vectors[i]->type == DQ_LIST ? (long long)dq_value_integer(&vectors[i]->as.list[0], -1)
                                                   : -1);
    assert_string_equal(expected ? e.reason : said, words);
    dq_arena_free(&arena);
}

#define ROW(index, number) "{\"index\":" #index ",\"embedding\":[" #number "]}"
#define BARE(number)       "{\"embedding\":[" #number "]}"
#define DATA(rows)         "{\"data\":[" rows "]}"

static void test_places(void **state)
{
    (void)state;
    place(DATA(ROW(0, 7) "," ROW(1, 8)), 2, DQ_OK, "0:7 1:8 ");
    place(DATA(ROW(2, 9) "," ROW(0, 7) "," ROW(1, 8)), 3, DQ_OK, "0:7 1:8 2:9 ");
    place(DATA(ROW(1, 8) "," BARE(7)), 2, DQ_OK, "0:7 1:8 "); /* 0 is left out */
    place(DATA(BARE(7)), 1, DQ_OK, "0:7 ");
    place(DATA(ROW(5, 7)), 1, DQ_OK, "0:7 ");
    place(DATA("{\"index\":0}," ROW(1, 8)), 2, DQ_OK, "0:-1 1:8 "); /* unreadable, as the text's answer */
}

static void test_nothing_is_guessed(void **state)
{
    (void)state;
    place(DATA(ROW(0, 7)), 2, DQ_ERR_SCHEMA, "1 vectors for 2 texts (--batch 1 asks for one)");
    place(DATA(ROW(0, 7) "," ROW(1, 8)), 1, DQ_ERR_SCHEMA, "2 vectors for 1 texts (--batch 1 asks for one)");
    place(DATA(""), 1, DQ_ERR_SCHEMA, "0 vectors for 1 texts (--batch 1 asks for one)");
    place(DATA(ROW(0, 7) "," ROW(0, 8)), 2, DQ_ERR_SCHEMA,
          "two vectors of 2 have the index 0 (--batch 1 asks for one)");
    const char *strays = "2 of 2 vectors have no index, or one out of range (--batch 1 asks for one)";
    const char *stray = "1 of 2 vectors have no index, or one out of range (--batch 1 asks for one)";
    place(DATA(BARE(7) "," BARE(8)), 2, DQ_ERR_SCHEMA, strays);
    place(DATA(ROW(0, 7) "," BARE(8)), 2, DQ_ERR_SCHEMA, stray); /* its index would be 1 */
    place(DATA(ROW(1, 7) "," ROW(2, 8)), 2, DQ_ERR_SCHEMA, stray);
    place(DATA(ROW(1, 7) "," ROW(-1, 8)), 2, DQ_ERR_SCHEMA, stray);
    place(DATA(ROW("0", 7) "," ROW("1", 8)), 2, DQ_ERR_SCHEMA, strays);
    place("{\"embeddings\":[[1]]}", 1, DQ_ERR_FORMAT, "no data");
    place("{\"data\":{}}", 1, DQ_ERR_FORMAT, "no data");
}

/* Reads {"embedding":...}; the numbers, or "" for none. */
static void read(const char *text, const char *expected)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    uint32_t width;
    char said[100] = "";
    const float *numbers = dq_vector_read(text, strlen(text), &arena, &width);
    for (uint32_t i = 0; numbers && i < width; i++)
        (void)snprintf(said + strlen(said), sizeof said - strlen(said), "%g ", (double)numbers[i]);
    assert_string_equal(said, expected);
    dq_arena_free(&arena);
}

static void test_numbers(void **state)
{
    (void)state;
    read("{\"embedding\":[1,-2.5,3e2]}", "1 -2.5 300 ");
    read("{\"embedding\":\"AACAPwAAAMA=\"}", "1 -2 "); /* struct.pack("<2f", 1, -2) */
    read("{\"embedding\":\"AACAPwAAAMA\"}", "1 -2 ");
    read("{\"embedding\":[]}", "");
    read("{\"embedding\":\"\"}", "");
    read("{\"embedding\":null}", "");
    read("{\"embedding\":[1,null]}", "");
    read("{\"embedding\":[1e39]}", "");       /* beyond float32 */
    read("{\"embedding\":\"AACAPwAA\"}", ""); /* six bytes */
    read("{\"embedding\":\"AAC?PwAAAMA=\"}", "");
    read("{\"embedding\":\"AACAfwAAAMA=\"}", ""); /* infinity */
    read("{}", "");
    read("half {", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_places),
                                       cmocka_unit_test(test_nothing_is_guessed),
                                       cmocka_unit_test(test_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
