/* SPDX-License-Identifier: MIT */
#include "port/mongo/mongoc.h"

#include "core/load/shared.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define SYMBOL(function) {.name = "mongoc_" #function, .to = &dq_mongoc.function},
static const dq_shared_symbol symbols[] = {DQ_MONGOC_CALLS(SYMBOL){0}};

struct dq_mongoc dq_mongoc;
static dq_shared library = {.soname = DQ_SONAME, .package = "libmongoc-1.0-0", .symbols = symbols};
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Standard error is the program's. What fails is told by libmongoc's errors; its log, which may begin while
 * it is loaded, before a handler could be set, goes nowhere: this definition stands before the library's,
 * since the Makefile has it exported (--export-dynamic-symbol). */
void mongoc_log(mongoc_log_level_t level, const char *domain, const char *format, ...)
{
    (void)level;
    (void)domain;
    (void)format;
}

/* The library also begins with a file of counters in shared memory, named by our process, which stays behind
 * when a signal ends us (a closed pipe does). Nobody reads it: its name goes at once. */
static void begin(void)
{
    char name[32];
    mongoc_init();
    (void)snprintf(name, sizeof name, "/mongoc-%ld", (long)getpid());
    (void)shm_unlink(name);
}

dq_status dq_mongo_load(dq_error *error)
{
    dq_status status = dq_shared_load(&library, error);
    if (!status) pthread_once(&once, begin);
    return status;
}
