/* SPDX-License-Identifier: MIT */
#include "core/load/shared.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

/* Of all libraries: two that are loaded at once would wait for the loader anyway. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ISO C has no conversion of dlsym's pointer to an object into one to a function; POSIX says that the bytes
 * are the same. */
static bool find(void *handle, const dq_shared_symbol *symbol)
{
    void *address = dlsym(handle, symbol->name);
    memcpy(symbol->to, &address, sizeof address);
    return address || symbol->optional;
}

static dq_status load(dq_shared *library, dq_error *error)
{
    void *handle = dlopen(library->soname, RTLD_LAZY | RTLD_LOCAL);
    bool found = handle != NULL;
    for (const dq_shared_symbol *s = library->symbols; found && s->name; s++) found = find(handle, s);
    library->loaded = found;
    if (found) return DQ_OK;
    const char *words = dlerror(); /* a thread's own; NOLINT(concurrency-mt-unsafe) */
    dq_status status = dq_fail(error, DQ_ERR_UNSUPPORTED, "a library is needed that cannot be loaded: %s%s%s",
                               words ? words : library->soname,
                               library->package ? "; Debian's package is " : "",
                               library->package ? library->package : "");
    if (handle) (void)dlclose(handle);
    return status;
}

dq_status dq_shared_load(dq_shared *library, dq_error *error)
{
    pthread_mutex_lock(&lock);
    dq_status status = library->loaded ? DQ_OK : load(library, error);
    pthread_mutex_unlock(&lock);
    return status;
}
