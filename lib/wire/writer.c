/* SPDX-License-Identifier: MIT
 *
 * Bundles to records: a body's pieces are hashed where they lie, then written after the record's header. The
 * writer holds itself to what the reader demands, so that what it wrote can be read.
 */
#include "wire/wire.h"

#include "dq/schema.h"

#include <stdlib.h>
#include <string.h>

/* Depth that a maker of an input may have, so that in the head or the end it stays within DQ_MAX_DEPTH. */
enum { HEADER = 18, MAKER_DEPTH = DQ_MAX_DEPTH - 4 };

struct dq_writer {
    dq_sink *sink;
    dq_pieces pieces;
    dq_hasher *hasher;
    dq_section section;
    dq_arena arena;
    dq_value maker; /* without its inputs */
    dq_reader **inputs;
    size_t *known; /* heads of each input that this section's head names */
    size_t input_count;
};

static void put_u64(unsigned char *p, uint64_t u)
{
    *p++ = 0xcf;
    for (int shift = 56; shift >= 0; shift -= 8) *p++ = (unsigned char)(u >> shift);
}

static dq_status write_header(dq_writer *w, uint64_t bytes, uint64_t hash, dq_error *error)
{
    unsigned char header[HEADER];
    put_u64(header, bytes);
    put_u64(header + 9, hash);
    return dq_sink_write(w->sink, header, sizeof header, error);
}

static uint64_t hash_pieces(dq_writer *w)
{
    dq_hasher_reset(w->hasher);
    for (size_t i = 0; i < w->pieces.count; i++)
        dq_hasher_add(w->hasher, dq_piece_data(&w->pieces, i), w->pieces.piece[i].n);
    return dq_hasher_value(w->hasher);
}

static dq_status write_pieces(dq_writer *w, uint64_t hash, dq_error *error)
{
    dq_status status = write_header(w, w->pieces.bytes, hash, error);
    for (size_t i = 0; !status && i < w->pieces.count; i++)
        status = dq_sink_write(w->sink, dq_piece_data(&w->pieces, i), w->pieces.piece[i].n, error);
    return status;
}

static dq_status write_value(dq_writer *w, const dq_value *value, dq_error *error)
{
    dq_pieces_clear(&w->pieces);
    dq_status status = dq_pack_value(&w->pieces, value, error);
    return status ? status : write_pieces(w, hash_pieces(w), error);
}

/* ---- head and end ---- */

/* A copy whose containers nest at most `depth` deep: nil stands where the tree was cut. */
static bool copy_shallow(dq_arena *arena, const dq_value *from, unsigned depth, dq_value *to)
{
    bool ok = true;
    if (from->type != DQ_LIST && from->type != DQ_MAP) return dq_value_copy(arena, from, to);
    *to = dq_nil();
    if (depth == 0) return true;
    dq_value copy = from->type == DQ_LIST ? dq_list() : dq_map(), inner;
    size_t room = 4;
    while (room < from->count) room *= 2;
    if (from->type == DQ_LIST) {
        for (uint32_t i = 0; ok && i < from->count; i++)
            ok = copy_shallow(arena, &from->as.list[i], depth - 1, &inner) &&
                 dq_list_add(arena, &copy, inner);
    } else {
        copy.as.map = dq_arena_take(arena, room * sizeof *copy.as.map);
        ok = copy.as.map != NULL;
        for (; ok && copy.count < from->count; copy.count++) {
            dq_entry *entry = &copy.as.map[copy.count];
            ok = dq_value_copy(arena, &from->as.map[copy.count].key, &entry->key) &&
                 copy_shallow(arena, &from->as.map[copy.count].value, depth - 1, &entry->value);
        }
    }
    if (ok) *to = copy;
    return ok;
}

/* The makers of all inputs' heads known now; w->known counts them. */
static bool list_makers(dq_writer *w, dq_arena *arena, dq_value *makers)
{
    *makers = dq_list();
    for (size_t i = 0; i < w->input_count; i++) {
        const dq_value *heads = dq_reader_heads(w->inputs[i]);
        for (uint32_t h = 0; h < heads->count; h++) {
            dq_value maker;
            if (!copy_shallow(arena, &heads->as.list[h], MAKER_DEPTH, &maker) ||
                !dq_list_add(arena, makers, maker))
                return false;
        }
        w->known[i] = heads->count;
    }
    return true;
}

