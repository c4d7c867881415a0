#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# One layout of session states: agents go from logs to environments and back, and rank wherever they learnt.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../last.bash"

world=users=30,items=40
env=session:generated=1,$world
map=VIEW=0,CLICK=0.2,PURCHASE=1,RATING=1
small=(--hidden 16 --batch 32)

# The environment's users and items as dq-sim writes them, with their past.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    PATH=$BUILD:$PATH
    dq-sim --quiet --users 30 --items 40 -o log.dq
    dq-train --quiet --offline --sessions --agent dqn "${small[@]}" --map $map --epochs 2 -o offline.dq log.dq
    dq-train --quiet --preset session --env $env "${small[@]}" --episodes 40 --warmup 32 -o online.dq
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    PATH=$BUILD:$PATH
}

layout() { dq-cat --kind model "$1" | head -1 | jq -c .meta.states; }

@test "learnt offline, an agent goes on online with the same states, and back; and the other way round" {
    dq-train --quiet --env $env --agent dqn "${small[@]}" --episodes 20 --warmup 32 --init offline.dq -o there.dq
    [ "$(layout there.dq)" = "$(layout offline.dq)" ]
    dq-train --quiet --offline --sessions --agent dqn "${small[@]}" --map $map --epochs 1 --init there.dq -o back.dq log.dq
    [ "$(layout back.dq)" = "$(layout offline.dq)" ]
    dq-train --quiet --offline --sessions --agent dqn "${small[@]}" --map $map --epochs 1 --init online.dq -o off.dq log.dq
    [ "$(layout off.dq)" = "$(layout online.dq)" ]
    [ "$(layout off.dq)" != "$(layout offline.dq)" ] # a mean there, the items here
    dq-train --quiet --env $env --agent dqn "${small[@]}" --episodes 20 --warmup 32 --init off.dq -o on.dq
    [ "$(layout on.dq)" = "$(layout online.dq)" ]
    dq-eval --rollout --env $env --episodes 5 --format json --model there.dq --model back.dq --model off.dq --model on.dq >/dev/null
}

@test "what an agent of an environment played, or its world model dreamt, teaches it more" {
    for agent in "dqn" "dyna-q" "dqn --head actions" "dyna-q --head actions"; do
        dq-train --quiet --env $env "${small[@]}" --agent $agent --episodes 5 --warmup 32 -o player.dq
        dq-sim --quiet $env --play 20 --model player.dq -o played.dq
        dq-train --quiet --offline "${small[@]}" --agent "${agent%% *}" --epochs 1 --init player.dq -o more.dq played.dq
        dq-cat --kind model more.dq | head -1 | jq -e '.meta.env_spec.action_width == 50 and (.meta.items | length) == 40'
        dq-rank --model more.dq -k 1 --format tsv --no-header log.dq | [ "$(wc -l)" -eq 30 ]
        dq-eval --rollout --env $env --episodes 2 --format json --model more.dq | jq -es 'length >= 1'
        [[ "$agent" != dyna-q* ]] || dq-plan --quiet --rollout 2 --model player.dq played.dq |
            dq-train --quiet --offline "${small[@]}" --agent dyna-q --epochs 1 --init player.dq -o dreamt.dq
    done
    dq-cat --check dreamt.dq
}

@test "heads on actions and world models go between logs and environments, too, and take an action for its vector" {
    log_of=(dq-train --quiet --offline --sessions "${small[@]}" --map $map --epochs 1)
    world_of=(dq-train --quiet --env $env "${small[@]}" --warmup 32 --episodes 5)
    for agent in "dyna-q" "dqn --head actions" "dyna-q --head actions"; do
        "${log_of[@]}" --agent $agent -o from-log.dq log.dq
        "${world_of[@]}" --agent $agent -o from-env.dq
        for from in log env; do # what is not given is the model's
            "${log_of[@]}" --agent "${agent%% *}" --init from-$from.dq -o on-log.dq log.dq
            "${world_of[@]}" --agent "${agent%% *}" --init from-$from.dq -o on-env.dq
            dq-rank --model on-log.dq -k 1 --format tsv --no-header log.dq | [ "$(wc -l)" -eq 30 ]
            dq-eval --rollout --env $env --episodes 2 --format json --model on-log.dq --model on-env.dq | jq -es 'length >= 2'
        done
    done
}

