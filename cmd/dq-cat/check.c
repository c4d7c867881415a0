/* SPDX-License-Identifier: MIT
 *
 * What is said of a whole stream: that it is sound, what it holds, where it comes from. The reader has
 * verified lengths, hashes, shapes, references, order and ends; here come the rules that need memory of ids.
 */
#include "cat.h"
#include "core/array.h"
#include "data/identity.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- --check ---- */

typedef struct known {
    dq_identity rows;
    uint64_t width;     /* of the vectors; 0: none */
    dq_index mentioned; /* by interactions */
} known;

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for a check");
}

/* All vectors of users have one width, and all of items, in whatever section or operand they stand. */
static dq_status check_width(known *k, const dq_bundle *bundle, dq_error *error)
{
    const dq_column *c = dq_bundle_column(bundle, "vector");
    uint64_t width = c ? dq_column_width(c) : 0;
    if (bundle->rows == 0) return DQ_OK;
    if (dq_index_count(&k->rows.ids) && width != k->width)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "%s: vectors of width %" PRIu64 " after vectors of width %" PRIu64, bundle->kind,
                       width, k->width);
    k->width = width;
    return DQ_OK;
}

static dq_status mention(known *k, const dq_column *ids, dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint64_t r = 0; !status && r < ids->shape[0]; r++) {
        size_t n;
        const char *id = dq_column_text(ids, r, &n);
        status = dq_index_add(&k->mentioned, id, n, NULL, NULL, error);
    }
    return status;
}

/* Interactions come before the items that they name, so ids are looked up when all is read. A stream of
 * interactions alone is sound. */
static dq_status check_mentioned(const known *k, const char *what, dq_error *error)
{
    for (uint32_t i = 0; dq_index_count(&k->rows.ids) && i < dq_index_count(&k->mentioned); i++) {
        size_t n;
        const char *id = dq_index_id(&k->mentioned, i, &n);
        if (dq_index_find(&k->rows.ids, id, n) == DQ_ABSENT)
            return dq_fail(error, DQ_ERR_UNKNOWN, "interactions: no %s %.*s", what, (int)n, id);
    }
    return DQ_OK;
}

static dq_status check_json(const dq_bundle *bundle, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        for (uint64_t r = 0; c->type == DQ_JSON && !status && r < c->shape[0]; r++) {
            size_t n;
            dq_value value;
            dq_arena arena = DQ_ARENA_EMPTY;
            const char *text = dq_column_text(c, r, &n);
            if (text) status = dq_json_parse(text, n, &arena, &value, error);
            dq_arena_free(&arena);
        }
    }
    return status;
}

static dq_status check_bundle(known of[DQ_ENTITY_KINDS], const dq_bundle *bundle, uint64_t section,
                              dq_error *error)
{
    dq_status status = check_json(bundle, error);
    int kind = dq_entity_kind(bundle->kind);
    if (!status && kind >= 0) status = check_width(&of[kind], bundle, error);
    if (!status && kind >= 0) status = dq_identity_add(&of[kind].rows, bundle, section, NULL, error);
    if (status || strcmp(bundle->kind, DQ_KIND_INTERACTIONS) != 0) return status;
    status = mention(&of[DQ_USERS], dq_bundle_column(bundle, "user"), error);
    return status ? status : mention(&of[DQ_ITEMS], dq_bundle_column(bundle, "item"), error);
}

dq_status dq_cat_check(dq_reader *in, dq_progress *progress, dq_error *error)
{
    known of[DQ_ENTITY_KINDS] = {0};
    dq_bundle bundle;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = dq_reader_next(in, &bundle, error)) > 0) {
        status = check_bundle(of, &bundle, dq_reader_section(in), error);
        if (status) (void)dq_error_at(error, dq_reader_source(in), dq_reader_record(in));
        dq_progress_step(progress, progress->done + bundle.rows, "rows");
        dq_bundle_free(&bundle);
    }
    if (!status && got < 0) status = error->status;
    if (!status) status = check_mentioned(&of[DQ_USERS], "user", error);
    if (!status) status = check_mentioned(&of[DQ_ITEMS], "item", error);
    for (int i = 0; i < DQ_ENTITY_KINDS; i++) {
        dq_identity_free(&of[i].rows);
        dq_index_free(&of[i].mentioned);
    }
    return status;
}

/* ---- --count ---- */

/* A model has no rows: what is counted is how many there are. By section. */
typedef struct tally {
    uint64_t *models; /* (count) */
    size_t count, room;
} tally;

static dq_status count_model(tally *t, uint64_t section, dq_error *error)
{
    if (!dq_array_reserve(&t->models, &t->room, (size_t)section + 1, sizeof *t->models))
        return no_memory(error);
    while (t->count <= section) t->models[t->count++] = 0;
    t->models[section]++;
    return DQ_OK;
}

/* Reads to the clean end. The tally is to be freed after a failure, too. */
static dq_status read_all(dq_reader *in, tally *t, dq_progress *progress, dq_error *error)
{
    dq_bundle bundle;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = dq_reader_next(in, &bundle, error)) > 0) {
        if (strcmp(bundle.kind, DQ_KIND_MODEL) == 0) status = count_model(t, dq_reader_section(in), error);
        dq_progress_step(progress, progress->done + bundle.rows, "rows");
        dq_bundle_free(&bundle);
    }
    return got < 0 ? error->status : status;
}

