/* SPDX-License-Identifier: MIT
 *
 * faiss behind a table of C functions. What is made is its IVF-SQ8 (IndexIVFScalarQuantizer): k-means cuts
 * the vectors into lists, and a vector is 8 bits a number of what it differs from its list's centre by. Two
 * things are done otherwise than faiss's factory does them for the inner product:
 *
 *     - Centres are means (factory: on a sphere), and a vector goes to the nearest (factory: to the one with
 *       the greatest product), so that lists are compact and a long vector does not go where longer ones are.
 *       A query looks into the lists whose centres have the greatest product with it.
 *     - 8 bits span the differences of the sample, and a twentieth more to either side.
 *
 * Everything here is the same whatever the number of threads; k-means has a seed of its own (faiss's, 1234).
 */
#include "port/ann/calls.h"

#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexScalarQuantizer.h>
#include <faiss/VectorTransform.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>
#include <faiss/utils/distances.h>

#include <cctype>
#include <climits>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <vector>

extern "C" void omp_set_num_threads(int threads); /* of the OpenMP that faiss was built with, GCC's */

/* of the BLAS */
extern "C" int sgemm_(const char *, const char *, const int *, const int *, const int *, const float *,
                      const float *, const int *, const float *, const int *, const float *, float *,
                      const int *);

struct dq_faiss_index {
    int threads = 1;
    std::unique_ptr<faiss::PCAMatrix> components;
    std::unique_ptr<faiss::IndexIVFScalarQuantizer> lists;
    std::unique_ptr<faiss::IndexFlatL2> nearest; /* the same centres, to find the nearest */
};

