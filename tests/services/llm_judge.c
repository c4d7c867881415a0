/* SPDX-License-Identifier: MIT
 *
 * A judge that answers from the demo's hidden preference, and reads as an honest model would: what stands
 * between the fences is the profile and the posting, what stands outside says which labels there are. Its
 * tables are made from pipelines/demo/make_data.py by make_tastes.py when the server is built.
 *
 * A profile or posting that is not the demo's has no trade; its label is drawn by the digest of the profile
 * and the posting's first line, in the demo's shares, so that it is the same every time and nothing further
 * down the posting changes it.
 */
#include "llm.h"

#include "llm_tastes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *const llm_labels[LLM_LABELS] = {"APPLY", "SAVE", "CLICK", "IGNORE"};
enum { APPLY, SAVE, CLICK, IGNORE };

/* ---- fences ---- */

typedef struct text {
    char *bytes; /* NUL-terminated */
    size_t used;
} text;

typedef struct reading {
    text profile, posting, outside;
} reading;

static void add(text *t, const char *bytes, size_t n)
{
    char *grown = realloc(t->bytes, t->used + n + 1);
    if (!grown) abort();
    t->bytes = grown;
    memcpy(grown + t->used, bytes, n);
    t->used += n;
    grown[t->used] = 0;
}

/* The length of the name in "<name>" at tag, 0 when that is none. */
static size_t tag_name(const char *tag)
{
    size_t n = 1;
    while (isalnum((unsigned char)tag[n]) || (tag[n] && strchr("_-.", tag[n]))) n++;
    return tag[n] == '>' ? n - 1 : 0;
}

/* Where "</name>" begins behind a tag, or NULL. */
static const char *closing(const char *tag, size_t name)
{
    for (const char *at = tag; (at = strstr(at, "</")); at += 2)
        if (strncmp(at + 2, tag + 1, name) == 0 && at[2 + name] == '>') return at;
    return NULL;
}

static bool has_word(const char *name, size_t n, const char *const *words)
{
    for (; *words; words++)
        if (memmem(name, n, *words, strlen(*words))) return true;
    return false;
}

/* A fence's name says whose it is; else the profile stands first. */
static text *side_of(reading *r, const char *name, size_t n)
{
    static const char *const profile[] = {"profile", "applicant", "candidate", "person", "user", NULL};
    static const char *const posting[] = {"posting", "job", "item", "vacancy", NULL};
    if (has_word(name, n, posting)) return &r->posting;
    if (has_word(name, n, profile)) return &r->profile;
    return r->profile.used ? &r->posting : &r->profile;
}

static void read_content(reading *r, const char *content)
{
    const char *at = content;
    while (*at) {
        size_t plain = strcspn(at, "<"), name;
        add(&r->outside, at, plain);
        at += plain;
        const char *end = *at && (name = tag_name(at)) ? closing(at, name) : NULL;
        if (end) {
            text *side = side_of(r, at + 1, name);
            const char *from = at + name + 2;
            from += strspn(from, "\n");
            add(side, from, (size_t)(end - from));
            at = end + name + 3;
        } else if (*at)
            add(&r->outside, at++, 1);
    }
}

/* Fences stand in the user's messages; what the system's says of tags is prose. */
static void read_messages(const json_t *messages, reading *r)
{
    size_t i;
    json_t *message;
    *r = (reading){0};
    json_array_foreach(messages, i, message)
    {
        const char *content = llm_text(message, "content");
        if (strcmp(llm_text(message, "role"), "system") == 0)
            add(&r->outside, content, strlen(content));
        else
            read_content(r, content);
        add(&r->outside, "\n", 1);
    }
}

static void forget(reading *r)
{
    free(r->profile.bytes);
    free(r->posting.bytes);
    free(r->outside.bytes);
}

static bool named(const char *within, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = within; (at = strstr(at, word)); at += n)
        if ((at == within || !isalpha((unsigned char)at[-1])) && !isalpha((unsigned char)at[n])) return true;
    return false;
}

