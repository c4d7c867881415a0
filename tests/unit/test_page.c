/* SPDX-License-Identifier: MIT
 *
 * Pages: what anybody's text becomes in markup, which secrets a command line loses, how tables are made of
 * TSV, and parts that are taken out of pages again.
 */
#include "page/command.h"
#include "page/report.h"
#include "page/views.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The text so far, NUL-terminated, which is then forgotten. */
static char *text_of(dq_html *h)
{
    static char text[1 << 16];
    assert_int_equal(h->status, DQ_OK);
    assert_true(h->text.bytes < sizeof text);
    if (h->text.bytes) memcpy(text, h->text.data, h->text.bytes);
    text[h->text.bytes] = '\0';
    dq_html_free(h);
    *h = (dq_html){0};
    return text;
}

/* ---- text ---- */

static void assert_escaped(const char *text, size_t bytes, const char *want)
{
    dq_html h = {0};
    dq_html_text(&h, text, bytes);
    assert_string_equal(text_of(&h), want);
}

static void texts_are_no_markup(void **state)
{
    (void)state;
    static const char script[] = "<script>alert('&')</script>";
    assert_escaped(script, sizeof script - 1, "&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;");
    assert_escaped("\" onload=\"x", 11, "&quot; onload=&quot;x");
    assert_escaped("--><!--", 7, "--&gt;&lt;!--");
    assert_escaped("", 0, "");
    assert_escaped("gr\xc3\xbc\xc3\x9f \xe6\x97\xa5", 10, "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5");
}

static void nobody_obeys_a_text(void **state)
{
    (void)state;
    assert_escaped("a\0b\n\x1b[31m\x7f", 10, "a\\x00b\\x0a\\x1b[31m\\x7f");
    assert_escaped("\xc2\x9b", 2, "\\xc2\\x9b");            /* C1 */
    assert_escaped("a\xff\xe6\x97", 4, "a\\xff\\xe6\\x97"); /* no UTF-8 */
    /* from right to left, as bytes: NOLINTBEGIN(misc-misleading-bidirectional) */
    assert_escaped("a\xe2\x80\xaetxt", 7, "a\\u202etxt");
    assert_escaped("\xe2\x81\xa6", 3, "\\u2066");
    /* NOLINTEND(misc-misleading-bidirectional) */
}

static void bytes_become_base64(void **state)
{
    (void)state; /* RFC 4648, section 10 */
    static const char *const want[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t n = 0; n <= 6; n++) {
        dq_html h = {0};
        dq_html_base64(&h, "foobar", n);
        assert_string_equal(text_of(&h), want[n]);
    }
    dq_html h = {0};
    dq_html_base64(&h, "\xff\xef\xbe", 3);
    assert_string_equal(text_of(&h), "/+++");
}

/* ---- commands ---- */

static void assert_told(const char *text, const char *want)
{
    dq_json_text told = DQ_JSON_TEXT_EMPTY;
    dq_error error = DQ_ERROR_NONE;
    assert_int_equal(dq_page_without_secrets(text, strlen(text), &told, &error), DQ_OK);
    assert_int_equal(told.bytes, strlen(want));
    assert_memory_equal(told.data ? told.data : "", want, told.bytes);
    dq_json_text_free(&told);
}

static void secrets_are_not_told(void **state)
{
    (void)state;
    assert_told("OPENAI_API_KEY=sk-1 dq-reward -s llm", "OPENAI_API_KEY=*** dq-reward -s llm");
    assert_told("TOKEN='a b' x", "TOKEN=*** x");
    assert_told("mongodb://me:pass@word@host/db", "mongodb://***@host/db");
    assert_told("https://host/v1?access_token=abc&x=1", "https://host/v1?access_token=***&x=1");
    assert_told("curl -H 'Authorization: Bearer abc'", "curl -H 'Authorization: Bearer ***'");
    assert_told("curl -H 'X-Api-Key: abc'", "curl -H 'X-Api-Key: ***'");
    assert_told("dq-x --api-key abc --top 5", "dq-x --api-key *** --top 5");
    assert_told("curl -d {\"apiKey\": \"a b\",\"n\":1}", "curl -d {\"apiKey\": ***,\"n\":1}");
    assert_told("{\"token\":\"a\\\"b\"}", "{\"token\":***}");
    assert_told("token=\"abc\\", "token=***");
}

