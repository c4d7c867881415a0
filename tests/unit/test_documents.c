/* SPDX-License-Identifier: MIT
 *
 * JSON documents as lines, one after the other, and as elements of arrays, in pieces of any size; what is
 * damaged costs itself alone, and what is cut off is never a short answer.
 */
#include "port/files/documents.h"

#include "port/files/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pieces.h"

/* Documents are printed as LINE:JSON, bad ones as LINE:? and those that are not UTF-8 as LINE:8, a broken end
 * as LINE!REASON, one a line. */
static void print(dq_documents *d, char *got, size_t size)
{
    size_t used = 0;
    int answer;
    do {
        dq_arena arena = DQ_ARENA_EMPTY;
        dq_json_text text = DQ_JSON_TEXT_EMPTY;
        dq_error e = DQ_ERROR_NONE;
        dq_value v;
        answer = d->next(d, &arena, &v, &e);
        if (answer == DQ_DOCUMENT) assert_int_equal(dq_json_write(&text, &v, &e), DQ_OK);
        if (answer != DQ_DOCUMENT_END)
            used += (size_t)snprintf(got + used, size - used, "%d", (int)d->record);
        if (answer == DQ_DOCUMENT)
            used += (size_t)snprintf(got + used, size - used, ":%.*s\n", (int)text.bytes, text.data);
        else if (answer != DQ_DOCUMENT_END)
            used += (size_t)snprintf(got + used, size - used, "%s%s\n",
                                     answer < 0                  ? "!"
                                     : answer == DQ_DOCUMENT_BAD ? ":?"
                                                                 : ":8",
                                     answer < 0 ? e.reason : "");
        assert_true(used < size);
        dq_json_text_free(&text);
        dq_arena_free(&arena);
    } while (answer > 0);
}

static void reads(const char *text, const char *expected)
{
    size_t n = strlen(text);
    for (size_t size = 1; size <= n + 1; size++) {
        pieces p = {text, n, size};
        dq_source *source;
        dq_documents d;
        char got[1024] = "";
        dq_error e = DQ_ERROR_NONE;
        assert_int_equal(dq_source_open_fn(&source, "it", give, &p, &e), DQ_OK);
        assert_int_equal(dq_documents_open_json(&d, source, &e), DQ_OK);
        print(&d, got, sizeof got);
        assert_string_equal(got, expected);
        d.close(&d);
    }
}

static void lines(void **state)
{
    (void)state;
    reads("", "");
    reads("\n \n", "");
    reads("{\"a\":1}\n\n{\"a\":2}\r\n", "1:{\"a\":1}\n3:{\"a\":2}\n");
    reads("\xef\xbb\xbf{\"a\":1}\n\xef\xbb\xbf{\"a\":2}", "1:{\"a\":1}\n2:{\"a\":2}\n");
    reads("\n\n {\"a\":1}\nnot json\n[1]\n{\"a\":\"\xff\"}\n{\"a\":2}\n",
          "3:{\"a\":1}\n4:?\n5:?\n6:8\n7:{\"a\":2}\n");
    reads("{\"a\":\"x\n{\"a\":2}\n", "1:?\n2:{\"a\":2}\n"); /* the first line is damaged */
    reads("{'a': 1}\n{\"a\":2}\n", "1:?\n2:{\"a\":2}\n");
    reads("{\"a\":1}\n{\"a\":{\n{\"a\":2}\n", "1:{\"a\":1}\n2:?\n3:{\"a\":2}\n");
}

static void documents_over_lines(void **state)
{
    (void)state;
    reads("{\n  \"a\": 1\n}\n{\n  \"a\": [\n    \"}{\"\n  ]\n}\n", "1:{\"a\":1}\n4:{\"a\":[\"}{\"]}\n");
    reads("{\"a\":1}{\"a\":2}\n{\"a\":3}", "1:{\"a\":1}\n1:{\"a\":2}\n2:{\"a\":3}\n");
    reads("{\"a\":1,\n{\"a\":2}\n{\"a\":3}\n", "1:?\n2:{\"a\":2}\n3:{\"a\":3}\n");
    reads("{\n\"a\":[1,2\n{\"a\":2}\n", "1:?\n3:{\"a\":2}\n");
    reads("{\n\"a\":\"\\\"\\\\\"}\n", "1:{\"a\":\"\\\"\\\\\"}\n");
}

