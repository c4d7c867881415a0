#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A night of many agents: a folder of models, interruptions, failures, lists of users.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../last.bash"

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 12 30
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    each --models-dir whole --log whole.log -o whole.dq c.dq
}

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    ln -s "$BATS_FILE_TMPDIR"/{c.dq,whole,whole.dq,whole.log} .
}

# each OPTION...: an agent for each user, tiny ones
tiny=(--quiet --reward cosine --hidden 4 --world-hidden 4 --batch 4 --warmup 5 --replay 50 --episodes 2 --steps 10)
each() { last "$BUILD"/dq-train "${tiny[@]}" -t 2 --each-user "$@"; }
said() { { each --no-quiet "$@" > /dev/null; } 2>&1; }
digest() { "$BUILD"/dq-cat --lineage "$1" | sed -n 's/^section //p'; }
models() { find "$1/" -maxdepth 1 -name '*.dq' | wc -l; }
files() { find "$1" -type f -not -path '*/.half/*' -exec stat -c '%n %i' {} + | sort; } # whose names stay in one file

@test "a folder of models: a file an agent, as --user makes it; a stream leaves to --output alone" {
    [ "$(models whole)" = 12 ]
    run -0 --separate-stderr each --models-dir d c.dq
    [ -z "$output$stderr" ]
    diff -r d whole
    each -o stream.dq c.dq
    cmp <("$BUILD"/dq-cat --kind model stream.dq) <("$BUILD"/dq-cat --kind model whole.dq)
    cmp <(zstd -dcq < stream.dq) <(zstd -dcq < whole.dq)
    "$BUILD"/dq-train "${tiny[@]}" --user u07 -o u07.dq c.dq
    [ "$(digest u07.dq)" = "$(digest d/u07.dq)" ]
    cat d/*.dq | "$BUILD"/dq-cat --kind model | cmp - <("$BUILD"/dq-cat --kind model whole.dq)
    run -2 --separate-stderr each --models-dir e --pass c.dq
    [[ $stderr == *"--pass with --models-dir needs --output"* ]]
    each --models-dir d --pass -o - c.dq | "$BUILD"/dq-cat --check
}

@test "what is there is not trained again; of other options, another input, or damaged it is" {
    cp -r "$(readlink whole)" d
    find d -type f -exec stat -c '%n %i' {} + | sort > before
    [ "$(said --models-dir d c.dq)" = "dq-train: trained 0, resumed 12" ]
    find d -type f -exec stat -c '%n %i' {} + | sort | diff before -
    rm d/u03.dq
    printf x >> d/u04.dq
    head -c 300 whole/u05.dq > d/u05.dq
    cp whole/u06.dq d/u07.dq # another user's, but of the same run
    : > d/u08.dq.abcde0 # left aside by a killed run
    : > d/x9.dq.abcde0  # another's, who may be at work
    [ "$(said --models-dir d c.dq)" = "dq-train: trained 4, resumed 8, replaced 3" ]
    [ ! -e d/u08.dq.abcde0 ]
    rm d/x9.dq.abcde0
    diff -r d whole
    [ "$(said --models-dir d --seed 9 c.dq)" = "dq-train: trained 12, replaced 12" ]
    [ "$(said --models-dir d c.dq)" = "dq-train: trained 12, replaced 12" ]
    (cd "$BATS_FILE_TMPDIR" && "$BUILD"/dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl --limit users:11) > fewer.dq
    [ "$(said --models-dir d fewer.dq)" = "dq-train: trained 11, replaced 11" ]
}

@test "chunks of users make what the whole makes, in any order" {
    seq -f 'u%02g' 0 11 | shuf --random-source=c.dq | split -l 5 - chunk.
    printf '\r\n\r\n%s\r\n' "$(cat chunk.ab)" > chunk.ab.new && mv chunk.ab.new chunk.ab
    for chunk in chunk.*; do each --models-dir d --users-file "$chunk" c.dq; done
    diff -r d whole
    each --users-file chunk.aa -o some.dq c.dq
    cat $(sort chunk.aa | sed 's/.*/d\/&.dq/') | "$BUILD"/dq-cat --kind model | cmp - <("$BUILD"/dq-cat --kind model some.dq)
    each --users-file - --models-dir e c.dq < chunk.aa
    [ "$(models e)" = 5 ]
}

