/* SPDX-License-Identifier: MIT
 *
 * Lines of TREC's files against strtok and strtod.
 */
#include "text_file.h"

#include "core/rng.h"
#include "port/files/trec.h"

#include <string.h>

/* The next line of a run whose text is `line`, by dq; the number of columns is what a run has, or more. */
static void read_line(const char *line, dq_trec_line *got, char copy[400])
{
    dq_source *source;
    dq_error e = DQ_ERROR_NONE;
    write_text(line);
    assert_int_equal(dq_source_open(&source, path, &e), DQ_OK);
    dq_trec trec = {.source = source, .form = DQ_TREC_RUN};
    if (dq_trec_next(&trec, got, &e) != 1) fail_msg("%s: %s", line, e.reason);
    int n = snprintf(copy, 400, "%.*s|%.*s|%.*s", (int)got->query_bytes, got->query, (int)got->doc_bytes,
                     got->doc, (int)got->tag_bytes, got->tag);
    assert_in_range(n, 1, 399);
    assert_int_equal(dq_trec_next(&trec, got, &e), 0);
    dq_source_close(source);
}

/* Words of any bytes above a space, of any length, between any bytes up to one: short lines and long ones,
 * which are split in other ways. */
static void columns_are_those_of_strtok(void **state)
{
    (void)state;
    dq_rng rng = dq_rng_new(1);
    for (int i = 0; i < 400; i++) {
        char line[400] = "", want[400], copy[400], got_text[400];
        size_t used = 0, columns = 6 + dq_rng_below(&rng, 3), most = 1 + dq_rng_below(&rng, 20);
        for (size_t c = 0; c < columns; c++) {
            for (uint64_t n = (c > 0) + dq_rng_below(&rng, 2); n; n--)
                line[used++] = "  \t\v\f\x01\x1f\r"[dq_rng_below(&rng, 8)];
            if (c == 4)
                used += (size_t)sprintf(line + used, "%d.5", (int)dq_rng_below(&rng, 1000));
            else
                for (uint64_t n = 1 + dq_rng_below(&rng, most); n; n--)
                    line[used++] = (char)(33 + dq_rng_below(&rng, 223));
        }
        line[used] = '\n';
        memcpy(copy, line, used + 1);
        copy[used] = '\0';
        static const char spaces[] = "  \t\v\f\x01\x1f\r";
        char *word[9], *rest;
        int n = 0;
        for (char *w = strtok_r(copy, spaces, &rest); w && n < 9; w = strtok_r(NULL, spaces, &rest))
            word[n++] = w;
        assert_int_equal(n, columns);
        (void)snprintf(want, sizeof want, "%s|%s|%s", word[0], word[2], word[5]);
        dq_trec_line got;
        read_line(line, &got, got_text);
        assert_string_equal(got_text, want);
    }
}

static void scores_are_those_of_strtod(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "-0",
                                        "+1.5",
                                        ".5",
                                        "5.",
                                        "123456789012345",
                                        "1234567890123456",
                                        "0.000000000000001",
                                        "1e3",
                                        "-2E-2",
                                        "99999.99999",
                                        "0.1",
                                        "19.996543",
                                        "-123.456",
                                        "1.7976931348623157e308",
                                        "000000000000000000001",
                                        "3.14159265358979312",
                                        "4.9e-324"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char line[200];
        dq_trec_line got = {0};
        dq_source *source;
        dq_error e = DQ_ERROR_NONE;
        (void)snprintf(line, sizeof line, "q Q0 d 1 %s tag\n", texts[i]);
        write_text(line);
        assert_int_equal(dq_source_open(&source, path, &e), DQ_OK);
        dq_trec trec = {.source = source, .form = DQ_TREC_RUN};
        assert_int_equal(dq_trec_next(&trec, &got, &e), 1);
        double want = strtod(texts[i], NULL);
        if (memcmp(&got.value, &want, sizeof want) != 0)
            fail_msg("%s: %.17g, not %.17g", texts[i], got.value, want);
        dq_source_close(source);
    }
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"-", "+",  ".",   "-.",  "1.2.3", "1-2", "0x10",
                                        "a", "1e", "nan", "inf", "1,5",   "--1", "1e999"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char line[200];
        dq_trec_line got;
        dq_source *source;
        dq_error e = DQ_ERROR_NONE;
        (void)snprintf(line, sizeof line, "q Q0 d 1 %s tag\n", texts[i]);
        write_text(line);
        assert_int_equal(dq_source_open(&source, path, &e), DQ_OK);
        dq_trec trec = {.source = source, .form = DQ_TREC_RUN};
        if (dq_trec_next(&trec, &got, &e) != -1) fail_msg("'%s' is taken as %.9g", texts[i], got.value);
        assert_int_equal(e.status, DQ_ERR_FORMAT);
        assert_int_equal(e.record, 1);
        dq_source_close(source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_those_of_strtok),
        cmocka_unit_test(scores_are_those_of_strtod),
        cmocka_unit_test(what_is_no_number_is_refused),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
