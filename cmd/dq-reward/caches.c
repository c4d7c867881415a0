/* SPDX-License-Identifier: MIT */
#include "caches.h"

#include "dq/stream.h"
#include "llm/answers.h"

#include <inttypes.h>
#include <string.h>

static dq_status write_bundle(void *writer, const dq_bundle *bundle, dq_error *error)
{
    return dq_writer_put(writer, bundle, error);
}

dq_status dq_reward_export_cache(const char *name, dq_cli *cli, const dq_common *common, dq_error *error)
{
    dq_cache *cache;
    dq_writer *writer;
    uint64_t count = 0;
    dq_status status = dq_cache_open(&cache, name, true, error);
    if (status) return status;
    dq_maker maker = dq_cli_maker(cli, -1);
    status = dq_writer_open(&writer, common->output, &maker, NULL, 0, error);
    if (!status) {
        status = dq_answers_export(cache, write_bundle, writer, &count, error);
        if (status)
            dq_writer_abort(writer);
        else
            status = dq_writer_close(writer, error);
    }
    dq_cache_close(cache);
    if (!status) dq_cli_say(cli, common, "%" PRIu64 " answers exported", count);
    return status;
}

static dq_status read_all(dq_cache *cache, dq_reader *in, dq_answers_tally *tally, bool *any, dq_error *error)
{
    dq_bundle bundle;
    int got;
    dq_status status = DQ_OK;
    while (!status && (got = dq_reader_next(in, &bundle, error)) != 0) {
        if (got < 0) return error->status;
        *any = *any || strcmp(bundle.kind, DQ_KIND_ANSWERS) == 0;
        status = dq_answers_import(cache, &bundle, tally, error);
        if (status) dq_error_at(error, dq_reader_source(in), dq_reader_record(in));
        dq_bundle_free(&bundle);
    }
    return status;
}

dq_status dq_reward_import_cache(const char *name, const dq_cli *cli, const dq_common *common,
                                 dq_error *error)
{
    dq_cache *cache;
    dq_reader *in;
    dq_answers_tally tally = {0};
    bool any = false;
    dq_status status = dq_reader_open(&in, cli->operands, cli->operand_count, error);
    if (status) return status;
    status = dq_cache_open(&cache, name, false, error);
    if (!status) {
        status = read_all(cache, in, &tally, &any, error);
        dq_cache_close(cache);
    }
    if (!status && !any)
        status = dq_fail(error, DQ_ERR_UNKNOWN,
                         "the stream has no answers: --export-cache writes one that has");
    dq_reader_close(in);
    if (!status)
        dq_cli_say(cli, common, "%" PRIu64 " answers: %" PRIu64 " taken, %" PRIu64 " there already",
                   tally.answers, tally.taken, tally.answers - tally.taken);
    return status;
}
