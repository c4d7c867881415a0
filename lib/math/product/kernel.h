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

enum {
    PRODUCT_DEPTH = 256,                 /* k of a tile at most */
    PRODUCT_STRIDE = PRODUCT_DEPTH + 16, /* floats between a tile's rows: no two in one set of the L1 cache */
    PRODUCT_LINE = 16                    /* floats of a cache line */
};

/* A copy of rows of whole lines, and how far it has come. */
typedef struct product_copy {
    const float *from;
    float *to;
    size_t ld, ldto, rows;
    size_t width;    /* of a row, a multiple of PRODUCT_LINE */
    size_t at;       /* what of the first row is done */
    size_t distance; /* floats from what is copied to what is prefetched */
} product_copy;

/* What the next tiles need, copied a few lines at a time between the multiplications of this one: a core that
 * is busy multiplying has loads and stores to spare. */
typedef struct product_ahead {
    product_copy copies[9];
    size_t count, done;
} product_ahead;

/* The next line of a copy, by the vectors of whoever includes this: LINE(to, from) copies one. */
#define PRODUCT_COPY_LINES(ahead, lines, LINE)                                                               \
    for (size_t line_ = 0; line_ < (lines) && (ahead)->done < (ahead)->count; line_++) {                     \
        product_copy *copy_ = &(ahead)->copies[(ahead)->done];                                               \
        LINE(copy_->to + copy_->at, copy_->from + copy_->at);                                                \
        __builtin_prefetch(copy_->from + copy_->at + copy_->distance);                                       \
        copy_->at += PRODUCT_LINE;                                                                           \
        if (copy_->at < copy_->width) continue;                                                              \
        copy_->at = 0;                                                                                       \
        copy_->from += copy_->ld;                                                                            \
        copy_->to += copy_->ldto;                                                                            \
        if (--copy_->rows == 0) (ahead)->done++;                                                             \
    }

struct product;

typedef struct product_kernel {
    const char *word, *name; /* as DQ_KERNELS has it, as --version says it */
    bool (*has)(void);       /* whether this CPU runs it */
    size_t rows, lanes;      /* of a tile at most */

    /* c (rows, lanes) = a panel, or with `more` c += a panel. a (rows, k), PRODUCT_STRIDE between rows; panel
     * (k, kernel's lanes) aligned to 64 bytes; 1 <= rows, 1 <= lanes, both at most the kernel's; k from 0.
     * May copy ahead. */
    void (*tile)(size_t rows, size_t k, const float *a, const float *panel, float *c, size_t ldc,
                 size_t lanes, bool more, product_ahead *ahead);
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
/* DQ_ERR_RANGE where the environment's word names nothing that this CPU has; product_chosen is then as
 * without. */
dq_status product_check_choice(dq_error *error);
/* The one with this word; without a word the best that this CPU has, and OpenBLAS where that would be the
 * plain form. NULL: there is none of that word, or the CPU does not have it. */
const product_kernel *product_choose(const char *word);
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

/* ---- scratch memory ---- */

enum {
    PRODUCT_BLOCK = 128, /* rows and lanes of a block of C */
    PRODUCT_BLOCK_DEPTH = 4096
};

/* What one product under way needs, the same for every shape: of each operand what is multiplied now, and
 * what is made ready meanwhile. */
typedef struct product_scratch {
    _Alignas(64) float panels[2][PRODUCT_BLOCK * PRODUCT_BLOCK_DEPTH];
    float rows[2][PRODUCT_BLOCK * PRODUCT_STRIDE];
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
