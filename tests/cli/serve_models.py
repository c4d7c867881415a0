# SPDX-License-Identifier: MIT
"""dq-serve's lists, feedback and log: serve_models.py CASE, in a folder that has c.dq and models of it. Nothing here measures
time: what must come is waited for."""
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "fault"))
from serve import PATIENCE, Server, until  # noqa: E402

MAP = "PURCHASE=1,RATING=1,CLICK=0.2,VIEW=0,IGNORE=-0.1"
HERE = ("--catalogue", "c.dq", "--map", MAP)


def text(*command, code=0, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, **more)
    assert done.returncode == code, (command, done.returncode, done.stdout[-2000:], done.stderr)
    return done


def rows(*command):
    return [json.loads(line) for line in text(*command).stdout.splitlines()]


class Serving:
    """A server; post gives the answer's JSON, and holds its status to `code`."""
    def __init__(self, *options, **more):
        self.server = Server(*HERE, *options, **more)

    def __enter__(self):
        return self

    def __exit__(self, *failed):
        if self.server.process.poll() is None:
            self.server.process.send_signal(signal.SIGKILL if failed[0] else signal.SIGTERM)
        assert self.server.process.wait(PATIENCE) == 0 or failed[0]

    def post(self, path, body, code=200):
        status, answer = self.server.ask(path, json.dumps(body), method="POST")
        assert status == code, (status, answer, body)
        return json.loads(answer)

    def recommend(self, user, code=200, **more):
        return self.post("/api/recommend", {"user_id": user, **more}, code)

    def items(self, user, **more):
        return [(x["item_id"], x["score"]) for x in self.recommend(user, **more)["items"]]

    def answer(self, answer, item, code=200, **more):
        return self.post("/api/feedback", {"request_id": answer["request_id"], "item_id": item, **more}, code)

    def kill(self):
        self.server.process.kill()
        self.server.process.wait()


def ranked(model, *more, catalogue="c.dq"):
    lists = {}
    for row in rows("dq-rank", "--model", model, "-f", "jsonl", "-q", *more, catalogue):
        lists.setdefault(row["user"], []).append((row["item"], row["score"]))
    return lists


USERS = [row["id"] for row in rows("dq-cat", "--kind", "users", "c.dq")]
ITEMS = [row["id"] for row in rows("dq-cat", "--kind", "items", "c.dq")]


def lists():
    for model in "pair.dq", "several.dq", "sessions.dq", "dt.dq", "seen.dq":
        wanted = ranked(model)
        assert len(wanted) == len(USERS)
        with Serving("--model", model) as s:
            for again in range(2):  # computed, then kept
                for user in USERS:
                    assert s.items(user) == wanted[user], (model, user, again)
            together = {}
            threads = [threading.Thread(target=lambda u=u: together.update({u: s.items(u, n_recommendations=30)})) for u in USERS]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert together == ranked(model, "-k", "30")
            assert s.server.metric("dq_serve_score_cache_misses_total") == len(USERS), "each user's scores are computed once"
        with Serving("--model", model, "--cache", "0", "--threads", "4") as s:
            threads = [threading.Thread(target=lambda u=u: together.update({u: s.items(u)})) for u in USERS]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert together == wanted, "many at once"
            assert s.items("u00") == s.items("u00") and s.server.metric("dq_serve_score_cache_hits_total") == 0, "and nothing kept"


def options():
    with Serving("--model", "several.dq") as s:
        best = [item for item, _ in s.items("u01", n_recommendations=30)]
        assert [i for i, _ in s.items("u01", n_recommendations=3, exclude=best[:2] + ["nothing"])] == best[2:5]
        assert [i for i, _ in s.items("u01", candidates=[best[9], best[4]])] == [best[4], best[9]]
        assert s.items("u01", candidates=best[:3], exclude=best[:3]) == []
        s.recommend("u01", code=400, candidates=["nothing"])
        assert s.items("u01", diversity=0) == s.items("u01")
        assert s.items("u01", diversity=0.5) == ranked("several.dq", "--mmr", "0.5")["u01"]
        a = s.recommend("u01", explore={"method": "epsilon", "epsilon": 1})
        left = [1 / (30 - i) for i in range(10)]
        assert all(abs(x["propensity"] - p) < 1e-12 for x, p in zip(a["items"], left)), "uniform over what is left"
        seen = {tuple(i for i, _ in s.items("u01", explore={"method": "softmax", "temperature": 1})) for _ in range(20)}
        assert len(seen) > 1, "each request draws anew"
        members = {}
        for _ in range(30):
            e = s.recommend("u01", explore={"method": "ensemble"}, n_recommendations=1)["items"][0]
            members[e["item_id"]] = e["propensity"]
        assert all(min(abs(p - n / 3) for n in (1, 2, 3)) < 1e-12 for p in members.values()), members
        for bad in ({"explore": {"method": "epsilon"}}, {"explore": {"method": "softmax", "epsilon": 0.1}}, {"diversity": 2},
                    {"explore": {"method": "ensemble"}, "diversity": 0.5}, {"n_recommendations": 0}, {"unknown": 1}):
            s.recommend("u01", code=400, **bad)
        assert len(s.items("u01", n_recommendations=1000)) == 30
    with Serving("--model", "pair.dq") as s:
        s.recommend("u01", code=400, explore={"method": "ensemble"})


