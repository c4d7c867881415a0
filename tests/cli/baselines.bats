#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-rank --by popularity, recent, item-knn, last-item, random: against NumPy, and the ways in which they must not change.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup_file() {
    needs python3-numpy
    export PATH=$BUILD:$PATH numpy=$BATS_TEST_DIRNAME/../fixtures/baselines.py
    cd "$BATS_FILE_TMPDIR" || return
    /usr/bin/python3 "$numpy" make
    dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o log.dq
    grep -E '"user": "u[0-9]*[02468]"' interactions.jsonl > even.jsonl
    grep -E '"user": "u[0-9]*[13579]"' interactions.jsonl > odd.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions even.jsonl -o even.dq
    dq-export --users users.jsonl --items items.jsonl --interactions odd.jsonl -o odd.dq
    dq-export --interactions interactions.jsonl -o met.dq
}

setup() {
    set -o pipefail
    cd "$BATS_FILE_TMPDIR" || return
    out=$BATS_TEST_TMPDIR
}

# The lists of all items by these options are NumPy's.
equals() { dq-rank -q "$@" -k 45 --format tsv log.dq | /usr/bin/python3 "$numpy" check "$@"; }

@test "each baseline is NumPy's" {
    equals --by popularity
    equals --by popularity --map LOVE=1.5,DISLIKE=-1
    equals --by recent
    equals --by recent --map LOVE=1,OK=0
    for similarity in cosine jaccard tfidf follows; do
        for by in item-knn last-item; do
            equals --by $by --similarity $similarity
            equals --by $by --similarity $similarity --shrink 2.5
            equals --by $by --similarity $similarity --neighbours 4
            equals --by $by --similarity $similarity --shrink 7 --neighbours 11 --map LOVE=1,OK=0.5
        done
    done
}

# Even users are learnt from, odd ones are known by what they met.
@test "--train tells from others what the stream's users are to see" {
    apart() { dq-rank -q "$@" --train even.dq -k 45 --format tsv odd.dq | /usr/bin/python3 "$numpy" check "$@" --train even; }
    apart --by popularity
    apart --by recent
    for similarity in cosine jaccard tfidf follows; do
        apart --by item-knn --similarity $similarity --shrink 1
        apart --by last-item --similarity $similarity --neighbours 6
    done
    run -1 --separate-stderr dq-rank --by item-knn --train <(dq-export --users users.jsonl) odd.dq
    [[ $stderr == *"no interactions in it" ]]
}

@test "neither threads nor the order of interactions, users and items change a bit" {
    tac users.jsonl > "$out"/users.jsonl
    tac items.jsonl > "$out"/items.jsonl
    tac interactions.jsonl > "$out"/interactions.jsonl
    (cd "$out" && dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o turned.dq)
    for by in popularity recent "item-knn --similarity tfidf" "last-item --shrink 3" "item-knn --similarity follows" random; do
        dq-rank -q --by $by -k 45 --format tsv --no-header log.dq | sort > "$out"/one
        dq-rank -q --by $by -k 45 --format tsv --no-header --threads 3 "$out"/turned.dq | sort | cmp - "$out"/one
    done
}

@test "popularity: weights that no double holds add up to one sum in every order" {
    printf '%s\n' A B C | jq -Rc '{user: "u0", item: "1", label: .}' > "$out"/abc.jsonl
    printf '%s\n' C B A | jq -Rc '{user: "u0", item: "2", label: .}' >> "$out"/abc.jsonl
    for order in cat tac; do
        $order "$out"/abc.jsonl > "$out"/in.jsonl
        dq-export -q --users users.jsonl --items items.jsonl --interactions "$out"/in.jsonl -o "$out"/in.dq
        dq-rank --by popularity --map A=0.1,B=0.2,C=-0.3 --user u0 -k 2 --format tsv --no-header "$out"/in.dq > "$out"/$order
        [ "$(cut -f 4 "$out"/$order | sort -u | wc -l)" -eq 1 ]
        [ "$(cut -f 3 "$out"/$order | tr '\n' ' ')" = "2 1 " ]
    done
    cmp "$out"/cat "$out"/tac
}

