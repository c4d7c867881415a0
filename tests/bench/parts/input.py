# SPDX-License-Identifier: MIT
"""People's own files made into a stream: JSON lines of vectors, interactions as CSV and as JSON lines; and vectors written as
JSON. Rates by CPU time, of whole processes (of pandas without its import); dq also checks, numbers and compresses what it reads.
"""
import random
import shutil
import struct


def as_python_writes(number):
    """A float32 as json.dumps writes it: of the double that it is, 17 digits or so."""
    return repr(struct.unpack("f", struct.pack("f", number))[0])


def make_vectors(bench, count, width):
    path = f"{bench.dir}/input.jsonl"
    rng = random.Random(1)
    with bench.making(path) as new:
        if new:
            with open(new, "w") as f:
                for i in range(count):
                    numbers = ", ".join(as_python_writes(rng.gauss(0, 1)) for _ in range(width))
                    f.write(f'{{"id": "item{i}", "text": {{"title": "a title of item {i}"}}, "vector": [{numbers}]}}\n')
    return path


def make_interactions(bench, count):
    """As many as MovieLens' users and items could have, with its columns, in two forms."""
    forms = ((f"{bench.dir}/input.csv", "user,item,reward,time\n", "%d,%d,%d,%d\n"),
             (f"{bench.dir}/interactions.jsonl", "", '{"user":"%d","item":"%d","reward":%d,"time":%d}\n'))
    for path, head, line in forms:
        with bench.making(path) as new:
            if new:
                rng = random.Random(2)
                with open(new, "w") as f:
                    f.write(head)
                    f.writelines(line % (rng.randint(1, 6040), rng.randint(1, 3952), rng.randint(1, 5),
                                         rng.randint(956703932, 1046454590)) for _ in range(count))
    return [path for path, _, _ in forms]


def size(path):
    with open(path, "rb") as f:
        return f.seek(0, 2) / 1e6


def measure_vectors(bench):
    lines = make_vectors(bench, bench.pick(3000, 20), 768)
    megabytes = size(lines)
    python = bench.python(None, "numpy", debian=True)
    t = bench.turns({
        "Python's json and NumPy": (lambda: bench.run([python, bench.peer("json_numpy.py"), lines])) if python else None,
        "jq": (lambda: bench.run(f"jq -c '.vector | length' {lines} | cat > /dev/null")) if shutil.which("jq") else None,
        "dq": lambda: bench.drained([bench.program("dq-export"), "-q", "--items", lines])})
    rates = {name: [bench.rate(megabytes, c.cpu) for c in costs] for name, costs in t.items()}
    for peer in ("Python's json and NumPy", "jq"):
        bench.row("JSON lines of vectors, read into a stream", "MB a second of CPU", rates["dq"], peer, rates.get(peer), better="higher",
                  bound=300)
    stream = f"{bench.dir}/input.dq"
    bench.run([bench.program("dq-export"), "-q", "--items", lines, "-o", stream])
    printed = f"{bench.dir}/input.printed"
    bench.run(f"{bench.program('dq-cat')} {stream} > {printed}")
    t = bench.turns({"dq": lambda: bench.drained([bench.program("dq-cat"), stream])})
    bench.row("vectors written as JSON lines", "MB a second of CPU", [bench.rate(size(printed), c.cpu) for c in t["dq"]], better="higher",
              bound=100)


def measure_interactions(bench):
    count = bench.pick(2_000_000, 5000)
    csv, lines = make_interactions(bench, count)
    python, export = bench.python("INPUT_PYTHON", "pandas", debian=True), [bench.program("dq-export"), "-q", "--interactions"]
    sqlite = f"sqlite3 :memory: '.mode csv' '.import {csv} x' 'select count(*) from x'"
    t = bench.turns({
        "pandas": (lambda: bench.answer(python, bench.peer("pandas_csv.py"), csv)["seconds"]) if python else None,
        "sqlite3 .import": (lambda: bench.run(sqlite).cpu) if shutil.which("sqlite3") else None,
        "dq": lambda: bench.drained([*export, csv]).cpu})
    rates = {name: [bench.rate(count / 1e6, s) for s in seconds] for name, seconds in t.items()}
    for peer in ("pandas", "sqlite3 .import"):
        bench.row("interactions of a CSV, read into a stream", "million rows a second of CPU", rates["dq"], peer, rates.get(peer),
                  better="higher", bound=5)
    t = bench.turns({"dq": lambda: bench.drained([*export, lines]).cpu})
    bench.row("the same as JSON lines", "million rows a second of CPU", [bench.rate(count / 1e6, s) for s in t["dq"]], better="higher")


def measure(bench):
    measure_vectors(bench)
    measure_interactions(bench)
