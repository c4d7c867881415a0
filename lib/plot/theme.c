/* SPDX-License-Identifier: MIT */
#include "plot/theme.h"

static const dq_plot_theme light = {
    .paper = 0xFFFFFF,
    .ink = 0x202428,
    .frame = 0x606468,
    .rules = 0xE2E4E6,
    .mark = 0x909498,
    .hues = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x7A7A7A},
    .low = 0xD55E00,
    .high = 0x0072B2};
/* The same hues, lighter. */
static const dq_plot_theme dark = {
    .paper = 0x16191D,
    .ink = 0xE4E6E8,
    .frame = 0x9A9EA2,
    .rules = 0x33373C,
    .mark = 0x8A8E92,
    .hues = {0x3F97D6, 0xE8772E, 0x2BB189, 0xD98BB9, 0xE8B23A, 0x8AD0F7, 0xA0A4A8},
    .low = 0xD55E00,
    .high = 0x2C8FD0};

const dq_plot_theme *dq_plot_theme_of(dq_plot_form form)
{
    return form == DQ_PLOT_SVG_DARK ? &dark : &light;
}

const char *dq_plot_dash(size_t series)
{
    static const char *const dashes[] = {"solid", "'-'", "'_.'", "'__..'"};
    enum { DASHES = sizeof dashes / sizeof *dashes };
    return dashes[series / DQ_PLOT_HUES % DASHES];
}

static uint32_t channel(uint32_t colour, int shift)
{
    return (colour >> shift) & 0xFF;
}

uint32_t dq_plot_shade(const dq_plot_theme *theme, double value)
{
    uint32_t end = value < 0 ? theme->low : theme->high, colour = 0;
    double share = value < 0 ? -value : value;
    if (share > 1) share = 1;
    for (int shift = 16; shift >= 0; shift -= 8) {
        double from = channel(theme->paper, shift), to = channel(end, shift);
        colour |= (uint32_t)(from + share * (to - from) + 0.5) << shift;
    }
    return colour;
}

/* By the brightness of the colour as ITU-R BT.601 weighs its parts. */
uint32_t dq_plot_ink_on(uint32_t colour)
{
    double bright = 0.299 * channel(colour, 16) + 0.587 * channel(colour, 8) + 0.114 * channel(colour, 0);
    return bright > 140 ? 0x202428 : 0xFFFFFF;
}
