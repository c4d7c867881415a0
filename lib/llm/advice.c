/* SPDX-License-Identifier: MIT */
#include "llm/advice.h"

#include "llm/refusal.h"
#include "port/http/reason.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char openai[] = "https://api.openai.com/v1";

/* ---- addresses ---- */

static size_t path_end(const char *address)
{
    size_t n = strcspn(address, "?#");
    while (n > 0 && address[n - 1] == '/') n--;
    return n;
}

char *dq_llm_address(const char *given)
{
    static const char *const endpoints[] = {"/chat/completions", "/completions", "/embeddings", "/responses",
                                            "/models"};
    if (!given) given = openai;
    char *address = strdup(given);
    size_t end = path_end(given);
    for (size_t i = 0; address && i < sizeof endpoints / sizeof *endpoints; i++) {
        size_t n = strlen(endpoints[i]);
        if (end < n || strncasecmp(given + end - n, endpoints[i], n) != 0) continue;
        memmove(address + end - n, address + end, strlen(address + end) + 1);
        break;
    }
    return address;
}

/* Whether a part of the path is a version: /v1, /v1beta. */
static bool has_version(const char *address)
{
    const char *path = strstr(address, "://"), *end = address + strcspn(address, "?#");
    for (path = path ? strchr(path + 3, '/') : NULL; path && path < end; path = strchr(path + 1, '/'))
        if ((path[1] == 'v' || path[1] == 'V') && isdigit((unsigned char)path[2])) return true;
    return false;
}

static bool is_azure(const char *address)
{
    return strcasestr(address, ".azure.com") || strcasestr(address, "azure-api.net") ||
           strcasestr(address, "/openai/deployments/") || strcasestr(address, "api-version=");
}

/* ---- what helps ---- */

/* LM Studio says 200 and an error where there is no endpoint, Open WebUI 200 and its page. */
static bool is_nowhere(const dq_http_answer *answer)
{
    return answer->code == 404 || answer->code == 405 || dq_llm_is_page(answer->body, answer->bytes) ||
           strcasestr(answer->reason, "unexpected endpoint");
}

static const char *advise_on_address(const llm_setup *setup, const dq_http_answer *answer)
{
    long code = answer->code;
    const dq_ask_options *o = &setup->options;
    const char *address = o->base_url ? o->base_url : openai;
    bool keyless = !o->key || !*o->key;
    if (code == 401 && keyless) return "no key was sent (OPENAI_API_KEY, or --key-file FILE)";
    if ((code == 401 || code == 403 || code == 404) && is_azure(address))
        return "for Azure: https://NAME.openai.azure.com/openai/v1, or "
               ".../openai/deployments/NAME?api-version="
               "DATE with DQ_API_KEY_HEADER=api-key";
    if (is_nowhere(answer) && !has_version(address)) return "does OPENAI_BASE_URL lack its /v1?";
    if (code >= 200 && code < 300 && dq_llm_is_page(answer->body, answer->bytes))
        return "a page, and no answer of a model: is OPENAI_BASE_URL right?";
    return NULL;
}

/* A parameter that the server's words name. */
static const char *advise_on_words(const char *words)
{
    static const struct {
        const char *parameter, *advice;
    } rows[] = {
        {"temperature", "--temperature none leaves it out"},
        {"logprobs", "without --soft none are asked for"},
        {"response_format", "--response-format none asks for a line of text"},
        {"max_tokens", "dq sends no max_tokens: --max-tokens is a budget"},
        {"max_completion_tokens", "dq sends no max_completion_tokens: --max-tokens is a budget"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcasestr(words, rows[i].parameter)) return rows[i].advice;
    return NULL;
}

static const char *advise(const llm_setup *setup, const dq_http_answer *answer)
{
    const char *advice = advise_on_address(setup, answer);
    if (!advice && answer->status == DQ_ERR_UNSUPPORTED && !answer->final)
        advice = advise_on_words(answer->reason);
    return advice;
}

void dq_llm_explain(const llm_setup *setup, const dq_http_answer *answer, dq_status status, dq_error *why)
{
    const char *advice = advise(setup, answer);
    char reason[sizeof why->reason];
    (void)snprintf(reason, sizeof reason, "%s", answer->reason);
    if (advice) dq_http_shorten(reason, sizeof reason - strlen(advice) - sizeof " ()");
    (void)dq_fail(why, status, advice ? "%s (%s)" : "%s%s", reason, advice ? advice : "");
}
