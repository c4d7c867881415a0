#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-embed: vectors for texts.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
    fixtures=$BATS_TEST_DIRNAME/../fixtures/hashing
    cat > u.jsonl <<'END'
{"id":"u1","text":{"bio":"C++ engineer, embedded systems","skills":"C, C++, Linux"},"age":3}
{"id":"u2","text":{"bio":"Nurse for children","skills":"care, pediatrics"}}
END
    cat > i.jsonl <<'END'
{"id":"i1","text":{"title":"Embedded engineer","description":"C++ on Linux boards"}}
{"id":"i2","text":{"title":"Pediatric nurse","description":"Care for children"}}
{"id":"i3","text":{"title":"Baker","description":"Bread"}}
END
    printf '{"user":"u1","item":"i1","label":"APPLY"}\n' > x.jsonl
    dq-export --users u.jsonl --items i.jsonl --interactions x.jsonl -o c.dq
}

payload() { zstd -dcq; }

@test "every number agrees with the second implementation, over several alphabets" {
    printf '%s\n' 'Senior Software Engineer (C++/C#), Node.js' 'Ärztin für Kinder — Köln, 24h' 'ПРОГРАММИСТ и врач' \
        'Škoda Čačak ŽĹŇ' 'Ωμέγα ΑΒΓ' '日本語の求人、東京' 'a' '' '...' 'x x x x y y z' > texts
    jq -Rc '{id: "\(input_line_number)", text: {t: .}}' texts > many.jsonl
    for weight in sqrt log; do
        dq-export --items many.jsonl | dq-embed hash:64 --weight $weight |
            dq-cat | jq -r '.vector.t | map(tostring) | join(" ")' > got
        /usr/bin/python3 "$fixtures"/hash.py 64 $weight < texts > want
        paste -d ' ' got want | awk '{ for (i = 1; i <= 64; i++) { d = $i - $(i + 64); if (d > 1e-6 || d < -1e-6) bad = 1 } }
            END { exit bad || NR != 10 }'
    done
}

@test "a field for each text, as wide as asked" {
    dq-embed hash:16 c.dq | dq-cat > out
    [ "$(jq -r 'select(.kind == "users") | .vector | to_entries | map("\(.key)=\(.value | length)") | join(" ")' out | sort -u)" = "bio=16 skills=16" ]
    [ "$(jq -r 'select(.kind == "items") | .vector | keys_unsorted | join(" ")' out | sort -u)" = "title description" ]
    jq -c 'del(.vector)' out > without
    dq-cat c.dq | cmp - without
}

@test "chosen texts, of both sides and of one" {
    dq-embed hash:4 --field title --field users:bio c.dq | dq-cat | jq -r 'select(.vector) | .vector | keys | join(" ")' > out
    [ "$(cat out)" = $'bio\nbio\ntitle\ntitle\ntitle' ]
}

@test "joined: one field, so that texts of other names compare" {
    dq-embed hash:256 --join c.dq | dq-reward --pairs all --raw-cosine | dq-cat --kind transitions > out
    [ "$(jq -s 'group_by(.user) | map(max_by(.reward) | .item) | join(" ")' -r out)" = "i1 i2" ]
}

@test "new fields stand behind the old ones, which keep their numbers" {
    printf '%s\n' '{"id":"a","text":{"t":"word"},"vector":{"v":[1.5,-2]}}' '{"id":"b","text":{"t":"other"},"vector":{"v":[0.25,3]}}' > v.jsonl
    dq-export --items v.jsonl | dq-embed hash:8 | dq-cat > out
    [ "$(jq -c '.vector.v' out)" = $'[1.5,-2]\n[0.25,3]' ]
    [ "$(jq -c '.vector.t | length' out)" = $'8\n8' ]
    dq-export --items v.jsonl | dq-embed hash:8 | dq-embed hash:8 --prefix again_ | dq-cat | jq -e '.vector.t == .vector.again_t'
    run ! dq-embed hash:8 -o twice.dq <(dq-export --items v.jsonl | dq-embed hash:8)
    [[ $output == *"items have a field 't' already"* ]]
    [ ! -e twice.dq ]
}

