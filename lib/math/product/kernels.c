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

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const product_kernel *chosen;
static char refused[64]; /* a word of DQ_KERNELS that names nothing here */

/* Once, before threads. NOLINTBEGIN(concurrency-mt-unsafe) */
static void choose(void)
{
    const char *word = getenv("DQ_KERNELS");
    if (!word && getenv("OPENBLAS_CORETYPE")) word = product_openblas.word;
    chosen = product_choose(word);
    if (chosen) return;
    snprintf(refused, sizeof refused, "%s", word);
    chosen = product_choose(NULL);
}
/* NOLINTEND(concurrency-mt-unsafe) */

const product_kernel *product_chosen(void)
{
    pthread_once(&once, choose);
    return chosen;
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
