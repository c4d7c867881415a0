/* SPDX-License-Identifier: MIT
 *
 * Sixteen bytes are compared at once, which every x86-64 can; the bytes that are looked for become the bits
 * of a mask, and only these are walked over. Rows are short, a few dozen bytes, so wider vectors would mostly
 * see their ends. The last bytes of a line are read again with those before them, for behind a line nothing
 * may be read; a line of less than sixteen bytes is walked byte by byte, as all are on other machines.
 */
#include "port/text/cut.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

typedef struct cutting {
    dq_cut_form form;
    uint32_t *at;
    size_t found, count;
    bool high;
} cutting;

static bool cut_bytes(cutting *c, const char *line, size_t from, size_t n)
{
    for (size_t i = from; i < n; i++) {
        const char byte = line[i];
        c->high |= (unsigned char)byte >= 0x80;
        if (byte == c->form.special[0] || byte == c->form.special[1]) return false;
        if (byte != c->form.separator) continue;
        if (c->found == c->count) return false;
        c->at[c->found++] = (uint32_t)i;
    }
    return true;
}

#ifdef __SSE2__
enum { STEP = 16 };

/* The sixteen bytes at `from`, of which the first `known` have been seen. */
static inline bool cut_step(cutting *c, const char *line, size_t from, unsigned known)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(line + from));
    const __m128i first = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c->form.special[0]));
    const __m128i second = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c->form.special[1]));
    if (_mm_movemask_epi8(_mm_or_si128(first, second))) return false;
    c->high |= _mm_movemask_epi8(bytes) != 0;
    unsigned mask = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c->form.separator)));
    for (mask = mask >> known << known; mask; mask &= mask - 1) {
        if (c->found == c->count) return false;
        c->at[c->found++] = (uint32_t)(from + (size_t)__builtin_ctz(mask));
    }
    return true;
}

static bool cut(cutting *c, const char *line, size_t n)
{
    size_t i = 0;
    if (n < STEP) return cut_bytes(c, line, 0, n);
    for (; i + STEP <= n; i += STEP)
        if (!cut_step(c, line, i, 0)) return false;
    return i == n || cut_step(c, line, n - STEP, (unsigned)(i + STEP - n));
}
#else
static bool cut(cutting *c, const char *line, size_t n)
{
    return cut_bytes(c, line, 0, n);
}
#endif

bool dq_cut_line(const char *line, size_t n, dq_cut_form form, uint32_t *at, size_t count, bool *ascii)
{
    cutting c = {.form = form, .at = at, .count = count};
    const bool whole = cut(&c, line, n);
    *ascii = !c.high;
    return whole && c.found == count;
}
