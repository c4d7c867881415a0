/* SPDX-License-Identifier: MIT
 *
 * What the command line asks for, and what it may not. A URI is never quoted: it may hold a password.
 */
#include "options.h"

#include "reading.h"

#include "core/words/number.h"
#include "data/time.h"
#include "port/mongo/mongo.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* "N", "users:N" or "items:N". */
static void set_limit(const dq_cli *cli, export_options *o, const char *text)
{
    const char *digits = text;
    bool users = strncmp(text, "users:", 6) == 0, items = strncmp(text, "items:", 6) == 0;
    if (users || items) digits += 6;
    char *end;
    errno = 0;
    unsigned long long n = strtoull(digits, &end, 10);
    if (*digits < '0' || *digits > '9' || *end || errno)
        dq_cli_usage(cli, "--limit: '%s' is not N, users:N or items:N", text);
    if (!items) o->request.users.selection.limit = n;
    if (!users) o->request.items.selection.limit = n;
}

/* "{...}", "users:{...}" or "items:{...}". */
static void set_where(const dq_cli *cli, export_options *o, const char *text)
{
    bool users = strncmp(text, "users:", 6) == 0, items = strncmp(text, "items:", 6) == 0;
    const char *filter = users || items ? text + 6 : text;
    dq_error why = DQ_ERROR_NONE;
    if (dq_mongo_check_filter(filter, &why)) dq_cli_refuse(cli, "--where", &why);
    const char **of_users = &o->request.users.selection.where, **of_items = &o->request.items.selection.where;
    if ((!items && *of_users) || (!users && *of_items))
        dq_cli_usage(cli, "--where: one filter a side; join two with {\"$and\": [..]}");
    if (!items) *of_users = filter;
    if (!users) *of_items = filter;
}

static void set_pairs(dq_cli *cli, export_options *o)
{
    dq_pair_names *pairs = dq_arena_zero(&cli->arena, o->pairs.count + 1, sizeof *pairs);
    if (!pairs) dq_cli_short_of_memory(cli);
    for (size_t i = 0; i < o->pairs.count; i++) {
        dq_error why = DQ_ERROR_NONE;
        if (dq_pair_parse(o->pairs.at[i], &cli->arena, &pairs[i], &why))
            dq_cli_refuse(cli, "--compare", &why);
    }
    o->request.target.pairs = pairs;
    o->request.target.pair_count = o->pairs.count;
}

/* A form that is not read, in words. */
static void check_form(const dq_cli *cli, const char *option, const char *path, const char *separator)
{
    const char *advice = dq_import_form_advice(path);
    if (dq_import_form_of(path) != DQ_IMPORT_OTHER || separator) return;
    if (advice) dq_cli_usage(cli, "--%s: '%s' is %s", option, path, advice);
    dq_cli_usage(
        cli,
        "--%s: '%s' tells no form by its name (.jsonl .json .csv .tsv .npy .safetensors, also with .zst "
        "or .gz; --sep reads it as a table)",
        option, path);
}

/* An array beside a file of documents. */
static void check_vectors(const dq_cli *cli, const char *option, const dq_import_entities_request *r,
                          bool array)
{
    const char *advice = dq_import_form_advice(r->vectors);
    if (array)
        dq_cli_usage(cli, "--%.4s-vectors: '%s' is an array itself; --%s names the file with their ids",
                     option, r->path, option);
    if (dq_import_form_is_array(dq_import_form_of(r->vectors))) return;
    if (advice) dq_cli_usage(cli, "--%.4s-vectors: '%s' is %s", option, r->vectors, advice);
    dq_cli_usage(cli,
                 "--%.4s-vectors: '%s' is no array by its name (.npy .safetensors, also with .zst or .gz)",
                 option, r->vectors);
}

