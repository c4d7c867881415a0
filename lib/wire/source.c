/* SPDX-License-Identifier: MIT
 *
 * A descriptor, a buffer of bytes as they came, a decoder when they are compressed, and, for those who read
 * lines, a buffer of bytes as they were.
 */
#include "wire/wire.h"

#include "core/array.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RAW = 256 << 10, LINE_MAX_BYTES = 256 << 20, PIPE = 1 << 20 };

struct dq_source {
    int fd;
    dq_source_fn read; /* instead of fd, when not NULL */
    void *read_arg;
    char *name;
    bool told, ended;    /* whether the coding is known; whether read() said 0 */
    dq_decoder *decoder; /* NULL: plain */
    unsigned char *raw;  /* bytes as they came, [at, end) */
    size_t at, end;
    char *text; /* bytes as they were, read ahead for lines: [from, to) of room */
    size_t from, to, room;
    bool begun;              /* as a text: its mark is behind us */
    bool line_ended;         /* the last line, by a newline */
    dq_converter *converter; /* NULL: UTF-8 */
    char *coded;             /* what it has still to read, [coded_at, coded_end) of RAW */
    size_t coded_at, coded_end;
    void (*before_block)(void *);
    void *arg;
};

/* A source that reads from nowhere yet. */
static dq_status new_source(dq_source **source, const char *name, dq_error *error)
{
    dq_source *s = calloc(1, sizeof *s);
    *source = s;
    if (s) {
        s->fd = -1;
        s->name = strdup(name);
        s->raw = malloc(RAW);
        if (s->name && s->raw) return DQ_OK;
    }
    dq_source_close(s);
    *source = NULL;
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory to open %s", name);
}

static dq_status open_fd(dq_source *s, const char *path, bool standard, dq_error *error)
{
    s->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (s->fd < 0 || fstat(s->fd, &st) < 0) return dq_fail_errno(error, errno, "cannot open");
    if (S_ISDIR(st.st_mode)) return dq_fail_errno(error, EISDIR, "cannot read");
    if (S_ISCHR(st.st_mode) && isatty(s->fd))
        return dq_fail(error, DQ_ERR_TERMINAL, "a terminal, where a file or a pipe is wanted");
    if (S_ISFIFO(st.st_mode)) (void)fcntl(s->fd, F_SETPIPE_SZ, PIPE);
    return DQ_OK;
}

dq_status dq_source_open(dq_source **source, const char *path, dq_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    dq_source *s;
    *source = NULL;
    dq_status status = new_source(&s, standard ? "stdin" : path, error);
    if (status) return status;
    if ((status = open_fd(s, path, standard, error))) {
        (void)dq_error_at(error, s->name, DQ_NO_RECORD);
        dq_source_close(s);
        return status;
    }
    *source = s;
    return DQ_OK;
}

dq_status dq_source_open_fn(dq_source **source, const char *name, dq_source_fn read, void *arg,
                            dq_error *error)
{
    dq_status status = new_source(source, name, error);
    if (status) return status;
    (*source)->read = read;
    (*source)->read_arg = arg;
    return DQ_OK;
}

void dq_source_close(dq_source *source)
{
    if (!source) return;
    if (source->fd > STDIN_FILENO) (void)close(source->fd);
    dq_decoder_free(source->decoder);
    dq_converter_free(source->converter);
    free(source->coded);
    free(source->raw);
    free(source->text);
    free(source->name);
    free(source);
}

const char *dq_source_name(const dq_source *source)
{
    return source->name;
}

void dq_source_on_block(dq_source *source, void (*before_block)(void *arg), void *arg)
{
    source->before_block = before_block;
    source->arg = arg;
}

static void wait_readable(dq_source *s, int milliseconds, bool *ready)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    *ready = poll(&p, 1, milliseconds) != 0;
}

/* read(2), begun anew after a signal; *got = 0 and ended at the end. */
static dq_status read_fd(dq_source *s, void *to, size_t n, size_t *got, dq_error *error)
{
    *got = 0;
    if (s->ended) return DQ_OK;
    if (s->read) {
        dq_status status = s->read(s->read_arg, to, n, got, error);
        s->ended = !status && *got == 0;
        return status;
    }
    bool ready = true;
    if (s->before_block) wait_readable(s, 0, &ready);
    if (!ready) s->before_block(s->arg);
    for (;;) {
        ssize_t r = read(s->fd, to, n);
        if (r >= 0) {
            *got = (size_t)r;
            s->ended = r == 0;
            return DQ_OK;
        }
        if (errno == EAGAIN)
            wait_readable(s, -1, &ready);
        else if (errno != EINTR)
            return dq_fail_errno(error, errno, "cannot read");
    }
}

/* Reads until the first bytes tell plain, zstd or gzip. A few bytes that only begin a magic number count as a
 * compressed source cut short. */