/* How many a section has of the i-th kind in its end's `rows`. */
static int64_t count_of(const dq_value *rows, uint32_t i, const tally *t, size_t section)
{
    if (!dq_value_is(&rows->as.map[i].key, DQ_KIND_MODEL)) return dq_value_integer(&rows->as.map[i].value, 0);
    return section < t->count ? (int64_t)t->models[section] : 0;
}

/* Sums what the sections have, kind by kind in the order of their first appearance. */
static bool add_rows(dq_arena *arena, dq_value *sums, const dq_value *end, const tally *t, size_t section)
{
    const dq_value *rows = dq_map_get(end, "rows");
    for (uint32_t i = 0; rows && i < rows->count; i++) {
        const char *kind = dq_value_text(arena, &rows->as.map[i].key);
        if (!kind) return false;
        int64_t sum = dq_value_integer(dq_map_get(sums, kind), 0) + count_of(rows, i, t, section);
        if (!dq_map_set(arena, sums, kind, dq_int(sum))) return false;
    }
    return true;
}

dq_status dq_cat_count(dq_reader *in, const dq_texts *kinds, dq_sink *out, dq_progress *progress,
                       dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value sums = dq_map();
    tally t = {0};
    dq_status status = read_all(in, &t, progress, error);
    const dq_value *ends = dq_reader_ends(in);
    for (uint32_t i = 0; !status && i < ends->count; i++)
        if (!add_rows(&arena, &sums, &ends->as.list[i], &t, i)) status = no_memory(error);
    for (uint32_t i = 0; !status && i < sums.count; i++) {
        const dq_value *kind = &sums.as.map[i].key;
        bool wanted = kinds->count == 0;
        for (size_t k = 0; k < kinds->count; k++) wanted |= dq_value_is(kind, kinds->at[k]);
        if (wanted)
            status = dq_sink_printf(out, error, "%.*s\t%" PRId64 "\n", (int)kind->count, kind->as.string,
                                    sums.as.map[i].value.as.integer);
    }
    dq_arena_free(&arena);
    free(t.models);
    return status;
}

/* ---- --lineage ---- */

typedef struct tree {
    dq_json_text text;
    dq_error *error;
    dq_status status;
} tree;

static void put(tree *t, const char *text, size_t n)
{
    if (!t->status) t->status = dq_json_write_raw(&t->text, text, n, t->error);
}

/* A plain word as it is, anything else as JSON, so that nothing reaches a terminal unescaped. */
static void put_value(tree *t, const dq_value *v)
{
    bool plain = v && v->type == DQ_STRING && v->count;
    for (uint32_t i = 0; plain && i < v->count; i++)
        plain = v->as.string[i] > ' ' && v->as.string[i] < 0x7f && v->as.string[i] != '"';
    if (plain)
        put(t, v->as.string, v->count);
    else if (v && !t->status)
        t->status = dq_json_write(&t->text, v, t->error);
}

/* "dq-train 0.1.0  seed=42 episodes=100", indented, and its inputs below it. */
static void put_maker(tree *t, const dq_value *maker, unsigned depth)
{
    const dq_value *options = dq_map_get(maker, "options"), *inputs = dq_map_get(maker, "inputs"),
                   *seed = dq_map_get(maker, "seed");
    for (unsigned i = 0; i < depth; i++) put(t, "  ", 2);
    put_value(t, dq_map_get(maker, "program"));
    put(t, " ", 1);
    put_value(t, dq_map_get(maker, "version"));
    if (seed && seed->type == DQ_INT) {
        put(t, " seed=", 6);
        put_value(t, seed);
    }
    for (uint32_t i = 0; options && options->type == DQ_MAP && i < options->count; i++) {
        put(t, " ", 1);
        put_value(t, &options->as.map[i].key);
        put(t, "=", 1);
        put_value(t, &options->as.map[i].value);
    }
    put(t, "\n", 1);
    for (uint32_t i = 0; inputs && inputs->type == DQ_LIST && i < inputs->count; i++)
        put_maker(t, &inputs->as.list[i], depth + 1);
}

static void put_section(tree *t, const dq_value *maker, const dq_value *end, const tally *counted,
                        size_t section)
{
    const dq_value *rows = dq_map_get(end, "rows"), *inputs = dq_map_get(end, "inputs");
    put(t, "section ", 8);
    put_value(t, dq_map_get(end, "digest"));
    for (uint32_t i = 0; rows && i < rows->count; i++) {
        put(t, " ", 1);
        const dq_value count = dq_int(count_of(rows, i, counted, section));
        put_value(t, &rows->as.map[i].key);
        put(t, "=", 1);
        put_value(t, &count);
    }
    put(t, "\n", 1);
    put_maker(t, maker, 1);
    for (uint32_t i = 0; inputs && inputs->type == DQ_LIST && i < inputs->count; i++) {
        const dq_value *late = dq_map_get(&inputs->as.list[i], "maker");
        if (late) put_maker(t, late, 2); /* an input whose head came when this one's was written */
    }
}

dq_status dq_cat_lineage(dq_reader *in, dq_sink *out, dq_progress *progress, dq_error *error)
{
    tally counted = {0};
    tree t = {.error = error, .status = read_all(in, &counted, progress, error)};
    const dq_value *heads = dq_reader_heads(in), *ends = dq_reader_ends(in);
    for (uint32_t i = 0; i < ends->count; i++)
        put_section(&t, &heads->as.list[i], &ends->as.list[i], &counted, i);
    if (!t.status) t.status = dq_sink_write(out, t.text.data, t.text.bytes, error);
    dq_json_text_free(&t.text);
    free(counted.models);
    return t.status;
}
