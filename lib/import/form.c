/* SPDX-License-Identifier: MIT */
#include "import/form.h"

#include "import/document.h"
#include "import/file/table.h"
#include "import/path.h"

#include <stdlib.h>
#include <string.h>

static bool ends(const char *text, size_t n, const char *with)
{
    size_t m = strlen(with);
    return n > m && memcmp(text + n - m, with, m) == 0;
}

/* A path's last part, and its length without .zst or .gz. */
static const char *name_of(const char *path, size_t *n)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    *n = strlen(name);
    if (ends(name, *n, ".zst"))
        *n -= 4;
    else if (ends(name, *n, ".gz"))
        *n -= 3;
    return name;
}

dq_import_form dq_import_form_of(const char *path)
{
    static const struct {
        const char *extension;
        dq_import_form form;
    } forms[] = {{".jsonl", DQ_IMPORT_JSON},  {".ndjson", DQ_IMPORT_JSON},
                 {".json", DQ_IMPORT_JSON},   {".csv", DQ_IMPORT_CSV},
                 {".tsv", DQ_IMPORT_TSV},     {".inter", DQ_IMPORT_ATOMIC},
                 {".user", DQ_IMPORT_ATOMIC}, {".item", DQ_IMPORT_ATOMIC},
                 {".npy", DQ_IMPORT_NPY},     {".safetensors", DQ_IMPORT_SAFETENSORS}};
    size_t n;
    const char *name = name_of(path, &n);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (ends(name, n, forms[i].extension)) return forms[i].form;
    return dq_import_form_is_told(path) ? DQ_IMPORT_OTHER : DQ_IMPORT_JSON;
}

bool dq_import_form_is_told(const char *path)
{
    size_t n;
    const char *name = name_of(path, &n);
    return memchr(name, '.', n) != NULL;
}

bool dq_import_form_is_array(dq_import_form form)
{
    return form == DQ_IMPORT_NPY || form == DQ_IMPORT_SAFETENSORS;
}

/* ---- what others read ---- */

static const char parquet[] = "Parquet; duckdb -c \"copy (from 'x.parquet') to 'x.csv'\" makes a table of it";
static const char arrow[] =
    "Arrow; python3 -c \"import pandas; pandas.read_feather('x.arrow').to_csv('x.csv', "
    "index=False)\" makes a table of it";
static const char npz[] =
    "an archive of arrays; numpy.save('x.npy', numpy.load('x.npz')['NAME']) makes an .npy "
    "file of one";
static const char excel[] = "a spreadsheet; save it as CSV in UTF-8, or libreoffice --convert-to csv x.xlsx";
static const char zip[] =
    "a zip archive (.npz and .xlsx are such, too); unzip -p x.zip NAME > NAME takes a file "
    "out of it, numpy.save('x.npy', numpy.load('x.npz')['NAME']) an array";
static const char pickle[] = "a pickle of Python's; python3 -c \"import pandas; pandas.read_pickle('x.pkl')."
                             "to_csv('x.csv', index=False)\" makes a table of it";
static const char torch[] =
    "PyTorch's; safetensors.torch.save_file({'NAME': tensor}, 'x.safetensors') makes a file "
    "that is read";
static const char hdf[] =
    "HDF5; numpy.save('x.npy', h5py.File('x.h5')['NAME'][:]) makes an .npy file of one array";
static const char bson[] = "a dump of MongoDB's; bsondump x.bson > x.jsonl makes JSON lines of it";
static const char sqlite[] =
    "a database of SQLite's; sqlite3 -header -csv x.db 'select ...' > x.csv makes a table";
static const char archive[] =
    "compressed in another way than zstd and gzip; xz -dc or bzip2 -dc makes it readable";
static const char stream[] = "a stream of dq's, not what it is made from; dq-cat prints it as JSON lines";
static const char npy[] =
    "an array of NumPy's; its name is to end in .npy, its ids are --user-ids or --item-ids";

const char *dq_import_form_advice(const char *path)
{
    static const struct {
        const char *extension, *advice;
    } others[] = {{".parquet", parquet}, {".pq", parquet},    {".arrow", arrow},   {".feather", arrow},
                  {".ipc", arrow},       {".npz", npz},       {".xlsx", excel},    {".xls", excel},
                  {".ods", excel},       {".pkl", pickle},    {".pickle", pickle}, {".pt", torch},
                  {".pth", torch},       {".bin", torch},     {".h5", hdf},        {".hdf5", hdf},
                  {".bson", bson},       {".sqlite", sqlite}, {".db", sqlite},     {".zip", zip},
                  {".xz", archive},      {".bz2", archive},   {".dq", stream}};
    size_t n;
    const char *name = name_of(path, &n);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (ends(name, n, others[i].extension)) return others[i].advice;
    return NULL;
}

const char *dq_import_bytes_advice(const char *first, size_t n)
{
    static const struct {
        const char *bytes;
        size_t count;
        const char *advice;
    } magics[] = {{"PAR1", 4, parquet},
                  {"ARROW1", 6, arrow},
                  {"FEA1", 4, arrow},
                  {"\xff\xff\xff\xff", 4, arrow},
                  {"PK\x03\x04", 4, zip},
                  {"\xd0\xcf\x11\xe0", 4, excel},
                  {"\x80\x02", 2, pickle},
                  {"\x80\x03", 2, pickle},
                  {"\x80\x04", 2, pickle},
                  {"\x80\x05", 2, pickle},
                  {"\x89HDF", 4, hdf},
                  {"SQLite format 3", 15, sqlite},
                  {"\xfd"
                   "7zXZ",
                   5, archive},
                  {"BZh91AY&SY", 10, archive},
                  {"\x93NUMPY", 6, npy},
                  {"\xcf\0\0\0\0", 5, stream}};
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (n >= magics[i].count && memcmp(first, magics[i].bytes, magics[i].count) == 0)
            return magics[i].advice;
    return NULL;
}

