/* SPDX-License-Identifier: MIT */
#include "cli/terminal/sheet.h"

#include "cli/terminal/screen.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WIDEST = 100, NARROWEST = 40, TWO_COLUMNS = 60, SECOND = 30, BELOW = 8 };

dq_sheet dq_sheet_on_stdout(void)
{
    unsigned width = dq_screen_width(STDOUT_FILENO);
    if (width > WIDEST) width = WIDEST;
    return (dq_sheet){.width = width > NARROWEST ? width : NARROWEST,
                      .bold = dq_screen_colour(STDOUT_FILENO)};
}

/* Goes on in the next line, from a column on. */
static void begin_line(unsigned column)
{
    printf("\n%*s", (int)column, "");
}

/* Bytes of the first word, or of what fits of one that is wider than a whole line: to behind a comma or a
 * bar. */
static size_t first_word(const char *words, size_t columns)
{
    size_t n = strcspn(words, " "), fits = dq_screen_fit(words, n, columns), cut = fits;
    if (fits == n) return n;
    while (cut > 0 && words[cut - 1] != ',' && words[cut - 1] != '|') cut--;
    return cut ? cut : fits ? fits : n;
}

/* Words from a column on, at which the cursor stands, to the end of a line. */
static void put_words(const dq_sheet *s, unsigned at, unsigned next, const char *words)
{
    unsigned gap = 0; /* columns between the word before and this one */
    for (size_t n; *words; words += n + gap) {
        n = first_word(words, s->width - next);
        unsigned columns = (unsigned)dq_screen_columns(words, n);
        if (at > next && at + gap + columns > s->width) {
            begin_line(next);
            at = next;
        } else if (gap) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)n, words);
        at += columns;
        gap = words[n] == ' ';
    }
    putchar('\n');
}

void dq_sheet_words(const dq_sheet *s, unsigned first, unsigned next, const char *words)
{
    printf("%*s", (int)first, "");
    put_words(s, first, next, words);
}

void dq_sheet_heading(const dq_sheet *s, unsigned first, const char *words)
{
    if (s->bold) printf("\033[1m");
    dq_sheet_words(s, first, first + 2, words);
    if (s->bold) printf("\033[0m");
}

void dq_sheet_pair(const dq_sheet *s, const char *left, const char *words)
{
    unsigned second = s->width < TWO_COLUMNS ? BELOW : SECOND,
             at = (unsigned)dq_screen_columns(left, strlen(left));
    printf("%s", left);
    if (at + 1 > second || second == BELOW) {
        begin_line(second);
        at = second;
    }
    printf("%*s", (int)(second - at), "");
    put_words(s, second, second, words);
}

/* Bytes of the shell's word that a command begins with: what stands in quotes holds together. */
static size_t shell_word(const char *command)
{
    size_t n = 0;
    for (char quote = '\0'; command[n] && (quote || command[n] != ' '); n++)
        if (command[n] == quote)
            quote = '\0';
        else if (!quote && (command[n] == '\'' || command[n] == '"'))
            quote = command[n];
    return n;
}

void dq_sheet_command(const dq_sheet *s, const char *command)
{
    enum { FIRST = 2, NEXT = 4, BACKSLASH = 2 };
    unsigned at = FIRST;
    printf("%*s", FIRST, "");
    for (bool first = true; *command; first = false) {
        size_t n = shell_word(command);
        unsigned columns = (unsigned)dq_screen_columns(command, n), last = command[n] ? BACKSLASH : 0;
        if (!first && at + 1 + columns + last > s->width) {
            printf(" \\");
            begin_line(NEXT);
            at = NEXT;
        } else if (!first) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)n, command);
        at += columns;
        command += n + (command[n] == ' ');
    }
    putchar('\n');
}