static dq_status write_head(dq_writer *w, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value head = dq_map(), version = dq_list(), maker = dq_nil(), makers;
    bool ok = list_makers(w, &arena, &makers) && dq_value_copy(&arena, &w->maker, &maker) &&
              dq_map_set(&arena, &maker, "inputs", makers) &&
              dq_list_add(&arena, &version, dq_int(DQ_STREAM_MAJOR)) &&
              dq_list_add(&arena, &version, dq_int(DQ_STREAM_MINOR)) &&
              dq_map_set(&arena, &head, "dq", dq_string(&arena, "head")) &&
              dq_map_set(&arena, &head, "version", version) && dq_map_set(&arena, &head, "maker", maker);
    dq_status status = ok ? dq_section_begin(&w->section, error) : dq_fail_memory(error, "a writer");
    if (!status) status = write_value(w, &head, error);
    dq_arena_free(&arena);
    return status;
}

/* What an input's sections were: their digests (nil where it was not read to the end) and late makers. */
static bool list_inputs(const dq_writer *w, dq_arena *arena, dq_value *list)
{
    *list = dq_list();
    for (size_t i = 0; i < w->input_count; i++) {
        const dq_value *heads = dq_reader_heads(w->inputs[i]), *ends = dq_reader_ends(w->inputs[i]);
        for (uint32_t h = 0; h < heads->count; h++) {
            const dq_value *digest = h < ends->count ? dq_map_get(&ends->as.list[h], "digest") : NULL;
            dq_value entry = dq_map(), maker,
                     text = digest ? dq_string_n(arena, digest->as.string, digest->count) : dq_nil();
            bool ok = dq_map_set(arena, &entry, "digest", text);
            if (ok && h >= w->known[i])
                ok = copy_shallow(arena, &heads->as.list[h], MAKER_DEPTH, &maker) &&
                     dq_map_set(arena, &entry, "maker", maker);
            if (!ok || !dq_list_add(arena, list, entry)) return false;
        }
    }
    return true;
}

static dq_status write_end(dq_writer *w, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value end = dq_map(), rows = dq_map(), inputs;
    char digest[17];
    dq_section_digest(&w->section, digest);
    bool ok = list_inputs(w, &arena, &inputs);
    for (size_t i = 0; ok && i < w->section.kind_count; i++)
        ok = dq_map_set(&arena, &rows, w->section.kinds[i].kind, dq_int((int64_t)w->section.kinds[i].rows));
    ok = ok && dq_map_set(&arena, &end, "dq", dq_string(&arena, "end")) &&
         dq_map_set(&arena, &end, "bundles", dq_int((int64_t)w->section.bundles)) &&
         dq_map_set(&arena, &end, "rows", rows) &&
         dq_map_set(&arena, &end, "digest", dq_string(&arena, digest)) &&
         dq_map_set(&arena, &end, "inputs", inputs);
    dq_status status = ok ? write_value(w, &end, error) : dq_fail_memory(error, "a writer");
    dq_arena_free(&arena);
    return status;
}

/* ---- the writer ---- */

static dq_status keep_maker(dq_writer *w, const dq_maker *maker, dq_error *error)
{
    dq_value options = dq_map();
    w->maker = dq_map();
    bool ok = maker->options.type != DQ_MAP || dq_value_copy(&w->arena, &maker->options, &options);
    ok = ok && dq_map_set(&w->arena, &w->maker, "program", dq_string(&w->arena, maker->program)) &&
         dq_map_set(&w->arena, &w->maker, "version", dq_string(&w->arena, maker->version)) &&
         dq_map_set(&w->arena, &w->maker, "options", options) &&
         dq_map_set(&w->arena, &w->maker, "seed", maker->seed < 0 ? dq_nil() : dq_int(maker->seed));
    return ok ? DQ_OK : dq_fail_memory(error, "a writer");
}

