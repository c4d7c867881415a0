/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What getopt_long returns for option i of the table: SET + i, or UNSET + i for --no-NAME. */
enum { SET = 1 << 10, UNSET = 1 << 20, COMPLETION = 1 << 30, MAX_OPTIONS = 256 };

/* The table in getopt's terms. */
typedef struct forms {
    struct option longs[2 * MAX_OPTIONS + 4];
    char shorts[2 * MAX_OPTIONS + 8];
    char negated[MAX_OPTIONS][48]; /* "no-NAME" */
} forms;

static void say(const dq_program *program, const char *format, va_list args)
{
    char text[1024];
    (void)vsnprintf(text, sizeof text, format, args);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f) *p = '?';
    (void)fprintf(stderr, "%s: %s\n", program->name, text);
}

void dq_cli_usage(const dq_cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(cli->program, format, args);
    va_end(args);
    exit(DQ_EXIT_USAGE);
}

/* Close that counts late errors, as gnulib's close_stdout: a full disk may show only here. A closed stdout
 * that nobody wrote to, or that a sink has closed already, is no error. */
static int close_stdout(const dq_program *program)
{
    bool failed = ferror(stdout) != 0, pending = __fpending(stdout) != 0;
    if (fclose(stdout) != 0 && (failed || pending || errno != EBADF)) failed = true;
    if (!failed) return DQ_EXIT_DONE;
    (void)fprintf(stderr, "%s: stdout: %s\n", program->name, errno ? strerror(errno) : "write error");
    return DQ_EXIT_FAILED;
}

/* A descriptor 0, 1 or 2 that the caller closed would be given to the next file opened, and data written
 * over it. Each is taken by /dev/null, opened the wrong way round so that using it still fails. */
static void hold_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            _exit(DQ_EXIT_FAILED);
}

static size_t add_forms(const dq_option *table, forms *f)
{
    size_t n = 0, s = 0;
    f->shorts[s++] = 'h';
    f->shorts[s++] = 'V';
    for (int i = 0; table[i].name && i < MAX_OPTIONS; i++) {
        const dq_option *o = &table[i];
        int takes = o->type == DQ_OPT_FLAG ? no_argument : required_argument;
        f->longs[n++] = (struct option){o->name, takes, NULL, SET + i};
        if (o->type == DQ_OPT_FLAG) {
            (void)snprintf(f->negated[i], sizeof f->negated[i], "no-%s", o->name);
            f->longs[n++] = (struct option){f->negated[i], no_argument, NULL, UNSET + i};
        }
        if (!o->letter) continue;
        f->shorts[s++] = o->letter;
        if (takes == required_argument) f->shorts[s++] = ':';
    }
    f->longs[n++] = (struct option){"help", no_argument, NULL, 'h'};
    f->longs[n++] = (struct option){"version", no_argument, NULL, 'V'};
    f->longs[n++] = (struct option){"completion", no_argument, NULL, COMPLETION};
    f->longs[n] = (struct option){0};
    f->shorts[s] = '\0';
    return n;
}

/* --help and its kin, wherever they stand: answered before any option changes a default. */
static void answer_questions(const dq_program *program, const dq_option *table, const forms *f, int argc,
                             char **argv)
{
    int got;
    opterr = 0;
    optind = 0;
    while ((got = getopt_long(argc, argv, f->shorts, f->longs, NULL)) != -1) {
        if (got == 'h') dq_help_print(program, table);
        if (got == 'V') dq_help_version(program);
        if (got == COMPLETION) dq_help_completion(program, table);
        if (got == 'h' || got == 'V' || got == COMPLETION) exit(close_stdout(program));
    }
}

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

static void check_range(const dq_cli *cli, const dq_option *o, const char *name, const char *text,
                        double value)
{
    if (o->min < o->max && (value < o->min || value > o->max))
        dq_cli_usage(cli, "%s: %s is not between %.9g and %.9g", name, text, o->min, o->max);
}

