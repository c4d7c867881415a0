# SPDX-License-Identifier: MIT
"""The machine fails at every call: each command of tests/fault/commands.py, and those below that need a server, is run again and
again, and each time another call of it fails (inject.c says how). It prints TAP, a test a command.

    BUILD=build python3 tests/inject/run.py [WORD...]          commands whose names contain one of the words
    FAULTS=full BUILD=build python3 tests/inject/run.py        every call, until a run passes untouched

A run either gives what an untouched one gives, or ends with exit status 1 (75 where progress is kept) and one line; and then
nothing is left under an output's name that is not whole, nor beside it. What interrupts a call (EINTR), or does a part of it
(short), is no failure: such a run gives what an untouched one gives.
"""
import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "fault"))
import commands  # noqa: E402
from commands import BUILD, COMMANDS, ONLINE, Command  # noqa: E402

FULL = os.environ.get("FAULTS") == "full"
SANITIZER = os.environ.get("SANITIZER", "")
FIRST = int(os.environ.get("FIRST", "50"))   # every one of so many calls
FIRSTS = {"embed asked": 8}            # of a command that differs from another in its end alone
SAMPLE = int(os.environ.get("SAMPLE", "12"))  # of those behind them, so many; drawn by the command's name
SECONDS = 60 if SANITIZER else 20      # that a run may take
SPREAD = 4000                          # FAULTS=full: of more calls than ten times that, so many

# family: how its calls fail. "+": all that follow fail, too.
FAMILIES = {
    "memory": ["ENOMEM", "ENOMEM+"], "mmap": ["ENOMEM"], "read": ["EIO", "EINTR", "short"],
    "write": ["ENOSPC", "ENOSPC+", "EIO", "EINTR", "short"], "sync": ["EIO"], "rename": ["EIO"], "open": ["EMFILE", "EMFILE+"],
    "close": ["EIO"], "connect": ["ECONNREFUSED"], "process": ["EAGAIN"], "wait": ["EINTR"], "lock": ["ENOLCK"], "stat": ["EIO"],
}
HARMLESS = ("EINTR", "short")

LONGER = ONLINE.replace("-e 2", "-e 4") + " --checkpoint-every 1"
CACHE = "own.db"  # and its journal: whatever a failed run leaves of it, the next one goes on from there
ASK = f"--cache {CACHE} --parallel 1 --attempts 2"
OWN = [
    # As two commands of that table, but of some tens of milliseconds.
    Command("train goes on", f"{LONGER} -c short.ck -l short.log -o out in/c.dq",
            out=("out",), copies=("short.ck", "short.log")),
    Command("export folder", "dq-export -q --schema jobs in/short -o out", out=("out",)),
    # With the model's server, and the database's.
    Command("reward asked", f"dq-reward -q -s llm --model demo --pairs random:1 --stages 1 {ASK} -o out in/words.dq",
            out=("out",), stops=True),
    Command("embed asked", f"dq-embed -q openai:demo {ASK} -o out in/words.dq",
            out=("out",), stops=True),
    Command("export database", "dq-export -q --schema in/world.json @MONGO@ -o out", out=("out",), package="python3-pymongo"),
]


@dataclasses.dataclass(frozen=True)
class Fault:
    family: str
    n: int
    kind: str

    def __str__(self):
        return f"{self.family}:{self.n}:{self.kind}"


SERVICES = HERE.parent / "services"
LONG = ("train resumed", "export collections")  # OWN has the like of them

# What OWN reads, beside what the table has. The checkpoint is of a run that failed in its third episode.
INPUTS = f"""
if dpkg-query -W python3-pymongo > /dev/null 2>&1; then /usr/bin/python3 {SERVICES}/mongodb/world.py world 3 4; fi
dq-export --show-schema jobs | sed s/384/4/ > world.json
mkdir short; for f in jobs/*; do head -2 $f > short/${{f##*/}}; done
! INJECT=sync:6:EIO INJECT_TOLD=/dev/null LD_PRELOAD={BUILD}/inject.so \
    {LONGER} -c short.ck -l short.log -o short.dq c.dq 2> short.words
[ -s short.ck ] && [ -s short.log ]
"""


