#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-reward and a model's server that answers badly, or not at all: what comes of each answer (exit code, one line, never a
# label that nobody gave), and that no key is seen anywhere.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"
load ../services/llm

setup() {
    needs sqlite3
    cd "$BATS_TEST_TMPDIR"
    PATH=$BUILD:$PATH
    demo=$BATS_TEST_DIRNAME/../../data/demo
    head -1 "$demo"/veterans.jsonl > u.jsonl
    head -3 "$demo"/jobs.jsonl > i.jsonl
    dq-export -q --users u.jsonl --items i.jsonl -o c.dq
    unset OPENAI_API_KEY
}

teardown() {
    llm_stop
    if [ -n "${other_pid:-}" ]; then
        kill "$other_pid" 2>/dev/null || true
    fi
}

# label MODEL [OPTION...]: one pair, one stage, a cache of the model's own.
label() {
    local model=$1
    shift
    dq-reward --strategy llm --model "$model" --stages 1 --pairs random:1 --cache "$model.db" "$@" c.dq
}

# ends CODE MODEL [OPTION...]: with one line on stderr and nothing written. The line without program, host and port is in
# $words.
ends() {
    local code=$1
    shift
    rm -f out.dq
    run "-$code" --separate-stderr label "$@" -o out.dq
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" = 1 ]
    [ "$(echo out.dq*)" = "out.dq*" ]
    words=$(sed -E 's/^dq-reward: //; s/127\.0\.0\.1:[0-9]+/SERVER/g' <<<"$stderr")
}

cached() { sqlite3 "$1.db" "$2"; }

@test "answers that hold no judgement: asked twice, kept raw, no label, exit 1" {
    llm_start
    local fault
    for fault in malformed html empty-body no-choices binary empty null refusal filtered length unknown-label \
        two-labels prose shorter; do
        llm_clear
        ends 1 "fault-$fault"
        [[ "$words" == "1 of 1 pairs have no label: answers: 1 not to be read "* ]] || { echo "$fault: $words"; false; }
        [ "$(llm_stats '[.requests, .keys] | join(" ")')" = "2 1" ] || { echo "$fault"; llm_stats -c; false; }
        [ "$(cached "fault-$fault" 'select count(*), count(label) from answers')" = "1|0" ]
        # It is not asked a third time, unless somebody wants it; and it may leave without a label.
        label "fault-$fault" -q --allow-missing | dq-cat --kind transitions > rows
        [ "$(jq -c '[.label, .llm, .reward]' rows)" = "[null,null,null]" ]
        [ "$(llm_stats .requests)" = 2 ]
        label "fault-$fault" -q --allow-missing --retry-unreadable > /dev/null
        [ "$(llm_stats .requests)" -gt 2 ]
    done
}

@test "what may pass is tried again, and costs no label" {
    llm_start
    local fault expected
    label judge -q | dq-cat --kind transitions > expected
    for fault in 408 409 429 500 503 error-body cut reset close half-closed longer reset-body; do
        label "fault-$fault-1" -q | dq-cat --kind transitions | cmp - expected
    done
    for fault in hang hang-body; do
        label "fault-$fault-1" -q --timeout 0.3 | dq-cat --kind transitions | cmp - expected
    done
    [ "$(llm_stats .faults)" = 14 ]
}

@test "a server that is down: exit 75, the reason, and how to go on" {
    llm_start
    local fault
    for fault in 500 503 429; do
        ends 75 "fault-$fault" --attempts 2
        [ "$words" = "SERVER: HTTP $fault: the server was told to say $fault; the answers so far are kept in fault-$fault.db: the same command goes on" ]
    done
    ends 75 fault-error-body --attempts 2 # which is never an answer
    [[ "$words" == "SERVER: HTTP 200 with an error: the model is overloaded; the answers so far are kept in "* ]]
    [ "$(cached fault-error-body 'select count(*) from answers')" = 0 ]
    for fault in cut longer reset-body; do
        ends 75 "fault-$fault" --attempts 2
        [[ "$words" == "SERVER: "*"; the answers so far are kept in fault-$fault.db: the same command goes on" ]]
    done
    for fault in close half-closed; do
        ends 75 "fault-$fault" --attempts 2
        [[ "$words" == "SERVER: closed the connection without an answer; "* ]]
    done
    ends 75 fault-hang --attempts 2 --timeout 0.3
    [[ "$words" == "SERVER: no whole answer within 0.3 s; "* ]]
    ends 75 fault-429@121
    [[ "$words" == "SERVER: HTTP 429, to come back in 121 s: "* ]]
    llm_stop
    ends 75 judge --attempts 2
    [[ "$words" == "SERVER: Couldn't connect to server; "* ]]
}

