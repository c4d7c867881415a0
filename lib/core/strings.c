/* SPDX-License-Identifier: MIT
 *
 * dq_strings, the builder behind text columns: one run of bytes and an offset a string, grown by doubling.
 */
#include "dq/bundle.h"

#include <stdlib.h>
#include <string.h>

static bool reserve_slots(dq_strings *s)
{
    if (s->count + 1 < s->slots) return true;
    size_t slots = s->slots ? 2 * s->slots : 64;
    uint32_t *offsets = realloc(s->offsets, slots * sizeof *offsets);
    if (!offsets) return false;
    if (!s->offsets) offsets[0] = 0;
    s->offsets = offsets;
    if (s->nulls) {
        uint8_t *nulls = realloc(s->nulls, slots);
        if (!nulls) return false;
        s->nulls = nulls;
    }
    s->slots = slots;
    return true;
}

static bool reserve_bytes(dq_strings *s, size_t more)
{
    size_t capacity = s->capacity ? s->capacity : 256;
    while (capacity - s->bytes < more) capacity *= 2;
    if (capacity == s->capacity) return true;
    char *data = realloc(s->data, capacity);
    if (!data) return false;
    s->data = data;
    s->capacity = capacity;
    return true;
}

dq_status dq_strings_add(dq_strings *s, const char *text, size_t bytes, dq_error *error)
{
    if (!text) bytes = 0;
    if (bytes > UINT32_MAX - s->bytes)
        return dq_fail(error, DQ_ERR_RANGE, "more than 4 GiB of text in a column");
    if (!reserve_slots(s) || !reserve_bytes(s, bytes))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for texts");
    if (!text && !s->nulls) {
        s->nulls = calloc(s->slots, 1);
        if (!s->nulls) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for texts");
    }
    if (bytes) memcpy(s->data + s->bytes, text, bytes);
    if (s->nulls) s->nulls[s->count] = !text;
    s->bytes += bytes;
    s->offsets[++s->count] = (uint32_t)s->bytes;
    return DQ_OK;
}

const char *dq_strings_get(const dq_strings *s, size_t i, size_t *bytes)
{
    *bytes = s->offsets[i + 1] - s->offsets[i];
    return s->nulls && s->nulls[i] ? NULL : s->data + s->offsets[i];
}

void dq_strings_clear(dq_strings *s)
{
    s->count = 0;
    s->bytes = 0;
    free(s->nulls);
    s->nulls = NULL;
}

void dq_strings_free(dq_strings *s)
{
    free(s->data);
    free(s->offsets);
    free(s->nulls);
    *s = (dq_strings){0};
}
