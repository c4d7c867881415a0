/* SPDX-License-Identifier: MIT
 *
 * Estimates tokens from bytes, where no server has counted. (dq_ask_parse_price is in ask.h.)
 */
#ifndef DQ_LLM_PRICE_H
#define DQ_LLM_PRICE_H

#include <stddef.h>
#include <stdint.h>

/* Tokens of so many bytes of English prose or JSON, as an estimate. */
uint64_t dq_llm_tokens(size_t bytes);

#endif
