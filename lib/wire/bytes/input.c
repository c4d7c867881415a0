/* SPDX-License-Identifier: MIT
 *
 * A descriptor, a buffer of bytes as they came, and a decoder when they are compressed.
 *
 * A frame behind a mark (wire/frame.h) is read whole, past the buffer, and decoded in one call, straight to
 * where the caller wants it when there is room. Everything else, a frame that is cut or damaged among it,
 * goes block by block through the decoder, which gives out what is sound in front of the damage.
 */
#include "wire/bytes/input.h"

#include "core/array.h"
#include "wire/bytes/ahead.h"
#include "wire/bytes/threads.h"
#include "wire/frame.h"
#include "wire/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RAW = 256 << 10, PIPE = 1 << 20 };

struct dq_input {
    int fd;
    int stop;          /* an eventfd: readable when threads are to end; -1: there are none */
    dq_source_fn read; /* instead of fd, when not NULL */
    void *read_arg;
    bool told, ended;    /* whether the coding is known; whether read() said 0 */
    bool marks;          /* zstd, of which frames may be read whole */
    bool marked;         /* the last frame had a mark: the next bytes may be one, and are read alone */
    dq_decoder *decoder; /* NULL: plain */
    unsigned char *raw;  /* bytes as they came, [at, end) of room */
    size_t at, end, room;
    dq_status late; /* comes when raw is used up */
    dq_error late_error;
    dq_ahead_piece piece; /* the frame that is being given out, from `given` on */
    size_t given;
    dq_frame_decoder *frames;
    unsigned threads; /* that may be begun */
    uint64_t decoded; /* bytes given out so far */
    dq_ahead *ahead;
    void (*before_block)(void *);
    void *arg;
};

dq_input *dq_input_new(void)
{
    dq_input *in = calloc(1, sizeof *in);
    if (!in) return NULL;
    in->fd = in->stop = -1;
    in->room = RAW;
    in->late_error = DQ_ERROR_NONE;
    in->raw = malloc(RAW);
    if (in->raw) return in;
    free(in);
    return NULL;
}

dq_status dq_input_open(dq_input *in, const char *path, bool standard, dq_error *error)
{
    in->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (in->fd < 0 || fstat(in->fd, &st) < 0) return dq_fail_errno(error, errno, "cannot open");
    if (S_ISDIR(st.st_mode)) return dq_fail_errno(error, EISDIR, "cannot read");
    if (S_ISCHR(st.st_mode) && isatty(in->fd))
        return dq_fail(error, DQ_ERR_TERMINAL, "a terminal, where a file or a pipe is wanted");
    if (S_ISFIFO(st.st_mode)) (void)fcntl(in->fd, F_SETPIPE_SZ, PIPE);
    return DQ_OK;
}

void dq_input_from(dq_input *in, dq_source_fn read, void *arg)
{
    in->read = read;
    in->read_arg = arg;
}

void dq_input_on_block(dq_input *in, void (*before_block)(void *arg), void *arg)
{
    in->before_block = before_block;
    in->arg = arg;
}

void dq_input_threads(dq_input *in, unsigned threads)
{
    in->threads = threads;
}

const void *dq_input_held(const dq_input *in, size_t *n)
{
    *n = in->decoder ? 0 : in->end - in->at;
    return *n ? in->raw + in->at : NULL;
}

void dq_input_close(dq_input *in)
{
    if (!in) return;
    dq_ahead_free(in->ahead);
    if (in->stop >= 0) (void)close(in->stop);
    if (in->fd > STDIN_FILENO) (void)close(in->fd);
    dq_decoder_free(in->decoder);
    dq_frame_decoder_free(in->frames);
    dq_ahead_piece_clear(&in->piece);
    free(in->raw);
    free(in);
}

/* ---- bytes as they come ---- */

/* Waits until there is something to read; false after `milliseconds`, or when threads are to end. */
static bool wait_readable(const dq_input *in, int milliseconds)
{
    struct pollfd p[2] = {{.fd = in->fd, .events = POLLIN}, {.fd = in->stop, .events = POLLIN}};
    int ready;
    do ready = poll(p, in->stop < 0 ? 1 : 2, milliseconds);
    while (ready < 0 && errno == EINTR && in->stop >= 0);
    return ready != 0 && !p[1].revents;
}

