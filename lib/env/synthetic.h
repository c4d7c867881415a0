/* SPDX-License-Identifier: MIT
 *
 * Made-up users and items, and what they did with each other over two years. The generator of
 * system B. What is drawn for users and items decides what they do:
 *
 *     preference(u, i) = sigmoid(u . i), raised by each past interaction of the two
 *                        (view 0.05, click 0.1, purchase or rating 0.2), at most 1
 *
 * so that whoever learns from the interactions can be held against the truth. Vectors are 50 wide, in fields
 * that face each other; their product is the sum over the fields:
 *
 *     users                                             items
 *     preferences  10  10 (share - 0.1)                 category  10  one-hot
 *     seasons       4  N(0, 0.5)                        season     4  one-hot, zeros: all year
 *     market        6  price sensitivity, income,       offer      6  price twice, quality, popularity,
 *                      tastes for the rest, 1                         brand tier, -1
 *     profile      10  age, gender, location, activity  appeal    10  N(0, 0.3)
 *     segment       5  one-hot                          segments   5  N(0, 0.5)
 *     taste        15  N(0, 1)                          taste     15  N(0, 1/15)
 *
 *     segment: frugal, affluent, young, settled, typical: the first of these that fits
 */
#ifndef DQ_ENV_SYNTHETIC_H
#define DQ_ENV_SYNTHETIC_H

#include "core/rng.h"
#include "dq/arena.h"
#include "dq/status.h"
#include "env/entities.h"

enum { DQ_CATEGORIES = 10, DQ_SYNTHETIC_WIDTH = 50, DQ_SYNTHETIC_DAYS = 730 };
enum { DQ_SYNTHETIC_BEGINNING = 1672531200 }; /* of all times, in seconds since 1970: 2023-01-01T00:00:00Z */

enum { DQ_VIEW, DQ_CLICK, DQ_PURCHASE, DQ_RATING };

typedef struct dq_person {
    unsigned age;                     /* N(38, 14) within 16 .. 90 */
    unsigned gender;                  /* female 0.49, male 0.49, other 0.02 */
    unsigned location;                /* urban 0.55, suburban 0.3, rural 0.15 */
    unsigned activity;                /* low 0.5, medium 0.35, high 0.15: 5, 20, 50 interactions */
    unsigned segment;                 /* by the others */
    double income;                    /* log-normal, median 35000, sigma 0.5 */
    double price_sensitivity;         /* uniform in [0, 1) */
    double preference[DQ_CATEGORIES]; /* Dirichlet(1): they sum to 1 */
} dq_person;

typedef struct dq_product {
    unsigned category;   /* uniform */
    unsigned brand_tier; /* budget 0.5, middle 0.35, premium 0.15 */
    unsigned season;     /* spring, summer, autumn, winter 0.15 each, all-year 0.4 */
    double price;        /* log-normal, median 30, sigma 0.8 */
    double quality;      /* N(3.5, 0.8) within 1 .. 5 */
    double popularity;   /* rank^-0.7, ranks in random order; in (0, 1] */
} dq_product;

typedef struct dq_event {
    uint32_t user, item;
    uint32_t second; /* since the beginning; a user's events ascend */
    uint8_t type;    /* DQ_VIEW ...: the furthest that was reached */
    uint8_t rating;  /* 1 .. 5; 0: none */
} dq_event;

typedef struct dq_synthetic_config {
    uint32_t users, items;
    uint64_t interactions; /* in all; 0: each user's number is Poisson, by activity */
    uint64_t seed;
} dq_synthetic_config;

typedef struct dq_synthetic {
    dq_synthetic_config config;
    dq_person *persons;   /* (users) */
    dq_product *products; /* (items) */
    float *user, *item;   /* (users, 50), (items, 50) */
    dq_event *events;     /* (event_count), by user, then time */
    size_t event_count;
    dq_arena arena; /* of all these */
} dq_synthetic;

/* Words for the numbers above; NULL-ended. */
extern const char *const dq_genders[],
    *const dq_locations[], *const dq_activities[], *const dq_segments[], *const dq_brand_tiers[],
                                                                             *const dq_seasons[],
                                                                                 *const dq_categories[],
                                                                                     *const dq_event_types[];

/* DQ_ERR_RANGE without users or items. */
dq_status dq_synthetic_new(dq_synthetic **synthetic, const dq_synthetic_config *config, dq_error *error);
void dq_synthetic_free(dq_synthetic *synthetic);

/* Its users and items; the fields of both are of equal widths in equal order. */
dq_env_entities dq_synthetic_users(const dq_synthetic *synthetic);
dq_env_entities dq_synthetic_items(const dq_synthetic *synthetic);

/* sigmoid(u . i): nothing past counts. */
double dq_synthetic_affinity(const dq_synthetic *synthetic, uint32_t user, uint32_t item);
/* By how much an event raises the preference afterwards. */
double dq_synthetic_boost(unsigned event_type);

/* Poisson: how often something happens of which `mean` are expected (Knuth, in pieces of 16). */
uint64_t dq_poisson(double mean, dq_rng *rng);

#endif
