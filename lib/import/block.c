/* SPDX-License-Identifier: MIT */
#include "import/block.h"

#include "core/array.h"
#include "core/bytes.h"
#include "core/index.h"
#include "import/names.h"
#include "port/files/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FULL = 2 << 20, NAME_LIMIT = 1024, CELL = sizeof(uint32_t) /* bytes of a text or null itself */ };

/* Columns of numbers that interactions may have, each with nulls. */
enum { REWARD, PROPENSITY, POSITION, NUMBERS };
static const struct {
    const char *name;
    dq_dtype type;
    size_t size;
} number_columns[NUMBERS] = {{"reward", DQ_F4, sizeof(float)},
                             {"propensity", DQ_F8, sizeof(double)},
                             {"position", DQ_U4, sizeof(uint32_t)}};

/* Columns of text that interactions may have, as they stand. */
enum { USER, ITEM, LABEL, REQUEST, MODEL, WORDS };
static const char *const words[WORDS] = {"user", "item", "label", "request", "model"};

typedef struct text_column {
    char *name;
    size_t bytes; /* of the name */
    dq_dtype type;
    dq_strings cells;
} text_column;

struct dq_import_block {
    const char *kind;
    const dq_import_target *target;
    const dq_import_layout *layout; /* of entities; NULL: interactions */
    text_column *columns;
    size_t column_count, column_slots, hint; /* hint: where the next name probably stands */
    dq_index names;                          /* of columns, by their numbers */
    size_t word_places[WORDS];               /* of the columns that interactions have, + 1; 0: not yet */
    size_t begun, given; /* columns with a value in this block; those of them that this row has given */
    float *vectors;      /* (rows, width) */
    unsigned char *numbers[NUMBERS]; /* (rows) of their types */
    uint8_t *nulls[NUMBERS];         /* (rows) */
    size_t rows, slots, bytes;
    dq_json_text json;
    uint64_t total;
    dq_import_made made;
    bool numbered[NUMBERS]; /* some row so far has such a number */
};

static void tell(const dq_import_block *block, bool ended)
{
    const dq_import_target *target = block->target;
    if (target->watch) target->watch(target->watch_arg, block->kind, block->total + block->rows, ended);
}

dq_status dq_import_block_new(dq_import_block **out, const char *kind, const dq_import_layout *layout,
                              const dq_import_target *target, dq_error *error)
{
    dq_import_block *block = *out = calloc(1, sizeof *block);
    if (!block) return dq_fail_memory(error, "a block of rows");
    block->kind = kind;
    block->layout = layout;
    block->target = target;
    tell(block, false);
    return DQ_OK;
}

/* ---- columns of text ---- */

static inline bool has_name(const text_column *column, const char *prefix, const char *name, size_t bytes)
{
    const size_t n = strlen(prefix);
    return column->bytes == n + bytes && dq_bytes_equal(column->name + n, name, bytes) &&
           dq_bytes_equal(column->name, prefix, n);
}

/* A column under its whole name. */
static dq_status new_column(dq_import_block *block, const char *whole, size_t bytes, dq_dtype type,
                            dq_error *error)
{
    if (block->column_count == DQ_MAX_COLUMNS - 2)
        return dq_fail(error, DQ_ERR_SCHEMA, "%s with more than %d texts and attributes", block->kind,
                       DQ_MAX_COLUMNS - 2);
    char *name = strndup(whole, bytes);
    if (!name || !dq_array_reserve(&block->columns, &block->column_slots, block->column_count + 1,
                                   sizeof *block->columns)) {
        free(name);
        return dq_fail_memory(error, "a block of rows");
    }
    block->columns[block->column_count++] = (text_column){.name = name, .bytes = bytes, .type = type};
    return dq_index_add(&block->names, whole, bytes, NULL, NULL, error);
}

/* The place of the column PREFIX NAME, new where it is not there yet. */
static dq_status look_up(dq_import_block *block, const char *prefix, const char *name, size_t bytes,
                         dq_dtype type, size_t *at, dq_error *error)
{
    char whole[NAME_LIMIT + 8];
    size_t n = strlen(prefix);
    if (bytes > NAME_LIMIT || memchr(name, '\0', bytes))
        return dq_fail(error, DQ_ERR_SCHEMA, "a column's name is over %d bytes or holds a NUL", NAME_LIMIT);
    memcpy(whole, prefix, n); /* NOLINT(*-not-null-terminated-result): it is counted */
    memcpy(whole + n, name, bytes);
    uint32_t row = dq_index_find(&block->names, whole, n + bytes);
    *at = row == DQ_ABSENT ? block->column_count : row;
    return row == DQ_ABSENT ? new_column(block, whole, n + bytes, type, error) : DQ_OK;
}

