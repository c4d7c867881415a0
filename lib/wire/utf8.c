/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <string.h>

/* Bytes of the sequence that begins at p, of at most n; 0 when it is none. Table 3-7 of the Unicode standard.
 */
static size_t sequence(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80) return 1;
    size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    unsigned char least = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char most = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n < length || p[1] < least || p[1] > most) return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    return length;
}

bool dq_utf8_valid(const void *text, size_t n)
{
    const unsigned char *p = text;
    for (size_t i = 0; i < n;) {
        uint64_t eight;
        while (n - i >= sizeof eight && (memcpy(&eight, p + i, sizeof eight), !(eight & 0x8080808080808080U)))
            i += sizeof eight;
        if (i == n) break;
        size_t length = sequence(p + i, n - i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}