# What ends otherwise, and why that is not mended here: (family, what is said, where the failed call stands, why). Libraries are
# loaded on first use (core/load), so their constructors run after main began; only a call of theirs, from the loader, is left out.
EXCEPTIONS = [
    ("memory", r"exit 1 with 2 lines: Error in GnuTLS initialization: .*\ndq-\w+: out of memory for a client",
     r"libgnutls\.so\.30 < ld-linux", "GnuTLS's constructor, when libcurl is loaded, says on standard error that it failed; dq's words follow"),
    ("memory", r"signal 6: \S*mongoc-init\.c:\d+ _mongoc_do_init\(\): precondition failed: status == SASL_OK",
     r"libmongoc-1\.0\.so\.0 < libc\.so\.6 < ld-linux", "libmongoc's constructor runs mongoc_init, which aborts where SASL has no memory"),
    ("memory", r"ends with 127: (out of memory|cannot allocate memory for thread-local data: ABORT)",
     r"ld-linux-x86-64\.so\.2 < libc\.so\.6 < load \(shared\.c|take_thread_memory", "the loader ends the process where a library, of faiss's, has no memory of a thread's own"),
    ("memory", r"(exit 1 without a line of its own: '(Operating system error: Cannot allocate memory\\nAllocating cleared memory failed)?'|signal 11: )",
     r"libgfortran\.so\.5 < ld-linux", "libgfortran's constructor, when faiss is loaded, ends the process"),
    ("memory", r"exit 1 without a line of its own: 'libgomp: Out of memory allocating \d+ bytes'",
     r"^memalign < libgomp\.so\.1 < _Z\w*5faiss", "libgomp, which runs faiss's loops, ends the process"),
    ("memory", r"signal 6: terminate called after throwing an instance of 'St9bad_alloc'\n  what\(\):  std::bad_alloc",
     r"faiss8IndexIVF18search_preassigned", "a loop of faiss's throws inside of OpenMP, which no caller can catch"),
]
OLD = b"what stood there before\n"


def environment(told, fault=None):
    extra = {"LD_PRELOAD": str(BUILD / "inject.so"), "INJECT_TOLD": str(told)}
    if fault:
        extra["INJECT"] = str(fault)
    return extra | sanitizers()


def sanitizers():
    """inject.so comes before AddressSanitizer's runtime; what leaks is said on standard error, where judge() looks."""
    return {"ASAN_OPTIONS": "verify_asan_link_order=0:allocator_may_return_null=1:detect_leaks=1"} if SANITIZER else {}


def read_told(told):
    """How many calls each family had, and where the one stood that failed."""
    calls, failed = {}, None
    if told.exists():
        for line in told.read_text().splitlines():
            words = line.split()
            if words[0] == "calls":
                calls[words[1]] = int(words[2])
            else:
                failed = words[1:]
    return calls, failed


def where(command, failed):
    """The functions that the failed call stands in, from the inside."""
    names = []
    for frame in failed[1:]:
        file, _, offset = frame.rpartition("+")
        if "/" not in file:
            file = BUILD / command.program  # which has set argv[0]
        file = str(file)
        if file.endswith("inject.so"):
            continue
        if not file.startswith(str(BUILD)):
            names.append(pathlib.Path(file).name)
            continue
        said = subprocess.run(["addr2line", "-fsie", file, offset], capture_output=True, text=True).stdout.split("\n")
        names += [f"{said[i]} ({said[i + 1]})" for i in range(0, len(said) - 1, 2)]
    shown = [n for i, n in enumerate(names) if i == 0 or n != names[i - 1]]
    return [failed[0], *shown]


def excepted(fault, broken, stack):
    at = " < ".join(stack)
    return any(family == fault.family and re.fullmatch(f"{said}\\s*", broken) and re.search(place, at)
               for family, said, place, _ in EXCEPTIONS)


