/* SPDX-License-Identifier: MIT */
#include "cli/option/completion.h"
#include "cli/option/option.h"

#include "data/select.h"
#include "dq/schema.h"

#include <stdio.h>
#include <string.h>

enum { MOST_WORDS = 256 };

/* A command line as far as it is written. */
typedef struct line {
    const dq_cli *cli;
    bool given[MOST_WORDS];           /* by row of the table */
    const char *operands[MOST_WORDS]; /* and files of options that name a catalogue */
    size_t operand_count, operand_words;
    unsigned modes;             /* that all given options belong to */
    const dq_option *pending;   /* whose value the last word is; NULL: none */
    bool mode_next, shell_next; /* --help, --completion came before it */
    bool only_operands;         /* after -- */
    const char *word;           /* the last one */
} line;

/* The part of the word that has to stay before every answer: "--by=", "ndcg," */
static char before[256];

static void put(const char *word, const char *note)
{
    printf("%s%s%s%s\n", before, word, note ? "\t" : "", note ? note : "");
}

static void put_matching(const char *word, const char *text, const char *note)
{
    if (strncmp(word, text, strlen(text)) == 0) put(word, note);
}

/* ---- reading the line ---- */

/* By its whole name, or the beginning of one alone. */
static const dq_option *find_long(const dq_cli *cli, const char *name, size_t n)
{
    const dq_option *found = NULL;
    size_t count = 0;
    for (const dq_option *o = cli->table; o->name; o++) {
        if (strncmp(o->name, name, n) != 0) continue;
        if (strlen(o->name) == n) return o;
        found = o;
        count++;
    }
    return count == 1 ? found : NULL;
}

static const dq_option *find_letter(const dq_cli *cli, char letter)
{
    for (const dq_option *o = cli->table; o->name; o++)
        if (o->letter == letter) return o;
    return NULL;
}

static void note_operand(line *l, const char *word)
{
    if (l->operand_count < MOST_WORDS) l->operands[l->operand_count++] = word;
}

static void note_given(line *l, const dq_option *o, const char *value)
{
    if (!o) return;
    if ((size_t)(o - l->cli->table) < MOST_WORDS) l->given[o - l->cli->table] = true;
    if (o->modes && (l->modes & o->modes)) l->modes &= o->modes;
    if (value && strcmp(o->name, "catalogue") == 0) note_operand(l, value);
}

/* Notes an option; the next word is its value where that is not in this one. */
static void read_long(line *l, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : strlen(word);
    l->mode_next = !equals && strcmp(word, "help") == 0;
    l->shell_next = !equals && strcmp(word, "completion") == 0;
    const dq_option *o = find_long(l->cli, word, n);
    if (!o && strncmp(word, "no-", 3) == 0) o = find_long(l->cli, word + 3, n - 3);
    note_given(l, o, equals ? equals + 1 : NULL);
    if (o && !equals && o->type != DQ_OPT_FLAG) l->pending = o;
}

static void read_letters(line *l, const char *word)
{
    for (; *word; word++) {
        const dq_option *o = find_letter(l->cli, *word);
        l->mode_next = *word == 'h';
        note_given(l, o, NULL);
        if (o && o->type != DQ_OPT_FLAG) {
            if (!word[1]) l->pending = o;
            return;
        }
    }
}

static void read_word(line *l, const char *word)
{
    const dq_option *value_of = l->pending;
    l->pending = NULL;
    l->mode_next = l->shell_next = false;
    if (value_of)
        note_given(l, value_of, word);
    else if (l->only_operands || word[0] != '-' || !word[1]) {
        note_operand(l, word);
        l->operand_words++;
    } else if (strcmp(word, "--") == 0)
        l->only_operands = true;
    else if (word[1] == '-')
        read_long(l, word + 2);
    else
        read_letters(l, word + 1);
}

/* ---- values ---- */

/* What an argument of this name is. Names that are not here say nothing that could be completed. */
static const struct {
    const char *argument, *what;
} arguments[] = {{"FILE", "files"},
                 {"FILE.html", "files"},
                 {"LOG", "files"},
                 {"MODEL", "files"},
                 {"[NAME=]FILE[:SHARE]", "files"},
                 {"POLICY", "files"},
                 {"NAME|FILE", "files"},
                 {"DIR", "folders"},
                 {"COMMAND", "commands"}};

static const char *what_is(const char *argument)
{
    for (size_t i = 0; argument && i < sizeof arguments / sizeof *arguments; i++)
        if (strcmp(arguments[i].argument, argument) == 0) return arguments[i].what;
    return "words";
}

static bool is_mode(const line *l, unsigned modes)
{
    return !modes || (modes & l->modes);
}

static void put_choices(const line *l, const dq_option *o, const char *text)
{
    for (size_t i = 0; o->choices[i]; i++)
        if (is_mode(l, dq_choice_modes(l->cli, o->name, o->choices[i])))
            put_matching(o->choices[i], text, NULL);
}

