/* SPDX-License-Identifier: MIT */
#include "reading.h"

#include "port/files/csv.h"

#include <string.h>

enum { SIDES = 4 };

/* A file and how it is read; path is NULL where it is not given. */
typedef struct side {
    const char *kind, *path;
    dq_import_reading *reading;
} side;

static void sides_of(dq_import_request *r, side sides[SIDES])
{
    sides[0] = (side){DQ_KIND_USERS, r->users.path, &r->users.reading};
    sides[1] = (side){DQ_KIND_ITEMS, r->items.path, &r->items.reading};
    sides[2] = (side){DQ_KIND_INTERACTIONS, r->interactions, &r->interaction_reading};
    sides[3] = (side){DQ_IMPORT_KIND_FEEDBACK, r->feedback.path, &r->feedback.reading};
}

/* "users:REST", "items:REST", "interactions:REST" or "feedback:REST" is for one file, whose place this is;
 * else SIDES. */
static size_t side_of(const dq_cli *cli, const char *option, const side sides[SIDES], const char **text)
{
    for (size_t i = 0; i < SIDES; i++) {
        size_t n = strlen(sides[i].kind);
        if (strncmp(*text, sides[i].kind, n) != 0 || (*text)[n] != ':') continue;
        if (!sides[i].path) dq_cli_usage(cli, "--%s: there are no --%s", option, sides[i].kind);
        if (dq_import_form_is_array(dq_import_form_of(sides[i].path)))
            dq_cli_usage(cli, "--%s: '%s' is an array", option, sides[i].path);
        *text += n + 1;
        return i;
    }
    return SIDES;
}

/* ---- --columns ---- */

/* The one file that a role without a prefix is of. */
static size_t side_of_role(const dq_cli *cli, const side sides[SIDES], const char *role, const char *text)
{
    size_t found = SIDES;
    bool entity = false;
    for (size_t i = 0; i < SIDES; i++) {
        bool can = dq_import_is_role(role, sides[i].kind);
        entity |= can && i < 2;
        if (!can || !sides[i].path || dq_import_form_is_array(dq_import_form_of(sides[i].path))) continue;
        if (found < SIDES)
            dq_cli_usage(cli, "--columns: '%s': of which file? %s:%s or %s:%s", text, sides[found].kind, text,
                         sides[i].kind, text);
        found = i;
    }
    if (found == SIDES && (entity || dq_import_is_role(role, DQ_KIND_INTERACTIONS)))
        dq_cli_usage(cli, "--columns: '%s': there is no file that has it", text);
    if (found == SIDES)
        dq_cli_usage(cli,
                     "--columns: '%s' is no role (id vector text.NAME attr.NAME; user item label reward time "
                     "propensity "
                     "position request model)%s",
                     role, dq_import_role_hint(role).words);
    return found;
}

static void name_column(dq_cli *cli, const side sides[SIDES], size_t at, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1]) dq_cli_usage(cli, "--columns: '%s' is not ROLE=NAME", text);
    const char *whole = dq_arena_text(&cli->arena, text, strlen(text));
    if (!whole) dq_cli_short_of_memory(cli);
    *equals = '\0';
    if (at == SIDES) at = side_of_role(cli, sides, text, whole);
    if (!dq_import_is_role(text, sides[at].kind))
        dq_cli_usage(cli, "--columns: '%s' is no role of %s%s", text, sides[at].kind,
                     dq_import_role_hint(text).words);
    dq_import_reading *r = sides[at].reading;
    for (size_t i = 0; i < r->count; i++) {
        if (strcmp(r->named[i].role, text) == 0)
            dq_cli_usage(cli, "--columns: two columns for the %s of %s", text, sides[at].kind);
        if (strcmp(r->named[i].name, equals + 1) == 0)
            dq_cli_usage(cli, "--columns: column %s is to be two things", equals + 1);
    }
    r->named[r->count++] = (dq_import_named){text, equals + 1};
}

