/* SPDX-License-Identifier: MIT
 *
 * Chat completions: the fields of a body that is parsed already, and what of its content is said and not
 * thought.
 *
 * Content is a text, or a list of parts of which those of type "text" count. What stands elsewhere
 * (reasoning_content, reasoning, parts of type "thinking") is never looked at. In the content become blanks,
 * byte for byte, so that places stay what they are:
 *
 *   - thoughts, <think> ... </think>, and whatever tag is named after thinking, reasoning, reflecting and the
 *     like, in <>, &lt;&gt;, [], <||> and Kimi's brackets; Gemma's <|channel>thought ... <channel|>
 *   - where a closing tag stands alone, all before it; where an opening tag stands alone, or one within
 *     another, all behind it
 *   - of gpt-oss's channels, <|channel|>analysis ..., all but the last message, and that, too, unless its
 *     channel is "final"; also where the marks are lost ("assistantfinal")
 *   - special tokens before the words, <s>, <|im_start|>assistant; where words stand before one, </s>,
 *     <|im_end|>, all behind it
 *   - tags around an answer, <answer>, not what they hold
 */
#ifndef DQ_REWARD_COMPLETION_H
#define DQ_REWARD_COMPLETION_H

#include "dq/value.h"

/* Of a chat completion. Texts are in the arena or point into the body's values. */
typedef struct dq_answer {
    char *content; /* (bytes), what is said; NULL: no choice, or one without content */
    char *scratch; /* (bytes), room for whoever reads it */
    size_t bytes;
    bool refused, cut;        /* a refusal or a filter; cut short (finish_reason "length" and its like) */
    const dq_value *logprobs; /* choices[0].logprobs.content, a list; else NULL */
} dq_answer;

/* Takes the fields of a body. False: memory is short. */
bool dq_answer_take(const dq_value *body, dq_arena *arena, dq_answer *answer);

#endif
