/* SPDX-License-Identifier: MIT */
#include "wire/wire.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the first bytes say ---- */

enum { TELLING = 4 }; /* bytes that tell an encoding */

/* A line that ends sooner need not wait for more: no wide ASCII begins with two bytes that are no NULs. */
bool dq_text_told(const char *first, size_t n)
{
    return n >= TELLING || (n >= 2 && first[0] && first[1] && memchr(first, '\n', n));
}

/* Wide characters by their mark, or by where the NULs of ASCII stand: JSON and tables begin with ASCII. */
static const char *wide_encoding(const char *first, size_t n)
{
    static const struct {
        const char *first;
        size_t bytes;
        const char *encoding;
    } marks[] = {{"\xff\xfe\0\0", 4, "UTF-32"},
                 {"\0\0\xfe\xff", 4, "UTF-32"},
                 {"\xff\xfe", 2, "UTF-16"},
                 {"\xfe\xff", 2, "UTF-16"}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (n >= marks[i].bytes && memcmp(first, marks[i].first, marks[i].bytes) == 0)
            return marks[i].encoding;
    if (n < TELLING) return NULL;
    unsigned nuls = 0;
    for (unsigned i = 0; i < TELLING; i++) nuls |= (unsigned)(first[i] == 0) << i;
    switch (nuls) {
    case 0x5: return "UTF-16BE";
    case 0x7: return "UTF-32BE";
    case 0xa: return "UTF-16LE";
    case 0xe: return "UTF-32LE";
    default: return NULL;
    }
}

dq_status dq_text_begin(const char *first, size_t n, size_t *mark, dq_error *error)
{
    const char *encoding = wide_encoding(first, n);
    *mark = n >= 3 && memcmp(first, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (!encoding) return DQ_OK;
    return dq_fail(error, DQ_ERR_FORMAT, "this is %.6s; iconv -f %s -t UTF-8 makes it readable", encoding,
                   encoding);
}

/* ---- other encodings ---- */

struct dq_converter {
    iconv_t from;
    char *name;
    uint64_t read; /* bytes */
};

dq_status dq_converter_new(dq_converter **out, const char *encoding, dq_error *error)
{
    dq_converter *c = *out = calloc(1, sizeof *c);
    if (!c) return dq_fail_memory(error, "a text");
    c->from = iconv_open("UTF-8", encoding);
    if (c->from == (iconv_t)-1) {
        bool unknown = errno == EINVAL;
        free(c);
        *out = NULL;
        return unknown ? dq_fail(error, DQ_ERR_UNKNOWN, "no encoding '%s' (iconv -l lists them)", encoding)
                       : dq_fail_memory(error, "a text");
    }
    c->name = strdup(encoding);
    return c->name ? DQ_OK : dq_fail_memory(error, "a text");
}

void dq_converter_free(dq_converter *c)
{
    if (!c) return;
    (void)iconv_close(c->from);
    free(c->name);
    free(c);
}

dq_status dq_converter_run(dq_converter *c, char *in, size_t *at, size_t end, char *to, size_t n, size_t *got,
                           dq_error *error)
{
    char *from = in + *at, *into = to;
    size_t left = end - *at, room = n;
    size_t done = iconv(c->from, &from, &left, &into, &room);
    c->read += (uint64_t)(end - left - *at);
    *at = end - left;
    *got = n - room;
    if (done != (size_t)-1 || errno == EINVAL || errno == E2BIG || *got) return DQ_OK;
    return dq_fail(error, DQ_ERR_FORMAT, "not %s at byte %llu", c->name, (unsigned long long)c->read + 1);
}
