/* SPDX-License-Identifier: MIT */
#include "reward/judgement.h"

#include <math.h>
#include <string.h>

/* ---- the fields of a completion ---- */

static const dq_value *first_of(const dq_value *list)
{
    return list && list->type == DQ_LIST && list->count ? &list->as.list[0] : NULL;
}

static bool has_words(const dq_value *v)
{
    return v && v->type == DQ_STRING && v->count > 0;
}

void dq_answer_take(const dq_value *body, dq_answer *answer)
{
    *answer = (dq_answer){0};
    const dq_value *choice = first_of(dq_map_get(body, "choices"));
    const dq_value *message = dq_map_get(choice, "message"), *finish = dq_map_get(choice, "finish_reason");
    const dq_value *content = dq_map_get(message, "content");
    const dq_value *logprobs = dq_map_get(dq_map_get(choice, "logprobs"), "content");
    answer->cut = dq_value_is(finish, "length");
    answer->refused = has_words(dq_map_get(message, "refusal")) || dq_value_is(finish, "content_filter");
    if (logprobs && logprobs->type == DQ_LIST) answer->logprobs = logprobs;
    if (!content || content->type != DQ_STRING) return;
    answer->content = content->as.string;
    answer->bytes = content->count;
}

/* ---- texts ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void trim(const char **text, size_t *n)
{
    while (*n && is_space(**text)) (*text)++, (*n)--;
    while (*n && is_space((*text)[*n - 1])) (*n)--;
}

/* Where `what` begins in text, or n. */
static size_t find(const char *text, size_t n, const char *what)
{
    const char *at = n ? memmem(text, n, what, strlen(what)) : NULL;
    return at ? (size_t)(at - text) : n;
}

/* The content behind what was thought aloud. */
static void skip_thoughts(const char **text, size_t *n)
{
    static const char begin[] = "<think>", end[] = "</think>";
    trim(text, n);
    if (*n < sizeof begin - 1 || memcmp(*text, begin, sizeof begin - 1) != 0) return;
    size_t at = find(*text, *n, end);
    size_t skip = at == *n ? *n : at + sizeof end - 1;
    *text += skip;
    *n -= skip;
    trim(text, n);
}

/* Bytes of the object that text begins with, up to its last brace; 0: it has none. */
static size_t object_length(const char *text, size_t n)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '{')
            depth++;
        else if (!quoted && c == '}' && --depth == 0)
            return i + 1;
    }
    return 0;
}

const char *dq_answer_json(const dq_answer *answer, size_t *bytes)
{
    const char *text = answer->content;
    size_t n = answer->bytes;
    if (!text) return NULL;
    skip_thoughts(&text, &n);
    if (n > 3 && memcmp(text, "```", 3) == 0) {
        size_t skip = find(text, n, "\n");
        text += skip;
        n = find(text, n - skip, "```");
        trim(&text, &n);
    }
    if (!n || text[0] != '{') return NULL;
    *bytes = object_length(text, n);
    return *bytes && !memchr(text + *bytes, '{', n - *bytes) ? text : NULL;
}

/* ---- labels ---- */

/* The label that n bytes spell, or set->count. */
static size_t spelt(const char *text, size_t n, const dq_label_set *set)
{
    size_t l = 0;
    while (l < set->count && (strlen(set->labels[l]) != n || strncasecmp(set->labels[l], text, n) != 0)) l++;
    return l;
}

/* Marks and punctuation around a word: quotes, stars, points. */
static void strip_marks(const char **text, size_t *n)
{
    while (*n && !is_word(**text)) (*text)++, (*n)--;
    while (*n && !is_word((*text)[*n - 1])) (*n)--;
}

static dq_reading read_object(const dq_value *object, const dq_label_set *set, size_t *label)
{
    for (uint32_t i = 0; object->type == DQ_MAP && i < object->count; i++) {
        const dq_value *key = &object->as.map[i].key, *value = &object->as.map[i].value;
        if (key->count != 8 || strncasecmp(key->as.string, "decision", 8) != 0) continue;
        if (value->type != DQ_STRING) return DQ_READ_NO_LABEL;
        const char *text = value->as.string;
        size_t n = value->count;
        trim(&text, &n);
        *label = spelt(text, n, set);
        return *label < set->count ? DQ_READ : DQ_READ_NO_LABEL;
    }
    return DQ_READ_NO_LABEL;
}