/* Of "a,b" the last part: what stands before it stays. */
static const char *last_part(const char *text)
{
    const char *comma = strrchr(text, ',');
    size_t used = strlen(before), n = comma ? (size_t)(comma + 1 - text) : 0;
    if (!comma || used + n >= sizeof before) return text;
    (void)snprintf(before + used, sizeof before - used, "%.*s", (int)n, text);
    return comma + 1;
}

/* Whether what the text begins wants something behind it: "random:". */
static bool is_part(const char *(*values)(size_t i), const char *text)
{
    const char *value;
    for (size_t i = 0; values && (value = values(i)); i++)
        if (strncmp(value, text, strlen(text)) == 0 && value[strlen(value) - 1] == ':') return true;
    return false;
}

static void put_values(const char *(*values)(size_t i), const char *text)
{
    const char *value;
    for (size_t i = 0; (value = values(i)); i++) put_matching(value, text, NULL);
}

static void answer_value(const line *l, const dq_option *o, const char *text)
{
    const char *argument = o->argument ? o->argument : "";
    bool ids = strcmp(argument, "ID") == 0, users = strcmp(o->name, "user") == 0;
    puts(is_part(o->values, text) ? "part" : what_is(argument));
    if (o->type == DQ_OPT_CHOICE) put_choices(l, o, text);
    if (strstr(argument, ",...")) text = last_part(text);
    if (o->values) put_values(o->values, text);
    if (strcmp(argument, "KIND") == 0) put_values(dq_select_kind_at, text);
    if (ids)
        dq_completion_ids(l->operands, l->operand_count, users ? DQ_KIND_USERS : DQ_KIND_ITEMS, text, put);
}

/* ---- options ---- */

/* Whether a list "a b" has the name. */
static bool has_name(const char *names, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = names; at && (at = strstr(at, name)); at += n)
        if ((at == names || at[-1] == ' ') && (at[n] == ' ' || !at[n])) return true;
    return false;
}

/* Whether an option that is given excludes this one, or this one it. */
static bool excluded(const line *l, const dq_option *option)
{
    for (const dq_option *o = l->cli->table; o->name; o++)
        if (l->given[o - l->cli->table] &&
            (has_name(option->excludes, o->name) || has_name(o->excludes, option->name)))
            return true;
    return false;
}

/* Options that may still come: not what is given and no list, nor what belongs to no mode that is left. */
static void answer_option(const line *l)
{
    char word[96];
    puts("words");
    for (const dq_option *o = l->cli->table; o->name; o++) {
        bool again = o->type == DQ_OPT_LIST || !l->given[o - l->cli->table];
        bool on = o->type == DQ_OPT_FLAG && *(const bool *)o->target;
        if ((o->flags & DQ_OPT_HIDDEN) || !again || !is_mode(l, o->modes) || excluded(l, o)) continue;
        (void)snprintf(word, sizeof word, "--%s%s", on ? "no-" : "", o->name);
        put_matching(word, l->word, o->help);
    }
    put_matching("--help", l->word, "print help");
    put_matching("--version", l->word, "print the version");
}

static void answer_operand(const line *l)
{
    const dq_program *p = l->cli->program;
    bool first = l->operand_words == 0 && p->operand_values;
    bool files = strstr(p->operands ? p->operands : "", "FILE") && !first;
    puts(files ? "files" : first && is_part(p->operand_values, l->word) ? "part" : "words");
    if (first) put_values(p->operand_values, l->word);
}

static void answer_mode(const line *l)
{
    puts("words");
    for (const dq_mode *m = l->cli->program->modes; m && m->name; m++)
        put_matching(m->name, l->word, m->help);
}

static void answer_shell(const line *l)
{
    puts("words");
    for (size_t i = 0; dq_completion_shells[i]; i++) put_matching(dq_completion_shells[i], l->word, NULL);
}

/* "--by=co": the option's value, which begins behind the sign. False: no such option. */
static bool answer_joined(const line *l)
{
    const char *equals = strchr(l->word, '=');
    if (strncmp(l->word, "--", 2) != 0 || !equals) return false;
    size_t n = (size_t)(equals + 1 - l->word);
    const dq_option *o = find_long(l->cli, l->word + 2, n - 3);
    if (!o || o->type == DQ_OPT_FLAG || n >= sizeof before) return false;
    (void)snprintf(before, sizeof before, "%.*s", (int)n, l->word);
    answer_value(l, o, equals + 1);
    return true;
}

void dq_completion_answer(const dq_cli *cli, const char *const *words, size_t count)
{
    line l = {.cli = cli, .modes = ~0U, .word = count > 1 ? words[count - 1] : ""};
    for (size_t i = 1; i + 1 < count; i++) read_word(&l, words[i]);
    if (l.pending)
        answer_value(&l, l.pending, l.word);
    else if (l.mode_next && l.word[0] != '-')
        answer_mode(&l);
    else if (l.shell_next && l.word[0] != '-')
        answer_shell(&l);
    else if (l.only_operands || l.word[0] != '-')
        answer_operand(&l);
    else if (!answer_joined(&l))
        answer_option(&l);
}
