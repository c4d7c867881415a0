/* SPDX-License-Identifier: MIT
 *
 * System B: a user meets one item a step and engages with it or not. The state (data/session_state.h) is
 *
 *     [ user | mean of the last `history` engaged items | t / T, engaged / 10 ]          full=0
 *     [ user | the last `history` engaged items, the latest first | t / T, engaged / 10 ]  full=1
 *
 * 20 + 20 + 2 = 42 numbers wide, or 50 + 50 + 2 = 102 with generated=1, whose users, items and past
 * interactions are those of dq-sim's generator (env/synthetic.h). The small ones are normal vectors whose
 * products have the standard deviation `spread`.
 *
 *     liking      z = mix u . i + (1 - mix) cos(u, i);  raised: what the past of user and item adds
 *     engagement  Bernoulli(p)
 *         base=0      p = clip(min(1, sigmoid(z) + raised) + N(0, noise)), as the published code has it
 *         base=1      p = min(1, sigmoid(z + N(0, noise)) + raised), as the published formula has it
 *     reward      base=0: +1 for engaging, else -0.1;  base=1: p itself
 *         -repeat for one of the last 3 again: of the shown (shown=1), or of the engaged (shown=0)
 *         -similarity x the sum of its cosines with the last 3 engaged items
 *         +bonus / sqrt(times offered before + 1)
 *
 * With clock=1 or since=1 the state shows a simulated clock, too: a session begins at any second of the
 * generator's two years, and an item comes a minute after the one before, on average (exponentially).
 * Nobody's liking depends on it.
 *
 * The published text prices a "repetitive recommendation", the published code an item among the last three
 * engaged: the first is the default. The session ends after T steps: that is an end, since the state shows
 * the time.
 */
#include "env/env_impl.h"
#include "env/synthetic.h"

#include <math.h>
#include <string.h>

enum { SMALL_WIDTH = 20, RECENT = 3, PAUSE = 60, SECONDS = DQ_SYNTHETIC_DAYS * 86400 };
enum { USER_STREAM = 1, ITEM_STREAM, CLOCK_STREAM };
enum {
    USERS,
    ITEMS,
    STEPS,
    GENERATED,
    WORLD,
    SPREAD,
    NOISE,
    MIX,
    SIMILARITY,
    BONUS,
    BASE,
    REPEAT,
    SHOWN,
    HISTORY,
    FULL,
    RECENCY,
    CLOCK,
    SINCE,
    FIRST,
    SERVED
};
enum { CLICKS, REPEATS };

static const dq_env_option options[] = {
    {"users", "users", 1000, 1, 1e6, true},
    {"items", "items: the actions", 500, 1, 1e6, true},
    {"steps", "steps of a session", 10, 1, 1e6, true},
    {"generated", "1: users, items and their past from the generator", 0, 0, 1, true},
    {"world", "seed of users and items", 42, 0, 9e15, true},
    {"spread", "standard deviation of u . i (generated=0)", 4.47213595499958, 0, 100, false}, /* sqrt(20) */
    {"noise", "standard deviation of the noise on the probability", 0.1, 0, 10, false},
    {"mix", "share of u . i in the liking; the rest is the cosine", 1, 0, 1, false},
    {"similarity", "price of an item like the last 3", 0, 0, 100, false},
    {"bonus", "bonus of items seldom offered", 0, 0, 100, false},
    {"base", "0: the reward is 1 or -0.1 by engaging; 1: it is sigmoid(liking + noise)", 0, 0, 1, true},
    {"repeat", "price of one of the last 3 again", 0.2, 0, 100, false},
    {"shown", "the last 3 are those 1: shown, 0: engaged", 1, 0, 1, true},
    {"history", "engaged items in the state", 3, 1, 100, true},
    {"full", "1: the items of the history themselves, 0: their mean", 0, 0, 1, true},
    {"recency", "weight of an engaged item in the state, of the one after it", 1, 1e-6, 1, false},
    {"clock", "1: hour and day of the week in the state", 0, 0, 1, true},
    {"since", "1: the time since the last item in the state", 0, 0, 1, true},
    {"first", "the first user that is served", 0, 0, 1e6, true},
    {"served", "users that are served, from the first; 0: all", 0, 0, 1e6, true},
    {0},
};

