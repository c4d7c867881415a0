#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A MongoDB-protocol server that says what a test wants said: OP_MSG on a free port of loopback, read-only, documents as
raw BSON. It prints its URI when it is ready and runs until it is killed.

    canned.py [--port N] [--batch N] [--record FILE] [--on RULE]... FOLDER

Every database holds FOLDER's collections: COLLECTION.jsonl (extended JSON; an _id is added where there is none) or
COLLECTION.bson (documents one behind the other, sound or not). find knows filters of equality, $gt, $gte, $lt, $in, $ne, $exists, $type, $and and $or, sort by one
key, limit, inclusive projection and batchSize; a batch that is full leaves the cursor open, as a real server's does.

--port N      one that was used before, for a server that comes back
--batch N     no batch has more than N documents, whatever is asked
--record FILE each command is appended as a line of extended JSON, with `connection`, its number, beside it
--on RULE     [DATABASE/]COMMAND[.COLLECTION]#N=ACTION: what becomes of a database's N-th such command (#*: of each, #N+: of
              each from the N-th)
    hangup      the connection is closed without a word       half       closed within the answer
    silent      nothing is said, the connection stays         error:CODE[:WORDS]  {ok: 0, code, errmsg}
    length      the answer's length is a lie                  garbage    the answer is no BSON, but for its length and end
    stranger    the answer belongs to another request         empty      {ok: 1} and no cursor
    lie:HOW     sound but for one thing, HOW a key of LIES
"""
import argparse
import collections
import functools
import os
import re
import socketserver
import struct
import sys
import threading
import uuid
import zlib

import bson
from bson import json_util

JSON = json_util.JSONOptions(uuid_representation=bson.binary.STANDARD)
BSON = bson.codec_options.CodecOptions(uuid_representation=bson.binary.STANDARD)
OP_REPLY, OP_QUERY, OP_COMPRESSED, OP_MSG = 1, 2004, 2012, 2013
FIXED = {1: 8, 6: 0, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8, 19: 16, 127: 0, 255: 0}
LENGTH = {2: 4, 13: 4, 14: 4, 3: 0, 4: 0, 15: 0, 5: 5}  # what a length does not count of itself
HELLO = {"ismaster": True, "isWritablePrimary": True, "helloOk": True, "maxBsonObjectSize": 16 << 20,
         "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000, "logicalSessionTimeoutMinutes": 30,
         "minWireVersion": 0, "maxWireVersion": 13, "readOnly": False, "ok": 1.0}


# ---- raw documents ----

def elements(raw):
    """(name, bytes) of each top-level element; what follows one of an unknown type comes as one nameless piece."""
    at, end = 4, len(raw) - 1
    while at < end:
        name_end = raw.index(0, at + 1)
        value, kind = name_end + 1, raw[at]
        if kind in FIXED:
            value += FIXED[kind]
        elif kind in LENGTH:
            value += LENGTH[kind] + struct.unpack_from("<i", raw, value)[0]
        else:
            yield "", raw[at:end]
            return
        yield raw[at + 1:name_end].decode(), raw[at:value]
        at = value


def enclosed(pieces):
    """The pieces as a document, in pieces still: a batch of 16 MB is put together once."""
    pieces = list(pieces)
    return [struct.pack("<i", sum(map(len, pieces)) + 5), *pieces, b"\0"]


def document(pieces):
    return b"".join(enclosed(pieces))


class Stored:
    """A document, and the values that were asked of it."""

    def __init__(self, raw):
        self.raw, self.known = raw, {}

    def value(self, key):
        """The value of a key, None where it is absent or cannot be read."""
        if key not in self.known:
            self.known[key] = None
            try:
                piece = next(piece for name, piece in elements(self.raw) if name == key)
                self.known[key] = bson.decode(document([piece]))[key]
            except (StopIteration, ValueError, struct.error, bson.errors.BSONError):
                pass
        return self.known[key]


def order(v):
    """What sorts values as a server does: by the type's rank, then by the value."""
    if v is None:
        return 0, 0
    if is_number(v):
        return 1, float(v.to_decimal()) if isinstance(v, bson.Decimal128) else v
    if isinstance(v, (bytes, uuid.UUID)):
        v = v if isinstance(v, bytes) else bson.Binary.from_uuid(v)
        return 3, (len(v), getattr(v, "subtype", 0), bytes(v))
    for rank, kind in ((2, str), (4, bson.ObjectId), (5, bool)):
        if isinstance(v, kind):
            return rank, v.encode() if kind is str else v
    return 9, repr(v)