static void all_else_is_told(void **state)
{
    (void)state;
    static const char *const plain[] = {
        "",           "--map APPLY=1,SAVE=0.5", "monkey=1",           "https://host/a@b", "keys=3",
        "tokens=100", "user_feature:item_key",  "ranking:FILE=a.run", "basics of x",      NULL};
    for (size_t i = 0; plain[i]; i++) assert_told(plain[i], plain[i]);
}

static void a_command_is_as_a_shell_takes_it(void **state)
{
    (void)state;
    const char *const words[] = {"dq-eval", "--run", "it's <b>.run", "", "a.run", "--token", "abc", "-k=5"};
    dq_html h = {0};
    dq_page_command_write(words, 8, &h);
    assert_string_equal(text_of(&h),
                        "dq-eval --run &#39;it&#39;\\&#39;&#39;s &lt;b&gt;.run&#39; &#39;&#39; a.run "
                        "--token *** -k=5");
}

/* ---- tables ---- */

static const char *table_of(dq_page_view view, const char *tsv)
{
    dq_error error = DQ_ERROR_NONE;
    dq_html h = {.error = &error};
    dq_page_view_write(view, "Caption", tsv, strlen(tsv), 0.95, &h);
    return text_of(&h);
}

static void assert_holds(const char *text, const char *want)
{
    if (!strstr(text, want)) print_error("not in the page: %s\n%s\n", want, text);
    assert_non_null(strstr(text, want));
}

static void numbers_keep_their_digits(void **state)
{
    (void)state;
    const char *t = table_of(DQ_PAGE_PLAIN, "estimator\tvalue\tlower\tupper\tp\n"
                                            "ips\t0.00300862612\t-0.001\t0.005\t0.00001\n<i>\t\t\t\t0.5\n");
    assert_holds(t, "<td class=\"n\"><data value=\"0.00300862612\">0.003009</data> "
                    "<small>[\xe2\x88\x92"
                    "0.001000, 0.005000]</small></td>");
    assert_holds(t, "<data value=\"1e-05\">&lt;\xc2\xa0"
                    "0.0001</data>");
    assert_holds(t, "<th scope=\"row\">&lt;i&gt;</th><td class=\"n\">\xe2\x80\x93</td>");
    assert_holds(t, "95\xc2\xa0% intervals");
    assert_null(strstr(t, ">lower<"));
}

static void the_best_of_a_column_is_bold(void **state)
{
    (void)state;
    const char *t = table_of(
        DQ_PAGE_RANKINGS,
        "run\tmeasure\tquery\tvalue\tlow\thigh\tdifference\tdifference_low\tdifference_high\tp\tp_t\n"
        "a\tmap\tall\t0.5\t\t\t\t\t\t\t\na\tgini_5\tall\t0.9\t\t\t\t\t\t\t\n"
        "b\tmap\tall\t0.75\t\t\t0.25\t0.1\t0.4\t0.03\t0.04\nb\tgini_5\tall\t0.1\t\t\t\t\t\t\t\n");
    assert_holds(t, "<td class=\"n\"><data value=\"0.5\">0.5000</data></td>");
    assert_holds(t, "<strong><data value=\"0.75\">0.7500</data></strong>");
    assert_holds(t, "<td class=\"n\"><data value=\"0.1\">0.1000</data></td></tr>"); /* gini: nobody says */
    assert_holds(t, "Difference from a");
    assert_holds(t, "<data value=\"0.25\">+0.2500</data> <small>[+0.1000, +0.4000]</small>");
    assert_null(strstr(t, "Each query"));
}

