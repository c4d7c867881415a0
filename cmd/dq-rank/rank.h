/* SPDX-License-Identifier: MIT
 *
 * The parts of dq-rank: what the options say (main.c), the ranking of a stream (stream.c) by one model or one
 * for each user (models.c, each.c), by a baseline (baseline.c), or with the help of an index (make_index.c,
 * index.c), the four output formats (write.c), merging of rankings (merge.c).
 */
#ifndef DQ_RANK_RANK_H
#define DQ_RANK_RANK_H

#include "cli/cli.h"
#include "models/users.h"
#include "rank/lists.h"
#include "rank/texts.h"
#include "wire/delta/starts.h"

typedef enum rank_format { RANK_STREAM, RANK_TSV, RANK_JSONL, RANK_TREC } rank_format;

typedef enum rank_first_pass { RANK_ONE_PASS, RANK_INT8 } rank_first_pass;
extern const char *const rank_first_passes[];

typedef enum rank_explorer { RANK_GREEDY, RANK_ENSEMBLE, RANK_THOMPSON, RANK_UCB } rank_explorer;
extern const char *const rank_explorers[]; /* their names, NULL-ended */

typedef struct rank_options {
    dq_common common;
    const char *model, *models_dir, *fallback, *users_file, *part, *run_name;
    double wish; /* NAN: the model's */
    int by, format;
    uint64_t k, pool; /* pool 0: 10 k */
    dq_texts users, pairs, with;
    dq_user_list wanted; /* --user and --users-file; none: everybody */
    bool header;
    const char *train, *map, *time; /* of baselines */
    dq_label_map weights;           /* of --map, when it is given */
    int likeness;
    uint64_t neighbours; /* 0: all */
    double shrink;
    dq_pair_names *pair_names; /* (pairs.count) the same, cut in two */
    bool exclude_seen, hold, merge, disagreement;
    rank_explorer explore;
    uint64_t draws;
    double spread; /* NAN: the model's */
    double lambda, epsilon, temperature;
    dq_rank_order order;
    rank_first_pass first_pass;
    uint64_t shortlist; /* 0: RANK_SHORTLIST k */
    bool measure_recall;
    const char *index;
    bool make_index;
    uint64_t sample_users, sample_items, components, index_lists; /* of --make-index */
    uint64_t probes;                                              /* 0: rank_probes */
    uint64_t recall_sample;
} rank_options;

enum { RANK_SHORTLIST = 20 };

/* --shortlist, or what it is without: candidates of an index. */
static inline size_t rank_candidates(const rank_options *o)
{
    return (size_t)(o->shortlist ? o->shortlist : RANK_SHORTLIST * o->k);
}

/* The same of a first pass in 8 bits; 0: there is none. */
static inline size_t rank_shortlist(const rank_options *o)
{
    return o->first_pass ? rank_candidates(o) : 0;
}

/* ---- write.c: the output ---- */

typedef struct rank_output rank_output;

/* Opens --output in --format; inputs are the readers, for the lineage. */
dq_status rank_output_open(rank_output **output, const rank_options *options, dq_cli *cli,
                           dq_reader *const *inputs, size_t input_count, dq_error *error);
/* Whether chance has a part in the places. */
bool rank_is_drawn(dq_rank_order order);
/* What a stream of rankings says of itself: what scored (a name of dq_rank_by_names, kept), what ordered, of
 * how many items a list was where scores depend on all of them (else 0), and how many networks scored. */
void rank_output_describe(rank_output *output, const char *by, dq_rank_order order, size_t within,
                          size_t networks);
/* The settings of the scores that it says, too, as rank_settings makes them or a merge found them; kept. */
void rank_output_settings(rank_output *output, const char *settings);
/* What scores depend on beside the inputs: "similarity=cosine shrink=10 ...". NULL when memory is short. */
const char *rank_settings(const rank_options *options, dq_arena *arena);
/* Gives the lines of TSV and JSON these texts, too, of items that are numbered so; both are kept. */
void rank_output_with(rank_output *output, const dq_rank_texts *texts, const dq_index *items);
/* Looks at a list before any is written: a TREC run has no room for white space in ids (DQ_ERR_UNSUPPORTED).
 */
dq_status rank_output_check(const rank_output *output, const char *user, size_t user_bytes,
                            const dq_scored *items, size_t count, dq_error *error);
