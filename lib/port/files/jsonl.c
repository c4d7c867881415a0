/* SPDX-License-Identifier: MIT
 *
 * Documents as JSON lines: one file, or a folder with a file a collection, as `mongoexport` writes them.
 */
#include "port/files/documents.h"

#include "dq/source.h"
#include "port/files/ejson.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The next line that is not empty; *line is NULL at the end. */
static dq_status next_line(dq_documents *documents, char **line, size_t *bytes, dq_error *error)
{
    do {
        dq_status status = dq_source_line(documents->self, line, bytes, error);
        if (status || !*line) return status;
        documents->record++;
    } while (strspn(*line, " \t") == *bytes);
    return DQ_OK;
}

static int jsonl_next(dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error)
{
    char *line;
    size_t bytes;
    dq_status status = next_line(documents, &line, &bytes, error);
    if (!status && !line) return DQ_DOCUMENT_END;
    int answer = status ? DQ_DOCUMENT_BROKEN : DQ_DOCUMENT;
    if (!status) {
        status = dq_ejson_parse(line, bytes, arena, document, error);
        if (!status && document->type != DQ_MAP) status = dq_fail(error, DQ_ERR_FORMAT, "not a JSON object");
        if (status) answer = status == DQ_ERR_MEMORY ? DQ_DOCUMENT_BROKEN : DQ_DOCUMENT_BAD;
    }
    if (status) dq_error_at(error, documents->name, documents->record);
    return answer;
}

static void jsonl_close(dq_documents *documents)
{
    dq_source_close(documents->self);
    documents->self = NULL;
}

dq_status dq_documents_open_jsonl(dq_documents *documents, const char *path, dq_error *error)
{
    dq_source *source = NULL;
    dq_status status = dq_source_open(&source, path, error);
    if (status) return status;
    *documents = (dq_documents){.next = jsonl_next, .close = jsonl_close, .self = source};
    (void)snprintf(documents->name, sizeof documents->name, "%s", dq_source_name(source));
    return DQ_OK;
}

/* PATH/COLLECTION.jsonl, or the one compressed form of it that is there. Free it. */
static dq_status find_file(const char *folder, const char *collection, char **path, dq_error *error)
{
    static const char *const forms[] = {".jsonl", ".jsonl.zst", ".jsonl.gz"};
    *path = NULL;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char *name;
        if (asprintf(&name, "%s/%s%s", folder, collection, forms[i]) < 0)
            return dq_fail_memory(error, "a path");
        bool there = access(name, F_OK) == 0;
        if (there && *path) {
            dq_fail(error, DQ_ERR_DUPLICATE, "collection %s stands there twice", collection);
            free(name);
            return dq_error_at(error, folder, DQ_NO_RECORD);
        }
        if (there)
            *path = name;
        else
            free(name);
    }
    if (*path) return DQ_OK;
    dq_fail(error, DQ_ERR_UNKNOWN, "no %s.jsonl, .jsonl.zst or .jsonl.gz", collection);
    return dq_error_at(error, folder, DQ_NO_RECORD);
}

static dq_status folder_open(dq_collections *place, const dq_query *query, dq_documents *documents,
                             dq_error *error)
{
    const char *collection = query->collection;
    char *path;
    if (!*collection || strchr(collection, '/'))
        return dq_fail(error, DQ_ERR_RANGE, "no name of a collection: '%s'", collection);
    dq_status status = find_file(place->self, collection, &path, error);
    if (!status) status = dq_documents_open_jsonl(documents, path, error);
    free(path);
    return status;
}

static void folder_close(dq_collections *place)
{
    free(place->self);
    place->self = NULL;
}

dq_status dq_collections_open_folder(dq_collections *place, const char *path, dq_error *error)
{
    struct stat about;
    if (stat(path, &about) != 0)
        dq_fail_errno(error, errno, "cannot open the folder");
    else if (!S_ISDIR(about.st_mode))
        dq_fail(error, DQ_ERR_IO, "not a folder of collections");
    else {
        *place = (dq_collections){.open = folder_open, .close = folder_close, .self = strdup(path)};
        return place->self ? DQ_OK : dq_fail_memory(error, "a path");
    }
    return dq_error_at(error, path, DQ_NO_RECORD);
}