static void measures_that_are_not_alike_have_their_own_digits(void **state)
{
    (void)state;
    const char *t = table_of(
        DQ_PAGE_RANKINGS,
        "run\tmeasure\tquery\tvalue\tlow\thigh\tdifference\tdifference_low\tdifference_high\tp\tp_t\n"
        "a\tmap\tall\t0.5\t\t\t\t\t\t\t\na\tpopularity_5\tall\t900\t\t\t\t\t\t\t\n"
        "b\tmap\tall\t0.52\t\t\t0.02\t-0.01\t0.0401\t0.03\t0.04\n"
        "b\tpopularity_5\tall\t9000\t\t\t8100\t8000.5\t8200\t0.5\t0.5\n");
    assert_holds(t, "<data value=\"0.02\">+0.02000</data> <small>[\xe2\x88\x92"
                    "0.01000, +0.04010]</small>");
    assert_holds(t, "<data value=\"8100\">+8100</data> <small>[+8000, +8200]</small>");
    t = table_of(DQ_PAGE_PLAIN, "a\tb\tmeasure\tn\tmean_a\nx\ty\tmap\t7\t0.0123\nx\ty\tnum\t7\t12345.5\n");
    assert_holds(t, "<data value=\"0.0123\">0.01230</data>");
    assert_holds(t, "<data value=\"7\">7</data>");
}

static void a_folder_that_all_runs_lie_in_is_left_out(void **state)
{
    (void)state;
    const char *t = table_of(DQ_PAGE_RANKINGS, "run\tmeasure\tquery\tvalue\n"
                                               "out/x/ab.run\tmap\tall\t0.5\nout/x/ac.run\tmap\tall\t0.25\n");
    assert_holds(t, "<th scope=\"row\">ab.run</th>");
    assert_holds(t, "<th scope=\"row\">ac.run</th>");
    assert_null(strstr(t, "out/"));
    t = table_of(DQ_PAGE_RANKINGS, "run\tmeasure\tquery\tvalue\nout/ab.run\tmap\tall\t0.5\n");
    assert_holds(t, "<th scope=\"col\" class=\"n\">out/ab.run</th>"); /* alone it is what it is called */
}

static void equal_values_have_no_best(void **state)
{
    (void)state;
    const char *t = table_of(DQ_PAGE_RANKINGS,
                             "run\tmeasure\tquery\tvalue\na\tmap\tall\t0.5\nb\tmap\tall\t0.5\n");
    assert_null(strstr(t, "<strong>"));
    assert_null(strstr(t, "Bold"));
}

static void rows_of_roll_outs_are_models(void **state)
{
    (void)state;
    const char *t = table_of(DQ_PAGE_ROLLOUTS,
                             "model\tmeasure\tat\tvalue\n"
                             "m\tmean\tall\t1\nm\tlow\tall\t0.5\nm\thigh\tall\t1.5\nm\tvalue\tall\t7\n"
                             "m\tstep\t1\t0.25\nr\tmean\tall\t-1\nr\tlow\tall\t-2\nr\thigh\tall\t0\n"
                             "r\tstep\t1\t-0.25\n");
    assert_holds(t, "<strong><data value=\"1\">1.000</data></strong> <small>[0.500, 1.500]</small>");
    assert_holds(t, "<td class=\"n\"><data value=\"7\">7</data></td>");
    assert_holds(t, "<th scope=\"row\">1</th><td class=\"n\"><data value=\"0.25\">0.2500</data></td>");
}

static void labels_stand_against_labels(void **state)
{
    (void)state;
    const char *t = table_of(
        DQ_PAGE_AGREEMENT, "measure\tfirst\tsecond\tlabel\tother\tvalue\tlow\thigh\tpairs\n"
                           "kappa\ta.dq\tb.dq\t\t\t0.5\t0.25\t0.75\t4\nconfusion\ta.dq\tb.dq\tX\tX\t1\t\t\t\n"
                           "confusion\ta.dq\tb.dq\tX\tY\t2\t\t\t\nconfusion\ta.dq\tb.dq\tY\tX\t0\t\t\t\n"
                           "confusion\ta.dq\tb.dq\tY\tY\t1\t\t\t\n");
    assert_holds(t, "Labels of a.dq (rows) against those of b.dq");
    assert_holds(t, "<tr><th scope=\"row\">X</th><td class=\"n\"><data value=\"1\">1</data></td>"
                    "<td class=\"n\"><data value=\"2\">2</data></td></tr>");
}

