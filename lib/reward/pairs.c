/* SPDX-License-Identifier: MIT */
#include "reward/pairs.h"

#include "core/rng.h"
#include "core/topk.h"
#include "core/words/nearest.h"

#include <stdlib.h>
#include <string.h>

/* Enumerating: the plan, who takes, and memory for one user's items. */
typedef struct walk {
    dq_pair_plan *plan;
    const dq_labeller *labeller;
    const dq_catalogue *catalogue;
    dq_pair_taker *take;
    void *arg;
    uint32_t *chosen, *scratch; /* (items) */
    float *cosines;             /* (items) */
    dq_topk *best;
} walk;

static bool parse_per_user(const char *text, const char *prefix, uint64_t *n)
{
    size_t length = strlen(prefix);
    if (strncmp(text, prefix, length) != 0 || text[length] < '0' || text[length] > '9') return false;
    char *end;
    *n = strtoull(text + length, &end, 10);
    return *end == '\0' && *n > 0 && *n < DQ_ABSENT;
}

const char *const dq_pair_plan_words[] = {"stream", "all", "random:", "top:", NULL};

dq_status dq_pair_plan_parse(dq_pair_plan *plan, const char *text, dq_error *error)
{
    if (strcmp(text, "stream") == 0)
        plan->from = DQ_PAIRS_STREAM;
    else if (strcmp(text, "all") == 0)
        plan->from = DQ_PAIRS_ALL;
    else if (parse_per_user(text, "random:", &plan->n))
        plan->from = DQ_PAIRS_RANDOM;
    else if (parse_per_user(text, "top:", &plan->n))
        plan->from = DQ_PAIRS_TOP;
    else
        return dq_fail(error, DQ_ERR_RANGE, "'%s' is not stream, all, random:N or top:N%s", text,
                       dq_hint_of_first(text, ':', dq_word_in, dq_pair_plan_words).words);
    return DQ_OK;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool is_wanted(const dq_pair_plan *plan, size_t user)
{
    return !plan->only || plan->only[user];
}

/* Drawn by the user's id, so that --user and the order of users change no draw. */
static void choose_random(walk *w, uint32_t user, size_t n)
{
    size_t bytes;
    const char *id = dq_entities_id(&w->catalogue->users, user, &bytes);
    dq_rng rng = dq_rng_stream(w->plan->seed, dq_hash(id, bytes, 0));
    dq_rng_sample(&rng, w->chosen, n, w->scratch, dq_entities_count(&w->catalogue->items));
}

static dq_status choose_top(walk *w, uint32_t user, dq_error *error)
{
    size_t items = dq_entities_count(&w->catalogue->items);
    const dq_scored *kept;
    dq_status status = DQ_OK;
    dq_topk_clear(w->best);
    dq_labeller_cosines(w->labeller, user, w->cosines, items);
    for (size_t i = 0; !status && i < items; i++) {
        if (!dq_topk_would_take(w->best, w->cosines[i])) continue;
        size_t bytes;
        const char *id = dq_entities_id(&w->catalogue->items, (uint32_t)i, &bytes);
        status = dq_topk_push(w->best, w->cosines[i], id, bytes, i, error);
    }
    size_t n = dq_topk_sorted(w->best, &kept);
    for (size_t i = 0; !status && i < n; i++) w->chosen[i] = (uint32_t)kept[i].tag;
    return status;
}

static dq_status walk_user(walk *w, uint32_t user, dq_error *error)
{
    size_t items = dq_entities_count(&w->catalogue->items), n = items;
    bool some = w->plan->from != DQ_PAIRS_ALL && w->plan->n < items;
    dq_status status = DQ_OK;
    if (some) n = (size_t)w->plan->n;
    if (some && w->plan->from == DQ_PAIRS_RANDOM) choose_random(w, user, n);
    if (some && w->plan->from == DQ_PAIRS_TOP) status = choose_top(w, user, error);
    if (some) qsort(w->chosen, n, sizeof *w->chosen, ascending);
    for (size_t i = 0; !status && i < n; i++)
        status = w->take(w->arg, user, some ? w->chosen[i] : (uint32_t)i, DQ_ABSENT, error);
    return status;
}

static dq_status walk_users(walk *w, dq_error *error)
{
    size_t items = dq_entities_count(&w->catalogue->items), users = dq_entities_count(&w->catalogue->users);
    w->chosen = malloc(items * sizeof *w->chosen + 1);
    w->scratch = malloc(items * sizeof *w->scratch + 1);
    w->cosines = malloc(items * sizeof *w->cosines + 1);
    dq_status status = DQ_OK;
    if (!w->chosen || !w->scratch || !w->cosines) status = dq_fail_memory(error, "%zu items", items);
    if (!status && w->plan->from == DQ_PAIRS_TOP) status = dq_topk_new(&w->best, (size_t)w->plan->n, error);
    for (size_t user = 0; !status && user < users; user++)
        if (is_wanted(w->plan, user)) status = walk_user(w, (uint32_t)user, error);
    dq_topk_free(w->best);
    free(w->chosen);
    free(w->scratch);
    free(w->cosines);
    return status;
}

static dq_status walk_interactions(walk *w, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < w->catalogue->interaction_count; i++) {
        const dq_interaction *x = &w->catalogue->interactions[i];
        if (is_wanted(w->plan, x->user)) status = w->take(w->arg, x->user, x->item, (uint32_t)i, error);
    }
    return status;
}

