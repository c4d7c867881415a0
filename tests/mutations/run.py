#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Damages files of every form that dq reads and holds the programs to one rule: nobody ends with exit status 0 and less data
than the file had, without a word on standard error. Prints TAP, one test a form.

    BUILD=build python3 tests/mutations/run.py [COUNT [SEED [FORM...]]]

COUNT mutations a form (24), drawn by SEED (1); FORM: words that a form's name contains. Of each mutation that breaks the rule the
command and what came are printed, and its files stay under BUILD/test-logs/mutations/."""

import collections
import gzip
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

import forms
import mutate

BUILD = pathlib.Path(os.environ["BUILD"]).resolve()
Expect = collections.namedtuple("Expect", "rows keep touched fail words", defaults=([], [], False, ""))
# rows: how many there are, None for a file that is none of its form; keep: those that nobody touched, as they must leave;
# touched: those that somebody did; fail: whether exit status 1 is the only right end; words: what must be said


def run(command, folder, stdin=None):
    try:
        done = subprocess.run([str(BUILD / command[0]), *command[1:]], input=stdin, capture_output=True, timeout=60, cwd=folder)
    except subprocess.TimeoutExpired:
        return "none: it did not end", b"", ""
    return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip()


def frozen(row):
    """A row that compares: 1 is 1.0, and the order of keys is nothing."""
    return json.dumps(json.loads(json.dumps(row), parse_int=float), sort_keys=True)


def carried(rows):
    """How many values of each key there are; what is empty carries nothing."""
    def empty(value):
        return all(map(empty, value.values())) if isinstance(value, dict) else value in (None, "", [])
    return collections.Counter(key for row in rows for key, value in row.items() if not empty(value))


def broken(status, words, rows, expect):
    """The rule that was broken, or None."""
    if status not in (0, 1):
        return f"ends with status {status}"
    if status == 1:
        return (None if expect.words in words else f"does not say {expect.words}") if words else "fails without a word"
    if expect.fail:
        return "a file that is no such file, and exit status 0"
    if expect.rows is None:
        return None if words else "a broken file, exit status 0, and no word"
    said = sum(int(n) for n in re.findall(r"(\d+) skipped", words))
    if expect.rows and not rows:
        return "nothing was usable, and exit status 0"
    if len(rows) + said < expect.rows:
        return f"{expect.rows} rows in, {len(rows)} out, {said} said to be skipped"
    gone = collections.Counter(map(frozen, expect.keep)) - collections.Counter(map(frozen, rows))
    if sum(gone.values()) > said:
        return f"a row that nobody touched is gone or changed: {next(iter(gone))}"
    if not words:
        lost = carried(expect.keep + expect.touched) - carried(rows)
        if lost:
            return f"values are gone without a word: {dict(lost)}"
    return None


# ---- documents: users, items, interactions ----

class Documents:
    """A form of rows, damaged in one of the three files, read by dq-export and printed by dq-cat."""

    def __init__(self, name, form):
        self.name, self.form, self.table = name, form, forms.catalogue()
        self.mapped = isinstance(form, forms.Extended)

    def leaves(self, row):
        """A row as dq-cat prints it."""
        return {key: forms.oid(value) if self.mapped and key in ("id", "user", "item") else value for key, value in row.items()}

    def draw(self, rng):
        """What is done, to which kind, the bytes, what to expect."""
        kind = rng.choice(forms.KINDS)
        ways = [self.of_bytes] * 3 + [self.of_rows] * 3 + [self.of_writing, self.of_encoding, self.of_packing]
        ways += [self.of_cells] * 3 if isinstance(self.form, forms.Table) else []
        ways += [self.of_key] if type(self.form) is forms.Lines else []
        what, data, expect = rng.choice(ways)(self.table[kind], rng)
        expect = expect._replace(keep=list(map(self.leaves, expect.keep)), touched=list(map(self.leaves, expect.touched)))
        return f"{kind}: {what}", kind, data, expect

    def of_bytes(self, rows, rng):
        data, way = self.form.write(rows), rng.choice(mutate.BYTES)
        changed = way(data, rng)
        there = self.form.read(changed)
        if there is None:
            return way.__name__, changed, Expect(None)
        head = data.split(b"\n")[0] if self.form.header else b""
        whole = self.form.read(data)
        left = collections.Counter(there) if changed.startswith(head) else collections.Counter()
        keep = [row for row, text in zip(rows, whole) if left[text] and not left.subtract([text])]
        torn = way is mutate.cut and type(self.form) is forms.Lines and there and not self.valid(there[-1])
        return way.__name__, changed, Expect(len(there), keep, [], torn)

    @staticmethod
    def valid(line):
        try:
            json.loads(line)
            return True
        except ValueError:
            return False

    def of_rows(self, rows, rng):
        way = rng.choice(mutate.ROWS)
        changed, touched = way(rows, rng)
        data = self.form.write(changed)
        keep = [row for at, row in enumerate(changed) if at not in touched]
        return (f"{way.__name__} {[changed[at] for at in sorted(touched)]}", data,
                Expect(len(changed), keep, [changed[at] for at in sorted(touched)]))

    def of_key(self, rows, rng):
        lines, at = self.form.write(rows).decode().splitlines(), rng.randrange(len(rows))
        lines[at] = mutate.doubled_key(lines[at], rng)
        return f"doubled key: {lines[at]}", "\n".join(lines + [""]).encode(), Expect(len(rows), rows[:at] + rows[at + 1:], [rows[at]])

    def of_cells(self, rows, rng):
        way = rng.choice(mutate.TABLES)
        table, touched = way(self.form.read_cells(self.form.write(rows)), rng)
        keep = [row for at, row in enumerate(rows) if at not in touched]
        return f"{way.__name__}: {table[0]}", self.form.write_cells(table), Expect(len(rows), keep, [])

    def of_writing(self, rows, rng):
        name, data = mutate.same(self.form.write(rows), rng)
        return name, data, Expect(len(rows), rows)

    def of_encoding(self, rows, rng):
        name, data, refused = mutate.foreign(self.form.write(rows), rng)
        plain = [row for row in rows if json.dumps(row, ensure_ascii=False).isascii()]
        return name, data, Expect(len(rows), [] if refused else plain, [], refused, "iconv" if refused else "")

    def of_packing(self, rows, rng):
        """Half of a gzip file: the form's own bytes may end between two rows."""
        data = gzip.compress(self.form.write(rows), mtime=0)
        return "gzip, cut", data[:rng.randrange(20, len(data) - 1)], Expect(len(rows), [], [], True)

    def run(self, folder, kind, data, packed):
        operands = ["--schema", "map.json", "."] if self.mapped else []
        for other, rows in self.table.items():
            form = self.form if other == kind or self.mapped else forms.Lines()
            path = folder / (other + form.suffix + (".gz" if packed and other == kind else ""))
            path.write_bytes(data if other == kind else form.write(rows))
            operands += [] if self.mapped else [f"--{other}", path.name]
        if self.mapped:
            (folder / "map.json").write_text(json.dumps(forms.MAPPING))
        status, stream, words = run(["dq-export", *operands], folder)
        rows = []
        if status == 0:
            status, text, more = run(["dq-cat", "--kind", kind], folder, stream)
            rows, words = [json.loads(line) for line in text.splitlines()], words + more
            for row in rows:
                row.pop("kind", None)
        return status, words, rows


