/* SPDX-License-Identifier: MIT
 *
 * The command line of every program: one table of options gives parsing, --help with live defaults, bash
 * completion, and the canonical options that a maker records. main() is then a paragraph:
 *
 *     static const dq_program program = {.name = "dq-rank", .summary = "...", .examples = {"...", "..."}};
 *     int main(int argc, char **argv) {
 *         struct options o = {.k = 10};
 *         const dq_option table[] = {
 *             {"top", 'k', DQ_OPT_COUNT, &o.k, "K", "items per user", .flags = DQ_OPT_PAYLOAD},
 *             DQ_OPTIONS_COMMON(o.common), {0}};
 *         dq_cli cli = dq_cli_parse(&program, table, argc, argv);     (exits 0 or 2 by itself)
 *         dq_error e = DQ_ERROR_NONE;
 *         dq_status status = run(&o, &cli, &e);
 *         return dq_cli_finish(&cli, status, &e);
 *     }
 *
 * A program that works in several ways names them (dq_program.modes); each option says to which it belongs
 * (.modes), and the program, once it knows, which it is: dq_cli_enter(&cli, MODE). Then no program asks by
 * itself whether an option has a meaning, what it needs or excludes, and what its default is there.
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 3 refused (what was made is not good enough for who was asked), 75
 * stopped with progress kept (DQ_ERR_STOPPED).
 */
#ifndef DQ_CLI_CLI_H
#define DQ_CLI_CLI_H

#include "core/setting.h"
#include "core/shard/shard.h"
#include "data/dataset.h"
#include "dq/bundle.h"
#include "dq/stream.h"
#include "port/files/json.h"

#include <stdbool.h>

#define DQ_VERSION "0.1.0"

enum { DQ_EXIT_DONE = 0, DQ_EXIT_FAILED = 1, DQ_EXIT_USAGE = 2, DQ_EXIT_REFUSED = 3, DQ_EXIT_STOPPED = 75 };

typedef enum dq_option_type {
    DQ_OPT_END = 0,
    DQ_OPT_FLAG,   /* bool, no argument; also --no-NAME */
    DQ_OPT_COUNT,  /* uint64_t; plain digits, or with k, M, G (powers of 1000) */
    DQ_OPT_SMALL,  /* the same in a uint32_t */
    DQ_OPT_REAL,   /* double, finite */
    DQ_OPT_TEXT,   /* const char * */
    DQ_OPT_CHOICE, /* int, index into .choices */
    DQ_OPT_LIST,   /* dq_texts, the option may be repeated */
} dq_option_type;

enum {
    DQ_OPT_PAYLOAD = 1, /* can change the payload: recorded in the head */
    DQ_OPT_HIDDEN = 2,  /* not in --help */
    DQ_OPT_UNSET = 4,   /* has no default: the value counts, and is recorded, only when given */
    DQ_OPT_WRITES = 8,  /* TEXT: a file that is written to; no other of them may be the same (files.c) */
    DQ_OPT_READS = 16,  /* TEXT, LIST: files that are read; what is written may not be one (files.c) */
};

typedef struct dq_texts {
    const char *at[64];
    size_t count;
} dq_texts;

typedef struct dq_option {
    const char *name; /* long name without dashes */
    char letter;      /* or 0 */
    dq_option_type type;
    void *target;         /* holds the default, receives the value */
    const char *argument; /* what --help calls it: "FILE", "N"; completion.c knows some of them */
    const char *help;     /* one line; the default is appended by --help */
    unsigned flags;
    const char *const *choices; /* CHOICE: NULL-ended */
    double min, max;            /* COUNT, SMALL, REAL: inclusive range when min < max */
    unsigned modes;             /* bits of the modes that it belongs to; 0: all */
    unsigned recorded;          /* bits of the modes that record it, where these are more than .modes */
    const char *needs;          /* names of options, "a b": one of them must be given with this one */
    const char *excludes;       /* names of options with any of which this one means nothing */
    /* What must hold, defaults included, for this one to have an effect: conditions "a b", each of
     * alternatives "a|b", of which each is an option that is on, or above 0, or there ("evaluate"), or one
     * with a choice
     * ("agent=dqn,dyna-q"). Those of other modes do not count, nor does a condition of such alone. */
    const char *where;
    const char *why;     /* for its refusal by the modes that it does not belong to; NULL: they say enough */
    const char *section; /* a heading that --help prints before this option; NULL: none */
    /* TEXT, LIST: words that it knows, among others; NULL behind the last. For completion. */
    const char *(*values)(size_t i);
} dq_option;

