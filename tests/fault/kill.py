#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that are killed at random instants and begun again until they are done give the bytes of one that never was.

    BUILD=build python3 tests/fault/kill.py [KILLS [SEED [WORD...]]]

KILLS in all (20), shared by the cases whose names contain a WORD. Of each case the length of a run without a kill is measured;
instants are drawn from all of it, signals from KILL, TERM, INT, HUP and STOP (then CONT), all by SEED (1). A life is up to four
kills and a run to the end. A kill counts when it met a living process. What broke a rule is printed with the line that gives it
again:

    BUILD=build python3 tests/fault/kill.py --again 'train online' 'KILL 0.213, TERM 0.050'

The rules: exit status 75 only of a program that keeps something, with a word on how to go on; by signal only when nothing of it was
lost; nothing left but what is named, each file old or whole; nothing of its processes left; no question paid twice but those that
were lost in flight; then the same bytes. Prints TAP, a test a case."""

import contextlib
import dataclasses
import fcntl
import multiprocessing
import os
import pathlib
import pty
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import termios
import threading
import time
import traceback

import commands
from commands import Command
from llm import Server

OLD = b"what was there before\n"
ENOUGH = 60  # seconds in which whatever was asked to end has ended
SIGNALS = ("KILL", "TERM", "INT", "HUP", "STOP")
LABELLER = "-q -s llm --model demo --stages 1 --parallel 2 --cache answers.db"


@dataclasses.dataclass(frozen=True)
class Case:
    command: Command
    keeps: str = ""       # what a signal leaves to go on from: status 75 is an end, by signal only while it is as it was
    paid: str = ""        # the cache, where a model is asked
    server: tuple = ()    # options of that model's server
    person: bool = False  # somebody at a terminal answers
    refuses: str = ""     # a folder of finished files that the user is told to remove

    @property
    def name(self):
        return self.command.name


def case(name, line, out=("out",), grows=(), package="", stdin="", **more):
    return Case(Command(name, line, stdin, out, grows, package=package, slow=True), **more)


ONLINE = "dq-train -q -t 1 -u u01 --hidden 16 --world-hidden 8 --batch 8 --warmup 10 --steps 20 -c ck -o out"
CASES = [
    case("train online", f"{ONLINE} -e 60 --checkpoint-every 7 -l log in/c.dq", ("out", "ck"), ("log",), keeps="ck"),
    case("train asked", f"{ONLINE} -e 40 --checkpoint-every 5 --reward-cmd in/logged in/t.dq", ("out", "ck"), keeps="ck"),
    case("train labelled", f"{ONLINE.replace('u01', 'a01')} -e 6 --checkpoint-every 2 --reward-cmd in/judged in/hashed.dq", ("out", "ck"), ("answers.db",),
         keeps="ck", paid="answers.db", server=("--delay", "0.005")),
    case("train each", "dq-train -q -t 2 --each-user --hidden 16 --world-hidden 8 --batch 8 --warmup 10 -e 10 --steps 20 -o out in/c.dq"),
    case("train folder", "dq-train -q -t 2 --each-user --hidden 16 --world-hidden 8 --batch 8 --warmup 10 -e 10 --steps 20 --models-dir d -l log -o out in/c.dq",
         ("out", *(f"d/u{i:02}.dq" for i in range(12))), ("log", "d/.lock"), keeps="d"),
    case("train offline", "dq-train -q -t 1 --offline --hidden 32 --world-hidden 16 --epochs 60 --validation 0.1 --patience 0 -c ck -l log -o out in/t.dq", ("out", "ck"), ("log",), keeps="ck"),
    case("train sessions", "dq-train -q -t 1 --offline --sessions --agent dqn --history 2 --hidden 16 --epochs 40 --patience 0 --batch 8 -c ck -l log -o out in/clicks.dq",
         ("out", "ck"), ("log",), keeps="ck"),
    case("train states", "dq-train -q -t 1 --offline --agent dyna-q --models 2 --hidden 16 --batch 16 --epochs 8 --patience 0 -c ck -o out in/played.dq", ("out", "ck"), keeps="ck"),
    case("train env", "dq-train -q -t 1 --env cartpole --total-steps 2500 --hidden 16 --batch 8 --warmup 10 --evaluate 5 -c ck --checkpoint-every 10 -l log -o out",
         ("out", "ck"), ("log",), keeps="ck"),
    case("train tabular", "dq-train -q -t 1 --env maze --agent tabular --planning 20 --episodes 60 -c ck --checkpoint-every 5 -l log -o out", ("out", "ck"), ("log",), keeps="ck"),
    case("train served", "dq-train -q -t 1 --env-cmd in/served --total-steps 1200 --hidden 16 --batch 8 --warmup 10 -o out"),
    case("reward llm", f"dq-reward {LABELLER} --pairs random:12 -o out in/hashed.dq", grows=("answers.db",), keeps="answers.db", paid="answers.db",
         server=("--delay", "0.01")),
    case("reward human", "dq-reward -q -s human --answers answers.jsonl --pairs top:3 -o out in/c.dq", grows=("answers.jsonl",), keeps="answers.jsonl", person=True),
    case("embed model", "dq-embed -q openai:demo --batch 2 --parallel 2 --cache vectors.db -o out in/words.dq", grows=("vectors.db",), keeps="vectors.db", paid="vectors.db",
         server=("--delay", "0.05")),
    case("tune", "dq-tune -q --by grid --option epochs=1|2|3 --option hidden=8|16 --metric validation_concordance -d study -o out -- "
         "dq-train --offline --no-world --validation .2 in/t.dq", grows=("study",), keeps="study/study.db", package="python3-optuna"),
    case("cat split", "dq-cat --split parts in/many.dq", tuple(f"parts/{i:05}.dq" for i in range(12)), refuses="parts"),
    case("export", "dq-export -q --schema jobs in/jobs -o out"),
    case("sim", "dq-sim -q --users 400 --items 500 -o out"),
    case("embed cf", "dq-embed -q cf:24 -o out in/big.dq"),
    case("plan", "dq-plan -q -t 1 --model in/m.dq --pairs unseen --per-user 40 -o out in/c.dq"),
    case("rank", "dq-rank -q -t 1 --by cosine --mmr 0.4 --pool 100 -k 20 --format tsv -o out in/big.dq"),
    case("eval", "dq-eval --quiet -t 1 --qrels in/t.dq --run in/run.trec --run in/run.trec --interval --resamples 30000 -o out"),
    case("cat", "dq-cat --to tsv --kind items -o out in/big.dq"),
]
INPUTS = f"""
dq-embed -q hash:8 -o hashed.dq words.dq
dq-sim -q --users 300 --items 800 -o big.dq
for i in 1 2 3 4 5 6; do cat c.dq t.dq; done > many.dq
printf '#!/bin/sh\\nexec dq-reward {LABELLER} --labels-only\\n' > judged
chmod 755 judged
"""


# ---- a process and whoever is at its terminal ----

class Person:
    """Presses a key at each question; which one depends on how many answers are kept already."""

    def __init__(self, answers):
        self.answers = answers
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, b"\x18\0\x50\0\0\0\0\0")
        self.thread = threading.Thread(target=self.type, daemon=True)
        self.thread.start()

    def type(self):
        seen, asked = b"", 0
        with contextlib.suppress(OSError):  # the terminal is closed
            while chunk := os.read(self.ours, 65536):
                seen += chunk
                while seen.count(b"[q]uit\r\n") > asked:
                    asked += 1
                    time.sleep(0.005)
                    kept = self.answers.read_bytes().count(b"\n") if self.answers.exists() else 0
                    os.write(self.ours, b"asic"[kept % 4:kept % 4 + 1])

    def left(self):
        os.close(self.theirs)  # not before: the terminal hangs up when nobody has it open
        self.thread.join(5)
        os.close(self.ours)


class Life:
    """One process of a case."""

    def __init__(self, case, inputs, folder, environment):
        program, *arguments = case.command.words
        self.person = Person(folder / "answers.jsonl") if case.person else None
        terminal = self.person and self.person.theirs

        def preexec():
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            if terminal:
                fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        self.words = open(folder.with_suffix(".words"), "w+b")
        self.printed = open(folder.with_suffix(".printed"), "w+b")
        self.process = subprocess.Popen([str(commands.BUILD / program), *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                        stdout=self.printed, stderr=self.words, preexec_fn=preexec)

    def meet(self, name, seconds, pause):
        """Sends the signal after so many seconds; whether it met a living process."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
            return False
        self.process.send_signal(getattr(signal, f"SIG{name}"))
        if name == "STOP":
            time.sleep(pause)
            self.process.send_signal(signal.SIGCONT)
        return True

    def end(self):
        """Exit status (None: it does not end), what it said, what it printed, and what of its session is left running."""
        try:
            code = self.process.wait(ENOUGH)
        except subprocess.TimeoutExpired:
            code = None
        until = time.monotonic() + 10
        while (left := session(self.process.pid)) and time.monotonic() < until:
            time.sleep(0.02)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        if self.person:
            self.person.left()
        texts = []
        for file in (self.words, self.printed):
            file.seek(0)
            texts.append(file.read())
            file.close()
        return commands.Run(code, texts[1], texts[0].decode(errors="replace"), {}), left


