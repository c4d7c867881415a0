#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Several networks of Q in one model (dq-train --q-models): what dq-rank makes of them is what it makes of the single
# models that they are.

bats_require_minimum_version 1.5.0

SMALL="--quiet --offline --hidden 8 --world-hidden 8 --epochs 3 --validate-by household"

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    PATH=$BUILD:$PATH
    sh "$BATS_TEST_DIRNAME"/../fixtures/world.sh 40 50
    dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o catalogue.dq
    dq-reward --strategy logged catalogue.dq -o labelled.dq
    dq-train $SMALL --features auto --seed 5 --q-models 3 --log log.jsonl -o all.dq labelled.dq
    for m in 0 1 2; do dq-train $SMALL --features auto --seed $((5 + m)) -o one$m.dq labelled.dq; done
    for m in 0 1 2; do dq-rank -k 50 --model one$m.dq --format tsv --no-header catalogue.dq > one$m.tsv; done
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    PATH=$BUILD:$PATH
    for f in "$BATS_FILE_TMPDIR"/*.*; do ln -sf "$f" .; done
}

ranked() { dq-rank --quiet --model all.dq --format tsv --no-header "$@" catalogue.dq; }

# means: user, item, mean and standard deviation of the single models' scores, sorted.
means() {
    cat one?.tsv | awk -F '\t' -v OFS='\t' '{ n[$1 OFS $3]++; s[$1 OFS $3] += $4; q[$1 OFS $3] += $4 * $4 }
        END { for (p in n) { m = s[p] / n[p]; v = q[p] / n[p] - m * m; print p, m, (v > 0 ? sqrt(v) : 0) } }' | sort
}

@test "scores are the mean of the single models', disagreement is their standard deviation" {
    ranked -k 50 --disagreement | cut -f 1,3,4,5 | sort > said.tsv
    [ "$(wc -l < said.tsv)" = 2000 ]
    means | paste said.tsv - | awk -F '\t' 'function off(a, b) { return (a > b ? a - b : b - a) > 1e-5 }
        $1 != $5 || $2 != $6 || off($3, $7) || off($4, $8) { print; bad = 1 } $4 > 1e-3 { differ++ } END { exit bad || differ < 100 }'
    ranked -k 50 | cut -f 1-4 | cmp - <(ranked -k 50 --disagreement | cut -f 1-4)
    dq-rank -q --model all.dq --disagreement -k 3 --mmr .5 --format tsv catalogue.dq | awk -F '\t' 'NR == 1 { exit $5 != "disagreement" }'
    dq-rank -q --model all.dq --disagreement -k 3 --mmr .5 --format tsv --no-header catalogue.dq | cut -f 1,3,5 | sort > mmr.tsv
    join -t '	' <(sed 's/	/:/' mmr.tsv) <(cut -f 1,2,4 said.tsv | sed 's/	/:/') | awk -F '\t' '$2 != $3 { exit 1 } END { exit NR != 120 }'
}

@test "the first network is the single model, world model and all; an epoch's line names its network" {
    for f in all one0 one1 one2; do dq-cat --to safetensors -o $f.st $f.dq; done
    cat > weights.py <<'END'
import hashlib, json, struct, sys
data = open(sys.argv[1] + ".st", "rb").read()
n = struct.unpack("<Q", data[:8])[0]
for name, t in sorted(json.loads(data[8 : 8 + n]).items()):
    if name.startswith(sys.argv[2]) and name != "__metadata__":
        print(name[len(sys.argv[2]) :], hashlib.sha256(data[8 + n :][slice(*t["data_offsets"])]).hexdigest())
END
    weights() { python3 weights.py "$@"; }
    for m in 1 2; do cmp <(weights all q.$m.) <(weights one$m q.); done
    cmp <(weights one0 "") <(weights all "" | grep -v '^q\.[12]\.')
    [ "$(weights all q.2. | wc -l)" -gt 3 ]
    [ "$(jq -c .member log.jsonl | uniq | paste -s -d ' ')" = "0 1 2" ]
    dq-cat --kind model all.dq | head -1 | jq -e '.meta.agent.q_models == 3'
}

@test "a drawn list is one network's, and its propensities are the share of networks" {
    for s in 1 2 3 4; do
        ranked -k 4 --explore ensemble --seed $s > drawn.tsv
        cmp drawn.tsv <(ranked -k 4 --explore ensemble --seed $s -t 3)
        cat one0.tsv one1.tsv one2.tsv drawn.tsv | awk -F '\t' '
            $2 == 1 { m++ }
            NF == 4 && $2 <= 4 { file = int((m - 1) / 40); list[$1, file] = list[$1, file] " " $3 }
            NF == 7 { mine[$1] = mine[$1] " " $3; p[$1] = ($2 == 1 ? 1 : p[$1]) * $5 }
            END { for (u in mine) {
                n = 0
                for (f = 0; f < 3; f++) n += list[u, f] == mine[u]
                if (n == 0 || (p[u] - n / 3) ^ 2 > 1e-20) { print u, n, p[u], mine[u]; bad = 1 }
                for (f = 0; f < 3; f++) used[f] += list[u, f] == mine[u] && n == 1 }
                exit bad || !used[0] || !used[1] || !used[2] }'
    done
    ranked -k 4 --explore ensemble --seed 1 > a.tsv
    ranked -k 4 --explore ensemble --seed 2 > b.tsv
    run ! cmp -s a.tsv b.tsv
    dq-rank --model all.dq -k 4 --explore ensemble catalogue.dq 2> said | dq-cat --kind rankings > shown.jsonl
    grep -q '^dq-rank: 3 networks: each list is by one of them' said
    [ "$(wc -l < shown.jsonl)" = 160 ]
    jq -e 'select(.propensity < 0.3)' shown.jsonl | cmp - /dev/null
}

@test "seen items are left out of every network's list; a stream has the column; formats agree" {
    ranked -k 50 --exclude-seen --explore ensemble | cut -f 1,3 | sort > left.tsv
    jq -r '[.user, .item] | @tsv' interactions.jsonl | sort -u | comm -12 - left.tsv | cmp - /dev/null
    dq-rank -q --model all.dq -k 2 --disagreement --format jsonl catalogue.dq | jq -r '[.user, .rank, .item, .disagreement] | @tsv' > j
    dq-rank -q --model all.dq -k 2 --disagreement catalogue.dq | dq-cat --kind rankings | jq -r '[.user, .rank, .item, .disagreement] | @tsv' | cmp - j
    [ "$(wc -l < j)" = 80 ]
}

@test "a policy by several networks is judged as one by their mean" {
    dq-rank -q --softmax .3 -k 2 --model all.dq --format jsonl catalogue.dq > served.jsonl
    jq -r '[.request, .item] | @csv' served.jsonl | sed -n '1p;4p;9p' | { echo request,item; cat; } > clicks.csv
    dq-export --users users.jsonl --items items.jsonl --interactions served.jsonl --columns position=rank --feedback clicks.csv -o log.dq
    dq-eval --quiet --ope log,ips --target model:all.dq --softmax .3 log.dq > own.tsv
    awk '$1 == "log" { log_ = $2 } $1 == "ips" { ips = $2 } END { exit !(log_ > 0 && (ips / log_ - 1) ^ 2 < .01) }' own.tsv
}

@test "world models disagree, too" {
    dq-train ${SMALL% --validate*} --features all --models 2 -o worlds.dq labelled.dq
    dq-rank -q --model worlds.dq --by world --disagreement --explore ensemble --format tsv catalogue.dq | awk -F '\t' 'NR > 1 && $8 > 0 { n++ } END { exit !n }'
}

# refuses STATUS WORDS COMMAND...: one line that says so
refuses() {
    local code=$1 words=$2
    shift 2
    run -"$code" --separate-stderr "$@"
    [[ $stderr == *"$words"* ]]
    [ "${#stderr_lines[@]}" = 1 ]
}

@test "a run that keeps its progress has the lineage of one that does not, whatever options a checkpoint excludes" {
    dq-train $SMALL --features auto --seed 5 --checkpoint c -o kept.dq labelled.dq
    dq-cat --lineage kept.dq | grep -q q-models
    cmp kept.dq one0.dq
}

@test "what takes one network refuses several, and what takes several refuses one" {
    refuses 1 "ensemble of 3 networks of Q" dq-plan --model all.dq --per-user 1 catalogue.dq
    refuses 1 "ensemble of 3 networks of Q" dq-eval --rollout --model all.dq catalogue.dq
    refuses 1 "ensemble of 3 networks of Q" dq-train $SMALL --features auto --init all.dq labelled.dq
    refuses 1 "several networks start from no one model" dq-train $SMALL --q-models 2 one0.dq labelled.dq
    refuses 2 "--q-models" dq-train $SMALL --q-models 2 --init one0.dq labelled.dq
    refuses 2 "--q-models" dq-train $SMALL --q-models 2 --checkpoint c labelled.dq
    refuses 2 "--q-models" dq-train -q --offline --agent tabular --q-models 2 labelled.dq
    refuses 1 "disagree with nothing" dq-rank --model one0.dq --disagreement catalogue.dq
    refuses 1 "disagree with nothing" dq-rank --model one0.dq --explore ensemble catalogue.dq
    refuses 1 "disagree with nothing" dq-rank --disagreement catalogue.dq
    refuses 2 "one at a time" dq-rank --model all.dq --explore ensemble --epsilon .1 catalogue.dq
    refuses 2 "--explore" dq-rank --by popularity --explore ensemble catalogue.dq
    refuses 2 "a column of that name is there" dq-rank --with disagreement --format tsv catalogue.dq
    dq-rank -q --model all.dq --explore ensemble -o drawn.dq catalogue.dq
    refuses 1 "cannot be merged" dq-rank --merge drawn.dq
}
