/* SPDX-License-Identifier: MIT
 *
 * A user's events are drawn in the order of their times, since each raises the preference that the next one
 * sees. A visit: items are looked at by their popularity until one is taken, with the probability of the
 * preference (after 64 the last one looked at is taken, so that a visit always ends). How far it goes is
 * decided by the preference again: view, click with p, purchase with p / 2, and half of the buyers rate.
 */
#include "env/synthetic.h"

#include "env/env_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { USERS_STREAM = 1, ITEMS_STREAM, COUNTS_STREAM, EVENTS_STREAM = 1 << 20 };
enum { TRIES = 64, SECONDS = DQ_SYNTHETIC_DAYS * 86400 };

const char *const dq_genders[] = {"female", "male", "other", NULL};
const char *const dq_locations[] = {"urban", "suburban", "rural", NULL};
const char *const dq_activities[] = {"low", "medium", "high", NULL};
const char *const dq_segments[] = {"frugal", "affluent", "young", "settled", "typical", NULL};
const char *const dq_brand_tiers[] = {"budget", "middle", "premium", NULL};
const char *const dq_seasons[] = {"spring", "summer", "autumn", "winter", "all-year", NULL};
const char *const dq_categories[] = {"books",  "music", "games",  "clothing", "sports", "home",
                                     "garden", "food",  "travel", "computer", NULL};
const char *const dq_event_types[] = {"VIEW", "CLICK", "PURCHASE", "RATING", NULL};

static const double activity_rates[] = {5, 20, 50};

/* ---- fields ---- */

enum { PREFERENCES = 0, SEASONS = 10, MARKET = 14, PROFILE = 20, SEGMENT = 30, TASTE = 35, TASTES = 15 };

enum { FIELDS = 6 };

static const dq_field user_fields[FIELDS] = {
    {"preferences", PREFERENCES, 10, 0}, {"seasons", SEASONS, 4, 0}, {"market", MARKET, 6, 0},
    {"profile", PROFILE, 10, 0},         {"segment", SEGMENT, 5, 0}, {"taste", TASTE, TASTES, 0}};
static const dq_field item_fields[FIELDS] = {{"category", PREFERENCES, 10, 0}, {"season", SEASONS, 4, 0},
                                             {"offer", MARKET, 6, 0},          {"appeal", PROFILE, 10, 0},
                                             {"segments", SEGMENT, 5, 0},      {"taste", TASTE, TASTES, 0}};

/* ---- drawing ---- */

uint64_t dq_poisson(double mean, dq_rng *rng)
{
    uint64_t n = 0;
    while (mean > 0) { /* a sum of Poisson numbers is one: pieces whose exp(-mean) is far from 0 */
        double piece = mean < 16 ? mean : 16, limit = exp(-piece), product = 1;
        while ((product *= dq_rng_uniform(rng)) > limit) n++;
        mean -= piece;
    }
    return n;
}

static double within(double x, double min, double max)
{
    return x < min ? min : x > max ? max : x;
}

/* Index i with probability[i]; the last takes what is left. */
static unsigned draw(const double *probability, unsigned n, dq_rng *rng)
{
    double u = dq_rng_uniform(rng);
    unsigned i = 0;
    while (i + 1 < n && u >= probability[i]) u -= probability[i++];
    return i;
}

/* ---- users ---- */

static unsigned segment_of(const dq_person *p)
{
    if (p->price_sensitivity > 0.75) return 0;
    if (p->income > 55000) return 1;
    if (p->age < 30) return 2;
    return p->age >= 50 ? 3 : 4;
}

static void draw_person(dq_person *p, dq_rng *rng)
{
    static const double genders[] = {0.49, 0.49}, locations[] = {0.55, 0.3}, activities[] = {0.5, 0.35};
    double sum = 0;
    p->age = (unsigned)lround(within(38 + 14 * dq_rng_normal(rng), 16, 90));
    p->gender = draw(genders, 3, rng);
    p->location = draw(locations, 3, rng);
    p->activity = draw(activities, 3, rng);
    p->income = 35000 * exp(0.5 * dq_rng_normal(rng));
    p->price_sensitivity = dq_rng_uniform(rng);
    for (int c = 0; c < DQ_CATEGORIES; c++) sum += p->preference[c] = -log(1 - dq_rng_uniform(rng));
    for (int c = 0; c < DQ_CATEGORIES; c++) p->preference[c] /= sum;
    p->segment = segment_of(p);
}

static void describe_person(float *v, const dq_person *p, dq_rng *rng)
{
    for (int c = 0; c < DQ_CATEGORIES; c++) v[PREFERENCES + c] = (float)(10 * (p->preference[c] - 0.1));
    dq_env_normals(v + SEASONS, 4, 0.5, rng);
    v[MARKET] = (float)(1 - 2 * p->price_sensitivity);
    v[MARKET + 1] = (float)log(p->income / 35000);
    dq_env_normals(v + MARKET + 2, 3, 0.5, rng);
    v[MARKET + 5] = 1;
    v[PROFILE] = (float)((p->age - 38.0) / 14);
    v[PROFILE + 1 + p->gender] = 1;
    v[PROFILE + 4 + p->location] = 1;
    v[PROFILE + 7 + p->activity] = 1;
    v[SEGMENT + p->segment] = 1;
    dq_env_normals(v + TASTE, TASTES, 1, rng);
}