static dq_status keep_inputs(dq_writer *w, dq_reader *const *inputs, size_t count, dq_error *error)
{
    w->input_count = count;
    w->inputs = dq_arena_zero(&w->arena, count, sizeof *w->inputs);
    w->known = dq_arena_zero(&w->arena, count, sizeof *w->known);
    if (!w->inputs || !w->known) return dq_fail_memory(error, "a writer");
    if (count) memcpy(w->inputs, inputs, count * sizeof *w->inputs);
    return DQ_OK;
}

dq_status dq_writer_open(dq_writer **writer, const char *path, const dq_maker *maker,
                         dq_reader *const *inputs, size_t input_count, dq_error *error)
{
    dq_sink *sink;
    *writer = NULL;
    dq_status status = dq_sink_open(&sink, path, DQ_SINK_ZSTD, error);
    return status ? status : dq_writer_open_sink(writer, sink, maker, inputs, input_count, error);
}

dq_status dq_writer_open_sink(dq_writer **writer, dq_sink *sink, const dq_maker *maker,
                              dq_reader *const *inputs, size_t input_count, dq_error *error)
{
    *writer = NULL;
    dq_writer *w = calloc(1, sizeof *w);
    if (!w) {
        dq_sink_abort(sink);
        return dq_fail_memory(error, "a writer");
    }
    w->sink = sink;
    dq_sink_threads(sink, maker->threads);
    w->hasher = dq_hasher_new();
    dq_status status = w->hasher ? DQ_OK : dq_fail_memory(error, "a writer");
    if (!status) status = keep_maker(w, maker, error);
    if (!status) status = keep_inputs(w, inputs, input_count, error);
    if (!status) status = write_head(w, error);
    if (status)
        dq_writer_abort(w);
    else
        *writer = w;
    return status;
}

static dq_status check(const dq_bundle *bundle, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < bundle->column_count; i++)
        status = dq_column_check(&bundle->columns[i], error);
    return status ? status : dq_schema_check(bundle, error);
}

dq_status dq_writer_put(dq_writer *writer, const dq_bundle *bundle, dq_error *error)
{
    dq_writer *w = writer;
    dq_status status;
    if (bundle->body) {
        status = dq_section_add(&w->section, bundle, bundle->body_hash, error);
        if (!status) status = write_header(w, bundle->body_bytes, bundle->body_hash, error);
        return status ? status : dq_sink_write(w->sink, bundle->body, bundle->body_bytes, error);
    }
    dq_pieces_clear(&w->pieces);
    status = check(bundle, error);
    if (!status) status = dq_pack_bundle(&w->pieces, bundle, error);
    if (!status && bundle->rows > w->pieces.bytes)
        status = dq_fail(error, DQ_ERR_RANGE, "%s: %llu rows of nothing", bundle->kind,
                         (unsigned long long)bundle->rows);
    if (status) return status;
    uint64_t hash = hash_pieces(w);
    status = dq_section_add(&w->section, bundle, hash, error);
    return status ? status : write_pieces(w, hash, error);
}

dq_status dq_writer_flush(dq_writer *writer, dq_error *error)
{
    return dq_sink_flush(writer->sink, error);
}

dq_status dq_writer_next_section(dq_writer *writer, dq_error *error)
{
    dq_status status = write_end(writer, error);
    return status ? status : write_head(writer, error);
}

dq_status dq_writer_close(dq_writer *writer, dq_error *error)
{
    dq_status status = write_end(writer, error);
    if (!status) {
        status = dq_sink_close(writer->sink, error);
        writer->sink = NULL;
    }
    dq_writer_abort(writer);
    return status;
}

void dq_writer_abort(dq_writer *writer)
{
    if (!writer) return;
    dq_sink_abort(writer->sink);
    dq_pieces_free(&writer->pieces);
    dq_hasher_free(writer->hasher);
    dq_section_free(&writer->section);
    dq_arena_free(&writer->arena);
    free(writer);
}
