/* SPDX-License-Identifier: MIT
 *
 * The trap this file defuses: a DYNAMIC_ARCH OpenBLAS that is older than the CPU falls back to kernels for an
 * older one, silently. Debian 12's 0.3.21 runs SSE3 kernels on Emerald Rapids (a training step takes three
 * times as long) and AVX2 kernels on Zen 5 (twice as long). So when the CPU's flags allow better kernels than
 * OpenBLAS chose, it is told, by its own environment variable, and made to choose again. The three functions
 * for that are exported but not declared by any header; another BLAS lacks them, and then nothing is done.
 *
 * The second trap: every product that is under way has a work buffer of 128 MiB, of which little is touched,
 * and OpenBLAS asks for it again for ever where the system refuses it (ulimit -v, strict overcommit). A
 * thread of its own takes one more, as the library is loaded, and cannot be ended while it asks. So it is
 * given no threads, and the buffers are tried, taken and given back before the first product; OpenBLAS keeps
 * them.
 */
#include "math/blas.h"

#include <cblas.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void gotoblas_dynamic_quit(void) __attribute__((weak));
void openblas_read_env(void) __attribute__((weak));
void gotoblas_dynamic_init(void) __attribute__((weak));
void *blas_memory_alloc(int kind) __attribute__((weak));
void blas_memory_free(void *buffer) __attribute__((weak));

/* OpenBLAS's own function, which reads OPENBLAS_NUM_THREADS: the program's comes before it. It is asked
 * before main, where no variable can be set yet. Weak: a BLAS that is linked statically keeps its own. */
int openblas_num_threads_env(void) __attribute__((weak, visibility("default")));
int openblas_num_threads_env(void)
{
    return 1;
}

/* The BLAS is one per process, and so is its start. */
static pthread_once_t once = PTHREAD_ONCE_INIT, tried = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool one_of(const char *core, const char *const *names)
{
    while (*names && strcmp(core, *names) != 0) names++;
    return *names != NULL;
}

/* The kernels to ask for instead of `core`; NULL when it is good already. */
static const char *better_core(const char *core)
{
#ifdef __x86_64__
    static const char *const avx512[] = {"SkylakeX", "Cooperlake", "SapphireRapids", NULL};
    static const char *const avx2[] = {"Haswell", "Zen", NULL};
    __builtin_cpu_init();
    if (one_of(core, avx512)) return NULL;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return "SkylakeX";
    if (one_of(core, avx2)) return NULL;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#else
    (void)core;
#endif
    return NULL;
}

static size_t margin; /* set by find_margin */

/* Multiplies equal rows and compares the results. OpenBLAS's AVX2 kernels take the first and last 8 rows of a
 * product through another loop than the rest. */
static void find_margin(void)
{
    enum { UNITS = 40, ROWS = 64, WIDTH = 40, MARGIN = 8 };
    static float w[UNITS * WIDTH], x[ROWS * WIDTH], z[UNITS * ROWS];
    for (size_t i = 0; i < UNITS * WIDTH; i++) w[i] = (float)((i * 7919) % 1009) / 1009;
    for (size_t i = 0; i < ROWS * WIDTH; i++) x[i] = (float)((i % WIDTH * 6151) % 499) / 499;
    dq_gemm_nt(UNITS, ROWS, WIDTH, w, WIDTH, x, WIDTH, z, ROWS);
    for (size_t u = 0; u < UNITS; u++)
        for (size_t r = 0; r < ROWS; r++)
            if (memcmp(&z[u * ROWS + r], &z[u * ROWS], sizeof *z) != 0) margin = MARGIN;
}

/* Once, before threads. NOLINTBEGIN(concurrency-mt-unsafe) */
static void start(void)
{
    static const char variable[] = "OPENBLAS_CORETYPE";
    const char *core = getenv(variable) ? NULL : better_core(openblas_get_corename());
    if (core && gotoblas_dynamic_quit && openblas_read_env && gotoblas_dynamic_init) {
        setenv(variable, core, 1);
        gotoblas_dynamic_quit();
        openblas_read_env();
        gotoblas_dynamic_init();
        unsetenv(variable); /* a child decides for itself */
    }
    openblas_set_num_threads(1);
}
/* NOLINTEND(concurrency-mt-unsafe) */

