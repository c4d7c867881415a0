#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes the named seeds of two corpora: reply and obd.

    make_replies.py CORPUS

The forms are those of the targets' first comments (tests/fuzz/fuzz_reply.c, fuzz_obd.c).
"""
import pathlib
import struct
import sys

corpus = pathlib.Path(sys.argv[1])


def put(reader, name, data):
    (corpus / reader).mkdir(parents=True, exist_ok=True)
    (corpus / reader / name).write_bytes(data)


# ---- replies: elements as tests/fuzz/elements.h puts the lengths into ----

def element(kind, name, value=b""):
    return bytes([kind]) + name.encode() + b"\0" + value


def text(name, value, kind=2):
    return element(kind, name, bytes([len(value)]) + value.encode())


def document(name, *elements):
    return element(3, name, b"".join(elements) + b"\0")


def array(name, *elements):
    return element(4, name, b"".join(elements) + b"\0")


def number(name, value):
    return element(0x10, name, struct.pack("<i", value))


def cursor(batch, *rows):
    return document("cursor", array(batch, *rows), element(0x12, "id", struct.pack("<q", 7)), text("ns", "db.c"))


okay = element(1, "ok", struct.pack("<d", 1))
every = b"".join([
    okay, text("s", "a text"), document("d", number("x", 1)), array("l", number("0", 1)), element(5, "b", b"\3\0abc"),
    element(7, "oid", bytes(12)), element(8, "t", b"\1"), element(9, "at", bytes(8)), element(0xa, "nil"), text("code", "f()", 0xd),
    text("symbol", "s", 0xe), number("i", -1), element(0x11, "ts", bytes(8)), element(0x12, "n", bytes(8)),
    element(0x13, "decimal", bytes(16)), element(0xff, "min"), element(0x7f, "max")])
rows = [document(str(i), number("_id", i), text("name", "n" * i)) for i in range(3)]
for name, elements in {
        "empty": b"", "every-type": every, "first-batch": cursor("firstBatch", *rows) + okay, "next-batch": cursor("nextBatch", *rows) + okay,
        "row-no-document": cursor("firstBatch", number("0", 1)) + okay, "batch-elsewhere": document("x", array("firstBatch", number("0", 1))),
        "regex": element(0xb, "r", b"a\0i\0"), "pointer": element(0xc, "p", b"\1a" + bytes(12)),
        "deep": b"".join(b"\3" + b"a\0" for _ in range(36))}.items():
    put("reply", name, bytes([6, 1]) + elements)
    put("reply", name + "-old", bytes([0, 2]) + elements)
    put("reply", name + "-changed", bytes([2, 3, 128, 1]) + elements)
whole = struct.pack("<i", 5 + len(okay)) + okay + b"\0"
put("reply", "connection", bytes([9, 0]) + 2 * (struct.pack("<iiiiIB", 21 + len(whole), 1, 2, 2013, 0, 0) + whole))
put("reply", "http", bytes([9, 0]) + b"HTTP/1.1 400 Bad Request\r\n\r\n")
put("reply", "compressed", bytes([9, 0]) + struct.pack("<iiii", 40, 1, 2, 2012) + bytes(24))

# ---- logs ----

head = ",timestamp,item_id,position,click,propensity_score,user_feature_0,user_feature_1,user-item_affinity_0,user-item_affinity_1\n"
body = """0,2019-11-24 00:03:13.442536+00:00,1,3,0,0.029411764705882353,a,x,0.0,1.5
1,2019-11-24 00:03:14.442536+00:00,0,1,1,1,b,x,0.0,0.0
2,2019-11-24 00:03:15.442536+00:00,0,2,0,0.5,a,x,2.0,0.0
"""
items = ",item_id,item_feature_0,item_feature_1,price\n0,0,-0.67,red,3\n1,1,-0.72,blue,4\n"
for name, flags, first, second in (
        ("plain", 0, "", head + body), ("items", 2, items, head + body), ("strict", 3, items, head + body),
        ("times", 6, items, head + body.replace(" 00:03", "T00:03")), ("no-rows", 2, items, head), ("no-header", 0, "", body),
        ("other-names", 0, "", (head + body).replace("propensity_score", "pscore").replace("timestamp", "at")),
        ("faulty", 2, items, head + body + "3,,1,0,0,0,c,y,0,0\n4,,9,1,0,.1,c,y,0,0\n5,,1,x,,,,,,\n6,1\n"),
        ("quoted", 0, "", (head + body).replace("a,x", '"a,""b""\nc",x')), ("attributes", 0, "", head.replace("\n", ",shelf\n") + body.replace("\n", ",left\n")),
        ("numbers", 2, items.replace("red", "1e40").replace("blue", "nan"), (head + body).replace("0.0", "1e999")),
        ("two-ids", 2, items.replace("price", "id"), head + body), ("taken", 2, items.replace("price", "vector"), head + body),
        ("taken-too", 0, "", head.replace("\n", ",user\n") + body.replace("\n", ",u\n"))):
    put("obd", name, bytes([flags]) + struct.pack(">H", len(first)) + first.encode() + second.encode())
