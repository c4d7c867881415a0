/* SPDX-License-Identifier: MIT
 *
 * Where a JSON value ends, without reading it: brackets are counted outside of strings. So documents that go
 * on over lines, and the elements of an array, are cut out of a file of any size and parsed one by one; a
 * damaged one ends where a bracket stands that its beginning does not allow, or in a string that a line ends.
 */
#ifndef DQ_PORT_FILES_JSON_CUT_H
#define DQ_PORT_FILES_JSON_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise before a value's first byte. */
typedef struct dq_json_cut {
    unsigned depth;   /* open brackets */
    uint64_t objects; /* bit d - 1: the bracket at depth d, up to 64, is an object's */
    bool string, escape;
    char last; /* the last byte outside of strings and white space; a string's quote */
} dq_json_cut;

typedef enum dq_json_cut_end {
    DQ_JSON_CUT_MORE,   /* all bytes are the value's, which goes on */
    DQ_JSON_CUT_DONE,   /* the value ends with byte *taken - 1 */
    DQ_JSON_CUT_BROKEN, /* it cannot go on with byte *taken, which may begin another */
} dq_json_cut_end;

/* Takes up to n bytes of a value that begins with its first bracket; *taken tells how many. */
dq_json_cut_end dq_json_cut_on(dq_json_cut *cut, const char *bytes, size_t n, size_t *taken);

#endif
