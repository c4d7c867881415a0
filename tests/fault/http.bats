#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The HTTP client alone (port/http/http.h, through tests/services/http_post), against a server that misbehaves on command: what
# is tried again and what is not, how long it waits (lower bounds, by the server's clock), what it counts, what it says.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"
load ../services/llm

setup() {
    needs openssl
    cd "$BATS_TEST_TMPDIR"
    unset OPENAI_API_KEY SSL_CERT_FILE CURL_CA_BUNDLE
    body='{"model": "judge", "messages": [{"role": "user", "content": "question %u"}]}'
}

teardown() {
    llm_stop
    if [ -n "${other_pid:-}" ]; then
        kill "$other_pid" 2>/dev/null || true
    fi
}

post() { "$BUILD"/services/http_post "$@"; }

# asks MODEL [OPTION...]: one question to a model, which names the fault; the answer's line in $output.
asks() {
    local model=$1
    shift
    run post "$@" chat/completions "${body/judge/$model}"
}

# The last line, without the server's name, its port and the path that was asked: STATUS CODE ATTEMPTS REASON.
outcome() {
    sed -E 's/^0 ([a-z]+) ([0-9]+) ([0-9]+) [0-9]+ /\1 \2 \3 /; s/127\.0\.0\.1:[0-9]+/SERVER/g; s#SERVER/v1/chat/completions:#SERVER:#' <<<"${lines[-1]}"
}

# comes MODEL OUTCOME [OPTION...]
comes() {
    local model=$1 expected=$2
    shift 2
    asks "$model" "$@"
    [ "$(outcome)" = "$expected" ] || { echo "$model: $output"; false; }
}

@test "an answer, and what the server saw" {
    llm_start
    comes judge "ok 200 1 -"
    [ "$(llm_get last | jq -r '.path + " " + .content_type + " " + .user_agent + " " + .authorization')" = \
        "/v1/chat/completions application/json dq " ]
    [ "$(llm_get last | jq -c .body.messages)" = '[{"role":"user","content":"question 0"}]' ]
}

@test "each question once, at most N in flight, over as many connections" {
    llm_start --delay 0.01
    local before
    before=$(llm_stats .connections)
    post --parallel 8 --repeat 200 chat/completions "$body" > out
    [ "$(grep -c ' ok 200 1 ' out)" = 200 ]
    [ "$(llm_stats '[.requests, .keys, .answered, .most_of_a_key] | join(" ")')" = "200 200 200 1" ]
    [ "$(llm_stats .in_flight_most)" -le 8 ]
    [ "$(llm_stats '.connections - 3 - '"$before")" -le 8 ]
}

@test "what may pass is tried again" {
    llm_start
    local fault
    for fault in 408 409 429 500 502 503 504 cut reset close half-closed longer reset-body; do
        comes "fault-$fault-2" "ok 200 3 -"
    done
    comes fault-hang-1 "ok 200 2 -" --timeout 2
    comes fault-hang-body-1 "ok 200 2 -" --timeout 2
}

@test "what will not pass is asked once" {
    llm_start
    local code
    for code in 400 401 402 403 404 405 410 413 415 422; do
        comes fault-$code "unsupported $code 1 SERVER: HTTP $code: the server was told to say $code"
    done
    comes fault-redirect \
        "unsupported 307 1 SERVER: HTTP 307 redirects to http://SERVER/v1/elsewhere; redirects are not followed"
    comes fault-not-http "unsupported 0 1 SERVER: does not speak HTTP"
    [ "$(llm_stats .most_of_a_key)" = 1 ]
    [ "$(llm_stats .requests)" = 12 ]
}

@test "a 2xx is an answer, whatever its body" {
    llm_start
    local fault
    for fault in malformed html error-body empty-body no-choices binary empty null refusal filtered length prose; do
        comes "fault-$fault" "ok 200 1 -"
    done
    asks fault-empty-body
    [[ "${lines[0]}" == "0 ok 200 1 0 -" ]]
}