@test "every part of a layout goes along" {
    options=(--history 2 --history-mean --recency 0.5 --clock --since)
    last dq-train --quiet --offline --sessions --agent dqn "${small[@]}" --map $map --epochs 1 "${options[@]}" -o all.dq log.dq
    layout all.dq | jq -e '. == {user_width: 50, item_width: 50, history: 2, mean: true, recency: 0.5, values: 0, one_hot: false, cross: false, steps: 10, count: true, clock: true, since: true}'
    dq-train --quiet --env $env --agent dqn "${small[@]}" --warmup 32 --episodes 5 --init all.dq -o on.dq
    dq-train --quiet --env $env,history=2,full=0,recency=0.5,clock=1,since=1 --agent dqn "${small[@]}" --warmup 32 --episodes 5 --init all.dq -o said.dq
    [ "$(layout on.dq)" = "$(layout all.dq)" ]
    cmp <(dq-cat --kind model on.dq | jq -c 'del(.meta.env?)') <(dq-cat --kind model said.dq | jq -c 'del(.meta.env?)')
    dq-sim --quiet $env --play 3 --model all.dq -o played.dq
    [ "$(dq-cat --kind transitions played.dq | head -1 | jq '.state | length')" -eq 107 ]
    dq-train --quiet --offline --agent dqn "${small[@]}" --epochs 1 --init all.dq -o log2.dq played.dq
    [ "$(layout log2.dq)" = "$(layout all.dq)" ]
    dq-rank --model all.dq -k 1 --format tsv --no-header log.dq | [ "$(wc -l)" -eq 30 ]
    # The record says what holds, not what the defaults would have been.
    dq-train --quiet --offline --sessions --agent dqn "${small[@]}" --map $map --epochs 1 --init all.dq -o taken.dq log.dq
    dq-cat --lineage taken.dq | grep -m 1 dq-train | grep -q 'history=2 history-mean=true recency=0.5.*clock=true since=true'
}

@test "a state that does not fit is refused by what differs" {
    refused() { # words, the command
        run -1 --separate-stderr "${@:2}"
        [[ "$stderr" == *"$1"* ]] || { echo "$stderr"; false; }
    }
    on=(dq-train --quiet --agent dqn "${small[@]}" --warmup 32 --episodes 5 -o x.dq --init offline.dq)
    refused "offline.dq: the model learnt from states with mean off, and here it is on" "${on[@]}" --env $env,full=0
    refused "with history 3, and here it is 4" "${on[@]}" --env $env,history=4
    refused "with steps 10, and here it is 12" "${on[@]}" --env $env,steps=12
    refused "with clock off, and here it is on" "${on[@]}" --env $env,clock=1
    refused "item i00 has another vector here" "${on[@]}" --env session:$world
    refused "with mean off, and here it is on" "${on[@]}" --env-cmd "dq-sim $env --serve"
    refused "with mean on, and here it is off" dq-eval --rollout --env $env,full=1 --model online.dq --episodes 2
    off=(dq-train --quiet --offline --sessions --agent dqn "${small[@]}" --map $map --epochs 1 -o x.dq --init online.dq)
    refused "online.dq: the model learnt from states with history 3, and here it is 2" "${off[@]}" --history 2 log.dq
    refused "with mean on, and here it is off" "${off[@]}" --no-history-mean log.dq
    refused "with recency 1, and here it is 0.5" "${off[@]}" --recency .5 log.dq
}

@test "an agent of an environment ranks its items" {
    dq-sim --quiet --users 30 --items 40 --interactions 0 | dq-rank --model online.dq -k 40 --format tsv --no-header >run.tsv
    [ "$(wc -l <run.tsv)" -eq 1200 ]
    dq-sim --quiet --users 30 --items 40 | dq-rank --model online.dq --user u04 -k 3 --format tsv --no-header | [ "$(wc -l)" -eq 3 ]
    # Without events a user stands where a session begins: the value that dq-eval sees there, of the one who is served.
    dq-cat --kind users --to stream log.dq >bare.dq
    dq-cat --kind items --to stream log.dq >>bare.dq
    dq-eval --rollout --env $env,first=7,served=1 --model online.dq --episodes 1 --format json |
        jq -r 'select(.model == "online.dq").value' >expected
    dq-rank --model online.dq --user u07 -k 1 --format tsv --no-header bare.dq | cut -f 4 >got
    paste expected got | awk 'NF == 2 && $1 - $2 < 1e-4 && $2 - $1 < 1e-4 { ok = 1 } END { exit !ok }'
    # The same in a process, whose environment names its items.
    dq-train --quiet --preset session --env-cmd "dq-sim $env --serve" "${small[@]}" --episodes 40 --warmup 32 -o process.dq
    dq-rank --model online.dq -k 40 --format tsv --no-header log.dq >known.tsv
    [ "$(wc -l <known.tsv)" -eq 1200 ]
    dq-rank --model process.dq -k 40 --format tsv --no-header log.dq | cmp - known.tsv
}

