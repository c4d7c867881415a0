#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws the house from its #include lines: rooms.py > rooms.svg (`make drawing`).

A room stands above all that it includes. An arrow means "includes"; one that others imply is left out. The column and
the purpose of each room are in the tables below; levels and arrows are read from the sources. tests/layers.sh says
which room a public header is of, and which single files may see more than their room: their arrows are dashed, and
imply nothing. Lines of code are not counted: each commit would change the drawing.
"""
import os
import re
import sys
from glob import glob
from pathlib import Path
from textwrap import wrap

WINGS = {"what computes": ("#dbe9fb", range(-1, 4)), "what joins them": ("#e3dcf5", range(4, 6)),
         "what moves bytes": ("#fbe6cf", range(6, 10))}  # colour, columns
ROOMS = {  # column wanted, purpose
    "rank": (0, "lists of the best items"),                   "learn": (0, "agents learn, replay and plan"),
    "offline": (1, "agents learn from what was logged"),
    "feature": (-1, "a pair within its user's list"),
    "net": (1, "networks: layers, losses, weights"),          "math": (2, "vectors, BLAS, Adam, thread pool"),
    "env": (0, "environments that answer to actions"),        "embed": (2, "vectors by hashing and factorising"),
    "reward": (3, "what a pair is worth"),                    "measure": (3, "measures of rankings"),
    "data": (4, "users, items, transitions, sessions"),       "label": (5, "labels asked of language models"),
    "rollout": (4, "agents act in many environments"),        "import": (7, "documents and files into rows"),
    "llm": (6, "questions asked once, within budget"),        "port": (6, "files, cache, HTTP, MongoDB, faiss"),
    "report": (4, "evaluations read and printed"), "plot": (5, "figures, drawn in one look"), "ope": (3, "a policy judged by another's log"),
    "compare": (3, "systems held against each other"),     "verdict": (5, "comparisons read and written as tables"),
    "page": (8, "results as one page of HTML"),            "log": (9, "a server's log, kept and followed"),
    "serve": (5, "what is asked over HTTP"),              "training": (4, "an agent in its world, and its model"),
     "models": (8, "a model a user, a file each"),          "mpi": (3, "one agent by several processes"),
     "distil": (5, "scores as short vectors, in an index"),
    "wire": (6, "the stream, written and read"),         "inspect": (8, "a stream checked, joined, printed"),
}
BARS = {"cli": "every program's options, help and messages", "core": "arenas, bundles, schemas, indices, errors"}
PROGRAMS = {"dq-export": "data into a stream", "dq-embed": "texts into vectors", "dq-reward": "pairs into rewards",
            "dq-train": "rewards into agents", "dq-plan": "agents into plans", "dq-rank": "agents into lists",
            "dq-eval": "lists into figures", "dq-sim": "made-up sessions", "dq-serve": "lists over HTTP", "dq-cat": "looks at any stream"}
EDGE, COLUMN, LEVEL, WIDTH, HEIGHT = 16, 142, 104, 124, 56  # pixels: the margin, from box to box, a box
HOUSE = 11 * COLUMN - (COLUMN - WIDTH)
STYLE = """<style>text{fill:#1c2127;font:11px sans-serif;text-anchor:middle}.name{font-size:14px;font-weight:bold}
.wing{font-size:13px;fill:#808488}rect.wing{fill-opacity:.09}.dashed{stroke-dasharray:5 4}
.arrow{fill:none;stroke:#7c858e;stroke-width:1.5;marker-end:url(#head)}</style>
<marker id="head" markerWidth="8" markerHeight="8" refX="1" refY="4" orient="auto" markerUnits="userSpaceOnUse">
<path d="M0 0L8 4L0 8z" fill="#7c858e"/></marker>"""


def read_table(name):
    """A table of tests/layers.sh, a list of words a line."""
    text = re.search(rf"^{name}='\n(.*?)^'", Path("tests/layers.sh").read_text("utf-8"), re.M | re.S)[1]
    return [line.replace(":", " ").split() for line in text.splitlines()]


def read_includes():
    """{room or program: rooms that it includes}, and {room: rooms that only its excepted files include}."""
    public = {f"dq/{header}.h": room for room, *headers in read_table("public") for header in headers}
    excepted = [(path, room) for files, *rooms in read_table("exceptions") for path in glob(files) for room in rooms]
    graph, single = {room: set() for room in ROOMS | BARS}, {}
    for path in glob("lib/**/*.[ch]", recursive=True) + glob("cmd/**/*.[ch]", recursive=True) + glob("include/dq/*.h"):
        room = public.get(path.removeprefix("include/")) or path.split("/")[1]
        if room not in ROOMS | BARS | PROGRAMS:
            sys.exit(f"docs/rooms.py: give {room} its line in ROOMS or PROGRAMS")
        for header in re.findall(r'^\s*#\s*include\s*"(\w+/.+)"', Path(path).read_text("utf-8"), re.M):
            other = public.get(header) or header.split("/")[0]
            if other != room:
                (single if (path, other) in excepted else graph).setdefault(room, set()).add(other)
    return graph, {room: others - graph[room] for room, others in single.items()}


def below(graph, room):
    """All rooms that a room stands on."""
    return graph[room].union(*(below(graph, other) for other in graph[room]))


def next_below(graph, room):
    """Those that a room includes and that none of the others stands on."""
    return sorted(graph[room].difference(*(below(graph, other) for other in graph[room])))


def place(graph, single):
    """{room: (column, level)}: the column wanted or, where another room has it, the nearest of the wing."""
    def level(room):
        return 1 + max(map(level, graph[room] | single.get(room, set())), default=-1)

    at = {}
    for room, (wanted, _) in ROOMS.items():
        columns = next(columns for _, columns in WINGS.values() if wanted in columns)
        free = [column for column in columns if (column, level(room)) not in at.values()]
        at[room] = min(free, key=lambda column: abs(column - wanted)), level(room)
    return at | {"core": (0, 0), "cli": (0, 1 + max(level for _, level in at.values()))}


def draw_box(left, top, width, height, colour, name, lines):
    x = left + width / 2
    rows = "".join(f'<text x="{x:g}" y="{top + 34 + 14 * i}">{line}</text>' for i, line in enumerate(lines))
    return (f'<rect x="{left:g}" y="{top}" width="{width:g}" height="{height}" rx="6" fill="{colour}"/>'
            f'<text class="name" x="{x:g}" y="{top + 18}">{name}</text>{rows}')


def draw_arrow(x, y, room, other, kind="arrow"):
    """From lower edge to upper edge; bars have no x of their own."""
    x1, x2 = x.get(room, x.get(other)), x.get(other, x.get(room))
    lean = max(-44, min(44, (x2 - x1) / 6))
    x1, x2, y1, y2 = x1 + lean, x2 - lean, y[room] + HEIGHT, y[other] - 7
    bend = min(50, (y2 - y1) / 2)
    return f'<path class="{kind}" d="M{x1:g} {y1}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2}"/>'


def draw_wing(name, columns, top, bottom):
    left, width = EDGE + (columns.start + 1) * COLUMN - 5, len(columns) * COLUMN - 8
    return (f'<rect class="wing" x="{left}" y="{top}" width="{width}" height="{bottom - top}" rx="9"/>'
            f'<text class="wing" x="{left + width / 2:g}" y="{top + 18}">{name}</text>')


def draw():
    graph, single = read_includes()
    at = place(graph, single)
    x = {room: EDGE + (at[room][0] + 1) * COLUMN + WIDTH / 2 for room in ROOMS}  # the middle
    y = {room: (1 + at["cli"][1] - level) * LEVEL - 4 for room, (_, level) in at.items()}  # the upper edge
    width, height = HOUSE + 2 * EDGE, y["core"] + HEIGHT + 12
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">', STYLE]
    svg += [draw_wing(name, columns, y["cli"] + 72, y["core"] - 24) for name, (_, columns) in WINGS.items()]
    svg += [draw_arrow(x, y, room, other) for room in y for other in next_below(graph, room)]
    svg += [draw_arrow(x, y, room, other, "arrow dashed") for room in sorted(single) for other in sorted(single[room])]
    svg += [draw_box(EDGE, y[bar], HOUSE, HEIGHT, "#e4e6e8", bar, [purpose]) for bar, purpose in BARS.items()]
    for room, (_, purpose) in ROOMS.items():
        colour = next(colour for colour, columns in WINGS.values() if at[room][0] in columns)
        svg.append(draw_box(x[room] - WIDTH / 2, y[room], WIDTH, HEIGHT, colour, room, wrap(purpose, 21)))
    step = (HOUSE + 8) / len(PROGRAMS)
    for i, (name, purpose) in enumerate(PROGRAMS.items()):
        rooms = ", ".join(room for room in next_below(graph, name) if room != "cli")
        svg.append(draw_box(EDGE + i * step, 12, step - 8, 72, "#dcefdc", name, [purpose, *wrap("on " + rooms, 24)]))
    return "\n".join([*svg, "</svg>"])


os.chdir(Path(__file__).resolve().parent.parent)
try:
    print(draw())
except RecursionError:
    sys.exit("docs/rooms.py: rooms include one another in a circle")