static dq_status stopped(dq_error *error)
{
    return dq_fail(error, DQ_ERR_STOPPED, "nobody reads on");
}

/* read(2), begun anew after a signal; *got = 0 and ended at the end. */
static dq_status read_fd(dq_input *in, void *to, size_t n, size_t *got, dq_error *error)
{
    *got = 0;
    if (in->ended) return DQ_OK;
    if (in->read) {
        dq_status status = in->read(in->read_arg, to, n, got, error);
        in->ended = !status && *got == 0;
        return status;
    }
    if (in->stop >= 0 && !wait_readable(in, -1)) return stopped(error);
    if (in->stop < 0 && in->before_block && !wait_readable(in, 0)) in->before_block(in->arg);
    for (;;) {
        ssize_t r = read(in->fd, to, n);
        if (r >= 0) {
            *got = (size_t)r;
            in->ended = r == 0;
            return DQ_OK;
        }
        if (errno != EAGAIN && errno != EINTR) return dq_fail_errno(error, errno, "cannot read");
        if (errno == EAGAIN && !wait_readable(in, -1) && in->stop >= 0) return stopped(error);
    }
}

/* Reads until raw has `least` bytes, up to `most`, or the input ends. A failure comes when they are used up.
 */
static void fill_raw(dq_input *in, size_t least, size_t most)
{
    if (in->at) memmove(in->raw, in->raw + in->at, in->end - in->at);
    in->end -= in->at;
    in->at = 0;
    while (in->end < least && in->end < most && !in->ended && !in->late) {
        size_t got;
        in->late = read_fd(in, in->raw + in->end, most - in->end, &got, &in->late_error);
        in->end += got;
    }
}

/* What came of reading more when raw is used up: DQ_OK at the end, too. */
static dq_status more_raw(dq_input *in, size_t most, dq_error *error)
{
    if (!in->late) fill_raw(in, 1, most);
    if (in->end > in->at || !in->late) return DQ_OK;
    if (error) *error = in->late_error;
    return in->late;
}

/* Reads until the first bytes tell plain, zstd or gzip. A few bytes that only begin a magic number count as a
 * compressed source cut short. */
static dq_status tell_coding(dq_input *in, dq_error *error)
{
    dq_coding coding;
    while ((coding = dq_coding_of(in->raw, in->end)) == DQ_CODING_MORE && !in->ended && !in->late)
        fill_raw(in, in->end + 1, RAW);
    if (in->late) {
        if (error) *error = in->late_error;
        return in->late;
    }
    in->told = true;
    if (coding == DQ_CODING_PLAIN || in->end == 0) return DQ_OK;
    if (coding == DQ_CODING_MORE)
        return dq_fail(error, DQ_ERR_TRUNCATED, "cut off inside its first %zu bytes", in->end);
    in->marks = coding == DQ_CODING_ZSTD;
    in->decoder = dq_decoder_new(coding);
    return in->decoder ? DQ_OK : dq_fail_memory(error, "a decoder");
}

/* Who asks for much reads to where it shall lie; only little goes through the buffer. */
static dq_status read_plain(dq_input *in, void *to, size_t n, size_t *got, dq_error *error)
{
    enum { MUCH = RAW / 2 };
    dq_status status;
    if (in->at == in->end && n >= MUCH && !in->late) return read_fd(in, to, n, got, error);
    if (in->at == in->end && (status = more_raw(in, RAW, error))) return status;
    *got = in->end - in->at < n ? in->end - in->at : n;
    if (*got) memcpy(to, in->raw + in->at, *got); /* NOLINT(*.NonNullParamChecker): n bytes have a place */
    in->at += *got;
    return DQ_OK;
}

/* ---- frames ---- */

/* Puts bytes in front of what is unread, to be decoded block by block. */
static dq_status push_back(dq_input *in, const unsigned char *bytes, size_t n, dq_error *error)
{
    size_t held = in->end - in->at;
    if (n + held > in->room) {
        if (!dq_array_resize(&in->raw, n + held, 1)) return dq_fail_memory(error, "a zstd frame");
        in->room = n + held;
    }
    memmove(in->raw + n, in->raw + in->at, held);
    memcpy(in->raw, bytes, n);
    in->at = 0;
    in->end = n + held;
    return DQ_OK;
}