@test "refusals end at once, and name the server and its reason" {
    llm_start
    local code
    for code in 400 401 403 404 422; do
        llm_clear
        ends 1 "fault-$code"
        [ "$words" = "SERVER: HTTP $code: the server was told to say $code" ]
        case $code in # a few requests find out whether it is about their form
        400 | 422) [ "$(llm_stats .requests)" -le 8 ] ;;
        *) [ "$(llm_stats .requests)" = 1 ] ;;
        esac
        [ "$(cached "fault-$code" 'select count(*) from facts')" = 0 ]
    done
    llm_clear
    ends 1 fault-redirect
    [ "$words" = "SERVER: HTTP 307 redirects to http://SERVER/v1/elsewhere; redirects are not followed" ]
    ends 1 fault-not-http
    [ "$words" = "SERVER: does not speak HTTP" ]
    [ "$(llm_stats .requests)" = 2 ]
}

@test "failures and answers that were lost are in the ledger" {
    llm_start
    label fault-503-2 -q > /dev/null
    label fault-cut-2 -q > /dev/null
    label fault-prose -q --allow-missing > /dev/null
    ledger() { dq-reward --ledger "$1.db" | awk -F'\t' -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } NR == 2 { print $at[name] }'; }
    [ "$(ledger fault-503-2 failed) $(ledger fault-503-2 lost) $(ledger fault-503-2 answered)" = "2 0 1" ]
    [ "$(ledger fault-cut-2 failed) $(ledger fault-cut-2 lost) $(ledger fault-cut-2 answered)" = "0 2 1" ]
    [ "$(ledger fault-prose unreadable)" -ge 1 ]
}

@test "certificates of one's own: SSL_CERT_FILE, or CURL_CA_BUNDLE, which wins" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test \
        -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null
    llm_start --certificate cert.pem --certificate-key key.pem
    unset SSL_CERT_FILE CURL_CA_BUNDLE
    ends 1 judge
    [[ "$words" == "localhost:"*": SSL certificate problem: self-signed certificate" ]]
    SSL_CERT_FILE=cert.pem label judge -q > /dev/null
    CURL_CA_BUNDLE=cert.pem SSL_CERT_FILE=absent.pem label judge-2 -q > /dev/null
    CURL_CA_BUNDLE='' SSL_CERT_FILE=cert.pem label judge-3 -q > /dev/null
    [ "$(llm_stats .answered)" = 3 ]
}

@test "no key is seen: stdout, stderr, cache, stream, the process's arguments" {
    export OPENAI_API_KEY=sk-proj-0123456789-very-secret
    local key=$OPENAI_API_KEY fault
    llm_start --key "$key"
    export OPENAI_API_KEY=$key
    for fault in judge fault-401 fault-400 fault-404 fault-500-1 fault-cut-1 fault-html fault-redirect; do
        label $fault --allow-missing > "out.$fault" 2> "err.$fault" || true
    done
    [ "$(llm_get last | jq -r .authorization)" = "Bearer $key" ]
    llm_stop
    # A server that repeats it in its refusal.
    llm_start --key another
    export OPENAI_API_KEY=$key
    label judge-2 > out.refused 2> err.refused || true
    grep -q 'HTTP 401: Incorrect API key provided: Bearer \*\*\*' err.refused
    # A key in a file, in use while we look.
    unset OPENAI_API_KEY
    llm_stop
    llm_start --key "$key"
    local file=$BATS_RUN_TMPDIR/key.$BATS_TEST_NUMBER
    (umask 077 && echo "$key" > "$file")
    dq-reward --strategy llm --model fault-hang --key-file "$file" --pairs random:1 --cache hang.db c.dq > out.hang 2> err.hang 3>&- &
    other_pid=$!
    until [ "$(llm_stats .in_flight)" = 1 ]; do kill -0 "$other_pid"; done
    tr '\0' '\n' < "/proc/$other_pid/cmdline" > cmdline
    grep -qx fault-hang cmdline
    [ "$(llm_get last | jq -r .authorization | sha256sum)" = "$(echo "Bearer $key" | sha256sum)" ]
    kill -KILL "$other_pid"
    run -1 grep -rl -- very-secret .
    [ -z "$output" ]
    for stream in out.judge out.fault-500-1; do
        zstd -dcq "$stream" > plain
        run -1 grep -c -- very-secret plain
    done
}
