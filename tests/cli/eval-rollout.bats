#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-eval --rollout and --cold-start: agents that act on a catalogue.

bats_require_minimum_version 1.5.0

# Eight items around the circle; u0 looks along the first, u1 the other way. Labels by likeness.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    printf '{"id":"u0","vector":[1,0]}\n{"id":"u1","vector":[-1,0]}\n' > users.jsonl
    awk 'BEGIN { pi = atan2(0, -1); for (i = 0; i < 8; i++)
        printf "{\"id\":\"i%d\",\"vector\":[%.6f,%.6f]}\n", i, cos(i * pi / 4), sin(i * pi / 4) }' > items.jsonl
    cat > seen.jsonl <<'JSON'
{"user":"u0","item":"i0","label":"APPLY"}
{"user":"u0","item":"i1","label":"SAVE"}
{"user":"u0","item":"i7","label":"CLICK"}
{"user":"u0","item":"i2","label":"SEEN"}
{"user":"u1","item":"i4","label":"APPLY"}
JSON
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl --interactions seen.jsonl -o labelled.dq
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl -o plain.dq
    "$BUILD"/dq-train --quiet --user u0 --reward cosine --hidden 16 --world-hidden 8 --dropout 0 --episodes 20 --steps 50 \
        --warmup 64 --candidates 8 --seed 3 -o model.dq plain.dq
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return
    set -o pipefail
}

value() { awk -F '\t' -v m="$1" -v k="$2" '$1 == m && $2 == k && $3 == "all" { print $4 }' "$3"; }

@test "labels: rewards, the share of each label, the improvement on the first" {
    "$BUILD"/dq-eval --rollout --model random --model cosine --user u0 --candidates 8 --episodes 20 -f tsv \
        labelled.dq > "$BATS_TEST_TMPDIR"/got
    cd "$BATS_TEST_TMPDIR"
    [ "$(value cosine mean got)" = 1 ] # always i0, APPLY
    [ "$(value cosine sd got)" = 0 ]
    [ "$(value cosine share_APPLY got)" = 1 ]
    [ "$(value cosine share_IGNORE got)" = 0 ]
    # at random: an eighth APPLY, SAVE, CLICK and SEEN each, four of eight IGNORE
    awk -v a="$(value random share_APPLY got)" -v o="$(value random share_other got)" \
        -v i="$(value random share_IGNORE got)" -v m="$(value random mean got)" \
        'BEGIN { exit !(a > .09 && a < .16 && o > .09 && o < .16 && i > .44 && i < .56 &&
                        m > .05 && m < .2) }'
    awk -v d="$(value cosine difference got)" -v m="$(value random mean got)" \
        -v p="$(value cosine improvement_percent got)" \
        'BEGIN { exit !(d + m > 1 - 1e-9 && d + m < 1 + 1e-9 && (p - 100 * d / m) ^ 2 < 1e-9) }'
}

@test "tsv: the name of a model is one cell, whatever is in it" {
    cp model.dq "$BATS_TEST_TMPDIR"/$'a\tb.dq'
    cd "$BATS_TEST_TMPDIR"
    "$BUILD"/dq-eval --rollout --model $'a\tb.dq' --user u0 --candidates 8 --episodes 1 -f tsv "$BATS_FILE_TMPDIR"/plain.dq > got
    awk -F '\t' 'NF != 4 { exit 1 }' got
    [ -n "$(value 'a\\tb.dq' mean got)" ] # awk reads \\t as the two letters
}

@test "users in turn: each gets its own rewards" {
    "$BUILD"/dq-eval --rollout --model cosine --candidates 8 --episodes 4 --steps 3 -f json -q labelled.dq > "$BATS_TEST_TMPDIR"/got
    jq -e '.by_episode == [1, 1, 1, 1] and .labels.APPLY == 1' "$BATS_TEST_TMPDIR"/got
}

@test "cosine rewards, and a trained model that beats chance" {
    run -0 "$BUILD"/dq-eval --rollout --model random --model model.dq --model cosine --user u0 --candidates 8 \
        --episodes 10 -f json plain.dq
    echo "$output" > "$BATS_TEST_TMPDIR"/got
    jq -se '.[2].mean == 1 and .[1].mean > 0.9 and .[0].mean < 0.65 and .[1].difference_interval[0] > 0.2' "$BATS_TEST_TMPDIR"/got
    jq -se 'all(has("labels") | not)' "$BATS_TEST_TMPDIR"/got
    run -0 "$BUILD"/dq-eval --rollout --model cosine --user u0 --candidates 8 --raw-cosine --episodes 2 --steps 8 --distinct -f json plain.dq
    echo "$output" > "$BATS_TEST_TMPDIR"/got
    jq -e '.mean | fabs < 1e-6' "$BATS_TEST_TMPDIR"/got # each of the circle once
}

