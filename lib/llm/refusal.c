/* SPDX-License-Identifier: MIT */
#include "llm/refusal.h"

#include "port/files/json.h"

#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

typedef struct word_text {
    char *text; /* (LLM_WORDS) */
    size_t used;
} word_text;

static void add_words(word_text *w, const char *text, size_t n)
{
    for (size_t i = 0; i < n && w->used + 2 < LLM_WORDS; i++) {
        char c = text[i];
        if (c >= '0' && c <= '9') continue;
        w->text[w->used++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    if (w->used + 1 < LLM_WORDS) w->text[w->used++] = '\n';
}

static bool is_echo(const dq_value *key)
{
    static const char *const echoes[] = {"input", "body",     "request", "ctx",  "request_id",
                                         "id",    "trace_id", "url",     "path", "model"};
    for (size_t i = 0; i < sizeof echoes / sizeof *echoes; i++)
        if (dq_value_is(key, echoes[i])) return true;
    return false;
}

/* JSON is at most DQ_JSON_DEPTH deep, and so is this. */
static void add_texts(word_text *w, const dq_value *value)
{
    if (value->type == DQ_STRING) add_words(w, value->as.string, value->count);
    for (uint32_t i = 0; value->type == DQ_LIST && i < value->count; i++) add_texts(w, &value->as.list[i]);
    for (uint32_t i = 0; value->type == DQ_MAP && i < value->count; i++)
        if (!is_echo(&value->as.map[i].key)) add_texts(w, &value->as.map[i].value);
}

bool dq_llm_is_page(const char *body, size_t bytes)
{
    size_t at = 0;
    while (at < bytes && strchr(" \t\r\n", body[at]) && body[at]) at++;
    return at < bytes && body[at] == '<';
}

void dq_llm_refusal_words(const char *body, size_t bytes, char words[LLM_WORDS])
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_error none = DQ_ERROR_NONE;
    dq_value parsed;
    word_text w = {words, 0};
    if (dq_json_parse(body, bytes, &arena, &parsed, &none) == DQ_OK)
        add_texts(&w, &parsed);
    else if (!dq_llm_is_page(body, bytes))
        add_words(&w, body, bytes);
    words[w.used] = '\0';
    dq_arena_free(&arena);
}

bool dq_llm_words_hold(const char *words, const char *const *list)
{
    for (; list && *list; list++)
        if (strstr(words, *list)) return true;
    return false;
}

bool dq_llm_words_are_foreign(const char *words)
{
    static const char *const foreign[] = {"temperature",
                                          "top_p",
                                          "max_tokens",
                                          "max_completion_tokens",
                                          "context",
                                          "too long",
                                          "too large",
                                          "not found",
                                          "does not exist",
                                          "unknown model",
                                          "invalid model",
                                          "no such model",
                                          "not a valid model",
                                          "token limit",
                                          "maximum length",
                                          "api key",
                                          "api_key",
                                          "credit",
                                          "quota",
                                          "balance",
                                          "billing",
                                          NULL};
    return dq_llm_words_hold(words, foreign);
}

bool dq_llm_words_are_of_answer(const char *words)
{
    static const char *const missed[] = {"json_validate_failed", "failed_generation",
                                         "failed to generate json", "failed to validate json", NULL};
    return dq_llm_words_hold(words, missed);
}

/* ---- errors that came as a success ---- */

/* null, false, "", {}, [] say that there is none. */
static bool says_something(const dq_value *v)
{
    if (!v || v->type == DQ_NIL) return false;
    if (v->type == DQ_BOOL) return v->as.boolean;
    bool counted = v->type == DQ_STRING || v->type == DQ_LIST || v->type == DQ_MAP;
    return !counted || v->count > 0;
}

/* A list that holds something, or NULL. */
static const dq_value *list_of(const dq_value *body, const char *name)
{
    const dq_value *list = dq_map_get(body, name);
    return list && list->type == DQ_LIST && list->count ? list : NULL;
}

/* The part of a body that is an error, or NULL. */
static const dq_value *error_in(const dq_value *body)
{
    static const char *const names[] = {"errors", "detail", "message", "msg"};
    const dq_value *error = dq_map_get(body, "error"), *choices = list_of(body, "choices");
    if (says_something(error)) return error;
    if (choices) {
        error = dq_map_get(&choices->as.list[0], "error");
        return says_something(error) ? error : NULL;
    }
    if (dq_value_is(dq_map_get(body, "object"), "error")) return body;
    if (list_of(body, "data")) return NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (says_something(dq_map_get(body, names[i]))) return body;
    return NULL;
}

/* A code of HTTP, as a number or as digits; 0: none. */
static long code_in(const dq_value *error)
{
    static const char *const names[] = {"code", "status", "status_code"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const dq_value *v = dq_map_get(error, names[i]);
        char digits[8] = "";
        if (v && v->type == DQ_STRING && v->count < sizeof digits) memcpy(digits, v->as.string, v->count);
        long code = digits[0] ? strtol(digits, NULL, 10) : (long)dq_value_integer(v, 0);
        if (code >= 400 && code < 600) return code;
    }
    return 0;
}

/* The first event of a stream that nobody asked for ("data: {...}"), else the body itself. */
static const char *first_event(const char *body, size_t *bytes)
{
    static const char mark[] = "data:";
    if (*bytes < sizeof mark - 1 || memcmp(body, mark, sizeof mark - 1) != 0) return body;
    const char *event = body + (sizeof mark - 1), *end = memchr(body, '\n', *bytes);
    *bytes = (size_t)((end ? end : body + *bytes) - event);
    return event;
}

long dq_llm_error_within(const char *body, size_t bytes)
{
    /* Long bodies are vectors: these need no parsing. */
    if (memmem(body, bytes, "\"embedding\"", 11) && !memmem(body, bytes, "\"error", 6)) return 0;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_error none = DQ_ERROR_NONE;
    dq_value parsed;
    long code = 0;
    body = first_event(body, &bytes);
    if (dq_json_parse(body, bytes, &arena, &parsed, &none) == DQ_OK) {
        const dq_value *error = error_in(&parsed);
        code = error ? code_in(error) : 0;
        if (error && !code) code = code_in(&parsed);
        if (error && !code) code = 503;
    }
    dq_arena_free(&arena);
    return code;
}

bool dq_llm_is_answer(const char *body, size_t bytes)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_error none = DQ_ERROR_NONE;
    dq_value parsed;
    bool map = dq_json_parse(body, bytes, &arena, &parsed, &none) == DQ_OK && parsed.type == DQ_MAP;
    bool answers = map && (!dq_map_get(&parsed, "choices") || list_of(&parsed, "choices"));
    dq_arena_free(&arena);
    return answers;
}
