/* SPDX-License-Identifier: MIT
 *
 * What a server's error body says, whatever its shape: which part of a request it is about, and whether a
 * body that came as a success is an error.
 */
#ifndef DQ_LLM_REFUSAL_H
#define DQ_LLM_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

enum { LLM_WORDS = 2048 };

/* The texts of an error body in lower case, a line each (at most LLM_WORDS bytes with the NUL). What echoes
 * the request ("input", "body", ...) and what differs by chance ("request_id") is left out, and so are
 * digits, so that equal refusals have equal words. A body that is no JSON is its own text; a page (HTML) has
 * no words. */
void dq_llm_refusal_words(const char *body, size_t bytes, char words[LLM_WORDS]);

/* Whether the words hold one of a NULL-ended list. */
bool dq_llm_words_hold(const char *words, const char *const *list);

/* Whether the words are about what no other form of the request mends: its length, the model's name, the
 * temperature, money. */
bool dq_llm_words_are_foreign(const char *words);

/* Whether the words are about what the model wrote, and not what it was sent: it missed the schema (Groq). */
bool dq_llm_words_are_of_answer(const char *words);

/* The code that an error inside the body of a success counts as: its own where it has one (400 .. 599), else
 * 503; 0: the body is an answer, or none that says so. */
long dq_llm_error_within(const char *body, size_t bytes);

/* Whether a body is a page, as a portal, a proxy or the front of a chat puts it: the words of no model. */
bool dq_llm_is_page(const char *body, size_t bytes);

/* Whether the body of a success is a completion's, readable or not: what was sent with it was taken. */
bool dq_llm_is_answer(const char *body, size_t bytes);

#endif