# ---- arrays of vectors, with their ids beside them ----

class Arrays:
    """An array and a list of ids, read by dq-export."""

    def __init__(self, name, write, suffix, oddities):
        self.name, self.write, self.suffix, self.oddities = name, write, suffix, oddities
        self.rows = [{"id": row["id"], "vector": row["vector"]} for row in forms.catalogue()["items"]]
        self.ids = "".join(row["id"] + "\n" for row in self.rows).encode()

    def draw(self, rng):
        data, ids, rows = self.write(self.rows), self.ids, self.rows
        way = rng.choice(("bytes", "bytes", "head", "ids", "writing", "encoding"))
        if way == "bytes":
            change = rng.choice(mutate.BYTES)
            data = change(data, rng)
            return change.__name__, ids, data, Expect(len(rows), fail=len(data) != len(self.write(rows)))
        if way == "head":
            odd = rng.choice(self.oddities)
            return f"{odd}", ids, self.write(rows, **odd), Expect(len(rows))
        if way == "ids":
            change = rng.choice(mutate.BYTES)
            ids = change(ids, rng)
            lines = [line for line in ids.split(b"\n") if line.strip()]
            return f"ids: {change.__name__} {ids}", ids, data, Expect(max(len(lines), len(rows)))
        if way == "writing":
            name, ids = mutate.same(ids, rng)
            return f"ids: {name}", ids, data, Expect(len(rows), rows if name != "blank lines" else [])
        name, ids, refused = mutate.foreign(ids, rng)
        return f"ids: {name}", ids, data, Expect(len(rows), [], [], refused, "iconv" if refused else "")

    def run(self, folder, ids, data, packed):
        (folder / "ids").write_bytes(ids)
        (folder / ("v" + self.suffix)).write_bytes(data)
        status, stream, words = run(["dq-export", "--items", "v" + self.suffix, "--item-ids", "ids"], folder)
        rows = []
        if status == 0:
            status, text, more = run(["dq-cat", "--kind", "items"], folder, stream)
            rows, words = [json.loads(line) for line in text.splitlines()], words + more
            for row in rows:
                row.pop("kind", None)
        return status, words, rows


# ---- TREC's files ----

