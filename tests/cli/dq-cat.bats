#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-cat on a stream with every kind, type, null and reference (tests/unit/test_format.c writes it).

bats_require_minimum_version 1.5.0

source "$BATS_TEST_DIRNAME/../needs.bash"
setup() {
    needs python3-msgpack python3-numpy python3-zstandard
    cd "$BATS_TEST_TMPDIR" || exit 1
    PATH="$BUILD:$PATH"
    "$BUILD"/unit/test_format --sample s.dq
    ROOT="$BATS_TEST_DIRNAME/../.."
}

# Lines equal as JSON, whatever the order of keys and the form of numbers.
same_json() { diff <(jq -cS . "$1") <(jq -cS . "$2"); }

@test "the second reader reads what the C writer wrote" {
    /usr/bin/python3 "$ROOT/tests/read_stream.py" s.dq > python
    dq-cat s.dq > c
    [ "$(wc -l < c)" -eq 22 ]
    same_json python c
    zstd -dcq s.dq | /usr/bin/python3 "$ROOT/tests/read_stream.py" | cmp - python
    zstd -dcq s.dq | gzip | dq-cat | cmp - c
    zstd -dcq s.dq | dq-cat | cmp - c
}

@test "threads change neither what is read nor what is written; smooth vectors are shuffled, and read by the second reader" {
    /usr/bin/python3 -c 'import numpy
smooth = 1 + numpy.cumsum(numpy.random.default_rng(1).normal(0, .01, (7000, 512)), 1).astype("f4")
numpy.save("smooth.npy", smooth); numpy.save("few.npy", smooth[:100])'
    for name in smooth few; do dq-cat -t 1 --from npy $name.npy -o $name.dq; done
    dq-cat few.dq > c
    /usr/bin/python3 "$ROOT/tests/read_stream.py" few.dq > python
    same_json c python
    zstd -dcq few.dq | grep -ca shuffle
    for t in 2 4; do
        dq-cat -t $t --from npy smooth.npy | cat > pipe.dq
        dq-cat -t $t --from npy smooth.npy -o $t.dq
        cmp smooth.dq $t.dq
        cmp <(zstd -dcq pipe.dq) <(zstd -dcq smooth.dq)
        cmp <(dq-cat -t $t --to stream smooth.dq) <(dq-cat -t 1 --to stream smooth.dq)
        cat smooth.dq | dq-cat -t $t --check - smooth.dq
        dq-cat -t $t --row 6999 --kind items smooth.dq | cmp - <(dq-cat -t 1 --row 6999 --kind items smooth.dq)
    done
}

# Reading and writing in threads ends as without: the same line, the same status, at the same record.
@test "threads change nothing of what is said of a stream that is damaged or cut, or cannot be written" {
    /usr/bin/python3 -c 'import numpy; numpy.save("v.npy", numpy.random.default_rng(1).random((20000, 256), "f4"))'
    dq-cat -t 1 --from npy v.npy -o v.dq
    size=$(stat -c %s v.dq)
    for at in 40000 $((size / 2)) $((size * 7 / 8)) $((size - 30)); do
        head -c "$at" v.dq > cut
        { head -c "$at" v.dq; head -c 5 /dev/zero; tail -c +$((at + 6)) v.dq; } > damaged
        for broken in cut damaged; do
            for t in 1 2 4; do
                code=0
                dq-cat -t $t --to stream < $broken > out.$t 2> said.$t || code=$?
                [ $code -eq 1 ]
                [ "$(wc -l < said.$t)" -eq 1 ]
                cmp said.$t said.1
                cmp out.$t out.1
                code=0
                dq-cat -t $t --to stream -o never.dq < $broken 2> said || code=$?
                [ $code -eq 1 ]
                cmp said said.1
                [ ! -e never.dq ]
            done
        done
    done
    for t in 1 4; do
        run -1 --separate-stderr dq-cat -t $t --to stream v.dq -o /dev/full
        [ "$stderr" = "dq-cat: /dev/full: cannot write: No space left on device" ]
        set +o pipefail
        dq-cat -t $t --to stream v.dq 2> said | head -c 9000000 > some
        [ "${PIPESTATUS[0]}" -eq 141 ]
        [ ! -s said ]
    done
}

