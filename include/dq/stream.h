/* SPDX-License-Identifier: MIT
 *
 * The stream: sections of records, each section a head, bundles and an end. docs/stream-format.md is the
 * format; this is how programs read and write it.
 *
 *     dq_reader *in;  dq_writer *out;  dq_bundle b;
 *     dq_reader_open(&in, paths, count, &e);
 *     dq_writer_open(&out, "-", &maker, in, &e);
 *     while ((got = dq_reader_next(in, &b, &e)) > 0) { ...; dq_writer_put(out, &b, &e); dq_bundle_free(&b); }
 *     got < 0 ? dq_writer_abort(out) : dq_writer_close(out, &e);
 *
 * Several operands read as one stream, as `cat` of them would. A record's body is verified (length, XXH3-64)
 * before any of it is acted on; memory grows only with bytes received; every count, shape, offset and type is
 * checked, and known kinds are held to their schema, so that a bundle handed out is sound.
 */
#ifndef DQ_STREAM_H
#define DQ_STREAM_H

#include "dq/bundle.h"
#include "dq/sink.h"
#include "dq/source.h"

enum { DQ_STREAM_MAJOR = 1, DQ_STREAM_MINOR = 0, DQ_MAX_DEPTH = 32 };
#define DQ_MAX_RECORD ((uint64_t)1 << 30) /* bytes of one body */
#define DQ_MAX_VALUES ((uint64_t)1 << 20) /* msgpack objects in one body */

/* Who makes a stream. All are kept in the head; NULL options is an empty map. */
typedef struct dq_maker {
    const char *program; /* "dq-export" */
    const char *version; /* "0.1.0" */
    dq_value options;    /* DQ_MAP: the options that can change the payload, in canonical form */
    int64_t seed;        /* -1: draws no random numbers */
    unsigned threads;    /* beside the caller's, to compress and write in: dq_sink_threads; not in the head */
} dq_maker;

typedef struct dq_reader dq_reader;

/* Opens `count` operands ("-" is stdin; count 0 means stdin alone) and reads the first head, so that it can
 * stand in this program's own. Empty input is DQ_ERR_TRUNCATED, other bytes DQ_ERR_FORMAT, a newer major
 * DQ_ERR_VERSION. */
dq_status dq_reader_open(dq_reader **reader, const char *const *paths, size_t count, dq_error *error);

/* The same for a source that is open already (its first bytes peeked at, say). The reader closes it, also
 * when this fails. */
dq_status dq_reader_open_source(dq_reader **reader, dq_source *source, dq_error *error);

/* The next bundle, owned by the caller (dq_bundle_free). 1: a bundle; 0: the clean end of all input; -1:
 * broken, with source, record number and reason in *error. After 0 or -1 it stays so. */
int dq_reader_next(dq_reader *reader, dq_bundle *bundle, dq_error *error) __attribute__((warn_unused_result));

/* What each bundle goes through before dq_reader_next hands it out: pass(arg, &bundle, error). 1: it is
 * handed on, perhaps another one in its place; 0: it was freed, and is passed over; -1: broken. */
typedef struct dq_bundle_filter {
    int (*pass)(void *arg, dq_bundle *bundle, dq_error *error);
    void *arg;
    struct dq_bundle_filter *next; /* the reader's */
} dq_bundle_filter;
/* From now on bundles go through it too, behind the filters before it. Kept until dq_reader_unfilter, or
 * until no more is read. */
void dq_reader_filter(dq_reader *reader, dq_bundle_filter *filter);
void dq_reader_unfilter(dq_reader *reader, const dq_bundle_filter *filter);

/* 0-based number of the section that the last bundle came from. Row references hold within a section. */
uint64_t dq_reader_section(const dq_reader *reader);

/* The heads read so far (maker maps as in the format, oldest first) and the ends read so far: DQ_LISTs that
 * live as long as the reader. For lineage and for the writer. */
const dq_value *dq_reader_heads(const dq_reader *reader);
const dq_value *dq_reader_ends(const dq_reader *reader);

/* Name of the operand being read and number of its current record (1-based), for messages of the caller's
 * own. */
const char *dq_reader_source(const dq_reader *reader);
uint64_t dq_reader_record(const dq_reader *reader);

/* See dq_source_on_block. */
void dq_reader_on_block(dq_reader *reader, void (*before_block)(void *arg), void *arg);

/* See dq_source_threads; holds for every operand from now on. */
void dq_reader_threads(dq_reader *reader, unsigned threads);

void dq_reader_close(dq_reader *reader);

typedef struct dq_writer dq_writer;

/* Opens a sink (path NULL or "-": stdout) and writes the head: maker, and the heads of the inputs known now.
 * Inputs (kept, may be 0) are asked again at close for their digests and late heads, so close the writer
 * before them. */
dq_status dq_writer_open(dq_writer **writer, const char *path, const dq_maker *maker,
                         dq_reader *const *inputs, size_t input_count, dq_error *error);

/* The same for a sink that is open already. The writer closes it, also when this fails. */
dq_status dq_writer_open_sink(dq_writer **writer, dq_sink *sink, const dq_maker *maker,
                              dq_reader *const *inputs, size_t input_count, dq_error *error);

/* Writes a bundle. Kinds must come in the section's order (DQ_ERR_SCHEMA); unknown kinds may stand anywhere.
 * Names and texts that are not UTF-8 are DQ_ERR_FORMAT, here and when the head is written.
 * A bundle that still has the body it was read from (bundle->body) is written verbatim: whoever changes a
 * read bundle builds a new one. */
dq_status dq_writer_put(dq_writer *writer, const dq_bundle *bundle, dq_error *error);

/* Makes what was written visible to the reader of a pipe. */
dq_status dq_writer_flush(dq_writer *writer, dq_error *error);

/* Ends this section and begins another in the same stream (for splitting output whose row references differ).
 */
dq_status dq_writer_next_section(dq_writer *writer, dq_error *error);

/* Writes the end, completes the sink and frees. */
dq_status dq_writer_close(dq_writer *writer, dq_error *error);

/* Writes no end; a file written aside is removed. Frees; accepts NULL. */
void dq_writer_abort(dq_writer *writer);

#endif
