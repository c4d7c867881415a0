# SPDX-License-Identifier: MIT
"""Drives the page of dq-serve in Chromium, as a person would.

    serve_page.py DEMO JOBS LOCKED TOKEN

are addresses of three servers: one with --demo over data that it made, one with --demo over jobs (one title of which is
HOSTILE), one with --token-file. Prints a line for each part, "ok NAME" or "not ok NAME: why"; and for each answer that was
given a line "answered USER ITEM LABEL". serve-page.bats reads them.
"""
import json
import os
import sys
import traceback

from serve_browser import ENTER, SPACE, TAB, Browser

HOSTILE = "<img src=x onerror=\"document.title='stolen'\"><script>document.title='stolen'</script>"
VIEWS = ["data", "training", "users", "items", "recommend", "models"]


def script(name):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), encoding="utf-8") as opened:
        return opened.read()


LOOK = script("contrast.js") + script("serve_page.js")


def has(condition, words):
    if not condition:
        raise AssertionError(words)


def go(b, view):
    b.click(f"nav a[href='#/{view}']")
    b.one(f"#{view}-heading")


def number(text):
    return int(text.replace(",", ""))


# ---- the demo, in the order of a visit ----

def views_open(b, demo):
    """every view opens by its link, which is the current one then, and the heading has the focus; without data, each says so"""
    b.open(demo)
    has(b.get("/api/status")["items"] == 0, "this demo has data already")
    for view in VIEWS[1:] + VIEWS[:1]:
        go(b, view)
        if view != "data":
            b.wait(lambda: "no data yet" in b.text("main"), f"{view} does not say that there is no data")
        has(len([e for e in b.all("main > section") if e.is_displayed()]) == 1, f"{view} is not alone")
        has(b.one("nav [aria-current=page]").get_attribute("hash") == "#/" + view, f"{view} is not current")
        b.wait(lambda view=view: b.run("return document.activeElement.id") == view + "-heading", f"{view} has no focus")
        has(view.capitalize() in b.driver.title, b.driver.title)
    b.open(demo + "/#/constructor/%E0%A4%A")
    has(b.one("nav [aria-current=page]").text == "Data", "an address that names no view")


def data_is_made(b, demo):
    """Initialise makes as many users and items as asked for, and shows their distributions"""
    b.open(demo + "/#/data")
    for field, value in (("#n-users", 60), ("#n-items", 40), ("#n-interactions", 900)):
        b.fill(field, value)
    b.click("#init-form button.main")
    b.says("#news", "Made 60 users, 40 items and 900 interactions.")
    totals = dict(zip([e.text for e in b.all("#totals dt")], [number(e.text) for e in b.all("#totals dd")]))
    has(totals["Users"] == 60 and totals["Items"] == 40 and totals["Interactions"] == 900, totals)
    truth = b.get("/api/distributions")
    b.click("#data-charts details summary")
    rows = b.wait(lambda: b.all("#data-charts figure:first-of-type tbody tr"), "no numbers")
    labels = {name: number(n) for name, n in (row.text.rsplit(" ", 1) for row in rows)}
    has(labels == {label["value"]: label["count"] for label in truth["labels"]}, (labels, truth["labels"]))
    has(len(b.all("#data-charts canvas")) >= 4, "no charts")


def problem_is_shown(b, demo):
    """what the API refuses is shown in its own words, and goes when it is closed"""
    b.open(demo + "/#/data")
    b.fill("#n-users", 99999999)
    b.click("#init-form button.main")
    alert = b.one("#problem p")
    detail = b.driver.execute_async_script(
        "const told = arguments[0]; fetch('/api/init', {method: 'POST', headers: {'Content-Type': 'application/json'},"
        "body: '{\"n_users\": 99999999, \"n_items\": 100, \"n_interactions\": 10000}'}).then(r => r.json()).then(told)")["detail"]
    has(detail and detail in alert.text, (detail, alert.text))
    has(b.one("#problem").get_attribute("role") == "alert", "no alert")
    b.click("#problem button")
    has(not b.all("#problem *"), "not closed")