@test "attempts are bounded, and the last failure is told" {
    llm_start
    comes fault-503 "io 503 4 SERVER: HTTP 503: the server was told to say 503" --attempts 4 --backoff 0.01
    comes fault-cut "io 0 2 SERVER: closed the connection in the middle of an answer" --attempts 2
    comes fault-close "io 0 2 SERVER: closed the connection without an answer" --attempts 2
    comes fault-half-closed "io 0 2 SERVER: closed the connection without an answer" --attempts 2
    comes fault-hang "io 0 2 SERVER: no whole answer within 0.2 s" --attempts 2 --timeout 0.2
    comes fault-longer "io 0 1 SERVER: closed the connection in the middle of an answer" --attempts 1
    [ "$(llm_stats .most_of_a_key)" = 4 ]
}

@test "a body beyond the limit, one without an end, one longer than announced" {
    llm_start
    comes judge "io 0 1 SERVER: the answer is longer than 100 bytes" --body-most 100
    comes fault-endless "io 0 1 SERVER: the answer is longer than 1000000 bytes" --body-most 1000000
    asks judge
    local whole=${lines[0]}
    asks fault-shorter
    # Ten bytes less (and a model of eight more): cut where the server said that it ends. What is behind is nobody's answer.
    [ "$(cut -d' ' -f5 <<<"${lines[0]}")" = $(($(cut -d' ' -f5 <<<"$whole") - 2)) ]
    [ "$(outcome)" = "ok 200 1 -" ]
    # Nor is it the beginning of the next answer.
    llm_clear
    llm_fault '{"kind": "shorter", "rate": 0.5}'
    post --parallel 4 --repeat 300 --bodies --backoff 0.01 chat/completions "${body/judge\"/judge%u\"}" > out
    [ "$(llm_stats '[.requests, .keys] | join(" ")')" = "300 300" ]
    awk '/^failed/ { next } /^[0-9]/ { tag = $1; n++; next } !index($0, "\"model\":\"judge" tag "\"") { bad = 1 } END { exit bad || n != 300 }' out
}

@test "back-off doubles, from half to the whole of it" {
    llm_start
    comes fault-503-3 "ok 200 4 -" --backoff 0.2
    llm_log '[.[].began] | [.[1] - .[0] >= 0.1, .[2] - .[1] >= 0.2, .[3] - .[2] >= 0.4] | all' | grep -qx true
    [ "$(llm_log length)" = 4 ]
}

@test "Retry-After in seconds and as a date" {
    llm_start
    comes "fault-503-1@1" "ok 200 2 -"
    comes "fault-429-1@1" "ok 200 2 -"
    comes "fault-503-1@date:2" "ok 200 2 -"
    comes "fault-503-1@soon" "ok 200 2 -"
    [ "$(llm_stats .early)" = 0 ]
    llm_log '[.[].began] | [.[1] - .[0] >= 1, .[3] - .[2] >= 1, .[5] - .[4] >= 1] | all' | grep -qx true
    [ "$(llm_log length)" = 8 ]
}

@test "Retry-After beyond the limit: the server is given up, and says why" {
    llm_start
    asks "fault-429@121"
    [ "$(outcome)" = "io 429 1 SERVER: HTTP 429, to come back in 121 s: the server was told to say 429" ]
    asks "fault-503@3600" --retry-after-most 3599
    [ "$(outcome)" = "io 503 1 SERVER: HTTP 503, to come back in 3600 s: the server was told to say 503" ]
    [ "$(llm_stats .requests)" = 2 ]
    # The others are not sent at all.
    llm_clear
    run post --parallel 1 chat/completions "${body/judge/fault-503@500}" "$body" "$body"
    [ "$(llm_stats .requests)" = 1 ]
    [[ "${lines[-1]}" == "2 io 0 0 0 127.0.0.1:$LLM_PORT/v1/chat/completions: HTTP 503, to come back in 500 s: the server was told to say 503, which is too long" ]]
}

