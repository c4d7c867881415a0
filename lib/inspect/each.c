/* SPDX-License-Identifier: MIT */
#include "inspect/each.h"

dq_status dq_each_bundle(dq_reader *in, dq_take_bundle *take, void *arg, const dq_watch *watch,
                         dq_error *error)
{
    dq_bundle bundle;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = dq_reader_next(in, &bundle, error)) > 0) {
        uint64_t rows = bundle.rows;
        status = take(arg, &bundle, dq_reader_section(in), error);
        if (status) (void)dq_error_at(error, dq_reader_source(in), dq_reader_record(in));
        if (watch) watch->passed(watch->arg, rows);
        dq_bundle_free(&bundle);
    }
    return got < 0 ? error->status : status;
}
