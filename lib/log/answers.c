/* SPDX-License-Identifier: MIT
 *
 * An answer is found by its request and its item. Their bytes together are the key, the request's length
 * before them, so that no two pairs have one key.
 */
#include "log/answers.h"

#include "core/array.h"
#include "core/digest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct dq_log_answer {
    uint32_t label; /* number in join.labels, or DQ_ABSENT */
    bool met;       /* a showing has it */
    float reward;   /* NAN: none */
    double worth;   /* -INFINITY: the map does not know it */
} dq_log_answer;

/* ---- keys ---- */

typedef struct key {
    char *bytes;
    size_t n, capacity;
} key;

/* False: a row without a request has no answers; or memory is short (*status). */
static bool make_key(key *k, const dq_column *request, const dq_column *item, uint64_t row, dq_status *status,
                     dq_error *error)
{
    size_t n = 0, m = 0;
    const char *asked = request ? dq_column_text(request, row, &n) : NULL;
    const char *shown = dq_column_text(item, row, &m);
    if (!asked || !shown) return false;
    uint32_t length = (uint32_t)n;
    k->n = sizeof length + n + m;
    if (!dq_array_reserve(&k->bytes, &k->capacity, k->n, 1)) {
        *status = dq_fail_memory(error, "answers");
        return false;
    }
    memcpy(k->bytes, &length, sizeof length);
    memcpy(k->bytes + sizeof length, asked, n);
    memcpy(k->bytes + sizeof length + n, shown, m);
    return true;
}

/* ---- answers ---- */

static dq_status take_answer(dq_log_join *join, const key *k, dq_log_answer answer, dq_error *error)
{
    uint32_t row;
    bool added;
    if (!dq_array_reserve(&join->answers, &join->capacity, dq_index_count(&join->keys) + 1,
                          sizeof *join->answers))
        return dq_fail_memory(error, "answers");
    dq_status status = dq_index_add(&join->keys, k->bytes, k->n, &row, &added, error);
    if (status || (!added && join->answers[row].worth >= answer.worth)) return status;
    answer.met = !added && join->answers[row].met;
    join->answers[row] = answer;
    return DQ_OK;
}

static dq_status read_answer(dq_log_join *join, const dq_bundle *b, uint64_t row, dq_log_answer *answer,
                             dq_error *error)
{
    const dq_column *label = dq_bundle_column(b, "label"), *reward = dq_bundle_column(b, "reward");
    size_t n = 0;
    const char *text = label ? dq_column_text(label, row, &n) : NULL;
    bool given = reward && !dq_column_is_null(reward, row);
    *answer = (dq_log_answer){.label = DQ_ABSENT, .reward = NAN};
    if (given) answer->reward = (float)dq_column_number(reward, row);
    float worth = dq_label_map_reward(join->map, answer->reward, text, n);
    answer->worth = isnan(worth) ? -INFINITY : (double)worth;
    return text ? dq_index_add(&join->labels, text, n, &answer->label, NULL, error) : DQ_OK;
}

dq_status dq_log_join_take(dq_log_join *join, const dq_bundle *answers, dq_error *error)
{
    const dq_column *request = dq_bundle_column(answers, "request"),
                    *item = dq_bundle_column(answers, "item");
    key k = {0};
    dq_status status = DQ_OK;
    for (uint64_t r = 0; r < answers->rows && !status; r++) {
        dq_log_answer answer;
        if (!make_key(&k, request, item, r, &status, error)) continue;
        status = read_answer(join, answers, r, &answer, error);
        if (!status) status = take_answer(join, &k, answer, error);
    }
    free(k.bytes);
    return status;
}

/* ---- showings ---- */

/* The answers of a bundle's rows: numbers in join.answers, or DQ_ABSENT. NULL when memory is short. */
static uint32_t *find_answers(dq_log_join *join, const dq_bundle *shown, dq_status *status, dq_error *error)
{
    const dq_column *request = dq_bundle_column(shown, "request"), *item = dq_bundle_column(shown, "item");
    uint32_t *found = malloc(((size_t)shown->rows + 1) * sizeof *found);
    key k = {0};
    if (!found) *status = dq_fail_memory(error, "%llu showings", (unsigned long long)shown->rows);
    for (uint64_t r = 0; r < shown->rows && !*status; r++) {
        bool asked = make_key(&k, request, item, r, status, error);
        found[r] = asked ? dq_index_find(&join->keys, k.bytes, k.n) : DQ_ABSENT;
        join->shown++;
        if (found[r] == DQ_ABSENT) continue;
        join->answered++;
        join->met += !join->answers[found[r]].met;
        join->answers[found[r]].met = true;
    }
    free(k.bytes);
    return found;
}