static void check_file(const dq_cli *cli, const char *option, const dq_import_entities_request *r)
{
    const char *path = r->path, *ids = r->id_path;
    if (!path && ids) dq_cli_usage(cli, "--%.4s-ids: there are no --%s", option, option);
    if (!path) return;
    if (strstr(path, "://"))
        dq_cli_usage(cli, "--%s: a file; a database is an operand, with --schema", option);
    check_form(cli, option, path, r->reading.separator);
    bool array = dq_import_form_is_array(dq_import_form_of(path));
    if (r->vectors) {
        check_vectors(cli, option, r, array);
        return;
    }
    if (array && !ids)
        dq_cli_usage(cli, "--%s: '%s' has no ids: they come one a line from --%.4s-ids", option, path,
                     option);
    if (!array && ids)
        dq_cli_usage(
            cli,
            "--%.4s-ids: only for .npy and .safetensors; '%s' has its own ids (--%.4s-vectors names its "
            "vectors)",
            option, path, option);
}

/* Items are read twice when there are interactions; these, when users or items are made of them. */
static void check_twice(const dq_cli *cli, const dq_import_request *r)
{
    bool made = !r->users.path != !r->items.path;
    const char *const paths[] = {r->items.path, r->items.vectors, r->items.id_path,
                                 made ? r->interactions : NULL};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct stat about;
        if (!paths[i] ||
            (strcmp(paths[i], "-") != 0 && (stat(paths[i], &about) != 0 || S_ISREG(about.st_mode))))
            continue; /* one that is not there is an error of its own, later */
        dq_cli_usage(cli, "--interactions: '%s' must be a regular file, for it is read twice", paths[i]);
    }
}

/* A place that is no path: it may hold a password, and is never quoted. */
static void check_uri(const dq_cli *cli, const char *place)
{
    if (strstr(place, "://") && !dq_mongo_is_uri(place))
        dq_cli_usage(cli, "a database's URI begins with mongodb:// or mongodb+srv://");
}

/* The operand, or the environment's database. */
static void set_place(const dq_cli *cli, export_options *o)
{
    const char *uri = getenv("DQ_MONGODB_URI");
    bool from_environment = cli->operand_count == 0 && uri && *uri;
    o->place = cli->operand_count == 1 ? cli->operands[0] : from_environment ? uri : NULL;
    if (!o->place)
        dq_cli_usage(cli, "--schema: needs one folder of collections, or a mongodb:// URI (here or in "
                          "DQ_MONGODB_URI)");
    check_uri(cli, o->place);
    if (from_environment && !dq_mongo_is_uri(uri))
        dq_cli_usage(cli, "DQ_MONGODB_URI: begins with mongodb:// or mongodb+srv://");
}

/* A selection of what is not read. */
static void check_absent(const dq_cli *cli, const char *noun, const dq_import_selection *selection)
{
    if (selection->id_count) dq_cli_usage(cli, "--%s: there are no --%ss", noun, noun);
}

static void check_files(const dq_cli *cli, const dq_import_request *r)
{
    if (!r->users.path && !r->items.path && !r->interactions)
        dq_cli_usage(cli, "nothing to export: --users and --items, or --schema NAME FOLDER");
    if (cli->operand_count && dq_mongo_is_uri(cli->operands[0]))
        dq_cli_usage(cli, "a database needs --schema");
    if (cli->operand_count) check_uri(cli, cli->operands[0]);
    if (cli->operand_count) dq_cli_usage(cli, "'%s': a folder needs --schema", cli->operands[0]);
    check_file(cli, "users", &r->users);
    check_file(cli, "items", &r->items);
    bool made = r->interactions && (r->users.path || r->items.path); /* where a file is not given */
    if (!r->users.path && !made) check_absent(cli, "user", &r->users.selection);
    if (!r->items.path && !made) check_absent(cli, "item", &r->items.selection);
    if (!r->interactions) return;
    check_form(cli, "interactions", r->interactions, r->interaction_reading.separator);
    if (dq_import_form_is_array(dq_import_form_of(r->interactions)))
        dq_cli_usage(cli, "--interactions: '%s' is an array, no table or JSON", r->interactions);
    check_twice(cli, r);
    if (!r->feedback.path) return;
    check_form(cli, "feedback", r->feedback.path, r->feedback.reading.separator);
    if (dq_import_form_is_array(dq_import_form_of(r->feedback.path)))
        dq_cli_usage(cli, "--feedback: '%s' is an array, no table or JSON", r->feedback.path);
}

