/* SPDX-License-Identifier: MIT
 *
 * dq-export: users, items and interactions from files or collections into a stream.
 */
#include "options.h"
#include "report.h"

#include "cli/terminal/line.h"
#include "core/words/nearest.h"
#include "port/files/obd.h"
#include "port/mongo/mongo.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { JOINED = EXPORT_FOLDER | EXPORT_DATABASE, STREAM = EXPORT_FILES | EXPORT_LOG | JOINED };

static const dq_mode modes[] = {
    {EXPORT_FILES, "files", "files", .help = "files of users, items and interactions"},
    {EXPORT_FOLDER, "folder", "a folder", .help = "collections in a folder, joined (--schema NAME FOLDER)"},
    {EXPORT_DATABASE, "database", "a database", .help = "those of a database (--schema NAME URI)"},
    {EXPORT_LOG, "log", "a log", .help = "a log of the Open Bandit Dataset (--schema obd LOG.csv)"},
    {EXPORT_SHOW, "mapping", "--show-schema", .help = "how a mapping is written (--show-schema NAME)",
     .no_operands = true},
    {0}};

static const dq_program program = {
    .name = "dq-export",
    .guide = "your-data.md",
    .summary = "users, items and interactions from files or a database into a stream",
    .operands = "[FOLDER|URI|LOG]",
    .modes = modes,
    .examples =
        {"dq-export --users users.jsonl --items items.jsonl --interactions seen.jsonl -o catalogue.dq",
         "dq-export --schema jobs mongodb://localhost/rl_jobsdb | dq-rank --by cosine -k 10"},
};

static const char *const schemas[] = {"jobs", EXPORT_OBD, NULL};

/* The rows that are being written, as a progress bar. */
typedef struct row_bar {
    const dq_common *common;
    dq_progress progress;
} row_bar;

static void show_progress(void *arg, const char *kind, uint64_t rows, bool ended)
{
    row_bar *bar = arg;
    if (ended && rows)
        dq_progress_end(&bar->progress);
    else if (rows)
        dq_progress_step(&bar->progress, rows, NULL);
    else if (!ended)
        bar->progress = dq_progress_start(bar->common, "exporting", kind, 0);
}

/* A format that no time was there for is a slip of the pen. */
static dq_status check_times(const dq_import_times *times, dq_error *error)
{
    if (times->fitted || !times->without) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNKNOWN,
                   "--time-format: none of the interactions (%llu) has an attribute 'time'",
                   (unsigned long long)times->without);
}

/* A scale that no reward was there for is one, too. */
static dq_status check_scale(const dq_import_scale *scale, dq_error *error)
{
    if (!scale->given || scale->scaled) return DQ_OK;
    if (scale->outside)
        return dq_fail(error, DQ_ERR_RANGE, "--reward-scale: no reward is from %.9g to %.9g", scale->low,
                       scale->high);
    return dq_fail(error, DQ_ERR_UNKNOWN, "--reward-scale: no interaction has a reward");
}