static dq_status tell_coding(dq_source *s, dq_error *error)
{
    dq_coding coding;
    while ((coding = dq_coding_of(s->raw, s->end)) == DQ_CODING_MORE && !s->ended) {
        size_t got;
        dq_status status = read_fd(s, s->raw + s->end, RAW - s->end, &got, error);
        if (status) return status;
        s->end += got;
    }
    s->told = true;
    if (coding == DQ_CODING_PLAIN || s->end == 0) return DQ_OK;
    if (coding == DQ_CODING_MORE)
        return dq_fail(error, DQ_ERR_TRUNCATED, "cut off inside its first %zu bytes", s->end);
    s->decoder = dq_decoder_new(coding);
    return s->decoder ? DQ_OK : dq_fail_memory(error, "a decoder");
}

static dq_status fill_raw(dq_source *s, dq_error *error)
{
    s->at = s->end = 0;
    return read_fd(s, s->raw, RAW, &s->end, error);
}

static dq_status read_plain(dq_source *s, void *to, size_t n, size_t *got, dq_error *error)
{
    if (s->at == s->end && n >= RAW) return read_fd(s, to, n, got, error);
    if (s->at == s->end) {
        dq_status status = fill_raw(s, error);
        if (status) return status;
    }
    *got = s->end - s->at < n ? s->end - s->at : n;
    if (*got) memcpy(to, s->raw + s->at, *got); /* NOLINT(*.NonNullParamChecker): n bytes have a place */
    s->at += *got;
    return DQ_OK;
}

static dq_status read_coded(dq_source *s, void *to, size_t n, size_t *got, dq_error *error)
{
    dq_status status;
    for (;;) {
        if (s->at < s->end || !dq_decoder_at_boundary(s->decoder)) {
            status = dq_decoder_run(s->decoder, s->raw, &s->at, s->end, to, n, got, error);
            if (status || *got) return status;
        }
        if (s->at < s->end) continue;
        if ((status = fill_raw(s, error))) return status;
        if (s->ended && dq_decoder_at_boundary(s->decoder)) return DQ_OK;
        if (s->ended) return dq_fail(error, DQ_ERR_TRUNCATED, "cut off inside a compressed frame");
    }
}

/* Bytes past the line buffer. */
static dq_status read_decoded(dq_source *s, void *to, size_t n, size_t *got, dq_error *error)
{
    *got = 0;
    if (n == 0) return DQ_OK;
    dq_status status = s->told ? DQ_OK : tell_coding(s, error);
    if (!status) status = (s->decoder ? read_coded : read_plain)(s, to, n, got, error);
    if (status) (void)dq_error_at(error, s->name, DQ_NO_RECORD);
    return status;
}

/* Decoded bytes as UTF-8. */
static dq_status read_converted(dq_source *s, char *to, size_t n, size_t *got, dq_error *error)
{
    dq_status status = DQ_OK;
    size_t more = 1;
    for (*got = 0; !status && !*got && more;) {
        size_t left = s->coded_end - s->coded_at;
        if (left) memmove(s->coded, s->coded + s->coded_at, left);
        s->coded_at = 0;
        s->coded_end = left;
        status = read_decoded(s, s->coded + left, RAW - left, &more, error);
        if (status) return status;
        s->coded_end += more;
        status = dq_converter_run(s->converter, s->coded, &s->coded_at, s->coded_end, to, n, got, error);
    }
    if (!status && !*got && s->coded_at < s->coded_end)
        status = dq_fail(error, DQ_ERR_TRUNCATED, "cut off inside a character");
    if (status) (void)dq_error_at(error, s->name, DQ_NO_RECORD);
    return status;
}

/* Room for more text behind what is held, and for a NUL: moves it to the front, or grows. */
static dq_status make_room(dq_source *s, dq_error *error)
{
    size_t held = s->to - s->from;
    if (held >= LINE_MAX_BYTES) {
        (void)dq_fail(error, DQ_ERR_FORMAT, "a line of more than 256 MiB");
        return dq_error_at(error, s->name, DQ_NO_RECORD);
    }
    if (s->from && held) /* then it stands there: NOLINTNEXTLINE(*.NonNullParamChecker) */
        memmove(s->text, s->text + s->from, held);
    s->from = 0;
    s->to = held;
    if (s->room > held + 1 && s->room - held > s->room / 2) return DQ_OK;
    size_t room = s->room ? 2 * s->room : RAW;
    if (room > (size_t)LINE_MAX_BYTES + RAW) room = (size_t)LINE_MAX_BYTES + RAW; /* so the limit is met */
    if (!dq_array_resize(&s->text, room, 1)) return dq_fail_memory(error, "a line");
    s->room = room;
    return DQ_OK;
}

