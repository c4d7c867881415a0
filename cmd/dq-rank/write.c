/* SPDX-License-Identifier: MIT
 *
 * A format is one function that takes a user's list; the stream's gathers rows into bundles.
 */
#include "rank.h"

#include "core/digest.h"
#include "dq/sink.h"
#include "report/place.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const rank_first_passes[] = {"none", "int8", NULL};
const char *const rank_explorers[] = {"none", "ensemble", "thompson", "ucb", NULL};

enum { BUNDLE_ROWS = 1 << 15 };

struct rank_output {
    const rank_options *options;
    dq_sink *sink;             /* text formats */
    dq_writer *writer;         /* the stream */
    const char *by, *settings; /* settings: "": none */
    dq_rank_order order;
    size_t within, networks;
    bool by_index;
    double recall; /* of by_index; NAN: not measured */
    uint64_t recall_users;
    bool headed;
    dq_json_text line;
    const dq_rank_texts *texts; /* with --with */
    const dq_index *items_at;   /* their numbers */
    dq_place_text with[DQ_RANK_TEXTS_MOST];
    dq_strings users, items; /* rows of the bundle in the making */
    uint32_t ranks[BUNDLE_ROWS];
    float scores[BUNDLE_ROWS], values[BUNDLE_ROWS], disagreements[BUNDLE_ROWS];
    double propensities[BUNDLE_ROWS];
    dq_strings requests, models;
};

enum { REQUEST = 17 };

/* What a drawn list answers: the same in every format, another one for another user, run or seed. */
static void name_request(const rank_output *o, const char *user, size_t n, char request[REQUEST])
{
    uint64_t seed = o->options->common.seed;
    seed = dq_digest_seeded(o->options->run_name, strlen(o->options->run_name), seed);
    (void)snprintf(request, REQUEST, "%016" PRIx64, dq_digest_seeded(user, n, seed));
}

bool rank_is_drawn(dq_rank_order order)
{
    return order == DQ_RANK_EPSILON || order == DQ_RANK_SOFTMAX || order == DQ_RANK_ENSEMBLE;
}

static bool is_drawn(const rank_output *o)
{
    return rank_is_drawn(o->order);
}

dq_status rank_output_open(rank_output **output, const rank_options *options, dq_cli *cli,
                           dq_reader *const *inputs, size_t input_count, dq_error *error)
{
    const char *path = options->common.output;
    *output = calloc(1, sizeof **output);
    if (!*output) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the output");
    (*output)->options = options;
    (*output)->settings = rank_settings(options, &cli->arena);
    if (!(*output)->settings) dq_cli_short_of_memory(cli);
    (*output)->by = dq_rank_by_names[DQ_RANK_BY_COSINE];
    if (options->format != RANK_STREAM) return dq_sink_open(&(*output)->sink, path, DQ_SINK_TEXT, error);
    bool chance = rank_is_drawn(options->order) || options->by == DQ_RANK_BY_RANDOM || options->index ||
                  options->make_index;
    dq_maker maker = dq_cli_maker(cli, chance ? (int64_t)options->common.seed : -1);
    return dq_writer_open(&(*output)->writer, path, &maker, inputs, input_count, error);
}

void rank_output_describe(rank_output *output, const char *by, dq_rank_order order, size_t within,
                          size_t networks)
{
    output->networks = networks;
    output->within = within;
    output->by = by;
    output->order = order;
}

void rank_output_recall(rank_output *output, double recall, uint64_t users)
{
    output->by_index = true;
    output->recall = users ? recall : (double)NAN;
    output->recall_users = users;
}

dq_writer *rank_output_writer(rank_output *output)
{
    return output->writer;
}

void rank_output_settings(rank_output *output, const char *settings)
{
    output->settings = settings;
}

const char *rank_settings(const rank_options *o, dq_arena *arena)
{
    char *text = NULL;
    size_t bytes;
    FILE *f = open_memstream(&text, &bytes);
    if (!f) return NULL;
    for (size_t i = 0; i < o->pairs.count; i++) (void)fprintf(f, "compare=%s ", o->pairs.at[i]);
    if (o->explore == RANK_THOMPSON) (void)fprintf(f, "draws=%" PRIu64 " ", o->draws);
    if (o->explore >= RANK_THOMPSON && !isnan(o->spread)) (void)fprintf(f, "spread=%.9g ", o->spread);
    if (o->explore >= RANK_THOMPSON) (void)fprintf(f, "explore=%s", rank_explorers[o->explore]);
    if (o->first_pass)
        (void)fprintf(f, "first-pass=%s shortlist=%zu ", rank_first_passes[o->first_pass], rank_shortlist(o));
    if (o->index) (void)fprintf(f, "index shortlist=%zu probes=%" PRIu64 " ", rank_candidates(o), o->probes);
    if (o->by == DQ_RANK_BY_RANDOM)
        (void)fprintf(f, "seed=%" PRIu64, o->common.seed);
    else if (rank_by_baseline(o))
        (void)fprintf(f, "similarity=%s shrink=%.9g neighbours=%" PRIu64 " time=%s map=%s",
                      dq_likeness_names[o->likeness], o->shrink, o->neighbours, o->time,
                      o->map ? o->map : "");
    bool written = fclose(f) == 0;
    const char *kept = written ? dq_arena_text(arena, text, bytes) : NULL;
    free(text);
    return kept;
}