/* One user's list, best first. A list that was drawn has its propensities, a request that is made of the
 * user, --run-name and --seed, and --run-name as its model. */
dq_status rank_output_list(rank_output *output, const char *user, size_t user_bytes,
                           const dq_rank_place *places, size_t count, dq_error *error);
/* The lists are by an index, and are so much of the exact ones, for so many users (0: nobody knows). */
void rank_output_recall(rank_output *output, double recall, uint64_t users);
/* The stream's writer, which rank_output_close closes. */
dq_writer *rank_output_writer(rank_output *output);
/* Completes and frees. */
dq_status rank_output_close(rank_output *output, dq_error *error);
void rank_output_abort(rank_output *output);

/* ---- models.c: a model for each user ---- */

/* The models met before the catalogue. One serves all users; several, or those of a folder, serve one user
 * each, whom meta.user names (dq-train --each-user). */
typedef struct rank_agents {
    dq_bundle *models;
    size_t count, slots, next;
    dq_reader *reader; /* where more models are to come from, when the first ones are used; or NULL */
    const char *dir;   /* of --models-dir, or NULL */
    bool fallback;     /* there is one: each model serves its user alone */
    dq_kept kept;      /* of all that were read; rank_agents_free leaves it */
    dq_starts starts;  /* of those that are deltas */
} rank_agents;

/* Takes a model (*model is emptied), which is not one to pass over (data/dataset.h). A second one is
 * DQ_ERR_DUPLICATE unless all name their users. */
dq_status rank_agents_add(rank_agents *agents, dq_bundle *model, dq_error *error);
/* --model FILE: reads the first model, and to the end when there is no second one. */
dq_status rank_agents_read(rank_agents *agents, dq_reader *reader, const char *name, dq_error *error);
/* --models-dir: the model of some user. DQ_ERR_UNKNOWN where there is none; with a fallback none is DQ_OK. */
dq_status rank_agents_read_dir(rank_agents *agents, dq_error *error);
/* Whether models serve one user each. */
bool rank_agents_each(const rank_agents *agents);
/* The next model, 1; 0 after the last; -1 broken. The caller frees it. */
int rank_agents_next(rank_agents *agents, dq_bundle *model, dq_error *error)
    __attribute__((warn_unused_result));
/* The model of a user out of the folder, in the same way. */
int rank_agents_of(rank_agents *agents, const char *id, size_t bytes, dq_bundle *model, dq_error *error)
    __attribute__((warn_unused_result));
void rank_agents_free(rank_agents *agents);

/* ---- baseline.c: scores of interactions ---- */

/* Whether --by names one. */
bool rank_by_baseline(const rank_options *options);
/* Sets up a baseline, and reads --train's interactions where there is one (train; else NULL). */
dq_status rank_baseline_open(const rank_options *options, dq_baseline *baseline, dq_reader *train,
                             dq_error *error);
/* Takes interactions of the stream; late: items were ranked (DQ_ERR_UNSUPPORTED). */
dq_status rank_baseline_take(dq_baseline *baseline, const dq_bundle *interactions, bool late,
                             dq_error *error);
/* Users are known: what follows are items. */
dq_status rank_baseline_begin(const rank_options *options, dq_baseline *baseline, const dq_entities *users,
                              const dq_rank_lists *lists, const dq_pool *pool, dq_error *error);
/* What was taken for granted, and for whom there was nothing to say. */
void rank_baseline_say(const dq_cli *cli, const rank_options *options, const dq_baseline *baseline);

/* ---- stream.c: the ranking of a stream ---- */

/* What is read beside the stream; each may be NULL. */
enum { RANK_BESIDE /* --model, or --train */, RANK_FALLBACK, RANK_INDEX, RANK_READERS };

/* Ranks what reader gives, with the model of its beginning or of those beside it, for users without one by
 * the fallback, and writes the lists; or writes an index. *reader_in_use: the reader must be left alone, see
 * dq_prefetch_close. */
dq_status rank_stream_run(const dq_cli *cli, const rank_options *options, dq_reader *reader,
                          dq_reader *const more[RANK_READERS], rank_output *output, bool *reader_in_use,
                          dq_error *error);

/* ---- merge.c: --merge ---- */

/* The k best of each user out of all rankings read. */
dq_status rank_merge_run(const rank_options *options, dq_reader *reader, rank_output *output, dq_arena *arena,
                         dq_error *error);

#endif
