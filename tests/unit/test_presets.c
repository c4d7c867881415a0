/* SPDX-License-Identifier: MIT
 *
 * Presets, and what an agent's configuration makes of options that were asked for.
 */
#include "learn/presets/presets.h"

#include "env/env.h"
#include "learn/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const dq_setting *const all[] = {
    dq_preset_users,   dq_preset_users_world, dq_preset_published,    dq_preset_lists, dq_preset_tuned,
    dq_preset_session, dq_preset_sequence,    dq_preset_sequence_dqn, dq_preset_films, dq_preset_maze,
};
enum { PRESETS = sizeof all / sizeof *all, OF_ENVIRONMENTS = 5 }; /* the last ones */

static const char *find(const dq_setting *set, const char *name)
{
    for (; set->name; set++)
        if (strcmp(set->name, name) == 0) return set->value;
    return NULL;
}

static double number(const dq_setting *set, const char *name, double otherwise)
{
    const char *value = find(set, name);
    return value ? strtod(value, NULL) : otherwise;
}

static void a_preset_says_each_thing_once_and_fits_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRESETS; i++) {
        for (const dq_setting *s = all[i]; s->name; s++) {
            assert_true(s->value && *s->value);
            assert_null(find(s + 1, s->name));
        }
        assert_true(number(all[i], "epsilon-min", 0) <= number(all[i], "epsilon", 1));
        assert_true(number(all[i], "batch", 1) <= number(all[i], "replay", 1e9));
        assert_true(number(all[i], "gamma", 0) <= 1 && number(all[i], "gamma", 0) >= 0);
    }
}

static void those_of_environments_name_an_agent_and_an_environment_that_exist(void **state)
{
    (void)state;
    for (size_t i = PRESETS - OF_ENVIRONMENTS; i < PRESETS; i++) {
        const char *agent = find(all[i], "agent"), *world = find(all[i], "env");
        char kind[32];
        dq_env *env;
        assert_true(agent && dq_agent_find(agent) && world);
        size_t n = strcspn(world, ":");
        assert_true(n < sizeof kind);
        memcpy(kind, world, n);
        kind[n] = '\0';
        assert_int_equal(dq_env_new(&env, kind, world[n] ? world + n + 1 : NULL, 1, NULL), DQ_OK);
        dq_env_free(env);
    }
}

/* Whether a name is among those that were asked for: words, each between spaces. */
static bool given(const void *arg, const char *part)
{
    char words[64];
    assert_true(strlen(part) + 3 < sizeof words);
    words[0] = ' ';
    strcpy(words + 1, part);
    strcat(words, " ");
    return strstr(arg, words) != NULL;
}

static void the_way_to_move_the_target_that_was_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *asked;
        uint64_t every;
        double tau;
    } cases[] = {
        {" ", 50, 0.1}, {" tau ", 1, 0.1}, {" target-every ", 50, 0}, {" tau target-every ", 50, 0.1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_agent_config c = {.target_every = 50, .tau = 0.1};
        dq_agent_config_choose_target(&c, given, cases[i].asked);
        assert_true(c.target_every == cases[i].every && c.tau == cases[i].tau);
    }
}

static void the_form_of_epsilons_fall_follows_its_number(void **state)
{
    (void)state;
    const dq_decay_form FACTOR = DQ_DECAY_MULTIPLICATIVE, EXPONENTIAL = DQ_DECAY_EXPONENTIAL,
                        LINEAR = DQ_DECAY_LINEAR;
    const struct {
        dq_decay_form form;
        dq_count_by by;
        const char *asked;
        double over;
        dq_decay_form chosen; /* of a refusal: the form as it was */
        double decay;         /* 0: refused */
    } cases[] = {
        {FACTOR, DQ_BY_STEPS, " ", 0, FACTOR, 0.9},
        {EXPONENTIAL, DQ_BY_STEPS, " epsilon-decay ", 200, FACTOR, 0.9},
        {FACTOR, DQ_BY_STEPS, " epsilon-over ", 300, LINEAR, 300},
        {EXPONENTIAL, DQ_BY_STEPS, " epsilon-over ", 300, EXPONENTIAL, 300},
        {FACTOR, DQ_BY_RUN, " ", 0, LINEAR, 1},
        {FACTOR, DQ_BY_RUN, " epsilon-over ", 0.5, LINEAR, 0.5},
        {FACTOR, DQ_BY_STEPS, " epsilon-form epsilon-over ", 300, FACTOR, 0},
        {LINEAR, DQ_BY_STEPS, " epsilon-form epsilon-decay ", 300, LINEAR, 0},
        {LINEAR, DQ_BY_STEPS, " epsilon-form ", 0, LINEAR, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const dq_agent_decay asked = {0.9, cases[i].over};
        dq_agent_config c = {.decay_form = cases[i].form, .decay_by = cases[i].by};
        dq_status status = dq_agent_config_choose_decay(&c, &asked, given, cases[i].asked, NULL);
        assert_int_equal(status, cases[i].decay > 0 ? DQ_OK : DQ_ERR_RANGE);
        assert_true(c.decay_form == cases[i].chosen);
        assert_true(status || c.epsilon_decay == cases[i].decay);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_preset_says_each_thing_once_and_fits_itself),
        cmocka_unit_test(those_of_environments_name_an_agent_and_an_environment_that_exist),
        cmocka_unit_test(the_way_to_move_the_target_that_was_asked_for),
        cmocka_unit_test(the_form_of_epsilons_fall_follows_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
