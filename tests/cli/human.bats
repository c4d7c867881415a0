#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-reward --strategy human: a person at a terminal (tests/fixtures/typist.py presses the keys).

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH TERM=xterm
    unset NO_COLOR
    printf '%s\n' '{"id":"anna","vector":[1,0],"text":{"bio":"A welder from Ulm."}}' '{"id":"ben","vector":[0,1]}' > u.jsonl
    long="Weld and fit. $(printf 'The work is varied and near the river; shifts change by the week. %.0s' 1 2 3)"
    jq -nc --arg long "$long" '{id:"a",vector:[1,0],text:{title:"Welder",description:$long},town:"Ulm"},
        {id:"b",vector:[0,1],text:{title:"Nurse \u001b[31m\u0007 red"}}, {id:"c",vector:[1,1],text:{title:"Cook"}}' > i.jsonl
    dq-export --users u.jsonl --items i.jsonl -o c.dq
}

# type KEYS OPTION...: labels anna's pairs; what it says goes to the terminal, so to the screen.
type_keys() {
    local keys=$1
    shift
    timeout 10 "$BATS_TEST_DIRNAME"/../fixtures/typist.py "$keys" "${columns:-60}" \
        dq-reward --strategy human --answers answers.jsonl --pairs all --user anna -o out.dq "$@" c.dq
}
labels() { dq-cat --kind transitions out.dq | jq -r '"\(.item) \(.label) \(.reward)"' | paste -sd,; }

