// SPDX-License-Identifier: MIT
// What a browser's page looks like, for tests of pages: its colours, as they are seen.

// The relative luminance of a colour, and the contrast of two (WCAG 2.1).
const numbers = colour => colour.match(/[\d.]+/g).map(Number);
const luminance = colour => {
    const [r, g, b] = numbers(colour).slice(0, 3).map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
};

// The colour behind an element: of the nearest one around it that has one.
const ground = element => {
    for (let e = element; e; e = e.parentElement) {
        const colour = getComputedStyle(e).backgroundColor, [, , , alpha] = numbers(colour);
        if (alpha === undefined || alpha === 1) return colour;
    }
    return "rgb(255, 255, 255)";
};
