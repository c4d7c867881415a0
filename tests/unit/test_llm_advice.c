/* SPDX-License-Identifier: MIT
 *
 * Addresses as people write them, and what an error says that helps.
 */
#include "llm/advice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_endpoints_are_passed_over(void **state)
{
    static const char *const rows[][2] = {
        {"http://h:1/v1", "http://h:1/v1"},
        {"http://h:1/v1/chat/completions", "http://h:1/v1"},
        {"http://h:1/v1/chat/completions/", "http://h:1/v1/"},
        {"http://h:1/v1/embeddings", "http://h:1/v1"},
        {"http://h:1/v1/models", "http://h:1/v1"},
        {"https://n.openai.azure.com/openai/deployments/g/chat/completions?api-version=1",
         "https://n.openai.azure.com/openai/deployments/g?api-version=1"},
        {"http://h:1/embeddings-proxy/v1", "http://h:1/embeddings-proxy/v1"},
        {"http://h:1/v1?next=/embeddings", "http://h:1/v1?next=/embeddings"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *address = dq_llm_address(rows[i][0]);
        assert_string_equal(address, rows[i][1]);
        free(address);
    }
    char *address = dq_llm_address(NULL);
    assert_string_equal(address, "https://api.openai.com/v1");
    free(address);
}

/* What is said of a refusal by such an address, with a key or without. */
static dq_error explain(const char *address, const char *key, long code, const char *reason, bool final)
{
    llm_setup setup = {.options = {.base_url = address, .key = key}};
    dq_http_answer answer = {
        .status = DQ_ERR_UNSUPPORTED, .code = code, .reason = reason, .final = final, .body = ""};
    dq_error why = DQ_ERROR_NONE;
    dq_llm_explain(&setup, &answer, DQ_ERR_UNSUPPORTED, &why);
    assert_int_equal(why.status, DQ_ERR_UNSUPPORTED);
    return why;
}

static void says(const char *address, const char *key, long code, const char *reason, const char *advice)
{
    dq_error why = explain(address, key, code, reason, code == 401);
    assert_int_equal(strncmp(why.reason, reason, strlen(reason)), 0);
    if (!advice) assert_string_equal(why.reason, reason);
    if (advice && !strstr(why.reason, advice)) fail_msg("%s", why.reason);
}

static void test_addresses(void **state)
{
    (void)state;
    const char *lacks = "does OPENAI_BASE_URL lack its /v1?";
    says("http://h:1", "k", 404, "x", lacks);
    says("http://h:1/", "k", 405, "x", lacks);
    says("http://h:1/api", "k", 404, "x", lacks);
    says("http://h:1/api?v=/v1", "k", 404, "x", lacks);
    says("http://h:1", "k", 200, "h:1: Unexpected endpoint or method.", lacks);
    says("http://h:1/v1", "k", 404, "no such model", NULL);
    says("http://h:1/v1beta/openai/", "k", 404, "x", NULL);
    says("http://h:1", "k", 400, "x", NULL);
    says(NULL, "k", 404, "x", NULL);
    says("http://h:1/v1", "", 401, "x", "OPENAI_API_KEY");
    says("http://h:1/v1", "k", 401, "x", NULL);
    const char *azure = "https://NAME.openai.azure.com/openai/v1";
    says("https://n.openai.azure.com/", "k", 404, "x", azure);
    says("https://n.openai.azure.com/openai/deployments/g?api-version=1", "k", 401, "x",
         "DQ_API_KEY_HEADER=api-key");
    says("https://gate.test/openai/deployments/g/?api-version=1", "k", 404, "x", azure);
}

static void test_parameters(void **state)
{
    (void)state;
    says("http://h/v1", "k", 400, "'temperature' does not support 0", "--temperature none");
    says("http://h/v1", "k", 422, "body.temperature: Input should be 1", "--temperature none");
    says("http://h/v1", "k", 400, "logprobs are not supported", "--soft");
    says("http://h/v1", "k", 400, "Unsupported parameter: 'max_tokens'", "dq sends no max_tokens");
    says("http://h/v1", "k", 400, "'response_format' is not supported", "--response-format none");
    says("http://h/v1", "k", 400, "no such model", NULL);
    assert_null(strstr(explain("http://h/v1", "k", 429, "quota spent on temperature", true).reason, "--"));
}

/* A reason as long as any leaves room for what helps. */
static void test_room(void **state)
{
    char reason[400];
    (void)state;
    memset(reason, 'r', sizeof reason - 1);
    memcpy(reason, "temperature", 11);
    reason[sizeof reason - 1] = '\0';
    dq_error why = explain("http://h/v1", "k", 400, reason, false);
    const char *end = "...  (--temperature none leaves it out)";
    assert_int_equal(strlen(why.reason), sizeof why.reason - 1);
    assert_string_equal(why.reason + strlen(why.reason) - 20, end + strlen(end) - 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_endpoints_are_passed_over),
                                       cmocka_unit_test(test_addresses), cmocka_unit_test(test_parameters),
                                       cmocka_unit_test(test_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