def training_is_watched(b, demo):
    """a training is watched to its end: progress, curves, numbers; then it can be started again"""
    b.open(demo + "/#/training")
    b.fill("#episodes", 12)
    b.click("#train-form button.main")
    b.says("#job-words", "of 12")
    b.wait(lambda: not b.all("#cancel")[0].is_displayed(), "the training does not end")
    metrics = b.get("/api/metrics")
    has(metrics["state"] == "done" and len(metrics["rewards"]) == 12, metrics)
    words = b.one("#training-charts canvas").get_attribute("aria-label")
    has(words.startswith("Reward: episode 12, "), words)
    b.click("#training-charts details summary")
    rows = b.wait(lambda: b.all("#training-charts figure:first-of-type tbody tr"), "no numbers")
    has(len(rows) == 12, len(rows))
    last = rows[-1].text.split()
    has(abs(float(last[1].replace("−", "-")) - metrics["rewards"][-1]) < 0.001, (last, metrics["rewards"][-1]))
    has(b.all("#job-bar")[0].get_attribute("value") == "12", "the bar is not full")
    b.open(demo + "/#/training")
    b.says("#training-charts canvas", "episode 12")  # the curves are there for who comes later


def training_is_cancelled(b, demo):
    """Cancel ends a training; a second one is refused while the first runs, in words"""
    b.open(demo + "/#/training")
    b.fill("#episodes", 100000)
    b.click("#train-form button.main")
    b.says("#job-words", "of 100,000")
    b.run("fetch('/api/train', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{\"episodes\": 1}'})"
          ".then(r => { document.body.dataset.second = r.status; })")
    b.wait(lambda: b.run("return document.body.dataset.second") == "409", "two at a time")
    b.click("#cancel")
    b.wait(lambda: not b.all("#cancel")[0].is_displayed(), "not cancelled")
    has(b.get("/api/status")["job"]["state"] == "cancelled", b.get("/api/status")["job"])


def pipeline_runs(b, demo):
    """Initialise, train and recommend: one press, and the list is there at the end"""
    b.open(demo + "/#/training")
    b.fill("#episodes", 6)
    go(b, "data")
    for field, value in (("#n-users", 50), ("#n-items", 30), ("#n-interactions", 700)):
        b.fill(field, value)
    b.click("#pipeline")
    b.one("#shown .card h4")
    has(b.get("/api/status")["users"] == 50, "not made")
    has(b.one("nav [aria-current=page]").text == "Recommend", "not shown")


def browsed(b, demo):
    """users and items: search, more, one of them with its history, and from there to the other side"""
    for side in ("users", "items"):
        b.open(f"{demo}/#/{side}")
        rows = b.wait(lambda side=side: b.all(f"#{side} .list button"), "no list")
        has(len(rows) == 20, len(rows))
        b.click(f"#{side} .more button")
        b.wait(lambda side=side: len(b.all(f"#{side} .list button")) > 20, "no more")
        key = "user_id" if side == "users" else "item_id"
        busy = max(b.get(f"/api/{side}?limit=30")[side], key=lambda e: e["interactions"])
        b.fill(f"#{side} input", busy[key])
        b.says(f"#{side} .more", "found")
        b.click(f"#{side} .list button[data-id='{busy[key]}']")
        b.wait(lambda side=side, busy=busy: f"#/{side}/{busy[key]}" in b.driver.current_url, "no place of its own")
        history = b.wait(lambda side=side: b.all(f"#{side} .detail tbody tr"), "no history")
        has(len(history) == min(100, busy["interactions"]), (len(history), busy["interactions"]))
        b.click(f"#{side} .detail tbody a")
        b.one("#items .detail h3" if side == "users" else "#users .detail h3")
    b.click("#users .detail a[href^='#/recommend/']")
    b.one("#shown .card h4")
    b.driver.back()
    b.click("#users .detail a[href^='#/models/']")
    b.one("#values table")


def answered(b, demo):
    """a list is asked for and each answer pressed; rewards are summed, the better answer of two counts"""
    b.open(demo + "/#/recommend")
    labels = b.get("/api/status")["labels"]
    user = b.get("/api/users?limit=3")["users"][1]["user_id"]
    b.fill("#recommend-user", user)
    b.fill("#recommend-n", len(labels))
    b.click("#recommend-form button.main")
    b.wait(lambda: len(b.all("#shown .card")) == len(labels), "not so many as asked for")
    b.says("#profile-heading", user)
    total = 0
    for i, label in enumerate(labels):
        card = b.all("#shown .card")[i]
        button = card.find_elements("css selector", ".answers button")[i]
        button.click()
        b.wait(lambda card=card: "Answered" in card.text, "not answered")
        has(button.get_attribute("aria-pressed") == "true", "not pressed")
        print("answered", user, card.get_attribute("data-id"), label["label"])
        total += label["reward"]
    b.says("#sum", f"from {len(labels)} answers", "All answered.")
    best = max(range(len(labels)), key=lambda i: labels[i]["reward"])
    worst = min(range(len(labels)), key=lambda i: labels[i]["reward"])
    card = b.all("#shown .card")[worst]
    card.find_elements("css selector", ".answers button")[best].click()
    print("answered", user, card.get_attribute("data-id"), labels[best]["label"])
    total += labels[best]["reward"] - labels[worst]["reward"]
    said = lambda: float(b.text("#sum").split(": ")[1].split(" ")[0].replace("−", "-"))
    b.wait(lambda: abs(said() - total) < 0.005, f"the sum is not {total}")


