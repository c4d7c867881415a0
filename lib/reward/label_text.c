/* SPDX-License-Identifier: MIT */
#include "reward/label_text.h"

#include <string.h>

/* ---- marks and words ---- */

bool dq_label_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool dq_label_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

bool dq_label_has_words(const char *text, size_t n)
{
    for (size_t i = 0; text && i < n; i++)
        if (!dq_label_is_space(text[i])) return true;
    return false;
}

/* Bytes of the mark or blank that text begins with; 0: it is a word's. Of what is not ASCII: Latin-1's signs,
 * general punctuation up to dingbats, CJK's, full-width ones, emoji. */
static size_t mark(const char *text, size_t n)
{
    const unsigned char *c = (const unsigned char *)text;
    if (c[0] < 0x80) return !dq_label_is_word(text[0]);
    if (c[0] == 0xc2 && n > 1) return c[1] >= 0xa0 && c[1] != 0xaa && c[1] != 0xb5 && c[1] != 0xba ? 2 : 0;
    if (n < 3) return 0;
    if (c[0] == 0xe2) return c[1] <= 0x9f || c[1] == 0xad || c[1] == 0xac ? 3 : 0;
    if (c[0] == 0xe3) return c[1] == 0x80 ? 3 : 0;
    if (c[0] == 0xef)
        return (c[1] == 0xbc && (c[2] < 0x90 || (c[2] >= 0x9a && c[2] <= 0xa0))) ||
                       (c[1] == 0xbd && (c[2] <= 0x80 || c[2] >= 0x9b)) || (c[1] == 0xbb && c[2] == 0xbf) ||
                       c[1] == 0xb9 || c[1] == 0xb8
                   ? 3
                   : 0;
    return c[0] == 0xf0 && c[1] == 0x9f && n > 3 ? 4 : 0;
}

typedef struct span {
    size_t at, n;
} span;

/* The next word behind *at, which moves behind it; n 0: there is none. Underlines around it are marks. */
static span next_word(const char *text, size_t n, size_t *at)
{
    span w = {0};
    size_t m;
    while (*at < n && !w.n) {
        while (*at < n && ((m = mark(text + *at, n - *at)) || text[*at] == '_')) *at += m ? m : 1;
        w.at = *at;
        while (*at < n && !mark(text + *at, n - *at)) ++*at;
        w.n = *at - w.at;
        while (w.n && text[w.at + w.n - 1] == '_') w.n--;
    }
    return w;
}

static bool is(const char *text, span w, const char *word)
{
    return strlen(word) == w.n && strncasecmp(text + w.at, word, w.n) == 0;
}

bool dq_label_is(const char *text, size_t n, const char *word)
{
    size_t at = 0;
    span w = next_word(text, n, &at);
    return is(text, w, word) && !next_word(text, n, &at).n;
}

static bool is_one_of(const char *text, span w, const char *const *words)
{
    while (*words && !is(text, w, *words)) words++;
    return *words != NULL;
}

/* The label that a word spells, or set->known. */
static size_t spelt(const dq_label_set *set, const char *text, span w)
{
    size_t l = 0;
    while (l < set->known && !is(text, w, set->labels[l])) l++;
    return l;
}

/* Whether one of the marks in text[from, to) is a question mark, ASCII's or the full-width one. */
static bool asks(const char *text, size_t from, size_t to)
{
    return memchr(text + from, '?', to - from) || memmem(text + from, to - from, "\xef\xbc\x9f", 3);
}

/* The label that text[from, to) is, with nothing else but marks, or set->known; *at: where. */
static size_t exact_label(const dq_label_set *set, const char *text, size_t from, size_t to, size_t *at)
{
    span w = next_word(text, to, &from);
    size_t rest = from;
    *at = w.at;
    if (!w.n || next_word(text, to, &rest).n || asks(text, from, to)) return set->known;
    return spelt(set, text, w);
}

/* Whether text[from, to) names two labels. */
static bool names_two(const dq_label_set *set, const char *text, size_t from, size_t to)
{
    size_t first = set->known;
    for (span w; (w = next_word(text, to, &from)).n;) {
        size_t l = spelt(set, text, w);
        if (l < set->known && first < set->known && l != first) return true;
        if (l < set->known) first = l;
    }
    return false;
}

/* ---- statements ---- */

static void state(dq_label_search *s, size_t label, size_t at)
{
    size_t none = s->set->known;
    if (label == none)
        s->bad = true;
    else if (s->label == none)
        s->label = label, s->at = at;
    else
        s->differ |= s->label != label;
}

