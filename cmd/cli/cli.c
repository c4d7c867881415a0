/* SPDX-License-Identifier: MIT */
#include "cli/option/completion.h"
#include "cli/option/help.h"
#include "cli/option/option.h"
#include "cli/terminal/line.h"
#include "core/words/nearest.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
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
    const char *said[MAX_OPTIONS]; /* by row: the words that were given; of a flag "on" or "off" */
} forms;

/* Close that counts late errors, as gnulib's close_stdout: a full disk may show only here. A closed stdout
 * that nobody wrote to, or that a sink has closed already, is no error. */
static int close_stdout(const dq_program *program)
{
    bool failed = ferror(stdout) != 0, pending = __fpending(stdout) != 0;
    if (fclose(stdout) != 0 && (failed || pending || errno != EBADF)) failed = true;
    if (!failed) return DQ_EXIT_DONE;
    char line[256];
    (void)snprintf(line, sizeof line, "%.60s: stdout: %s\n", program->name,
                   errno ? strerror(errno) : "write error");
    dq_line_say(line);
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

static void add_forms(const dq_program *program, const dq_option *table, forms *f)
{
    size_t n = 0, s = 0;
    f->shorts[s++] = ':'; /* getopt says nothing itself */
    f->shorts[s++] = 'h';
    f->shorts[s++] = 'V';
    for (int i = 0; i < MAX_OPTIONS && table[i].name; i++) {
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
    f->longs[n++] = (struct option){"help", program->modes ? optional_argument : no_argument, NULL, 'h'};
    f->longs[n++] = (struct option){"version", no_argument, NULL, 'V'};
    f->longs[n++] = (struct option){"completion", optional_argument, NULL, COMPLETION};
    f->longs[n] = (struct option){0};
    f->shorts[s] = '\0';
}

static const char *mode_at(const void *modes, size_t i)
{
    return ((const dq_mode *)modes)[i].name;
}

/* The mode of --help MODE; NULL: all. */
static const dq_mode *asked_mode(const dq_cli *cli, const char *name)
{
    char all[256] = "";
    size_t used = 0;
    if (!name || !cli->program->modes) return NULL;
    for (const dq_mode *m = cli->program->modes; m->name; m++) {
        if (strcmp(m->name, name) == 0) return m;
        if (used < sizeof all)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", m->name);
    }
    dq_cli_usage(cli, "--help: '%s' is not one of %s%s", name, all,
                 dq_hint_of(name, strlen(name), mode_at, cli->program->modes).words);
}

/* The shell of --completion SHELL. */
static const char *asked_shell(const dq_cli *cli, const char *name)
{
    if (!name) return dq_completion_shells[0];
    for (size_t i = 0; dq_completion_shells[i]; i++)
        if (strcmp(dq_completion_shells[i], name) == 0) return name;
    dq_cli_usage(cli, "--completion: '%s' is not one of bash, zsh, fish, table%s", name,
                 dq_hint_of(name, strlen(name), dq_word_in, dq_completion_shells).words);
}

/* Takes a choice that decides which defaults hold, if it is one. */
static void note_choice(const dq_cli *cli, const dq_option *o, const char *words)
{
    bool decides = false;
    for (const dq_defaults *set = cli->program->defaults; set && set->settings; set++)
        decides |= set->option && strcmp(set->option, o->name) == 0;
    for (int i = 0; decides && o->type == DQ_OPT_CHOICE && o->choices[i]; i++) {
        if (strcmp(o->choices[i], words) != 0) continue;
        *(int *)o->target = i;
        cli->state[o - cli->table] |= DQ_ROW_GIVEN;
    }
}

/* --help of a mode is of the choices beside it, wherever they stand: other options change no default. */
static void note_choices(const dq_cli *cli, const forms *f, int argc, char **argv)
{
    int got;
    optind = 0;
    while ((got = getopt_long(argc, argv, f->shorts, f->longs, NULL)) != -1) {
        const dq_option *o = cli->table;
        while (got < SET && o->name && o->letter != got) o++;
        if (got >= SET && got < UNSET) o += got - SET;
        if (got < UNSET && o->name && optarg) note_choice(cli, o, optarg);
    }
}

/* --help and its kin, wherever they stand: answered before any option changes a default. */
static void answer_questions(const dq_cli *cli, const forms *f, int argc, char **argv)
{
    int got;
    opterr = 0;
    optind = 0;
    while ((got = getopt_long(argc, argv, f->shorts, f->longs, NULL)) != -1) {
        const char *next = optind < argc && argv[optind][0] != '-' ? argv[optind] : NULL;
        const char *of = optarg ? optarg : next;
        if (got == 'h') note_choices(cli, f, argc, argv);
        if (got == 'h') dq_help_print(cli, asked_mode(cli, of));
        if (got == 'V') dq_help_version(cli->program);
        if (got == COMPLETION) dq_completion_print(cli, asked_shell(cli, of));
        if (got == 'h' || got == 'V' || got == COMPLETION) exit(close_stdout(cli->program));
    }
}

/* DQ_THREADS and DQ_FLUSH stand where the options of these names would. */
static void apply_environment(const dq_cli *cli)
{
    const char *threads = getenv("DQ_THREADS"), *flush = getenv("DQ_FLUSH");
    const dq_option *o = dq_option_find(cli->table, "threads");
    if (o && threads && *threads) dq_option_give(cli, o, "DQ_THREADS", threads);
    o = dq_option_find(cli->table, "flush");
    if (!o || !flush || !*flush) return;
    if (strcmp(flush, "0") != 0 && strcmp(flush, "1") != 0)
        dq_cli_usage(cli, "DQ_FLUSH: '%s' is neither 0 nor 1", flush);
    *(bool *)o->target = *flush == '1';
}

/* ---- what getopt refuses ---- */

static const char *long_at(const void *longs, size_t i)
{
    return ((const struct option *)longs)[i].name;
}

/* A long option that is none, or the beginning of several. */
static void refuse_long(const dq_cli *cli, const forms *f, const char *word)
{
    char all[256] = "";
    size_t n = strcspn(word, "="), used = 0, count = 0;
    for (size_t i = 0; f->longs[i].name; i++) {
        if (strncmp(f->longs[i].name, word, n) != 0) continue;
        count++;
        if (used < sizeof all)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s--%s", used ? ", " : "",
                                     f->longs[i].name);
    }
    if (count > 1) dq_cli_usage(cli, "--%.*s may be any of %s", (int)n, word, all);
    const char *meant = dq_nearest(word, n, long_at, f->longs);
    dq_cli_usage(cli, "unknown option --%.*s%s%s%s", (int)n, word, meant ? "; did you mean --" : "",
                 meant ? meant : "", meant ? "?" : "");
}

/* The name of what getopt returns for an option, as errors have it: "--model", "-m". As letters, -h and -V
 * are never refused. */
static void name_of(const dq_cli *cli, const forms *f, int got, char to[64])
{
    if (got >= UNSET)
        (void)snprintf(to, 64, "--%s", f->negated[got - UNSET]);
    else if (got >= SET)
        (void)snprintf(to, 64, "--%s", cli->table[got - SET].name);
    else if (got == 'h' || got == 'V')
        (void)snprintf(to, 64, "--%s", got == 'h' ? "help" : "version");
    else
        (void)snprintf(to, 64, "-%c", got);
}

/* word: the last one that getopt is done with, which is before the one that an unknown letter is in. */
static void refuse_word(const dq_cli *cli, const forms *f, int got, const char *word)
{
    char name[64];
    if (got == '?' && optopt == 0) refuse_long(cli, f, word + 2);
    name_of(cli, f, optopt, name);
    if (got == ':') dq_cli_usage(cli, "%s needs a value", name);
    if (name[1] == '-') dq_cli_usage(cli, "%s takes no value", name);
    dq_cli_usage(cli, "unknown option %s", name);
}

/* ---- options as they are given ---- */

/* What is no list is given once: of two values one would be lost. A flag may be said again, not taken back.
 */
static void check_twice(const dq_cli *cli, const dq_option *o, const char *before, const char *words)
{
    if (!before || o->type == DQ_OPT_LIST) return;
    if (o->type != DQ_OPT_FLAG) dq_cli_usage(cli, "--%s is given twice: %s and %s", o->name, before, words);
    if (strcmp(before, words) != 0)
        dq_cli_usage(cli, "--%s and --no-%s contradict each other", o->name, o->name);
}

static void apply_options(const dq_cli *cli, forms *f, int argc, char **argv)
{
    int got;
    optind = 0;
    while ((got = getopt_long(argc, argv, f->shorts, f->longs, NULL)) != -1) {
        if (got == '?' || got == ':') refuse_word(cli, f, got, argv[optind - 1]);
        const dq_option *o = cli->table;
        if (got >= SET)
            o += got >= UNSET ? got - UNSET : got - SET;
        else
            while (o->letter != got) o++;
        char name[64];
        const char *words = o->type != DQ_OPT_FLAG ? optarg : got < UNSET ? "on" : "off";
        (void)snprintf(name, sizeof name, "--%s", o->name);
        check_twice(cli, o, f->said[o - cli->table], words);
        dq_option_give(cli, o, name, words);
        f->said[o - cli->table] = words;
        cli->state[o - cli->table] |= DQ_ROW_GIVEN;
    }
}

dq_cli dq_cli_parse(const dq_program *program, const dq_option *table, int argc, char **argv)
{
    static char no_name[] = "dq", *nobody[] = {no_name, NULL};
    hold_descriptors();
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file at its limit (ulimit -f): the write fails, and that is said */
    dq_cli cli = {.program = program, .table = table};
    forms *f = dq_arena_zero(&cli.arena, 1, sizeof *f);
    cli.state = dq_arena_zero(&cli.arena, MAX_OPTIONS, 1);
    if (!f || !cli.state) dq_cli_short_of_memory(&cli);
    if (argc < 1) { /* execve allows an empty argv */
        argc = 1;
        argv = nobody;
    }
    argv[0] = (char *)program->name; /* for getopt's messages; it only reads */
    cli.words = (const char *const *)argv;
    cli.word_count = (size_t)argc;
    if (argc > 1 && strcmp(argv[1], "--complete-line") == 0) {
        dq_completion_answer(&cli, cli.words + 2, cli.word_count - 2);
        exit(close_stdout(program));
    }
    add_forms(program, table, f);
    answer_questions(&cli, f, argc, argv);
    for (const dq_option *o = table; o->name; o++)
        if (o->type == DQ_OPT_FLAG && *(const bool *)o->target) cli.state[o - table] = DQ_ROW_WAS_ON;
    apply_environment(&cli);
    apply_options(&cli, f, argc, argv);
    cli.operands = (const char *const *)(argv + optind);
    cli.operand_count = (size_t)(argc - optind);
    if (cli.operand_count && (!program->operands || !*program->operands))
        dq_cli_usage(&cli, "unexpected operand '%s'", cli.operands[0]);
    dq_cli_check_outputs(&cli);
    if (!program->modes) dq_cli_check_relations(&cli);
    if (!program->modes) dq_cli_check_effects(&cli);
    return cli;
}

dq_maker dq_cli_maker(dq_cli *cli, int64_t seed)
{
    dq_value options = dq_map();
    for (const dq_option *o = cli->table; o->name; o++) {
        if (!dq_cli_recorded(cli, o)) continue;
        dq_value value = dq_option_value(o, &cli->arena);
        if (value.type != DQ_NIL && !dq_map_set(&cli->arena, &options, o->name, value))
            dq_cli_short_of_memory(cli);
    }
    return (dq_maker){.program = cli->program->name,
                      .version = DQ_VERSION,
                      .options = options,
                      .seed = seed,
                      .threads = dq_cli_stream_threads(cli)};
}

dq_status dq_cli_close(dq_sink *out, dq_status status, dq_error *error)
{
    if (!status) return dq_sink_close(out, error);
    dq_sink_abort(out);
    return status;
}

int dq_cli_finish(dq_cli *cli, dq_status status, dq_error *error)
{
    int code = status == DQ_OK             ? DQ_EXIT_DONE
               : status == DQ_ERR_STOPPED  ? DQ_EXIT_STOPPED
               : status == DQ_ERR_TERMINAL ? DQ_EXIT_USAGE
                                           : DQ_EXIT_FAILED;
    if (status) {
        error->status = status;
        dq_cli_report(cli, error);
    }
    dq_line_clear();
    int late = close_stdout(cli->program);
    dq_arena_free(&cli->arena);
    return code ? code : late;
}

/* Cores that a control group gives time for; 0: as many as there are. */
static unsigned long cores_of_group(void)
{
    char text[64], *end;
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re"); /* QUOTA PERIOD, both in microseconds; or max PERIOD */
    bool got = f && fgets(text, sizeof text, f);
    if (f) (void)fclose(f);
    unsigned long quota = got ? strtoul(text, &end, 10) : 0, period = quota ? strtoul(end, NULL, 10) : 0;
    return !period ? 0 : quota < period ? 1 : quota / period;
}

/* Cores that we may use, not those of the machine. */
static unsigned cores(void)
{
    cpu_set_t allowed;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    bool bound = sched_getaffinity(0, sizeof allowed, &allowed) == 0;
    unsigned n = bound ? (unsigned)CPU_COUNT(&allowed) : online > 0 ? (unsigned)online : 1;
    unsigned long group = cores_of_group();
    return group && group < n ? (unsigned)group : n;
}

unsigned dq_cli_threads(const dq_common *common, unsigned fallback)
{
    if (common->threads) return (unsigned)common->threads;
    return fallback ? fallback : cores();
}

/* Whether no more tasks run, this one among them, than the machine has cores. One as many is let pass: who
 * begins with us in a pipeline soon waits. */
static bool core_is_free(void)
{
    char text[128];
    FILE *f = fopen("/proc/loadavg", "re"); /* three means, then RUNNING/ALL */
    bool got = f && fgets(text, sizeof text, f);
    if (f) (void)fclose(f);
    char *at = got ? strchr(text, '/') : NULL;
    while (at && at > text && at[-1] != ' ') at--;
    return !at || strtol(at, NULL, 10) <= sysconf(_SC_NPROCESSORS_ONLN);
}

unsigned dq_cli_stream_threads(const dq_cli *cli)
{
    enum { MOST = 4 };
    const dq_option *o = dq_option_find(cli->table, "threads");
    uint64_t n = o ? *(const uint64_t *)o->target : 0;
    if (n == 0 && core_is_free()) n = cores();
    return n < 2 ? 0 : n < MOST ? (unsigned)n : MOST;
}

dq_status dq_cli_same_options(const dq_value *now, const dq_value *kept, const char *except, dq_error *error)
{
    for (uint32_t i = 0; i < now->count; i++) {
        const dq_entry *e = &now->as.map[i];
        const dq_value *was = dq_map_get(kept, e->key.as.string);
        if ((except && dq_value_is(&e->key, except)) || (was && dq_value_equal(was, &e->value))) continue;
        return dq_fail(error, DQ_ERR_RANGE, "the checkpoint was made with another --%s", e->key.as.string);
    }
    for (uint32_t i = 0; kept && kept->type == DQ_MAP && i < kept->count; i++) {
        const dq_value *name = &kept->as.map[i].key;
        char text[64];
        (void)snprintf(text, sizeof text, "%.*s", (int)name->count, name->as.string);
        if ((except && dq_value_is(name, except)) || dq_map_get(now, text)) continue;
        return dq_fail(error, DQ_ERR_RANGE, "the checkpoint was made with --%s", text);
    }
    return DQ_OK;
}