def is_number(v):
    return isinstance(v, (int, float, bson.Decimal128)) and not isinstance(v, bool)


TYPES = {"number": (int, float, bson.Decimal128), "double": float, "int": int, "long": int, "string": str,
         "binData": (bytes, uuid.UUID), "objectId": bson.ObjectId, "bool": bool}


def compare(v, operator, wanted):
    a, b = order(v), order(wanted)
    if operator in ("$eq", "$ne"):
        return (a == b) == (operator == "$eq")
    if operator == "$in":
        return any(a == order(w) for w in wanted)
    if operator == "$exists":
        return (v is not None) == bool(wanted)
    if operator == "$type":
        return any(isinstance(v, TYPES[w]) and (w == "bool" or not isinstance(v, bool))
                   for w in (wanted if isinstance(wanted, list) else [wanted]))
    outcomes = {"$gt": a > b, "$gte": a >= b, "$lt": a < b, "$lte": a <= b}
    return a[0] == b[0] and outcomes[operator]


def matches(d, wanted):
    for key, w in wanted.items():
        if key in ("$and", "$or"):
            if not (all if key == "$and" else any)(matches(d, part) for part in w):
                return False
            continue
        operators = w if isinstance(w, dict) and any(k.startswith("$") for k in w) else {"$eq": w}
        if not all(compare(d.value(key), o, x) for o, x in operators.items()):
            return False
    return True


def project(raw, keys):
    """The elements that a projection names, and _id unless it is ruled out; a broken document as it is."""
    wanted = {k for k, yes in keys.items() if yes} | ({"_id"} if keys.get("_id", 1) else set())
    if not any(keys.values()):
        return raw
    try:
        return document(piece for name, piece in elements(raw) if name in wanted or not name)
    except (ValueError, struct.error):
        return raw


def load(folder, collection):
    path = os.path.join(folder, collection)
    if os.path.exists(path + ".bson"):
        with open(path + ".bson", "rb") as f:
            data, at, documents = f.read(), 0, []
        while at < len(data):
            size = struct.unpack_from("<i", data, at)[0]
            documents.append(Stored(data[at:at + size]))
            at += size
        return documents
    if not os.path.exists(path + ".jsonl"):
        return []
    with open(path + ".jsonl") as f:
        lines = [json_util.loads(line, json_options=JSON) for line in f if line.strip()]
    return [Stored(bson.encode({"_id": bson.ObjectId(n.to_bytes(12, "big")), **line}, codec_options=BSON)) for n, line in enumerate(lines, 1)]


# ---- lies ----

def number(n):
    return struct.pack("<i", n)


def patched(raw, at, piece):
    return raw[:at] + piece + raw[at + len(piece):]


def value(raw, *path):
    """Where the value of the element at a path begins."""
    start = 0
    for key in path:
        for name, piece in elements(raw[start:start + struct.unpack_from("<i", raw, start)[0]]):
            if name == key:
                start = raw.index(piece, start) + 1 + len(key.encode()) + 1
                break
    return start


def batch_of(raw):
    key = "firstBatch" if b"firstBatch" in raw else "nextBatch"
    return value(raw, "cursor", key)


def in_cursor(raw, batch):
    """The answer with another batch: an array's bytes, which may be no array."""
    rest = bson.encode({"id": bson.Int64(0), "ns": "any.jobs_text"})[4:-1]
    name = b"firstBatch" if b"firstBatch" in raw else b"nextBatch"
    return document([b"\3cursor\0", document([b"\4" + name + b"\0", batch, rest]), bson.encode({"ok": 1.0})[4:-1]])


def nested(levels):
    """Documents in documents, each length as it should be."""
    heads = b"".join(number(5 + 8 * left) + b"\3a\0" for left in range(levels, 0, -1))
    return heads + number(5) + b"\0" + b"\0" * levels