/* mapping: of a place that is joined; place alone: a log. */
static dq_status write_stream(dq_cli *cli, export_options *o, dq_import_mapping *mapping,
                              dq_collections *place, dq_error *error)
{
    dq_import_target *target = &o->request.target;
    dq_maker maker = dq_cli_maker(cli, -1);
    const dq_value schema = mapping ? mapping->canonical : dq_string(&cli->arena, EXPORT_OBD);
    if (place && !dq_map_set(&cli->arena, &maker.options, "schema", schema))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory");
    dq_status status = dq_writer_open(&target->writer, o->common.output, &maker, NULL, 0, error);
    if (status) return status;
    if (mapping)
        status = dq_import_collections(&o->request, mapping, place, error);
    else
        status = place ? dq_import_place(&o->request, place, error) : dq_import_files(&o->request, error);
    if (!status && o->request.times.format) status = check_times(&o->request.times, error);
    if (!status) status = check_scale(&o->request.scale, error);
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

/* libbson cannot go on (port/mongo/mongo.h). What is written has no name yet, or lacks its end. */
static void end_without_memory(void)
{
    dq_line_say("dq-export: out of memory for the database's documents\n");
    _exit(DQ_EXIT_FAILED);
}

/* A name that is no built-in one is a file's. */
static dq_status load_mapping(dq_import_mapping *mapping, const char *name, dq_error *error)
{
    dq_status status = dq_import_mapping_load(mapping, name, error);
    const dq_hint hint = dq_hint_of(name, strlen(name), dq_word_in, schemas);
    if (status != DQ_ERR_IO || !*hint.words) return status;
    char reason[sizeof error->reason];
    (void)snprintf(reason, sizeof reason, "%s", error->reason);
    (void)snprintf(error->reason, sizeof error->reason, "%.200s%s", reason, hint.words);
    return status;
}

static dq_status export_joined(dq_cli *cli, export_options *o, dq_error *error)
{
    dq_import_mapping mapping;
    dq_collections place = {0};
    dq_status status = load_mapping(&mapping, o->schema, error);
    if (status) return status;
    if (o->request.times.format && !mapping.interactions)
        dq_cli_usage(cli, "--time-format: the mapping %s has no interactions", o->schema);
    if (o->scale && !mapping.interactions)
        dq_cli_usage(cli, "--reward-scale: the mapping %s has no interactions", o->schema);
    if (!o->pairs.count) {
        o->request.target.pairs = mapping.pairs;
        o->request.target.pair_count = mapping.pair_count;
    }
    if (dq_mongo_is_uri(o->place)) {
        keep_pages();
        dq_mongo_when_short_of_memory(end_without_memory);
    }
    status = dq_mongo_is_uri(o->place)
                 ? dq_collections_open_mongo(&place, o->place, error)
                 : dq_collections_open_folder(&place, o->place,
                                              o->encodings.count ? o->encodings.at[0] : NULL, error);
    if (!status) status = write_stream(cli, o, &mapping, &place, error);
    if (place.self) place.close(&place);
    dq_import_mapping_free(&mapping);
    return status;
}

static dq_status export_log(dq_cli *cli, export_options *o, dq_error *error)
{
    dq_collections place = {0};
    dq_status status = dq_collections_open_obd(&place, o->place, o->request.items.path, error);
    if (!status) status = write_stream(cli, o, NULL, &place, error);
    if (place.self) place.close(&place);
    return status;
}

static dq_status show_schema(const dq_cli *cli, const char *name)
{
    const char *text = dq_import_mapping_text(name);
    if (!text)
        dq_cli_usage(cli, "--show-schema: no built-in mapping '%s' (there is: jobs)%s", name,
                     dq_hint_of(name, strlen(name), dq_word_in, (const char *[]){"jobs", NULL}).words);
    (void)fputs(text, stdout); /* a late error is dq_cli_finish's */
    return DQ_OK;
}

static dq_status run(dq_cli *cli, export_options *o, dq_error *error)
{
    if (o->show_schema) {
        dq_cli_enter(cli, EXPORT_SHOW);
        return show_schema(cli, o->show_schema);
    }
    export_apply_defaults(cli, o);
    row_bar bar = {.common = &o->common};
    o->request.target.watch = show_progress;
    o->request.target.watch_arg = &bar;
    o->request.target.summary = &o->summary;
    o->request.interaction_reading.reward_name = o->reward_name;
    dq_status status = cli->mode == EXPORT_LOG ? export_log(cli, o, error)
                       : o->schema             ? export_joined(cli, o, error)
                                               : write_stream(cli, o, NULL, NULL, error);
    o->request.target.watch_arg = NULL; /* the bar ends here */
    if (!status) export_report(cli, o);
    return status;
}

/* libmongoc makes a file of counters in shared memory as it is loaded. Where files have a limit (ulimit -f)
 * that would end us before there is a main: what stands here runs before what is loaded. */
static void ignore_file_limit(void)
{
    (void)signal(SIGXFSZ, SIG_IGN);
}
__attribute__((section(".preinit_array"),
               used)) static void (*const before_libraries)(void) = ignore_file_limit;

static const char *schema_at(size_t i)
{
    return schemas[i];
}

static const char *mapping_at(size_t i)
{
    return i == 0 ? "jobs" : NULL;
}

int main(int argc, char **argv)
{
    export_options o = {
        .common = DQ_COMMON_DEFAULTS,
        .request = {.users.selection.limit = UINT64_MAX, .items.selection.limit = UINT64_MAX}};
    dq_import_request *r = &o.request;
    const dq_option table[] = {
        {"users", 0, DQ_OPT_TEXT, &r->users.path, "FILE",
         "users: .jsonl .json .csv .tsv .npy .safetensors, also .zst .gz", .modes = EXPORT_FILES},
        {"items", 0, DQ_OPT_TEXT, &r->items.path, "FILE", "items", .modes = EXPORT_FILES | EXPORT_LOG},
        {"interactions", 0, DQ_OPT_TEXT, &r->interactions, "FILE", "who met what: JSON, or a table",
         .modes = EXPORT_FILES},
        {"feedback", 0, DQ_OPT_TEXT, &r->feedback.path, "FILE",
         "what came of the interactions: their labels and rewards", .modes = EXPORT_FILES,
         .needs = "interactions"},
        {"user-ids", 0, DQ_OPT_TEXT, &r->users.id_path, "FILE",
         "ids of the rows of an array of users, one a line, or .npy", .modes = EXPORT_FILES},
        {"item-ids", 0, DQ_OPT_TEXT, &r->items.id_path, "FILE",
         "ids of the rows of an array of items, one a line, or .npy", .modes = EXPORT_FILES},
        {"user-vectors", 0, DQ_OPT_TEXT, &r->users.vectors, "FILE",
         "vectors of the users, .npy or .safetensors: in the order of their file, or of --user-ids",
         .modes = EXPORT_FILES, .needs = "users"},
        {"item-vectors", 0, DQ_OPT_TEXT, &r->items.vectors, "FILE",
         "vectors of the items, .npy or .safetensors: in the order of their file, or of --item-ids",
         .modes = EXPORT_FILES, .needs = "items"},
        {"columns", 0, DQ_OPT_LIST, &o.columns, "ROLE=NAME,...",
         "what columns or keys are; users:..., items:..., interactions:..., feedback:...; numbers: no header",
         .flags = DQ_OPT_PAYLOAD, .modes = EXPORT_FILES},
        {"sep", 0, DQ_OPT_LIST, &o.separators, "SEP", "what cells are cut at: ; | :: tab; users:SEP ...",
         .flags = DQ_OPT_PAYLOAD, .modes = EXPORT_FILES},
        {"encoding", 0, DQ_OPT_LIST, &o.encodings, "NAME",
         "of texts that are not UTF-8: latin1; users:NAME ...", .flags = DQ_OPT_PAYLOAD,
         .modes = EXPORT_FILES | EXPORT_FOLDER},
        {"schema", 0, DQ_OPT_TEXT, &o.schema, "NAME|FILE",
         "join the collections of a folder or database: jobs, or a mapping's file; obd: a log",
         .modes = JOINED | EXPORT_LOG, .values = schema_at},
        {"show-schema", 0, DQ_OPT_TEXT, &o.show_schema, "NAME", "print a built-in mapping and exit",
         .modes = EXPORT_SHOW, .values = mapping_at},
        {"limit", 'n', DQ_OPT_LIST, &o.limits, "N", "at most N of each side; users:N, items:N",
         .flags = DQ_OPT_PAYLOAD, .modes = STREAM},
        {"user", 0, DQ_OPT_LIST, &o.user_ids, "ID", "only this user (may be repeated)",
         .flags = DQ_OPT_PAYLOAD, .modes = STREAM},
        {"item", 0, DQ_OPT_LIST, &o.item_ids, "ID", "only this item (may be repeated)",
         .flags = DQ_OPT_PAYLOAD, .modes = STREAM},
        {"where", 0, DQ_OPT_LIST, &o.wheres, "JSON",
         "only these, by a filter of MongoDB; users:JSON, items:JSON", .flags = DQ_OPT_PAYLOAD,
         .modes = EXPORT_DATABASE},
        {"compare", 0, DQ_OPT_LIST, &o.pairs, "U:I", "fields to be compared by default",
         .flags = DQ_OPT_PAYLOAD, .modes = STREAM},
        {"time-format", 0, DQ_OPT_TEXT, &r->times.format, "FORMAT",
         "interactions' times, as strptime(3) has it: '%m/%d/%Y %I:%M:%S %p'", .flags = DQ_OPT_PAYLOAD,
         .modes = STREAM},
        {"reward-scale", 0, DQ_OPT_TEXT, &o.scale, "LOW:HIGH",
         "rewards are on this scale, 1:5 say; it becomes 0 to 1", .flags = DQ_OPT_PAYLOAD,
         .modes = EXPORT_FILES | JOINED},
        {"strict", 0, DQ_OPT_FLAG, &o.strict, NULL, "a faulty document is an error, not skipped",
         .modes = STREAM},
        DQ_OPTIONS_COMMON_IN(o.common, STREAM),
        {0},
    };
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    dq_error error = DQ_ERROR_NONE;
    dq_status status = run(&cli, &o, &error);
    return dq_cli_finish(&cli, status, &error);
}
