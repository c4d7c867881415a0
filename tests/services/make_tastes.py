#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the judge's tables as a C header: the words of pipelines/demo/make_data.py, and what its applicants love.

    make_tastes.py MAKE_DATA > llm_tastes.h

An applicant's employer of choice stands in no text, so the judge is told. The judge has no whim, so the least score of
each label is the one that agrees with the most of make_data.py's own judgements.
"""
import importlib.util
import sys


def load(path):
    spec = importlib.util.spec_from_file_location("make_data", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def table(name, lists):
    print(f"static const char *const {name}[][TASTE_PHRASES] = {{")
    for words in lists:
        print("    {" + ", ".join(map(quoted, words)) + "},")
    print("};")


class NoWhim:
    def random(self):
        return 0.5


def least_score(scores, wanted):
    """The bound that separates the wanted from the others with the fewest errors."""
    values = sorted(set(round(s, 6) for s in scores))
    bounds = [values[0] - 1] + [(a + b) / 2 for a, b in zip(values, values[1:])] + [values[-1] + 1]
    return min(bounds, key=lambda t: sum((s >= t) != w for s, w in zip(scores, wanted)))


def main():
    make = load(sys.argv[1])
    dice = make.Dice(42)
    jobs = [make.job(dice, n) for n in range(make.JOBS)]
    applicants = [make.applicant(dice, n) for n in range(make.VETERANS + make.NEWCOMERS)]
    trades = list(make.TRADES)
    print("/* Made by make_tastes.py from pipelines/demo/make_data.py. */")
    print(f"enum {{ TASTE_PHRASES = 8, TASTE_TRADES = {len(trades)}, TASTE_EMPLOYERS = {len(make.EMPLOYERS)}, "
          f"TASTE_COUNT = {len(applicants)} }};")
    table("taste_own", [make.TRADES[t]["own"] for t in trades])
    table("taste_titles", [make.TRADES[t]["titles"] for t in trades])
    table("taste_levels", [level[0] for level in make.LEVELS])
    table("taste_places", [place[0] for place in make.PLACES])
    table("taste_job_places", [place[1] for place in make.PLACES])
    print("static const char *const taste_employers[] = {" + ", ".join(map(quoted, make.EMPLOYERS)) + "};")
    print("static const int taste_lures[] = {" + ", ".join(str(trades.index(make.TRADES[t]["lure"])) for t in trades)
          + "};")
    print("typedef struct taste {\n    const char *bio, *skills;\n    int loves, shuns;\n    double least[3];\n} taste;")
    print("static const taste tastes[] = {")
    agreed = 0
    for number, a in enumerate(applicants):
        labels = [label for label, _ in make.judge(dice, a, jobs)]
        if number < make.VETERANS:
            dice.some(range(make.JOBS), make.JUDGED)
        scores = [make.liking(NoWhim(), a, j) for j in jobs]
        ranks = [["APPLY", "SAVE", "CLICK", "IGNORE"].index(label) for label in labels]
        least = [least_score(scores, [r <= k for r in ranks]) for k in range(3)]
        agreed += sum(r == next((k for k in range(3) if s >= least[k]), 3) for r, s in zip(ranks, scores))
        text = a["line"]["text"]
        print(f"    {{{quoted(text['bio'])}, {quoted(text['skills'])}, {a['loves']}, {a['shuns']}, "
              f"{{{', '.join(f'{t:.6f}' for t in least)}}}}},")
    print("};")
    print(f"/* The judge agrees with {agreed / len(applicants) / make.JOBS:.4f} of make_data.py's judgements. */")


if __name__ == "__main__":
    main()
