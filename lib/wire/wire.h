/* SPDX-License-Identifier: MIT
 *
 * What the files of this room share and nobody else sees.
 *
 *     descriptor -> bytes/input.c (decode.c, frame.c, bytes/ahead.c) -> source.c (text.c)
 *                -> reader.c -> unpack.c -> table.c -> dq_bundle
 *     dq_bundle  -> pack.c -> writer.c -> sink.c (frame.c, bytes/behind.c, aside.c) -> descriptor
 *
 * section.c holds what reader and writer both keep of a section.
 */
#ifndef DQ_WIRE_H
#define DQ_WIRE_H

#include "core/digest.h"

#include "dq/sink.h"
#include "dq/source.h"
#include "dq/stream.h"

/* ---- decode.c: bytes as they come to bytes as they were ---- */

typedef struct dq_decoder dq_decoder;

/* What the first n bytes of a source say. DQ_CODING_MORE: too few to tell, and they could begin a compressed
 * one. */
typedef enum dq_coding { DQ_CODING_PLAIN, DQ_CODING_ZSTD, DQ_CODING_GZIP, DQ_CODING_MORE } dq_coding;
dq_coding dq_coding_of(const unsigned char *first, size_t n);

/* A decoder for zstd or gzip; NULL when memory is short. */
dq_decoder *dq_decoder_new(dq_coding coding);
void dq_decoder_free(dq_decoder *decoder);
/* Decodes from in[*at .. end) to at most n bytes; *at moves on, *got tells how many came out (0: more input).
 */
dq_status dq_decoder_run(dq_decoder *decoder, const unsigned char *in, size_t *at, size_t end, void *to,
                         size_t n, size_t *got, dq_error *error);
/* True between frames or members: the only place where input may end. */
bool dq_decoder_at_boundary(const dq_decoder *decoder);

/* ---- text.c: what the first bytes of a text say, and texts that are not UTF-8 ---- */

/* Whether n first bytes are enough for dq_text_begin: four, or a line that is no wide one. What it then says
 * is what it would say of more. */
bool dq_text_told(const char *first, size_t n);
/* The bytes of a UTF-8 byte-order mark, 0 without one. DQ_ERR_FORMAT for UTF-16 and UTF-32, with or without a
 * mark, in words that say the way out. */
dq_status dq_text_begin(const char *first, size_t n, size_t *mark, dq_error *error);

typedef struct dq_converter dq_converter;

/* From an encoding by iconv's name to UTF-8; DQ_ERR_UNKNOWN where there is none of that name. */
dq_status dq_converter_new(dq_converter **converter, const char *encoding, dq_error *error);
void dq_converter_free(dq_converter *converter);
/* Converts from in[*at .. end) to at most n >= 16 bytes; *at moves on, *got tells how many came out. Nothing
 * comes out of an incomplete character, which then stands at *at. DQ_ERR_FORMAT where the bytes are none. */
dq_status dq_converter_run(dq_converter *converter, char *in, size_t *at, size_t end, char *to, size_t n,
                           size_t *got, dq_error *error);

/* ---- aside.c: a file that appears when it is complete ---- */

typedef struct dq_aside {
    char *path; /* what it will be called; NULL: there is no such file */
    char *name; /* what it is called until then; NULL while it has no name */
} dq_aside;

/* Opens a new file that will be path, or replace the regular file there, whose mode it takes over. A symbolic
 * link stays, also one that leads nowhere: what it names is made or replaced. */
dq_status dq_aside_open(dq_aside *aside, const char *path, int *fd, dq_error *error);
/* Syncs, closes (*fd = -1) and names it. */
dq_status dq_aside_complete(dq_aside *aside, int *fd, dq_error *error);
/* Its three parts, for whoever completes many files of one directory: each is synced, each gets its name (and
 * *fd = -1), then the directory of all is synced. */
dq_status dq_aside_sync(int fd, dq_error *error);
dq_status dq_aside_name(dq_aside *aside, int *fd, dq_error *error);
dq_status dq_aside_sync_directory(const dq_aside *aside, dq_error *error);
/* Removes what is not complete, and frees. */
void dq_aside_discard(dq_aside *aside);

/* ---- unpack.c: a body to values ---- */

/* Parses exactly n bytes as one MessagePack object. Strings and binaries point into body; lists and maps live
 * in the arena. Keys are unique strings, strings are UTF-8, depth and number of values are bounded. */
dq_status dq_unpack(const unsigned char *body, size_t n, dq_arena *arena, dq_value *value, dq_error *error);

/* ---- table.c: values to a bundle ---- */

/* The bytes of a source that are in memory, plain, and unread: what can be shown without a read that might
 * block. NULL, and *n = 0: none are. */
const void *dq_source_held(const dq_source *source, size_t *n);
/* Whether a reader's error was that something stands where a record is wanted: somebody else wrote there. */
bool dq_reader_met_foreign(const dq_reader *reader);
/* foreign.c: DQ_ERR_FORMAT, "WHAT 'the first bytes, escaped...'"; with `more` others follow the n. */
enum { DQ_SHOWN_BYTES = 40 };
dq_status dq_fail_foreign(const char *what, const void *first, size_t n, bool more, dq_error *error);

/* Fills a bundle (empty but for its arena and body) from its body's value. */
dq_status dq_bundle_read(dq_bundle *bundle, const dq_value *value, dq_error *error);
/* The part of a column's soundness that does not depend on how it was stored: texts are UTF-8 in ascending
 * offsets, nulls are flags, sizes agree with the shape. */
dq_status dq_column_check(const dq_column *column, dq_error *error);

/* ---- pack.c: a body as pieces, so that columns are neither copied nor joined ---- */

typedef struct dq_piece {
    const void *data; /* NULL: n bytes of glue from `at` on */
    size_t at, n;
} dq_piece;

typedef struct dq_pieces {
    unsigned char *glue; /* keys, headers, padding */
    size_t glue_bytes, glue_room;
    dq_piece *piece;
    size_t count, room;
    dq_arena shuffled; /* columns with their bytes in another order: bytes/shuffle.h */
    uint64_t bytes;    /* of the whole body */
    bool failed;       /* memory was short */
    bool foreign;      /* a text was not UTF-8 */
} dq_pieces;

dq_status dq_pack_value(dq_pieces *pieces, const dq_value *value, dq_error *error);
dq_status dq_pack_bundle(dq_pieces *pieces, const dq_bundle *bundle, dq_error *error);
const void *dq_piece_data(const dq_pieces *pieces, size_t i);
void dq_pieces_clear(dq_pieces *pieces);
void dq_pieces_free(dq_pieces *pieces);

/* ---- section.c: what a section has held so far ---- */

enum { DQ_MAX_KINDS = 256 };

typedef struct dq_kind_rows {
    char *kind;
    uint64_t rows;
} dq_kind_rows;

typedef struct dq_section {
    dq_kind_rows *kinds; /* in order of appearance */
    size_t kind_count;
    int order; /* place of the last known kind */
    uint64_t bundles;
    dq_hasher *digest; /* of the bodies' hashes */
} dq_section;

dq_status dq_section_begin(dq_section *section, dq_error *error);
/* Checks the bundle's place and what its references count, then counts it. */
dq_status dq_section_add(dq_section *section, const dq_bundle *bundle, uint64_t hash, dq_error *error);
/* 16 hex digits and a NUL. */
void dq_section_digest(const dq_section *section, char hex[17]);
void dq_section_free(dq_section *section);

#endif
