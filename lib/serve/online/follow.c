/* SPDX-License-Identifier: MIT */
#include "serve/online/follow.h"

#include "core/array.h"
#include "core/digest.h"
#include "core/record.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

/* ---- where a model has come to ---- */

static const char key[] = "follow";
static const dq_record_field fields[] = {
    {"position", DQ_RECORD_COUNT, offsetof(dq_follow_at, position)},
    {"rows", DQ_RECORD_COUNT, offsetof(dq_follow_at, rows)},
    {"catalogue", DQ_RECORD_COUNT, offsetof(dq_follow_at, catalogue)},
};
enum { FIELDS = sizeof fields / sizeof *fields };

dq_status dq_follow_load(dq_follow_at *at, const dq_bundle *model, dq_error *error)
{
    *at = (dq_follow_at){0};
    if (!dq_map_get(&model->meta, key)) return DQ_OK;
    return dq_record_restore(fields, FIELDS, at, key, model, error);
}

dq_status dq_follow_save(const dq_follow_at *at, dq_bundle *model, dq_error *error)
{
    return dq_record_save(fields, FIELDS, at, key, model, error);
}

dq_status dq_follow_check(const dq_models *models, const char **kind, dq_error *error)
{
    dq_agent_config config;
    dq_env_spec shape;
    if (models->count != 1)
        return dq_fail(error, DQ_ERR_RANGE, "%zu models, where one is wanted", models->count);
    dq_status status = dq_agent_read_config(&models->at[0], kind, &config, &shape, error);
    if (status || shape.states.count) return status;
    return dq_fail(error, DQ_ERR_UNSUPPORTED,
                   "--follow goes on from a model whose states are users (dq-train --offline)");
}

/* ---- when ---- */

bool dq_follow_parse_every(const char *text, dq_follow_every *every)
{
    static const char units[] = "smhd";
    static const double seconds[] = {1, 60, 3600, 86400};
    enum { DIGITS = 9 };
    *every = (dq_follow_every){0};
    if (!text) return true;
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > DIGITS) return false;
    unsigned long number = strtoul(text, NULL, 10);
    const char *unit = text[n] ? strchr(units, text[n]) : NULL;
    if (number == 0 || (text[n] && (!unit || text[n + 1]))) return false;
    if (unit)
        every->seconds = (double)number * seconds[unit - units];
    else
        every->rows = number;
    return true;
}

/* ---- rows ---- */

enum { LOOK = 500 }; /* milliseconds between looks at whether somebody wants us to stop */

static bool reserve(dq_follow_rows *f, size_t more)
{
    size_t capacity = dq_array_capacity(f->capacity, f->count + more);
    if (capacity == f->capacity) return true;
    if (!dq_array_resize(&f->user, capacity, sizeof *f->user) ||
        !dq_array_resize(&f->item, capacity, sizeof *f->item) ||
        !dq_array_resize(&f->reward, capacity, sizeof *f->reward))
        return false;
    f->capacity = capacity;
    return true;
}

static uint32_t find(const dq_entities *entities, const dq_column *ids, uint64_t r)
{
    size_t n;
    const char *id = dq_column_text(ids, r, &n);
    return id ? dq_entities_find(entities, id, n) : DQ_ABSENT;
}

/* Of users who are held out: of a share that has nothing to do with that of a model (dq_share). */
static bool is_held(const dq_follow_rows *f, const dq_column *user, uint64_t r)
{
    enum { SEED = 0x6865, BITS = 53 };
    size_t n = 0;
    const char *id = dq_column_text(user, r, &n);
    return id && ldexp((double)(dq_digest_seeded(id, n, SEED) >> (64 - BITS)), -BITS) < f->hold_out;
}

/* Whoever judges what was learnt does so by rows of users from whom nothing was: numbers (count) of a
 * section's rows, which are no part of a log any more. */
