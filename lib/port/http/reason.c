/* SPDX-License-Identifier: MIT */
#include "port/http/reason.h"

#include "core/utf8.h"
#include "port/files/json.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LISTED = 3 /* of a list of errors, so many are said */, DEEP = 6 };

/* ---- words ---- */

/* Words in the making, on one line. */
typedef struct saying {
    char *to;
    size_t used, room; /* room: without the NUL */
    bool space;        /* one is due before the next character */
} saying;

static void say(saying *s, const char *text, size_t n)
{
    for (size_t i = 0, length; i < n; i += length) {
        uint32_t code;
        const char *from = text + i;
        length = dq_utf8_decode(from, n - i, &code);
        if (!length) from = "?", length = 1, code = '?';
        bool control = code < ' ' || (code >= 0x7f && code < 0xa0); /* C1 among them: a terminal obeys it */
        if (control || code == ' ') {
            s->space = s->used > 0;
            continue;
        }
        if (s->used + s->space + length > s->room) {
            s->room = s->used; /* nothing after a gap */
            return;
        }
        if (s->space) s->to[s->used++] = ' ';
        s->space = false;
        memcpy(s->to + s->used, from, length);
        s->used += length;
        s->to[s->used] = '\0';
    }
}

static void say_text(saying *s, const char *text)
{
    say(s, text, strlen(text));
}

void dq_http_shorten(char *text, size_t most)
{
    size_t n = strlen(text);
    if (n <= most) return;
    n = most - 3;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) n--;
    memcpy(text + n, "...", 4);
}

/* ---- JSON ---- */

static bool is_text(const dq_value *v)
{
    return v && v->type == DQ_STRING && v->count;
}

static bool say_value(saying *s, const dq_value *v, int deep);

/* "body.input: " of {"loc": ["body", "input"], "msg": ...}. */
static void say_place(saying *s, const dq_value *place)
{
    if (!place || place->type != DQ_LIST) return;
    for (uint32_t i = 0, said = 0; i < place->count; i++) {
        const dq_value *step = &place->as.list[i];
        char number[24];
        if (said) say_text(s, ".");
        if (is_text(step)) {
            say(s, step->as.string, step->count);
        } else {
            (void)snprintf(number, sizeof number, "%lld", (long long)dq_value_integer(step, 0));
            say_text(s, number);
        }
        said++;
    }
    say_text(s, ": ");
    s->space = true;
}

/* What stands beside an error's words: the parameter that they are about, and what is behind a gateway's own
 * ("Provider returned error"), where it passes that on. */
static void say_more(saying *s, const dq_value *map)
{
    const dq_value *raw = dq_map_get(dq_map_get(map, "metadata"), "raw"), *param = dq_map_get(map, "param");
    if (is_text(param) && !memmem(s->to, s->used, param->as.string, param->count)) {
        say_text(s, " (");
        say(s, param->as.string, param->count);
        say_text(s, ")");
    }
    if (!is_text(raw)) return;
    say_text(s, ": ");
    s->space = true;
    say(s, raw->as.string, raw->count);
}

static bool say_map(saying *s, const dq_value *map, int deep)
{
    static const char *const names[] = {"error",  "errors", "message",           "msg",
                                        "detail", "title",  "error_description", "reason",
                                        "code",   "type"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const dq_value *it = dq_map_get(map, names[i]);
        if (!it) continue;
        if (strcmp(names[i], "msg") == 0) say_place(s, dq_map_get(map, "loc"));
        if (!say_value(s, it, deep + 1)) continue;
        say_more(s, map);
        return true;
    }
    return false;
}

static bool say_list(saying *s, const dq_value *list, int deep)
{
    bool said = false;
    for (uint32_t i = 0; i < list->count && i < LISTED; i++) {
        if (said) {
            say_text(s, ";");
            s->space = true;
        }
        said |= say_value(s, &list->as.list[i], deep + 1);
    }
    return said;
}

/* Whether it says something. */
static bool say_value(saying *s, const dq_value *v, int deep)
{
    if (deep > DEEP) return false;
    if (v->type == DQ_MAP) return say_map(s, v, deep);
    if (v->type == DQ_LIST) return say_list(s, v, deep);
    if (!is_text(v)) return false;
    say(s, v->as.string, v->count);
    return true;
}

/* ---- pages and plain text ---- */

static void say_page(saying *s, const char *page)
{
    const char *title = strcasestr(page, "<title");
    const char *begin = title ? strchr(title, '>') : NULL;
    const char *end = begin ? strcasestr(begin, "</title") : NULL;
    if (end) say(s, begin + 1, (size_t)(end - begin - 1));
}