def session(leader):
    """Processes of a session that are no zombies."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, *numbers = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(numbers[2]) == leader and state != "Z":
                    found.append(int(entry.name))
    return found


# ---- a case ----

class Broken(Exception):
    pass


class Play:
    """Lives of one case."""

    def __init__(self, case, inputs, folder):
        self.case, self.inputs, self.home = case, inputs, folder / case.name.replace(" ", "-")
        self.server = None

    def __enter__(self):
        self.home.mkdir()
        self.environment = commands.environment()
        if self.case.paid:
            self.server = Server(*self.case.server)
            self.environment |= {"OPENAI_BASE_URL": f"{self.server.address}/v1"}
        self.whole, self.seconds = self.undisturbed()
        return self

    def __exit__(self, *_):
        if self.server:
            self.server.__exit__()

    def begin(self, name):
        """A folder with an older output, and a server that has forgotten."""
        folder = self.home / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "in").symlink_to(self.inputs)
        if "out" in self.case.command.out:
            (folder / "out").write_bytes(OLD)
        if self.server:
            self.server.clear()
        return folder

    def run(self, folder, plan=None):
        """One process; plan: a signal, when, and how long it stays stopped."""
        life = Life(self.case, self.inputs, folder, self.environment)
        met = life.meet(*plan) if plan else False
        ran, left = life.end()
        ran = dataclasses.replace(ran, files=commands.files_of(folder))
        if left:
            raise Broken(f"exit {ran.code}, and {len(left)} of its processes go on")
        return ran, met

    def undisturbed(self):
        folder = self.begin("whole")
        began = time.monotonic()
        ran, _ = self.run(folder)
        seconds = time.monotonic() - began
        if ran.code != 0:
            raise Broken(f"undisturbed: exit {ran.code}: {ran.words}")
        self.keys = self.server.stats()["requests"] if self.server else 0
        return ran, seconds

    def kept(self, folder):
        """What a signal must not lose: the checkpoint itself, a database's answers."""
        file = folder / self.case.keeps
        return file.read_bytes() if self.case.keeps == "ck" and file.exists() else None

    def after_kill(self, name, ran, before, folder):
        """What holds of a process that met a signal."""
        if ran.code is None:
            raise Broken(f"it does not end in {ENOUGH} s")
        strangers = [f for f in ran.files if not any(f == n or f.startswith(n + "/") or f.startswith(n + "-journal")
                                                     for n in self.case.command.out + self.case.command.grows)]
        if strangers:
            raise Broken(f"exit {ran.code}, and it leaves {' '.join(strangers)}")
        for file in self.case.command.out:
            self.check_file(file, ran)
        ends = {0, -signal.SIGKILL} if name == "KILL" else {0} if name == "STOP" else {0, -getattr(signal, f"SIG{name}")} | ({75} if self.case.keeps else set())
        if ran.code not in ends:
            raise Broken(f"ends with {ran.code}: {ran.words.strip()[-300:]}")
        if ran.code == 75 and "the same command" not in ran.words:
            raise Broken(f"exit 75 without a word on how to go on: {ran.words.strip()!r}")
        if ran.code == 75 and not (folder / self.case.keeps).exists():
            raise Broken(f"exit 75 without {self.case.keeps}")
        if ran.code < 0 and ran.code != -signal.SIGKILL and self.kept(folder) != before:
            raise Broken("it kept something, and ends by the signal")
        if ran.code < 0 and f"{self.case.command.program}: " in ran.words:  # what it started may have something to say
            raise Broken(f"by signal, and not without a word: {ran.words.strip()[-300:]}")

    def check_file(self, name, ran):
        if name not in ran.files or (name == "out" and ran.files[name] == OLD and ran.code != 0):
            return
        if name == "ck":
            if subprocess.run([commands.BUILD / "dq-cat", "--check"], input=ran.files[name], capture_output=True).returncode:
                raise Broken(f"exit {ran.code}, and ck is not whole")
        elif not commands.same(ran.files[name], self.whole.files[name]):
            raise Broken(f"exit {ran.code}, and {name} is neither old nor whole")

    def live(self, plans):
        """A life with these kills, then to the end. How many kills met a living process."""
        folder, met, killed = self.begin("life"), 0, False
        for plan in plans:
            before = self.kept(folder)
            ran, hit = self.run(folder, plan)
            if self.refused(ran, folder):
                continue
            met += hit
            killed |= hit and plan[0] == "KILL"
            if not hit and ran.code != 0:
                raise Broken(f"ends by itself with {ran.code}: {ran.words.strip()[-300:]}")
            self.after_kill(plan[0], ran, before, folder)
            if ran.code == 0:
                break
        else:
            ran, _ = self.run(folder)
            if self.refused(ran, folder):
                ran, _ = self.run(folder)
        self.compare(ran, folder, killed)
        return met

    def refused(self, ran, folder):
        """Files of a run that was killed are not mixed with others: they are refused, and we remove them, as we are told."""
        if not self.case.refuses or ran.code != 1 or "remove them" not in ran.words:
            return False
        shutil.rmtree(folder / self.case.refuses)
        return True

    def compare(self, ran, folder, killed):
        if ran.code != 0:
            raise Broken(f"at last: exit {ran.code}: {ran.words.strip()[-300:]}")
        wanted, files = self.whole.files, ran.files
        for name in (n for n in wanted if n in self.case.command.out or n.endswith((".jsonl", "log")) and "study" not in n):
            if name not in files or not commands.same(files[name], wanted[name]):
                raise Broken(f"at last {name} is not what it would have been")
        strangers = [n for n in files if n not in wanted and not n.startswith("study/")]
        if strangers:
            raise Broken(f"at last it leaves {' '.join(strangers)}")
        if commands.printed(self.case.command, ran) != commands.printed(self.case.command, self.whole):
            raise Broken("at last stdout is not what it would have been")
        if self.server:
            self.compare_bill(folder, killed)

    def compare_bill(self, folder, killed):
        requests = self.server.stats()["requests"]
        with sqlite3.connect(folder / self.case.paid) as db:
            calls, answered, failed, lost = db.execute("SELECT calls, answered, failed, lost FROM ledger").fetchone()
        if requests > self.keys + lost or (requests != self.keys and not killed):
            raise Broken(f"{requests} requests for {self.keys} questions, {lost} lost in flight")
        if calls != answered + failed + lost:
            raise Broken(f"{calls} calls, but {answered} answered, {failed} failed, {lost} lost")


