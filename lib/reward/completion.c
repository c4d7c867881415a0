/* SPDX-License-Identifier: MIT */
#include "reward/completion.h"

#include "reward/thoughts.h"

#include <string.h>

static const dq_value *first_of(const dq_value *list)
{
    return list && list->type == DQ_LIST && list->count ? &list->as.list[0] : NULL;
}

static bool has_words(const dq_value *v)
{
    return v && v->type == DQ_STRING && v->count > 0;
}

/* Whether finish_reason is one of a NULL-ended list, in any case. */
static bool ended_by(const dq_value *finish, const char *const *reasons)
{
    for (; has_words(finish) && *reasons; reasons++)
        if (strlen(*reasons) == finish->count && strncasecmp(finish->as.string, *reasons, finish->count) == 0)
            return true;
    return false;
}

/* ---- content ---- */

/* The text of a part that is said, or NULL. */
static const dq_value *text_of_part(const dq_value *part)
{
    const dq_value *type = dq_map_get(part, "type"), *text = dq_map_get(part, "text");
    bool said = !type || dq_value_is(type, "text") || dq_value_is(type, "output_text");
    if (text && text->type == DQ_MAP) text = dq_map_get(text, "value");
    return said && text && text->type == DQ_STRING ? text : NULL;
}

static bool join_parts(const dq_value *parts, dq_arena *arena, dq_answer *answer)
{
    size_t bytes = 0;
    bool any = false;
    for (uint32_t i = 0; i < parts->count; i++) {
        const dq_value *text = text_of_part(&parts->as.list[i]);
        any |= text != NULL;
        bytes += text ? text->count : 0;
        answer->refused |= dq_value_is(dq_map_get(&parts->as.list[i], "type"), "refusal");
    }
    if (!any) return true;
    answer->content = dq_arena_take(arena, bytes + 1);
    if (!answer->content) return false;
    for (uint32_t i = 0; i < parts->count; i++) {
        const dq_value *text = text_of_part(&parts->as.list[i]);
        if (!text) continue;
        memcpy(answer->content + answer->bytes, text->as.string, text->count);
        answer->bytes += text->count;
    }
    answer->content[bytes] = '\0';
    return true;
}

static bool take_content(const dq_value *content, dq_arena *arena, dq_answer *answer)
{
    if (content && content->type == DQ_LIST && !join_parts(content, arena, answer)) return false;
    if (content && content->type == DQ_STRING) {
        answer->content = dq_arena_text(arena, content->as.string, content->count);
        answer->bytes = content->count;
        if (!answer->content) return false;
    }
    if (!answer->content) return true;
    dq_thoughts_blank(answer->content, answer->bytes);
    answer->scratch = dq_arena_text(arena, answer->content, answer->bytes);
    return answer->scratch != NULL;
}

bool dq_answer_take(const dq_value *body, dq_arena *arena, dq_answer *answer)
{
    static const char *const cut[] = {"length",       "max_tokens",  "max_output_tokens",
                                      "model_length", "token_limit", "incomplete",
                                      "abort",        NULL};
    static const char *const filtered[] = {
        "content_filter", "safety", "recitation", "blocklist", "refusal", "prohibited_content", "spii", NULL};
    *answer = (dq_answer){0};
    const dq_value *choice = first_of(dq_map_get(body, "choices"));
    const dq_value *message = dq_map_get(choice, "message"), *finish = dq_map_get(choice, "finish_reason");
    const dq_value *logprobs = dq_map_get(dq_map_get(choice, "logprobs"), "content");
    answer->cut = ended_by(finish, cut);
    answer->refused = has_words(dq_map_get(message, "refusal")) || ended_by(finish, filtered);
    if (logprobs && logprobs->type == DQ_LIST) answer->logprobs = logprobs;
    return take_content(dq_map_get(message, "content"), arena, answer);
}
