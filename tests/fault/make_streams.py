#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes broken streams out of a sound one, for tests/fault/stream.bats.

    make_streams.py SOUND.dq FOLDER

Each FOLDER/NAME.dq is one fault; FOLDER/NAME.words is a regular expression that the error must match. Bodies that were
changed get a right length and hash again, and the end a right digest, so that the fault is the only one.
"""
import ctypes
import os
import struct
import sys

import msgpack
import zstandard

_xxhash = ctypes.CDLL("libxxhash.so.0")
_xxhash.XXH3_64bits.restype = ctypes.c_uint64
_xxhash.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def xxh3(data):
    return _xxhash.XXH3_64bits(data, len(data))


def record(body):
    return struct.pack(">BQBQ", 0xcf, len(body), 0xcf, xxh3(body)) + body


def bodies_of(payload):
    at, out = 0, []
    while at < len(payload):
        length = struct.unpack_from(">Q", payload, at + 1)[0]
        out.append(payload[at + 18:at + 18 + length])
        at += 18 + length
    return out


def pack_bundle(kind, rows, columns, skew=0, meta=None):
    """A bundle's body as docs/stream-format.md has it. A column is (name, type, shape, data, more pairs); skew shifts
    its data from their place."""
    packer = msgpack.Packer()
    out = packer.pack_map_header(5)
    for key, value in (("dq", "bundle"), ("kind", kind), ("rows", rows), ("meta", meta or {})):
        out += packer.pack(key) + packer.pack(value)
    out += packer.pack("columns") + packer.pack_array_header(len(columns))
    for name, type_, shape, data, *more in columns:
        more = dict(more[0]) if more else {}
        offsets = more.pop("offsets", None)
        out += packer.pack_map_header(5 + len(more) + (2 if offsets is not None else 0))
        for key, value in (("name", name), ("type", type_), ("shape", shape), *more.items()):
            out += packer.pack(key) + packer.pack(value)
        for key, value in (("offsets", offsets), ("data", data)):
            if value is None:
                continue
            out += packer.pack(key + "_pad")
            pad = -(len(out) + 2 + 1 + len(key) + 5) % 64 + skew
            out += bytes([0xc4, pad]) + bytes(pad) + packer.pack(key) + b"\xc6" + struct.pack(">I", len(value)) + value
    return out


def ids(texts, name="id"):
    raw = [t if isinstance(t, bytes) else t.encode() for t in texts]
    offsets = [0]
    for t in raw:
        offsets.append(offsets[-1] + len(t))
    return (name, "text", [len(texts)], b"".join(raw), {"offsets": struct.pack(f"<{len(offsets)}I", *offsets)})


def vectors(*rows):
    return ("vector", "f4", [len(rows), len(rows[0])], b"".join(struct.pack(f"<{len(r)}f", *r) for r in rows))


def head(**changes):
    body = {"dq": "head", "version": [1, 0],
            "maker": {"program": "fault", "version": "1", "options": {}, "seed": None, "inputs": []}}
    body.update(changes)
    return msgpack.packb(body)


def end(bundles, rows, **changes):
    digest = "%016x" % xxh3(b"".join(struct.pack("<Q", xxh3(b)) for b in bundles))
    body = {"dq": "end", "bundles": len(bundles), "rows": rows, "digest": digest, "inputs": []}
    body.update(changes)
    return msgpack.packb(body)


def stream(*bundles, rows=None):
    if rows is None:
        rows = {}
        for b in bundles:
            v = msgpack.unpackb(b, strict_map_key=False)
            rows[v["kind"]] = rows.get(v["kind"], 0) + v["rows"]
    return b"".join(record(b) for b in (head(), *bundles, end(bundles, rows)))


def with_column(payload, name, meta=None, **changes):
    """A stream of one section whose column `name` has another type, shape or data, and whose meta has more."""
    bodies = bodies_of(payload)
    bundles = []
    for body in bodies[1:-1]:
        bundle = msgpack.unpackb(body)
        columns = [{**c, **changes} if c["name"] == name else c for c in bundle["columns"]]
        bundles.append(pack_bundle(bundle["kind"], bundle["rows"], [
            (c["name"], c["type"], c["shape"], c["data"], {k: c[k] for k in ("ref", "nulls", "offsets") if k in c})
            for c in columns], meta={**bundle["meta"], **(meta or {})}))
    return b"".join(record(b) for b in (bodies[0], *bundles, end(bundles, msgpack.unpackb(bodies[-1])["rows"])))


def mark(n):
    """A skippable frame that says how long the frame behind it is."""
    return struct.pack("<III", 0x184d2a50, 4, n)


USERS = pack_bundle("users", 2, [ids(["u1", "u2"]), vectors((1, 0), (0, 1))])
ITEMS = pack_bundle("items", 2, [ids(["i1", "i2"]), vectors((1, 0), (0, 1))])


def of_records(payload):
    """Faults of framing, of records, of sections."""
    bodies = bodies_of(payload)
    records = [record(b) for b in bodies]
    frames = [zstandard.ZstdCompressor(write_checksum=True).compress(r) for r in records]
    whole = zstandard.ZstdCompressor(write_checksum=True).compress(payload)
    yield "empty", b"", "empty"
    yield "no-stream", b"id,name\n1,Ada\n", "not a dq stream"
    yield "no-stream-json", b'{"id": "a"}\n', "not a dq stream"
    yield "no-stream-zstd", zstandard.compress(b"id,name\n1,Ada\n"), "not a dq stream"
    yield "no-stream-binary", bytes(range(255, 0, -1)) * 8, "not a dq stream"
    yield "cut-between-frames", b"".join(frames[:-1]), "cut off: its section has no end"
    yield "cut-after-head", frames[0], "cut off: its section has no end"
    yield "cut-between-records", b"".join(records[:-1]), "cut off: its section has no end"
    yield "cut-inside-frame", whole[:len(whole) // 2], "cut off inside"
    yield "cut-checksum", whole[:-1], "cut off inside"
    yield "cut-then-another", b"".join(records[:-1]) + payload, "cut off: a new section begins"
    yield "garbage-behind", payload + b"garbage", "bytes after the end"
    yield "garbage-behind-frame", whole + b"garbage", "no frame"
    marked = b"".join(mark(len(f)) + f for f in frames[1:])
    yield "mark-cut", frames[0] + marked[:7], "cut off inside"
    yield "mark-frame-cut", frames[0] + marked[:-1], "cut off inside"
    yield "mark-damaged", frames[0] + marked[:40] + bytes([marked[40] ^ 16]) + marked[41:], "damaged"
    yield "mark-garbage", frames[0] + marked + b"garbage", "no frame"
    yield "mark-of-nothing", frames[0] + mark(len(frames[1])), "cut off: its section has no end"
    yield "bundle-behind", payload + records[1], "no head after the end"
    yield "no-head", b"".join(records[1:]), "begins with no head"
    yield "flipped-body", payload[:40] + bytes([payload[40] ^ 16]) + payload[41:], "damaged"
    yield "length-huge", struct.pack(">BQBQ", 0xcf, 1 << 40, 0xcf, 0), "claims"
    yield "length-zero", struct.pack(">BQBQ", 0xcf, 0, 0xcf, 0), "claims"
    yield "length-lie", struct.pack(">BQBQ", 0xcf, 1 << 30, 0xcf, 0) + b"\x80" * 100, "cut off inside a record"
    window = bytearray(zstandard.ZstdCompressor(write_content_size=False).compress(payload))
    if not window[4] & 0x20:
        window[5] = 18 << 3  # 2^(10 + 18): 256 MiB
    yield "window-huge", bytes(window), "128 MiB"
    yield "version-2", record(head(version=[2, 0])) + b"".join(records[1:]), "version 2"
    yield "no-version", record(head(version="1")) + b"".join(records[1:]), "without a version"
    yield "no-maker", record(head(maker=None)) + b"".join(records[1:]), "without a maker"
    last = msgpack.unpackb(bodies[-1])
    yield "end-counts", b"".join(records[:-1]) + record(msgpack.packb({**last, "bundles": 99})), "does not count"
    yield "end-rows", b"".join(records[:-1]) + record(msgpack.packb({**last, "rows": {}})), "does not count"
    yield "end-digest", b"".join(records[:-1]) + record(msgpack.packb({**last, "digest": "0" * 16})), "digest"
    yield "bundle-left-out", b"".join(records[:2] + records[3:]), "."
    yield "bundles-swapped", b"".join([records[0], records[2], records[1]] + records[3:]), "."


def of_messagepack():
    """Bodies that are no decent MessagePack."""
    def body(raw):
        return record(head()) + record(raw)

    yield "array-16M", body(b"\xdd\x01\x00\x00\x00"), "more elements than its record can hold"
    yield "map-16M", body(b"\xdf\x01\x00\x00\x00"), "more elements than its record can hold"
    yield "array-16M-inside", body(b"\x82\xa2dq\xa6bundle\xa4meta\xdd\x01\x00\x00\x00"), "more elements"
    yield "arrays-nested-claims", body(b"\xdd\x00\x00\x00\xff" * 20 + bytes(260)), "more elements|deep"
    yield "deep-arrays", body(b"\x91" * 10000 + b"\xc0"), "more than 32 deep"
    yield "deep-maps", body(b"\x81\xa1a" * 10000 + b"\xc0"), "more than 32 deep"
    yield "string-too-long", body(b"\xdb\xff\xff\xff\xff"), "longer than its body"
    yield "binary-too-long", body(b"\xc6\xff\xff\xff\xff"), "longer than its body"
    yield "no-map", body(b"\x93\x01\x02\x03"), "no map"
    yield "reserved-byte", body(b"\xc1"), "not MessagePack"
    yield "extension", body(b"\x81\xa2dq\xd4\x00\x00"), "extension"
    yield "key-twice", body(b"\x82\xa1a\x01\xa1a\x02"), "twice"
    yield "key-number", body(b"\x81\x01\x02"), "no string"
    yield "integer-2-64", body(b"\x81\xa2dq\xcf" + b"\xff" * 8), "integer over"
    yield "bad-utf8", body(b"\x81\xa2dq\xa2\xff\xfe"), "UTF-8"
    yield "bytes-behind", body(b"\x81\xa2dq\xa4head\x00"), "bytes behind"
    yield "unknown-record", body(b"\x81\xa2dq\xa4what"), "neither head, bundle nor end"
    yield "no-dq", body(b"\x80"), "neither head, bundle nor end"


def of_bundles():
    """Well-formed, but not what they say."""
    two = struct.pack("<2f", 1, 2)

    def users(*columns, rows=2, **more):
        return stream(pack_bundle("users", rows, list(columns), **more), rows={"users": rows})

    plain = ids(["u1", "u2"])
    name, _, _, text, _ = plain
    yield "no-id", users(vectors((1, 0), (0, 1))), "no column id"
    yield "shape-short", users(plain, ("vector", "f4", [2, 2], two)), "does not match its bytes"
    yield "shape-long", users(plain, ("vector", "f4", [2, 1], two * 2)), "does not match its bytes"
    yield "shape-rows", users(plain, vectors((1, 0))), "rows"
    yield "shape-rows-unknown-kind", stream(pack_bundle("odd", 2, [("x", "f4", [1], two[:4])]), rows={"odd": 2}), "1 rows, not 2"
    yield "rows-of-a-model", stream(pack_bundle("model", 1, [("x", "f4", [1], two[:4])]), rows={"model": 1}), "no table"
    yield "shape-overflow", users(plain, ("vector", "f4", [2, 1 << 62], two)), "range|overflow"
    yield "shape-overflow-wrap", users(plain, ("x", "f4", [1 << 30, 1 << 30, 4, 1], two)), "overflow|does not match"
    yield "shape-dims", users(plain, ("vector", "f4", [2, 1, 1, 1, 1], two)), "1 to 4"
    yield "shape-none", users(plain, ("vector", "f4", [], two)), "1 to 4"
    yield "shape-negative", users(plain, ("vector", "f4", [2, -1], two)), "range"
    yield "rows-claimed", users(("x", "f4", [1 << 40, 0], b""), rows=1 << 40), "range"
    yield "rows-negative", users(plain, rows=-1), "range"
    yield "type-unknown", users(plain, ("vector", "f16", [2, 1], two)), "type that is not known"
    yield "vector-integers", users(plain, ("vector", "i4", [2, 1], two)), "has type i4"
    yield "vector-flat", users(plain, ("vector", "f4", [2], two)), "1 dimensions"
    yield "nan", users(plain, vectors((1, 0), (0, float("nan")))), "not a finite number"
    yield "infinity", users(plain, vectors((1, 0), (0, float("inf")))), "not a finite number"
    yield "column-twice", users(plain, ids(["a", "b"])), "two columns named id"
    yield "null-id", users((name, "text", [2], text, {"nulls": b"\0\1", "offsets": struct.pack("<3I", 0, 2, 4)})), "nulls"
    yield "shuffle-false", users(plain, ("vector", "f4", [2, 1], two, {"shuffle": False})), "shuffle is not true"
    yield "shuffle-number", users(plain, ("vector", "f4", [2, 1], two, {"shuffle": 4})), "shuffle is not true"
    yield "shuffle-byte", users(plain, ("x", "u1", [2], b"ab", {"shuffle": True})), "no bytes to shuffle"
    yield "shuffle-text", users(plain, (*ids(["a", "b"], "text.x")[:4], {**ids(["a", "b"], "text.x")[4], "shuffle": True})), "texts that are shuffled"
    yield "shuffle-short", users(plain, ("vector", "f4", [2, 1], two[:7], {"shuffle": True})), "does not match its bytes"
    # sound but for its numbers, which are infinite once they are in order
    yield "shuffle-infinite", users(plain, ("vector", "f4", [2, 1], bytes(4) + b"\x80\x80\x7f\x7f", {"shuffle": True})), "not a finite number"
    yield "nulls-short", users(plain, ("x", "f4", [2], two, {"nulls": b"\1"})), "one flag a row"
    yield "nulls-7", users(plain, ("x", "f4", [2], two, {"nulls": b"\0\7"})), "neither 0 nor 1"
    yield "text-not-utf8", users(ids([b"\xff\xfe", b"u2"])), "not UTF-8"
    for what, offsets, words in (("descend", (0, 4, 2, 4), "descend"), ("beyond", (0, 2, 9), "span"),
                                 ("first", (1, 2, 4), "span"), ("few", (0, 4), "one a row")):
        rows = 3 if what == "descend" else 2
        column = (name, "text", [rows], text, {"offsets": struct.pack(f"<{len(offsets)}I", *offsets)})
        yield f"offsets-{what}", users(column, rows=rows), words
    split = (name, "text", [2], "aé".encode() + b"b", {"offsets": struct.pack("<3I", 0, 2, 4)})
    yield "offsets-inside-character", users(split), "inside a character"
    yield "unaligned", users(plain, vectors((1, 0), (0, 1)), skew=1), "not aligned"
    yield "unaligned-numbers", users(vectors((1, 0), (0, 1)), plain, skew=4), "not aligned"


def of_sections():
    """Bundles that are sound alone."""
    def transitions(user, item, ref="users", kind="u4"):
        pack = {"u4": "<2I", "f4": "<2f", "u8": "<2Q"}[kind]
        return pack_bundle("transitions", 2, [
            ("user", kind, [2], struct.pack(pack, *user), {"ref": ref}),
            ("item", "u4", [2], struct.pack("<2I", *item), {"ref": "items"})])

    yield "order", stream(ITEMS, USERS), "stands after"
    yield "ref-beyond", stream(USERS, ITEMS, transitions((0, 2), (0, 1))), "refers to row 2 of 2 users"
    yield "ref-beyond-huge", stream(USERS, ITEMS, transitions((0, 1 << 63), (0, 1), kind="u8")), "refers to row"
    yield "ref-before", stream(transitions((0, 1), (0, 1))), "refers to row 0 of 0"
    yield "ref-kind", stream(USERS, ITEMS, transitions((0, 1), (0, 1), ref="items")), "does not say that it refers"
    yield "ref-other-section", stream(USERS, ITEMS) + stream(transitions((0, 1), (0, 1))), "refers to row 0 of 0"


def of_catalogues():
    """Sound streams, unsound catalogues: for programs that hold a catalogue."""
    other = pack_bundle("users", 1, [ids(["u1"]), vectors((9, 9))])
    wider = pack_bundle("users", 1, [ids(["u9"]), vectors((1, 2, 3))])
    nobody = pack_bundle("interactions", 1, [ids(["u9"], "user"), ids(["i1"], "item")])
    yield "catalogue-id-twice", stream(pack_bundle("users", 2, [ids(["u1", "u1"]), vectors((1, 0), (0, 1))]), ITEMS), \
        "stands twice"
    yield "catalogue-id-unequal", stream(USERS, ITEMS) + stream(other, ITEMS), "unequal rows"
    yield "catalogue-unknown-user", stream(USERS, nobody, ITEMS), "u9"
    yield "catalogue-width", stream(USERS, ITEMS) + stream(wider, ITEMS), "width"


def catalogue():
    """A sound stream that every program can work on."""
    def side(kind, a, b):
        return pack_bundle(kind, 2, [ids([a, b]), ids(["a title", "another"], "text.title"),
                                     vectors((1, 0.5), (-0.25, 1))])

    seen = pack_bundle("interactions", 2, [ids(["u1", "u2"], "user"), ids(["i1", "i2"], "item"),
                                           ids(["APPLY", "IGNORE"], "label")])
    labelled = pack_bundle("transitions", 2, [
        ("user", "u4", [2], struct.pack("<2I", 0, 1), {"ref": "users"}),
        ("item", "u4", [2], struct.pack("<2I", 0, 1), {"ref": "items"}),
        ("reward", "f4", [2], struct.pack("<2f", 1, -0.1))])
    return stream(side("users", "u1", "u2"), seen, side("items", "i1", "i2"), labelled)


def main():
    sound, folder = sys.argv[1:]
    raw = open(sound, "rb").read()
    payload = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    os.makedirs(folder, exist_ok=True)
    for faults in (of_records(payload), of_messagepack(), of_bundles(), of_sections(), of_catalogues()):
        for name, data, words in faults:
            with open(f"{folder}/{name}.dq", "wb") as f:
                f.write(data)
            with open(f"{folder}/{name}.words", "w") as f:
                f.write(words)
    ranking = pack_bundle("rankings", 1, [ids(["u1"], "user"), ids(["i1"], "item"), ("rank", "u4", [1], b"\1\0\0\0"),
                                          ("score", "f4", [1], bytes(4))])
    strange = pack_bundle("strange", 1, [ids(["ever"], "what")])
    for name, bundle in (("ranking", ranking), ("strange", strange)):
        with open(f"{folder}/other-kind-{name}", "wb") as f:
            f.write(stream(bundle))
    # marks that say the truth, lie, and are somebody else's
    first, *rest = [zstandard.ZstdCompressor(write_checksum=True).compress(record(b)) for b in bodies_of(stream(USERS, ITEMS))]
    marks = [mark(len(rest[0])), mark(len(rest[1]) - 1) + mark(0) + mark(1 << 31) + struct.pack("<II2x", 0x184d2a50, 2), mark(1 << 20)]
    marked = first + b"".join(m + f for m, f in zip(marks, rest))
    newer = record(head(version=[1, 7], more="?")) + record(USERS) + record(end([USERS], {"users": 2}, more={"?": [1]}))
    for name, data in (("sound-newer-minor", newer), ("sound-marked", marked), ("sound-plain", payload), ("sound-small", stream(USERS, ITEMS)), ("sound-catalogue", catalogue())):
        with open(f"{folder}/{name}", "wb") as f:
            f.write(data)


if __name__ == "__main__":
    main()
