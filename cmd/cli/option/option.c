/* SPDX-License-Identifier: MIT */
#include "cli/option/option.h"

#include "core/words/nearest.h"
#include "core/words/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const dq_option *dq_option_find(const dq_option *table, const char *name)
{
    for (const dq_option *o = table; o->name; o++)
        if (o->name[0] == name[0] && strcmp(o->name, name) == 0)
            return o; /* --help asks ten thousand times */
    return NULL;
}

const dq_option *dq_option_of(const dq_cli *cli, const char *name)
{
    const dq_option *o = dq_option_find(cli->table, name);
    if (!o) dq_cli_usage(cli, "a slip in the table of options: there is no --%s", name);
    return o;
}

bool dq_cli_given(const dq_cli *cli, const char *name)
{
    return cli->state[dq_option_of(cli, name) - cli->table] & DQ_ROW_GIVEN;
}

/* ---- from words ---- */

/* Decimal digits, and k, M or G; false when text is anything else or overflows. */
static bool parse_count(const char *text, uint64_t *value)
{
    uint64_t n = 0, scale = 1;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(n, 10U, &n) || __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
            return false;
    if (p == text) return false;
    if (*p == 'k') scale = 1000;
    if (*p == 'M') scale = 1000000;
    if (*p == 'G') scale = 1000000000;
    if (scale > 1) p++;
    if (*p || __builtin_mul_overflow(n, scale, &n)) return false;
    *value = n;
    return true;
}

static void set_count(const dq_cli *cli, const dq_option *o, const char *who, const char *text)
{
    uint64_t value;
    if (!parse_count(text, &value)) dq_cli_usage(cli, "%s: '%s' is not a count", who, text);
    if (o->type == DQ_OPT_COUNT) *(uint64_t *)o->target = value;
    if (o->type == DQ_OPT_COUNT) return;
    if (value > UINT32_MAX) dq_cli_usage(cli, "%s: %s is not between 0 and %u", who, text, UINT32_MAX);
    *(uint32_t *)o->target = (uint32_t)value;
}

static uint64_t count_of(const dq_option *o)
{
    return o->type == DQ_OPT_COUNT ? *(const uint64_t *)o->target : *(const uint32_t *)o->target;
}

static void set_real(const dq_cli *cli, const dq_option *o, const char *who, const char *text)
{
    double value;
    if (!dq_number_is(text, &value)) dq_cli_usage(cli, "%s: '%s' is not a number", who, text);
    *(double *)o->target = value;
}

static void set_choice(const dq_cli *cli, const dq_option *o, const char *who, const char *text)
{
    char all[512];
    size_t used = 0;
    for (int i = 0; o->choices[i]; i++) {
        if (strcmp(o->choices[i], text) == 0) {
            *(int *)o->target = i;
            return;
        }
        if (used < sizeof all)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", o->choices[i]);
    }
    dq_cli_usage(cli, "%s: '%s' is not one of %s%s", who, text, all,
                 dq_hint_of(text, strlen(text), dq_word_in, o->choices).words);
}

static void set_list(const dq_cli *cli, const dq_option *o, const char *who, const char *text)
{
    dq_texts *list = o->target;
    if (list->count == sizeof list->at / sizeof list->at[0])
        dq_cli_usage(cli, "%s: given more than %zu times", who, list->count);
    list->at[list->count++] = text;
}

void dq_option_set(const dq_cli *cli, const dq_option *o, const char *who, const char *text)
{
    switch (o->type) {
    case DQ_OPT_FLAG: *(bool *)o->target = strcmp(text, "on") == 0; break;
    case DQ_OPT_COUNT:
    case DQ_OPT_SMALL: set_count(cli, o, who, text); break;
    case DQ_OPT_REAL: set_real(cli, o, who, text); break;
    case DQ_OPT_TEXT: *(const char **)o->target = text; break;
    case DQ_OPT_CHOICE: set_choice(cli, o, who, text); break;
    case DQ_OPT_LIST: set_list(cli, o, who, text); break;
    case DQ_OPT_END: break;
    }
}

/* Whether the target's number is in the option's range, if there is one. */
static bool in_range(const dq_option *o)
{
    double value = o->min;
    if (o->type == DQ_OPT_COUNT || o->type == DQ_OPT_SMALL) value = (double)count_of(o);
    if (o->type == DQ_OPT_REAL) value = *(const double *)o->target;
    return o->min >= o->max || (value >= o->min && value <= o->max);
}

void dq_option_give(const dq_cli *cli, const dq_option *o, const char *who, const char *text)
{
    if (!*text && (o->flags & (DQ_OPT_READS | DQ_OPT_WRITES))) /* of a script whose variable is not set */
        dq_cli_usage(cli, "%s: a name is wanted, and '' is none", who);
    dq_option_set(cli, o, who, text);
    if (!in_range(o)) dq_cli_usage(cli, "%s: %s is not between %.9g and %.9g", who, text, o->min, o->max);
}

/* ---- as words ---- */

