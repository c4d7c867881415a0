#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-rank by a model: where it may stand, and that the scores are those of its weights.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    PATH=$BUILD:$PATH
    /usr/bin/python3 - <<'PY'
import json, random
random.seed(2)
vector = lambda n: [round(random.uniform(-1, 1), 3) for _ in range(n)]
with open("users.jsonl", "w") as f:
    for i in range(5): f.write(json.dumps({"id": f"u{i}", "vector": vector(3)}) + "\n")
with open("items.jsonl", "w") as f:
    for i in range(300): f.write(json.dumps({"id": f"j{i}", "vector": vector(5)}) + "\n")
with open("interactions.jsonl", "w") as f:
    for i in range(5):
        for j in range(i, 60, 5):
            f.write(json.dumps({"user": f"u{i}", "item": f"j{j}", "label": random.choice(["APPLY", "CLICK", "IGNORE"])}) + "\n")
PY
    dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o catalogue.dq
    dq-reward --strategy logged catalogue.dq -o labelled.dq
    dq-train --quiet --offline --loss mse --epochs 3 --hidden 16,8 --world-hidden 12 labelled.dq -o model.dq
}

setup() {
    needs python3-numpy
    cd "$BATS_FILE_TMPDIR"
    PATH=$BUILD:$PATH
}

# The forward pass in NumPy on the weights that dq-cat prints: forward NET RANKED.tsv
forward() {
    /usr/bin/python3 - "$@" <<'PY'
import json, subprocess, sys
import numpy as np
net, ranked = sys.argv[1:]
weights = {}
for line in subprocess.run(["dq-cat", "model.dq"], check=True, stdout=subprocess.PIPE).stdout.splitlines():
    column = json.loads(line)
    if "name" in column: weights[column["name"]] = np.array(column["data"], "f8").reshape(column["shape"])
read = lambda name: {r["id"]: np.array(r["vector"], "f4").astype("f8") for r in map(json.loads, open(name))}
users, items = read("users.jsonl"), read("items.jsonl")
layers = [f"{net}.hidden.{l}" for l in range(8) if f"{net}.hidden.{l}.weight" in weights] + [f"{net}.output"]
def score(user, item):
    width = weights[f"{layers[0]}.weight"].shape[1]
    x = np.concatenate([users[user], items[item]])[:width] # of a network with an output for each item the user alone
    for layer in layers:
        x = weights[f"{layer}.weight"] @ x + weights[f"{layer}.bias"]
        if layer != layers[-1]: x = np.maximum(x, 0)
    return x[0] if len(x) == 1 else x[list(items).index(item)]
lines = [l.rstrip("\n").split("\t") for l in open(ranked)]
assert len(lines) == 50
for u in users:
    best = sorted((score(u, i) for i in items), reverse=True)[:10]
    got = [(i, float(s)) for v, _, i, s in lines if v == u]
    for (item, s), e in zip(got, best):
        assert abs(s - e) < 1e-5 and abs(score(u, item) - s) < 1e-5, (u, item, s, e)
PY
}

@test "by Q and by world model: the forward pass of NumPy" {
    cat model.dq catalogue.dq | dq-rank --format tsv --no-header > q.tsv
    forward q q.tsv
    dq-rank --by q --model model.dq --format tsv --no-header catalogue.dq | cmp - q.tsv
    dq-rank --by world --model model.dq --format tsv --no-header catalogue.dq > world.tsv
    forward world.0 world.tsv
    run -1 cmp -s q.tsv world.tsv
}

