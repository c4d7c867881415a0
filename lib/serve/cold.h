/* SPDX-License-Identifier: MIT
 *
 * Lists for users of whom nothing is known (--cold): by popularity, or by a bandit that learns from the
 * answers to its own lists as they become durable (learn/bandit/bandit.h). Nothing is known of the user, so
 * that x is of the item: 1 (a posterior for each item), or [1, vector] (one for all).
 *
 * Propensities. linucb and popularity decide: 1. thompson draws so many samples of its posterior for a
 * request, and of these one, uniformly, whose list is shown: given the samples, the propensity of a place is
 * the share of those which agree above it that have the same item there (rank/explore.h). That is exact for
 * what was done, and at least 1 / draws; a list that no sample has is never shown.
 *
 * What it has learnt is a function of the log, the items and what labels are worth alone: of the rows of
 * answers whose model is one of these names (what a list taught holds whoever made it), in the log's order.
 * It is saved with the position that it has come to, so that a restart, which takes up the log from there,
 * has the same posterior to the last bit. An item that the catalogue does not know is counted, and passed
 * over. Of several answers to a showing that counts which is worth most (serve/cold/answered.h); a showing
 * without one teaches nothing.
 */
#ifndef DQ_SERVE_COLD_H
#define DQ_SERVE_COLD_H

#include "data/catalogue.h"
#include "data/label_map.h"
#include "dq/stream.h"

typedef enum dq_serve_cold_by {
    DQ_SERVE_COLD_NONE,
    DQ_SERVE_COLD_POPULARITY,
    DQ_SERVE_COLD_LINUCB,
    DQ_SERVE_COLD_THOMPSON
} dq_serve_cold_by;
extern const char *const dq_serve_cold_names[]; /* "none", "popularity", "linucb", "thompson", NULL */

typedef struct dq_serve_cold_config {
    dq_serve_cold_by by;
    const dq_catalogue *catalogue; /* kept. Popularity counts its interactions that are worth more than 0, and
                                      learns nothing */
    const dq_label_map *map;       /* kept: what labels are worth */
    bool vectors;                  /* one posterior, by the items' vectors */
    double ridge, spread;
    uint32_t draws; /* samples of thompson a list */
    uint64_t seed;
    dq_maker maker;    /* of the file that it is saved in; kept, as what it points to */
    const char *state; /* that file; NULL: none, and all is learnt from the log anew */
} dq_serve_cold_config;

typedef struct dq_serve_cold dq_serve_cold;

/* Takes up the saved state, where there is one, and then what the log (NULL: none; no file: nothing yet) has
 * behind it. DQ_ERR_SCHEMA for a state that is of other items, vectors or rewards of labels, or no state,
 * DQ_ERR_RANGE for one that the log does not reach, or of another ridge; DQ_ERR_SCHEMA also for items without
 * the vectors that are asked for.
 */
dq_status dq_serve_cold_open(dq_serve_cold **cold, const dq_serve_cold_config *config, const char *log,
                             dq_error *error);
/* The column `model` of its lists, and what an answer calls the fallback: one of the names. */
const char *dq_serve_cold_name(const dq_serve_cold *cold);

/* Whether it ranks this catalogue's items: not one that has taken the place of its own. */
bool dq_serve_cold_ranks(const dq_serve_cold *cold, const dq_catalogue *catalogue);

typedef struct dq_serve_cold_place {
    uint32_t item; /* row of the catalogue's items */
    float score;   /* what ordered it: interactions, the upper bound, the value by the sample drawn */
    double propensity;
} dq_serve_cold_place;

/* The k best of the candidates (n rows of items, each once; NULL: all), best first, for a request, whose id
 * decides what is drawn: *count places, at most k. From any thread. */
dq_status dq_serve_cold_rank(dq_serve_cold *cold, const char *request, size_t request_bytes,
                             const uint32_t *candidates, size_t n, size_t k, dq_serve_cold_place *places,
                             size_t *count, dq_error *error);

/* A bundle of the log that became durable, and the position behind it: for dq_log_config.committed. */
void dq_serve_cold_learn(dq_serve_cold *cold, const dq_bundle *bundle, uint64_t position);

/* Saves it aside and renames, where something was learnt since then. From one thread at a time. */
dq_status dq_serve_cold_save(dq_serve_cold *cold, dq_error *error);
/* Showings learnt from, and answers of items or labels that are not there. */
void dq_serve_cold_counts(dq_serve_cold *cold, uint64_t *learnt, uint64_t *unknown);
void dq_serve_cold_free(dq_serve_cold *cold);

#endif
