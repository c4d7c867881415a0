/* SPDX-License-Identifier: MIT
 *
 * Bytes out: through zstd when asked, in large writes, to a descriptor or to a file that gets its name only
 * when it is complete.
 */
#include "wire/wire.h"

#include "core/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { OUT = 256 << 10, PIPE = 1 << 20, LEVEL_PIPE = -1, LEVEL_FILE = 3 };

struct dq_sink {
    int fd;
    dq_sink_fn write; /* instead of fd, when not NULL */
    void *write_arg;
    bool regular;    /* ends in a regular file, whoever opened it */
    char *name;      /* for messages */
    dq_aside aside;  /* the file in the making; empty when written in place */
    int broken;      /* errno of the first write that failed: what follows would leave a hole */
    ZSTD_CCtx *zstd; /* NULL: text */
    bool framed;     /* a frame is open */
    unsigned char *out;
    size_t held; /* bytes in out */
};

/* Whatever is no regular file (a pipe, /dev/full) is written in place. */
static dq_status open_path(dq_sink *s, const char *path, dq_error *error)
{
    struct stat st;
    if (stat(path, &st) < 0 || S_ISREG(st.st_mode)) return dq_aside_open(&s->aside, path, &s->fd, error);
    s->fd = open(path, O_WRONLY | O_CLOEXEC);
    return s->fd < 0 ? dq_fail_errno(error, errno, "cannot open") : DQ_OK;
}

static dq_status start_zstd(dq_sink *s, dq_error *error)
{
    s->zstd = ZSTD_createCCtx();
    if (!s->zstd ||
        ZSTD_isError(
            ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_compressionLevel, s->regular ? LEVEL_FILE : LEVEL_PIPE)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_checksumFlag, 1)))
        return dq_fail_memory(error, "zstd");
    return DQ_OK;
}

/* A sink that writes nowhere yet. */
static dq_status new_sink(dq_sink **sink, const char *name, dq_error *error)
{
    dq_sink *s = calloc(1, sizeof *s);
    *sink = s;
    if (s) {
        s->fd = -1;
        s->name = strdup(name);
        s->out = malloc(OUT);
        if (s->name && s->out) return DQ_OK;
    }
    dq_sink_abort(s);
    *sink = NULL;
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory to open an output");
}

static dq_status set_up(dq_sink *s, const char *path, bool standard, dq_sink_form form, dq_error *error)
{
    if (standard) s->fd = STDOUT_FILENO;
    dq_status status = standard ? DQ_OK : open_path(s, path, error);
    if (status) return status;
    struct stat st;
    if (fstat(s->fd, &st) < 0) return dq_fail_errno(error, errno, "cannot write");
    if (form != DQ_SINK_TEXT && isatty(s->fd))
        return dq_fail(error, DQ_ERR_TERMINAL,
                       "a binary stream is not written to a terminal: redirect it, or name a file with -o");
    s->regular = S_ISREG(st.st_mode) || form == DQ_SINK_FILE;
    if (S_ISFIFO(st.st_mode)) (void)fcntl(s->fd, F_SETPIPE_SZ, PIPE);
    return form != DQ_SINK_TEXT ? start_zstd(s, error) : DQ_OK;
}

dq_status dq_sink_open(dq_sink **sink, const char *path, dq_sink_form form, dq_error *error)
{
    bool standard = !path || strcmp(path, "-") == 0;
    dq_sink *s;
    *sink = NULL;
    dq_status status = new_sink(&s, standard ? "stdout" : path, error);
    if (status) return status;
    if ((status = set_up(s, path, standard, form, error))) {
        (void)dq_error_at(error, s->name, DQ_NO_RECORD);
        dq_sink_abort(s);
        return status;
    }
    *sink = s;
    return DQ_OK;
}

dq_status dq_sink_open_fn(dq_sink **sink, const char *name, dq_sink_form form, dq_sink_fn write, void *arg,
                          dq_error *error)
{
    dq_status status = new_sink(sink, name, error);
    if (status) return status;
    (*sink)->write = write;
    (*sink)->write_arg = arg;
    (*sink)->regular = form == DQ_SINK_FILE;
    status = form != DQ_SINK_TEXT ? start_zstd(*sink, error) : DQ_OK;
    if (status) {
        dq_sink_abort(*sink);
        *sink = NULL;
    }
    return status;
}

void dq_sink_threads(dq_sink *s, unsigned threads)
{
    if (s->zstd && threads > 1) (void)ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_nbWorkers, (int)threads);
}

static dq_status failed(const dq_sink *s, int sys, const char *what, dq_error *error)
{
    (void)dq_fail_errno(error, sys, "%s", what);
    (void)dq_error_at(error, s->name, DQ_NO_RECORD);
    return DQ_ERR_IO;
}

