/* SPDX-License-Identifier: MIT */
#include "port/files/sha256.h"

#include <nettle/sha2.h>

void dq_sha256(const void *data, size_t n, uint8_t digest[DQ_SHA256_BYTES])
{
    struct sha256_ctx state;
    sha256_init(&state);
    sha256_update(&state, n, data);
    sha256_digest(&state, DQ_SHA256_BYTES, digest);
}
