#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A notebook run and looked at, for python.bats:

    notebook.py plain FILE        its cells as one Python program, without Jupyter
    notebook.py execute FILE      in a kernel; no cell fails, and pictures stand where they are committed
    notebook.py look FILE         what is committed: outputs of every cell, no place, machine or time in them
    notebook.py write FILE        executes it, and writes the outputs into it

Programs, dq.py and the data are found as the notebook finds them.
"""
import json
import os
import re
import socket
import sys


def code(book):
    return [c for c in book["cells"] if c["cell_type"] == "code"]


def pictures(book):
    return [[o["output_type"] for o in c.get("outputs", ()) if "image/png" in o.get("data", ())] for c in book["cells"]]


def plain(path):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot
    os.chdir(os.path.dirname(path))
    with open(os.path.basename(path)) as f:
        book = json.load(f)
    names = {"__name__": "__main__"}
    for cell in code(book):
        exec(compile("".join(cell["source"]), f"cell {cell['id']}", "exec"), names)
    wanted = sum(map(len, pictures(book)))
    assert len(matplotlib.pyplot.get_fignums()) == wanted > 0, "pictures are missing"
    for number in matplotlib.pyplot.get_fignums():
        matplotlib.pyplot.figure(number).savefig(os.devnull, format="png")


def executed(path):
    import nbclient
    import nbformat
    book = nbformat.read(path, 4)
    nbclient.NotebookClient(book, timeout=600, record_timing=False, kernel_name="python3",
                            resources={"metadata": {"path": os.path.dirname(os.path.abspath(path))}}).execute()
    return book


def execute(path):
    with open(path) as f:
        committed = json.load(f)
    book = executed(path)
    assert pictures(book) == pictures(committed) and any(pictures(book)), "pictures are missing"


def write(path):
    import nbformat
    book = executed(path)
    book.metadata["language_info"] = {"name": "python"}
    nbformat.write(book, path)


def look(path):
    with open(path) as f:
        book = json.load(f)
    for cell in code(book):
        assert cell["metadata"] == {} and cell["execution_count"], "a cell that was not executed, or with a time"
        for output in cell["outputs"]:
            assert output["output_type"] in ("execute_result", "display_data"), f"{cell['id']}: words on stdout or stderr, or an error"
            text = json.dumps({k: v for k, v in output["data"].items() if k != "image/png"})
            for what in (r"/(tmp|home|root|work|usr|build)/", re.escape(socket.gethostname()), r"0x[0-9a-f]{6}", r"\d\d:\d\d:\d\d", r"20[2-9]\d-\d\d"):
                assert not re.search(what, text), f"{cell['id']}: {what} in {text}"
    assert [c["execution_count"] for c in code(book)] == list(range(1, len(code(book)) + 1)), "cells in another order"
    assert sum(map(len, pictures(book))) >= 3


{"plain": plain, "execute": execute, "look": look, "write": write}[sys.argv[1]](sys.argv[2])