static dq_status write_fd(dq_sink *s, const unsigned char *data, size_t n, dq_error *error)
{
    if (s->write) return n ? s->write(s->write_arg, data, n, error) : DQ_OK;
    while (n && !s->broken) {
        ssize_t w = write(s->fd, data, n);
        if (w > 0) {
            data += w;
            n -= (size_t)w;
        } else if (w < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = s->fd, .events = POLLOUT};
            (void)poll(&p, 1, -1);
        } else if (w < 0 && errno != EINTR) {
            s->broken = errno;
        }
    }
    return s->broken ? failed(s, s->broken, "cannot write", error) : DQ_OK;
}

static dq_status drain(dq_sink *s, dq_error *error)
{
    size_t n = s->held;
    s->held = 0;
    return write_fd(s, s->out, n, error);
}

/* Feeds zstd; with flush or end goes on until everything is out. */
static dq_status compress(dq_sink *s, const void *data, size_t n, ZSTD_EndDirective how, dq_error *error)
{
    ZSTD_inBuffer in = {.src = data, .size = n};
    size_t left;
    do {
        ZSTD_outBuffer out = {.dst = s->out, .size = OUT, .pos = s->held};
        left = ZSTD_compressStream2(s->zstd, &out, &in, how);
        s->held = out.pos;
        if (ZSTD_isError(left)) {
            (void)dq_fail(error, DQ_ERR_MEMORY, "zstd: %s", ZSTD_getErrorName(left));
            return dq_error_at(error, s->name, DQ_NO_RECORD);
        }
        if (s->held > OUT / 2 || (left && how != ZSTD_e_continue)) {
            dq_status status = drain(s, error);
            if (status) return status;
        }
    } while (how == ZSTD_e_continue ? in.pos < in.size : left != 0);
    s->framed = how != ZSTD_e_end;
    return DQ_OK;
}

dq_status dq_sink_write(dq_sink *sink, const void *data, size_t n, dq_error *error)
{
    if (n == 0) return DQ_OK;
    if (sink->zstd) return compress(sink, data, n, ZSTD_e_continue, error);
    if (n > OUT - sink->held) {
        dq_status status = drain(sink, error);
        if (status) return status;
    }
    if (n >= OUT) return write_fd(sink, data, n, error);
    memcpy(sink->out + sink->held, data, n);
    sink->held += n;
    return DQ_OK;
}

/* Words for people: of control characters only those that lay a table out go through (core/utf8.h). */
static dq_status write_words(dq_sink *sink, const char *text, size_t n, dq_error *error)
{
    dq_status status = DQ_OK;
    size_t from = 0;
    for (size_t i = 0, took; i < n && !status; i += took) {
        char shown[9];
        bool control;
        took = dq_utf8_next(text + i, n - i, &control);
        if (!control || text[i] == '\n' || text[i] == '\t') continue;
        status = dq_sink_write(sink, text + from, i - from, error);
        if (!status)
            status = dq_sink_write(sink, shown, dq_utf8_show(text + i, took, shown, sizeof shown), error);
        from = i + took;
    }
    return status ? status : dq_sink_write(sink, text + from, n - from, error);
}

dq_status dq_sink_printf(dq_sink *sink, dq_error *error, const char *format, ...)
{
    char small[512], *text = small;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (n < 0) return dq_fail(error, DQ_ERR_MEMORY, "out of memory to print");
    if (n >= (int)sizeof small) {
        text = malloc((size_t)n + 1);
        if (!text) return dq_fail(error, DQ_ERR_MEMORY, "out of memory to print");
        va_start(args, format);
        (void)vsnprintf(text, (size_t)n + 1, format, args);
        va_end(args);
    }
    dq_status status = write_words(sink, text, (size_t)n, error);
    if (text != small) free(text);
    return status;
}

dq_status dq_sink_flush(dq_sink *sink, dq_error *error)
{
    dq_status status = sink->framed ? compress(sink, NULL, 0, ZSTD_e_flush, error) : DQ_OK;
    return status ? status : drain(sink, error);
}

dq_status dq_sink_close(dq_sink *sink, dq_error *error)
{
    dq_sink *s = sink;
    dq_status status = s->zstd ? compress(s, NULL, 0, ZSTD_e_end, error) : DQ_OK;
    if (!status) status = drain(s, error);
    if (!status && s->aside.path && (status = dq_aside_complete(&s->aside, &s->fd, error)))
        (void)dq_error_at(error, s->name, DQ_NO_RECORD);
    if (!status && s->fd > STDOUT_FILENO) {
        int result = close(s->fd), sys = errno;
        s->fd = -1;
        if (result < 0) status = failed(s, sys, "cannot close", error);
    }
    dq_sink_abort(s);
    return status;
}

void dq_sink_abort(dq_sink *sink)
{
    if (!sink) return;
    if (sink->fd > STDERR_FILENO) (void)close(sink->fd);
    dq_aside_discard(&sink->aside);
    ZSTD_freeCCtx(sink->zstd);
    free(sink->name);
    free(sink->out);
    free(sink);
}
