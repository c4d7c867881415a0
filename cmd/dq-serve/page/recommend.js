// SPDX-License-Identifier: MIT
// The view of recommendations: what a model shows to a user, and a person's answers, which go to the server's log. For
// jobs it is the interactive simulation: a person reads the profile and a job, and answers in the applicant's place.

import {byId, element, announce, attempt, count, decimal, number, onSubmit, word} from "/dom.js";
import {get, post} from "/api.js";
import {status, offerUsers} from "/state.js";
import {facts, prose, title} from "/browse.js";

/* The answers to the lists of one user: the request, its items, and of each item the best reward so far, as logs are read. */
let session = null;
let opened = false;
let before = {sum: 0, answers: 0}; // of the lists before, of the same user

function sum() {
    const best = [...session.best.values()];
    return {sum: before.sum + best.reduce((a, b) => a + b, 0), answers: before.answers + best.length};
}

function tell() {
    const {sum: reward, answers} = sum(), open = session.items.length - session.best.size;
    byId("sum").textContent = answers
        ? `Sum of rewards: ${number(reward, 2)} from ${count(answers, "answer")}. ` + (open ? `${number(open)} open.` : "All answered.")
        : "Nothing answered yet.";
}

/* One at a time, the first without an answer is there alone. */
function showCards(moveFocus) {
    const single = byId("one-by-one").checked, cards = [...byId("shown").children];
    const current = cards.find(card => !session.best.has(card.dataset.id));
    for (const card of cards) card.hidden = single && card !== current;
    if (!single || !moveFocus) return;
    if (current) current.querySelector("h4").focus();
    else byId("recommend-form").querySelector(".main").focus();
}

async function answer(card, item, label, button) {
    const taken = await post("/api/feedback", {request_id: session.request, item_id: item.item_id, label});
    session.best.set(item.item_id, Math.max(taken.reward ?? 0, session.best.get(item.item_id) ?? -Infinity));
    for (const other of card.querySelectorAll(".answers button")) other.ariaPressed = String(other === button);
    card.querySelector(".taken").textContent = `Answered: ${word(label)}, reward ${number(taken.reward, 2)}`;
    tell();
    showCards(true);
}

function answers(card, item) {
    const group = element("div", {className: "answers", role: "group", "aria-label": "Your answer to " + title(item)});
    for (const {label, reward} of status.labels) {
        const button = element("button", {type: "button", ariaPressed: "false"}, word(label), " ", element("small", {}, number(reward, 2)));
        button.addEventListener("click", () => attempt(() => answer(card, item, label, button)));
        group.append(button);
    }
    group.append(element("span", {className: "taken hint good"}));
    return group;
}

/* Texts and attributes of a card's item are asked for when it comes into sight: a list may have a thousand. */
const toRead = new WeakMap();
const reader = new IntersectionObserver(entries => {
    for (const {isIntersecting, target} of entries) {
        if (!isIntersecting) continue;
        reader.unobserve(target);
        toRead.get(target)().catch(() => {}); // without them there is still the title
    }
}, {rootMargin: "300px"});

function card(item) {
    const made = element("li", {className: "card"});
    const about = [item.score === null || item.score === undefined ? null : `score ${decimal(item.score)}`,
        item.propensity === null || item.propensity === undefined ? null : `propensity ${number(item.propensity)}`].filter(Boolean);
    made.dataset.id = item.item_id;
    const body = element("div");
    made.append(element("h4", {tabIndex: -1}, element("span", {className: "place"}, `${item.rank}. `), title(item)),
        element("p", {className: "hint"}, [title(item) === item.item_id ? null : item.item_id, ...about].filter(Boolean).join(" · ")),
        body, answers(made, item));
    toRead.set(made, async () => {
        const known = await get("/api/items/" + encodeURIComponent(item.item_id));
        const texts = Object.fromEntries(Object.entries(known.texts ?? {}).filter(([, text]) => text !== title(item)));
        body.replaceChildren(...prose(texts), ...facts(known.attributes));
    });
    reader.observe(made);
    return made;
}

async function showProfile(user) {
    const box = byId("profile");
    byId("profile-heading").textContent = "Profile of user " + user;
    try {
        const known = await get("/api/users/" + encodeURIComponent(user));
        box.replaceChildren(...prose(known.texts), ...facts(known.attributes),
            element("p", {className: "hint"}, count(known.interactions, "interaction") + ". ", element("a", {href: "#/users/" + encodeURIComponent(user)}, "All of them")));
    } catch (problem) {
        if (problem.status !== 404) throw problem;
        box.replaceChildren(element("p", {className: "hint"}, "The catalogue has no user of this id."));
    }
}

/** Shows an answer of /api/recommend. */
export async function present(list) {
    if (session && session.user === list.user_id) before = sum();
    else before = {sum: 0, answers: 0};
    session = {user: list.user_id, request: list.request_id, items: list.items, best: new Map()};
    byId("recommend-user").value = list.user_id;
    byId("session").hidden = false;
    byId("shown-by").textContent = list.fallback ? `By ${list.fallback}: the model cannot rank for this user.` : `By model ${list.model}.`;
    byId("shown").replaceChildren(...list.items.map(card));
    tell();
    announce(count(list.items.length, "item") + " shown.");
    showCards(false);
    await showProfile(String(list.user_id));
    byId("profile-heading").focus({preventScroll: true});
}

/* What the strength of an exploration is called; an ensemble has none. */
const strengths = {epsilon: "epsilon", softmax: "temperature"};

function exploration(form) {
    const method = form.get("explore"), strength = strengths[method];
    return {method, ...(strength ? {[strength]: Number(form.get("strength"))} : {})};
}

async function ask(form) {
    const diversity = Number(form.get("diversity"));
    await present(await post("/api/recommend", {user_id: form.get("user").trim(), n_recommendations: Number(form.get("n")),
        ...(form.get("explore") ? {explore: exploration(form)} : {}), ...(diversity > 0 ? {diversity} : {})}));
}

export async function open(user) {
    if (!opened) byId("one-by-one").checked = !status.simulated; // what has texts is read one by one
    opened = true;
    if (user) byId("recommend-user").value = user;
    await offerUsers(byId("recommend-user"));
    if (user && String(session?.user) !== user) await ask(new FormData(byId("recommend-form")));
}

export function start() {
    onSubmit(byId("recommend-form"), ask);
    byId("explore").addEventListener("change", event => {
        const name = strengths[event.target.value];
        byId("strength").parentElement.hidden = !name;
        byId("strength-label").textContent = name ? word(name) : "";
    });
    byId("one-by-one").addEventListener("change", () => session && showCards(false));
}