/* A way of working, to which options belong. An option outside of the mode is a usage error when it is given,
 * and no part of the record; --help NAME prints those inside. */
typedef struct dq_mode {
    unsigned bit;
    const char *name;  /* one word: "offline" */
    const char *words; /* as errors speak of it: "--offline", "an environment (--env)" */
    const char *help;  /* one line */
    bool no_operands;  /* takes none, though the program may */
} dq_mode;

/* Defaults that hold in some modes, and, where option is not NULL, with one choice of that option. Of several
 * sets that hold the first counts; under all of them stands what an option's target holds. A choice that has
 * sets, but none in a mode, has no meaning there. */
typedef struct dq_defaults {
    unsigned modes;
    const char *option, *choice;
    const dq_setting *settings; /* ended by {0} */
} dq_defaults;

typedef struct dq_program {
    const char *name;                        /* "dq-rank" */
    const char *summary;                     /* one line */
    const char *guide;                       /* the page of docs/ to read on: "ranking.md" */
    const char *operands;                    /* "[FILE...]" or "" */
    const char *(*operand_values)(size_t i); /* what the first may be, as of an option's values; or NULL */
    const char *examples[2];
    const char *version_note; /* appended to --version, e.g. the BLAS core; or NULL. */
    const char *(*version_note_fn)(void);
    bool all_cores;              /* uses all cores unless told otherwise: for --help; see dq_cli_threads */
    bool refuses;                /* may end with DQ_EXIT_REFUSED: for --help */
    const dq_mode *modes;        /* ended by {0}; NULL: one way of working */
    const dq_defaults *defaults; /* ended by {0}; NULL: none but those of the targets */
} dq_program;

/* Options that every program has. */
typedef struct dq_common {
    uint64_t seed;      /* 42 */
    uint64_t threads;   /* 0: this program's default; else DQ_THREADS, else --threads */
    const char *output; /* -o; NULL: stdout */
    bool quiet, progress, flush;
} dq_common;

#define DQ_COMMON_DEFAULTS                                                                                   \
    {                                                                                                        \
        .seed = 42                                                                                           \
    }
/* clang-format off */
#define DQ_OPTIONS_COMMON(c) DQ_OPTIONS_COMMON_IN(c, 0)
/* The same of a program that has an --output in these modes alone. */
#define DQ_OPTIONS_COMMON_IN(c, output_modes)                                                                        \
    {"output", 'o', DQ_OPT_TEXT, &(c).output, "FILE", "write to FILE, complete or not at all (else stdout)",         \
     .flags = DQ_OPT_WRITES, .modes = output_modes},                                                                 \
    {"threads", 't', DQ_OPT_COUNT, &(c).threads, "N", "threads; or DQ_THREADS=N", .min = 0, .max = 1024},            \
    {"quiet", 'q', DQ_OPT_FLAG, &(c).quiet, NULL, "no words but errors: no progress bar, no summary, no warnings", .flags = 0},                        \
    {"progress", 0, DQ_OPT_FLAG, &(c).progress, NULL, "show progress at once; in a log a line a minute", .flags = 0},    \
    {"flush", 0, DQ_OPT_FLAG, &(c).flush, NULL, "flush output whenever input would block; or DQ_FLUSH=1", .flags = 0}