/* ---- items ---- */

static void draw_product(dq_product *p, uint32_t rank, dq_rng *rng)
{
    static const double tiers[] = {0.5, 0.35}, seasons[] = {0.15, 0.15, 0.15, 0.15};
    p->category = (unsigned)dq_rng_below(rng, DQ_CATEGORIES);
    p->brand_tier = draw(tiers, 3, rng);
    p->season = draw(seasons, 5, rng);
    p->price = 30 * exp(0.8 * dq_rng_normal(rng));
    p->quality = within(3.5 + 0.8 * dq_rng_normal(rng), 1, 5);
    p->popularity = pow(rank + 1.0, -0.7);
}

static void describe_product(float *v, const dq_product *p, dq_rng *rng)
{
    double price = log(p->price / 30) / 0.8;
    v[PREFERENCES + p->category] = 1;
    if (p->season < 4) v[SEASONS + p->season] = 1;
    v[MARKET] = v[MARKET + 1] = (float)(price / 2);
    v[MARKET + 2] = (float)((p->quality - 3.5) / 0.8);
    v[MARKET + 3] = (float)p->popularity;
    v[MARKET + 4] = (float)p->brand_tier - 0.65F;
    v[MARKET + 5] = -1;
    dq_env_normals(v + PROFILE, 10, 0.3, rng);
    dq_env_normals(v + SEGMENT, 5, 0.5, rng);
    dq_env_normals(v + TASTE, TASTES, 1 / sqrt(TASTES), rng);
}

static dq_status make_entities(dq_synthetic *p, dq_error *error)
{
    uint32_t users = p->config.users, items = p->config.items, *rank = calloc(items, sizeof *rank);
    const dq_buffer buffers[] = {DQ_BUFFER(p->persons, users), DQ_BUFFER(p->products, items),
                                 DQ_BUFFER(p->user, (size_t)users * DQ_SYNTHETIC_WIDTH),
                                 DQ_BUFFER(p->item, (size_t)items * DQ_SYNTHETIC_WIDTH)};
    if (!rank || !dq_buffers_take(&p->arena, buffers, DQ_BUFFERS(buffers))) {
        free(rank);
        return dq_fail_memory(error, "%u users and %u items", users, items);
    }
    dq_rng rng = dq_rng_stream(p->config.seed, USERS_STREAM);
    for (uint32_t u = 0; u < users; u++) {
        draw_person(&p->persons[u], &rng);
        describe_person(p->user + (size_t)u * DQ_SYNTHETIC_WIDTH, &p->persons[u], &rng);
    }
    rng = dq_rng_stream(p->config.seed, ITEMS_STREAM);
    for (uint32_t i = 0; i < items; i++) rank[i] = i;
    dq_rng_shuffle(&rng, rank, items);
    for (uint32_t i = 0; i < items; i++) {
        draw_product(&p->products[i], rank[i], &rng);
        describe_product(p->item + (size_t)i * DQ_SYNTHETIC_WIDTH, &p->products[i], &rng);
    }
    free(rank);
    return DQ_OK;
}

/* ---- events ---- */

/* What a user's visits need: sums of popularity to draw items by, and what the past has raised. */
typedef struct visits {
    double *until; /* (items) popularity of the items up to here */
    float *raised; /* (items) of the present user */
    dq_rng rng;
} visits;

double dq_synthetic_affinity(const dq_synthetic *p, uint32_t user, uint32_t item)
{
    const float *u = p->user + (size_t)user * DQ_SYNTHETIC_WIDTH;
    const float *i = p->item + (size_t)item * DQ_SYNTHETIC_WIDTH;
    double sum = 0;
    for (int k = 0; k < DQ_SYNTHETIC_WIDTH; k++) sum += (double)u[k] * (double)i[k];
    return dq_env_sigmoid(sum);
}

double dq_synthetic_boost(unsigned type)
{
    static const double boosts[] = {0.05, 0.1, 0.2, 0.2};
    return boosts[type];
}