def explored(b, demo):
    """a list is drawn by softmax, and its items say with which probability; diversity is sent"""
    b.open(demo + "/#/recommend")
    b.wait(lambda: b.one("#recommend-user").get_attribute("value"), "no user")
    b.click("#recommend-form summary")
    b.run("const e = document.getElementById('explore'); e.value = 'softmax'; e.dispatchEvent(new Event('change'))")
    b.says("#strength-label", "Temperature")
    b.fill("#strength", 2)
    b.click("#recommend-form button.main")
    b.one("#shown .card h4")
    propensities = [float(e.text.split("propensity ")[1]) for e in b.all("#shown .card > p")]
    has(all(0 < p < 1 for p in propensities), propensities)
    b.run("const e = document.getElementById('explore'); e.value = ''; e.dispatchEvent(new Event('change'))")
    b.fill("#diversity", 2)
    b.click("#recommend-form button.main")
    has(not b.run("return document.getElementById('diversity').validity.valid"), "diversity of 2 is taken")
    b.fill("#diversity", 0.5)
    b.click("#recommend-form button.main")
    b.wait(lambda: all("propensity 1" in e.text for e in b.all("#shown .card > p")), "drawn still")


def values_shown(b, demo):
    """values of a user's items as the server has them; a press on a column's head sorts"""
    b.open(demo + "/#/models")
    user = b.get("/api/users?limit=3")["users"][2]["user_id"]
    b.fill("#models-user", user)
    b.fill("#models-n", 8)
    b.run("document.getElementById('model-b').value = ''")
    b.click("#models-form button.main")
    rows = b.wait(lambda: b.all("#values tbody tr"), "no values")
    truth = b.get(f"/api/values?user_id={user}&n=8")
    name = truth["models"][0]["name"]
    of_first = {item["item_id"]: next(v for v in item["values"] if v["model"] == name) for item in truth["items"]}
    head = [e.text for e in b.all("#values > .scroll thead th")]
    column = next(i for i, text in enumerate(head) if text.startswith("Q-value"))
    best = max(of_first.values(), key=lambda v: v["q"] if v["q"] is not None else -1e9)["q"]
    b.all("#values > .scroll thead button")[column].click()
    b.wait(lambda: b.all("#values > .scroll thead th")[column].get_attribute("aria-sort") == "descending", "not sorted")
    top = b.all("#values > .scroll tbody tr")[0].find_elements("css selector", "th, td")[column].text
    has(abs(float(top.replace("−", "-").replace(",", "")) - best) < 0.001, (top, best))
    b.all("#values > .scroll thead button")[column].click()
    b.wait(lambda: b.all("#values > .scroll thead th")[column].get_attribute("aria-sort") == "ascending", "not turned")
    has(len(rows) == len(truth["items"]), (len(rows), len(truth["items"])))


def models_compared(b, jobs):
    """two models side by side: the best of each with its place by the other, and how many they share"""
    b.open(jobs + "/#/models")
    models = [model["name"] for model in b.get("/api/status")["models"]]
    has(len(models) == 2, models)
    user = b.get("/api/users?limit=3")["users"][2]["user_id"]
    b.fill("#models-user", user)
    b.fill("#models-n", 6)
    b.wait(lambda: len(b.all("#model-b option")) == 3, "no models to choose")
    b.run("document.getElementById('model-b').value = arguments[0]", models[1])
    b.click("#models-form button.main")
    b.one("#values .lists ol")
    truth = b.get(f"/api/values?user_id={user}&n=6")["items"]
    rank = lambda item, model: next((v["rank"] for v in item["values"] if v["model"] == model), None)
    both = [i for i in truth if all(rank(i, m) is not None and rank(i, m) <= 6 for m in models)]
    b.says("#values", f"{len(both)} item")
    firsts = [next(i for i in truth if rank(i, m) == 1) for m in models]
    for lists, first in zip(b.all("#values .lists ol"), firsts):
        has((first["title"] or first["item_id"]) in lists.find_elements("css selector", "li")[0].text, lists.text)


