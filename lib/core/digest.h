/* SPDX-License-Identifier: MIT
 *
 * XXH3-64, the digest of the stream's format and of everything that is compared by it (equal ids, equal
 * rows).
 */
#ifndef DQ_CORE_DIGEST_H
#define DQ_CORE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

uint64_t dq_digest(const void *data, size_t bytes);
uint64_t dq_digest_seeded(const void *data, size_t bytes, uint64_t seed);

/* A number in [0, 1) for an id: which share of users somebody is in. Stable for ever, and independent of the
 * ids' order and of dq_digest of the same bytes. */
double dq_share(const char *id, size_t bytes);

typedef struct dq_hasher dq_hasher; /* a running digest */
dq_hasher *dq_hasher_new(void);     /* NULL when memory is short */
void dq_hasher_reset(dq_hasher *hasher);
void dq_hasher_add(dq_hasher *hasher, const void *data, size_t n);
uint64_t dq_hasher_value(const dq_hasher *hasher);
void dq_hasher_free(dq_hasher *hasher);

#endif
