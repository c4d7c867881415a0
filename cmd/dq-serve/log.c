/* SPDX-License-Identifier: MIT
 *
 * The log, and what is remembered of it.
 */
#include "serve.h"

#include "core/words/number.h"
#include "log/follow.h"
#include "serve/cold.h"
#include "serve/remembered.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BACK = 64 << 20 /* bytes of a log's end that are remembered again */ };

/* "10s", "1000": seconds, and a number in units; each at most once, separated by a comma. */
static bool parse_limits(const char *text, bool sized, double *seconds, uint64_t *number)
{
    static const char units[] = "KMG";
    while (text) {
        double n;
        const char *end = dq_number_begin(text, &n);
        if (!end) return false;
        const char *unit = sized && *end ? strchr(units, *end) : NULL;
        if (!(n > 0 && n < 1e15)) return false;
        if (*end == 's' && *seconds == 0) {
            *seconds = n;
            end++;
        } else if (*number == 0) {
            for (const char *u = units; unit && u <= unit; u++) n *= 1024;
            *number = (uint64_t)n;
            if (*number == 0 || (!unit && (double)*number != n)) return false; /* half a row is no limit */
            if (unit) end++;
        } else {
            return false;
        }
        if (*end && *end != ',') return false;
        text = *end ? end + 1 : NULL;
    }
    return true;
}

static void read_limits(const serve_options *o, const dq_cli *cli, dq_log_config *log)
{
    if (!parse_limits(o->log_sync, false, &log->sync_seconds, &log->sync_rows))
        dq_cli_usage(cli, "--log-sync %s: SECONDS as in 1s, or ROWS as in 1000, or both as in 1s,1000",
                     o->log_sync);
    if (!parse_limits(o->log_rotate, true, &log->rotate_seconds, &log->rotate_bytes))
        dq_cli_usage(cli, "--log-rotate %s: SIZE as in 100M, or SECONDS as in 86400s, or both",
                     o->log_rotate);
}

static void check_limits(const serve_options *o, const dq_cli *cli)
{
    dq_log_config log = {0};
    read_limits(o, cli, &log);
}

/* --check: the log is read as it is, and neither begun nor cut. */
static dq_status check_log(const char *path, dq_error *error)
{
    dq_log_follow *log;
    dq_bundle bundle;
    uint64_t position;
    int got;
    if (!path || (access(path, F_OK) < 0 && errno == ENOENT)) return DQ_OK;
    dq_status status = dq_log_follow_open(&log, path, 0, error);
    if (status) return status;
    while ((got = dq_log_follow_next(log, &bundle, &position, error)) > 0) dq_bundle_free(&bundle);
    dq_log_follow_close(log);
    return got < 0 ? error->status : DQ_OK;
}

/* What became durable is what the bandit learns from. */
static void learn(void *arg, const dq_bundle *bundle, uint64_t position)
{
    dq_serve *serve = arg;
    if (serve->cold) dq_serve_cold_learn(serve->cold, bundle, position);
}

static dq_status open_log(dq_serve *serve, const serve_options *o, dq_cli *cli, dq_error *error)
{
    dq_serve_log_config config = {.path = o->check ? NULL : o->log,
                                  .map = serve->map,
                                  .shown_rows = o->remember,
                                  .users = o->remember / 10 + 1,
                                  .read_back = READ_BACK,
                                  .telemetry = serve->telemetry};
    read_limits(o, cli, &config.log);
    config.log.maker = dq_cli_maker(cli, -1);
    config.log.committed = learn;
    config.log.arg = serve;
    dq_status status = o->check ? check_log(o->log, error) : DQ_OK;
    if (!status) status = dq_serve_log_open(&serve->log, &config, error);
    uint64_t cut = !status && config.path ? dq_log_writer_cut(dq_serve_log_writer(serve->log)) : 0;
    if (cut)
        dq_cli_say(cli, &o->common, "%s: %llu bytes of an unfinished section were cut off", o->log,
                   (unsigned long long)cut);
    return status;
}

static void reopen_log(dq_serve *serve, const serve_options *o, dq_cli *cli)
{
    dq_error why = DQ_ERROR_NONE;
    dq_log_writer *writer = dq_serve_log_writer(serve->log);
    if (writer && dq_log_writer_reopen(writer, &why))
        dq_cli_say(cli, &o->common, "%s: %s: the file before stays", why.source, why.reason);
}

static dq_status close_log(dq_serve *serve, dq_error *error)
{
    dq_status status = dq_serve_log_close(serve->log, error);
    serve->log = NULL;
    return status;
}

const serve_part serve_log_part = {
    .check = check_limits, .open = open_log, .reopen = reopen_log, .close = close_log};