@test "pairs become the catalogue's own" {
    dq-embed hash:16 --compare bio:description c.dq -o paired.dq
    dq-reward --pairs all paired.dq | dq-cat --kind transitions > got
    dq-embed hash:16 c.dq | dq-reward --pairs all --compare bio:description | dq-cat --kind transitions | cmp - got
    run ! dq-embed hash:16 --compare bio:nothing c.dq -o never.dq
    [[ $output == "dq-embed: "*"items have no field 'nothing'" ]]
}

@test "an entity without the text has zeros" {
    printf '%s\n' '{"id":"a","text":{"t":"word"}}' '{"id":"b","text":{"s":"other"}}' > v.jsonl
    dq-export --items v.jsonl | dq-embed hash:4 | dq-cat --item b | jq -e '.vector.t == [0,0,0,0]'
}

@test "threads and sections change no byte of a vector" {
    seq 500 | jq -c '{id: "i\(.)", text: {title: "job number \(.)", description: "work of kind \(. % 7) in town \(. % 31)"}}' > many.jsonl
    dq-export --items many.jsonl -o many.dq
    dq-embed hash:64 -t 1 many.dq | payload > one
    dq-embed hash:64 -t 7 many.dq | payload > seven
    cmp one seven
    head -250 many.jsonl > a.jsonl && tail -250 many.jsonl > b.jsonl
    cat <(dq-export --items a.jsonl) <(dq-export --items b.jsonl) | dq-embed hash:64 | dq-cat > sections
    dq-embed hash:64 many.dq | dq-cat | cmp - sections
}

@test "references stay right through sections" {
    dq-embed hash:8 --join c.dq | dq-reward -o a.dq
    sed 's/"u/"v/; s/"i\([0-9]\)"/"j\1"/' u.jsonl > u2.jsonl
    sed 's/"i\([0-9]\)"/"j\1"/' i.jsonl > i2.jsonl
    printf '{"user":"v2","item":"j3","label":"SAVE"}\n' > x2.jsonl
    dq-export --users u2.jsonl --items i2.jsonl --interactions x2.jsonl | dq-embed hash:8 --join | dq-reward -o b.dq
    cat a.dq b.dq | dq-embed hash:4 | dq-cat --kind transitions | jq -r '"\(.user) \(.item)"' > out
    [ "$(cat out)" = $'u1 i1\nv2 j3' ]
}

@test "the head names the method, not the threads" {
    dq-embed hash:32 -t 2 --join c.dq | dq-cat --lineage > out
    grep -q 'method=hash:32' out
    run ! grep -q threads out
}

@test "texts that are not there, and streams without any" {
    run ! dq-embed hash:8 --field nothing c.dq -o out.dq
    [ "$output" = "dq-embed: no user or item has a text to embed" ]
    run ! dq-embed hash:8 --field title --field nothing c.dq -o out.dq
    [ "$output" = "dq-embed: no user or item has a text 'nothing'" ]
    dq-cat c.dq --kind interactions --to stream > only.dq
    run ! dq-embed hash:8 only.dq -o out.dq
    [ ! -e out.dq ]
}

@test "usage: no method, another method, a width of nothing" {
    for words in "" "md5:3" "hash:" "hash:0" "hash:-1" "hash:8x" "hash:99999999999"; do
        # shellcheck disable=SC2086
        run -2 dq-embed $words
        [ "${#lines[@]}" -eq 1 ]
        [[ $output == dq-embed:* ]]
    done
}

@test "a cut input gives no end" {
    head -c -20 c.dq > cut.dq
    run -1 dq-embed hash:8 cut.dq -o out.dq
    [[ $output == "dq-embed: cut.dq: "* ]]
    [ ! -e out.dq ]
    dq-embed hash:8 < cut.dq > broken.dq 2> words || true
    [ "$(wc -l < words)" -eq 1 ]
    run -1 dq-cat --check broken.dq
}

@test "a full disk, a closed stdout" {
    run -1 bash -c 'dq-embed hash:8 c.dq > /dev/full'
    [ "${#lines[@]}" -eq 1 ]
    run -1 bash -c 'dq-embed hash:8 c.dq >&-'
    [ "${#lines[@]}" -eq 1 ]
}
