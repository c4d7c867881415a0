/* SPDX-License-Identifier: MIT
 *
 * A kernel: the smallest product, of a few rows with one panel of lanes, as one instruction set does it best.
 * Everything above it (cutting, packing, storing) is in product.c, the same for all of them. For this folder
 * alone.
 *
 * Every number of a tile is one chain of fused multiplications and additions over k in order,
 *
 *     c = fma(a[0], b[0], 0), c = fma(a[1], b[1], c), ...,
 *
 * so that all kernels give the same bits, wherever a number stands in a tile. A new one is a file with a
 * `product_kernel`, and a line of the table in kernels.c.
 */
#ifndef DQ_MATH_PRODUCT_KERNEL_H
#define DQ_MATH_PRODUCT_KERNEL_H

#include "math/product/product.h"

#include "dq/status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct product;

typedef struct product_kernel {
    const char *word, *name; /* as DQ_KERNELS has it, as --version says it */
    bool (*has)(void);       /* whether this CPU runs it */
    size_t rows, lanes;      /* of a tile at most */

    /* c (rows, lanes) = a panel, or with `more` c += a panel. a (rows, k), panel (k, the kernel's lanes);
     * lda, ldp and ldc floats between their rows. 1 <= rows, 1 <= lanes, both at most the kernel's; k from 0.
     * The panel is read in all of the kernel's lanes, or in half of them where that is enough. */
    void (*tile)(size_t rows, size_t k, const float *a, size_t lda, const float *panel, size_t ldp, float *c,
                 size_t ldc, size_t lanes, bool more);
    /* to (columns, rows) = from (rows, columns) transposed. */
    void (*transpose)(size_t rows, size_t columns, const float *from, size_t ld, float *to, size_t ldto);

    /* A library has, instead of the two, the whole product C (m, n) = A B, of operands as they lie. */
    void (*whole)(const struct product *p);
    /* What it needs for so many products at a time; NULL: nothing. */
    dq_status (*reserve)(unsigned threads, dq_error *error);
} product_kernel;

extern const product_kernel product_plain, product_avx2, product_avx512, product_openblas;

/* The kernels, best first; NULL behind the last. */
extern const product_kernel *const product_kernels[];
/* Those that this process computes with: chosen at the first call, by the environment's word or without. */
const product_kernel *product_chosen(void);
/* Whether the environment named them. */
bool product_named(void);
/* DQ_ERR_RANGE where the environment's word names nothing that this CPU has; product_chosen is then as
 * without. */
dq_status product_check_choice(dq_error *error);
/* The one with this word; without a word the best that this CPU has, and OpenBLAS where that would be the
 * plain form. NULL: there is none of that word, or the CPU does not have it. */
const product_kernel *product_choose(const char *word);
/* Before anything of OpenBLAS's; its `has` does so. DQ_ERR_UNSUPPORTED where it cannot be loaded. */
dq_status product_load_openblas(dq_error *error);
/* OpenBLAS's kernels, by its own names: "OpenBLAS Haswell". */
const char *product_openblas_core(void);

/* n rows of k numbers, or n columns of them: (n, k) or (k, n), ld floats between lines. Or panels of them, as
 * product_pack makes them; then the rest says nothing. */
typedef struct product_operand {
    const float *at;
    size_t ld;
    bool columns;
    const float *panels;
} product_operand;

/* C (m, n) = A B over k, A of m rows, B of n columns: each an operand of m or n runs of k numbers. */
typedef struct product {
    const product_kernel *kernel;
    size_t m, n, k;
    product_operand a, b; /* one of them may be panels */
    float *c;             /* (m, n); NULL: its blocks are in scratch memory until `epilogue` has seen them */
    size_t ldc;
    const dq_epilogue *epilogue; /* NULL: none */
} product;

void product_run(const product *p);

size_t product_packed_floats(const product_kernel *kernel, size_t n, size_t k);
void product_pack(const product_kernel *kernel, product_operand from, size_t n, size_t k, float *to);

/* ---- bfloat16 ---- */

