/* SPDX-License-Identifier: MIT
 *
 * OpenBLAS as one of the kernels: for CPUs that have none of dq's own, and for whoever asks for it.
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
 *
 * It is loaded when it is chosen (core/load/shared.h): for a run with dq's own kernels it would be 2 ms of
 * CPU and 4 MiB.
 */
#include "math/product/kernel.h"

#include "core/load/shared.h"

#include <cblas.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct {
    __typeof__(&cblas_sgemm) sgemm;
    __typeof__(&openblas_get_corename) get_corename;
    __typeof__(&openblas_set_num_threads) set_num_threads;
    void (*quit)(void), (*read_env)(void), (*init)(void);
    void *(*memory_alloc)(int kind);
    void (*memory_free)(void *buffer);
} blas;

static const dq_shared_symbol symbols[] = {{"cblas_sgemm", &blas.sgemm, false},
                                           {"openblas_get_corename", &blas.get_corename, false},
                                           {"openblas_set_num_threads", &blas.set_num_threads, false},
                                           {"gotoblas_dynamic_quit", &blas.quit, true},
                                           {"openblas_read_env", &blas.read_env, true},
                                           {"gotoblas_dynamic_init", &blas.init, true},
                                           {"blas_memory_alloc", &blas.memory_alloc, true},
                                           {"blas_memory_free", &blas.memory_free, true},
                                           {0}};
static dq_shared library = {.soname = DQ_SONAME, .package = "libopenblas0", .symbols = symbols};

dq_status product_load_openblas(dq_error *error)
{
    return dq_shared_load(&library, error);
}

/* OpenBLAS's own function, which reads OPENBLAS_NUM_THREADS: ours comes before it, since the Makefile has it
 * exported (--export-dynamic-symbol). It is asked while the library is loaded. */
int openblas_num_threads_env(void);
int openblas_num_threads_env(void)
{
    return 1;
}

/* The BLAS is one per process, and so is its start. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
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

/* Once, before threads. NOLINTBEGIN(concurrency-mt-unsafe) */
static void start(void)
{
    static const char variable[] = "OPENBLAS_CORETYPE";
    const char *asked = getenv(variable);
    const char *core = asked && *asked ? NULL : better_core(blas.get_corename());
    if (core && blas.quit && blas.read_env && blas.init) {
        setenv(variable, core, 1);
        blas.quit();
        blas.read_env();
        blas.init();
        unsetenv(variable); /* a child decides for itself */
    }
    blas.set_num_threads(1);
}
/* NOLINTEND(concurrency-mt-unsafe) */

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
    for (; n < count && (n < reserved || try_buffer()); n++) taken[n] = blas.memory_alloc(0);
    for (unsigned i = 0; i < n; i++) blas.memory_free(taken[i]);
    if (n > reserved) reserved = n;
    if (n == count) return DQ_OK;
    return dq_fail(error, DQ_ERR_MEMORY,
                   "out of memory: the matrix products of %u thread%s need %zu MiB of address space%s", count,
                   count > 1 ? "s" : "", count * (buffer_bytes >> 20),
                   count > 1 ? " (--threads 1 needs least)" : "");
}

static dq_status reserve(unsigned threads, dq_error *error)
{
    dq_status status = DQ_OK;
    pthread_once(&once, start);
    pthread_mutex_lock(&lock);
    if (threads > MOST) threads = MOST;
    if (blas.memory_alloc && blas.memory_free && threads > reserved) status = take_buffers(threads, error);
    pthread_mutex_unlock(&lock);
    return status;
}

const char *product_openblas_core(void)
{
    static char name[64];
    pthread_once(&once, start);
    if (!name[0]) snprintf(name, sizeof name, "OpenBLAS %s", blas.get_corename());
    return name;
}

/* ---- products ---- */

static void whole(const product *p)
{
    pthread_once(&once, start);
    blas.sgemm(CblasRowMajor, p->a.columns ? CblasTrans : CblasNoTrans,
               p->b.columns ? CblasNoTrans : CblasTrans, (blasint)p->m, (blasint)p->n, (blasint)p->k, 1,
               p->a.at, (blasint)p->a.ld, p->b.at, (blasint)p->b.ld, 0, p->c, (blasint)p->ldc);
}

static bool has(void)
{
    dq_error none = DQ_ERROR_NONE;
    return product_load_openblas(&none) == DQ_OK;
}

const product_kernel product_openblas = {
    .word = "openblas", .name = "OpenBLAS", .has = has, .whole = whole, .reserve = reserve};
