/* SPDX-License-Identifier: MIT
 *
 * dq-export: users, items and interactions from files or collections into a stream.
 */
#include "export.h"

#include "dq/mongo.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const dq_program program = {
    .name = "dq-export",
    .summary = "users, items and interactions from files or a database into a stream",
    .operands = "[FOLDER|URI]",
    .examples =
        {"dq-export --users users.jsonl --items items.jsonl --interactions seen.jsonl -o catalogue.dq",
         "dq-export --schema jobs mongodb://localhost/rl_jobsdb | dq-rank --by cosine -k 10"},
};

typedef struct options {
    dq_common common;
    export_request request;
    const char *schema, *show_schema;
    dq_texts limits, wheres, pairs;
    const char *place; /* a folder, or a database's URI: no option, so never recorded */
    bool strict;
} options;

/* "N", "users:N" or "items:N". */
static void set_limit(const dq_cli *cli, options *o, const char *text)
{
    const char *digits = text;
    bool users = strncmp(text, "users:", 6) == 0, items = strncmp(text, "items:", 6) == 0;
    if (users || items) digits += 6;
    char *end;
    errno = 0;
    unsigned long long n = strtoull(digits, &end, 10);
    if (*digits < '0' || *digits > '9' || *end || errno)
        dq_cli_usage(cli, "--limit: '%s' is not N, users:N or items:N", text);
    if (!items) o->request.pick_users.limit = n;
    if (!users) o->request.pick_items.limit = n;
}

/* "{...}", "users:{...}" or "items:{...}". */
static void set_where(const dq_cli *cli, options *o, const char *text)
{
    bool users = strncmp(text, "users:", 6) == 0, items = strncmp(text, "items:", 6) == 0;
    const char *filter = users || items ? text + 6 : text;
    dq_error why = DQ_ERROR_NONE;
    if (dq_mongo_check_filter(filter, &why)) dq_cli_usage(cli, "--where: %s", why.reason);
    if ((!items && o->request.pick_users.where) || (!users && o->request.pick_items.where))
        dq_cli_usage(cli, "--where: one filter a side; join two with {\"$and\": [..]}");
    if (!items) o->request.pick_users.where = filter;
    if (!users) o->request.pick_items.where = filter;
}

static void set_pairs(dq_cli *cli, options *o)
{
    dq_pair_names *pairs = dq_arena_zero(&cli->arena, o->pairs.count + 1, sizeof *pairs);
    if (!pairs) dq_cli_usage(cli, "out of memory");
    for (size_t i = 0; i < o->pairs.count; i++) {
        dq_error why = DQ_ERROR_NONE;
        if (dq_pair_parse(o->pairs.at[i], &cli->arena, &pairs[i], &why))
            dq_cli_usage(cli, "--pair: %s", why.reason);
    }
    o->request.target.pairs = pairs;
    o->request.target.pair_count = o->pairs.count;
}

static void check_file(const dq_cli *cli, const char *option, const char *path, const char *ids)
{
    export_form form = export_form_of(path);
    if (form == EXPORT_OTHER)
        dq_cli_usage(cli,
                     "--%s: '%s' tells no form by its name (.jsonl .csv .tsv .npy .safetensors, also with "
                     ".zst or .gz)",
                     option, path);
    if (export_is_array(form) && !ids)
        dq_cli_usage(cli, "--%s: '%s' has no ids: they come one a line from --%.4s-ids", option, path,
                     option);
    if (!export_is_array(form) && ids)
        dq_cli_usage(cli, "--%.4s-ids: only for .npy and .safetensors; '%s' has its own ids", option, path);
}

/* Items are read twice when there are interactions. */
static void check_twice(const dq_cli *cli, const export_request *r)
{
    const char *const paths[] = {r->items, r->item_ids};
    for (size_t i = 0; i < 2; i++) {
        struct stat about;
        if (!paths[i] ||
            (strcmp(paths[i], "-") != 0 && (stat(paths[i], &about) != 0 || S_ISREG(about.st_mode))))
            continue; /* one that is not there is an error of its own, later */
        dq_cli_usage(cli, "--interactions: '%s' must be a regular file, for it is read twice", paths[i]);
    }
}