@test "one kind is printed without its name, several with it" {
    dq-cat --kind users s.dq > users
    [ "$(jq -r .id users | paste -sd' ')" = "u1 u2 ü€" ]
    [ "$(head -1 users)" = '{"id":"u1","text":{"bio":"a\tb\n\"c\"\\"},"age":41,"vector":{"hard":[0.100000001],"soft":[-2,9.99999968e-21,3]}}' ]
    dq-cat --kind users --kind items s.dq > both
    [ "$(jq -r .kind both | sort | uniq -c | paste -sd' ' | tr -s ' ')" = " 2 items 3 users" ]
}

@test "a row by id and by number" {
    [ "$(dq-cat --user u2 s.dq | jq -c .vector)" = '{"hard":[1],"soft":[0,0,1]}' ]
    [ "$(dq-cat --item i2 s.dq | jq -r .id)" = i2 ]
    [ "$(dq-cat --kind items --row 1 s.dq | jq -r .id)" = i2 ]
    [ "$(dq-cat --kind transitions --user u1 s.dq | jq -r .item)" = i2 ]
    [ "$(dq-cat --kind interactions --item i1 s.dq | jq -r .user)" = u2 ]
    run dq-cat --user nobody s.dq
    [ "$status" -eq 1 ]
    [ "${output% (try *)}" = "dq-cat: no user nobody" ]
    run dq-cat --kind items --row 2 s.dq
    [ "$status" -eq 1 ]
    [ "${output% (try *)}" = "dq-cat: no row 2: there are 2" ]
}