/* What stands behind "DECISION:" on a line, or NULL. */
static const char *decision_on(const char *line, size_t *n)
{
    const char *text = line, *end = line + *n;
    while (text < end && !is_word(*text)) text++;
    if (end - text < 9 || strncasecmp(text, "decision", 8) != 0) return NULL;
    text += 8;
    while (text < end && (*text == '*' || *text == '"' || *text == '\'' || *text == ' ')) text++;
    if (text == end || (*text != ':' && *text != '=')) return NULL;
    text++;
    *n = (size_t)(end - text);
    return text;
}

/* The label that a line's first word is; another label behind it makes it two. */
static dq_reading read_words(const char *text, size_t n, const dq_label_set *set, size_t *label)
{
    size_t words = 0;
    *label = set->count;
    for (size_t i = 0, length; i < n; i += length) {
        while (i < n && !is_word(text[i])) i++;
        for (length = 0; i + length < n && is_word(text[i + length]);) length++;
        if (!length) break;
        size_t l = spelt(text + i, length, set);
        if (words++ == 0)
            *label = l;
        else if (l < set->count && *label < set->count && l != *label)
            return DQ_READ_TWO_LABELS;
    }
    return *label < set->count ? DQ_READ : DQ_READ_NO_LABEL;
}

static dq_reading read_lines(const char *text, size_t n, const dq_label_set *set, size_t *label)
{
    dq_reading reading = DQ_READ_NO_LABEL;
    while (n) {
        size_t length = find(text, n, "\n"), rest = length, l;
        const char *behind = decision_on(text, &rest);
        if (behind) {
            dq_reading here = read_words(behind, rest, set, &l);
            if (here == DQ_READ && reading == DQ_READ && l != *label) return DQ_READ_TWO_LABELS;
            if (here != DQ_READ) return here;
            *label = l;
            reading = DQ_READ;
        }
        text += length;
        n -= length;
        if (n) text++, n--;
    }
    return reading;
}

dq_reading dq_judgement_read(const dq_answer *answer, const dq_label_set *set, size_t *label)
{
    const char *text = answer->content;
    size_t n = answer->bytes;
    if (answer->refused) return DQ_READ_REFUSAL;
    if (answer->cut) return DQ_READ_CUT;
    if (!text) return DQ_READ_NOTHING;
    if (answer->object) return read_object(answer->object, set, label);
    skip_thoughts(&text, &n);
    if (!n) return DQ_READ_NOTHING;
    if (text[0] == '{') return DQ_READ_NO_LABEL; /* JSON that is none, or not of one answer */
    dq_reading reading = read_lines(text, n, set, label);
    if (reading != DQ_READ_NO_LABEL) return reading;
    strip_marks(&text, &n);
    *label = spelt(text, n, set);
    return *label < set->count ? DQ_READ : DQ_READ_NO_LABEL;
}

const char *dq_reading_word(dq_reading reading)
{
    switch (reading) {
    case DQ_READ: return "a label";
    case DQ_READ_NOTHING: return "an empty answer";
    case DQ_READ_REFUSAL: return "a refusal";
    case DQ_READ_CUT: return "an answer cut short";
    case DQ_READ_NO_LABEL: return "an answer without a label";
    case DQ_READ_TWO_LABELS: return "an answer with two labels";
    }
    return "an answer";
}

/* ---- log-probabilities ---- */

/* The tokens joined, in the arena, and where each begins (count + 1). */
typedef struct joined {
    char *text;
    size_t *begins, count;
} joined;

static const dq_value *token_text(const dq_value *entry)
{
    const dq_value *token = dq_map_get(entry, "token");
    return token && token->type == DQ_STRING ? token : NULL;
}