@test "cold start: ten steps of ten episodes, by step; --distinct goes down the ranking" {
    "$BUILD"/dq-eval --cold-start --model cosine --user u0 --candidates 8 --steps 4 --distinct -f json labelled.dq > "$BATS_TEST_TMPDIR"/got
    jq -e '.episodes == 10 and .by_step[0] == 1 and (.by_step[1:3] | add | . == 0.5)' "$BATS_TEST_TMPDIR"/got
    "$BUILD"/dq-eval --cold-start --model random --user u0 -f json labelled.dq > "$BATS_TEST_TMPDIR"/got
    jq -e '.episodes == 10 and .steps == 10 and (.by_step | length) == 10' "$BATS_TEST_TMPDIR"/got
    run -0 "$BUILD"/dq-eval --cold-start --model random --model cosine --user u0 labelled.dq
    [[ ${lines[0]} == "model"*"APPLY"*"IGNORE"*"improvement" ]]
    [[ ${lines[3]} == "step"*"random"*"cosine" ]]
    [ "${#lines[@]}" = 14 ]
}

@test "epsilon: all exploring is the random policy's distribution, and equal seeds equal bytes" {
    "$BUILD"/dq-eval --rollout --model cosine --epsilon 1 --user u0 --candidates 8 -f json labelled.dq > "$BATS_TEST_TMPDIR"/one
    jq -e '.labels.APPLY > 0.1 and .labels.APPLY < 0.15' "$BATS_TEST_TMPDIR"/one
    "$BUILD"/dq-eval --rollout --model cosine --epsilon 1 --user u0 --candidates 8 -f json -t 2 < labelled.dq | cmp - "$BATS_TEST_TMPDIR"/one
    "$BUILD"/dq-eval --rollout --model cosine --epsilon 1 --user u0 --candidates 8 -f json --seed 1 < labelled.dq > "$BATS_TEST_TMPDIR"/two
    run -1 cmp "$BATS_TEST_TMPDIR"/one "$BATS_TEST_TMPDIR"/two
}

@test "rewards that a stream's transitions hold go before" {
    "$BUILD"/dq-reward --strategy logged --map APPLY=7,SAVE=1,CLICK=0,IGNORE=0 --quiet labelled.dq > "$BATS_TEST_TMPDIR"/rewarded.dq
    "$BUILD"/dq-eval --rollout --model cosine --user u0 --candidates 8 -f json "$BATS_TEST_TMPDIR"/rewarded.dq > "$BATS_TEST_TMPDIR"/got
    jq -e '.mean == 7 and .labels.APPLY == 1' "$BATS_TEST_TMPDIR"/got # and it is their labels that count
    # without the interactions, too
    "$BUILD"/dq-cat --kind users --kind items --kind transitions --to stream "$BATS_TEST_TMPDIR"/rewarded.dq > "$BATS_TEST_TMPDIR"/alone.dq
    "$BUILD"/dq-eval --rollout --model cosine --user u0 --candidates 8 -f json "$BATS_TEST_TMPDIR"/alone.dq > "$BATS_TEST_TMPDIR"/got
    jq -e '.mean == 7 and .labels.APPLY == 1 and .labels.IGNORE == 0' "$BATS_TEST_TMPDIR"/got
}

@test "a labeller is asked for the pairs that were never labelled, each of them once" {
    cat > "$BATS_TEST_TMPDIR"/ask.sh <<'END'
tee questions.$$ | dq-reward --strategy cosine --quiet
END
    cp labelled.dq "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    PATH=$BUILD:$PATH
    dq-eval --rollout --model random --model cosine --reward-cmd "sh ask.sh" --candidates 8 --episodes 30 -f json -q labelled.dq > got
    for q in questions.*; do dq-cat --kind transitions "$q" | jq -r .item | sort > "$q.items"; done
    [ "$(ls questions.*.items | wc -l)" = 2 ] # users; each has one labeller
    for q in questions.*.items; do [ -z "$(uniq -d < "$q")" ]; done
    # u0's labels with a reward are i0, i1, i7; u1's is i4: nobody asks for those
    cat questions.*.items | sort | uniq -c | awk '{ print $2, $1 }' > asked
    [ "$(paste -sd, asked)" = "i0 1,i1 1,i2 2,i3 2,i4 1,i5 2,i6 2,i7 1" ]
    # cosine goes for i0 and i4, whose labels are worth 1; at random, cosines count where there is no label
    jq -es '.[1].mean == 1 and .[1].labels.APPLY == 1 and .[0].labels.IGNORE == 0 and .[0].labels.other > 0.6' got
    # the mean over both users: (1 + .5 + 0 + cosines of five) / 8 and (1 + cosines of seven) / 8
    jq -es '.[0].mean | . > 0.4 and . < 0.6' got
    run -1 dq-eval --rollout --model random --reward-cmd "exit 3" --candidates 8 labelled.dq
    [[ "$output" == *"exited with status 3"* ]]
    run -2 dq-eval --rollout --model random --reward-cmd x --reward logged labelled.dq
}