static void check_files(const dq_cli *cli, const export_request *r)
{
    if (!r->users && !r->items)
        dq_cli_usage(cli, "nothing to export: --users and --items, or --schema NAME FOLDER");
    if (cli->operand_count && dq_mongo_is_uri(cli->operands[0]))
        dq_cli_usage(cli, "a database needs --schema"); /* its URI may hold a password */
    if (cli->operand_count) dq_cli_usage(cli, "'%s': a folder needs --schema", cli->operands[0]);
    if (r->users) check_file(cli, "users", r->users, r->user_ids);
    if (r->items) check_file(cli, "items", r->items, r->item_ids);
    if (!r->users && r->user_ids) dq_cli_usage(cli, "--user-ids: there are no --users");
    if (!r->items && r->item_ids) dq_cli_usage(cli, "--item-ids: there are no --items");
    if (!r->interactions) return;
    if (!r->users || !r->items) dq_cli_usage(cli, "--interactions: needs --users and --items");
    export_form form = export_form_of(r->interactions);
    if (export_is_array(form) || form == EXPORT_OTHER)
        dq_cli_usage(cli, "--interactions: '%s' is no .jsonl, .csv or .tsv", r->interactions);
    check_twice(cli, r);
}

static void check_stdin_once(const dq_cli *cli, const export_request *r)
{
    const char *const paths[] = {r->users, r->items, r->interactions, r->user_ids, r->item_ids};
    int stdins = 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        stdins += paths[i] && strcmp(paths[i], "-") == 0;
    if (stdins > 1) dq_cli_usage(cli, "standard input can be only one of the files");
}

static void settle(dq_cli *cli, options *o)
{
    export_request *r = &o->request;
    for (size_t i = 0; i < o->limits.count; i++) set_limit(cli, o, o->limits.at[i]);
    for (size_t i = 0; i < o->wheres.count; i++) set_where(cli, o, o->wheres.at[i]);
    set_pairs(cli, o);
    r->target.common = &o->common;
    r->user_tally = (export_tally){.what = "users", .strict = o->strict, .named = o->schema != NULL};
    r->item_tally = (export_tally){.what = "items", .strict = o->strict, .named = o->schema != NULL};
    r->interaction_tally = (export_tally){.what = "interactions", .strict = o->strict};
    if (!o->schema) {
        if (o->wheres.count) dq_cli_usage(cli, "--where: filters a database; for files there is jq");
        check_files(cli, r);
        check_stdin_once(cli, r);
        return;
    }
    if (r->users || r->items || r->interactions || r->user_ids || r->item_ids)
        dq_cli_usage(cli, "--schema: reads a folder, and no single files beside it");
    const char *uri = getenv("DQ_MONGODB_URI");
    o->place = cli->operand_count == 1 ? cli->operands[0] : cli->operand_count ? NULL : uri;
    if (!o->place || !*o->place)
        dq_cli_usage(
            cli,
            "--schema: needs one folder of collections, or a mongodb:// URI (here or in DQ_MONGODB_URI)");
    if (o->wheres.count && !dq_mongo_is_uri(o->place))
        dq_cli_usage(cli, "--where: filters a database; for files there is jq");
}

static dq_status write_stream(dq_cli *cli, options *o, export_schema *schema, dq_collections *place,
                              dq_error *error)
{
    export_target *target = &o->request.target;
    dq_maker maker = dq_cli_maker(cli, -1);
    if (schema && !dq_map_set(&cli->arena, &maker.options, "schema", schema->canonical))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory");
    dq_status status = dq_writer_open(&target->writer, o->common.output, &maker, NULL, 0, error);
    if (status) return status;
    status = schema ? export_collections(&o->request, schema, place, error)
                    : export_files(&o->request, error);
    if (status)
        dq_writer_abort(target->writer);
    else
        status = dq_writer_close(target->writer, error);
    return status;
}

/* A batch of a database's answers is some megabytes, asked for and released again and again: the allocator
 * keeps the pages, or half of the time would go into getting them anew. */
static void keep_pages(void)
{
#ifdef M_TRIM_THRESHOLD
    enum { KEEP = 64 << 20 };
    (void)mallopt(M_MMAP_THRESHOLD, KEEP);
    (void)mallopt(M_TRIM_THRESHOLD, KEEP);
#endif
}

