// SPDX-License-Identifier: MIT
// The view of training: one job at a time, followed while it runs.

import {byId, element, announce, attempt, number, onSubmit} from "/dom.js";
import {Problem, get, post, events} from "/api.js";
import {figure} from "/charts.js";
import {refresh, status} from "/state.js";

const MOST_POINTS = 2000;
let points = [], stride = 1, unit = "episode", watching = false, drawing = 0, figures = null;

function makeFigures() {
    const x = unit === "epoch" ? "epoch" : "episode";
    for (const made of Object.values(figures ?? {})) made.remove();
    const reward = unit === "epoch" ? "NDCG of held-out users" : "reward";
    figures = {
        reward: figure({title: unit === "epoch" ? "Quality" : "Reward", kind: "line", x, y: reward, names: [reward, "moving average"]}),
        length: figure({title: "Length", kind: "line", x, y: "steps", names: ["steps"], zero: true}),
        loss: figure({title: "Loss", kind: "line", x, y: "loss", names: ["loss"], zero: true}),
    };
    figures.reward.box.classList.add("wide");
    byId("training-charts").replaceChildren(...Object.values(figures).map(made => made.box));
}

const has = name => points.some(point => point[name] !== null && point[name] !== undefined);
const column = name => points.map(point => point[name] ?? null);

function draw() {
    drawing = 0;
    const labels = column("episode"), last = points.at(-1);
    byId("training-charts").hidden = !last;
    if (!last) return;
    const words = `${unit} ${number(last.episode)}, `;
    figures.reward.show([column("reward"), column("average")], labels, words + `${number(last.reward)}, moving average ${number(last.average)}`);
    figures.length.show([column("length")], labels, words + `${number(last.length)} steps`);
    figures.loss.show([column("loss")], labels, words + `loss ${number(last.loss)}`);
    figures.reward.box.hidden = !has("reward");
    figures.length.box.hidden = !has("length");
    figures.loss.box.hidden = !has("loss");
}

/* Curves are drawn at most five times a second, however fast episodes end. */
const drawSoon = () => { drawing ||= setTimeout(draw, 200); };

/* Of a long run every stride-th point is kept, as the server does it. */
function add(point) {
    const last = points.at(-1);
    if (last && point.episode <= last.episode) return;
    if ((point.episode - 1) % stride && point.episode !== point.episodes) return;
    points.push(point);
    if (points.length > MOST_POINTS) {
        stride *= 2;
        points = points.filter(p => (p.episode - 1) % stride === 0);
    }
}

function begin(newUnit) {
    points = [];
    stride = 1;
    unit = newUnit ?? "episode";
    makeFigures();
}

/* The curves of the latest training, from before this page looked. */
function takeMetrics(m) {
    begin(m.unit);
    stride = m.stride ?? 1;
    points = m.rewards.map((reward, i) => ({episode: 1 + i * stride, episodes: m.episodes, reward, average: m.moving_average[i],
        length: m.lengths[i] ?? null, loss: m.losses?.[i] ?? null}));
    draw();
}

function running(yes) {
    const cancel = byId("cancel");
    if (!yes && document.activeElement === cancel) byId("train-form").querySelector(".main").focus();
    cancel.hidden = !yes;
}

function say(words) {
    byId("job").hidden = false;
    byId("job-words").textContent = words;
}

function progress(data, told) {
    add(data);
    drawSoon();
    byId("job-bar").max = data.episodes;
    byId("job-bar").value = data.episode;
    const average = data.average ?? data.reward;
    const words = `${data.unit === "epoch" ? "Epoch" : "Episode"} ${number(data.episode)} of ${number(data.episodes)}` +
        (average === null || average === undefined ? "" : `, ${data.unit === "epoch" ? "quality" : "average reward"} ${number(average)}`);
    say(words);
    const tenth = Math.floor(10 * data.episode / data.episodes);
    if (tenth > told && tenth < 10) announce(words);
    return Math.max(told, tenth);
}

const stages = {init: "Making the data", reward: "Looking up rewards", train: "Training", recommend: "Recommending"};

/** Follows the job that runs to its end, which is given back; null where there is none, or where it is followed already. */
export async function watch() {
    if (watching) return null;
    watching = true;
    running(true);
    let told = 0;
    try {
        for await (const {name, data} of events()) {
            if (name === "stage") say((stages[data.stage] ?? data.stage) + " …");
            else if (name === "progress") told = progress(data, told);
            else if (name === "end") {
                takeMetrics(await get("/api/metrics")); // a slow watcher has missed events
                const words = data.ok ? data.message || "Done." : data.message || data.state;
                say(words);
                announce(words);
                if (data.state === "failed") throw new Problem("Failed", data.message);
                return data;
            }
        }
        return null;
    } finally {
        watching = false;
        running(false);
    }
}

export async function open() {
    const models = byId("train-model"), chosen = models.value;
    models.replaceChildren(...status.models.map(({name}) => element("option", {value: name}, name)));
    if (status.models.some(({name}) => name === chosen)) models.value = chosen;
    models.parentElement.hidden = status.models.length < 2;
    byId("episodes-label").textContent = status.simulated ? "Episodes" : "Passes";
    byId("train-hint").textContent = status.simulated ? "An episode is a session with one of the users, who are simulated."
        : "A pass goes over the labels in the data and the answers in the server's log. One model is trained for all users.";
    if (watching) return;
    takeMetrics(await get("/api/metrics"));
    if (status.job?.state === "running") attempt(watch);
}

/** A job that the server has taken up is followed to its end. */
export async function follow(job) {
    begin(job.unit);
    byId("training-charts").hidden = true;
    byId("job-bar").max = job.episodes;
    byId("job-bar").value = 0;
    say("Training …");
    const end = await watch();
    await refresh();
    return end;
}

export function start() {
    onSubmit(byId("train-form"), async form => {
        const agent = form.get("agent"), model = form.get("model");
        await follow(await post("/api/train", {episodes: Number(form.get("episodes")), ...(agent ? {agent} : {}), ...(model ? {model} : {})}));
    });
    byId("cancel").addEventListener("click", () => attempt(() => post("/api/cancel")));
}
