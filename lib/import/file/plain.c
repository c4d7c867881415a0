/* SPDX-License-Identifier: MIT */
#include "import/file/plain.h"

#include "core/digits.h"
#include "port/files/documents.h"
#include "port/text/cell.h"

#include <math.h>
#include <string.h>

/* What a column is of an interaction. */
typedef enum part { NOTHING, USER, ITEM, LABEL, REQUEST, MODEL, REWARD, PROPENSITY, POSITION, OTHER } part;

static const struct {
    const char *key;
    part part;
    bool text;
} parts[] = {{"user", USER, true},
             {"item", ITEM, true},
             {"label", LABEL, true},
             {"request", REQUEST, true},
             {"model", MODEL, true},
             {"reward", REWARD, false},
             {"propensity", PROPENSITY, false},
             {"position", POSITION, false}};

struct dq_import_plain_rows {
    size_t count;
    part *parts;          /* (count) */
    bool *texts;          /* (count) */
    dq_value *names;      /* (count) of attributes */
    dq_entry *attributes; /* (count) of a row */
    bool *written;        /* (count) */
};

/* False: rows with such a column are read otherwise. */
static bool find_part(const dq_import_plain_column *column, part *is)
{
    *is = column->key ? OTHER : NOTHING;
    if (!column->key) return true;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(column->key, parts[i].key) != 0) continue;
        *is = parts[i].part;
        return column->text == parts[i].text;
    }
    return strcmp(column->key, "kind") != 0; /* a row may say its kind */
}

static bool make(dq_import_plain_rows *rows, size_t count, dq_arena *arena)
{
    rows->count = count;
    rows->parts = dq_arena_zero(arena, count, sizeof *rows->parts);
    rows->texts = dq_arena_zero(arena, count, sizeof *rows->texts);
    rows->names = dq_arena_zero(arena, count, sizeof *rows->names);
    rows->attributes = dq_arena_zero(arena, count, sizeof *rows->attributes);
    rows->written = dq_arena_zero(arena, count, sizeof *rows->written);
    return rows->parts && rows->texts && rows->names && rows->attributes && rows->written;
}

dq_status dq_import_plain_rows_new(dq_import_plain_rows **out, const dq_import_plain_column *columns,
                                   size_t count, dq_arena *arena, dq_error *error)
{
    unsigned found = 0;
    dq_import_plain_rows *rows = dq_arena_zero(arena, 1, sizeof *rows);
    *out = NULL;
    if (!rows || !make(rows, count, arena)) return dq_fail_memory(error, "a row");
    for (size_t i = 0; i < count; i++) {
        const char *key = columns[i].key;
        if (!find_part(&columns[i], &rows->parts[i])) return DQ_OK;
        found |= 1U << rows->parts[i];
        rows->texts[i] = columns[i].text;
        if (key) rows->names[i] = (dq_value){DQ_STRING, .count = (uint32_t)strlen(key), .as.string = key};
    }
    const unsigned ends = 1U << USER | 1U << ITEM;
    if ((found & ends) == ends) *out = rows;
    return DQ_OK;
}

static inline dq_value text_of(const dq_csv_cell *cell)
{
    return (dq_value){.type = DQ_STRING, .count = (uint32_t)cell->bytes, .as.string = cell->text};
}

/* An id that is its text: no ObjectId, as shells write it. */
static inline bool read_id(const dq_csv_cell *cell, dq_import_id *id)
{
    *id = (dq_import_id){.kind = DQ_ID_STRING, .text = cell->text, .bytes = cell->bytes};
    return *cell->text != 'O';
}

/* An integer as JSON would write it: so many digits that no number is larger, none of them a zero before
 * others. */
static inline bool is_integer(const dq_csv_cell *cell)
{
    enum { LONGEST = 18 };
    size_t i = 0;
    uint32_t eight;
    for (; cell->bytes - i >= DQ_DIGITS; i += DQ_DIGITS)
        if (!dq_digits_read(cell->text + i, &eight)) return false;
    while (cell->text[i] >= '0' && cell->text[i] <= '9') i++;
    return i == cell->bytes && i <= LONGEST && (*cell->text != '0' || i == 1);
}

static inline bool read_number(const dq_csv_cell *cell, double *number)
{
    dq_value value;
    if (cell->bytes == 1 && *cell->text >= '0' && *cell->text <= '9') { /* as most rewards are */
        *number = *cell->text - '0';
        return true;
    }
    if (!dq_cell_read(cell->text, cell->bytes, &value)) return false;
    *number = value.type == DQ_INT ? (double)value.as.integer : value.as.real;
    return value.type == DQ_INT || value.type == DQ_REAL;
}

static bool read_reward(const dq_csv_cell *cell, float *reward)
{
    double number;
    if (!read_number(cell, &number)) return false;
    *reward = (float)number;
    return isfinite(*reward);
}

static bool read_propensity(const dq_csv_cell *cell, double *propensity)
{
    return read_number(cell, propensity) && *propensity > 0 && *propensity <= 1;
}

static bool read_position(const dq_csv_cell *cell, uint32_t *position)
{
    double number;
    if (!read_number(cell, &number) || !(number >= 1 && number <= UINT32_MAX)) return false;
    *position = (uint32_t)number;
    return number == *position;
}

static inline bool read_other(dq_import_plain_rows *rows, size_t i, const dq_csv_cell *cell,
                              dq_value *attributes)
{
    const uint32_t at = attributes->count++;
    dq_entry *entry = &rows->attributes[at];
    entry->key = rows->names[i];
    entry->value = text_of(cell);
    rows->written[at] = !rows->texts[i] && is_integer(cell);
    return rows->texts[i] || rows->written[at] || dq_cell_read(cell->text, cell->bytes, &entry->value);
}

static inline bool read_cell(dq_import_plain_rows *rows, size_t i, const dq_csv_cell *cell,
                             dq_import_interaction *x)
{
    switch (rows->parts[i]) {
    case NOTHING: return true;
    case USER: return read_id(cell, &x->user);
    case ITEM: return read_id(cell, &x->item);
    case LABEL: x->label = text_of(cell); return true;
    case REQUEST: x->request = text_of(cell); return true;
    case MODEL: x->model = text_of(cell); return true;
    case REWARD: return read_reward(cell, &x->reward);
    case PROPENSITY: return read_propensity(cell, &x->propensity);
    case POSITION: return read_position(cell, &x->position);
    case OTHER: return read_other(rows, i, cell, &x->attributes);
    }
    return false;
}

/* A row of which nothing is known. Part by part: a whole of this size GCC clears by one instruction (rep
 * stos), which takes longer to begin than all of this. */
static inline void clear(const dq_import_plain_rows *rows, dq_import_interaction *x)
{
    x->user = x->item = (dq_import_id){0};
    x->label = x->request = x->model = dq_nil();
    x->reward = NAN;
    x->position = 0;
    x->propensity = NAN;
    x->attributes = (dq_value){.type = DQ_MAP, .as.map = rows->attributes};
    x->written = rows->written;
}

/* An empty cell is an absent key; without a user or an item a row is not plain. */
bool dq_import_plain_row(dq_import_plain_rows *rows, const dq_csv_cell *cells, dq_import_interaction *x)
{
    clear(rows, x);
    for (size_t i = 0; i < rows->count; i++)
        if (cells[i].bytes && !read_cell(rows, i, &cells[i], x)) return false;
    return x->user.bytes && x->item.bytes;
}
