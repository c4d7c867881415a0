/* SPDX-License-Identifier: MIT */
#include "port/httpd/impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, SOCKET_FLAGS = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK };

/* What a socket listens at, in words. */
static dq_status name_address(dq_httpd *httpd, dq_error *error)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
        struct sockaddr_storage storage;
    } at = {0};
    socklen_t length = sizeof at;
    char host[INET6_ADDRSTRLEN] = "";
    if (getsockname(httpd->socket, &at.any, &length))
        return dq_fail_errno(error, errno, "the socket to listen at");
    if (at.any.sa_family == AF_UNIX)
        snprintf(httpd->address, sizeof httpd->address, "unix:%s", at.local.sun_path);
    else if (at.any.sa_family == AF_INET6)
        snprintf(httpd->address, sizeof httpd->address, "http://[%s]:%u",
                 inet_ntop(AF_INET6, &at.v6.sin6_addr, host, sizeof host), ntohs(at.v6.sin6_port));
    else if (at.any.sa_family == AF_INET)
        snprintf(httpd->address, sizeof httpd->address, "http://%s:%u",
                 inet_ntop(AF_INET, &at.v4.sin_addr, host, sizeof host), ntohs(at.v4.sin_port));
    else
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "the socket to listen at is neither of TCP nor of a path");
    httpd->loopback = strncmp(httpd->address, "http://127.", 11) == 0 ||
                      strncmp(httpd->address, "http://[::1]", 12) == 0;
    return DQ_OK;
}

/* A socket file that a server left behind when it was killed: nobody answers at it. */
static void remove_stale(const struct sockaddr_un *at)
{
    struct stat st;
    if (lstat(at->sun_path, &st) || !S_ISSOCK(st.st_mode)) return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    if (connect(fd, (const struct sockaddr *)at, sizeof *at) && errno == ECONNREFUSED) unlink(at->sun_path);
    close(fd);
}

static dq_status bind_path(dq_httpd *httpd, const char *path, dq_error *error)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    remove_stale(&at);
    httpd->socket = socket(AF_UNIX, SOCKET_FLAGS, 0);
    if (httpd->socket < 0 || bind(httpd->socket, (const struct sockaddr *)&at, sizeof at))
        return dq_fail_errno(error, errno, "unix:%s", path);
    struct stat st;
    httpd->path = stat(path, &st) ? NULL : strdup(path);
    if (!httpd->path) return dq_fail_memory(error, "an address");
    httpd->device = st.st_dev;
    httpd->inode = st.st_ino;
    return DQ_OK;
}

void dq_httpd_unlink(dq_httpd *httpd)
{
    struct stat st;
    if (httpd->path && !lstat(httpd->path, &st) && st.st_dev == httpd->device && st.st_ino == httpd->inode)
        unlink(httpd->path);
    free(httpd->path);
    httpd->path = NULL;
}

static int bind_first(const struct addrinfo *list)
{
    int fd = -1;
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        const int on = 1;
        fd = socket(a->ai_family, SOCKET_FLAGS, 0);
        if (fd < 0) continue;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(fd, a->ai_addr, a->ai_addrlen) == 0) break;
        const int sys = errno;
        close(fd);
        errno = sys;
        fd = -1;
    }
    return fd;
}

enum { HOST_ROOM = 256 };

/* The path of "unix:PATH", or NULL. */
static const char *path_of(const char *address)
{
    return strncmp(address, "unix:", 5) == 0 ? address + 5 : NULL;
}

dq_status dq_httpd_check_address(const char *address, dq_error *error)
{
    const char *path = path_of(address), *colon = strrchr(address, ':');
    const size_t path_room = sizeof((struct sockaddr_un){0}.sun_path);
    if (path && (!*path || strlen(path) >= path_room))
        return dq_fail(error, DQ_ERR_RANGE, "unix:PATH has a path of 1 to %zu bytes", path_room - 1);
    if (path) return DQ_OK;
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    if (colon == address || digits < 1 || digits > 5 || colon[1 + digits] ||
        strtoul(colon + 1, NULL, 10) > 65535)
        return dq_fail(error, DQ_ERR_RANGE, "%s is no HOST:PORT, nor unix:PATH", address);
    if (colon - address >= HOST_ROOM)
        return dq_fail(error, DQ_ERR_RANGE, "a host's name of over %d bytes", HOST_ROOM - 1);
    return DQ_OK;
}

/* "HOST:PORT", "[HOST]:PORT". */
static dq_status bind_host(dq_httpd *httpd, const char *address, dq_error *error)
{
    const char *colon = strrchr(address, ':');
    size_t n = (size_t)(colon - address);
    if (address[0] == '[' && address[n - 1] == ']') address++, n -= 2;
    char host[HOST_ROOM];
    snprintf(host, sizeof host, "%.*s", (int)n, address);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    const int code = getaddrinfo(host, colon + 1, &hints, &list);
    if (code) return dq_fail(error, DQ_ERR_RANGE, "%s: %s", host, gai_strerror(code));
    httpd->socket = bind_first(list);
    const int sys = errno;
    freeaddrinfo(list);
    return httpd->socket < 0 ? dq_fail_errno(error, sys, "%s:%s", host, colon + 1) : DQ_OK;
}

dq_status dq_httpd_listen(dq_httpd *httpd, dq_error *error)
{
    const bool inherited = httpd->config.socket >= 0;
    const char *address = httpd->config.address, *path = inherited ? NULL : path_of(address);
    dq_status status = inherited ? DQ_OK : dq_httpd_check_address(address, error);
    if (inherited)
        httpd->socket = httpd->config.socket;
    else if (!status && path)
        status = bind_path(httpd, path, error);
    else if (!status)
        status = bind_host(httpd, address, error);
    if (status) return status;
    if (!inherited && listen(httpd->socket, BACKLOG))
        return dq_fail_errno(error, errno, "%s", httpd->config.address);
    return name_address(httpd, error);
}