/* The past of the users with the items: who raised what by how much, by user. */
typedef struct past_events {
    size_t *from; /* (users + 1) a user's first event */
    uint32_t *item;
    float *raise;
} past_events;

/* What stays. */
typedef struct session {
    uint32_t users, items, width, steps, first, served;
    dq_session_layout layout;
    uint32_t kept;       /* engaged items remembered: those shown, at least the last 3 */
    bool formula, shown; /* base=1, shown=1 */
    double noise, mix, similarity, bonus, repeat;
    float *user, *item;               /* (users, width), (items, width) */
    float *user_length, *item_length; /* (users), (items) */
    past_events past;                 /* empty with generated=0 */
    const float **at;                 /* (items) the vectors of `item` */
} session;

/* What changes; behind it the engaged items (kept), the latest first, and how often each was offered. */
typedef struct memory {
    uint32_t user, step, engaged;
    uint32_t shown[RECENT]; /* the latest first */
    double now, before;     /* seconds since 1970: of this moment, of the last item (NAN: none) */
    dq_rng clock;           /* the clock's own, so that the episode is the same with it and without */
} memory;

static uint32_t *engaged_items(void *memory_block)
{
    return (uint32_t *)((memory *)memory_block + 1);
}

static uint32_t *offered(const session *s, void *memory_block)
{
    return engaged_items(memory_block) + s->kept;
}

/* ---- the world ---- */

static void lengths(float *to, const float *rows, uint32_t n, uint32_t width)
{
    for (uint32_t r = 0; r < n; r++) {
        double sum = 0;
        for (uint32_t k = 0; k < width; k++) sum += (double)rows[r * width + k] * (double)rows[r * width + k];
        to[r] = (float)sqrt(sum);
    }
}

static void draw_small(session *s, uint64_t world, double spread)
{
    dq_rng users = dq_rng_stream(world, USER_STREAM), items = dq_rng_stream(world, ITEM_STREAM);
    dq_env_normals(s->user, (size_t)s->users * s->width, 1, &users);
    dq_env_normals(s->item, (size_t)s->items * s->width, spread / sqrt(s->width), &items);
}

static dq_status take_past(dq_env *env, past_events *past, const dq_synthetic *p, dq_error *error)
{
    size_t n = p->event_count, at = 0;
    const dq_buffer buffers[] = {DQ_BUFFER(past->from, (size_t)p->config.users + 1), DQ_BUFFER(past->item, n),
                                 DQ_BUFFER(past->raise, n)};
    if (!dq_buffers_take(&env->arena, buffers, DQ_BUFFERS(buffers)))
        return dq_fail_memory(error, "the past of %u users", p->config.users);
    for (uint32_t u = 0; u < p->config.users; u++) {
        past->from[u] = at;
        for (; at < n && p->events[at].user == u; at++) {
            past->item[at] = p->events[at].item;
            past->raise[at] = (float)dq_synthetic_boost(p->events[at].type);
        }
    }
    past->from[p->config.users] = at;
    return DQ_OK;
}

static dq_status take_generated(dq_env *env, session *s, uint64_t world, dq_error *error)
{
    dq_synthetic_config config = {.users = s->users, .items = s->items, .seed = world};
    dq_synthetic *p;
    dq_status status = dq_synthetic_new(&p, &config, error);
    if (status) return status;
    memcpy(s->user, p->user, (size_t)s->users * s->width * sizeof *s->user);
    memcpy(s->item, p->item, (size_t)s->items * s->width * sizeof *s->item);
    env->users = dq_synthetic_users(p);
    env->items = dq_synthetic_items(p);
    env->users.vectors = s->user;
    env->items.vectors = s->item;
    status = take_past(env, &s->past, p, error);
    dq_synthetic_free(p);
    return status;
}