@test "films are ranked, too, and so is the small session's world" {
    dq-train --quiet --preset films --env films:users=5 "${small[@]}" --warmup 32 --episodes 8 -o films.dq
    dq-sim --quiet films:users=5 --catalogue -o films-catalogue.dq
    dq-rank --model films.dq -k 10 --format tsv --no-header films-catalogue.dq | [ "$(wc -l)" -eq 50 ]
    # A log of films goes on with that agent: its states are the environment's.
    dq-cat --kind users films-catalogue.dq >people.jsonl
    dq-cat --kind items films-catalogue.dq >films.jsonl
    for i in 3 3 5; do jq -nc "{user: \"u1\", item: \"i$i\", label: \"APPLY\", time: 7}"; done >seen.jsonl
    dq-export --users people.jsonl --items films.jsonl --interactions seen.jsonl -o seen.dq
    dq-rank --model films.dq -k 10 --user u1 --format tsv --no-header seen.dq >seen.tsv
    dq-rank --model films.dq -k 10 --user u1 --format tsv --no-header films-catalogue.dq >unseen.tsv
    run ! cmp -s seen.tsv unseen.tsv # who has seen some stands elsewhere
    last dq-train --quiet --offline --sessions --agent dqn --preset films "${small[@]}" --batch 2 --epochs 1 --validation 0 --init films.dq -o log-films.dq seen.dq
    [ "$(layout log-films.dq)" = "$(layout films.dq)" ]
    last dq-train --quiet --offline --sessions --agent dqn --preset films "${small[@]}" --batch 2 --epochs 1 --validation 0 -o log-alone.dq seen.dq
    [ "$(layout log-alone.dq)" = "$(layout films.dq)" ]
    dq-train --quiet --preset session --env session:users=60,items=20 "${small[@]}" --warmup 32 --episodes 8 -o small.dq
    dq-sim --quiet session:users=60,items=20 --catalogue | dq-rank --model small.dq --user u42 -k 20 --format tsv --no-header | [ "$(wc -l)" -eq 20 ]
}

@test "checkpoints rank as the models that they become" {
    dq-train --quiet --env $env --agent dqn "${small[@]}" --warmup 32 --episodes 5 -c env.ck -o env.dq
    dq-train --quiet --offline --sessions --agent dqn "${small[@]}" --map $map --epochs 1 --validation 0 -c log.ck -o log-model.dq log.dq
    for pair in env.ck:env.dq log.ck:log-model.dq; do
        dq-rank --model "${pair#*:}" -k 3 --format tsv --no-header log.dq >model.tsv
        [ "$(wc -l <model.tsv)" -eq 90 ]
        dq-rank --model "${pair%:*}" -k 3 --format tsv --no-header log.dq | cmp - model.tsv
    done
    rm env.dq log-model.dq # and the same commands go on
    dq-train --quiet --env $env --agent dqn "${small[@]}" --warmup 32 --episodes 5 -c env.ck -o env.dq
    dq-rank --model env.dq -k 3 --format tsv --no-header log.dq | [ "$(wc -l)" -eq 90 ]
}

