/* SPDX-License-Identifier: MIT
 *
 * Types of elements: their names in the stream, their sizes, and exact conversions to and from float32.
 */
#include "dq/bundle.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [DQ_F2] = {"f2", 2},     [DQ_BF16] = {"bf16", 2}, [DQ_F4] = {"f4", 4}, [DQ_F8] = {"f8", 8},
    [DQ_I1] = {"i1", 1},     [DQ_I2] = {"i2", 2},     [DQ_I4] = {"i4", 4}, [DQ_I8] = {"i8", 8},
    [DQ_U1] = {"u1", 1},     [DQ_U2] = {"u2", 2},     [DQ_U4] = {"u4", 4}, [DQ_U8] = {"u8", 8},
    [DQ_TEXT] = {"text", 0}, [DQ_JSON] = {"json", 0},
};

const char *dq_dtype_name(dq_dtype type)
{
    return types[type].name;
}

bool dq_dtype_parse(const char *name, size_t n, dq_dtype *type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strlen(types[i].name) == n && memcmp(types[i].name, name, n) == 0) {
            *type = (dq_dtype)i;
            return true;
        }
    return false;
}

size_t dq_dtype_size(dq_dtype type)
{
    return types[type].size;
}

static float float_of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint32_t bits_of_float(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

/* IEEE 754 half: 1 sign, 5 exponent (bias 15), 10 fraction, where a float has 8 and 23, bias 127. Without a
 * branch, for compilers make vectors of it; and without a float that is subnormal, which threads that compute
 * take for 0. */
static float half_to_float(uint16_t h)
{
    uint32_t size = h & 0x7fffU, bits = (size << 13) + (112U << 23);
    uint32_t infinite = size >= 0x7c00U ? 112U << 23 : 0;
    uint32_t tiny = bits_of_float((float)(int32_t)size * 0x1p-24F); /* a subnormal half */
    bits = size < 0x400U ? tiny : bits + infinite;
    return float_of_bits(bits | (h & 0x8000U) << 16);
}

static uint16_t float_to_half(float f)
{
    uint32_t bits = bits_of_float(f), sign = (bits >> 16) & 0x8000U, magnitude = bits & 0x7fffffffU;
    if (magnitude > 0x7f800000U) return (uint16_t)(sign | 0x7e00U);
    if (magnitude >= 0x477ff000U) return (uint16_t)(sign | 0x7c00U); /* rounds past 65504 */
    if (magnitude < 0x38800000U) {                                   /* below 2^-14: a subnormal half */
        float scaled = ldexpf(float_of_bits(magnitude), 24);
        return (uint16_t)(sign | (uint32_t)lrintf(scaled));
    }
    uint32_t rounded = magnitude + 0xfffU + ((magnitude >> 13) & 1U); /* to nearest, ties to even */
    return (uint16_t)(sign | ((rounded - 0x38000000U) >> 13));
}

static uint16_t float_to_bf16(float f)
{
    uint32_t bits = bits_of_float(f);
    if ((bits & 0x7fffffffU) > 0x7f800000U) return (uint16_t)((bits >> 16) | 0x40U);
    return (uint16_t)((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

static double number_at(const unsigned char *p, dq_dtype type)
{
#define AS(c_type)                                                                                           \
    {                                                                                                        \
        c_type x;                                                                                            \
        memcpy(&x, p, sizeof x);                                                                             \
        return (double)x;                                                                                    \
    }
    switch (type) {
    case DQ_F4: AS(float)
    case DQ_F8: AS(double)
    case DQ_I1: AS(int8_t)
    case DQ_I2: AS(int16_t)
    case DQ_I4: AS(int32_t)
    case DQ_I8: AS(int64_t)
    case DQ_U1: AS(uint8_t)
    case DQ_U2: AS(uint16_t)
    case DQ_U4: AS(uint32_t)
    case DQ_U8: AS(uint64_t)
#undef AS
    case DQ_F2:
    case DQ_BF16: {
        uint16_t x;
        memcpy(&x, p, sizeof x);
        return (double)(type == DQ_F2 ? half_to_float(x) : float_of_bits((uint32_t)x << 16));
    }
    case DQ_TEXT:
    case DQ_JSON: break;
    }
    return NAN;
}

double dq_column_number(const dq_column *column, uint64_t i)
{
    return number_at((const unsigned char *)column->data + i * dq_dtype_size(column->type), column->type);
}

static void widen(float *to, const unsigned char *from, bool ieee, size_t n)
{
    uint16_t half;
    for (size_t i = 0; ieee && i < n; i++) {
        memcpy(&half, from + 2 * i, sizeof half);
        to[i] = half_to_float(half);
    }
    for (size_t i = 0; !ieee && i < n; i++) {
        memcpy(&half, from + 2 * i, sizeof half);
        to[i] = float_of_bits((uint32_t)half << 16);
    }
}

void dq_convert_f4(float *to, const void *from, dq_dtype type, size_t n)
{
    if (type == DQ_F4) {
        if (n) memcpy(to, from, n * sizeof *to);
        return;
    }
    const unsigned char *p = from;
    if (type == DQ_F2 || type == DQ_BF16)
        widen(to, p, type == DQ_F2, n);
    else
        for (size_t i = 0; i < n; i++) to[i] = (float)number_at(p + i * dq_dtype_size(type), type);
}

void dq_convert_from_f4(void *to, dq_dtype type, const float *from, size_t n)
{
    if (type == DQ_F4) {
        if (n) memcpy(to, from, n * sizeof *from);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint16_t half = type == DQ_F2 ? float_to_half(from[i]) : float_to_bf16(from[i]);
        memcpy((unsigned char *)to + 2 * i, &half, sizeof half);
    }
}
