/* SPDX-License-Identifier: MIT
 *
 * Factors interactions in memory by als.h, and says how long that took and what the objective is:
 *
 *     als make FILE                          seeded interactions: u32 user, u32 item, f32 weight, each
 *     als exact|cg THREADS SWEEPS WIDTH FILE a line of JSON
 *
 * Who meets what: users and items belong to 40 groups, and meet within their own four times of five; items of
 * a group are met by a law of powers. Weights are 1 to 5. What is drawn twice counts once.
 */
#include "embed/als.h"
#include "core/rng.h"
#include "seconds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { USERS = 6000, ITEMS = 4000, GROUPS = 40, DRAWS = 1099000 };

static const double ALPHA = 40, LAMBDA = 1;

static int make(const char *path)
{
    char *met = calloc(USERS, ITEMS);
    FILE *f = fopen(path, "wb");
    dq_rng rng = dq_rng_stream(18, 0);
    size_t count = 0;
    if (!met || !f) exit(1);
    for (size_t d = 0; d < DRAWS; d++) {
        uint32_t user = (uint32_t)(dq_rng_uniform(&rng) * USERS);
        double rank = pow(dq_rng_uniform(&rng), 1.6) * (ITEMS / GROUPS);
        uint32_t group = dq_rng_uniform(&rng) < 0.8 ? user % GROUPS
                                                    : (uint32_t)(dq_rng_uniform(&rng) * GROUPS);
        dq_als_entry e = {user, (uint32_t)rank * GROUPS + group, 1 + (float)(int)(dq_rng_uniform(&rng) * 5)};
        char *seen = met + (size_t)user * ITEMS + e.item;
        if (*seen) continue;
        *seen = 1;
        if (fwrite(&e, sizeof e, 1, f) != 1) exit(1);
        count++;
    }
    free(met);
    printf("{\"entries\": %zu}\n", count);
    return fclose(f) != 0;
}

static dq_als_entry *read_all(const char *path, size_t *count)
{
    FILE *f = fopen(path, "rb");
    size_t room = DRAWS;
    dq_als_entry *entries = malloc(room * sizeof *entries);
    if (!f || !entries) exit(1);
    *count = fread(entries, sizeof *entries, room, f);
    fclose(f);
    return entries;
}

static double cpu(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + 1e-6 * (double)u.ru_utime.tv_usec;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "make") == 0) return make(argv[2]);
    if (argc != 6) return 2;
    dq_als_config config = DQ_ALS_DEFAULTS;
    config.alpha = ALPHA;
    config.lambda = LAMBDA;
    config.solve = strcmp(argv[1], "exact") == 0 ? DQ_ALS_EXACT : DQ_ALS_CG;
    config.sweeps = (uint32_t)atoi(argv[3]);
    config.width = (uint32_t)atoi(argv[4]);
    size_t count;
    dq_als_entry *entries = read_all(argv[5], &count);
    float *users = malloc((size_t)USERS * config.width * sizeof *users);
    float *items = malloc((size_t)ITEMS * config.width * sizeof *items);
    if (!users || !items) return 1;
    double t0 = seconds(CLOCK_MONOTONIC), c0 = cpu();
    if (dq_als_fit(&config, entries, count, users, USERS, items, ITEMS, (unsigned)atoi(argv[2]), NULL))
        return 1;
    double wall_s = seconds(CLOCK_MONOTONIC) - t0, cpu_s = cpu() - c0;
    printf("{\"wall_s\": %.4f, \"cpu_s\": %.4f, \"objective\": %.9g}\n", wall_s, cpu_s,
           dq_als_objective(&config, entries, count, users, USERS, items, ITEMS));
    free(users);
    free(items);
    free(entries);
    return 0;
}
