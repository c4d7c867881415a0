#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-plan with agents of environments: roll-outs and lists through learned dynamics. (With a catalogue's agents: cli/train.)

bats_require_minimum_version 1.5.0

# A log of trials of the sequence A B C D E (actions 0 to 4), half at random so that every place is reached and everything
# tried there, and an agent with three world models that learnt from it.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    PATH=$BUILD:$PATH
    dq-train --quiet --env sequence --preset sequence-dqn --episodes 150 -o guide.dq
    dq-sim --quiet sequence --play 200 --model guide.dq --epsilon 0.5 -o log.dq
    dq-train --quiet --offline --agent dyna-q --models 3 --hidden 32 --lr 5e-3 --gamma 0.9 --batch 64 --target-every 50 --epochs 20 \
        -o agent.dq log.dq
}

setup() {
    set -o pipefail
    cd "$BATS_FILE_TMPDIR" || return
    PATH=$BUILD:$PATH
    rm -f out.dq
}

# Rows of transitions whose outcome is the sequence's own: right +1 and a place on, wrong -1 and one back.
true_to_life='map((.state | index(max)) as $at | (.next_state | index(max)) as $to |
    (.choice == $at) as $right | select(((.reward - (if $right then 1 else -1 end)) | fabs) < 0.2 and
    $to == ([0, ([4, $at + (if $right then 1 else -1 end)] | min)] | max))) | length'

@test "all actions, one step: what the world model predicts is what happens" {
    dq-plan --quiet --model agent.dq --actions all log.dq -o all.dq
    dq-cat --check all.dq
    dq-cat all.dq | jq -s . > rows
    states=$(dq-cat --count log.dq | cut -f 2)
    jq -e "length == 6 * $states" rows
    jq -e "($true_to_life) == length" rows
    jq -e 'all(.disagreement >= 0 and .step == 0) and (group_by(.episode) | all(map(.choice) == [range(6)]))' rows
    jq -e 'all((.done == 1) == (.choice == 4 and (.state | index(max)) == 4))' rows
}

@test "a roll-out goes on from what it foresaw, with the agent's actions, until the end" {
    dq-plan --quiet --model agent.dq --rollout 7 < log.dq | dq-cat | jq -s . > rows
    jq -e 'all((.state | index(max)) == .choice)' rows
    jq -e 'group_by(.episode) | all(sort_by(.step) |
        (map(.step) == [range(length)]) and .[-1].done == 1 and (.[:-1] | all(.done == 0)) and
        ([.[:-1], .[1:]] | transpose | all(.[0].next_state == .[1].state)))' rows
    jq -e 'map(.step) | max == 4' rows
}

@test "the same bytes whatever the threads and the cut of the input; the seed counts where something is drawn" {
    random=(dq-plan --quiet --model agent.dq --actions random --rollout 2)
    "${random[@]}" log.dq | dq-cat > once
    "${random[@]}" -t 3 log.dq | dq-cat | cmp - once
    cat agent.dq log.dq | dq-plan --quiet --actions random --rollout 2 | dq-cat | cmp - once
    run ! cmp -s <("${random[@]}" --seed 1 log.dq | dq-cat) once
    jq -es 'map(.choice) | unique == [range(6)]' once
    jq -es 'map(select(.choice == 5)) | length / 2 > 100' once
    dq-plan --quiet --model agent.dq --epsilon 0.6 log.dq | dq-cat |
        jq -es '(map(select((.state | index(1)) == .choice)) | length) / length | . > 0.45 and . < 0.55'
}

@test "what was done then comes first, and an agent learns from the simulated rows" {
    dq-plan --quiet --model agent.dq --actions remembered log.dq -o again.dq
    cmp <(dq-cat log.dq | jq .choice) <(dq-cat again.dq | jq .choice)
    dq-plan --quiet --model agent.dq --actions all log.dq |
        dq-train --quiet --offline --agent dqn --hidden 32 --gamma 0.9 --lr 5e-3 --batch 64 --target-every 50 --epochs 5 --init agent.dq -o learnt.dq
    dq-sim --quiet sequence --play 1 --model learnt.dq | dq-cat | jq -es 'map(.choice) == [range(5)]'
}

@test "--max-disagreement drops what the ensemble disagrees on, and counts it" {
    dq-plan --model agent.dq --actions all log.dq 2> said | dq-cat | jq -s 'map(.disagreement) | sort' > spread
    [ "$(sed 's/ (try .*//' said)" = "dq-plan: $(jq length spread) transitions from $(($(jq length spread) / 6)) states" ]
    limit=$(jq '.[length / 2 | floor]' spread)
    dq-plan --model agent.dq --actions all --max-disagreement "$limit" log.dq 2> said > kept.dq
    kept=$(dq-cat --count kept.dq | cut -f 2)
    dq-cat kept.dq | jq -es --argjson limit "$limit" 'all(.disagreement <= $limit)'
    [ "$kept" -gt 0 ]
    grep -q "^dq-plan: $kept transitions from .*, $(($(jq length spread) - kept)) dropped: " said
}

