/* SPDX-License-Identifier: MIT
 *
 * The kernels are chosen once: the CPU's best, unless the environment names others. DQ_KERNELS is a word of
 * the table; a user's OPENBLAS_CORETYPE means OpenBLAS, with those kernels of its own.
 */
#include "math/product/kernel.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const product_kernel *const product_kernels[] = {
#ifdef __x86_64__
    &product_avx512,   &product_avx2,
#endif
    &product_openblas, &product_plain, NULL,
};

const product_kernel *product_choose(const char *word)
{
    for (const product_kernel *const *k = product_kernels; *k; k++)
        if ((!word || strcmp((*k)->word, word) == 0) && (*k)->has()) return *k;
    return NULL;
}

const product_half_kernel *const product_half_kernels[] = {
#ifdef __x86_64__
#ifdef __linux__
    &product_half_amx,
#endif
    &product_half_avx512, &product_half_avx2,
#endif
    &product_half_plain,  NULL,
};

const product_half_kernel *product_half_choose(const char *word)
{
    for (const product_half_kernel *const *k = product_half_kernels; *k; k++)
        if ((!word || strcmp((*k)->word, word) == 0) && (*k)->has()) return *k;
    return NULL;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const product_kernel *chosen;
static const product_half_kernel *half_chosen;
static bool named;       /* by the environment */
static char refused[64]; /* a word of DQ_KERNELS that names nothing here */

/* Once, before threads; an empty variable is as none. NOLINTBEGIN(concurrency-mt-unsafe) */
static void choose(void)
{
    const char *word = getenv("DQ_KERNELS"), *core = getenv("OPENBLAS_CORETYPE");
    if (word && !*word) word = NULL;
    if (!word && core && *core) word = product_openblas.word;
    chosen = product_choose(word);
    named = word && chosen;
    if (!chosen) snprintf(refused, sizeof refused, "%s", word);
    if (!chosen) chosen = product_choose(NULL);
}
/* NOLINTEND(concurrency-mt-unsafe) */

const product_kernel *product_chosen(void)
{
    pthread_once(&once, choose);
    return chosen;
}

bool product_named(void)
{
    pthread_once(&once, choose);
    return named;
}

/* Those of the float32 kernels' word, where the environment names one; the CPU's best else. AMX is asked for,
 * of the system, only by who multiplies bfloat16. */
static void choose_half(void)
{
    const product_kernel *kernel = product_chosen();
    if (named) half_chosen = product_half_choose(kernel->word);
#ifdef __x86_64__
    if (named && !half_chosen && kernel == &product_avx512)
        half_chosen = product_half_choose(product_half_avx2.word);
#endif
    if (!half_chosen) half_chosen = product_half_choose(NULL); /* OpenBLAS has none */
}

const product_half_kernel *product_half_chosen(void)
{
    static pthread_once_t half_once = PTHREAD_ONCE_INIT;
    pthread_once(&half_once, choose_half);
    return half_chosen;
}

dq_status product_check_choice(dq_error *error)
{
    pthread_once(&once, choose);
    if (!refused[0]) return DQ_OK;
    if (strcmp(refused, product_openblas.word) == 0) return product_load_openblas(error);
    char words[128] = "";
    for (const product_kernel *const *k = product_kernels; *k; k++)
        if ((*k)->has())
            snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", words[0] ? ", " : "",
                     (*k)->word);
    return dq_fail(error, DQ_ERR_RANGE, "DQ_KERNELS=%s: this CPU has no such kernels (it has %s)", refused,
                   words);
}