def points(command, family, count):
    """Which of so many calls fail."""
    first = FIRSTS.get(command.name, FIRST)
    if FULL:
        if count <= 10 * SPREAD:
            return list(range(1, count + 2))  # one more than there are: that run passes untouched
        return sorted({*range(1, first + 1), *random.Random(command.name).sample(range(1, count + 1), SPREAD)})
    behind = range(first + 1, count + 1)
    return [*range(1, min(count, first) + 1), *sorted(random.Random(command.name + family).sample(behind, min(SAMPLE, len(behind))))]


def lines_of(command, ran):
    """What it said; of many agents each that failed has a line of its own before the last one."""
    said = [line for line in ran.words.splitlines() if line.strip()]
    own = [line for line in said if command.some and re.match(r"dq-train: user \S+: .", line)]
    return said if len(own) == len(said) else [line for line in said if line not in own]


def judge(command, ran, whole, fault, failed):
    """The rule that a run broke, or None."""
    if "Sanitizer" in ran.words:
        return "a sanitizer: " + next(line for line in ran.words.splitlines() if "Sanitizer" in line or "runtime error" in line)
    if ran.code is not None and ran.code < 0:
        return f"signal {-ran.code}: {ran.words.strip()[-200:]}"
    broken = commands.wrong(command, ran, whole)
    if broken:
        return broken
    if ran.code == 0:
        return None
    if not failed:
        return f"exit {ran.code} though nothing failed: {ran.words.strip()}"
    if fault.kind in HARMLESS:
        return f"exit {ran.code} for what is no failure: {ran.words.strip()}"
    said = lines_of(command, ran)
    if len(said) != 1:
        return f"exit {ran.code} with {len(said)} lines: {ran.words.strip()[-300:]}"
    reason = said[0].split(": ", 1)[1]
    if re.fullmatch(r"(.*: )?(Success|error|io|out of range)?", reason) or reason.endswith((": Success", "(null)")):
        return f"exit {ran.code} without a reason: {said[0]}"
    return None


def keeps_state(command):
    return bool(command.copies) or "ck" in command.out or CACHE in command.words


class Campaign:
    """One command, all its faults."""

    def __init__(self, command, inputs, top, extra):
        self.command, self.inputs, self.extra = command, inputs, extra
        self.top = top / re.sub(r"\W", "-", command.name)
        self.top.mkdir()
        self.local = threading.local()
        self.tally = collections.Counter()
        self.findings = {}

    def run(self, fault=None):
        if not hasattr(self.local, "folder"):
            self.local.folder = pathlib.Path(tempfile.mkdtemp(dir=self.top))
        told = self.local.folder / "told"
        told.unlink(missing_ok=True)
        extra = environment(told, fault) | self.extra
        at = self.local.folder / "at"
        shutil.rmtree(at, ignore_errors=True)
        at.mkdir()
        (at / "in").symlink_to(self.inputs)
        for name in self.command.copies:
            shutil.copyfile(self.inputs / name, at / name)
        for name in self.command.out if fault and fault.n % 2 else ():
            if not pathlib.Path(name).parent.name and name != "ck":
                (at / name).write_bytes(OLD)  # an output of before stays, or is replaced by the whole one
        ran = commands.run(self.command, self.inputs, at, extra=extra, timeout=SECONDS, keep=True)
        for name in [name for name, data in ran.files.items() if data == OLD or name.startswith(CACHE)]:
            del ran.files[name]
        return ran, *read_told(told)

    def goes_on(self):
        """What the same command gives where a failed run left its checkpoint, its log and its cache; None: it goes on from there."""
        ran = commands.run(self.command, self.inputs, self.local.folder / "at", extra=self.extra, timeout=SECONDS, keep=True)
        for name in [name for name in ran.files if name.startswith(CACHE)]:
            del ran.files[name]
        broken = commands.wrong(self.command, ran, self.whole, codes=())
        return broken and f"and then, begun again, {broken}"

    def start(self):
        """The untouched run, and what is to fail."""
        self.whole, calls, _ = self.run()
        if self.whole.code != 0:
            raise SystemExit(f"{self.command.name}: untouched, it ends with {self.whole.code}: {self.whole.words}")
        if not calls.get("memory"):
            raise SystemExit(f"{self.command.name}: inject.so counted no call of it")
        return [Fault(family, n, kind) for family, kinds in FAMILIES.items() for kind in kinds
                for n in points(self.command, family, calls.get(family, 0))]

    def one(self, fault):
        ran, _, failed = self.run(fault)
        broken = judge(self.command, ran, self.whole, fault, failed)
        if not broken and ran.code != 0 and keeps_state(self.command):
            broken = self.goes_on()
        self.tally["runs"] += 1
        self.tally["failed"] += failed is not None
        self.tally["ended"] += ran.code != 0
        if broken:
            stack = where(self.command, failed) if failed else ["nothing failed"]
            if excepted(fault, broken, stack):
                self.tally["excepted"] += 1
                return
            at = " < ".join(stack[:8])
            key = fault.family, fault.kind, re.sub(r"\d+|0x[0-9a-f]+", "N", broken), at
            self.findings.setdefault(key, []).append((fault, broken))


