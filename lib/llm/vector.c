/* SPDX-License-Identifier: MIT */
#include "llm/vector.h"

#include <math.h>
#include <string.h>

/* ---- which is which ---- */

/* The place of a vector, or -1: none, or one that is out of range. */
static int64_t index_of(const dq_value *row, size_t n)
{
    int64_t at = dq_value_integer(dq_map_get(row, "index"), -1);
    return at < (int64_t)n ? at : -1;
}

static dq_status place_by_index(const dq_value *data, size_t n, const dq_value **vectors, dq_error *error)
{
    const dq_value *stray = NULL;
    size_t strays = 0;
    for (uint32_t k = 0; k < data->count; k++) {
        const dq_value *row = &data->as.list[k];
        int64_t at = index_of(row, n);
        if (at < 0) {
            stray = row;
            strays++;
        } else if (vectors[at]) {
            return dq_fail(error, DQ_ERR_SCHEMA,
                           "two vectors of %zu have the index %lld (--batch 1 asks for one)", n,
                           (long long)at);
        } else {
            vectors[at] = row;
        }
    }
    if (strays == 1 && !vectors[0] && !dq_map_get(stray, "index")) {
        vectors[0] = stray;
        strays = 0;
    }
    if (!strays) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA,
                   "%zu of %zu vectors have no index, or one out of range (--batch 1 asks for one)", strays,
                   n);
}

dq_status dq_vectors_place(const dq_value *body, size_t n, const dq_value **vectors, dq_error *error)
{
    static const dq_value none = {.type = DQ_NIL};
    const dq_value *data = dq_map_get(body, "data");
    if (!data || data->type != DQ_LIST) return dq_fail(error, DQ_ERR_FORMAT, "no data");
    if (data->count != n)
        return dq_fail(error, DQ_ERR_SCHEMA, "%u vectors for %zu texts (--batch 1 asks for one)", data->count,
                       n);
    memset(vectors, 0, n * sizeof *vectors);
    dq_status status = DQ_OK;
    if (n == 1)
        vectors[0] = &data->as.list[0];
    else
        status = place_by_index(data, n, vectors, error);
    for (size_t i = 0; !status && i < n; i++) {
        vectors[i] = dq_map_get(vectors[i], "embedding");
        if (!vectors[i]) vectors[i] = &none;
    }
    return status;
}

/* ---- numbers ---- */

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Bytes of base64 (RFC 4648); 0 when it is none. */
static size_t decode(const char *text, size_t n, unsigned char *bytes)
{
    size_t count = 0;
    uint32_t held = 0, bits = 0;
    while (n > 0 && text[n - 1] == '=') n--;
    for (size_t i = 0; i < n; i++) {
        int digit = digit_of(text[i]);
        if (digit < 0) return 0;
        held = held << 6 | (uint32_t)digit;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes[count++] = (unsigned char)(held >> bits);
    }
    return count;
}

static float *read_packed(const dq_value *text, dq_arena *arena, uint32_t *width)
{
    unsigned char *bytes = dq_arena_take(arena, text->count + 4);
    size_t n = bytes ? decode(text->as.string, text->count, bytes) : 0;
    float *numbers = n && n % 4 == 0 ? dq_arena_zero(arena, n / 4, sizeof *numbers) : NULL;
    for (size_t i = 0; numbers && i < n; i += 4) {
        uint32_t word = (uint32_t)bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16 |
                        (uint32_t)bytes[i + 3] << 24;
        memcpy(&numbers[i / 4], &word, sizeof word);
    }
    *width = (uint32_t)(n / 4);
    return numbers;
}

static float *read_list(const dq_value *list, dq_arena *arena, uint32_t *width)
{
    float *numbers = list->count ? dq_arena_zero(arena, list->count, sizeof *numbers) : NULL;
    for (uint32_t i = 0; numbers && i < list->count; i++)
        numbers[i] = (float)dq_value_number(&list->as.list[i], (double)NAN);
    *width = list->count;
    return numbers;
}

float *dq_vector_read(const char *text, size_t bytes, dq_arena *arena, uint32_t *width)
{
    dq_error none = DQ_ERROR_NONE;
    dq_value *body = dq_arena_zero(arena, 1, sizeof *body);
    float *numbers = NULL;
    *width = 0;
    if (!body || dq_json_parse(text, bytes, arena, body, &none)) return NULL;
    const dq_value *vector = dq_map_get(body, "embedding");
    if (vector && vector->type == DQ_LIST) numbers = read_list(vector, arena, width);
    if (vector && vector->type == DQ_STRING) numbers = read_packed(vector, arena, width);
    for (uint32_t i = 0; numbers && i < *width; i++)
        if (!isfinite(numbers[i])) return NULL;
    return numbers;
}
