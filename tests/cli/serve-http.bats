#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-serve as a program: its options, its words and exit statuses, and its description held against what it answers.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    source "$BATS_TEST_DIRNAME/../needs.bash"
    needs curl
    cd "$BATS_TEST_TMPDIR" || return
    export PATH="$BUILD:$PATH"
    server=''
}

teardown() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
}

# starts OPTION...: a server of its own; $at is where it listens.
starts() {
    : > words
    dq-serve "$@" < /dev/null > out 2> words & server=$!
    until grep -q 'listening at' words; do kill -0 "$server"; sleep 0.02; done
    at=$(sed -n 's/^dq-serve: listening at //p' words)
}

# ends: it exits 0, and has printed nothing but where it listened.
ends() {
    kill -TERM "$server"
    wait "$server"
    server=''
    [ ! -s out ]
    [ "$(wc -l < words)" = 1 ]
}

# says CODE WORDS OPTION...: it does not start.
says() {
    local code=$1 expected=$2
    shift 2
    run "-$code" --separate-stderr timeout 60 dq-serve "$@" < /dev/null
    [ -z "$output" ]
    [ "${stderr% (try *)}" = "dq-serve: $expected" ] || { echo "$stderr"; false; }
}

@test "an address, a path; a second server at the same place" {
    starts --listen 127.0.0.1:0
    [[ $at == http://127.0.0.1:* ]]
    [ "$(curl -s "$at/api/health" | jq -r .status)" = ok ]
    says 1 "${at#http://}: Address already in use" --listen "${at#http://}"
    ends
    starts --listen unix:socket
    [ "$at" = unix:socket ]
    [ "$(curl -s --unix-socket socket http://localhost/api/health | jq -r .status)" = ok ]
    says 1 "unix:socket: Address already in use" --listen unix:socket
    ends
    [ ! -e socket ]
}

@test "a server that was killed leaves a socket, and the next takes its place" {
    starts --listen unix:socket
    kill -KILL "$server"
    wait "$server" || true
    [ -S socket ]
    starts --listen unix:socket
    [ "$(curl -s --unix-socket socket http://localhost/api/health | jq -r .status)" = ok ]
    ends
}

@test "addresses and limits that are none are usage errors" {
    says 2 "--listen: nowhere is no HOST:PORT, nor unix:PATH" --listen nowhere
    says 2 "--listen: 127.0.0.1:65536 is no HOST:PORT, nor unix:PATH" --listen 127.0.0.1:65536
    says 2 "--max-body: 1 is not between 1024 and 1e+09" --max-body 1
    says 2 "--request-timeout: 0 is not between 0.1 and 3600" --request-timeout 0
    for origin in shop.example https://shop.example/ https://Shop.example 'https://a b' ''; do
        says 2 "--cors $origin: ORIGIN as in https://shop.example, without a path, or *" --cors "$origin"
    done
    says 2 "unexpected operand 'x'" x
}

@test "a token: from a file, of one line; who bears it" {
    says 1 "none: No such file or directory" --token-file none
    echo short > token
    says 1 "token: a token has 16 to 512 characters" --token-file token
    printf '0123456789abcdef\nmore\n' > token
    says 1 "token has more than one line" --token-file token
    printf '0123456789 abcdef\n' > token
    says 1 "token: a token is of printable ASCII without blanks" --token-file token
    printf '0123456789abcdef\0' > token
    says 1 "token holds a NUL" --token-file token
    printf '0123456789abcdef\r\n' > token
    starts --listen 127.0.0.1:0 --token-file token
    [ "$(curl -s -o answer -w '%{http_code}' "$at/metrics")" = 401 ]
    [ "$(jq -r .title answer)" = Unauthorized ]
    [ "$(curl -s -o answer -w '%{http_code}' -H 'Authorization: Bearer 0123456789abcdef' "$at/metrics")" = 200 ]
    [ "$(curl -s -o answer -w '%{http_code}' "$at/api/health")" = 200 ]
    run ! grep -r 0123456789abcdef out words answer
    ends
}

@test "other origins may ask with --cors alone" {
    starts --listen 127.0.0.1:0
    run ! grep -i access-control <(curl -si -H 'Origin: https://a.example' "$at/metrics")
    ends
    starts --listen 127.0.0.1:0 --cors https://a.example
    curl -si -H 'Origin: https://a.example' "$at/metrics" | grep -i '^access-control-allow-origin: https://a.example' > /dev/null
    curl -si -X OPTIONS "$at/metrics" | grep -i '^access-control-allow-methods: GET' > /dev/null
    ends
}

@test "--check reads everything, listens nowhere, and ends" {
    run -0 timeout 60 dq-serve --check --listen 192.0.2.1:1
    [ -z "$output" ]
    says 1 "none: No such file or directory" --check --token-file none
}

@test "--quiet says nothing" {
    dq-serve --quiet --listen unix:socket < /dev/null > out 2> words & server=$!
    until [ -S socket ] && curl -s --unix-socket socket http://localhost/api/health > answer; do kill -0 "$server"; sleep 0.02; done
    kill -TERM "$server"
    wait "$server"
    server=''
    [ ! -s words ]
    [ ! -s out ]
}

@test "metrics are what Prometheus reads, and count" {
    starts --listen 127.0.0.1:0
    for _ in 1 2 3; do curl -s "$at/api/health" > answer; done
    curl -s "$at/api/nothing" > answer
    curl -s "$at/metrics" > metrics
    grep -qx 'dq_serve_requests_total{route="/api/health",method="GET",status="200"} 3' metrics
    grep -qx 'dq_serve_request_seconds_count{route="/api/health",method="GET"} 3' metrics
    grep -qx 'dq_serve_requests_total{route="",method="",status="404"} 1' metrics
    # each line is a comment or a sample; a name's lines stand together behind its TYPE
    awk '/^# TYPE / { if ($3 in seen) exit 1; seen[$3]; name = $3; next } /^# HELP / { next }
        !/^[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [0-9.e+-]+$/ { exit 1 }
        { base = $1; sub(/\{.*/, "", base); sub(/_(bucket|sum|count)$/, "", base); if (base != name) exit 1 }' metrics
    ends
}

@test "what it answers is what its description says" {
    run -0 timeout 600 /usr/bin/python3 "$BATS_TEST_DIRNAME/serve_openapi.py" --demo --log log.dq
    [ "${lines[-1]}" = "6 posts, 12 gets" ]
}
