/* SPDX-License-Identifier: MIT
 *
 * A client that sends the bytes that a test gives it, and a server for it, on a port that is free. Nothing
 * here waits for a time: a read ends with what was asked for or with the connection, and after a minute the
 * test fails.
 */
#ifndef DQ_TEST_HTTP_CLIENT_H
#define DQ_TEST_HTTP_CLIENT_H

#include "port/httpd/httpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static inline dq_httpd *serve_on(const dq_httpd_config *config, dq_httpd_handler *handle, void *arg)
{
    dq_httpd *httpd;
    dq_error e = DQ_ERROR_NONE;
    dq_httpd_config c = *config;
    if (!c.address) c.address = "127.0.0.1:0";
    if (dq_httpd_open(&httpd, &c, handle, arg, &e)) fail_msg("%s", e.reason);
    return httpd;
}

static inline int client_of(const dq_httpd *httpd)
{
    const char *address = dq_httpd_address(httpd);
    const struct timeval minute = {.tv_sec = 60};
    int fd;
    if (strncmp(address, "unix:", 5) == 0) {
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        snprintf(at.sun_path, sizeof at.sun_path, "%s", address + 5);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    } else {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        at.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
        fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute);
    return fd;
}

/* False: the other side has gone. */
static inline bool client_send(int fd, const char *text)
{
    size_t left = strlen(text);
    while (left) {
        const ssize_t n = send(fd, text, left, MSG_NOSIGNAL);
        if (n < 0) return false;
        text += n;
        left -= (size_t)n;
    }
    return true;
}

/* What comes until it holds `until` (NULL: until the connection ends), NUL-terminated, to be freed. */
static inline char *client_read(int fd, const char *until)
{
    size_t n = 0, room = 1 << 16;
    char *text = malloc(room);
    assert_non_null(text);
    text[0] = '\0';
    while (!until || !strstr(text, until)) {
        if (n + 1 == room) {
            char *more = realloc(text, room *= 2);
            assert_non_null(more);
            text = more;
        }
        const ssize_t got = recv(fd, text + n, room - 1 - n, 0);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            fail_msg("nothing came for a minute after: %s", text);
        if (got <= 0) break;
        n += (size_t)got;
        text[n] = '\0';
    }
    return text;
}

/* A request on a connection of its own, which the server closes; the answer, to be freed. */
static inline char *ask(const dq_httpd *httpd, const char *text)
{
    const int fd = client_of(httpd);
    client_send(fd, text);
    char *answer = client_read(fd, NULL);
    close(fd);
    return answer;
}

/* The answer's status and whether it holds some words. */
static inline void asks(const dq_httpd *httpd, const char *text, unsigned status, const char *words)
{
    char *answer = ask(httpd, text);
    unsigned got = 0;
    if (sscanf(answer, "HTTP/1.1 %u", &got) != 1 || got != status || !strstr(answer, words))
        fail_msg("%u and \"%s\" expected of:\n%s\nwhich gave:\n%s", status, words, text, answer);
    free(answer);
}

#define CLOSE "Host: localhost\r\nConnection: close\r\n"

#endif
