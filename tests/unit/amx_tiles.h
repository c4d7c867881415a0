/* SPDX-License-Identifier: MIT
 *
 * The tile instructions of AMX in C, from the pseudo-code of Intel's manual (Software Developer's Manual,
 * volume 2: LDTILECFG, TILELOADD, TILESTORED, TILEZERO, TILERELEASE, TDPBF16PS), for tests on CPUs without
 * them. One thread's registers. What the CPU refuses is an assertion here.
 */
#ifndef DQ_TEST_AMX_TILES_H
#define DQ_TEST_AMX_TILES_H

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { TILES = 8, TILE_ROWS = 16, TILE_BYTES = 64 };

static struct {
    int loaded;
    uint8_t rows[TILES];
    uint16_t bytes[TILES];
    uint8_t data[TILES][TILE_ROWS][TILE_BYTES];
} tiles;

static inline void _tile_loadconfig(const void *config)
{
    const uint8_t *c = config;
    assert(c[0] == 1 && c[1] == 0);
    memset(&tiles, 0, sizeof tiles);
    for (size_t i = 2; i < 16; i++) assert(c[i] == 0);
    for (int t = 0; t < TILES; t++) {
        memcpy(&tiles.bytes[t], c + 16 + 2 * t, 2);
        tiles.rows[t] = c[48 + t];
        assert(tiles.rows[t] <= TILE_ROWS && tiles.bytes[t] <= TILE_BYTES &&
               !tiles.rows[t] == !tiles.bytes[t]);
    }
    tiles.loaded = 1;
}

static inline void _tile_release(void)
{
    memset(&tiles, 0, sizeof tiles);
}

static inline void _tile_zero(int t)
{
    assert(tiles.loaded && tiles.rows[t]);
    memset(tiles.data[t], 0, sizeof tiles.data[t]);
}

static inline void _tile_loadd(int t, const void *base, size_t stride)
{
    assert(tiles.loaded && tiles.rows[t]);
    memset(tiles.data[t], 0, sizeof tiles.data[t]);
    for (size_t r = 0; r < tiles.rows[t]; r++)
        memcpy(tiles.data[t][r], (const char *)base + r * stride, tiles.bytes[t]);
}

static inline void _tile_stored(int t, void *base, size_t stride)
{
    assert(tiles.loaded && tiles.rows[t]);
    for (size_t r = 0; r < tiles.rows[t]; r++)
        memcpy((char *)base + r * stride, tiles.data[t][r], tiles.bytes[t]);
}

static inline float tile_flushed(float x)
{
    return fabsf(x) < 0x1p-126F ? copysignf(0, x) : x;
}

static inline float tile_half(int t, size_t row, size_t i)
{
    uint16_t half;
    float x;
    memcpy(&half, tiles.data[t][row] + 2 * i, sizeof half);
    uint32_t bits = (uint32_t)half << 16;
    memcpy(&x, &bits, sizeof x);
    return tile_flushed(x);
}

/* For each number of a row of c: the products of first numbers and those of second ones, each summed over k,
 * then the two, then c. */
static inline void _tile_dpbf16ps(int c, int a, int b)
{
    assert(c != a && c != b && a != b && tiles.loaded);
    assert(tiles.rows[a] == tiles.rows[c] && tiles.bytes[b] == tiles.bytes[c] &&
           tiles.rows[b] * 4 == tiles.bytes[a]);
    for (size_t m = 0; m < tiles.rows[c]; m++)
        for (size_t n = 0; n < tiles.bytes[c] / 4U; n++) {
            float sum[2] = {0, 0}, was;
            for (size_t k = 0; k < tiles.bytes[a] / 4U; k++)
                for (size_t i = 0; i < 2; i++)
                    sum[i] = tile_flushed(
                        fmaf(tile_half(a, m, 2 * k + i), tile_half(b, k, 2 * n + i), sum[i]));
            memcpy(&was, tiles.data[c][m] + 4 * n, sizeof was);
            was = tile_flushed(was + tile_flushed(sum[0] + sum[1]));
            memcpy(tiles.data[c][m] + 4 * n, &was, sizeof was);
        }
}

#endif
