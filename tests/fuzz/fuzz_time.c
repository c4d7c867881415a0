/* SPDX-License-Identifier: MIT
 *
 * Times. The input has two parts, a format of strptime(3) and a text. Whatever is a time is one between the
 * years that its form allows, and printed it reads as the same moment.
 */
#include "fuzz.h"

#include "data/time.h"

#include <stdlib.h>
#include <string.h>

static void check_again(const dq_time *time)
{
    char words[DQ_TIME_WORDS];
    if (time->form == DQ_TIME_NONE || time->form == DQ_TIME_UNREADABLE) return;
    if (time->nano >= 1000000000) fuzz_fail("%u nanoseconds", time->nano);
    fuzz_finite(dq_time_seconds(time));
    dq_time_print(time, words);
    if (strlen(words) + 1 >= DQ_TIME_WORDS) fuzz_fail("%s was cut", words);
    if (time->second < -62135596800 || time->second > 253402300799) return; /* the years 1 to 9999 */
    dq_time again = dq_time_parse(words, strlen(words));
    if (again.form != DQ_TIME_DATE || dq_time_compare(time, &again) != 0)
        fuzz_fail("%s reads as another moment", words);
}

static void check_tally(const dq_time *time)
{
    dq_time_tally tally = {0};
    dq_error e = DQ_ERROR_NONE;
    char words[16];
    dq_time year = dq_time_beside_dates(*time);
    dq_time_count(&tally, time);
    dq_time_count(&tally, &year);
    if (dq_time_check_forms(&tally, "time", &e)) fuzz_refused(&e);
    (void)dq_time_describe(&tally, "time", words, sizeof words);
    (void)dq_time_is_small(time);
    check_again(&year);
}

static void read_format(const char *format, const char *text, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_time_format_check(format, &e)) {
        fuzz_refused(&e);
        return;
    }
    dq_time time = dq_time_parse_format(format, text, n);
    check_again(&time);
}

static void read_time(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    char *format = fuzz_text(fuzz_part(&rest)), *text = fuzz_text(rest);
    dq_time time = dq_time_parse(text, rest.n), json = dq_time_of_json(text, rest.n);
    check_again(&time);
    check_again(&json);
    check_tally(&time);
    if (!strchr(format, '\n')) read_format(format, text, rest.n);
    free(format);
    free(text);
}

const fuzz_target fuzz_it = {.read = read_time, .memory = 1 << 20, .per_byte = 8};
