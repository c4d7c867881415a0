/* SPDX-License-Identifier: MIT */
#include "data/label_map.h"

#include "core/words/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A whole text as a finite number; false when it is none. */
static bool parse_number(const char *text, size_t n, double *value)
{
    char copy[64];
    if (n >= sizeof copy) return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    return dq_number_is(copy, value);
}

static dq_status parse_entry(dq_label_map *map, const char *text, size_t n, dq_error *error)
{
    const char *equals = memchr(text, '=', n);
    double value;
    if (!equals || equals == text || !parse_number(equals + 1, n - (size_t)(equals + 1 - text), &value))
        return dq_fail(error, DQ_ERR_RANGE, "'%.*s' is not LABEL=NUMBER", (int)n, text);
    if (!isfinite((float)value)) /* as which rewards are kept */
        return dq_fail(error, DQ_ERR_NUMERIC, "'%.*s' is not a finite reward (float32)", (int)n, text);
    if (dq_index_count(&map->labels) == DQ_LABEL_MAP_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "more than %d labels in a reward map", DQ_LABEL_MAP_MAX);
    uint32_t number;
    bool added;
    dq_status status = dq_index_add(&map->labels, text, (size_t)(equals - text), &number, &added, error);
    if (status) return status;
    if (!added)
        return dq_fail(error, DQ_ERR_DUPLICATE, "label '%.*s' stands twice in the reward map",
                       (int)(equals - text), text);
    map->rewards[number] = value;
    return DQ_OK;
}

dq_status dq_label_map_parse(dq_label_map *map, const char *text, dq_error *error)
{
    *map = (dq_label_map){0};
    dq_status status = DQ_OK;
    for (const char *p = text; !status; p++) {
        size_t n = strcspn(p, ",");
        status = parse_entry(map, p, n, error);
        p += n;
        if (!*p) break;
    }
    if (status) dq_label_map_free(map);
    return status;
}

void dq_label_map_free(dq_label_map *map)
{
    dq_index_free(&map->labels);
}

bool dq_label_map_find(const dq_label_map *map, const char *label, size_t bytes, double *reward)
{
    uint32_t number = dq_index_find(&map->labels, label, bytes);
    if (number == DQ_ABSENT) return false;
    *reward = map->rewards[number];
    return true;
}

float dq_label_map_reward(const dq_label_map *map, float given, const char *label, size_t bytes)
{
    double mapped;
    if (!isnan(given)) return given;
    return label && dq_label_map_find(map, label, bytes, &mapped) ? (float)mapped : NAN;
}

double dq_label_map_ignore(const dq_label_map *map)
{
    double ignore;
    return dq_label_map_find(map, "IGNORE", strlen("IGNORE"), &ignore) ? ignore : -0.1;
}