static void print_list(const dq_texts *list, char *to, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < list->count && used < size; i++)
        used += (size_t)snprintf(to + used, size - used, "%s%s", i ? " " : "", list->at[i]);
}

void dq_option_print(const dq_option *o, char *to, size_t size)
{
    const char *text = "";
    to[0] = '\0';
    if (!o->target || !in_range(o)) return;
    switch (o->type) {
    case DQ_OPT_FLAG: text = *(const bool *)o->target ? "on" : ""; break;
    case DQ_OPT_COUNT:
    case DQ_OPT_SMALL: (void)snprintf(to, size, "%llu", (unsigned long long)count_of(o)); return;
    case DQ_OPT_REAL: (void)snprintf(to, size, "%.9g", *(const double *)o->target); return;
    case DQ_OPT_TEXT: text = *(const char *const *)o->target; break;
    case DQ_OPT_CHOICE: text = o->choices[*(const int *)o->target]; break;
    case DQ_OPT_LIST: print_list(o->target, to, size); return;
    case DQ_OPT_END: break;
    }
    (void)snprintf(to, size, "%s", text ? text : "");
}

/* ---- in the record ---- */

static dq_value list_value(const dq_texts *texts, dq_arena *arena)
{
    dq_value list = dq_list();
    for (size_t i = 0; i < texts->count; i++)
        if (!dq_list_add(arena, &list, dq_string(arena, texts->at[i]))) return dq_nil();
    return list.count ? list : dq_nil();
}

dq_value dq_option_value(const dq_option *o, dq_arena *arena)
{
    switch (o->type) {
    case DQ_OPT_FLAG: return dq_bool(*(const bool *)o->target);
    case DQ_OPT_COUNT:
    case DQ_OPT_SMALL: return dq_int((int64_t)count_of(o));
    case DQ_OPT_REAL: return dq_real(*(const double *)o->target);
    case DQ_OPT_TEXT: return dq_string(arena, *(const char *const *)o->target);
    case DQ_OPT_CHOICE: return dq_string(arena, o->choices[*(const int *)o->target]);
    case DQ_OPT_LIST: return list_value(o->target, arena);
    case DQ_OPT_END: break;
    }
    return dq_nil();
}

unsigned dq_choice_modes(const dq_cli *cli, const char *option, const char *choice)
{
    unsigned modes = 0;
    for (const dq_defaults *set = cli->program->defaults; set && set->settings; set++)
        if (set->option && strcmp(set->option, option) == 0 && strcmp(set->choice, choice) == 0)
            modes |= set->modes;
    return modes;
}

/* ---- structs of targets, lists of widths ---- */

/* A value, as the option whose target is one like it takes it. */
static void print_value(const dq_option *row, const void *value, char words[DQ_SETTING_WORDS])
{
    const char *text = "";
    if (row->type == DQ_OPT_FLAG) text = *(const bool *)value ? "on" : "off";
    if (row->type == DQ_OPT_CHOICE) text = row->choices[*(const int *)value];
    (void)snprintf(words, DQ_SETTING_WORDS, "%s", text);
    if (row->type == DQ_OPT_COUNT)
        (void)snprintf(words, DQ_SETTING_WORDS, "%llu", (unsigned long long)*(const uint64_t *)value);
    if (row->type == DQ_OPT_SMALL) (void)snprintf(words, DQ_SETTING_WORDS, "%u", *(const uint32_t *)value);
    if (row->type == DQ_OPT_REAL) /* reads back as the same number */
        (void)snprintf(words, DQ_SETTING_WORDS, "%.17g", *(const double *)value);
}

size_t dq_cli_settings(const dq_option *table, const void *targets, const void *values, size_t bytes,
                       dq_setting *settings, char (*words)[DQ_SETTING_WORDS], size_t max)
{
    size_t n = 0;
    for (const dq_option *row = table; row->name && n < max; row++) {
        uintptr_t at = (uintptr_t)row->target - (uintptr_t)targets;
        if (at >= bytes) continue;
        print_value(row, (const char *)values + at, words[n]);
        settings[n] = (dq_setting){row->name, words[n]};
        n++;
    }
    return n;
}

uint32_t dq_cli_widths(const dq_cli *cli, const char *option, const char *text, uint32_t *widths,
                       uint32_t most)
{
    uint32_t count = 0;
    for (const char *p = text;; p++) {
        char *end;
        unsigned long width = strtoul(p, &end, 10);
        if (*p < '0' || *p > '9' || width == 0 || width > 1 << 20 || (*end && *end != ',') || count == most)
            dq_cli_usage(cli, "--%s %s: widths such as 1024,512,256, at most %u", option, text, most);
        widths[count++] = (uint32_t)width;
        if (!*end) return count;
        p = end;
    }
}

void dq_cli_print_widths(const uint32_t *widths, uint32_t count, char words[DQ_SETTING_WORDS])
{
    size_t used = 0;
    words[0] = '\0';
    for (uint32_t i = 0; i < count && used < DQ_SETTING_WORDS; i++)
        used += (size_t)snprintf(words + used, DQ_SETTING_WORDS - used, "%s%u", i ? "," : "", widths[i]);
}
