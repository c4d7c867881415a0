#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/your-model.md: the lines under each server's name label two pairs, as they are printed but for the host, against a server
# that takes and refuses what that one does (tests/services/personas.py).

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs sqlite3
    set -o pipefail
    root=$BATS_TEST_DIRNAME/../..
    source "$root"/tests/page.bash
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
    unset OPENAI_BASE_URL OPENAI_API_KEY DQ_API_KEY_HEADER http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
    dq-export -q --users <(head -1 "$root"/data/demo/newcomers.jsonl) --items <(head -20 "$root"/data/demo/jobs.jsonl) -o catalogue.dq
}

teardown() { stop; }

start() { # persona
    mkfifo in out
    python3 "$root"/tests/services/personas.py "$1" "$PWD"/log < in > out 3>&- 4>&- &
    server=$!
    exec {hold}> in
    read -r port < out
}

stop() {
    [ -n "${server:-}" ] || return 0
    exec {hold}>&-
    wait "$server" || true
    server=
}

# The block number N (1) under a heading. A key's dots become its letters, a host the server's.
block() { # heading, N
    page_block "$root"/docs/your-model.md "$1" "${2:-1}" | sed -E "s,https?://[^/ ]+,http://127.0.0.1:$port,; s/…/xyz/"
}

# Runs a block: two pairs get a label, in as many refusals as are said, and a second run asks nothing.
works() { # heading, N, refusals
    block "$1" "$2" > block.sh
    grep -q dq-reward block.sh
    HF_TOKEN=hf_xyz OPENAI_BASE_URL=${default:-} bash -euo pipefail block.sh 2> words || { cat words log; false; }
    dq-cat --kind transitions labelled.dq | jq -se 'length == 2 and all(.label == "IGNORE")'
    [ "$(jq -s 'map(select(.code != 200)) | length' log)" = "${3:-0}" ] || { cat log; false; }
    asked=$(wc -l < log)
    HF_TOKEN=hf_xyz OPENAI_BASE_URL=${default:-} bash -euo pipefail block.sh 2> words
    [ "$(wc -l < log)" = "$asked" ]
}

@test "Ollama" {
    start ollama
    works Ollama
    # what is said of a name that is not there, and of an address without /v1
    block Ollama | sed 's/llama3.1:8b/llama9/; s/rewards.db/other.db/' > other.sh
    run -1 bash other.sh
    [[ $output == *"HTTP 404"*"model 'llama9' not found"* ]]
    block Ollama | sed 's,/v1$,,; s/rewards.db/other.db/' > other.sh
    run -1 bash other.sh
    [[ $output == *"/v1"* ]]
}

@test "llama.cpp" {
    start llama.cpp
    works llama.cpp
    dq-cat --kind transitions labelled.dq | jq -se 'all(.soft == 1)'
}

@test "llama-cpp-python: one question finds out that the schema goes into json_object" {
    start llama-cpp-python
    works llama-cpp-python 1 1
    jq -se '(.[0].form == "json_schema") and (.[1:] | all(.form == "json_object"))' log
    dq-cat --kind transitions labelled.dq | jq -se 'all(.soft == 1)'
}

@test "vLLM" {
    start vllm
    works vLLM
    dq-cat --kind transitions labelled.dq | jq -se 'all(.soft == 1)'
}

@test "LM Studio" {
    start lm-studio
    works "LM Studio"
}

@test "OpenRouter" {
    start openrouter
    works OpenRouter
}

@test "Azure: the address of today, and the older one" {
    start azure
    works Azure
    stop
    rm -f in out log rewards.db
    start azure-classic
    works Azure 2
    jq -se 'all(.key == "api-key")' log
}

@test "OpenAI, also a model that thinks" {
    start openai
    default=http://127.0.0.1:$port/v1
    works OpenAI
    stop
    rm -f in out log rewards.db
    start openai-thinks
    default=http://127.0.0.1:$port/v1
    works OpenAI 2
    block OpenAI 2 | sed 's/--temperature none//; s/rewards.db/other.db/' > other.sh
    OPENAI_BASE_URL=$default run -1 bash other.sh
    [[ $output == *"--temperature none"* ]]
}

@test "Hugging Face's router, with HF_TOKEN as the key" {
    start hugging-face
    works "Hugging Face"
}

@test "every server of the page's table has its lines here" {
    grep -oE '^\| \[[^]]+' "$root"/docs/your-model.md | cut -c4- > named
    [ "$(wc -l < named)" -ge 9 ]
    while read -r name; do
        grep -q "^## $name$" "$root"/docs/your-model.md
        grep -qE "works \"?$name" "$BATS_TEST_FILENAME"
    done < named
}