@test "a log that was played names its users and items: who learnt from it alone ranks, and no other items" {
    dq-sim --quiet $env --play 40 -o played.dq
    cmp <(dq-cat --kind items played.dq) <(dq-sim --quiet $env --catalogue | dq-cat --kind items)
    for agent in tabular "dqn --head outputs" "dqn --head actions" "dyna-q --head actions"; do
        options=("${small[@]}")
        [ "$agent" != tabular ] || options=()
        dq-train --quiet --offline --agent $agent "${options[@]}" --epochs 1 -o learnt.dq played.dq
        dq-cat --kind model learnt.dq | head -1 | jq -e '(.meta.items | length) == 40 and .meta.items[7] == "i07"'
        dq-rank --model learnt.dq -k 2 --format tsv --no-header log.dq > ranked
        [ "$(wc -l < ranked)" -eq 60 ]
        dq-eval --rollout --env $env --episodes 2 --format json --model learnt.dq | jq -es 'length == 1'
        run -1 --separate-stderr dq-rank --model learnt.dq -k 1 <(dq-sim --quiet --users 30 --items 40 --seed 7)
        [[ "$stderr" == *"item i00 has another vector here than the one that the model learnt"* ]]
        run -1 --separate-stderr dq-train --quiet --offline --agent "${agent%% *}" --epochs 1 --init learnt.dq -o x.dq \
            <(dq-sim --quiet session:generated=1,$world,world=7 --play 9)
        [[ "$stderr" == *"learnt.dq: item i00 has another vector here"* ]]
    done
    dq-train --quiet --offline --agent dqn "${small[@]}" --epochs 1 --pass played.dq | dq-rank -k 2 --format tsv --no-header | [ "$(wc -l)" -eq 60 ]
    run -1 --separate-stderr dq-train --quiet --offline --agent dqn "${small[@]}" --epochs 1 -o x.dq \
        <(dq-cat --to stream --kind transitions played.dq | dq-cat --to stream --join - <(dq-sim --quiet films --catalogue))
    [[ "$stderr" == *"the transitions are of 40 items, 50 wide, and the stream has 10 items, 10 wide"* ]]
}

@test "options of sessions mean nothing to transitions, and are refused" {
    dq-sim --quiet $env --play 3 -o played.dq
    for words in --history-mean "--session-steps 3" --no-session-count --clock --since "--session-gap 5" "--session-end terminal" "--event-attribute label"; do
        run -2 --separate-stderr dq-train --quiet --offline --agent dqn "${small[@]}" $words -o x.dq played.dq
        [[ "$stderr" == *"has no meaning with --offline; it is for --offline --sessions"* ]]
    done
    for words in "--history 2" "--history seen" "--history seen --recency .5" "--history seen --time at"; do
        run -2 --separate-stderr dq-train --quiet --offline --agent dqn "${small[@]}" $words -o x.dq played.dq
        [[ "$stderr" == *"--history has no meaning with --offline with states; it is for"* ]]
    done
}

@test "other items under equal ids are refused by name, by whoever would use them" {
    other=session:generated=1,$world,world=7
    actions=(dq-train --quiet --agent dqn --head actions "${small[@]}" --episodes 8 --warmup 32)
    logged=(dq-train --quiet --offline --sessions --agent dqn "${small[@]}" --map $map --epochs 1)
    run -1 --separate-stderr dq-rank --model online.dq -k 1 <(dq-sim --quiet --users 30 --items 40 --seed 7)
    [[ "$stderr" == *"item i00 has another vector here than the one that the model learnt"* ]]
    run -1 --separate-stderr dq-rank --model offline.dq -k 1 <(dq-sim --quiet --users 30 --items 40 --seed 7)
    [[ "$stderr" == *"item i00 has another vector here"* ]]
    run -1 --separate-stderr dq-eval --rollout --env $other --model online.dq --episodes 2
    [[ "$stderr" == *"online.dq: item i00 has another vector here"* ]]
    run -1 --separate-stderr dq-train --quiet --env $other --agent dqn "${small[@]}" --episodes 2 --init online.dq -o x.dq
    [[ "$stderr" == *"online.dq: item i00 has another vector here"* ]]
    run -1 --separate-stderr dq-train --quiet --offline --sessions --agent dqn "${small[@]}" --map $map --epochs 1 --init online.dq -o x.dq <(dq-sim --quiet --users 30 --items 40 --seed 7)
    [[ "$stderr" == *"online.dq: item i00 has another vector here"* ]]
    # A head on actions scores new items, and no others under equal ids.
    "${actions[@]}" --env $env -o actions.dq
    run -1 --separate-stderr dq-eval --rollout --env $other --model actions.dq --episodes 2
    [[ "$stderr" == *"actions.dq: item i00 has another vector here"* ]]
    run -1 --separate-stderr dq-sim $other --play 2 --model actions.dq -o x.dq
    [[ "$stderr" == *"actions.dq: item i00 has another vector here"* ]]
    run -1 --separate-stderr "${actions[@]}" --env $other --init actions.dq -o x.dq
    [[ "$stderr" == *"actions.dq: item i00 has another vector here"* ]]
    run -1 --separate-stderr "${logged[@]}" --init actions.dq -o x.dq <(dq-sim --quiet --users 30 --items 40 --seed 7)
    [[ "$stderr" == *"actions.dq: item i00 has another vector here"* ]]
    # In another order outputs would be other items'.
    dq-cat --kind items log.dq | tac >turned.jsonl
    dq-cat --kind users log.dq >users.jsonl
    dq-cat --kind interactions log.dq >interactions.jsonl
    dq-export --users users.jsonl --items turned.jsonl --interactions interactions.jsonl -o turned.dq
    "${logged[@]}" --init actions.dq -o x.dq turned.dq # of a head on actions they are not
    run -1 --separate-stderr dq-train --quiet --offline --sessions --agent dqn "${small[@]}" --map $map --epochs 1 --init online.dq -o x.dq turned.dq
    [[ "$stderr" == *"the model's action 0 is item i00, and here it is item i39"* ]]
    dq-rank --model online.dq -k 3 --format tsv --no-header log.dq >straight.tsv
    [ "$(wc -l <straight.tsv)" -eq 90 ]
    dq-rank --model online.dq -k 3 --format tsv --no-header turned.dq | cmp - straight.tsv
}

