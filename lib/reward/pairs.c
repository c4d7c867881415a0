/* SPDX-License-Identifier: MIT */
#include "reward/pairs.h"

#include "core/rng.h"
#include "core/topk.h"
#include "core/words/nearest.h"

#include <stdlib.h>
#include <string.h>

/* Users whose cosines are computed together, as far as the numbers have room. */
enum { AHEAD = DQ_COSINE_USERS, ROOM = 1 << 20 };

/* Enumerating: the plan, who takes, and memory for one user's items. */
typedef struct walk {
    dq_pair_plan *plan;
    const dq_labeller *labeller;
    const dq_catalogue *catalogue;
    dq_pair_taker *take;
    void *arg;
    uint32_t *chosen, *scratch; /* (items) */
    dq_topk *best;
    float *cosines;         /* (ahead, items), of the users that come next, where the nearest are wanted */
    uint32_t users[AHEAD];  /* these users */
    size_t ahead, at, most; /* how many; the next of them; room for so many */
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

/* Computes the cosines of `user` and of those that come after. */
static void look_ahead(walk *w, uint32_t user)
{
    size_t users = dq_entities_count(&w->catalogue->users);
    w->ahead = w->at = 0;
    for (size_t u = user; u < users && w->ahead < w->most; u++)
        if (is_wanted(w->plan, u)) w->users[w->ahead++] = (uint32_t)u;
    dq_labeller_cosines(w->labeller, w->users, w->ahead, w->cosines, dq_entities_count(&w->catalogue->items));
}

static dq_status choose_top(walk *w, uint32_t user, dq_error *error)
{
    size_t items = dq_entities_count(&w->catalogue->items);
    const dq_scored *kept;
    dq_status status = DQ_OK;
    dq_topk_clear(w->best);
    if (w->at == w->ahead) look_ahead(w, user);
    const float *cosines = w->cosines + w->at++ * items;
    for (size_t i = 0; !status && i < items; i++) {
        if (!dq_topk_would_take(w->best, cosines[i])) continue;
        size_t bytes;
        const char *id = dq_entities_id(&w->catalogue->items, (uint32_t)i, &bytes);
        status = dq_topk_push(w->best, cosines[i], id, bytes, i, error);
    }
    size_t n = dq_topk_sorted(w->best, &kept);
    for (size_t i = 0; !status && i < n; i++) w->chosen[i] = (uint32_t)kept[i].tag;
    return status;
}

/* All items, or in `chosen` those that the plan wants of a user. */
static dq_status choose(walk *w, uint32_t user, size_t n, dq_error *error)
{
    dq_status status = DQ_OK;
    if (w->plan->from == DQ_PAIRS_RANDOM) choose_random(w, user, n);
    if (w->plan->from == DQ_PAIRS_TOP) status = choose_top(w, user, error);
    qsort(w->chosen, n, sizeof *w->chosen, ascending);
    return status;
}

static dq_status walk_user(walk *w, uint32_t user, dq_error *error)
{
    size_t items = dq_entities_count(&w->catalogue->items), n = dq_pairs_per_user(w->plan, w->catalogue);
    dq_status status = n < items ? choose(w, user, n, error) : DQ_OK;
    return status || n == 0 ? status : w->take(w->arg, user, w->chosen, NULL, n, error);
}

/* Memory for what the plan does with a user. */
static dq_status make_room(walk *w, dq_error *error)
{
    size_t items = dq_entities_count(&w->catalogue->items);
    bool top = w->plan->from == DQ_PAIRS_TOP;
    w->most = items > ROOM / AHEAD ? ROOM / items + (items > ROOM) : AHEAD;
    w->chosen = malloc(items * sizeof *w->chosen + 1);
    w->scratch = malloc(items * sizeof *w->scratch + 1);
    w->cosines = malloc((top ? w->most : 0) * items * sizeof *w->cosines + 1);
    if (!w->chosen || !w->scratch || !w->cosines) return dq_fail_memory(error, "%zu items", items);
    for (size_t i = 0; i < items; i++) w->chosen[i] = (uint32_t)i;
    return top ? dq_topk_new(&w->best, (size_t)w->plan->n, error) : DQ_OK;
}

static dq_status walk_users(walk *w, dq_error *error)
{
    size_t users = dq_entities_count(&w->catalogue->users);
    dq_status status = make_room(w, error);
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
        uint32_t number = (uint32_t)i;
        if (is_wanted(w->plan, x->user)) status = w->take(w->arg, x->user, &x->item, &number, 1, error);
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
            status = w->take(w->arg, user, &item, NULL, 1, error);
    }
    return status ? status : check_used(plan, used, error);
}

size_t dq_pairs_per_user(const dq_pair_plan *plan, const dq_catalogue *catalogue)
{
    size_t items = dq_entities_count(&catalogue->items);
    if (plan->from == DQ_PAIRS_LISTED || plan->from == DQ_PAIRS_STREAM) return 0;
    return plan->from != DQ_PAIRS_ALL && plan->n < items ? (size_t)plan->n : items;
}

uint64_t dq_pairs_count(const dq_pair_plan *plan, const dq_catalogue *catalogue)
{
    uint64_t users = dq_entities_count(&catalogue->users), wanted = 0;
    if (plan->from == DQ_PAIRS_LISTED) return 0;
    if (plan->from == DQ_PAIRS_STREAM) return plan->only ? 0 : catalogue->interaction_count;
    for (uint64_t u = 0; u < users; u++) wanted += is_wanted(plan, u);
    return wanted * dq_pairs_per_user(plan, catalogue);
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
