#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-sim: synthetic users and items as streams, the list of environments, what it refuses. (Its distributions are unit/synthetic's; a
# served environment is cli/train_env's.)

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs python3-msgpack python3-numpy python3-zstandard
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
}

sim() { "$BUILD"/dq-sim --quiet "$@"; }

@test "synthetic users, interactions, items, sound for both readers" {
    sim --users 120 --items 30 -o p.dq
    "$BUILD"/dq-cat --check p.dq
    /usr/bin/python3 "$BATS_TEST_DIRNAME"/../read_stream.py p.dq > second
    "$BUILD"/dq-cat p.dq > first
    [ "$(wc -l < first)" = "$(wc -l < second)" ]
    jq -es 'map(select(.kind == "users")) | length == 120 and (map(.id) == (map(.id) | sort))' first
    jq -es 'map(select(.kind == "items")) | length == 30' first
    jq -es 'map(select(.kind == "users"))[0] | .vector | map_values(length) ==
        {preferences: 10, seasons: 4, market: 6, profile: 10, segment: 5, taste: 15}' first
    jq -es 'map(select(.kind == "users")) | all(.age >= 16 and .income > 0 and
        (.preferences | length == 10 and ((add - 1) * 1e6 | fabs) < 1))' first
    jq -es 'map(select(.kind == "interactions")) | length > 500 and
        all((.time | test("^202[34]-[01][0-9]-[0-3][0-9]T[0-9:]{8}Z$")) and ((.rating != null) == (.label == "RATING")))' first
}

@test "the same seed gives the same bytes, by any number of threads; another seed does not" {
    sim --users 50 -t 1 -o a.dq
    sim --users 50 -t 3 | zstd -dcq > b
    zstd -dcq a.dq | cmp - b
    sim --users 50 --seed 43 | zstd -dcq > c
    run ! cmp -s b c
}

@test "a total of interactions is kept" {
    sim --users 50 --interactions 777 | "$BUILD"/dq-cat --count | grep -qx 'interactions	777'
}

@test "other programs take it: labels become transitions, and items are ranked by pairs of fields" {
    sim --users 20 --items 15 -o p.dq
    "$BUILD"/dq-reward --strategy logged --map VIEW=0,CLICK=0.2,PURCHASE=1,RATING=1 p.dq > t.dq
    "$BUILD"/dq-cat --check t.dq
    "$BUILD"/dq-rank --by cosine -k 3 --format tsv --no-header p.dq > ranked
    [ "$(grep -c '^u' ranked)" = 60 ]
    "$BUILD"/dq-cat --since 2024-01-01 p.dq | jq -es 'map(select(.time)) | length > 0 and all(.time >= "2024")'
}

@test "the list has every environment and option" {
    sim --list > list
    for kind in session sequence films maze chain cartpole graph linear; do grep -q "^$kind: " list; done
    grep -q '^  similarity=0	' list
}

# What the second reader reads: [id, [numbers of the vector]] of a kind, whose 9 digits tell floats apart.
entities() { # stream, kind
    /usr/bin/python3 "$BATS_TEST_DIRNAME"/../read_stream.py "$1" |
        jq -c --arg kind "$2" 'select(.kind == $kind) | [.id, (.vector | if type == "object" then [.[]] | add else . end)]'
}

