/* SPDX-License-Identifier: MIT */
#include "label/user_rewards.h"

#include "core/record.h"
#include "label/remote.h"
#include "reward/label.h"
#include "reward/logged.h"

#include <math.h>
#include <stdlib.h>

/* The status with which a labeller says that it stopped and can go on (docs/index.md: 75). */
enum { EXIT_STOPPED = 75 };

struct dq_user_rewards {
    dq_user_rewards_config config;
    uint32_t user; /* who is served, or DQ_ABSENT */
    uint32_t items;
    bool logged;                  /* rewards of labels, not cosines */
    float *reward, *cosine, *llm; /* (items) each; NAN: none. The parts only in a mixture */
    uint32_t *label;              /* (items) row of the catalogue's labels, or DQ_ABSENT */
    float ignore;                 /* of what nobody labelled */
    double weight;                /* the cosine's, in this episode */
    dq_remote *labeller;          /* NULL: everything is known */
    uint64_t asked;               /* by labellers that were parted with */
    uint8_t *used;                /* (items) answers that were put to use, */
    uint64_t answers;             /* so many */
    uint32_t *ahead;              /* (ask_ahead) */
    float *ahead_value;
};

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "no memory for rewards");
}

/* What shapes a cosine, where none is computed. */
static dq_status check_cosines(const dq_user_rewards *r, dq_error *error)
{
    const dq_user_rewards_config *k = &r->config;
    bool asked = k->command && !k->unlabelled;
    bool computed = asked ? k->weight != NULL : !k->weight && !r->logged && !k->command;
    if (computed || (!k->raw_cosine && k->field_count == 0)) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE,
                   "fields to compare and raw cosines are of rewards by cosine, and these are %s",
                   asked ? "asked for" : "logged");
}

dq_status dq_user_rewards_new(dq_user_rewards **rewards, const dq_user_rewards_config *config,
                              dq_error *error)
{
    const dq_catalogue *c = &config->dataset->catalogue;
    uint32_t items = (uint32_t)dq_entities_count(&c->items);
    size_t n = (size_t)items + 1, ahead = config->ask_ahead + 1;
    dq_user_rewards *r = *rewards = calloc(1, sizeof *r);
    if (!r) return no_memory(error);
    bool any = config->dataset->count > 0 || (config->interactions && c->interaction_count > 0);
    *r = (dq_user_rewards){.config = *config,
                           .user = DQ_ABSENT,
                           .items = items,
                           .logged = config->from == DQ_REWARDS_LOGGED ||
                                     (config->from == DQ_REWARDS_AUTO && any),
                           .reward = calloc(n, sizeof *r->reward),
                           .cosine = calloc(n, sizeof *r->cosine),
                           .llm = calloc(n, sizeof *r->llm),
                           .label = calloc(n, sizeof *r->label),
                           .used = calloc(n, sizeof *r->used),
                           .ignore = (float)dq_label_map_ignore(config->map),
                           .ahead = calloc(ahead, sizeof *r->ahead),
                           .ahead_value = calloc(ahead, sizeof *r->ahead_value)};
    if (r->reward && r->cosine && r->llm && r->label && r->used && r->ahead && r->ahead_value)
        return check_cosines(r, error);
    return no_memory(error);
}

static dq_status part(dq_user_rewards *r, dq_status status, dq_error *error)
{
    r->asked += r->labeller ? dq_remote_asked(r->labeller) : 0;
    status = dq_remote_end(r->labeller, status, error);
    r->labeller = NULL;
    return status;
}

dq_status dq_user_rewards_end(dq_user_rewards *r, dq_status status, dq_error *error)
{
    if (!r) return status;
    status = part(r, status, error);
    free(r->reward);
    free(r->cosine);
    free(r->llm);
    free(r->label);
    free(r->used);
    free(r->ahead);
    free(r->ahead_value);
    free(r);
    return status;
}

/* ---- a user ---- */

