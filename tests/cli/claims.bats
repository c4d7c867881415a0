#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What an input claims is believed as far as its bytes go, and what grows faster than they do has a bound, in words.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
}

# users N: rows with vectors of N fields
users() {
    python3 -c '
import json, sys
for r in range(3):
    print(json.dumps({"id": f"u{r}", "vector": {f"f{i}": [1.0 + i] for i in range(int(sys.argv[1]))}}))' "$1"
}

@test "a vector has 1024 named fields, not more, and that is said at once" {
    users 1024 > most.jsonl
    dq-export --users most.jsonl -o most.dq
    [ "$(dq-cat --kind users most.dq | jq -c '.vector | length' | head -1)" = 1024 ]
    users 70000 > many.jsonl
    run --separate-stderr bash -c 'ulimit -t 30 && exec dq-export --users many.jsonl -o many.dq' # no square of the names
    [ "$status" = 1 ]
    [[ $stderr == *"vector has 70000 fields, and at most 1024 are named"* ]]
    [ ! -e many.dq ]
}

@test "texts beyond the columns of a stream are refused before they are gathered" {
    python3 -c '
import json
print(json.dumps({"id": "u", "text": {f"t{i}": "x" for i in range(70000)}}))' > many.jsonl
    run --separate-stderr bash -c 'ulimit -t 30 && exec dq-export --users many.jsonl -o many.dq' # no square of the names
    [ "$status" = 1 ]
    [[ $stderr == *"text has more than 4094 names"* ]]
}