class Trec:
    """Judgements or a ranking, read by dq-eval; a row that arrived is one that its counts have."""

    def __init__(self, name, rows, count, other):
        self.name, self.rows, self.count, self.other = name, rows, count, other
        self.queries = {row[0] for row in rows}

    def write(self, rows):
        return "".join(" ".join(row) + "\n" for row in rows).encode()

    def counted(self, data):
        """Rows of a file that dq-eval is to count, or to complain of: of a query that both files have, and, of judgements, relevant."""
        rows = [line.split() for line in forms.text_of(data).split("\n") if line.strip()]
        return sum(row[0] in self.queries and not (self.name == "qrels" and len(row) == 4 and re.fullmatch(r"0+|-[0-9]+", row[3]) is not None) for row in rows)

    def draw(self, rng):
        rows, way = self.rows, rng.choice(("bytes", "bytes", "writing", "encoding", "cells"))
        data = self.write(rows)
        if way == "bytes":
            change = rng.choice(mutate.BYTES)
            data = change(data, rng)
            return change.__name__, None, data, Expect(self.counted(data))
        if way == "writing":
            name, data = mutate.same(data, rng)
            return name, None, data, Expect(len(rows))
        if way == "encoding":
            name, data, refused = mutate.foreign(data, rng)
            return name, None, data, Expect(len(rows), [], [], refused, "iconv" if refused else "")
        change = rng.choice((mutate.swapped_columns, mutate.ragged, self.wrong_cell, self.doubled))
        data = self.write(change(rows, rng)[0])
        return change.__name__, None, data, Expect(self.counted(data))

    @staticmethod
    def wrong_cell(rows, rng):
        rows, at = [row[:] for row in rows], rng.randrange(len(rows))
        rows[at][rng.randrange(1, len(rows[at]))] = rng.choice(("", "abc", "1.5", "nan", "inf", "1e999", "0x1", "--1", "99999999999999999999", "1,5", "\u0661"))
        return rows, {at}

    @staticmethod
    def doubled(rows, rng):
        return mutate.doubled(rows, rng)

    def run(self, folder, kind, data, packed):
        (folder / self.name).write_bytes(data)
        name, rows = self.other
        (folder / name).write_bytes(self.write(rows))
        status, text, words = run(["dq-eval", "--qrels", "qrels", "--run", "run", "-f", "trec", "-m", self.count], folder)
        count = re.search(rb"all\s+(\d+)", text)
        return status, words, [{}] * int(count[1]) if count else []


FORMS = [
    Documents("JSON lines", forms.Lines()),
    Documents("JSON array", forms.Array()),
    Documents("CSV", forms.Table(".csv", ",")),
    Documents("TSV", forms.Table(".tsv", "\t")),
    Documents("extended JSON, canonical", forms.Extended(True)),
    Documents("extended JSON, relaxed", forms.Extended(False)),
    Arrays("npy", forms.npy, ".npy", [{"descr": d} for d in ("<f8", ">f4", "<i4", "<U3", "|O", "<f2", "<c8", "|V4", "f4")] +
           [{"fortran": True}] + [{"shape": s} for s in ((11, 3), (13, 3), (12, 2), (36,), (12, 3, 1), (3, 12), (), (0, 3), (-12, 3), (12, 1 << 62))]),
    Arrays("safetensors", forms.safetensors, ".safetensors", [{"dtype": d} for d in ("F64", "F16", "BF16", "I32", "BOOL", "", "F99")] +
           [{"shape": s} for s in ([11, 3], [13, 3], [12, 2], [36], [12, 3, 1], [0, 3], [-12, 3], [12, 1 << 62])] + [{"end": e} for e in (0, 100, 145, -1, 1 << 62)]),
    Trec("qrels", forms.judgements(), "num_rel", ("run", forms.ranking())),
    Trec("run", forms.ranking(), "num_ret", ("qrels", forms.judgements())),
]


def examine(form, seed):
    """One mutation: None, or the words of a rule that was broken and where its files are."""
    rng = random.Random(seed)
    what, kind, data, expect = form.draw(rng)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        status, words, rows = form.run(folder, kind, data, what.endswith("gzip, cut"))
        rule = broken(status, words, rows, expect)
        if rule is None:
            return None
        kept = pathlib.Path(os.environ.get("logs", BUILD / "test-logs")) / "mutations" / seed.replace(" ", "-").replace(",", "")
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(folder, kept)
        return f"{what[:300]}: {rule}\n  said ({status}): {words[:300] or 'nothing'}\n  files: {kept}"


def main():
    count, seed = int(sys.argv[1]) if len(sys.argv) > 1 else 24, sys.argv[2] if len(sys.argv) > 2 else "1"
    wanted = [form for form in FORMS if not sys.argv[3:] or any(word in form.name for word in sys.argv[3:])]
    bad = 0
    for number, form in enumerate(wanted, 1):
        faults = [fault for n in range(count) if (fault := examine(form, f"{form.name} {seed} {n}"))]
        print(f"{'not ' if faults else ''}ok {number} - {count} mutations of {form.name} lose nothing in silence", flush=True)
        for fault in faults:
            print("# " + fault.replace("\n", "\n# "))
        bad += bool(faults)
    print(f"1..{len(wanted)}")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
