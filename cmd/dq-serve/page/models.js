// SPDX-License-Identifier: MIT
// The view of models: the agent's Q-values beside the world model's rewards, and two models side by side.

import {byId, element, announce, count, decimal, number, onSubmit, table} from "/dom.js";
import {get} from "/api.js";
import {figure} from "/charts.js";
import {status, offerUsers} from "/state.js";

function listModels(models) {
    const head = [{name: "Model"}, {name: "Agent"}, {name: "Share of users", numeric: true}, {name: "World model"}, {name: "Digest"}];
    byId("model-list").replaceChildren(table({caption: "Models that are served", head, rows: models.map(model => [model.name,
        model.loaded ? model.kind ?? "–" : "not loaded", number(100 * model.share, 0) + " %", model.world ? "yes" : "no",
        model.digest ? model.digest.slice(0, 12) : "–"])}),
    ...models.filter(model => model.error).map(model => element("p", {}, `${model.name}: ${model.error}`)));
}

function offerModels(models) {
    const option = name => element("option", {value: name}, name), names = models.map(model => model.name);
    const a = byId("model-a"), b = byId("model-b"), chosen = [a.value, b.value];
    a.replaceChildren(...names.map(option));
    b.replaceChildren(element("option", {value: ""}, "none"), ...names.map(option));
    if (names.includes(chosen[0])) a.value = chosen[0];
    b.value = names.includes(chosen[1]) ? chosen[1] : names.find(name => name !== a.value) ?? "";
}

const valuesOf = (item, model) => item.values.find(value => value.model === model) ?? {};

/* Columns by which the table can be sorted: name, the value of an item, whether it is a text or has digits behind the point, whether more comes first. */
function columns(a, b) {
    const of = (name, key, model) => ({name: b ? `${name}, ${model}` : name, value: item => valuesOf(item, model)[key] ?? null, digits: key !== "rank", numeric: true,
        descending: key !== "rank"});
    return [
        {name: "Item", value: item => item.title || item.item_id, text: true},
        of("Place", "rank", a), of("Q-value", "q", a), of("World model", "world", a),
        ...(b ? [of("Place", "rank", b), of("Q-value", "q", b), of("World model", "world", b)] : []),
        {name: "Interactions", value: item => item.popularity, numeric: true, descending: true},
        {name: "This user", value: item => item.label ?? null, text: true},
    ];
}

function compare(x, y, column) {
    const a = column.value(x), b = column.value(y);
    if (a === null || b === null) return (a === null) - (b === null);
    const order = typeof a === "number" ? a - b : String(a).localeCompare(String(b));
    return column.descending ? -order : order;
}

/* The table of values; the buttons in its head sort it. */
function valueTable(caption, items, cols, by, reverse) {
    const sorted = [...items].sort((x, y) => compare(x, y, cols[by]) * (reverse ? -1 : 1));
    const box = table({caption, head: cols, rows: sorted.map(item => cols.map(column =>
        column === cols[0] ? element("a", {href: "#/items/" + encodeURIComponent(item.item_id)}, column.value(item))
            : column.text ? column.value(item) ?? "–" : (column.digits ? decimal : number)(column.value(item))))});
    box.querySelectorAll("thead th").forEach((th, i) => {
        const button = element("button", {type: "button"}, th.textContent);
        button.addEventListener("click", () => {
            const next = valueTable(caption, items, cols, i, i === by && !reverse);
            box.replaceWith(next);
            next.querySelectorAll("thead button")[i].focus();
        });
        th.replaceChildren(button);
        if (i !== by) return;
        th.ariaSort = Boolean(cols[i].descending) !== reverse ? "descending" : "ascending";
        button.append(element("span", {"aria-hidden": "true"}, th.ariaSort === "descending" ? "\u00a0↓" : "\u00a0↑"));
    });
    return box;
}

/* The best of a model, each with its place in the other. */
function bestOf(items, model, other, n) {
    const mine = items.filter(item => valuesOf(item, model).rank <= n).sort((x, y) => valuesOf(x, model).rank - valuesOf(y, model).rank);
    return element("section", {}, element("h3", {}, `Best by ${model}`), element("ol", {}, ...mine.map(item => {
        const there = valuesOf(item, other).rank;
        return element("li", {}, item.title || item.item_id, " ", element("span", {className: "hint"}, there ? `${there} by ${other}` : `not ranked by ${other}`));
    })));
}

function scatter(items, a, b) {
    const x = item => b ? valuesOf(item, a).q : valuesOf(item, a).world, y = item => b ? valuesOf(item, b).q : valuesOf(item, a).q;
    const points = items.map(item => ({x: x(item), y: y(item), name: item.title || item.item_id})).filter(point => Number.isFinite(point.x) && Number.isFinite(point.y));
    if (points.length < 2) return null;
    const names = b ? [`Q-value, ${a}`, `Q-value, ${b}`] : ["World model's reward", "Q-value"];
    return {points, figure: figure({title: b ? `Q-values of ${a} and ${b}` : "Q-values and the world model's rewards", kind: "scatter", x: names[0], y: names[1],
        names: ["items"], head: ["Item", ...names]})};
}

/** Pearson's correlation. */
function correlation(points) {
    const mean = key => points.reduce((sum, point) => sum + point[key], 0) / points.length, mx = mean("x"), my = mean("y");
    let xy = 0, xx = 0, yy = 0;
    for (const point of points) {
        xy += (point.x - mx) * (point.y - my);
        xx += (point.x - mx) ** 2;
        yy += (point.y - my) ** 2;
    }
    return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : null;
}

function show(answer, a, b, n) {
    const {items} = answer, broken = answer.models.filter(model => model.error && (model.name === a || model.name === b));
    const box = byId("values"), picture = scatter(items, a, b);
    const top = model => items.filter(item => valuesOf(item, model).rank <= n).map(item => item.item_id);
    box.replaceChildren(...broken.map(model => element("p", {}, `${model.name}: ${model.error}`)));
    if (b) {
        const both = top(a).filter(id => top(b).includes(id)).length;
        box.append(element("p", {}, both === 1 ? `1 item is among the best ${number(n)} of both.` : `${number(both)} items are among the best ${number(n)} of both.`),
            element("div", {className: "lists"}, bestOf(items, a, b, n), bestOf(items, b, a, n)));
    }
    if (picture) {
        box.append(element("div", {className: "charts"}, picture.figure.box));
        picture.figure.box.classList.add("wide");
        picture.figure.show([picture.points], [], `${count(picture.points.length, "item")}, correlation ${number(correlation(picture.points), 2)}`);
    }
    const cols = columns(a, b).filter(column => column.text || items.some(item => column.value(item) !== null));
    box.append(valueTable(`Values for user ${answer.user_id}`, items, cols, Math.min(1, cols.length - 1), false));
    announce(`Values of ${count(items.length, "item")}.`);
}

async function ask(user, n, a, b) {
    show(await get("/api/values", {user_id: user, n}), a, b === a ? "" : b, n);
}

export async function open(user) {
    const {models} = status;
    listModels(models);
    offerModels(models);
    if (user) byId("models-user").value = user;
    await offerUsers(byId("models-user"));
    if (user) await ask(user, Number(byId("models-n").value), byId("model-a").value, byId("model-b").value);
}

export function start() {
    onSubmit(byId("models-form"), form => ask(form.get("user").trim(), Number(form.get("n")), form.get("a"), form.get("b")));
}
