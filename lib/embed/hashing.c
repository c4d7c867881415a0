/* SPDX-License-Identifier: MIT */
#include "embed/hashing.h"
#include "core/array.h"
#include "core/index.h"
#include "core/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Lengths of n-grams, and what each weighs beside its word: a word has about three n-grams a
 * letter, which would drown the word itself. */
enum { SHORTEST = 3, LONGEST = 5 };
static const double gram_weight = 0.5;

/* Words and n-grams of the same letters are different features. */
enum { WORD_SEED = 0, GRAM_SEED = 1 };

typedef struct feature {
    uint64_t hash;
    double weight;
} feature;

struct dq_hashing {
    uint32_t width;
    dq_term_weight weight; /* of a feature, by how often it occurs */
    feature *found;
    size_t count, capacity;
    char *word;     /* "<word>", lower-cased UTF-8 */
    uint32_t *ends; /* where each of its characters ends */
    size_t letters, letter_capacity;
};

dq_status dq_hashing_new(dq_hashing **hashing, uint32_t width, dq_term_weight weight, dq_error *error)
{
    *hashing = NULL;
    if (width == 0) return dq_fail(error, DQ_ERR_RANGE, "vectors of width 0");
    dq_hashing *f = calloc(1, sizeof *f);
    if (!f) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for features");
    f->width = width;
    f->weight = weight;
    *hashing = f;
    return DQ_OK;
}

void dq_hashing_free(dq_hashing *f)
{
    if (!f) return;
    free(f->found);
    free(f->word);
    free(f->ends);
    free(f);
}

/* ---- letters ---- */

/* What a word is made of: letters and digits of any script, and the signs of "C++" and "C#". Above ASCII all
 * but Latin-1's signs, general punctuation and the ideographic space and stops. */
static bool is_letter(uint32_t c)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
               c == '#';
    if (c < 0xc0) return c == 0xaa || c == 0xb5 || c == 0xba;
    return c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c <= 0x206f) && !(c >= 0x3000 && c <= 0x3003);
}

/* Lower case of the alphabets whose capitals stand at a fixed distance: Latin-1, Latin Extended-A, Greek,
 * Cyrillic. By code point, since a locale's tables would change the vectors from machine to machine. */
static uint32_t lower(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde) || (c >= 0x391 && c <= 0x3a9) ||
        (c >= 0x410 && c <= 0x42f))
        return c + 0x20;
    if (c >= 0x400 && c <= 0x40f) return c + 0x50;
    if ((c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) || (c >= 0x14a && c <= 0x177)) return c | 1U;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) return c + (c & 1U);
    return c;
}

static size_t encode(uint32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)((0xf00U >> n & 0xf0U) | c);
    return n;
}

/* ---- features ---- */

static dq_status add_feature(dq_hashing *f, const char *text, size_t n, uint64_t seed, double weight,
                             dq_error *error)
{
    if (!dq_array_reserve(&f->found, &f->capacity, f->count + 1, sizeof *f->found))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for features");
    f->found[f->count++] = (feature){.hash = dq_hash(text, n, seed), .weight = weight};
    return DQ_OK;
}

/* Appends one letter to the word, whose end is that of its last letter. */
static dq_status add_letter(dq_hashing *f, uint32_t c, dq_error *error)
{
    size_t capacity = dq_array_capacity(f->letter_capacity, f->letters + 1);
    if (capacity > f->letter_capacity &&
        (!dq_array_resize(&f->ends, capacity, sizeof *f->ends) || !dq_array_resize(&f->word, capacity, 4)))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for a word");
    f->letter_capacity = capacity;
    size_t at = f->letters ? f->ends[f->letters - 1] : 0;
    f->ends[f->letters++] = (uint32_t)(at + encode(c, f->word + at));
    return DQ_OK;
}

/* The features of "<word>": the word, and its n-grams with the boundaries. */
static dq_status finish_word(dq_hashing *f, dq_error *error)
{
    dq_status status = add_letter(f, '>', error);
    size_t all = f->letters;
    if (!status) status = add_feature(f, f->word + 1, f->ends[all - 2] - 1, WORD_SEED, 1, error);
    for (size_t n = SHORTEST; n <= LONGEST; n++)
        for (size_t i = 0; !status && i + n <= all; i++) {
            size_t from = i ? f->ends[i - 1] : 0;
            status = add_feature(f, f->word + from, f->ends[i + n - 1] - from, GRAM_SEED, gram_weight, error);
        }
    f->letters = 0;
    return status;
}

static dq_status find_features(dq_hashing *f, const char *text, size_t bytes, dq_error *error)
{
    dq_status status = DQ_OK;
    f->count = f->letters = 0;
    for (size_t i = 0; !status && i < bytes;) {
        uint32_t c;
        size_t n = dq_utf8_decode(text + i, bytes - i, &c);
        bool letter = n > 0 && is_letter(c);
        if (letter && f->letters == 0) status = add_letter(f, '<', error);
        if (!status && letter) status = add_letter(f, lower(c), error);
        if (!status && !letter && f->letters) status = finish_word(f, error);
        i += n ? n : 1;
    }
    return !status && f->letters ? finish_word(f, error) : status;
}

/* ---- the vector ---- */

static int by_hash(const void *a, const void *b)
{
    const feature *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static double weigh(dq_term_weight weight, size_t n)
{
    return weight == DQ_TERM_LOG ? 1 + log((double)n) : sqrt((double)n);
}

/* Adds one feature that occurs n times: the hash's upper half chooses the place, its last bit the sign. */
static void scatter(const dq_hashing *f, const feature *one, size_t n, float *out)
{
    size_t place = (size_t)((one->hash >> 32) * f->width >> 32);
    double value = one->weight * weigh(f->weight, n);
    out[place] += (float)(one->hash & 1 ? value : -value);
}

static void normalise(float *out, size_t width)
{
    double sum = 0;
    for (size_t i = 0; i < width; i++) sum += (double)out[i] * (double)out[i];
    if (sum == 0) return;
    double scale = 1 / sqrt(sum);
    for (size_t i = 0; i < width; i++) out[i] = (float)((double)out[i] * scale);
}

dq_status dq_hashing_text(dq_hashing *f, const char *text, size_t bytes, float *out, dq_error *error)
{
    memset(out, 0, f->width * sizeof *out);
    dq_status status = find_features(f, text, bytes, error);
    if (status) return status;
    if (f->count)
        qsort(f->found, f->count, sizeof *f->found,
              by_hash); /* equal features side by side; a fixed order of sums */
    for (size_t i = 0, n; i < f->count; i += n) {
        for (n = 1; i + n < f->count && f->found[i + n].hash == f->found[i].hash; n++) {
        }
        scatter(f, &f->found[i], n, out);
    }
    normalise(out, f->width);
    return DQ_OK;
}
