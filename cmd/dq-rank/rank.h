/* SPDX-License-Identifier: MIT
 *
 * The parts of dq-rank: what the options say (main.c), the ranking of a stream (stream.c), the items of a
 * block (items.c, block.c), their scores (score.c), the users' lists (lists.c) with what they leave out
 * (seen.c) and need again (kept.c), models of single users (models.c) and agents of sessions (sessions.c),
 * the four output formats (write.c), merging of rankings (merge.c).
 */
#ifndef DQ_RANK_RANK_H
#define DQ_RANK_RANK_H

#include "cli/cli.h"
#include "core/pairset.h"
#include "core/topk.h"
#include "data/catalogue.h"
#include "data/session_log.h"
#include "learn/sessions.h"
#include "math/cosine.h"
#include "math/pool.h"
#include "net/net.h"
#include "wire/prefetch.h"

typedef enum rank_by { RANK_BY_AUTO, RANK_BY_Q, RANK_BY_WORLD, RANK_BY_COSINE } rank_by;
typedef enum rank_format { RANK_STREAM, RANK_TSV, RANK_JSONL, RANK_TREC } rank_format;
/* What decides the places of a list. */
typedef enum rank_order { RANK_SCORE, RANK_MMR, RANK_EPSILON, RANK_SOFTMAX } rank_order;

extern const char *const rank_by_names[], *const rank_format_names[], *const rank_order_names[];

typedef struct rank_options {
    dq_common common;
    const char *model, *run_name;
    int by, format;
    uint64_t k, pool; /* pool 0: 10 k */
    dq_texts users, pairs;
    dq_pair_names *pair_names; /* (pairs.count) the same, cut in two */
    bool exclude_seen, hold, merge;
    double lambda, epsilon, temperature;
    rank_order order;
} rank_options;

/* ---- rank_items.c: the items that stream by ---- */

/* Every item met so far. */
typedef struct rank_items {
    dq_index ids;
    uint64_t *digests;  /* (ids) of each row, to compare equal ids */
    uint32_t *sections; /* (ids) in which it last stood */
    size_t slots;
    uint32_t width; /* 0: no items yet */
    dq_value meta;  /* of the first bundle */
    dq_field *fields;
    size_t field_count;
    dq_pair_names *pairs; /* the default pairs */
    size_t pair_count;
    dq_arena arena;
    uint64_t *row_digests; /* of the bundle at hand */
    uint32_t *fresh;       /* its rows that were not met before */
    uint32_t fresh_count;
    size_t row_slots;
} rank_items;

/* Takes the width, fields and pairs of the first items, and holds later ones to them. */
dq_status rank_items_agree(rank_items *items, const dq_bundle *bundle, dq_error *error);
/* Numbers the rows of a bundle of items; those that are new are in items->fresh. An id twice in one section,
 * or with an unequal row in another, is DQ_ERR_DUPLICATE. */
dq_status rank_items_take(rank_items *items, const dq_bundle *bundle, uint64_t section, dq_pool *pool,
                          dq_error *error);
void rank_items_free(rank_items *items);

/* ---- rank_block.c: so many items as are scored at once ---- */

/* Cut anew, whatever the stream's blocks: enough tiles for all threads, so that products run at full speed.
 */
typedef struct rank_block {
    dq_strings ids;
    float *vectors; /* (capacity, width) */
    uint32_t rows, capacity, width;
    uint32_t first; /* number of row 0 in rank_items; the others follow */
} rank_block;

dq_status rank_block_open(rank_block *block, uint32_t width, unsigned threads, dq_error *error);
/* Appends rows[*at ..) of a bundle until there are no more or the block is full; *at moves on. */
dq_status rank_block_fill(rank_block *block, const dq_bundle *bundle, const uint32_t *rows, uint32_t count,
                          uint32_t *at, dq_error *error);
/* Empties it; the next row will be number `first`. */
void rank_block_clear(rank_block *block, uint32_t first);
void rank_block_free(rank_block *block);

/* ---- rank_score.c: scores ---- */

typedef struct rank_scorer {
    rank_by by;
    dq_pool *pool;
    dq_net *net;     /* Q or world model; NULL for the cosine */
    dq_value layout; /* fields that it learnt from, in arena; DQ_NIL when the model does not say */
    dq_arena arena;
    dq_pairing *pairs; /* of the cosine */
    size_t pair_count;
    const uint32_t *output_of; /* (items) of sessions: users' vectors are their values by action; else NULL */
} rank_scorer;