@test "a 429 pauses all requests" {
    llm_start
    llm_fault '[{"kind": "429", "times": 1, "retry_after": "1"}, {"kind": "delay", "delay": 0.2}]'
    post --parallel 4 --repeat 12 chat/completions "$body" > out
    [ "$(grep -c ' ok 200 ' out)" = 12 ]
    # Only what was in flight already comes before its time.
    [ "$(llm_log '(map(select(.code == 429))[0].began + 1) as $back | map(select(.began < $back)) | length')" -le 4 ]
    [ "$(llm_log length)" = 13 ]
}

@test "a server with a limit of its own: fewer are in flight, all are answered" {
    llm_start --delay 0.005
    llm_fault '{"kind": "429", "rate": 0.2}'
    post --parallel 32 --repeat 200 --backoff 0.02 --attempts 20 --failures 1000 chat/completions "$body" > out
    [ "$(grep -c ' ok 200 ' out)" = 200 ]
    [ "$(llm_stats .answered)" = 200 ]
}

@test "after N failures in a row the server is down: nothing more is sent" {
    llm_start
    run post --parallel 1 --failures 3 --backoff 0.01 --repeat 20 chat/completions "${body/judge/fault-500}"
    [ "$(llm_stats .requests)" = 3 ]
    [ "$(grep -c ' io ' <<<"$output")" = 20 ]
    [[ "${lines[-1]}" == *": HTTP 500: the server was told to say 500 (3 failures in a row)" ]]
}

@test "what dies together counts once" {
    llm_start --delay 0.05
    llm_fault '{"kind": "close", "times": 16}'
    run post --parallel 16 --failures 3 --backoff 0.05 --repeat 32 chat/completions "$body"
    [ "$(grep -c ' ok 200 ' <<<"$output")" = 32 ]
}

@test "nobody listens, and then somebody does" {
    llm_start
    local port=$LLM_PORT
    llm_stop
    run post --attempts 2 chat/completions "$body"
    [ "${lines[-1]}" = "0 io 0 2 0 127.0.0.1:$port/v1/chat/completions: Couldn't connect to server" ]
    post --attempts 100 --failures 100 --backoff 0.1 --backoff-most 0.1 chat/completions "$body" > out &
    other_pid=$!
    until grep -q failed out; do :; done
    llm_start --port "$port"
    wait "$other_pid"
    grep -q ' ok 200 ' out
}

@test "every attempt is one request on the wire, also where a connection was used before" {
    llm_start
    llm_fault '[{"kind": "close", "rate": 0.2}, {"kind": "reset", "rate": 0.1}, {"kind": "cut", "rate": 0.1}]'
    post --parallel 8 --repeat 300 --backoff 0.01 --attempts 30 --failures 1000 chat/completions "$body" > out
    [ "$(grep -c ' ok 200 ' out)" = 300 ]
    [ "$(llm_stats .requests)" = "$(awk '$2 == "ok" { n += $4 } END { print n }' out)" ]
    [ "$(llm_stats .faults)" = "$(grep -c '^failed' out)" ]
    [ "$(llm_stats .faults)" -gt 50 ]
}

@test "the budget is asked before every attempt" {
    llm_start
    post --parallel 2 --budget 5 --repeat 8 chat/completions "$body" > out
    [ "$(grep -c ' ok 200 ' out)" = 5 ]
    [ "$(grep -c ' stopped 0 0 0 the budget is spent' out)" = 3 ]
    [ "$(llm_stats .requests)" = 5 ]
    llm_clear
    comes fault-500 "stopped 0 2 the budget is spent" --budget 2 --backoff 0.01
    [ "$(llm_stats .requests)" = 2 ]
}

@test "requests and tokens a minute" {
    llm_start
    run post --rpm 3 --repeat 5 --wait 0.5 chat/completions "$body"
    [ "${lines[-1]}" = "pending 2" ]
    [ "$(llm_stats .requests)" = 3 ]
    llm_clear
    run post --tpm 50 --repeat 5 --wait 0.5 chat/completions "$body" # of 20 tokens each
    [ "${lines[-1]}" = "pending 3" ]
    [ "$(llm_stats .requests)" = 2 ]
}

