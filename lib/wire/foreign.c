/* SPDX-License-Identifier: MIT */
#include "wire/wire.h"

#include <stdio.h>

/* Appends a byte as C writes it in a text. */
static size_t escape(unsigned char byte, char *to)
{
    switch (byte) {
    case '\n': return (size_t)sprintf(to, "\\n");
    case '\r': return (size_t)sprintf(to, "\\r");
    case '\t': return (size_t)sprintf(to, "\\t");
    case '\\':
    case '\'': return (size_t)sprintf(to, "\\%c", byte);
    default: return (size_t)sprintf(to, byte >= ' ' && byte < 0x7f ? "%c" : "\\x%02x", byte);
    }
}

dq_status dq_fail_foreign(const char *what, const void *first, size_t n, bool more, dq_error *error)
{
    char shown[4 * DQ_SHOWN_BYTES + 1] = "";
    size_t used = 0;
    more |= n > DQ_SHOWN_BYTES;
    for (size_t i = 0; i < n && i < DQ_SHOWN_BYTES; i++)
        used += escape(((const unsigned char *)first)[i], shown + used);
    return dq_fail(error, DQ_ERR_FORMAT, "%s '%s%s'", what, shown, more ? "..." : "");
}
