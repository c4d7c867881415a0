#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# `make bench`: every part still runs, in its quick form; the page says what the record says; a fall is seen.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    root=$(realpath "$BATS_TEST_DIRNAME/../..")
    bench=$root/tests/bench
    cd "$BATS_TEST_TMPDIR" || return
    unset "${!BENCH@}" TORCH_PYTHON JAX_PYTHON SERVE_PYTHON IMPLICIT_PYTHON OBP_PYTHON ENVS_PYTHON INPUT_PYTHON TREC_EVAL ROUNDS WRITE QUICK
}

# Parts make their data with NumPy.
needs_numpy() { /usr/bin/python3 -c 'import numpy' 2>&- || skip 'no python3-numpy'; }

# A record of one part of one row, which took so many seconds at best, in the median and at worst.
record() { # FILE MIN MEDIAN MAX [CORES OF OTHERS]
    cat > "$1" <<JSON
{"cpus": {"a CPU, 2 cores": {"parts": {"start": {"date": "2026-01-02", "commit": "abc", "rounds": 5, "threads": 2, "kernels": "",
 "versions": {}, "others": ${5:-0}, "rows": [{"what": "a thing", "unit": "s", "better": "lower", "dq": [$3, $2, $4]}]}}}}}
JSON
}

@test "docs/performance.md and docs/scaling.md are what the script writes from docs/performance.json" {
    run -0 /usr/bin/python3 "$bench/page.py" --check "$root/docs/performance.json" "$root"/docs/{performance,scaling}.md
    [ -z "$output" ]
}

@test "a figure that somebody edits on the page is found, and written back" {
    record record.json 1 2 3
    printf '%s\n' '# Page' '<!-- bench: start -->' '<!-- end -->' 'Prose.' > page.md
    /usr/bin/python3 "$bench/page.py" record.json page.md
    grep -qF '| a thing, s | 2.00 (1.00 to 3.00) |' page.md
    [ "$(tail -1 page.md)" = Prose. ]
    cp page.md before
    sed -i 's/2\.00/1.00/' page.md
    run -1 /usr/bin/python3 "$bench/page.py" --check record.json page.md
    grep -qF '+| a thing, s | 2.00 (1.00 to 3.00) |' <<<"$output"
    /usr/bin/python3 "$bench/page.py" record.json page.md
    cmp page.md before
}

@test "the page says whether others worked beside what was measured" {
    record alone.json 1 2 3 0.04
    record beside.json 1 2 3 1.3
    for name in alone beside; do
        printf '%s\n' '<!-- bench: start -->' '<!-- end -->' > $name.md
        /usr/bin/python3 "$bench/page.py" $name.json $name.md
    done
    grep -qF 'nothing else ran' alone.md
    grep -qF '**beside other work on 1.3 cores**' beside.md
}

@test "a part that has no place on the page is not passed over" {
    record record.json 1 2 3
    echo '# Page' > page.md
    run -1 /usr/bin/python3 "$bench/page.py" record.json page.md
    [[ $output == *'no page has a place for start'* ]]
}

@test "a page without an end of a place, and a record that is not there, are errors, and the page stays" {
    record record.json 1 2 3
    printf '%s\n' '<!-- bench: start -->' 'Prose.' '<!-- bench: pairs -->' '<!-- end -->' > page.md
    cp page.md before
    run -1 /usr/bin/python3 "$bench/page.py" record.json page.md
    [ "$output" = 'no <!-- end --> on the page behind <!-- bench: start -->' ]
    run -2 /usr/bin/python3 "$bench/page.py" nothing.json page.md
    [[ $output == *'no file nothing.json' ]]
    cmp page.md before
}