def fallbacks():
    popular = [(row["item"], row["score"]) for row in rows("dq-rank", "--by", "popularity", "-u", "u01", "-f", "jsonl", "-q", "c.dq")]
    with Serving("--model", "pair.dq", "--log", "fallbacks.dq") as s:
        a = s.recommend("nobody")
        assert (a["fallback"], a["model"]) == ("popularity", "popularity")
        assert [(x["item_id"], x["score"]) for x in a["items"]] == popular
        a = s.recommend("nobody", history=[{"item_id": popular[0][0]}])
        assert a["fallback"] == "history" and popular[0][0] not in [x["item_id"] for x in a["items"]], a
        assert s.recommend("nobody", history=[{"item_id": "unheard of"}])["fallback"] == "popularity"
        assert s.recommend(7)["user_id"] in ("7", "u07"), "an integer is its decimal form, or a made-up world's user"
        assert s.recommend("u01")["fallback"] is None
        s.recommend("u02", explore={"method": "epsilon", "epsilon": 0.5}, n_recommendations=30)
    words = text("dq-eval", "--ope", "snips", "--target", "model:pair.dq", "--catalogue", "c.dq", "--map", MAP, "--unanswered", "IGNORE", "fallbacks.dq").stderr
    assert "rows of users whom the catalogue does not have are left out" in words, words
    with Serving() as s:  # no model at all
        assert (a := s.recommend("u01"))["fallback"] == "popularity"
        s.answer(a, a["items"][0]["item_id"], label="CLICK")
        assert s.recommend("u01")["fallback"] == "history", "with no model what he does counts for whoever is in the catalogue, too"
    with Serving("--model", "sessions.dq") as s:
        a = s.recommend("nobody", history=[{"item_id": ITEMS[3], "label": "CLICK"}])
        assert a["fallback"] == "history", "its states show the user's vector"


def feedback():
    with Serving("--model", "sessions.dq", "--log", "feedback.dq") as s:
        user, before = "u01", s.items("u01")
        a = s.recommend(user, n_recommendations=3)
        item = a["items"][2]["item_id"]
        for body, code in (({"label": "CLICK"}, 200), ({"label": "NO"}, 400), ({}, 400), ({"reward": 0.5}, 200), ({"reward": 1e300}, 400)):
            s.answer(a, item, code, **body)
        s.answer(a, "unheard of", 404, label="CLICK")
        s.answer({"request_id": "0-0"}, item, 404, label="CLICK")
        assert s.answer(a, a["items"][0]["item_id"], label="PURCHASE") == {"ok": True, "reward": 1}
        now = s.items(user)
        assert now != before, "what he did is his state"
        # the same events in the catalogue give the same list
        done = [{"user": user, "item": i, "label": label} for i, label in ((item, "CLICK"), (item, None), (a["items"][0]["item_id"], "PURCHASE"))]
        history = [row for row in rows("dq-cat", "--kind", "interactions", "--user", user, "c.dq")]
        events = [{"item_id": row["item"], "label": row.get("label"), "time": row["time"]} for row in sorted(history, key=lambda r: r["time"])]
        events += [{"item_id": d["item"], "label": d["label"], "reward": 0.5} for d in done]
        events = [{k: v for k, v in e.items() if v is not None and not (k == "reward" and e.get("label"))} for e in events]
        assert s.items(user, history=events) == now, "a history that is sent counts as one that is known"
        assert s.items("u02") != now


