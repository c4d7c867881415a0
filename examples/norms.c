/* SPDX-License-Identifier: MIT
 *
 * Prints the id and the length of the vector of every item of streams, on the installed library alone:
 *
 *     cc norms.c $(pkg-config --cflags --libs dq) -lm -o norms
 *     dq-export --items jobs.jsonl | dq-embed hash:64 | ./norms
 */
#include <dq/schema.h>
#include <dq/stream.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print_norms(const dq_bundle *items)
{
    const dq_column *ids = dq_bundle_column(items, "id"), *vectors = dq_bundle_column(items, "vector");
    uint64_t width = vectors ? dq_column_width(vectors) : 0;
    float *row = malloc(width * sizeof *row + 1);
    if (!row) return -1;
    for (uint64_t r = 0; r < items->rows; r++) {
        size_t bytes;
        double sum = 0;
        const char *id = dq_column_text(ids, r, &bytes);
        if (width)
            dq_convert_f4(row, (const char *)vectors->data + r * width * dq_dtype_size(vectors->type),
                          vectors->type, width);
        for (uint64_t i = 0; i < width; i++) sum += (double)row[i] * (double)row[i];
        printf("%.*s\t%.6f\n", (int)bytes, id, sqrt(sum));
    }
    free(row);
    return 0;
}

int main(int argc, char **argv)
{
    dq_error error = DQ_ERROR_NONE;
    dq_reader *in;
    dq_bundle bundle;
    int got = -1;
    if (!dq_reader_open(&in, (const char *const *)argv + 1, (size_t)argc - 1, &error)) {
        while ((got = dq_reader_next(in, &bundle, &error)) > 0) {
            if (strcmp(bundle.kind, DQ_KIND_ITEMS) == 0 && print_norms(&bundle)) got = -1;
            dq_bundle_free(&bundle);
            if (got < 0) break;
        }
        dq_reader_close(in);
    }
    if (got < 0) fprintf(stderr, "norms: %s: %s\n", error.source, error.reason);
    return got < 0 || fflush(stdout) != 0;
}