/* The network called q or world of a model bundle. */
dq_status rank_scorer_load(rank_scorer *scorer, const dq_bundle *model, dq_error *error);
/* The same network with the weights of another model, whose widths and layers must be the same. */
dq_status rank_scorer_reload(rank_scorer *scorer, const dq_bundle *model, dq_error *error);
/* Whether a model that learnt from vectors of these widths, and of the fields that layout names (NULL or nil:
 * the model does not say), scores this catalogue; DQ_ERR_RANGE when it does not. Equal widths may still hold
 * other fields, or the same in another order. */
dq_status rank_model_fits(uint32_t user_width, uint32_t item_width, const dq_value *layout,
                          const dq_side *users, const rank_items *items, dq_error *error);
/* Called when users and the first items are known: widths, fields, pairs must fit. pairs: --pair. */
dq_status rank_scorer_fit(rank_scorer *scorer, const dq_entities *users, const rank_items *items,
                          const dq_pair_names *pairs, size_t pair_count, dq_error *error);
/* out (count, rows): scores of count users against a block. */
void rank_scorer_score(rank_scorer *scorer, const float *const *users, size_t count, const rank_block *block,
                       float *out);
void rank_scorer_free(rank_scorer *scorer);

/* ---- rank_seen.c: pairs that are left out ---- */

/* Pairs that had an interaction, whatever its label. Users and items are those of the interactions: the
 * catalogue's may come later. Zero-initialise to start. */
typedef struct rank_seen {
    dq_index users, items;
    dq_pairset pairs; /* of the numbers of users and items above */
} rank_seen;

/* Notes a bundle of interactions. ranked (may be NULL): items that have gone by; a new pair with one of them
 * comes too late (DQ_ERR_UNSUPPORTED). */
dq_status rank_seen_add(rank_seen *seen, const dq_bundle *interactions, const dq_index *ranked,
                        dq_error *error);
void rank_seen_free(rank_seen *seen);

/* ---- rank_kept.c: vectors that --mmr needs again ---- */

/* Vectors of the items that stand in some list: by ascending number. */
typedef struct rank_kept {
    uint32_t *numbers;
    float **vectors; /* (count) each width float32 */
    size_t count, slots, next_sweep;
    uint32_t width;
    uint8_t *marks; /* (mark_slots) scratch */
    size_t mark_slots;
} rank_kept;

/* Keeps the vectors of the block's items that are in one of lists [first, last) (whose tags are the items'
 * numbers), and now and then forgets those of items that none of all `count` lists has any more. */
dq_status rank_kept_update(rank_kept *kept, const rank_block *block, dq_topk *const *lists, size_t count,
                           size_t first, size_t last, dq_error *error);
/* The vector of an item that stands in a list. */
const float *rank_kept_find(const rank_kept *kept, uint32_t number);
void rank_kept_free(rank_kept *kept);

/* ---- rank_list.c: the users' lists ---- */

/* One user whose list is wanted. */
typedef struct rank_user {
    const char *id;
    size_t id_bytes;
    uint32_t seen; /* number in config.seen->users, or DQ_ABSENT */
} rank_user;

/* What the lists are to be. */
typedef struct rank_config {
    size_t k;    /* places of a list, at least 1 */
    size_t pool; /* RANK_MMR: candidates to choose them from, at least k */
    rank_order order;
    double lambda;            /* RANK_MMR: 1 relevance alone, 0 diversity alone */
    double epsilon;           /* RANK_EPSILON: the probability of a random item at each place */
    double temperature;       /* RANK_SOFTMAX: > 0 */
    uint64_t seed;            /* of both */
    const rank_seen *seen;    /* pairs to leave out; NULL: none. May grow until their items are offered */
    const char *const *users; /* (user_count) ids whose lists are wanted; user_count 0: everybody's */
    size_t user_count;
} rank_config;

typedef struct rank_lists {
    rank_config config;
    size_t count;
    rank_user *users;      /* (count) */
    uint32_t *of_row;      /* (rows of the catalogue's users) the list, or DQ_ABSENT: not wanted */
    const float **vectors; /* (count) */
    dq_topk **best;        /* (count) */
    dq_topk **random;      /* (count) --epsilon: a uniform sample to draw from; else NULL */
    rank_kept kept;
    float *scores; /* of a group of users against a block */
    size_t score_slots;
    uint32_t *seen_items; /* of the rows of a block: number in config.seen->items, or DQ_ABSENT */
    size_t seen_slots;
} rank_lists;

/* One place of a finished list. */
typedef struct rank_place {
    const char *item;
    size_t item_bytes;
    float score;
} rank_place;

/* Starts a list for every wanted user, in the order of the catalogue. config is copied; what it points to,
 * and users, are kept. */
dq_status rank_lists_open(rank_lists *lists, const rank_config *config, const dq_entities *users,
                          dq_error *error);