@test "laws are fitted, and a plan follows from them" {
    cat > fit.py <<'PY'
import math
import sys
sys.path.insert(0, sys.argv[1])
import fit, page, plan

def near(a, b):
    return abs(a - b) <= 1e-9 * max(1, abs(b))

sizes = [100, 200, 400, 800]
fixed, each, off = fit.line([(n, 3 + 0.5 * n) for n in sizes])
assert near(fixed, 3) and near(each, 0.5) and off < 1e-9, (fixed, each, off)
fixed, each, off = fit.line([(n, 0.5 * n - 20) for n in sizes])  # what costs less than nothing at first has no fixed part
assert fixed == 0 and 0.3 < each < 0.5 and 0 < off < 1, (fixed, each, off)
fixed, each, off = fit.line([(n, 9 - 0.001 * n) for n in sizes])
assert each == 0 and 8 < fixed < 9, (fixed, each, off)
bent = [(n, n * n / 1000) for n in sizes]
assert near(fit.slope(bent), 2) and fit.line(bent)[2] > 0.2, "a square is no line, and that is said"

def law(key, seconds=0.001, mib=10.0, bytes=0, **more):
    return {"what": key, "unit": f"µs a pair", "better": "lower", "dq": [1e6 * seconds] * 3, "law": {
        "key": key, "of": "pair", "seconds": {"fixed": 1.0, "each": seconds, "off": 0.01, "slope": 1.0}, "times": [[1, 1], [8, 8]],
        "memory": {"mib": mib, "bytes": bytes, "slope": 0}, **more}}

rows = [law(stage.law, disk=8) for stage in plan.STAGES if stage.law != "rows"] + [law("rows", bytes=64), law("lists.users"), law("cosines.items"), law("items")]
rows += [{"what": "beside", "unit": "", "better": "lower", "dq": [1.25] * 3, "law": {"key": "crowd"}},
         {"what": "memory", "unit": "GiB", "better": "higher", "dq": [8] * 3, "law": {"key": "machine", "cores": 2, "mib": 8192}}]
p = plan.Plan(rows)
ranked = next(s for s in plan.STAGES if s.law == "users")
assert near(p.seconds(ranked, 1e9, 1), 1.25 * (1 + 0.001 * 1e9 / 2)) and near(p.seconds(ranked, 1e9, 10), 1.25 * (1 + 0.001 * 1e9 / 20))
assert near(p.mib(ranked, 10), 20), "two processes, whatever the pairs"
kept = next(s for s in plan.STAGES if s.law == "rows")
assert near(p.mib(kept, 10), 10 + 64e8 / 2**20)
published = next(s for s in plan.STAGES if s.law == "published")
assert near(p.mib(published, 10), 10 + plan.VECTORS + 64e8 / 2**20), "beside its rows the items"
lists = next(s for s in plan.STAGES if s.law == "lists")
assert near(p.seconds(lists, 1e9, 100), p.seconds(lists, 1e9, 1)), "by one machine"
p.laws["items"]["seconds"]["each"] = 0.003  # 0.001 of it for the one user, 0.002 for the item itself, which each part reads
assert near(p.seconds(ranked, 1e9, 100), 1.25 * (1 + 200 + 0.001 * 1e9 / 200)), p.seconds(ranked, 1e9, 100)
p.laws["items"]["seconds"]["each"] = 0.0005  # less than nothing was measured
assert near(p.seconds(ranked, 1e9, 100), 1.25 * (1 + 0.001 * 1e9 / 200))
assert p.first(kept).startswith("memory, at 134 · 10⁶"), p.first(kept)  # (8192 - 10) MiB of 64 bytes
assert p.first(ranked).startswith("a day, at 138 · 10⁶"), p.first(ranked)  # (86400 - 1.25) s of 0.001 * 1.25 / 2
text = plan.table(rows)
assert "**needs 64 GB**" in text and "8 GB" in text and "7.2 days" in text, text
assert "| users, 1 to 8 pairs | 1.00 | 1,000 | 1 % | 1.00 | 10.0 | none | 0.00 |" in page.table(rows), page.table(rows)
assert "| memory, GiB | 8.00 |" in page.table(rows)
PY
    run -0 /usr/bin/python3 fit.py "$bench"
}

@test "a fall is one where the best is worse than the median was" {
    cat > fall.py <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import page, record

def row(what="x", **more):
    return {"what": what, "unit": "s", "better": "lower", "dq": [2.0, 1.9, 2.2], **more}

def fall(new, old):
    rows = [new]
    record.compare(rows, [old])
    return rows[0].get("fell")

assert fall(row(), row()) is None
assert fall(row(dq=[2.08, 2.05, 2.2]), row()) is None, "4 % are none"
assert fall(row(dq=[2.3, 2.1, 2.5]), row()) == 2.0
assert fall(row(dq=[2.3, 1.95, 2.5]), row()) is None, "once it was as fast"
assert fall(row(dq=[1.0, 0.9, 1.1]), row()) is None
assert fall(row(better="higher", dq=[1.0, 0.9, 1.1]), row(better="higher")) == 2.0
assert fall(row(peer="p", ratio=1.5), row(peer="p", ratio=2.0)) == 2.0
assert fall(row(peer="p", ratio=2.1, dq=[4.0, 4.0, 4.0]), row(peer="p", ratio=2.0)) is None, "both slow: another day"
assert fall(row(peer="p", ratio=1.5), row(peer="q", ratio=2.0)) is None
assert fall(row("y", dq=[9.0, 9.0, 9.0]), row("x")) is None
fallen = row(dq=[2.3, 2.1, 2.5])
record.compare([fallen], [row()])
assert "▼ was 2.00" in page.table([fallen]), page.table([fallen])
PY
    run -0 /usr/bin/python3 fall.py "$bench"
}

