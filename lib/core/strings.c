/* SPDX-License-Identifier: MIT
 *
 * dq_strings, the builder behind text columns: one run of bytes and an offset a string, grown by doubling.
 */
#include "dq/bundle.h"

#include "core/array.h"
#include "core/bytes.h"

#include <stdlib.h>
#include <string.h>

static bool reserve_slots(dq_strings *s)
{
    size_t slots = dq_array_capacity(s->slots, s->count + 2);
    if (slots == s->slots) return true;
    if (!dq_array_resize(&s->offsets, slots, sizeof *s->offsets)) return false;
    if (s->slots == 0) s->offsets[0] = 0;
    if (s->nulls && !dq_array_resize(&s->nulls, slots, 1)) return false;
    s->slots = slots;
    return true;
}

static bool reserve_bytes(dq_strings *s, size_t more)
{
    return dq_array_reserve(&s->data, &s->capacity, s->bytes + more + 1, 1); /* not NULL for empty texts */
}

/* What needs no more room, as nearly all do. */
static inline bool fits(const dq_strings *s, const char *text, size_t bytes)
{
    return text && s->count + 2 <= s->slots && bytes < s->capacity - s->bytes &&
           bytes <= UINT32_MAX - s->bytes;
}

static inline void append(dq_strings *s, const char *text, size_t bytes)
{
    dq_bytes_copy(s->data + s->bytes, text, bytes);
    if (s->nulls) s->nulls[s->count] = !text;
    s->bytes += bytes;
    s->offsets[++s->count] = (uint32_t)s->bytes;
}

static dq_status grow_by(dq_strings *s, const char *text, size_t bytes, dq_error *error)
{
    if (bytes > UINT32_MAX - s->bytes)
        return dq_fail(error, DQ_ERR_RANGE, "more than 4 GiB of text in a column");
    if (!reserve_slots(s) || !reserve_bytes(s, bytes)) return dq_fail_memory(error, "texts");
    if (!text && !s->nulls) s->nulls = calloc(s->slots, 1);
    return text || s->nulls ? DQ_OK : dq_fail_memory(error, "texts");
}

dq_status dq_strings_add(dq_strings *s, const char *text, size_t bytes, dq_error *error)
{
    if (!text) bytes = 0;
    dq_status status = fits(s, text, bytes) ? DQ_OK : grow_by(s, text, bytes, error);
    if (!status) append(s, text, bytes);
    return status;
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
