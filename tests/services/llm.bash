# SPDX-License-Identifier: MIT
# The language-model server, for tests that source this file:
#
#   setup()    { llm_start --delay 0.05; }      sets LLM (http://127.0.0.1:PORT), OPENAI_BASE_URL ($LLM/v1), LLM_PID
#   teardown() { llm_stop; }                    also when the test failed
#   llm_stats .requests                         a counter (jq's words)
#   llm_fault '{"kind": "429", "times": 2}'     what shall go wrong
#   llm_clear                                   forgets counters and faults
#
# The server also ends when the test that started it is gone: its stdin is a pipe that only the test holds open.

llm_start() {
    local folder
    folder=$(mktemp -d "${BATS_TEST_TMPDIR:-${TMPDIR:-/tmp}}/llm.XXXXXX")
    mkfifo "$folder/in" "$folder/out"
    "$BUILD"/services/llm_server "$@" < "$folder/in" > "$folder/out" 3>&- 4>&- 2> "$folder/err" &
    LLM_PID=$!
    exec {LLM_IN}> "$folder/in"
    read -r LLM_PORT < "$folder/out" || { cat "$folder/err" >&2; return 1; }
    LLM=http://127.0.0.1:$LLM_PORT
    case " $* " in *" --certificate "*) LLM=https://localhost:$LLM_PORT ;; esac
    export OPENAI_BASE_URL=$LLM/v1
    unset OPENAI_API_KEY http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
}

llm_stop() {
    [ -n "${LLM_PID:-}" ] || return 0
    kill "$LLM_PID" 2>/dev/null || true
    wait "$LLM_PID" 2>/dev/null || true
    exec {LLM_IN}>&-
    LLM_PID=
}

llm_get() { curl -sSfk "$LLM/$1"; }
llm_stats() { llm_get stats | jq -r "${1:-.}"; }
llm_log() { llm_get log | jq -r "${1:-.}"; }
llm_fault() { curl -sSfk -o /dev/null --data "$1" "$LLM/faults"; }
llm_clear() { curl -sSfk -o /dev/null --data '' "$LLM/clear"; }
