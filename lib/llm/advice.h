/* SPDX-License-Identifier: MIT
 *
 * The server's address as people write it, and what helps when a server refuses: the client's reason with the
 * option or the address that would do.
 */
#ifndef DQ_LLM_ADVICE_H
#define DQ_LLM_ADVICE_H

#include "llm/setup.h"

/* The address below which the endpoints are: what was given (NULL: OpenAI's own), without an endpoint that
 * was written behind it (".../v1/chat/completions?a=b" is ".../v1?a=b"). The caller frees it; NULL: out of
 * memory. */
char *dq_llm_address(const char *given);

/* Fills *why, of that status, with the reason of an answer that is none, and what helps where that is known.
 */
void dq_llm_explain(const llm_setup *setup, const dq_http_answer *answer, dq_status status, dq_error *why);

#endif
