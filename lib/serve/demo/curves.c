/* SPDX-License-Identifier: MIT */
#include "serve/demo/curves.h"

#include "port/files/json.h"

#include <math.h>
#include <stddef.h>

/* ---- a line ---- */

static double number_of(const dq_value *line, const char *key)
{
    return dq_value_number(dq_map_get(line, key), NAN);
}

static bool read_value(const dq_value *line, dq_demo_progress *progress)
{
    int64_t epoch = dq_value_integer(dq_map_get(line, "epoch"), 0);
    int64_t episode = dq_value_integer(dq_map_get(line, "episode"), 0);
    if (dq_map_get(line, "evaluation") || (epoch < 1 && episode < 1)) return false;
    *progress = (dq_demo_progress){.episode = (uint64_t)(epoch > 0 ? epoch : episode),
                                   .reward = number_of(line, epoch > 0 ? "validation_ndcg" : "return"),
                                   .average = NAN,
                                   .length = number_of(line, "steps"),
                                   .loss = number_of(line, "q_loss"),
                                   .epsilon = number_of(line, "epsilon")};
    return true;
}

bool dq_demo_progress_read(const char *line, size_t n, dq_demo_progress *progress)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value value;
    bool read = dq_json_parse(line, n, &arena, &value, NULL) == DQ_OK && read_value(&value, progress);
    dq_arena_free(&arena);
    return read;
}

/* ---- curves ---- */

/* Of the last rewards, added up anew each time: no error is carried along. */
static double average(const dq_demo_curves *curves)
{
    uint64_t n = curves->rewards < DQ_DEMO_WINDOW ? curves->rewards : DQ_DEMO_WINDOW;
    double sum = 0;
    for (uint64_t i = 0; i < n; i++) sum += curves->recent[i];
    return n ? sum / (double)n : NAN;
}

/* Every second point goes. */
static void thin(dq_demo_curves *curves)
{
    for (uint32_t i = 0; 2 * i < curves->count; i++) curves->at[i] = curves->at[2 * i];
    curves->count = (curves->count + 1) / 2;
    curves->stride *= 2;
}

void dq_demo_curves_add(dq_demo_curves *curves, dq_demo_progress *progress)
{
    if (!isnan(progress->reward)) curves->recent[curves->rewards++ % DQ_DEMO_WINDOW] = progress->reward;
    progress->average = average(curves);
    if (!curves->stride) curves->stride = 1;
    curves->latest = progress->episode;
    if ((progress->episode - 1) % curves->stride) return;
    if (curves->count == DQ_DEMO_POINTS) thin(curves);
    if ((progress->episode - 1) % curves->stride == 0) curves->at[curves->count++] = *progress;
}

static bool add_list(const dq_demo_curves *curves, size_t offset, const char *name, dq_arena *arena,
                     dq_value *map)
{
    dq_value list = dq_list();
    bool ok = true;
    for (uint32_t i = 0; ok && i < curves->count; i++) {
        const char *point = (const char *)&curves->at[i];
        ok = dq_list_add(arena, &list, dq_real_or_nil(*(const double *)(const void *)(point + offset)));
    }
    return ok && dq_map_set(arena, map, name, list);
}

bool dq_demo_curves_write(const dq_demo_curves *curves, dq_arena *arena, dq_value *map)
{
    static const struct {
        const char *name;
        size_t offset;
    } lists[] = {{"rewards", offsetof(dq_demo_progress, reward)},
                 {"lengths", offsetof(dq_demo_progress, length)},
                 {"moving_average", offsetof(dq_demo_progress, average)},
                 {"losses", offsetof(dq_demo_progress, loss)},
                 {"epsilons", offsetof(dq_demo_progress, epsilon)}};
    bool ok = dq_map_set(arena, map, "window", dq_int(DQ_DEMO_WINDOW)) &&
              dq_map_set(arena, map, "stride", dq_int(curves->stride ? (int64_t)curves->stride : 1)) &&
              dq_map_set(arena, map, "points", dq_int(curves->count));
    for (size_t i = 0; ok && i < sizeof lists / sizeof *lists; i++)
        ok = add_list(curves, lists[i].offset, lists[i].name, arena, map);
    return ok;
}
