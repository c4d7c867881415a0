/* SPDX-License-Identifier: MIT
 *
 * Addresses of servers. A password in one would stand in the list of processes and in a shell's history, and
 * a server's complaint may quote a piece of an address: none is read on from here that holds one, or that
 * libpq would cut elsewhere than its writer meant. Nor is what looks like the address of another server, or
 * like libpq's other form ("host=h password=p"), taken for the name of a file, which is shown.
 */
#include "port/cache/impl.h"

#include <ctype.h>
#include <string.h>

static const char *behind_scheme(const char *text)
{
    if (strncmp(text, "postgresql://", 13) == 0) return text + 13;
    return strncmp(text, "postgres://", 11) == 0 ? text + 11 : NULL;
}

bool dq_cache_is_address(const char *path)
{
    return behind_scheme(path);
}

/* What stands behind NAME[:PASSWORD]@; all of it where there is no such. The first @ before a / ends them for
 * libpq, the last one before the query for most people. */
static const char *behind_user(const char *rest)
{
    const char *end = rest + strcspn(rest, "?"), *first = rest + strcspn(rest, "@/"), *hosts = rest;
    if (*first == '@') hosts = first + 1;
    for (const char *at = hosts; at < end; at++)
        if (*at == '@') hosts = at + 1;
    return hosts;
}

/* HOST[:PORT],... up to the database: of a colon outside brackets digits follow. What has none is a password
 * that a / or a ? has cut. */
static bool ports_are_numbers(const char *hosts)
{
    bool bracket = false;
    for (; *hosts && !strchr("/?", *hosts); hosts++) {
        if (*hosts == '[' || *hosts == ']') bracket = *hosts == '[';
        if (*hosts != ':' || bracket) continue;
        const char *end = hosts + 1 + strspn(hosts + 1, "0123456789");
        if (*end && !strchr(",/?", *end)) return false;
    }
    return true;
}

static int hex(char digit)
{
    return isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10;
}

/* The name of a parameter, %XX read. */
static void read_name(const char *from, char *name, size_t room)
{
    size_t n = 0;
    for (; n + 1 < room && *from && !strchr("=&", *from); from++) {
        bool coded = from[0] == '%' && isxdigit((unsigned char)from[1]) && isxdigit((unsigned char)from[2]);
        name[n++] = coded ? (char)(hex(from[1]) * 16 + hex(from[2])) : *from;
        from += coded ? 2 : 0;
    }
    name[n] = '\0';
}

/* password, sslpassword, and what newer versions of libpq have. */
static bool parameters_hold_one(const char *rest)
{
    char name[32];
    for (const char *at = strchr(rest, '?'); at; at = strchr(at + 1, '&')) {
        read_name(at + 1, name, sizeof name);
        if (strcasestr(name, "password") || strcasestr(name, "secret")) return true;
    }
    return false;
}

/* NAME=VALUE&...: libpq shows what has no = in it. */
static bool parameters_are_pairs(const char *rest)
{
    const char *at = strchr(rest, '?');
    while (at && *++at) {
        const char *end = at + strcspn(at, "&");
        if (!memchr(at, '=', (size_t)(end - at))) return false;
        at = *end ? end : NULL;
    }
    return true;
}

/* "password = ..." somewhere, as libpq's other form has it. */
static bool sets_password(const char *text)
{
    while ((text = strcasestr(text, "password"))) {
        text += strlen("password");
        if (text[strspn(text, " \t\n")] == '=') return true;
    }
    return false;
}

/* SCHEME:// of whatever else, or a list of NAME=VALUE with a password. A path that begins with its folder is
 * one. */
static bool looks_like_another(const char *path)
{
    if (*path == '/' || *path == '.') return false;
    size_t letters = strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
    bool scheme = isalpha((unsigned char)*path) && strncmp(path + letters, "://", 3) == 0;
    return scheme || sets_password(path);
}

dq_status dq_cache_check_address(const char *path, dq_error *error)
{
    const char *rest = behind_scheme(path);
    if (!rest && looks_like_another(path))
        return dq_fail(error, DQ_ERR_RANGE,
                       "a cache is a file, or postgresql://[USER@]HOST[:PORT]/DATABASE; a file of such a "
                       "name is ./NAME");
    if (!rest) return DQ_OK;
    const char *hosts = behind_user(rest);
    if (memchr(rest, ':', (size_t)(hosts - rest)) || parameters_hold_one(rest))
        return dq_fail(
            error, DQ_ERR_RANGE,
            "the address of a cache may not hold a password, which others would see: PGPASSWORD, a "
            "service file (PGSERVICE) or ~/.pgpass gives it");
    if (!ports_are_numbers(hosts) || !parameters_are_pairs(rest))
        return dq_fail(error, DQ_ERR_RANGE,
                       "the address of a cache is postgresql://[USER@]HOST[:PORT]/DATABASE?PARAMETER=VALUE");
    return DQ_OK;
}