static dq_status make_world(dq_env *env, session *s, const double *o, dq_error *error)
{
    s->width = o[GENERATED] != 0 ? DQ_SYNTHETIC_WIDTH : SMALL_WIDTH;
    const dq_buffer buffers[] = {
        DQ_BUFFER(s->user, (size_t)s->users * s->width), DQ_BUFFER(s->item, (size_t)s->items * s->width),
        DQ_BUFFER(s->user_length, s->users), DQ_BUFFER(s->item_length, s->items), DQ_BUFFER(s->at, s->items)};
    if (!dq_buffers_take(&env->arena, buffers, DQ_BUFFERS(buffers)))
        return dq_fail_memory(error, "%u users and %u items", s->users, s->items);
    dq_env_rows(s->at, s->item, s->items, s->width);
    dq_status status = DQ_OK;
    if (o[GENERATED] != 0)
        status = take_generated(env, s, (uint64_t)o[WORLD], error);
    else
        draw_small(s, (uint64_t)o[WORLD], o[SPREAD]);
    lengths(s->user_length, s->user, s->users, s->width);
    lengths(s->item_length, s->item, s->items, s->width);
    return status;
}

static dq_session_layout layout_of(const session *s, const double *o)
{
    return (dq_session_layout){.user_width = s->width,
                               .item_width = s->width,
                               .history = (uint32_t)o[HISTORY],
                               .mean = o[FULL] == 0,
                               .recency = o[RECENCY],
                               .steps = s->steps,
                               .count = true,
                               .clock = o[CLOCK] != 0,
                               .since = o[SINCE] != 0};
}

static dq_status init(dq_env *env, const double *o, dq_error *error)
{
    session *s = env->self = dq_arena_zero(&env->arena, 1, sizeof *s);
    if (!s) return dq_fail_memory(error, "a session");
    *s = (session){.users = (uint32_t)o[USERS],
                   .items = (uint32_t)o[ITEMS],
                   .steps = (uint32_t)o[STEPS],
                   .first = (uint32_t)o[FIRST],
                   .served = (uint32_t)o[SERVED],
                   .formula = o[BASE] != 0,
                   .shown = o[SHOWN] != 0,
                   .noise = o[NOISE],
                   .mix = o[MIX],
                   .similarity = o[SIMILARITY],
                   .bonus = o[BONUS],
                   .repeat = o[REPEAT]};
    dq_status status = dq_env_choose_served(env, s->users, s->first, &s->served, error);
    if (!status) status = make_world(env, s, o, error);
    if (status) return status;
    s->layout = layout_of(s, o);
    s->kept = s->layout.history > RECENT ? s->layout.history : RECENT;
    env->shape = dq_env_session_spec(&s->layout, s->items, s->at);
    env->shape.step_limit = s->steps;
    if (o[GENERATED] == 0) dq_env_describe(env, s->users, s->user, s->item);
    return dq_env_reserve(env, sizeof(memory) + (s->kept + (size_t)s->items) * sizeof(uint32_t), error);
}

/* ---- the state ---- */

static void show(dq_env *env)
{
    const session *s = env->self;
    const memory *m = env->memory;
    const dq_vectors items = {.at = s->at, .count = s->items, .width = s->width};
    const dq_session_place place = {.user = s->user + (size_t)m->user * s->width,
                                    .latest = engaged_items(env->memory),
                                    .step = 1,
                                    .entered = m->engaged,
                                    .met = m->step,
                                    .now = m->now,
                                    .before = m->before};
    dq_session_state(&s->layout, &items, &place, env->state);
}

static void begin_clock(memory *m, dq_rng copy)
{
    m->clock = dq_rng_stream(dq_rng_u64(&copy), CLOCK_STREAM);
    m->now = DQ_SYNTHETIC_BEGINNING + SECONDS * dq_rng_uniform(&m->clock);
    m->before = NAN;
}

static dq_status reset(dq_env *env, dq_error *error)
{
    const session *s = env->self;
    memory *m = env->memory;
    (void)error;
    m->user = s->first + (uint32_t)dq_rng_below(&env->rng, s->served);
    m->step = m->engaged = 0;
    memset(m->shown, 0, sizeof m->shown);
    begin_clock(m, env->rng);
    memset(engaged_items(m), 0, s->kept * sizeof(uint32_t));
    show(env);
    return DQ_OK;
}

/* The item was looked at; the next one comes when an exponential time has passed. */
static void pass_time(memory *m)
{
    m->before = m->now;
    m->now -= PAUSE * log(1 - dq_rng_uniform(&m->clock));
}

/* ---- a step ---- */

