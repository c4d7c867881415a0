/* SPDX-License-Identifier: MIT */
#include "net/column.h"

#include "math/vec.h"

dq_status dq_net_load_column(const dq_bundle *model, const char *name, size_t count, float *to,
                             dq_error *error)
{
    const dq_column *column = dq_bundle_column(model, name);
    if (!column) return dq_fail(error, DQ_ERR_SCHEMA, "the model lacks column '%s'", name);
    if (column->type == DQ_TEXT || column->type == DQ_JSON ||
        dq_column_width(column) * column->shape[0] != count)
        return dq_fail(error, DQ_ERR_SCHEMA, "column '%s' does not have %zu numbers", name, count);
    dq_convert_f4(to, column->data, column->type, count);
    if (!dq_vec_finite(to, count))
        return dq_fail(error, DQ_ERR_NUMERIC, "column '%s' has a number that is not finite", name);
    return DQ_OK;
}
