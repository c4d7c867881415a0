/* SPDX-License-Identifier: MIT
 *
 * dq-rank: the k best items for users, by Q-value, world model, cosine or a baseline.
 */
#include "rank.h"

#include "distil/maker.h"
#include "math/blas.h"
#include "report/place.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const formats[] = {"stream", "tsv", "jsonl", "trec", NULL};

static dq_status run(const rank_options *o, dq_cli *cli, dq_error *error)
{
    dq_reader *inputs[1 + RANK_READERS] = {0}; /* the stream, and those beside it */
    const char *const beside[RANK_READERS] = {[RANK_BESIDE] = o->model ? o->model : o->train,
                                              [RANK_FALLBACK] = o->fallback,
                                              [RANK_INDEX] = o->index};
    size_t count = 1;
    rank_output *output = NULL;
    bool in_use = false;
    dq_reader *more[RANK_READERS] = {0};
    dq_status status = dq_reader_open(&inputs[0], cli->operands, cli->operand_count, error);
    if (!status) dq_reader_threads(inputs[0], dq_cli_stream_threads(cli));
    for (size_t i = 0; !status && i < RANK_READERS; i++)
        if (beside[i]) status = dq_reader_open(&more[i], &beside[i], 1, error);
    for (size_t i = 0; i < RANK_READERS; i++)
        if (more[i]) inputs[count++] = more[i];
    if (!status) status = rank_output_open(&output, o, cli, inputs, count, error);
    if (!status)
        status = o->merge ? rank_merge_run(o, inputs[0], output, &cli->arena, error)
                          : rank_stream_run(cli, o, inputs[0], more, output, &in_use, error);
    if (status)
        rank_output_abort(output);
    else
        status = rank_output_close(output, error);
    if (!in_use) dq_reader_close(inputs[0]);
    for (size_t i = 1; i < count; i++) dq_reader_close(inputs[i]);
    return status;
}

enum { RANK = 1, MERGE = 2, MAKE = 4 };

static const dq_mode modes[] = {
    {RANK, "rank", "ranking", .help = "lists of items for users"},
    {MERGE, "merge", "--merge", .help = "one list of several shards' (--merge)"},
    {MAKE, "make-index", "--make-index", .help = "an index of a catalogue too large to score (--make-index)"},
    {0}};

#define NEARING  "by=item-knn,last-item"
#define LEARNING "by=popularity,recent,item-knn,last-item"

/* Each name once, and none of a column that is there in any case. */
static void check_with(const rank_options *o, dq_cli *cli)
{
    for (size_t i = 0; i < o->with.count; i++) {
        bool twice = dq_place_has_column(o->with.at[i]);
        for (size_t j = 0; j < i; j++) twice |= strcmp(o->with.at[i], o->with.at[j]) == 0;
        if (twice) dq_cli_usage(cli, "--with %s: a column of that name is there", o->with.at[i]);
    }
}

static void check_index(rank_options *o, dq_cli *cli)
{
    if (o->index && o->index[0] == '-' && !o->index[1]) dq_cli_check_stdin(cli, "index");
    if (!o->make_index) return;
    if (rank_by_baseline(o))
        dq_cli_usage(cli, "--by %s: an index is of a model's scores, or of cosines", dq_rank_by_names[o->by]);
    if (o->index_lists > o->sample_items)
        dq_cli_usage(cli, "--lists is larger than --sample-items, of which lists are learnt");
    if (o->components > o->sample_users && dq_cli_given(cli, "components"))
        dq_cli_usage(cli, "--components is larger than --sample-users, of whose scores they are");
    if (o->components > o->sample_users) o->components = o->sample_users;
}