@test "what was aimed at and not reached is said" {
    cat > aims.py <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import page

def said(**more):
    return page.wanted({"better": "lower", "dq": [2.0, 2.0, 2.0], **more})

assert said(ratio=2.0, wanted={"ratio": 1.5}) == "1.50 ×"
assert said(ratio=1.4, wanted={"ratio": 1.5}) == "1.50 ×: **not reached**"
assert said(share=0.8, wanted={"share": 0.85}) == "85 %: **not reached**"
assert said(wanted={"bound": 3}) == "≤ 3.00"
assert said(wanted={"bound": 1}) == "≤ 1.00: **not reached**"
assert said(better="higher", wanted={"bound": 1}) == "≥ 1.00"
assert said() == ""
assert [page.figure(x) for x in (3e-5, 1e-9, 0)] == ["0.00003", "0", "0"]
assert [page.figure(x) for x in (0.0123456, 0.123, 1.234, 12.34, 123.4, 1234.5, 12345.6, 123456)] == \
    ["0.0123", "0.123", "1.23", "12.3", "123", "1,230", "12,300", "123,000"]
PY
    run -0 /usr/bin/python3 aims.py "$bench"
}

@test "every part runs, in its quick form, and none is new to the page" {
    needs_numpy
    QUICK=1 BUILD=$BUILD run bash "$bench/run"
    [ "$status" = 0 ] || { echo "$output" && false; }
    for part in "$bench"/parts/*.py; do
        name=$(basename "$part" .py)
        grep -qx "$name:" <<<"$output"
        grep -qxFh "<!-- bench: $name -->" "$root"/docs/{performance,scaling}.md
    done
    jq -e '[.cpus[].parts.ceilings.rows[].dq[0] > 0] | length > 5 and all' "$BUILD/bench/quick/record.json"
}

@test "a CPU clock that counts in steps, as some machines have, is no fault" {
    needs_numpy
    # So long a step that every program takes no time.
    export ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0
    LD_PRELOAD=$BUILD/steps.so run -0 "$BUILD/bench/cost" 1 true
    [[ $output == *'"user": 0, "system": 0'* ]]
    LD_PRELOAD=$BUILD/steps.so run /usr/bin/python3 "$bench/bench.py" --build "$BUILD" --quick envs laws products scaling
    [ "$status" = 0 ] || { echo "$output" && false; }
}

@test "figures are written where that was asked for, and the other parts' stay" {
    needs_numpy
    record record.json 1 2 3
    jq '.cpus["another"] = .cpus["a CPU, 2 cores"]' record.json > two.json
    printf '%s\n' '<!-- bench: ceilings -->' '<!-- end -->' '<!-- bench: start -->' '<!-- end -->' '<!-- bench: pairs -->' '<!-- end -->' > page.md
    run -2 /usr/bin/python3 "$bench/bench.py" --build "$BUILD" --quick --write start
    [[ $output == *'quick figures are worth nothing'* ]]
    run -2 /usr/bin/python3 "$bench/bench.py" --build "$BUILD" strat
    [[ $output == *'no part strat; there are: '* ]]
    run -0 /usr/bin/python3 "$bench/bench.py" --build "$BUILD" --quick --write --record two.json --page page.md start
    jq -e '.cpus | length == 3' two.json
    jq -e '.cpus["another"].parts.start.rows[0].what == "a thing"' two.json
    grep -qF 'dq-cat --help' page.md
    grep -qF '| a thing, s |' page.md
    run -0 /usr/bin/python3 "$bench/page.py" --check two.json page.md
}

@test "a part that fails is named, and the others are measured" {
    needs_numpy
    cp -r "$bench" bench
    mkdir -p docs && echo '{}' > docs/performance.json
    rm bench/parts/*.py
    echo 'def measure(bench): bench.run(["false"])' > bench/parts/bad.py
    echo 'def measure(bench): bench.row("a", "s", [1.0])' > bench/parts/good.py
    printf 'from harness import Skip\ndef measure(bench): raise Skip("no wheels")\n' > bench/parts/left.py
    run -1 /usr/bin/python3 bench/bench.py --build "$BUILD" --quick
    [[ $output == *'failed: bad'* && $output == *'false: exit status 1'* && $output == *'left out: no wheels'* ]]
    grep -qF '| a, s | 1.00 |' <<<"$output"
}