@test "agents of every kind act in a catalogue; epsilon and distinct hold in an environment, too" {
    cd "$BATS_TEST_TMPDIR"
    PATH=$BUILD:$PATH
    for agent in tabular dqn dyna-q; do
        small=(--replay 1000 --batch 8 --warmup 8) # of a network
        [ "$agent" != tabular ] || small=()
        dq-train -q --agent "$agent" "${small[@]}" --user u0 --reward cosine --episodes 40 --steps 25 --candidates 8 \
            -o "$agent.dq" "$BATS_FILE_TMPDIR"/plain.dq
    done
    dq-eval --rollout --model random --model tabular.dq --model dqn.dq --model dyna-q.dq --user u0 --candidates 8 --episodes 5 \
        -f json "$BATS_FILE_TMPDIR"/plain.dq > got
    jq -es 'length == 4 and all(.[1:][]; .mean > 0.7 and .value != null and .discounted > 4)' got
    dq-eval --rollout --env films:steps=10 --model random --distinct --episodes 3 -f json | jq -e '.steps == 10'
    run -1 dq-eval --rollout --env films:steps=11 --model random --distinct --episodes 3
    [ "$output" = "dq-eval: 10 actions on offer, and an episode of more distinct ones" ]
    for env in cartpole session; do
        run -1 dq-eval --rollout --env $env --model cosine
        [ "$output" = "dq-eval: --model cosine is for a catalogue, whose fields it compares; in an environment a model, random or untrained acts" ]
    done
    run -1 dq-eval --rollout --env cartpole --model untrained
    [ "$output" = "dq-eval: untrained: there is no model whose shape it could have" ]
}

@test "an untrained agent has the shape of the models beside it" {
    run -0 "$BUILD"/dq-eval --rollout --model untrained --model model.dq --user u0 --candidates 8 --episodes 5 -f json plain.dq
    echo "$output" > "$BATS_TEST_TMPDIR"/got
    jq -se '.[0].model == "untrained" and .[1].mean >= .[0].mean' "$BATS_TEST_TMPDIR"/got
}

@test "an episode without an end is cut off, and it is said" {
    export PATH=$BUILD:$PATH
    dq-train -q --env maze:steps=20 --agent dqn --hidden 4 --warmup 10 --batch 4 --total-steps 20 -o m.dq
    run -0 --separate-stderr dq-eval --rollout --env maze --model m.dq --episodes 3 --max-steps 25
    [[ "$stderr" == *"dq-eval: m.dq: 3 of 3 episodes were cut off after 25 steps (--max-steps)"* ]]
    [[ "${lines[0]}" == *" steps  cut off"* ]]
    [[ "${lines[1]}" == *"     25.0        3"* ]]
    dq-eval --quiet --rollout --env maze --model m.dq --episodes 3 --max-steps 25 -f json | jq -e '.cut == 3 and .steps == 25'
    dq-eval --quiet --rollout --env maze --model m.dq --episodes 3 --max-steps 25 -f tsv | grep -q "^m.dq	cut	all	3$"
    dq-eval --quiet --rollout --env chain --model random --episodes 3 -f json | jq -e '.cut == 0 and .steps == 100'
    dq-train -q --env maze --agent dqn --hidden 4 --warmup 10 --batch 4 --episodes 1 --total-steps 300 --evaluate 1 --keep best \
        --evaluate-episodes 2 --max-steps 30 -l log -o m.dq
    jq -se 'map(select(.evaluation)) | length > 0 and all(.evaluation_cut == 2 and .evaluation_steps == 30)' log
    run -0 --separate-stderr dq-sim --play 2 --model m.dq --max-steps 9 maze -o log.dq
    [[ "$stderr" == *"dq-sim: 2 of 2 episodes were cut off after 9 steps (--max-steps)"* ]]
    dq-cat log.dq | jq -se 'map(select(.kind == "transitions") | .truncated) | add == 2 and length == 18'
}
