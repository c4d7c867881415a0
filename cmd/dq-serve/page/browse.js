// SPDX-License-Identifier: MIT
// The views of users and of items: a list to search in, and one of them with all that is known of it.

import {byId, element, attempt, announce, count, named, number, plain, table} from "/dom.js";
import {get} from "/api.js";
import {status} from "/state.js";

const sides = {
    users: {id: "user_id", one: "User", other: "item_id", otherName: "Item", search: "Search users"},
    items: {id: "item_id", one: "Item", other: "user_id", otherName: "User", search: "Search items"},
};

/** Texts of a user or an item, each under its name. */
export function prose(texts) {
    return Object.entries(texts ?? {}).filter(([, text]) => text).map(([name, text]) =>
        element("div", {className: "prose"}, element("h4", {}, named(name)), element("p", {}, text)));
}

/** Attributes as a list of names and values. */
export function facts(attributes) {
    const all = Object.entries(attributes ?? {});
    if (!all.length) return [];
    return [element("dl", {className: "facts"}, ...all.map(([name, value]) =>
        element("div", {}, element("dt", {}, named(name)), element("dd", {}, plain(value)))))];
}

/** What one is called: an item's title, else the id. */
export const title = entity => entity.title || entity.item_id || entity.user_id;

/* A moment as day and minute, of a number since 1970 (seconds, milliseconds or microseconds) or of ISO 8601. */
function time(value) {
    const seconds = value > 1e14 ? value / 1e6 : value > 1e11 ? value / 1e3 : value;
    const known = typeof value === "number" && Math.abs(seconds) <= 8.64e12; // what a Date can be
    const text = known ? new Date(1000 * seconds).toISOString() : plain(value);
    const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(text);
    if (!parts) return text;
    return element("time", {dateTime: text}, element("span", {}, parts[1]), " ", element("span", {}, parts[2]));
}

function history(side, entity) {
    const rows = entity.history ?? [];
    if (!rows.length) return element("p", {className: "hint"}, "No interactions.");
    const head = [{name: side.otherName}, {name: "Label"}, {name: "Reward", numeric: true}, {name: "Time"}];
    const link = row => element("a", {href: `#/${side.other === "item_id" ? "items" : "users"}/${encodeURIComponent(row[side.other])}`},
        row.title || row[side.other]);
    const caption = entity.interactions > rows.length ? `The latest ${number(rows.length)} of ${number(entity.interactions)} interactions` : `Interactions: ${number(rows.length)}`;
    return table({caption, head, rows: rows.map(row => [link(row), row.label ?? "–", number(row.reward), time(row.time)])});
}

export class Browser {
    constructor(name) {
        this.name = name;
        this.side = sides[name];
        this.query = "";
        this.next = null;
        this.build();
    }

    build() {
        const {side, name} = this, id = name + "-search";
        this.field = element("input", {id, type: "search", autocomplete: "off"});
        this.list = element("ul", {className: "list", "aria-label": side.one + "s"});
        this.count = element("span", {className: "hint", role: "status"});
        this.more = element("button", {type: "button"}, "More");
        this.detail = element("section", {className: "detail", "aria-label": side.one});
        byId(name).append(element("div", {className: "two"},
            element("div", {className: "listing"}, element("p", {className: "search"}, element("label", {htmlFor: id}, side.search), this.field),
                this.list, element("p", {className: "more"}, this.more, this.count)),
            this.detail));
        let waiting = 0;
        this.field.addEventListener("input", () => {
            clearTimeout(waiting);
            waiting = setTimeout(() => attempt(() => this.search()), 250);
        });
        this.more.addEventListener("click", () => attempt(() => this.page()));
    }

    async search() {
        this.next = null;
        this.list.replaceChildren();
        await this.page();
    }

    async page() {
        const query = this.field.value, answer = await get("/api/" + this.name, {limit: 20, after: this.next, q: query});
        if (query !== this.field.value) return; // somebody typed on
        const had = this.list.childElementCount;
        this.list.append(...answer[this.name].map(entity => this.row(entity)));
        this.next = answer.next;
        this.more.hidden = !answer.next;
        if (had && !answer.next) this.list.children[had]?.firstElementChild.focus(); // "More" is gone, and with it the focus
        const n = this.list.childElementCount;
        this.count.textContent = query ? `${number(n)} found${answer.next ? " so far" : ""}` : `${number(n)} of ${number(answer.total)}`;
    }

    row(entity) {
        const id = entity[this.side.id], head = title(entity);
        const text = Object.values(entity.texts ?? {}).find(value => value && value !== head) ??
            Object.entries(entity.attributes ?? {}).filter(([, value]) => typeof value !== "object").slice(0, 4).map(([name, value]) => `${named(name).toLowerCase()} ${plain(value)}`).join(", ");
        const button = element("button", {type: "button"}, element("span", {}, head),
            element("span", {className: "hint"}, (head === id ? "" : id + " · ") + count(entity.interactions, "interaction") + (text ? " · " + text : "")));
        button.dataset.id = id;
        button.addEventListener("click", () => { location.hash = `#/${this.name}/${encodeURIComponent(id)}`; });
        return element("li", {}, button);
    }

    async show(id) {
        const {side} = this, entity = await get(`/api/${this.name}/${encodeURIComponent(id)}`);
        for (const button of this.list.querySelectorAll("button")) {
            if (button.dataset.id === id) button.ariaCurrent = "true";
            else button.ariaCurrent = null;
        }
        const to = (view, words) => element("a", {href: `#/${view}/${encodeURIComponent(id)}`}, words);
        const heading = element("h3", {tabIndex: -1}, title(entity));
        this.detail.parentElement.classList.add("chosen");
        this.detail.replaceChildren(element("p", {className: "back"}, element("a", {href: "#/" + this.name}, `All ${this.name}`)), heading,
            ...(title(entity) === id ? [] : [element("p", {className: "hint"}, id)]),
            ...(this.name === "users" ? [element("p", {className: "actions"}, to("recommend", "Recommend"), to("models", "Values"))] : []),
            ...prose(entity.texts), ...facts(entity.attributes), history(side, entity));
        this.detail.scrollTop = 0;
        heading.focus({preventScroll: matchMedia("(min-width: 56rem)").matches});
        announce(`${side.one} ${title(entity)}`);
    }

    async open(id) {
        const before = this.seen;
        this.seen = `${status.users} ${status.items} ${status.interactions}`;
        if (before !== this.seen) {
            this.detail.replaceChildren(element("p", {className: "hint"}, `Choose one of the ${this.name}.`));
            await this.search();
        }
        if (id) await this.show(id);
        else this.detail.parentElement.classList.remove("chosen");
    }
}