def report(number, campaign):
    t, found = campaign.tally, campaign.findings
    count = sum(map(len, found.values()))
    print(f"{'not ' if found else ''}ok {number} {campaign.command.name}: {t['runs']} runs, {t['failed']} calls failed, "
          f"{t['ended']} ended in words" + (f", {t['excepted']} excepted" if t["excepted"] else "") + (f", {count} broke a rule" if found else ""))
    for (family, kind, _, at), cases in sorted(found.items()):
        fault, broken = cases[0]
        print(f"#  {len(cases)} x {fault}: {broken}\n#      {at}")
    sys.stdout.flush()


def fitted(command, uri):
    """With the database's address. AddressSanitizer of gcc 12 leaves its memory locked in a child that is forked while zstd's threads
    take some: such a child never ends, so there, programs have one thread."""
    line = command.line.replace("@MONGO@", uri)
    return dataclasses.replace(command, line=line.replace(" -t 2", " -t 1") if SANITIZER else line)


@contextlib.contextmanager
def database(inputs):
    """The MongoDB-protocol server over the folder world; its URI."""
    if not (inputs / "world").exists():
        yield ""
        return
    server = subprocess.Popen(["/usr/bin/python3", SERVICES / "mongodb/canned.py", "--batch", "3", inputs / "world"], stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def main(wanted):
    commands.clean_up_when_stopped()
    listed = [c for c in COMMANDS + OWN if c.program != "dq-tune" and c.name not in LONG and commands.here(c)]  # dq-tune is Python
    listed = [c for c in listed if not wanted or any(word in c.name for word in wanted)]
    began, total = time.monotonic(), collections.Counter()
    print(f"1..{len(listed)}", flush=True)
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory(prefix="dq-inject.") as top:
        top = pathlib.Path(top)
        inputs = commands.prepare(top / "inputs")
        subprocess.run(["bash", "-euc", INPUTS], cwd=inputs, env=commands.environment(sanitizers()), stdin=subprocess.DEVNULL, check=True)
        server = stack.enter_context(commands.Server())
        uri = stack.enter_context(database(inputs)) + "/w"
        extra = {"OPENAI_BASE_URL": f"{server.address}/v1"}
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(2 * os.cpu_count()))
        for number, command in enumerate(listed, 1):
            campaign = Campaign(fitted(command, uri), inputs, top, extra)
            list(pool.map(campaign.one, campaign.start()))
            report(number, campaign)
            total.update(campaign.tally, broken=sum(map(len, campaign.findings.values())))
    print(f"# {total['runs']} runs, {total['failed']} calls failed, {total['ended']} ended in words, {total['excepted']} excepted, "
          f"{total['broken']} broke a rule; {time.monotonic() - began:.0f} s, {sum(os.times()[2:4]):.0f} s of CPU")


if __name__ == "__main__":
    main(sys.argv[1:])