@test "--count and --check" {
    [ "$(dq-cat --count s.dq | paste -sd' ')" = $'model\t1 users\t3 interactions\t2 items\t2 transitions\t2 rankings\t1 strange\t1' ]
    [ "$(dq-cat --count --kind users s.dq s.dq)" = $'users\t6' ]
    [ "$(dq-cat --count --kind model s.dq s.dq)" = $'model\t2' ]
    dq-cat --lineage s.dq | grep -q '^section [0-9a-f]* model=1 users=3 interactions=2 items=2 transitions=2 rankings=1 strange=1$'
    run dq-cat --check s.dq s.dq
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "--count counts the models of every section, each by itself" {
    dq-cat --to stream --kind model s.dq > one.dq
    dq-cat --to stream --kind users s.dq > none.dq
    [ "$(dq-cat --count one.dq)" = $'model\t1' ]
    [ "$(dq-cat --count none.dq one.dq s.dq one.dq | head -2 | paste -sd' ')" = $'users\t6 model\t3' ]
    dq-cat --join one.dq one.dq one.dq > three.dq
    [ "$(dq-cat --count three.dq)" = $'model\t3' ]
    [ "$(dq-cat --lineage none.dq one.dq three.dq | sed -n 's/^section [0-9a-f]* //p' | paste -sd' ')" = "users=3 model=1 model=3" ]
    head -c -5 one.dq > cut.dq
    run dq-cat --count cut.dq
    [ "$status" -eq 1 ]
}

@test "--head vouches for its rows alone" {
    dq-cat s.dq --kind users --head 2 > two
    [ "$(jq -r .id two | paste -sd' ')" = "u1 u2" ]
    zstd -dcq s.dq | head -c -100 > cut
    run dq-cat --kind users --head 2 cut
    [ "$status" -eq 0 ]
    run dq-cat --kind users cut
    [ "$status" -eq 1 ]
    [ -z "$(dq-cat --head 0 s.dq)" ]
}

@test "--to stream passes everything on, and keeps the digest" {
    dq-cat --to stream s.dq > t.dq
    dq-cat --check t.dq
    dq-cat s.dq > a
    dq-cat t.dq | cmp - a
    [ "$(dq-cat --lineage s.dq | head -1)" = "$(dq-cat --lineage t.dq | head -1)" ]
    [ "$(dq-cat --lineage t.dq | tail -1 | tr -s ' ')" = " sample 1" ]
    dq-cat --to stream s.dq t.dq | dq-cat --count --kind items | grep -qx $'items\t4'
}

@test "a selection is a valid stream: references are renumbered, rows without a target left out" {
    dq-cat --to stream --kind users --kind items --kind transitions --user u1 s.dq > u.dq
    dq-cat --check u.dq
    [ "$(dq-cat --kind transitions u.dq)" = '{"user":"u1","item":"i2","reward":0.100000001,"done":1,"candidates":["i2","i1"]}' ]
    [ "$(dq-cat --count u.dq | paste -sd' ')" = $'users\t1 items\t2 transitions\t1' ]
    dq-cat --to stream --head 4 --kind users --kind items --kind transitions s.dq | dq-cat --count > counts
    [ "$(paste -sd' ' counts)" = $'users\t3 items\t1' ]
    run dq-cat --to stream --kind transitions s.dq
    [ "$status" -eq 1 ]
    [ "${output% (try *)}" = "dq-cat: s.dq: record 7: transitions refer to users, which are not selected" ]
}

@test "--join makes one section of several" {
    dq-cat --to stream --kind users --kind items --kind transitions --user u1 s.dq > u1.dq
    dq-cat --join s.dq u1.dq > joined.dq
    dq-cat --check joined.dq
    [ "$(dq-cat --lineage joined.dq | grep -c section)" -eq 1 ]
    [ "$(dq-cat --count joined.dq | paste -sd' ')" = \
        $'model\t1 users\t3 interactions\t2 items\t2 transitions\t3 rankings\t1 strange\t1' ]
    dq-cat --kind transitions joined.dq | jq -c '[.user,.item]' | paste -sd' ' > pairs
    [ "$(cat pairs)" = '["ü€","i1"] ["u1","i2"] ["u1","i2"]' ]
}

@test "--join passes over what stands under a null" {
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$BATS_TEST_DIRNAME/../fault /usr/bin/python3 - << 'END'
import struct, make_streams as m
refers = {"nulls": b"\0\1"}
odd = m.pack_bundle("odd", 2, [("user", "u4", [2], struct.pack("<2I", 1, 99), {"ref": "users", **refers}),
                               ("item", "u4", [2], struct.pack("<2I", 0, 99), {"ref": "items", **refers})])
open("odd.dq", "wb").write(m.stream(m.USERS, m.ITEMS, odd))
END
    dq-cat --join odd.dq odd.dq > joined.dq
    [ "$(dq-cat --kind odd joined.dq | paste -sd' ')" = '{"user":"u2","item":"i1"} {} {"user":"u2","item":"i1"} {}' ]
}

@test "--split gives each section a file" {
    dq-cat s.dq s.dq --to stream > both.dq
    dq-cat --split parts both.dq
    [ "$(ls parts | paste -sd' ')" = "00000.dq 00001.dq" ]
    dq-cat s.dq > a
    dq-cat parts/00001.dq | cmp - a
}

@test "tsv" {
    dq-cat --kind users --to tsv s.dq > t
    [ "$(head -1 t)" = $'id\ttext.bio\tattr.age\tvector' ]
    [ "$(sed -n 2p t)" = $'u1\ta\\tb\\n"c"\\\\\t41\t{"hard":[0.100000001],"soft":[-2,9.99999968e-21,3]}' ]
    [ "$(sed -n 3p t)" = $'u2\t\t\t{"hard":[1],"soft":[0,0,1]}' ]
    [ "$(dq-cat --kind transitions --to tsv s.dq | sed -n 2p)" = $'ü€\ti1\t1\t0\t["i1","i2"]' ]
    run dq-cat --to tsv s.dq
    [ "$status" -eq 1 ]
}

@test "what dq-cat prints, dq-export reads back to the same bytes" {
    cat > u.jsonl <<'END'
{"id":"u1","text":{"bio":"nurse,\t\"night\" shift"},"age":41,"vector":{"hard":[0.1,-2e-30],"soft":[3,4]}}
{"id":"ü","text":{"bio":"welder"},"tags":["a",null,1.5],"vector":{"hard":[1,0],"soft":[0.333333343,16777216]}}
END
    cat > i.jsonl <<'END'
{"id":"i1","text":{"title":"cook\\baker"},"vector":[1,2]}
{"id":"i2","vector":[3,4.25]}
END
    echo '{"user":"u1","item":"i2","label":"SAVE","reward":0.5,"at":"2026","kind":"view","attr.kind":1}' > x.jsonl
    dq-export --users u.jsonl --items i.jsonl --interactions x.jsonl -o a.dq
    dq-cat a.dq > all.jsonl
    grep -q '"kind":"interactions",.*"attr.kind":"view","attr.attr.kind":1}' all.jsonl
    dq-export --users all.jsonl --items all.jsonl --interactions all.jsonl -o b.dq
    for kind in users items interactions; do dq-cat --kind $kind --to tsv a.dq > $kind.tsv; done
    dq-export --users users.tsv --items items.tsv --interactions interactions.tsv -o c.dq
    [ "$(dq-cat --lineage a.dq | head -1)" = "$(dq-cat --lineage b.dq | head -1)" ]
    [ "$(dq-cat --lineage a.dq | head -1)" = "$(dq-cat --lineage c.dq | head -1)" ]
}

@test "npy both ways" {
    dq-cat --kind users --to npy --ids ids s.dq > v.npy
    /usr/bin/python3 -c '
import numpy
v = numpy.load("v.npy")
assert v.dtype == "float32" and v.shape == (3, 4) and v[2][1] == 7'
    [ "$(paste -sd' ' ids)" = "u1 u2 ü€" ]
    dq-cat --from npy --kind users --ids ids v.npy > v.dq
    dq-cat --check v.dq
    dq-cat --kind users --to npy v.dq | cmp - v.npy
    [ "$(dq-cat --from npy --to jsonl v.npy | jq -r .id | paste -sd' ')" = "0 1 2" ]
    dq-cat --kind items --to npy s.dq > halves.npy
    /usr/bin/python3 -c 'import numpy; assert numpy.load("halves.npy").dtype == "float16"'
    head -2 ids > two
    run dq-cat --from npy --ids two v.npy -o never.dq
    [ "$status" -eq 1 ]
    [ ! -e never.dq ]
    run dq-cat --to npy s.dq
    [ "$status" -eq 1 ]
}

@test "--vectors writes halves, rounded, and back exactly" {
    dq-cat --vectors bf16 --to stream s.dq > b.dq
    dq-cat --check b.dq
    [ "$(dq-cat --schema b.dq | awk '$2 == "vector" {print $1, $3}' | paste -sd,)" = "users bf16,items bf16" ]
    dq-cat --vectors f4 --to stream b.dq | dq-cat > back
    dq-cat b.dq | cmp - back
    dq-cat --kind items s.dq | head -1 | jq -c '.vector = [0.1, 65504, -1e-7, 3]' > usual.jsonl
    dq-export -q --items usual.jsonl -o usual.dq
    dq-cat --vectors f2 --to stream usual.dq > f2.dq
    [ "$(dq-cat --schema f2.dq | awk '$2 == "vector" {print $3}')" = f2 ]
    [ "$(dq-cat f2.dq | jq -c .vector)" = "[0.0999755859,65504,-1.1920929e-07,3]" ]
    dq-cat --vectors f2 --to npy usual.dq > v.npy
    /usr/bin/python3 -c 'import numpy; assert numpy.load("v.npy").dtype == "float16"'
    # Halves of NumPy stay what they were.
    /usr/bin/python3 -c 'import numpy; numpy.save("h.npy", numpy.arange(12, dtype="f2").reshape(3, 4) / 3)'
    dq-cat --from npy h.npy > h.dq
    [ "$(dq-cat --schema h.dq | awk '$2 == "vector" {print $3}')" = f2 ]
    seq 3 > three
    dq-export -q --items h.npy --item-ids three | dq-cat --to stream --vectors f2 | dq-cat --kind items --to npy | cmp - h.npy
}

@test "--vectors refuses what a half does not hold, and where nothing is written" {
    printf '{"id":"a","vector":[1,2]}\n{"id":"b","vector":[3,-70000]}\n' > big.jsonl
    dq-export -q --items big.jsonl -o big.dq
    run dq-cat --vectors f2 --to stream big.dq -o never.dq
    [ "$status" -eq 1 ]
    [ "$output" = "dq-cat: big.dq: record 2: items: row 1 has -70000 in its vector, and f2 holds up to 65504 (bf16 up to 3.4e+38)" ]
    [ ! -e never.dq ]
    dq-cat --vectors bf16 --to stream big.dq | dq-cat --check
    /usr/bin/python3 -c 'import numpy; numpy.save("d.npy", numpy.array([[1, 2], [1, -3.4e38]])); numpy.save("e.npy", numpy.array([[1, 2], [1, -1e39]]))'
    dq-cat --from npy d.npy > d.dq
    run dq-cat --vectors bf16 --to stream d.dq -o never.dq
    [ "$status" -eq 1 ]
    [ "$output" = "dq-cat: d.dq: record 2: items: row 1 has -3.4e+38 in its vector, and bf16 holds up to 3.38953e+38" ]
    dq-cat --vectors f4 --to stream d.dq | dq-cat --check
    run dq-cat --from npy e.npy -o never.dq
    [ "$status" -eq 1 ]
    [[ $output == "dq-cat: "*"items: column vector, row 1: a vector's number beyond float32" ]]
    [ ! -e never.dq ]
    run dq-cat --vectors f2 big.dq
    [ "$status" -eq 2 ]
    run dq-cat --count --vectors f2 big.dq
    [ "$status" -eq 2 ]
}

@test "safetensors both ways" {
    dq-cat --kind model --to safetensors s.dq > m.safetensors
    dq-cat --from safetensors m.safetensors > m.dq
    dq-cat --check m.dq
    dq-cat --kind model s.dq > a
    dq-cat --kind model m.dq | jq -cS . | sort | diff - <(jq -cS . a | sort)
    run dq-cat --kind users --to safetensors s.dq
    [ "$status" -eq 1 ]
    [ "$output" = "dq-cat: no model in the stream" ]
}

@test "the same payload from the same input, whatever the flushes" {
    dq-cat --to stream s.dq | zstd -dcq > a
    DQ_FLUSH=1 dq-cat --to stream - < s.dq | zstd -dcq > b
    cat s.dq | DQ_THREADS=2 dq-cat --flush --to stream | zstd -dcq > c
    cmp a b
    cmp a c
}

@test "--since and --before cut interactions by time; users, items and references stay" {
    printf '{"id":"%s"}\n' a b >u.jsonl
    printf '{"id":"%s"}\n' x y >i.jsonl
    cat >n.jsonl <<'END'
{"user":"a","item":"x","time":"1998-01-01T10:00:00","day":9}
{"user":"a","item":"y","time":"1998-03-01T10:00:00","day":10}
{"user":"b","item":"y","time":"1998-05-01T10:00:00","day":100}
{"user":"b","item":"x"}
END
    dq-export --users u.jsonl --items i.jsonl --interactions n.jsonl -o t.dq
    when() { dq-cat -q --kind interactions "$@" t.dq | jq -c .day | tr '\n' ' '; }
    [ "$(when --since 1998-03)" = "10 100 " ]
    [ "$(when --before 1998-03-01T10:00:00)" = "9 " ]
    [ "$(when --since 1998-01-01T10:00:00 --before 1998-05)" = "9 10 " ]
    [ "$(when --since 1998-03-01T12:30:00+02:30)" = "10 100 " ]
    [ "$(when --since 888746400000)" = "10 100 " ] # 1998-03-01T10:00 in milliseconds
    [ "$(when --time day --since 10)" = "10 100 " ] # numbers, not bytes
    [ "$(when --time day --before 9.5)" = "9 " ]
    [ "$(dq-cat -q --since 1999 --to stream t.dq | dq-cat --count | tr '\t\n' '= ')" = "users=2 items=2 " ]
    run -1 dq-cat --since 1998 --time hour t.dq
    [ "$output" = "dq-cat: t.dq: record 3: the interactions have no attribute 'hour' that says their time; 'time' reads as one (--time)" ]
    run -2 dq-cat --time day t.dq
    [ "${output% (try *)}" = "dq-cat: --time needs --since or --before" ]
}

@test "--since and --before: what was taken for granted is said, and what is no time is refused" {
    printf '{"id":"%s"}\n' a >u.jsonl
    printf '{"id":"%s"}\n' x >i.jsonl
    times() { # JSON of the times, one an interaction
        for t; do printf '{"user":"a","item":"x","time":%s}\n' "$t"; done >n.jsonl
        dq-export --users u.jsonl --items i.jsonl --interactions n.jsonl -o t.dq
    }
    times 1573587064000 null '"1573587065000"'
    run -0 --separate-stderr dq-cat --kind interactions --since 2019-11-12T19:31:05Z t.dq
    [ "${#lines[@]}" = 1 ]
    [ "$stderr" = "dq-cat: the times 'time' are taken as milliseconds since 1970 (the first is 2019-11-12T19:31:04Z)
dq-cat: 1 interactions have no 'time' and were left out" ]
    # four digits are a year beside what can be a time, and a number beside small ones
    times 978307199 978307200 '"1998"' null
    run -0 --separate-stderr dq-cat --kind interactions --since 2001 t.dq
    [ "${#lines[@]}" = 1 ]
    [ "${lines[0]}" = '{"user":"a","item":"x","time":978307200}' ]
    run -0 --separate-stderr dq-cat --kind interactions --before 2001 t.dq
    [ "${#lines[@]}" = 2 ]
    times 7 2020 2021
    run -0 --separate-stderr dq-cat --kind interactions --before 2021 t.dq
    [ "${#lines[@]}" = 2 ]
    [[ "$stderr" == *"; four digits are such a number, and no year"* ]]
    times 1573587064 1573587064000 '{"$date":"2019-11-12T19:31:05Z"}'
    run -0 --separate-stderr dq-cat --kind interactions --before 2019-11-12T19:31:05Z t.dq
    [ "${#lines[@]}" = 2 ]
    [[ "$stderr" == *"are of several forms; 1 are taken as seconds"*"; 1 are taken as milliseconds"*"; 1 are dates"* ]]
    times 7 '"2019-11-12"'
    run -1 --separate-stderr dq-cat --kind interactions --since 2019-01-01 --to stream t.dq
    [[ "$stderr" == *"of several forms, and 1 are numbers too small"* ]]
    for none in '"11/12/2019 7:31:04 PM"' '"09 14, 2010"' '"2019-02-30"' '""' true '[2019]' '{"at":5}'; do
        times 1573587064 "$none"
        run -1 --separate-stderr dq-cat --since 2019-01-01 --to stream t.dq
        [[ "$stderr" == "dq-cat: t.dq: record 3: user a, item x: the time 'time' is neither a number since 1970 nor ISO 8601: "* ]]
    done
    for none in soon 11/12/2019 '' 2019-13-01 nan 0x10; do
        run -2 dq-cat --since "$none" t.dq
        [ "${output% (try *)}" = "dq-cat: --since: '$none' is no time: seconds, milliseconds or microseconds since 1970, or ISO 8601" ]
        run -2 dq-cat --before "$none" t.dq
    done
}

@test "bad usage is status 2 and one line" {
    for args in "--check --count" "--check --to tsv" "--row 1 --head 2" "--ids x" "--split d --to npy" "--kind" "--to xml" \
        "--from npy a b" "--from npy --kind model a" "--join --user u" "--join --to jsonl" "--check --user u" "--split d --output o"; do
        run dq-cat $args
        [ "$status" -eq 2 ]
        [ "${#lines[@]}" -eq 1 ]
        [[ "$output" == dq-cat:* ]]
    done
}

@test "no BLAS, no curl, no mongoc in dq-cat" {
    ldd "$BUILD"/dq-cat > linked
    run ! grep -E 'blas|curl|mongo' linked
}
