/* SPDX-License-Identifier: MIT
 *
 * How many documents there are, faulty or not, where a reader has just said that it read them all.
 */
#ifndef DQ_FUZZ_DOCUMENTS_H
#define DQ_FUZZ_DOCUMENTS_H

#include "fuzz.h"

#include "port/files/documents.h"

/* Reads to the end, and closes. That it breaks off is a finding. */
uint64_t fuzz_count_documents(dq_documents *documents);

#endif
