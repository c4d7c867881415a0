/* SPDX-License-Identifier: MIT */
#include "cli/voice.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_int voice = -1; /* stderr of a process that is silent; any thread may speak */

void dq_voice_hush(void)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (voice < 0) voice = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (nowhere >= 0 && voice >= 0) (void)dup2(nowhere, STDERR_FILENO);
    if (nowhere >= 0) (void)close(nowhere);
}

void dq_voice_speak(void)
{
    int was = atomic_exchange(&voice, -1);
    if (was < 0) return;
    (void)dup2(was, STDERR_FILENO);
    (void)close(was);
}