@test "random: by seed, user and item, and nothing else" {
    dq-rank --by random -k 45 --format tsv log.dq > "$out"/all
    awk -F'\t' 'NR > 1 { if ($4 < 0 || $4 >= 1) exit 1; n++; sum += $4 } END { exit !(n == 2700 && sum / n > 0.48 && sum / n < 0.52) }' "$out"/all
    dq-export --users <(tail -3 users.jsonl) --items items.jsonl | dq-rank --by random -k 45 --format tsv | cmp - <(sed 1q "$out"/all; grep -P '^u5[789]\t' "$out"/all)
    run ! cmp -s "$out"/all <(dq-rank --by random --seed 1 -k 45 --format tsv log.dq)
    dq-rank --by random --seed 1 log.dq | dq-cat --lineage | grep -q 'seed=1'
}

@test "shards ranked apart and merged are the whole; a merge knows what they are by" {
    for part in 1 2; do
        awk -v p=$part 'NR % 2 == p % 2' items.jsonl > "$out"/items$part.jsonl
        dq-export --users users.jsonl --items "$out"/items$part.jsonl > "$out"/shard$part.dq
        dq-rank -q --by item-knn -k 9 met.dq "$out"/shard$part.dq > "$out"/ranked$part.dq
    done
    dq-rank --merge -k 9 --format tsv "$out"/ranked?.dq | cmp - <(dq-rank -q --by item-knn -k 9 --format tsv log.dq)
    run -1 --separate-stderr dq-rank --merge -k 9 "$out"/ranked1.dq <(dq-rank --by popularity -k 9 log.dq)
    [[ $stderr == *"rankings by popularity after rankings by item-knn"* ]]
}

@test "a merge knows the settings of what it merges, and hands them on" {
    knn() { dq-rank -q --by item-knn -k 9 "$@" log.dq; }
    dq-rank --merge -k 9 <(knn --shrink 5) <(knn --shrink 5) -o "$out"/merged.dq
    dq-rank --merge -k 9 --format tsv "$out"/merged.dq <(knn --shrink 5) | cmp - <(knn --shrink 5 --format tsv)
    for other in "--shrink 4" "--similarity jaccard --shrink 5" "--neighbours 3 --shrink 5" "--map APPLY=2 --shrink 5"; do
        read -ra words <<< "$other"
        run -1 --separate-stderr dq-rank --merge -k 9 "$out"/merged.dq <(knn "${words[@]}")
        [[ $stderr == *"rankings with other settings cannot be merged: '"*"' after 'similarity=cosine shrink=5 neighbours=0 time=time map='"* ]]
    done
    run -1 --separate-stderr dq-rank --merge -k 9 <(dq-rank --by random --seed 1 -k 9 log.dq) <(dq-rank --by random --seed 2 -k 9 log.dq)
    [[ $stderr == *"'seed=2' after 'seed=1'"* ]]
}

@test "the other orders and --exclude-seen go on from a baseline" {
    dq-rank -q --by popularity --exclude-seen -k 45 --format tsv --no-header log.dq | cut -f 1,3 > "$out"/unseen
    jq -r '[.user, .item] | @tsv' interactions.jsonl | sort -u > "$out"/seen
    run -0 comm -12 <(sort "$out"/unseen) "$out"/seen
    [ -z "$output" ]
    [ "$(sort -u "$out"/unseen "$out"/seen | wc -l)" -eq 2700 ]
    dq-rank -q --by popularity --softmax 20 -k 3 --format jsonl log.dq | jq -se 'all(.propensity > 0 and .propensity <= 1)'
    run -1 --separate-stderr dq-rank --by popularity --mmr 0.5 log.dq
    [[ $stderr == *"items have no vectors"* ]]
    dq-embed hash:16 log.dq | dq-rank -q --by popularity --mmr 0.5 -k 3 --format tsv > /dev/null
}

@test "a model in the stream is passed over, and --model is refused" {
    jq -c '.vector = [1, 0]' users.jsonl > "$out"/users.jsonl
    jq -c '.vector = [1, .year % 7]' items.jsonl > "$out"/items.jsonl
    dq-export --users "$out"/users.jsonl --items "$out"/items.jsonl --interactions interactions.jsonl -o "$out"/wide.dq
    dq-reward -q --strategy cosine --pairs all "$out"/wide.dq | dq-train -q --offline --hidden 4 --epochs 1 --pass -o "$out"/passed.dq
    dq-rank -q --by recent "$out"/passed.dq | dq-cat --kind rankings > "$out"/with
    dq-rank -q --by recent log.dq | dq-cat --kind rankings | cmp - "$out"/with
    run -2 --separate-stderr dq-rank --by recent --model "$out"/passed.dq log.dq
    [[ $stderr == *"--by recent takes no --model"* ]]
}