static void a_table_that_is_none_is_refused(void **state)
{
    (void)state;
    dq_error error = DQ_ERROR_NONE;
    dq_html h = {.error = &error};
    dq_page_view_write(DQ_PAGE_PLAIN, "Caption", "a\tb\n1\n", 6, 0, &h);
    assert_int_not_equal(h.status, DQ_OK);
    dq_html_free(&h);
}

/* ---- pages ---- */

static dq_status append(void *arg, const void *data, size_t n, dq_error *error)
{
    return dq_json_write_raw(arg, data, n, error);
}

static void write_page(const dq_page *page, const char *path)
{
    dq_error error = DQ_ERROR_NONE;
    dq_sink *out;
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    assert_int_equal(dq_sink_open_fn(&out, "page", DQ_SINK_TEXT, append, &text, &error), DQ_OK);
    assert_int_equal(dq_page_write(page, NULL, "test 1", out, &error), DQ_OK);
    assert_int_equal(dq_sink_close(out, &error), DQ_OK);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text.data, 1, text.bytes, f), text.bytes);
    assert_int_equal(fclose(f), 0);
    dq_json_text_free(&text);
}

static void add_report(dq_page *page, const char *title, const char *word)
{
    static const char tsv[] = "measure\tvalue\nclicks\t5\n";
    dq_error error = DQ_ERROR_NONE;
    const dq_page_run run = {.maker = "test 1", .words = &word, .word_count = 1};
    const dq_page_report report = {.title = title,
                                   .run = &run,
                                   .view = DQ_PAGE_MEASURES,
                                   .caption = "Counts",
                                   .table = tsv,
                                   .table_bytes = sizeof tsv - 1};
    assert_int_equal(dq_page_add_report(page, &report, &error), DQ_OK);
}

static char folder[] = "/tmp/dq-page-XXXXXX";
static char path[64], other[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(path, sizeof path, "%s/a.html", folder);
    (void)snprintf(other, sizeof other, "%s/b.html", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)unlink(other);
    return rmdir(folder);
}

static void parts_come_out_as_they_went_in(void **state)
{
    (void)state;
    dq_error error = DQ_ERROR_NONE;
    dq_page one = DQ_PAGE_EMPTY, two = DQ_PAGE_EMPTY, both = DQ_PAGE_EMPTY;
    add_report(&one, "First <one>", "a");
    add_report(&two, "Second", "b");
    write_page(&one, path);
    write_page(&two, other);
    assert_int_equal(dq_page_add_file(&both, path, &error), DQ_OK);
    assert_int_equal(dq_page_add_file(&both, other, &error), DQ_OK);
    assert_int_equal(both.count, 2);
    assert_int_equal(both.parts[0].bytes, one.parts[0].bytes);
    assert_memory_equal(both.parts[0].data, one.parts[0].data, one.parts[0].bytes);
    assert_memory_equal(both.parts[1].data, two.parts[0].data, two.parts[0].bytes);
    assert_int_equal(dq_page_add_file(&both, other, &error), DQ_ERR_DUPLICATE);
    assert_non_null(strstr(error.reason, "the page has 'Second' already"));
    dq_page_free(&one);
    dq_page_free(&two);
    dq_page_free(&both);
}

static void damage(long at, char byte, long size)
{
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    if (byte) {
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        assert_int_equal(fputc(byte, f), byte);
    }
    assert_int_equal(fclose(f), 0);
    if (size) assert_int_equal(truncate(path, size), 0);
}

