# SPDX-License-Identifier: MIT
"""Writes the files of dq-serve's page as C: their bytes, and a route for each (page.h). NAME=FILE gives FILE
another name, index.html is "/". What a file is says the end of its name.

    embed.py page/* chart.js=/usr/share/javascript/chart.js/chart.min.js > page_files.c
"""
import hashlib
import os
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def main():
    files = []
    for argument in sys.argv[1:]:
        name, _, source = argument.rpartition("=")
        with open(source, "rb") as opened:
            data = opened.read()
        name = name or os.path.basename(source)
        files.append(("/" if name == "index.html" else "/" + name, TYPES[os.path.splitext(name)[1]], data))
    print('#include "page.h"')
    for i, (_, _, data) in enumerate(files):
        print(f"static const unsigned char file_{i}[] = {{{','.join(map(str, data))}}};")
    print("const page_file page_files[] = {")
    for i, (path, _, data) in enumerate(files):
        print(f'    {{"{path}", "\\"{hashlib.sha256(data).hexdigest()[:32]}\\"", file_{i}, sizeof file_{i}}},')
    print("    {0}};\nconst dq_serve_route page_routes[] = {")
    for path, kind, _ in files:
        print(f'    {{"GET", "{path}", "a file of the page", page_answer, .type = "{kind}",\n'
              "     .flags = DQ_SERVE_PUBLIC | DQ_SERVE_ASIDE},")
    print("    {0}};")


main()