@test "a network with an output for each item: the forward pass of NumPy, for any users, of the items that it learnt" {
    mkdir outputs
    for agent in dqn dyna-q; do
        dq-train --quiet --offline --agent $agent --head outputs --epochs 3 --hidden 16,8 labelled.dq -o outputs/model.dq
        dq-rank --model outputs/model.dq --format tsv --no-header catalogue.dq > outputs/q.tsv
        cp users.jsonl items.jsonl outputs/
        (cd outputs && forward q q.tsv)
        cat outputs/model.dq catalogue.dq | dq-rank --format tsv --no-header -t 3 | cmp - outputs/q.tsv
        dq-rank --model outputs/model.dq --user u3 --format tsv --no-header catalogue.dq | cmp - <(grep "^u3" outputs/q.tsv)
    done
    head -9 items.jsonl > outputs/few.jsonl
    sed 's/"u/"new/' users.jsonl > outputs/others.jsonl # what counts is their vectors
    dq-export --users outputs/others.jsonl --items outputs/few.jsonl -o outputs/few.dq
    dq-rank --model outputs/model.dq --format tsv --no-header -k 300 catalogue.dq | grep -P '\tj[0-8]\t' | cut -f 1,3,4 > outputs/want
    dq-rank --model outputs/model.dq --format tsv --no-header -k 300 outputs/few.dq | sed 's/^new/u/' | cut -f 1,3,4 | cmp - outputs/want
    refused() { # words, what is ranked
        run -1 --separate-stderr dq-rank --model outputs/model.dq "${@:2}"
        [[ "$stderr" == *"$1"* ]]
    }
    sed 's/"j3"/"x3"/' items.jsonl > outputs/new.jsonl
    dq-export --users users.jsonl --items outputs/new.jsonl -o outputs/new.dq
    refused "item x3 has no output" outputs/new.dq
    refused "--by world: an agent of sessions, or with an output for each item, ranks by its values alone" --by world catalogue.dq
    dq-train --quiet --offline --agent tabular --epochs 1 labelled.dq -o outputs/model.dq
    refused "the model is a table, which knows users by their numbers alone" catalogue.dq
}

@test "catalogues of halves: the bytes of their exact float32" {
    for type in f2 bf16; do
        dq-cat --to stream --vectors $type catalogue.dq > h.dq
        dq-cat --to stream --vectors f4 h.dq > f.dq
        for by in q world; do
            dq-rank --by $by --model model.dq --format tsv f.dq > whole
            dq-rank --by $by --model model.dq --format tsv h.dq | cmp - whole
            dq-rank --by $by --model model.dq --format tsv --threads 3 < h.dq | cmp - whole
        done
    done
}

@test "--first-pass int8: exact scores of a shortlist, recall, the same bytes whatever the threads" {
    dq-rank --model model.dq -k 10 --format tsv catalogue.dq > exact
    # A shortlist of all items is the exact ranking.
    dq-rank --model model.dq -k 10 --first-pass int8 --shortlist 300 --format tsv catalogue.dq | cmp - exact
    for by in q world; do
        dq-rank --by $by --model model.dq -k 300 --format tsv --no-header catalogue.dq | cut -f 1,3,4 | sort > all
        dq-rank --by $by --model model.dq -k 10 --first-pass int8 --shortlist 20 --measure-recall --format tsv --no-header catalogue.dq > short 2> said
        [ "$(cut -f 1,3,4 short | sort | comm -23 - all | wc -l)" -eq 0 ] # every score is one of the exact ones
        grep -qE '^dq-rank: --first-pass int8 --shortlist 20: recall (0\.9[0-9]+|1\.0000) of the exact 10 best; the same list for [0-9]+ of [0-9]+ users$' said
        for t in 1 2 5; do dq-rank --by $by --model model.dq -k 10 --first-pass int8 --shortlist 20 --format tsv --no-header -t $t catalogue.dq | cmp - short; done
    done
    # What it says is what comparing the lists says.
    dq-rank --by q --model model.dq -k 10 --first-pass int8 --shortlist 10 --measure-recall --format tsv catalogue.dq > short 2> said
    dq-rank --by q --model model.dq -k 10 --format tsv catalogue.dq > exact
    python3 - "$(grep -oE 'recall [0-9.]+' said | cut -d' ' -f2)" "$(grep -oE 'for [0-9]+ of' said | cut -d' ' -f2)" <<'PY'
import sys
def lists(path):
    got = {}
    for line in open(path).readlines()[1:]:
        user, rank, item, score = line.rstrip("\n").split("\t")
        got.setdefault(user, set()).add(item)
    return got
found, exact = lists("short"), lists("exact")
shares = [len(found[u] & exact[u]) / len(exact[u]) for u in exact]
assert abs(sum(shares) / len(shares) - float(sys.argv[1])) < 1e-4, (shares, sys.argv)
assert sum(s == 1 for s in shares) == int(sys.argv[2])
PY
    dq-rank --model model.dq -k 10 --first-pass int8 catalogue.dq -o first.dq
    dq-cat --lineage first.dq | grep -q 'first-pass=int8'
    dq-rank --model model.dq -k 10 catalogue.dq -o plain.dq
    run -1 --separate-stderr dq-rank --merge first.dq plain.dq
    # Halves, seen items, some users, items that wait for their users.
    dq-cat --to stream --vectors bf16 catalogue.dq > h.dq
    dq-cat --to stream --kind items catalogue.dq > i.dq
    { dq-cat --to stream --kind users catalogue.dq; dq-cat --to stream --kind interactions catalogue.dq; } > u.dq
    for how in "h.dq" "--exclude-seen catalogue.dq" "-u u1 -u u3 -x h.dq" "--hold -x catalogue.dq" "i.dq u.dq" "--by world -x catalogue.dq"; do
        dq-rank --model model.dq -k 5 --format tsv $how > exact
        dq-rank --model model.dq -k 5 --first-pass int8 --shortlist 100 --format tsv $how | cmp - exact
        dq-rank --model model.dq -k 5 --first-pass int8 --shortlist 5 --measure-recall --format tsv $how > short
        [ "$(wc -l < short)" -eq "$(wc -l < exact)" ] # nobody loses a place by what he has seen
    done
    # -k beyond the catalogue, whose end the shortlist meets, too
    dq-rank --model model.dq -k 400 --format tsv catalogue.dq > exact
    dq-rank --model model.dq -k 400 --first-pass int8 --format tsv catalogue.dq | cmp - exact
    # Shards, each of which has a first pass of its own.
    for s in 0 1; do
        awk -v s=$s 'NR % 2 == s' items.jsonl > shard.jsonl
        dq-export --quiet --users users.jsonl --items shard.jsonl | dq-rank --model model.dq -k 5 --first-pass int8 --shortlist 50 -o shard$s.dq
    done
    dq-rank --model model.dq -k 5 --format tsv catalogue.dq > exact
    dq-rank --merge -k 5 --format tsv shard0.dq shard1.dq | cmp - exact
}

