/* SPDX-License-Identifier: MIT */
#include "core/shard/shard.h"

#include "core/digest.h"

/* Digits from *text on, which moves behind them; 0: there are none, or the number is over the limit. */
static uint32_t number(const char **text)
{
    uint32_t n = 0;
    for (; **text >= '0' && **text <= '9'; ++*text) {
        if (n > DQ_SHARD_MAX) continue; /* it stays too large */
        n = 10 * n + (uint32_t)(**text - '0');
    }
    return n <= DQ_SHARD_MAX ? n : 0;
}

dq_status dq_shard_parse(dq_shard *shard, const char *text, dq_error *error)
{
    const char *at = text;
    uint32_t index = number(&at);
    bool slash = *at == '/';
    if (slash) at++;
    uint32_t count = slash ? number(&at) : 0;
    if (*at || !index || index > count)
        return dq_fail(error, DQ_ERR_RANGE,
                       "'%.40s' is no shard: I/N is wanted, I from 1 to N, N up to %d, such as 3/12", text,
                       DQ_SHARD_MAX);
    *shard = (dq_shard){.index = index, .count = count};
    return DQ_OK;
}

bool dq_shard_has(const dq_shard *shard, const char *id, size_t bytes)
{
    return !dq_shard_cuts(shard) || dq_digest(id, bytes) % shard->count == shard->index - 1;
}
