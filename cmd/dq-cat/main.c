/* SPDX-License-Identifier: MIT
 *
 * dq-cat: prints, outlines, counts, checks, selects, joins, splits and converts streams, and shows their
 * lineage.
 */
#include "cli/cli.h"
#include "follow.h"
#include "selections.h"
#include "split.h"

#include "core/delta/delta.h"
#include "dq/schema.h"
#include "inspect/arrays.h"
#include "inspect/check.h"
#include "inspect/count.h"
#include "inspect/join.h"
#include "inspect/lineage.h"
#include "inspect/outline.h"
#include "inspect/print.h"
#include "inspect/vectors.h"
#include "port/files/safetensors.h"
#include "wire/delta/starts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef enum form { JSONL, STREAM, TSV, NPY, SAFETENSORS } form;
typedef enum from { FROM_STREAM, FROM_NPY, FROM_SAFETENSORS } from;

static const char *const forms[] = {"jsonl", "stream", "tsv", "npy", "safetensors", NULL};
static const char *const kepts[] = {"all", "best", "last", NULL};
static const char *const vectors[] = {"as-read", "f4", "f2", "bf16", NULL};
static const char *const froms[] = {"stream", "npy", "safetensors", NULL};

typedef struct options {
    dq_common common;
    bool check, count, schema, lineage, join, follow;
    uint64_t position; /* of a log, with follow */
    int form, from, kept;
    int vectors; /* 0: as they are */
    const char *ids, *split, *since, *before, *start;
    dq_texts kinds, users, items;
    dq_selection select;
} options;

/* Where rows go: one of sink and writer. */
typedef struct output {
    const options *o;
    dq_cli *cli;
    dq_selection *select;
    dq_reader *in; /* NULL: read from another format */
    dq_starts starts;
    dq_sink *sink;
    dq_writer *writer;
    uint64_t section;
    dq_json_text text;
    dq_tsv_head tsv;
    dq_arrays array;
    uint64_t models;
    dq_counts counts;
    dq_outline outline;
    dq_progress progress;
} output;

/* ---- out ---- */

static dq_status open_writer(output *out, const char *path, dq_error *error)
{
    dq_maker maker = dq_cli_maker(out->cli, -1);
    return dq_writer_open(&out->writer, path, &maker, &out->in, out->in != NULL, error);
}

static dq_status open_output(output *out, dq_error *error)
{
    const options *o = out->o;
    if (o->split) return cat_split_begin(o->split, error);
    if (o->form == STREAM && !o->check && !o->count && !o->schema && !o->lineage)
        return open_writer(out, o->common.output, error);
    return dq_sink_open(&out->sink, o->common.output, DQ_SINK_TEXT, error);
}

/* A section of the output for each of the input; with --split a file for each. */
static dq_status begin_section(output *out, uint64_t section, dq_error *error)
{
    char path[4096];
    bool same = section == out->section && out->writer;
    out->section = section;
    if (same) return DQ_OK;
    if (!out->o->split) return dq_writer_next_section(out->writer, error);
    dq_status status = out->writer ? dq_writer_close(out->writer, error) : DQ_OK;
    out->writer = NULL;
    if (!status) status = cat_split_path(out->o->split, section, path, sizeof path, error);
    return status ? status : open_writer(out, path, error);
}

static dq_status put_text(output *out, const dq_bundle *bundle, dq_error *error)
{
    dq_status status;
    out->text.bytes = 0;
    if (out->o->form == TSV)
        status = dq_print_tsv(&out->text, bundle, out->select, &out->tsv, error);
    else
        status = dq_print_json(&out->text, bundle, out->select, out->select->kind_count != 1, error);
    return status ? status : dq_sink_write(out->sink, out->text.data, out->text.bytes, error);
}

/* A bundle whose rows are those chosen, with vectors as they are to be. */
static dq_status put_rows(output *out, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    dq_status status;
    switch ((form)out->o->form) {
    case STREAM:
        status = begin_section(out, section, error);
        return status ? status : dq_writer_put(out->writer, bundle, error);
    case NPY: return dq_arrays_add(&out->array, bundle, error);
    case SAFETENSORS:
        if (strcmp(bundle->kind, DQ_KIND_MODEL) != 0) return DQ_OK;
        if (out->models++)
            return dq_fail(error, DQ_ERR_UNSUPPORTED, "more than one model: choose one (--kept, --split)");
        if (dq_delta_refuse(bundle, error)) return error->status;
        return dq_safetensors_write(out->sink, bundle, error);
    case JSONL:
    case TSV: break;
    }
    return DQ_OK;
}