/* The first of n ascending sums that is above x; the last when none is. */
static uint32_t look_up(const double *until, uint32_t n, double x)
{
    uint32_t low = 0, high = n - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (until[middle] > x)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static double preference(const dq_synthetic *p, const visits *v, uint32_t user, uint32_t item)
{
    return fmin(1, dq_synthetic_affinity(p, user, item) + (double)v->raised[item]);
}

static void visit(const dq_synthetic *p, visits *v, dq_event *event)
{
    uint32_t items = p->config.items;
    double all = v->until[items - 1], liked = 0;
    for (int t = 0; t < TRIES; t++) {
        event->item = look_up(v->until, items, all * dq_rng_uniform(&v->rng));
        liked = preference(p, v, event->user, event->item);
        if (dq_rng_uniform(&v->rng) < liked) break;
    }
    event->type = DQ_VIEW;
    if (dq_rng_uniform(&v->rng) < liked) event->type = DQ_CLICK;
    if (event->type == DQ_CLICK && dq_rng_uniform(&v->rng) < liked / 2) event->type = DQ_PURCHASE;
    if (event->type == DQ_PURCHASE && dq_rng_uniform(&v->rng) < 0.5) event->type = DQ_RATING;
    if (event->type == DQ_RATING) {
        double quality = p->products[event->item].quality;
        double stars = 0.6 * quality + 2 * liked + 0.5 * dq_rng_normal(&v->rng);
        event->rating = (uint8_t)lround(within(stars, 1, 5));
    }
    v->raised[event->item] += (float)dq_synthetic_boost(event->type);
}

static int by_second(const void *a, const void *b)
{
    uint32_t x = ((const dq_event *)a)->second, y = ((const dq_event *)b)->second;
    return (x > y) - (x < y);
}

/* How many events each user has; false when memory is short. A given total is shared out as Poisson numbers
 * would be, given their sum: each event belongs to a user in proportion to his rate. */
static bool count_events(const dq_synthetic *p, uint64_t *counts, uint64_t *all)
{
    dq_rng rng = dq_rng_stream(p->config.seed, COUNTS_STREAM);
    uint32_t users = p->config.users;
    double *until = calloc(users, sizeof *until), sum = 0;
    if (!until) return false;
    *all = p->config.interactions;
    for (uint32_t u = 0; u < users; u++) until[u] = sum += activity_rates[p->persons[u].activity];
    for (uint64_t i = 0; i < *all; i++) counts[look_up(until, users, sum * dq_rng_uniform(&rng))]++;
    for (uint32_t u = 0; p->config.interactions == 0 && u < users; u++)
        *all += counts[u] = dq_poisson(activity_rates[p->persons[u].activity], &rng);
    free(until);
    return true;
}

static void live(dq_synthetic *p, visits *v, const uint64_t *counts)
{
    dq_event *at = p->events;
    for (uint32_t u = 0; u < p->config.users; u++) {
        v->rng = dq_rng_stream(p->config.seed, EVENTS_STREAM + (uint64_t)u);
        for (uint64_t i = 0; i < counts[u]; i++)
            at[i] = (dq_event){.user = u, .second = (uint32_t)dq_rng_below(&v->rng, SECONDS)};
        qsort(at, counts[u], sizeof *at, by_second);
        for (uint64_t i = 0; i < counts[u]; i++) visit(p, v, &at[i]);
        for (uint64_t i = 0; i < counts[u]; i++) v->raised[at[i].item] = 0;
        at += counts[u];
    }
}

static dq_status make_events(dq_synthetic *p, dq_error *error)
{
    uint32_t users = p->config.users, items = p->config.items;
    uint64_t *counts = calloc(users, sizeof *counts);
    visits v = {.until = calloc(items, sizeof(double)), .raised = calloc(items, sizeof(float))};
    bool ok = counts && v.until && v.raised;
    if (ok) {
        double sum = 0;
        for (uint32_t i = 0; i < items; i++) v.until[i] = sum += p->products[i].popularity;
        uint64_t all = 0;
        ok = count_events(p, counts, &all);
        p->event_count = (size_t)all;
        p->events = ok ? dq_arena_zero(&p->arena, p->event_count, sizeof *p->events) : NULL;
        ok = p->events != NULL;
    }
    if (ok) live(p, &v, counts);
    free(counts);
    free(v.until);
    free(v.raised);
    return ok ? DQ_OK : dq_fail_memory(error, "interactions");
}

dq_status dq_synthetic_new(dq_synthetic **synthetic, const dq_synthetic_config *config, dq_error *error)
{
    *synthetic = NULL;
    if (config->users == 0 || config->items == 0)
        return dq_fail(error, DQ_ERR_RANGE, "made-up users and items are at least one each");
    dq_synthetic *p = calloc(1, sizeof *p);
    if (!p) return dq_fail_memory(error, "made-up users and items");
    p->config = *config;
    dq_status status = make_entities(p, error);
    if (!status) status = make_events(p, error);
    if (status) {
        dq_synthetic_free(p);
        return status;
    }
    *synthetic = p;
    return DQ_OK;
}

void dq_synthetic_free(dq_synthetic *p)
{
    if (!p) return;
    dq_arena_free(&p->arena);
    free(p);
}

static dq_env_entities entities(char letter, uint32_t count, const float *vectors, const dq_field *fields)
{
    return (dq_env_entities){letter, count, DQ_SYNTHETIC_WIDTH, vectors, fields, FIELDS};
}

dq_env_entities dq_synthetic_users(const dq_synthetic *p)
{
    return entities('u', p->config.users, p->user, user_fields);
}

dq_env_entities dq_synthetic_items(const dq_synthetic *p)
{
    return entities('i', p->config.items, p->item, item_fields);
}
