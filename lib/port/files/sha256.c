/* SPDX-License-Identifier: MIT */
#include "port/files/sha256.h"

#include <nettle/sha2.h>
#include <stdlib.h>

void dq_sha256(const void *data, size_t n, uint8_t digest[DQ_SHA256_BYTES])
{
    struct sha256_ctx state;
    sha256_init(&state);
    sha256_update(&state, n, data);
    sha256_digest(&state, DQ_SHA256_BYTES, digest);
}

struct dq_sha256_sum {
    struct sha256_ctx state;
};

dq_sha256_sum *dq_sha256_new(void)
{
    dq_sha256_sum *sum = malloc(sizeof *sum);
    if (sum) sha256_init(&sum->state);
    return sum;
}

void dq_sha256_add(dq_sha256_sum *sum, const void *data, size_t n)
{
    sha256_update(&sum->state, n, data);
}

void dq_sha256_end(dq_sha256_sum *sum, uint8_t digest[DQ_SHA256_BYTES])
{
    sha256_digest(&sum->state, DQ_SHA256_BYTES, digest); /* and starts again */
}

void dq_sha256_free(dq_sha256_sum *sum)
{
    free(sum);
}