@test "the key is in a header and in no message, also where the server repeats it" {
    export OPENAI_API_KEY=sk-proj-0123456789-secret
    local key=$OPENAI_API_KEY
    llm_start --key another
    OPENAI_API_KEY=$key run post --bodies chat/completions "$body"
    [ "$(llm_get last | jq -r .authorization)" = "Bearer $key" ]
    [[ "$output" == *"unsupported 401"* && "$output" == *"Incorrect API key provided: Bearer ****"* ]]
    [[ "$output" != *secret* ]]
    llm_stop
    llm_start --key "$key"
    OPENAI_API_KEY=$key comes judge "ok 200 1 -"
    OPENAI_API_KEY=$key run post --bodies chat/completions "${body/judge/$key}"
    [[ "$output" != *secret* && "$output" == *'"model":"*****'* ]]
    # A word that is the key of a local server stays a word.
    llm_stop
    llm_start --key ollama
    OPENAI_API_KEY=ollama run post --bodies chat/completions "${body/judge/ollama}"
    [[ "$output" == *'"model":"ollama"'* ]]
    OPENAI_API_KEY=$'sk-1\nX-Evil: 1' run -1 post chat/completions "$body"
    [ "$output" = "new: the key holds a character that no key has" ]
}

@test "addresses that are none, or hold secrets" {
    local address
    for address in ftp://127.0.0.1/v1 127.0.0.1:8080 file:///etc/passwd "http://" "" "http://a b/"; do
        OPENAI_BASE_URL=$address run -1 post chat/completions "$body"
        [ "$output" = "new: the server's address is not http://HOST... or https://HOST..." ]
    done
    OPENAI_BASE_URL=http://me:secret@127.0.0.1/v1 run -1 post chat/completions "$body"
    [ "$output" = "new: the server's address may not hold a name or a password" ]
    OPENAI_BASE_URL=http://127.0.0.1/v1#secret run -1 post chat/completions "$body"
    [ "$output" = "new: the server's address may not hold a fragment (#...)" ]
    llm_start
    OPENAI_BASE_URL=$LLM/v1/// comes judge "ok 200 1 -"
    OPENAI_BASE_URL=http://no-such-host.invalid/v1 run post --attempts 1 chat/completions "$body"
    [[ "${lines[-1]}" == "0 io 0 1 0 no-such-host.invalid:80/v1/chat/completions: Could not resolve host: no-such-host.invalid" ]]
}

@test "a query goes behind the path, a key in the header that is named" {
    export OPENAI_API_KEY=sk-proj-0123456789-secret
    local key=$OPENAI_API_KEY
    llm_start
    export OPENAI_API_KEY=$key DQ_API_KEY_HEADER=api-key OPENAI_BASE_URL="$LLM/v1/?api-version=2024-10-21&code=hush-hush"
    comes judge "ok 200 1 -"
    llm_get last | jq -e --arg key "$key" '.path == "/v1/chat/completions" and .query == {"api-version": "2024-10-21", "code": "hush-hush"} and
        .authorization == "" and .api_key == $key'
    # No message has the key or the query's secret, whoever repeats them.
    llm_fault '{"kind": "404", "words": "no path for sk-proj-0123456789-secret at ?api-version=2024-10-21&code=hush-hush"}'
    asks judge --bodies
    [[ "$output" == *"/v1/chat/completions: HTTP 404: no path for *"* && "$output" == *"api-version=2024-10-21"* ]]
    [[ "$output" != *secret* && "$output" != *hush* ]]
    DQ_API_KEY_HEADER='X-Evil: 1' run -1 post chat/completions "$body"
    [ "$output" = "new: the key's header is not a header's name, as api-key is" ]
}

@test "what is spent does not come back by waiting: asked once, in the server's words" {
    llm_start
    local code
    for code in insufficient_quota billing_hard_limit_reached exceeded_current_quota_error; do
        llm_fault "{\"kind\": \"429\", \"times\": 1, \"code\": \"$code\", \"words\": \"no more\"}"
        comes judge "unsupported 429 1 SERVER: HTTP 429: no more"
        llm_fault "{\"kind\": \"429\", \"times\": 1, \"type\": \"$code\", \"words\": \"no more\"}"
        comes judge "unsupported 429 1 SERVER: HTTP 429: no more"
    done
    llm_fault '{"kind": "429", "times": 1, "words": "You exceeded your current quota, please check your plan and billing details."}'
    comes judge "unsupported 429 1 SERVER: HTTP 429: You exceeded your current quota, please check your plan and billing details."
    # The same words about a minute.
    llm_fault '{"kind": "429", "times": 1, "words": "You exceeded your current quota. Please retry in 1s."}'
    comes judge "ok 200 2 -"
}

