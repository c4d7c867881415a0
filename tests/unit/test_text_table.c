/* SPDX-License-Identifier: MIT
 *
 * One table in every form: what each escapes, what is rounded, what stays as it is.
 */
#include "port/files/text_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static dq_status take(void *arg, const void *data, size_t n, dq_error *error)
{
    (void)error;
    strncat(arg, data, n);
    return DQ_OK;
}

/* The table of a text with so many leading columns of texts, in a form. */
static dq_status written(const char *tsv, size_t texts, dq_text_form form, char *to)
{
    dq_text_table t = {.texts = texts};
    dq_sink *rows, *out;
    dq_error e = DQ_ERROR_NONE;
    *to = 0;
    assert_int_equal(dq_text_table_open(&t, &rows, &e), DQ_OK);
    assert_int_equal(dq_sink_write(rows, tsv, strlen(tsv), &e), DQ_OK);
    assert_int_equal(dq_sink_close(rows, &e), DQ_OK);
    if (t.data) assert_int_equal(t.data[t.bytes], '\0');
    assert_int_equal(dq_sink_open_fn(&out, "test", DQ_SINK_TEXT, take, to, &e), DQ_OK);
    dq_status status = dq_text_table_write(&t, form, out, &e);
    assert_int_equal(dq_sink_close(out, &e), DQ_OK);
    dq_text_table_free(&t);
    return status;
}

#define IS(tsv, texts, form, want)                                                                           \
    do {                                                                                                     \
        char got[4096];                                                                                      \
        assert_int_equal(written(tsv, texts, form, got), DQ_OK);                                             \
        assert_string_equal(got, want);                                                                      \
    } while (0)

static const char small[] =
    "name\tn\tvalue\tp\tnone\ngood\t12\t0.123456\t0.00001\t\nbad\t7\t-12.5\t0.04567\t\n";

static void forms(void **state)
{
    (void)state;
    IS(small, 1, DQ_TEXT_TSV, small);
    IS(small, 1, DQ_TEXT_TABLE,
       "name   n   value        p\n"
       "good  12    0.12  <0.0001\n"
       "bad    7  -12.50   0.0457\n");
    IS(small, 1, DQ_TEXT_CSV, "name,n,value,p,none\ngood,12,0.123456,0.00001,\nbad,7,-12.5,0.04567,\n");
    IS(small, 1, DQ_TEXT_JSON,
       "{\"name\":\"good\",\"n\":12,\"value\":0.123456,\"p\":1e-05,\"none\":null}\n"
       "{\"name\":\"bad\",\"n\":7,\"value\":-12.5,\"p\":0.04567,\"none\":null}\n");
    IS(small, 1, DQ_TEXT_LATEX,
       "% \\usepackage{booktabs}\n\\begin{tabular}{lrrr}\n\\toprule\nname & n & value & p \\\\\n\\midrule\n"
       "good & 12 & 0.12 & \\textless{}0.0001 \\\\\nbad & 7 & $-$12.50 & 0.0457 "
       "\\\\\n\\bottomrule\n\\end{tabular}\n");
    IS(small, 1, DQ_TEXT_MARKDOWN,
       "| name | n | value | p |\n| --- | ---: | ---: | ---: |\n| good | 12 | 0.12 | &lt;0.0001 |\n| bad | 7 "
       "| -12.50 | 0.0457 |\n");
}

static void escapes(void **state)
{
    (void)state;
    const char odd[] = "what\nsays \"no\", 50%\na\\tb\\n\n<i>*_|`\\\\\nm\xc3\xbcnchen $x^2$ #1 {~} &c\n";
    IS(odd, 1, DQ_TEXT_CSV,
       "what\n\"says \"\"no\"\", 50%\"\n\"a\tb\n\"\n<i>*_|`\\\nm\xc3\xbcnchen $x^2$ #1 {~} &c\n");
    IS(odd, 1, DQ_TEXT_JSON,
       "{\"what\":\"says \\\"no\\\", "
       "50%\"}\n{\"what\":\"a\\tb\\n\"}\n{\"what\":\"<i>*_|`\\\\\"}\n{\"what\":\"m\xc3\xbcnchen $x^2$ #1 {~} "
       "&c\"}\n");
    IS(odd, 1, DQ_TEXT_MARKDOWN,
       "| what |\n| --- |\n| says \"no\", 50% |\n| a b  |\n| &lt;i>\\*\\_\\|\\`\\\\ |\n| m\xc3\xbcnchen "
       "$x^2$ #1 {~} &amp;c |\n");
    IS(odd, 1, DQ_TEXT_LATEX,
       "% \\usepackage{booktabs}\n\\begin{tabular}{l}\n\\toprule\nwhat \\\\\n\\midrule\nsays \"no\", 50\\% "
       "\\\\\na b  \\\\\n"
       "\\textless{}i\\textgreater{}*\\_\\textbar{}`\\textbackslash{} \\\\\n"
       "m\xc3\xbcnchen \\$x\\textasciicircum{}2\\$ \\#1 \\{\\textasciitilde{}\\} \\&c "
       "\\\\\n\\bottomrule\n\\end{tabular}\n");
    IS("a\tb\nx\ty\nm\xc3\xbc\tz\n", 2, DQ_TEXT_TABLE,
       "a   b\nx   y\nm\xc3\xbc  z\n"); /* a letter, not two bytes */
}

/* Numbers that are names stay as they are; a column of words and numbers is one of words. */
static void texts(void **state)
{
    (void)state;
    IS("user\tgroup\tv\n1.50\t2.50\t1.50\n007\t3\tx\n", 1, DQ_TEXT_JSON,
       "{\"user\":\"1.50\",\"group\":\"2.50\",\"v\":\"1.50\"}\n{\"user\":\"007\",\"group\":\"3\",\"v\":\"x\"}"
       "\n");
    IS("a\tv\n1\t100000\n2\t\n", 1, DQ_TEXT_TABLE, "a       v\n1  100000\n2       -\n");
    IS("a\tv\nx\t123456.7\n", 1, DQ_TEXT_MARKDOWN, "| a | v |\n| --- | ---: |\n| x | 123457 |\n");
    IS("a\tv\nx\t1e-20\n", 1, DQ_TEXT_CSV, "a,v\nx,1e-20\n");
    IS("a\tv\n", 1, DQ_TEXT_TABLE, "a  v\n");
    IS("a\tv\n", 1, DQ_TEXT_JSON, "");
    char got[64];
    assert_int_equal(written("", 0, DQ_TEXT_TABLE, got), DQ_ERR_FORMAT);
    assert_int_equal(written("a\tb\nx\n", 0, DQ_TEXT_TABLE, got), DQ_ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(escapes),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
