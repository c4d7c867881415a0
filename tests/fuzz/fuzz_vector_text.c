/* SPDX-License-Identifier: MIT
 *
 * Vectors: as somebody printed them, and in the answer of a server. An odd first byte says that the rest is a
 * body of /v1/embeddings, for as many texts as the byte's half says; else it is a text. What is read and
 * finite is printed as JSON and read again.
 */
#include "fuzz.h"

#include "llm/vector.h"
#include "port/files/json.h"
#include "port/files/vector_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_finite(const dq_value *floats)
{
    bool finite = true;
    for (uint32_t i = 0; i < floats->count; i++) finite &= isfinite(floats->as.floats[i]) != 0;
    return finite;
}

static void read_text(fuzz_bytes part)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_json_text out = DQ_JSON_TEXT_EMPTY;
    dq_value floats, again;
    char *text = fuzz_text(part);
    if (dq_vector_text_read(text, part.n, &arena, &floats, &e)) {
        fuzz_refused(&e);
    } else if (is_finite(&floats)) {
        if (dq_json_write(&out, &floats, &e) || dq_json_write_raw(&out, "", 1, &e)) fuzz_fail("%s", e.reason);
        if (dq_vector_text_read(out.data, out.bytes - 1, &arena, &again, &e))
            fuzz_fail("%s cannot be read again: %s", out.data, e.reason);
        if (floats.count != again.count ||
            (floats.count && memcmp(floats.as.floats, again.as.floats, floats.count * sizeof(float)) != 0))
            fuzz_fail("%s is another vector", out.data);
    }
    dq_json_text_free(&out);
    dq_arena_free(&arena);
    free(text);
}

static void read_answer(fuzz_bytes body, size_t texts)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    const dq_value *vectors[8];
    dq_value parsed;
    if (!dq_json_parse((const char *)body.data, body.n, &arena, &parsed, &e)) {
        if (dq_vectors_place(&parsed, texts, vectors, &e)) fuzz_refused(&e);
        uint32_t width;
        const float *numbers = dq_vector_read((const char *)body.data, body.n, &arena, &width);
        for (uint32_t i = 0; numbers && i < width; i++) fuzz_finite((double)numbers[i]);
    }
    dq_arena_free(&arena);
}

static void read_vector(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    unsigned choice = fuzz_byte(&rest);
    if (choice & 1)
        read_answer(rest, choice / 2 % 8 + 1);
    else
        read_text(rest);
}

const fuzz_target fuzz_it = {.read = read_vector, .memory = 1 << 20, .per_byte = 1000};
