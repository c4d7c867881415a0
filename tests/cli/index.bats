#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-rank --make-index and --index: what an index finds is what scoring everything finds, or recall says how much of it.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup_file() {
    [ -e "$BUILD"/faiss.so ] || return 0
    cd "$BATS_FILE_TMPDIR"
    PATH=$BUILD:$PATH
    /usr/bin/python3 - <<'PY'
import json, random
random.seed(3)
vector = lambda n: [round(random.uniform(-1, 1), 3) for _ in range(n)]
def write(name, rows):
    with open(name, "w") as f: f.writelines(json.dumps(r) + "\n" for r in rows)
write("users.jsonl", ({"id": f"u{i}", "vector": vector(4)} for i in range(40)))
write("items.jsonl", ({"id": f"j{i}", "text": {"title": f"Job {i}"}, "vector": vector(5)} for i in range(3000)))
write("seen.jsonl", ({"user": f"u{i}", "item": f"j{j}", "label": random.choice(["APPLY", "CLICK", "IGNORE"])} for i in range(40) for j in range(i, 3000, 37)))
PY
    dq-export -q --users users.jsonl --items items.jsonl --interactions seen.jsonl -o catalogue.dq
    dq-reward -q --strategy logged catalogue.dq -o labelled.dq
    dq-train -q --offline --loss mse --epochs 3 --hidden 16,8 --world-hidden 12 --models 2 labelled.dq -o model.dq
    dq-rank -q -t 2 --make-index --model model.dq --sample-users 24 --components 16 catalogue.dq -o index.dq
}

setup() {
    [ -e "$BUILD"/faiss.so ] || skip "built without libfaiss-dev"
    cd "$BATS_FILE_TMPDIR"
    PATH=$BUILD:$PATH
}

rank() { dq-rank --model model.dq --format tsv "$@"; }

# recall FILE: the number that was said.
recall() { sed -nE 's/^dq-rank: --index.*: recall ([0-9.]+) of the exact .*/\1/p' "$1"; }