@test "--lists: A B C D E in order from any place on, none twice" {
    dq-plan --quiet --model agent.dq --lists 5 log.dq -o lists.dq
    dq-cat --check lists.dq
    dq-cat lists.dq | jq -s . > rows
    jq -e 'group_by(.user) | all((map(.rank) == [range(1; length + 1)]) and (map(.item) | unique | length) == length)' rows
    jq -e 'map(select(.user == "0/0")) | map(.item) == ["0", "1", "2", "3", "4"]' rows
    jq -e 'map(select(.user == "0/0")) | all(.value > 0.8 and .score == 6 - .rank)' rows
    # Each list begins with what is right at the state's place.
    dq-cat log.dq | jq -r '"\(.episode)/\(.step)\t\(.state | index(1))"' | sort > right
    jq -r '.[] | select(.rank == 1) | "\(.user)\t\(.item)"' rows | sort | cmp - right
    dq-plan --quiet --model agent.dq --lists 5 --beam 1 log.dq | dq-cat |
        jq -es 'map(select(.user == "0/0")) | map(.item) == ["0", "1", "2", "3", "4"]'
    run --separate-stderr dq-plan --model agent.dq --lists 6 -o out.dq log.dq # an end is predicted behind E
    [[ "$stderr" == "dq-plan: "*" lists, "*" of them shorter than 6 (an end, no action left, or no agreement)" ]]
    dq-cat out.dq | jq -es 'map(.rank) | max == 5'
}

@test "lists of an agent of sessions name its items" {
    for i in 0 1 2 3 4 5; do
        jq -nc "{id: \"item-$i\", vector: [range(6) | if . == $i then 1 else 0 end]}"
    done > items.jsonl
    for u in 1 2 3 4 5 6 7 8; do
        printf '{"id":"u%s"}\n' $u >> users.jsonl
        for t in 0 1 2 3 4; do
            printf '{"user":"u%s","item":"item-%s","label":"APPLY","time":"2024-01-0%s"}\n' $u $(((u + t) % 6)) $((t + 1))
        done >> walks.jsonl
    done
    dq-export --quiet --users users.jsonl --items items.jsonl --interactions walks.jsonl |
        dq-train --quiet --offline --sessions --agent dyna-q --history 1 --hidden 16 --batch 8 --epochs 2 -o sessions.dq
    # From where each user stands: the next items, each once.
    dq-export --quiet --users users.jsonl --items items.jsonl --interactions walks.jsonl -o walks.dq
    dq-plan --quiet --model sessions.dq --lists 6 walks.dq | dq-cat >lists.jsonl
    jq -es 'length > 0 and (map(.item) | all(test("^item-[0-5]$"))) and (group_by(.user) | all(unique_by(.item) == sort_by(.item)))' lists.jsonl
    [ "$(jq -r .user lists.jsonl | sort -u | tr '\n' ' ')" = "u1 u2 u3 u4 u5 u6 u7 u8 " ]
    # Roll-outs from there are transitions whose states say how they are laid out.
    dq-plan --quiet --model sessions.dq --rollout 2 walks.dq -o ahead.dq
    [ "$(dq-cat --count ahead.dq)" = "transitions	16" ]
    dq-train --quiet --offline --agent dyna-q --hidden 16 --batch 8 --epochs 1 --init sessions.dq -o more.dq ahead.dq
    run -1 --separate-stderr dq-plan --quiet --model sessions.dq --actions remembered walks.dq
    [[ "$stderr" == *"where a user stands nothing was done yet"* ]]
    dq-sim --quiet sequence:length=8 --play 2 -o played.dq # states of equal width, of which nobody says what they are
    dq-plan --quiet --model sessions.dq --lists 2 played.dq | dq-cat | jq -es 'length > 0'
    dq-sim --quiet films --play 1 -o films.dq
    run -1 --separate-stderr dq-plan --quiet --model sessions.dq --lists 2 films.dq
    [[ "$stderr" == *"the model learnt from states with user_width 0, and here it is 50"* ]]
}

@test "--replay looks ahead from what a checkpoint remembers" {
    dq-train --quiet --env chain --agent dyna-q --hidden 8 --warmup 50 --batch 16 --total-steps 200 --checkpoint c.ck -o c.dq
    dq-plan --quiet --model c.ck --replay --actions remembered -o replayed.dq < /dev/null
    [ "$(dq-cat --count replayed.dq)" = "transitions	200" ]
    run -1 dq-plan --model c.dq --replay -o out.dq
    [ "$output" = "dq-plan: the model remembers nothing: --replay needs a checkpoint" ]
    [ ! -e out.dq ]
}