@test "who met nothing, what the map lacks, what has no time: said, and counted" {
    run -0 --separate-stderr dq-rank --by item-knn -k 3 --user u59 --format tsv --no-header log.dq
    [[ $stderr == *"1 of 1 users met nothing that the interactions tell of: every item scores 0"* ]]
    [ "$output" = $'u59\t1\t9\t0\nu59\t2\t8\t0\nu59\t3\t7\t0' ]
    run -0 --separate-stderr dq-rank --by popularity --map LOVE=1 --user u1 -k 1 log.dq -o "$out"/x
    [[ $stderr =~ ([0-9]+)\ of\ 900\ interactions\ have\ a\ label\ that\ --map\ does\ not\ have ]]
    [ "${BASH_REMATCH[1]}" -eq "$(grep -vc '"LOVE"' interactions.jsonl)" ]
    jq -c 'del(.time)' interactions.jsonl > "$out"/timeless.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions "$out"/timeless.jsonl -o "$out"/timeless.dq
    run -0 --separate-stderr dq-rank --by recent -k 1 --user u0 --format tsv --no-header "$out"/timeless.dq
    [[ $stderr == *"no attribute 'time': the order of the stream is taken for that of time"* ]]
    [ "$(cut -f 3 <<<"$output")" = "$(tail -1 interactions.jsonl | jq -r .item)" ]
    cat "$out"/timeless.jsonl interactions.jsonl > "$out"/half.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions "$out"/half.jsonl -o "$out"/half.dq
    run -1 --separate-stderr dq-rank --by recent "$out"/half.dq
    [[ $stderr == *"900 of 1800 interactions have no attribute 'time'"* ]]
}

@test "--train: what is said of its interactions, and what of the stream's" {
    local order="the interactions have no attribute 'time': the order of the stream is taken for that of time"
    jq -c 'del(.time) | del(.label)' interactions.jsonl > "$out"/bare.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions "$out"/bare.jsonl -o "$out"/bare.dq
    run -0 --separate-stderr dq-rank --by last-item --train met.dq -k 1 "$out"/bare.dq -o "$out"/x
    [[ $stderr == *"dq-rank: $order"* && $stderr != *"--train: "* ]]
    run -0 --separate-stderr dq-rank --by item-knn --similarity follows --train "$out"/bare.dq -k 1 log.dq -o "$out"/x
    [[ $stderr == *"dq-rank: --train: $order"* && $stderr != *"dq-rank: $order"* ]]
    run -0 --separate-stderr dq-rank --by item-knn --map LOVE=1 --train met.dq -k 1 "$out"/bare.dq -o "$out"/x
    [[ $stderr == *"dq-rank: 900 of 900 interactions have a label that --map does not have, or none"* ]]
    [[ $stderr =~ "dq-rank: --train: "([0-9]+)" of 900 interactions have a label" ]]
    printf '%s\n' '{"user":"u1","item":"0"}' '{"user":"u1","item":"new"}' > "$out"/new.jsonl
    { cat items.jsonl && echo '{"id":"new"}'; } > "$out"/more.jsonl
    dq-export --users users.jsonl --items "$out"/more.jsonl --interactions "$out"/new.jsonl -o "$out"/new.dq
    run -0 --separate-stderr dq-rank --by last-item --train met.dq --user u1 "$out"/new.dq -o "$out"/x
    [[ $stderr == *"1 of 1 users met nothing, or last an item that the interactions do not tell of: "* ]]
    run -0 --separate-stderr dq-rank --by item-knn --train met.dq --user u1 "$out"/new.dq -o "$out"/x
    [ -z "$stderr" ]
}