#define DQ_OPTION_SEED(c)                                                                                            \
    {"seed", 0, DQ_OPT_COUNT, &(c).seed, "N", "seed of the random numbers", .min = 0, .max = 9.2e18}
/* clang-format on */

typedef struct dq_cli {
    const dq_program *program;
    const dq_option *table;
    const char *const *operands; /* NULL-ended */
    size_t operand_count;
    unsigned mode;            /* of dq_cli_enter; 0: none yet; several: of dq_cli_check */
    unsigned char *state;     /* by row of the table: cli/ alone reads it */
    const char *const *words; /* (word_count) the command line, options before operands */
    size_t word_count;
    dq_json_text *said; /* gets what dq_cli_say says, each with a NUL; NULL: nobody asks */
    dq_arena arena;     /* what the command line needs for its life */
} dq_cli;

/* Parses; --help, --help MODE, --version and --completion SHELL print and exit 0; a bad option is one line
 * and exit 2. A long option may be abbreviated while unambiguous. What is no list is given once; a flag may
 * be said again, but not taken back. Sets SIGPIPE to its default, ignores SIGXFSZ, and sets
 * DQ_FLUSH/DQ_THREADS into an option table's common. */
dq_cli dq_cli_parse(const dq_program *program, const dq_option *table, int argc, char **argv);

/* Says which of the program's modes it is: options that were given and do not belong to it, and options that
 * need or exclude others, are usage errors; the defaults of the mode go into the targets of options that were
 * not given. A program without modes has no need of it. */
void dq_cli_enter(dq_cli *cli, unsigned mode);
/* Where only the input tells which of some modes it is: usage errors of options that belong to none of them.
 * dq_cli_enter follows when it is known. */
void dq_cli_check(dq_cli *cli, unsigned modes);

/* The row of that name; NULL: there is none. */
const dq_option *dq_option_find(const dq_option *table, const char *name);
/* Whether the option of that name was given. */
bool dq_cli_given(const dq_cli *cli, const char *name);
/* Modes in which the choice that the option holds has a meaning; 0: any. */
unsigned dq_cli_choice_modes(const dq_cli *cli, const char *name);
/* Settings (at most max, each with its words) of the options whose targets are in a struct of so many bytes:
 * the values that `values`, another such struct, has. Returns how many. */
enum { DQ_SETTING_WORDS = 48 };
size_t dq_cli_settings(const dq_option *table, const void *targets, const void *values, size_t bytes,
                       dq_setting *settings, char (*words)[DQ_SETTING_WORDS], size_t max);
/* Widths such as "1024,512,256", 1 to most of them, none above 2^20; or a usage error that begins with the
 * option's name. */
uint32_t dq_cli_widths(const dq_cli *cli, const char *option, const char *text, uint32_t *widths,
                       uint32_t most);
/* The same list as a value of a setting. */
void dq_cli_print_widths(const uint32_t *widths, uint32_t count, char words[DQ_SETTING_WORDS]);
/* The file that an operand (option NULL) or an option's value names; NULL: it names none. */
typedef const char *(*dq_cli_file_of)(const dq_cli *cli, const char *option, const char *value);
typedef struct dq_cli_files {
    const char **at; /* (count) "-": stdin; in the arena */
    size_t count;
} dq_cli_files;
/* The files that are read, each once: those of the operands ("-" where there are none) and of the mode's
 * options with DQ_OPT_READS. */
dq_cli_files dq_cli_inputs(dq_cli *cli, dq_cli_file_of file_of);
/* A usage error where the option of that name reads stdin ("-"), and the operands do, too. */
void dq_cli_check_stdin(const dq_cli *cli, const char *option);
/* Makes stdin one that can be read again from *start: a pipe is read to its end into a file without a name,
 * which takes its place. */
dq_status dq_cli_keep_stdin(int64_t *start, dq_error *error);
/* Keeps an option out of the record. */
void dq_cli_leave_out(dq_cli *cli, const char *name);

