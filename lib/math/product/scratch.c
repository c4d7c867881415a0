/* SPDX-License-Identifier: MIT
 *
 * A product takes a free scratch and gives it back: one exchange each. A thread begins looking where it found
 * one the last time, so that it has the same memory again, in its cache. The first is there from the start;
 * others are address space until they are used, and are kept to the end of the process.
 */
#include "math/product/kernel.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

enum { MOST = 256 };

static product_scratch first;
static product_scratch *_Atomic slots[MOST] = {&first};
static atomic_uint count = 1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local unsigned mine;

dq_status product_reserve_scratch(unsigned threads, dq_error *error)
{
    dq_status status = DQ_OK;
    if (threads > MOST) threads = MOST;
    pthread_mutex_lock(&lock);
    for (unsigned n = atomic_load(&count); n < threads && !status; n++) {
        void *slot = mmap(NULL, sizeof(product_scratch), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                          -1, 0);
        if (slot == MAP_FAILED) {
            status = dq_fail(error, DQ_ERR_MEMORY,
                             "out of memory: the matrix products of %u threads need %zu MiB of address space "
                             "(--threads 1 needs least)",
                             threads, threads * (sizeof(product_scratch) >> 20));
        } else {
            atomic_store(&slots[n], slot);
            atomic_store(&count, n + 1);
        }
    }
    pthread_mutex_unlock(&lock);
    return status;
}

product_scratch *product_take_scratch(void)
{
    for (unsigned tries = 0;; tries++) {
        unsigned n = atomic_load_explicit(&count, memory_order_acquire);
        if (mine >= n) mine = 0;
        product_scratch *slot = atomic_load_explicit(&slots[mine], memory_order_acquire);
        if (!atomic_exchange_explicit(&slot->taken, true, memory_order_acquire)) return slot;
        mine++;
        if (tries % n == n - 1) sched_yield();
    }
}

void product_give_scratch(product_scratch *scratch)
{
    atomic_store_explicit(&scratch->taken, false, memory_order_release);
}