/* Scores a block for users [first, last) and offers its items. */
dq_status rank_lists_offer(rank_lists *lists, rank_scorer *scorer, const rank_block *block, size_t first,
                           size_t last, dq_error *error);
/* The finished list of user i: at most k places, *places is the caller's, (k). */
dq_status rank_lists_finish(rank_lists *lists, size_t i, rank_place *places, size_t *count, dq_error *error);
void rank_lists_free(rank_lists *lists);

/* ---- rank_write.c: the output ---- */

typedef struct rank_output rank_output;

/* Opens --output in --format; inputs are the readers, for the lineage. */
dq_status rank_output_open(rank_output **output, const rank_options *options, dq_cli *cli,
                           dq_reader *const *inputs, size_t input_count, dq_error *error);
/* What a stream of rankings says of itself: what scored (a name of rank_by_names, kept), and what ordered. */
void rank_output_describe(rank_output *output, const char *by, rank_order order);
/* Looks at a list before any is written: a TREC run has no room for white space in ids (DQ_ERR_UNSUPPORTED).
 */
dq_status rank_output_check(const rank_output *output, const char *user, size_t user_bytes,
                            const dq_scored *items, size_t count, dq_error *error);
/* One user's list, best first. */
dq_status rank_output_list(rank_output *output, const char *user, size_t user_bytes, const rank_place *places,
                           size_t count, dq_error *error);
/* Completes and frees. */
dq_status rank_output_close(rank_output *output, dq_error *error);
void rank_output_abort(rank_output *output);

/* ---- rank_agents.c: a model for each user ---- */

/* The models met before the catalogue. One serves all users; several serve one user each, whom meta.user
 * names (dq-train --each-user). */
typedef struct rank_agents {
    dq_bundle *models;
    size_t count, slots, next;
    dq_reader *reader; /* where more models are to come from, when the first ones are used; or NULL */
} rank_agents;

/* Takes a model (*model is emptied). A second one is DQ_ERR_DUPLICATE unless all name their users. */
dq_status rank_agents_add(rank_agents *agents, dq_bundle *model, dq_error *error);
/* --model FILE: reads the first model, and to the end when there is no second one. */
dq_status rank_agents_read(rank_agents *agents, dq_reader *reader, const char *name, dq_error *error);
/* The next model, 1; 0 after the last; -1 broken. The caller frees it. */
int rank_agents_next(rank_agents *agents, dq_bundle *model, dq_error *error)
    __attribute__((warn_unused_result));
void rank_agents_free(rank_agents *agents);

/* ---- rank_sessions.c: an agent that learnt from sessions ---- */

/* A model of dq-train --offline --agent, and what its states need: everybody's interactions, all items. */
typedef struct rank_sessions {
    bool on; /* such a model came */
    dq_bundle model;
    const char *kind;
    dq_agent_config config;
    dq_task_shape shape;
    dq_agent *agent;
    dq_label_map map;
    dq_session_log log;
    dq_session_rows by_user; /* by list */
    const float **vectors;   /* (items) by number */
    dq_vectors item_vectors; /* the same */
    uint32_t *output_of;     /* (items) which of the agent's actions each is */
    float *actions;          /* (items, width) of a head on actions */
    uint32_t *before;        /* (events) scratch */
    float *states, *values;  /* of a group of users */
    size_t done;             /* lists whose values were computed */
    dq_arena arena;
} rank_sessions;

/* Whether a model is of this kind. */
bool rank_sessions_fits(const dq_bundle *model);
/* Takes the model (*model is emptied). */
dq_status rank_sessions_load(rank_sessions *sessions, dq_bundle *model, dq_error *error);
/* When everything was read: fits the catalogue to the model, and interactions to users and items. */
dq_status rank_sessions_begin(rank_sessions *sessions, rank_lists *lists, const dq_entities *users,
                              const rank_items *items, const rank_block *blocks, size_t block_count,
                              dq_pool *pool, dq_error *error);
/* Puts the values of the next users in the place of their vectors, until the next call; returns how many. */
size_t rank_sessions_next(rank_sessions *sessions, rank_lists *lists);
void rank_sessions_free(rank_sessions *sessions);

/* ---- rank_stream.c: the ranking of a stream ---- */

/* Ranks what reader gives, with the model of its beginning or of `model` (--model; may be NULL), and writes
 * the lists. *reader_in_use: the reader must be left alone, see dq_prefetch_close. */
dq_status rank_stream_run(const rank_options *options, dq_reader *reader, dq_reader *model,
                          rank_output *output, bool *reader_in_use, dq_error *error);

/* ---- rank_merge.c: --merge ---- */

/* The k best of each user out of all rankings read. */
dq_status rank_merge_run(const rank_options *options, dq_reader *reader, rank_output *output,
                         dq_error *error);

#endif