static dq_status hold(dq_follow_rows *f, const dq_bundle *b, const uint32_t *numbers, size_t count,
                      dq_error *error)
{
    dq_bundle held;
    f->held_count += count;
    if (!f->held || count == 0) return DQ_OK;
    dq_status status = dq_bundle_select(&held, b, numbers, count, error);
    held.meta = dq_map();
    if (!status) status = dq_writer_put(f->held, &held, error);
    dq_bundle_free(&held);
    return status;
}

dq_status dq_follow_hold(dq_follow_rows *f, double share, const char *path, const dq_maker *maker,
                         dq_error *error)
{
    f->hold_out = share;
    return share > 0 ? dq_writer_open(&f->held, path, maker, NULL, 0, error) : DQ_OK;
}

dq_status dq_follow_held(dq_follow_rows *f, dq_status status, dq_error *error)
{
    dq_writer *writer = f->held;
    f->held = NULL;
    if (writer && !status) return dq_writer_close(writer, error);
    dq_writer_abort(writer);
    return status;
}

static void learn_from(dq_follow_rows *f, const dq_bundle *b, const dq_column *user, uint64_t r)
{
    const dq_column *item = dq_bundle_column(b, "item"), *label = dq_bundle_column(b, "label"),
                    *reward = dq_bundle_column(b, "reward");
    size_t n = 0, at = f->count;
    const char *text = label ? dq_column_text(label, r, &n) : NULL;
    bool given = reward && !dq_column_is_null(reward, r);
    f->user[at] = find(&f->catalogue->users, user, r);
    f->item[at] = find(&f->catalogue->items, item, r);
    f->reward[at] = dq_label_map_reward(f->map, given ? (float)dq_column_number(reward, r) : NAN, text, n);
    if (isnan(f->reward[at]))
        f->unrewarded++;
    else if (f->user[at] == DQ_ABSENT || f->item[at] == DQ_ABSENT)
        f->unknown++;
    else
        f->count++;
}

static dq_status take_section(dq_follow_rows *f, const dq_bundle *b, dq_error *error)
{
    const dq_column *user = dq_bundle_column(b, "user"), *item = dq_bundle_column(b, "item");
    if (!user || !item || user->type != DQ_TEXT || item->type != DQ_TEXT)
        return dq_fail(error, DQ_ERR_SCHEMA, "showings that name no user or item");
    uint32_t *held = malloc(((size_t)b->rows + 1) * sizeof *held);
    size_t n = 0;
    dq_status status = held && reserve(f, (size_t)b->rows) ? DQ_OK : dq_fail_memory(error, "a log");
    for (uint64_t r = 0; !status && r < b->rows; r++) {
        if (is_held(f, user, r))
            held[n++] = (uint32_t)r;
        else
            learn_from(f, b, user, r);
    }
    if (!status) status = hold(f, b, held, n, error);
    free(held);
    return status;
}

/* What is settled for now, or until there is enough. */
static dq_status take(dq_follow_rows *f, uint64_t most, dq_error *error)
{
    const dq_bundle *rows;
    uint64_t position;
    int got = 1;
    while ((!most || f->fresh < most) && (got = dq_log_settle_next(f->log, &rows, &position, error)) > 0) {
        size_t before = f->count;
        dq_status status = take_section(f, rows, error);
        if (status) return status;
        f->position = position;
        if (position > f->past) f->fresh += f->count - before;
    }
    return got < 0 ? error->status : DQ_OK;
}

static double seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

dq_status dq_follow_gather(dq_follow_rows *f, const dq_follow_every *every, bool (*stop_asked)(void),
                           bool *enough, dq_error *error)
{
    double begun = seconds_now();
    for (;;) {
        dq_status status = take(f, every->rows, error);
        bool late = seconds_now() - begun >= every->seconds;
        *enough = f->fresh > 0 && (every->rows ? f->fresh >= every->rows : late);
        bool waits = every->rows > 0 || every->seconds > 0;
        if (status || *enough || !waits || (stop_asked && stop_asked())) return status;
        dq_log_settle_wait(f->log, LOOK);
    }
}

