/* SPDX-License-Identifier: MIT */
#include "cli/stop.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { SIGNALS = sizeof signals / sizeof *signals };

static volatile sig_atomic_t noted; /* the signal's number; 0: none */
static struct sigaction before[SIGNALS];
static bool caught;

static void note(int number)
{
    noted = number;
}

/* SA_RESTART: reads and writes go on; the waits that look at dq_stop_asked (poll, epoll_wait) end anyway. A
 * terminal that closes sends SIGHUP twice, by the shell and by the kernel: the second is no impatience. */
static void catch_signals(int flags)
{
    struct sigaction action = {.sa_handler = note};
    if (caught) return;
    caught = true;
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < SIGNALS; i++) {
        (void)sigaction(signals[i], NULL, &before[i]);
        /* nohup's promise; a shell's background job ignores SIGINT, too, and is to hear of it when it is sent
         */
        bool kept = signals[i] == SIGHUP && before[i].sa_handler == SIG_IGN;
        action.sa_flags = SA_RESTART | (signals[i] == SIGHUP ? 0 : flags);
        if (!kept) (void)sigaction(signals[i], &action, NULL);
    }
}

void dq_stop_catch(void)
{
    catch_signals(0);
}

void dq_stop_catch_once(void)
{
    catch_signals((int)SA_RESETHAND);
}

void dq_stop_release(void)
{
    if (!caught) return;
    caught = false;
    for (size_t i = 0; i < SIGNALS; i++) (void)sigaction(signals[i], &before[i], NULL);
}

void dq_stop_finish(const char *output)
{
    bool was = caught;
    dq_stop_release();
    if (was && output && strcmp(output, "-") != 0) dq_stop_catch_once();
}

void dq_stop_release_impatient(void)
{
    for (size_t i = 0; caught && i < SIGNALS; i++)
        if (signals[i] != SIGHUP) (void)signal(signals[i], SIG_DFL);
}

bool dq_stop_asked(void)
{
    return noted != 0;
}

void dq_stop_end(void)
{
    if (!noted) return;
    (void)signal(noted, SIG_DFL);
    (void)raise(noted);
}
