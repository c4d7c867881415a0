/* SPDX-License-Identifier: MIT */
#include "port/ann/ann.h"

#include "core/load/shared.h"
#include "port/ann/calls.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct dq_ann {
    dq_faiss_index *index;
};

static const dq_faiss_calls *faiss;
static const dq_shared_symbol symbols[] = {{"dq_faiss", &faiss, false}, {0}};

/* Where it was built, and where it is installed. */
static const char *const places[] = {"%s/faiss.so", "%s/../lib/dq/faiss.so", NULL};

/* Of address space, by faiss's libraries and a work buffer of OpenBLAS's, which asks for that for ever where
 * the system refuses it; little of it is touched. */
static const size_t needed = (size_t)224 << 20;

static dq_status try_memory(dq_error *error)
{
    void *room = mmap(NULL, needed, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room != MAP_FAILED && munmap(room, needed) == 0) return DQ_OK;
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory: an index needs %zu MiB of address space",
                   needed >> 20);
}

dq_status dq_ann_load(const char *folder, dq_error *error)
{
    static char path[PATH_MAX];
    static dq_shared library = {
        .soname = path, .package = "libfaiss-dev (to build with)", .symbols = symbols};
    bool there = library.loaded;
    for (size_t i = 0; !there && places[i]; i++) {
        int n = snprintf(path, sizeof path, places[i], folder);
        there = n > 0 && (size_t)n < sizeof path && access(path, R_OK) == 0;
    }
    if (!there)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "an index needs faiss, and dq was built without it (no faiss.so beside the program): "
                       "install Debian's libfaiss-dev and build again");
    dq_status status = library.loaded ? DQ_OK : try_memory(error);
    if (!status) status = dq_shared_load(&library, error);
    if (!status && faiss->table != DQ_FAISS_TABLE)
        return dq_fail(error, DQ_ERR_VERSION, "%s is of another version of dq", path);
    return status;
}

/* What faiss answered. */
static dq_status judge(int answer, const char *why, dq_status fault, dq_error *error)
{
    if (answer == 0) return DQ_OK;
    if (answer == 1) return dq_fail_memory(error, "the index");
    return dq_fail(error, fault, "faiss: %s", why);
}

dq_status dq_ann_new(dq_ann **ann, unsigned threads, dq_error *error)
{
    char why[DQ_FAISS_WORDS];
    *ann = calloc(1, sizeof **ann);
    if (!*ann) return dq_fail_memory(error, "the index");
    return judge(faiss->make(&(*ann)->index, threads, why), why, DQ_ERR_UNSUPPORTED, error);
}

void dq_ann_free(dq_ann *ann)
{
    if (ann && ann->index) faiss->free(ann->index);
    free(ann);
}

dq_status dq_ann_train(dq_ann *ann, const float *x, size_t n, size_t width, size_t rank, size_t lists,
                       dq_error *error)
{
    char why[DQ_FAISS_WORDS];
    return judge(faiss->train(ann->index, x, n, width, rank, lists, why), why, DQ_ERR_UNSUPPORTED, error);
}

dq_status dq_ann_project(dq_ann *ann, const float *x, size_t n, float *v, dq_error *error)
{
    char why[DQ_FAISS_WORDS];
    return judge(faiss->project(ann->index, x, n, v, why), why, DQ_ERR_UNSUPPORTED, error);
}

dq_status dq_ann_add(dq_ann *ann, const float *v, size_t n, dq_error *error)
{
    char why[DQ_FAISS_WORDS];
    return judge(faiss->add(ann->index, v, n, why), why, DQ_ERR_UNSUPPORTED, error);
}

dq_status dq_ann_search(dq_ann *ann, const float *queries, size_t n, size_t k, size_t probes, int64_t *rows,
                        dq_error *error)
{
    char why[DQ_FAISS_WORDS];
    return judge(faiss->search(ann->index, queries, n, k, probes, rows, why), why, DQ_ERR_UNSUPPORTED, error);
}

dq_status dq_ann_write(dq_ann *ann, int (*put)(void *arg, const void *bytes, size_t n), void *arg,
                       dq_error *error)
{
    char why[DQ_FAISS_WORDS];
    return judge(faiss->write(ann->index, put, arg, why), why, DQ_ERR_IO, error);
}

dq_status dq_ann_read(dq_ann *ann, size_t (*get)(void *arg, void *to, size_t n), void *arg, dq_error *error)
{
    char why[DQ_FAISS_WORDS];
    return judge(faiss->read(ann->index, get, arg, why), why, DQ_ERR_FORMAT, error);
}

size_t dq_ann_count(const dq_ann *ann)
{
    return faiss->count(ann->index);
}

size_t dq_ann_rank(const dq_ann *ann)
{
    return faiss->rank(ann->index);
}

size_t dq_ann_lists(const dq_ann *ann)
{
    return faiss->lists(ann->index);
}
