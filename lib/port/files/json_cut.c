/* SPDX-License-Identifier: MIT */
#include "port/files/json_cut.h"

enum { DEPTHS = 64 }; /* that are told apart; parsing refuses half of it */

/* Whether the byte that stands here lets a bracket open. */
static bool may_open(const dq_json_cut *cut)
{
    if (cut->depth == 0 || cut->depth > DEPTHS) return true;
    if (cut->objects >> (cut->depth - 1) & 1) return cut->last == ':';
    return cut->last == '[' || cut->last == ',';
}

static void open_bracket(dq_json_cut *cut, char c)
{
    uint64_t bit = cut->depth < DEPTHS ? UINT64_C(1) << cut->depth : 0;
    cut->objects = c == '{' ? cut->objects | bit : cut->objects & ~bit;
    cut->depth++;
}

/* A byte inside a string; false where it may not stand. */
static bool take_string(dq_json_cut *cut, char c)
{
    if (c == '\n') return false;
    if (cut->escape)
        cut->escape = false;
    else if (c == '\\')
        cut->escape = true;
    else if (c == '"')
        cut->string = false;
    return true;
}

dq_json_cut_end dq_json_cut_on(dq_json_cut *cut, const char *bytes, size_t n, size_t *taken)
{
    for (*taken = 0; *taken < n; ++*taken) {
        char c = bytes[*taken];
        if (cut->string) {
            if (!take_string(cut, c)) return DQ_JSON_CUT_BROKEN;
            continue;
        }
        bool open = c == '{' || c == '[', close = c == '}' || c == ']';
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r') continue;
        if (open && !may_open(cut)) return DQ_JSON_CUT_BROKEN;
        if (open) open_bracket(cut, c);
        cut->string = c == '"';
        cut->last = c;
        if (!close || --cut->depth) continue;
        ++*taken;
        return DQ_JSON_CUT_DONE;
    }
    return DQ_JSON_CUT_MORE;
}
