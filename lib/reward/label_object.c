/* SPDX-License-Identifier: MIT
 *
 * Objects in a text, as small models write JSON: what json_repair and its like read, as far as it is one
 * object with a key "decision". A quote ends a text only where a comma, a colon, a bracket or the end
 * of the line follows, so that quotes and apostrophes inside of texts do no harm.
 */
#include "reward/label_text.h"

#include <string.h>

enum {
    DEPTH = 32,
    BROKEN = 64
}; /* brackets in brackets; objects that are none before the text is given up */

typedef struct token {
    size_t at, n; /* of the text, without its quotes */
} token;

/* An object that is being read. */
typedef struct object {
    dq_label_search *search;
    const char *text;
    size_t n, at;
    char open[DEPTH]; /* brackets */
    size_t depth;
    token key, last; /* the key whose value comes (n 0: none), the last text */
    bool awaits;     /* a value for the key */
    bool stated;     /* what it says counts */
} object;

/* ---- tokens ---- */

/* Bytes of the quote that text begins with, its kind in *kind: ", ' or `, and what looks like them. */
static size_t quote(const char *text, size_t n, char *kind)
{
    static const struct {
        const char *quote, kind;
    } quotes[] = {{"\"", '"'},
                  {"'", '\''},
                  {"`", '`'},
                  {"\xe2\x80\x9c", '"'},
                  {"\xe2\x80\x9d", '"'},
                  {"\xe2\x80\x9e", '"'},
                  {"\xe2\x80\x9f", '"'},
                  {"\xef\xbc\x82", '"'},
                  {"\xc2\xab", '"'},
                  {"\xc2\xbb", '"'},
                  {"\xe2\x80\x98", '\''},
                  {"\xe2\x80\x99", '\''},
                  {"\xe2\x80\x9a", '\''},
                  {"\xe2\x80\x9b", '\''}};
    if (n && !(text[0] & 0x80) && text[0] != '"' && text[0] != '\'' && text[0] != '`') return 0; /* mostly */
    for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++) {
        size_t bytes = strlen(quotes[i].quote);
        if (n < bytes || memcmp(text, quotes[i].quote, bytes) != 0) continue;
        *kind = quotes[i].kind;
        return bytes;
    }
    return 0;
}

/* What parts of an object are set off by: the mark as ASCII has it, its bytes in *bytes; 0: none. */
static char separator(const char *text, size_t n, size_t *bytes)
{
    static const char *const wide[] = {"\xef\xbc\x8c,", "\xef\xbc\x9a:", "\xe3\x80\x81,", "\xef\xb9\x95:"};
    *bytes = 1;
    if (n && strchr(",:={}[]", text[0]) && text[0]) return text[0] == '=' ? ':' : text[0];
    *bytes = 3;
    for (size_t i = 0; n >= 3 && i < sizeof wide / sizeof *wide; i++)
        if (memcmp(text, wide[i], 3) == 0) return wide[i][3];
    return 0;
}

static bool ends_text(const object *o, size_t at)
{
    size_t bytes;
    bool line = false;
    for (; at < o->n && dq_label_is_space(o->text[at]); at++) line |= o->text[at] == '\n';
    if (line) return true;
    char c = separator(o->text + at, o->n - at, &bytes);
    return at == o->n || (c && c != '{' && c != '[');
}

/* Reads the quoted text behind a quote of the kind; false: it does not end. */
static bool read_quoted(object *o, char kind, token *t)
{
    t->at = o->at;
    while (o->at < o->n) {
        char k = 0;
        size_t bytes = o->text[o->at] == '\\' ? 2 : 1, q = quote(o->text + o->at, o->n - o->at, &k);
        if (q && k == kind && ends_text(o, o->at + q)) {
            t->n = o->at - t->at;
            o->at += q;
            return true;
        }
        o->at += bytes;
    }
    return false;
}

static void read_bare(object *o, token *t)
{
    size_t bytes;
    t->at = o->at;
    while (o->at < o->n && o->text[o->at] != '\n' && !separator(o->text + o->at, o->n - o->at, &bytes))
        o->at++;
    t->n = o->at - t->at;
}

/* ---- objects ---- */

