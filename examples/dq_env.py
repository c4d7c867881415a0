# SPDX-License-Identifier: MIT
"""An environment for dq-train --env-cmd, in Python: serve(make) does what docs/environments.md says.

make() gives an environment with .actions, .width (of a state), .reset(seed) -> state, and
.step(action) -> (state, reward, terminal, truncated). Needs msgpack, zstandard, numpy and xxhash.

Import it first: from then on stdout is the protocol's alone, and what environments and their libraries print goes to
stderr.
"""
import os
import struct

PROTOCOL = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)

import msgpack
import numpy
import xxhash
import zstandard

TYPES = {"<f4": "f4", "|u1": "u1", "<u4": "u4", "<u8": "u8"}
NUMPY = {name: dtype for dtype, name in TYPES.items()}
pack, digest, counts, bundles = msgpack.packb, xxhash.xxh3_64(), {}, []


def payload():
    """What dq-train writes, as it comes: zstd frames, each flushed where an answer is awaited."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    while data := os.read(0, 1 << 16):
        while data:
            yield frame.decompress(data)
            data = frame.unused_data if frame.eof else b""
            if frame.eof:
                frame = zstandard.ZstdDecompressor().decompressobj()


def records():
    """Its records: length, hash and body, each time."""
    held = b""
    for data in payload():
        held += data
        while len(held) >= 18 and len(held) >= (end := 18 + struct.unpack_from(">Q", held, 1)[0]):
            yield msgpack.unpackb(held[18:end])
            held = held[end:]


def put(body):
    hash64 = xxhash.xxh3_64_intdigest(body)
    PROTOCOL.write(struct.pack(">BQBQ", 0xcf, len(body), 0xcf, hash64) + body)
    PROTOCOL.flush()
    return hash64


def put_bundle(kind, rows, meta, **columns):
    body = b"\x85" + b"".join(map(pack, ["dq", "bundle", "kind", kind, "rows", rows, "meta", meta, "columns"]))
    body += struct.pack(">BH", 0xdc, len(columns))
    for name, a in columns.items():
        body += b"\x85" + b"".join(map(pack, ["name", name, "type", TYPES[a.dtype.str], "shape", a.shape, "data_pad"]))
        pad = -(len(body) + 12) % 64  # the numbers stand at a multiple of 64, behind 12 bytes of headers
        body += struct.pack("BB", 0xc4, pad) + bytes(pad) + pack("data") + struct.pack(">BI", 0xc6, a.nbytes) + a.tobytes()
    bundles.append(kind)
    digest.update(struct.pack("<Q", put(body)))
    counts[kind] = counts.get(kind, 0) + rows


def serve(make):
    envs, first = {}, make()
    put(pack({"dq": "head", "version": [1, 0],
              "maker": {"program": "dq_env.py", "version": "1", "options": {}, "seed": None, "inputs": []}}))
    put_bundle("env", first.actions, {"state": first.width})
    for record in records():
        if record["dq"] != "bundle":
            continue
        asked = {c["name"]: numpy.frombuffer(c["data"], NUMPY[c["type"]]).tolist() for c in record["columns"]}
        if record["kind"] == "reset":
            for i in asked["env"]:
                envs.setdefault(i, make() if envs else first)
            answers = [(envs[i].reset(seed),) for i, seed in zip(asked["env"], asked["seed"])]
        else:
            answers = [envs[i].step(action) for i, action in zip(asked["env"], asked["action"])]
        names = ["state", "reward", "terminal", "truncated"]
        columns = {name: numpy.array(values, "u1" if name[0] == "t" else "<f4") for name, values in zip(names, zip(*answers))}
        put_bundle("state", record["rows"], {}, **columns)
    put(pack({"dq": "end", "bundles": len(bundles), "rows": counts, "digest": digest.hexdigest(), "inputs": []}))
