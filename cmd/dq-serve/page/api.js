// SPDX-License-Identifier: MIT
// The server's endpoints. A token is kept in this module's memory alone: no cookie, no storage.

import {byId} from "/dom.js";

/** What the server could not do: the title and the detail of its problem (RFC 9457). */
export class Problem extends Error {
    constructor(title, detail, status = 0) {
        super(detail);
        this.title = title;
        this.status = status;
    }
}

let token = null, asking = null;

/** Asks the person for the server's token; one dialog for all requests that wait for it. */
function askForToken(wrong) {
    asking ??= new Promise((resolve, reject) => {
        const dialog = byId("token-dialog"), field = byId("token");
        byId("token-words").textContent = wrong ? "The server does not take this token."
            : "It is kept in this page alone, until you close or reload it.";
        field.value = "";
        byId("token-cancel").onclick = () => dialog.close("");
        byId("token-form").onsubmit = event => { event.preventDefault(); dialog.close("given"); };
        dialog.onclose = () => {
            asking = null;
            token = dialog.returnValue === "given" ? field.value : null;
            field.value = "";
            if (token === null) reject(new Problem("No token", "This server answers nobody without one.", 401));
            else resolve();
        };
        dialog.returnValue = "";
        dialog.showModal();
    });
    return asking;
}

async function send(path, options) {
    for (;;) {
        const used = token;
        let reply;
        try {
            reply = await fetch(path, {...options, credentials: "omit", cache: "no-store",
                headers: {...options.headers, ...(used === null ? {} : {Authorization: "Bearer " + used})}});
        } catch (error) {
            if (error.name === "AbortError") throw error;
            throw new Problem("No answer", "The server cannot be reached.");
        }
        if (reply.status !== 401) return reply;
        if (used === token) await askForToken(used !== null);
    }
}

async function answer(reply) {
    let body;
    try {
        body = await reply.json();
    } catch {
        throw new Problem("Failed", `The server answered ${reply.status} without JSON.`, reply.status);
    }
    if (!reply.ok) throw new Problem(body.title ?? "Failed", body.detail ?? `The server answered ${reply.status}.`, reply.status);
    return body;
}

/** GET, with what is defined of `query`. */
export async function get(path, query = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
    const search = new URLSearchParams(given).toString();
    return answer(await send(search ? path + "?" + search : path, {}));
}

/** POST of JSON. */
export async function post(path, body = {}) {
    return answer(await send(path, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)}));
}

/**
 * The server's events, one {name, data} after the other, until `end`. By fetch() and not by EventSource, which can send
 * no token, and which comes back by itself after the end.
 */
export async function* events(signal) {
    const reply = await send("/api/events", {headers: {Accept: "text/event-stream"}, signal});
    if (!reply.ok) await answer(reply);
    if (reply.status === 204) return; // there was no job yet
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    try {
        yield* parsed(reader);
    } finally {
        reader.cancel().catch(() => {}); // whoever stops listening is no watcher any more
    }
}

async function* parsed(reader) {
    let text = "", name = "", data = [];
    for (;;) {
        const {value, done} = await reader.read();
        if (done) throw new Problem("Cut off", "The server's events ended in the middle.");
        text += value;
        const lines = text.split(/\r\n|\n|\r/);
        text = lines.pop();
        for (const line of lines) {
            if (line === "") {
                if (data.length) yield {name: name || "message", data: JSON.parse(data.join("\n"))};
                if (name === "end") return;
                name = "";
                data = [];
            } else if (line.startsWith("event:")) name = line.slice(6).trim();
            else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
        }
    }
}
