/* SPDX-License-Identifier: MIT
 *
 * simdjson reads a text; what it made is copied into an arena. It says less of a text that it refuses than
 * jansson does, passes duplicate keys, and reads integers up to 2^64: such a text is jansson's, which reads
 * it again. So there is one set of rules and words, and they are paid for by damaged and odd texts alone.
 *
 * No exceptions: what simdjson answers is looked at, and it allocates without throwing, but for the names of
 * its implementations: it makes them as std::strings when it first chooses one, in functions that may not
 * throw, so a failure there would abort. They are made before main, in a constructor, as the loader's own
 * are.
 */
#include "port/text/json_reader.h"

extern "C" {
#include "core/capacity.h"
#include "port/files/json.h"
}

#include <charconv>
#include <cstring>
#include <new>
#include <simdjson.h>

using simdjson::dom::element;
using simdjson::dom::element_type;

struct dq_json_reader {
    simdjson::dom::parser parser;
};

namespace {

enum class outcome { read, not_ours, no_memory };

/* simdjson counts the elements of a container up to this, and no further. */
constexpr size_t COUNTED = 0xFFFFFF;

outcome copy(element from, unsigned depth, dq_arena *arena, dq_value *to);

outcome copy_string(std::string_view text, dq_arena *arena, dq_value *to)
{
    *to = dq_string_n(arena, text.data(), text.size());
    return to->type == DQ_STRING ? outcome::read : outcome::no_memory;
}

outcome copy_list(simdjson::dom::array from, unsigned depth, dq_arena *arena, dq_value *to)
{
    const size_t n = from.size();
    if (n >= COUNTED) return outcome::not_ours;
    *to = dq_list();
    auto *list = static_cast<dq_value *>(dq_arena_take(arena, dq_value_capacity(n) * sizeof(dq_value)));
    if (!list) return outcome::no_memory;
    to->as.list = list;
    for (const element one : from) {
        const outcome got = copy(one, depth, arena, list++);
        if (got != outcome::read) return got;
    }
    to->count = static_cast<uint32_t>(n);
    return outcome::read;
}

/* Whether the last key of a map stands there already. */
bool repeats(const dq_value *map)
{
    const dq_value *last = &map->as.map[map->count - 1].key;
    for (uint32_t i = 0; i + 1 < map->count; i++) {
        const dq_value *key = &map->as.map[i].key;
        if (key->count == last->count && std::memcmp(key->as.string, last->as.string, last->count) == 0)
            return true;
    }
    return false;
}

outcome copy_map(simdjson::dom::object from, unsigned depth, dq_arena *arena, dq_value *to)
{
    constexpr size_t FEW = 256; /* keys that are compared each with each */
    const size_t n = from.size();
    if (n > FEW) return outcome::not_ours;
    *to = dq_map();
    to->as.map = static_cast<dq_entry *>(dq_arena_take(arena, dq_value_capacity(n) * sizeof(dq_entry)));
    if (!to->as.map) return outcome::no_memory;
    for (const auto field : from) {
        dq_entry *entry = &to->as.map[to->count++];
        if (std::memchr(field.key.data(), '\0', field.key.size())) return outcome::not_ours;
        outcome got = copy_string(field.key, arena, &entry->key);
        if (got == outcome::read) got = copy(field.value, depth, arena, &entry->value);
        if (got != outcome::read) return got;
        if (repeats(to)) return outcome::not_ours;
    }
    return outcome::read;
}

outcome copy(element from, unsigned depth, dq_arena *arena, dq_value *to)
{
    switch (from.type()) {
    case element_type::DOUBLE: *to = dq_real(from.get_double().value_unsafe()); return outcome::read;
    case element_type::INT64: *to = dq_int(from.get_int64().value_unsafe()); return outcome::read;
    case element_type::STRING: return copy_string(from.get_string().value_unsafe(), arena, to);
    case element_type::NULL_VALUE: *to = dq_nil(); return outcome::read;
    case element_type::BOOL: *to = dq_bool(from.get_bool().value_unsafe()); return outcome::read;
    case element_type::UINT64: return outcome::not_ours; /* above int64_t */
    case element_type::ARRAY:
    case element_type::OBJECT: break;
    }
    if (depth == DQ_JSON_DEPTH) return outcome::not_ours;
    return from.is_array() ? copy_list(from.get_array().value_unsafe(), depth + 1, arena, to)
                           : copy_map(from.get_object().value_unsafe(), depth + 1, arena, to);
}

/* See above: any question to the active implementation makes simdjson choose it. */
__attribute__((constructor)) void choose_implementation()
{
    (void)simdjson::get_active_implementation()->name();
}

outcome refused(simdjson::error_code code)
{
    return code == simdjson::MEMALLOC ? outcome::no_memory : outcome::not_ours;
}

/* Memory by powers of two, for lines are seldom of one length. simdjson 3.0 leaves a parser that has no
 * memory for its stacks with the capacity that it was to have: such a one is given up. */
outcome reserve(simdjson::dom::parser &parser, size_t bytes)
{
    size_t room = 1024;
    while (room < bytes) room *= 2;
    if (parser.capacity() >= bytes) return outcome::read;
    const simdjson::error_code code = parser.allocate(room);
    if (!code) return outcome::read;
    parser = simdjson::dom::parser();
    return refused(code);
}

outcome read(simdjson::dom::parser &parser, const char *text, size_t bytes, dq_arena *arena, dq_value *value)
{
    constexpr char MARK = '\xef'; /* of a byte-order mark, which later versions of simdjson pass over */
    element root;
    if (!bytes || *text == MARK) return outcome::not_ours;
    const outcome reserved = reserve(parser, bytes);
    if (reserved != outcome::read) return reserved;
    const simdjson::error_code code = parser.parse(text, bytes).get(root);
    if (code) return refused(code);
    return copy(root, 0, arena, value);
}

} // namespace

dq_json_reader *dq_json_reader_new(void)
{
    return new (std::nothrow) dq_json_reader;
}

void dq_json_reader_free(dq_json_reader *reader)
{
    delete reader;
}

dq_status dq_json_reader_parse(dq_json_reader *reader, const char *text, size_t bytes, dq_arena *arena,
                               dq_value *value, dq_error *error)
{
    switch (read(reader->parser, text, bytes, arena, value)) {
    case outcome::read: return DQ_OK;
    case outcome::no_memory: return dq_fail_memory(error, "a JSON text");
    case outcome::not_ours: break;
    }
    return dq_json_parse(text, bytes, arena, value, error);
}

size_t dq_json_reader_number(const char *text, size_t bytes, double *number)
{
    const bool minus = bytes && *text == '-', digit = bytes > minus && text[minus] <= '9'; /* no word */
    if (!digit) return 0;
    const std::from_chars_result got = std::from_chars(text, text + bytes, *number);
    return got.ec == std::errc() ? static_cast<size_t>(got.ptr - text) : 0;
}