static void check_options(rank_options *o, dq_cli *cli)
{
    int orders = (o->lambda < 1) + (o->epsilon > 0) + (o->temperature > 0) + (o->explore != RANK_GREEDY);
    dq_error error = DQ_ERROR_NONE;
    if (o->merge && o->make_index) dq_cli_usage(cli, "--merge and --make-index: one at a time");
    dq_cli_enter(cli, o->merge ? MERGE : o->make_index ? MAKE : RANK);
    check_index(o, cli);
    dq_cli_check_stdin(cli, "users-file");
    dq_cli_shard(cli, o->part, &o->wanted.shard);
    if (!dq_cli_given(cli, "wish")) o->wish = (double)NAN;
    if (orders > 1) dq_cli_usage(cli, "--mmr, --epsilon, --softmax and --explore: one at a time");
    if (o->lambda < 1) o->order = DQ_RANK_MMR;
    if (o->epsilon > 0) o->order = DQ_RANK_EPSILON;
    if (o->temperature > 0) o->order = DQ_RANK_SOFTMAX;
    if (o->explore == RANK_ENSEMBLE || o->explore == RANK_THOMPSON) o->order = DQ_RANK_ENSEMBLE;
    if (!dq_cli_given(cli, "spread")) o->spread = (double)NAN;
    if (o->pool && o->pool < o->k) dq_cli_usage(cli, "--pool is smaller than -k");
    if (o->shortlist && o->shortlist < o->k) dq_cli_usage(cli, "--shortlist is smaller than -k");
    if (o->pairs.count && o->by != DQ_RANK_BY_AUTO && o->by != DQ_RANK_BY_COSINE)
        dq_cli_usage(cli, "--compare goes with --by cosine");
    if (o->pairs.count) o->by = DQ_RANK_BY_COSINE;
    if (o->model && o->by == DQ_RANK_BY_COSINE) dq_cli_usage(cli, "a cosine takes no --model");
    if ((o->models_dir || o->fallback) && o->by >= DQ_RANK_BY_COSINE)
        dq_cli_usage(cli, "--by %s takes no model: not %s", dq_rank_by_names[o->by],
                     o->models_dir ? "--models-dir" : "--fallback");
    if (o->model && rank_by_baseline(o))
        dq_cli_usage(cli, "--by %s takes no --model", dq_rank_by_names[o->by]);
    bool named = o->format == RANK_TREC || rank_is_drawn(o->order);
    if (!named && dq_cli_given(cli, "run-name"))
        dq_cli_usage(cli,
                     "--run-name: only a TREC run (--format trec) and drawn lists (--epsilon, --softmax, "
                     "--explore) say who ranks");
    if (!named) dq_cli_leave_out(cli, "run-name");
    if (strpbrk(o->run_name, " \t\n\v\f\r") || !*o->run_name)
        dq_cli_usage(cli, "--run-name: one word without white space");
    check_with(o, cli);
    if (o->map && dq_label_map_parse(&o->weights, o->map, &error)) dq_cli_refuse(cli, "--map", &error);
    o->pair_names = dq_arena_zero(&cli->arena, o->pairs.count + 1, sizeof *o->pair_names);
    if (!o->pair_names) dq_cli_short_of_memory(cli);
    for (size_t i = 0; i < o->pairs.count; i++)
        if (dq_pair_parse(o->pairs.at[i], &cli->arena, &o->pair_names[i], &error))
            dq_cli_refuse(cli, "--compare", &error);
}

static const dq_program program = {
    .name = "dq-rank",
    .guide = "ranking.md",
    .summary = "the k best items for users, by Q-value, world model, cosine or a baseline",
    .operands = "[FILE...]",
    .all_cores = true,
    .modes = modes,
    .examples = {"cat model.dq catalogue.dq | dq-rank --user 7 -k 10 --format tsv",
                 "dq-export --schema jobs data | dq-rank --by cosine --exclude-seen --format trec > run"},
    .version_note_fn = dq_blas_core,
};

/* clang-format off */
#define OPTIONS_USERS(o)                                                                                     \
    {"user", 'u', DQ_OPT_LIST, &(o).users, "ID", "rank for this user alone; may be repeated",                \
     .flags = DQ_OPT_PAYLOAD, .modes = RANK},                                                                \
    {"users-file", 0, DQ_OPT_TEXT, &(o).users_file, "FILE", "and for those whose ids are lines of FILE",     \
     .flags = DQ_OPT_PAYLOAD | DQ_OPT_READS, .modes = RANK},                                                 \
    {"shard", 0, DQ_OPT_TEXT, &(o).part, "I/N",                                                              \
     "for one of N parts of them, by the hash of their ids: as many machines share the work",                \
     .flags = DQ_OPT_PAYLOAD, .modes = RANK, .excludes = "user"}