def keyboard_alone(b, demo):
    """the keyboard alone: skip, go, ask and answer; what has the focus shows it; the order is the page's"""
    b.open(demo + "/#/data")
    b.one("#data-charts canvas")
    b.press(TAB)
    has(b.run("return document.activeElement.id") == "skip", "the first stop is not the way past the links")
    b.press(ENTER)
    has(b.run("return document.activeElement.id") == "main", "not skipped")
    b.open(demo + "/#/data")
    b.one("#data-charts canvas")
    stops = []
    while len(stops) < 60:
        b.press(TAB)
        stop = b.run("""const e = document.activeElement; if (e === document.body) return null;
            const s = getComputedStyle(e); e.scrollIntoView({block: 'nearest'});
            return [e.id || e.hash || e.textContent, s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2];""")
        if stop is None or stops and stop[0] == "skip":
            break
        has(stop[1], f"{stop[0]} does not show that it has the focus")
        stops.append(stop[0])
    wanted = ["skip", *["#/" + view for view in VIEWS], "n-users", "n-items", "n-interactions", "Initialise", "pipeline"]
    has(stops[:len(wanted)] == wanted, stops)
    b.run("document.querySelector(\"nav a[href='#/recommend']\").focus()")
    b.press(ENTER)
    b.wait(lambda: b.run("return document.activeElement.id") == "recommend-heading", "not there")
    b.press(TAB)
    has(b.run("return document.activeElement.id") == "recommend-user", "the form is not next")
    b.wait(lambda: b.run("return document.getElementById('recommend-user').value"), "no user proposed")
    b.press(ENTER)
    b.wait(lambda: b.run("return document.activeElement.id") == "profile-heading", "not read on from the profile")
    user = b.one("#recommend-user").get_attribute("value")
    for _ in range(40):
        b.press(TAB)
        if b.run("return document.activeElement.closest('.answers') !== null"):
            break
    item, label = b.run("const e = document.activeElement; return [e.closest('.card').dataset.id, e.firstChild.data]")
    b.press(SPACE)
    b.says("#sum", "from 1 answer.")
    print("answered", user, item, label.upper())


# ---- jobs, and a server that asks for a token ----

def simulation(b, jobs):
    """jobs: the profile and one job at a time; an answer brings the next; the sum is kept over lists"""
    b.open(jobs + "/#/recommend")
    b.wait(lambda: b.one("#recommend-user").get_attribute("value"), "no user")
    has(b.one("#one-by-one").is_selected(), "not one at a time")
    b.fill("#recommend-n", 3)
    b.click("#recommend-form button.main")
    user = b.one("#recommend-user").get_attribute("value")
    cards = lambda: [e for e in b.all("#shown .card") if e.is_displayed()]
    for i in range(3):
        has(len(cards()) == 1, "not one at a time")
        has(b.one("#profile").text.strip(), "no profile")
        card = cards()[0]
        item = card.get_attribute("data-id")
        print("answered", user, item, b.run("return arguments[0].querySelector('.answers button').firstChild.data", card).upper())
        card.find_elements("css selector", ".answers button")[0].click()
        b.says("#sum", f"from {i + 1} answer")
        if i < 2:
            b.wait(lambda: b.run("return document.activeElement.matches('.card h4')"), "the next has no focus")
    b.says("#sum", "All answered.")
    b.click("#recommend-form button.main")
    b.says("#sum", "from 3 answers", "3 open.")


def jobs_trained(b, jobs):
    """jobs: a training goes in passes over the labels; the model that is chosen is replaced by it"""
    b.open(jobs + "/#/training")
    before = {model["name"]: model["digest"] for model in b.get("/api/status")["models"]}
    b.says("#episodes-label", "Passes")
    b.wait(lambda: len(b.all("#train-model option")) == 2, "no model to choose")
    b.run("document.getElementById('train-model').value = 'second'")
    b.fill("#episodes", 2)
    b.click("#train-form button.main")
    b.says("#training-charts canvas", "epoch 2, loss ")
    b.wait(lambda: not b.all("#cancel")[0].is_displayed(), "the training does not end")
    has(b.get("/api/metrics")["state"] == "done", b.text("#job-words"))
    after = {model["name"]: model["digest"] for model in b.get("/api/status")["models"]}
    has(after["first"] == before["first"] and after["second"] != before["second"], (before, after))


