#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-train --offline --sessions: agents from logged sessions, and dq-rank with them.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../last.bash"

# Ninety users, each of whom walks around a ring of twelve items from some place on; a tenth of the steps is a jump.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    PATH=$BUILD:$PATH
    /usr/bin/python3 - <<'PY'
import json, random
random.seed(5)
with open("items.jsonl", "w") as f:
    for i in range(12):
        f.write(json.dumps({"id": f"i{i:02}", "vector": [float(i == j) for j in range(12)]}) + "\n")
with open("users.jsonl", "w") as u, open("walks.jsonl", "w") as w:
    for n in range(90):
        u.write(json.dumps({"id": f"u{n:02}"}) + "\n")
        at, steps = random.randrange(12), []
        for t in range(8):
            steps.append({"user": f"u{n:02}", "item": f"i{at:02}", "label": "APPLY", "time": f"2024-01-{n % 28 + 1:02}T10:{t:02}"})
            at = (at + 1) % 12 if random.random() < .9 else random.randrange(12)
        random.shuffle(steps)
        for s in steps: w.write(json.dumps(s) + "\n")
PY
    dq-export --users users.jsonl --items items.jsonl --interactions walks.jsonl -o log.dq
    dq-train --quiet "${usual[@]}" --log epochs.jsonl -o model.dq log.dq
}

usual=(--offline --sessions --agent dqn --history 2 --hidden 32 --gamma 0 --conservative 5 --dropout 0 --lr 5e-3 --batch 32 --epochs 12)

setup() {
    cd "$BATS_FILE_TMPDIR"
    PATH=$BUILD:$PATH
}

payload() { zstd -dcq "$1" | sha256sum; }

# For each user of TRAINED's runs: the item ranked first, and the one that walking on from the latest leads to.
followed() {
    jq -rs 'group_by(.user) | map(max_by(.time)) | .[] | "\(.user) \(.item[1:] | tonumber)"' walks.jsonl |
        awk 'NR == FNR { next_[$1] = sprintf("i%02d", ($2 + 1) % 12); next } $2 == "1" || NF { if ($3 == next_[$1]) n++ } END { print n + 0 }' \
            - <(cut -f 1,2,3 "$1" | awk -F'\t' '$2 == 1 { print $1, $2, $3 }')
}

@test "the log has held-out users' hits and NDCG, and learning makes them rise" {
    [ "$(wc -l <epochs.jsonl)" -eq 12 ]
    jq -es '.[-1].validation_ndcg > .[0].validation_ndcg and .[-1].validation_ndcg > 0.7 and all(.validation_hit <= 1)' epochs.jsonl
    jq -es 'map(select(.best)) | length > 0' epochs.jsonl
}

@test "dq-rank puts first what follows, by where each user stands" {
    cat model.dq log.dq | dq-rank -k 12 --format tsv --no-header >run.tsv
    [ "$(cut -f 1 run.tsv | sort | uniq -c | awk '$1 == 12' | wc -l)" -eq 90 ]
    [ "$(followed run.tsv)" -ge 75 ]
    dq-rank --model model.dq -k 12 --format tsv --no-header log.dq | cmp - run.tsv
    dq-rank --model model.dq -k 12 --threads 2 --format tsv --no-header log.dq | cmp - run.tsv
    dq-rank --model model.dq -k 1 --user u07 --format tsv --no-header log.dq | cmp - <(awk -F'\t' '$1 == "u07" && $2 == 1' run.tsv)
    dq-rank --model model.dq -k 12 --user u07 --exclude-seen --format tsv --no-header log.dq >unseen.tsv
    [ "$(wc -l <unseen.tsv)" -eq "$((12 - $(jq -r 'select(.user == "u07").item' walks.jsonl | sort -u | wc -l)))" ]
}

