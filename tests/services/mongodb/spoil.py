#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes a collection again as raw BSON with one document spoilt, in a way that no extended JSON can say.

    spoil.py FOLDER COLLECTION HOW

The document is the second of the file; what is spoilt stands under the key `spoilt`, behind all others, or is the first
array or string of the document.
"""
import struct
import sys

import bson
from bson import json_util


def grown(raw, more):
    return struct.pack("<i", len(raw) + len(more)) + raw[4:-1] + more + b"\0"


def first(raw, kind):
    """Where the value of the first element of a type begins, among those behind the key that is known."""
    at = raw.index(kind, raw.index(b"_id\0") + 16) + 1
    return raw.index(0, at) + 1


def patched(raw, at, piece):
    return raw[:at] + piece + raw[at + len(piece):]


HOW = {
    "unknown-type": lambda raw: grown(raw, b"\x55spoilt\0"),
    "not-utf8": lambda raw: grown(raw, b"\2spoilt\0" + struct.pack("<i", 3) + b"\xff\xfe\0"),
    "key-not-utf8": lambda raw: grown(raw, b"\x08sp\xffoilt\0\1"),
    "twice": lambda raw: grown(grown(raw, b"\x08spoilt\0\1"), b"\x08spoilt\0\0"),
    "deep": lambda raw: grown(raw, deep(100)),
    "string-long": lambda raw: grown(raw, b"\2spoilt\0" + struct.pack("<i", 1 << 30) + b"x\0"),
    "string-negative": lambda raw: grown(raw, b"\2spoilt\0" + struct.pack("<i", -1) + b"x\0"),
    "binary-long": lambda raw: grown(raw, b"\5spoilt\0" + struct.pack("<i", 1 << 30) + b"\0x"),
    "document-long": lambda raw: grown(raw, b"\3spoilt\0" + struct.pack("<i", 1 << 30) + b"\0"),
    "document-short": lambda raw: grown(raw, b"\3spoilt\0" + struct.pack("<i", 3) + b"\0"),
    "array-long": lambda raw: patched(raw, first(raw, b"\4"), struct.pack("<i", 1 << 30)),
    "array-short": lambda raw: patched(raw, first(raw, b"\4"), struct.pack("<i", 5)),
    "boolean-2": lambda raw: grown(raw, b"\x08spoilt\0\2"),
    "no-end": lambda raw: raw[:-1] + b"\1",
    "name-without-end": lambda raw: grown(raw, b"\x08spoilt"),
}


def deep(levels):
    inner = bson.encode({})
    for _ in range(levels):
        inner = bson.encode({"a": bson.raw_bson.RawBSONDocument(inner)})
    return b"\3spoilt\0" + inner


def main():
    folder, collection, how = sys.argv[1:]
    with open(f"{folder}/{collection}.jsonl") as f:
        rows = [bson.encode({"_id": bson.ObjectId(), **json_util.loads(line)}) for line in f]
    rows[1] = HOW[how](rows[1])
    with open(f"{folder}/{collection}.bson", "wb") as f:
        f.write(b"".join(rows))


main()
