#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the rows of each kind in streams (none named: stdin), on the installed libdq: count_rows.py a.dq b.dq"""
import collections
import ctypes
import sys

dq = ctypes.CDLL("libdq.so.1")
Bundle = type("Bundle", (ctypes.Structure,), {"_fields_": [("kind", ctypes.c_char_p), ("rows", ctypes.c_uint64),
                                                           ("rest", ctypes.c_uint64 * 62)]})
reader, bundle, rows, got = ctypes.c_void_p(), Bundle(), collections.Counter(), 1
paths = (ctypes.c_char_p * len(sys.argv))(*map(str.encode, sys.argv[1:]))
if dq.dq_reader_open(ctypes.byref(reader), paths, ctypes.c_size_t(len(sys.argv) - 1), None):
    sys.exit("count_rows: no stream")
while (got := dq.dq_reader_next(reader, ctypes.byref(bundle), None)) > 0:
    rows[bundle.kind.decode()] += bundle.rows
    dq.dq_bundle_free(ctypes.byref(bundle))
print("\n".join(f"{kind}\t{n}" for kind, n in rows.items()))
sys.exit("count_rows: broken" if got else 0)
