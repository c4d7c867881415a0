# SPDX-License-Identifier: MIT
# dq-reward asking a model: thirty-two processes over one cache, labellers that are killed at any moment, budgets.
# Requests are counted at the server. For suites that source this file after tests/services/llm.bash: one whose cache is
# a file, and one whose cache is a server's database. STORM=full: 10,000 prompts.
#
# The suite sets `cache`, and says what differs: says SQL, sound and fresh as for tests/cache_storms.bash, and
#
#   keys_match   true when every answer's key is its request's

llm_storm_size() {
    pids=()
    if [ "${STORM:-}" = full ]; then catalogue 100 100; else catalogue 40 40; fi
}

llm_storm_end() {
    [ -z "${pids[*]}" ] || kill -KILL "${pids[@]}" 2> /dev/null || true
    llm_stop
}

# catalogue USERS ITEMS: catalogue.dq, and $keys prompts of one stage.
catalogue() {
    keys=$(($1 * $2)) items=$2
    seq "$1" | sed 's/.*/{"id": "u&", "text": {"bio": "engineer number &", "skills": "welding & parts"}}/' > users.jsonl
    seq "$2" | sed 's/.*/{"id": "i&", "text": {"title": "post &", "description": "work of kind & in a shop"}}/' > items.jsonl
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl -o catalogue.dq
}

# label ARGUMENT...: the labeller, one question a pair.
options=(-q --strategy llm --model judge --stages 1)
label() { "$BUILD"/dq-reward "${options[@]}" --cache "$cache" "$@" catalogue.dq; }

# start SLOT ARGUMENT...: the same in the background, into out.SLOT.dq; pids[SLOT] is the program's own.
start() {
    local slot=$1
    shift
    "$BUILD"/dq-reward "${options[@]}" --cache "$cache" "$@" catalogue.dq > out.$slot.dq 2> words.$slot 3>&- &
    pids[slot]=$!
}

# reference: plain.dq, what one undisturbed process gives, with a cache of its own.
reference() {
    label --pairs all --parallel 16 -o plain.dq
    fresh
    llm_clear
}

same() { cmp <(zstd -dcq "$1") <(zstd -dcq "$2"); }
labels() { "$BUILD"/dq-cat --kind transitions "$1" | jq -r '[.user, .item, .label] | @tsv'; }

# The cache is whole, all that was granted has an outcome, and every answer's key is its request's.
whole() {
    sound
    [ "$(says 'SELECT (SELECT count(*) FROM claims) + (SELECT count(*) FROM owners) + (SELECT count(*) FROM flights)')" = 0 ]
    [ "$(says 'SELECT calls - answered - failed - lost FROM ledger')" = 0 ]
    keys_match
}

# kill_soon PID: kills it after a moment; waits until it is gone.
kill_soon() {
    sleep "0.0$((RANDOM % 8))$((RANDOM % 10))"
    kill -KILL "$1" 2> /dev/null || true
    wait "$1" 2> /dev/null || true
}

# Thirty-two processes, overlapping prompts: as many calls as there are questions.
storm_of_labellers() {
    llm_start
    for seed in {1..32}; do start "$seed" --pairs random:$((items * 2 / 5)) --seed "$seed"; done
    for pid in "${pids[@]}"; do wait "$pid"; done
    [ "$(llm_stats .requests)" = "$keys" ]
    [ "$(llm_stats .keys)" = "$keys" ]
    [ "$(says 'SELECT count(*) FROM answers')" = "$keys" ]
    pairs=$((32 * keys * 2 / 5))
    [ "$(says 'SELECT calls, answered, hits FROM ledger')" = "$keys|$keys|$((pairs - keys))" ]
    for out in out.*.dq; do labels "$out"; done > all
    [ "$(wc -l < all)" = "$pairs" ]
    [ "$(sort -u all | wc -l)" = "$keys" ] # all say the same of a pair
    whole
}

# Processes killed at random and begun again: no label lost, a repeat at most for what was in flight.
storm_of_killed_labellers() {
    parallel=4 kills=0
    llm_start
    reference
    llm_stop
    llm_start --delay 0.02
    for slot in {0..7}; do start $slot --pairs all --parallel $parallel; done
    for _ in {1..40}; do
        slot=$((RANDOM % 8))
        ! kill -0 "${pids[slot]}" 2> /dev/null || kills=$((kills + 1))
        kill_soon "${pids[slot]}"
        start $slot --pairs all --parallel $parallel
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    for slot in {0..7}; do same out.$slot.dq plain.dq; done
    # Every repeat has a call that was in flight when its process was killed: on the wire, or answered and not yet
    # stored; a labeller claims twice as many as it has on the wire.
    echo "$kills kills, $(llm_stats .requests) requests for $keys questions"
    [ "$(llm_stats .keys)" = "$keys" ]
    [ "$(llm_stats .requests)" -le $((keys + kills * 2 * parallel)) ]
    [ "$(llm_stats .requests)" -le "$((keys + $(says 'SELECT lost FROM ledger')))" ]
    [ "$(says 'SELECT count(*) FROM answers')" = "$keys" ]
    whole
}

# One labeller killed 200 times: the stream is the same, byte by byte.
storm_of_one_labeller() {
    parallel=8
    llm_start
    reference
    llm_stop
    llm_start --delay 0.02
    for _ in {1..200}; do
        start 0 --pairs all --parallel $parallel
        kill_soon "${pids[0]}"
        [ ! -s words.0 ] || { cat words.0; false; }
        [ ! -e /proc/"${pids[0]}" ]
    done
    label --pairs all --parallel $parallel > out.dq
    same out.dq plain.dq
    [ "$(llm_stats .keys)" = "$keys" ]
    [ "$(llm_stats .requests)" -le $((keys + 200 * 2 * parallel)) ]
    [ "$(llm_stats .requests)" -le "$((keys + $(says 'SELECT lost FROM ledger')))" ]
    echo "$(llm_stats .requests) requests for $keys questions"
    whole
}

# A budget of requests holds over eight processes.
storm_of_spenders() {
    llm_start --delay 0.002
    for slot in {1..8}; do start $slot --pairs all --parallel 4 --max-requests 100; done
    for pid in "${pids[@]}"; do
        got=0
        wait "$pid" || got=$?
        [ $got = 75 ]
    done
    cat words.*
    [ "$(llm_stats .requests)" -le 108 ]
    [ "$(llm_stats .requests)" -gt 90 ]
    [ "$(says 'SELECT count(*) FROM answers')" = "$(llm_stats .requests)" ]
    for slot in {1..8}; do run ! "$BUILD"/dq-cat --check out.$slot.dq; done
    had=$(says 'SELECT count(*) FROM answers')
    llm_clear
    label --pairs all --parallel 16 -o out.dq
    [ "$(llm_stats .requests)" = $((keys - had)) ]
    whole
}
