/* SPDX-License-Identifier: MIT
 *
 * The definition, and what CPUs without vectors of bytes run.
 */
#include "math/int8/int8.h"

#include <string.h>

static bool has(void)
{
    return true;
}

static void one_panel(size_t k4, const uint8_t *a, const int8_t *w, int32_t *c)
{
    memset(c, 0, DQ_INT8_PANEL * sizeof *c);
    for (size_t k = 0; k < k4; k++)
        for (size_t u = 0; u < DQ_INT8_PANEL; u++, w += 4)
            for (size_t j = 0; j < 4; j++) c[u] += a[4 * k + j] * w[j];
}

static void tile(size_t rows, size_t panels, size_t k4, const uint8_t *a, const int8_t *panel, int32_t *c,
                 size_t ldc)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t p = 0; p < panels; p++)
            one_panel(k4, a + r * 4 * k4, panel + p * DQ_INT8_PANEL * 4 * k4,
                      c + r * ldc + p * DQ_INT8_PANEL);
}

const dq_int8_kernel int8_plain = {"plain", has, 1, 1, tile};
