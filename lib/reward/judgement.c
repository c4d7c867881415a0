/* SPDX-License-Identifier: MIT */
#include "reward/judgement.h"

#include "reward/label_text.h"

#include <math.h>
#include <string.h>

/* ---- labels ---- */

dq_reading dq_judgement_read(const dq_answer *answer, const dq_label_set *set, size_t *label, size_t *at)
{
    dq_label_search search = {.set = set, .label = set->known};
    *label = set->count;
    if (answer->refused) return DQ_READ_REFUSAL;
    if (answer->cut) return DQ_READ_CUT;
    if (!dq_label_has_words(answer->content, answer->bytes)) return DQ_READ_NOTHING;
    if (answer->bytes) memcpy(answer->scratch, answer->content, answer->bytes);
    dq_label_search_objects(&search, answer->scratch, answer->bytes);
    dq_label_search_lines(&search, answer->scratch, answer->bytes);
    if (search.differ) return DQ_READ_TWO_LABELS;
    if (search.label >= set->count || search.bad) return DQ_READ_NO_LABEL;
    *label = search.label;
    *at = search.at;
    return DQ_READ;
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

/* Where the label that was read stands in the tokens: their text ends with the content as a rule, but
 * thoughts may stand before it, special tokens behind it, and blanks around it. */
static bool find_label(const joined *j, const dq_answer *answer, const char *label, size_t label_at,
                       size_t *at)
{
    enum { BEFORE = 24 };
    size_t from = label_at > BEFORE ? label_at - BEFORE : 0, n = strlen(label), found = 0;
    while (from < label_at && dq_label_is_space(answer->content[from])) from++;
    const char *needle = answer->content + from, *p = j->text, *end = j->text + j->begins[j->count];
    size_t before = label_at - from;
    for (; (p = memmem(p, (size_t)(end - p), needle, before + n)) != NULL; p++) {
        bool whole = before > 0 || ((p == j->text || !dq_label_is_word(p[-1])) && !dq_label_is_word(p[n]));
        if (whole) found = (size_t)(p - j->text) + before + 1;
    }
    *at = found - 1;
    return found > 0;
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
    while (n && !dq_label_is_word(*text)) text++, n--;
    while (length < n && dq_label_is_word(text[length])) length++;
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

bool dq_judgement_soft(const dq_answer *answer, const dq_label_set *set, size_t label, size_t label_at,
                       dq_arena *arena, double *p)
{
    joined j;
    size_t at, t = 0;
    if (!answer->logprobs || !join_tokens(answer->logprobs, arena, &j)) return false;
    if (!find_label(&j, answer, set->labels[label], label_at, &at)) return false;
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