static dq_status run_schema(dq_cli *cli, options *o, dq_error *error)
{
    export_schema schema;
    dq_collections place = {0};
    dq_status status = export_schema_load(&schema, o->schema, error);
    if (status) return status;
    if (!o->pairs.count) {
        o->request.target.pairs = schema.pairs;
        o->request.target.pair_count = schema.pair_count;
    }
    if (dq_mongo_is_uri(o->place)) keep_pages();
    status = dq_mongo_is_uri(o->place) ? dq_collections_open_mongo(&place, o->place, error)
                                       : dq_collections_open_folder(&place, o->place, error);
    if (!status) status = write_stream(cli, o, &schema, &place, error);
    if (place.self) place.close(&place);
    export_schema_free(&schema);
    return status;
}

static dq_status show_schema(const dq_cli *cli, const char *name)
{
    const char *text = export_schema_text(name);
    if (!text) dq_cli_usage(cli, "--show-schema: no built-in mapping '%s' (there is: jobs)", name);
    (void)fputs(text, stdout); /* a late error is dq_cli_finish's */
    return DQ_OK;
}

static dq_status run(dq_cli *cli, options *o, dq_error *error)
{
    if (o->show_schema) return show_schema(cli, o->show_schema);
    settle(cli, o);
    dq_status status = o->schema ? run_schema(cli, o, error) : write_stream(cli, o, NULL, NULL, error);
    if (status) return status;
    export_report(&o->request.user_tally, cli, &o->common);
    export_report(&o->request.interaction_tally, cli, &o->common);
    export_report(&o->request.item_tally, cli, &o->common);
    return DQ_OK;
}

int main(int argc, char **argv)
{
    options o = {.common = DQ_COMMON_DEFAULTS,
                 .request = {.pick_users.limit = UINT64_MAX, .pick_items.limit = UINT64_MAX}};
    export_request *r = &o.request;
    const dq_option table[] = {
        {"users", 'u', DQ_OPT_TEXT, &r->users, "FILE",
         "users: .jsonl .csv .tsv .npy .safetensors, also .zst .gz", .flags = 0},
        {"items", 'i', DQ_OPT_TEXT, &r->items, "FILE", "items", .flags = 0},
        {"interactions", 'x', DQ_OPT_TEXT, &r->interactions, "FILE", "who met what: .jsonl, .csv or .tsv",
         .flags = 0},
        {"user-ids", 0, DQ_OPT_TEXT, &r->user_ids, "FILE", "ids of an array of users, one a line",
         .flags = 0},
        {"item-ids", 0, DQ_OPT_TEXT, &r->item_ids, "FILE", "ids of an array of items, one a line",
         .flags = 0},
        {"schema", 0, DQ_OPT_TEXT, &o.schema, "NAME",
         "join the collections of a folder or database: jobs, or a mapping's file", .flags = 0},
        {"show-schema", 0, DQ_OPT_TEXT, &o.show_schema, "NAME", "print a built-in mapping and exit",
         .flags = 0},
        {"limit", 'n', DQ_OPT_LIST, &o.limits, "N", "at most N of each side; users:N, items:N",
         .flags = DQ_OPT_PAYLOAD},
        {"user", 0, DQ_OPT_LIST, &r->pick_users.ids, "ID", "only this user (may be repeated)",
         .flags = DQ_OPT_PAYLOAD},
        {"item", 0, DQ_OPT_LIST, &r->pick_items.ids, "ID", "only this item (may be repeated)",
         .flags = DQ_OPT_PAYLOAD},
        {"where", 'w', DQ_OPT_LIST, &o.wheres, "JSON", "of a database, only these; users:JSON, items:JSON",
         .flags = DQ_OPT_PAYLOAD},
        {"pair", 'p', DQ_OPT_LIST, &o.pairs, "U:I", "fields to be compared by default",
         .flags = DQ_OPT_PAYLOAD},
        {"strict", 0, DQ_OPT_FLAG, &o.strict, NULL, "a faulty document is an error, not skipped", .flags = 0},
        DQ_OPTIONS_COMMON(o.common),
        {0},
    };
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    dq_error error = DQ_ERROR_NONE;
    dq_status status = run(&cli, &o, &error);
    return dq_cli_finish(&cli, status, &error);
}