static dq_status put_bundle(output *out, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    static const dq_dtype types[] = {[1] = DQ_F4, [2] = DQ_F2, [3] = DQ_BF16};
    dq_bundle changed;
    if (!out->o->vectors) return put_rows(out, bundle, section, error);
    dq_status status = dq_vectors_as(&changed, bundle, types[out->o->vectors], error);
    if (status) return status;
    status = put_rows(out, &changed, section, error);
    dq_bundle_free(&changed);
    return status;
}

static dq_status put(output *out, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    dq_status status = dq_select_rows(out->select, bundle, section, error);
    if (status) return status;
    if (out->o->schema) return dq_outline_add(&out->outline, bundle, out->select, error);
    if (out->o->count && !dq_select_wants(out->select, bundle->kind)) return DQ_OK;
    if (out->o->count) return dq_counts_add(&out->counts, bundle->kind, out->select->count, error);
    if (out->o->form == JSONL || out->o->form == TSV) return put_text(out, bundle, error);
    if (out->select->count == 0 && !(out->select->whole && bundle->rows == 0)) return DQ_OK;
    if (out->select->whole) return put_bundle(out, bundle, section, error);
    dq_bundle chosen;
    status = dq_select_copy(out->select, bundle, &chosen, error);
    if (status) return status;
    status = put_bundle(out, &chosen, section, error);
    dq_bundle_free(&chosen);
    return status;
}

static dq_status complete(output *out, dq_error *error)
{
    dq_status status = DQ_OK;
    if (out->o->schema) status = dq_outline_write(&out->outline, out->sink, error);
    if (out->o->count) status = dq_counts_write(&out->counts, out->sink, error);
    if (out->o->form == NPY) status = dq_arrays_write(&out->array, out->sink, out->o->ids, error);
    if (out->o->form == SAFETENSORS && !out->models)
        status = dq_fail(error, DQ_ERR_UNKNOWN, "no model in the stream");
    if (!status && out->writer) {
        status = dq_writer_close(out->writer, error);
        out->writer = NULL;
    }
    if (!status && out->sink) {
        status = dq_sink_close(out->sink, error);
        out->sink = NULL;
    }
    return status;
}

static void release(output *out)
{
    dq_writer_abort(out->writer);
    dq_sink_abort(out->sink);
    dq_starts_free(&out->starts);
    dq_reader_close(out->in);
    dq_json_text_free(&out->text);
    dq_arena_free(&out->tsv.arena);
    dq_arrays_free(&out->array);
    dq_counts_free(&out->counts);
    dq_outline_free(&out->outline);
    dq_select_free(out->select);
}

/* ---- in ---- */

static void flush(void *arg)
{
    output *out = arg; /* a failure shows again at the next write, which is checked */
    if (out->writer) (void)dq_writer_flush(out->writer, NULL);
    if (out->sink) (void)dq_sink_flush(out->sink, NULL);
}

static void show_rows(void *progress, uint64_t rows)
{
    dq_progress *p = progress;
    dq_progress_step(p, p->done + rows, NULL);
}

static dq_status copy_rows(output *out, dq_error *error)
{
    dq_bundle bundle;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && !dq_select_done(out->select) && (got = dq_reader_next(out->in, &bundle, error)) > 0) {
        status = put(out, &bundle, dq_reader_section(out->in), error);
        show_rows(&out->progress, bundle.rows);
        if (status) (void)dq_error_at(error, dq_reader_source(out->in), dq_reader_record(out->in));
        dq_bundle_free(&bundle);
    }
    if (!status && got < 0) status = error->status;
    return status ? status : dq_select_found(out->select, error);
}

static dq_status put_file(void *arg, dq_bundle *bundle, dq_error *error)
{
    dq_status status = dq_schema_check(bundle, error);
    return status ? status : put(arg, bundle, 0, error);
}

static dq_status copy_file(output *out, dq_error *error)
{
    const char *path = out->cli->operand_count ? out->cli->operands[0] : "-";
    const char *kind = out->o->kinds.count ? out->o->kinds.at[0] : DQ_KIND_ITEMS;
    dq_status status = out->o->from == FROM_SAFETENSORS
                           ? dq_arrays_read_safetensors(path, put_file, out, error)
                           : dq_arrays_read_npy(path, out->o->ids, kind, put_file, out, error);
    return status ? status : dq_select_found(out->select, error);
}

static bool is_enough(void *arg)
{
    const output *out = arg;
    return dq_select_done(out->select);
}

static dq_status put_logged(void *arg, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    output *out = arg;
    dq_status status = put(out, bundle, section, error);
    show_rows(&out->progress, bundle->rows);
    return status;
}

