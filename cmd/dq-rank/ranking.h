/* SPDX-License-Identifier: MIT
 *
 * What ranks a stream (stream.c), and models of one user each (each.c), group by group of users (group.c), or
 * by a first pass (first_pass.c), or an index (index.c), which make_index.c makes.
 */
#ifndef DQ_RANK_RANKING_H
#define DQ_RANK_RANKING_H

#include "rank.h"

#include "distil/candidates.h"
#include "distil/distil.h"
#include "distil/maker.h"
#include "distil/sample.h"
#include "rank/features.h"
#include "rank/sessions.h"
#include "wire/prefetch.h"

/* Of an index: what it is made of, or what it found. */
typedef struct ranking_index {
    dq_reader *reader;        /* of --index */
    dq_distil_maker *maker;   /* --make-index */
    uint64_t rows, catalogue; /* items that have come, and dq_distil_chain of them */
    dq_distil distil;
    dq_candidates candidates;
    dq_distil_sample sample; /* users whose lists are made exactly, too */
    uint32_t *picked;        /* (picked_slots) candidates among a bundle's rows, */
    size_t picked_slots;
    uint32_t picked_count, picked_from; /* of which the first is that row of the catalogue */
    double recall;                      /* NAN: of nobody */
    size_t full;                        /* users of the sample whose lists are the exact ones */
} ranking_index;

typedef struct ranking {
    const rank_options *options;
    dq_reader *reader;
    dq_prefetch *prefetch;
    rank_output *output;
    dq_pool *pool;
    dq_catalogue catalogue; /* users alone */
    rank_agents agents;
    dq_rank_scorer fallback; /* of users without a model */
    size_t fallen, all;      /* they, and the users that lists are for */
    bool no_own;             /* nobody has a model of his own */
    dq_error no_model;       /* of --models-dir and --shard: there is none; status DQ_OK: there is one */
    dq_rank_sessions sessions;
    dq_rank_scorer scorer;
    dq_baseline baseline; /* scorer.baseline, where --by names one */
    dq_rank_items items;
    dq_rank_texts texts; /* of --with */
    dq_rank_block block;
    dq_rank_block *blocks; /* full ones, with several models or sessions: all items */
    size_t block_count, block_slots;
    dq_rank_seen seen;       /* with --exclude-seen */
    dq_rank_history history; /* for a model whose features ask for it */
    dq_rank_lists lists;
    dq_rank_lists exact; /* with --measure-recall */
    ranking_index index; /* with --index, and --make-index */
    dq_prefetched *held; /* items that wait for users */
    size_t held_count, held_slots;
    bool catalogue_came, begun;
    dq_progress progress;
} ranking;

/* ---- each.c ---- */

/* --model FILE, --models-dir: what the models are like, from one of them; --fallback FILE. */
dq_status ranking_read_model(ranking *r, dq_reader *reader, dq_error *error);
dq_status ranking_read_dir(ranking *r, dq_error *error);
dq_status ranking_read_fallback(ranking *r, dq_reader *reader, dq_error *error);
/* All models before the items are known: where there is none but the fallback, it is the model of all. */
void ranking_settle_fallback(ranking *r);
dq_status ranking_fit_fallback(ranking *r, dq_error *error);
/* Ranks all items, for each user by his model, or by the fallback. */
dq_status ranking_rank_agents(ranking *r, dq_error *error);

/* ---- first_pass.c ---- */

/* Where the model leaves a first pass nothing to do: DQ_ERR_UNSUPPORTED. */
dq_status ranking_check_first_pass(ranking *r, dq_error *error);
/* With --measure-recall: lists beside those of the first pass, and a block's items for them. */
dq_status ranking_open_exact(ranking *r, const dq_rank_config *config, dq_error *error);
dq_status ranking_offer_exact(ranking *r, dq_error *error);
/* When all items have been offered: shortlists become lists. Then what they found of the exact ones. */
dq_status ranking_second_pass(ranking *r, dq_error *error);
void ranking_say_recall(ranking *r, const dq_cli *cli);

/* Why scores are no product of a user's vector and an item's, each given once; NULL: they are. */
const char *ranking_why_no_vectors(const ranking *r);

/* ---- make_index.c ---- */

/* --make-index: when users are known and the first items at hand; of a block's items; of a bundle that was
 * numbered; at the end. */
dq_status ranking_begin_make(ranking *r, dq_error *error);
dq_status ranking_check_make(ranking *r, const dq_bundle *bundle, dq_error *error);
dq_status ranking_end_make(ranking *r, const dq_cli *cli, dq_error *error);
/* Loads what indices need, from beside this program. */
dq_status ranking_load_faiss(dq_error *error);

/* ---- index.c ---- */

/* --index, once lists are open: reads it, and asks it for everybody's candidates. */
dq_status ranking_begin_index(ranking *r, dq_error *error);
/* The candidates of a bundle of items (another bundle, *some); all items are shown to the sample. */
dq_status ranking_pick(ranking *r, const dq_bundle *bundle, dq_bundle *some, dq_error *error);
/* The fresh rows of what was picked have their numbers. */
dq_status ranking_number_picked(ranking *r, dq_error *error);
/* All items have come: they must be those of the index. Finds the recall. */
dq_status ranking_end_index(ranking *r, dq_error *error);
void ranking_say_index(ranking *r, const dq_cli *cli);
void ranking_free_index(ranking *r);

/* ---- group.c ---- */

dq_status ranking_bind_features(ranking *r, dq_error *error);
/* Ranks all items for the lists from `first` on, at most *n of them; *n becomes how many. */
dq_status ranking_rank_group(ranking *r, size_t first, size_t *n, dq_error *error);

#endif
