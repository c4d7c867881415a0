#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-serve: lists by models and fallbacks, feedback, the log, and programs that read it. The cases are in serve_models.py.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../last.bash"

setup_file() {
    export PATH="$BUILD:$PATH" DQ_THREADS=1
    cd "$BATS_FILE_TMPDIR" || return
    map=PURCHASE=1,RATING=1,CLICK=0.2,VIEW=0,IGNORE=-0.1
    dq-sim --users 40 --items 30 --seed 1 -q -o c.dq
    learn() { last dq-train --offline --map $map --epochs 1 --hidden 8 -q -o "$@"; }
    dq-reward --strategy logged --map $map c.dq > r.dq
    learn pair.dq --agent dyna-q r.dq
    learn several.dq --agent dqn --q-models 3 r.dq
    learn sessions.dq --sessions --agent dqn c.dq
    dq-train --offline --sessions --agent dt --map $map --epochs 1 --encoder-width 8 --heads 1 --blocks 1 -q -o dt.dq c.dq
    learn seen.dq --agent dqn --map PURCHASE=1,RATING=1,IGNORE=-0.1 --features held-cosine --history seen r.dq
}

serve() {
    cd "$BATS_FILE_TMPDIR" || return
    run timeout 600 /usr/bin/python3 "$BATS_TEST_DIRNAME/serve_models.py" "$1"
    [ "$status" -eq 0 ] || { echo "$output"; false; }
}

@test "lists are dq-rank's, score by score, for all kinds of models" { serve lists; }
@test "what is excluded, chosen from, explored and diverse" { serve options; }
@test "users of whom the model knows nothing" { serve fallbacks; }
@test "feedback: what is not known is refused, what is taken is the next list's history" { serve feedback; }
@test "shares of users, and a model file that is replaced while it serves" { serve shares; }
@test "kill -9: what was answered is in the log, and remembered" { serve killed; }
@test "a full disk is said, and leaves the log whole" { serve full; }
@test "a log that is rotated and reopened" { serve rotated; }
@test "dq-cat --follow, dq-eval and dq-train read a server's log" { serve read; }
@test "twenty thousand requests leave no memory behind" { serve memory; }
@test "options that contradict one another, and files that are none" { serve refused; }
