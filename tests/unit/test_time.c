/* SPDX-License-Identifier: MIT */
#include "core/rng.h"
#include "data/time.h"

#include "tables.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static dq_time parse(const char *text)
{
    return dq_time_parse(text, strlen(text));
}

static const char *print(dq_time time)
{
    static char words[DQ_TIME_WORDS];
    dq_time_print(&time, words);
    return words;
}

static dq_time of_json(const char *json)
{
    return dq_time_of_json(json, strlen(json));
}

/* ---- what is a time ---- */

static void numbers_are_told_apart_by_size(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        dq_time_form form;
        const char *is;
    } cases[] = {
        {"0", DQ_TIME_SECONDS, "1970-01-01T00:00:00Z"},
        {"-1", DQ_TIME_SECONDS, "1969-12-31T23:59:59Z"},
        {"-0.25", DQ_TIME_SECONDS, "1969-12-31T23:59:59.75Z"},
        {"1573587064", DQ_TIME_SECONDS, "2019-11-12T19:31:04Z"},
        {" 1573587064 ", DQ_TIME_SECONDS, "2019-11-12T19:31:04Z"},
        {"1573587064.125", DQ_TIME_SECONDS, "2019-11-12T19:31:04.125Z"},
        {"1573587064.0", DQ_TIME_SECONDS, "2019-11-12T19:31:04Z"},
        {"1.573587064e9", DQ_TIME_SECONDS, "2019-11-12T19:31:04Z"},
        {"1.573587064E+12", DQ_TIME_MILLISECONDS, "2019-11-12T19:31:04Z"},
        {"99999999999.9", DQ_TIME_SECONDS, "5138-11-16T09:46:39.9Z"},
        {"100000000000", DQ_TIME_MILLISECONDS, "1973-03-03T09:46:40Z"},
        {"1573587064001", DQ_TIME_MILLISECONDS, "2019-11-12T19:31:04.001Z"},
        {"1573587064000.5", DQ_TIME_MILLISECONDS, "2019-11-12T19:31:04.0005Z"},
        {"-1573587064001", DQ_TIME_MILLISECONDS, "1920-02-20T04:28:55.999Z"},
        {"99999999999999", DQ_TIME_MILLISECONDS, "5138-11-16T09:46:39.999Z"},
        {"100000000000000", DQ_TIME_MICROSECONDS, "1973-03-03T09:46:40Z"},
        {"1573587064000001", DQ_TIME_MICROSECONDS, "2019-11-12T19:31:04.000001Z"},
        {"100000000000000000", DQ_TIME_NANOSECONDS, "1973-03-03T09:46:40Z"},
        {"1573587064000000001", DQ_TIME_NANOSECONDS, "2019-11-12T19:31:04.000000001Z"},
        {"9223372036854775807", DQ_TIME_NANOSECONDS, "2262-04-11T23:47:16.854775807Z"},
        {"-9223372036854775807", DQ_TIME_NANOSECONDS, "1677-09-21T00:12:43.145224193Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_time time = parse(cases[i].text);
        if (time.form != cases[i].form || strcmp(print(time), cases[i].is) != 0)
            fail_msg("%s is %s of form %d", cases[i].text, print(time), (int)time.form);
    }
}