static bool is_decision(const object *o)
{
    return o->awaits && dq_label_is(o->text + o->key.at, o->key.n, "decision");
}

/* A text in a {} that turns out to be no key: beside {decision: APPLY, SAVE} it contradicts. */
static void drop_last(object *o)
{
    bool stray = o->last.n && o->open[o->depth - 1] == '{';
    if (stray) dq_label_note_value(o->search, o->text, o->last.at, o->last.n, false);
    o->last.n = 0;
}

static void take_text(object *o, const token *t)
{
    if (is_decision(o)) dq_label_note_value(o->search, o->text, t->at, t->n, o->stated);
    if (!o->awaits) drop_last(o);
    if (!o->awaits) o->last = *t;
    o->awaits = false;
}

/* False: the brackets do not match. */
static bool take_bracket(object *o, char c)
{
    if (c == '{' || c == '[') {
        if (is_decision(o)) dq_label_note_value(o->search, o->text, o->at, 0, o->stated); /* no label */
        o->awaits = false;
        if (o->depth == DEPTH) return false;
        o->open[o->depth++] = c;
        return true;
    }
    o->awaits = false;
    return o->depth && o->open[--o->depth] == (c == '}' ? '{' : '[');
}

static bool take_separator(object *o, char c, size_t bytes)
{
    bool fine = true;
    if (o->depth && c != ':') drop_last(o);
    if (strchr("{}[]", c)) {
        fine = take_bracket(o, c);
    } else if (c == ':' && o->last.n && o->open[o->depth - 1] == '{') {
        o->key = o->last;
        o->last.n = 0;
        o->awaits = true;
    } else if (c == ',') {
        o->awaits = false;
    }
    o->at += bytes;
    return fine;
}

/* Reads the object that begins at o->at, which moves behind it; false: it is none, or not closed. */
static bool read_object(object *o)
{
    do {
        size_t bytes;
        char kind, c = separator(o->text + o->at, o->n - o->at, &bytes);
        token t;
        if (c) {
            if (!take_separator(o, c, bytes)) return false;
        } else if (dq_label_is_space(o->text[o->at])) {
            o->at++;
        } else if ((bytes = quote(o->text + o->at, o->n - o->at, &kind))) {
            o->at += bytes;
            if (!read_quoted(o, kind, &t)) return false;
            take_text(o, &t);
        } else {
            read_bare(o, &t);
            take_text(o, &t);
        }
    } while (o->depth && o->at < o->n);
    return o->depth == 0;
}

/* The line before a place, as far as an object's standing there depends on it. */
typedef struct line {
    size_t from, to; /* where it begins; behind its last character that is no blank */
    bool marks;      /* it has nothing but marks */
} line;

static void read_on(line *l, const char *text, size_t at)
{
    if (text[at] == '\n') *l = (line){.from = at + 1, .to = at + 1, .marks = true};
    if (dq_label_is_space(text[at])) return;
    l->to = at + 1;
    l->marks &= !dq_label_is_word(text[at]) && !(text[at] & 0x80);
}

/* Where an object stands: at the beginning of a line, behind a mark but a comma, behind the name of a
 * fence. Anywhere else it is part of a sentence. */
static bool is_anchored(const line *l, const char *text)
{
    if (l->marks || l->to == l->from) return true;
    if (!dq_label_is_word(text[l->to - 1])) return text[l->to - 1] != ',';
    size_t n = l->to - l->from;
    return n >= 4 && strncasecmp(text + l->to - 4, "json", 4) == 0 &&
           (n == 4 || !dq_label_is_word(text[l->to - 5]));
}

void dq_label_search_objects(dq_label_search *search, char *text, size_t n)
{
    int broken = 0;
    line before = {.marks = true};
    for (size_t i = 0; i < n && broken < BROKEN; i++) {
        object o = {.search = search, .text = text, .n = n, .at = i};
        dq_label_search found = *search;
        o.stated = text[i] == '{' && is_anchored(&before, text);
        if (text[i] == '{' && read_object(&o)) {
            memset(text + i, ' ', o.at - i);
            i = o.at - 1;
            continue;
        }
        if (text[i] == '{') {
            *search = found;
            broken++;
            search->bad |= before.marks || broken == BROKEN;
        }
        read_on(&before, text, i);
    }
}
