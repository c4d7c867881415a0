#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes the named seeds of the binary readers' corpora: npy, safetensors, bson, cache.

    make_binary.py CORPUS

The forms are those of the targets' first comments (tests/fuzz/fuzz_*.c).
"""
import datetime
import json
import pathlib
import struct
import sys

import bson
import numpy
import zstandard

corpus = pathlib.Path(sys.argv[1])


def put(reader, name, mode, *parts, rest=b""):
    """A seed: its mode, parts behind their lengths, and the rest."""
    (corpus / reader).mkdir(parents=True, exist_ok=True)
    data = bytes([mode]) + b"".join(struct.pack(">H", len(p)) + p for p in parts) + rest
    (corpus / reader / name).write_bytes(data)


# ---- .npy ----

def npy(array, version=(1, 0)):
    from io import BytesIO
    out = BytesIO()
    numpy.lib.format.write_array(out, numpy.asarray(array), version)
    return out.getvalue()


matrix = numpy.arange(12, dtype="<f4").reshape(4, 3)
for t in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
    put("npy", f"matrix-{t}", 0, rest=npy(matrix.astype("<" + t)))
put("npy", "one-dimension", 0, rest=npy(matrix[0]))
put("npy", "version-2", 0, rest=npy(matrix, (2, 0)))
put("npy", "version-3", 0, rest=npy(matrix, (3, 0)))
put("npy", "fortran", 0, rest=npy(numpy.asfortranarray(matrix)))
put("npy", "no-rows", 0, rest=npy(matrix[:0]))
put("npy", "zstd", 0, rest=zstandard.compress(npy(matrix)))
put("npy", "ids-texts", 1, rest=npy(numpy.array(["a", "bc", "ö"])))
put("npy", "ids-bytes", 1, rest=npy(numpy.array([b"a", b"bc"])))
put("npy", "ids-integers", 1, rest=npy(numpy.arange(4)))
put("npy", "ids-unsigned", 1, rest=npy(numpy.array([2 ** 64 - 1], dtype="<u8")))
put("npy", "vectors-lines", 2, npy(matrix), rest=b"a\nb\nc\nd\n")
put("npy", "vectors-npy", 2, npy(matrix), rest=npy(numpy.arange(4)))
put("npy", "vectors-nan", 2, npy(matrix * numpy.float32("nan")), rest=b"a\nb\nc\nd\n")
put("npy", "width-claimed", 2, npy(matrix).replace(b"(4, 3), }" + b" " * 9, b"(1, 1000000000), }"), rest=b"a\n")

# ---- safetensors ----


def tensors(metadata=None, **arrays):
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, array) in arrays.items():
        bytes_ = array.tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(bytes_)]}
        data += bytes_
    return json.dumps(header).encode(), data


types = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8", "U8": "u1",
         "U16": "<u2", "U32": "<u4", "U64": "<u8", "BF16": "<u2"}
for name, header, data in (
        ("types", *tensors(**{t: (t, numpy.arange(2).astype(n)) for t, n in types.items()})),
        ("matrix", *tensors({"format": "pt"}, w=("F32", matrix), b=("F32", matrix[0]))),
        ("scalar", *tensors(s=("F32", numpy.float32(1).reshape(())))),
        ("bool", *tensors(m=("BOOL", numpy.array([True, False])))),
        ("of-dq", *tensors({"dq": json.dumps({"architecture": "dqn", "gamma": 0.9})}, w=("F32", matrix))),
        ("empty", *tensors())):
    put("safetensors", name, 1, header, rest=data)
    put("safetensors", name + "-file", 0, rest=struct.pack("<Q", len(header)) + header + data)

# ---- BSON ----


def without_lengths(document):
    """Elements as fuzz_bson.c puts the lengths into."""
    out, at = b"", 4
    while document[at]:
        t, end = document[at], document.index(0, at + 1) + 1
        out += document[at:end]
        at = end
        if t in (1, 9, 0x11, 0x12):
            n = 8
        elif t in (2, 0xd, 0xe):
            n = struct.unpack_from("<i", document, at)[0]
            out += bytes([n - 1]) + document[at + 4:at + 3 + n]
            at, n = at + 4 + n, 0
        elif t in (3, 4):
            n = struct.unpack_from("<i", document, at)[0]
            out += without_lengths(document[at:at + n]) + b"\0"
            at, n = at + n, 0
        elif t == 5:
            n = struct.unpack_from("<i", document, at)[0]
            out += bytes([n]) + document[at + 4:at + 5 + n]
            at, n = at + 5 + n, 0
        elif t == 0xb:
            n = document.index(0, document.index(0, at) + 1) + 1 - at
        else:
            n = {7: 12, 8: 1, 0x10: 4, 0x13: 16}.get(t, 0)
        out += document[at:at + n]
        at += n
    return out


oid = bson.ObjectId("0123456789abcdef01234567")
documents = {
    "numbers": {"d": 1.5, "i": 7, "l": 2 ** 40, "x": bson.Decimal128("1.5")},
    "texts": {"t": "ö", "": "empty", "c": bson.Code("f()"), "n": None, "b": True},
    "times": {"t": datetime.datetime(2020, 1, 2), "s": bson.Timestamp(5, 6)},
    "id": {"_id": oid, "min": bson.MinKey(), "max": bson.MaxKey(), "r": bson.Regex("a", "i")},
    "nested": {"a": {"b": [1, {"c": [2.5, "x"]}]}, "e": [], "f": {}},
    "vectors": {"v": [1.0, 2.0], "w": bson.Binary(struct.pack("<4f", 1, 2, 3, 4), 0),
                "vector": bson.Binary(b"\x27\0" + struct.pack("<3f", 1, 2, 3), 9)},
    "binary": {"b": bson.Binary(b"abc", 4), "u": bson.Binary(bytes(16), 4), "old": bson.Binary(b"xyz", 2)},
    "not-finite": {"a": float("nan"), "b": float("inf"), "v": [float("nan"), 1.0]},
}
deep = {}
for _ in range(33):
    deep = {"a": deep}
for name, document in {**documents, "deep": deep}.items():
    raw = bson.encode(document)
    put("bson", name + "-document", 0, rest=raw)
    put("bson", name, 1, rest=without_lengths(raw))
put("bson", "symbol-alone", 1, rest=b"\x02$symbol\0\0")
put("bson", "vector-9", 2, rest=b"\x09\x02\x27\0" + struct.pack("<2f", 1, 2))
put("bson", "vector-0", 2, rest=b"\x00\x02" + struct.pack("<2f", 1, 2))
put("bson", "vector-int8", 2, rest=b"\x09\x03\x03\0\x01\x02\xff")
put("bson", "filter", 3, rest=b'{"a": {"$gt": {"$numberLong": "5"}}, "_id": {"$oid": "0123456789abcdef01234567"}}')
put("bson", "filter-list", 3, rest=b"[1]")

# ---- cache ----

column = {name: i for i, name in enumerate((
    "answers.key answers.label answers.reader answers.tokens_in answers.tokens_out answers.seconds answers.cost answers.time "
    "answers.asked answers.model answers.server answers.answer answers.request owners.host owners.boot owners.space owners.pid "
    "owners.started owners.until claims.key claims.owner flights.owner flights.model flights.calls ledger.model ledger.calls "
    "ledger.answered ledger.failed ledger.lost ledger.unreadable ledger.hits ledger.tokens_in ledger.tokens_out ledger.cost "
    "ledger.seconds facts.about facts.name facts.value owners.id answers.id").split())}


def value(name, row, kind, data):
    return bytes([column[name], row, kind, len(data)]) + data


NULL, INTEGER, REAL, TEXT, BLOB = range(5)
big, negative = struct.pack("<q", 2 ** 63 - 1), struct.pack("<q", -1)
put("cache", "sound", 1)
put("cache", "sound-read-only", 5)
put("cache", "no-sqlite", 0, rest=b"nonsense")
put("cache", "nothing", 0)
for name in ("ledger.calls", "ledger.hits", "ledger.tokens_in", "answers.tokens_in", "flights.calls", "answers.asked",
             "owners.until", "owners.pid"):
    put("cache", f"{name}-big", 2, rest=value(name, 0, INTEGER, big))
    put("cache", f"{name}-negative", 2, rest=value(name, 0, INTEGER, negative))
put("cache", "cost-infinite", 2, rest=value("ledger.cost", 0, REAL, struct.pack("<d", float("inf"))) +
    value("answers.cost", 0, REAL, struct.pack("<d", float("inf"))))
put("cache", "answer-empty", 2, rest=value("answers.answer", 0, TEXT, b"") + value("answers.label", 1, TEXT, b"a\0b"))
put("cache", "header", 1, rest=b"\0\x10\x02\xff\xff")
put("cache", "page", 1, rest=b"\x02\x00\x08" + b"\xff" * 8)