/* The label of a row, or NULL. */
static const char *label_of(const dq_log_join *join, uint32_t answer, size_t *n)
{
    *n = join->unanswered ? strlen(join->unanswered) : 0;
    if (answer == DQ_ABSENT) return join->unanswered;
    uint32_t label = join->answers[answer].label;
    return label == DQ_ABSENT ? NULL : dq_index_id(&join->labels, label, n);
}

static dq_status add_labels(const dq_log_join *join, const uint32_t *found, dq_bundle *to, dq_error *error)
{
    size_t n, bytes = 0;
    for (uint64_t r = 0; r < to->rows; r++) /* all were looked up: NOLINTNEXTLINE(*.CallAndMessage) */
        bytes += label_of(join, found[r], &n) ? n : 0;
    if (bytes > UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "more than 4 GiB of labels");
    uint32_t *offsets = dq_arena_zero(&to->arena, (size_t)to->rows + 1, sizeof *offsets);
    uint8_t *nulls = dq_arena_zero(&to->arena, (size_t)to->rows + 1, 1);
    char *data = dq_arena_take(&to->arena, bytes + 1);
    if (!offsets || !nulls || !data) return dq_fail_memory(error, "labels");
    bool any = false;
    for (uint64_t r = 0; r < to->rows; r++) {
        const char *label = label_of(join, found[r], &n); /* NOLINT(*.CallAndMessage): likewise */
        if (label) memcpy(data + offsets[r], label, n);
        nulls[r] = label ? 0 : 1;
        any |= label != NULL;
        offsets[r + 1] = offsets[r] + (label ? (uint32_t)n : 0);
    }
    return any ? dq_bundle_add_text(to, "label", DQ_TEXT, offsets, data, nulls, error) : DQ_OK;
}

static dq_status add_rewards(const dq_log_join *join, const uint32_t *found, dq_bundle *to, dq_error *error)
{
    float *rewards = dq_arena_zero(&to->arena, (size_t)to->rows + 1, sizeof *rewards);
    uint8_t *nulls = dq_arena_zero(&to->arena, (size_t)to->rows + 1, 1);
    bool any = false;
    if (!rewards || !nulls) return dq_fail_memory(error, "rewards");
    for (uint64_t r = 0; r < to->rows; r++) {
        /* all were looked up: NOLINTNEXTLINE(*.UndefinedBinaryOperatorResult) */
        float reward = found[r] == DQ_ABSENT ? NAN : join->answers[found[r]].reward;
        nulls[r] = (bool)isnan(reward);
        rewards[r] = nulls[r] ? 0 : reward;
        any |= !nulls[r];
    }
    return any ? dq_bundle_add_numbers(to, "reward", DQ_F4, rewards, NULL, nulls, error) : DQ_OK;
}

/* What tells two bundles apart, as the digest of a record that was read does (dq_bundle.body_hash). */
static uint64_t digest_of(const dq_bundle *shown, const dq_bundle *joined, size_t from)
{
    uint64_t digest = shown->body_hash;
    for (size_t i = from; i < joined->column_count; i++) {
        const dq_column *c = &joined->columns[i];
        digest = dq_digest_seeded(c->data, c->bytes, digest);
        if (c->offsets)
            digest = dq_digest_seeded(c->offsets, ((size_t)joined->rows + 1) * sizeof *c->offsets, digest);
    }
    return digest;
}

/* A copy of the rows without what an answer says. */
static dq_status copy_shown(const dq_bundle *shown, dq_bundle *copy, dq_error *error)
{
    static const char *const without[] = {"label", "reward", NULL};
    dq_bundle plain;
    uint32_t *rows = malloc(((size_t)shown->rows + 1) * sizeof *rows);
    if (!rows) return dq_fail_memory(error, "showings");
    for (uint32_t r = 0; r < shown->rows; r++) rows[r] = r;
    dq_status status = dq_bundle_borrow(&plain, shown, without, error);
    if (!status) {
        status = dq_bundle_select(copy, &plain, rows, (size_t)shown->rows, error);
        dq_bundle_free(&plain);
    }
    free(rows);
    return status;
}

