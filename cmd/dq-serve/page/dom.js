// SPDX-License-Identifier: MIT
// Elements. Whatever comes from a catalogue becomes text by append() and textContent; nothing here reads markup.

export const byId = id => document.getElementById(id);

/** element("p", {className: "hint"}, "text", child...): properties by their names in the DOM, else as attributes. */
export function element(name, properties = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
        if (value === undefined || value === null) continue;
        if (key in made) made[key] = value;
        else made.setAttribute(key, value);
    }
    made.append(...children.filter(child => child !== null && child !== undefined));
    return made;
}

const unseen = text => element("span", {className: "unseen"}, text);

/** A number as people read it: thousands apart, at most `digits` behind the point, or exactly so many. */
export function number(value, digits = 3, exactly = false) {
    if (value === null || value === undefined) return "–";
    return value.toLocaleString("en", {minimumFractionDigits: exactly ? digits : 0, maximumFractionDigits: digits}).replace("-", "−");
}

/** A number in a column of its like. */
export const decimal = value => number(value, 3, true);

/** "1 item", "2 items". */
export const count = (n, noun) => `${number(n)} ${noun}${n === 1 ? "" : "s"}`;

/** A value of a catalogue's attribute as text. */
export function plain(value) {
    if (value === null || value === undefined) return "–";
    if (typeof value === "number") return number(value, Math.abs(value) >= 1000 ? 0 : 3);
    if (typeof value !== "object") return String(value);
    return (Array.isArray(value) ? value.map(plain) : Object.entries(value).map(([name, part]) => `${name} ${plain(part)}`)).join(", ");
}

/** A label of the server's map as a word: APPLY is "Apply". */
export const word = label => label.charAt(0).toUpperCase() + label.slice(1).toLowerCase();

/** An attribute's or a text's name as words: price_sensitivity is "Price sensitivity". */
export const named = name => (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll("_", " ");

/** table({caption, head: [{name, numeric}], rows: [[cell...]], unseenCaption}): cells are texts or elements; the first of a row heads it. */
export function table({caption, head, rows, unseenCaption = false}) {
    const numeric = i => head[i].numeric ? "n" : "";
    const made = element("table", {},
        element("caption", {}, unseenCaption ? unseen(caption) : caption),
        element("thead", {}, element("tr", {}, ...head.map((h, i) => element("th", {scope: "col", className: numeric(i)}, h.name)))),
        element("tbody", {}, ...rows.map(cells => element("tr", {}, ...cells.map((cell, i) =>
            i === 0 ? element("th", {scope: "row", className: numeric(i)}, cell) : element("td", {className: numeric(i)}, cell))))));
    return element("div", {className: "scroll", role: "region", "aria-label": caption, tabIndex: 0}, made);
}

/** Says to screen readers what has changed. */
export function announce(text) {
    byId("news").textContent = text;
}

export function clearProblem() {
    byId("problem").replaceChildren();
}

/** Shows what went wrong, in the server's words where it gave some. */
export function showProblem(problem) {
    const close = element("button", {type: "button"}, "Close");
    close.addEventListener("click", () => { clearProblem(); byId("main").focus(); });
    byId("problem").replaceChildren(
        element("p", {}, element("strong", {}, problem.title ?? "Failed"), " ", problem.message), close);
}

/** Runs what a person asked for; what it throws is shown. */
export async function attempt(action) {
    clearProblem();
    try {
        await action();
    } catch (problem) {
        if (problem.name !== "AbortError") showProblem(problem);
    }
}

/** The action of a form, given what is in it and the button, one at a time. Its buttons keep the focus: they are not disabled. */
export function onSubmit(form, action) {
    form.addEventListener("submit", async event => {
        event.preventDefault();
        if (form.ariaBusy === "true") return;
        form.ariaBusy = "true";
        await attempt(() => action(new FormData(form), event.submitter));
        form.ariaBusy = "false";
    });
}
