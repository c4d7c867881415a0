/* SPDX-License-Identifier: MIT
 *
 * Bodies of a server's failures, whatever they are: JSON, a line, a page. The words that come of them are
 * UTF-8 on one line and fit; nothing of the body is trusted.
 */
#include "fuzz.h"

#include "core/utf8.h"
#include "llm/refusal.h"
#include "port/http/reason.h"

#include <stdlib.h>
#include <string.h>

static void check_line(const char *words, size_t room)
{
    size_t n = strnlen(words, room);
    if (n == room) fuzz_fail("words without an end");
    if (!dq_utf8_valid(words, n)) fuzz_fail("words that are not UTF-8");
    for (size_t i = 0, length; i < n; i += length) {
        bool control;
        length = dq_utf8_next(words + i, n - i, &control);
        if (control) fuzz_fail("a control character in the words");
    }
}

static void read_refusal(const uint8_t *data, size_t n)
{
    static const char *const list[] = {"temperature", "", NULL};
    fuzz_bytes all = {data, n};
    char words[LLM_WORDS], cut[DQ_HTTP_SAID];
    char *body = fuzz_text(all); /* as a client gives it, a NUL behind it */
    dq_http_reason reason;
    dq_http_read_reason(body, n, &reason);
    check_line(reason.words, sizeof reason.words);
    memcpy(cut, reason.words, sizeof cut);
    dq_http_shorten(cut, 20);
    check_line(cut, 21);
    dq_llm_refusal_words(body, n, words);
    if (strnlen(words, sizeof words) == sizeof words) fuzz_fail("words without an end");
    (void)dq_llm_words_hold(words, list);
    (void)dq_llm_words_are_foreign(words);
    (void)dq_llm_words_are_of_answer(words);
    long code = dq_llm_error_within(body, n);
    if (code && (code < 400 || code > 599)) fuzz_fail("the code %ld", code);
    bool answer = dq_llm_is_answer(body, n);
    if (answer && dq_llm_is_page(body, n)) fuzz_fail("a page that is an answer");
    free(body);
}

const fuzz_target fuzz_it = {.read = read_refusal, .memory = 1 << 20, .per_byte = 1500};