/* "ROLE=NAME,ROLE=NAME ..." */
static void set_columns(dq_cli *cli, const side sides[SIDES], const char *text)
{
    size_t at = side_of(cli, "columns", sides, &text);
    char *copy = dq_arena_text(&cli->arena, text, strlen(text)), *rest = NULL;
    if (!copy) dq_cli_short_of_memory(cli);
    for (char *one = strtok_r(copy, ",", &rest); one; one = strtok_r(NULL, ",", &rest))
        name_column(cli, sides, at, one);
}

/* Columns are counted in a file without a header, and named in one with a header. */
static void check_numbers(const dq_cli *cli, const side *s)
{
    const dq_import_reading *r = s->reading;
    if (!s->path || dq_import_form_of(s->path) == DQ_IMPORT_JSON) return;
    for (size_t i = 0; i < r->count && !dq_import_is_headless(r); i++)
        if (strspn(r->named[i].name, "0123456789") == strlen(r->named[i].name))
            dq_cli_usage(cli,
                         "--columns: numbers are for a table without a header, so %s are all numbers or none",
                         s->kind);
}

/* ---- --sep, --encoding ---- */

/* A file that is JSON or an array by its name. */
static bool has_no_separator(const char *path)
{
    dq_import_form form = dq_import_form_of(path);
    return dq_import_form_is_array(form) || (form == DQ_IMPORT_JSON && dq_import_form_is_told(path));
}

static void set_separator(const dq_cli *cli, const side sides[SIDES], const char *text)
{
    const char *given = text;
    size_t at = side_of(cli, "sep", sides, &text), set = 0;
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0) text = "\t";
    if (!*text || strlen(text) > DQ_CSV_SEPARATOR || strpbrk(text, "\"\n\r\\"))
        dq_cli_usage(cli, "--sep: '%s' is no separator (1 to %d bytes, no quote, no line break)", given,
                     DQ_CSV_SEPARATOR);
    for (size_t i = 0; i < SIDES; i++) {
        if (!sides[i].path || (at < SIDES && at != i)) continue;
        bool none = has_no_separator(sides[i].path);
        if (none && at == i) dq_cli_usage(cli, "--sep: '%s' is no table by its name", sides[i].path);
        if (!none) sides[i].reading->separator = text;
        set += !none;
    }
    if (!set) dq_cli_usage(cli, "--sep: no file is a table");
}

static void set_encoding(const dq_cli *cli, const side sides[SIDES], const char *text)
{
    size_t at = side_of(cli, "encoding", sides, &text), set = 0;
    for (size_t i = 0; i < SIDES; i++) {
        if (!sides[i].path || (at < SIDES && at != i)) continue;
        if (dq_import_form_is_array(dq_import_form_of(sides[i].path))) continue;
        sides[i].reading->encoding = text;
        set++;
    }
    if (!set) dq_cli_usage(cli, "--encoding: no file is a text");
}

void export_set_readings(dq_cli *cli, export_options *o)
{
    side sides[SIDES];
    sides_of(&o->request, sides);
    size_t most = 0;
    for (size_t i = 0; i < o->columns.count; i++) most += strlen(o->columns.at[i]) / 2 + 1;
    for (size_t i = 0; i < SIDES; i++) {
        sides[i].reading->named = dq_arena_zero(&cli->arena, most + 1, sizeof(dq_import_named));
        if (!sides[i].reading->named) dq_cli_short_of_memory(cli);
    }
    for (size_t i = 0; i < o->columns.count; i++) set_columns(cli, sides, o->columns.at[i]);
    for (size_t i = 0; i < SIDES; i++) check_numbers(cli, &sides[i]);
    for (size_t i = 0; i < o->separators.count; i++) set_separator(cli, sides, o->separators.at[i]);
    for (size_t i = 0; i < o->encodings.count; i++) set_encoding(cli, sides, o->encodings.at[i]);
}