static void dates_are_those_of_iso_8601(void **state)
{
    (void)state;
    static const struct {
        const char *text, *is;
    } cases[] = {
        {"2019-11", "2019-11-01T00:00:00Z"},
        {"2019-11-12", "2019-11-12T00:00:00Z"},
        {"2019-11-12T19:31", "2019-11-12T19:31:00Z"},
        {"2019-11-12T19:31:04Z", "2019-11-12T19:31:04Z"},
        {"2019-11-12t19:31:04z", "2019-11-12T19:31:04Z"},
        {"2019-11-12 19:31:04 UTC", "2019-11-12T19:31:04Z"},
        {"2019-11-12 19:31:04 GMT", "2019-11-12T19:31:04Z"},
        {"2019-11-12 19:31:04+00:00", "2019-11-12T19:31:04Z"},
        {"2019-11-12T19:31:04+02:00", "2019-11-12T17:31:04Z"},
        {"2019-11-12T19:31:04+02", "2019-11-12T17:31:04Z"},
        {"2019-11-12T19:31:04-0530", "2019-11-13T01:01:04Z"},
        {"2019-11-12 19:31:04.123456789", "2019-11-12T19:31:04.123456789Z"},
        {"2019-11-12 19:31:04,5", "2019-11-12T19:31:04.5Z"},
        {"2019-11-12T24:00", "2019-11-13T00:00:00Z"},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
        {"20191112T193104Z", "2019-11-12T19:31:04Z"},
        {"20191112T1931", "2019-11-12T19:31:00Z"},
        {"2000-02-29", "2000-02-29T00:00:00Z"},
        {"0001-01-01", "0001-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_time time = parse(cases[i].text);
        if (time.form != DQ_TIME_DATE || strcmp(print(time), cases[i].is) != 0)
            fail_msg("%s is %s of form %d", cases[i].text, print(time), (int)time.form);
    }
}

static void anything_else_is_none(void **state)
{
    (void)state;
    static const char *const none[] = {
        "",
        " ",
        "soon",
        "inf",
        "nan",
        "0x10",
        "1e",
        "1_000",
        "1,573,587,064",
        "12 o'clock",
        "100000000000000000000",
        "1e300",
        "11/12/2019 7:31:04 PM",
        "11/12/2019",
        "09 14, 2010",
        "Sep 14, 2010",
        "14.09.2010",
        "1998-1",
        "1998-13-01",
        "1998-00-01",
        "1998-02-29",
        "1900-02-29",
        "1998-04-31",
        "2024-01-01T",
        "2024-01-0x",
        "2024-01-01T12",
        "2024-01-01T1:2",
        "24-01-01",
        "2024-01-01T10:00+1",
        "2024-01-01T10:00+24:00",
        "2024-01-01Z",
        "2024-01-01T25:00",
        "2024-01-01T24:01",
        "2024-01-01T10:60",
        "2024-01-01T10:00:61",
        "2024-01-01T10:00:00.",
        "2024-01-01T10:00:00 CET",
        "2024-01-01  10:00",
        "20240101T",
        "2024-01-01 to 2024-02-01",
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        dq_time time = parse(none[i]);
        if (time.form != DQ_TIME_UNREADABLE || !isnan(dq_time_seconds(&time)))
            fail_msg("'%s' is %s", none[i], print(time));
    }
    assert_int_equal(dq_time_parse("2024-01-01\0", 11).form, DQ_TIME_UNREADABLE);
}

static void json_has_it_in_several_ways(void **state)
{
    (void)state;
    static const char is[] = "2019-11-12T19:31:04Z";
    static const char *const same[] = {
        "1573587064",
        "\"1573587064\"",
        "1573587064000",
        "\"2019-11-12T19:31:04Z\"",
        "{\"$date\":\"2019-11-12T19:31:04Z\"}",
        "{\"$date\":1573587064000}",
        "{\"$date\":{\"$numberLong\":\"1573587064000\"}}",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (strcmp(print(of_json(same[i])), is) != 0) fail_msg("%s is %s", same[i], print(of_json(same[i])));
    assert_string_equal(print(of_json("{\"$date\":5}")), "1970-01-01T00:00:00.005Z"); /* not by its size */
    assert_string_equal(print(of_json("{\"$date\":{\"$numberLong\":\"-62135596800000\"}}")),
                        "0001-01-01T00:00:00Z");
    assert_int_equal(of_json("null").form, DQ_TIME_NONE);
    static const char *const none[] = {"true",
                                       "[1]",
                                       "{}",
                                       "{\"$date\":}",
                                       "{\"$date\":true}",
                                       "{\"$date\":\"soon\"}",
                                       "{\"$date\":{\"$numberLong\":\"\"}}",
                                       "{\"date\":\"2019-11-12\"}",
                                       "\"\"",
                                       "{\"$date\":99999999999999999999}"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (of_json(none[i]).form != DQ_TIME_UNREADABLE)
            fail_msg("%s is %s", none[i], print(of_json(none[i])));
}

/* ---- order ---- */

static void all_times_lie_on_one_line(void **state)
{
    (void)state;
    static const char *const ascending[] = {"1969-12-31",
                                            "9",
                                            "10",
                                            "1573587064",
                                            "1573587064000.5",
                                            "1573587064001",
                                            "1573587064001000001",
                                            "2019-11-12T19:31:04.001000002Z",
                                            "2019-11-12T19:31:05+00:00"};
    for (size_t i = 0; i < sizeof ascending / sizeof *ascending; i++)
        for (size_t k = 0; k < sizeof ascending / sizeof *ascending; k++) {
            dq_time a = parse(ascending[i]), b = parse(ascending[k]);
            int order = dq_time_compare(&a, &b);
            if ((order > 0) - (order < 0) != (i > k) - (i < k))
                fail_msg("%s against %s: %d", ascending[i], ascending[k], order);
        }
}

static void four_digits_are_a_year_beside_dates(void **state)
{
    (void)state;
    dq_time year = parse("1998");
    assert_true(year.year && year.form == DQ_TIME_SECONDS && year.second == 1998);
    assert_string_equal(print(dq_time_beside_dates(year)), "1998-01-01T00:00:00Z");
    static const char *const numbers[] = {"998", "19980", "1998.0", "-199"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(dq_time_beside_dates(parse(numbers[i])).second, parse(numbers[i]).second);
}

/* ---- other forms ---- */

static void formats_are_those_of_strptime(void **state)
{
    (void)state;
    static const struct {
        const char *format, *text, *is;
    } cases[] = {
        {"%m/%d/%Y %I:%M:%S %p", "11/12/2019 7:31:04 PM", "2019-11-12T19:31:04Z"},
        {"%m/%d/%Y %I:%M:%S %p", "11/9/2019 12:00:00 AM", "2019-11-09T00:00:00Z"},
        {"%m %d, %Y", "09 14, 2010", "2010-09-14T00:00:00Z"},
        {"%m %d, %Y", " 04 6, 2014 ", "2014-04-06T00:00:00Z"},
        {"%Y%m%d", "20191112", "2019-11-12T00:00:00Z"},
        {"%d.%m.%y %H:%M", "12.11.19 19:31", "2019-11-12T19:31:00Z"},
        {"%a %b %d %H:%M:%S %z %Y", "Tue Nov 12 19:31:04 +0100 2019", "2019-11-12T18:31:04Z"},
        {"%Y-%j", "2019-316", "2019-11-12T00:00:00Z"},
        {"%Y", "1998", "1998-01-01T00:00:00Z"},
        {"%m %d, %Y", "02 30, 2010", NULL},
        {"%m %d, %Y", "14 09, 2010", NULL},
        {"%m %d, %Y", "09 14, 2010 and more", NULL},
        {"%m %d, %Y", "09 14", NULL},
        {"%m %d, %Y", "", NULL},
        {"%m %d, %Y", "09 14, 10", NULL}, /* no year of Rome's */
        {"%m %d, %Y", "09 14, 999", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_error e = DQ_ERROR_NONE;
        if (dq_time_format_check(cases[i].format, &e)) fail_msg("%s: %s", cases[i].format, e.reason);
        dq_time time = dq_time_parse_format(cases[i].format, cases[i].text, strlen(cases[i].text));
        if (!cases[i].is != (time.form == DQ_TIME_UNREADABLE) ||
            (cases[i].is && strcmp(print(time), cases[i].is) != 0))
            fail_msg("%s by %s is %s", cases[i].text, cases[i].format, print(time));
    }
    static const char *const none[] = {
        "",    "%H:%M:%S",          "%m/%d",       "%Y-%m-%d %f",    "%Q %Y-%m-%d",
        "%s",  "%Y-%m-%d %H:%M %p", "%Y-%m-%d %Z", "%Y-%m-%d %I:%M", "%",
        "now", "%Y-%m-%d%"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (!dq_time_format_check(none[i], NULL)) fail_msg("'%s' is a format", none[i]);
}

/* Random moments of the years 1000 to 9999, written and read by libc's own calendar. */
static void libc_has_the_same_calendar(void **state)
{
    (void)state;
    static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%d.%m.%Y %I:%M:%S %p", "%H:%M:%S %e %B %Y",
                                          "%Y%m%d %H%M%S", "%D %T"};
    dq_rng rng = dq_rng_new(42);
    for (int i = 0; i < 20000; i++) {
        const char *format = formats[i % 5];
        int64_t least = strcmp(format, "%D %T") == 0 ? -31536000 : -30610224000;
        int64_t span = strcmp(format, "%D %T") == 0 ? 99 * 31536000LL : 284012524799;
        time_t at = (time_t)(least + (int64_t)(dq_rng_uniform(&rng) * (double)span));
        struct tm tm, back = {0};
        char text[64], iso[64];
        assert_non_null(gmtime_r(&at, &tm));
        assert_true(strftime(text, sizeof text, format, &tm) > 0);
        assert_non_null(strptime(text, format, &back));
        (void)snprintf(iso, sizeof iso, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                       tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        dq_time time = dq_time_parse_format(format, text, strlen(text)), same = parse(iso);
        if (time.second != (int64_t)timegm(&back) || same.second != (int64_t)at ||
            strcmp(print(same), iso) != 0)
            fail_msg("%s by %s is %s, and %s is %s", text, format, print(time), iso, print(same));
    }
}

/* What is printed reads as what was printed, to the nanosecond. */
static void print_and_parse_are_inverse(void **state)
{
    (void)state;
    dq_rng rng = dq_rng_new(43);
    for (int i = 0; i < 20000; i++) {
        dq_time time = {.form = DQ_TIME_DATE,
                        .second = (int64_t)((dq_rng_uniform(&rng) - 0.3) * 1e11),
                        .nano = i % 3 ? (uint32_t)(dq_rng_uniform(&rng) * 1e9) : 0};
        if (time.second < -62135596800 || time.second > 253402300799) continue;
        dq_time back = parse(print(time));
        if (dq_time_compare(&time, &back) != 0) fail_msg("%s", print(time));
    }
}

/* ---- an attribute ---- */

static void an_attribute_has_a_column(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_time time;
    dq_bundle b = table("interactions", 2);
    add_texts(&b, "user", DQ_TEXT, TEXTS("u1", "u2"));
    add_texts(&b, "item", DQ_TEXT, TEXTS("i1", "i2"));
    add_texts(&b, "attr.times", DQ_JSON, TEXTS("5", "5"));
    add_texts(&b, "time", DQ_JSON, TEXTS("2", "2"));
    add_texts(&b, "attr.time", DQ_JSON, TEXTS("3", "\"11/9/2019\""));
    assert_ptr_equal(dq_time_column(&b, "time"), &b.columns[4]);
    assert_null(dq_time_column(&b, "tim"));
    assert_int_equal(dq_time_of(NULL, 0).form, DQ_TIME_NONE);
    assert_int_equal(dq_time_take(&b, &b.columns[4], 0, &time, &e), DQ_OK);
    assert_int_equal(time.second, 3);
    assert_int_equal(dq_time_take(&b, &b.columns[4], 1, &time, &e), DQ_ERR_SCHEMA);
    assert_non_null(strstr(e.reason, "user u2, item i2"));
    assert_non_null(strstr(e.reason, "11/9/2019"));
    assert_null(dq_time_suggest(&b));
    add_texts(&b, "attr.rating", DQ_JSON, TEXTS("1999", "3"));
    add_texts(&b, "attr.ts", DQ_JSON, TEXTS(NULL, "1573587064"));
    assert_string_equal(dq_time_suggest(&b), "ts");
    dq_bundle_free(&b);
}

static dq_time_tally count(const char *const *texts)
{
    dq_time_tally tally = {0};
    for (; *texts; texts++) {
        dq_time time = of_json(*texts);
        dq_time_count(&tally, &time);
    }
    return tally;
}

static const char *describe(const char *const *texts)
{
    static char words[400];
    const dq_time_tally tally = count(texts);
    bool some = dq_time_describe(&tally, "at", words, sizeof words);
    assert_int_equal(some, *words != '\0');
    return words;
}

static void what_was_taken_is_said(void **state)
{
    (void)state;
    assert_string_equal(describe(TEXTS("\"2019-11-12\"", "null", NULL)), "");
    assert_string_equal(describe(TEXTS(NULL)), "");
    assert_string_equal(
        describe(TEXTS("1573587064000", "5", NULL)),
        "the times 'at' are of several forms; 1 are taken as seconds since 1970 (the first is "
        "1970-01-01T00:00:05Z); 1 are taken as milliseconds since 1970 (the first is 2019-11-12T19:31:04Z)");
    assert_string_equal(
        describe(TEXTS("1573587064000", "1573587064001", NULL)),
        "the times 'at' are taken as milliseconds since 1970 (the first is 2019-11-12T19:31:04Z)");
    assert_string_equal(describe(TEXTS("9", "\"2019-11-12\"", NULL)),
                        "the times 'at' are of several forms; 1 are taken as seconds since 1970 (the first "
                        "is 1970-01-01T00:00:09Z); 1 are dates");
}

static void small_numbers_are_no_times_beside_others(void **state)
{
    (void)state;
    static const char *const fine[][4] = {{"5", "9", "0"},
                                          {"1573587064", "1573587064000", "\"2019-11-12\""},
                                          {"\"1998\"", "\"1998-01-05\""},
                                          {"\"1998\"", "\"1997\""}};
    static const char *const wrong[][4] = {{"5", "\"2019-11-12\""},
                                           {"0", "1573587064000"},
                                           {"\"1998\"", "1573587064000"},
                                           {"\"1998\"", "\"1998-01-05\"", "7"},
                                           {"-1", "\"1998-01-05\""}};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        const dq_time_tally tally = count(fine[i]);
        assert_int_equal(dq_time_check_forms(&tally, "at", NULL), DQ_OK);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const dq_time_tally tally = count(wrong[i]);
        assert_int_equal(dq_time_check_forms(&tally, "at", NULL), DQ_ERR_SCHEMA);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_told_apart_by_size),
        cmocka_unit_test(dates_are_those_of_iso_8601),
        cmocka_unit_test(anything_else_is_none),
        cmocka_unit_test(json_has_it_in_several_ways),
        cmocka_unit_test(all_times_lie_on_one_line),
        cmocka_unit_test(four_digits_are_a_year_beside_dates),
        cmocka_unit_test(formats_are_those_of_strptime),
        cmocka_unit_test(libc_has_the_same_calendar),
        cmocka_unit_test(print_and_parse_are_inverse),
        cmocka_unit_test(an_attribute_has_a_column),
        cmocka_unit_test(what_was_taken_is_said),
        cmocka_unit_test(small_numbers_are_no_times_beside_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