void dq_blas_start(void)
{
    pthread_once(&once, start);
}

/* ---- work buffers ---- */

enum { MOST = 64 /* of which OpenBLAS is sure to have room for */ };
static const size_t buffer_bytes = (size_t)128 << 20; /* x86-64 and ARM, as Debian builds it */
static unsigned reserved;                             /* buffers that it has */

/* Whether the system would give a buffer: OpenBLAS itself can be asked only once that is known. */
static bool try_buffer(void)
{
    void *buffer = mmap(NULL, buffer_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return buffer != MAP_FAILED && munmap(buffer, buffer_bytes) == 0;
}

static dq_status take_buffers(unsigned count, dq_error *error)
{
    void *taken[MOST];
    unsigned n = 0;
    for (; n < count && (n < reserved || try_buffer()); n++) taken[n] = blas_memory_alloc(0);
    for (unsigned i = 0; i < n; i++) blas_memory_free(taken[i]);
    if (n > reserved) reserved = n;
    if (n == count) return DQ_OK;
    return dq_fail(error, DQ_ERR_MEMORY,
                   "out of memory: the matrix products of %u thread%s need %zu MiB of address space%s", count,
                   count > 1 ? "s" : "", count * (buffer_bytes >> 20),
                   count > 1 ? " (--threads 1 needs least)" : "");
}

dq_status dq_blas_reserve(unsigned threads, dq_error *error)
{
    dq_status status = DQ_OK;
    dq_blas_start();
    pthread_mutex_lock(&lock);
    if (threads > MOST) threads = MOST;
    if (blas_memory_alloc && blas_memory_free && threads > reserved) status = take_buffers(threads, error);
    pthread_mutex_unlock(&lock);
    return status;
}

const char *dq_blas_core(void)
{
    static char name[64];
    dq_blas_start();
    if (!name[0]) snprintf(name, sizeof name, "OpenBLAS %s", openblas_get_corename());
    return name;
}

size_t dq_gemm_margin(void)
{
    dq_blas_start();
    pthread_once(&tried, find_margin);
    return margin;
}

void dq_gemm_nn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                float *c, size_t ldc)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1, a,
                (blasint)lda, b, (blasint)ldb, 0, c, (blasint)ldc);
}

void dq_gemm_nt(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                float *c, size_t ldc)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)m, (blasint)n, (blasint)k, 1, a,
                (blasint)lda, b, (blasint)ldb, 0, c, (blasint)ldc);
}

void dq_gemm_tn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                float *c, size_t ldc)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1, a,
                (blasint)lda, b, (blasint)ldb, 0, c, (blasint)ldc);
}

static bool alike; /* set by find_alike */

/* Whether equal rows, times B or its transpose, give equal rows. */
static bool are_alike(size_t n, size_t k, bool transposed)
{
    enum { ROWS = DQ_GEMM_ROWS, WIDTH = 200, COLUMNS = 300 };
    static float a[ROWS * WIDTH], b[WIDTH * COLUMNS], c[ROWS * COLUMNS];
    for (size_t i = 0; i < ROWS * k; i++) a[i] = (float)((i % k * 7919) % 1009) / 1009;
    for (size_t i = 0; i < k * n; i++) b[i] = (float)((i * 6151) % 499) / 499;
    if (transposed)
        dq_gemm_nt(ROWS, n, k, a, k, b, k, c, n);
    else
        dq_gemm_nn(ROWS, n, k, a, k, b, n, c, n);
    for (size_t r = 1; r < ROWS; r++)
        if (memcmp(c + r * n, c, n * sizeof *c) != 0) return false;
    return true;
}

static void find_alike(void)
{
    static const size_t shapes[][2] = {{300, 200}, {299, 199}, {24, 8}, {1, 3}, {17, 64}};
    alike = true;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        alike = alike && are_alike(shapes[s][0], shapes[s][1], true) &&
                are_alike(shapes[s][0], shapes[s][1], false);
}

bool dq_gemm_alike(void)
{
    static pthread_once_t asked = PTHREAD_ONCE_INIT;
    dq_blas_start();
    pthread_once(&asked, find_alike);
    return alike;
}