@test "--first-pass int8 of several networks: the mean of all, and what they disagree by" {
    dq-train --quiet --offline --loss mse --epochs 1 --hidden 16,8 --q-models 3 --world-hidden 12 labelled.dq -o several.dq
    dq-rank --quiet --model several.dq -k 5 --disagreement --format tsv catalogue.dq > exact
    dq-rank --quiet --model several.dq -k 5 --disagreement --format tsv --first-pass int8 --shortlist 150 catalogue.dq | cmp - exact
}

@test "--first-pass int8 is refused where it has no meaning" {
    refused() { # words, arguments
        run --separate-stderr dq-rank --format tsv --first-pass int8 "${@:2}"
        [ "$status" -ne 0 ]
        [[ "$stderr" == *"$1"* ]]
        [ "$(wc -l <<< "$stderr")" -eq 1 ]
    }
    refused "--first-pass" --by cosine catalogue.dq
    refused "--mmr" --mmr .5 --model model.dq catalogue.dq
    refused "--shortlist is smaller than -k" -k 10 --shortlist 9 --model model.dq catalogue.dq
    jq -c '.vector = .vector[:3]' items.jsonl > square.jsonl
    dq-export --quiet --users users.jsonl --items square.jsonl -o square.dq
    refused "the cosine is as fast as memory" square.dq
    run -2 --separate-stderr dq-rank --shortlist 9 --model model.dq catalogue.dq
    [[ "$stderr" == *"--first-pass"* ]]
    run -2 --separate-stderr dq-rank --measure-recall --model model.dq catalogue.dq
    dq-train --quiet --offline --agent dqn --head outputs --epochs 1 --hidden 8 labelled.dq -o outputs.dq
    refused "an output for each item" --model outputs.dq catalogue.dq
    dq-train --quiet --offline --agent dyna-q --batch-norm --epochs 1 --hidden 8 labelled.dq -o normed.dq
    refused "8 bits are for a network of dense layers" --model normed.dq catalogue.dq
}