/* Whoever goes on later begins where this ended. */
static dq_status follow_log(output *out, dq_error *error)
{
    uint64_t position;
    const cat_follow follow = {.path = out->cli->operands[0],
                               .position = out->o->position,
                               .enough = is_enough,
                               .put = put_logged,
                               .flush = flush,
                               .arg = out};
    dq_status status = cat_follow_run(&follow, &position, error);
    if (!status) dq_cli_say(out->cli, &out->o->common, "up to --position %llu", (unsigned long long)position);
    return status;
}

static dq_status work(output *out, dq_error *error)
{
    const options *o = out->o;
    dq_common common = o->common;
    if (isatty(STDOUT_FILENO)) common.quiet |= !common.progress; /* rows and a bar do not share a terminal */
    out->progress = dq_progress_start(&common, "reading", "rows", 0);
    const dq_watch watch = {show_rows, &out->progress};
    if (o->check) return dq_check_stream(out->in, &watch, error);
    if (o->lineage) return dq_lineage_write(out->in, out->sink, &watch, error);
    if (o->join) return dq_join_sections(out->in, out->writer, &watch, error);
    if (o->follow) return follow_log(out, error);
    return o->from == FROM_STREAM ? copy_rows(out, error) : copy_file(out, error);
}

/* What was taken for granted about times that bounds were compared with. */
static void say_times(const dq_cli *cli, const options *o, const dq_selection *s)
{
    char words[400];
    const dq_time_tally *times = &s->times;
    uint64_t none = times->count[DQ_TIME_NONE];
    if (dq_time_describe(times, s->time, words, sizeof words))
        dq_cli_say(cli, &o->common, "%s%s", words,
                   times->small && (s->since.year || s->before.year)
                       ? "; four digits are such a number, and no year"
                       : "");
    if (none)
        dq_cli_say(cli, &o->common, "%llu interactions have no '%s' and were left out",
                   (unsigned long long)none, s->time);
}

static dq_status run(const options *o, dq_cli *cli, dq_selection *select, dq_error *error)
{
    output out = {.o = o, .cli = cli, .select = select};
    dq_status status = DQ_OK;
    if (o->from == FROM_STREAM && !o->follow)
        status = dq_reader_open(&out.in, cli->operands, cli->operand_count, error);
    if (!status && o->start) status = dq_starts_give(&out.starts, o->start, error);
    if (!status && o->start) dq_starts_follow(&out.starts, out.in);
    if (!status) status = open_output(&out, error);
    if (!status && out.in && o->common.flush) dq_reader_on_block(out.in, flush, &out);
    if (!status && out.in) dq_reader_threads(out.in, dq_cli_stream_threads(cli));
    if (status) {
        release(&out);
        return status;
    }
    status = work(&out, error);
    dq_progress_end(&out.progress);
    if (!status) status = complete(&out, error);
    if (!status) say_times(cli, o, select);
    release(&out);
    return status;
}

/* ---- the command line ---- */

enum { ROWS = 1, CHECK = 2, COUNT = 4, LINEAGE = 8, JOIN = 16, SCHEMA = 32 };
/* Those that choose rows, and say or write something of them. */
enum { CHOOSE = ROWS | COUNT | SCHEMA };

static const dq_mode modes[] = {
    {ROWS, "rows", "rows", .help = "rows, as words, a stream or a file of another form"},
    {CHECK, "check", "--check", .help = "whether all is well (--check)"},
    {COUNT, "count", "--count", .help = "how many rows there are (--count)"},
    {SCHEMA, "schema", "--schema", .help = "what kinds and columns there are (--schema)"},
    {LINEAGE, "lineage", "--lineage", .help = "what made it (--lineage)"},
    {JOIN, "join", "--join", .help = "one section of several (--join)"},
    {0}};

/* What a file of another program becomes, and what is joined, is a stream unless told otherwise. */
static const dq_setting to_stream[] = {{"to", "stream"}, {0}}, as_it_is[] = {{0}};
static const dq_defaults defaults[] = {{JOIN, NULL, NULL, to_stream},
                                       {ROWS, "from", "npy", to_stream},
                                       {ROWS, "from", "safetensors", to_stream},
                                       {COUNT | SCHEMA, "from", "npy", as_it_is},
                                       {COUNT | SCHEMA, "from", "safetensors", as_it_is},
                                       {0}};

static unsigned choose_mode(const options *o)
{
    if (o->check) return CHECK;
    if (o->count) return COUNT;
    if (o->schema) return SCHEMA;
    if (o->lineage) return LINEAGE;
    return o->join ? JOIN : ROWS;
}

