// SPDX-License-Identifier: MIT
// Pictures by Chart.js. Each is a figure with its title, a canvas that says in words what it shows, and its numbers as
// a table, for who cannot see it. Colours are those of the style sheet, light or dark.

import {element, number, decimal, table} from "/dom.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Set();

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const series = i => colour(["--first", "--second", "--third"][i % 3]);

function paint(chart) {
    const {options, data, config} = chart;
    options.color = colour("--text");
    for (const axis of Object.values(options.scales)) {
        axis.ticks.color = axis.title.color = colour("--dim");
        axis.grid.color = axis.grid.borderColor = colour("--line");
    }
    data.datasets.forEach((set, i) => {
        set.borderColor = series(i);
        set.backgroundColor = config.type === "line" ? "transparent" : series(i);
    });
}

dark.addEventListener("change", () => {
    for (const chart of drawn) {
        paint(chart);
        chart.update();
    }
});

const axis = (title, more = {}) => ({title: {display: Boolean(title), text: title}, ticks: {maxRotation: 0}, grid: {}, ...more});

/* Nothing moves: curves that grow are motion enough. */
const common = {animation: false, responsive: true, maintainAspectRatio: false, resizeDelay: 100};

/**
 * A figure: {box, show(sets, labels, words)}. kind: line, bar or scatter; x, y: titles of the axes, y from zero on where `zero` says so, level: of its heading; names of its series,
 * which a legend names where there are several. show(): of each series its values (scatter: points {x, y}), the labels of the
 * places on x, and the picture in words.
 */
export function figure({title, kind, x, y, names, head, level = 3, integers = false, zero = kind === "bar"}) {
    const canvas = element("canvas", {role: "img", "aria-label": title});
    const numbers = element("details", {}, element("summary", {}, "Numbers", element("span", {className: "unseen"}, " of " + title)));
    const box = element("figure", {}, element("figcaption", {}, element("h" + level, {}, title)), element("div", {className: "picture"}, canvas), numbers);
    let chart = null;

    function make() {
        const line = {pointRadius: 0, borderWidth: 2, pointHitRadius: 8, spanGaps: true}, dots = {pointRadius: 4, pointHoverRadius: 6};
        chart = new Chart(canvas, {type: kind, data: {labels: [], datasets: names.map((name, i) => ({
            label: name, data: [], ...(kind === "line" ? {...line, borderDash: i ? [6, 3] : []} : {}), ...(kind === "scatter" ? dots : {}),
            ...(kind === "bar" ? {barPercentage: 1, categoryPercentage: 0.9, borderWidth: 0} : {})}))},
        options: {...common, interaction: {mode: kind === "scatter" ? "nearest" : "index", intersect: kind === "scatter"},
            scales: {x: axis(x, kind === "scatter" ? {grace: "5%"} : {ticks: {maxRotation: 0, autoSkip: true, autoSkipPadding: 12}, grid: {display: kind === "line"}}),
                y: axis(y, {beginAtZero: zero, grace: kind === "bar" ? 0 : "5%", ticks: {precision: integers ? 0 : undefined, maxTicksLimit: 6}})},
            plugins: {legend: {display: names.length > 1, position: "bottom", labels: {boxWidth: 24, boxHeight: 1}},
                tooltip: {callbacks: kind === "scatter" ? {label: context => (context.raw.name ?? "") + ` (${decimal(context.raw.x)}, ${decimal(context.raw.y)})`} : {}}}}});
        paint(chart);
        drawn.add(chart);
    }

    function rows(sets, labels) {
        if (kind === "scatter") return sets[0].map(point => [point.name, decimal(point.x), decimal(point.y)]);
        return labels.map((label, i) => [String(label), ...sets.map(values => number(values[i]))]);
    }

    return {box, show(sets, labels, words) {
        if (!chart) make();
        chart.data.labels = labels;
        sets.forEach((values, i) => { chart.data.datasets[i].data = values; });
        chart.update();
        canvas.setAttribute("aria-label", title + ": " + words);
        canvas.textContent = words;
        // the table is made when somebody opens it: a training of 10,000 episodes would make it 50 times a second
        const fill = () => {
            if (!numbers.open) return;
            numbers.replaceChildren(numbers.firstElementChild, table({caption: title, unseenCaption: true,
                head: (head ?? [x, ...names]).map((name, i) => ({name, numeric: i > 0})), rows: rows(sets, labels)}));
        };
        numbers.ontoggle = fill;
    }, remove() {
        if (chart) {
            drawn.delete(chart);
            chart.destroy();
        }
        box.remove();
    }};
}

/** A histogram's bins as labels and counts. */
export function bins(histogram) {
    const fine = histogram.bins.some(bin => !Number.isInteger(bin.from) || !Number.isInteger(bin.to));
    const short = value => value.toLocaleString("en", {maximumSignificantDigits: 3}).replace("-", "−");
    const label = bin => bin.from === bin.to ? number(bin.from) : fine ? `${short(bin.from)} to ${short(bin.to)}` : `${number(bin.from)}–${number(bin.to)}`;
    return {labels: histogram.bins.map(label), counts: histogram.bins.map(bin => bin.count)};
}
