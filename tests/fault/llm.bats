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

# label MODEL [OPTION...]: one pair, unless the options say which, one stage, a cache of the model's own.
label() {
    local model=$1 pairs=(--pairs random:1)
    shift
    [[ " $* " != *" --pairs "* ]] || pairs=()
    dq-reward --strategy llm --model "$model" --stages 1 "${pairs[@]}" --cache "$model.db" "$@" c.dq
}

# ends CODE MODEL [OPTION...]: with one line on stderr and nothing written. The line without program, host, port and
# path is in $words.
ends() {
    local code=$1
    shift
    rm -f out.dq
    run "-$code" --separate-stderr label "$@" -o out.dq
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" = 1 ]
    [ "$(echo out.dq*)" = "out.dq*" ]
    words=$(sed -E 's/^dq-reward: //; s/127\.0\.0\.1:[0-9]+/SERVER/g; s#SERVER/v1/chat/completions:#SERVER:#' <<<"$stderr")
}

cached() { sqlite3 "$1.db" "$2"; }

@test "answers that hold no judgement: asked twice, kept raw, no label, exit 1" {
    llm_start
    local fault
    for fault in malformed empty-body no-choices binary empty null refusal filtered length unknown-label \
        two-labels prose shorter; do
        llm_clear
        ends 1 "fault-$fault"
        [[ "$words" == "1 of 1 pairs have no label: answers: 1 not to be read "* ]] || { echo "$fault: $words"; false; }
        [ "$(llm_stats '[.requests, .keys] | join(" ")')" = "2 1" ] || { echo "$fault"; llm_stats -c; false; }
        [ "$(cached "fault-$fault" 'select count(*), count(label) from answers')" = "1|0" ]
        case $fault in # what is no completion says nothing of what the server takes
        malformed | empty-body | no-choices | binary) [ "$(cached "fault-$fault" 'select count(*) from facts')" = 0 ] ;;
        esac
        # It is not asked a third time, unless somebody wants it; and it may leave without a label.
        label "fault-$fault" -q --allow-missing | dq-cat --kind transitions > rows
        [ "$(jq -c '[.label, .llm, .reward]' rows)" = "[null,null,null]" ]
        [ "$(llm_stats .requests)" = 2 ]
        label "fault-$fault" -q --allow-missing --retry-unreadable > /dev/null
        [ "$(llm_stats .requests)" -gt 2 ]
    done
}

@test "a page in place of an answer: exit 1 at once with its title, nothing is kept; after an answer it may pass" {
    llm_start
    ends 1 fault-html
    [ "$words" = "SERVER: HTTP 200 with an error: Sign in to the network (a page, and no answer of a model: is OPENAI_BASE_URL right?)" ]
    [ "$(llm_stats .requests)" = 1 ]
    [ "$(cached fault-html 'select (select count(*) from answers) + (select count(*) from facts)')" = 0 ]
}

@test "what may pass is tried again, and costs no label" {
    llm_start
    local fault
    label judge -q | dq-cat --kind transitions > expected
    for fault in 408 409 429 500 503 error-body cut reset close half-closed longer reset-body; do
        label "fault-$fault-1" -q | dq-cat --kind transitions | cmp - expected
    done
    for fault in hang hang-body; do
        label "fault-$fault-1" -q --timeout 2 | dq-cat --kind transitions | cmp - expected
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
        local advice=
        [ "$code" != 401 ] || advice=" (no key was sent (OPENAI_API_KEY, or --key-file FILE))"
        [ "$words" = "SERVER: HTTP $code: the server was told to say $code$advice" ]
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

@test "money that is spent ends the loop of docs/rewards.md: exit 1, the server's words, nobody is asked twice" {
    llm_start
    local plan
    for plan in '"kind": "402", "words": "Insufficient credits"' '"kind": "429", "code": "insufficient_quota", "words": "no more"' \
        '"kind": "429", "body": {"error": "You exceeded your current quota"}' \
        '"kind": "429", "body": {"detail": [{"msg": "Insufficient Balance"}]}'; do
        llm_clear
        llm_fault "{$plan}"
        ends 1 spent --pairs all
        [[ "$words" =~ ^"SERVER: HTTP 4"[02][29]": "("Insufficient credits"|"no more"|"You exceeded your current quota"|"Insufficient Balance")$ ]] || { echo "$words"; false; }
        [ "$(llm_stats .requests)" = 1 ]
    done
}

@test "the address as people write it, and what is said where it is wrong" {
    llm_start
    OPENAI_BASE_URL=$LLM/v1/chat/completions label judge -q > /dev/null
    OPENAI_BASE_URL="$LLM/v1/embeddings?api-version=1" label judge-2 -q > /dev/null
    [ "$(llm_get last | jq -r '.path + " " + .query["api-version"]')" = "/v1/chat/completions 1" ]
    OPENAI_BASE_URL=$LLM ends 1 judge-3
    [ "$words" = "SERVER/chat/completions: HTTP 404: no such path (does OPENAI_BASE_URL lack its /v1?)" ]
    OPENAI_BASE_URL=${LLM/http:/https:}/v1 ends 1 judge-3
    [ "$words" = "SERVER: speaks no TLS (does OPENAI_BASE_URL begin with http://?)" ]
    OPENAI_BASE_URL="$LLM/openai/deployments/gpt?api-version=1" ends 1 judge-3
    [[ "$words" == "SERVER/openai/deployments/gpt/chat/completions: HTTP 404: no such path (for Azure: https://NAME.openai.azure.com/openai/v1, or "*"DQ_API_KEY_HEADER=api-key)" ]]
    llm_fault '{"kind": "400", "body": {"error": {"message": "Unsupported value", "param": "temperature"}}}'
    ends 1 judge-3
    [ "$words" = "SERVER: HTTP 400: Unsupported value (temperature) (--temperature none leaves it out)" ]
}

@test "a proxy of the environment: not for loopback, and named" {
    llm_start
    export http_proxy=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9
    label judge -q > /dev/null
    OPENAI_BASE_URL=http://far.test/v1 ends 75 far --attempts 1
    [[ "$words" == "far.test:80/v1/chat/completions through the proxy SERVER of http_proxy: Couldn't connect to server; "* ]] || { echo "$words"; false; }
    unset http_proxy
    OPENAI_BASE_URL=https://far.test/v1 ends 75 far --attempts 1
    [[ "$words" == "far.test:443/v1/chat/completions through the proxy SERVER of ALL_PROXY: Couldn't connect to server; "* ]] || { echo "$words"; false; }
    NO_PROXY=.test OPENAI_BASE_URL=http://far.test/v1 ends 75 far --attempts 1
    [[ "$words" == "far.test:80/v1/chat/completions: Could not resolve host: far.test; "* ]]
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
    # In a header of another name, and in a path and words of the server's.
    llm_fault "{\"kind\": \"404\", \"body\": [{\"error\": {\"message\": \"no $key here\"}}]}"
    DQ_API_KEY_HEADER=api-key label judge-9 > out.header 2> err.header || true
    grep -q 'HTTP 404: no \*\*\*' err.header
    [ "$(llm_get last | jq -r '.authorization + .api_key')" = "$key" ]
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