static dq_status read_again(void)
{
    dq_error error = DQ_ERROR_NONE;
    dq_page page = DQ_PAGE_EMPTY;
    dq_status status = dq_page_add_file(&page, path, &error);
    dq_page_free(&page);
    return status;
}

/* Where the words stand in the file. */
static long find(const char *words)
{
    static char text[1 << 16];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    assert_int_equal(fclose(f), 0);
    text[n] = '\0';
    const char *at = strstr(text, words);
    assert_non_null(at);
    return (long)(at - text);
}

static void pages_that_are_not_whole_are_refused(void **state)
{
    (void)state;
    dq_page page = DQ_PAGE_EMPTY;
    add_report(&page, "First", "a");
    write_page(&page, path);
    assert_int_equal(read_again(), DQ_OK);
    damage(find(">5<") + 1, '6', 0);
    assert_int_equal(read_again(), DQ_ERR_FORMAT);
    write_page(&page, path);
    damage(0, 0, find("clicks"));
    assert_int_equal(read_again(), DQ_ERR_TRUNCATED);
    write_page(&page, path);
    damage(0, 0, find("</main>"));
    assert_int_equal(read_again(), DQ_ERR_TRUNCATED);
    write_page(&page, path);
    damage(find("<!--dq part") + 14, 'x', 0);
    assert_int_equal(read_again(), DQ_ERR_FORMAT);
    damage(0, 0, 20);
    assert_int_equal(read_again(), DQ_ERR_FORMAT);
    dq_page_free(&page);
}

/* A page with a part of these words, which is read again. */
static dq_status read_part(const char *words)
{
    dq_error error = DQ_ERROR_NONE;
    dq_page page = DQ_PAGE_EMPTY;
    dq_json_text part = DQ_JSON_TEXT_EMPTY;
    assert_int_equal(dq_json_write_raw(&part, words, strlen(words), &error), DQ_OK);
    assert_int_equal(dq_page_add(&page, &part, &error), DQ_OK);
    write_page(&page, path);
    dq_page_free(&page);
    return read_again();
}

/* No policy of a page keeps it from leading elsewhere. */
static void markup_that_is_no_reports_is_refused(void **state)
{
    (void)state;
    static const char *const foreign[] = {"<meta http-equiv=refresh content=\"0;url=http://host/\">",
                                          "<META>",
                                          "<script>x</script>",
                                          "<form>",
                                          "<a href=\"http://host/\">",
                                          "<!-- -->",
                                          "<",
                                          "</main>",
                                          "<p\n>",
                                          NULL};
    char words[200];
    assert_int_equal(read_part("<section>\n<h2 id=\"p1\">x</h2>\n<p class=\"n\">y</p></section>\n"), DQ_OK);
    for (size_t i = 0; foreign[i]; i++) {
        (void)snprintf(words, sizeof words, "<section>\n<h2 id=\"p1\">x</h2>\n%s</section>\n", foreign[i]);
        assert_int_equal(read_part(words), DQ_ERR_FORMAT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_no_markup),
        cmocka_unit_test(nobody_obeys_a_text),
        cmocka_unit_test(bytes_become_base64),
        cmocka_unit_test(secrets_are_not_told),
        cmocka_unit_test(all_else_is_told),
        cmocka_unit_test(a_command_is_as_a_shell_takes_it),
        cmocka_unit_test(numbers_keep_their_digits),
        cmocka_unit_test(the_best_of_a_column_is_bold),
        cmocka_unit_test(measures_that_are_not_alike_have_their_own_digits),
        cmocka_unit_test(a_folder_that_all_runs_lie_in_is_left_out),
        cmocka_unit_test(equal_values_have_no_best),
        cmocka_unit_test(rows_of_roll_outs_are_models),
        cmocka_unit_test(labels_stand_against_labels),
        cmocka_unit_test(a_table_that_is_none_is_refused),
        cmocka_unit_test(parts_come_out_as_they_went_in),
        cmocka_unit_test(pages_that_are_not_whole_are_refused),
        cmocka_unit_test(markup_that_is_no_reports_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
