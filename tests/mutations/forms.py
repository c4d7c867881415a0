# SPDX-License-Identifier: MIT
"""The forms that dq reads, as this test writes and reads them: a small catalogue in each, and what a reader of no
connection to dq finds in a file of that form."""

import csv
import io
import json
import struct

KINDS = ("users", "items", "interactions")
WORDS = ("tea, green", 'a "pot"', "Crème brûlée", "Løvstræde", "welder", "night nurse", "東京", "plain")


def catalogue():
    """Rows by kind, as dq-cat prints them. Every number is one that float32 holds."""
    users = [{"id": f"u{n:02}", "text": {"bio": f"{WORDS[n % 8]} {n}"}, "vector": [n / 2, -n / 4, 1.5], "age": 20 + n} for n in range(12)]
    items = [{"id": f"i{n:02}", "text": {"title": f"{WORDS[7 - n % 8]} {n}"}, "vector": [1.5, n / 8, -n], "pay": n / 2} for n in range(12)]
    labels = ("APPLY", "SAVE", "CLICK", "IGNORE")
    seen = [{"user": f"u{n // 2:02}", "item": f"i{n % 12:02}", "label": labels[n % 4], "reward": n / 4, "time": 1700000000 + n}
            for n in range(24)]
    return {"users": users, "items": items, "interactions": seen}


def text_of(data):
    """The text that bytes are when nobody says otherwise, whatever they hold."""
    return data.decode("utf-8-sig", "surrogateescape")


class Lines:
    """JSON lines."""

    suffix, header = ".jsonl", 0

    def write(self, rows):
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8", "surrogatepass")

    def read(self, data):
        """What stands in a file, a thing a row that compares; None: no file of this form, so it must be an error or be told."""
        return [line.strip() for line in text_of(data).replace("\r", "\n").split("\n") if line.strip()]


class Array:
    """One JSON array."""

    suffix, header = ".json", 0

    def write(self, rows):
        return (json.dumps(rows, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "surrogatepass")

    def read(self, data):
        try:
            rows = json.loads(text_of(data))
            return [json.dumps(row, sort_keys=True) for row in rows] if isinstance(rows, list) else None
        except ValueError:
            return None


class Table:
    """CSV or TSV with a header; a row's text is a column of its own, and so is each number of a vector in CSV."""

    header = 1

    def __init__(self, suffix, comma):
        self.suffix, self.comma = suffix, comma

    def cells(self, row):
        out = {}
        for key, value in row.items():
            if key == "text" and isinstance(value, dict):
                out.update({f"text.{name}": text for name, text in value.items()})
            elif key == "vector" and self.comma == "," and isinstance(value, list) and len(value) == 3:
                out.update({f"vector.{n}": number for n, number in enumerate(value)})
            else:
                out[key] = value
        return {key: value if isinstance(value, str) else "" if value is None else json.dumps(value) for key, value in out.items()}

    def write(self, rows, drop=()):
        rows = [self.cells(row) for row in rows]
        names = list(dict.fromkeys(name for row in rows for name in row if name not in drop))
        return self.write_cells([names] + [[row.get(name, "") for name in names] for row in rows])

    def write_cells(self, table):
        out = io.StringIO()
        csv.writer(out, delimiter=self.comma, lineterminator="\n").writerows(table)
        return out.getvalue().encode("utf-8", "surrogatepass")

    def read_cells(self, data):
        lines = io.StringIO(text_of(data).replace("\0", "\ufffd"), newline="")
        return [row for row in csv.reader(lines, delimiter=self.comma) if any(row)]

    def read(self, data):
        try:
            return [tuple(row) for row in self.read_cells(data)[1:]]
        except csv.Error:
            return None


class Extended(Lines):
    """Documents as mongoexport writes them, canonical or relaxed; an id is an ObjectId."""

    suffix = ".json"

    def __init__(self, canonical):
        self.canonical = canonical

    def value(self, value, key=""):
        if key in ("id", "user", "item"):
            return {"$oid": oid(value)}
        if isinstance(value, dict):
            return {name: self.value(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner) for inner in value]
        if self.canonical and isinstance(value, int):
            return {"$numberInt" if value < 1 << 31 else "$numberLong": str(value)}
        if self.canonical and isinstance(value, float):
            return {"$numberDouble": repr(value)}
        return value

    def document(self, row):
        flat = {}
        for key, value in row.items():
            if key == "text":
                of_text = isinstance(value, dict) and value.keys() <= {"bio", "title"}
                flat.update(value if of_text else {"bio" if "age" in row else "title": value})
            else:
                flat["_id" if key == "id" else key] = self.value(value, key)
        return flat

    def write(self, rows):
        return super().write([self.document(row) for row in rows])


def side(name, text):
    return {"collection": name, "id": "_id", "attributes": True, "texts": {text: text}, "vectors": [{"field": "vector", "key": "vector", "width": 3}]}


# How the collections that Extended writes are put together.
MAPPING = {"users": [side("users", "bio")], "items": [side("items", "title")],
           "interactions": {"collection": "interactions", "user": "user", "item": "item", "label": "label", "reward": "reward"}}


def oid(value):
    """An ObjectId that says which row it is of; a value that is none stays one that is none."""
    return f"65f1{ord(value[0]):02x}{int(value[1:]):018x}" if isinstance(value, str) and value[1:].isdigit() else value


def npy(rows, descr="<f4", fortran=False, shape=None):
    """A NumPy array, format 1.0."""
    vectors = [row["vector"] for row in rows]
    shape = shape or (len(vectors), len(vectors[0]))
    head = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape!r}, }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + b"".join(struct.pack("<3f", *v) for v in vectors)


def safetensors(rows, dtype="F32", shape=None, end=None):
    """One tensor, `vector`."""
    data = b"".join(struct.pack("<3f", *row["vector"]) for row in rows)
    head = {"vector": {"dtype": dtype, "shape": shape or [len(rows), 3], "data_offsets": [0, len(data) if end is None else end]}}
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + data


def judgements(queries=6, deep=5):
    return [[f"q{q}", "0", f"d{d}", str(1 + (q + d) % 3)] for q in range(queries) for d in range(deep)]


def ranking(queries=6, deep=5):
    return [[f"q{q}", "Q0", f"d{d}", str(d + 1), f"{9 - d / 4}", "run"] for q in range(queries) for d in range(deep)]