/* Names mostly come in the order of the last row. */
static inline dq_status find_column(dq_import_block *block, const char *prefix, const char *name,
                                    size_t bytes, dq_dtype type, text_column **column, dq_error *error)
{
    size_t at = block->hint;
    if (at >= block->column_count || !has_name(&block->columns[at], prefix, name, bytes)) {
        dq_status status = look_up(block, prefix, name, bytes, type, &at, error);
        if (status) return status;
    }
    *column = &block->columns[at];
    block->hint = at + 1;
    return DQ_OK;
}

/* Nulls for the rows in which the column did not stand. */
static dq_status pad(text_column *column, size_t rows, dq_error *error)
{
    dq_status status = DQ_OK;
    while (column->cells.count < rows && !status) status = dq_strings_add(&column->cells, NULL, 0, error);
    return status;
}

static dq_status set_cell(dq_import_block *block, text_column *column, const char *text, size_t bytes,
                          dq_error *error)
{
    const bool first = column->cells.count == 0;
    dq_status status = column->cells.count < block->rows ? pad(column, block->rows, error) : DQ_OK;
    if (!status) status = dq_strings_add(&column->cells, text, bytes, error);
    block->bytes += bytes + CELL + (first ? block->rows * CELL : 0);
    block->begun += first;
    block->given++;
    return status;
}

static inline dq_status set(dq_import_block *block, const char *prefix, const char *name, size_t name_bytes,
                            dq_dtype type, const char *text, size_t bytes, dq_error *error)
{
    text_column *column;
    dq_status status = find_column(block, prefix, name, name_bytes, type, &column, error);
    return status ? status : set_cell(block, column, text, bytes, error);
}

/* A word of an interaction, whose column's place is kept. */
static inline dq_status set_word(dq_import_block *block, unsigned word, const char *text, size_t bytes,
                                 dq_error *error)
{
    if (!block->word_places[word]) {
        text_column *column;
        dq_status status = find_column(block, "", words[word], strlen(words[word]), DQ_TEXT, &column, error);
        if (status) return status;
        block->word_places[word] = (size_t)(column - block->columns) + 1;
    }
    block->hint = block->word_places[word];
    return set_cell(block, &block->columns[block->hint - 1], text, bytes, error);
}

static dq_status set_attribute(dq_import_block *block, const dq_value *key, const char *json, size_t bytes,
                               dq_error *error)
{
    return set(block, "attr.", key->as.string, key->count, DQ_JSON, json, bytes, error);
}

/* written: which of them are JSON already; or NULL. */
static inline dq_status set_attributes(dq_import_block *block, const dq_value *attributes,
                                       const bool *written, dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint32_t i = 0; i < attributes->count && !status; i++) {
        const dq_entry *entry = &attributes->as.map[i];
        if (written && written[i]) {
            status = set_attribute(block, &entry->key, entry->value.as.string, entry->value.count, error);
            continue;
        }
        block->json.bytes = 0;
        status = dq_json_write(&block->json, &entry->value, error);
        if (!status) status = set_attribute(block, &entry->key, block->json.data, block->json.bytes, error);
    }
    return status;
}

/* ---- writing ---- */

static bool has_value(const text_column *column)
{
    for (size_t i = 0; i < column->cells.count; i++)
        if (!column->cells.nulls || !column->cells.nulls[i]) return true;
    return false;
}

static dq_status add_texts(dq_import_block *block, dq_bundle *bundle, dq_dtype type, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < block->column_count && !status; i++) {
        text_column *c = &block->columns[i];
        if (c->type != type || !has_value(c)) continue;
        status = pad(c, block->rows, error);
        if (!status)
            status = dq_bundle_add_text(bundle, c->name, c->type, c->cells.offsets, c->cells.data,
                                        c->cells.nulls, error);
    }
    return status;
}

static dq_status add_numbers(dq_import_block *block, dq_bundle *bundle, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t c = 0; c < NUMBERS && !status; c++) {
        size_t nulls = 0;
        for (size_t i = 0; i < block->rows; i++) nulls += block->nulls[c][i];
        if (nulls == block->rows) continue;
        status = dq_bundle_add_numbers(bundle, number_columns[c].name, number_columns[c].type,
                                       block->numbers[c], NULL, nulls ? block->nulls[c] : NULL, error);
    }
    return status;
}

