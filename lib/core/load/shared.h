/* SPDX-License-Identifier: MIT
 *
 * Shared libraries that are loaded when they are first needed. A library that a program is linked with is
 * mapped, relocated and initialised before main, whatever the run is about: for libcurl, libmongoc and
 * OpenBLAS, with the thirty libraries behind them, that is 3 to 8 ms of CPU and 4 to 8 MiB, where a run that
 * needs none of them starts in 1 ms and 3 MiB. So whoever is the home of such a library (port/http/curl.h,
 * for one) has a table of what it calls, and loads it before the first call:
 *
 *     static struct { __typeof__(curl_easy_init) *easy_init; } curl;
 *     static const dq_shared_symbol symbols[] = {{"curl_easy_init", &curl.easy_init}, {0}};
 *     static dq_shared library = {.soname = DQ_SONAME, .package = "libcurl4", .symbols = symbols};
 *     dq_shared_load(&library, &e);                 before the first curl.easy_init()
 *
 * The name is the one that the linker would have recorded; the Makefile hands it to the file that loads
 * (`soname`), so that what is loaded is what the header belongs to.
 */
#ifndef DQ_CORE_LOAD_SHARED_H
#define DQ_CORE_LOAD_SHARED_H

#include "dq/status.h"

#include <stdbool.h>

typedef struct dq_shared_symbol {
    const char *name;
    void *to;      /* a pointer to a function, which is set to this one */
    bool optional; /* NULL where the library has no such function; else that is an error */
} dq_shared_symbol;

/* Static, since a library is one per process: it is never unloaded. */
typedef struct dq_shared {
    const char *soname;
    const char *package;             /* Debian's, that has it: the way out; NULL: not known */
    const dq_shared_symbol *symbols; /* ended by one without a name */
    bool loaded;
} dq_shared;

/* Loads the library and fills its table, once; any thread may ask. DQ_ERR_UNSUPPORTED, in the loader's words
 * and with the package, where it is not installed, or lacks a function: the pointers are then not to be
 * called, and the next call tries again. */
dq_status dq_shared_load(dq_shared *library, dq_error *error);

#endif