@test "a list of users that cannot be" {
    printf 'u01\n\nu99\n' > list
    run -1 --separate-stderr each --users-file list --models-dir d c.dq
    [ "$stderr" = "dq-train: list: line 3: user u99 is not in the stream" ]
    [ ! -e d ]
    printf '\n' > list
    run -1 --separate-stderr each --users-file list c.dq
    [ "$stderr" = "dq-train: list: no user in it: one id a line is wanted" ]
    run -1 --separate-stderr each --users-file none c.dq
    [[ $stderr == "dq-train: none: "* ]]
    for program in "dq-train --each-user" dq-rank dq-reward; do
        run -2 --separate-stderr "$BUILD"/$program --users-file - < c.dq
        [ "${stderr_lines[0]% (try *)}" = "${program%% *}: --users-file -: stdin is the input" ]
    done
    : > d
    run -1 --separate-stderr each --models-dir d c.dq
    [ "$stderr" = "dq-train: d: cannot make the folder: Not a directory" ]
}

@test "a file that is gone: its agent is made anew, and lines of the log that go are counted" {
    each --models-dir d --log log c.dq
    rm d/u04.dq
    run --separate-stderr each --no-quiet --models-dir d --log log c.dq
    [ "$status" = 0 ]
    gone=$(jq -r 'select(.user > "u04") | .user' whole.log | wc -l)
    [ "${stderr_lines[0]}" = "dq-train: log: $gone lines of agents that are kept stand behind one that is made anew, and go" ]
    cmp log <(jq -c 'select(.user <= "u04")' whole.log)
    cmp d/u04.dq whole/u04.dq
}