@test "one user alone, any threads, any blocks: the same scores" {
    dq-rank --model model.dq --format tsv --no-header catalogue.dq > q.tsv
    for u in u0 u3; do dq-rank --model model.dq --user $u --format tsv --no-header catalogue.dq | cmp - <(grep "^$u" q.tsv); done
    for t in 1 2 5; do dq-rank --model model.dq -t $t --format tsv --no-header catalogue.dq | cmp - q.tsv; done
    for s in 0 1 2; do
        awk -v s=$s 'NR % 3 == s' items.jsonl > part.jsonl
        dq-export --users users.jsonl --items part.jsonl -o part$s.dq
        dq-rank --model model.dq part$s.dq -o ranked$s.dq
    done
    cat model.dq part2.dq part0.dq part1.dq | dq-rank --format tsv --no-header | cmp - q.tsv
    dq-rank --merge --format tsv --no-header ranked0.dq ranked1.dq ranked2.dq | cmp - q.tsv
    cat ranked0.dq <(dq-rank --by world --model model.dq part1.dq) > mixed.dq
    run -1 --separate-stderr dq-rank --merge mixed.dq
    [[ "$stderr" == *"rankings by world after rankings by q"* ]]
}

@test "in one pipeline after dq-train --pass" {
    dq-train --quiet --offline --loss mse --epochs 3 --hidden 16,8 --world-hidden 12 --pass labelled.dq |
        dq-rank --exclude-seen --format tsv --no-header > passed.tsv
    dq-rank --model model.dq --exclude-seen --format tsv --no-header catalogue.dq | cmp - passed.tsv
    # Nothing that was seen is in it.
    [ -z "$(comm -12 <(cut -f 1,3 passed.tsv | sort) <(jq -r '[.user, .item] | @tsv' interactions.jsonl | sort))" ]
}

@test "--by cosine looks past a model" {
    cut -c 1-1000 items.jsonl | sed 's/, [-0-9.]*, [-0-9.]*\]/]/' > narrow.jsonl
    dq-export --users users.jsonl --items narrow.jsonl -o narrow.dq
    dq-rank --format tsv --no-header narrow.dq > expected.tsv
    cat model.dq narrow.dq | dq-rank --by cosine --format tsv --no-header | cmp - expected.tsv
}

@test "a model in the wrong place, two models, none" {
    run -1 --separate-stderr bash -c 'cat catalogue.dq model.dq | dq-rank'
    [[ "$stderr" == *"no model comes before the items, and by cosine: "*"--compare"* ]]
    run -1 --separate-stderr bash -c 'cat catalogue.dq model.dq | dq-rank --by q'
    [[ "$stderr" == *"cat model.dq catalogue.dq"* ]]
    dq-export --users users.jsonl -o users.dq
    run -1 --separate-stderr bash -c 'cat users.dq model.dq catalogue.dq | dq-rank'
    [[ "$stderr" == *"the model comes after the catalogue"*"cat model.dq catalogue.dq"* ]]
    run -1 --separate-stderr bash -c 'cat model.dq model.dq catalogue.dq | dq-rank'
    [[ "$stderr" == "dq-rank: stdin: record "*"a second model"* ]]
    run -1 --separate-stderr bash -c 'cat model.dq catalogue.dq | dq-rank --model model.dq'
    [[ "$stderr" == *"--model model.dq"* ]]
    run -1 --separate-stderr dq-rank --model catalogue.dq catalogue.dq
    [[ "$stderr" == "dq-rank: catalogue.dq: no model in it" ]]
}

@test "a model of other widths, a model without a world" {
    jq -c '.vector += [1]' items.jsonl > wide.jsonl
    dq-export --users users.jsonl --items wide.jsonl -o wide.dq
    run -1 --separate-stderr dq-rank --model model.dq wide.dq
    [[ "$stderr" == *"users 3 and items 5 wide; the catalogue has users 3 and items 6 wide"* ]]
    dq-train --quiet --offline --no-world --epochs 1 --hidden 4 labelled.dq -o bare.dq
    run -1 --separate-stderr dq-rank --by world --model bare.dq catalogue.dq
    [ "$stderr" = "dq-rank: bare.dq: the model has no world model" ]
    dq-rank --model bare.dq catalogue.dq -o ranked.dq
}

