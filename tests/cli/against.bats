#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-sim --against: simulated users as clients of a server of recommendations.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    export PATH="$BUILD:$PATH"
    world=session:items=20,users=10
}

teardown() {
    [ -z "${server:-}" ] || kill "$server"
}

# serve WHERE [WRONG]: the server in the background, once it listens.
serve() {
    python3 "$BATS_TEST_DIRNAME"/../services/recommender.py "$1" 20 "${@:2}" 3>&- &
    server=$!
    while [ ! -e "$1" ]; do kill -0 "$server"; sleep 0.05; done
    address=$([ -S "$1" ] && echo "unix:$1" || cat "$1")
}

count() { grep -c "\"path\": \"/api/$1\"" at.log; }
sum() { awk -F'\t' -v c="$2" 'NR > 1 { s += $c } END { print s }' "$1"; }

@test "a table by round and model, and what was clicked was sent" {
    serve at
    dq-sim "$world" --against "$address" --sessions 12 --rounds 2 -k 4 --parallel 3 > table
    [ "$(head -1 table)" = "$(printf 'round\tmodel\tlists\tshown\tclicks\tctr\tse\treward')" ]
    [ "$(cut -f1,2 table | tail -n +2 | tr '\t\n' '  ')" = "1 even 1 odd 2 even 2 odd " ]
    [ "$(sum table 3)" = "$(count recommend)" ]
    [ "$(sum table 3)" = 72 ] # 10 items a session, 4 a list
    [ "$(sum table 4)" = 240 ]
    [ "$(sum table 5)" = "$(count feedback)" ]
    [ "$(sum table 5)" -gt 20 ]
    awk -F'\t' 'NR > 1 && ($6 - $5 / $4 > 1e-6 || $5 / $4 - $6 > 1e-6) { exit 1 }' table
    [ "$(grep feedback at.log | grep -c '"label": "CLICK"')" = "$(count feedback)" ]
    grep -q '"path": "/api/recommend", "token": null, "user_id": "u[0-9]", "n_recommendations": 4}' at.log
    [ "$(grep recommend at.log | grep -o '"user_id": "u[0-9]*"' | sort -u | wc -l)" -ge 5 ]
}

@test "the same seed is the same users, however many come at a time" {
    serve at
    dq-sim "$world" --against "$address" --sessions 30 --parallel 1 --seed 5 -o one
    dq-sim "$world" --against "$address" --sessions 30 --parallel 8 --seed 5 -o eight
    dq-sim "$world" --against "$address" --sessions 30 --parallel 8 --seed 6 -o other
    cut -f1-7 one > a && cut -f1-7 eight | cmp - a
    run ! cmp -s one other
}

@test "who does not click answers, too, where asked; the token goes along; a Unix socket will do" {
    serve at.sock
    printf 'a-long-enough-token\n' > token
    dq-sim "$world" --against "$address" --sessions 3 --click-label APPLY --pass-label IGNORE --token-file token > table
    mv at.sock.log at.log
    [ "$(count feedback)" = 30 ]
    [ "$(grep -c '"label": "APPLY"' at.log)" = "$(sum table 5)" ]
    [ "$(grep -c '"token": "Bearer a-long-enough-token"' at.log)" = "$(wc -l < at.log)" ]
}

@test "what goes wrong is said in one line" {
    serve at i99
    run -1 --separate-stderr dq-sim "$world" --against "$address" --sessions 3
    [ "$stderr" = "dq-sim: ${address#http://}: the world has no item 'i99'" ]
    run -2 --separate-stderr dq-sim --against "$address"
    [ "${stderr% (try *)}" = "dq-sim: --against needs an environment (--list names them)" ] || [[ "$stderr" == *"--against needs an environment"* ]]
    run -1 --separate-stderr dq-sim cartpole --against "$address"
    [[ "$stderr" == *"the environment cartpole has no users and items"* ]]
    run -1 --separate-stderr dq-sim "$world" --against "$address" --token-file none
    [[ "$stderr" == *"none: cannot read a token"* ]]
    run -1 --separate-stderr dq-sim "$world" --against unix:none.sock --sessions 1
    [[ "$stderr" == "dq-sim: localhost"*"/api/recommend: "* ]]
}