namespace {

typedef faiss::Index::idx_t number;

/* Runs what may throw: no exception leaves this file. */
template <typename F> int guard(char *why, F work)
{
    try {
        work();
        return 0;
    } catch (const std::bad_alloc &) {
        return 1;
    } catch (const std::exception &e) {
        (void)std::snprintf(why, DQ_FAISS_WORDS, "%s", e.what());
    } catch (...) {
        (void)std::snprintf(why, DQ_FAISS_WORDS, "a fault without words");
    }
    return 2;
}

struct fault : std::exception {
    const char *words;
    explicit fault(const char *w) : words(w) {}
    const char *what() const noexcept override
    {
        return words;
    }
};

/* A product before memory is used up: OpenBLAS keeps its work buffer, and would ask for it for ever later. */
void take_buffer()
{
    const int n = 256;
    const float one = 1, none = 0;
    std::vector<float> a((size_t)n * n), c((size_t)n * n);
    (void)sgemm_("N", "N", &n, &n, &n, &one, a.data(), &n, a.data(), &n, &none, c.data(), &n);
}

/* C++ keeps some bytes a thread for exceptions. Of a library that was loaded late, the loader takes them at
 * the first use, and ends the process where there is no memory for them: so they are used while this is
 * loaded. */
__attribute__((constructor)) void take_thread_memory()
{
    try {
        throw 0;
    } catch (int) {
    }
}

int make(dq_faiss_index **index, unsigned threads, char *why)
{
    return guard(why, [&] {
        *index = new dq_faiss_index;
        (*index)->threads = (int)threads;
        take_buffer();
    });
}

void free_index(dq_faiss_index *index)
{
    delete index;
}

/* v - the centre of its list, for each of n. */
std::vector<float> differences(const faiss::IndexFlatL2 &centres, const float *v, size_t n, const number *of)
{
    std::vector<float> out(n * (size_t)centres.d);
    for (size_t i = 0; i < n; i++)
        centres.compute_residual(v + i * (size_t)centres.d, out.data() + i * (size_t)centres.d, of[i]);
    return out;
}

void cut_into_lists(dq_faiss_index *index, const std::vector<float> &v, size_t n, size_t rank, size_t lists)
{
    faiss::ClusteringParameters how;
    how.min_points_per_centroid = 1; /* no advice on stderr */
    how.max_points_per_centroid = 1 << 20;
    how.niter = 12;
    index->nearest.reset(new faiss::IndexFlatL2((number)rank));
    faiss::Clustering clusters((int)rank, (int)lists, how);
    clusters.train((number)n, v.data(), *index->nearest);
    std::unique_ptr<faiss::IndexFlatIP> greatest(new faiss::IndexFlatIP((number)rank));
    greatest->add((number)lists, clusters.centroids.data());
    index->lists.reset(new faiss::IndexIVFScalarQuantizer(
        greatest.get(), rank, lists, faiss::ScalarQuantizer::QT_8bit, faiss::METRIC_INNER_PRODUCT, true));
    index->lists->own_fields = true;
    (void)greatest.release();
}

int train(dq_faiss_index *index, const float *x, size_t n, size_t width, size_t rank, size_t lists, char *why)
{
    return guard(why, [&] {
        omp_set_num_threads(index->threads);
        index->components.reset(new faiss::PCAMatrix((int)width, (int)rank));
        index->components->max_points_per_d = n;
        index->components->train((number)n, x);
        std::vector<float> v(n * rank);
        index->components->apply_noalloc((number)n, x, v.data());
        cut_into_lists(index, v, n, rank, lists);
        std::vector<number> of(n);
        index->nearest->assign((number)n, v.data(), of.data());
        std::vector<float> rest = differences(*index->nearest, v.data(), n, of.data());
        index->lists->sq.rangestat_arg = 0.05F;
        index->lists->sq.train(n, rest.data());
        index->lists->is_trained = true;
    });
}

int project(dq_faiss_index *index, const float *x, size_t n, float *out, char *why)
{
    return guard(why, [&] {
        omp_set_num_threads(index->threads);
        index->components->apply_noalloc((number)n, x, out);
    });
}

int add(dq_faiss_index *index, const float *v, size_t n, char *why)
{
    return guard(why, [&] {
        omp_set_num_threads(index->threads);
        std::vector<number> of(n);
        index->nearest->assign((number)n, v, of.data());
        index->lists->add_core((number)n, v, nullptr, of.data());
    });
}

int search(dq_faiss_index *index, const float *q, size_t n, size_t k, size_t probes, int64_t *rows, char *why)
{
    return guard(why, [&] {
        omp_set_num_threads(index->threads);
        std::vector<float> scores(n * k);
        /* Without the BLAS: threads share the queries, and how many one has would change how products are
         * summed. */
        faiss::distance_compute_blas_threshold = INT_MAX;
        index->lists->nprobe = probes;
        index->lists->search((number)n, q, (number)k, scores.data(), rows);
    });
}

struct writer : faiss::IOWriter {
    int (*put)(void *, const void *, size_t);
    void *arg;
    size_t operator()(const void *bytes, size_t size, size_t items) override
    {
        const size_t n = size * items; /* 0 of an empty vector, whose place is NULL */
        return n && put(arg, bytes, n) ? 0 : items;
    }
};

/* faiss marks each part by four letters, read alone, and reads dozens of kinds, of which some open files or
 * hold others to any depth. Of an IVF-SQ8 there are these; none of the numbers read alone is as large. */
void check_mark(const unsigned char *mark)
{
    static const char *const known[] = {"IwSq", "IxFI", "ilar", "full", "sprs"};
    for (int i = 0; i < 4; i++)
        if (!std::isalnum(mark[i])) return;
    for (const char *one : known)
        if (std::memcmp(mark, one, 4) == 0) return;
    throw fault("a part of another kind than an IVF-SQ8 has");
}

struct reader : faiss::IOReader {
    size_t (*get)(void *, void *, size_t);
    void *arg;
    size_t operator()(void *to, size_t size, size_t items) override
    {
        const size_t got = size && items ? get(arg, to, size * items) / size : 0;
        if (got == 1 && items == 1 && size == 4) check_mark(static_cast<const unsigned char *>(to));
        return got;
    }
};

/* Whether sizes agree: faiss believes them. */
bool agrees(const faiss::IndexIVFScalarQuantizer &lists)
{
    const auto *centres = dynamic_cast<const faiss::IndexFlat *>(lists.quantizer);
    const auto *in = dynamic_cast<const faiss::ArrayInvertedLists *>(lists.invlists);
    const auto d = (size_t)lists.d;
    return lists.d > 0 && lists.ntotal >= 0 && lists.nlist > 0 && lists.is_trained && centres && in &&
           lists.metric_type == faiss::METRIC_INNER_PRODUCT &&
           centres->metric_type == faiss::METRIC_INNER_PRODUCT && centres->d == lists.d &&
           (size_t)centres->ntotal == lists.nlist &&
           centres->codes.size() / d / sizeof(float) == lists.nlist && lists.by_residual &&
           lists.sq.qtype == faiss::ScalarQuantizer::QT_8bit && lists.sq.d == d && lists.sq.code_size == d &&
           lists.sq.trained.size() == 2 * d && lists.code_size == d &&
           lists.direct_map.type == faiss::DirectMap::NoMap && in->nlist == lists.nlist && in->code_size == d;
}

/* Whether the lists have each of the numbers 0, 1, ... once. */
bool numbered(const faiss::IndexIVFScalarQuantizer &lists)
{
    const auto all = (size_t)lists.ntotal;
    size_t sum = 0;
    for (size_t l = 0; l < lists.nlist; l++) {
        size_t n = lists.invlists->list_size(l);
        if (n > all - sum) return false;
        sum += n;
    }
    if (sum != all) return false;
    std::vector<bool> met(all);
    for (size_t l = 0; l < lists.nlist; l++) {
        faiss::InvertedLists::ScopedIds ids(lists.invlists, l);
        for (size_t i = 0; i < lists.invlists->list_size(l); i++) {
            if (ids[i] < 0 || (size_t)ids[i] >= all || met[(size_t)ids[i]]) return false;
            met[(size_t)ids[i]] = true;
        }
    }
    return true;
}

int write(dq_faiss_index *index, int (*put)(void *, const void *, size_t), void *arg, char *why)
{
    return guard(why, [&] {
        writer w;
        w.put = put;
        w.arg = arg;
        faiss::write_index(index->lists.get(), &w);
    });
}

int read(dq_faiss_index *index, size_t (*get)(void *, void *, size_t), void *arg, char *why)
{
    return guard(why, [&] {
        reader r;
        r.get = get;
        r.arg = arg;
        std::unique_ptr<faiss::Index> got(faiss::read_index(&r));
        auto *lists = dynamic_cast<faiss::IndexIVFScalarQuantizer *>(got.get());
        if (!lists || !agrees(*lists) || !numbered(*lists))
            throw fault("it is no IVF-SQ8 of the inner product with each vector once");
        (void)got.release();
        index->lists.reset(lists);
    });
}

size_t count(const dq_faiss_index *index)
{
    return index->lists ? (size_t)index->lists->ntotal : 0;
}

size_t rank(const dq_faiss_index *index)
{
    return index->lists ? (size_t)index->lists->d : 0;
}

size_t lists(const dq_faiss_index *index)
{
    return index->lists ? index->lists->nlist : 0;
}

} // namespace

extern "C" __attribute__((visibility("default"))) const dq_faiss_calls dq_faiss;
const dq_faiss_calls dq_faiss = {DQ_FAISS_TABLE, make,  free_index, train, project, add,
                                 search,         write, read,       count, rank,    lists};
