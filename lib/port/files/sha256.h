/* SPDX-License-Identifier: MIT
 *
 * SHA-256 (FIPS 180-4): the name of a question in the cache, and of a file whose like people find with
 * sha256sum(1). lib/port/files/sha256.c is the only home of nettle.
 */
#ifndef DQ_PORT_FILES_SHA256_H
#define DQ_PORT_FILES_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { DQ_SHA256_BYTES = 32 };

/* The digest of n bytes. */
void dq_sha256(const void *data, size_t n, uint8_t digest[DQ_SHA256_BYTES]);

/* A running digest, of bytes that are never in memory all at once. */
typedef struct dq_sha256_sum dq_sha256_sum;
dq_sha256_sum *dq_sha256_new(void); /* NULL when memory is short */
void dq_sha256_add(dq_sha256_sum *sum, const void *data, size_t n);
/* The digest of all that was added; the sum begins anew. */
void dq_sha256_end(dq_sha256_sum *sum, uint8_t digest[DQ_SHA256_BYTES]);
void dq_sha256_free(dq_sha256_sum *sum);

#endif
