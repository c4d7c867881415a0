#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/your-data.md: the lines under each heading, as they are printed, on small files of that form (tests/fixtures/your_data.py):
# everything arrives, nothing is complained of, and users are shown what those of their taste have met.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../said.bash"

setup() {
    set -o pipefail
    root=$BATS_TEST_DIRNAME/../..
    page=$root/docs/your-data.md
    source "$root"/tests/page.bash
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
}

# made FORM: files, and $met, how many interactions they have.
made() { met=$(python3 "$root"/tests/fixtures/your_data.py "$1" .); }

# ranks HEADING N STREAM [FIELD]: FIELD is the attribute by whose end users are told, where it is not the id. The block says nothing but what dq-embed and dq-train count; all rows are in the stream; and
# everybody is shown items, most of the first three of the half that is to his or her taste.
ranks() {
    page_block "$page" "$1" "$2" > block.sh
    grep -q dq-rank block.sh
    bash -euo pipefail block.sh > ranking 2> words || { cat words; false; }
    [ "$(head -1 ranking)" = $'user\trank\titem\tscore' ]
    sed -i 1d ranking
    without_made words | grep -vE '^dq-embed: users: 40 fitted|^dq-train: ' > complaints || true
    [ ! -s complaints ] || { cat complaints; false; }
    [ -z "$3" ] || diff <(dq-cat --count "$3" | sort) <(printf 'interactions\t%d\nitems\t30\nusers\t40\n' "$met")
    [ "$(cut -f 1 ranking | sort -u | wc -l)" = 40 ]
    [ -z "${4-}" ] || { awk -F'\t' -v OFS='\t' 'NR == FNR { name[$1] = $2; next } { $1 = name[$1] } 1' \
        <(dq-cat --kind users "$3" | jq -r "[.id, .$4] | @tsv") ranking > named && mv named ranking; }
    # A user's number and an item's are what their ids end in.
    sed -E 's/^([^\t]*[^0-9])?([0-9]+)\t([0-9]+)\t([^\t]*[^0-9])?([0-9]+)\t.*/\2 \3 \5/' ranking |
        awk '{ own = ($1 + $3) % 2 == 0 } $2 <= 3 { all++; good += own } END { print good " of " all; exit !(all == 120 && good >= 100) }'
}

rows() { dq-cat --kind "$2" "$1"; }

@test "MovieLens: the CSV of today" {
    made movielens
    ranks MovieLens 1 movies.dq
    rows movies.dq items | jq -r .text.title | sed -n 2p | grep -x 'Léon: The Professional (1994) #1' > /dev/null
    rows movies.dq interactions | jq -se 'all(.reward >= 0.5 and .reward <= 4.5 and .time >= 1100000000)'
}

@test "MovieLens: ratings on a scale, a model, and its measure" {
    made movielens
    page_block "$page" MovieLens 3 > block.sh
    grep -q reward-scale block.sh
    bash -euo pipefail block.sh > table 2> words || { cat words; false; }
    grep -x "dq-export: 40 users made from the interactions, 30 items (title), $met interactions (reward: column rating, 0.444444 to 0.888889, time)" words || { cat words; false; }
    awk '/ndcg/ { found = $NF > 0.5 } END { exit !found }' table || { cat table; false; }
    rows rated.dq interactions | jq -se 'all(.reward >= 0 and .reward <= 1)'
}

@test "MovieLens 1M: two colons, no header, Latin-1; and later interactions" {
    made movielens_1m
    ranks MovieLens 2 movies.dq
    rows movies.dq items | jq -r .text.title | grep -x 'Léon: The Professional (1994) #1' > /dev/null
    rows movies.dq items | jq -se 'all(.genres == "Animation|Children'\''s")'
    [ "$(dq-cat --since 2003 --to stream movies.dq | dq-cat --count | awk '/interactions/ { print $2 }')" = "$met" ]
    [ "$(dq-cat --before 2003 --to stream movies.dq | dq-cat --count | grep -c interactions)" = 0 ]
}

