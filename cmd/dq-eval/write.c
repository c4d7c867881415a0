/* SPDX-License-Identifier: MIT
 *
 * What a mode has found goes out: complete, or not at all.
 */
#include "eval.h"

dq_status eval_write(const eval_result *result, const eval_options *o, dq_error *error)
{
    dq_sink *out = NULL;
    dq_status status = dq_sink_open(&out, o->plot ? o->plot : o->common.output, DQ_SINK_TEXT, error);
    if (!status) status = result->print(result->of, o, o->format, out, error);
    if (result->close) status = result->close(result->of, status, error);
    if (!status) return dq_sink_close(out, error);
    dq_sink_abort(out);
    return status;
}