static void set_count(const dq_cli *cli, const dq_option *o, const char *name, const char *text)
{
    uint64_t value;
    if (!parse_count(text, &value)) dq_cli_usage(cli, "%s: '%s' is not a count", name, text);
    check_range(cli, o, name, text, (double)value);
    *(uint64_t *)o->target = value;
}

static void set_real(const dq_cli *cli, const dq_option *o, const char *name, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value)) dq_cli_usage(cli, "%s: '%s' is not a number", name, text);
    check_range(cli, o, name, text, value);
    *(double *)o->target = value;
}

static void set_choice(const dq_cli *cli, const dq_option *o, const char *name, const char *text)
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
    dq_cli_usage(cli, "%s: '%s' is not one of %s", name, text, all);
}

static void set_list(const dq_cli *cli, const dq_option *o, const char *name, const char *text)
{
    dq_texts *list = o->target;
    if (list->count == sizeof list->at / sizeof list->at[0])
        dq_cli_usage(cli, "%s: given more than %zu times", name, list->count);
    list->at[list->count++] = text;
}

static void set_option(const dq_cli *cli, const dq_option *o, const char *name, const char *text, bool on)
{
    switch (o->type) {
    case DQ_OPT_FLAG: *(bool *)o->target = on; break;
    case DQ_OPT_COUNT: set_count(cli, o, name, text); break;
    case DQ_OPT_REAL: set_real(cli, o, name, text); break;
    case DQ_OPT_TEXT: *(const char **)o->target = text; break;
    case DQ_OPT_CHOICE: set_choice(cli, o, name, text); break;
    case DQ_OPT_LIST: set_list(cli, o, name, text); break;
    case DQ_OPT_END: break;
    }
    if (o->given) *o->given = true;
}

static const dq_option *find_option(const dq_option *table, const char *name)
{
    for (const dq_option *o = table; o->name; o++)
        if (strcmp(o->name, name) == 0) return o;
    return NULL;
}

bool dq_cli_given(const dq_cli *cli, const char *name)
{
    const dq_option *o = find_option(cli->table, name);
    return o && cli->given[o - cli->table];
}

/* DQ_THREADS and DQ_FLUSH stand where the options of these names would. */
static void apply_environment(const dq_cli *cli)
{
    const char *threads = getenv("DQ_THREADS"), *flush = getenv("DQ_FLUSH");
    const dq_option *o = find_option(cli->table, "threads");
    if (o && threads && *threads) set_count(cli, o, "DQ_THREADS", threads);
    o = find_option(cli->table, "flush");
    if (o && flush && *flush) *(bool *)o->target = strcmp(flush, "0") != 0;
}

static void apply_options(const dq_cli *cli, bool *given, const forms *f, int argc, char **argv)
{
    int got;
    opterr = 1; /* getopt's own words: "dq-x: unrecognized option '--nmae'", one line */
    optind = 0;
    while ((got = getopt_long(argc, argv, f->shorts, f->longs, NULL)) != -1) {
        if (got == '?') exit(DQ_EXIT_USAGE);
        const dq_option *o = cli->table;
        if (got >= SET)
            o += got >= UNSET ? got - UNSET : got - SET;
        else
            while (o->letter != got) o++;
        char name[64];
        (void)snprintf(name, sizeof name, "--%s", o->name);
        set_option(cli, o, name, optarg, got < UNSET);
        given[o - cli->table] = true;
    }
}

