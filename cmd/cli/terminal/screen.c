/* SPDX-License-Identifier: MIT */
#include "cli/terminal/screen.h"

#include "core/utf8.h"

#include <locale.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { WIDEST = 10000 };

/* A number of columns in words, 1 to WIDEST; else 0. */
static unsigned read_columns(const char *words)
{
    char *end;
    unsigned long n = words && *words >= '0' && *words <= '9' ? strtoul(words, &end, 10) : 0;
    return n > 0 && n <= WIDEST && !*end ? (unsigned)n : 0;
}

unsigned dq_screen_width(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    unsigned columns = read_columns(getenv("COLUMNS"));
    return columns ? columns : DQ_SCREEN_WIDTH;
}

bool dq_screen_is_dumb(void)
{
    const char *term = getenv("TERM");
    return !term || !*term || strcmp(term, "dumb") == 0;
}

bool dq_screen_colour(int fd)
{
    const char *off = getenv("NO_COLOR");
    return !(off && *off) && !dq_screen_is_dumb() && isatty(fd);
}

/* ---- columns of a text ---- */

/* Texts are UTF-8 whatever the user's locale is, and wcwidth knows of them what the thread's locale does. */
static locale_t utf8;

static void make_locale(void)
{
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* Of a character that is well-formed and no control. */
static size_t width_of(uint32_t code)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (code < 0x80) return 1;
    (void)pthread_once(&once, make_locale);
    if (utf8 == (locale_t)0) return 2; /* rather a line too short than one too long */
    locale_t before = uselocale(utf8);
    int width = wcwidth((wchar_t)code);
    (void)uselocale(before);
    return width < 0 ? 1 : (size_t)width;
}

/* Columns and bytes of the first character of n > 0 bytes. */
static size_t measure_character(const char *text, size_t n, size_t *bytes)
{
    uint32_t code;
    bool control;
    *bytes = dq_utf8_next(text, n, &control);
    return !control && dq_utf8_decode(text, n, &code) ? width_of(code) : 1;
}

size_t dq_screen_fit(const char *text, size_t n, size_t columns)
{
    size_t at = 0, used = 0, bytes;
    while (at < n) {
        used += measure_character(text + at, n - at, &bytes);
        if (used > columns) break;
        at += bytes;
    }
    return at;
}

size_t dq_screen_columns(const char *text, size_t n)
{
    size_t count = 0, bytes;
    for (size_t at = 0; at < n; at += bytes) count += measure_character(text + at, n - at, &bytes);
    return count;
}
