/* SPDX-License-Identifier: MIT */
#include "import/summary.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

dq_import_made *dq_import_summary_of(dq_import_summary *summary, const char *kind)
{
    if (strcmp(kind, DQ_KIND_USERS) == 0) return &summary->users;
    return strcmp(kind, DQ_KIND_ITEMS) == 0 ? &summary->items : &summary->interactions;
}

/* Appends, and ends with "..." where the room ends. */
__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text + used, size - used, format, args);
    va_end(args);
    if (n >= 0 && used + (size_t)n < size) return;
    text[used] = '\0';
    if (used + 4 < size) (void)snprintf(text + used, size - used, "...");
}

void dq_import_made_vectors(dq_import_made *made, const dq_import_layout *layout)
{
    bool nameless = layout->count == 1 && strcmp(layout->fields[0].name, "vector") == 0;
    made->vectors[0] = '\0';
    for (size_t i = 0; i < layout->count && layout->width; i++) {
        const dq_field *field = &layout->fields[i];
        append(made->vectors, sizeof made->vectors, "%s%.40s%s%u", i ? ", " : "", nameless ? "" : field->name,
               nameless ? "" : " ", field->width);
    }
}

static void describe_reward(const dq_import_made *m, const char *column, char *text, size_t size)
{
    append(text, size, column ? " (reward: column %.40s, " : " (reward ", column ? column : "");
    append(text, size, "%.6g to %.6g", (double)m->lowest, (double)m->highest);
}

void dq_import_made_describe(const dq_import_made *m, const char *noun, const char *how, const char *column,
                             char *text, size_t size)
{
    bool open = m->rewarded;
    (void)snprintf(text, size, "%" PRIu64 " %s%s%s", m->rows, noun, m->rows == 1 ? "" : "s", how);
    if (m->rewarded) describe_reward(m, column, text, size);
    if (*m->logged) append(text, size, "%s%s", open ? ", " : " (", m->logged);
    open |= *m->logged != '\0';
    if (*m->texts) append(text, size, "%s%s", open ? ", " : " (", m->texts);
    open |= *m->texts != '\0';
    if (*m->vectors) append(text, size, "%svectors %s", open ? "; " : " (", m->vectors);
    if (open || *m->vectors) append(text, size, ")");
}
