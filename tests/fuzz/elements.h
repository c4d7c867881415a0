/* SPDX-License-Identifier: MIT
 *
 * Documents of BSON made of elements without lengths, so that mutations do not break these.
 */
#ifndef DQ_FUZZ_ELEMENTS_H
#define DQ_FUZZ_ELEMENTS_H

#include "fuzz.h"

/* The document of these elements, into which the lengths of documents and arrays are put; a text's or a
 * binary's length is one byte there. *elements: how many it has itself. NULL without memory; free() it. */
unsigned char *fuzz_make_document(fuzz_bytes rest, size_t *bytes, size_t *elements);

#endif
