#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""dq-tune: searches for the options that train best.

Every trial is a run of the command with one choice of the searched options, a log and a model of its own. The
optimiser is Optuna's (Akiba et al., "Optuna: a next-generation hyperparameter optimization framework", 2019): its
tree-structured Parzen estimator (Bergstra et al., 2011) proposes, its pruners stop what falls behind. What is ours is
the space's notation, the running and following of commands, and the table. The study is one SQLite file, so a search
that is interrupted goes on, and several dq-tune may work on one study.
"""
import signal

if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to keep, it ends us without a word

import os  # noqa: E402
import sys  # noqa: E402

VERSION = "@VERSION@"
DONE, FAILED, USAGE, STOPPED = 0, 1, 2, 75
EXAMPLES = """\
Examples:
  dq-tune --option 'lr=1e-3|1e-4' --metric validation_concordance -- dq-train --offline t.dq
  dq-tune --by grid --option 'batch=32|64|128' --metric return -- dq-train --env session
  dq-tune --preset offline -o best.dq -- dq-train --offline --validate-by household labelled.dq
"""

# Searches that are known to be worth it. Of an option the first value is the default of the command; the first trial
# has these, so that what is found is found beside them. Options that are given go before those of a preset.
PRESETS = {
    # dq-train --offline of users and items by lists (docs/onet.md), on held-out groups. The last pass counts, as in the
    # model that is kept in the end, from which nothing is held out.
    "offline": {
        "option": ["loss=softmax|pairwise", "hidden=48|24|96", "factored=128|0|64", "lr=2e-3|1e-3|4e-3", "weight-decay=1e-2|1e-3|1e-1",
                   "input-dropout=0.2|0|0.4", "direct-start=2|1|4", "list-temperature=1|0.5|2", "batch=128|64|256"],
        "metric": "validation_ndcg", "take": "last", "folds": 3, "trials": 30, "refit": True,
    },
}


def load_modules():
    """What only a search needs: --help and usage errors do not wait for it, least of all for Optuna, which takes a
    quarter of a second to load."""
    global itertools, json, math, shutil, sqlite3, stat, subprocess, threading, optuna, TrialState, PointSampler
    import itertools
    import json
    import math
    import shutil
    import sqlite3
    import stat
    import subprocess
    import threading
    import warnings

    warnings.filterwarnings("ignore")  # its notes on experimental parts are not our users' business
    # NumPy's OpenBLAS starts threads as it is loaded, and waits for ever where there is no memory for them. A search
    # multiplies no matrices; its trials shall not inherit this.
    alone = "OPENBLAS_NUM_THREADS" not in os.environ
    if alone:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        import optuna
        from optuna.trial import TrialState
    except ImportError as e:
        raise Failure(FAILED, f"needs Optuna for {sys.executable}: apt install python3-optuna ({e})") from e
    finally:
        if alone:
            del os.environ["OPENBLAS_NUM_THREADS"]

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)  # what fails is said by us

    class PointSampler(optuna.samplers.BaseSampler):
        """Proposes one point of a grid."""

        def __init__(self, point):
            self.point = point

        def infer_relative_search_space(self, study, trial):
            return {}

        def sample_relative(self, study, trial, search_space):
            return {}

        def sample_independent(self, study, trial, name, distribution):
            return self.point[name]


def say(words):
    try:
        print(f"dq-tune: {words}", file=sys.stderr, flush=True)
    except OSError:  # a terminal that closed: the exit status says it
        pass


class Failure(Exception):
    """Ends the program: the exit code and one line."""

    def __init__(self, code, words):
        super().__init__(words)
        self.code = code


# ---- the space ----


def distribution_of(text):
    """'a|b|c' chooses; 'least..most' is a range of integers or reals, with ':log' on a logarithmic scale."""
    if ".." not in text:
        return optuna.distributions.CategoricalDistribution(text.split("|"))
    span, _, scale = text.partition(":")
    least, _, most = span.partition("..")
    try:
        ordered = float("-inf") < float(least) <= float(most) < float("inf")
    except ValueError:
        ordered = False
    if not ordered:
        raise ValueError("LEAST and MOST are numbers, the least first")
    if scale not in ("", "log"):
        raise ValueError(f"':{scale}' is no scale: ':log' is the one there is")
    try:
        return optuna.distributions.IntDistribution(int(least), int(most), log=scale == "log")
    except ValueError:
        return optuna.distributions.FloatDistribution(float(least), float(most), log=scale == "log")


def parse_space(given):
    space = {}
    for text in given:
        name, equals, values = text.partition("=")
        name = name.lstrip("-")
        if not (name and equals and values):
            raise Failure(USAGE, f"--option {text}: NAME=A|B|C or NAME=LEAST..MOST[:log] is wanted")
        if name in space:
            raise Failure(USAGE, f"--option {name} stands twice")
        try:
            space[name] = distribution_of(values)
        except ValueError as e:
            raise Failure(USAGE, f"--option {text}: {e}") from e
    return space


def first_point(space):
    """Of each option the first value, or the least."""
    choice = optuna.distributions.CategoricalDistribution
    return {name: d.choices[0] if isinstance(d, choice) else d.low for name, d in space.items()}


def grid_of(space):
    for name, values in space.items():
        if not isinstance(values, optuna.distributions.CategoricalDistribution):
            raise Failure(USAGE, f"--by grid: {name} is a range; name its values: {name}=A|B|C")
    names = list(space)
    return [dict(zip(names, point)) for point in itertools.product(*(space[n].choices for n in names))]


def words_of(params):
    """The options as a command line has them."""
    return [f"--{name}={value:.6g}" if isinstance(value, float) else f"--{name}={value}" for name, value in params.items()]


# ---- the study: what was tried ----


def open_study(o):
    os.makedirs(o.dir, exist_ok=True)
    storage = optuna.storages.RDBStorage(f"sqlite:///{o.dir}/study.db", engine_kwargs={"connect_args": {"timeout": 60}})
    identity = json.dumps({"by": o.by, "space": o.option, "command": o.command, "metric": o.metric, "take": o.take,
                           "minimise": o.minimise, "folds": o.folds, "prune": o.prune, "seed": o.seed, "preset": o.preset})
    pruner = {"median": optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1),
              "hyperband": optuna.pruners.HyperbandPruner(), "none": optuna.pruners.NopPruner()}[o.prune]
    study = optuna.create_study(study_name="dq-tune", storage=storage, pruner=pruner,
                                direction="minimize" if o.minimise else "maximize", load_if_exists=True)
    if study.user_attrs.setdefault("identity", identity) != identity:
        raise Failure(FAILED, f"{o.dir}: holds another search; give this one another --dir, or the same options")
    study.set_user_attr("identity", identity)
    bury_the_dead(study)
    return study


def start_time(pid):
    """When a process of this machine began, or None when there is none of that number."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rpartition(")")[2].split()[19]
    except OSError:
        return None