#define OPTIONS_FIRST_PASS(o)                                                                                \
    {"first-pass", 0, DQ_OPT_CHOICE, &(o).first_pass, "HOW",                                                 \
     "int8: find a shortlist by the network in 8 bits, and rank that by exact scores",                       \
     .flags = DQ_OPT_PAYLOAD, .choices = rank_first_passes, .modes = RANK, .recorded = RANK | MERGE,         \
     .where = "by=auto,q,world", .excludes = "mmr epsilon softmax explore models-dir fallback"},             \
    {"shortlist", 0, DQ_OPT_COUNT, &(o).shortlist, "N",                                                      \
     "items a user that a first pass leaves, or that an index is asked for; 0: 20 times K",                  \
     .flags = DQ_OPT_PAYLOAD, .min = 0, .max = 1e9, .modes = RANK, .recorded = RANK | MERGE,                 \
     .needs = "first-pass index", .where = "first-pass=int8|index"},                                         \
    {"measure-recall", 0, DQ_OPT_FLAG, &(o).measure_recall, NULL,                                            \
     "score everything exactly, too, and say how much of that the first pass found", .modes = RANK,          \
     .needs = "first-pass", .where = "first-pass=int8"}
#define OPTIONS_BASELINE(o)                                                                                  \
    {"train", 0, DQ_OPT_TEXT, &(o).train, "FILE",                                                            \
     "a baseline's interactions, where not the stream's: those then say what users met, alone",              \
     .flags = DQ_OPT_READS, .modes = RANK, .where = LEARNING},                                               \
    {"map", 0, DQ_OPT_TEXT, &(o).map, "LABEL=W,...",                                                         \
     "weights of labels for a baseline (else each interaction weighs 1); a label outside has none",          \
     .flags = DQ_OPT_PAYLOAD, .modes = RANK, .where = LEARNING},                                             \
    {"time", 0, DQ_OPT_TEXT, &(o).time, "NAME", "the attribute that tells an interaction's time",            \
     .flags = DQ_OPT_PAYLOAD, .modes = RANK,                                                                 \
     .where = "by=recent,last-item,item-knn by=recent,last-item|similarity=follows"},                        \
    {"similarity", 0, DQ_OPT_CHOICE, &(o).likeness, "HOW",                                                   \
     "of items, by who met both; follows: how often one came after the other", .flags = DQ_OPT_PAYLOAD,      \
     .choices = dq_likeness_names, .modes = RANK, .where = NEARING},                                         \
    {"shrink", 0, DQ_OPT_REAL, &(o).shrink, "X", "take n / (n + X) of a similarity that n users are behind", \
     .flags = DQ_OPT_PAYLOAD, .min = 0, .max = 1e9, .modes = RANK, .where = NEARING},                        \
    {"neighbours", 0, DQ_OPT_COUNT, &(o).neighbours, "K",                                                    \
     "of a candidate, the most similar, that count; 0: all", .flags = DQ_OPT_PAYLOAD, .min = 0,              \
     .max = 1e9, .modes = RANK, .where = NEARING}