/* More text behind what is held; *got = 0 at the end. */
static dq_status read_ahead(dq_source *s, size_t *got, dq_error *error)
{
    *got = 0;
    dq_status status = make_room(s, error);
    if (status) return status;
    char *to = s->text + s->to;
    size_t n = s->room - s->to - 1;
    status = s->converter ? read_converted(s, to, n, got, error) : read_decoded(s, to, n, got, error);
    s->to += *got;
    return status;
}

dq_status dq_source_read(dq_source *source, void *to, size_t n, size_t *got, dq_error *error)
{
    size_t held = source->to - source->from;
    if (held == 0 && !source->converter) return read_decoded(source, to, n, got, error);
    *got = 0;
    dq_status status = held || !n ? DQ_OK : read_ahead(source, &held, error);
    if (status || !held || !n) return status;
    *got = held < n ? held : n;
    memcpy(to, source->text + source->from, *got);
    source->from += *got;
    return DQ_OK;
}

dq_status dq_source_read_full(dq_source *source, void *to, size_t n, size_t *got, dq_error *error)
{
    *got = 0;
    while (*got < n) {
        size_t more;
        dq_status status = dq_source_read(source, (char *)to + *got, n - *got, &more, error);
        if (status) return status;
        if (more == 0) break;
        *got += more;
    }
    return DQ_OK;
}

static void hand_line(dq_source *s, size_t length, size_t taken, char **line, size_t *bytes)
{
    *line = s->text + s->from;
    s->from += taken;
    if (length && (*line)[length - 1] == '\r') length--;
    (*line)[length] = '\0';
    *bytes = length;
}

dq_status dq_source_look(dq_source *source, size_t n, const char **first, size_t *had, dq_error *error)
{
    size_t got = 1;
    dq_status status = DQ_OK;
    while (!status && got && source->to - source->from < n) status = read_ahead(source, &got, error);
    *first = source->text + source->from;
    *had = source->to - source->from;
    return status;
}

dq_status dq_source_peek(dq_source *source, int *first, dq_error *error)
{
    const char *bytes;
    size_t had;
    dq_status status = dq_source_look(source, 1, &bytes, &had, error);
    if (!status) *first = had ? (unsigned char)*bytes : -1;
    return status;
}

dq_status dq_source_encoding(dq_source *source, const char *encoding, dq_error *error)
{
    dq_status status = dq_converter_new(&source->converter, encoding, error);
    if (!status) source->coded = malloc(RAW);
    if (!status && !source->coded) status = dq_fail_memory(error, "a text");
    return status ? dq_error_at(error, source->name, DQ_NO_RECORD) : DQ_OK;
}

dq_status dq_source_text(dq_source *source, dq_error *error)
{
    dq_source *s = source;
    if (s->begun) return DQ_OK;
    size_t got = 1, mark = 0;
    dq_status status = DQ_OK;
    while (!status && got && !(s->text && dq_text_told(s->text + s->from, s->to - s->from)))
        status = read_ahead(s, &got, error);
    if (!status && s->text) status = dq_text_begin(s->text + s->from, s->to - s->from, &mark, error);
    if (status) return dq_error_at(error, s->name, DQ_NO_RECORD);
    s->from += mark;
    s->begun = true;
    return DQ_OK;
}

bool dq_source_line_ended(const dq_source *source)
{
    return source->line_ended;
}

dq_status dq_source_is_stream(dq_source *source, bool *is, dq_error *error)
{
    int first;
    const char *bytes;
    size_t had;
    *is = false;
    dq_status status = dq_source_peek(source, &first, error);
    if (status || first != 0xcf)
        return status; /* one byte is there at once, a second may have to be waited for */
    status = dq_source_look(source, 2, &bytes, &had, error);
    *is = !status && (had < 2 || bytes[1] == 0);
    return status;
}

const void *dq_source_held(const dq_source *source, size_t *n)
{
    const dq_source *s = source;
    *n = s->to - s->from;
    if (*n) return s->text + s->from;
    *n = s->decoder ? 0 : s->end - s->at;
    return *n ? s->raw + s->at : NULL;
}

dq_status dq_source_line(dq_source *source, char **line, size_t *bytes, dq_error *error)
{
    dq_source *s = source;
    size_t searched = 0;
    *line = NULL;
    *bytes = 0;
    dq_status status = s->begun ? DQ_OK : dq_source_text(s, error);
    while (!status) {
        size_t held = s->to - s->from, got;
        char *newline = held > searched ? memchr(s->text + s->from + searched, '\n', held - searched) : NULL;
        if (newline) {
            size_t length = (size_t)(newline - s->text) - s->from;
            s->line_ended = true;
            hand_line(s, length, length + 1, line, bytes);
            return DQ_OK;
        }
        searched = held;
        status = read_ahead(s, &got, error);
        if (status || got) continue;
        s->line_ended = false;
        if (held) hand_line(s, held, held, line, bytes);
        return DQ_OK;
    }
    return status;
}
