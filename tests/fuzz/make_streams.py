#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes the faults of the stream's corpus out of the streams that tests/fault/make_streams.py wrote.

    make_streams.py FOLDER_OF_FAULTS CORPUS/stream

Every fault whose records can be taken apart is saved as bodies (tests/fuzz/fuzz_stream.c gives them right hashes), the
rest as bytes.
"""
import os
import pathlib
import struct
import sys


def bodies(data):
    at, out = 0, b"\x01"
    while at < len(data):
        if len(data) - at < 18 or data[at] != 0xcf:
            return None
        length = struct.unpack_from(">Q", data, at + 1)[0]
        body = data[at + 18:at + 18 + length]
        if len(body) != length or length > 0xffff:
            return None
        out += struct.pack(">H", length) + body
        at += 18 + length
    return out


folder, corpus = map(pathlib.Path, sys.argv[1:])
os.makedirs(corpus, exist_ok=True)
for path in sorted(folder.iterdir()):
    if path.suffix == ".words":
        continue
    data = path.read_bytes()
    if len(data) > 16384:
        continue
    (corpus / path.stem).write_bytes(bodies(data) or b"\x00" + data)
