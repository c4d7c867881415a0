#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dq-eval --ope against the reference estimates of the Open Bandit Dataset: ope_reference.py BUILD FOLDER

The folder holds two logs and what Open Bandit Pipeline made of them (estimates_men.tsv). Compared are all rows but those of
sub-Gaussian weights and those chosen by estimated mean squared error: values, standard deviations of the terms of means,
and empirical Bernstein bounds where that library, too, takes the range from 0 to the greatest term. Exits 1 and says which
differ.
"""
import csv
import json
import subprocess
import sys
import tempfile
from math import sqrt
from pathlib import Path

build, folder = Path(sys.argv[1]), Path(sys.argv[2])
LAMBDAS = ["1", "2", "5", "10", "20", "50", "100", "500"]
MODELS = {"item": "table", "logistic": "column:q"}
differences, compared = [], 0


def table(name):
    with open(folder / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def write_log(log, path):
    """The rows as dq-export reads them, with the target's probabilities and the logistic model's values."""
    text = subprocess.run(["zstd", "-dc", folder / f"{log}_men.csv.zst"], capture_output=True, check=True, text=True).stdout
    target = {}
    for row in table("pi_bts_men.tsv"):
        target.setdefault(row["position"], {})[row["item_id"]] = float(row["probability"])
    with open(path, "w", encoding="utf-8") as out:
        for number, (row, q) in enumerate(zip(csv.DictReader(text.splitlines()), table(f"q_logistic_{log}_men.tsv"))):
            print(json.dumps({"user": str(number), "item": row["item_id"], "reward": int(row["click"]),
                              "propensity": float(row["propensity_score"]), "position": int(row["position"]),
                              "q_logged": float(q["q_logged"]), "q_target": float(q["q_target"]),
                              "bts": target[row["position"]]}), file=out)


def judge(log, names, target, *options):
    run = subprocess.run([build / "dq-eval", "--ope", names, "--target", target, "--format", "json", "--resamples", "100",
                          "--confidence", "0.9", *options, log], capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(run.stderr)
    rows, mean = run.stderr.split()[1], run.stderr.split(" mean ")[1].split()[0]
    return {line["estimator"]: line | {"rows": float(rows), "mean_weight": float(mean)}
            for line in map(json.loads, run.stdout.splitlines())}


def compare(what, value, reference, relative):
    global compared
    compared += 1
    if abs(value - reference) > relative * abs(reference) + 1e-15:
        differences.append(f"{what}: {value!r}, and the reference is {reference!r}")


def estimates(log, target, q):
    """{(estimator as the reference calls it, lambda): a line of dq-eval}"""
    model = ["--reward-model", MODELS[q]] if q in MODELS else []
    names = "ips,dr,switch-dr,dr-os" if model else "ips"
    found = {}
    for bound in LAMBDAS + ["0"]:
        # One propensity is 1/34 to the last digit: its weight is 1 here, and a rounding above 1 in the reference.
        tau = "0.99999" if bound == "1" else bound
        options = ["--clip", bound, "--switch-tau", tau, "--shrinkage", bound] if model else ["--clip", bound]
        if bound == "0":
            options = model and ["--switch-tau", bound, "--shrinkage", bound]
            names = names.replace("ips,dr,", "")
        if bound == "0" and not model:
            continue
        lines = judge(log, names, target, *model, *options)
        for name, title in (("ips", "IPS clipped"), ("dr", "DR clipped"), ("switch-dr", "SWITCH-DR"), ("dr-os", "DR-OS")):
            if name in lines:
                found[title, float(bound)] = lines[name]
    names = "dm,dr,sndr,switch-dr,slope:dr,slope:switch-dr,slope:dr-os" if model else "log,ips,snips,slope:ips"
    lines = judge(log, names, target, *model, *(["--switch-tau", "1e18"] if model else []))
    titles = {"dm": ("DM", "-"), "dr": ("DR", "inf"), "sndr": ("SNDR", "-"), "switch-dr": ("SWITCH-DR", "inf"),
              "ips": ("IPS", "inf"), "snips": ("SNIPS", "-"), "log": ("mean_reward_of_log", "-")}
    for name, line in lines.items():
        kind = {"ips": "IPS", "dr": "DR", "switch-dr": "SWITCH-DR", "dr-os": "DR-OS"}.get(name.removeprefix("slope:"))
        key = (f"{kind} tuned by slope", "chosen") if name.startswith("slope:") else titles[name]
        found[key] = line
    return found


def check_estimate(row, line, relative):
    what = " ".join((row["log"], row["target"], row["q"], row["estimator"], row["lambda"]))
    compare(what, line["value"], float(row["value"]), relative)
    if row["estimator"].endswith("tuned by slope"):
        compare(what + ", the chosen lambda", line["bound"], float(row["lambda"]), 0)
    if row["estimator"] in ("SNIPS", "SNDR"):  # its spread is that of the terms, dq-eval's the ratio's
        return
    if row["sd_of_rows"]:
        compare(what + ", standard deviation", line["se"] * sqrt(line["rows"] - 1), float(row["sd_of_rows"]), 10 * relative)
    if row["bernstein95_low"] and row["estimator"] in ("IPS", "IPS clipped", "DM"):
        compare(what + ", Bernstein bound", line["bernstein_lower"], float(row["bernstein95_low"]), 1e-6)


def check_log(row, line):
    """A row about the log itself."""
    numbers = {"rows": (line["rows"], 0), "mean_reward_of_log": (line["value"], 1e-12), "mean_weight": (line["mean_weight"], 1e-4),
               "effective_sample_size": (line["ess"], 1e-12), "largest_weight": (line["max_weight"], 1e-12)}
    value, relative = numbers[row["estimator"]]
    compare(row["log"] + " " + row["estimator"], value, float(row["value"]), relative)


with tempfile.TemporaryDirectory() as scratch:
    logs, made, left_out = {}, {}, 0
    for log in ("bts", "random"):
        write_log(log, f"{scratch}/{log}.jsonl")
        logs[log] = f"{scratch}/{log}.dq"
        subprocess.run([build / "dq-export", "--quiet", "--interactions", f"{scratch}/{log}.jsonl", "--output", logs[log]],
                       check=True)
    reference = table("estimates_men.tsv")
    for row in reference:
        if row["estimator"].startswith("SG") or row["estimator"].endswith("by mse"):
            left_out += 1
            continue
        q = "zero" if row["q"] == "-" else row["q"]
        key = row["log"], q
        if key not in made:
            made[key] = estimates(logs[row["log"]], "uniform" if row["log"] == "bts" else "column:bts", q)
        if row["q"] == "-":
            check_log(row, made[key]["mean_reward_of_log", "-"])
            continue
        bound = row["lambda"]
        name = row["estimator"], bound if bound in ("-", "inf") else float(bound)
        if row["estimator"].endswith("tuned by slope"):
            name = row["estimator"], "chosen"
        check_estimate(row, made[key][name], 1e-7 if q == "logistic" else 1e-11)
print(f"{len(reference) - left_out} of {len(reference)} rows, {compared} numbers compared, {len(differences)} differ")
print(*differences, sep="\n")
sys.exit(bool(differences) or left_out != 38)
