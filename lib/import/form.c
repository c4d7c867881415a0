/* SPDX-License-Identifier: MIT */
#include "import/form.h"

#include <string.h>

static bool ends(const char *text, size_t n, const char *with)
{
    size_t m = strlen(with);
    return n > m && memcmp(text + n - m, with, m) == 0;
}

dq_import_form dq_import_form_of(const char *path)
{
    static const struct {
        const char *extension;
        dq_import_form form;
    } forms[] = {{".jsonl", DQ_IMPORT_JSONL},
                 {".ndjson", DQ_IMPORT_JSONL},
                 {".json", DQ_IMPORT_JSONL},
                 {".csv", DQ_IMPORT_CSV},
                 {".tsv", DQ_IMPORT_TSV},
                 {".npy", DQ_IMPORT_NPY},
                 {".safetensors", DQ_IMPORT_SAFETENSORS}};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(name);
    if (ends(name, n, ".zst"))
        n -= 4;
    else if (ends(name, n, ".gz"))
        n -= 3;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (ends(name, n, forms[i].extension)) return forms[i].form;
    return memchr(name, '.', n) ? DQ_IMPORT_OTHER : DQ_IMPORT_JSONL;
}

bool dq_import_form_is_array(dq_import_form form)
{
    return form == DQ_IMPORT_NPY || form == DQ_IMPORT_SAFETENSORS;
}