def with_element(raw, element):
    return number(len(raw) + len(element)) + raw[4:-1] + element + b"\0"


def message(raw, flags=0):
    return OP_MSG, number(flags) + b"\0" + raw


# Each takes an answer's BSON, and gives an opcode and what stands behind the message's head; or with_length below.
LIES = {
    "document-long": lambda raw: message(number(len(raw) + 1000) + raw[4:]),
    "document-huge": lambda raw: message(number((1 << 31) - 1) + raw[4:]),
    "document-short": lambda raw: message(number(len(raw) - 7) + raw[4:]),
    "document-tiny": lambda raw: message(number(4) + raw[4:]),
    "document-negative": lambda raw: message(number(-1) + raw[4:]),
    "document-least": lambda raw: message(number(-(1 << 31)) + raw[4:]),
    "document-open": lambda raw: message(raw[:-1] + b"\1"),
    "document-absent": lambda raw: (OP_MSG, number(0) + b"\0"),
    "document-cut": lambda raw: message(raw[:len(raw) // 2]),
    "head-cut": lambda raw: (OP_MSG, number(0)),
    "nothing": lambda raw: (OP_MSG, b""),
    "sections": lambda raw: (OP_MSG, number(0) + (b"\0" + raw) * 1000),
    "section-kind": lambda raw: (OP_MSG, number(0) + b"\1" + number(len(raw) + 6) + b"a\0" + raw),
    "section-unknown": lambda raw: (OP_MSG, number(0) + b"\7" + raw),
    "section-behind": lambda raw: message(raw + b"\1" + number(1 << 30) + b"a\0"),
    "checksum": lambda raw: message(raw + number(1), 1),
    "more-to-come": lambda raw: message(raw, 2),
    "flags": lambda raw: message(raw, 1 << 4),
    "cursor-huge": lambda raw: message(patched(raw, value(raw, "cursor"), number((1 << 31) - 1))),
    "cursor-short": lambda raw: message(patched(raw, value(raw, "cursor"), number(5))),
    "cursor-negative": lambda raw: message(patched(raw, value(raw, "cursor"), number(-5))),
    "batch-huge": lambda raw: message(patched(raw, batch_of(raw), number((1 << 31) - 1))),
    "batch-negative": lambda raw: message(patched(raw, batch_of(raw), number(-1))),
    "batch-long": lambda raw: message(in_cursor(raw, number(100) + b"\0")),
    "namespace-huge": lambda raw: message(patched(raw, value(raw, "cursor", "ns"), number((1 << 31) - 1))),
    "namespace-negative": lambda raw: message(patched(raw, value(raw, "cursor", "ns"), number(-1))),
    "row-open": lambda raw: message(in_cursor(raw, document([b"\x030\0" + number(8) + b"\x0aa\0\1"]))),
    "row-long": lambda raw: message(in_cursor(raw, document([b"\x030\0" + number(100) + b"\0"]))),
    "row-short": lambda raw: message(in_cursor(raw, document([b"\x030\0" + number(4)]))),
    "row-negative": lambda raw: message(in_cursor(raw, document([b"\x030\0" + number(-9) + b"\0"]))),
    "row-number": lambda raw: message(in_cursor(raw, bson.encode({"0": 5, "1": {"_id": 7}}))),
    "name-open": lambda raw: message(number(len(raw) + 3) + raw[4:-1] + b"\x0aab\0"),
    "type-unknown": lambda raw: message(with_element(raw, b"\x55a\0")),
    "text-open": lambda raw: message(with_element(raw, b"\2a\0" + number(2) + b"ab")),
    "binary-negative": lambda raw: message(with_element(raw, b"\5a\0" + number(-1) + b"\0")),
    "binary-huge": lambda raw: message(with_element(raw, b"\5a\0" + number((1 << 31) - 1) + b"\0")),
    "deep": lambda raw: message(with_element(raw, b"\3a\0" + nested(100000))),
    "compressed": lambda raw: (OP_COMPRESSED, number(OP_MSG) + number((1 << 31) - 1) + b"\2" + zlib.compress(number(0) + b"\0" + raw)),
    "compressed-plain": lambda raw: (OP_COMPRESSED, number(OP_MSG) + number(len(raw) + 5) + b"\0" + number(0) + b"\0" + raw),
    "kind": lambda raw: (99, number(0) + b"\0" + raw),
    "reply-many": lambda raw: (OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1 << 30) + raw),
    "reply-none": lambda raw: (OP_REPLY, struct.pack("<iqii", 8, 0, 0, 0)),
    "reply-negative": lambda raw: (OP_REPLY, struct.pack("<iqii", 8, 0, 0, -1) + raw),
    "reply-long": lambda raw: (OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1) + number((1 << 31) - 1) + raw[4:]),
    "reply-cut": lambda raw: (OP_REPLY, struct.pack("<iq", 8, 0)),
}
# What the message's head says of its length, whatever it has.
LENGTHS = {"length-none": 0, "length-negative": -1, "length-small": 15, "length-head": 16, "length-more": 48000001,
           "length-huge": (1 << 31) - 1}