dq_cli dq_cli_parse(const dq_program *program, const dq_option *table, int argc, char **argv)
{
    static char no_name[] = "dq", *nobody[] = {no_name, NULL};
    hold_descriptors();
    (void)signal(SIGPIPE, SIG_DFL);
    dq_cli cli = {.program = program, .table = table};
    forms *f = dq_arena_zero(&cli.arena, 1, sizeof *f);
    bool *given = dq_arena_zero(&cli.arena, MAX_OPTIONS, sizeof *given);
    cli.given = given;
    if (!f || !given) dq_cli_usage(&cli, "out of memory");
    if (argc < 1) { /* execve allows an empty argv */
        argc = 1;
        argv = nobody;
    }
    argv[0] = (char *)program->name; /* for getopt's messages; it only reads */
    (void)add_forms(table, f);
    answer_questions(program, table, f, argc, argv);
    apply_environment(&cli);
    apply_options(&cli, given, f, argc, argv);
    cli.operands = (const char *const *)(argv + optind);
    cli.operand_count = (size_t)(argc - optind);
    if (cli.operand_count && (!program->operands || !*program->operands))
        dq_cli_usage(&cli, "unexpected operand '%s'", cli.operands[0]);
    return cli;
}

static dq_value value_of(dq_arena *arena, const dq_option *o)
{
    switch (o->type) {
    case DQ_OPT_FLAG: return dq_bool(*(const bool *)o->target);
    case DQ_OPT_COUNT: return dq_int((int64_t) * (const uint64_t *)o->target);
    case DQ_OPT_REAL: return dq_real(*(const double *)o->target);
    case DQ_OPT_TEXT: return dq_string(arena, *(const char *const *)o->target);
    case DQ_OPT_CHOICE: return dq_string(arena, o->choices[*(const int *)o->target]);
    case DQ_OPT_LIST: {
        const dq_texts *texts = o->target;
        dq_value list = dq_list();
        for (size_t i = 0; i < texts->count; i++)
            if (!dq_list_add(arena, &list, dq_string(arena, texts->at[i]))) return dq_nil();
        return list.count ? list : dq_nil();
    }
    case DQ_OPT_END: break;
    }
    return dq_nil();
}

dq_maker dq_cli_maker(dq_cli *cli, int64_t seed)
{
    dq_value options = dq_map();
    for (const dq_option *o = cli->table; o->name; o++) {
        bool given = cli->given[o - cli->table];
        if (!(o->flags & DQ_OPT_PAYLOAD) || ((o->flags & DQ_OPT_UNSET) && !given)) continue;
        dq_value value = value_of(&cli->arena, o);
        if (value.type != DQ_NIL && !dq_map_set(&cli->arena, &options, o->name, value))
            dq_cli_usage(cli, "out of memory");
    }
    const dq_option *threads = find_option(cli->table, "threads");
    return (dq_maker){.program = cli->program->name,
                      .version = DQ_VERSION,
                      .options = options,
                      .seed = seed,
                      .threads = threads ? (unsigned)*(const uint64_t *)threads->target : 1};
}

void dq_cli_report(const dq_cli *cli, const dq_error *error)
{
    const char *reason = error->reason[0] ? error->reason : dq_status_word(error->status);
    (void)fprintf(stderr, "%s: ", cli->program->name);
    if (error->source[0]) (void)fprintf(stderr, "%s: ", error->source);
    if (error->record != DQ_NO_RECORD)
        (void)fprintf(stderr, "record %llu: ", (unsigned long long)error->record);
    (void)fprintf(stderr, "%s\n", reason);
}

void dq_cli_say(const dq_cli *cli, const dq_common *common, const char *format, ...)
{
    if (common->quiet) return;
    va_list args;
    va_start(args, format);
    say(cli->program, format, args);
    va_end(args);
}

int dq_cli_finish(dq_cli *cli, dq_status status, dq_error *error)
{
    int code = status == DQ_OK ? DQ_EXIT_DONE : status == DQ_ERR_STOPPED ? DQ_EXIT_STOPPED : DQ_EXIT_FAILED;
    if (status) {
        error->status = status;
        dq_cli_report(cli, error);
    }
    int late = close_stdout(cli->program);
    dq_arena_free(&cli->arena);
    return code ? code : late;
}

unsigned dq_cli_threads(const dq_common *common, unsigned fallback)
{
    if (common->threads) return (unsigned)common->threads;
    if (fallback) return fallback;
    cpu_set_t allowed; /* the cores that we may use, not those of the machine */
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return (unsigned)CPU_COUNT(&allowed);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}