def bury_the_dead(study):
    """Trials of a dq-tune that was killed count for nothing: they are tried again."""
    for trial in study.get_trials(states=[TrialState.RUNNING]):
        owner = trial.user_attrs.get("owner")
        if not owner or start_time(owner[0]) != owner[1]:
            study.tell(trial.number, state=TrialState.FAIL)


def counts(trial):
    """Whether a trial is a part of the search: one that was stopped, and not by its own failure, is none."""
    return trial.state != TrialState.FAIL or "failed" in trial.user_attrs


def sampler_of(o, space, grid, trials, owner):
    """What proposes the next trial after these; None: a grid has no point left. A preset's first trial has the first values. What is
    proposed depends on the trials that count and on the seed alone, so that a search that was interrupted finds what it would have
    found."""
    if o.by == "grid":
        tried = [t.params for t in trials if counts(t) and (t.state != TrialState.FAIL or t.user_attrs["owner"] == owner)]
        return next((PointSampler(point) for point in grid if point not in tried), None)
    if o.preset and not any(map(counts, trials)):
        return PointSampler(first_point(space))
    seed = o.seed + sum(map(counts, trials))
    if o.by == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, constant_liar=o.jobs > 1)


# ---- a trial: the command, followed by its log ----


class Follower:
    """The metric's values in a log that grows."""

    def __init__(self, path, key):
        self.path, self.key, self.at, self.values = path, key, 0, []

    def news(self):
        try:
            with open(self.path, "rb") as f:
                f.seek(self.at)
                text = f.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self.at += len(whole)
        new = []
        for line in whole.splitlines():
            value = json.loads(line).get(self.key)
            if isinstance(value, (int, float)) and math.isfinite(value):
                new.append(float(value))
        self.values += new
        return new