static double dot(const float *a, const float *b, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* 0 when a vector is zero. */
static double cosine(double product, double length, double other)
{
    return length * other > 0 ? product / (length * other) : 0;
}

/* z */
static double liking(const session *s, uint32_t user, uint32_t item)
{
    double product = dot(s->user + (size_t)user * s->width, s->item + (size_t)item * s->width, s->width);
    double like = s->mix < 1 ? cosine(product, (double)s->user_length[user], (double)s->item_length[item])
                             : 0;
    return s->mix * product + (1 - s->mix) * like;
}

static double raised(const past_events *past, uint32_t user, uint32_t item)
{
    float sum = 0;
    for (size_t e = past->from ? past->from[user] : 0; past->from && e < past->from[user + 1]; e++)
        if (past->item[e] == item) sum += past->raise[e];
    return (double)sum;
}

/* The probability of engaging, with this step's noise. */
static double chance(const session *s, uint32_t user, uint32_t item, double noise)
{
    double z = liking(s, user, item), more = raised(&s->past, user, item);
    if (s->formula) return fmin(1, dq_env_sigmoid(z + noise) + more);
    return fmax(0, fmin(1, fmin(1, dq_env_sigmoid(z) + more) + noise));
}

/* Whether the item is among the last 3 items shown, or engaged with. */
static bool repeats(const session *s, const memory *m, const uint32_t *engaged, uint32_t item)
{
    const uint32_t *last = s->shown ? m->shown : engaged;
    uint32_t n = s->shown ? m->step : m->engaged;
    bool again = false;
    for (uint32_t h = 0; h < n && h < RECENT; h++) again = again || last[h] == item;
    return again;
}

/* The sum of an item's cosines with the last 3 engaged items. */
static double likeness(const session *s, const memory *m, const uint32_t *engaged, uint32_t item)
{
    const float *a = s->item + (size_t)item * s->width;
    double sum = 0;
    for (uint32_t h = 0; h < m->engaged && h < RECENT; h++) {
        const float *b = s->item + (size_t)engaged[h] * s->width;
        sum += cosine(dot(a, b, s->width), (double)s->item_length[item], (double)s->item_length[engaged[h]]);
    }
    return sum;
}

static void remember(uint32_t *last, uint32_t kept, uint32_t item)
{
    memmove(last + 1, last, (kept - 1) * sizeof *last);
    last[0] = item;
}

static dq_status step(dq_env *env, uint32_t action, dq_step *step, dq_error *error)
{
    const session *s = env->self;
    memory *m = env->memory;
    uint32_t *engaged = engaged_items(m), *count = offered(s, m) + action;
    double p = chance(s, m->user, action, s->noise * dq_rng_normal(&env->rng));
    bool engages = dq_rng_uniform(&env->rng) < p, again = repeats(s, m, engaged, action);
    double reward = s->formula ? p : engages ? 1 : -0.1;
    (void)error;
    if (again) reward -= s->repeat;
    if (s->similarity > 0) reward -= s->similarity * likeness(s, m, engaged, action);
    step->reward = (float)(reward + s->bonus / sqrt((double)*count + 1));
    env->counters[CLICKS] += engages;
    env->counters[REPEATS] += again;
    if (*count < UINT32_MAX) ++*count;
    remember(m->shown, RECENT, action);
    if (engages) {
        remember(engaged, s->kept, action);
        m->engaged++;
    }
    pass_time(m);
    step->terminal = ++m->step >= s->steps; /* a checkpoint may say it was so before */
    show(env);
    return DQ_OK;
}

static bool sound(const dq_env *env)
{
    const session *s = env->self;
    const memory *m = env->memory;
    const uint32_t *recent = engaged_items(env->memory);
    bool ok = m->user < s->users && m->step <= s->steps && isfinite(m->now) && !isinf(m->before);
    for (uint32_t h = 0; h < s->kept; h++) ok = ok && recent[h] < s->items;
    for (uint32_t h = 0; h < RECENT; h++) ok = ok && m->shown[h] < s->items;
    return ok;
}

const dq_env_kind dq_env_session = {
    .name = "session",
    .help = "a user meets items, one a step, and engages or not",
    .source = "system B",
    .options = options,
    .counters = {"clicks", "repeats"},
    .init = init,
    .reset = reset,
    .step = step,
    .sound = sound,
};