#define OPTIONS_INDEX(o)                                                                                     \
    {"index", 0, DQ_OPT_TEXT, &(o).index, "FILE",                                                            \
     "score the items alone that an index (--make-index) finds for a user; the catalogue is read, not scored", \
     .flags = DQ_OPT_READS, .modes = RANK, .where = "by=auto,q,world,cosine",                                \
     .excludes = "first-pass mmr epsilon softmax explore models-dir fallback"},                              \
    {"probes", 0, DQ_OPT_COUNT, &(o).probes, "N",                                                            \
     "lists of an index that are looked into for a user; 0: a sixteenth, at least 64",           \
     .flags = DQ_OPT_PAYLOAD, .min = 0, .max = 1e9, .modes = RANK, .recorded = RANK | MERGE, .needs = "index"}, \
    {"recall-sample", 0, DQ_OPT_COUNT, &(o).recall_sample, "N",                                              \
     "users for whom all items are scored, too, to say how much of their lists an index finds; 0: none",     \
     .flags = DQ_OPT_PAYLOAD, .min = 0, .max = 1e9, .modes = RANK, .recorded = RANK | MERGE, .needs = "index"}, \
    {"make-index", 0, DQ_OPT_FLAG, &(o).make_index, NULL,                                                    \
     "write an index of the items, for --index: their vectors distilled out of the scores of a few users",   \
     .flags = DQ_OPT_PAYLOAD, .modes = MAKE},                                                                \
    {"sample-users", 0, DQ_OPT_COUNT, &(o).sample_users, "N", "users whose scores items are distilled from", \
     .flags = DQ_OPT_PAYLOAD, .min = 1, .max = DQ_DISTIL_MOST_USERS, .modes = MAKE},                         \
    {"sample-items", 0, DQ_OPT_COUNT, &(o).sample_items, "N",                                                \
     "items, the first of the stream, from whose scores components and lists are learnt",                    \
     .flags = DQ_OPT_PAYLOAD, .min = 1, .max = 1e8, .modes = MAKE},                                          \
    {"components", 0, DQ_OPT_COUNT, &(o).components, "N", "numbers of a distilled vector",                   \
     .flags = DQ_OPT_PAYLOAD, .min = 1, .max = DQ_DISTIL_MOST_USERS, .modes = MAKE},                         \
    {"lists", 0, DQ_OPT_COUNT, &(o).index_lists, "N",                                                        \
     "lists that an index is cut into; 0: by the items that they are learnt from, at most 4096 of 131072",   \
     .flags = DQ_OPT_PAYLOAD, .min = 0, .max = 1e7, .modes = MAKE}
/* clang-format on */

