/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include "cli/terminal/line.h"
#include "cli/terminal/screen.h"
#include "core/array.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { NARROWEST = 20, CTRL_C = 3, CTRL_D = 4, END_OF_FILE = -1 };

struct dq_terminal {
    int fd;
    bool colour, failed; /* failed: no memory for what is shown */
    size_t width;
    char *shown; /* to be written at once */
    size_t bytes, room;
};

dq_status dq_terminal_open(dq_terminal **terminal, dq_error *error)
{
    dq_terminal *t = *terminal = calloc(1, sizeof *t);
    if (!t) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a terminal");
    t->fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    t->colour = dq_screen_colour(t->fd);
    t->width = DQ_SCREEN_WIDTH;
    if (t->fd >= 0) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNSUPPORTED, "no terminal to ask a person in (/dev/tty: %s)",
                   strerror(errno));
}

void dq_terminal_close(dq_terminal *terminal)
{
    if (!terminal) return;
    if (terminal->fd >= 0) (void)close(terminal->fd);
    free(terminal->shown);
    free(terminal);
}

/* ---- what is shown ---- */

static void add(dq_terminal *t, const char *text, size_t n)
{
    if (!dq_array_reserve(&t->shown, &t->room, t->bytes + n, 1)) t->failed = true;
    if (t->failed || n == 0) return;
    memcpy(t->shown + t->bytes, text, n);
    t->bytes += n;
}

static void measure(dq_terminal *t)
{
    t->width = dq_screen_width(t->fd);
    if (t->width < NARROWEST) t->width = NARROWEST;
}

/* Bytes of the character at p, and what to show for it: a control character (C0, DEL, C1), which could move
 * the cursor or colour the screen, is a '?'. */
static size_t character(const char *p, size_t left, const char **show, size_t *shown)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t n = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    if (n > left) n = left;
    bool control = u[0] < 0x20 || u[0] == 0x7f || (n == 2 && u[0] == 0xc2 && u[1] < 0xa0);
    *show = control ? "?" : p;
    *shown = control ? 1 : n;
    return n;
}

/* One word, cut where it is longer than a line. */
static void add_word(dq_terminal *t, const char *word, size_t n, size_t *column)
{
    size_t wide = dq_screen_columns(word, n);
    if (*column && *column + 1 + wide > t->width) {
        add(t, "\n", 1);
        *column = 0;
    }
    if (*column) {
        add(t, " ", 1);
        ++*column;
    }
    for (size_t i = 0; i < n;) {
        const char *show;
        size_t shown, took = character(word + i, n - i, &show, &shown);
        size_t takes = dq_screen_columns(show, shown);
        if (*column + takes > t->width) {
            add(t, "\n", 1);
            *column = 0;
        }
        add(t, show, shown);
        *column += takes;
        i += took;
    }
}

void dq_terminal_text(dq_terminal *t, const char *text, size_t n)
{
    size_t column = 0;
    measure(t);
    for (size_t i = 0; i < n;) {
        size_t from = i;
        while (i < n && text[i] != ' ' && text[i] != '\n' && text[i] != '\t') i++;
        if (i > from) add_word(t, text + from, i - from, &column);
        if (i < n && text[i] == '\n') {
            add(t, "\n", 1);
            column = 0;
        }
        i++;
    }
    if (column) add(t, "\n", 1);
}

void dq_terminal_line(dq_terminal *t, bool bold, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    measure(t);
    size_t n = strlen(line), at = 0, wide = 0;
    if (bold && t->colour) add(t, "\033[1m", 4);
    while (at < n) {
        const char *show;
        size_t shown, took = character(line + at, n - at, &show, &shown);
        wide += dq_screen_columns(show, shown);
        if (wide > t->width) break;
        add(t, show, shown);
        at += took;
    }
    if (bold && t->colour) add(t, "\033[0m", 4);
    add(t, "\n", 1);
}

/* ---- a key ---- */

static volatile sig_atomic_t ended;

static void on_end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

/* What a question changes, to be put back. */
typedef struct hold {
    struct termios settings;
    struct sigaction term, hangup, quiet;
    pid_t foreground; /* the group to give the terminal back to; 0: it was ours */
} hold;

/* A group in the background may not change the terminal (SIGTTOU stops it), unless it ignores that. */
static bool take_terminal(dq_terminal *t, hold *h)
{
    struct sigaction end = {.sa_handler = on_end}, ignore = {.sa_handler = SIG_IGN};
    ended = 0;
    (void)sigaction(SIGTTOU, &ignore, &h->quiet);
    (void)sigaction(SIGTERM, &end, &h->term);
    (void)sigaction(SIGHUP, NULL, &h->hangup);
    if (h->hangup.sa_handler != SIG_IGN) (void)sigaction(SIGHUP, &end, NULL); /* nohup's stays ignored */
    pid_t foreground = tcgetpgrp(t->fd);
    h->foreground = foreground > 0 && foreground != getpgrp() ? foreground : 0;
    if (h->foreground) (void)tcsetpgrp(t->fd, getpgrp());
    if (tcgetattr(t->fd, &h->settings) != 0) return false;
    struct termios keys = h->settings;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    return tcsetattr(t->fd, TCSADRAIN, &keys) == 0;
}

static void return_terminal(dq_terminal *t, const hold *h)
{
    (void)tcsetattr(t->fd, TCSADRAIN, &h->settings);
    if (h->foreground) (void)tcsetpgrp(t->fd, h->foreground);
    (void)sigaction(SIGHUP, &h->hangup, NULL);
    (void)sigaction(SIGTERM, &h->term, NULL);
    (void)sigaction(SIGTTOU, &h->quiet, NULL);
}

static bool show(dq_terminal *t)
{
    for (size_t at = 0; at < t->bytes;) {
        ssize_t w = write(t->fd, t->shown + at, t->bytes - at);
        if (w < 0 && (errno != EINTR || ended)) return false;
        if (w > 0) at += (size_t)w;
    }
    t->bytes = 0;
    return true;
}

static int read_key(dq_terminal *t)
{
    unsigned char c;
    while (!ended) {
        ssize_t r = read(t->fd, &c, 1);
        if (r == 1) return c;
        if (r == 0 || errno != EINTR) return END_OF_FILE;
    }
    return END_OF_FILE;
}

dq_status dq_terminal_ask(dq_terminal *t, const char *keys, char *key, dq_error *error)
{
    hold h;
    int c = END_OF_FILE;
    if (t->failed) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a terminal");
    dq_line_clear_others(); /* the bar of whoever started us, before we are in the foreground */
    if (!take_terminal(t, &h)) {
        dq_status status = dq_fail_errno(error, errno, "/dev/tty");
        return_terminal(t, &h);
        return status;
    }
    *key = '\0';
    bool open = show(t);
    while (open && !*key) {
        c = read_key(t);
        if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
        if (c == CTRL_C || c == CTRL_D || c == END_OF_FILE) break;
        if (c && strchr(keys, c)) *key = (char)c;
    }
    if (!*key) *key = 'q';
    return_terminal(t, &h);
    return DQ_OK;
}