def draw_plan(draw, seconds):
    name = draw.choice(SIGNALS)
    return name, round(draw.uniform(0, seconds), 4), round(draw.uniform(0.01, 0.3), 3)


def written(plans):
    return ", ".join(f"{name} {seconds}" for name, seconds, _ in plans)


def play(job):
    """Lives of a case until so many kills have met a process."""
    case, kills, seed, inputs, folder = job
    draw, met, lives, lines, seconds = random.Random(f"{seed} {case.name}"), 0, 0, [], 0
    try:
        with Play(case, inputs, folder) as p:
            seconds = p.seconds
            while met < kills and lives < 10 * kills + 10 and len(lines) < 5:
                plans = [draw_plan(draw, p.seconds) for _ in range(min(draw.randint(1, 4), kills - met))]
                lives += 1
                try:
                    met += p.live(plans)
                except Broken as e:
                    lines.append(f"{e}\n#     kill.py --again '{case.name}' '{written(plans)}'")
                    met += 1
    except Broken as e:
        lines.append(str(e))
    except Exception:  # a fault of the test itself: said as a failure
        lines += traceback.format_exc().splitlines()
    if met < kills and not lines:
        lines.append(f"only {met} of {kills} kills met a process in {lives} lives")
    return case.name, lines, met, lives, seconds


