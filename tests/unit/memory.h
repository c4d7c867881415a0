/* SPDX-License-Identifier: MIT
 *
 * Streams and texts in memory: a sink keeps what a source gives.
 */
#ifndef DQ_TEST_MEMORY_H
#define DQ_TEST_MEMORY_H

#include "dq/sink.h"
#include "dq/source.h"
#include "dq/stream.h"

#include "tables.h"

typedef struct memory {
    char data[1 << 14];
    size_t bytes, at;
} memory;

static inline dq_status write_memory(void *arg, const void *data, size_t n, dq_error *error)
{
    memory *m = arg;
    (void)error;
    assert_true(m->bytes + n < sizeof m->data);
    memcpy(m->data + m->bytes, data, n);
    m->bytes += n;
    m->data[m->bytes] = '\0';
    return DQ_OK;
}

static inline dq_status read_memory(void *arg, void *to, size_t n, size_t *got, dq_error *error)
{
    memory *m = arg;
    (void)error;
    *got = m->bytes - m->at < n ? m->bytes - m->at : n;
    memcpy(to, m->data + m->at, *got);
    m->at += *got;
    return DQ_OK;
}

static inline dq_sink *open_sink(memory *m)
{
    dq_sink *sink;
    *m = (memory){0};
    assert_int_equal(dq_sink_open_fn(&sink, "memory", DQ_SINK_TEXT, write_memory, m, NULL), DQ_OK);
    return sink;
}

static inline dq_writer *open_writer(memory *m)
{
    const dq_maker maker = {.program = "test", .version = "1", .seed = 7};
    dq_writer *w;
    assert_int_equal(dq_writer_open_sink(&w, open_sink(m), &maker, NULL, 0, NULL), DQ_OK);
    return w;
}

static inline dq_reader *open_reader(memory *m)
{
    dq_source *source;
    dq_reader *reader;
    m->at = 0;
    assert_int_equal(dq_source_open_fn(&source, "memory", read_memory, m, NULL), DQ_OK);
    assert_int_equal(dq_reader_open_source(&reader, source, NULL), DQ_OK);
    return reader;
}

static inline void put(dq_writer *w, dq_bundle b)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_writer_put(w, &b, &e)) fail_msg("%s", e.reason);
    dq_bundle_free(&b);
}

#endif