@test "a model cut anywhere is refused" {
    size=$(stat -c %s model.dq)
    for ((n = 0; n < size; n += 97)); do
        head -c $n model.dq > cut.dq
        run -1 dq-rank --model cut.dq --format tsv --no-header catalogue.dq
        [ "${#lines[@]}" = 1 ]
    done
}

@test "a model for each user: all as if each user were ranked alone" {
    online="dq-train --quiet --reward cosine --compare head:head --hidden 6 --world-hidden 6 --episodes 2 --steps 30 --warmup 20 --batch 16"
    jq -c '.vector |= {head: .[:2], tail: .[2:]}' users.jsonl > fu.jsonl
    jq -c '.vector |= {head: .[:2], tail: .[2:]}' items.jsonl > fi.jsonl
    dq-export --users fu.jsonl --items fi.jsonl --interactions interactions.jsonl -o fields.dq
    $online --each-user fields.dq -o agents.dq
    for u in 0 1 2 3 4; do
        dq-cat --kind model --row $u --to stream agents.dq -o agent$u.dq || $online --user u$u fields.dq -o agent$u.dq
        dq-rank --model agent$u.dq --user u$u --format tsv --no-header fields.dq
    done > alone.tsv
    [ "$(cut -f 2- alone.tsv | sort -u | wc -l)" = 50 ] # five rankings that differ
    dq-rank --model agents.dq --format tsv --no-header fields.dq | cmp - alone.tsv
    cat agents.dq fields.dq | dq-rank --format tsv --no-header -t 3 | cmp - alone.tsv
    dq-rank --model agents.dq --user u3 --format tsv --no-header fields.dq | cmp - <(grep ^u3 alone.tsv)
    # Diversity, too: vectors are kept for every user's list.
    for u in 0 1 2 3 4; do dq-rank --model agent$u.dq --user u$u --mmr 0.4 --format tsv --no-header fields.dq; done > mmr.tsv
    dq-rank --model agents.dq --mmr 0.4 --format tsv --no-header fields.dq | cmp - mmr.tsv

    cat agent0.dq agent1.dq agent2.dq > three.dq
    run -1 --separate-stderr dq-rank --model three.dq fields.dq
    [[ "$stderr" == *"user u3 has no model"* ]]
    dq-rank --model three.dq --user u2 --format tsv --no-header fields.dq | cmp - <(grep ^u2 alone.tsv)
    run -1 --separate-stderr bash -c 'cat agents.dq agent0.dq | dq-rank --model - fields.dq'
    [[ "$stderr" == *"second model of user u0"* ]]
    head -2 fu.jsonl > two.jsonl
    dq-export --users two.jsonl --items fi.jsonl -o two.dq
    run -1 --separate-stderr dq-rank --model agents.dq two.dq
    [[ "$stderr" == *"a model of user u2, who is not in the stream"* ]]
    size=$(stat -c %s agents.dq)
    for ((n = size / 2; n < size; n += 211)); do
        head -c $n agents.dq > cut.dq
        run -1 dq-rank --model cut.dq --format tsv --no-header fields.dq
        [ "${#lines[@]}" = 1 ]
    done
}

@test "a catalogue with the model's fields in another order is refused" {
    printf '%s\n' '{"id": "u", "vector": {"a": [1, 0], "b": [0, 1]}}' > u.jsonl
    printf '%s\n' '{"id": "i", "vector": {"c": [1, 0], "d": [0, 1]}}' > i.jsonl
    printf '%s\n' '{"id": "i", "vector": {"d": [0, 1], "c": [1, 0]}}' > other.jsonl
    "$BUILD"/dq-export --users u.jsonl --items i.jsonl -o c.dq
    "$BUILD"/dq-export --users u.jsonl --items other.jsonl -o other.dq
    "$BUILD"/dq-train -q --user u --compare a:c --hidden 4 --world-hidden 4 --episodes 1 --steps 5 --batch 2 --warmup 2 --candidates 1 -o m.dq c.dq
    "$BUILD"/dq-rank --model m.dq --format tsv --no-header c.dq
    run "$BUILD"/dq-rank --model m.dq --format tsv --no-header other.dq
    [ "$status" -eq 1 ]
    [[ $output == *"other fields, or on the same in another order"* ]]
}
