#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fills a database from a folder of JSON lines, as mongoimport would: COLLECTION.jsonl becomes the collection, in the
file's order, extended JSON understood; a collection of that name is dropped first.

    load.py [--float32 KEY]... URI FOLDER

The URI names the database. --float32 KEY: the list under that key is stored as a BSON binary vector (subtype 9, float32).
"""
import argparse
import os
import struct

import pymongo
from bson import Binary, json_util


def packed(numbers):
    """Type 0x27 is float32; the second byte counts padding bits, which only bit vectors have."""
    return Binary(b"\x27\0" + struct.pack(f"<{len(numbers)}f", *numbers), 9)


def documents(path, keys):
    with open(path) as f:
        for line in f:
            d = json_util.loads(line)
            d.update({k: packed(d[k]) for k in keys if isinstance(d.get(k), list)})
            yield d


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--float32", action="append", default=[])
    p.add_argument("uri")
    p.add_argument("folder")
    a = p.parse_args()
    client = pymongo.MongoClient(a.uri, serverSelectionTimeoutMS=10000)
    database = client.get_default_database()
    for name in sorted(os.listdir(a.folder)):
        if name.endswith(".jsonl"):
            collection = database[name.removesuffix(".jsonl")]
            collection.drop()
            some = list(documents(os.path.join(a.folder, name), a.float32))
            for at in range(0, len(some), 500):
                collection.insert_many(some[at:at + 500])
    client.close()


if __name__ == "__main__":
    main()
