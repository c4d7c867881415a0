/* SPDX-License-Identifier: MIT */
#include "log/log_impl.h"

#include "core/array.h"
#include "wire/frame.h"

#include <stdlib.h>
#include <string.h>

enum { LEVEL = -1 }; /* of zstd: who asks for a list waits for its log */

static dq_status take_bytes(void *arg, const void *data, size_t n, dq_error *error)
{
    dq_log_bytes *to = arg;
    if (!dq_array_reserve(&to->at, &to->capacity, to->n + n, 1)) return dq_fail_memory(error, "a section");
    memcpy(to->at + to->n, data, n);
    to->n += n;
    return DQ_OK;
}

static dq_status write_section(dq_log_bytes *to, const dq_maker *maker, const dq_bundle *bundle,
                               dq_error *error)
{
    dq_sink *sink;
    dq_writer *writer;
    dq_status status = dq_sink_open_fn(&sink, "log", DQ_SINK_TEXT, take_bytes, to, error);
    if (!status) status = dq_writer_open_sink(&writer, sink, maker, NULL, 0, error);
    if (status) return status;
    status = dq_writer_put(writer, bundle, error);
    if (!status) return dq_writer_close(writer, error);
    dq_writer_abort(writer);
    return status;
}

dq_status dq_log_section_write(dq_log_bytes *to, const dq_maker *maker, const dq_bundle *bundle,
                               dq_error *error)
{
    dq_log_bytes section = {0};
    unsigned char *frame = NULL;
    size_t n = 0;
    dq_status status = write_section(&section, maker, bundle, error);
    if (!status) status = dq_frame_make(section.at, section.n, LEVEL, &frame, &n, error);
    if (!status) status = take_bytes(to, frame, n, error);
    free(section.at);
    free(frame);
    return status;
}

/* ---- the way back ---- */

typedef struct frame {
    const unsigned char *at;
    size_t n;
} frame;

static dq_status give_bytes(void *arg, void *to, size_t n, size_t *got, dq_error *error)
{
    frame *f = arg;
    (void)error;
    *got = n < f->n ? n : f->n;
    memcpy(to, f->at, *got);
    f->at += *got;
    f->n -= *got;
    return DQ_OK;
}

/* The one bundle of a stream of one section. */
static dq_status read_one(dq_reader *reader, dq_bundle *bundle, dq_error *error)
{
    dq_bundle more;
    int got = dq_reader_next(reader, bundle, error);
    if (got < 0) return error->status;
    if (got == 0) return dq_fail(error, DQ_ERR_SCHEMA, "a section without a bundle is none of a log");
    got = dq_reader_next(reader, &more, error);
    if (got == 0) return DQ_OK;
    dq_bundle_free(&more);
    dq_bundle_free(bundle);
    return got < 0 ? error->status
                   : dq_fail(error, DQ_ERR_SCHEMA, "a section of several bundles is none of a log");
}

dq_status dq_log_section_read(const void *bytes, size_t n, dq_bundle *bundle, uint64_t *position,
                              dq_error *error)
{
    dq_error local = DQ_ERROR_NONE;
    frame f = {bytes, n};
    dq_source *source;
    dq_reader *reader = NULL;
    *bundle = DQ_BUNDLE_EMPTY;
    if (!error) error = &local;
    dq_status status = dq_source_open_fn(&source, "log", give_bytes, &f, error);
    if (!status) status = dq_reader_open_source(&reader, source, error);
    if (!status) status = read_one(reader, bundle, error);
    dq_reader_close(reader);
    if (status == DQ_ERR_TRUNCATED) /* a whole frame of less than a section */
        status = dq_fail(error, DQ_ERR_SCHEMA, "a frame that holds no whole section is none of a log");
    if (status) return status;
    int64_t stated = dq_log_kind_of(bundle) == DQ_LOG_NONE
                         ? -1
                         : dq_value_integer(dq_map_get(&bundle->meta, "position"), -1);
    *position = (uint64_t)stated;
    if (stated >= 0) return DQ_OK;
    dq_bundle_free(bundle);
    return dq_fail(error, DQ_ERR_SCHEMA, "a section that is none of a log (meta.log)");
}