/* The rows of one line's pair; *user is DQ_ABSENT where it is to be passed over. */
static dq_status find_listed(walk *w, const char *line, size_t bytes, uint64_t number, uint32_t *user,
                             uint32_t *item, dq_error *error)
{
    dq_pair_plan *plan = w->plan;
    const char *tab = memchr(line, '\t', bytes);
    if (!tab) return dq_fail(error, DQ_ERR_FORMAT, "not USER, a tab, ITEM");
    const char *id = tab + 1, *end = memchr(id, '\t', bytes - (size_t)(id - line));
    size_t id_bytes = (size_t)((end ? end : line + bytes) - id), user_bytes = (size_t)(tab - line);
    *user = dq_entities_find(&w->catalogue->users, line, user_bytes);
    *item = dq_entities_find(&w->catalogue->items, id, id_bytes);
    if (*user != DQ_ABSENT && *item != DQ_ABSENT) return DQ_OK;
    bool nobody = *user == DQ_ABSENT;
    *user = DQ_ABSENT;
    dq_error why = DQ_ERROR_NONE;
    dq_fail(&why, DQ_ERR_UNKNOWN, "%s %.*s is not in the catalogue", nobody ? "user" : "item",
            (int)(nobody ? user_bytes : id_bytes), nobody ? line : id);
    if (plan->skipped++ == 0) plan->first = why;
    (void)dq_error_at(&plan->first, plan->list, number);
    if (!plan->strict) return DQ_OK;
    return dq_fail(error, why.status, "%s", why.reason);
}

/* A list of which nothing is in the catalogue is the list of another. */
static dq_status check_used(const dq_pair_plan *plan, uint64_t used, dq_error *error)
{
    if (used || !plan->skipped) return DQ_OK;
    dq_fail(error, DQ_ERR_UNKNOWN, "none of the pairs (%llu) can be used; the first: %s",
            (unsigned long long)plan->skipped, plan->first.reason);
    return dq_error_at(error, plan->list, plan->first.record);
}

static dq_status walk_list(walk *w, dq_error *error)
{
    const dq_pair_plan *plan = w->plan;
    const char *line;
    size_t bytes;
    uint64_t used = 0;
    dq_status status = DQ_OK;
    for (uint64_t number = 1; !status; number++) {
        uint32_t user = DQ_ABSENT, item = DQ_ABSENT;
        status = plan->line(plan->line_arg, &line, &bytes, error);
        if (status || !line) break;
        if (bytes == 0) continue;
        status = find_listed(w, line, bytes, number, &user, &item, error);
        used += !status && user != DQ_ABSENT;
        if (status)
            (void)dq_error_at(error, plan->list, number);
        else if (user != DQ_ABSENT && is_wanted(plan, user))
            status = w->take(w->arg, user, item, DQ_ABSENT, error);
    }
    return status ? status : check_used(plan, used, error);
}

uint64_t dq_pairs_count(const dq_pair_plan *plan, const dq_catalogue *catalogue)
{
    uint64_t items = dq_entities_count(&catalogue->items), users = dq_entities_count(&catalogue->users);
    uint64_t wanted = 0;
    if (plan->from == DQ_PAIRS_LISTED) return 0;
    if (plan->from == DQ_PAIRS_STREAM) return plan->only ? 0 : catalogue->interaction_count;
    if (plan->from != DQ_PAIRS_ALL && plan->n < items) items = plan->n;
    for (uint64_t u = 0; u < users; u++) wanted += is_wanted(plan, u);
    return wanted * items;
}

dq_status dq_pairs_each(dq_pair_plan *plan, const dq_labeller *labeller, dq_pair_taker *take, void *arg,
                        dq_error *error)
{
    walk w = {.plan = plan, .labeller = labeller, .catalogue = labeller->catalogue, .take = take, .arg = arg};
    switch (plan->from) {
    case DQ_PAIRS_STREAM: return walk_interactions(&w, error);
    case DQ_PAIRS_LISTED: return walk_list(&w, error);
    case DQ_PAIRS_ALL:
    case DQ_PAIRS_RANDOM:
    case DQ_PAIRS_TOP: break;
    }
    return walk_users(&w, error);
}
