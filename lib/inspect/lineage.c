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

/* How many a section has of the i-th kind in its end's `rows`. */
static int64_t count_of(const dq_value *rows, uint32_t i, const tally *t, size_t section)
{
    if (!dq_value_is(&rows->as.map[i].key, DQ_KIND_MODEL)) return dq_value_integer(&rows->as.map[i].value, 0);
    return section < t->count ? (int64_t)t->models[section] : 0;
}

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

dq_status dq_lineage_write(dq_reader *in, dq_sink *out, const dq_watch *watch, dq_error *error)
{
    tally counted = {0};
    tree t = {.error = error, .status = dq_each_bundle(in, count_next, &counted, watch, error)};
    const dq_value *heads = dq_reader_heads(in), *ends = dq_reader_ends(in);
    for (uint32_t i = 0; i < ends->count; i++)
        put_section(&t, &heads->as.list[i], &ends->as.list[i], &counted, i);
    if (!t.status) t.status = dq_sink_write(out, t.text.data, t.text.bytes, error);
    dq_json_text_free(&t.text);
    free(counted.models);
    return t.status;
}