/* The log and its items are read twice. */
static void check_log(const dq_cli *cli, export_options *o)
{
    const char *const paths[] = {cli->operand_count == 1 ? cli->operands[0] : NULL, o->request.items.path};
    if (!paths[0]) dq_cli_usage(cli, "--schema obd: needs one log, a table in CSV");
    for (size_t i = 0; i < 2; i++) {
        struct stat about;
        if (paths[i] &&
            (strcmp(paths[i], "-") == 0 || (stat(paths[i], &about) == 0 && !S_ISREG(about.st_mode))))
            dq_cli_usage(cli, "--schema obd: '%s' must be a regular file, for it is read twice", paths[i]);
        if (paths[i] && dq_import_form_of(paths[i]) != DQ_IMPORT_CSV)
            dq_cli_usage(cli, "--schema obd: '%s' is no .csv by its name (also .csv.zst or .csv.gz)",
                         paths[i]);
    }
    o->place = paths[0];
}

static void check_stdin_once(const dq_cli *cli, const dq_import_request *r)
{
    const char *const paths[] = {r->users.path,    r->users.vectors, r->users.id_path, r->items.path,
                                 r->items.vectors, r->items.id_path, r->interactions,  r->feedback.path};
    int stdins = 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        stdins += paths[i] && strcmp(paths[i], "-") == 0;
    if (stdins > 1) dq_cli_usage(cli, "standard input can be only one of the files");
}

static void check_time_format(const dq_cli *cli, const dq_import_request *r)
{
    dq_error why = DQ_ERROR_NONE;
    const char *format = r->times.format;
    if (format && dq_time_format_check(format, &why))
        dq_cli_usage(cli, "--time-format '%s': %s", format, why.reason);
    if (format && !r->interactions && !cli->operand_count && (r->users.path || r->items.path))
        dq_cli_usage(cli, "--time-format: there are no --interactions");
}

/* "LOW:HIGH". */
static void set_scale(const dq_cli *cli, export_options *o)
{
    dq_import_request *r = &o->request;
    dq_import_scale *scale = &r->scale;
    if (!o->scale) return;
    const char *end = dq_number_begin(o->scale, &scale->low);
    bool read = end && *end == ':' && dq_number_is(end + 1, &scale->high);
    if (!read || !(scale->low < scale->high))
        dq_cli_usage(cli, "--reward-scale: '%s' is not LOW:HIGH, as in 1:5", o->scale);
    if (!r->interactions && !o->schema) dq_cli_usage(cli, "--reward-scale: there are no --interactions");
    scale->given = true;
}

void export_apply_defaults(dq_cli *cli, export_options *o)
{
    dq_import_request *r = &o->request;
    r->users.selection.ids = o->user_ids.at;
    r->users.selection.id_count = o->user_ids.count;
    r->items.selection.ids = o->item_ids.at;
    r->items.selection.id_count = o->item_ids.count;
    for (size_t i = 0; i < o->limits.count; i++) set_limit(cli, o, o->limits.at[i]);
    set_pairs(cli, o);
    check_time_format(cli, r);
    set_scale(cli, o);
    r->target.flush = o->common.flush;
    r->users.tally.strict = r->items.tally.strict = r->interaction_tally.strict = r->feedback.tally.strict =
        o->strict;
    if (!o->schema) {
        dq_cli_enter(cli, EXPORT_FILES);
        export_set_readings(cli, o);
        check_files(cli, r);
        check_stdin_once(cli, r);
        return;
    }
    if (strstr(o->schema, "://")) dq_cli_usage(cli, "--schema: a mapping's name; a database is an operand");
    if (strcmp(o->schema, EXPORT_OBD) == 0) {
        dq_cli_enter(cli, EXPORT_LOG);
        check_log(cli, o);
        return;
    }
    set_place(cli, o);
    dq_cli_enter(cli, dq_mongo_is_uri(o->place) ? EXPORT_DATABASE : EXPORT_FOLDER);
    if (o->encodings.count > 1) dq_cli_usage(cli, "--encoding: one for all files of a folder");
    for (size_t i = 0; i < o->wheres.count; i++) set_where(cli, o, o->wheres.at[i]);
}