@test "Amazon reviews: gzip, parents before variants, milliseconds" {
    made amazon
    ranks "Amazon reviews" 1 shop.dq
    rows shop.dq items | jq -se 'all(.text.description == "One., Two.") and (.[1].text.title | startswith("Léon"))'
    [ "$(dq-cat --since 2004-11-09 --before 2004-11-10 --to stream shop.dq | dq-cat --count | awk '/interactions/ { print $2 }')" = "$met" ]
}

@test "MIND: impressions, quotation marks in cells, times with AM and PM" {
    made mind
    ranks MIND 1 news.dq
    rows news.dq items | jq -r .text.title | grep -x 'Godfather: "Part II", The (1974) #2' > /dev/null
    rows news.dq items | jq -r '.text.abstract // empty' | grep -x 'He said "no" and 1.' > /dev/null
    rows news.dq interactions | jq -se 'map(.reward) | unique == [0, 1]'
    [ "$(dq-cat --since 2019-11-09 --before 2019-11-10 --to stream news.dq | dq-cat --count | awk '/interactions/ { print $2 }')" = \
        "$(awk -F'\t' '$4 ~ "^11/9/2019"' clicks.tsv | wc -l)" ]
}

@test "the Open Bandit Dataset: an index without a name, users made of features" {
    made bandit
    ranks "Open Bandit Dataset" 1 bandit.dq user_feature_3
    rows bandit.dq interactions | jq -se '(map(.reward) | unique == [0, 1]) and all(.propensity == 0.0125 and .position >= 1)'
}

@test "RecBole: names with types" {
    made recbole
    ranks RecBole 1 atomic.dq
    rows atomic.dq items | jq -r .text.title | grep -x 'Godfather: "Part II", The (1974) #2' > /dev/null
    rows atomic.dq interactions | jq -se 'all(.reward >= 1 and .time >= 1100000000)'
}

@test "a pandas frame: lists in cells, an empty number, quotation marks" {
    made pandas
    ranks Pandas 1 frame.dq
    rows frame.dq users | jq -se '.[0].vector == [1.25, 0.25, 0] and .[0].text.bio == "likes \"films\", all" and (map(select(.age == null)) | length) == 1'
}

@test "mongoexport: relaxed, canonical and one array are the same stream" {
    made mongo
    for form in relaxed canonical array; do
        (cd $form && page_block "$page" Mongoexport 2 > block.sh && bash -euo pipefail block.sh > ranking 2> words && only_made words)
        dq-cat --count $form/shop.dq | sort | diff - <(printf 'interactions\t%d\nitems\t30\nusers\t40\n' "$met")
        cmp <(zstd -dcq relaxed/shop.dq) <(zstd -dcq $form/shop.dq)
    done
    [ "$(tail -n +2 relaxed/ranking | cut -f 1 | sort -u | wc -l)" = 40 ]
    rows relaxed/shop.dq users | jq -se '.[0].id == "65f1a2b3c4d5000100000000"'
}

@test "sentence-transformers: arrays and their ids" {
    made encoded
    ranks Sentence-transformers 1 ''
    [ "$(wc -l < ranking)" = 400 ]
}

@test "titles in a table and vectors in an array beside it, by order and by ids" {
    made encoded
    { echo movieId,title; sed 's/.*/&,title of &/' items.ids; } > movies.csv
    { echo userId,movieId,rating; paste -d, <(head -5 users.ids) <(head -5 items.ids) | sed 's/$/,4/'; } > ratings.csv
    page_block "$page" Sentence-transformers 2 > block.sh
    sed -n 1p block.sh | bash -euo pipefail
    dq-cat movies.dq > by-order
    sed -n 2p block.sh | bash -euo pipefail
    dq-cat movies.dq | cmp - by-order
    diff <(jq -c 'select(.kind == "items") | .vector' by-order) <(dq-export -q --items items.npy --item-ids items.ids | dq-cat | jq -c .vector)
}

@test "every heading that shows a ranking has its test here" {
    n=0
    while read -r heading; do
        page_block "$page" "$heading" 1 > one
        page_block "$page" "$heading" 2 >> one
        grep -q dq-rank one || continue
        n=$((n + 1))
        grep -qE "ranks \"?$heading|page\" $heading" "$BATS_TEST_FILENAME" || { echo "$heading"; false; }
    done < <(page_headings "$page")
    [ "$n" = 8 ]
}