@test "loopback is asked directly; elsewhere a proxy is named, and asked" {
    llm_start
    export http_proxy=http://me:secret@127.0.0.1:9
    comes judge "ok 200 1 -"
    OPENAI_BASE_URL=http://localhost:$LLM_PORT/v1 comes judge "ok 200 1 -"
    OPENAI_BASE_URL=http://far.test/v1 run post --attempts 1 chat/completions "$body"
    [ "${lines[-1]}" = "0 io 0 1 0 far.test:80/v1/chat/completions through the proxy 127.0.0.1:9 of http_proxy: Couldn't connect to server" ]
    no_proxy=test OPENAI_BASE_URL=http://far.test/v1 run post --attempts 1 chat/completions "$body"
    [[ "${lines[-1]}" == *" far.test:80/v1/chat/completions: Could not resolve host: far.test" ]]
    # The server stands for a proxy: it is given the whole address.
    http_proxy=http://127.0.0.1:$LLM_PORT OPENAI_BASE_URL=http://far.test/v1 comes judge "ok 200 1 -"
    # A tunnel for TLS that is refused is not tried again.
    http_proxy=http://127.0.0.1:$LLM_PORT OPENAI_BASE_URL=https://far.test/v1 run post --attempts 3 chat/completions "$body"
    [[ "${lines[-1]}" == "0 unsupported 0 1 0 far.test:443/v1/chat/completions through the proxy 127.0.0.1:$LLM_PORT of http_proxy: "* ]]
    [[ "$output" != *secret* ]]
}

certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test \
        -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null
}

@test "TLS is verified, by the system's certificates or those that the user names" {
    certificate
    llm_start --certificate cert.pem --certificate-key key.pem
    run post chat/completions "$body"
    [[ "${lines[-1]}" == "0 unsupported 0 1 0 localhost:$LLM_PORT/v1/chat/completions: SSL certificate problem: self-signed certificate" ]]
    SSL_CERT_FILE=cert.pem run post chat/completions "$body"
    [ "$(cut -d' ' -f2-4 <<<"${lines[-1]}")" = "ok 200 1" ]
    # The right certificate of another host.
    SSL_CERT_FILE=cert.pem OPENAI_BASE_URL=https://127.0.0.1:$LLM_PORT/v1 run post chat/completions "$body"
    [[ "${lines[-1]}" == "0 unsupported 0 1 0 127.0.0.1:$LLM_PORT/v1/chat/completions: SSL: no alternative certificate subject name matches"* ]]
    SSL_CERT_FILE=absent.pem run post chat/completions "$body"
    [[ "${lines[-1]}" == "0 unsupported 0 1 0 localhost:$LLM_PORT/v1/chat/completions: "*absent.pem* ]]
    [ "$(llm_stats .requests)" = 1 ]
}

@test "HTTP/2 where it is offered: many requests, one connection" {
    command -v node >/dev/null || skip "no node, which has the HTTP/2 server"
    certificate
    mkfifo in out
    node "$BATS_TEST_DIRNAME"/../services/http2_server.js cert.pem key.pem < in > out 3>&- &
    other_pid=$!
    exec {pipe}> in
    local port
    read -r port < out
    OPENAI_BASE_URL=https://localhost:$port/v1 SSL_CERT_FILE=cert.pem \
        run post --parallel 16 --repeat 64 --bodies chat/completions "$body"
    [ "$(grep -c ' ok 200 1 ' <<<"$output")" = 64 ]
    [ "$(grep -c '"version":"2.0","connection":1,' <<<"$output")" = 64 ]
    exec {pipe}>&-
}