@test "times of several forms: a year beside dates is that year" {
    printf '%s\n' '{"id":"a"}' '{"id":"b"}' '{"id":"c"}' > "$out"/items.jsonl
    printf '%s\n' '{"id":"u"}' > "$out"/users.jsonl
    printf '%s\n' '{"user":"u","item":"a","time":"2001"}' '{"user":"u","item":"b","time":"2000-06-01"}' \
        '{"user":"u","item":"c","time":"1999"}' '{"user":"u","item":"c","time":"2001-06-01"}' > "$out"/seen.jsonl
    run -0 --separate-stderr bash -c "cd '$out' && dq-export --users users.jsonl --items items.jsonl --interactions seen.jsonl |
        dq-rank -q --by recent --format tsv --no-header"
    [ "$output" = $'u\t1\tc\t3\nu\t2\ta\t2\nu\t3\tb\t1' ]
}

@test "interactions that come too late, and none at all, are errors; --hold takes any order" {
    dq-rank -q --by item-knn --format tsv log.dq > "$out"/right
    dq-export --users users.jsonl --items items.jsonl -o "$out"/bare.dq
    run -1 --separate-stderr dq-rank --by item-knn even.dq met.dq
    [[ $stderr == *"interactions come after items were ranked by --by item-knn: give the interactions first, or use --hold"* ]]
    dq-rank -q --by item-knn --hold --format tsv "$out"/bare.dq log.dq | cmp - "$out"/right
    run -1 --separate-stderr dq-rank --by popularity "$out"/bare.dq
    [[ $stderr == *"by popularity: no interactions come before the items: give them first, or use --hold"* ]]
    run -1 --separate-stderr dq-rank --by popularity --hold "$out"/bare.dq
    [[ $stderr == *"by popularity: no interactions come before the items" ]]
    cat log.dq log.dq | dq-rank -q --by random > /dev/null
    dq-rank --by random "$out"/bare.dq log.dq > "$out"/x
}

@test "options that would have no effect are refused" {
    run -2 --separate-stderr dq-rank --by popularity --shrink 1 log.dq
    [[ $stderr == *"--shrink needs --by item-knn or last-item"* ]]
    run -2 --separate-stderr dq-rank --by random --map LOVE=1 log.dq
    [[ $stderr == *"--map needs --by"* ]]
    run -2 --separate-stderr dq-rank --by item-knn --time when log.dq
    [[ $stderr == *"--time needs"* ]]
    run -2 --separate-stderr dq-rank --train even.dq log.dq
    [[ $stderr == *"--train needs --by"* ]]
    run -2 --separate-stderr dq-rank --by recent --compare a:b log.dq
    [[ $stderr == *"--compare goes with --by cosine"* ]]
    run -2 --separate-stderr dq-rank --by popularity --map LOVE log.dq
    [[ $stderr == *"--map"* ]]
}

@test "tsv begins with the names of its columns; --no-header leaves them out" {
    run -0 dq-rank -q --by popularity -k 1 --user u3 --format tsv log.dq
    [ "$output" = $'user\trank\titem\tscore\nu3\t1\t0\t154' ]
    run -0 dq-rank -q --by popularity -k 1 --user u3 --format tsv --no-header log.dq
    [ "$output" = $'u3\t1\t0\t154' ]
    dq-rank -q --by popularity -k 2 --epsilon 0.1 --user u3 --format tsv log.dq > "$out"/drawn
    [ "$(head -1 "$out"/drawn)" = $'user\trank\titem\tscore\tpropensity\trequest\tmodel' ]
    awk -F'\t' 'NF != 7 { exit 1 }' "$out"/drawn
    dq-rank -q --by popularity -k 2 log.dq | dq-rank --merge -k 2 --format tsv | cmp - <(dq-rank -q --by popularity -k 2 --format tsv log.dq)
    echo '{"id":"0"}' > "$out"/i
    echo '{"id":"a"}' > "$out"/u
    echo '{"user":"a","item":"0"}' > "$out"/ui
    dq-export --users "$out"/u --items "$out"/i --interactions "$out"/ui -o "$out"/seen.dq
    run -0 dq-rank -q --by popularity --exclude-seen --format tsv "$out"/seen.dq
    [ "$output" = $'user\trank\titem\tscore' ] # a table without rows
    run -2 --separate-stderr dq-rank --by popularity --no-header log.dq
    [[ $stderr == *"--header needs --format tsv"* ]]
}

