/* SPDX-License-Identifier: MIT
 *
 * Numbers in BSON's bytes, little-endian on every machine; and the walk over a vector's.
 */
#ifndef DQ_PORT_MONGO_BYTES_H
#define DQ_PORT_MONGO_BYTES_H

#include "port/mongo/mongo.h"

#include <string.h>

/* Types of elements that are numbers. */
enum { DQ_BSON_DOUBLE = 0x01, DQ_BSON_INT32 = 0x10, DQ_BSON_INT64 = 0x12 };

static inline int32_t dq_int32_at(const uint8_t *p)
{
    return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
}

static inline int64_t dq_int64_at(const uint8_t *p)
{
    return (int64_t)((uint64_t)(uint32_t)dq_int32_at(p) | (uint64_t)(uint32_t)dq_int32_at(p + 4) << 32);
}

static inline double dq_double_at(const uint8_t *p)
{
    int64_t bits = dq_int64_at(p);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* The elements of an array, at [at, end), as DQ_FLOATS in the arena; *all is false, and v is nothing, where
 * some are no numbers. */
dq_status dq_bson_numbers(const uint8_t *at, const uint8_t *end, dq_arena *arena, bool *all, dq_value *v,
                          dq_error *error);

#endif
