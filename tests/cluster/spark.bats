#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The lines of docs/cluster.md for Spark, run by a stand-in for Spark that has the four calls which they make: their parts, joined, are
# what one machine makes, and a process that fails is an error.

# shellcheck disable=SC2034 # settings are exported: cluster_begin
bats_require_minimum_version 1.5.0
# shellcheck source=/dev/null
source "$BATS_TEST_DIRNAME/cluster.bash"

setup_file() { cluster_whole; }

setup() {
    set -o pipefail
    /usr/bin/python3 -c 'import xxhash' 2> /dev/null || skip "the package python3-xxhash is not installed"
    cluster_begin
    cat > spark.py << 'END'
import json

class RDD:
    def __init__(self, parts): self.parts = parts
    def map(self, f): return RDD([[f(x) for x in p] for p in self.parts])
    def mapPartitions(self, f): return RDD([list(f(iter(p))) for p in self.parts])
    def mapPartitionsWithIndex(self, f): return RDD([list(f(i, iter(p))) for i, p in enumerate(self.parts)])
    def partitionBy(self, n, f):
        parts = [[] for _ in range(n)]
        for p in self.parts:
            for pair in p: parts[f(pair[0])].append(pair)
        return RDD(parts)
    def collect(self): return [x for p in self.parts for x in p]

class Row(dict):
    def asDict(self): return dict(self)

class Frame:
    def __init__(self, rows): self.rdd = RDD([[Row(r) for r in rows[i::3]] for i in range(3)])

class spark:
    class sparkContext:
        parallelize = staticmethod(lambda xs, n: RDD([[x] for x in xs]))
END
    # both blocks of the page, with folders and options of this test
    sed -n '/^```python$/,/^```$/p' "$BATS_TEST_DIRNAME"/../../docs/cluster.md | sed '/^```/d' > page.py
    [ "$(grep -c '^def ' page.py)" = 2 ]
    words=$(printf ', "%s"' $cluster_options)
    sed -i "s,/shared/catalogue.dq,$PWD/c.dq,; s,/shared/agents,$PWD/agents,; s,/shared/items.jsonl,$PWD/items.jsonl,; s,/shared/model.dq,$PWD/model.dq,; s,N\, CATALOGUE\, AGENTS = 200,N\, CATALOGUE\, AGENTS = 5,; s/\"--each-user\"/&$words/" page.py
    dq-cat --kind items c.dq > items.jsonl
    dq-cat --kind users c.dq > users.jsonl
    dq-train -q --offline --hidden 8 --no-world --epochs 1 -o model.dq < <(dq-reward -q --pairs random:5 c.dq)
}

page() { /usr/bin/python3 -c "
from spark import *
users = Frame([json.loads(line) for line in open('users.jsonl')])
$(cat page.py)
$1"; }

@test "the lines run, and make what one machine makes" {
    page 'json.dump(ranked.collect(), open("ranked.json", "w")); print(parts)' > said
    [ "$(cat said)" = "[1, 2, 3, 4, 5]" ]
    diff -r --exclude=.lock agents whole
    dq-export -q --users users.jsonl --items items.jsonl | dq-rank -q --model model.dq -k 10 --format jsonl | jq -cS . | LC_ALL=C sort > one.jsonl
    [ "$(wc -l < one.jsonl)" -ge 24 ]
    jq -cS '.[]' ranked.json | LC_ALL=C sort | cmp - one.jsonl
    # which part Python takes for a user's is dq's
    /usr/bin/python3 -c 'import json, xxhash; [print(json.loads(l)["id"]) for l in open("users.jsonl") if 1 + xxhash.xxh3_64_intdigest(json.loads(l)["id"]) % 5 == 2]' | LC_ALL=C sort > second
    dq-rank -q --by cosine -k 1 --format tsv --no-header --shard 2/5 c.dq | cut -f 1 | LC_ALL=C sort | cmp - second
}

@test "a process that fails is an error with its words" {
    run page '' # nobody's fault
    [ "$status" = 0 ]
    : > items.jsonl
    run -1 page 'ranked.collect()'
    [[ $output == *"RuntimeError: status 1: dq-"* ]]
    sed -i 's/"--batch"/"--no-such"/' page.py
    run -1 page ''
    [[ $output == *"RuntimeError: part 1/5: status 2: dq-train: "* ]]
}