@test "an agent whose states are of no users and items ranks nothing, and says so" {
    dq-train --quiet --env chain --agent dqn --hidden 8 --total-steps 300 --warmup 64 --batch 16 -o chain.dq
    run -1 --separate-stderr dq-rank --model chain.dq log.dq
    [[ "$stderr" == *"chain.dq: the model is of an agent whose states are not of users who meet items"* ]]
}

@test "sessions are cut by a gap, and end as they are said to" {
    train() { dq-train --quiet --offline --sessions --agent dqn "${small[@]}" --map $map --epochs 2 -o "$1" "${@:2}" log.dq; }
    train cut.dq --session-gap 86400
    train ends.dq --session-gap 86400 --session-end terminal
    dq-cat --kind model cut.dq >cut.jsonl
    dq-cat --kind model ends.dq >ends.jsonl
    run ! cmp -s cut.jsonl ends.jsonl
    dq-cat --kind model cut.dq | head -1 | jq -e '.meta.sessions.gap == 86400'
    # dq-rank cuts alike: with the latest event a day and more after those before it, a user stands as if it were alone.
    printf '%s\n' '{"user":"u01","item":"i05","label":"VIEW","time":"2024-05-01T10:00:00Z"}' '{"user":"u01","item":"i06","label":"VIEW","time":"2024-05-03T10:00:00Z"}' >two.jsonl
    tail -1 two.jsonl >one.jsonl
    jq -c 'del(.time)' two.jsonl >timeless.jsonl
    jq -c '.time = "May"' two.jsonl >may.jsonl
    dq-cat --kind users log.dq >users.jsonl
    dq-cat --kind items log.dq >items.jsonl
    for log in one two timeless may; do
        dq-export --users users.jsonl --items items.jsonl --interactions $log.jsonl -o $log.dq
    done
    for model in cut offline; do
        for log in one two; do dq-rank --model $model.dq --user u01 -k 5 --format tsv --no-header $log.dq >$model-$log.tsv; done
    done
    cmp cut-one.tsv cut-two.tsv
    run ! cmp -s offline-one.tsv offline-two.tsv
    for words in --clock --since "--session-gap 60"; do
        run -1 --separate-stderr dq-train --quiet --offline --sessions --agent dqn "${small[@]}" $words -o x.dq timeless.dq
        [[ "$stderr" == *"the interactions have no attribute 'time': when they were is asked for here"* ]]
        run -1 --separate-stderr dq-train --quiet --offline --sessions --agent dqn "${small[@]}" $words -o x.dq may.dq
        [[ "$stderr" == *": the time 'time' is neither a number since 1970 nor ISO 8601: \"May\" ("* ]]
    done
    run -2 dq-train --env $env --agent dqn --session-gap 3
}
