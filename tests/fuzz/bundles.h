/* SPDX-License-Identifier: MIT
 *
 * Inputs that are bundles. As bytes a mutated stream is refused by its first hash; so an input is the bodies
 * of its bundles, each behind its length in two bytes (fuzz_part), and everything that a writer computes is
 * put around them: head, lengths, XXH3-64, and the end's counts and digest. Mutations then reach whoever
 * reads what is in them. A mutation is often one of meaning: a number of the metadata, an element of a
 * column, a shape, a type, a name.
 */
#ifndef DQ_FUZZ_BUNDLES_H
#define DQ_FUZZ_BUNDLES_H

#include "fuzz.h"

/* The payload (*n) of a stream of one section with these bodies; free() it. */
unsigned char *fuzz_sign(fuzz_bytes bodies, size_t *n);
/* The same of bodies that are whole records' (the head and the end among them): lengths and hashes alone. */
unsigned char *fuzz_frame(fuzz_bytes bodies, size_t *n);

/* Reads what is signed (fuzz_sign): the bundles that the reader took, `most` at most, into `to`; the caller
 * frees each. None where it refused one. */
size_t fuzz_read_bundles(fuzz_bytes bodies, dq_bundle *to, size_t most);

/* For LLVMFuzzerCustomMutator: changes an input whose first `before` bytes are options, and the rest bodies.
 */
size_t fuzz_mutate_bundles(uint8_t *data, size_t n, size_t most, unsigned seed, size_t before);

#endif