static bool join_tokens(const dq_value *logprobs, dq_arena *arena, joined *j)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < logprobs->count; i++) {
        const dq_value *token = token_text(&logprobs->as.list[i]);
        if (!token) return false;
        bytes += token->count;
    }
    j->count = logprobs->count;
    j->text = dq_arena_take(arena, bytes + 1);
    j->begins = dq_arena_take(arena, (j->count + 1) * sizeof *j->begins);
    if (!j->text || !j->begins) return false;
    j->begins[0] = 0;
    for (size_t i = 0; i < j->count; i++) {
        const dq_value *token = token_text(&logprobs->as.list[i]);
        memcpy(j->text + j->begins[i], token->as.string, token->count);
        j->begins[i + 1] = j->begins[i] + token->count;
    }
    j->text[bytes] = '\0';
    return true;
}

/* Where the label that was read stands: behind the last "decision", else its last place as a word. */
static bool find_label(const joined *j, const char *label, size_t *at)
{
    const char *from = j->text, *found = NULL, *next;
    size_t n = strlen(label);
    while ((next = strcasestr(from, "decision")) != NULL) from = next + 8;
    for (const char *p = from; (p = strcasestr(p, label)) != NULL; p += n) {
        bool whole = (p == j->text || !is_word(p[-1])) && !is_word(p[n]);
        if (whole && !found) found = p;
    }
    if (!found) return false;
    *at = (size_t)(found - j->text);
    return true;
}

/* The one label that a token, put where a label begins, begins; or set->count. prefix: what of the token
 * stands before that place. */
static size_t label_begun(const dq_value *token, const char *prefix, size_t prefix_bytes,
                          const dq_label_set *set)
{
    const char *text = token->as.string;
    size_t n = token->count, length = 0, found = set->count;
    if (n >= prefix_bytes && prefix_bytes && memcmp(text, prefix, prefix_bytes) == 0) {
        text += prefix_bytes;
        n -= prefix_bytes;
    }
    while (n && !is_word(*text)) text++, n--;
    while (length < n && is_word(text[length])) length++;
    for (size_t l = 0; length && l < set->count; l++) {
        size_t whole = strlen(set->labels[l]);
        if (length > whole || strncasecmp(set->labels[l], text, length) != 0) continue;
        if (found < set->count) return set->count; /* it begins two */
        found = l;
    }
    return found;
}

static bool add_mass(const dq_value *entry, const char *prefix, size_t prefix_bytes, const dq_label_set *set,
                     double *p)
{
    const dq_value *token = token_text(entry), *number = dq_map_get(entry, "logprob");
    if (!token || !number) return false;
    double logprob = dq_value_number(number, NAN);
    size_t l = label_begun(token, prefix, prefix_bytes, set);
    if (l == set->count || !(logprob <= 1e-6)) return false;
    p[l] += exp(logprob);
    return true;
}

bool dq_judgement_soft(const dq_answer *answer, const dq_label_set *set, size_t label, dq_arena *arena,
                       double *p)
{
    joined j;
    size_t at, t = 0;
    if (!answer->logprobs || !join_tokens(answer->logprobs, arena, &j)) return false;
    if (!find_label(&j, set->labels[label], &at)) return false;
    while (t + 1 < j.count && j.begins[t + 1] <= at) t++;
    const dq_value *entry = &answer->logprobs->as.list[t], *top = dq_map_get(entry, "top_logprobs");
    const char *prefix = j.text + j.begins[t];
    size_t prefix_bytes = at - j.begins[t];
    double sum = 0;
    bool chosen_listed = false;
    for (size_t l = 0; l < set->count; l++) p[l] = 0;
    for (uint32_t i = 0; top && top->type == DQ_LIST && i < top->count; i++) {
        const dq_value *alternative = token_text(&top->as.list[i]);
        chosen_listed |= alternative && dq_value_equal(alternative, token_text(entry));
        (void)add_mass(&top->as.list[i], prefix, prefix_bytes, set, p);
    }
    if (!chosen_listed) (void)add_mass(entry, prefix, prefix_bytes, set, p);
    for (size_t l = 0; l < set->count; l++) sum += p[l];
    if (!(sum > 0) || !(p[label] > 0)) return false;
    for (size_t l = 0; l < set->count; l++) p[l] /= sum;
    return true;
}
