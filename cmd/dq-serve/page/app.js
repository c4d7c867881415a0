// SPDX-License-Identifier: MIT
// The page: views by the address's fragment (#/users/42), one of them shown at a time.

import {byId, attempt} from "/dom.js";
import * as data from "/data.js";
import * as training from "/training.js";
import {Browser} from "/browse.js";
import * as recommend from "/recommend.js";
import * as models from "/models.js";
import {refresh, status} from "/state.js";

const views = {data, training, users: new Browser("users"), items: new Browser("items"), recommend, models};

/* The fragment as a view and an id. It begins with "/", so that it names no element: a browser would let the focus begin there. */
function place() {
    const [, name, id] = location.hash.split("/");
    return {name: Object.hasOwn(views, name) ? name : "data", id: id === undefined ? null : decoded(id)};
}

function decoded(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text; // a stray %: as it stands
    }
}

let current = null;

async function go() {
    const {name, id} = place(), moved = current !== null && current !== name;
    for (const view of Object.keys(views)) byId(view).hidden = view !== name;
    for (const link of document.querySelectorAll("nav a")) {
        if (link.hash === "#/" + name) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
    }
    const heading = byId(name + "-heading");
    document.title = heading.textContent + " · dq";
    current = name;
    if (moved) {
        scrollTo(0, 0);
        heading.focus({preventScroll: true});
    }
    await attempt(async () => {
        await refresh();
        // a demo begins without data, and then there is nothing to see but how to make some
        const section = byId(name), empty = !status.items && name !== "data";
        section.classList.toggle("empty", empty);
        if (empty) section.append(byId("empty"));
        else await views[name].open(id);
    });
}

byId("skip").addEventListener("click", event => {
    event.preventDefault();
    byId("main").focus();
});
for (const view of [data, training, recommend, models]) view.start();
addEventListener("hashchange", go);
go();
