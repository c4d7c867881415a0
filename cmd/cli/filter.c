/* SPDX-License-Identifier: MIT */
#include "cli/filter.h"

/* A failure to write is kept by the writer and shows again at its next use. */
static void flush_output(void *arg)
{
    (void)dq_writer_flush(arg, NULL);
}

dq_status dq_filter_open(dq_filter *filter, dq_cli *cli, const dq_common *common, int64_t seed,
                         dq_error *error)
{
    return dq_filter_open_with(filter, cli, common, seed, NULL, error);
}

dq_status dq_filter_open_with(dq_filter *filter, dq_cli *cli, const dq_common *common, int64_t seed,
                              dq_reader *further, dq_error *error)
{
    *filter = (dq_filter){0};
    dq_maker maker = dq_cli_maker(cli, seed);
    dq_status status = dq_reader_open(&filter->in, cli->operands, cli->operand_count, error);
    dq_reader *const inputs[] = {filter->in, further};
    if (!status)
        status = dq_writer_open(&filter->out, common->output, &maker, inputs, further ? 2 : 1, error);
    if (!status && common->flush) dq_reader_on_block(filter->in, flush_output, filter->out);
    if (!status) dq_reader_threads(filter->in, dq_cli_stream_threads(cli));
    return status;
}

dq_status dq_filter_next(dq_filter *filter, dq_bundle *bundle, bool *more, dq_error *error)
{
    int got = dq_reader_next(filter->in, bundle, error);
    *more = got > 0;
    if (got >= 0) return DQ_OK;
    return error->status ? error->status : DQ_ERR_FORMAT;
}

dq_status dq_filter_put(dq_filter *filter, const dq_bundle *bundle, dq_error *error)
{
    uint64_t section = dq_reader_section(filter->in);
    dq_status status = DQ_OK;
    if (section != filter->section) status = dq_writer_next_section(filter->out, error);
    filter->section = section;
    return status ? status : dq_writer_put(filter->out, bundle, error);
}

dq_status dq_filter_blame(const dq_filter *filter, dq_status status, dq_error *error)
{
    if (status) (void)dq_error_at(error, dq_reader_source(filter->in), dq_reader_record(filter->in));
    return status;
}

dq_status dq_filter_close(dq_filter *filter, dq_status status, dq_error *error)
{
    if (status)
        dq_writer_abort(filter->out);
    else
        status = dq_writer_close(filter->out, error);
    dq_reader_close(filter->in);
    *filter = (dq_filter){0};
    return status;
}
