/* SPDX-License-Identifier: MIT
 *
 * Bytes out: as zstd frames when asked (wire/frame.h), in large writes, to a descriptor or to a file that
 * gets its name only when it is complete.
 */
#include "wire/bytes/behind.h"
#include "wire/bytes/threads.h"
#include "wire/frame.h"
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

enum { OUT = 256 << 10, PIPE = 1 << 20, LEVEL_PIPE = -1, LEVEL_FILE = 3 };

struct dq_sink {
    int fd;
    dq_sink_fn write; /* instead of fd, when not NULL */
    void *write_arg;
    bool regular;   /* ends in a regular file, whoever opened it */
    char *name;     /* for messages */
    dq_aside aside; /* the file in the making; empty when written in place */
    int broken;     /* errno of the first write that failed: what follows would leave a hole */
    int level;
    dq_frame_encoder *zstd; /* NULL: text */
    bool begun;             /* a frame was made: what follows may have a mark */
    unsigned char *out;     /* OUT bytes of text, or DQ_FRAME_PAYLOAD of payload; a buffer of `behind` */
    size_t held;            /* bytes in out */
    unsigned char *frame;   /* dq_frame_room() bytes */
    unsigned threads;       /* that may be begun */
    uint64_t payload;       /* bytes of the frames so far */
    dq_behind *behind;      /* compresses and writes; NULL: we do */
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
    s->level = s->regular ? LEVEL_FILE : LEVEL_PIPE;
    s->zstd = dq_frame_encoder_new(s->level);
    s->frame = malloc(dq_frame_room());
    return s->zstd && s->frame ? DQ_OK : dq_fail_memory(error, "zstd");
}

/* A sink that writes nowhere yet. */
static dq_status new_sink(dq_sink **sink, const char *name, dq_sink_form form, dq_error *error)
{
    dq_sink *s = calloc(1, sizeof *s);
    *sink = s;
    if (s) {
        s->fd = -1;
        s->name = strdup(name);
        s->out = malloc(form != DQ_SINK_TEXT ? DQ_FRAME_PAYLOAD : OUT);
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
    dq_status status = new_sink(&s, standard ? "stdout" : path, form, error);
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
    dq_status status = new_sink(sink, name, form, error);
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
    s->threads = s->zstd && !s->write ? threads : 0;
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

static dq_status place(const dq_sink *s, dq_status status, dq_error *error)
{
    return status ? dq_error_at(error, s->name, DQ_NO_RECORD) : DQ_OK;
}

/* n bytes as a frame, in this thread. */
static dq_status write_frame(dq_sink *s, const void *payload, size_t n, dq_error *error)
{
    size_t bytes = 0;
    dq_status status = dq_frame_encode(s->zstd, payload, n, s->begun && n > DQ_FRAME_SMALL, s->frame, &bytes,
                                       error);
    if (status) return place(s, status, error);
    s->begun = true;
    s->payload += n;
    return write_fd(s, s->frame, bytes, error);
}

static dq_status write_behind(void *arg, const unsigned char *bytes, size_t n, dq_error *error)
{
    return write_fd(arg, bytes, n, error);
}

/* When much has gone out already, more is likely to. Where there are no threads to be had, all stays as it
 * was. */
static void begin_behind(dq_sink *s)
{
    s->behind = dq_behind_new((dq_behind_output){write_behind, s, s->level}, s->threads);
    s->threads = 0; /* tried once */
    if (!s->behind) return;
    free(s->out);
    s->out = dq_behind_buffer(s->behind);
}

/* What is held is full, and becomes a frame. */
static dq_status hand_over(dq_sink *s, dq_error *error)
{
    size_t n = s->held;
    s->held = 0;
    if (!s->behind) {
        dq_status status = write_frame(s, s->out, n, error);
        if (!status && s->threads && s->payload > DQ_BYTES_BEFORE_THREADS) begin_behind(s);
        return status;
    }
    dq_status status = dq_behind_hand(s->behind, error);
    s->out = dq_behind_buffer(s->behind);
    return place(s, status, error);
}

/* Cuts the payload into frames: the first small, so that who waits for a head has it soon. */
static dq_status add_payload(dq_sink *s, const unsigned char *data, size_t n, dq_error *error)
{
    dq_status status = DQ_OK;
    while (n && !status) {
        size_t most = s->begun ? DQ_FRAME_PAYLOAD : DQ_FRAME_SMALL, take = most - s->held;
        if (take > n) take = n;
        if (take == most && !s->behind) { /* nothing is held: from where it lies */
            status = write_frame(s, data, take, error);
        } else {
            memcpy(s->out + s->held, data, take);
            s->held += take;
            if (s->held == most) status = hand_over(s, error);
        }
        data += take;
        n -= take;
    }
    return status;
}

dq_status dq_sink_write(dq_sink *sink, const void *data, size_t n, dq_error *error)
{
    if (n == 0) return DQ_OK;
    if (sink->zstd) return add_payload(sink, data, n, error);
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
    char small[512], *large = NULL;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (n < 0) return dq_fail(error, DQ_ERR_MEMORY, "out of memory to print");
    if (n >= (int)sizeof small) {
        large = malloc((size_t)n + 1);
        if (!large) return dq_fail(error, DQ_ERR_MEMORY, "out of memory to print");
        va_start(args, format);
        (void)vsnprintf(large, (size_t)n + 1, format, args);
        va_end(args);
    }
    dq_status status = write_words(sink, large ? large : small, (size_t)n, error);
    free(large);
    return status;
}

dq_status dq_sink_flush(dq_sink *sink, dq_error *error)
{
    if (!sink->zstd) return drain(sink, error);
    size_t n = sink->held;
    dq_status status = sink->behind ? place(sink, dq_behind_wait(sink->behind, error), error) : DQ_OK;
    sink->held = 0;
    return status || !n ? status
                        : write_frame(sink, sink->out, n, error); /* who waits for it has it sooner so */
}

dq_status dq_sink_close(dq_sink *sink, dq_error *error)
{
    dq_sink *s = sink;
    dq_status status = s->zstd && !s->begun && !s->held ? write_frame(s, NULL, 0, error) : DQ_OK;
    if (!status) status = dq_sink_flush(s, error);
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
    if (sink->behind) {
        if (!sink->aside.path) (void)dq_behind_wait(sink->behind, NULL); /* as far as one thread would be */
        dq_behind_free(sink->behind);
        sink->out = NULL;
    }
    if (sink->fd > STDERR_FILENO) (void)close(sink->fd);
    dq_aside_discard(&sink->aside);
    dq_frame_encoder_free(sink->zstd);
    free(sink->frame);
    free(sink->name);
    free(sink->out);
    free(sink);
}
