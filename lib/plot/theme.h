/* SPDX-License-Identifier: MIT
 *
 * The look of all pictures, in one place: colours, dashes, sizes. Hues are M. Okabe and K. Ito's ("Color
 * universal design", 2008), told apart by colour-blind eyes too, but their yellow, which white swallows, and
 * black, which a dark page does: a grey stands for it. From the eighth series on the hues come again, dashed.
 */
#ifndef DQ_PLOT_THEME_H
#define DQ_PLOT_THEME_H

#include "plot/plot.h"

enum { DQ_PLOT_HUES = 7 };

/* Colours as 0xRRGGBB. */
typedef struct dq_plot_theme {
    uint32_t paper, ink, frame, rules; /* background, text, axes, lines of the grid */
    uint32_t mark;                     /* a mark's line */
    uint32_t hues[DQ_PLOT_HUES];
    uint32_t low, high; /* ends of a scale of colours, whose middle is the paper */
} dq_plot_theme;

/* In pixels, of which an inch has 96. */
enum {
    DQ_PLOT_WIDTH = 460, /* of a panel, with its labels */
    DQ_PLOT_HEIGHT = 320,
    DQ_PLOT_LETTER = 7, /* what a character takes, in the mean */
    DQ_PLOT_LINE = 18,  /* from one line of text to the next */
    DQ_PLOT_FONT = 12,
    DQ_PLOT_FONT_SMALL = 10,
};

const dq_plot_theme *dq_plot_theme_of(dq_plot_form form);
/* gnuplot's dash type of a series by its number: 'solid' for the first seven. */
const char *dq_plot_dash(size_t series);
/* The colour of a cell: value between -1 (low) and 1 (high); 0 is paper. And a text's on it. */
uint32_t dq_plot_shade(const dq_plot_theme *theme, double value);
uint32_t dq_plot_ink_on(uint32_t colour);

#endif
