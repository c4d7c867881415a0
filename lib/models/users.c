/* SPDX-License-Identifier: MIT */
#include "models/users.h"

#include "core/array.h"
#include "dq/source.h"

#include <stdlib.h>
#include <string.h>

static dq_status add(dq_user_list *list, const char *id, size_t bytes, uint64_t line, dq_error *error)
{
    uint32_t row;
    bool added;
    if (!dq_array_reserve(&list->line, &list->slots, dq_index_count(&list->ids) + 1, sizeof *list->line))
        return dq_fail_memory(error, "users");
    dq_status status = dq_index_add(&list->ids, id, bytes, &row, &added, error);
    if (!status && added) list->line[row] = line;
    return status;
}

static dq_status read_lines(dq_user_list *list, dq_source *source, dq_error *error)
{
    char *text;
    size_t bytes;
    uint64_t line = 1, ids = 0;
    dq_status status;
    for (; !(status = dq_source_line(source, &text, &bytes, error)) && text; line++) {
        if (!bytes) continue;
        ids++;
        if ((status = add(list, text, bytes, line, error))) break;
    }
    if (status) return status;
    return ids ? DQ_OK : dq_fail(error, DQ_ERR_RANGE, "no user in it: one id a line is wanted");
}

static dq_status read_file(dq_user_list *list, const char *path, dq_error *error)
{
    dq_source *source;
    if (!(list->path = strdup(path))) return dq_fail_memory(error, "users");
    dq_status status = dq_source_open(&source, path, error);
    if (status) return status;
    status = read_lines(list, source, error);
    dq_source_close(source);
    return status ? dq_error_at(error, path, DQ_NO_RECORD) : DQ_OK;
}

dq_status dq_user_list_fill(dq_user_list *list, const char *const *names, size_t count, const char *path,
                            dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < count; i++) status = add(list, names[i], strlen(names[i]), 0, error);
    return status || !path ? status : read_file(list, path, error);
}

bool dq_user_list_narrows(const dq_user_list *list)
{
    return dq_index_count(&list->ids) || dq_shard_cuts(&list->shard);
}

bool dq_user_list_has(const dq_user_list *list, const char *id, size_t bytes)
{
    bool named = !dq_index_count(&list->ids) || dq_index_find(&list->ids, id, bytes) != DQ_ABSENT;
    return named && dq_shard_has(&list->shard, id, bytes);
}

dq_status dq_user_list_check(const dq_user_list *list, const dq_index *among, const char *where,
                             dq_error *error)
{
    for (uint32_t i = 0; i < dq_index_count(&list->ids); i++) {
        size_t n;
        const char *id = dq_index_id(&list->ids, i, &n);
        if (dq_index_find(among, id, n) != DQ_ABSENT) continue;
        if (!list->line[i]) return dq_fail(error, DQ_ERR_UNKNOWN, "user %.*s is not %s", (int)n, id, where);
        (void)dq_fail(error, DQ_ERR_UNKNOWN, "line %llu: user %.*s is not %s",
                      (unsigned long long)list->line[i], (int)n, id, where);
        (void)dq_error_at(error, list->path, DQ_NO_RECORD);
        return DQ_ERR_UNKNOWN;
    }
    return DQ_OK;
}

void dq_user_list_free(dq_user_list *list)
{
    dq_index_free(&list->ids);
    free(list->line);
    free(list->path);
    *list = (dq_user_list){0};
}