@test "--catalogue: an environment's users and items, which its states begin with and its actions are" {
    for env in session:users=120,items=30 session:users=120,items=30,generated=1,world=7 films:users=120,films=30; do
        sim "$env" --catalogue -o c.dq
        "$BUILD"/dq-cat --check c.dq
        [ "$("$BUILD"/dq-cat --count c.dq)" = $'users\t120\nitems\t30' ]
        entities c.dq users > users
        entities c.dq items > items
        jq -es 'map(.[0]) == [range(120) | tostring | "u" + "000"[length:] + .]' users
        jq -es 'map(.[0]) == [range(30) | tostring | "i" + "00"[length:] + .]' items
        "$BUILD"/dq-train --quiet --env "$env" --agent dqn --hidden 4 --total-steps 1 --warmup 1 --batch 1 -o m.dq
        /usr/bin/python3 "$BATS_TEST_DIRNAME"/../read_stream.py m.dq | jq -c 'select(.name == "actions") | .data' > actions
        jq -es --slurpfile actions actions 'map(.[1]) | add == $actions[0]' items
        sim "$env" --play 30 -o log.dq
        "$BUILD"/dq-cat log.dq | jq -c 'select(.step == 0) | .state' > states
        jq -es --slurpfile users users 'length == 30 and ($users[0][1] | length) as $width | ($users | map(.[1])) as $all |
            all(.[:$width] as $u | $all | index([$u]) != null)' states
        ! cmp -s <(sim "${env/users=120/users=120,world=8}" --catalogue | zstd -dcq) <(zstd -dcq c.dq)
    done
}

@test "synthetic users with an environment's counts, its world as the seed, has its users and items; and both by default" {
    sim --users 120 --items 30 --seed 7 -o synthetic.dq
    sim session:users=120,items=30,generated=1,world=7 --catalogue -o catalogue.dq
    for kind in users items; do
        cmp <(entities synthetic.dq $kind) <(entities catalogue.dq $kind)
        jq -es 'length >= 30' <(entities catalogue.dq $kind)
    done
    "$BUILD"/dq-rank --by cosine -k 3 --format tsv --no-header catalogue.dq > ranked
    "$BUILD"/dq-rank --by cosine -k 3 --format tsv --no-header synthetic.dq | cmp - ranked
    sim -o synthetic.dq
    sim session:generated=1 --catalogue -o catalogue.dq
    cmp <(entities synthetic.dq items) <(entities catalogue.dq items)
    cmp <(entities synthetic.dq users) <(entities catalogue.dq users)
}

@test "--play: episodes as transitions, the same whatever the threads; any action equally likely" {
    sim sequence --play 40 -o log.dq
    "$BUILD"/dq-cat --check log.dq
    sim sequence --play 40 -t 3 | zstd -dcq | cmp - <(zstd -dcq log.dq)
    run ! cmp -s <(sim sequence --play 40 --seed 1 | zstd -dcq) <(zstd -dcq log.dq)
    "$BUILD"/dq-cat log.dq > rows
    jq -es 'map(.episode) | unique == [range(40)]' rows
    jq -es 'group_by(.episode) | all((map(.step) == [range(length)]) and (.[:-1] | all(.done + .truncated == 0)) and
        (.[-1] | .done + .truncated == 1))' rows
    jq -es '[.[:-1], .[1:]] | transpose | map(select(.[0].episode == .[1].episode)) |
        length > 100 and all(.[0].next_state == .[1].state)' rows
    jq -es 'all((.propensity * 6 - 1 | fabs) < 1e-6) and (map(.choice) | unique == [range(6)])' rows
    jq -es 'all((.state | index(1)) as $at | (.reward == 1) == (.choice == $at))' rows
}

@test "--play --model: the agent's actions, with how likely each was; a log to learn from" {
    train=("$BUILD/dq-train" --quiet)
    "${train[@]}" --env sequence --preset sequence-dqn --episodes 150 -o agent.dq
    sim sequence --play 5 --model agent.dq | "$BUILD"/dq-cat > greedy
    jq -es 'map(.choice) == [range(5) | range(5)] and all(.propensity == 1)' greedy
    sim sequence --play 200 --model agent.dq --epsilon 0.3 -o log.dq
    "$BUILD"/dq-cat log.dq | jq -es 'map(select(.choice == (.state | index(1)))) as $right | ($right | length) as $n |
        ($right | all((.propensity - .75 | fabs) < 1e-6)) and ($n / length > .7) and ($n / length < .8) and
        (map(select(.choice != (.state | index(1)))) | all((.propensity - .05 | fabs) < 1e-6))'
    "${train[@]}" --offline --agent dqn --hidden 32 --epochs 20 --lr 5e-3 --gamma 0.9 -o learnt.dq log.dq
    sim sequence --play 1 --model learnt.dq | "$BUILD"/dq-cat | jq -es 'map(.choice) == [range(5)]'
}

