#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Reads a dq stream and prints its rows as JSON lines: the second reader, written from docs/stream-format.md alone.

    read_stream.py [FILE]

On the ordinary packages zstandard, msgpack and numpy; XXH3 comes from libxxhash. Anything that the document forbids
ends it with one line and status 1.
"""
import ctypes
import gzip
import io
import json
import struct
import sys

import msgpack
import numpy
import zstandard

ORDER = ["model", "users", "interactions", "items", "transitions", "rankings"]
TYPES = {"f2": "<f2", "bf16": "<u2", "f4": "<f4", "f8": "<f8", "i1": "i1", "i2": "<i2", "i4": "<i4", "i8": "<i8",
         "u1": "u1", "u2": "<u2", "u4": "<u4", "u8": "<u8"}

_xxhash = ctypes.CDLL("libxxhash.so.0")
_xxhash.XXH3_64bits.restype = ctypes.c_uint64
_xxhash.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def xxh3(data):
    return _xxhash.XXH3_64bits(data, len(data))


class Refused(Exception):
    pass


def must(condition, reason):
    if not condition:
        raise Refused(reason)


def payload(raw):
    """Section 1: the bytes that the frames hold."""
    if raw[:4] == b"\x28\xb5\x2f\xfd":
        out = b""
        while raw:
            decoder = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
            out += decoder.decompress(raw)
            must(decoder.eof, "cut off inside a frame")
            raw = decoder.unused_data
        return out
    if raw[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=io.BytesIO(raw)).read()
    return raw


def pairs(items):
    keys = [k for k, _ in items]
    must(all(isinstance(k, str) for k in keys) and len(set(keys)) == len(keys), "keys that are not distinct strings")
    return dict(items)


def records(data):
    """Section 2: (hash, body's first byte in data, body) of each record."""
    at = 0
    while at < len(data):
        must(data[at] == 0xcf, "not a record")
        must(len(data) - at >= 18, "cut off inside a header")
        length, kind, digest = struct.unpack_from(">QBQ", data, at + 1)
        must(kind == 0xcf and 1 <= length <= 1 << 30, "not a record")
        body = data[at + 18:at + 18 + length]
        must(len(body) == length, "cut off inside a record")
        must(xxh3(body) == digest, "a wrong hash")
        yield digest, body, msgpack.unpackb(body, raw=False, object_pairs_hook=pairs, max_bin_len=1 << 30)
        at += 18 + length


def aligned(body, pad, binary):
    """Section 3.2, padding: the binary stands behind its padding, at a multiple of 64."""
    must(isinstance(pad, bytes) and len(pad) < 64 and not any(pad), "padding that is none")
    if binary:
        places, at = [], body.find(binary)
        while at >= 0:
            places.append(at)
            at = body.find(binary, at + 1)
        header = b"\xc6" + struct.pack(">I", len(binary))
        must(any(p % 64 == 0 and body[p - 5:p] == header for p in places), "a binary that is not aligned")


def column(body, c):
    """The values of a column: a list of strings, or an array; nulls are None in a list."""
    rows, name = c["shape"][0], c["name"]
    must(1 <= len(c["shape"]) <= 4, "a shape")
    nulls = c.get("nulls", bytes(rows))
    must(len(nulls) == rows and set(nulls) <= {0, 1}, f"{name}: nulls")
    aligned(body, c["data_pad"], c["data"])
    if c["type"] in ("text", "json"):
        aligned(body, c["offsets_pad"], c["offsets"])
        offsets = numpy.frombuffer(c["offsets"], "<u4")
        must(len(offsets) == rows + 1 and offsets[0] == 0 and offsets[-1] == len(c["data"]) and
             (offsets[1:] >= offsets[:-1]).all(), f"{name}: offsets")
        values = [c["data"][a:b].decode() for a, b in zip(offsets[:-1], offsets[1:])]
        return [None if null else v for v, null in zip(values, nulls)]
    data = c["data"]
    if "shuffle" in c:
        size = numpy.dtype(TYPES[c["type"]]).itemsize
        must(c["shuffle"] is True and size > 1, f"{name}: shuffle")
        data = numpy.frombuffer(data, "u1").reshape(size, -1).T.tobytes()
    values = numpy.frombuffer(data, TYPES[c["type"]])
    if c["type"] == "bf16":
        values = (values.astype("<u4") << 16).view("<f4")
    must(len(values) == numpy.prod(c["shape"], dtype=object), f"{name}: shape")
    values = values.reshape(c["shape"])
    return [None if null else v for v, null in zip(values, nulls)] if any(nulls) else values


def plain(v):
    """A NumPy value as one that JSON prints: floats with 9 digits, f8 with 17."""
    if isinstance(v, numpy.ndarray):
        return [plain(x) for x in v]
    if isinstance(v, numpy.floating):
        return float("%.17g" % v) if v.dtype.itemsize == 8 else float("%.9g" % v)
    return int(v) if isinstance(v, numpy.integer) else v


def print_rows(bundle, columns, ids):
    fields = bundle["meta"].get("fields")
    for r in range(bundle["rows"]):
        row = {"kind": bundle["kind"]}
        for c in bundle["columns"]:
            name, v = c["name"], columns[c["name"]][r]
            if v is None:
                continue
            if c.get("ref") in ids:
                names = ids[c["ref"]]
                v = names[v] if numpy.ndim(v) == 0 else [names[i] for i in v]
            if name.startswith("text."):
                row.setdefault("text", {})[name[5:]] = v
            elif name == "vector" and fields:
                row[name] = {n: plain(v[o:o + w]) for n, o, w in fields}
            elif c["type"] == "json":
                row[name.removeprefix("attr.")] = json.loads(v)
            else:
                row[name] = plain(v)
        print(json.dumps(row, ensure_ascii=False))


def print_model(bundle, columns):
    print(json.dumps({"kind": bundle["kind"], "meta": bundle["meta"]}, ensure_ascii=False))
    for c in bundle["columns"]:
        values = plain(numpy.ravel(columns[c["name"]]))
        print(json.dumps({"kind": bundle["kind"], "name": c["name"], "type": c["type"], "shape": c["shape"],
                          "data": values}, ensure_ascii=False))


class Section:
    """Section 3: what a section has held."""

    def __init__(self, head):
        must(head["version"][0] == 1, "another version")
        must({"program", "version", "options", "seed", "inputs"} <= set(head["maker"]), "a maker")
        self.rows, self.hashes, self.order, self.ids = {}, b"", 0, {"users": [], "items": []}

    def bundle(self, digest, body, bundle):
        kind = bundle["kind"]
        if kind in ORDER:
            must(ORDER.index(kind) >= self.order, "a kind out of order")
            self.order = ORDER.index(kind)
        columns = {c["name"]: column(body, c) for c in bundle["columns"]}
        must(len(columns) == len(bundle["columns"]), "two columns of one name")
        must(kind != "model" or bundle["rows"] == 0, "a model with rows")
        for c in bundle["columns"]:
            must(kind == "model" or c["shape"][0] == bundle["rows"], "a column of another length")
            if "ref" in c:
                for v in numpy.ravel(columns[c["name"]]):
                    must(v is None or v < self.rows.get(c["ref"], 0), "a reference to no row")
        if kind in self.ids:
            self.ids[kind] += columns["id"]
        self.rows[kind] = self.rows.get(kind, 0) + bundle["rows"]
        self.hashes += struct.pack("<Q", digest)
        if kind == "model":
            print_model(bundle, columns)
        else:
            print_rows(bundle, columns, self.ids)

    def end(self, end):
        must(end["bundles"] == len(self.hashes) // 8 and end["rows"] == self.rows, "an end that counts otherwise")
        must(end["digest"] == "%016x" % xxh3(self.hashes), "an end with another digest")


def main():
    raw = open(sys.argv[1], "rb").read() if len(sys.argv) > 1 else sys.stdin.buffer.read()
    section, sections = None, 0
    try:
        for digest, body, record in records(payload(raw)):
            must(next(iter(record)) == "dq", "a record that does not say what it is")
            if record["dq"] == "head":
                must(section is None, "a head inside a section")
                section, sections = Section(record), sections + 1
            elif record["dq"] == "bundle" and section:
                section.bundle(digest, body, record)
            else:
                must(record["dq"] == "end" and section, "a record out of place")
                section = section.end(record)
        must(section is None and sections, "cut off: no end")
    except (Refused, zstandard.ZstdError, ValueError, KeyError, EOFError, OSError) as e:
        sys.exit(f"read_stream.py: {e}")


if __name__ == "__main__":
    main()