int main(int argc, char **argv)
{
    rank_options o = {.common = DQ_COMMON_DEFAULTS,
                      .k = 10,
                      .run_name = "dq",
                      .lambda = 1,
                      .draws = 100,
                      .time = "time",
                      .header = true,
                      .sample_users = 128,
                      .sample_items = 131072,
                      .components = 64,
                      .recall_sample = 16};
    const dq_option table[] = {
        {"by", 0, DQ_OPT_CHOICE, &o.by, "SCORE",
         "q, world, cosine, or a baseline of the interactions; auto: q with a model, else cosine",
         .flags = DQ_OPT_PAYLOAD, .choices = dq_rank_by_names, .modes = RANK | MAKE,
         .recorded = RANK | MERGE | MAKE},
        {"model", 'm', DQ_OPT_TEXT, &o.model, "FILE", "the model, when the stream does not begin with one",
         .flags = DQ_OPT_READS, .modes = RANK | MAKE},
        {"models-dir", 0, DQ_OPT_TEXT, &o.models_dir, "DIR",
         "a model for each user, out of the files of DIR, as dq-train keeps them", .modes = RANK,
         .excludes = "model"},
        {"fallback", 0, DQ_OPT_TEXT, &o.fallback, "FILE", "the model for users without one of their own",
         .flags = DQ_OPT_READS, .modes = RANK},
        {"wish", 0, DQ_OPT_REAL, &o.wish, "X",
         "a decision transformer's: the return that is wished for from here on (else the model's)",
         .flags = DQ_OPT_PAYLOAD | DQ_OPT_UNSET, .modes = RANK, .where = "by=auto,q"},
        {"top", 'k', DQ_OPT_COUNT, &o.k, "K", "items a user", .flags = DQ_OPT_PAYLOAD, .min = 1, .max = 1e9,
         .modes = RANK | MERGE},
        OPTIONS_USERS(o),
        {"compare", 0, DQ_OPT_LIST, &o.pairs, "U:I",
         "cosine of the users' field U and the items' field I; may be repeated", .flags = DQ_OPT_PAYLOAD,
         .modes = RANK | MAKE},
        OPTIONS_BASELINE(o),
        {"exclude-seen", 'x', DQ_OPT_FLAG, &o.exclude_seen, NULL,
         "leave out items the user has an interaction with", .flags = DQ_OPT_PAYLOAD, .modes = RANK,
         .recorded = RANK | MERGE},
        {"format", 'f', DQ_OPT_CHOICE, &o.format, "FORMAT", "stream, tsv, jsonl or trec", .flags = 0,
         .choices = formats, .modes = RANK | MERGE},
        {"header", 0, DQ_OPT_FLAG, &o.header, NULL, "name the columns of tsv in a first line",
         .modes = RANK | MERGE, .where = "format=tsv"},
        {"with", 0, DQ_OPT_LIST, &o.with, "NAME",
         "a column of tsv, or key of jsonl, of this text or attribute of the items; may be repeated",
         .modes = RANK, .where = "format=tsv,jsonl"},
        {"run-name", 0, DQ_OPT_TEXT, &o.run_name, "NAME",
         "who ranks: last column of a TREC run, column model of a drawn list", .flags = DQ_OPT_PAYLOAD,
         .modes = RANK | MERGE},
        {"mmr", 0, DQ_OPT_REAL, &o.lambda, "LAMBDA",
         "re-rank for diversity: 1 relevance alone (no re-ranking), 0 diversity alone",
         .flags = DQ_OPT_PAYLOAD, .min = 0, .max = 1, .modes = RANK, .recorded = RANK | MERGE},
        {"pool", 0, DQ_OPT_COUNT, &o.pool, "N", "candidates that --mmr chooses from; 0: 10 times K",
         .flags = DQ_OPT_PAYLOAD, .min = 0, .max = 1e9, .modes = RANK, .recorded = RANK | MERGE,
         .needs = "mmr"},
        {"epsilon", 0, DQ_OPT_REAL, &o.epsilon, "E", "give each place to a random item with probability E",
         .flags = DQ_OPT_PAYLOAD, .min = 0, .max = 1, .modes = RANK, .recorded = RANK | MERGE},
        {"softmax", 0, DQ_OPT_REAL, &o.temperature, "T",
         "draw the list from the softmax of score / T; 0: rank by score", .flags = DQ_OPT_PAYLOAD, .min = 0,
         .max = 1e9, .modes = RANK, .recorded = RANK | MERGE},
        {"explore", 0, DQ_OPT_CHOICE, &o.explore, "HOW",
         "ensemble: each user's list by one of a model's networks, drawn; of a bandit thompson: by one of "
         "--draws "
         "samples of its posterior, drawn; ucb: by upper bounds",
         .flags = DQ_OPT_PAYLOAD, .choices = rank_explorers, .modes = RANK, .recorded = RANK | MERGE,
         .where = "by=auto,q,world"},
        {"draws", 0, DQ_OPT_COUNT, &o.draws, "N", "samples of the posterior, one of which a list is by",
         .flags = DQ_OPT_PAYLOAD, .min = 2, .max = 1e5, .modes = RANK, .where = "explore=thompson"},
        {"spread", 0, DQ_OPT_REAL, &o.spread, "X", "how far from the mean, in deviations (else the model's)",
         .flags = DQ_OPT_PAYLOAD | DQ_OPT_UNSET, .min = 0, .max = 1e6, .modes = RANK,
         .where = "explore=thompson,ucb"},
        {"disagreement", 0, DQ_OPT_FLAG, &o.disagreement, NULL,
         "a column more: the standard deviation of the scores of a model's networks", .flags = DQ_OPT_PAYLOAD,
         .modes = RANK, .where = "format=stream,tsv,jsonl by=auto,q,world"},
        OPTIONS_FIRST_PASS(o),
        OPTIONS_INDEX(o),
        {"merge", 0, DQ_OPT_FLAG, &o.merge, NULL, "merge rankings of shards exactly", .flags = DQ_OPT_PAYLOAD,
         .modes = MERGE, .recorded = RANK | MERGE},
        {"hold", 0, DQ_OPT_FLAG, &o.hold, NULL, "keep all items in memory until the stream has ended",
         .modes = RANK | MAKE},
        DQ_OPTION_SEED(o.common),
        DQ_OPTIONS_COMMON(o.common),
        {0}};
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    check_options(&o, &cli);
    dq_error error = DQ_ERROR_NONE;
    dq_status status = dq_user_list_fill(&o.wanted, o.users.at, o.users.count, o.users_file, &error);
    if (!status) status = run(&o, &cli, &error);
    dq_user_list_free(&o.wanted);
    dq_label_map_free(&o.weights);
    return dq_cli_finish(&cli, status, &error);
}