def again(name, text):
    with tempfile.TemporaryDirectory(prefix="dq-kill.") as folder:
        inputs = prepare(pathlib.Path(folder))
        with Play(next(c for c in CASES if c.name == name), inputs, pathlib.Path(folder)) as p:
            plans = [(word, float(seconds), 0.1) for word, seconds in (plan.split() for plan in text.split(","))]
            print(f"a run without a kill: {p.seconds:.3f} s; kills that met a process: {p.live(plans)}; all as it should be")


def prepare(folder):
    inputs = commands.prepare(folder / "inputs")
    subprocess.run(["bash", "-euc", INPUTS], cwd=inputs, env=commands.environment(), stdin=subprocess.DEVNULL, check=True)
    return inputs


def main():
    commands.clean_up_when_stopped()
    if sys.argv[1:2] == ["--again"]:
        return again(*sys.argv[2:4])
    kills, seed = (int(word) for word in (sys.argv[1:3] + ["20", "1"][len(sys.argv[1:3]):]))
    cases = [c for c in CASES if not sys.argv[3:] or any(word in c.name for word in sys.argv[3:])]
    with tempfile.TemporaryDirectory(prefix="dq-kill.") as folder:
        folder = pathlib.Path(folder)
        inputs = prepare(folder)
        skips = [c for c in cases if not commands.here(c.command)]
        cases = [c for c in cases if c not in skips]
        draw = random.Random(seed)
        first = draw.sample(range(len(cases)), kills % len(cases))
        jobs = [(c, kills // len(cases) + (i in first), seed, inputs, folder) for i, c in enumerate(cases)]
        jobs = [job for job in jobs if job[1]]
        print(f"1..{len(jobs) + len(skips)}")
        all_met = all_lives = 0
        with multiprocessing.Pool(os.cpu_count()) as pool:
            for number, (name, lines, met, lives, seconds) in enumerate(pool.imap_unordered(play, jobs), 1):
                all_met, all_lives = all_met + met, all_lives + lives
                print(f"{'not ' if lines else ''}ok {number} - {name}: {met} kills in {lives} lives, a run without is {seconds:.2f} s")
                print("".join(f"# {line}\n" for line in lines), end="", flush=True)
        for number, c in enumerate(skips, len(jobs) + 1):
            print(f"ok {number} - {c.name} # SKIP the package {c.command.package} is not installed")
        print(f"# {all_met} kills in {all_lives} lives; python3 tests/fault/kill.py {kills} {seed}")


if __name__ == "__main__":
    main()