MOST = {"length-most": 48000000}  # what a message may have: the rest never comes


# ---- the server ----

class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, options):
        super().__init__(("127.0.0.1", options.port), Connection)
        self.options, self.lock = options, threading.Lock()
        self.load = functools.lru_cache(None)(functools.partial(load, options.folder))
        self.counts, self.cursors, self.connections = {}, {}, 0
        self.rules = [self.rule(text) for text in options.on]
        self.record = open(options.record, "a", buffering=1) if options.record else None

    @staticmethod
    def rule(text):
        m = re.fullmatch(r"(?:(\w+)/)?(\w+)(?:\.(\w+))?#(\d+\+?|\*)=(.+)", text)
        if not m:
            sys.exit(f"canned.py: no rule: {text}")
        first, last = (1, 1 << 60) if m[4] == "*" else (int(m[4].rstrip("+")), 1 << 60 if m[4].endswith("+") else int(m[4]))
        return m[1], m[2], m[3], first, last, m[5]

    def action(self, database, command, collection):
        """What the rules say of this command, and the command counted."""
        with self.lock:
            for key in {(database, command, collection), (database, command, None)}:
                self.counts[key] = self.counts.get(key, 0) + 1
            for where, name, of, first, last, action in self.rules:
                if name == command and where in (None, database) and of in (None, collection):
                    if first <= self.counts[database, name, of] <= last:
                        return action
        return None

    # -- commands: each returns the answer's BSON --

    def find(self, c):
        skip = set(c) - {"find", "filter", "sort", "projection", "limit", "batchSize", "$db", "lsid", "singleBatch",
                         "noCursorTimeout", "$readPreference", "readConcern", "maxTimeMS", "hint"}
        if skip:
            return failure(9, f"unknown field {sorted(skip)[0]}")
        documents = [d for d in self.load(c["find"]) if matches(d, c.get("filter", {}))]
        for key, way in reversed(list(c.get("sort", {}).items())):
            documents.sort(key=lambda d, k=key: order(d.value(k)), reverse=way < 0)
        documents = collections.deque(documents[:c.get("limit") or None])
        with self.lock:
            cursor = len(self.cursors) + 7000001
            self.cursors[cursor] = [f"{c['$db']}.{c['find']}", documents, c.get("projection") or {}]
        return self.batch(cursor, "firstBatch", c.get("batchSize", 101))

    def getMore(self, c):
        if c["getMore"] not in self.cursors:
            return failure(43, f"cursor id {c['getMore']} not found")
        return self.batch(c["getMore"], "nextBatch", c.get("batchSize", 1000))

    def batch(self, cursor, name, asked):
        namespace, documents, keys = self.cursors[cursor]
        most, some, size = min(asked or 1, self.options.batch), [], 0
        while documents and len(some) < most and (not some or size + len(documents[0].raw) <= 16 << 20):
            size += len(documents[0].raw)
            some.append(project(documents.popleft().raw, keys))
        if not documents and len(some) < most:
            cursor = 0
        array = enclosed(piece for i, d in enumerate(some) for piece in (b"\3%d\0" % i, d))
        rest = bson.encode({"id": bson.Int64(cursor), "ns": namespace})[4:-1]
        inner = enclosed([b"\4" + name.encode() + b"\0", *array, rest])
        return document([b"\3cursor\0", *inner, bson.encode({"ok": 1.0})[4:-1]])

    def listCollections(self, c):
        names = sorted({f.rsplit(".", 1)[0] for f in os.listdir(self.options.folder) if f.endswith((".jsonl", ".bson"))})
        wanted = (c.get("filter") or {}).get("name")
        some = [{"name": n, "type": "collection"} for n in names if wanted in (None, n)]
        return bson.encode({"cursor": {"id": bson.Int64(0), "ns": f"{c['$db']}.$cmd.listCollections", "firstBatch": some}, "ok": 1.0})

    def answer(self, name, c):
        if name in ("hello", "isMaster", "ismaster"):
            return bson.encode(HELLO)
        if name in ("ping", "endSessions", "killCursors"):
            return bson.encode({"ok": 1.0})
        if name in ("find", "getMore", "listCollections"):
            return getattr(self, name)(c)
        return failure(59, f"no such command: '{name}'")


