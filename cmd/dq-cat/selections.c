/* SPDX-License-Identifier: MIT */
#include "selections.h"

#include "dq/schema.h"

#include <string.h>

static unsigned kind_bit(const char *kind)
{
    static const struct {
        const char *kind;
        unsigned bit;
    } bits[] = {{DQ_KIND_MODEL, CAT_MODEL},
                {DQ_KIND_USERS, CAT_USERS},
                {DQ_KIND_INTERACTIONS, CAT_INTERACTIONS},
                {DQ_KIND_ITEMS, CAT_ITEMS}};
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        if (strcmp(kind, bits[i].kind) == 0) return bits[i].bit;
    return CAT_OTHERS;
}

/* What the selection asks for; an id without a kind means its own (data/select.h). */
static unsigned wanted_kinds(const dq_selection *s)
{
    unsigned bits = 0;
    for (size_t i = 0; i < s->kind_count; i++) bits |= kind_bit(s->kinds[i]);
    if (s->kind_count) return bits;
    if (s->user.count || s->item.count)
        return (s->user.count ? CAT_USERS : 0U) | (s->item.count ? CAT_ITEMS : 0U);
    return CAT_ALL;
}

void cat_selections_check(const dq_cli *cli, unsigned read, unsigned written, const dq_selection *select)
{
    static const struct {
        const char *option, *words;
        unsigned kinds;
    } rules[] = {{"user", "users, and rows that name one", CAT_USERS | CAT_INTERACTIONS | CAT_OTHERS},
                 {"item", "items, and rows that name one", CAT_ITEMS | CAT_INTERACTIONS | CAT_OTHERS},
                 {"since", "interactions", CAT_INTERACTIONS},
                 {"before", "interactions", CAT_INTERACTIONS},
                 {"kept", "models", CAT_MODEL}};
    unsigned wanted = wanted_kinds(select);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (!dq_cli_given(cli, rules[i].option)) continue;
        const char *who = !(wanted & rules[i].kinds)             ? "asked for (--kind)"
                          : !(wanted & read & rules[i].kinds)    ? "read (--from)"
                          : !(wanted & written & rules[i].kinds) ? "written (--to)"
                                                                 : NULL;
        if (who) dq_cli_usage(cli, "--%s chooses %s, and none are %s", rules[i].option, rules[i].words, who);
    }
}