@test "the order of time counts, not that of the stream" {
    sort walks.jsonl >sorted.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions sorted.jsonl | dq-rank --model model.dq -k 12 --format tsv --no-header |
        cmp - <(dq-rank --model model.dq -k 12 --format tsv --no-header log.dq)
}

@test "a time is read however it is written: the same model" {
    weights() { # a program of jq for a time
        dq-export --users users.jsonl --items items.jsonl --interactions <(jq -c "$1" walks.jsonl) |
            last dq-train "${usual[@]}" --epochs 1 --since 2>words | dq-cat --kind model --to safetensors >weights.st
        tail -c 4000 weights.st | sha256sum
    }
    usual_weights=$(weights .)
    [ "$(grep -c "'time'" words)" = 0 ]
    for seconds in '' '*1000' '*1000000' '*1000|tostring'; do
        [ "$(weights ".time |= (. + \":00Z\" | fromdate$seconds)")" = "$usual_weights" ]
        grep -E "the times 'time' are taken as (|milli|micro)seconds since 1970 \(the first is 2024-01-" words
    done
    [ "$(weights '.time |= {"$date": (. + ":00Z")}')" = "$usual_weights" ]
    [ "$(weights '.time |= {"$date": {"$numberLong": (. + ":00Z" | fromdate * 1000 | tostring)}}')" = "$usual_weights" ]
    [ "$(weights 'if .user < "u50" then .time |= (. + ":00Z" | fromdate) else . end')" = "$usual_weights" ]
    grep -F "the times 'time' are of several forms; " words
}

@test "without times the order of the stream is taken, and that is said" {
    dq-export --users users.jsonl --items items.jsonl --interactions <(jq -c '.moment = .time | del(.time)' walks.jsonl) -o elsewhere.dq
    run -0 --separate-stderr last dq-train "${usual[@]}" --epochs 1 -o unordered.dq elsewhere.dq
    [[ "$stderr" == *"the interactions have no attribute 'time': the order of the stream is taken for that of time; they have a 'moment', which reads as one (--time NAME)"* ]]
    run -0 --separate-stderr dq-rank --model unordered.dq -k 1 elsewhere.dq
    [[ "$stderr" == *"the order of the stream is taken for that of time"* ]]
    run -1 --separate-stderr dq-train --quiet "${usual[@]}" --time when -o x.dq elsewhere.dq
    [[ "$stderr" == *"--time when: the interactions have no such attribute; one that reads as a time is moment" ]]
    last dq-train "${usual[@]}" --epochs 1 --time moment -o unordered.dq elsewhere.dq 2>words
    [ "$(grep -c "order of the stream" words)" = 0 ]
}

@test "equal times keep the order of the stream, and many are said" {
    dq-export --users users.jsonl --items items.jsonl --interactions <(jq -c '.time |= .[:10]' walks.jsonl) |
        last dq-train "${usual[@]}" --epochs 1 -o tied.dq 2>words
    grep -E "[0-9]+ % of the interactions have the time of their user's one before: these stay in the order of the stream" words
}

@test "what is no time is refused, with whom and what" {
    refused() { # a time, as JSON
        jq -c "if .user == \"u03\" then .time = $1 else . end" walks.jsonl >odd.jsonl
        dq-export --users users.jsonl --items items.jsonl --interactions odd.jsonl -o odd.dq
        run -1 --separate-stderr dq-train --quiet "${usual[@]}" -o x.dq odd.dq
        [[ "$stderr" == "dq-train: odd.dq: record 3: user u03, item "*": the time 'time' is neither a number since 1970 nor ISO 8601: "* ]]
        [ ! -e x.dq ]
    }
    for time in '""' '"1/16/2024 7:31:04 PM"' '"16.01.2024"' '"2024-02-30"' '[1]' true '{"on":"2024-01-16"}'; do refused "$time"; done
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$BATS_TEST_DIRNAME/../fault /usr/bin/python3 - <<'PY'
import make_streams as m
seen = m.pack_bundle("interactions", 1, [m.ids(["u1"], "user"), m.ids(["i1"], "item"), m.ids(["APPLY"], "label"),
                                         ("attr.time", "json", [1], b"", {"offsets": bytes(8)})])
open("nothing.dq", "wb").write(m.stream(m.USERS, seen, m.ITEMS))
PY
    run -1 --separate-stderr dq-train --quiet "${usual[@]}" -o x.dq nothing.dq
    [[ "$stderr" == *"is neither a number since 1970 nor ISO 8601: "* ]]
}

@test "a temporal split: trained before a day, ranked for who came after" {
    dq-cat --before 2024-01-20 --to stream log.dq | dq-train --quiet "${usual[@]}" -o early.dq
    dq-rank --model early.dq -k 12 --format tsv --no-header log.dq >run.tsv
    [ "$(followed run.tsv)" -ge 70 ]
}

@test "a head on actions ranks items that it was not trained with" {
    last dq-train --quiet "${usual[@]}" --head actions --conservative 0 --negatives 4 --epochs 30 --encoder attention -o actions.dq log.dq
    jq -c 'select(.id < "i06")' items.jsonl >half.jsonl
    grep -v '"item": "i\(0[6-9]\|1\)' walks.jsonl >few.jsonl
    dq-export --users users.jsonl --items half.jsonl --interactions few.jsonl |
        dq-rank --model actions.dq -k 12 --format tsv --no-header >run.tsv
    [ "$(cut -f 3 run.tsv | sort -u | wc -l)" -eq 6 ]
    dq-export --users users.jsonl --items half.jsonl --interactions few.jsonl -o half.dq
    dq-rank --model model.dq -k 12 --format tsv --no-header half.dq >/dev/null # its outputs know them all
    jq -c '.id = "x" + .id' items.jsonl >strange.jsonl
    dq-export --users users.jsonl --items strange.jsonl -o strange.dq
    run -1 --separate-stderr dq-rank --model model.dq strange.dq
    [[ "$stderr" == *"item xi00 has no output"* ]]
    dq-rank --model actions.dq strange.dq >/dev/null
}

@test "a decision transformer learns from sessions, and ranks by the return that is wished for" {
    local dt=(--offline --sessions --agent dt --history 1 --context 4 --blocks 1 --encoder-width 16 --heads 2 --dropout 0 --lr 5e-3 --batch 32 --epochs 8)
    run --separate-stderr dq-train "${dt[@]}" --wish 1 -o dt.dq log.dq
    [[ "$stderr" == *"90 trajectories, with returns of 8 to 8, 8 in the mean; the wish is 1"* ]]
    dq-rank --model dt.dq -k 12 --format tsv --no-header log.dq >run.tsv
    [ "$(followed run.tsv)" -ge 70 ]
    dq-train --quiet "${dt[@]}" --wish 1 --threads 3 -o three.dq log.dq
    [ "$(payload dt.dq)" = "$(payload three.dq)" ]
    dq-train --quiet "${dt[@]}" --wish 5 -o five.dq log.dq # the wish is no weight
    dq-rank --model five.dq --wish 1 -k 12 --format tsv --no-header log.dq | cmp run.tsv
    dq-rank --model five.dq -k 12 --format tsv --no-header log.dq >five.tsv
    run -1 cmp run.tsv five.tsv
    run -1 --separate-stderr dq-rank --model model.dq --wish 1 log.dq
    [[ "$stderr" == *"--wish is for a decision transformer that learnt by returns (dq-train --agent dt)" ]]
    dq-train --quiet "${dt[@]}" --wish none -o clone.dq log.dq
    dq-rank --model clone.dq -k 12 --format tsv --no-header log.dq >run.tsv
    run -1 --separate-stderr dq-rank --model clone.dq --wish 1 log.dq
    [ "$(followed run.tsv)" -ge 70 ]
    last dq-train --quiet "${dt[@]}" --wish 1 --epochs 1 --init dt.dq -o more.dq log.dq
    dq-rank --model more.dq -k 12 --format tsv --no-header log.dq >run.tsv
    [ "$(followed run.tsv)" -ge 70 ]
    run -1 --separate-stderr dq-train --quiet "${usual[@]}" --init dt.dq -o x.dq log.dq
    [[ "$stderr" == *"the model is of a dt agent, not of dqn"* ]]
    run -1 --separate-stderr dq-rank --model dt.dq --by world log.dq
    [ -n "$stderr" ]
}

@test "what means nothing to a decision transformer is refused in one line" {
    refused() {
        run -2 --separate-stderr dq-train --offline --sessions --agent dt "$@" log.dq
        [ "$(wc -l <<<"$stderr")" -eq 1 ]
    }
    local o
    for o in "--gamma 0.5" "--bootstrap same" "--encoder sasrec" "--head actions" "--n-step 2" "--loss mse" "--conservative 1" \
        "--double" "--dueling" "--batch-norm" "--priority 0.5" "--target-every 5" "--tau 0.1" "--candidates 3" "--negatives 1" \
        "--session-end terminal" "--world" "--models 2" "--dropout-layers 1" "--wish more" "--context 0"; do
        # shellcheck disable=SC2086
        refused $o
    done
    run -2 --separate-stderr dq-train --offline --sessions --agent dqn --wish 1 log.dq
    [ "${stderr% (try *)}" = "dq-train: --wish needs --agent dt" ]
    run -2 --separate-stderr dq-train --agent dt --env graph
    [[ "$stderr" == "dq-train: --agent dt has no meaning with an environment (--env); "* ]]
}

@test "a transformer over the history is an encoder of any network" {
    dq-train --quiet "${usual[@]}" --encoder sasrec --blocks 1 --encoder-width 16 --threads 1 -o sasrec.dq log.dq
    dq-train --quiet "${usual[@]}" --encoder sasrec --blocks 1 --encoder-width 16 --threads 3 -o three.dq log.dq
    [ "$(payload sasrec.dq)" = "$(payload three.dq)" ]
    dq-rank --model sasrec.dq -k 12 --format tsv --no-header log.dq >run.tsv
    [ "$(followed run.tsv)" -ge 70 ]
    last dq-train --quiet "${usual[@]}" --epochs 1 --init sasrec.dq -o more.dq log.dq # its shape is the model's
    dq-cat --kind model more.dq >more.json
    grep -q encoder_width more.json
    run -2 --separate-stderr dq-train "${usual[@]}" --heads 2 log.dq
    [ "${stderr% (try *)}" = "dq-train: --heads needs --agent dt or --encoder sasrec" ]
}

@test "whatever the threads, the same bytes; another seed, others" {
    dq-train --quiet "${usual[@]}" --threads 1 -o one.dq log.dq
    dq-train --quiet "${usual[@]}" --threads 3 -o three.dq log.dq
    [ "$(payload one.dq)" = "$(payload three.dq)" ]
    [ "$(payload one.dq)" = "$(payload model.dq)" ]
    dq-train --quiet "${usual[@]}" --seed 7 -o other.dq log.dq
    [ "$(payload one.dq)" != "$(payload other.dq)" ]
}

@test "interrupted at any time and gone on with, it equals the whole run" {
    local i rc=75
    for i in 1 2 3 4 5 6; do
        rc=0
        timeout --preserve-status -s INT 0.0$((i * 2)) dq-train --quiet "${usual[@]}" --log part.jsonl -c part.ck -o part.dq log.dq || rc=$?
        [ $rc -eq 75 ] || [ $rc -eq 130 ] || [ $rc -eq 0 ]
    done
    dq-train --quiet "${usual[@]}" --log part.jsonl -c part.ck -o part.dq log.dq
    [ "$(payload part.dq)" = "$(payload model.dq)" ]
    cmp part.jsonl epochs.jsonl
    run -1 --separate-stderr last dq-train --quiet "${usual[@]}" -c part.ck --lr 1e-3 -o x.dq log.dq
    [[ "$stderr" == *"made with another --lr"* ]]
    dq-export --users users.jsonl --items items.jsonl --interactions <(head -n 100 walks.jsonl) -o other-log.dq
    run -1 --separate-stderr dq-train --quiet "${usual[@]}" -c part.ck -o x.dq other-log.dq
    [[ "$stderr" == *"part.ck"* ]]
}

@test "folds, patience, --init, groups" {
    dq-train "${usual[@]}" --fold 2/3 -o fold.dq log.dq 2>words
    grep -q "(30 of 90 groups)" words
    last dq-train --quiet "${usual[@]}" --epochs 200 --patience 2 --log patient.jsonl -o patient.dq log.dq
    [ "$(wc -l <patient.jsonl)" -lt 200 ]
    last dq-train --quiet "${usual[@]}" --epochs 1 --init model.dq --log init.jsonl -o init.dq log.dq
    jq -es '.[0].validation_ndcg > 0.7' init.jsonl
    run -1 --separate-stderr last dq-train --quiet "${usual[@]}" --hidden 16 --init model.dq -o x.dq log.dq
    [[ "$stderr" == *"model.dq"* ]]
    dq-export --users <(jq -c '.house = .id[1:2]' users.jsonl) --items items.jsonl --interactions walks.jsonl |
        dq-train "${usual[@]}" --validation .3 --validate-by house -o g.dq 2>words
    grep -q "(3 of 9 groups)" words
}

@test "a world model of sessions: dyna-q learns from the log, too" {
    last dq-train --quiet "${usual[@]}" --agent dyna-q --epochs 3 --log dyna.jsonl -o dyna.dq log.dq
    jq -es 'all(.world_loss > 0) and .[-1].world_loss < .[0].world_loss' dyna.jsonl
    dq-rank --model dyna.dq -k 1 --format tsv --no-header log.dq | [ "$(wc -l)" -eq 90 ]
}

@test "a world model knows items by their vectors, whatever the head" {
    # Twelve items, whose vectors are 15 wide; a state is two of them, and how many events and items there were.
    jq -c '.vector += [1, 2, 3]' items.jsonl >wide.jsonl
    dq-export --users users.jsonl --items wide.jsonl --interactions walks.jsonl -o wide.dq
    input() { dq-cat --kind model "$1" | head -1 | jq '.meta."world.0" | .input + .action_width'; }
    last dq-train --quiet "${usual[@]}" --agent dyna-q --epochs 3 --log dyna.jsonl -o outputs.dq wide.dq
    [ "$(input outputs.dq)" -eq $((2 * 15 + 2 + 15)) ]
    jq -es 'all(.world_loss > 0) and .[-1].world_loss < .[0].world_loss' dyna.jsonl
    last dq-train --quiet "${usual[@]}" --agent dyna-q --head actions --conservative 0 --epochs 1 -o actions.dq wide.dq
    [ "$(input actions.dq)" -eq $((2 * 15 + 2 + 15)) ]
    # What memory held before is nothing that a model may depend on.
    MALLOC_PERTURB_=165 last dq-train --quiet "${usual[@]}" --agent dyna-q --epochs 3 -o again.dq wide.dq
    [ "$(payload again.dq)" = "$(payload outputs.dq)" ]
    dq-rank --model outputs.dq -k 1 --format tsv --no-header wide.dq | [ "$(wc -l)" -eq 90 ]
    run -1 --separate-stderr dq-rank --model outputs.dq log.dq
    [[ "$stderr" == *"items 15 wide; the catalogue has users 0 and items 12 wide"* ]]
}

@test "what is wrong with a log is said in one line" {
    refused() { # words, dq-train's input
        run -1 --separate-stderr dq-train --quiet "${usual[@]}" -o x.dq "$2"
        [[ "$stderr" == *"$1"* ]]
        [ ! -e x.dq ]
    }
    dq-export --users users.jsonl --items items.jsonl -o none.dq
    refused "the input has no interactions" none.dq
    jq -c 'del(.vector)' items.jsonl >flat.jsonl
    dq-export --users users.jsonl --items flat.jsonl --interactions walks.jsonl -o flat.dq
    refused "the items have no vectors" flat.dq
    dq-export --users users.jsonl --items items.jsonl --interactions <(jq -c 'if .user < "u50" then del(.time) else . end' walks.jsonl) -o some.dq
    refused "interactions have no attribute 'time': their order is not known" some.dq
    dq-export --users users.jsonl --items items.jsonl --interactions <(jq -c 'if .user < "u50" then .time = 7 else . end' walks.jsonl) -o mixed.dq
    refused "are of several forms, and" mixed.dq
    dq-export --users users.jsonl --items items.jsonl --interactions <(jq -c '.label = "SEEN"' walks.jsonl) -o seen.dq
    refused "no row with a reward to learn from" seen.dq
    run -1 --separate-stderr dq-rank --model model.dq --by world log.dq
    [[ "$stderr" == *"ranks by its values alone"* ]]
    run -1 --separate-stderr dq-rank --model <(cat model.dq model.dq) log.dq
    [[ "$stderr" == *"a second model"* ]]
    jq -c '.vector += [1]' items.jsonl >wide.jsonl
    dq-export --users users.jsonl --items wide.jsonl --interactions walks.jsonl -o wide.dq
    run -1 --separate-stderr dq-rank --model model.dq wide.dq
    [[ "$stderr" == *"items 12 wide"* ]]
}

@test "options of other ways of training are refused" {
    for words in "--planning 3" "--episodes 3" "--user u01" "--epsilon .1" "--world-hidden 8" "--no-world" "--models 2" \
        "--env session" "--preset published" "--preset maze" "--states 9 --user u01" "--importance .5" "--huber-delta 2 --loss mse"; do
        run -2 dq-train --offline --sessions --agent dqn $words log.dq
    done
    run -2 dq-train --sessions log.dq
    run -2 dq-train --offline --history 3 log.dq
    run -2 dq-train --history 3 --user u01 log.dq
}

# A ring on which whoever says "on" goes on, and whoever says "back" goes back; where he says so last decides.
turns() {
    /usr/bin/python3 - <<'PY'
import json, random
random.seed(6)
with open("turns.jsonl", "w") as w, open("truth.tsv", "w") as truth:
    for n in range(90):
        at = random.randrange(12)
        for t in range(8):
            says = random.choice(["on", "back"])
            told = {} if t == 3 else {"says": says}
            w.write(json.dumps({"user": f"u{n:02}", "item": f"i{at:02}", "label": "APPLY", "time": t + 2e9} | told) + "\n")
            at = (at + (1 if says == "on" else -1)) % 12
        truth.write(f"u{n:02}\ti{at:02}\n")
PY
    dq-export --users users.jsonl --items items.jsonl --interactions turns.jsonl -o turns.dq
}

# How many users' first places are the truth.
right() { dq-rank -k 1 --format tsv --no-header "$@" | cut -f 1,3 | sort | comm -12 - truth.tsv | wc -l; }

@test "an attribute of past events in the state tells what comes next, one-hot or crossed with the item" {
    turns
    attribute=(--event-attribute says --map APPLY=1 --epochs 30)
    last dq-train --quiet "${usual[@]}" --map APPLY=1 --epochs 30 -o blind.dq turns.dq
    last dq-train --quiet "${usual[@]}" "${attribute[@]}" -o says.dq turns.dq
    last dq-train --quiet "${usual[@]}" "${attribute[@]}" --no-event-one-hot --event-cross -o cross.dq turns.dq
    [ "$(right --model blind.dq turns.dq)" -le 65 ]
    [ "$(right --model says.dq turns.dq)" -ge 80 ]
    [ "$(right --model cross.dq turns.dq)" -ge 80 ]
    dq-cat --kind model says.dq | head -1 | jq -e '.meta.states | .values == 3 and .one_hot and (.cross | not)'
    dq-cat --kind model cross.dq | head -1 | jq -e '.meta.sessions | .attribute == "says" and (.values | sort) == ["\"back\"", "\"on\""]'
    # Whatever comes first in the stream, the places of the values are the model's.
    dq-export --users users.jsonl --items items.jsonl --interactions <(tac turns.jsonl) -o turned.dq
    dq-rank --model cross.dq -k 3 --format tsv --no-header turned.dq | cmp - <(dq-rank --model cross.dq -k 3 --format tsv --no-header turns.dq)
    # A value that nobody said in training is as any other such one, and none is none.
    for says in '"up"' '"down"' '"on"' null; do
        jq -c 'if .time >= 2000000007 then .says = '"$says"' else . end' turns.jsonl >said.jsonl
        dq-export --users users.jsonl --items items.jsonl --interactions said.jsonl |
            dq-rank --model says.dq -k 12 --format tsv --no-header >"said-${says//\"/}.tsv"
    done
    cmp said-up.tsv said-down.tsv
    run ! cmp -s said-up.tsv said-on.tsv
    run ! cmp -s said-up.tsv said-null.tsv
}

@test "training goes on with the attribute and the values of the model" {
    [ -e says.dq ] || skip "without the test before"
    last dq-train --quiet "${usual[@]}" --map APPLY=1 --epochs 1 --init says.dq -o more.dq <(cat turns.dq)
    meta() { dq-cat --kind model "$1" | head -1 | jq -c '.meta | [.states, .sessions]'; }
    [ "$(meta more.dq)" = "$(meta says.dq)" ]
    dq-cat --lineage more.dq | grep -m 1 dq-train | grep -q "event-attribute=says"
    run -1 --separate-stderr dq-train --quiet "${usual[@]}" --event-attribute label --init says.dq -o x.dq turns.dq
    [[ "$stderr" == *"the model learnt from states that show the attribute 'says', and here it is 'label'"* ]]
    run -1 --separate-stderr dq-train --quiet "${usual[@]}" --event-attribute says --init model.dq -o x.dq turns.dq
    [[ "$stderr" == *"the model learnt from states that show no attribute of events, and here it is 'says'"* ]]
    run -2 --separate-stderr dq-train --quiet "${usual[@]}" --event-attribute says --event-values 1 --init says.dq -o x.dq turns.dq
}

@test "an attribute that no interaction has is refused, and so are its options without it" {
    run -1 --separate-stderr dq-train --quiet "${usual[@]}" --event-attribute mood -o x.dq log.dq
    [[ "$stderr" == *"no interaction has an attribute 'mood', which states show"* ]]
    run -2 --separate-stderr dq-train --quiet "${usual[@]}" --event-cross -o x.dq log.dq
    run -1 --separate-stderr dq-train --quiet "${usual[@]}" --event-attribute label --no-event-one-hot -o x.dq log.dq
    [[ "$stderr" == *"values of an attribute that are not shown"* ]]
    last dq-train --quiet "${usual[@]}" --epochs 1 --event-attribute label -o labels.dq log.dq
    dq-cat --kind model labels.dq | head -1 | jq -e '.meta.sessions.values == ["APPLY"]'
    turns
    last dq-train --quiet "${usual[@]}" --epochs 1 --event-attribute says --event-values 1 -o one.dq turns.dq
    dq-cat --kind model one.dq | head -1 | jq -e '.meta.states.values == 2'
    run -1 --separate-stderr dq-rank --model one.dq -k 1 log.dq
    [[ "$stderr" == *"no interaction has an attribute 'says', which states show"* ]]
}
