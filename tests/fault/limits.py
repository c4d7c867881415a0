#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every command of commands.py with too little of something: address space, descriptors, size of a file, room on a disk,
files on a disk, a device that is full. Each run gives what the undisturbed one gives, or ends with a line and exit status 1,
leaves nothing that is not whole, and where it keeps something the same command without the limit then gives the same bytes.
Prints TAP, a test for each command and kind.

    BUILD=build python3 tests/fault/limits.py [RUNS [SEED [WORD...]]]

RUNS limits for each (8), drawn by SEED (1); WORD: what the name of a command or a kind contains. Disks are tmpfs of a few pages,
in a mount namespace of our own; where none is allowed, their tests are skipped."""

import ctypes
import dataclasses
import errno
import multiprocessing
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import traceback

import commands

PAGE = resource.getpagesize()
MIB = 1 << 20
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20, 0x1000, 0x4000, 0x40000, 2
libc = ctypes.CDLL(None, use_errno=True)
apart = False  # this process has mounts of its own


# ---- a disk of our own ----

def enter_namespace():
    """Mounts of this process alone from now on; False where that is not allowed."""
    if libc.unshare(CLONE_NEWNS) != 0:
        user, group = os.getuid(), os.getgid()
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0:
            return False
        try:
            pathlib.Path("/proc/self/setgroups").write_text("deny")
            pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1")
            pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1")
        except OSError:
            return False
    full = b"/dev/full"  # a mount point here: no program can replace it, whatever it does wrong
    global apart
    apart = libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0 and libc.mount(full, full, None, MS_BIND, None) == 0
    return apart


def must_be_apart():
    """Before anything is mounted, or a device named as an output: as root, that would be everybody's."""
    if not apart:
        raise OSError(errno.EPERM, "no mount namespace of our own")


class Disk:
    """A tmpfs at a folder, of so many bytes and files."""

    def __init__(self, folder, options):
        self.folder, self.options = folder, options

    def mount(self, flags, options):
        if libc.mount(b"tmpfs", os.fsencode(self.folder), b"tmpfs", flags, options.encode()) != 0:
            raise OSError(ctypes.get_errno(), f"tmpfs: {os.strerror(ctypes.get_errno())}")

    def __enter__(self):
        must_be_apart()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.mount(0, self.options)
        return self

    def widen(self):
        self.mount(MS_REMOUNT, "size=64m,nr_inodes=1000")

    def __exit__(self, *_):
        libc.umount2(os.fsencode(self.folder), MNT_DETACH)


def can_mount(folder):
    """Asked in a process of its own, since a namespace is for life."""
    pid = os.fork()
    if pid == 0:
        try:
            with Disk(folder / "try", "size=4k") if enter_namespace() else open("/nothing", "rb"):
                os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


# ---- kinds of too little: which limits, and a run within one of them ----

class Limit:
    """Of the process. A run, and the run without the limit that may have to follow it."""

    def __init__(self, name, which):
        self.name, self.which = name, which

    def run(self, command, inputs, scratch, value):
        def preexec():
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(self.which, (value, value))
        ran = commands.run(command, inputs, scratch, preexec=preexec)
        return ran, go_on(command, ran, inputs, scratch)