dq_status dq_log_join_make(dq_log_join *join, const dq_bundle *shown, dq_bundle *joined, dq_error *error)
{
    dq_status status = DQ_OK;
    *joined = DQ_BUNDLE_EMPTY;
    uint32_t *found = find_answers(join, shown, &status, error);
    if (!status) status = copy_shown(shown, joined, error);
    size_t columns = joined->column_count;
    if (!status) status = add_labels(join, found, joined, error);
    if (!status) status = add_rewards(join, found, joined, error);
    if (!status) joined->body_hash = digest_of(shown, joined, columns);
    if (status) dq_bundle_free(joined);
    free(found);
    return status;
}

/* ---- a reader's bundles ---- */

static dq_status check_files(const dq_log_join *join, dq_error *error)
{
    struct stat is;
    bool files = join->path_count > 0;
    for (size_t i = 0; i < join->path_count; i++)
        files &= strcmp(join->paths[i], "-") != 0 && stat(join->paths[i], &is) == 0 && S_ISREG(is.st_mode);
    if (files) return DQ_OK;
    return dq_fail(
        error, DQ_ERR_UNSUPPORTED,
        "this is a server's log, whose answers stand behind what they answer: it is read twice, and "
        "has to be a file");
}

dq_status dq_log_join_knows(const dq_log_join *join, dq_error *error)
{
    double reward;
    const char *label = join->unanswered;
    if (!label || dq_label_map_find(join->map, label, strlen(label), &reward)) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNKNOWN, "--unanswered: the map has no label '%s'", label);
}

static dq_status read_answers(dq_log_join *join, dq_error *error)
{
    dq_reader *reader;
    dq_bundle bundle;
    int got = 0;
    dq_status status = dq_log_join_knows(join, error);
    if (status) return status;
    join->read = true;
    status = check_files(join, error);
    if (!status) status = dq_reader_open(&reader, join->paths, join->path_count, error);
    if (status) return status;
    while (!status && (got = dq_reader_next(reader, &bundle, error)) > 0) {
        if (dq_log_kind_of(&bundle) == DQ_LOG_ANSWERS) status = dq_log_join_take(join, &bundle, error);
        dq_bundle_free(&bundle);
        if (status) (void)dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
    }
    dq_reader_close(reader);
    return got < 0 ? error->status : status;
}

static int join_bundle(void *arg, dq_bundle *bundle, dq_error *error)
{
    dq_log_join *join = arg;
    dq_bundle joined;
    dq_log_kind kind = dq_log_kind_of(bundle);
    if (kind == DQ_LOG_NONE) return 1;
    if (!join->read && read_answers(join, error)) return -1;
    bool shown = kind == DQ_LOG_SHOWN && bundle->rows > 0;
    if (shown && dq_log_join_make(join, bundle, &joined, error)) return -1;
    dq_bundle_free(bundle);
    if (shown) *bundle = joined;
    return shown;
}

dq_status dq_log_join_reader(dq_log_join *join, dq_reader *reader, const char *const *paths, size_t count,
                             dq_error *error)
{
    (void)error;
    join->paths = paths;
    join->path_count = count;
    join->shown = join->answered = 0;
    join->filter = (dq_bundle_filter){.pass = join_bundle, .arg = join};
    dq_reader_filter(reader, &join->filter);
    return DQ_OK;
}

dq_status dq_log_join_check(const dq_log_join *join, dq_error *error)
{
    if (!join->unanswered || join->read) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNSUPPORTED, "--unanswered: there is no server's log in the input");
}

bool dq_log_join_describe(const dq_log_join *join, char *words, size_t size)
{
    uint64_t answers = dq_index_count(&join->keys), unasked = answers - join->met;
    *words = '\0';
    if (!join->shown && !answers) return false;
    int n = snprintf(words, size, "a server's log: %llu of %llu showings were answered",
                     (unsigned long long)join->answered, (unsigned long long)join->shown);
    if (unasked && n > 0 && (size_t)n < size)
        (void)snprintf(words + n, size - (size_t)n, ", and %llu answers are to nothing that was shown",
                       (unsigned long long)unasked);
    return true;
}

void dq_log_join_free(dq_log_join *join)
{
    dq_index_free(&join->keys);
    dq_index_free(&join->labels);
    free(join->answers);
    *join = (dq_log_join){.map = join->map, .unanswered = join->unanswered};
}
