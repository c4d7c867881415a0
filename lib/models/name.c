/* SPDX-License-Identifier: MIT */
#include "models/name.h"

#include <stdio.h>
#include <string.h>

#define END ".dq"

static bool stays(unsigned char c, bool first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c > 127) return true;
    return c && strchr(first ? "_@+" : "-_.@+", c);
}

dq_status dq_model_name(const char *id, size_t bytes, char name[DQ_MODEL_NAME_MAX + 1], dq_error *error)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0, room = DQ_MODEL_NAME_MAX - strlen(END);
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)id[i];
        bool whole = stays(c, i == 0);
        if (n + (whole ? 1 : 3) > room)
            return dq_fail(error, DQ_ERR_RANGE,
                           "the id is too long for a file's name: it would have more "
                           "than %d bytes",
                           DQ_MODEL_NAME_MAX);
        name[n++] = whole ? (char)c : '%';
        if (whole) continue;
        name[n++] = digits[c >> 4];
        name[n++] = digits[c & 15];
    }
    if (!n) return dq_fail(error, DQ_ERR_RANGE, "an empty id has no file");
    memcpy(name + n, END, sizeof END);
    return DQ_OK;
}

/* The value of a capital hexadecimal digit, or -1. */
static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool dq_model_name_id(const char *name, char id[DQ_MODEL_NAME_MAX + 1], size_t *bytes)
{
    char again[DQ_MODEL_NAME_MAX + 1];
    size_t n = strlen(name), end = strlen(END), out = 0;
    if (n <= end || n > DQ_MODEL_NAME_MAX || strcmp(name + n - end, END) != 0) return false;
    for (size_t i = 0; i < n - end; i++) {
        id[out] = name[i];
        if (name[i] == '%') {
            int high = digit(name[i + 1]), low = high < 0 ? -1 : digit(name[i + 2]);
            if (low < 0) return false;
            id[out] = (char)(high << 4 | low);
            i += 2;
        }
        out++;
    }
    id[out] = '\0';
    *bytes = out;
    /* only the name that the id gets counts: %41.dq is none */
    return !dq_model_name(id, out, again, NULL) && strcmp(name, again) == 0;
}
