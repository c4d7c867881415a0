#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prints a line for each file below a folder: its path, a tab, and what it holds.

    digests.py FOLDER

    stream KIND:HASH ...    the bundles of each section, as the second reader verifies them; heads name options and
                            versions, which may change where no number does
    other HASH              the bytes
    left out: REASON        not compared
"""
import fnmatch
import hashlib
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
import read_stream  # noqa: E402

LEFT_OUT = [
    ("*.db", "a cache of answers holds when each was asked and how many seconds it took"),
    ("*.db-journal", "the rest of a cache's last transaction"),
    ("said/*.err", "words for the terminal hold seconds, and stand in the order of threads"),
]


def bundles(raw):
    """KIND:HASH of every bundle, and where sections end."""
    words = []
    for digest, _, record in read_stream.records(read_stream.payload(raw)):
        if record["dq"] == "bundle":
            words.append("%s:%016x" % (record["kind"], digest))
        elif record["dq"] == "end":
            words.append("end")
    read_stream.must(words and words[-1] == "end", "cut off")
    return words


def held(path, name):
    for pattern, reason in LEFT_OUT:
        if fnmatch.fnmatch(name, pattern):
            return "left out: " + reason
    with open(path, "rb") as f:
        raw = f.read()
    try:
        return " ".join(["stream", *bundles(raw)])
    except Exception:  # no stream, or a broken one: then its bytes are compared
        return "other " + hashlib.sha256(raw).hexdigest()


def main():
    root = sys.argv[1]
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                short = os.path.relpath(path, root)
                print(short, held(path, short), sep="\t")


main()
