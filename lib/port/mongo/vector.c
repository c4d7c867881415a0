/* SPDX-License-Identifier: MIT
 *
 * Vectors in BSON, straight into float32. An array is a document whose elements are named "0", "1", "2" ...:
 * libbson's iterator finds the end of each name with a general loop, but how long it will be is known
 * beforehand, and so is where the next number stands. That is five times as fast.
 */
#include "port/mongo/bytes.h"

/* ---- arrays ---- */

/* Reads doubles whose names have so many digits, `most` at the most, and leaves at what is something else. */
static inline const uint8_t *doubles(const uint8_t *at, const uint8_t *end, unsigned digits, uint32_t most,
                                     float *to, uint32_t *count)
{
    const size_t head = 1 + digits + 1, size = head + sizeof(double);
    uint32_t n = 0;
    for (; n < most && (size_t)(end - at) >= size; n++, at += size) {
        bool named = at[0] == DQ_BSON_DOUBLE && !at[1 + digits];
        for (unsigned i = 1; i <= digits; i++) named &= at[i] != 0;
        if (!named) break;
        to[n] = (float)dq_double_at(at + head);
    }
    *count += n;
    return at;
}

/* The same, the number of digits known to the compiler. */
static const uint8_t *run_of_doubles(const uint8_t *at, const uint8_t *end, float *to, uint32_t *count)
{
    uint32_t n = *count;
    to += n;
    if (n < 10) return doubles(at, end, 1, 10 - n, to, count);
    if (n < 100) return doubles(at, end, 2, 100 - n, to, count);
    if (n < 1000) return doubles(at, end, 3, 1000 - n, to, count);
    if (n < 10000) return doubles(at, end, 4, 10000 - n, to, count);
    return at;
}

/* One number of any type, under any name; NULL where it is none. */
static const uint8_t *one_number(const uint8_t *at, const uint8_t *end, float *to)
{
    uint8_t type = *at++;
    const uint8_t *zero = memchr(at, 0, (size_t)(end - at)), *value = zero ? zero + 1 : NULL;
    size_t size = type == DQ_BSON_INT32 ? 4 : 8;
    if (!value || (size_t)(end - value) < size) return NULL;
    if (type == DQ_BSON_DOUBLE)
        *to = (float)dq_double_at(value);
    else if (type == DQ_BSON_INT32)
        *to = (float)dq_int32_at(value);
    else if (type == DQ_BSON_INT64)
        *to = (float)(double)dq_int64_at(value);
    else
        return NULL;
    return value + size;
}

/* Reads the elements of an array while they are numbers: true when all were. */
static bool walk_numbers(const uint8_t *at, const uint8_t *end, float *to, uint32_t *count)
{
    while (at && at < end) {
        const uint8_t *next = run_of_doubles(at, end, to, count);
        if (next == at) {
            next = one_number(at, end, to + *count);
            ++*count;
        }
        at = next;
    }
    return at != NULL;
}

dq_status dq_bson_numbers(const uint8_t *at, const uint8_t *end, dq_arena *arena, bool *all, dq_value *v,
                          dq_error *error)
{
    enum { SMALLEST = 6 }; /* type, empty name, int32 */
    float *to = dq_arena_take(arena, ((size_t)(end - at) / SMALLEST + 1) * sizeof *to);
    if (!to) return dq_fail_memory(error, "a vector");
    *v = (dq_value){.type = DQ_FLOATS, .as.floats = to};
    *all = walk_numbers(at, end, to, &v->count);
    return DQ_OK;
}

/* ---- binary vectors ---- */

static const uint8_t *payload_of(const uint8_t *payload, size_t bytes, unsigned subtype, uint32_t width,
                                 size_t *size)
{
    enum { HEADER = 2, INT8 = 0x03, FLOAT32 = 0x27 };
    *size = sizeof(float);
    if (subtype == 0 && width && bytes == width * sizeof(float)) return payload;
    if (subtype != 9 || bytes < HEADER || payload[1] != 0) return NULL;
    if (payload[0] == INT8) *size = 1;
    bool known = payload[0] == INT8 || payload[0] == FLOAT32;
    return known && (bytes - HEADER) % *size == 0 ? payload + HEADER : NULL;
}

dq_status dq_bson_vector(const void *payload, size_t bytes, unsigned subtype, uint32_t width, dq_arena *arena,
                         dq_value *floats, dq_error *error)
{
    size_t size;
    const uint8_t *start = payload;
    const uint8_t *from = payload_of(payload, bytes, subtype, width, &size);
    if (!from)
        return dq_fail(error, DQ_ERR_SCHEMA, "a binary of subtype %u that is no float32 vector", subtype);
    size_t count = (bytes - (size_t)(from - start)) / size;
    float *to = dq_arena_take(arena, count * sizeof *to);
    if (!to || count > UINT32_MAX) return dq_fail_memory(error, "a vector");
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = size == 1 ? 0 : (uint32_t)dq_int32_at(from + 4 * i);
        if (size == 1)
            to[i] = (float)(int8_t)from[i];
        else
            memcpy(&to[i], &bits, sizeof bits);
    }
    *floats = (dq_value){.type = DQ_FLOATS, .count = (uint32_t)count, .as.floats = to};
    return DQ_OK;
}
