// SPDX-License-Identifier: MIT
// What a browser made of the page: a list of faults, each a line. serve_page.py calls it, behind contrast.js, in every view, width
// and scheme.

const seen = e => e.checkVisibility({checkVisibilityCSS: true}) && e.getClientRects().length > 0 && !e.closest(".unseen, .skip");
const hasText = e => [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
const scrolls = e => e.closest(".scroll") !== null;

// The name that a screen reader says, in the cases that this page has.
const nameOf = e => {
    const by = e.getAttribute("aria-labelledby");
    if (by) return by.split(" ").map(id => document.getElementById(id)?.textContent ?? "").join(" ").trim();
    return e.getAttribute("aria-label") || [...e.labels ?? []].map(l => l.textContent).join(" ").trim() || (e.matches("input, select, progress, canvas") ? "" : e.textContent.trim());
};

const faults = [], fault = (e, words) => faults.push(`${words}: ${e.outerHTML.slice(0, 120)}`);
const all = [...document.querySelectorAll("body *")].filter(seen), root = document.documentElement;

if (root.lang !== "en") faults.push("no language");
if (root.scrollWidth > innerWidth) faults.push(`${root.scrollWidth - innerWidth} pixels wider than the window`);
for (const e of all) if (!scrolls(e) && e.getBoundingClientRect().right > innerWidth + 0.5) fault(e, "ends beyond the window");
for (const e of all.filter(hasText)) {
    const ratio = contrast(getComputedStyle(e).color, ground(e));
    if (ratio < 4.5) fault(e, `contrast ${ratio.toFixed(2)}`);
}
for (const e of all.filter(e => e.matches("input, select, button:not(.main)") && !e.closest("thead, .list"))) {
    const ratio = contrast(getComputedStyle(e).borderTopColor, ground(e.parentElement));
    if (ratio < 3) fault(e, `border's contrast ${ratio.toFixed(2)}`);
}
for (const e of all.filter(e => e.matches("a, button, input, select, summary, progress, canvas, table, nav, dialog, [role=region], [role=group]"))) {
    if (e.matches("table") ? !e.caption?.textContent : !nameOf(e)) fault(e, "no name");
    if (e.matches("button, input, select") && !e.closest("thead") && e.getBoundingClientRect().height < (e.type === "checkbox" ? 18 : 24)) fault(e, "too small to hit");
}
for (const e of all.filter(e => e.matches("canvas"))) if (e.getAttribute("role") !== "img" || !nameOf(e).includes(": ")) fault(e, "a picture without words");
const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
if (new Set(ids).size !== ids.length) faults.push("an id twice");
let level = 0;
for (const e of all.filter(e => e.matches("h1, h2, h3, h4"))) {
    const next = Number(e.tagName[1]);
    if (next > level + 1) fault(e, `a heading of level ${next} under one of level ${level}`);
    level = next;
}
if (document.querySelectorAll("nav [aria-current=page]").length !== 1) faults.push("not one current view");
for (const entry of performance.getEntriesByType("resource")) if (!entry.name.startsWith(location.origin)) faults.push(`asked ${entry.name}`);
if (document.cookie || localStorage.length || sessionStorage.length) faults.push("something was stored");
return {faults, texts: all.filter(hasText).length, dark: luminance(ground(document.body)) < 0.5, width: innerWidth};
