/* SPDX-License-Identifier: MIT */
#include "inspect/count.h"

#include "core/array.h"
#include "port/files/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

dq_status dq_counts_add(dq_counts *counts, const char *kind, uint64_t rows, dq_error *error)
{
    uint32_t i;
    bool added;
    dq_status status = dq_index_add(&counts->kinds, kind, strlen(kind), &i, &added, error);
    if (status) return status;
    if (!dq_array_reserve(&counts->rows, &counts->room, (size_t)i + 1, sizeof *counts->rows))
        return dq_fail_memory(error, "a count");
    if (added) counts->rows[i] = 0;
    counts->rows[i] += rows;
    return DQ_OK;
}

dq_status dq_counts_write(const dq_counts *counts, dq_sink *out, dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint32_t i = 0; !status && i < dq_index_count(&counts->kinds); i++) {
        size_t n;
        const char *kind = dq_index_id(&counts->kinds, i, &n);
        status = dq_rows_write_text(out, kind, n, error);
        if (!status) status = dq_sink_printf(out, error, "\t%" PRIu64 "\n", counts->rows[i]);
    }
    return status;
}

void dq_counts_free(dq_counts *counts)
{
    dq_index_free(&counts->kinds);
    free(counts->rows);
    *counts = (dq_counts){0};
}
