/* SPDX-License-Identifier: MIT
 *
 * Who lives. A process is known by host, boot, pid namespace, pid and start time, so that neither a pid that
 * was given to another process nor one that means something else in a container keeps a claim, nor frees one.
 * What cannot be told for sure is left to the lease.
 */
#include "port/cache/impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An owner whose lease is over for so long comes back no more: he was on another machine. */
enum { FORGOTTEN = 24 * 3600 };

/* The beginning of a small file as text; false when it cannot be read. */
static bool slurp(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t got = read(fd, text, size - 1);
    close(fd);
    if (got <= 0) return false;
    text[got] = '\0';
    return true;
}

/* The start time and the state letter of a process: proc(5), fields 22 and 3. The name in field 2 may hold
 * blanks and parentheses, so that counting begins behind the last one. */
static bool read_stat(int64_t pid, int64_t *started, char *letter)
{
    char path[64], line[1024];
    unsigned long long ticks;
    (void)snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    if (!slurp(path, line, sizeof line)) return false;
    const char *at = strrchr(line, ')');
    if (!at || /* the kernel's numbers: NOLINTNEXTLINE(cert-err34-c) */
        sscanf(at + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
               letter, &ticks) != 2)
        return false;
    *started = (int64_t)ticks;
    return true;
}

static int64_t namespace_number(void)
{
    char link[64];
    ssize_t got = readlink("/proc/self/ns/pid", link, sizeof link - 1);
    if (got <= 0) return 0;
    link[got] = '\0';
    const char *digits = strchr(link, '[');
    return digits ? strtoll(digits + 1, NULL, 10) : 0;
}

void dq_cache_process_self(cache_process *self)
{
    char letter;
    *self = (cache_process){.pid = getpid(), .space = namespace_number()};
    if (gethostname(self->host, sizeof self->host - 1) != 0) self->host[0] = '\0';
    if (!slurp("/proc/sys/kernel/random/boot_id", self->boot, sizeof self->boot)) self->boot[0] = '\0';
    self->boot[strcspn(self->boot, "\n")] = '\0';
    if (!read_stat(self->pid, &self->started, &letter)) self->started = 0;
}

bool dq_cache_process_dead(const cache_process *self, const cache_process *other, bool one_machine)
{
    int64_t started;
    char letter;
    if (strcmp(self->host, other->host) != 0) return false;
    if (strcmp(self->boot, other->boot) != 0) return one_machine && self->boot[0] && other->boot[0];
    if (!one_machine && !self->boot[0]) return false;
    if (self->space != other->space) return false;
    if (other->pid <= 0 || other->pid > INT32_MAX) return true; /* nobody has such a pid */
    if (kill((pid_t)other->pid, 0) != 0 && errno == ESRCH) return true;
    if (!read_stat(other->pid, &started, &letter)) return false; /* hidden from us, or gone just now */
    return letter == 'Z' || letter == 'X' || (other->started && started != other->started);
}

dq_status dq_cache_owner_clear(dq_cache *cache, int64_t owner, dq_error *error)
{
    static const cache_sql steps[] = {SQL_FLIGHTS_LOST, SQL_FLIGHTS_GONE, SQL_UNCLAIM_ALL, SQL_OWNER_GONE};
    dq_status status = DQ_OK;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && !status; i++)
        status = dq_cache_run(cache, steps[i], error, "i", owner);
    return status;
}

static void copy(char *to, size_t size, const cache_row *row, int column)
{
    size_t bytes;
    const char *from = dq_cache_text(row, column, &bytes);
    (void)snprintf(to, size, "%s", from ? from : "");
}

dq_cache_holder dq_cache_read_owner(const cache_row *row, int64_t *owner)
{
    const dq_cache *cache = row->cache;
    cache_process who = {.space = dq_cache_integer(row, 4),
                         .pid = dq_cache_integer(row, 5),
                         .started = dq_cache_integer(row, 6)};
    int64_t until = dq_cache_integer(row, 1), now = dq_cache_now(cache);
    *owner = dq_cache_integer(row, 0);
    if (*owner == cache->owner) return HOLDER_WE;
    copy(who.host, sizeof who.host, row, 2);
    copy(who.boot, sizeof who.boot, row, 3);
    if (dq_cache_process_dead(&cache->self, &who, cache->database->one_machine)) return HOLDER_DEAD;
    if (now - until > FORGOTTEN) return HOLDER_DEAD;
    /* A lease that ends too far ahead was given by a clock that runs ahead of ours; nobody waits an hour. */
    return until <= now || until > now + 2 * DQ_CACHE_LEASE ? HOLDER_LATE : HOLDER_ALIVE;
}

/* The dead, up to `most` of them. */
static dq_status find_dead(dq_cache *cache, int64_t *dead, size_t most, size_t *count, dq_error *error)
{
    cache_row *row;
    int got = dq_cache_step(cache, SQL_OWNERS, &row, error, "");
    *count = 0;
    while (got > 0 && *count < most) {
        if (dq_cache_read_owner(row, &dead[*count]) == HOLDER_DEAD) ++*count;
        got = dq_cache_more(row, error);
    }
    if (got > 0) dq_cache_done(row);
    return got < 0 ? cache->failed : DQ_OK;
}

dq_status dq_cache_clear_dead(dq_cache *cache, dq_error *error)
{
    int64_t dead[64];
    size_t count;
    dq_status status;
    do {
        status = find_dead(cache, dead, sizeof dead / sizeof *dead, &count, error);
        for (size_t i = 0; i < count && !status; i++) status = dq_cache_owner_clear(cache, dead[i], error);
    } while (!status && count == sizeof dead / sizeof *dead);
    return status;
}

dq_status dq_cache_owner_ready(dq_cache *cache, dq_error *error)
{
    const cache_process *self = &cache->self;
    int64_t until = dq_cache_now(cache) + DQ_CACHE_LEASE;
    cache_row *row;
    int got = 0;
    if (cache->owner) got = dq_cache_step(cache, SQL_OWNER_RENEW, &row, error, "ii", cache->owner, until);
    if (got < 0) return cache->failed;
    if (got) {
        dq_cache_done(row);
        return DQ_OK;
    }
    dq_status status = dq_cache_clear_dead(cache, error);
    if (status) return status;
    if (dq_cache_step(cache, SQL_OWNER_NEW, &row, error, "ttiiii", self->host, self->boot, self->space,
                      self->pid, self->started, until) <= 0)
        return cache->failed;
    cache->owner = dq_cache_integer(row, 0);
    dq_cache_done(row);
    return DQ_OK;
}