enum { PRODUCT_HALF_STEP = 32 /* numbers that a tile's k is a multiple of; zeros fill it */ };

/* A tile of bfloat16: a panel is (k / 2, lanes, 2), the two of a pair side by side, in whole panels. */
typedef struct product_half_kernel {
    const char *word, *name;
    bool (*has)(void);
    size_t rows, lanes; /* of a tile at most; lanes: of a panel */

    /* c (rows, lanes) = a panel, or with `more` c += a panel. k: a multiple of PRODUCT_HALF_STEP, or 0. */
    void (*tile)(size_t rows, size_t k, const uint16_t *a, size_t lda, const uint16_t *panel, float *c,
                 size_t ldc, size_t lanes, bool more);
    /* As product_kernel's. */
    void (*transpose)(size_t rows, size_t columns, const float *from, size_t ld, float *to, size_t ldto);
} product_half_kernel;

extern const product_half_kernel product_half_plain, product_half_avx2, product_half_avx512, product_half_amx;

/* The kernels, best first; NULL behind the last. No float32 kernel has AMX's word, so AMX is taken only where
 * the environment names no kernels of dq's. */
extern const product_half_kernel *const product_half_kernels[];
const product_half_kernel *product_half_choose(const char *word);
const product_half_kernel *product_half_chosen(void);

/* As product_operand and product, of bfloat16. */
typedef struct product_half_operand {
    const uint16_t *at;
    size_t ld;
    bool columns;
    const uint16_t *panels;
} product_half_operand;

typedef struct product_half {
    const product_half_kernel *kernel;
    size_t m, n, k;
    product_half_operand a, b;
    float *c;
    size_t ldc;
    const dq_epilogue *epilogue;
} product_half;

void product_half_run(const product_half *p);

size_t product_half_packed(const product_half_kernel *kernel, size_t n, size_t k);
void product_half_pack(const product_half_kernel *kernel, product_half_operand from, size_t n, size_t k,
                       uint16_t *to);

/* ---- cutting ---- */

static inline size_t product_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Parts of `of` numbers, the last perhaps of fewer, that n numbers have. */
static inline size_t product_parts(size_t n, size_t of)
{
    return (n + of - 1) / of;
}

/* ---- scratch memory ---- */

enum {
    PRODUCT_BLOCK = 128,  /* rows and columns of a block of C */
    PRODUCT_DEPTH = 4096, /* k at most of an operand that is made for a block as a whole, not by steps */
    PRODUCT_STRIDE = PRODUCT_DEPTH + 16,
    PRODUCT_HALF_DEPTH = 1024, /* k of a step of bfloat16 */
    PRODUCT_HALF_STRIDE = PRODUCT_HALF_DEPTH + 32
};

/* What one product under way needs, the same for every shape. */
typedef struct product_scratch {
    _Alignas(64) float panels[PRODUCT_BLOCK * PRODUCT_DEPTH]; /* runs of numbers as panels */
    float rows[PRODUCT_BLOCK * PRODUCT_STRIDE];               /* columns of numbers as rows */
    uint16_t half_panels[PRODUCT_BLOCK * PRODUCT_DEPTH];      /* the same of bfloat16 */
    uint16_t half_rows[PRODUCT_BLOCK * PRODUCT_HALF_STRIDE];
    float block[PRODUCT_BLOCK * PRODUCT_BLOCK];    /* of C, or of C transposed */
    float finished[PRODUCT_BLOCK * PRODUCT_BLOCK]; /* of C, where there is no C */
    atomic_bool taken;
} product_scratch;

/* Scratch for so many products at a time; DQ_ERR_MEMORY. There is always that for one. */
dq_status product_reserve_scratch(unsigned threads, dq_error *error);
/* A free one; waits for it where more products are under way than were reserved for. */
product_scratch *product_take_scratch(void);
void product_give_scratch(product_scratch *scratch);

/* to (columns, rows) = from (rows, columns) transposed, in 8 lanes of AVX2. */
void product_transpose_avx2(size_t rows, size_t columns, const float *from, size_t ld, float *to,
                            size_t ldto);

#endif