def shares():
    subprocess.run(["cp", "pair.dq", "b.dq"], check=True)
    with Serving("--model", "a=sessions.dq:0.3", "--model", "b=b.dq:0.7", "--log", "shares.dq") as s:
        wanted, named = {"a": ranked("sessions.dq"), "b": ranked("pair.dq")}, {}
        for user in USERS:
            a = s.recommend(user)
            named[user] = a["model"]
            assert [(x["item_id"], x["score"]) for x in a["items"]] == wanted[a["model"]][user]
            assert s.recommend(user)["model"] == a["model"]
        assert set(named.values()) == {"a", "b"}
        someone = next(u for u in USERS if named[u] == "b")
        stop, failures, asked = threading.Event(), [], []

        def go_on():
            while not stop.is_set():
                try:
                    asked.append(s.items(someone))
                except Exception as why:  # noqa: BLE001
                    failures.append(why)
        thread = threading.Thread(target=go_on)
        thread.start()
        pathlib.Path("new.dq").write_bytes(b"no model")
        os.rename("new.dq", "b.dq")
        until(lambda: 'dq_serve_model_failures_total{model="b"} 1' in s.server.ask("/metrics")[1].decode(), "the bad file is not seen")
        assert s.items(someone) == wanted["b"][someone], "the model before it stays"
        assert "stays" in s.server.said()
        subprocess.run(["cp", "several.dq", "new.dq"], check=True)
        os.rename("new.dq", "b.dq")
        new = ranked("several.dq")[someone]
        until(lambda: s.items(someone) == new, "the new model is not taken up")
        stop.set()
        thread.join()
        assert not failures, failures
        assert all(x in (wanted["b"][someone], new) for x in asked) and len(asked) > 2
        known = {row["user"]: row["model"] for row in rows("dq-cat", "shares.dq")}
        assert known == named


def killed():
    s = Serving("--model", "pair.dq", "--log", "killed.dq")
    taken, stop = [], threading.Event()

    def answer_on(user):
        while not stop.is_set():
            try:
                a = s.recommend(user, n_recommendations=2)
                s.answer(a, a["items"][0]["item_id"], label="CLICK")
                taken.append((a["request_id"], a["items"][0]["item_id"]))
            except Exception:  # noqa: BLE001
                return
    threads = [threading.Thread(target=answer_on, args=(user,)) for user in USERS[:6]]
    for thread in threads:
        thread.start()
    until(lambda: len(taken) > 60, "nothing is taken")
    s.kill()
    stop.set()
    for thread in threads:
        thread.join()
    with open("killed.dq", "ab") as log:
        log.write(b"\x28\xb5\x2f\xfd\x24")  # and it was in the midst of a section
    with Serving("--model", "pair.dq", "--log", "killed.dq") as s:
        assert "bytes of an unfinished section were cut off" in s.server.said()
        logged = {(row["request"], row["item"]) for row in rows("dq-cat", "killed.dq") if row.get("label")}
        assert set(taken) <= logged, "what was answered is in the log"
        s.answer({"request_id": taken[-1][0]}, taken[-1][1], label="PURCHASE")  # and what was shown is remembered
        ids = {row["request"] for row in rows("dq-cat", "killed.dq")}
        assert s.recommend("u01")["request_id"] not in ids


