/* SPDX-License-Identifier: MIT
 *
 * What command lines say in a form of their own: rewards of labels, levels of labels, weights, prices, pairs,
 * measures. The first byte chooses one, the rest is the text.
 */
#include "fuzz.h"

#include "llm/price.h"
#include "measure/pick.h"
#include "report/rankings.h"
#include "reward/pairs.h"
#include "reward/weight.h"

#include "llm/ask.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void read_rewards(const char *text)
{
    dq_error e = DQ_ERROR_NONE;
    dq_label_map map;
    size_t n;
    if (dq_label_map_parse(&map, text, &e)) {
        fuzz_refused(&e);
        return;
    }
    for (size_t i = 0; i < dq_index_count(&map.labels); i++) {
        double reward;
        const char *label = dq_index_id(&map.labels, (uint32_t)i, &n);
        if (!dq_label_map_find(&map, label, n, &reward)) fuzz_fail("a label without its reward");
        fuzz_finite(reward);
        if (isinf(dq_label_map_reward(&map, NAN, label, n))) fuzz_fail("a reward that is no float32");
    }
    fuzz_finite(dq_label_map_ignore(&map));
    dq_label_map_free(&map);
}

static void read_gains(const char *text)
{
    dq_error e = DQ_ERROR_NONE;
    dq_label_map gains;
    if (dq_rankings_gains(text, &gains, &e)) fuzz_refused(&e);
    dq_label_map_free(&gains);
}

static void read_weight(const char *text)
{
    dq_reward_weight w;
    const uint64_t jump = 3;
    if (dq_reward_weight_parse(text, &w))
        for (uint64_t episode = 0; episode < 5; episode++) {
            double weight = dq_reward_weight_at(&w, episode);
            if (!(weight >= 0 && weight <= 1)) fuzz_fail("the weight %g", weight);
            fuzz_finite((double)dq_reward_weigh(weight, 1, -1));
        }
    (void)dq_reward_weight_choose(text, NULL, &w);
    (void)dq_reward_weight_choose(text, &jump, &w);
}

static void read_price(const char *text)
{
    double in, out;
    if (!dq_ask_parse_price(text, &in, &out)) return;
    fuzz_finite(in);
    fuzz_finite(out);
    if (in < 0 || out < 0) fuzz_fail("the price %g:%g", in, out);
}

static void read_pairs(const char *text)
{
    dq_error e = DQ_ERROR_NONE;
    dq_pair_plan plan = {0};
    if (dq_pair_plan_parse(&plan, text, &e)) fuzz_refused(&e);
}

static void read_measures(const char *text)
{
    static dq_measure_picks picks;
    dq_error e = DQ_ERROR_NONE;
    picks.count = 0;
    if (dq_measure_pick_add(&picks, text, "5,10", &e)) fuzz_refused(&e);
    e = DQ_ERROR_NONE;
    if (dq_measure_pick_add(&picks, "ranking", text, &e)) fuzz_refused(&e);
    dq_measure_pick_sort(&picks);
    for (size_t i = 0; i < picks.count; i++) {
        fuzz_finite(picks.at[i].parameter);
        if (strlen(picks.at[i].name) + 1 >= sizeof picks.at[i].name) fuzz_fail("%s is cut", picks.at[i].name);
    }
}

static void read_map(const uint8_t *data, size_t n)
{
    static void (*const readers[])(const char *) = {read_rewards, read_gains, read_weight,
                                                    read_price,   read_pairs, read_measures};
    fuzz_bytes rest = {data, n};
    unsigned choice = fuzz_byte(&rest);
    char *text = fuzz_text(rest);
    readers[choice % (sizeof readers / sizeof *readers)](text);
    free(text);
}

const fuzz_target fuzz_it = {.read = read_map, .memory = 1 << 20, .per_byte = 200};
