/* SPDX-License-Identifier: MIT
 *
 * The frame of the fuzz targets. tests/fuzz/fuzz_READER.c gives one function that reads any bytes, and so is
 * the target of libFuzzer (`make fuzz`), and the test of its saved corpus (replay.c, suites fuzz/READER):
 *
 *     static void read_csv(const uint8_t *data, size_t n) { ... }
 *     const fuzz_target fuzz_it = {.read = read_csv, .memory = 8 << 20, .per_byte = 64};
 *
 * A crash, a report of a sanitizer and fuzz_fail() are findings; so is more memory than the target's bound,
 * and an input that takes longer than ten seconds. What a target opens it closes, also when reading fails.
 */
#ifndef DQ_FUZZ_H
#define DQ_FUZZ_H

#include "dq/bundle.h"
#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fuzz_target {
    void (*read)(const uint8_t *data, size_t n); /* data: exactly n bytes, of which none is to be changed */
    size_t memory, per_byte; /* bytes alive at once, of the heap: at most memory + per_byte * n */
} fuzz_target;

extern const fuzz_target fuzz_it;

/* ---- findings ---- */

/* Says what is wrong and ends: the input is a finding. */
void fuzz_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* A failure of a reader: aborts unless it has a status, a source and a reason of one line. */
void fuzz_failed(const dq_error *error);
/* The same of a function whose caller names the source. */
void fuzz_refused(const dq_error *error);
/* Aborts on NaN and infinity. */
void fuzz_finite(double x);
/* Reads all that a bundle offers: what was handed out must be sound. */
void fuzz_use(const dq_bundle *bundle);
/* So many bytes more may be alive for this input: what it holds compressed, say. */
void fuzz_allow(size_t bytes);

/* ---- files ---- */

/* The path of a file that holds these bytes, until this input is done; a few at a time. What they are
 * compressed is allowed for. */
const char *fuzz_file(const void *data, size_t n);
/* An empty folder, in memory where the system can; it is emptied for every input that asks for it. No file
 * that a target makes in it lies in a folder of its own. A process that crashes leaves dq-fuzz.PID.* in
 * /dev/shm or /tmp, which tests/fuzz/run removes; children of a process that has one use that. */
const char *fuzz_folder(void);

/* ---- an input in parts ---- */

typedef struct fuzz_bytes {
    const uint8_t *data;
    size_t n;
} fuzz_bytes;

/* The next byte; 0 at the end. */
unsigned fuzz_byte(fuzz_bytes *rest);
/* The next part, behind its length in two bytes, the higher first; or what is left, where that is less. */
fuzz_bytes fuzz_part(fuzz_bytes *rest);
/* A copy with a NUL behind it; free() it. */
char *fuzz_text(fuzz_bytes part);

/* What libFuzzer and the replay call: fuzz_it.read within its bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#endif
