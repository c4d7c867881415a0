/* SPDX-License-Identifier: MIT
 *
 * SHA-256 (FIPS 180-4): the name of a question in the cache. lib/port/files/sha256.c is the only home of
 * nettle.
 */
#ifndef DQ_PORT_FILES_SHA256_H
#define DQ_PORT_FILES_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { DQ_SHA256_BYTES = 32 };

/* The digest of n bytes. */
void dq_sha256(const void *data, size_t n, uint8_t digest[DQ_SHA256_BYTES]);

#endif
