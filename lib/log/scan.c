/* SPDX-License-Identifier: MIT
 *
 * A writer may be killed, or the power fail, while a section is being written: then the file ends in the
 * beginning of a frame, or in pages that never reached the disk and read as zeros or as an older state. All
 * of these are "unfinished" as long as no whole section follows. What else stands there was written by
 * somebody else, or is damage, and nobody goes on from it.
 */
#include "log/log_impl.h"

#include "core/array.h"
#include "wire/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST = 64 << 10, MAGIC = 4 /* bytes that every frame begins with */ };
#define LARGEST ((size_t)1 << 31) /* no section of ours comes near */

/* Reads on behind what is held, at least as much again; *got = 0 at the end of the file. */
static dq_status read_more(dq_log_scan *s, size_t *got, dq_error *error)
{
    size_t held = s->n - s->from;
    *got = 0;
    if (s->from) {
        memmove(s->bytes, s->bytes + s->from, held);
        s->from = 0;
        s->n = held;
    }
    if (held > LARGEST) return dq_fail(error, DQ_ERR_FORMAT, "a section of more than 2 GiB");
    size_t want = held > FIRST ? held : FIRST;
    if (!dq_array_reserve(&s->bytes, &s->capacity, held + want, 1))
        return dq_fail_memory(error, "a section of a log");
    for (;;) {
        ssize_t n = pread(s->fd, s->bytes + held, want, (off_t)(s->at + held));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return dq_fail_errno(error, errno, "cannot read");
        *got = (size_t)n;
        s->n = held + *got;
        return DQ_OK;
    }
}

/* The frame at hand: reads until it is whole, or the file has ended. */
static dq_status look(dq_log_scan *s, dq_frame *what, size_t *size, dq_error *error)
{
    size_t got = 1;
    dq_status status = DQ_OK;
    do {
        *what = dq_frame_find(s->bytes ? s->bytes + s->from : NULL, s->n - s->from, size);
        if (*what != DQ_FRAME_CUT) break;
        status = read_more(s, &got, error);
    } while (!status && got);
    return status;
}

/* The section of a frame that is whole, where it is the one that belongs there. */
static dq_status read_section(const dq_log_scan *s, size_t from, size_t size, dq_bundle *bundle,
                              dq_error *error)
{
    uint64_t position, here = s->base + s->at + (from - s->from);
    dq_status status = dq_log_section_read(s->bytes + from, size, bundle, &position, error);
    if (status || position == here) return status;
    dq_bundle_free(bundle);
    return dq_fail(error, DQ_ERR_SCHEMA, "a section of position %llu stands at %llu",
                   (unsigned long long)position, (unsigned long long)here);
}

/* Whether a whole section begins anywhere in what is held, but for its first byte. */
static bool holds_section(const dq_log_scan *s)
{
    for (size_t i = s->from + 1; i < s->n; i++) {
        dq_bundle bundle;
        size_t size;
        if (dq_frame_find(s->bytes + i, s->n - i, &size) != DQ_FRAME_WHOLE) continue;
        if (read_section(s, i, size, &bundle, NULL)) continue;
        dq_bundle_free(&bundle);
        return true;
    }
    return false;
}

static int nothing_more(dq_log_scan *s)
{
    s->unfinished = s->n - s->from;
    s->n = s->from = 0; /* the writer may cut it off, and write something else there */
    return 0;
}

/* Reads up to the end of the file; *more: something came. */
static dq_status read_rest(dq_log_scan *s, bool *more, dq_error *error)
{
    size_t got = 1, held = s->n - s->from;
    dq_status status = DQ_OK;
    while (!status && got) status = read_more(s, &got, error);
    *more = s->n - s->from > held;
    return status;
}

/* What is left of the file is no section: 0 where nothing but an unfinished one can be there, else -1 with
 * why. */
static int judge_rest(dq_log_scan *s, const dq_error *why, dq_error *error)
{
    size_t whole, held = s->n - s->from;
    const unsigned char *rest = s->bytes + s->from;
    bool begins = dq_frame_find(rest, held < MAGIC ? held : MAGIC, &whole) == DQ_FRAME_CUT;
    bool ours = held == 0 || rest[0] == 0 || begins;
    if (ours && why->status != DQ_ERR_SCHEMA && !holds_section(s)) return nothing_more(s);
    (void)dq_fail(error, DQ_ERR_FORMAT, "byte %llu: %s", (unsigned long long)s->at, why->reason);
    return -1;
}

/* The section at hand; DQ_ERR_FORMAT and DQ_ERR_SCHEMA as of dq_log_section_read. */
static dq_status read_next(dq_log_scan *s, dq_bundle *bundle, dq_error *error)
{
    dq_frame what;
    size_t size;
    dq_status status = look(s, &what, &size, error);
    if (status) return status;
    if (what != DQ_FRAME_WHOLE)
        return dq_fail(error, DQ_ERR_FORMAT, "what stands there is no section of a log");
    status = read_section(s, s->from, size, bundle, error);
    if (status) return status;
    s->at += size;
    s->from += size;
    return DQ_OK;
}

int dq_log_scan_next(dq_log_scan *s, dq_bundle *bundle, dq_error *error)
{
    bool more;
    *bundle = DQ_BUNDLE_EMPTY;
    s->unfinished = 0;
    do { /* once more where the writer went on meanwhile */
        dq_error why = DQ_ERROR_NONE;
        dq_status status = read_next(s, bundle, &why);
        if (!status) return 1;
        if (status != DQ_ERR_FORMAT && status != DQ_ERR_SCHEMA) {
            if (error) *error = why;
            return -1;
        }
        if (read_rest(s, &more, error)) return -1;
        if (!more) return judge_rest(s, &why, error);
    } while (true);
}

void dq_log_scan_free(dq_log_scan *s)
{
    free(s->bytes);
    s->bytes = NULL;
    s->n = s->capacity = s->from = 0;
}

dq_status dq_log_scan_base(int fd, uint64_t *base, dq_error *error)
{
    dq_log_scan s = {.fd = fd};
    dq_frame what;
    dq_bundle bundle;
    size_t size;
    dq_status status = look(&s, &what, &size, error);
    if (!status && what == DQ_FRAME_CUT)
        status = dq_fail(error, DQ_ERR_TRUNCATED, "not one section of it is whole");
    if (!status && what == DQ_FRAME_NONE)
        status = dq_fail(error, DQ_ERR_FORMAT, "this is no log of a server");
    if (!status) status = dq_log_section_read(s.bytes + s.from, size, &bundle, base, error);
    if (!status) dq_bundle_free(&bundle);
    if (status == DQ_ERR_SCHEMA) status = dq_fail(error, DQ_ERR_FORMAT, "this is no log of a server");
    dq_log_scan_free(&s);
    return status;
}
