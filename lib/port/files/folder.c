/* SPDX-License-Identifier: MIT
 *
 * A folder with a file of JSON documents a collection, as `mongoexport` writes them.
 */
#include "port/files/documents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* PATH/COLLECTION.jsonl or .json, or the one compressed form of these that is there. Free it in any case. */
static dq_status find_file(const char *folder, const char *collection, char **path, dq_error *error)
{
    static const char *const forms[] = {".jsonl", ".jsonl.zst", ".jsonl.gz",
                                        ".json",  ".json.zst",  ".json.gz"};
    *path = NULL;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char *name;
        if (asprintf(&name, "%s/%s%s", folder, collection, forms[i]) < 0)
            return dq_fail_memory(error, "a path");
        bool there = access(name, F_OK) == 0, unknown = !there && errno != ENOENT;
        if (unknown) (void)dq_fail_errno(error, errno, "cannot look for collection %s", collection);
        if (there && *path)
            (void)dq_fail(error, DQ_ERR_DUPLICATE, "collection %s stands there twice", collection);
        if (unknown || (there && *path)) {
            free(name);
            return dq_error_at(error, folder, DQ_NO_RECORD);
        }
        if (there)
            *path = name;
        else
            free(name);
    }
    if (*path) return DQ_OK;
    dq_fail(error, DQ_ERR_UNKNOWN, "no %s.jsonl or .json (also with .zst or .gz)", collection);
    return dq_error_at(error, folder, DQ_NO_RECORD);
}

typedef struct folder {
    char *path;
    const char *encoding;
} folder;

static dq_status open_file(dq_documents *documents, const char *path, const char *encoding, dq_error *error)
{
    dq_source *source = NULL;
    dq_status status = dq_source_open(&source, path, error);
    if (!status && encoding) status = dq_source_encoding(source, encoding, error);
    if (!status) return dq_documents_open_json(documents, source, error);
    dq_source_close(source);
    return status;
}

static dq_status folder_open(dq_collections *place, const dq_query *query, dq_documents *documents,
                             dq_error *error)
{
    const folder *f = place->self;
    const char *collection = query->collection;
    char *path;
    if (!*collection || strchr(collection, '/'))
        return dq_fail(error, DQ_ERR_RANGE, "no name of a collection: '%s'", collection);
    dq_status status = find_file(f->path, collection, &path, error);
    if (!status) status = open_file(documents, path, f->encoding, error);
    free(path);
    return status;
}

static void folder_close(dq_collections *place)
{
    folder *f = place->self;
    place->self = NULL;
    if (f) free(f->path);
    free(f);
}

dq_status dq_collections_open_folder(dq_collections *place, const char *path, const char *encoding,
                                     dq_error *error)
{
    struct stat about;
    *place = (dq_collections){.open = folder_open, .close = folder_close};
    if (stat(path, &about) != 0)
        dq_fail_errno(error, errno, "cannot open the folder");
    else if (!S_ISDIR(about.st_mode))
        dq_fail(error, DQ_ERR_IO, "not a folder of collections");
    else {
        folder *f = place->self = calloc(1, sizeof *f);
        if (f) f->encoding = encoding;
        if (f && (f->path = strdup(path))) return DQ_OK;
        folder_close(place);
        return dq_fail_memory(error, "a path");
    }
    return dq_error_at(error, path, DQ_NO_RECORD);
}
