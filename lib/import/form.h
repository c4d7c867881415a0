/* SPDX-License-Identifier: MIT
 *
 * Forms of single files, told by their names.
 */
#ifndef DQ_IMPORT_FORM_H
#define DQ_IMPORT_FORM_H

#include <stdbool.h>

typedef enum dq_import_form {
    DQ_IMPORT_JSONL,
    DQ_IMPORT_CSV,
    DQ_IMPORT_TSV,
    DQ_IMPORT_NPY,
    DQ_IMPORT_SAFETENSORS,
    DQ_IMPORT_OTHER /* none that is read */
} dq_import_form;

/* By the name's extension, before .zst or .gz; a name without one ("-", "/dev/fd/63") is JSON lines. */
dq_import_form dq_import_form_of(const char *path);

/* A form whose rows have no ids of their own. */
bool dq_import_form_is_array(dq_import_form form);

#endif