static void mention(dq_label_search *s, size_t label)
{
    if (label == s->set->known) return;
    s->differ |= s->mentioned && s->mentioned != label + 1 && s->label != s->set->known;
    s->mentioned = s->mentioned && s->mentioned != label + 1 ? s->set->known + 1 : label + 1;
}

void dq_label_note_value(dq_label_search *s, const char *text, size_t from, size_t n, bool stated)
{
    size_t at, begin = from, rest = from, to = from + n;
    span first = next_word(text, to, &rest);
    if (is(text, first, "decision")) begin = rest; /* "decision": "DECISION: SAVE" */
    size_t label = exact_label(s->set, text, begin, to, &at);
    if (!stated)
        mention(s, label);
    else if (names_two(s->set, text, from, to))
        s->differ = true;
    else
        state(s, label, at);
}

/* ---- lines ---- */

/* What stands between a key word and what it is about. */
static bool has_colon(const char *text, size_t from, size_t to)
{
    static const char *const colons[] = {":", "=", "\xef\xbc\x9a", "\xef\xb9\x95", "\xef\xbc\x9d"};
    for (size_t i = 0; i < sizeof colons / sizeof *colons; i++)
        if (memmem(text + from, to - from, colons[i], strlen(colons[i]))) return true;
    return false;
}

/* The word that a line is about, behind "1. My final"; *at moves behind it. */
static span key_word(const char *text, size_t to, size_t *at)
{
    static const char *const before[] = {"my", "the", "final", "so", "thus", "therefore", "overall", NULL};
    span w = next_word(text, to, at);
    for (int skipped = 0; skipped < 4; skipped++) {
        size_t digits = 0;
        while (digits < w.n && text[w.at + digits] >= '0' && text[w.at + digits] <= '9') digits++;
        if (!w.n || (digits < w.n && !is_one_of(text, w, before))) break;
        w = next_word(text, to, at);
    }
    return w;
}

/* "DECISION: LABEL ...", the colon at `behind`. */
static void read_decision(dq_label_search *s, const char *text, size_t behind, size_t to)
{
    size_t at = behind;
    span w = next_word(text, to, &at);
    size_t rest = at, label = spelt(s->set, text, w);
    span next = next_word(text, to, &rest);
    if (asks(text, at, next.n ? next.at : to)) label = s->set->known;
    if (label < s->set->known && names_two(s->set, text, behind, to))
        s->differ = true;
    else
        state(s, label, w.at);
}

/* A line [from, to); true: a decision is announced, and nothing stands behind it. */
static bool read_line(dq_label_search *s, const char *text, size_t from, size_t to)
{
    static const char *const others[] = {"answer",   "label",     "choice",   "action", "verdict",
                                         "response", "judgement", "judgment", NULL};
    size_t at = from, label_at;
    span key = key_word(text, to, &at);
    bool decision = is(text, key, "decision");
    if (!decision && !is_one_of(text, key, others)) return false;
    size_t behind = at, rest = at;
    span next = next_word(text, to, &rest);
    bool colon = has_colon(text, behind, next.n ? next.at : to);
    if (!next.n) return decision && colon;
    if (decision && colon) {
        read_decision(s, text, behind, to);
        return false;
    }
    if (decision && is(text, next, "is")) behind = rest;
    size_t label = exact_label(s->set, text, behind, to, &label_at);
    if (label < s->set->known && (decision || colon)) state(s, label, label_at);
    return false;
}

static size_t line_end(const char *text, size_t n, size_t from)
{
    const char *end = memchr(text + from, '\n', n - from);
    return end ? (size_t)(end - text) : n;
}

void dq_label_search_lines(dq_label_search *s, const char *text, size_t n)
{
    size_t none = s->set->known, held = none, held_at = 0, at;
    bool first = true, announced = false;
    for (size_t from = 0, to; from < n; from = to + 1) {
        size_t word = from;
        to = line_end(text, n, from);
        if (!next_word(text, to, &word).n) continue;
        mention(s, held); /* it was not the last */
        held = none;
        size_t alone = exact_label(s->set, text, from, to, &at);
        if (alone == none)
            announced = read_line(s, text, from, to);
        else if (first || announced)
            state(s, alone, at), announced = false;
        else
            held = alone, held_at = at;
        first = false;
    }
    if (held != none) state(s, held, held_at);
    s->differ |= s->mentioned && s->label != none && s->mentioned != s->label + 1;
}