# meta FILE KEY: of the rankings' bundles.
meta() { zstd -qdc "$1" | /usr/bin/python3 -c '
import json, msgpack, sys
for record in msgpack.Unpacker(sys.stdin.buffer, max_bin_len=1 << 30):
    if isinstance(record, dict) and record.get("kind") == "rankings": print(json.dumps(record["meta"][sys.argv[1]]))' "$2" | sort -u; }

@test "an index finds what scoring everything finds, with exact scores, and says its recall" {
    rank -q catalogue.dq > exact
    rank --index index.dq --recall-sample 40 catalogue.dq > found 2> said
    cat said
    grep -qE '^dq-rank: --index, 64 of 93 lists, 200 candidates, which explain (0\.9[0-9]+|1\.0000) of the users. scores: recall (0\.9[0-9]+|1\.0000) of the exact 10 best; the same list for [0-9]+ of 40 users of a sample$' said
    /usr/bin/python3 - "$(recall said)" <<'PY'
import sys
read = lambda name: [tuple(l.rstrip("\n").split("\t")) for l in open(name)][1:]
exact, found = read("exact"), read("found")
pairs = {(u, i): s for u, _, i, s in exact}
assert len(exact) == len(found) == 400
met = [r for r in found if (r[0], r[2]) in pairs]
assert all(pairs[u, i] == s for u, _, i, s in met)
assert f"{len(met) / 400:.4f}" == sys.argv[1], (len(met), sys.argv[1])
assert len(met) >= 380
PY
    rank -q --index index.dq --probes 93 --shortlist 3000 catalogue.dq | cmp - exact
    rank -q --index index.dq --probes 93 --shortlist 3000 -x --with title catalogue.dq > found
    rank -q -x --with title catalogue.dq | cmp - found
}

@test "few candidates and few lists find less, which recall says" {
    rank --index index.dq --shortlist 10 --probes 1 --recall-sample 40 catalogue.dq > found 2> said
    cat said
    [ "$(recall said)" != 1.0000 ]
    awk -v r="$(recall said)" 'BEGIN { exit !(r > 0.05 && r < 0.95) }'
    rank --index index.dq -k 200 --probes 1 --recall-sample 0 catalogue.dq > found 2> said
    cat said
    grep -q 'recall is not measured' said
    grep -qE '^dq-rank: 40 lists are shorter than -k: those looked into hold fewer; give more --probes$' said
}

@test "the same bytes, of an index and of lists, whatever the threads and however items are cut" {
    split -n l/5 -d --additional-suffix=.jsonl items.jsonl part.
    for p in part.0?.jsonl; do dq-export -q --users users.jsonl --items $p; done > pieces.dq
    rank -q --index index.dq catalogue.dq > found
    for t in 1 2 3; do
        dq-rank -q -t $t --make-index --model model.dq --sample-users 24 --components 16 catalogue.dq | dq-cat --kind index > now.$t
        rank -q -t $t --index index.dq catalogue.dq | cmp - found
    done
    dq-cat --kind index index.dq | cmp - now.1
    cmp now.1 now.2
    cmp now.1 now.3
    dq-rank -q --make-index --model model.dq --sample-users 24 --components 16 --hold pieces.dq | dq-cat --kind index | cmp - now.1
    cat model.dq catalogue.dq | dq-rank -q --make-index --sample-users 24 --components 16 | dq-cat --kind index | cmp - now.1
    rank -q --index index.dq --hold pieces.dq | cmp - found
    dq-rank -q --seed 7 --make-index --model model.dq --sample-users 24 --components 16 catalogue.dq | dq-cat --kind index > other
    run ! cmp now.1 other
}

@test "by the world model, and by cosine, too" {
    dq-rank -q --by world --make-index --model model.dq catalogue.dq -o world.dq
    rank -q --by world catalogue.dq > exact
    rank -q --by world --index world.dq --probes 93 --shortlist 600 catalogue.dq | cmp - exact
    rank --by q --index world.dq catalogue.dq 2> said > found
    grep -q '^dq-rank: world.dq was made of scores by world, and these are by q: see the recall$' said
    dq-export -q --users <(head -30 items.jsonl | sed 's/"j/"u/') --items items.jsonl -o cosine.dq
    dq-rank -q --make-index cosine.dq -o cosine.index
    dq-rank -q --format tsv cosine.dq > exact
    dq-rank -q --format tsv --index cosine.index --probes 93 cosine.dq | cmp - exact
    dq-rank --by cosine --index cosine.index --recall-sample 30 cosine.dq 2>&1 > /dev/null | grep -q 'explain 1\.0000 of'
}

@test "a stream of lists says what it lacks, and shards by indices merge" {
    dq-rank --model model.dq --index index.dq --recall-sample 3 catalogue.dq -o lists.dq 2> said
    [ "$(meta lists.dq recall_users)" = 3 ]
    awk -v a="$(meta lists.dq recall)" -v b="$(recall said)" 'BEGIN { exit !(a - b < 1e-4 && b - a < 1e-4) }'
    dq-rank -q --model model.dq --index index.dq --recall-sample 0 catalogue.dq -o lists0.dq
    [ "$(meta lists0.dq recall_users) $(meta lists0.dq recall)" = "0 null" ]
    dq-cat --lineage lists.dq | grep -q 'recall-sample=3'
    for s in 0 1; do
        dq-export -q --users users.jsonl --items <(awk -v s=$s 'NR % 2 == s' items.jsonl) -o shard$s.dq
        dq-rank -q --make-index --model model.dq shard$s.dq | dq-rank -q --model model.dq --index - --probes 93 --shortlist 600 shard$s.dq -o ranked$s.dq
    done
    dq-rank -q --merge --format tsv ranked?.dq > merged
    rank -q catalogue.dq | cmp - merged
    dq-rank -q --merge ranked?.dq -o merged.dq
    [ "$(meta merged.dq recall_users) $(meta merged.dq recall)" = "16 1.0" ] # the least of the shards'
    dq-rank -q --model model.dq shard1.dq -o exact1.dq
    run -1 dq-rank -q --merge ranked0.dq exact1.dq
    [[ "$output" == *"other settings"* ]]
}

@test "an index of another catalogue is refused, and what is none" {
    dq-export -q --users users.jsonl --items <(head -2999 items.jsonl) -o fewer.dq
    dq-export -q --users users.jsonl --items <(awk 'NR == 7 { sub(/\[[^,]*,/, "[0.12345,") } 1' items.jsonl) -o other.dq
    dq-export -q --users users.jsonl --items <(tac items.jsonl) -o order.dq
    run -1 --separate-stderr rank --index index.dq -o none fewer.dq
    [ "$stderr" = "dq-rank: index.dq is an index of 3000 items, and these are 2999: make it of this catalogue" ]
    for c in other order; do
        run -1 --separate-stderr rank --index index.dq -o none $c.dq
        [ "$stderr" = "dq-rank: index.dq is an index of other items than these, or of these in another order: make it of this catalogue" ]
    done
    run -1 --separate-stderr rank --index model.dq -o none catalogue.dq
    [ "$stderr" = "dq-rank: model.dq: record 2: a bundle of kind model, where an index is wanted: dq-rank --make-index writes one" ]
    cat index.dq index.dq > two.dq
    run -1 --separate-stderr rank --index two.dq -o none catalogue.dq
    [[ "$stderr" == *"second index"* ]]
    head -c 9000 index.dq > half.dq
    run -1 --separate-stderr rank --index half.dq -o none catalogue.dq
    [[ "$stderr" == "dq-rank: half.dq: "* ]]
    dq-export -q --users users.jsonl --items <(sed -E 's/"vector": \[[^,]*,/"vector": [/' items.jsonl) -o narrow.dq
    run -1 --separate-stderr dq-rank --by cosine --index index.dq -o none narrow.dq
    [[ "$stderr" == *"an index of items whose vectors are 5 wide; these are 4 wide" ]]
    [ ! -e none ]
}

@test "an index takes each item once, and no scores that are no vectors'" {
    cat catalogue.dq catalogue.dq > twice.dq
    run -1 --separate-stderr dq-rank --make-index --model model.dq -o none twice.dq
    [[ "$stderr" == *"item j0 came before: an index takes each item once"* ]]
    printf '%s\n' u1 u2 > two
    dq-train -q --each-user --reward logged --hidden 4 --world-hidden 4 --episodes 1 --steps 4 --warmup 2 --batch 2 --users-file two catalogue.dq -o agents.dq
    run -1 --separate-stderr dq-rank --make-index --model agents.dq -o none catalogue.dq
    [ "$stderr" = "dq-rank: --make-index: each user has a model of his own" ] || [[ "$stderr" == *"--make-index: each user has a model of his own" ]]
    for wrong in "--mmr 0.5" "--softmax 1" "--first-pass int8" "--by popularity"; do
        run -2 --separate-stderr rank --index index.dq $wrong catalogue.dq
        [[ "$stderr" == *--index* ]]
    done
    run -2 dq-rank --make-index --by popularity catalogue.dq
    run -2 dq-rank --make-index --components 64 --sample-users 8 --model model.dq catalogue.dq
    run -2 dq-rank --make-index --merge catalogue.dq
    run -2 dq-rank --probes 4 --model model.dq catalogue.dq
    [ ! -e none ]
}

@test "a stream in an order that deceives shows" {
    { head -200 items.jsonl | sed -E 's/"vector": .*/"vector": [1, 0, 0, 0, 0]}/' | awk '{ sub(/1, 0/, "1, 0.0" NR); print }'; tail -n +201 items.jsonl; } > sorted.jsonl
    dq-export -q --users users.jsonl --items sorted.jsonl -o sorted.dq
    dq-rank --make-index --model model.dq --sample-items 200 --components 2 sorted.dq -o sorted.index 2> said
    cat said
    grep -qE '^dq-rank: the first 200 items, from which that was learnt, are not like the others, where it is 0\.[0-9]+: mix the order of the items, or give a larger --sample-items$' said
    dq-rank --make-index --model model.dq --sample-items 1500 catalogue.dq -o mixed.index 2> said
    [ "$(wc -l < said)" = 1 ]
    grep -qE '^dq-rank: 3000 items in 46 lists: [0-9]+ components explain (0\.9[0-9]+|1\.0000) of the variance of the scores of 40 users$' said
}

@test "what users have seen: items that are gone are no places, and what comes too late is refused" {
    for n in $(seq 0 2990); do printf '{"user": "u3", "item": "j%s"}\n' $n; done > all.jsonl
    dq-export -q --users users.jsonl --items items.jsonl --interactions all.jsonl -o glutton.dq
    dq-export -q --users users.jsonl --items <(head -2000 items.jsonl) -o few.dq
    { dq-cat --kind users --to stream glutton.dq; dq-cat --kind interactions --to stream glutton.dq; dq-cat --kind items --to stream few.dq; } > gone.dq
    dq-rank -q --make-index --model model.dq few.dq -o few.index
    rank -q -x gone.dq > exact
    run -1 grep -P '^u3\t' exact
    rank -x --index few.index --probes 4096 gone.dq > found 2> said
    cat said
    cmp found exact
    run ! grep 'shorter than -k' said
    { dq-cat --kind users --to stream glutton.dq; dq-cat --kind items --to stream few.dq; dq-cat --kind interactions --to stream glutton.dq; } > late.dq
    run -1 --separate-stderr rank -x --index few.index -o none late.dq
    [[ "$stderr" == *"give the interactions first, or use --hold" ]]
    rank -q -x --index few.index --probes 4096 --hold late.dq | cmp - exact
    [ ! -e none ]
}

@test "a part without users has no lists, and is no fault" {
    for n in $(seq 200); do
        rank -q --no-header -k 1 --shard $n/200 catalogue.dq > part
        [ -s part ] || break
    done
    [ ! -s part ]
    for how in "" --hold; do
        rank $how --no-header --shard $n/200 --index index.dq catalogue.dq > found 2> said
        [ ! -s found ]
        run ! grep -e --index said
    done
}

@test "catalogues of one item, of equal items, and of fewer items than components" {
    for n in 1 2 7; do
        dq-export -q --users users.jsonl --items <(head -$n items.jsonl) -o small.dq
        dq-rank -q --make-index --model model.dq small.dq -o small.index
        rank -q small.dq > exact
        rank -q --index small.index small.dq | cmp - exact
    done
    dq-export -q --users users.jsonl --items <(sed -E 's/"vector": .*/"vector": [1, 0, 0, 0, 0]}/' items.jsonl) -o equal.dq
    dq-rank -q --make-index --model model.dq equal.dq -o equal.index
    rank -q --index equal.index --shortlist 3000 --probes 4096 equal.dq > found
    rank -q equal.dq | cmp - found
}

@test "without faiss beside the program, one line says so" {
    mkdir -p apart && cp "$BUILD"/dq-rank apart/dq-rank
    run -1 --separate-stderr apart/dq-rank --make-index --model model.dq -o none catalogue.dq
    [[ "$stderr" == "dq-rank: "*"an index needs faiss, and dq was built without it"*"libfaiss-dev"* ]]
    mkdir -p lib/dq bin && cp "$BUILD"/dq-rank bin && cp "$BUILD"/faiss.so lib/dq
    bin/dq-rank -q --make-index --model model.dq --sample-users 24 --components 16 catalogue.dq | dq-cat --kind index > installed
    dq-cat --kind index index.dq | cmp - installed
}

@test "too little address space is said, and nothing waits for it" {
    [ -z "$SANITIZER" ] || skip "a sanitizer takes address space of its own"
    for kib in 60000 120000 200000; do
        for how in "--make-index" "--index index.dq"; do
            run -1 --separate-stderr timeout 60 bash -c "ulimit -v $kib; exec dq-rank -q -t 1 --model model.dq $how -o none catalogue.dq"
            [[ "$stderr" == "dq-rank: "*"out of memory"* ]]
        done
    done
    [ ! -e none ]
}