def summary_of(values, o):
    """--take of the values so far."""
    if o.take == "best":
        return min(values) if o.minimise else max(values)
    last = values[-int(o.take.partition(":")[2] or 1):]
    return sum(last) / len(last)


class Runner:
    """Runs trials until there are enough; one for all worker threads."""

    def __init__(self, o, space, study, stop):
        self.o, self.space, self.study, self.stop = o, space, study, stop
        self.grid = grid_of(space) if o.by == "grid" else None
        self.owner = [os.getpid(), start_time(os.getpid())]
        self.lock = threading.Lock()
        self.failure = None

    def finished(self):
        return [t for t in self.study.trials if t.state in (TrialState.COMPLETE, TrialState.PRUNED)]

    def next_trial(self):
        with self.lock:
            trials = self.study.trials
            enough = sum(t.state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING) for t in trials)
            sampler = sampler_of(self.o, self.space, self.grid, trials, self.owner)
            if self.stop.is_set() or sampler is None or (self.o.by != "grid" and enough >= self.o.trials):
                return None
            self.study.sampler = sampler
            trial = self.study.ask(self.space)
            trial.set_user_attr("owner", self.owner)
            return trial

    def work(self):
        try:
            while (trial := self.next_trial()) is not None:
                if self.is_taken(trial):
                    self.study.tell(trial, state=TrialState.FAIL)
                else:
                    self.run(trial)
        except Exception as e:  # whichever: it is said when all have ended
            self.failure = self.failure or e
            self.stop.set()

    def is_taken(self, trial):
        """Another dq-tune may have taken a grid's point at the same moment: the first has it."""
        return self.o.by == "grid" and any(t.number < trial.number and counts(t) and t.params == trial.params and
                                           t.state != TrialState.FAIL for t in self.study.trials)

    def run(self, trial):
        folder = f"{self.o.dir}/trial-{trial.number:05d}"
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        outcomes, pruned = [], False
        for fold in range(1, self.o.folds + 1):
            value, pruned = self.run_once(trial, folder, fold)
            if value is None:
                if not self.stop.is_set():
                    trial.set_user_attr("failed", True)
                self.study.tell(trial, state=TrialState.FAIL)
                return
            outcomes.append(value)
            if self.o.folds > 1:
                mean = sum(outcomes) / len(outcomes)
                trial.report(mean, fold)
                pruned = pruned or (fold < self.o.folds and trial.should_prune())
            if pruned:
                break
        mean = sum(outcomes) / len(outcomes)
        trial.set_user_attr("folds", outcomes)
        if pruned:
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, mean)
        self.report(trial, mean, pruned)

    def run_once(self, trial, folder, fold):
        """The metric and whether the trial was pruned; None when it was stopped or failed."""
        name = folder + (f"/fold-{fold}" if self.o.folds > 1 else "/run")
        command = [*self.o.command, *words_of(trial.params), "--log", name + ".jsonl", "-o", name + ".dq", "--quiet"]
        command += ["--fold", f"{fold}/{self.o.folds}"] if self.o.folds > 1 else []
        follower, step = Follower(name + ".jsonl", self.o.metric), 0
        with open(name + ".err", "wb") as errors:
            child = subprocess.Popen(with_us(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                                     process_group=0)
        try:
            while True:
                over = wait(child, 0.1)
                for _ in follower.news():
                    step += 1
                    if self.o.folds > 1:
                        continue
                    trial.report(summary_of(follower.values[:step], self.o), step)
                    if trial.should_prune():
                        return summary_of(follower.values[:step], self.o), True
                if self.stop.is_set():
                    return None, False
                if over:
                    return self.judge(child, name, follower), False
        finally:
            end(child)

    def judge(self, child, name, follower):
        if child.returncode == 0 and follower.values:
            return summary_of(follower.values, self.o)
        words = last_words(name, child)
        if child.returncode == 0:
            raise Failure(FAILED, f"{name}.jsonl: no line has a number '{self.o.metric}'")
        if child.returncode == USAGE or not self.finished():
            raise Failure(FAILED, f"{self.o.command[0]} failed: {words}")
        say(f"{name}: {words}")
        return None

    def report(self, trial, value, pruned):
        if self.o.quiet:
            return
        best = "" if pruned or self.ranked()[0].number != trial.number else ", the best so far"
        say(f"trial {trial.number}: {self.o.metric} {value:.6g}{' (pruned)' if pruned else ''}{best}: "
            f"{' '.join(words_of(trial.params))}")

    def ranked(self):
        """What has ended, best first; of equal ones a preset's defaults, or that whose options come first, whenever it was tried."""
        sign = 1 if self.o.minimise else -1

        def options(trial):
            changed = self.o.preset is not None and trial.params != first_point(self.space)
            return self.grid.index(trial.params) if self.grid else (changed, sorted(trial.params.items()))

        return sorted(self.finished(), key=lambda t: (t.state == TrialState.PRUNED, sign * t.value, options(t), t.number))


def with_us(command):
    """A command that does not outlive us, however we end."""
    return ["setpriv", "--pdeathsig", "TERM", *command] if shutil.which("setpriv") else command


def wait(child, seconds):
    try:
        child.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        return False


def last_words(name, child):
    """The last line that a command said, or its exit status."""
    with open(name + ".err", encoding="utf-8", errors="replace") as f:
        return (f.read().strip().splitlines() or [f"exit status {child.returncode}"])[-1]


def end(child):
    """Ends a command, if it has not ended, and what it started."""
    if child.returncode is not None:
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, sign)
        except ProcessLookupError:
            pass
        if wait(child, 10):
            return


