/* SPDX-License-Identifier: MIT
 *
 * Rows of one kind as tab-separated values, under the names of the first bundle's columns. Nulls are empty;
 * a vector is one cell of JSON. dq-export reads it back.
 */
#include "inspect/print_impl.h"

#include "port/files/rows.h"

#include <string.h>

static void escaped(dq_print *p, const char *text, size_t n)
{
    if (!p->status) p->status = dq_rows_add_text(p->out, text, n, p->error);
}

static void cell(dq_print *p, const dq_column *c, uint64_t row, const dq_print_parts *parts)
{
    size_t n;
    if (dq_column_is_null(c, row)) return;
    const char *text = NULL;
    if (dq_dtype_size(c->type) == 0)
        text = dq_column_text(c, row, &n);
    else if (c->dims == 1)
        text = dq_select_id(p->select, c, row, &n);
    if (text)
        escaped(p, text, n);
    else if (dq_print_is_vector(c))
        dq_print_vector(p, c, row, parts);
    else
        dq_print_cell(p, c, row);
}

static dq_status begin(dq_print *p, const dq_bundle *bundle, dq_tsv_head *head)
{
    if (!dq_select_is_table(bundle))
        return dq_fail(p->error, DQ_ERR_UNSUPPORTED,
                       "%s: no table, so it has no TSV form; choose with --kind", bundle->kind);
    head->kind = dq_arena_text(&head->arena, bundle->kind, strlen(bundle->kind));
    head->names = dq_arena_zero(&head->arena, bundle->column_count, sizeof *head->names);
    bool ok = head->kind && head->names;
    for (size_t i = 0; ok && i < bundle->column_count; i++) {
        const char *name = bundle->columns[i].name;
        if (i) dq_print_text(p, "\t");
        escaped(p, name, strlen(name));
        ok = (head->names[head->count++] = dq_arena_text(&head->arena, name, strlen(name))) != NULL;
    }
    dq_print_text(p, "\n");
    return ok ? p->status : dq_fail(p->error, DQ_ERR_MEMORY, "out of memory for names");
}

/* The bundle's column of each of the head's names. Later bundles may lack some, which are then NULL, but
 * bring no new ones and no other kind. */
static dq_status match(const dq_tsv_head *head, const dq_bundle *bundle, const dq_column **columns,
                       dq_error *error)
{
    if (strcmp(head->kind, bundle->kind) != 0)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "both %s and %s in one table; choose with --kind",
                       head->kind, bundle->kind);
    size_t at = 0; /* where the next name probably stands */
    for (size_t i = 0; i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        if (at >= head->count || strcmp(head->names[at], c->name) != 0)
            for (at = 0; at < head->count && strcmp(head->names[at], c->name) != 0;) at++;
        if (at == head->count)
            return dq_fail(error, DQ_ERR_UNSUPPORTED, "%s: column %s was not there in the first rows",
                           bundle->kind, c->name);
        columns[at++] = c;
    }
    return DQ_OK;
}

dq_status dq_print_tsv(dq_json_text *out, const dq_bundle *bundle, const dq_selection *select,
                       dq_tsv_head *head, dq_error *error)
{
    dq_print p = {.out = out, .select = select, .error = error};
    if (select->count == 0) return DQ_OK;
    dq_status status = head->kind ? DQ_OK : begin(&p, bundle, head);
    if (status) return status;
    dq_print_parts parts = {0};
    const dq_column **columns = dq_arena_zero(&parts.arena, head->count, sizeof *columns);
    status = columns ? match(head, bundle, columns, error) : dq_fail_memory(error, "names");
    if (!status) dq_print_read_parts(&p, bundle, &parts);
    for (size_t i = 0; i < select->count && !status; i++) {
        for (size_t k = 0; k < head->count; k++) {
            if (k) dq_print_text(&p, "\t");
            if (columns[k]) cell(&p, columns[k], select->rows[i], &parts);
        }
        dq_print_text(&p, "\n");
    }
    dq_arena_free(&parts.arena);
    return status ? status : p.status;
}
