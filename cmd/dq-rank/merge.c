/* SPDX-License-Identifier: MIT */
#include "rank.h"

#include "rank/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the rankings read so far are scored by: -1 before the first. */
typedef struct scored_by {
    int by;
    const char *settings; /* kept in */
    dq_arena *arena;
    bool by_index;
    double recall; /* NAN: of one it is not known */
    uint64_t recall_users;
} scored_by;

/* Scores of a baseline depend on more than its name. */
static dq_status check_settings(const dq_value *said, scored_by *scored, bool first, dq_error *error)
{
    bool text = said && said->type == DQ_STRING;
    const char *settings = text ? said->as.string : "";
    size_t bytes = text ? said->count : 0;
    if (first && !(scored->settings = dq_arena_text(scored->arena, settings, bytes)))
        return dq_fail_memory(error, "settings");
    if (strlen(scored->settings) == bytes && memcmp(settings, scored->settings, bytes) == 0) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA, "rankings with other settings cannot be merged: '%.*s' after '%s'",
                   (int)bytes, settings, scored->settings);
}

/* Lists by an index: both numbers are the least of all. */
static void take_recall(const dq_value *meta, scored_by *scored)
{
    const dq_value *of = dq_map_get(meta, "recall_users");
    double recall = dq_value_number(dq_map_get(meta, "recall"), (double)NAN);
    uint64_t users = (uint64_t)dq_value_integer(of, 0);
    if (!of) return;
    if (!scored->by_index || isnan(recall) || recall < scored->recall) scored->recall = recall;
    if (!scored->by_index || users < scored->recall_users) scored->recall_users = users;
    scored->by_index = true;
}

/* Rankings that something else than the score has ordered cannot be merged by score; rankings by different
 * scores cannot be compared; and a list cut at fewer than k may have lost what belongs into the merged one.
 */
static dq_status check_meta(const rank_options *options, const dq_value *meta, scored_by *scored,
                            dq_error *error)
{
    int *by = &scored->by;
    const dq_value *order = dq_map_get(meta, "order"), *name = dq_map_get(meta, "by");
    int64_t k = dq_value_integer(dq_map_get(meta, "k"), INT64_MAX);
    if (order && !dq_value_is(order, dq_rank_order_names[DQ_RANK_SCORE]))
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "rankings ordered by --mmr, --epsilon, --softmax or --explore cannot be merged");
    if (dq_map_get(meta, "within"))
        return dq_fail(
            error, DQ_ERR_UNSUPPORTED,
            "rankings whose scores depend on the whole list, by features within it, cannot be merged: "
            "rank all items at once");
    if (k >= 0 && (uint64_t)k < options->k)
        return dq_fail(error, DQ_ERR_RANGE,
                       "rankings cut at %lld cannot be merged into the best %llu: give -k %lld or less",
                       (long long)k, (unsigned long long)options->k, (long long)k);
    int found = DQ_RANK_BY_AUTO;
    for (int i = DQ_RANK_BY_Q; i < DQ_RANK_BY_COUNT; i++)
        if (dq_value_is(name, dq_rank_by_names[i])) found = i;
    if (*by >= 0 && *by != found)
        return dq_fail(error, DQ_ERR_SCHEMA, "rankings by %s after rankings by %s", dq_rank_by_names[found],
                       dq_rank_by_names[*by]);
    bool first = *by < 0;
    *by = found;
    return check_settings(dq_map_get(meta, "settings"), scored, first, error);
}

static dq_status add_rows(dq_merge *merge, const dq_bundle *bundle, dq_error *error)
{
    const dq_column *users = dq_bundle_column(bundle, "user"), *items = dq_bundle_column(bundle, "item");
    const dq_column *scores = dq_bundle_column(bundle, "score");
    dq_status status = DQ_OK;
    for (uint64_t r = 0; !status && r < bundle->rows; r++) {
        size_t user_bytes, item_bytes;
        const char *user = dq_column_text(users, r, &user_bytes);
        const char *item = dq_column_text(items, r, &item_bytes);
        status = dq_merge_add(merge, user, user_bytes, item, item_bytes, (float)dq_column_number(scores, r),
                              error);
    }
    return status;
}

static dq_status read_rankings(const rank_options *options, dq_reader *reader, dq_merge *merge, scored_by *by,
                               dq_error *error)
{
    dq_status status = DQ_OK;
    dq_bundle bundle;
    int got = 0;
    while (!status && (got = dq_reader_next(reader, &bundle, error)) > 0) {
        if (strcmp(bundle.kind, DQ_KIND_RANKINGS) == 0) {
            status = check_meta(options, &bundle.meta, by, error);
            take_recall(&bundle.meta, by);
            if (!status) status = add_rows(merge, &bundle, error);
            if (status) dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
        }
        dq_bundle_free(&bundle);
    }
    if (!status && got < 0) return error->status;
    if (!status && by->by < 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "no rankings to merge: --merge reads what dq-rank has written");
    return status;
}

static dq_status write_lists(dq_merge *merge, rank_output *output, dq_error *error)
{
    dq_status status = DQ_OK;
    const dq_scored *items;
    size_t bytes, longest = 0;
    for (size_t u = 0; !status && u < dq_merge_count(merge); u++) {
        const char *user = dq_merge_user(merge, u, &bytes);
        size_t n = dq_merge_sorted(merge, u, &items);
        if (n > longest) longest = n;
        status = rank_output_check(output, user, bytes, items, n, error);
    }
    if (status) return status;
    dq_rank_place *places = malloc((longest + 1) * sizeof *places);
    if (!places) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for a list of %zu", longest);
    for (size_t u = 0; !status && u < dq_merge_count(merge); u++) {
        const char *user = dq_merge_user(merge, u, &bytes);
        size_t n = dq_merge_sorted(merge, u, &items);
        for (size_t i = 0; i < n; i++)
            places[i] = (dq_rank_place){items[i].id, items[i].id_bytes, items[i].score, NAN, NAN};
        status = rank_output_list(output, user, bytes, places, n, error);
    }
    free(places);
    return status;
}

dq_status rank_merge_run(const rank_options *options, dq_reader *reader, rank_output *output, dq_arena *arena,
                         dq_error *error)
{
    dq_merge *merge;
    scored_by by = {.by = -1, .arena = arena};
    dq_status status = dq_merge_new(&merge, options->k, error);
    if (!status) status = read_rankings(options, reader, merge, &by, error);
    if (!status) {
        rank_output_describe(output, dq_rank_by_names[by.by], DQ_RANK_SCORE, 0, 0);
        rank_output_settings(output, by.settings);
        if (by.by_index) rank_output_recall(output, by.recall, by.recall_users);
        status = write_lists(merge, output, error);
    }
    dq_merge_free(merge);
    return status;
}