def failure(code, words):
    return bson.encode({"ok": 0.0, "errmsg": words, "code": code, "codeName": "Canned"})


class Connection(socketserver.BaseRequestHandler):
    def receive(self, size):
        data = bytearray()
        while len(data) < size:
            some = self.request.recv(size - len(data))
            if not some:
                raise ConnectionError
            data += some
        return bytes(data)

    def handle(self):
        with self.server.lock:
            self.server.connections += 1
            self.number = self.server.connections
        try:
            while True:
                length, number, _, code = struct.unpack("<iiii", self.receive(16))
                self.serve(number, code, self.receive(length - 16))
        except (ConnectionError, OSError):
            pass

    def serve(self, number, code, body):
        start = 5 if code == OP_MSG else body.index(0, 4) + 9
        size = struct.unpack_from("<i", body, start)[0]
        c = bson.decode(body[start:start + size])
        name = next(iter(c))
        collection = c.get("collection") if name == "getMore" else c[name] if isinstance(c[name], str) else None
        if self.server.record:
            line = json_util.dumps({"connection": self.number, **c}, json_options=json_util.RELAXED_JSON_OPTIONS)
            self.server.record.write(line + "\n")
        action, _, detail = (self.server.action(c.get("$db"), name, collection) or "").partition(":")
        if action == "error":
            what, _, words = detail.partition(":")
            reply = failure(int(what), words or "canned failure")
        else:
            reply = bson.encode({"ok": 1.0}) if action == "empty" else self.server.answer(name, c)
        if action == "lie":
            self.lie(number, detail, reply)
        else:
            self.reply(number, code, reply, action)

    def lie(self, number, how, reply):
        opcode, body = LIES.get(how, message)(reply)
        self.request.sendall(struct.pack("<iiii", {**LENGTHS, **MOST}.get(how, 16 + len(body)), 1, number, opcode) + body)

    def reply(self, number, code, reply, action):
        if action == "garbage":
            reply = reply[:4] + b"\xa5" * (len(reply) - 5) + b"\0"
        head = struct.pack("<I", 0) + b"\0" if code == OP_MSG else struct.pack("<iqii", 8, 0, 0, 1)
        opcode = OP_MSG if code == OP_MSG else OP_REPLY
        length = (1 << 31) - 1 if action == "length" else 16 + len(head) + len(reply)
        message = struct.pack("<iiii", length, 1, number + (action == "stranger"), opcode) + head + reply
        if action == "silent":
            while self.request.recv(1 << 16):
                pass
        if action == "half":
            self.request.sendall(message[:len(message) // 2])
        if action in ("silent", "hangup", "half"):
            raise ConnectionError
        self.request.sendall(message)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--batch", type=int, default=1 << 30)
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--record")
    p.add_argument("--on", action="append", default=[])
    p.add_argument("folder")
    with Server(p.parse_args()) as server:
        print("mongodb://127.0.0.1:%d" % server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