static dq_status find_cosines(const dq_user_rewards *r, uint32_t user, float *rewards, dq_error *error)
{
    const dq_user_rewards_config *k = &r->config;
    dq_labeller labeller = {.strategy = DQ_STRATEGY_COSINE, .raw_cosine = k->raw_cosine, .threads = 1};
    dq_status status = dq_labeller_ready(&labeller, &k->dataset->catalogue, error);
    if (!status) status = dq_labeller_fields(&labeller, k->fields, k->field_count, error);
    if (!status) dq_labeller_cosine_rewards(&labeller, user, rewards, r->items);
    dq_labeller_free(&labeller);
    return status;
}

static dq_status start_labeller(dq_user_rewards *r, uint32_t user, dq_error *error)
{
    const dq_user_rewards_config *k = &r->config;
    const dq_remote_config config = {.command = k->command,
                                     .maker = k->maker,
                                     .catalogue = &k->dataset->catalogue,
                                     .user = user,
                                     .stop_asked = k->stop_asked};
    return dq_remote_new(&r->labeller, &config, error);
}

static dq_status find(dq_user_rewards *r, uint32_t user, dq_error *error)
{
    const dq_user_rewards_config *k = &r->config;
    dq_status status = k->command ? start_labeller(r, user, error) : DQ_OK;
    if (status) return status;
    if (k->command && !k->unlabelled) return k->weight ? find_cosines(r, user, r->cosine, error) : DQ_OK;
    if (k->weight) {
        bool parts = r->logged && dq_logged_parts(k->dataset, user, r->reward, r->cosine, r->llm);
        if (parts) return DQ_OK;
        return dq_fail(error, DQ_ERR_RANGE,
                       "a mixture of rewards needs transitions with both parts, cosine and llm, beside each "
                       "reward (dq-reward --strategy hybrid), or --reward-cmd");
    }
    if (!r->logged && !k->command) return find_cosines(r, user, r->reward, error);
    dq_logged_rewards(k->dataset, k->map, user, r->reward, r->label);
    return DQ_OK;
}

dq_status dq_user_rewards_serve(dq_user_rewards *r, uint32_t user, dq_error *error)
{
    if (r->user == user) return DQ_OK;
    dq_status status = part(r, DQ_OK, error);
    r->user = DQ_ABSENT;
    for (uint32_t i = 0; i < r->items; i++) {
        r->reward[i] = r->cosine[i] = r->llm[i] = NAN;
        r->label[i] = DQ_ABSENT;
        r->used[i] = 0;
    }
    r->answers = 0;
    if (!status) status = find(r, user, error);
    if (!status) r->user = user;
    return status;
}

void dq_user_rewards_episode(dq_user_rewards *r, uint64_t episode)
{
    if (r->config.weight) r->weight = dq_reward_weight_at(r->config.weight, episode);
}

double dq_user_rewards_weight(const dq_user_rewards *r)
{
    return r->config.weight ? r->weight : (double)NAN;
}

/* ---- asking ---- */

/* The items that nobody has asked yet, those most wanted first, equal ones as they come: insertion keeps the
 * best ask_ahead. */
static size_t choose_ahead(dq_user_rewards *r, uint32_t asked, const uint32_t *items, const float *values,
                           uint32_t count)
{
    size_t max = r->config.ask_ahead, n = 0;
    for (uint32_t c = 0; c < count; c++) {
        if (items[c] == asked || !isnan(r->reward[items[c]]) || !dq_remote_unasked(r->labeller, items[c]))
            continue;
        size_t at = n < max ? n++ : max;
        for (; at > 0 && r->ahead_value[at - 1] < values[c]; at--) {
            if (at == max) continue;
            r->ahead[at] = r->ahead[at - 1];
            r->ahead_value[at] = r->ahead_value[at - 1];
        }
        if (at == max) continue;
        r->ahead[at] = items[c];
        r->ahead_value[at] = values[c];
    }
    return n;
}