class Memory(Limit):
    def run(self, command, inputs, scratch, value):
        """Not where the program dies before its main: libgfortran calls itself for ever as it is loaded, in a narrow band of limits
        that a command which needs next to nothing meets."""
        ran, after = super().run(command, inputs, scratch, value)
        if ran.code is not None and ran.code < 0:
            version = dataclasses.replace(command, line=f"{command.program} --version", copies=(), out=())
            if super().run(version, inputs, scratch, value)[0].code == ran.code:
                return None, None
        return ran, after

    def values(self, job, whole):
        """Half of them where it just fails, the others anywhere below."""
        least, enough = 5 * MIB, 2048 * MIB
        while enough - least > enough // 50:
            middle = (least + enough) // 2
            ran, _ = self.run(job.command, job.inputs, job.scratch, middle)
            least, enough = (least, middle) if ran and ran.code == 0 else (middle, enough)
        near = [enough - job.draw.randrange(enough // 16) for _ in range(job.runs // 2)]
        return near + [job.draw.randrange(5 * MIB, enough) for _ in range(job.runs - len(near))]


class Descriptors(Limit):
    def values(self, job, whole):
        return sorted({0, 3, 4, *job.draw.sample(range(5, 30), min(job.runs, 25))})


class FileSize(Limit):
    def values(self, job, whole):
        most = max([2, *map(len, whole.files.values())])
        return sorted({0, most - 1, *(job.draw.randrange(1, most) for _ in range(job.runs - 2))})


class Room:
    """On a disk, of pages or of files."""

    def __init__(self, name, option):
        self.name, self.option = name, option

    def run(self, command, inputs, scratch, value):
        with Disk(scratch, self.option.format(value)) as disk:
            try:
                commands.lay_out(command, inputs, scratch)
            except OSError:
                return None, None  # its inputs have no room
            ran = commands.run(command, inputs, scratch, keep=True)
            disk.widen()
            return ran, go_on(command, ran, inputs, scratch)


class Pages(Room):
    def values(self, job, whole):
        most = sum(-(-len(data) // PAGE) for data in whole.files.values()) + 2
        return [PAGE * n for n in sorted({1, *(job.draw.randint(1, most) for _ in range(job.runs - 1))})]


class Files(Room):
    def values(self, job, whole):
        return range(2, 4 + 2 * len(whole.files))[:job.runs]


class Device:
    """Every output on a device that is full."""
    name = "full device"

    def values(self, job, whole):
        named = [name for name in (*job.command.out, *job.command.grows) if name in job.command.words and "." not in name]
        return named or ([""] if whole.stdout else [])

    def run(self, command, inputs, scratch, value):
        must_be_apart()
        words = ["/dev/full" if word == value else word for word in command.words]
        with open("/dev/full", "wb") as full:
            return commands.run(dataclasses.replace(command, line=" ".join(words)), inputs, scratch,
                                stdout=subprocess.PIPE if value else full), None


KINDS = [Memory("address space", resource.RLIMIT_AS), Descriptors("descriptors", resource.RLIMIT_NOFILE),
         FileSize("size of a file", resource.RLIMIT_FSIZE), Pages("room on a disk", "size={}"),
         Files("files on a disk", "nr_inodes={}"), Device()]


def go_on(command, ran, inputs, scratch):
    """The same command once more, where a run that failed may have kept something; else None."""
    if ran.code == 0 or not (command.grows or command.copies or "ck" in command.out):
        return None
    return commands.run(command, inputs, scratch, keep=True)


# ---- a job: one command and one kind ----

class Job:
    def __init__(self, command, kind, inputs, runs, seed, folder):
        self.command, self.kind, self.inputs, self.runs = command, kind, inputs, runs
        self.name = f"{command.name}: {kind.name}"
        self.scratch = folder / self.name.replace(" ", "-").replace(":", "")
        self.draw = random.Random(f"{seed} {self.name}")

    def why(self, value, whole):
        """Which rule is broken within that limit; None: none is."""
        ran, again = self.kind.run(self.command, self.inputs, self.scratch, value)
        if ran is None:
            return None
        self.ran += 1
        self.failed += ran.code != 0
        why = commands.wrong(self.command, ran, whole, early=True)
        if not why and self.kind.name == "full device":
            why = "exit 0" if ran.code == 0 else value and "/dev/full: " not in ran.words and f"it does not say what is full: {ran.words.strip()}"
        if not why and again and (why := commands.wrong(self.command, again, whole, codes=())):
            why = f"exit {ran.code} ({ran.words.strip()[-200:]}); without the limit: {why}"
        return why and f"{value}: {why}"

    def __call__(self):
        self.ran = self.failed = 0
        whole = commands.run(self.command, self.inputs, self.scratch)
        if whole.code != 0:
            return [f"undisturbed: exit {whole.code}: {whole.words.strip()}"]
        return list(filter(None, (self.why(value, whole) for value in self.kind.values(self, whole))))


def lacks(job, disks):
    """Why a job cannot be done here; None: it can."""
    if not commands.here(job.command):
        return f"the package {job.command.package} is not installed"
    if isinstance(job.kind, (Room, Device)) and not disks:
        return "no tmpfs may be mounted here"
    if isinstance(job.kind, (Memory, Descriptors)) and os.environ.get("SANITIZER"):
        return "sanitizers take address space and descriptors of their own"
    return None


def work(job):
    try:
        lines = job()
    except Exception:  # a fault of the test itself: said as a failure
        return job.name, traceback.format_exc().splitlines(), 0, 0
    return job.name, lines, job.ran, job.failed


def main():
    commands.clean_up_when_stopped()
    runs, seed = (int(word) for word in (sys.argv[1:3] + ["8", "1"][len(sys.argv[1:3]):]))
    wanted = sys.argv[3:]
    with tempfile.TemporaryDirectory(prefix="dq-limits.") as folder:
        folder = pathlib.Path(folder)
        inputs, disks = commands.prepare(folder / "inputs"), can_mount(folder)
        jobs = [Job(c, kind, inputs, runs, seed, folder) for c in sorted(commands.COMMANDS, key=lambda c: not c.slow) for kind in KINDS]
        jobs = [job for job in jobs if not wanted or any(word in job.name for word in wanted)]
        skips = {job: why for job in jobs if (why := lacks(job, disks))}
        jobs = [job for job in jobs if job not in skips]
        done = ran = failed = 0
        with multiprocessing.Pool(os.cpu_count(), enter_namespace if disks else None) as pool:
            for name, lines, n, f in pool.imap_unordered(work, jobs):
                if not n and not lines:
                    continue  # it has nothing to limit: it writes nothing, say
                done, ran, failed = done + 1, ran + n, failed + f
                print(f"{'not ' if lines else ''}ok {done} - {name}: {n} runs, {f} of them fail")
                print("".join(f"# {line}\n" for line in lines), end="", flush=True)
        for number, (job, why) in enumerate(skips.items(), done + 1):
            print(f"ok {number} - {job.name} # SKIP {why}")
        print(f"1..{done + len(skips)}\n# {ran} runs, {failed} of them failed as they should; python3 tests/fault/limits.py {runs} {seed}")


if __name__ == "__main__":
    main()
