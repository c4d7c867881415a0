/* SPDX-License-Identifier: MIT */
#include "inspect/lineage.h"

#include "core/array.h"
#include "dq/schema.h"
#include "port/files/json.h"

#include <stdlib.h>
#include <string.h>

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory to count");
}

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

static dq_status count_next(void *arg, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    return strcmp(bundle->kind, DQ_KIND_MODEL) == 0 ? count_model(arg, section, error) : DQ_OK;
}

/* The rows of a section by kind, models counted. */
static dq_status count_rows(const dq_value *end, const tally *t, size_t section, dq_arena *arena,
                            dq_value *counted, dq_error *error)
{
    const dq_value *rows = dq_map_get(end, "rows");
    *counted = dq_map();
    for (uint32_t i = 0; rows && i < rows->count; i++) {
        dq_value n = dq_int(dq_value_integer(&rows->as.map[i].value, 0));
        if (dq_value_is(&rows->as.map[i].key, DQ_KIND_MODEL))
            n = dq_int(section < t->count ? (int64_t)t->models[section] : 0);
        if (!dq_map_add(arena, counted, rows->as.map[i].key, n)) return no_memory(error);
    }
    return DQ_OK;
}

static dq_status visit_maker(const dq_lineage_visitor *v, unsigned depth, const dq_value *maker,
                             dq_error *error)
{
    const dq_value *inputs = dq_map_get(maker, "inputs");
    dq_status status = v->maker(v->arg, depth, maker, error);
    for (uint32_t i = 0; inputs && inputs->type == DQ_LIST && i < inputs->count && !status; i++)
        status = visit_maker(v, depth + 1, &inputs->as.list[i], error);
    return status;
}

static dq_status visit_section(const dq_lineage_visitor *v, const dq_value *maker, const dq_value *end,
                               const dq_value *rows, dq_error *error)
{
    const dq_value *inputs = dq_map_get(end, "inputs");
    dq_status status = v->section(v->arg, dq_map_get(end, "digest"), rows, error);
    if (!status) status = visit_maker(v, 0, maker, error);
    for (uint32_t i = 0; inputs && inputs->type == DQ_LIST && i < inputs->count && !status; i++) {
        const dq_value *late = dq_map_get(&inputs->as.list[i], "maker");
        if (late) status = visit_maker(v, 1, late, error); /* its head came when this one's was written */
    }
    return status;
}

dq_status dq_lineage_visit(dq_reader *in, const dq_lineage_visitor *visitor, const dq_watch *watch,
                           dq_error *error)
{
    tally counted = {0};
    dq_status status = dq_each_bundle(in, count_next, &counted, watch, error);
    const dq_value *heads = dq_reader_heads(in), *ends = dq_reader_ends(in);
    for (uint32_t i = 0; i < ends->count && !status; i++) {
        dq_arena arena = DQ_ARENA_EMPTY;
        dq_value rows;
        status = count_rows(&ends->as.list[i], &counted, i, &arena, &rows, error);
        if (!status) status = visit_section(visitor, &heads->as.list[i], &ends->as.list[i], &rows, error);
        dq_arena_free(&arena);
    }
    free(counted.models);
    return status;
}

/* ---- as a text ---- */

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
static dq_status put_maker(void *arg, unsigned depth, const dq_value *maker, dq_error *error)
{
    tree *t = arg;
    const dq_value *options = dq_map_get(maker, "options"), *seed = dq_map_get(maker, "seed");
    (void)error; /* the tree has it */
    for (unsigned i = 0; i <= depth; i++) put(t, "  ", 2);
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
    return t->status;
}

static dq_status put_section(void *arg, const dq_value *digest, const dq_value *rows, dq_error *error)
{
    tree *t = arg;
    (void)error;
    put(t, "section ", 8);
    put_value(t, digest);
    for (uint32_t i = 0; i < rows->count; i++) {
        put(t, " ", 1);
        put_value(t, &rows->as.map[i].key);
        put(t, "=", 1);
        put_value(t, &rows->as.map[i].value);
    }
    put(t, "\n", 1);
    return t->status;
}

dq_status dq_lineage_write(dq_reader *in, dq_sink *out, const dq_watch *watch, dq_error *error)
{
    tree t = {.error = error};
    const dq_lineage_visitor visitor = {&t, put_section, put_maker};
    dq_status status = dq_lineage_visit(in, &visitor, watch, error);
    if (!status) status = dq_sink_write(out, t.text.data, t.text.bytes, error);
    dq_json_text_free(&t.text);
    return status;
}
