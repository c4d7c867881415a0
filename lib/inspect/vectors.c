/* SPDX-License-Identifier: MIT */
#include "inspect/vectors.h"

#include "dq/schema.h"

#include <math.h>
#include <string.h>

/* Numbers looked at together. */
enum { SOME = 4096 };

/* The first of n numbers of a column, from `first` on, that is finite and has become infinite; n: none. */
static size_t find_beyond(const dq_column *vector, size_t first, const void *to, dq_dtype type, size_t n)
{
    float became[SOME];
    dq_convert_f4(became, to, type, n);
    for (size_t i = 0; i < n; i++)
        if (isinf(became[i]) && isfinite(dq_column_number(vector, first + i))) return i;
    return n;
}

static double most_of(dq_dtype type)
{
    return type == DQ_F2 ? 65504 : type == DQ_BF16 ? 3.38953e38 : 3.40282e38;
}

static dq_status convert(const dq_bundle *from, const dq_column *vector, dq_dtype type, void *to,
                         dq_error *error)
{
    float floats[SOME];
    size_t width = (size_t)dq_column_width(vector), all = (size_t)from->rows * width;
    size_t size = dq_dtype_size(vector->type), to_size = dq_dtype_size(type);
    for (size_t at = 0, n; at < all; at += n) {
        n = all - at < SOME ? all - at : SOME;
        char *some = (char *)to + at * to_size;
        dq_convert_f4(floats, (const char *)vector->data + at * size, vector->type, n);
        dq_convert_from_f4(some, type, floats, n);
        size_t beyond = find_beyond(vector, at, some, type, n);
        if (beyond < n)
            return dq_fail(error, DQ_ERR_RANGE,
                           "%s: row %zu has %.9g in its vector, and %s holds up to %.6g%s", from->kind,
                           (at + beyond) / width, dq_column_number(vector, at + beyond), dq_dtype_name(type),
                           most_of(type), type == DQ_F2 ? " (bf16 up to 3.4e+38)" : "");
    }
    return DQ_OK;
}

dq_status dq_vectors_as(dq_bundle *to, const dq_bundle *from, dq_dtype type, dq_error *error)
{
    static const char *const none[] = {NULL}, *const vectors[] = {"vector", NULL};
    bool entities = strcmp(from->kind, DQ_KIND_USERS) == 0 || strcmp(from->kind, DQ_KIND_ITEMS) == 0;
    const dq_column *vector = entities ? dq_bundle_column(from, "vector") : NULL;
    bool changes = vector && vector->type != type;
    dq_status status = dq_bundle_borrow(to, from, changes ? vectors : none, error);
    if (status || !changes) return status;
    size_t numbers = (size_t)from->rows * (size_t)dq_column_width(vector);
    void *data = dq_arena_take(&to->arena, numbers * dq_dtype_size(type) + 1);
    status = data ? convert(from, vector, type, data, error) : dq_fail_memory(error, "vectors");
    if (!status) status = dq_bundle_add_tensor(to, "vector", type, vector->dims, vector->shape, data, error);
    if (status) dq_bundle_free(to);
    return status;
}
