/* SPDX-License-Identifier: MIT
 *
 * What the fuzz targets share. Memory is counted by memory.c.
 */
#include "fuzz.h"

#include "memory.h"

#include <dirent.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILES = 8 };

static int files[FILES];
static char paths[FILES][32];
static size_t file_count;
static char folder[64];
static pid_t owner; /* of the folder: who made it removes it */

void fuzz_fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)fputs("fuzz: ", stderr);
    (void)vfprintf(stderr, format, list);
    (void)fputc('\n', stderr);
    va_end(list);
    abort();
}

void fuzz_refused(const dq_error *error)
{
    if (error->status == DQ_OK) fuzz_fail("a failure without a status: '%s'", error->reason);
    if (!error->reason[0]) fuzz_fail("a failure without a reason: %s", dq_status_word(error->status));
    for (const char *c = error->reason; *c; c++)
        if ((unsigned char)*c < ' ') fuzz_fail("a control character in the reason '%s'", error->reason);
}

void fuzz_failed(const dq_error *error)
{
    fuzz_refused(error);
    if (!error->source[0]) fuzz_fail("a failure without a source: '%s'", error->reason);
}

void fuzz_finite(double x)
{
    if (!isfinite(x)) fuzz_fail("%g came out", x);
}

void fuzz_use(const dq_bundle *bundle)
{
    double sum = 0;
    size_t n;
    for (size_t i = 0; i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        uint64_t rows = c->shape[0], width = dq_column_width(c);
        bool text = dq_dtype_size(c->type) == 0;
        for (uint64_t r = 0; text && r < rows; r++) {
            const char *t = dq_column_text(c, r, &n);
            for (size_t k = 0; t && k < n; k++) sum += t[k];
        }
        for (uint64_t k = 0; !text && width && k < rows * width; k++) sum += dq_column_number(c, k);
    }
    __asm__ volatile("" : : "m"(sum)); /* keeps the reads */
}

/* ---- files ---- */

/* What zstd and gzip may take: a window of 128 MiB, and what comes out of some kilobytes. */
static void allow_decoding(const unsigned char *data, size_t n)
{
    if (n >= 4 && (memcmp(data, "\x28\xb5\x2f\xfd", 4) == 0 || memcmp(data, "\x1f\x8b", 2) == 0))
        fuzz_allow((size_t)768 << 20);
}

const char *fuzz_file(const void *data, size_t n)
{
    allow_decoding(data, n);
    if (file_count == FILES) fuzz_fail("more than %d files at once", FILES);
    int file = memfd_create("fuzz", MFD_CLOEXEC);
    if (file < 0 || write(file, data, n) != (ssize_t)n) fuzz_fail("no file in memory");
    (void)snprintf(paths[file_count], sizeof paths[0], "/proc/self/fd/%d", file);
    files[file_count] = file;
    return paths[file_count++];
}

static void empty_folder(void)
{
    char path[512];
    DIR *d = opendir(folder);
    for (struct dirent *f = d ? readdir(d) : NULL; f; f = readdir(d)) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, f->d_name);
        if (f->d_name[0] != '.') (void)unlink(path);
    }
    if (d) (void)closedir(d);
}

static void remove_folder(void)
{
    if (getpid() != owner) return;
    empty_folder();
    (void)rmdir(folder);
}

const char *fuzz_folder(void)
{
    if (!folder[0]) {
        (void)snprintf(folder, sizeof folder, "%s/dq-fuzz.%d.XXXXXX",
                       access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid());
        if (!mkdtemp(folder)) fuzz_fail("no folder");
        owner = getpid();
        (void)atexit(remove_folder);
    }
    empty_folder();
    return folder;
}

/* ---- an input in parts ---- */

unsigned fuzz_byte(fuzz_bytes *rest)
{
    if (rest->n == 0) return 0;
    rest->n--;
    return *rest->data++;
}

fuzz_bytes fuzz_part(fuzz_bytes *rest)
{
    size_t length = (size_t)fuzz_byte(rest) << 8;
    length |= fuzz_byte(rest);
    fuzz_bytes part = {rest->data, length < rest->n ? length : rest->n};
    rest->data += part.n;
    rest->n -= part.n;
    return part;
}

char *fuzz_text(fuzz_bytes part)
{
    char *text = malloc(part.n + 1);
    if (!text) fuzz_fail("no memory");
    if (part.n) memcpy(text, part.data, part.n);
    text[part.n] = '\0';
    return text;
}

/* ---- the call ---- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_memory_bound(fuzz_it.memory + fuzz_it.per_byte * n);
    fuzz_it.read(data, n);
    fuzz_memory_free();
    while (file_count) (void)close(files[--file_count]);
    return 0;
}
