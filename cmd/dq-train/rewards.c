/* SPDX-License-Identifier: MIT
 *
 * Where the rewards of online training come from, for one user: cosines, logged labels, a labeller that is
 * asked (label/remote.h), and with --cosine-weight a mixture of two parts that changes by the episode.
 */
#include "train.h"

#include "label/remote.h"
#include "reward/label.h"
#include "reward/logged.h"

#include <math.h>
#include <stdlib.h>

struct train_rewards {
    train *t;
    float *reward, *cosine, *llm; /* (items) each; NAN: none. The parts only with a weight */
    double weight;                /* the cosine's, in this episode */
    dq_remote *labeller;          /* NULL: everything is known */
    uint32_t *ahead;              /* (candidates) */
    float *ahead_value;
};

static dq_status find_cosines(const train *t, uint32_t user, float *rewards, dq_error *error)
{
    dq_labeller labeller = {.strategy = DQ_STRATEGY_COSINE, .raw_cosine = t->o->raw_cosine, .threads = 1};
    dq_status status = dq_labeller_ready(&labeller, &t->dataset.catalogue, error);
    if (!status) status = dq_labeller_fields(&labeller, t->o->pairs.at, t->o->pairs.count, error);
    size_t items = dq_entities_count(&t->dataset.catalogue.items);
    if (!status) dq_labeller_cosine_rewards(&labeller, user, rewards, items);
    dq_labeller_free(&labeller);
    return status;
}

dq_status train_no_parts(dq_error *error)
{
    return dq_fail(error, DQ_ERR_RANGE,
                   "--cosine-weight needs transitions with both parts, cosine and llm, beside each reward "
                   "(dq-reward --strategy hybrid), or --reward-cmd");
}

static dq_status start_labeller(train_rewards *r, uint32_t user, dq_error *error)
{
    train *t = r->t;
    dq_remote_config config = {.command = t->o->reward_cmd,
                               .maker = &t->maker,
                               .catalogue = &t->dataset.catalogue,
                               .user = user,
                               .stop_asked = t->o->checkpoint ? dq_stop_asked : NULL};
    return dq_remote_new(&r->labeller, &config, error);
}

static dq_status find(train_rewards *r, uint32_t user, dq_error *error)
{
    train *t = r->t;
    bool logged = t->o->reward == REWARD_LOGGED || (t->o->reward == REWARD_AUTO && t->dataset.count > 0);
    size_t items = dq_entities_count(&t->dataset.catalogue.items);
    for (size_t i = 0; i < items; i++) r->reward[i] = r->cosine[i] = r->llm[i] = NAN;
    if (t->o->reward_cmd) {
        dq_status status = start_labeller(r, user, error);
        return status || !t->weighted ? status : find_cosines(t, user, r->cosine, error);
    }
    if (t->weighted) {
        bool parts = logged && dq_logged_parts(&t->dataset, user, r->reward, r->cosine, r->llm);
        return parts ? DQ_OK : train_no_parts(error);
    }
    if (!logged) return find_cosines(t, user, r->reward, error);
    dq_logged_rewards(&t->dataset, &t->map, user, r->reward);
    return DQ_OK;
}

dq_status train_rewards_new(train_rewards **rewards, train *t, uint32_t user, dq_error *error)
{
    size_t items = dq_entities_count(&t->dataset.catalogue.items);
    train_rewards *r = *rewards = calloc(1, sizeof *r);
    if (!r) return dq_fail(error, DQ_ERR_MEMORY, "no memory for rewards");
    r->t = t;
    r->reward = calloc(items, sizeof *r->reward);
    r->cosine = calloc(items, sizeof *r->cosine);
    r->llm = calloc(items, sizeof *r->llm);
    r->ahead = calloc(items, sizeof *r->ahead);
    r->ahead_value = calloc(items, sizeof *r->ahead_value);
    if (!r->reward || !r->cosine || !r->llm || !r->ahead || !r->ahead_value)
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for rewards");
    return find(r, user, error);
}