static dq_status need(dq_user_rewards *r, uint32_t item, dq_error *error)
{
    const dq_user_rewards_config *k = &r->config;
    const uint32_t *items = NULL;
    const float *values = NULL;
    size_t n = 0;
    if (k->ask_ahead && dq_remote_unasked(r->labeller, item)) {
        uint32_t count = k->wanted(k->arg, &items, &values);
        n = choose_ahead(r, item, items, values, count);
    }
    return dq_remote_need(r->labeller, item, r->ahead, n, error);
}

/* Whether the labeller says what this item is worth. */
static bool is_asked(const dq_user_rewards *r, uint32_t item)
{
    return r->labeller && !(r->config.weight && r->weight == 1) && /* the cosine is known */
           isnan(r->reward[item]);
}

dq_status dq_user_rewards_of(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    dq_user_rewards *r = arg;
    bool asked = is_asked(r, item);
    (void)user; /* dq_user_rewards_serve was told */
    dq_status status = asked ? need(r, item, error) : DQ_OK;
    if (status) return status;
    float value = asked ? dq_remote_reward(r->labeller, item) : r->reward[item];
    if (r->config.weight) {
        float llm = asked ? dq_remote_llm(r->labeller, item) : r->llm[item];
        value = dq_reward_weigh(r->weight, r->cosine[item], llm);
    }
    *reward = isnan(value) ? r->ignore : value;
    return DQ_OK;
}

const char *dq_user_rewards_label(const dq_user_rewards *r, uint32_t item, size_t *bytes)
{
    static const char ignore[] = "IGNORE";
    bool asked = is_asked(r, item);
    const char *label = NULL;
    if (r->label[item] != DQ_ABSENT)
        label = dq_index_id(&r->config.dataset->catalogue.labels, r->label[item], bytes);
    else if (asked)
        label = dq_remote_label(r->labeller, item, bytes);
    if (label || !isnan(asked ? dq_remote_reward(r->labeller, item) : r->reward[item])) return label;
    *bytes = sizeof ignore - 1;
    return ignore;
}

bool dq_user_rewards_labelled(const dq_user_rewards *r)
{
    return r->logged || r->config.command;
}

void dq_user_rewards_use(dq_user_rewards *r, uint32_t item)
{
    r->answers += !r->used[item];
    r->used[item] = 1;
}

uint64_t dq_user_rewards_answers(const dq_user_rewards *r)
{
    return r->answers;
}

/* ---- the labeller ---- */

uint64_t dq_user_rewards_asked(const dq_user_rewards *r)
{
    return r->asked + (r->labeller ? dq_remote_asked(r->labeller) : 0);
}

bool dq_user_rewards_resumable(const dq_user_rewards *r)
{
    return r->labeller && (dq_remote_answered(r->labeller) || dq_remote_exit(r->labeller) == EXIT_STOPPED);
}

const dq_value *dq_user_rewards_labeller(const dq_user_rewards *r)
{
    return r->labeller ? dq_remote_maker(r->labeller) : NULL;
}

static dq_status save_used(const dq_user_rewards *r, dq_bundle *model, dq_error *error)
{
    const uint64_t n = r->items;
    return dq_bundle_add_tensor(model, "answers.used", DQ_U1, 1, &n, r->used, error);
}

dq_status dq_user_rewards_save(const dq_user_rewards *r, dq_bundle *model, dq_error *error)
{
    const dq_value *maker = dq_user_rewards_labeller(r);
    dq_status status = save_used(r, model, error);
    if (status || !r->labeller) return status;
    if (maker && !dq_map_set(&model->arena, &model->meta, "labeller", *maker))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    return dq_remote_save(r->labeller, model, error);
}

dq_status dq_user_rewards_restore(dq_user_rewards *r, const dq_bundle *model, dq_error *error)
{
    dq_status status = dq_record_column(model, "answers.used", DQ_U1, r->items, r->used, error);
    if (status) return status;
    r->answers = 0;
    for (uint32_t i = 0; i < r->items; i++) r->answers += r->used[i] != 0;
    return r->labeller ? dq_remote_restore(r->labeller, model, error) : DQ_OK;
}
