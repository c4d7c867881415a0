#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A filter: how many interactions an item has becomes its attribute "popularity".

    dq-export … | popularity.py | dq-cat --kind items

In a section interactions stand before items, so each bundle is passed on as it comes.
"""
import collections
import signal
import sys

import dq

signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # who reads may stop early, as in any pipe
section, met = None, collections.Counter()
try:
    with dq.Reader() as reader, dq.Writer(program="popularity.py", version="1", inputs=[reader]) as writer:
        for bundle in reader:
            if bundle.section is not section:
                section, met = bundle.section, collections.Counter()
            if bundle.kind == "interactions":
                met.update(bundle["item"])
            elif bundle.kind == "items":
                bundle = bundle.with_columns({"attr.popularity": [met[i] for i in bundle["id"]]})
            writer.write(bundle)
except dq.Error as e:
    sys.exit(f"popularity.py: {e}")