# ---- the outcome ----


def print_table(runner):
    o, names = runner.o, list(runner.space)
    print("\t".join(["trial", "state", o.metric, *names]))
    for t in runner.ranked():
        values = [f"{v:.6g}" if isinstance(v, float) else str(v) for v in (t.params[n] for n in names)]
        print("\t".join([str(t.number), t.state.name.lower(), f"{t.value:.9g}", *values]))


def open_aside(target, aside):
    """A file in the target's folder, and whether it has the name aside. Without one, so that whoever is killed leaves nothing, where
    the file system has such files."""
    try:
        return os.open(os.path.dirname(target), os.O_TMPFILE | os.O_WRONLY, 0o666), False
    except OSError:
        pass
    return os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), True


def replace_file(file, target, mode):
    """Writes and syncs a file, which then is the target; mode: the permissions of what was there, or None."""
    aside = f"{target}.{os.getpid()}"
    fd, named = open_aside(target, aside)
    try:
        with open(fd, "wb") as out:
            shutil.copyfileobj(file, out)
            out.flush()
            if mode is not None:
                os.fchmod(fd, stat.S_IMODE(mode))
            os.fsync(fd)
            if not named:  # src_dir_fd makes it linkat(), which follows the link of /proc
                os.link(f"/proc/self/fd/{fd}", aside, src_dir_fd=fd, follow_symlinks=True)
                named = True
        os.replace(aside, target)
    except OSError:
        if named:
            os.remove(aside)
        raise


def copy_whole(source, target):
    """Copies as the programs write: a link stays; a file gets its name when it is complete and synced; what is no file is written
    to, never replaced."""
    target = os.path.realpath(target)
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        mode = None
    with open(source, "rb") as file:
        try:
            if mode is None or stat.S_ISREG(mode):
                replace_file(file, target, mode)
                return
            with open(target, "wb") as out:
                shutil.copyfileobj(file, out)
        except OSError as e:  # the target, as it is called, and not the file beside it
            raise OSError(e.errno, e.strerror, target) from None


