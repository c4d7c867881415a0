/* SPDX-License-Identifier: MIT */
#include "core/words/nearest.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 63, FARTHEST = 3 };

const char *dq_word_in(const void *list, size_t i)
{
    return ((const char *const *)list)[i];
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t dq_word_distance(const char *a, size_t a_bytes, const char *b)
{
    size_t rows[3][LONGEST + 1], n = strlen(b);
    if (a_bytes > LONGEST || n > LONGEST) return SIZE_MAX;
    for (size_t j = 0; j <= n; j++) rows[0][j] = j;
    for (size_t i = 1; i <= a_bytes; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(change, 1 + least(above[j], row[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[a_bytes % 3][n];
}

/* Letters that two words begin with together. */
static size_t common(const char *a, size_t bytes, const char *b)
{
    size_t n = 0;
    while (n < bytes && b[n] && a[n] == b[n]) n++;
    return n;
}

const char *dq_nearest(const char *word, size_t bytes, dq_word_at at, const void *list)
{
    const char *best = NULL, *known;
    size_t least_distance = SIZE_MAX;
    for (size_t i = 0; (known = at(list, i)); i++) {
        size_t longer = strlen(known) > bytes ? strlen(known) : bytes;
        size_t distance = dq_word_distance(word, bytes, known);
        if (bytes > 1 && strncmp(known, word, bytes) == 0) distance = 0;
        if (distance > FARTHEST || 3 * distance > longer || distance > least_distance) continue;
        bool nearer = distance < least_distance || common(word, bytes, known) > common(word, bytes, best);
        if (!nearer) continue;
        least_distance = distance;
        best = known;
    }
    return best;
}

dq_hint dq_hint_of(const char *word, size_t bytes, dq_word_at at, const void *list)
{
    dq_hint hint = {.words = ""};
    const char *known = dq_nearest(word, bytes, at, list);
    if (known) (void)snprintf(hint.words, sizeof hint.words, "; did you mean %s?", known);
    return hint;
}

dq_hint dq_hint_of_first(const char *text, char end, dq_word_at at, const void *list)
{
    const char *sign = strchr(text, end);
    size_t n = sign ? (size_t)(sign + 1 - text) : strlen(text);
    const char *known = dq_nearest(text, n, at, list);
    bool right = known && strlen(known) == n && memcmp(known, text, n) == 0;
    if (right) return (dq_hint){.words = ""};
    return dq_hint_of(text, n, at, list);
}
