/* SPDX-License-Identifier: MIT
 *
 * What servers say of their failures, in the forms that they are known to use.
 */
#include "port/http/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static dq_http_reason read_reason(const char *body)
{
    dq_http_reason reason;
    dq_http_read_reason(body, strlen(body), &reason);
    return reason;
}

static void test_words_in_their_forms(void **state)
{
    static const struct {
        const char *body, *words;
        bool error;
    } rows[] = {
        {"{\"error\":{\"message\":\"No such model\",\"type\":\"x\"}}", "No such model", true}, /* OpenAI */
        {"{\"error\":\"model not found\"}", "model not found", true},                          /* Ollama */
        {"{\"object\":\"error\",\"message\":\"too long\",\"code\":400}", "too long", true}, /* vLLM, once */
        {"{\"detail\":\"Not Found\"}", "Not Found", false},                                 /* FastAPI */
        {"{\"detail\":[{\"loc\":[\"body\",\"input\",0],\"msg\":\"Field required\"},{\"msg\":\"and more\"}]}",
         "body.input.0: Field required; and more", false},
        {"{\"detail\":{\"error\":{\"message\":\"deep\"}}}", "deep", false},
        {"{\"message\":\"Forbidden\"}", "Forbidden", false},
        {"{\"errors\":[{\"message\":\"first\"},\"second\"]}", "first; second", false}, /* Cloudflare */
        {"{\"errors\":{\"message\":\"alone\"}}", "alone", false},
        {"[{\"error\":{\"code\":400,\"message\":\"API key not valid\",\"status\":\"INVALID_ARGUMENT\"}}]",
         "API key not valid", true},                                                            /* Gemini */
        {"{\"title\":\"Bad Request\",\"status\":400,\"traceId\":\"0\"}", "Bad Request", false}, /* RFC 9457 */
        {"{\"error\":{\"message\":\"Unsupported value\",\"param\":\"temperature\"}}",
         "Unsupported value (temperature)", true},
        {"{\"error\":{\"message\":\"No 'seed', please\",\"param\":\"seed\"}}", "No 'seed', please", true},
        {"{\"error\":{\"message\":\"Provider returned error\",\"metadata\":{\"raw\":\"slow down\"}}}",
         "Provider returned error: slow down", true}, /* OpenRouter */
        {"{\"error\":{\"message\":\"two\\n\\n  lines\\u0000\\u0007 \"}}", "two lines", true},
        {"{\"error\":{\"message\":\"a\\u009b31m\\u0085b\\u007f\"}}", "a 31m b", true}, /* C1 and DEL */
        {"{\"error\":{\"code\":\"overloaded\",\"type\":\"x\"}}", "overloaded", true},
        {"404 page not found\n", "404 page not found", false},
        {"<html>\n<head><TITLE lang=en>504 Gateway\nTime-out</TITLE></head></html>", "504 Gateway Time-out",
         false},
        {"<html><body>ERR</body></html>", "", false},
        {"{\"error\":null,\"choices\":[]}", "", false},
        {"{\"error\":\"\"}", "", false},
        {"{\"error\":{}}", "", true},
        {"[]", "", false},
        {"null", "", false},
        {"", "", false},
        {"caf\xe9 shut", "caf? shut", false},
        {"{\"error\": cut", "{\"error\": cut", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dq_http_reason reason = read_reason(rows[i].body);
        assert_string_equal(reason.words, rows[i].words);
        assert_int_equal(reason.error, rows[i].error);
        assert_false(reason.spent || reason.seems_spent);
    }
}

static void test_money(void **state)
{
    static const struct {
        const char *body;
        bool spent, seems;
    } rows[] = {
        {"{\"error\":{\"message\":\"m\",\"code\":\"insufficient_quota\"}}", true, false},
        {"{\"error\":{\"message\":\"m\",\"type\":\"insufficient_quota\",\"code\":null}}", true, false},
        {"{\"error\":{\"message\":\"m\",\"code\":\"billing_hard_limit_reached\"}}", true, false},
        {"{\"error\":{\"message\":\"m\",\"type\":\"exceeded_current_quota_error\"}}", true, false},
        {"{\"code\":\"Arrearage\",\"message\":\"m\"}", true, false},
        {"[{\"error\":{\"status\":\"insufficient_balance\"}}]", true, false},
        {"{\"error\":{\"message\":\"Budget has been exceeded! Max budget: "
         "10\",\"type\":\"budget_exceeded\"}}",
         true, true},
        {"{\"error\":\"You exceeded your current quota, please check your plan\"}", false, true},
        {"{\"detail\":\"Insufficient Balance\"}", false, true},
        {"Your credit balance is too low to access the API", false, true},
        {"{\"error\":{\"message\":\"This request requires more credits, add credits\"}}", false, true},
        {"{\"error\":{\"code\":\"1113\",\"message\":\"余额不足或无可用资源包,请充值。\"}}", false, true},
        {"{\"message\":\"Access denied: the account is in arrears\"}", false, true},
        {"{\"error\":\"Your team doesn't have any credits yet\"}", false, true},
        {"{\"error\":{\"message\":\"You exceeded your current quota, please check your plan and billing "
         "details. "
         "Please retry in 31.9s.\",\"status\":\"RESOURCE_EXHAUSTED\"}}",
         false, false},
        {"{\"error\":{\"message\":\"Rate limit reached for requests per "
         "minute\",\"code\":\"rate_limit_exceeded\"}}",
         false, false},
        {"{\"error\":{\"message\":\"slow down\",\"code\":429}}", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dq_http_reason reason = read_reason(rows[i].body);
        if (reason.spent != rows[i].spent || reason.seems_spent != rows[i].seems)
            fail_msg("%s: %d %d", rows[i].body, reason.spent, reason.seems_spent);
    }
}

/* However long, deep or broken: an end at a character, within the room. */
static void test_bounds(void **state)
{
    static char body[100000];
    dq_http_reason reason;
    (void)state;
    for (size_t i = 0; i + 1 < sizeof body; i += 2) memcpy(body + i, "\xc3\xa9", 2); /* é */
    dq_http_read_reason(body, sizeof body - 1, &reason);
    assert_int_equal(strlen(reason.words), DQ_HTTP_SAID - 2); /* not half of one */
    dq_http_shorten(reason.words, 10);
    assert_string_equal(reason.words, "\xc3\xa9\xc3\xa9\xc3\xa9...");
    dq_http_shorten(reason.words, 9);
    assert_int_equal(strlen(reason.words), 9);
    memset(body, '[', 20);
    body[20] = '\0';
    assert_string_equal(read_reason(body).words, "[[[[[[[[[[[[[[[[[[[[");
    assert_string_equal(read_reason("[[[[[[[[[[\"deep\"]]]]]]]]]]").words, "");
    dq_http_read_reason(NULL, 0, &reason);
    assert_string_equal(reason.words, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words_in_their_forms),
                                       cmocka_unit_test(test_money), cmocka_unit_test(test_bounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
