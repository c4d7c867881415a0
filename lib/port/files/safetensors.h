/* SPDX-License-Identifier: MIT
 *
 * safetensors: named tensors behind a JSON header.
 *
 *     length of the header (8 bytes, little-endian)
 *     header {"name":{"dtype":"F32","shape":[..],"data_offsets":[a,b]},...}
 *     data
 *
 * A bundle's columns are its tensors, in order. "__metadata__" may hold strings only: what dq writes has one,
 * "dq", the JSON of the bundle's metadata, so that a model comes back as it was.
 */
#ifndef DQ_PORT_FILES_SAFETENSORS_H
#define DQ_PORT_FILES_SAFETENSORS_H

#include "dq/bundle.h"
#include "dq/sink.h"
#include "dq/source.h"

/* Reads a whole file into a bundle of kind "model", its columns in the order of their data; "__metadata__" is
 * its meta, unless dq wrote it. Memory grows only with bytes received. A tensor without dimensions becomes
 * one number; more than 4 dimensions, or a type that a column lacks, is DQ_ERR_UNSUPPORTED; gaps, overlaps,
 * sizes that do not match and bytes after the end are DQ_ERR_FORMAT. *bundle is empty after a failure. */
dq_status dq_safetensors_read(dq_source *source, dq_bundle *bundle, dq_error *error);

/* Writes every column. Texts and columns with nulls have no form there: DQ_ERR_UNSUPPORTED, before the first
 * byte. */
dq_status dq_safetensors_write(dq_sink *sink, const dq_bundle *bundle, dq_error *error);

#endif
