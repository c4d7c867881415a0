# SPDX-License-Identifier: MIT
"""What happens to files on their way: each function takes the bytes or rows of one and gives others, by a random source.

A mutation of rows says what is still there; what is left after one of bytes, the form's own reader says."""

import copy
import json

ODD = (17, -1.5, True, "text", "", None, [], {}, [1, 2], [0.5, 1, "x"], {"a": 1}, {"$oid": "zz"}, {"$numberInt": "seven"}, {"$date": "yesterday"},
       {"$binary": {"base64": "!!", "subType": "09"}}, {"$unknown": 1}, "NaN", float("nan"), float("inf"), 1 << 70, "a\tb\nc", "\ud800", "\0",
       [[1, 2, 3]], "[1, 2", "0x10", "1e999", "12 apples")


# ---- bytes ----

def cut(data, rng):
    return data[:rng.randrange(1, len(data))]


def hole(data, rng):
    at = rng.randrange(1, len(data) - 1)
    return data[:at] + data[min(len(data), at + 1 + rng.randrange(60)):]


def flip(data, rng):
    at = rng.randrange(len(data))
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1:]


def insert(data, rng):
    junk = (b"\n", b"\r\n", b"\0", b"\xff\xfe", b'"', b"'", b",", b"\t", b"#", b"]", b"}", b"\\", b"\x1a", b"\n\n\n", b"{}\n", b"null\n", b"\xe2\x80\xa8",
            b"//", b"<html>", b"Infinity", b"\n---\n")
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(junk) + data[at:]


def repeat(data, rng):
    """A piece that is there twice, as a write that was tried again leaves it."""
    at = rng.randrange(len(data) - 1)
    return data[:at] + data[at:at + 1 + rng.randrange(200)] + data[at:]


BYTES = (cut, cut, hole, flip, insert, repeat)


# ---- how a text is written ----

def same(data, rng):
    """The same text, written as other systems write it: it must be read as it was."""
    text = data.decode()
    name = rng.choice(("mark", "crlf", "no newline", "blank lines", "mark and crlf"))
    if "mark" in name:
        text = "\ufeff" + text
    if "crlf" in name:
        text = text.replace("\n", "\r\n")
    if name == "no newline":
        text = text.rstrip("\n")
    if name == "blank lines":
        text = "\n" + text + "\n\n"
    return name, text.encode()


def foreign(data, rng):
    """The text in another encoding, and whether it must be refused whole."""
    name = rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "shift_jis", "gb18030", "cp437"))
    return name, data.decode().encode(name, "replace"), name.startswith(("utf-16", "utf-32"))


# ---- rows ----

def doubled(rows, rng):
    at = rng.randrange(len(rows))
    return rows[:at] + [rows[at]] + rows[at:], set()


def wrong_type(rows, rng):
    rows, at = copy.deepcopy(rows), rng.randrange(len(rows))
    key, value = rng.choice(list(rows[at])), rng.choice(ODD)
    if key == "text" and rng.random() < 0.7:
        rows[at][key] = {name: value for name in rows[at][key]}
    elif key == "vector" and rng.random() < 0.5:
        rows[at][key][rng.randrange(3)] = value
    else:
        rows[at][key] = value
    return rows, {at}


def dropped_key(rows, rng):
    rows, at = copy.deepcopy(rows), rng.randrange(len(rows))
    del rows[at][rng.choice(list(rows[at]))]
    return rows, {at}


def other_width(rows, rng):
    """The first rows, which a reader may take for the measure of all, have another width or no vector."""
    rows, touched = copy.deepcopy(rows), set(range(rng.randrange(1, 3)))
    for at in touched:
        if "vector" in rows[at]:
            rows[at]["vector"] = rng.choice(([], [1.5], [1.5, 2, 3, 4], None))
    return rows, touched


ROWS = (doubled, wrong_type, wrong_type, wrong_type, dropped_key, other_width)


# ---- tables ----

def swapped_columns(table, rng):
    order = list(range(len(table[0])))
    rng.shuffle(order)
    return [[row[at] for at in order] for row in table], set()


def swapped_names(table, rng):
    names = table[0][:]
    rng.shuffle(names)
    return [names] + table[1:], set(range(len(table) - 1))


def removed_header(table, rng):
    return table[1:], set(range(len(table) - 1))


def ragged(table, rng):
    table, at = copy.deepcopy(table), rng.randrange(1, len(table))
    if rng.random() < 0.5:
        del table[at][-1]
    else:
        table[at].append("more")
    return table, {at - 1}


def doubled_name(table, rng):
    return [row + [row[rng.randrange(len(row))]] if at else row + [rng.choice(row)] for at, row in enumerate(table)], set(range(len(table) - 1))


TABLES = (swapped_columns, swapped_names, removed_header, ragged, doubled_name)


def doubled_key(line, rng):
    """A JSON object that has a key twice, with another value."""
    document = json.loads(line)
    key = rng.choice(list(document))
    return line.rstrip()[:-1] + f', {json.dumps(key)}: "again"}}'
