/* SPDX-License-Identifier: MIT
 *
 * How alike two items are, by who met them:
 *
 *     cosine    |U_i & U_j| / sqrt(|U_i| |U_j|)          U_i: the users who met item i
 *     jaccard   |U_i & U_j| / |U_i | U_j|
 *     tfidf     the cosine where user u weighs ln(items / items that u met): who meets everything says little
 *     follows   of the times that somebody met item j and then another, or j again, the share in which i came
 *               next: a Markov chain of the first order. Not symmetric
 *
 * times n / (n + shrink), n = |U_i & U_j| (follows: the times that i came next), which takes away from pairs
 * that few have met. Except for follows an item is not its own neighbour.
 *
 * Sarwar, Karypis, Konstan and Riedl, "Item-based collaborative filtering recommendation algorithms" (WWW
 * 2001); Deshpande and Karypis, "Item-based top-N recommendation algorithms" (ACM TOIS 22, 2004), for items
 * that were met or not; Breese, Heckerman and Kadie, "Empirical analysis of predictive algorithms for
 * collaborative filtering" (UAI 1998), for the weight of a user, their inverse user frequency; Bell and
 * Koren, "Scalable collaborative filtering with jointly derived neighborhood interpolation weights" (ICDM
 * 2007), for the shrinkage.
 *
 * Nothing is stored but who met what, 8 bytes a pair (follows: 16 for each pair of items that followed one
 * another): one item's similarities are made when they are asked for. All of them cost the sum over users of
 * the square of what each met.
 */
#ifndef DQ_RANK_NEIGHBOURS_H
#define DQ_RANK_NEIGHBOURS_H

#include "rank/feedback.h"

typedef enum dq_likeness {
    DQ_LIKENESS_COSINE,
    DQ_LIKENESS_JACCARD,
    DQ_LIKENESS_TFIDF,
    DQ_LIKENESS_FOLLOWS
} dq_likeness;

/* "cosine", "jaccard", "tfidf", "follows", NULL. */
extern const char *const dq_likeness_names[];

/* Items and users are numbered by their ids in bytewise order, so that sums, and their last bits, do not
 * depend on the order of the stream. Zero-initialise, set the first three. */
typedef struct dq_neighbours {
    dq_likeness likeness;
    double shrink; /* at least 0 */
    size_t
        most; /* neighbours an item has at most, the most alike, of equals those of the greater id; 0: all */

    uint32_t users, items;
    uint32_t *user_of, *item_of; /* (users, items) by number in the feedback: number here */
    size_t *user_first;          /* (users + 1) what user u met is met[user_first[u] .. user_first[u + 1]) */
    uint32_t *met;               /* ascending. Of follows these two are NULL */
    size_t *item_first;          /* (items + 1) and likewise */
    uint32_t *met_by;            /* who met an item, ascending; of follows the items before it, */
    uint32_t *times;             /* and how often */
    double *user_weight;         /* (users) squared, of tfidf; else NULL: 1 */
    double *item_size; /* (items) sum of the squares of the users'; of follows how often one came next */
} dq_neighbours;

typedef struct dq_neighbour {
    uint32_t item;
    float likeness; /* above 0, at most 1 */
} dq_neighbour;

/* What a thread needs for one item after the other. Zero-initialise. */
typedef struct dq_neighbours_scratch {
    double *common;  /* (items) */
    uint32_t *count; /* (items) */
    dq_neighbour *found;
    size_t slots, found_slots;
} dq_neighbours_scratch;

/* What the feedback's PAIRS hold (follows: its EVENTS, finished). */
dq_status dq_neighbours_make(dq_neighbours *neighbours, const dq_feedback *feedback, dq_error *error);
/* Item i's neighbours, by ascending number, in scratch->found until the next call: *count of them. */
dq_status dq_neighbours_of(const dq_neighbours *neighbours, uint32_t item, dq_neighbours_scratch *scratch,
                           size_t *count, dq_error *error);
void dq_neighbours_free(dq_neighbours *neighbours);
void dq_neighbours_scratch_free(dq_neighbours_scratch *scratch);

#endif
