/* SPDX-License-Identifier: MIT */
#include "verdict/compared_impl.h"

#include "port/files/rows.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void verdict_note(dq_compared *compared, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(compared->notes[compared->note_count++], sizeof compared->notes[0], format, args);
    va_end(args);
}

void dq_compared_free(dq_compared *compared)
{
    dq_text_table_free(&compared->table);
}

dq_status verdict_text(dq_sink *out, const char *text, dq_error *error)
{
    dq_status status = dq_rows_write_text(out, text, strlen(text), error);
    return status ? status : dq_sink_write(out, "\t", 1, error);
}

dq_status verdict_number(dq_sink *out, double value, char behind, dq_error *error)
{
    char text[40] = "";
    if (isfinite(value)) dq_rows_number(value, text);
    size_t n = strlen(text);
    text[n] = behind;
    return dq_sink_write(out, text, n + 1, error);
}

dq_status verdict_numbers(dq_sink *out, const double *values, size_t count, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = verdict_number(out, values[i], i + 1 < count ? '\t' : '\n', error);
    return status;
}

dq_status verdict_end(dq_sink *out, dq_status status, dq_error *error)
{
    if (!status) return dq_sink_close(out, error);
    dq_sink_abort(out);
    return status;
}

const char **verdict_names(const dq_index *index, dq_arena *arena)
{
    size_t count = dq_index_count(index), n;
    const char **names = dq_arena_take(arena, (count + 1) * sizeof *names);
    for (size_t i = 0; names && i < count; i++) {
        const char *id = dq_index_id(index, (uint32_t)i, &n);
        names[i] = dq_arena_text(arena, id, n);
        if (!names[i]) return NULL;
    }
    return names;
}
