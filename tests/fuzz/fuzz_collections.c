/* SPDX-License-Identifier: MIT
 *
 * Collections of a folder, joined by a mapping. The first byte chooses a mapping, one of keys inside of
 * objects among them; parts: users, their vectors, items; the rest is the interactions. Every document of a
 * first collection is used, or counted as faulty.
 */
#include "buffer.h"
#include "documents.h"
#include "pieces.h"

#include "import/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const mappings[] = {
    "{\"users\":[{\"collection\":\"a\",\"id\":\"_id\",\"attributes\":true,\"texts\":{\"bio\":\"b\"}},"
    "{\"collection\":\"b\",\"id\":\"of\",\"vectors\":[{\"field\":\"x\",\"key\":\"x\",\"width\":2},"
    "{\"field\":\"y\",\"key\":\"y\",\"width\":1,\"optional\":true}]}],"
    "\"items\":[{\"collection\":\"c\",\"id\":\"_id\",\"texts\":{\"title\":\"t\"},\"required\":[\"title\"],"
    "\"vectors\":[{\"field\":\"x\",\"key\":\"x\",\"width\":2}]}],"
    "\"interactions\":{\"collection\":\"d\",\"user\":\"u\",\"item\":\"i\",\"label\":\"l\",\"reward\":\"r\","
    "\"time\":\"at\"},\"pairs\":[[\"x\",\"x\"]]}",
    "{\"users\":[{\"collection\":\"a\",\"id\":\"_id\",\"attributes\":true}],"
    "\"items\":[{\"collection\":\"c\",\"id\":\"_id\",\"attributes\":true}],"
    "\"interactions\":{\"collection\":\"d\",\"optional\":true,\"user\":\"u\",\"item\":\"i\"}}",
    "{\"users\":[{\"collection\":\"a\",\"id\":\"_id\",\"attributes\":true},"
    "{\"collection\":\"b\",\"id\":\"of\",\"attributes\":true,\"texts\":{\"bio\":\"b\"}}],"
    "\"items\":[{\"collection\":\"c\",\"id\":\"_id\"}]}"};
enum { MAPPINGS = sizeof mappings / sizeof *mappings, FILES = 4, PATHS = 0x20 };

static const char paths_mapping[] =
    "{\"users\":[{\"collection\":\"a\",\"id\":\"o._id\",\"attributes\":true,\"texts\":{\"bio\":\"p.b\","
    "\"one\":"
    "\"s.0.n\"}},{\"collection\":\"b\",\"id\":\"of.id\",\"vectors\":[{\"field\":\"x\",\"key\":\"v.x\","
    "\"width\":2}]}],"
    "\"items\":[{\"collection\":\"c\",\"id\":\"_id\",\"attributes\":true,\"texts\":{\"title\":\"t.t.t\"}}],"
    "\"interactions\":{\"collection\":\"d\",\"user\":\"u.id\",\"item\":\"i.0\",\"reward\":\"r.stars\"}}";

/* The documents of a collection, and their attributes. */
static uint64_t count_documents(const char *path)
{
    dq_error e = DQ_ERROR_NONE;
    dq_source *source;
    dq_documents documents;
    if (dq_source_open(&source, path, &e) || dq_documents_open_json(&documents, source, &e))
        fuzz_fail("%s", e.reason);
    return fuzz_count_documents(&documents);
}

static void check_tally(const dq_import_tally *tally, const char *path, uint64_t written)
{
    char words[2000];
    uint64_t documents = count_documents(path),
             skipped = dq_import_describe(tally, true, words, sizeof words);
    if (tally->used < written) fuzz_fail("%s: more rows than were used", path);
    if (written + skipped < documents)
        fuzz_fail("%s: %llu documents, %llu rows, %llu skipped", path, (unsigned long long)documents,
                  (unsigned long long)written, (unsigned long long)skipped);
    if (skipped && !words[0]) fuzz_fail("%llu skipped without a word", (unsigned long long)skipped);
}

static void check(const dq_import_request *r, const fuzz_buffer *stream, char paths[FILES][300], bool log)
{
    dq_error e = DQ_ERROR_NONE;
    dq_reader *reader;
    dq_bundle b;
    uint64_t users = 0, items = 0, interactions = 0;
    const char *path = fuzz_file(stream->data, stream->n);
    int got;
    if (dq_reader_open(&reader, &path, 1, &e)) fuzz_fail("no stream: %s", e.reason);
    while ((got = dq_reader_next(reader, &b, &e)) > 0) {
        users += strcmp(b.kind, DQ_KIND_USERS) == 0 ? b.rows : 0;
        items += strcmp(b.kind, DQ_KIND_ITEMS) == 0 ? b.rows : 0;
        interactions += strcmp(b.kind, DQ_KIND_INTERACTIONS) == 0 ? b.rows : 0;
        fuzz_use(&b);
        dq_bundle_free(&b);
    }
    if (got < 0) fuzz_fail("a broken stream: %s", e.reason);
    dq_reader_close(reader);
    check_tally(&r->users.tally, paths[0], users);
    check_tally(&r->items.tally, paths[2], items);
    if (log) check_tally(&r->interaction_tally, paths[3], interactions);
}

static void read_collections(const uint8_t *data, size_t n)
{
    static const char *const names[FILES] = {"a", "b", "c", "d"};
    char paths[FILES][300];
    fuzz_bytes rest = {data, n};
    unsigned choice = fuzz_byte(&rest);
    const char *folder = fuzz_folder(),
               *mapping_text = choice & PATHS ? paths_mapping : mappings[choice % MAPPINGS];
    dq_error e = DQ_ERROR_NONE;
    dq_import_mapping mapping;
    dq_collections place;
    fuzz_buffer stream = {0};
    dq_import_request r = {.users = {.selection.limit = UINT64_MAX},
                           .items = {.selection.limit = UINT64_MAX}};
    for (size_t i = 0; i < FILES; i++) {
        fuzz_bytes file = i + 1 < FILES ? fuzz_part(&rest) : rest;
        if (fuzz_is_compressed(file)) file.n = 0;
        (void)snprintf(paths[i], sizeof paths[i], "%s/%s.jsonl", folder, names[i]);
        FILE *f = fopen(paths[i], "wb");
        if (!f || fwrite(file.data, 1, file.n, f) != file.n || fclose(f)) fuzz_fail("no file");
    }
    if (dq_import_mapping_parse(&mapping, mapping_text, strlen(mapping_text), &e) ||
        dq_collections_open_folder(&place, folder, NULL, &e))
        fuzz_fail("%s", e.reason);
    r.users.tally.strict = r.items.tally.strict = r.interaction_tally.strict = choice & 0x80;
    if (choice & 0x40) r.times.format = "%d/%m/%Y";
    r.target = (dq_import_target){
        .writer = fuzz_writer(&stream), .pairs = mapping.pairs, .pair_count = mapping.pair_count};
    if (dq_import_collections(&r, &mapping, &place, &e)) {
        fuzz_failed(&e);
        dq_writer_abort(r.target.writer);
    } else {
        if (dq_writer_close(r.target.writer, &e)) fuzz_fail("no stream: %s", e.reason);
        check(&r, &stream, paths, mapping.interactions);
    }
    place.close(&place);
    dq_import_mapping_free(&mapping);
    fuzz_buffer_free(&stream);
}

const fuzz_target fuzz_it = {.read = read_collections, .memory = 64 << 20, .per_byte = 4000};