static void say_plain(saying *s, const char *body, size_t bytes)
{
    size_t skip = strspn(body, " \t\r\n");
    char page[4096];
    if (body[skip] != '<') {
        say(s, body + skip, bytes - skip);
        return;
    }
    (void)snprintf(page, sizeof page, "%s", body + skip);
    say_page(s, page);
}

/* ---- money ---- */

static bool has_any(const char *text, const char *const *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcasestr(text, parts[i])) return true;
    return false;
}

#define HAS_ANY(text, parts) has_any(text, parts, sizeof(parts) / sizeof *(parts))

/* OpenAI, Azure, Moonshot, one-api, LiteLLM, DeepSeek, DashScope. */
static bool is_code_of_spent(const char *code)
{
    static const char *const codes[] = {"insufficient_quota",
                                        "insufficient_user_quota",
                                        "insufficient_balance",
                                        "insufficient_credit",
                                        "insufficient_funds",
                                        "exceeded_current_quota",
                                        "billing",
                                        "budget_exceeded",
                                        "credits_exhausted",
                                        "out_of_credit",
                                        "payment_required",
                                        "arrearage",
                                        "spend_limit_reached",
                                        "spending_limit"};
    return HAS_ANY(code, codes);
}

static bool are_words_of_spent(const char *words)
{
    static const char *const spent[] = {"exceeded your current quota",
                                        "check your plan and billing",
                                        "billing details",
                                        "billing hard limit",
                                        "insufficient quota",
                                        "insufficient_quota",
                                        "insufficient balance",
                                        "insufficient account",
                                        "credit balance is",
                                        "no remaining credit",
                                        "run out of credit",
                                        "ran out of credit",
                                        "have any credits",
                                        "in arrears",
                                        "overdue payment",
                                        "exceeded your monthly",
                                        "balance is insufficient",
                                        "insufficient credit",
                                        "insufficient funds",
                                        "balance is too low",
                                        "balance too low",
                                        "not enough credits",
                                        "out of credits",
                                        "no credits left",
                                        "available credits",
                                        "monthly included credits",
                                        "add credits",
                                        "purchase credits",
                                        "buy credits",
                                        "credit limit exceeded",
                                        "payment required",
                                        "recharge",
                                        "top up",
                                        "spending limit",
                                        "spend limit",
                                        "usage limits",
                                        "budget has been exceeded",
                                        "quota exhausted",
                                        "quota has been exhausted",
                                        "monthly quota",
                                        "余额不足", /* the balance does not suffice */
                                        "欠费",     /* in arrears */
                                        "充值",     /* recharge */
                                        "额度不足", /* the allowance does not suffice, */
                                        "额度已用", /* is used up */
                                        "/ month"};
    return HAS_ANY(words, spent);
}

/* A limit of a minute in the same words: Gemini's free tier says both. */
static bool name_a_time(const char *words)
{
    static const char *const times[] = {"retry in",        "retry after", "try again in",
                                        "try again after", "per minute",  "seconds before"};
    return HAS_ANY(words, times);
}

static bool says_spent(const dq_value *map, int deep)
{
    static const char *const names[] = {"code", "type", "status", "error_code"};
    if (!map || deep > 2) return false;
    if (map->type == DQ_LIST) return map->count && says_spent(&map->as.list[0], deep + 1);
    if (map->type != DQ_MAP) return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const dq_value *code = dq_map_get(map, names[i]);
        char text[64];
        if (!is_text(code)) continue;
        (void)snprintf(text, sizeof text, "%.*s", (int)code->count, code->as.string);
        if (is_code_of_spent(text)) return true;
    }
    return says_spent(dq_map_get(map, "error"), deep + 1);
}

/* ---- the whole ---- */

static bool is_error(const dq_value *body)
{
    if (body->type == DQ_LIST && body->count) body = &body->as.list[0];
    const dq_value *error = dq_map_get(body, "error");
    if (dq_value_is(dq_map_get(body, "object"), "error")) return true;
    if (!error || error->type == DQ_NIL) return false;
    return error->type == DQ_BOOL ? error->as.boolean : error->type != DQ_STRING || error->count;
}

void dq_http_read_reason(const char *body, size_t bytes, dq_http_reason *reason)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_error none = DQ_ERROR_NONE;
    dq_value value;
    saying s = {.to = reason->words, .room = sizeof reason->words - 1};
    *reason = (dq_http_reason){.error = false};
    if (!body || !bytes) return;
    if (dq_json_parse(body, bytes, &arena, &value, &none)) {
        say_plain(&s, body, bytes);
    } else {
        (void)say_value(&s, &value, 0);
        reason->error = is_error(&value);
        reason->spent = says_spent(&value, 0);
    }
    reason->seems_spent = are_words_of_spent(reason->words) && !name_a_time(reason->words);
    dq_arena_free(&arena);
}
