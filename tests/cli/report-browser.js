// SPDX-License-Identifier: MIT
// What a browser made of a report: lines "NAME VALUE", said to the page in whose frame it stands. report-browser.bats
// reads them, and puts contrast.js before this.

const hasText = e => [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
const linesOf = e => {
    const range = document.createRange();
    range.selectNodeContents(e);
    return range.getClientRects().length;
};
const scrolls = e => e.closest(".scroll") !== null;

addEventListener("load", () => {
    const all = [...document.querySelectorAll("body *")].filter(e => e.tagName !== "SCRIPT");
    const links = [...document.querySelectorAll("a[href^='#']")], ids = [...document.querySelectorAll("[id]")].map(e => e.id);
    const pictures = [...document.images], lines = [];
    const see = (name, value) => lines.push(name + " " + value);
    const root = document.documentElement;
    see("width", innerWidth);
    see("overflow", Math.max(0, root.scrollWidth - innerWidth) +
        all.filter(e => !scrolls(e) && !e.closest(".skip") && e.getBoundingClientRect().right > innerWidth + 0.5).length);
    see("requests", performance.getEntriesByType("resource").filter(r => !r.name.startsWith("data:")).length);
    see("scripts", document.scripts.length);
    see("title", document.title);
    see("pictures", pictures.length && pictures.every(i => i.complete && i.naturalWidth > 0 && i.alt &&
        (i.currentSrc === i.src) === matchMedia("(prefers-color-scheme:light)").matches) ? "whole" : "broken");
    see("links", links.every(a => document.getElementById(a.hash.slice(1))) ? "whole" : "broken");
    see("ids", new Set(ids).size === ids.length ? "once" : "twice");
    see("names", [...document.querySelectorAll("tbody th")].every(e => e.textContent.length > 18 || linesOf(e) < 2) ? "whole" : "broken");
    see("contrast", Math.min(...all.filter(hasText).map(e => contrast(getComputedStyle(e).color, ground(e)))).toFixed(2));
    see("scheme", luminance(ground(document.body)) > 0.5 ? "light" : "dark");
    see("columns", document.querySelector("nav").getBoundingClientRect().right <= document.querySelector("main").getBoundingClientRect().left ? 2 : 1);
    for (const cell of document.querySelectorAll("td data")) see("cell", cell.value);
    parent.postMessage("\n" + lines.join("\n") + "\n", "*");
});