@test "an agent that fails is one line, and the others go on" {
    seq -f 'u%02g' 0 11 | grep -v -e u03 -e u08 | "$BUILD"/dq-train -q --each-user --users-file - --hidden 4 --world-hidden 4 --batch 4 --warmup 5 --episodes 1 --steps 10 -o init.dq c.dq
    run -1 --separate-stderr each --init init.dq --models-dir d --log log -o out.dq c.dq
    [ "$stderr" = "dq-train: user u03: several models to start from, and none for this user
dq-train: user u08: several models to start from, and none for this user
dq-train: trained 10, failed 2" ]
    [ "$(models d)" = 10 ]
    cat d/*.dq | "$BUILD"/dq-cat --kind model | cmp - <("$BUILD"/dq-cat --kind model out.dq)
    "$BUILD"/dq-cat --check out.dq
    [ "$(jq -r .user log | sort -u | wc -l)" = 10 ]
    run -1 --separate-stderr each --init init.dq --models-dir d --log log -o again.dq c.dq
    [ "${stderr_lines[2]}" = "dq-train: trained 0, failed 2, resumed 10" ]
    cmp out.dq again.dq
    # so without a folder, and of whom nobody is left nothing leaves
    run -1 each --init init.dq -o stream.dq c.dq
    cmp <(zstd -dcq < out.dq) <(zstd -dcq < stream.dq)
    run -1 --separate-stderr each --init init.dq --users-file <(printf 'u03\nu08\n') -o none.dq c.dq
    [ "${stderr_lines[2]}" = "dq-train: trained 0, failed 2" ]
    [ ! -e none.dq ]
}

@test "what is wrong with everybody's options is said once, before anybody is trained" {
    run -1 --separate-stderr each --features nonsense --models-dir d c.dq
    [ "$stderr" = "dq-train: there are no features called 'nonsense'" ]
    run -1 --separate-stderr each --features cosine-z -o out.dq c.dq
    [ "${#stderr_lines[@]}" = 1 ]
    [[ $stderr == "dq-train: features cosine-z are learnt from labels"* ]]
    run -1 --separate-stderr each --compare a:b c.dq
    [ "$stderr" = "dq-train: users have no field 'a'" ]
    run -1 --separate-stderr each --cosine-weight 0.5 --reward logged c.dq
    [ "${#stderr_lines[@]}" = 1 ]
    [[ $stderr == "dq-train: a mixture of rewards needs transitions with both parts"* ]]
    [ "$(models d)" = 0 ]
    [ ! -e out.dq ]
}

@test "another run for the same users is refused, while the first one is at work" {
    printf 'u01\nu02\n' > two
    last_of "$BUILD"/dq-train "${tiny[@]}" -t 1 --each-user --episodes 1000000 --models-dir d --users-file two c.dq
    "$BUILD"/dq-train "${line[@]}" 2> words &
    pid=$!
    until [ -n "$(pgrep -P "$pid")" ]; do kill -0 "$pid"; done
    run -1 --separate-stderr each --models-dir d --users-file <(printf 'u00\nu02\n') c.dq
    [ "$stderr" = "dq-train: d: another run (process $pid) makes the model of user u02 here; wait for it, or end it" ]
    run -1 --separate-stderr each --models-dir d c.dq
    [ "$stderr" = "dq-train: d: another run (process $pid) makes models here; wait for it, or end it" ]
    each --models-dir d --users-file <(printf 'u00\n') c.dq # who is not among them
    kill -TERM "$pid"
    rc=0
    wait "$pid" || rc=$?
    [ "$rc" = 75 ]
    each --models-dir d c.dq
    diff -r d whole
}

@test "--max-failures: more of them end it" {
    printf 'u01\nu02\n' | "$BUILD"/dq-train -q --each-user --users-file - --hidden 4 --world-hidden 4 --batch 4 --warmup 5 --episodes 1 --steps 10 -o init.dq c.dq
    run -1 --separate-stderr each -t 1 --init init.dq --models-dir d --max-failures 1 -o out.dq c.dq
    [ "$stderr" = "dq-train: user u00: several models to start from, and none for this user
dq-train: user u03: several models to start from, and none for this user" ]
    [ "$(models d)" = 2 ]
    [ ! -e out.dq ]
    run -1 --separate-stderr each -t 1 --init init.dq --max-failures 0 c.dq
    [ "${#stderr_lines[@]}" = 1 ]
}

@test "what is everybody's failure ends it at once: a full disk" {
    [ -c /dev/full ]
    run -1 --separate-stderr each --models-dir d -o /dev/full c.dq
    [ "${#stderr_lines[@]}" = 1 ]
    [[ $stderr == *"No space left on device" ]]
    run -1 --separate-stderr each --log /dev/full -o out.dq c.dq
    [ "${#stderr_lines[@]}" = 1 ]
    [ ! -e out.dq ]
}

@test "a worker that is killed has failed, and the others go on" {
    printf 'u00\nu01\n' > two
    last_of "$BUILD"/dq-train "${tiny[@]}" -t 2 --each-user --episodes 1000000 --users-file two -o out.dq c.dq
    "$BUILD"/dq-train "${line[@]}" 2> words &
    pid=$!
    until pgrep -P "$pid" > workers && [ "$(wc -l < workers)" = 2 ]; do kill -0 "$pid"; done
    xargs kill -KILL < workers
    rc=0
    wait "$pid" || rc=$?
    [ "$rc" = 1 ]
    diff words - <<'END'
dq-train: user u00: the worker was ended by signal 9 (was memory short?)
dq-train: user u01: the worker was ended by signal 9 (was memory short?)
dq-train: trained 0, failed 2
END
    [ ! -e out.dq ]
}

# killed SIGNAL FILES OPTION...: a night that gets a signal when so many files are there. One that ended before the signal
# came loses half of its files, and is run again.
killed() {
    local signal=$1 files=$2 pid
    shift 2
    while :; do
        last_of "$BUILD"/dq-train "${tiny[@]}" -t 2 --each-user --models-dir d "$@"
        "$BUILD"/dq-train "${line[@]}" 2> words &
        pid=$!
        while kill -0 $pid 2> /dev/null && { [ ! -d d ] || [ "$(models d)" -lt "$files" ]; }; do :; done
        kill -"$signal" $pid 2> /dev/null || true
        rc=0
        wait $pid || rc=$?
        [ $rc = 0 ] || return 0
        find d -name '*[02468].dq' -delete
        rm -f out.dq
    done
}

@test "a night of 200 users with three kills: what was finished stays, and at the end all is as if nothing had been" {
    "$BUILD"/dq-sim -q --users 200 --items 20 -o night.dq
    each --models-dir unkilled --log unkilled.log -o unkilled.dq night.dq
    for kill in "TERM 40 75" "KILL 90 137" "INT 130 75"; do
        read -r signal files expected <<< "$kill"
        killed "$signal" "$files" --log log -o out.dq night.dq
        [ "$rc" = "$expected" ]
        [ ! -e out.dq ]
        # nothing that is not whole, but what a kill may leave between two names of one file
        [ -z "$(find d -type f -not -name '*.dq' -not -name .lock -not -name '*.dq.??????')" ]
        [ "$signal" = KILL ] || [ -z "$(find d -name '*.dq.??????')" ]
        "$BUILD"/dq-cat --check d/*.dq
        if [ "$expected" = 75 ]; then
            grep -qxE 'dq-train: stopped after [0-9]+ of 200 agents( \([1-4] more begun\))?; the same command goes on from d' words
        fi
        files d > "kept.$signal"
        [ "$(wc -l < "kept.$signal")" -ge "$files" ]
    done
    each --models-dir d --log log -o out.dq night.dq
    files d > end
    [ "$(comm -23 kept.INT end | wc -l)" = 0 ] # none of those was written again
    diff -r d unkilled
    cmp out.dq unkilled.dq
    cmp log unkilled.log
}

# stopped AT OPTION...: a night of endless agents that is told to stop when its workers have had AT seconds of CPU; what half
# of u00 has then: its lines of the log.
stopped() {
    local at=$1 pid workers
    shift
    last_of "$BUILD"/dq-train "${tiny[@]}" -t 2 --each-user --episodes 1000000 --users-file two --models-dir d "$@" c.dq
    "$BUILD"/dq-train "${line[@]}" 2> words &
    pid=$!
    until workers=$(pgrep -d, -P "$pid") && [[ $workers == *,* ]] && [ "$(ps -o cputimes= -p "$workers" | sort -n | head -1)" -ge "$at" ]; do
        kill -0 "$pid"
    done
    kill -TERM "$pid"
    rc=0
    wait "$pid" || rc=$?
    [ "$rc" = 75 ]
    [ "$(cat words)" = "dq-train: stopped after 0 of 2 agents (2 more begun); the same command goes on from d" ]
    [ "$(models d)" = 0 ]
    [ "$(ls d/.half)" = "$(printf 'u00.dq\nu01.dq')" ]
    "$BUILD"/dq-cat --kind log d/.half/u00.dq > lines
    wc -l < lines
}

@test "a stop keeps the agents that are half made: they go on from where they were, with their lines of the log" {
    printf 'u00\nu01\n' > two
    first=$(stopped 1 --log log)
    [ "$first" -gt 20 ]
    [ ! -s log ] # nobody's turn has come
    : > d/.half/u00.dq.abcde0 # left aside by a killed run
    [ "$("$BUILD"/dq-cat --kind model d/.half/u01.dq | head -1 | jq -r .meta.user)" = u01 ]
    again=$(stopped 0 --log log) # which finds the two halves, and nothing else
    [ "$again" -ge "$first" ]
    [ "$(jq -r .line.episode lines | sort -n | uniq | wc -l)" = "$again" ]
    # of other options, or where a log is wanted that they had not: from the first step
    other=$(stopped 0 --log log --seed 9)
    [ "$other" -lt "$first" ]
    rm -r d
    [ "$(stopped 1)" = 0 ]
    [ "$(stopped 0 --log log)" -lt "$first" ]
    # damaged: likewise
    rm -r d
    [ "$(stopped 1 --log log)" -gt 20 ]
    for file in d/.half/*.dq; do head -c 900 "$file" > cut && mv cut "$file"; done
    [ "$(stopped 0 --log log)" -lt "$first" ]
}

@test "a night that is stopped again and again, with the best of evaluations and what differs from a start, is as one that is not" {
    "$BUILD"/dq-reward -q --pairs all c.dq |
        "$BUILD"/dq-train -q --offline --loss mse --hidden 4 --world-hidden 4 --epochs 1 -o start.dq
    options=(--episodes 400 --evaluate 100 --keep both --init start.dq --save delta -t 3)
    each "${options[@]}" --models-dir own --log own.log -o own.dq c.dq
    for turn in $(seq 200); do
        last_of "$BUILD"/dq-train "${tiny[@]}" --each-user "${options[@]}" --models-dir d --log log -o out.dq c.dq
        "$BUILD"/dq-train "${line[@]}" 2> words &
        pid=$!
        until pgrep -P "$pid" > workers || ! kill -0 "$pid" 2> /dev/null; do :; done
        sleep 0.0$((turn % 10))
        kill -TERM "$pid" 2> /dev/null || true
        rc=0
        wait "$pid" || rc=$?
        [ "$rc" = 75 ] || break
        [ -z "$(find d -name '*.dq.??????')" ]
        for half in d/.half/*.dq; do [ ! -e "$half" ] || "$BUILD"/dq-cat --kind model "$half" > models && head -1 models | jq .meta.kept; done >> halves
    done
    [ "$rc" = 0 ]
    diff -r d own
    cmp log own.log
    cmp out.dq own.dq
    sort halves | uniq -c
    [ "$(grep -c null halves)" -gt 5 ] # checkpoints; "best": of one that was made before its turn
}

# ---- ranking ----

rank() { last "$BUILD"/dq-rank -q -k 3 --format tsv "$@"; }

@test "dq-rank --models-dir: each user's list is by his own file" {
    rank --models-dir whole c.dq > dir.tsv
    rank --model whole.dq c.dq | cmp - dir.tsv
    cat whole/*.dq c.dq | rank | cmp - dir.tsv
    rank --model whole/u07.dq -u u07 c.dq | cmp - <(grep -e '^u07' -e '^user' dir.tsv)
    printf 'u09\nu02\n' > two
    rank --models-dir whole -u u05 --users-file two c.dq | cmp - <(grep -e '^u0[259]' -e '^user' dir.tsv)
    run -1 --separate-stderr rank --models-dir whole --users-file <(printf 'u02\nu99\n') c.dq
    [[ $stderr == "dq-rank: "*": line 2: user u99 is not in the stream" ]]
    run -2 --separate-stderr rank --models-dir whole --model whole.dq c.dq
    run -1 --separate-stderr rank --models-dir none c.dq
    [ "$stderr" = "dq-rank: none: cannot read the folder: No such file or directory" ]
    mkdir empty
    run -1 --separate-stderr rank --models-dir empty c.dq
    [ "$stderr" = "dq-rank: empty: no model in it" ]
}

@test "dq-rank --fallback: the model of whoever has none" {
    "$BUILD"/dq-train -q --offline --hidden 8 --no-world --epochs 1 -o all.dq < <("$BUILD"/dq-reward -q -s logged c.dq) # of another shape
    mkdir some
    cp whole/u0[0-4].dq some
    run -1 --separate-stderr rank --models-dir some c.dq
    [ "$stderr" = "dq-rank: user u05 has no model, and others have one each (--fallback FILE ranks for them)" ]
    rank --no-quiet --models-dir some --fallback all.dq c.dq > some.tsv 2> words
    [ "$(cat words)" = "dq-rank: 7 of 12 users are ranked by all.dq" ]
    { rank --models-dir whole -u u00 -u u01 -u u02 -u u03 -u u04 c.dq; rank --no-header --model all.dq --users-file <(seq -f 'u%02g' 5 11) c.dq; } | cmp - some.tsv
    cat some/*.dq > some.dq # the same of a stream of models, and of one
    rank --model some.dq --fallback all.dq c.dq | cmp - some.tsv
    cat some.dq c.dq | rank --fallback all.dq | cmp - some.tsv
    { rank --model whole/u00.dq -u u00 c.dq; rank --no-header --model all.dq --users-file <(seq -f 'u%02g' 1 11) c.dq; } > one.tsv
    rank --model whole/u00.dq --fallback all.dq c.dq | cmp - one.tsv
    mkdir none # and of nobody
    rank --no-quiet --models-dir none --fallback all.dq c.dq > none.tsv 2> words
    [ "$(cat words)" = "dq-rank: 12 of 12 users are ranked by all.dq" ]
    rank --model all.dq c.dq | cmp - none.tsv
    rank --fallback all.dq c.dq | cmp - none.tsv
    cp whole/u01.dq some/u02.dq
    run -1 --separate-stderr rank --models-dir some --fallback all.dq c.dq
    [ "$stderr" = "dq-rank: the file of user u02 has the model of another" ]
    head -c 300 whole/u02.dq > some/u02.dq
    run -1 --separate-stderr rank --models-dir some --fallback all.dq c.dq
    [[ $stderr == "dq-rank: some/u02.dq: "* ]]
    run -2 --separate-stderr rank --by cosine --fallback all.dq c.dq
    [[ $stderr == "dq-rank: --by cosine takes no model: not --fallback"* ]]
}

@test "dq-reward --users-file: the pairs of a list of users" {
    printf 'u09\r\n\nu02\n' > two
    reward() { "$BUILD"/dq-reward -q --pairs top:3 "$@" c.dq | "$BUILD"/dq-cat --kind transitions; }
    reward > all.jsonl
    reward -u u05 --users-file two | cmp - <(grep -e '"u0[259]"' all.jsonl)
    [ "$(reward --users-file two | wc -l)" = 6 ]
    "$BUILD"/dq-reward -q --pairs top:3 -o t.dq c.dq # labelled anew
    labels() { "$BUILD"/dq-cat --kind transitions "$@" | jq -c '[.user, .item, .reward]'; }
    "$BUILD"/dq-reward -q --users-file two t.dq | labels | cmp - <(labels t.dq | grep -e '"u0[29]"')
    run -1 --separate-stderr "$BUILD"/dq-reward --users-file <(printf 'u02\nx\n') c.dq
    [[ $stderr == "dq-reward: "*": line 2: user x is not in the catalogue" ]]
}
