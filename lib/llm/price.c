/* SPDX-License-Identifier: MIT */
#include "llm/price.h"

#include "core/words/number.h"
#include "llm/ask.h"

#include <math.h>
#include <stdlib.h>

uint64_t dq_llm_tokens(size_t bytes)
{
    return (bytes + 3) / 4; /* English prose and JSON have about four bytes a token */
}

bool dq_ask_parse_price(const char *text, double *in, double *out)
{
    const char *end = dq_number_begin(text, in);
    if (!end || *end != ':' || !dq_number_is(end + 1, out)) return false;
    bool sound = *in >= 0 && *out >= 0;
    *in /= 1e6;
    *out /= 1e6;
    return sound;
}