unsigned llm_labels_named(const json_t *messages)
{
    reading r;
    unsigned mask = 0;
    read_messages(messages, &r);
    for (unsigned i = 0; i < LLM_LABELS; i++)
        if (r.outside.bytes && named(r.outside.bytes, llm_labels[i])) mask |= 1u << i;
    forget(&r);
    return mask;
}

/* ---- the preference ---- */

/* Which list of phrases the text has the most of, -1: none. Ties go to the first. */
static int most(const char *within, const char *const lists[][TASTE_PHRASES], int count)
{
    int best = -1, best_hits = 0;
    for (int i = 0; i < count; i++) {
        int hits = 0;
        for (int k = 0; k < TASTE_PHRASES && lists[i][k]; k++) hits += strstr(within, lists[i][k]) != NULL;
        if (hits > best_hits) best = i, best_hits = hits;
    }
    return best;
}

static const taste *taste_of(const char *profile)
{
    for (size_t i = 0; i < TASTE_COUNT; i++)
        if (strstr(profile, tastes[i].bio) && strstr(profile, tastes[i].skills)) return tastes + i;
    return NULL;
}

static int employer_of(const char *posting)
{
    for (int i = 0; i < TASTE_EMPLOYERS; i++)
        if (strstr(posting, taste_employers[i])) return i;
    return -1;
}

static int level_of_title(const char *posting)
{
    return strstr(posting, "Junior ") ? 0 : strstr(posting, "Senior ") ? 2 : 1;
}

/* make_data.py's liking() without the whim; what a title alone does not say is hoped for. */
static double liking(const char *profile, const char *posting, const taste *who, int trade, int wants)
{
    int place = most(posting, taste_job_places, 3), own_place = most(profile, taste_places, 3);
    int level = level_of_title(posting), own_level = most(profile, taste_levels, 3),
        employer = employer_of(posting);
    double score = trade == wants ? 1 : taste_lures[trade] == wants ? -0.5 : 0;
    if (own_level >= 0) score += 0.25 * (1 - abs(own_level - level));
    score += place < 0 ? 0.1 : place == own_place ? 0.2 : -0.1;
    if (employer < 0) return score + 0.2;
    return score + 0.5 * ((employer == who->loves) - (employer == who->shuns));
}

static unsigned drawn(const reading *r)
{
    const char *posting = r->posting.bytes ? r->posting.bytes : "";
    uint64_t h = r->profile.bytes ? llm_hash(r->profile.bytes, r->profile.used, 3) : 0;
    double share = llm_share(llm_hash(posting, strcspn(posting, "\n"), h));
    return share < 0.08 ? APPLY : share < 0.24 ? SAVE : share < 0.52 ? CLICK : IGNORE;
}

static unsigned judge(const reading *r)
{
    const char *profile = r->profile.bytes, *posting = r->posting.bytes;
    int trade = profile ? most(profile, taste_own, TASTE_TRADES) : -1;
    int wants = posting ? most(posting, taste_titles, TASTE_TRADES) : -1;
    const taste *who = trade >= 0 ? taste_of(profile) : NULL;
    if (trade < 0 || wants < 0) return drawn(r);
    if (!who)
        who = &tastes[llm_hash(profile, r->profile.used, 5) % TASTE_COUNT]; /* somebody new has some taste */
    double score = liking(profile, posting, who, trade, wants);
    for (unsigned i = APPLY; i < IGNORE; i++)
        if (score >= who->least[i]) return i;
    return IGNORE;
}

unsigned llm_judge(const json_t *messages, unsigned allowed)
{
    reading r;
    read_messages(messages, &r);
    unsigned label = judge(&r);
    forget(&r);
    if (allowed >> label & 1) return label;
    /* Two stages: whoever would apply or save clicks first; who only looks has looked. */
    if ((label == APPLY || label == SAVE) && allowed >> CLICK & 1) return CLICK;
    if (allowed >> IGNORE & 1) return IGNORE;
    return (unsigned)__builtin_ctz(allowed);
}