/* A usage error found after parsing: one line, exit 2. Does not return. */
void dq_cli_usage(const dq_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

/* An option's value that the library refused: "OPTION: reason" (option NULL: the reason alone). Exit 2, or 1
 * where it was the machine that failed (memory, a file). Does not return. */
void dq_cli_refuse(const dq_cli *cli, const char *option, const dq_error *why) __attribute__((noreturn));
/* Reads --shard, "I/N" or NULL where it is not given, or ends as dq_cli_refuse. */
void dq_cli_shard(const dq_cli *cli, const char *text, dq_shard *shard);
/* No memory for the command line. Exit 1, does not return. */
void dq_cli_short_of_memory(const dq_cli *cli) __attribute__((noreturn));

/* The maker for dq_writer_open: the DQ_OPT_PAYLOAD options by name (defaults included), and the seed (-1:
 * none). */
dq_maker dq_cli_maker(dq_cli *cli, int64_t seed);

/* Whether a maker's options are those that a checkpoint kept, but for the one called `except` (NULL: for
 * none). DQ_ERR_RANGE names the first that is another. */
dq_status dq_cli_same_options(const dq_value *now, const dq_value *kept, const char *except, dq_error *error);

/* "dq-x: SOURCE: record N: reason" on stderr. */
void dq_cli_report(const dq_cli *cli, const dq_error *error);
/* "dq-x: words" on stderr: warnings and summaries; silent with --quiet. cli->said gets the words. */
void dq_cli_say(const dq_cli *cli, const dq_common *common, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Says so where last models of a file (NULL: the stream) were passed over (data/dataset.h), and how to get
 * them. */
void dq_cli_say_kept(const dq_cli *cli, const dq_common *common, const char *path, const dq_kept *kept);

/* Completes an output, or with a status other than DQ_OK leaves nothing of it; out may be NULL then. Returns
 * what went wrong first. */
dq_status dq_cli_close(dq_sink *out, dq_status status, dq_error *error);

/* Reports a failure, closes stdout counting late errors, frees the arena, and returns the exit code. */
int dq_cli_finish(dq_cli *cli, dq_status status, dq_error *error);

/* Threads to use: --threads, else DQ_THREADS, else fallback (0 means all cores). At least 1. */
unsigned dq_cli_threads(const dq_common *common, unsigned fallback);
/* Threads that read and decompress, or compress and write, beside those that compute (dq_reader_threads,
 * dq_maker.threads): at most 4. As many as --threads says, if that is 2 or more, none with 1. Without it none
 * when more tasks run than there are cores as it asks; else as many as cores, also where the program computes
 * on all of them, for they have work only while it waits for input or output. */
unsigned dq_cli_stream_threads(const dq_cli *cli);

/* A progress bar on stderr (terminal/progress.c): on a terminal a line that is redrawn, once the work has
 * taken a second; with --progress at once, and where stderr is no terminal, or a dumb one, a line a minute
 * and one at the end. Nothing with --quiet, and nothing in the background. */
typedef struct dq_progress {
    const char *label, *unit;     /* "training", "batches" */
    uint64_t total, done, before; /* before: of an earlier run */
    double started, shown;        /* seconds of the monotonic clock; since it started, < 0: never */
    char note[64];
    bool on, forced;
} dq_progress;

/* label: what is done, unit: what is counted, in the plural; both live on. total 0: nobody knows. */
dq_progress dq_progress_start(const dq_common *common, const char *label, const char *unit, uint64_t total);
/* What an earlier run did: no part of the rate. */
void dq_progress_resume(dq_progress *progress, uint64_t done);
/* Redraws at most ten times a second; note is a short text at the end of the line ("reward 0.81"), or NULL.
 */
void dq_progress_step(dq_progress *progress, uint64_t done, const char *note);
/* The last state stays on the terminal, where one was shown. */
void dq_progress_end(dq_progress *progress);

#endif
