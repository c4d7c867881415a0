/* SPDX-License-Identifier: MIT */
#include "llm/price.h"

#include "llm/ask.h"

#include <math.h>
#include <stdlib.h>

uint64_t dq_llm_tokens(size_t bytes)
{
    return (bytes + 3) / 4; /* English prose and JSON have about four bytes a token */
}

bool dq_ask_parse_price(const char *text, double *in, double *out)
{
    char *end;
    *in = strtod(text, &end);
    if (end == text || *end != ':') return false;
    const char *second = end + 1;
    *out = strtod(second, &end);
    bool sound = end != second && *end == '\0' && isfinite(*in) && isfinite(*out) && *in >= 0 && *out >= 0;
    *in /= 1e6;
    *out /= 1e6;
    return sound;
}