@test "--with joins texts and attributes of the items" {
    run -0 dq-rank -q --by popularity -k 2 --user u3 --with title --with year --format tsv log.dq
    [ "$output" = $'user\trank\titem\tscore\ttitle\tyear\nu3\t1\t0\t154\tFilm 0\t1960\nu3\t2\t1\t83\tFilm 1\t1961' ]
    run -0 dq-rank -q --by popularity -k 1 --user u3 --with attr.year --with text.title --format jsonl log.dq
    [ "$output" = '{"user":"u3","item":"0","rank":1,"score":154,"attr.year":1960,"text.title":"Film 0"}' ]
    dq-rank -q --by popularity -k 3 --softmax 5 --with title --format tsv log.dq > "$out"/drawn
    awk -F'\t' 'NR == 1 ? $8 != "title" : $8 != "Film " $3 { exit 1 }' "$out"/drawn
    cat > "$out"/items.jsonl <<'JSON'
{"id": "a", "vector": [1, 0], "text": {"title": "Tab\there"}, "city": "Köln", "tags": ["x", 1]}
{"id": "b", "vector": [0, 1], "score": 5}
JSON
    echo '{"id": "u", "vector": [2, 1]}' > "$out"/users.jsonl
    dq-export --users "$out"/users.jsonl --items "$out"/items.jsonl -o "$out"/two.dq
    run -0 dq-rank --with title --with city --with tags --with attr.score --format tsv --no-header "$out"/two.dq
    [ "$output" = $'u\t1\ta\t0.89442718\tTab\\there\tKöln\t["x",1]\t\nu\t2\tb\t0.44721359\t\t\t\t5' ]
    run -0 dq-rank --with title --with city --with tags --with attr.score --format jsonl "$out"/two.dq
    [ "${lines[0]}" = '{"user":"u","item":"a","rank":1,"score":0.89442718,"title":"Tab\there","city":"Köln","tags":["x",1]}' ]
    [ "${lines[1]}" = '{"user":"u","item":"b","rank":2,"score":0.44721359,"attr.score":5}' ]
    cat log.dq log.dq | dq-rank -q --by random -k 45 --with title --format tsv --no-header | awk -F'\t' '$5 != "Film " $3 { exit 1 }'
    run -1 --separate-stderr dq-rank --by random --with titel --format tsv log.dq
    [[ $stderr == *"no item has a text or an attribute 'titel'"* ]]
    [ -z "$output" ]
    run -2 --separate-stderr dq-rank --by random --with title log.dq
    [[ $stderr == *"--with needs --format tsv or jsonl"* ]]
    run -2 --separate-stderr dq-rank --by random --with score --format tsv log.dq
    [[ $stderr == *"--with score: a column of that name is there"* ]]
    run -2 --separate-stderr dq-rank --by random --with year --with year --format tsv log.dq
    [[ $stderr == *"--with year: a column of that name is there"* ]]
}

# 4,500 users and 600 items are two groups of users and three blocks of items.
@test "neither blocks of items nor groups of users show" {
    cd "$out"
    seq 0 4499 | sed 's/.*/{"id":"u&"}/' > users.jsonl
    seq 0 599 | awk '{ printf "{\"id\":\"i%d\",\"vector\":[%d,1]}\n", $1, $1 % 7 }' > items.jsonl
    seq 0 13499 | awk '{ printf "{\"user\":\"u%d\",\"item\":\"i%d\"}\n", $1 % 4500, ($1 * $1 + int($1 / 4500)) % 601 % 600 }' > interactions.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o wide.dq
    dq-rank -q --by item-knn -k 3 --format tsv --no-header wide.dq > all
    [ "$(wc -l < all)" -eq 13500 ]
    for user in u0 u4095 u4096 u4499; do dq-rank -q --by item-knn -k 3 --user $user --format tsv --no-header wide.dq | cmp - <(grep -P "^$user\t" all); done
    dq-rank -q --by item-knn -k 3 --mmr 1 --pool 3 --format tsv --no-header wide.dq | cmp - all
    dq-rank -q --by item-knn -k 3 --mmr 0.99 --pool 3 --user u4499 --format tsv --no-header wide.dq | cut -f 1,3,4 | sort | cmp - <(grep -P "^u4499\t" all | cut -f 1,3,4 | sort)
}