/* The time that an option names; none where it was not given. */
static dq_time bound(const dq_cli *cli, const char *option, const char *text)
{
    dq_time time = {.form = DQ_TIME_NONE};
    if (text) time = dq_time_parse(text, strlen(text));
    if (time.form == DQ_TIME_UNREADABLE)
        dq_cli_usage(cli,
                     "--%s: '%s' is no time: seconds, milliseconds or microseconds since 1970, or ISO 8601",
                     option, text);
    return time;
}

/* The kinds that can be read, and of these those that can be written. */
static unsigned read_kinds(const options *o)
{
    if (o->from == FROM_SAFETENSORS) return CAT_MODEL;
    if (o->from == FROM_STREAM) return CAT_ALL;
    return o->kinds.count && strcmp(o->kinds.at[0], DQ_KIND_USERS) == 0 ? CAT_USERS : CAT_ITEMS;
}

static unsigned written_kinds(const options *o)
{
    if (o->schema || o->count) return CAT_ALL;
    return o->form == NPY ? CAT_USERS | CAT_ITEMS : o->form == SAFETENSORS ? CAT_MODEL : CAT_ALL;
}

static void check_options(dq_cli *cli, options *o)
{
    bool foreign = o->from != FROM_STREAM;
    dq_cli_enter(cli, choose_mode(o));
    if (foreign && cli->operand_count > 1) dq_cli_usage(cli, "--from reads one file");
    if (o->from == FROM_NPY && o->kinds.count > 1) dq_cli_usage(cli, "--from npy reads one kind");
    if (o->from == FROM_NPY && o->kinds.count && dq_entity_kind(o->kinds.at[0]) < 0)
        dq_cli_usage(cli, "--from npy reads users or items, not %s", o->kinds.at[0]);
    if (o->ids && o->from != FROM_NPY && o->form != NPY)
        dq_cli_usage(cli, "--ids goes with --from npy or --to npy");
    if (o->ids && o->from == FROM_NPY && o->form == NPY)
        dq_cli_usage(cli, "--from npy --to npy changes nothing");
    if (o->split && !dq_cli_given(cli, "to")) o->form = STREAM;
    if ((o->split || o->join) && o->form != STREAM)
        dq_cli_usage(cli, "--%s writes streams", o->split ? "split" : "join");
    if (o->follow && (cli->operand_count != 1 || strcmp(cli->operands[0], "-") == 0))
        dq_cli_usage(cli, "--follow reads one server's log, a file");
    if (o->follow && (o->form == NPY || o->form == SAFETENSORS))
        dq_cli_usage(cli, "--follow writes jsonl, tsv or a stream");
    o->select.by_head = dq_cli_given(cli, "head");
    o->select.by_row = dq_cli_given(cli, "row");
    o->select.renumber = o->form == STREAM;
    o->select.user = (dq_wanted){.ids = o->users.at, .count = o->users.count};
    o->select.item = (dq_wanted){.ids = o->items.at, .count = o->items.count};
    o->select.kinds = o->kinds.at;
    o->select.kind_count = o->kinds.count;
    if (o->kept) o->select.kept_as = kepts[o->kept];
    o->select.since = bound(cli, "since", o->since);
    o->select.before = bound(cli, "before", o->before);
    o->select.no_ids = o->count && !o->select.user.count && !o->select.item.count;
    cat_selections_check(cli, read_kinds(o), written_kinds(o), &o->select);
}

static const dq_program program = {
    .name = "dq-cat",
    .guide = "stream-format.md",
    .summary = "prints, outlines, counts, checks, selects, joins, splits and converts streams",
    .operands = "[FILE...]",
    .modes = modes,
    .defaults = defaults,
    .examples = {"dq-cat catalogue.dq | jq -r .id",
                 "dq-cat --kind items --to npy --ids ids.txt catalogue.dq > v.npy"},
};