dq_status train_rewards_end(train_rewards *r, dq_status status, dq_error *error)
{
    if (!r) return status;
    uint64_t asked = r->labeller ? dq_remote_asked(r->labeller) : 0;
    status = dq_remote_end(r->labeller, status, error);
    if (asked)
        dq_cli_say(r->t->cli, &r->t->o->common, "%llu pairs asked of %s", (unsigned long long)asked,
                   r->t->o->reward_cmd);
    free(r->reward);
    free(r->cosine);
    free(r->llm);
    free(r->ahead);
    free(r->ahead_value);
    free(r);
    return status;
}

void train_rewards_episode(train_rewards *r, uint64_t episode)
{
    r->weight = dq_reward_weight_at(&r->t->weight, episode);
}

double train_rewards_weight(const train_rewards *r)
{
    return r->t->weighted ? r->weight : (double)NAN;
}

/* ---- asking ---- */

/* The candidates that nobody has asked yet, the most likely to be chosen first: by Q, equal ones as they are
 * offered. Insertion keeps the best --ask-ahead. */
static size_t choose_ahead(train_rewards *r, dq_dynaq *agent, const dq_env *env, uint32_t chosen)
{
    dq_vectors users = dq_dynaq_users(agent), items = dq_dynaq_items(agent);
    size_t most = (size_t)r->t->o->ask_ahead, n = 0;
    for (uint32_t c = 0; most && c < env->offered_count; c++) {
        uint32_t item = env->offered[c];
        float value;
        if (item == chosen || !dq_remote_unasked(r->labeller, item)) continue;
        dq_net_score(dq_dynaq_q(agent), users.at[env->number], items.at[item], items.width, 1, &value);
        size_t at = n < most ? n++ : most;
        for (; at > 0 && r->ahead_value[at - 1] < value; at--) {
            if (at == most) continue;
            r->ahead[at] = r->ahead[at - 1];
            r->ahead_value[at] = r->ahead_value[at - 1];
        }
        if (at == most) continue;
        r->ahead[at] = item;
        r->ahead_value[at] = value;
    }
    return n;
}

dq_status train_rewards_need(train_rewards *r, dq_dynaq *agent, const dq_env *env, uint32_t choice,
                             dq_error *error)
{
    uint32_t item = env->offered[choice];
    if (!r->labeller || (r->t->weighted && r->weight == 1)) return DQ_OK; /* the cosine is known */
    size_t n = dq_remote_unasked(r->labeller, item) ? choose_ahead(r, agent, env, item) : 0;
    return dq_remote_need(r->labeller, item, r->ahead, n, error);
}

/* The labeller said so itself (75), or it had answered something in this run. One that fails at the first
 * question would fail for ever. */
bool train_rewards_resumable(const train_rewards *r)
{
    return r->labeller && (dq_remote_answered(r->labeller) || dq_remote_exit(r->labeller) == DQ_EXIT_STOPPED);
}

const dq_value *train_rewards_labeller(const train_rewards *r)
{
    return r->labeller ? dq_remote_maker(r->labeller) : NULL;
}

dq_status train_reward_of(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    const train_rewards *r = arg;
    (void)user;
    (void)error;
    float value = r->labeller ? dq_remote_reward(r->labeller, item) : r->reward[item];
    if (r->t->weighted) {
        float llm = r->labeller ? dq_remote_llm(r->labeller, item) : r->llm[item];
        value = dq_reward_weigh(r->weight, r->cosine[item], llm);
    }
    *reward = isnan(value) ? r->t->ignore : value;
    return DQ_OK;
}

/* ---- checkpoint ---- */

dq_status train_rewards_save(const train_rewards *r, dq_bundle *model, dq_error *error)
{
    return r->labeller ? dq_remote_save(r->labeller, model, error) : DQ_OK;
}

dq_status train_rewards_restore(train_rewards *r, const dq_bundle *model, dq_error *error)
{
    return r->labeller ? dq_remote_restore(r->labeller, model, error) : DQ_OK;
}