dq_status dq_import_check_bytes(dq_source *source, dq_import_form form, dq_error *error)
{
    const char *first, *advice;
    size_t n;
    dq_status status = dq_source_look(source, DQ_IMPORT_TELLING, &first, &n, error);
    if (status || !(advice = dq_import_bytes_advice(first, n))) return status;
    if (form == DQ_IMPORT_NPY && advice == npy) return DQ_OK;
    dq_fail(error, DQ_ERR_FORMAT, "this is %s", advice);
    return dq_error_at(error, dq_source_name(source), DQ_NO_RECORD);
}

/* ---- JSON, its keys renamed ---- */

typedef struct renamed {
    dq_documents documents;
    const char *kind;
    const dq_import_reading *reading;
    const char **names; /* (reading->count) of reading->named */
    bool *met;          /* (reading->count) whether a document had the key */
    uint64_t rows;      /* documents of the kind */
    dq_import_plain plain;
} renamed;

/* What is named by a path comes out of the objects that it is in. */
static dq_import_fault find_paths(const renamed *r, dq_value *document, dq_arena *arena, dq_error *error)
{
    if (!dq_import_is_for(document, r->kind)) return DQ_IMPORT_FINE;
    return dq_import_flatten(document, r->names, r->reading->count, arena, error);
}

static void note_keys(renamed *r, const dq_value *document)
{
    if (!dq_import_is_for(document, r->kind)) return;
    r->rows++;
    for (size_t i = 0; i < r->reading->count; i++)
        r->met[i] = r->met[i] || dq_map_get(document, r->reading->named[i].name);
}

/* Keys may be absent; one that nobody has is a name that somebody mistook. */
static int check_keys(const renamed *r, dq_error *error)
{
    for (size_t i = 0; i < r->reading->count && r->rows; i++) {
        const dq_import_named *named = &r->reading->named[i];
        if (r->met[i]) continue;
        dq_fail(error, DQ_ERR_SCHEMA, "no document has the key %s for the %s", named->name, named->role);
        dq_error_at(error, r->documents.name, DQ_NO_RECORD);
        return DQ_DOCUMENT_BROKEN;
    }
    return DQ_DOCUMENT_END;
}

static int next_renamed(dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error)
{
    renamed *r = documents->self;
    int answer = r->documents.next(&r->documents, arena, document, error);
    documents->record = r->documents.record;
    if (answer == DQ_DOCUMENT_END) return check_keys(r, error);
    if (answer != DQ_DOCUMENT) return answer;
    dq_status status = find_paths(r, document, arena, error) ? error->status : DQ_OK;
    if (!status) note_keys(r, document);
    if (!status) status = dq_import_rename(r->reading, r->kind, &r->plain, document, arena, error);
    if (!status) return DQ_DOCUMENT;
    dq_error_at(error, documents->name, documents->record);
    return status == DQ_ERR_MEMORY ? DQ_DOCUMENT_BROKEN : DQ_DOCUMENT_BAD;
}

static void close_renamed(dq_documents *documents)
{
    renamed *r = documents->self;
    documents->self = NULL;
    if (!r) return;
    if (r->documents.self) r->documents.close(&r->documents);
    free(r->names);
    free(r->met);
    dq_import_shape_free(&r->plain.shape);
    free(r);
}

/* Takes the source over. */
static dq_status open_json(dq_documents *documents, dq_source *source, const char *kind,
                           const dq_import_reading *reading, dq_error *error)
{
    renamed *r = calloc(1, sizeof *r);
    *documents = (dq_documents){.next = next_renamed, .close = close_renamed, .self = r};
    if (!r || !(r->met = calloc(reading->count + 1, sizeof *r->met)) ||
        !(r->names = calloc(reading->count + 1, sizeof *r->names))) {
        close_renamed(documents);
        dq_source_close(source);
        return dq_fail_memory(error, "documents");
    }
    r->kind = kind;
    r->reading = reading;
    for (size_t i = 0; i < reading->count; i++) r->names[i] = reading->named[i].name;
    dq_status status = dq_documents_open_json(&r->documents, source, error);
    memcpy(documents->name, r->documents.name, sizeof documents->name);
    if (status) close_renamed(documents);
    return status;
}

/* ---- as documents ---- */

static dq_csv_form table_form(dq_import_form form, const dq_import_reading *reading)
{
    dq_csv_form table = form == DQ_IMPORT_TSV ? DQ_TSV : DQ_CSV;
    if (form == DQ_IMPORT_ATOMIC) table.separator = "\t";
    if (reading->separator) table = (dq_csv_form){.separator = reading->separator};
    table.headless = dq_import_is_headless(reading);
    return table;
}

dq_status dq_import_open(dq_documents *documents, const char *path, const char *kind,
                         const dq_import_reading *reading, char found[DQ_IMPORT_FOUND], dq_error *error)
{
    dq_import_form form = dq_import_form_of(path);
    dq_source *source = NULL;
    *found = '\0';
    dq_status status = dq_source_open(&source, path, error);
    if (!status && reading->encoding)
        status = dq_source_encoding(source, reading->encoding, error);
    else if (!status)
        status = dq_import_check_bytes(source, form, error);
    if (status) {
        dq_source_close(source);
        return status;
    }
    if (form == DQ_IMPORT_JSON && !reading->separator)
        return open_json(documents, source, kind, reading, error);
    return dq_import_table_open(documents, source, kind, table_form(form, reading), reading, found, error);
}
