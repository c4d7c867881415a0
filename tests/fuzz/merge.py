#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Takes what a fuzzer found into its saved corpus, and keeps that small.

    merge.py FUZZER CORPUS FOUND [COUNT]

libFuzzer says which edges of the program each file takes. Of the files without a name (a hash is what libFuzzer calls
its own) those are kept that add most to the named ones, COUNT (40) at most, the smaller where two add the same. Named
files were made by hand or by a script, and stay.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

LARGEST = 4096  # bytes of a file without a name


def edges(fuzzer, files):
    """The edges of each file, by libFuzzer's own account."""
    with tempfile.TemporaryDirectory() as folder:
        pool, out, control = (pathlib.Path(folder, name) for name in ("pool", "out", "control"))
        pool.mkdir(), out.mkdir()
        for i, file in enumerate(files):
            shutil.copyfile(file, pool / f"{i:06d}")
        subprocess.run([fuzzer, "-set_cover_merge=1", "-use_counters=0", f"-merge_control_file={control}", "-timeout=20", "-rss_limit_mb=2048",
                        f"-artifact_prefix={folder}/", out, pool],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        lines = control.read_text().splitlines()
    names, count, of = [], int(lines[0]), {}
    for line in lines[2:2 + count]:
        names.append(int(line.rsplit("/", 1)[1].split()[0]))
    for line in lines[2 + count:]:
        word, *numbers = line.split()
        if word == "FT":
            index, *rest = map(int, numbers)
            of[files[names[index]]] = set(rest)
    return of


def main(fuzzer, corpus, found, most=40):
    corpus, found, most = pathlib.Path(corpus), pathlib.Path(found), int(most)
    nameless = re.compile(r"[0-9a-f]{40}$").match
    files = [f for folder in (corpus, found) for f in sorted(folder.iterdir()) if f.is_file()]
    files = [f for f in files if not nameless(f.name) or f.stat().st_size <= LARGEST]
    of = edges(str(pathlib.Path(fuzzer).resolve()), files)
    have, kept = set(), []
    for f in files:
        if not nameless(f.name):
            have |= of.get(f, set())
            kept.append(f.name)
    named = len(kept)
    rest = {f.name: f for f in files if nameless(f.name)}
    while rest and len(kept) < named + most:
        best = max(rest.values(), key=lambda f: (len(of.get(f, set()) - have), -f.stat().st_size, f.name))
        if not of.get(best, set()) - have:
            break
        have |= of[best]
        kept.append(best.name)
        if best.parent != corpus:
            shutil.copyfile(best, corpus / best.name)
        del rest[best.name]
    for f in corpus.iterdir():
        if f.name not in kept:
            os.remove(f)
    everything = set().union(*of.values())
    print(f"{corpus}: {len(kept)} files, {len(have)} of {len(everything)} edges")


if __name__ == "__main__":
    main(*sys.argv[1:])