void rank_output_with(rank_output *output, const dq_rank_texts *texts, const dq_index *items)
{
    output->texts = texts;
    output->items_at = items;
    for (size_t k = 0; k < texts->count; k++) output->with[k].name = texts->at[k].name;
}

dq_status rank_output_check(const rank_output *output, const char *user, size_t user_bytes,
                            const dq_scored *items, size_t count, dq_error *error)
{
    if (output->options->format != RANK_TREC) return DQ_OK;
    dq_status status = dq_place_check("user", user, user_bytes, error);
    for (size_t i = 0; !status && i < count; i++)
        status = dq_place_check("item", items[i].id, items[i].id_bytes, error);
    return status;
}

/* ---- text ---- */

/* trec_eval and dq-eval order by the score alone. Where something else has ordered a list, the places left
 * stand for the score. */
static float order_score(const rank_output *o, const dq_rank_place *place, size_t rank, size_t count)
{
    return o->order == DQ_RANK_SCORE ? place->score : (float)(count - rank + 1);
}

static void find_texts(rank_output *o, const dq_rank_place *place)
{
    uint32_t number = o->texts ? dq_index_find(o->items_at, place->item, place->item_bytes) : DQ_ABSENT;
    for (size_t k = 0; o->texts && k < o->texts->count; k++)
        o->with[k].text = dq_rank_texts_get(o->texts, k, number, &o->with[k].bytes, &o->with[k].json);
}

/* Of TSV, once, before the first line or at the end. */
static dq_status put_header(rank_output *o, dq_error *e)
{
    if (o->headed || o->options->format != RANK_TSV || !o->options->header) return DQ_OK;
    o->headed = true;
    o->line.bytes = 0;
    dq_status s = dq_place_write_header(&o->line, is_drawn(o), o->options->disagreement, o->with,
                                        o->texts ? o->texts->count : 0, e);
    return s ? s : dq_sink_write(o->sink, o->line.data, o->line.bytes, e);
}

static dq_status text_list(rank_output *o, const char *user, size_t n, const dq_rank_place *places,
                           size_t count, dq_error *e)
{
    static const dq_place_form forms[] = {
        [RANK_TREC] = DQ_PLACE_TREC, [RANK_TSV] = DQ_PLACE_TSV, [RANK_JSONL] = DQ_PLACE_JSON};
    dq_status s = put_header(o, e);
    char request[REQUEST];
    name_request(o, user, n, request);
    o->line.bytes = 0;
    for (size_t i = 0; !s && i < count; i++) {
        bool trec = o->options->format == RANK_TREC;
        float score = trec ? order_score(o, &places[i], i + 1, count) : places[i].score;
        const dq_place place = {user,
                                n,
                                places[i].item,
                                places[i].item_bytes,
                                i + 1,
                                (double)score,
                                is_drawn(o) ? places[i].propensity : 0,
                                request,
                                o->options->run_name,
                                o->options->disagreement ? &places[i].disagreement : NULL,
                                o->with,
                                o->texts ? o->texts->count : 0};
        find_texts(o, &places[i]);
        s = dq_place_write(&o->line, forms[o->options->format], &place, o->options->run_name, e);
    }
    return s ? s : dq_sink_write(o->sink, o->line.data, o->line.bytes, e);
}

/* ---- the stream ---- */

/* What a list by an index lacks is no secret: "recall", of as many users as "recall_users". */
static bool describe_recall(const rank_output *o, dq_bundle *b)
{
    return !o->by_index ||
           (dq_map_set(&b->arena, &b->meta, "recall", dq_real_or_nil(o->recall)) &&
            dq_map_set(&b->arena, &b->meta, "recall_users", dq_int((int64_t)o->recall_users)));
}

static dq_status describe(const rank_output *o, dq_bundle *bundle, dq_error *e)
{
    dq_arena *arena = &bundle->arena;
    if (describe_recall(o, bundle) && dq_map_set(arena, &bundle->meta, "by", dq_string(arena, o->by)) &&
        dq_map_set(arena, &bundle->meta, "order", dq_string(arena, dq_rank_order_names[o->order])) &&
        dq_map_set(arena, &bundle->meta, "settings", dq_string(arena, o->settings)) &&
        dq_map_set(arena, &bundle->meta, "k", dq_int((int64_t)o->options->k)) &&
        (o->networks < 2 || dq_map_set(arena, &bundle->meta, "networks", dq_int((int64_t)o->networks))) &&
        (!o->within || dq_map_set(arena, &bundle->meta, "within", dq_int((int64_t)o->within))))
        return DQ_OK;
    return dq_fail(e, DQ_ERR_MEMORY, "out of memory for the output");
}

