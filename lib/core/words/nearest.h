/* SPDX-License-Identifier: MIT
 *
 * Which known word was meant by one that is not known: "modle" is model. Whoever refuses a word says so:
 *
 *     dq_fail(error, DQ_ERR_UNKNOWN, "no environment '%s'%s", name,
 *             dq_hint_of(name, strlen(name), name_at, NULL).words);
 *
 * The distance counts letters put in, left out and changed, and neighbours that changed places (Damerau, "A
 * technique for computer detection and correction of spelling errors", CACM 7(3), 1964, in the form that
 * changes no part twice). A word is near when that is a third of its letters at most, and never above 3; one
 * that begins with what was typed is nearer than any.
 */
#ifndef DQ_CORE_WORDS_NEAREST_H
#define DQ_CORE_WORDS_NEAREST_H

#include <stddef.h>

enum { DQ_HINT_BYTES = 96 };

typedef struct dq_hint {
    char words[DQ_HINT_BYTES]; /* "; did you mean session?", or empty */
} dq_hint;

/* Word i of a list; NULL: it has no more. */
typedef const char *(*dq_word_at)(const void *list, size_t i);
/* The same of a list of texts that NULL ends. */
const char *dq_word_in(const void *list, size_t i);

/* The least number of changes that make one word of the other; SIZE_MAX when one has more than 63 bytes. */
size_t dq_word_distance(const char *a, size_t a_bytes, const char *b);

/* The word of the list that is near; of equally near ones that which begins most like it, then the first;
 * NULL: none is. */
const char *dq_nearest(const char *word, size_t bytes, dq_word_at at, const void *list);

/* The same as an end of an error. */
dq_hint dq_hint_of(const char *word, size_t bytes, dq_word_at at, const void *list);
/* The same of a text whose first word ends with a sign, as those of the list that something follows do:
 * "randon:5" and ':' for random:. Nothing where it is that word, and something behind it is wrong. */
dq_hint dq_hint_of_first(const char *text, char end, dq_word_at at, const void *list);

#endif
