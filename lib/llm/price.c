/* SPDX-License-Identifier: MIT */
#include "llm/ask_impl.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t ask_tokens_of(size_t bytes)
{
    return (bytes + 3) / 4; /* English prose and JSON have about four bytes a token */
}

bool dq_ask_parse_price(const char *text, double *in, double *out)
{
    char *end;
    *in = strtod(text, &end);
    if (end == text || *end != ':') return false;
    const char *second = end + 1;
    *out = strtod(second, &end);
    bool sound = end != second && *end == '\0' && isfinite(*in) && isfinite(*out) && *in >= 0 && *out >= 0;
    *in /= 1e6;
    *out /= 1e6;
    return sound;
}

/* The first line of the file, without white space around it. */
static dq_status read_key_file(const char *path, char *key, size_t room, dq_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return dq_fail_errno(error, errno, "--key-file %s", path);
    ssize_t got = read(fd, key, room - 1);
    int sys = errno;
    (void)close(fd);
    if (got < 0) return dq_fail_errno(error, sys, "--key-file %s", path);
    key[got] = '\0';
    size_t n = strcspn(key, "\r\n");
    key[n] = '\0';
    if (n < room - 1) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "--key-file %s: a key of more than %zu bytes", path, room - 2);
}

dq_status ask_read_key(const dq_ask_options *o, char *key, size_t room, dq_error *error)
{
    const char *from = getenv("OPENAI_API_KEY");
    dq_status status = DQ_OK;
    size_t n = o->key_file || !from ? 0 : strlen(from);
    if (n >= room - 1)
        return dq_fail(error, DQ_ERR_RANGE, "OPENAI_API_KEY: a key of more than %zu bytes", room - 2);
    key[0] = '\0';
    if (o->key_file)
        status = read_key_file(o->key_file, key, room, error);
    else if (from)
        memcpy(key, from, n + 1);
    size_t skip = strspn(key, " \t"), end = strlen(key);
    while (end > skip && isspace((unsigned char)key[end - 1])) end--;
    memmove(key, key + skip, end - skip);
    key[end - skip] = '\0';
    if (!status && o->key_file && !key[0])
        return dq_fail(error, DQ_ERR_FORMAT, "--key-file %s is empty", o->key_file);
    return status;
}