@test "conservative learning values what a log never tried below what it tried, though that was bad" {
    train=("$BUILD/dq-train" --quiet)
    "${train[@]}" --env sequence:order=2 --preset sequence-dqn --episodes 150 -o backwards.dq
    sim sequence --play 30 --model backwards.dq -o bad.dq # E first, and again, whatever comes of it
    "$BUILD"/dq-cat bad.dq | jq -es 'all(.choice == 4 and .reward == -1)'
    learn() { "${train[@]}" --offline --agent dqn --hidden 32 --epochs 10 --lr 5e-3 --gamma 0 --conservative "$1" -o "$2" bad.dq; }
    first() { sim sequence --play 1 --model "$1" | "$BUILD"/dq-cat | jq -s '.[0].choice'; }
    learn 0 naive.dq
    learn 5 wary.dq
    [ "$(first naive.dq)" != 4 ]
    [ "$(first wary.dq)" = 4 ]
    "$BUILD"/dq-cat --kind model wary.dq | jq -es '.[0].meta.env_spec.action_count == 6' # also those that nobody took
}

@test "what it refuses" {
    refused() { # words, options...
        local words=$1
        shift
        run -2 sim "$@"
        [ "${output% (try *)}" = "dq-sim: $words" ]
    }
    refused "an environment needs --serve, --play, --catalogue or --against" session
    refused "--catalogue needs an environment (--list names them)" --catalogue
    refused "--users has no meaning with --catalogue; it is for synthetic users" --catalogue session --users 3
    refused "--seed has no meaning with --catalogue; it is for synthetic users, --play or --against" --catalogue session --seed 3
    refused "--seed has no meaning with --serve; it is for synthetic users, --play or --against" --serve session --seed 3
    refused "--catalogue has no meaning with --play" --catalogue session --play 3
    refused "one environment at a time" --catalogue session films
    refused "--serve needs an environment (--list names them)" --serve
    refused "--users has no meaning with --serve; it is for synthetic users" --serve session --users 3
    refused "--play needs an environment (--list names them)" --play 3
    refused "--users has no meaning with --play; it is for synthetic users" --play 3 session --users 3
    refused "--serve has no meaning with --play" --play 3 --serve maze
    refused "--model has no meaning with --serve; it is for --play" --model x.dq --serve maze
    refused "--epsilon needs --model" --epsilon 0.1 --play 3 maze
    refused "one environment at a time" --serve session films
    refused "--serve has no meaning with --list" --list --serve
    refused "unexpected operand 'maze' with --list" --list maze
    refused "--output has no meaning with --serve; it is for synthetic users, --play, --catalogue or --against" --serve maze -o x
    run -2 sim --serve poker < /dev/null
    [ "${output% (try *)}" = "dq-sim: no environment 'poker' (dq-sim --list names them)" ]
    run -2 sim --serve maze:walls=2 < /dev/null
    [ "${output% (try *)}" = "dq-sim: maze has no option 'walls'; it has steps" ]
    run -1 sim --catalogue sequence -o out.dq
    [ "$output" = "dq-sim: the environment sequence has no users and items" ]
    run -2 sim --catalogue poker -o out.dq
    [ "${output% (try *)}" = "dq-sim: no environment 'poker' (dq-sim --list names them)" ]
    run -2 sim --play 3 poker -o out.dq
    [ "${output% (try *)}" = "dq-sim: no environment 'poker' (dq-sim --list names them)" ]
    run -1 sim --play 3 maze --model none.dq -o out.dq
    [[ "$output" == "dq-sim: none.dq: "* ]]
    "$BUILD"/dq-train --quiet --env chain --agent tabular --episodes 1 -o chain.dq
    run -1 sim --play 3 sequence --model chain.dq -o out.dq
    [ "$output" = "dq-sim: chain.dq: the model is of another environment: states of 5 numbers, 2 actions of 0; here 5, 6 of 0" ]
    [ ! -e out.dq ]
}