static dq_status add_logged(const rank_output *o, dq_bundle *bundle, dq_error *e)
{
    dq_status s = dq_bundle_add_numbers(bundle, "propensity", DQ_F8, o->propensities, NULL, NULL, e);
    if (!s)
        s = dq_bundle_add_text(bundle, "request", DQ_TEXT, o->requests.offsets, o->requests.data, NULL, e);
    if (!s) s = dq_bundle_add_text(bundle, "model", DQ_TEXT, o->models.offsets, o->models.data, NULL, e);
    return s;
}

static dq_status put_bundle(rank_output *o, dq_error *e)
{
    dq_bundle bundle;
    if (o->users.count == 0) return DQ_OK;
    dq_status s = dq_bundle_init(&bundle, DQ_KIND_RANKINGS, o->users.count, e);
    if (!s) s = describe(o, &bundle, e);
    if (!s) s = dq_bundle_add_text(&bundle, "user", DQ_TEXT, o->users.offsets, o->users.data, NULL, e);
    if (!s) s = dq_bundle_add_text(&bundle, "item", DQ_TEXT, o->items.offsets, o->items.data, NULL, e);
    if (!s) s = dq_bundle_add_numbers(&bundle, "rank", DQ_U4, o->ranks, NULL, NULL, e);
    if (!s) s = dq_bundle_add_numbers(&bundle, "score", DQ_F4, o->scores, NULL, NULL, e);
    if (!s && o->order != DQ_RANK_SCORE)
        s = dq_bundle_add_numbers(&bundle, "value", DQ_F4, o->values, NULL, NULL, e);
    if (!s && o->options->disagreement)
        s = dq_bundle_add_numbers(&bundle, "disagreement", DQ_F4, o->disagreements, NULL, NULL, e);
    if (!s && is_drawn(o)) s = add_logged(o, &bundle, e);
    if (!s) s = dq_writer_put(o->writer, &bundle, e);
    dq_bundle_free(&bundle);
    dq_strings_clear(&o->users);
    dq_strings_clear(&o->items);
    dq_strings_clear(&o->requests);
    dq_strings_clear(&o->models);
    return s;
}

static dq_status stream_list(rank_output *o, const char *user, size_t n, const dq_rank_place *places,
                             size_t count, dq_error *e)
{
    dq_status s = DQ_OK;
    char request[REQUEST];
    name_request(o, user, n, request);
    for (size_t i = 0; !s && i < count; i++) {
        if (o->users.count == BUNDLE_ROWS && (s = put_bundle(o, e))) return s;
        o->ranks[o->users.count] = (uint32_t)(i + 1);
        o->scores[o->users.count] = order_score(o, &places[i], i + 1, count);
        o->values[o->users.count] = places[i].score;
        o->disagreements[o->users.count] = places[i].disagreement;
        o->propensities[o->users.count] = places[i].propensity;
        if (is_drawn(o)) s = dq_strings_add(&o->requests, request, REQUEST - 1, e);
        if (!s && is_drawn(o))
            s = dq_strings_add(&o->models, o->options->run_name, strlen(o->options->run_name), e);
        if (!s) s = dq_strings_add(&o->users, user, n, e);
        if (!s) s = dq_strings_add(&o->items, places[i].item, places[i].item_bytes, e);
    }
    return s;
}

/* ---- either ---- */

dq_status rank_output_list(rank_output *output, const char *user, size_t user_bytes,
                           const dq_rank_place *places, size_t count, dq_error *error)
{
    return output->writer ? stream_list(output, user, user_bytes, places, count, error)
                          : text_list(output, user, user_bytes, places, count, error);
}

static void free_output(rank_output *output)
{
    dq_json_text_free(&output->line);
    dq_strings_free(&output->users);
    dq_strings_free(&output->items);
    dq_strings_free(&output->requests);
    dq_strings_free(&output->models);
    free(output);
}

dq_status rank_output_close(rank_output *output, dq_error *error)
{
    dq_status status = output->writer ? put_bundle(output, error) : put_header(output, error);
    if (status) {
        rank_output_abort(output);
        return status;
    }
    status = output->writer ? dq_writer_close(output->writer, error) : dq_sink_close(output->sink, error);
    free_output(output);
    return status;
}

void rank_output_abort(rank_output *output)
{
    if (!output) return;
    dq_writer_abort(output->writer);
    dq_sink_abort(output->sink);
    free_output(output);
}