/* Bytes of the frame behind a mark that the input stands at; 0: there is none. */
static size_t find_mark(dq_input *in)
{
    if (!in->marks || !dq_decoder_at_boundary(in->decoder)) return 0;
    size_t held = in->end - in->at;
    bool may_be = in->marked || (held && in->raw[in->at] == 0x50);
    if (may_be && held < DQ_FRAME_MARK) fill_raw(in, DQ_FRAME_MARK, in->marked ? DQ_FRAME_MARK : RAW);
    size_t frame = dq_frame_marked(in->raw + in->at, in->end - in->at);
    /* what is neither mark nor frame will be shown: with what more of it is at hand */
    if (in->marked && !frame && in->end > in->at && in->raw[in->at] != 0x28 && in->fd >= 0 &&
        wait_readable(in, 0))
        fill_raw(in, in->end - in->at + 1, RAW);
    in->marked = frame != 0;
    return frame;
}

/* Takes a frame of so many bytes from behind its mark; without one where it is not whole, or says nothing.
 * Then marks count no more: of many that lie each would have the bytes behind it copied again. */
static dq_status take_frame(dq_input *in, size_t frame, dq_ahead_piece *p, dq_error *error)
{
    in->at += DQ_FRAME_MARK;
    size_t held = in->end - in->at, have = held < frame ? held : frame;
    memcpy(p->packed, in->raw + in->at, have);
    in->at += have;
    while (have < frame && !in->ended && !in->late) {
        size_t got;
        in->late = read_fd(in, p->packed + have, frame - have, &got, &in->late_error);
        have += got;
    }
    if (have == frame && dq_frame_states(p->packed, frame, &p->bytes)) {
        p->packed_bytes = frame;
        return DQ_OK;
    }
    p->bytes = 0;
    in->marks = in->marked = false;
    return push_back(in, p->packed, have, error);
}

/* The next piece: a whole frame, or up to n decoded bytes (*got) to `to`; neither at the end. */
static dq_status take(dq_input *in, dq_ahead_piece *p, void *to, size_t n, size_t *got, dq_error *error)
{
    dq_status status;
    for (;;) {
        bool boundary = dq_decoder_at_boundary(in->decoder);
        size_t frame = find_mark(in);
        if (frame) {
            status = dq_ahead_piece_make(p) ? take_frame(in, frame, p, error)
                                            : dq_fail_memory(error, "a zstd frame");
            if (status || p->packed_bytes) return status;
        }
        if (in->at < in->end || !boundary) {
            status = dq_decoder_run(in->decoder, in->raw, &in->at, in->end, to, n, got, error);
            if (status || *got) return status;
        }
        if (in->at < in->end) continue;
        if ((status = more_raw(in, RAW, error))) return status;
        if (in->at < in->end || !in->ended) continue;
        if (dq_decoder_at_boundary(in->decoder)) return DQ_OK;
        return dq_fail(error, DQ_ERR_TRUNCATED, "cut off inside a compressed frame");
    }
}

/* What is left of the piece at hand; false: nothing is. */
static bool give(dq_input *in, const dq_ahead_piece *p, void *to, size_t n, size_t *got)
{
    size_t left = p->bytes - in->given;
    *got = left < n ? left : n;
    if (*got) memcpy(to, p->data + in->given, *got);
    in->given += *got;
    return *got > 0;
}

/* A frame that cannot be decoded at once: what is sound of it, and then what is wrong, comes block by block.
 */
static dq_status take_apart(dq_input *in, dq_ahead_piece *p, dq_error *error)
{
    p->bytes = in->given = 0;
    in->marks = in->marked = false;
    return push_back(in, p->packed, p->packed_bytes, error);
}