void dq_follow_rows_free(dq_follow_rows *f)
{
    free(f->user);
    free(f->item);
    free(f->reward);
    *f = (dq_follow_rows){0};
}

/* ---- learning ---- */

static dq_status observe(const dq_follow_rows *f, dq_agent *agent, const dq_vectors *states,
                         dq_follow_learnt *learnt, dq_error *error)
{
    uint64_t steps = 0;
    double loss = 0, reward = 0;
    uint64_t before = dq_agent_steps(agent);
    dq_status status = DQ_OK;
    for (size_t i = 0; i < f->count && !status; i++) {
        dq_agent_losses losses;
        const dq_transition t = {.state = f->user[i],
                                 .action = f->item[i],
                                 .next = f->user[i],
                                 .reward = f->reward[i],
                                 .discount = 1};
        dq_agent_observe(agent, 0, states, &t, true);
        reward += (double)f->reward[i];
        if (!dq_agent_ready(agent)) continue;
        status = dq_agent_learn(agent, &losses, error);
        loss += losses.q;
        steps++;
    }
    *learnt = (dq_follow_learnt){.updates = dq_agent_steps(agent) - before,
                                 .loss = steps ? loss / (double)steps : NAN,
                                 .reward = f->count ? reward / (double)f->count : NAN};
    return status;
}

dq_status dq_follow_learn(const dq_follow_rows *f, dq_agent *agent, const dq_vectors *states,
                          dq_follow_at *at, dq_bundle *model, dq_follow_learnt *learnt, dq_error *error)
{
    dq_status status = observe(f, agent, states, learnt, error);
    at->position = f->position;
    at->rows += f->count;
    if (!status) status = dq_bundle_init(model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_agent_save(agent, true, model, error);
    return status ? status : dq_follow_save(at, model, error);
}

/* ---- in words ---- */

void dq_follow_describe(const dq_follow_rows *f, const dq_follow_learnt *learnt, char *words, size_t size)
{
    int n = snprintf(words, size, "%zu rows learnt from (mean reward %.4g) in %llu updates", f->count,
                     learnt->reward, (unsigned long long)learnt->updates);
    size_t at = n > 0 && (size_t)n < size ? (size_t)n : size;
    if (at < size && !isnan(learnt->loss)) {
        n = snprintf(words + at, size - at, " (loss %.4g)", learnt->loss);
        at = n > 0 && (size_t)n < size - at ? at + (size_t)n : size;
    }
    if (at < size && f->unrewarded + f->unknown + f->held_count > 0)
        (void)snprintf(words + at, size - at,
                       "; left out: %llu without a reward, %llu of users or items that the catalogue lacks, "
                       "%zu held out",
                       (unsigned long long)f->unrewarded, (unsigned long long)f->unknown, f->held_count);
}

static bool report_judged(const dq_command_end *judged, dq_arena *arena, dq_value *line)
{
    return !judged || (dq_map_set(arena, line, "accepted", dq_bool(judged->exit == 0)) &&
                       dq_map_set(arena, line, "verdict", dq_string(arena, judged->last)));
}

bool dq_follow_report(const dq_follow_at *at, const dq_follow_rows *f, const dq_follow_learnt *learnt,
                      const dq_command_end *judged, dq_arena *arena, dq_value *line)
{
    return dq_map_set(arena, line, "position", dq_int((int64_t)at->position)) &&
           dq_map_set(arena, line, "rows", dq_int((int64_t)f->count)) &&
           dq_map_set(arena, line, "rows_in_all", dq_int((int64_t)at->rows)) &&
           dq_map_set(arena, line, "unrewarded", dq_int((int64_t)f->unrewarded)) &&
           dq_map_set(arena, line, "unknown", dq_int((int64_t)f->unknown)) &&
           dq_map_set(arena, line, "updates", dq_int((int64_t)learnt->updates)) &&
           dq_map_set(arena, line, "reward", dq_real_or_nil(learnt->reward)) &&
           dq_map_set(arena, line, "loss", dq_real_or_nil(learnt->loss)) &&
           report_judged(judged, arena, line);
}