/* A vector that is not cut has no fields in the metadata: readers then see one, named "vector". */
static dq_status add_vectors(dq_import_block *block, dq_bundle *bundle, dq_error *error)
{
    const dq_import_layout *layout = block->layout;
    if (!layout->width) return DQ_OK;
    uint64_t shape[2] = {block->rows, layout->width};
    bool whole = layout->count == 1 && strcmp(layout->fields[0].name, "vector") == 0;
    dq_status status = DQ_OK;
    if (!whole) status = dq_fields_write(layout->fields, layout->count, &bundle->arena, &bundle->meta, error);
    return status ? status : dq_bundle_add_tensor(bundle, "vector", DQ_F4, 2, shape, block->vectors, error);
}

/* ids, texts, label, request, model; numbers; attributes; vectors. */
static dq_status fill(dq_import_block *block, dq_bundle *bundle, dq_error *error)
{
    const dq_import_target *target = block->target;
    dq_status status = add_texts(block, bundle, DQ_TEXT, error);
    if (!status && !block->layout) status = add_numbers(block, bundle, error);
    if (!status) status = add_texts(block, bundle, DQ_JSON, error);
    if (!status && block->layout) status = add_vectors(block, bundle, error);
    if (!status && strcmp(block->kind, DQ_KIND_ITEMS) == 0 && target->pair_count)
        status = dq_pairs_write(target->pairs, target->pair_count, &bundle->arena, &bundle->meta, error);
    return status;
}

static dq_status write_block(dq_import_block *block, dq_error *error)
{
    dq_bundle bundle;
    dq_status status = dq_bundle_init(&bundle, block->kind, block->rows, error);
    if (!status) status = fill(block, &bundle, error);
    if (!status) status = dq_writer_put(block->target->writer, &bundle, error);
    if (!status && block->target->flush) status = dq_writer_flush(block->target->writer, error);
    dq_bundle_free(&bundle);
    for (size_t i = 0; i < block->column_count; i++) dq_strings_clear(&block->columns[i].cells);
    block->total += block->rows;
    block->rows = block->bytes = block->begun = 0;
    return status;
}

/* ---- rows ---- */

static dq_status grow(dq_import_block *block, dq_error *error)
{
    size_t slots = dq_array_capacity(block->slots, block->rows + 1);
    bool grown = true; /* rows of one kind have vectors, or these numbers */
    if (block->layout)
        grown = dq_array_resize(&block->vectors, slots, (block->layout->width + 1) * sizeof *block->vectors);
    for (size_t c = 0; c < NUMBERS && grown && !block->layout; c++)
        grown = dq_array_resize(&block->numbers[c], slots, number_columns[c].size) &&
                dq_array_resize(&block->nulls[c], slots, sizeof *block->nulls[c]);
    if (!grown) return dq_fail_memory(error, "a block of rows");
    block->slots = slots;
    return DQ_OK;
}

/* Room for one more row of numbers. */
static inline dq_status reserve(dq_import_block *block, dq_error *error)
{
    return block->rows < block->slots ? DQ_OK : grow(block, error);
}

static inline dq_status row_done(dq_import_block *block, dq_error *error)
{
    block->bytes += (block->begun - block->given) * CELL; /* nulls take memory, too */
    block->given = 0;
    block->rows++;
    tell(block, false);
    return block->bytes < FULL ? DQ_OK : write_block(block, error);
}

dq_status dq_import_block_entity(dq_import_block *block, const dq_import_entity *entity, dq_error *error)
{
    block->hint = 0;
    dq_status status = reserve(block, error);
    if (!status) status = set(block, "", "id", 2, DQ_TEXT, entity->id.text, entity->id.bytes, error);
    for (uint32_t i = 0; i < entity->texts.count && !status; i++) {
        const dq_entry *text = &entity->texts.as.map[i];
        status = set(block, "text.", text->key.as.string, text->key.count, DQ_TEXT, text->value.as.string,
                     text->value.count, error);
    }
    if (!status) status = set_attributes(block, &entity->attributes, NULL, error);
    if (status) return status;
    size_t width = block->layout->width;
    if (width) memcpy(block->vectors + block->rows * width, entity->vector, width * sizeof(float));
    block->bytes += width * sizeof(float);
    return row_done(block, error);
}

/* A number of the row, or a null. */
static void set_number(dq_import_block *block, size_t c, const void *number, bool null)
{
    size_t size = number_columns[c].size;
    unsigned char *to = block->numbers[c] + block->rows * size;
    block->nulls[c][block->rows] = null;
    if (null)
        memset(to, 0, size);
    else
        memcpy(to, number, size);
    block->bytes += null ? 0 : size;
    block->numbered[c] |= !null;
}

static void note_reward(dq_import_made *made, float reward)
{
    if (isnan(reward)) return;
    if (!made->rewarded || reward < made->lowest) made->lowest = reward;
    if (!made->rewarded || reward > made->highest) made->highest = reward;
    made->rewarded = true;
}