def refit(runner, params):
    """Runs the command with these options once more, with nothing held out by us, and returns its model."""
    name = f"{runner.o.dir}/refit"
    command = [*runner.o.command, *words_of(params), "--log", name + ".jsonl", "-o", name + ".dq", "--quiet"]
    with open(name + ".err", "wb") as errors:
        child = subprocess.Popen(with_us(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, process_group=0)
    try:
        while not wait(child, 0.1):
            if runner.stop.is_set():
                raise Failure(STOPPED, f"stopped before the last model; the same command goes on from {runner.o.dir}")
    finally:
        end(child)
    if child.returncode:
        raise Failure(FAILED, f"{runner.o.command[0]} failed: {last_words(name, child)}")
    return name + ".dq"


def describe_choice(runner, best):
    """What a preset's search has chosen, and how it compares with the defaults, which are the first trial."""
    first = next((t for t in runner.finished() if t.params == first_point(runner.space)), None)
    if first is None:
        return
    if best.number == first.number:
        say(f"the defaults stay: {runner.o.metric} {best.value:.6g}, the best of {len(runner.finished())}")
        return
    changed = words_of({n: v for n, v in best.params.items() if v != first.params[n]})
    sign = -1 if runner.o.minimise else 1
    better = sum(sign * (b - f) > 0 for b, f in zip(best.user_attrs["folds"], first.user_attrs["folds"]))
    say(f"chosen: {' '.join(changed)}: {runner.o.metric} {best.value:.6g}, with the defaults {first.value:.6g}; better on {better} of "
        f"{runner.o.folds} folds (which chose it, so judge it on others)")


def keep_best(runner):
    """The best trial's model goes to --output; other trials keep their logs only."""
    best = runner.ranked()[0]
    if not runner.o.quiet:
        say(f"best of {len(runner.finished())}: {' '.join([*runner.o.command, *words_of(best.params)])}")
        if runner.o.preset:
            describe_choice(runner, best)
    if runner.o.output and runner.o.refit:
        copy_whole(refit(runner, best.params), runner.o.output)
    elif runner.o.output:
        name = "fold-1" if runner.o.folds > 1 else "run"
        copy_whole(f"{runner.o.dir}/trial-{best.number:05d}/{name}.dq", runner.o.output)
    for t in runner.finished():
        folder = f"{runner.o.dir}/trial-{t.number:05d}"
        for model in [f for f in os.listdir(folder) if f.endswith(".dq")] if os.path.isdir(folder) else []:
            if t.number != best.number:
                os.remove(f"{folder}/{model}")


def catch_signals():
    """An event that the signals set which ask us to stop."""
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if sign != signal.SIGHUP or signal.getsignal(sign) != signal.SIG_IGN:  # nohup's stays ignored
            signal.signal(sign, lambda *_: stop.set())
    return stop


def run_all(runner):
    workers = [threading.Thread(target=runner.work) for _ in range(runner.o.jobs)]
    started = []
    try:
        for worker in workers:
            worker.start()
            started.append(worker)
    except RuntimeError as e:  # no memory or no more processes for a thread
        runner.failure = e
        runner.stop.set()
    for worker in started:
        worker.join()
    if runner.failure:
        raise runner.failure


def search(o):
    load_modules()
    stop = catch_signals()
    space = parse_space(o.option)
    if o.by == "grid":
        grid_of(space)
    if o.jobs > 1:
        os.environ.setdefault("DQ_THREADS", str(max(1, (os.cpu_count() or 1) // o.jobs)))
    runner = Runner(o, space, open_study(o), stop)
    run_all(runner)
    if stop.is_set():
        raise Failure(STOPPED, f"stopped after {len(runner.finished())} trials; the same command goes on from {o.dir}")
    if not runner.study.get_trials(states=[TrialState.COMPLETE]):
        raise Failure(FAILED, "no trial came to its end")
    keep_best(runner)
    print_table(runner)


# ---- the command line ----


HELP = [  # letter, name, what the argument is called (None: a flag), words, default, type
    ("", "preset", "NAME", "a space with its metric, folds and trials: offline, of dq-train --offline (docs/tuning.md)", None, str),
    ("", "option", "NAME=VALUES", "an option of the command to search: A|B|C, LEAST..MOST or LEAST..MOST:log; repeated", [], str),
    ("", "metric", "KEY", "the number of the log's lines that is to be great", None, str),
    ("", "minimise", None, "the number is to be small", False, bool),
    ("", "take", "WHICH", "of a log's lines: best, last, or last:N, the mean of the last N", "best", str),
    ("", "by", "WAY", "tpe (Bayesian), grid (all of them) or random", "tpe", str),
    ("", "trials", "N", "trials in all; a grid has its own number", 50, int),
    ("j", "jobs", "N", "trials at a time", 1, int),
    ("", "folds", "K", "cross-validation: run a trial once for each fold, and take the mean", 1, int),
    ("", "prune", "RULE", "stop trials that fall behind: median, hyperband, none", "median", str),
    ("d", "dir", "DIR", "the study, the logs and the best model are kept here, and a search goes on from here", "tune", str),
    ("o", "output", "FILE", "copy the best trial's model to FILE", None, str),
    ("", "seed", "N", "seed of the search", 42, int),
    ("q", "quiet", None, "no line a trial", False, bool),
    ("", "completion", "SHELL", "print a script for bash, zsh or fish that completes options, or a table of them", None, str),
    ("h", "help", None, "print this help", False, bool),
    ("V", "version", None, "print the version", False, bool),
]
CHOICES = {"completion": ["bash", "zsh", "fish", "table"], "preset": sorted(PRESETS), "by": ["tpe", "grid", "random"], "prune": ["median", "hyperband", "none"]}
SHELLS = {"bash": r"""
@bash@
""", "zsh": r"""
@zsh@
""", "fish": r"""
@fish@
"""}
FILES = {"FILE": "files", "DIR": "folders"}  # what an argument is, for completion


def hint(word, known, dashes=""):
    """"; did you mean lr?", or nothing."""
    import difflib
    near = difflib.get_close_matches(word, known, 1, 0.7)
    return f"; did you mean {dashes}{near[0]}?" if near else ""


def row_of(word):
    """The row of HELP that a long name means, which may be cut while it is one's alone; None: it is no option."""
    rows = [row for row in HELP if row[1] == word] or [row for row in HELP if row[1].startswith(word)]
    if len(rows) > 1:
        raise Failure(USAGE, f"--{word} may be any of {', '.join('--' + row[1] for row in rows)}")
    return rows[0] if rows else None


def value_of(row, text):
    _, name, _, _, _, kind = row
    if name in CHOICES and text not in CHOICES[name]:
        raise Failure(USAGE, f"--{name}: '{text}' is not one of {', '.join(CHOICES[name])}{hint(text, CHOICES[name])}")
    if kind is int and not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Failure(USAGE, f"--{name}: '{text}' is not a count")
    return int(text) if kind is int else text


def take(o, row, text):
    """Keeps an option's value; what is no list is given once."""
    name, argument, default = row[1], row[2], row[4]
    before = getattr(o, name)
    value = True if argument is None else value_of(row, text)
    if isinstance(default, list):
        value = [*(before or []), value]
    elif before is not None and argument:
        raise Failure(USAGE, f"--{name} is given twice: {before} and {value}")
    setattr(o, name, value)


def parse_words(words, take):
    """Gives take(row, text) each option, text None for a flag, and returns the command behind the options."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] not in ("-", "--"):
        word, at = words[at], at + 1
        name, equals, text = word[2:].partition("=")
        row = row_of(name) if word.startswith("--") else next((row for row in HELP if row[0] == word[1]), None)
        if row is None:
            long = word.startswith("--")
            raise Failure(USAGE, f"unknown option --{name}{hint(name, [r[1] for r in HELP], '--')}" if long else f"unknown option {word[:2]}")
        if not word.startswith("--"):
            rest = word[2:]
            equals, text = (rest if row[2] else ""), rest
            if rest and not row[2]:  # flags together: -qV
                words[at:at] = ["-" + rest]
        if row[2] is None and equals:
            raise Failure(USAGE, f"--{row[1]} takes no value")
        if row[2] and not equals:
            if at == len(words) and row[1] != "completion":
                raise Failure(USAGE, f"--{row[1]} needs a value")
            text, at = (words[at], at + 1) if at < len(words) else ("bash", at)
        take(row, text if row[2] else None)
    return words[at + 1:] if words[at:at + 1] == ["--"] else words[at:]


class Options:
    """An attribute an option; None where it was not given."""

    def __init__(self):
        self.command = []
        for row in HELP:
            setattr(self, row[1], None)


def parse():
    o, words = Options(), sys.argv[1:]
    for question in ("help", "version"):  # wherever they stand among our own options
        ours = words[:words.index("--")] if "--" in words else words
        if "--" + question in ours or "-" + {"help": "h", "version": "V"}[question] in ours:
            setattr(o, question, True)
            return o
    o.command = parse_words(words, lambda row, text: take(o, row, text))
    return o


def apply_defaults(o):
    """What was not given is a preset's, or else as HELP says. Of the space each option that was not given is the preset's."""
    preset = PRESETS.get(o.preset, {})
    given = [text.partition("=")[0].lstrip("-") for text in o.option or []]
    given += [word.partition("=")[0].lstrip("-") for word in o.command or [] if word.startswith("--")]
    o.option = (o.option or []) + [text for text in preset.get("option", []) if text.partition("=")[0] not in given]
    o.refit = preset.get("refit", False)
    for _, name, _, _, default, _ in HELP:
        if getattr(o, name) is None:
            setattr(o, name, preset.get(name, default))


def screen():
    """Columns that help may have (40 to 100), and whether headings are bold: as those of the other programs."""
    try:
        columns = os.get_terminal_size(1).columns
    except OSError:
        columns = 0
    given = os.environ.get("COLUMNS", "")
    columns = columns or (int(given) if given.isdecimal() else 0) or 80
    return min(max(columns, 40), 100), os.isatty(1) and os.environ.get("TERM", "dumb") not in ("", "dumb") and not os.environ.get("NO_COLOR")


def wrap(words, first, following, width, end=""):
    """Words in lines: what the first and the following begin with, and what a broken line ends with."""
    lines, line = [], first
    for word in words.split(" "):
        if line.strip() and len(line) + 1 + len(word) + len(end) > width:
            lines.append(line + end)
            line = following
        line += word if not line or line.endswith(" ") else " " + word
    return "\n".join([*lines, line])


def find_guide():
    """Where it was installed with this program; else its name in the sources."""
    prefix = os.path.dirname(os.path.dirname(os.path.realpath(sys.argv[0])))
    installed = f"{prefix}/share/doc/dq-recommend/docs/tuning.md"
    return installed if os.access(installed, os.R_OK) else "docs/tuning.md"


def print_help():
    width, bold = screen()
    heading = "\033[1m{}\033[0m" if bold else "{}"
    second = " " * (30 if width >= 60 else 8)
    print(wrap("dq-tune: searches for the options with which a command trains best", "", "  ", width) + "\n")
    print(wrap("Usage: dq-tune [OPTION]... -- COMMAND [ARGUMENT]...", "", " " * 7, width) + "\n\n" + heading.format("Examples:"))
    for example in EXAMPLES.splitlines()[1:]:
        print(wrap(example.strip(), "  ", " " * 4, width, " \\"))
    print("\n" + heading.format("Options:"))
    for letter, name, argument, words, default, _ in HELP:
        if name == "completion":  # of shells, not of people
            continue
        left = f"  -{letter}, " if letter else "      "
        left += f"--{name}" + (f"={argument}" if argument else "")
        words += f" (default {default})" if default else ""
        beside = len(left) < len(second) and width >= 60
        print(wrap(words, f"{left:<30}", second, width) if beside else f"{left}\n" + wrap(words, second, second, width))
    print("\n" + wrap("Exit status: 0 done, 1 failed (data, input or output), 2 usage, 75 stopped with progress kept.", "", "", width))
    print(wrap(f"Read on: man dq-tune, man 7 dq (all programs), {find_guide()}", "", "", width))


def print_completion(shell):
    if shell == "table":
        print("name\tletter\ttype\targument\tmodes\thelp")
        types = {bool: "flag", int: "count", str: "text"}
        for letter, name, argument, words, default, kind in HELP[:-3]:
            of = "list" if isinstance(default, list) else "choice" if name in CHOICES else types[kind]
            print(f"{name}\t{letter}\t{of}\t{argument or ''}\t\t{words}")
    else:
        print(SHELLS[shell].strip().replace("@NAME@", "dq-tune"))


def complete(words):
    """What may come next (cmd/cli/option/completion.h): words of the line, the last of which is being written."""
    *read, word = words[1:] or [""]
    given, pending = set(), []

    def note(row, text):
        given.add(row[1])
        pending[:] = [row] if text == "\0" else []

    try:
        command = parse_words([*read, "\0"], note)
    except Failure:
        return
    if pending:
        put_values(pending[0], word, "")
    elif command[:1] != ["\0"] or read[-1:] == ["--"]:  # the words of the command that is run
        command = [w for w in command if w != "\0"]
        if not command:
            print("commands")
        elif os.path.basename(command[0]).startswith("dq-"):
            try:
                os.execvp(command[0], [command[0], "--complete-line", *command, word])
            except OSError:
                pass
        else:
            print("files")
    elif word.startswith("--") and "=" in word:
        row = row_of(word[2:word.index("=")])
        if row:
            put_values(row, word.partition("=")[2], word.partition("=")[0] + "=")
    elif word.startswith("-"):
        print("words")
        for _, name, argument, words, default, _ in HELP:
            if name != "completion" and ("--" + name).startswith(word) and (name not in given or isinstance(default, list)):
                print(f"--{name}\t{words}")
    else:
        print("commands")


def put_values(row, word, before):
    print(FILES.get(row[2], "words"))
    for value in CHOICES.get(row[1], []):
        if value.startswith(word):
            print(before + value)


def check(o):
    import shutil
    kind, colon, count = o.take.partition(":")
    ours = [*(text.partition("=")[0].lstrip("-") for text in o.option), "log", "output", *(["fold"] if o.folds > 1 else [])]
    theirs = [word.partition("=")[0] for word in o.command]
    twice = next((name for name in ours if "--" + name in theirs), "o" if "-o" in theirs else "l" if "-l" in theirs else None)
    for bad, words in ((not o.command, "no command to run: dq-tune ... -- dq-train ..."),
                       (not o.option, "nothing to search: --option NAME=A|B|C"),
                       (not o.metric, "--metric KEY: which number of the log's lines?"),
                       (kind not in ("best", "last") or (colon and (kind == "best" or not count.isdecimal() or int(count) == 0)),
                        f"--take {o.take}: best, last or last:N"),
                       (min(o.trials, o.jobs, o.folds) < 1, "--trials, --jobs and --folds are at least 1"),
                       (o.seed >= 2**31, f"--seed: {o.seed} is not between 0 and {2**31 - 1}"),  # of NumPy, with a trial's number added
                       (twice, f"{'-' * (2 if twice and len(twice) > 1 else 1)}{twice} stands in the command, and is a trial's own"),
                       (o.command and not shutil.which(o.command[0]), f"{o.command[0] if o.command else ''}: not found")):
        if bad:
            raise Failure(USAGE, words)


def main():
    o = None
    try:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # of what is printed here
        if sys.argv[1:2] == ["--complete-line"]:
            complete(sys.argv[2:])
            return DONE
        o = parse()
        apply_defaults(o)
        if o.help or o.version or o.completion:
            print_completion(o.completion) if o.completion else print_help() if o.help else print(f"dq-tune {VERSION}")
            return DONE
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        check(o)
        search(o)
        return DONE
    except Failure as e:
        say(f"{e} (try dq-tune --help)" if e.code == USAGE else e)
        return e.code
    except Exception as e:  # the machine's fault, or the study's: one line
        say(words_of_failure(e, o))
        return FAILED


def words_of_failure(failure, o):
    """One line of what lies at the bottom of a failure: the database's and the optimiser's have layers over it."""
    chain = [failure]
    while (below := chain[-1].__cause__ or (None if chain[-1].__suppress_context__ else chain[-1].__context__)) and below not in chain:
        chain.append(below)
    for e in reversed(chain):
        if type(e).__module__ == "sqlite3":
            return f"{o.dir}/study.db: {e}"
        if isinstance(e, OSError) and e.strerror:
            return f"{e.filename or 'stdout'}: {e.strerror}"
        if isinstance(e, MemoryError):
            return "out of memory"
    return " ".join(str(failure).split()) or type(failure).__name__


def close_stdout(code):
    """What was printed counts only when it could be written."""
    try:
        if sys.stdout is None:
            raise OSError(9, os.strerror(9))
        sys.stdout.flush()
    except BrokenPipeError:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    except OSError as e:
        if code == DONE:
            say(f"stdout: {e.strerror}")
        code = FAILED
    os._exit(code)  # nothing is left to be flushed, and nothing to be said of it


if __name__ == "__main__":
    close_stdout(main())