int main(int argc, char **argv)
{
    options o = {.common = DQ_COMMON_DEFAULTS, .select.time = "time"};
    const dq_option table[] = {
        {"check", 0, DQ_OPT_FLAG, &o.check, NULL, "verify everything, print nothing", .modes = CHECK},
        {"count", 0, DQ_OPT_FLAG, &o.count, NULL, "print the rows of each kind, and how many models",
         .modes = COUNT},
        {"schema", 0, DQ_OPT_FLAG, &o.schema, NULL,
         "print each kind's columns: types, widths, fields, spans, examples", .modes = SCHEMA},
        {"lineage", 0, DQ_OPT_FLAG, &o.lineage, NULL, "print what made each section, and from what",
         .modes = LINEAGE},
        {"head", 'n', DQ_OPT_COUNT, &o.select.head, "N", "the first N rows only, and vouch for these alone",
         .flags = DQ_OPT_PAYLOAD | DQ_OPT_UNSET, .modes = CHOOSE, .excludes = "row"},
        {"row", 0, DQ_OPT_COUNT, &o.select.row, "N", "the row number N, from 0",
         .flags = DQ_OPT_PAYLOAD | DQ_OPT_UNSET, .modes = CHOOSE},
        {"user", 'u', DQ_OPT_LIST, &o.users, "ID",
         "this user; of other kinds (--kind), this user's rows; may be repeated", .flags = DQ_OPT_PAYLOAD,
         .modes = CHOOSE},
        {"item", 0, DQ_OPT_LIST, &o.items, "ID",
         "this item; of other kinds (--kind), this item's rows; may be repeated", .flags = DQ_OPT_PAYLOAD,
         .modes = CHOOSE},
        {"kept", 0, DQ_OPT_CHOICE, &o.kept, "WHICH",
         "of models, those that a run kept as its best or its last", .flags = DQ_OPT_PAYLOAD,
         .choices = kepts, .modes = CHOOSE},
        {"start", 0, DQ_OPT_TEXT, &o.start, "MODEL",
         "make models whole that have only what differs from this one (dq-train --save delta)",
         .flags = DQ_OPT_PAYLOAD | DQ_OPT_READS, .modes = CHOOSE, .excludes = "follow"},
        {"since", 0, DQ_OPT_TEXT, &o.since, "TIME", "interactions of this time and later",
         .flags = DQ_OPT_PAYLOAD, .modes = CHOOSE},
        {"before", 0, DQ_OPT_TEXT, &o.before, "TIME", "interactions before this time",
         .flags = DQ_OPT_PAYLOAD, .modes = CHOOSE},
        {"time", 0, DQ_OPT_TEXT, &o.select.time, "NAME", "the attribute that tells an interaction's time",
         .flags = DQ_OPT_PAYLOAD | DQ_OPT_UNSET, .modes = CHOOSE, .needs = "since before"},
        {"kind", 0, DQ_OPT_LIST, &o.kinds, "KIND", "users, items, model ...; may be repeated",
         .flags = DQ_OPT_PAYLOAD, .modes = CHOOSE},
        {"to", 0, DQ_OPT_CHOICE, &o.form, "FORM", "what to write", .choices = forms, .modes = ROWS | JOIN},
        {"vectors", 0, DQ_OPT_CHOICE, &o.vectors, "TYPE",
         "write vectors of users and items as f4, f2 (IEEE halves) or bf16, rounded to the nearest",
         .flags = DQ_OPT_PAYLOAD, .choices = vectors, .modes = ROWS, .where = "to=stream,npy"},
        {"from", 0, DQ_OPT_CHOICE, &o.from, "FORM", "what is read; npy holds vectors of one --kind",
         .flags = DQ_OPT_PAYLOAD, .choices = froms, .modes = CHOOSE, .recorded = ROWS | JOIN},
        {"ids", 0, DQ_OPT_TEXT, &o.ids, "FILE", "with npy: the ids, one a line", .flags = DQ_OPT_WRITES,
         .modes = CHOOSE},
        {"join", 0, DQ_OPT_FLAG, &o.join, NULL, "make one section of all, equal users and items once",
         .flags = DQ_OPT_PAYLOAD, .modes = JOIN, .recorded = ROWS | JOIN},
        {"split", 0, DQ_OPT_TEXT, &o.split, "DIR", "write each section to DIR/00000.dq, DIR/00001.dq ...",
         .flags = DQ_OPT_WRITES, .modes = ROWS, .excludes = "output"},
        {"follow", 0, DQ_OPT_FLAG, &o.follow, NULL,
         "of a server's log, rows as they come, too, through its files", .flags = DQ_OPT_PAYLOAD,
         .modes = ROWS, .excludes = "split from ids"},
        {"position", 0, DQ_OPT_COUNT, &o.position, "N",
         "where in the log to begin: what --follow said at its end", .flags = DQ_OPT_PAYLOAD, .min = 0,
         .max = 9e18, .modes = ROWS, .needs = "follow"},
        DQ_OPTIONS_COMMON_IN(o.common, CHOOSE | LINEAGE | JOIN),
        {0}};
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    check_options(&cli, &o);
    dq_error error = DQ_ERROR_NONE;
    dq_status status = run(&o, &cli, &o.select, &error);
    return dq_cli_finish(&cli, status, &error);
}
