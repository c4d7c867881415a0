/* SPDX-License-Identifier: MIT
 *
 * AMX: eight registers of 16 rows by 64 bytes. tdpbf16ps multiplies 16 rows of 16 pairs of `a` with 16 pairs
 * of 16 lanes and adds the 16 by 16 sums to a third, 8192 multiplications in 16 cycles: 8 times what two
 * units of AVX-512 do in float32. Four registers hold sums, 32 rows by 32 lanes, two the rows, two the panel:
 * four loads do for four multiplications, which is what keeps them from waiting for the loads.
 *
 * For each 32 of k it adds up the products of the first numbers of the pairs, and those of the second, in
 * order, and then the two sums together and to what was there: another order than the other kernels', so
 * numbers agree with theirs within k roundings of the sum of |a b|. Numbers below 1.2e-38 are zeros to it.
 *
 * The registers are the process's only once the kernel has been asked for them (arch_prctl), since they make
 * every thread's saved state larger by 8 KiB.
 *
 * To GCC before 13.3 ldtilecfg reads 8 bytes, not 64 (its bug 114098), so that it may leave out the stores to
 * the rest: SEEN says that memory is looked at.
 */
#include "math/product/kernel.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#ifdef PRODUCT_EMULATED_TILES /* a test has them in C, for machines without AMX, and so without AVX-512 */
#define AMX __attribute__((target("avx2,fma")))
#else
#include <immintrin.h>
#define AMX __attribute__((target("amx-tile,amx-bf16,avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")))
#endif
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SEEN(at) __asm__ volatile("" : : "r"(at) : "memory")

enum { ROWS = 32, LANES = 32, SIDE = 16, LINE = 64 };

/* What the CPU has and the system saves (XCR0's bits 17 and 18), and the kernel's leave. */
static bool has(void)
{
    enum {
        OSXSAVE = 1 << 27,
        TILE = 1 << 24,
        BF16 = 1 << 22,
        SAVED = 3 << 17,
        REQUEST = 0x1023,
        TILE_DATA = 18
    };
    unsigned a, b, c, d, low, high;
    if (!product_avx512.has() || !__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE)) return false;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & (TILE | BF16)) != (TILE | BF16)) return false;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & SAVED) == SAVED && syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
}

/* What ldtilecfg reads. */
typedef struct shape_of_tiles {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16]; /* of a row */
    uint8_t rows[16];
} shape_of_tiles;

/* Registers 0 to 3: sums; 4, 5: rows, of which the second may have none; 6, 7: the panel. */
static shape_of_tiles shape_for(size_t rows)
{
    shape_of_tiles s = {.palette = 1};
    uint8_t upper = (uint8_t)(rows < SIDE ? rows : SIDE), lower = (uint8_t)(rows > SIDE ? rows - SIDE : 1);
    const uint8_t all[8] = {upper, upper, lower, lower, upper, lower, SIDE, SIDE};
    memcpy(s.rows, all, sizeof all);
    for (size_t i = 0; i < sizeof all; i++) s.bytes[i] = LINE;
    return s;
}

/* c (rows, 32) in whole panels. */
AMX static void whole_tile(size_t rows, size_t k, const uint16_t *a, size_t lda, const uint16_t *panel,
                           float *c, size_t ldc, bool more)
{
    shape_of_tiles shape = shape_for(rows);
    bool lower = rows > SIDE;
    size_t stride = ldc * sizeof *c;
    float *below = c + SIDE * ldc;
    SEEN(&shape);
    _tile_loadconfig(&shape);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    if (more) {
        _tile_loadd(0, c, stride);
        _tile_loadd(1, c + SIDE, stride);
    }
    if (more && lower) {
        _tile_loadd(2, below, stride);
        _tile_loadd(3, below + SIDE, stride);
    }
    for (size_t i = 0; i < k; i += 2 * SIDE, a += 2 * SIDE, panel += 2 * SIDE * LANES) {
        _tile_loadd(6, panel, 2 * LINE);
        _tile_loadd(7, panel + LANES, 2 * LINE);
        _tile_loadd(4, a, lda * sizeof *a);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        if (!lower) continue;
        _tile_loadd(5, a + SIDE * lda, lda * sizeof *a);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, stride);
    _tile_stored(1, c + SIDE, stride);
    if (lower) {
        _tile_stored(2, below, stride);
        _tile_stored(3, below + SIDE, stride);
    }
    _tile_release();
}

static void tile(size_t rows, size_t k, const uint16_t *a, size_t lda, const uint16_t *panel, float *c,
                 size_t ldc, size_t lanes, bool more)
{
    float whole[ROWS * LANES];
    if (lanes == LANES) {
        whole_tile(rows, k, a, lda, panel, c, ldc, more);
        return;
    }
    memset(whole, 0, sizeof whole);
    for (size_t r = 0; r < rows && more; r++) memcpy(whole + r * LANES, c + r * ldc, lanes * sizeof *c);
    whole_tile(rows, k, a, lda, panel, whole, LANES, more);
    for (size_t r = 0; r < rows; r++) memcpy(c + r * ldc, whole + r * LANES, lanes * sizeof *c);
}

const product_half_kernel product_half_amx = {.word = "amx",
                                              .name = "AMX",
                                              .has = has,
                                              .rows = ROWS,
                                              .lanes = LANES,
                                              .tile = tile,
                                              .transpose = product_transpose_avx2};
#endif