static dq_status read_coded(dq_input *in, void *to, size_t n, size_t *got, dq_error *error)
{
    dq_ahead_piece *p = &in->piece;
    for (*got = 0; !give(in, p, to, n, got);) {
        p->packed_bytes = p->bytes = in->given = 0;
        dq_status status = take(in, p, to, n, got, error);
        if (status || *got || !p->packed_bytes) return status;
        if (!in->frames && !(in->frames = dq_frame_decoder_new())) return dq_fail_memory(error, "a decoder");
        bool direct = p->bytes <= n;
        if (!dq_frame_decode(in->frames, p->packed, p->packed_bytes, direct ? to : p->data, p->bytes)) {
            if ((status = take_apart(in, p, error))) return status;
        } else if (direct) {
            *got = in->given = p->bytes;
            if (*got) return DQ_OK;
        }
    }
    return DQ_OK;
}

/* ---- in threads of their own ---- */

static void take_ahead(void *arg, dq_ahead_piece *p)
{
    size_t got = 0;
    p->status = take(arg, p, p->data, DQ_FRAME_PAYLOAD, &got, &p->error);
    if (got) p->bytes = got;
}

static void stop_ahead(void *arg)
{
    dq_input *in = arg;
    (void)eventfd_write(in->stop, 1);
}

/* When much has come already, more is likely to. Where there are no threads to be had, all stays as it was.
 */
static void begin_ahead(dq_input *in)
{
    unsigned threads = in->threads;
    in->threads = 0; /* tried once */
    in->stop = eventfd(0, EFD_CLOEXEC);
    if (in->stop < 0) return;
    in->ahead = dq_ahead_new((dq_ahead_input){take_ahead, stop_ahead, in}, threads);
    dq_ahead_piece_clear(&in->piece);
    in->given = 0;
    if (in->ahead) return;
    (void)close(in->stop);
    in->stop = -1;
}

/* Goes on without threads at a frame that cannot be decoded. It is the last: what was taken behind it is
 * gone, and the last word is that of a new decoder, for the one at hand may stand in a frame behind it. */
static dq_status leave_threads(dq_input *in, dq_ahead_piece *damaged, dq_error *error)
{
    unsigned char *packed = damaged->packed;
    size_t n = damaged->packed_bytes;
    damaged->packed = NULL;
    dq_ahead_free(in->ahead);
    dq_decoder_free(in->decoder);
    in->decoder = dq_decoder_new(DQ_CODING_ZSTD);
    in->at = in->end = 0;
    dq_status status = in->decoder ? push_back(in, packed, n, error) : dq_fail_memory(error, "a decoder");
    free(packed);
    in->ahead = NULL;
    (void)close(in->stop);
    in->stop = -1;
    in->marks = in->marked = false;
    in->given = 0;
    in->ended = true;
    in->late_error = DQ_ERROR_NONE;
    in->late = dq_fail(&in->late_error, DQ_ERR_FORMAT, "damaged zstd frame");
    return status;
}

static dq_status read_ahead(dq_input *in, void *to, size_t n, size_t *got, dq_error *error)
{
    for (;;) {
        if (in->before_block && !dq_ahead_ready(in->ahead)) in->before_block(in->arg);
        dq_ahead_piece *p = dq_ahead_first(in->ahead);
        if (p->damaged) {
            dq_status status = leave_threads(in, p, error);
            return status ? status : read_coded(in, to, n, got, error);
        }
        if (give(in, p, to, n, got)) return DQ_OK;
        if (p->status && error) *error = p->error;
        if (p->status || (!p->packed_bytes && !p->bytes)) return p->status;
        in->given = 0;
        dq_ahead_pass(in->ahead);
    }
}

dq_status dq_input_read(dq_input *in, void *to, size_t n, size_t *got, dq_error *error)
{
    *got = 0;
    if (n == 0) return DQ_OK;
    dq_status status = in->told ? DQ_OK : tell_coding(in, error);
    if (status) return status;
    if (!in->decoder) return read_plain(in, to, n, got, error);
    if (in->ahead) return read_ahead(in, to, n, got, error);
    status = read_coded(in, to, n, got, error);
    in->decoded += *got;
    if (!status && in->threads && in->decoded > DQ_BYTES_BEFORE_THREADS && in->given == in->piece.bytes &&
        !in->read && !in->before_block)
        begin_ahead(in);
    return status;
}
