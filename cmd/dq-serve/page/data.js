// SPDX-License-Identifier: MIT
// The view of the data: how much there is, what its distributions are, and new data made.

import {byId, element, announce, count, named, number, onSubmit} from "/dom.js";
import {get, post} from "/api.js";
import {figure, bins} from "/charts.js";
import {refresh, status} from "/state.js";
import {follow, watch} from "/training.js";
import {present} from "/recommend.js";

let shown = [];

function heading(text) {
    const made = element("h3", {className: "wide group"}, text);
    byId("data-charts").append(made);
    shown.push({remove: () => made.remove()});
}

function picture(title, x, y, labels, counts, words) {
    const made = figure({title, kind: "bar", x, y, names: [y], head: [x || title, y], level: 4, integers: true});
    byId("data-charts").append(made.box);
    made.show([counts], labels, words);
    shown.push(made);
}

const most = (labels, counts) => counts.length ? `most often ${labels[counts.indexOf(Math.max(...counts))]}` : "empty";

function histogram(title, x, y, h) {
    const {labels, counts} = bins(h);
    picture(title, x, y, labels, counts, counts.length
        ? `from ${number(h.min)} to ${number(h.max)}, mean ${number(h.mean)}, ${most(labels, counts)}` : "empty");
}

function attributes(title, what, list) {
    if (!list?.length) return;
    heading(title);
    for (const a of list) {
        if (a.bins) {
            const {labels, counts} = bins(a);
            picture(named(a.attribute), "", what, labels, counts, most(labels, counts));
            continue;
        }
        const values = a.others ? [...a.values, {value: "others", count: a.others}] : a.values;
        const labels = values.map(v => String(v.value)), counts = values.map(v => v.count);
        picture(named(a.attribute), "", what, labels, counts, most(labels, counts));
    }
}

function distributions(d) {
    for (const part of shown) part.remove();
    shown = [];
    heading("What users did");
    picture("Labels", "label", "interactions", d.labels.map(l => l.value), d.labels.map(l => l.count),
        d.labels.map(l => `${l.value} ${number(l.count)}`).join(", ") || "none");
    histogram("Rewards", "reward", "interactions", d.rewards);
    histogram("Activity of users", "interactions of a user", "users", d.user_activity);
    histogram("Popularity of items", "interactions with an item", "items", d.item_popularity);
    attributes("Users", "users", d.users);
    attributes("Items", "items", d.items);
}

export async function open() {
    const totals = [["Users", status.users], ["Items", status.items], ["Interactions", status.interactions],
        ["Models", status.models.filter(model => model.loaded).length]];
    byId("totals").replaceChildren(...totals.map(([name, value]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, number(value)))));
    if (status.items) distributions(await get("/api/distributions"));
}

/* Data, training and recommendations in one job of the server, followed where trainings are, shown where lists are. */
async function pipeline(sizes) {
    const job = await post("/api/pipeline", {...sizes, episodes: Number(byId("episodes").value)});
    location.hash = "#/training";
    const end = await follow(job);
    if (!end?.result) return;
    location.hash = "#/recommend";
    await present(end.result);
}

export function start() {
    onSubmit(byId("init-form"), async (form, button) => {
        const sizes = Object.fromEntries([...form].map(([name, value]) => [name, Number(value)]));
        if (button?.id === "pipeline") return pipeline(sizes);
        const made = await post("/api/init", sizes);
        if (made.users === undefined) await watch(); // more than a moment's work: a job
        await refresh();
        await open();
        announce(`Made ${count(status.users, "user")}, ${count(status.items, "item")} and ${count(status.interactions, "interaction")}.`);
    });
}