static inline dq_status set_value(dq_import_block *block, unsigned word, const dq_value *value,
                                  dq_error *error)
{
    if (value->type != DQ_STRING) return DQ_OK;
    return set_word(block, word, value->as.string, value->count, error);
}

dq_status dq_import_block_interaction(dq_import_block *block, const dq_import_interaction *x, dq_error *error)
{
    block->hint = 0;
    dq_status status = reserve(block, error);
    if (!status) status = set_word(block, USER, x->user.text, x->user.bytes, error);
    if (!status) status = set_word(block, ITEM, x->item.text, x->item.bytes, error);
    if (!status) status = set_value(block, LABEL, &x->label, error);
    if (!status) status = set_value(block, REQUEST, &x->request, error);
    if (!status) status = set_value(block, MODEL, &x->model, error);
    if (!status) status = set_attributes(block, &x->attributes, x->written, error);
    if (status) return status;
    set_number(block, REWARD, &x->reward, isnan(x->reward));
    note_reward(&block->made, x->reward);
    set_number(block, PROPENSITY, &x->propensity, isnan(x->propensity));
    set_number(block, POSITION, &x->position, !x->position);
    return row_done(block, error);
}

/* ---- all of them ---- */

static bool has_column(const dq_import_block *block, const char *name)
{
    return dq_index_find(&block->names, name, strlen(name)) != DQ_ABSENT;
}

static void name_logged(const dq_import_block *block, char *text, size_t size)
{
    const char *names[6];
    size_t count = 0;
    if (has_column(block, "label")) names[count++] = "label";
    if (has_column(block, "attr.time")) names[count++] = "time";
    if (block->numbered[PROPENSITY]) names[count++] = "propensity";
    if (block->numbered[POSITION]) names[count++] = "position";
    if (has_column(block, "request")) names[count++] = "request";
    if (has_column(block, "model")) names[count++] = "model";
    dq_import_list(names, count, text, size);
}

static dq_status name_texts(const dq_import_block *block, char *text, size_t size, dq_error *error)
{
    const char **names = calloc(block->column_count + 1, sizeof *names);
    size_t count = 0;
    if (!names) return dq_fail_memory(error, "a block of rows");
    for (size_t i = 0; i < block->column_count; i++)
        if (strncmp(block->columns[i].name, "text.", 5) == 0) names[count++] = block->columns[i].name + 5;
    dq_import_list(names, count, text, size);
    free(names);
    return DQ_OK;
}

static dq_status sum_up(dq_import_block *block, dq_error *error)
{
    dq_import_made *made = &block->made;
    dq_status status = DQ_OK;
    made->rows = block->total;
    if (block->layout) {
        dq_import_made_vectors(made, block->layout);
        status = name_texts(block, made->texts, sizeof made->texts, error);
    } else {
        name_logged(block, made->logged, sizeof made->logged);
    }
    *dq_import_summary_of(block->target->summary, block->kind) = *made;
    return status;
}

dq_status dq_import_block_finish(dq_import_block *block, dq_error *error)
{
    dq_status status = block->rows ? write_block(block, error) : DQ_OK;
    if (!status) tell(block, true);
    return status || !block->target->summary ? status : sum_up(block, error);
}

void dq_import_block_free(dq_import_block *block)
{
    if (!block) return;
    for (size_t i = 0; i < block->column_count; i++) {
        free(block->columns[i].name);
        dq_strings_free(&block->columns[i].cells);
    }
    free(block->columns);
    dq_index_free(&block->names);
    free(block->vectors);
    for (size_t c = 0; c < NUMBERS; c++) {
        free(block->numbers[c]);
        free(block->nulls[c]);
    }
    dq_json_text_free(&block->json);
    free(block);
}

dq_status dq_import_check_pairs(const dq_import_target *target, const dq_import_layout *users,
                                const dq_import_layout *items, dq_error *error)
{
    for (size_t i = 0; i < target->pair_count; i++) {
        const dq_pair_names *pair = &target->pairs[i];
        const dq_field *u = dq_field_find(users->fields, users->count, pair->user_field);
        const dq_field *v = dq_field_find(items->fields, items->count, pair->item_field);
        if (users->width && !u)
            return dq_fail(error, DQ_ERR_UNKNOWN, "users have no field '%s'", pair->user_field);
        if (items->width && !v)
            return dq_fail(error, DQ_ERR_UNKNOWN, "items have no field '%s'", pair->item_field);
        if (u && v && u->width != v->width)
            return dq_fail(error, DQ_ERR_RANGE, "the pair %s:%s has widths %u and %u", pair->user_field,
                           pair->item_field, u->width, v->width);
    }
    return DQ_OK;
}