@test "the keys are labels, and each is kept at once" {
    type_keys Asi
    [ "$(labels)" = "a APPLY 1,b SAVE 0.5,c IGNORE -0.100000001" ]
    [ "$(cat answers.jsonl)" = '{"user":"anna","item":"a","label":"APPLY"}
{"user":"anna","item":"b","label":"SAVE"}
{"user":"anna","item":"c","label":"IGNORE"}' ]
    dq-cat --check out.dq
    dq-cat --kind transitions out.dq | jq -e 'has("llm") | not'
    dq-export --users u.jsonl --items i.jsonl --interactions answers.jsonl | dq-reward --strategy logged |
        dq-cat --kind transitions | jq -r .label | paste -sd, | grep -qx APPLY,SAVE,IGNORE
}

@test "the posting: fields, wrapped to the width, nothing of it reaches the terminal's controls" {
    columns=40 type_keys aaa
    grep -Fqx "$(printf '\033[1mYou are anna\033[0m')" screen
    grep -qx "A welder from Ulm." screen
    [ "$(grep -c 'You are anna' screen)" = 1 ]
    grep -Fqx "$(printf '\033[1m1 of 3: a\033[0m')" screen
    grep -Fqx "$(printf '\033[1mdescription\033[0m')" screen
    grep -qx "Weld and fit. The work is varied and" screen
    grep -qx '"Ulm"' screen
    grep -Fqx 'Nurse ?[31m? red' screen
    [ "$(sed 's/\x1b\[[01]m//g' screen | LC_ALL=C.UTF-8 awk 'length > 40' | wc -l)" = 0 ]
    [ "$(LC_ALL=C tr -d '\n -~' < screen | tr -d '\033' | wc -c)" = 0 ]
    rm answers.jsonl out.dq
    NO_COLOR=1 columns=40 type_keys aaa
    run -1 grep -q "$(printf '\033')" screen
}

@test "stop, and go on where it stopped: 75, no output, nothing asked twice" {
    run -75 type_keys aq
    grep -qx "dq-reward: answers.jsonl: stopped after 1 answers; the same command goes on" screen
    [ ! -e out.dq ]
    run -75 type_keys ^
    [ "$(wc -l < answers.jsonl)" = 1 ]
    type_keys sc
    grep -q "2 of 3: b" screen
    [ "$(labels)" = "a APPLY 1,b SAVE 0.5,c CLICK 0" ]
    dq-reward --strategy human --answers answers.jsonl --pairs all --user anna -o again.dq c.dq < /dev/null
    cmp out.dq again.dq
}

@test "a terminal that hangs up is a stop" {
    run type_keys a-
    [ ! -e out.dq ]
    [ "$(cat answers.jsonl)" = '{"user":"anna","item":"a","label":"APPLY"}' ]
}

@test "undo goes back one pair, also behind an interruption; the file keeps the history" {
    type_keys asuci
    [ "$(labels)" = "a APPLY 1,b CLICK 0,c IGNORE -0.100000001" ]
    grep -qx '{"user":"anna","item":"b","label":null}' answers.jsonl
    rm answers.jsonl out.dq
    run -75 type_keys aq
    type_keys uiss
    [ "$(labels)" = "a IGNORE -0.100000001,b SAVE 0.5,c SAVE 0.5" ]
    rm answers.jsonl out.dq
    type_keys uasi
    grep -q "There is nothing to undo" screen
    [ "$(labels)" = "a APPLY 1,b SAVE 0.5,c IGNORE -0.100000001" ]
}

@test "answers of the file: other labels, a torn last line, lines that are none, two sessions" {
    printf '%s\n' '{"user":"anna","item":"a","label":"SEEN"}' '{"user":"zoe","item":"a","label":"APPLY","note":1}' > answers.jsonl
    printf '{"user":"anna","item":"b","lab' >> answers.jsonl
    type_keys ai
    [ "$(labels)" = "a SEEN null,b APPLY 1,c IGNORE -0.100000001" ]
    [ "$(wc -l < answers.jsonl)" = 4 ]
    jq -e . answers.jsonl > all
    printf 'nonsense\n' >> answers.jsonl
    run -1 dq-reward --strategy human --answers answers.jsonl --pairs all -o x.dq c.dq
    [[ $output == "dq-reward: answers.jsonl: record 5: JSON: "* ]]
    printf '{"user":"anna"}\n' > answers.jsonl
    run -1 dq-reward --strategy human --answers answers.jsonl --pairs all -o x.dq c.dq
    [ "$output" = "dq-reward: answers.jsonl: record 1: no answer: a line has user, item and label" ]
    run -1 dq-reward --strategy human --answers /dev/null --pairs all -o x.dq c.dq
    [ "$output" = "dq-reward: /dev/null: answers are kept in a regular file" ]
    rm answers.jsonl
    cat > inner.sh <<'END'
dq-reward --strategy human --answers answers.jsonl --pairs all -o y.dq c.dq 2> second || echo $? > code
END
    python3 - <<'END'
import fcntl, subprocess, struct, os
f = open("answers.jsonl", "w")
fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
subprocess.run(["sh", "inner.sh"])
END
    [ "$(cat second)" = "dq-reward: answers.jsonl: another session writes its answers here" ]
}

@test "no terminal, no file: errors" {
    run -1 setsid --wait dq-reward --strategy human --answers answers.jsonl --pairs all -o x.dq c.dq
    [[ $output == "dq-reward: no terminal to ask a person in (/dev/tty: "* ]]
    run -2 dq-reward --strategy human --pairs all c.dq
    [ "${output% (try *)}" = "dq-reward: --strategy human keeps its answers: name a file with --answers" ]
    run -2 dq-reward --strategy cosine --answers x --pairs all c.dq
    [ "${output% (try *)}" = "dq-reward: --answers has no meaning with --strategy cosine; it is for --strategy human" ]
    run -1 dq-reward --strategy human --answers none/answers --pairs all -o x.dq c.dq
    [ "$output" = "dq-reward: none/answers: cannot open: No such file or directory" ]
}

@test "interactive simulation: a person answers what dq-train wants to know, stops, and goes on" {
    train=(dq-train -q --user anna --hidden 8 --world-hidden 8 --batch 4 --warmup 8 --episodes 3 --steps 6 --candidates 3
        --reward-cmd "dq-reward --strategy human --labels-only --answers a.jsonl" -c ck -o m.dq c.dq)
    typist() { timeout 10 "$BATS_TEST_DIRNAME"/../fixtures/typist.py "$1" 60 "${train[@]}"; }
    run -75 typist aq
    grep -q "stopped after .* steps and 0 episodes; the same command goes on from ck" screen
    [ ! -e m.dq ]
    typist is
    [ "$(wc -l < a.jsonl)" = 3 ]
    dq-cat m.dq | head -1 | jq -e '.meta.labeller.options.strategy == "human"'
    rm ck
    timeout 10 "${train[@]/m.dq/again.dq}" < /dev/null # every answer is known: no terminal is needed
    cmp m.dq again.dq
}
