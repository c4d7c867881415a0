/* SPDX-License-Identifier: MIT
 *
 * What systemd says to a service and hears from it: two variables of the environment and one datagram, for
 * which its library is not needed (sd_listen_fds(3), sd_notify(3), "Notes").
 */
#include "serve.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_DESCRIPTOR = 3 };

int serve_inherited_socket(const dq_cli *cli)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    if (!pid || !count || strtol(pid, NULL, 10) != (long)getpid()) return -1;
    const long n = strtol(count, NULL, 10);
    unsetenv("LISTEN_PID"); /* it is not for our children */
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (n < 1) return -1;
    if (n > 1) dq_cli_usage(cli, "%ld sockets were handed over, and this listens at one", n);
    const int flags = fcntl(FIRST_DESCRIPTOR, F_GETFL);
    if (flags < 0) dq_cli_usage(cli, "LISTEN_FDS says that a socket was handed over, and there is none");
    fcntl(FIRST_DESCRIPTOR, F_SETFD, FD_CLOEXEC);
    fcntl(FIRST_DESCRIPTOR, F_SETFL, flags | O_NONBLOCK);
    return FIRST_DESCRIPTOR;
}

void serve_notify(const char *words)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof at.sun_path) return;
    const size_t n = strlen(path);
    memcpy(at.sun_path, path, n);
    if (*path == '@') at.sun_path[0] = '\0'; /* an abstract name */
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    /* nobody hears whether it arrived: systemd then waits until its own time-out, and says so */
    (void)!sendto(fd, words, strlen(words), MSG_NOSIGNAL, (const struct sockaddr *)&at,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    close(fd);
}