static void arrays(void **state)
{
    (void)state;
    reads("[]", "");
    reads(" [ ]\n[]\n", "");
    reads("[{\"a\":1},{\"a\":[2,{\"b\":3}]}]", "1:{\"a\":1}\n1:{\"a\":[2,{\"b\":3}]}\n");
    reads("[\n{\n\"a\":1\n}\n,\n{\"a\":2}\n]\n", "2:{\"a\":1}\n6:{\"a\":2}\n");
    reads("[{\"a\":1}]\n[{\"a\":2}]\n{\"a\":3}", "1:{\"a\":1}\n2:{\"a\":2}\n3:{\"a\":3}\n");
    reads("[1,{\"a\":1},[{\"a\":2}],\"x\",null]", "1:?\n1:{\"a\":1}\n1:?\n1:?\n1:?\n");
    reads("[{\"a\":1,},{\"a\":2}]", "1:?\n1:{\"a\":2}\n");
    reads("[{\"a\":1},]", "1:{\"a\":1}\n1:?\n");
    reads("[{\"a\":1},,{\"a\":2}]", "1:{\"a\":1}\n1:?\n1:{\"a\":2}\n");
    reads("[{\"a\":1,{\"a\":2}]", "1:?\n1:{\"a\":2}\n");
    reads("[{\"a\":\"\xff\"},{\"a\":2}]", "1:8\n1:{\"a\":2}\n");
}

static void what_is_cut_off(void **state)
{
    (void)state;
    reads("{\"a\":1}\n{\"a\":2", "1:{\"a\":1}\n2!the last line is cut off\n");
    reads("{\"a\":1}\n{\"a\":2}}", "1:{\"a\":1}\n2:?\n");
    reads("{\"a\":1}\nnul", "1:{\"a\":1}\n2!the last line is cut off\n");
    reads("{\n\"a\":1}\n{\n\"a\":", "1:{\"a\":1}\n3!the last document is cut off\n");
    reads("[{\"a\":1}", "1:{\"a\":1}\n1!cut off: the array that begins here has no end\n");
    reads("[\n{\"a\":1},", "2:{\"a\":1}\n1!cut off: the array that begins here has no end\n");
    reads("[\n{\"a\":1},\n{\"a\"", "2:{\"a\":1}\n3!the last document is cut off\n");
    reads("[", "1!cut off: the array that begins here has no end\n");
}

static void what_stands_between(void **state)
{
    (void)state;
    reads("[{\"a\":1}{\"a\":2}]", "1:{\"a\":1}\n1!JSON: '{' where a comma or ] is expected\n");
    reads("[{\"a\":1}],", "1:{\"a\":1}\n1!JSON: ',' where a document is to begin\n");
}

/* Every cut of an array ends broken, or is nothing but white space. */
static void every_cut(void **state)
{
    (void)state;
    static const char text[] = "[{\"a\":\"x]\"},{\"a\":[1,{\"b\":2}]},{\"a\":3}]";
    for (size_t n = 1; n + 1 < sizeof text; n++) {
        pieces p = {text, n, n};
        dq_source *source;
        dq_documents d;
        char got[1024] = "";
        dq_error e = DQ_ERROR_NONE;
        assert_int_equal(dq_source_open_fn(&source, "it", give, &p, &e), DQ_OK);
        assert_int_equal(dq_documents_open_json(&d, source, &e), DQ_OK);
        print(&d, got, sizeof got);
        assert_non_null(strstr(got, "cut off"));
        d.close(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(documents_over_lines),
        cmocka_unit_test(arrays),
        cmocka_unit_test(what_is_cut_off),
        cmocka_unit_test(what_stands_between),
        cmocka_unit_test(every_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