def full():
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Serving("--model", "pair.dq", "--log", "full.dq", preexec_fn=limit) as s:
        answer = s.recommend("u01")
        status = 200
        while status == 200:
            status, body = s.server.ask("/api/feedback", json.dumps({"request_id": answer["request_id"], "item_id": answer["items"][0]["item_id"],
                                                                     "label": "CLICK"}), method="POST")
        assert status == 503 and b"File too large" in body, (status, body)
        s.recommend("u01", code=503)
        text("dq-cat", "--check", "full.dq")
        resource.prlimit(s.server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        s.answer(answer, answer["items"][0]["item_id"], label="CLICK")
        assert s.server.metric("dq_serve_log_failures_total") >= 2
    text("dq-cat", "--check", "full.dq")


def rotated():
    for name in pathlib.Path(".").glob("rotated.dq*"):
        name.unlink()
    with Serving("--model", "pair.dq", "--log", "rotated.dq", "--log-rotate", "3K", "--log-sync", "0.05s,5") as s:
        for n in range(30):
            s.recommend(USERS[n])
        os.rename("rotated.dq", "moved.dq")
        s.server.process.send_signal(signal.SIGHUP)
        until(lambda: os.path.exists("rotated.dq"), "the log is not begun anew")
        s.recommend(USERS[30])
    files = sorted(pathlib.Path(".").glob("rotated.dq.*"))
    assert len(files) > 1 and all(len(f.name) == len("rotated.dq.") + 20 for f in files)
    whole = text("dq-cat", *files, "moved.dq", "rotated.dq").stdout.splitlines()
    assert [json.loads(line)["user"] for line in whole[::10]] == USERS[:31]
    position = int(files[-1].suffix[1:]) + files[-1].stat().st_size  # where the moved file begins
    os.rename("moved.dq", f"rotated.dq.{position:020}")
    followed = text("dq-cat", "--follow", "-q", "--head", str(len(whole)), "rotated.dq").stdout.splitlines()
    assert followed == whole


def read():
    with Serving("--model", "a=pair.dq:0.5", "--model", "b=sessions.dq:0.5", "--log", "read.dq") as s:
        follow = subprocess.Popen(["dq-cat", "--follow", "--to", "tsv", "read.dq"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        reward = {}
        for n, user in enumerate(USERS):
            a = s.recommend(user, n_recommendations=2, explore={"method": "epsilon", "epsilon": 0.5})
            if n % 2:
                s.answer(a, a["items"][0]["item_id"], label="IGNORE")
                s.answer(a, a["items"][0]["item_id"], label="PURCHASE")
                reward.setdefault(a["model"], []).append(1)
            else:
                reward.setdefault(a["model"], []).append(-0.1)
        lines = [follow.stdout.readline() for _ in range(1 + 80 + 40)]
        assert lines[0].split("\t")[:3] == ["user", "item", "request"] and lines[-1].count("PURCHASE") == 1
        follow.send_signal(signal.SIGTERM)
        assert follow.wait(PATIENCE) == 0
        position = follow.stderr.read().split("up to --position ")[1].strip()
        assert int(position) == s.server.metric("dq_serve_log_bytes_total")
        s.recommend("u00", n_recommendations=1)
        s.recommend("u01", n_recommendations=1)
        later = [json.loads(line)["user"] for line in text("dq-cat", "--follow", "--position", position, "--head", "2", "read.dq").stdout.splitlines()]
        assert later == ["u00", "u01"], "from there on"
    os.truncate("read.dq", int(position))  # the rest is without these two
    for command, code, words in ((["--follow", "c.dq"], 1, "no log of a server"), (["--follow", "-"], 2, "a file"), (["--position", "9", "read.dq"], 2, "needs --follow"),
                                 (["--follow", "--to", "npy", "--kind", "items", "read.dq"], 2, "--follow"), (["--follow", "--position", "9", "read.dq"], 1, "read.dq"),
                                 (["--follow", "--position", "99999999", "read.dq"], 1, "does not reach")):
        assert words in text("dq-cat", *command, code=code).stderr, command
    done = text("dq-eval", "--ope", "log", "--target", "uniform", "--catalogue", "c.dq", "--map", MAP, "--unanswered", "IGNORE", "--format", "json",
                "read.dq")
    assert "20 of 80 showings were answered" in done.stderr
    value = json.loads(done.stdout.splitlines()[0])["value"]
    assert abs(value - (20 * 1 - 60 * 0.1) / 80) < 1e-6, value
    done = text("dq-eval", "--ope", "log", "--target", "uniform", "--catalogue", "c.dq", "--map", MAP, "read.dq")
    assert "60 rows without a reward are left out" in done.stderr
    table = text("dq-eval", "--ab", "--unit", "row", "--map", MAP, "--unanswered", "IGNORE", "--format", "tsv", "read.dq").stdout.splitlines()
    found = dict(zip(table[0].split("\t"), table[1].split("\t")))
    assert found["rows"] == "80" and {found["a"], found["b"]} == {"a", "b"}
    for side in "ab":
        mine = reward[found[side]]
        assert abs(float(found[f"mean_{side}"]) - (sum(mine) - 0.1 * len(mine)) / (2 * len(mine))) < 1e-4, (found, mine)
    for more in (), ("--sessions",):
        words = text("dq-train", "--offline", *more, "--agent", "dqn", "--epochs", "1", "--hidden", "4", "--validation", "0", "--map", MAP,
                     "--unanswered", "IGNORE", "-o", "again.dq", "c.dq", "read.dq").stderr
        assert "20 of 80 showings were answered" in words, words
        assert more or "80 rows to learn from" in words, words
    assert len(ranked("again.dq")) == len(USERS)
    for command in (["dq-train", "--offline", "--sessions", "--agent", "dqn", "-o", "again.dq", "--map", MAP], ["dq-eval", "--ab", "--map", MAP]):
        assert "no server's log" in text(*command, "--unanswered", "IGNORE", "c.dq", code=1).stderr
        assert "no label 'NOPE'" in text(*command, "--unanswered", "NOPE", "c.dq", "read.dq", code=1).stderr
    with open("read.dq", "rb") as log:
        piped = subprocess.run(["sh", "-c", f"cat | dq-eval --ab --map {MAP}"], stdin=log, capture_output=True, text=True, check=False)
    assert piped.returncode == 1 and "read twice" in piped.stderr


def refused():
    for options, code, words in ((("--model", "a=pair.dq:0.3"), 2, "come to 0.3"), (("--model", "a=pair.dq:2"), 2, "at most 1"),
                                 (("--model", "a b=pair.dq"), 2, "a name is of"), (("--model", "pair.dq", "--model", "pair.dq"), 2, "called model"),
                                 (("--model", "x=pair.dq:0.5", "--model", "y=pair.dq"), 2, "others none"),
                                 (("--model", "c.dq"), 1, "no model"), (("--model", "nothing.dq"), 1, "cannot open"),
                                 (("--log", "pair.dq"), 1, "no log of a server"), (("--log", "c.dq"), 2, "overwrite the input of --catalogue"), (("--log-sync", "1s"), 2, "needs --log"),
                                 (("--log", "x.dq", "--log-sync", "often"), 2, "SECONDS as in 1s"),
                                 (("--log", "x.dq", "--log-sync", "0.5"), 2, "ROWS as in 1000"),
                                 (("--log", "x.dq", "--log-rotate", "1m"), 2, "SIZE as in 100M"), (("--map", "A"), 2, "--map")):
        done = text("dq-serve", "--listen", "127.0.0.1:0", *HERE, *options, code=code)
        assert words in done.stderr and len(done.stderr.splitlines()) == 1, (options, done.stderr)
    with Serving("--log", "locked.dq"):
        assert "another process" in text("dq-serve", "--listen", "127.0.0.1:0", *HERE, "--log", "locked.dq", code=1).stderr


def many(server, bodies):
    """Statuses of requests that are sent all at once on one connection, so that twenty thousand take seconds."""
    with server.connect() as client:
        client.sendall(b"".join(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" %
                                (path.encode(), len(body), body) for path, body in bodies))
        with client.makefile("rb") as answers:
            for _ in bodies:
                status, length = int(answers.readline().split()[1]), 0
                while (line := answers.readline().strip().lower()):
                    if line.startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                assert len(answers.read(length)) == length
                yield status


def memory():
    """What the server may remember is full after the first rounds; what grows after them is lost at each request."""
    history = [{"item_id": item, "label": "CLICK"} for item in ITEMS[:4]]
    wanted = 200, 200, 200, 200, 400, 404

    def round_of(s, n):
        a = s.recommend("u01")
        bodies = [("/api/recommend", {"user_id": f"u{n % 40:02}", "history": history}), ("/api/recommend", {"user_id": USERS[n % 40]}),
                  ("/api/recommend", {"user_id": f"nobody {n}", "explore": {"method": "softmax", "temperature": 1}}),
                  ("/api/feedback", {"request_id": a["request_id"], "item_id": a["items"][0]["item_id"], "label": "CLICK"}),
                  ("/api/recommend", {"user_id": [n], "nothing": 1}), ("/api/feedback", {"request_id": "x", "item_id": "y", "label": "CLICK"})]
        asked = [(path, json.dumps(body).encode()) for path, body in bodies] * 15
        assert list(many(s.server, asked)) == list(wanted) * 15

    def resident(s):
        status = pathlib.Path(f"/proc/{s.server.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))

    with Serving("--model", "sessions.dq", "--remember", "2000", "--cache", "1") as s:
        if "libasan" in pathlib.Path(f"/proc/{s.server.process.pid}/maps").read_text():
            print("AddressSanitizer keeps what is freed")
            return
        for n in range(40):
            round_of(s, n)
        before = resident(s)
        for n in range(220):
            round_of(s, n)
        grown = resident(s) - before
    assert grown < 400, f"{grown} KiB more after 20,000 requests: {grown * 1024 / 20000:.0f} bytes each"


if __name__ == "__main__":
    globals()[sys.argv[1]]()
