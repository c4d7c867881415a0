/* SPDX-License-Identifier: MIT
 *
 * Mappings. One that is taken says the same once it is written and read again, and what it says fits: fields
 * lie one after the other, texts and keys have names.
 */
#include "fuzz.h"

#include "import/mapping.h"
#include "port/files/json.h"

#include <string.h>

static void check_entities(const dq_import_entities_mapping *e)
{
    uint32_t at = 0;
    size_t fields = 0;
    if (!e->count || e->count > DQ_IMPORT_MAX_PARTS) fuzz_fail("%zu collections", e->count);
    for (size_t p = 0; p < e->count; p++) {
        const dq_import_part *part = &e->parts[p];
        if (!part->collection[0] || !part->id[0]) fuzz_fail("a part without a collection or an id");
        for (size_t i = 0; i < part->text_count; i++)
            if (!part->texts[i].name || !part->texts[i].key) fuzz_fail("a text without a key");
        for (size_t i = 0; i < part->vector_count; i++)
            if (!part->vectors[i].width || !part->vectors[i].key) fuzz_fail("a vector without a width");
        fields += part->vector_count;
    }
    if (fields != e->layout.count) fuzz_fail("%zu vectors, %zu fields", fields, e->layout.count);
    for (size_t i = 0; i < e->layout.count; at += e->layout.fields[i++].width)
        if (e->layout.fields[i].offset != at) fuzz_fail("a field that stands elsewhere");
    if (at != e->layout.width) fuzz_fail("fields of another width");
}

static bool same_keys(const dq_import_entities_mapping *a, const dq_import_entities_mapping *b)
{
    return a->count == b->count && a->layout.width == b->layout.width && a->layout.count == b->layout.count;
}

static void check_again(const dq_import_mapping *m)
{
    dq_error e = DQ_ERROR_NONE;
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    dq_import_mapping again;
    if (dq_json_write(&text, &m->canonical, &e)) fuzz_fail("it cannot be written: %s", e.reason);
    if (dq_import_mapping_parse(&again, text.data, text.bytes, &e))
        fuzz_fail("it cannot be read: %s", e.reason);
    if (!dq_value_equal(&m->canonical, &again.canonical) || !same_keys(&m->users, &again.users) ||
        !same_keys(&m->items, &again.items) || m->pair_count != again.pair_count)
        fuzz_fail("another mapping: %.*s", (int)text.bytes, text.data);
    dq_import_mapping_free(&again);
    dq_json_text_free(&text);
}

static void read_mapping(const uint8_t *data, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    dq_import_mapping m;
    if (dq_import_mapping_parse(&m, (const char *)data, n, &e)) {
        fuzz_refused(&e);
        return;
    }
    check_entities(&m.users);
    check_entities(&m.items);
    check_again(&m);
    dq_import_mapping_free(&m);
}

const fuzz_target fuzz_it = {.read = read_mapping, .memory = 1 << 20, .per_byte = 1000};
