// SPDX-License-Identifier: MIT
// What the server says of itself: its data, models, job and labels. The page asks anew whenever a view opens.

import {byId, element} from "/dom.js";
import {get} from "/api.js";

export let status = null;

/** Asks the server, and shows what it is able to do: parts with data-only are for a demo, or for data that it made. */
export async function refresh() {
    status = await get("/api/status");
    const able = {demo: status.demo, production: !status.demo, simulated: status.demo && (status.simulated || !status.items)};
    for (const part of document.querySelectorAll("[data-only]")) part.hidden = !able[part.dataset.only];
    return status;
}

/** Offers users' ids to a field as somebody types; proposes the first where the field is empty. */
export async function offerUsers(field) {
    let waiting = 0;
    const ask = async q => {
        const {users} = await get("/api/users", {limit: 20, q});
        byId("user-ids").replaceChildren(...users.map(user => element("option", {value: user.user_id})));
        return users;
    };
    field.oninput = () => {
        clearTimeout(waiting);
        waiting = setTimeout(() => ask(field.value).catch(() => {}), 250);
    };
    const users = await ask("");
    if (!field.value && users.length) field.value = users[0].user_id;
}
