/* SPDX-License-Identifier: MIT */
#include "cli/terminal/line.h"

#include "cli/terminal/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CLEAR "\r\033[K"

enum { ROOM = 4096 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char shown[ROOM];            /* the bar; empty: none */
static volatile sig_atomic_t drawn; /* whether it stands there, for the handler */
static volatile pid_t drawer;       /* who drew it: not a child that was forked since */
static pid_t locked;                /* the byte that is ours; 0: none */

static void put(const char *text, size_t n)
{
    while (n > 0) {
        ssize_t wrote = write(STDERR_FILENO, text, n);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return; /* nobody is left to hear of it */
        text += wrote;
        n -= (size_t)wrote;
    }
}

bool dq_line_redraws(void)
{
    return isatty(STDERR_FILENO) && !dq_screen_is_dumb();
}

/* The group in the terminal's foreground; ours where the terminal is not the one that controls us. */
static pid_t foreground(void)
{
    pid_t group = tcgetpgrp(STDERR_FILENO);
    return group > 0 ? group : getpgrp();
}

/* ---- who has the line ---- */

static struct flock byte_of(pid_t group, int type)
{
    return (struct flock){.l_type = (short)type, .l_whence = SEEK_SET, .l_start = group, .l_len = 1};
}

/* False: another program of the group has it. Where a terminal knows no locks, everybody does. */
static bool take(void)
{
    pid_t group = getpgrp();
    if (locked == group) return true;
    struct flock lock = byte_of(group, F_WRLCK);
    if (fcntl(STDERR_FILENO, F_SETLK, &lock) == 0)
        locked = group;
    else if (errno == EAGAIN || errno == EACCES)
        return false;
    return true;
}

static void give_back(void)
{
    struct flock lock = byte_of(locked, F_UNLCK);
    if (locked) (void)fcntl(STDERR_FILENO, F_SETLK, &lock);
    locked = 0;
}

static bool others_draw(void)
{
    struct flock lock = byte_of(foreground(), F_WRLCK);
    return dq_line_redraws() && fcntl(STDERR_FILENO, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* ---- ends by a signal ---- */

static void tidy(int number)
{
    if (drawn && drawer == getpid() && foreground() == getpgrp()) put(CLEAR, sizeof CLEAR - 1);
    (void)raise(number); /* by now it does what it does by default */
}

static void tidy_at_the_end(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGPIPE};
    struct sigaction before, action = {.sa_handler = tidy, .sa_flags = (int)SA_RESETHAND};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            (void)sigaction(signals[i], &action, NULL);
}

/* ---- what stands there ---- */

static bool stands(void)
{
    return *shown && drawer == getpid();
}

static void forget(void)
{
    *shown = '\0';
    drawn = 0;
    give_back();
}

void dq_line_draw(const char *bar)
{
    (void)pthread_mutex_lock(&mutex);
    if (dq_line_redraws() && foreground() == getpgrp() && take()) {
        char text[ROOM + sizeof CLEAR];
        tidy_at_the_end(); /* anew: a handler that takes one signal may have gone */
        drawer = getpid();
        drawn = 1;
        (void)snprintf(shown, sizeof shown, "%s", bar);
        int n = snprintf(text, sizeof text, "\r%s\033[K", shown);
        put(text, (size_t)n);
    }
    (void)pthread_mutex_unlock(&mutex);
}

static void end_with(const char *how)
{
    (void)pthread_mutex_lock(&mutex);
    if (stands()) {
        if (foreground() == getpgrp()) put(how, strlen(how));
        forget();
    }
    (void)pthread_mutex_unlock(&mutex);
}

void dq_line_keep(void)
{
    end_with("\n");
}

void dq_line_clear(void)
{
    end_with(CLEAR);
}

void dq_line_clear_others(void)
{
    if (others_draw()) put(CLEAR, sizeof CLEAR - 1);
}

void dq_line_say(const char *lines)
{
    char text[2 * ROOM + sizeof CLEAR];
    (void)pthread_mutex_lock(&mutex);
    bool ours = stands() && foreground() == getpgrp(), clear = ours || others_draw();
    int n = snprintf(text, sizeof text, "%s%s%s", clear ? CLEAR : "", lines, ours ? shown : "");
    if (n > 0) put(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
    (void)pthread_mutex_unlock(&mutex);
}
