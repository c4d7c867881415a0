# SPDX-License-Identifier: MIT
"""What a large task takes on 1, 10 and 100 machines, and what gives out first, computed from measured laws (parts/scaling.py): the
second table of docs/scaling.md. A machine is as the one that was measured. Work is cut into as many equal parts as there are
cores; a part costs the law's fixed share once, and reads all items, and each second of it is stretched by what cores lose beside
each other.
"""
from typing import NamedTuple

USERS, ITEMS, PLACES, QUESTIONS, STEPS, BATCH = 10_000, 100_000, 1000, 10_000_000, 10_000, 128
PAIRS = USERS * ITEMS
MACHINES = (1, 10, 100)
DAY = 86400
MIB = 1 << 20
VECTORS = 4 * (1536 * ITEMS + 768 * USERS) / MIB  # of the published networks' catalogue, float32, in memory


class Stage(NamedTuple):
    what: str
    law: str              # its key: time, memory of a process, bytes written
    count: float          # units of the law in all
    unit: str             # as many of what
    model: bool = False   # one model learns from all: a process a machine, which keeps the machine's share of the rows
    alone: bool = False   # by one machine, however many there are
    rows: str = ""        # the law of the memory that its units take, where it is another
    held: float = 0       # units in memory, where not all are
    beside: tuple = ()    # a law, and of how many of its units a process has the memory whatever its share
    reads: tuple = ()     # the law by items, the law by users, users of the first: what an item takes of a part besides its pairs
    vectors: bool = False  # the catalogue's vectors stand in memory, once a machine


STAGES = [
    Stage("users and items exported, 1536 wide", "export", ITEMS + USERS, "rows"),
    Stage("labelled by cosine", "cosines", PAIRS, "pairs", held=USERS * 1000, beside=("cosines.items", 1000 * ITEMS),
          reads=("cosines.items", "cosines", 1000)),
    Stage("labelled by a model: what dq adds", "asked", QUESTIONS, "pairs"),
    Stage("the same labels out of the cache", "cached", QUESTIONS, "pairs"),
    Stage("given rewards by their labels", "logged", PAIRS, "interactions"),
    Stage("read, kept and drawn once", "rows", PAIRS, "transitions", model=True),
    Stage("learnt once by the published networks", "published", PAIRS, "transitions", model=True, rows="rows", vectors=True),
    Stage("learnt once as whole lists, the defaults", "lists", PAIRS, "pairs", model=True, alone=True, rows="lists.users",
          beside=("lists", BATCH * ITEMS)),
    Stage(f"published agents, {STEPS:,} steps for each of {USERS:,} users", "steps", USERS * STEPS, "steps", vectors=True),
    Stage("ranked by the published network", "users", PAIRS, "pairs", held=USERS * 2000, reads=("items", "users", 1)),
    Stage("ranked with a first pass in 8 bits", "int8", PAIRS, "pairs", held=USERS * 2000, reads=("items", "users", 1)),
    Stage(f"{PLACES:,} places each evaluated", "evaluated", USERS * PLACES, "lines"),
]


class Machine(NamedTuple):
    cores: int
    mib: float
    crowd: float  # seconds beside others for one alone


class Plan:
    """The laws of a record's rows, by key."""

    def __init__(self, rows):
        self.laws = {row["law"]["key"]: row["law"] for row in rows if "law" in row}
        crowd = next(row["dq"][0] for row in rows if row.get("law", {}).get("key") == "crowd")
        self.machine = Machine(self.laws["machine"]["cores"], self.laws["machine"]["mib"], max(crowd, 1))

    def begun(self, stage):
        """CPU seconds of a part before its first unit."""
        fixed = self.laws[stage.law]["seconds"]["fixed"]
        if not stage.reads:
            return fixed
        by_items, by_users, users = stage.reads
        item = users * (self.laws[by_items]["seconds"]["each"] - self.laws[by_users]["seconds"]["each"])
        return fixed + max(item, 0) * ITEMS

    def seconds(self, stage, count, machines):
        """By the clock, of a part."""
        law, cores = self.laws[stage.law]["seconds"], self.machine.cores
        stretched = self.machine.crowd if cores > 1 else 1
        return (self.begun(stage) + law["each"] * count / (cores * (1 if stage.alone else machines))) * stretched

    def each(self, stage):
        """MiB a unit."""
        return self.laws[stage.rows or stage.law]["memory"]["bytes"] / MIB

    def fixed(self, stage):
        """MiB of a machine's processes before the first unit."""
        law, units = stage.beside or (stage.law, 0)
        memory = self.laws[law]["memory"]
        of_each = memory["mib"] + memory["bytes"] * units / MIB
        return of_each * (1 if stage.model else self.machine.cores) + (VECTORS if stage.vectors else 0)

    def mib(self, stage, machines):
        return self.fixed(stage) + self.each(stage) * (stage.held or stage.count) / (1 if stage.alone else machines)

    def first(self, stage):
        """What gives out first on one machine, and at how many units: a day, or its memory."""
        day = (DAY - self.seconds(stage, 0, 1)) * stage.count / max(self.seconds(stage, stage.count, 1) - self.seconds(stage, 0, 1), 1e-9)
        each = self.each(stage) * (stage.held or stage.count) / stage.count
        full = (self.machine.mib - self.fixed(stage)) / each if each else float("inf")
        return f"memory, at {count(max(full, 0))}" if full < day else f"a day, at {count(day)}"

    def cell(self, stage, machines):
        needs = self.mib(stage, machines)
        words = duration(self.seconds(stage, stage.count, machines))
        return words if needs <= self.machine.mib else f"{words}; **needs {size(needs * MIB)}**"

    def row(self, stage):
        disk = self.laws[stage.law].get("disk")
        return [f"{count(stage.count)} {stage.unit} {stage.what}", *(self.cell(stage, n) for n in MACHINES),
                ", ".join(size(self.mib(stage, n) * MIB) for n in MACHINES), size(disk * stage.count) if disk else "", self.first(stage)]


def duration(s):
    for unit, seconds in (("days", DAY), ("h", 3600), ("min", 60)):
        if s >= seconds * (2 if unit == "days" else 1):
            return f"{digits(s / seconds)} {unit}"
    return f"{digits(s)} s"


def size(n):
    for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if n >= scale:
            return f"{digits(n / scale)} {unit}"
    return f"{digits(n / 1e3)} kB"


def count(n):
    for word, power in (("10¹²", 1e12), ("10⁹", 1e9), ("10⁶", 1e6)):
        if n >= power:
            return word if n == power else f"{digits(n / power)} · {word}"
    return f"{n:,.0f}"


def digits(x):
    """Two or three of them: a plan is no measurement."""
    return f"{x:,.0f}" if x >= 10 else f"{x:.2g}"


def table(rows):
    plan = Plan(rows)
    head = ["", *(f"{n} machine{'s' * (n > 1)}" for n in MACHINES), "memory of a machine", "written", "first to give out on one machine"]
    lines = [head, ["---"] * len(head), *(plan.row(stage) for stage in STAGES)]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines)