def text_stays_text(b, jobs):
    """a title that is markup is shown as it is written, and does nothing"""
    found = b.get("/api/items?q=onerror&limit=5")["items"]
    has(found and found[0]["title"] == HOSTILE, found)
    b.open(jobs + "/#/items/" + found[0]["item_id"])
    b.wait(lambda: b.text("#items .detail h3") == HOSTILE, b.text("#items .detail h3"))
    b.fill("#items input", "onerror")
    b.says("#items .list", HOSTILE)
    for view, n, seen in (("recommend", "#recommend-n", "#shown"), ("models", "#models-n", "#values")):
        b.open(f"{jobs}/#/{view}")
        b.wait(lambda view=view: b.one(f"#{view}-user").get_attribute("value"), "no user")
        b.fill(n, b.get("/api/status")["items"])
        b.click(f"#{view}-form button.main")
        b.says(seen, HOSTILE)
    has("stolen" not in b.driver.title, b.driver.title)
    has(not b.all("img, main script, iframe, object"), "an element of the catalogue's")


def token_asked_for(b, locked, token):
    """a server with a token: the page asks, says when it is wrong, keeps it nowhere but in itself"""
    b.open(locked, until="dialog[open]")
    b.fill("#token", "wrong")
    b.press(ENTER)
    b.says("#token-words", "does not take this token")
    b.fill("#token", token)
    b.click("#token-form button.main")
    b.wait(lambda: len(b.all("#data-charts canvas")) >= 4, "no data")
    shown = [e.text for e in b.all("nav a") if e.is_displayed()]
    has("Training" not in shown and not b.all("#init-form")[0].is_displayed(), "offers what a server without --demo has not")
    go(b, "users")
    b.wait(lambda: b.all("#users .list button"), "asked again")
    has(not b.driver.get_cookies(), "a cookie")
    has(b.run("return localStorage.length + sessionStorage.length") == 0, "kept")
    has(token not in b.run("return document.documentElement.outerHTML"), "in the page")
    b.open(locked, until="dialog[open]")
    b.click("#token-cancel")
    b.says("#problem", "No token")


def looks(b, demo, jobs):
    """every view, 320 and 1400 pixels wide, light and dark: nothing too wide, contrast, names, headings"""
    seen = 0
    for base in (demo, jobs):
        b.open(base)
        user, item = b.get("/api/users?limit=9")["users"][4]["user_id"], b.get("/api/items?limit=9")["items"][1]["item_id"]
        ready = {"data": "#data-charts canvas", "training": "#train-form", "users/" + user: "#users .detail h3",
                 "items/" + item: "#items .detail h3", "recommend/" + user: "#shown .card .facts, #shown .card .prose", "models/" + user: "#values table"}
        for view, there in ready.items():
            b.open(f"{base}/#/{view}")
            b.one(there)
            b.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
            for width in (320, 1400):
                for scheme in ("light", "dark"):
                    b.size(width)
                    b.scheme(scheme)
                    found = b.run(LOOK)
                    has(not found["faults"], f"{base}: {view}, {width} pixels, {scheme}: " + "; ".join(found["faults"][:5]))
                    has(found["dark"] == (scheme == "dark") and found["width"] == width, found)
                    seen += found["texts"]
    b.size(1400)
    b.scheme("light")
    has(seen > 1000, f"looked at {seen} texts alone")


def main():
    demo, jobs, locked, token = sys.argv[1:5]
    wanted = sys.argv[5:]
    b = Browser()
    parts = [(part, (demo,)) for part in (views_open, data_is_made, problem_is_shown, training_is_watched, training_is_cancelled,
                                          pipeline_runs, browsed, answered, explored, values_shown, keyboard_alone)]
    parts += [(simulation, (jobs,)), (values_shown, (jobs,)), (models_compared, (jobs,)), (jobs_trained, (jobs,)), (text_stays_text, (jobs,)), (looks, (demo, jobs)), (token_asked_for, (locked, token))]
    try:
        for part, arguments in parts:
            if wanted and part.__name__ not in wanted:
                continue
            try:
                part(b, *arguments)
                has(not (said := b.complaints()), f"the console says {json.dumps(said)}")
                print("ok", part.__name__)
            except Exception as error:  # the next part is to be seen, too
                traceback.print_exc()
                print("not ok", part.__name__ + ":", " ".join(str(error).split()))
            sys.stdout.flush()
    finally:
        b.close()


main()
