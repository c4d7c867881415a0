#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-export on files as other programs write them, and on those that it does not read: what is in them comes out, or
# one line says why not and what to do.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../said.bash"
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs python3-numpy
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    printf '{"id":1}\n{"id":2}\n' > u.jsonl
}

# reads ARGUMENT... < EXPECTED: nothing is said, and these are the rows.
reads() {
    cat > rows
    "$BUILD"/dq-export "$@" -o got.dq 2> words || { cat words; return 1; }
    only_made words || { cat words; return 1; }
    "$BUILD"/dq-cat got.dq | diff - rows
}

# refused CODE MESSAGE ARGUMENT...: exactly this line, that exit code, and no stream.
refused() {
    local code=$1 message=$2 got=0
    shift 2
    rm -f o.dq
    "$BUILD"/dq-export "$@" -o o.dq 2> words || got=$?
    [ "$(without_made words | sed 's/ (try .*//')" = "dq-export: $message" ] || { cat words; return 1; }
    [ "$got" = "$code" ] || { echo "exit $got"; return 1; }
    [ ! -e o.dq ]
}

pair() { "$BUILD"/dq-export --users u.jsonl --items u.jsonl "$@"; }

@test "JSON: an array, pretty or not, documents over lines, and lines make the same bytes" {
    printf '%s\n' '{"id":"a","text":{"bio":"[{"},"n":[1,{"b":2}]}' '{"id":"b"}' > lines.jsonl
    jq -cs . lines.jsonl > array.json
    jq -s . lines.jsonl > pretty.json
    jq . lines.jsonl > documents.json
    { printf '\xef\xbb\xbf'; jq -s . lines.jsonl; } | sed 's/$/\r/' > windows.json
    jq -c '[.]' lines.jsonl > arrays.json
    gzip -k pretty.json
    "$BUILD"/dq-export --users lines.jsonl | zstd -dc > want
    for f in array.json pretty.json documents.json windows.json arrays.json pretty.json.gz; do
        "$BUILD"/dq-export --users $f 2> words | zstd -dc | cmp - want
        only_made words
    done
    "$BUILD"/dq-export --users - < pretty.json | zstd -dc | cmp - want
}

@test "JSON: an array that is larger than the memory that there may be" {
    [ -z "$SANITIZER" ] || skip "a sanitizer maps more than all memory"
    big() { /usr/bin/python3 -c '
text = "x" * 1000
print("[" + ",".join("{\"id\":%d,\"text\":{\"t\":\"%s\"}}" % (i, text) for i in range(300000)) + "]", end="")'; }
    big | (ulimit -v 250000; "$BUILD"/dq-export --users - -o big.dq)
    [ "$("$BUILD"/dq-cat --count big.dq)" = $'users\t300000' ]
}

@test "JSON: arrays that are damaged, and what is no list of documents" {
    printf '[]' > e.json
    "$BUILD"/dq-export --users e.json 2> words > out
    [ "$(without_made words)" = "dq-export: users: e.json has no rows" ]
    printf '[{"id":1},{"id":2},]' > e.json
    "$BUILD"/dq-export --users e.json 2> words > out
    [ "$(without_made words)" = "dq-export: users: 1 skipped: 1 malformed (first: line 1: JSON: no element behind a comma)" ]
    printf '[{"id":1},{"id":2}' > e.json
    refused 1 "e.json: record 1: cut off: the array that begins here has no end" --users e.json
    printf '[[1,2],[3]]' > e.json
    refused 1 "e.json: record 1: no users: none of the rows (2) can be used; the first: not a JSON object" --users e.json
    printf '{"meta":1,"data":[{"id":1}]}' > e.json
    refused 1 "e.json: record 1: no users: none of the rows (1) can be used; the first: one document with its rows in 'data'; jq -c '.[\"data\"][]' makes lines of them" --users e.json
    run jq -c '.["data"][]' e.json
    [ "$output" = '{"id":1}' ]
}

@test "a folder of .json files is read like .jsonl, and a collection of which nothing can be used is an error" {
    mkdir db
    echo '{"users":[{"collection":"people","id":"_id","texts":{"bio":"bio"}}],"items":[{"collection":"jobs","id":"_id","texts":{"title":"title"}}]}' > map.json
    printf '[{\n"_id":1,"bio":"b"}\n]' > db/people.json
    echo '[{"_id":7,"title":"t"}]' | gzip > db/jobs.json.gz
    reads --schema map.json db << 'END'
{"kind":"users","id":"1","text":{"bio":"b"}}
{"kind":"items","id":"7","text":{"title":"t"}}
END
    echo '{"_id":1,"bio":"b"}' > db/people.jsonl
    refused 1 "db: collection people stands there twice" --schema map.json db
    printf '{"_id":1,"bio":"Cr\xe8me"}\n' > db/people.jsonl
    rm db/people.json
    refused 1 "db/people.jsonl: record 1: no users: none of the rows (1) can be used; the first: not UTF-8; iconv -f latin1 -t utf8, or --encoding latin1, if it is Latin-1" --schema map.json db
    reads --schema map.json --encoding latin1 db << 'END'
{"kind":"users","id":"1","text":{"bio":"Crème"}}
{"kind":"items","id":"7","text":{"title":"t"}}
END
    echo '{"id":1,"bio":"b"}' > db/people.jsonl
    refused 1 "db/people.jsonl: record 1: no users: none of the rows (1) can be used; the first: no id" --schema map.json db
}

@test "MovieLens: 100k, 1M, latest" {
    printf '196\t1\t3\t881250949\n' > u.data
    printf '1|Cr\xe8me (1995)|01-Jan-1995\n' > u.item
    printf '196|24|M\n' > u.user
    cat > want << 'END'
{"kind":"users","id":"196"}
{"kind":"interactions","user":"196","item":"1","reward":3,"time":881250949}
{"kind":"items","id":"1","text":{"title":"Crème (1995)"}}
END
    reads --users u.user --items u.item --interactions u.data --sep 'users:|' --sep 'items:|' --sep interactions:tab \
        --columns users:id=1 --columns items:id=1,text.title=2 --columns user=1,item=2,reward=3,time=4 \
        --encoding items:latin1 < want
    printf '196::1::3::881250949\n' > ratings.dat
    printf '1::"Cr\xe8me" (1995)::Drama\n' > movies.dat
    sed -i 's/Crème/\\"&\\"/' want
    printf '196::M::1\n' > users.dat
    reads --users users.dat --items movies.dat --interactions ratings.dat --sep :: --encoding latin1 \
        --columns users:id=1 --columns items:id=1,text.title=2 --columns user=1,item=2,reward=3,time=4 < want
    printf 'userId,movieId,rating,timestamp\n1,2,4.0,1100000003\n' > ratings.csv
    pair --interactions ratings.csv | "$BUILD"/dq-cat --kind interactions > got
    [ "$(cat got)" = '{"user":"1","item":"2","reward":4,"time":1100000003}' ]
}

@test "RecBole, Amazon, MongoDB, and pandas' index" {
    printf 'user_id:token\titem_id:token\trating:float\ttimestamp:float\ttags:token_seq\tw:float_seq\n1\t2\t4\t11\ta b\t1 0.5\n' > x.inter
    pair --interactions x.inter | "$BUILD"/dq-cat --kind interactions > got
    [ "$(cat got)" = '{"user":"1","item":"2","reward":4,"time":11,"tags":["a","b"],"w":[1.0,0.5]}' ]
    printf 'item_id:token\tw:float_seq\na\t1 nan\nb\t1 0x2\nc\t1 1e999\nd\t1 2\n' > w.item
    "$BUILD"/dq-export --items w.item 2> words | "$BUILD"/dq-cat > got
    [ "$(cat got)" = '{"kind":"items","id":"d","w":[1.0,2.0]}' ]
    [ "$(without_made words)" = "dq-export: items: 3 skipped: 3 malformed (first: line 2: no number: 'nan')" ]
    printf 'user_id:token\tage:token\n007\t24\n' > x.user
    reads --users x.user <<< '{"kind":"users","id":"007","age":"24"}'
    echo '{"user_id":"1","parent_asin":"2","asin":"9","rating":5.0,"timestamp":1588687728923,"title":"T"}' > r.jsonl
    pair --interactions r.jsonl | "$BUILD"/dq-cat --kind interactions > got
    [ "$(cat got)" = '{"user":"1","item":"2","reward":5,"asin":"9","time":1588687728923,"title":"T"}' ]
    echo '{"reviewerID":"1","asin":"2","overall":5.0,"unixReviewTime":1370000000}' > r.jsonl
    pair --interactions r.jsonl | "$BUILD"/dq-cat --kind interactions > got
    [ "$(cat got)" = '{"user":"1","item":"2","reward":5,"time":1370000000}' ]
    echo '{"_id":{"$oid":"65f1a2b3c4d5e6f708192a01"},"bio":"nurse"}' > p.jsonl
    reads --users p.jsonl <<< '{"kind":"users","id":"65f1a2b3c4d5e6f708192a01","bio":"nurse"}'
    printf ',user,item,label\n0,1,1,CLICK\n' > index.csv
    pair --interactions index.csv | "$BUILD"/dq-cat --kind interactions > got
    [ "$(cat got)" = '{"user":"1","item":"1","label":"CLICK"}' ]
}

@test "collections that say two things of one attribute, or one text, lose neither without a word" {
    mkdir f
    printf '{"_id":1,"x":1}\n{"_id":2,"x":[5],"y":1}\n' > f/a.jsonl
    printf '{"of":1,"x":2}\n{"of":2,"x":[5],"z":2}\n' > f/b.jsonl
    echo '{"_id":1}' > f/c.jsonl
    echo '{"users":[{"collection":"a","id":"_id","attributes":true},{"collection":"b","id":"of","attributes":true}],
        "items":[{"collection":"c","id":"_id"}]}' > m.json
    "$BUILD"/dq-export --schema m.json f 2> words | "$BUILD"/dq-cat --kind users > got
    [ "$(cat got)" = '{"id":"2","x":[5],"y":1,"z":2}' ]
    [ "$(without_made words)" = "dq-export: users: 1 skipped: 1 duplicate id (first: f/b.jsonl line 1: the attribute 'x' has another value in another collection)" ]
    echo '{"users":[{"collection":"a","id":"_id","texts":{"t":"x"}},{"collection":"b","id":"of","texts":{"t":"x"}}],
        "items":[{"collection":"c","id":"_id"}]}' > m.json
    refused 1 "m.json: users: two texts named 't'" --schema m.json f
}

@test "--columns names any other column or key, and refuses what it cannot" {
    printf 'sku,name,price,id\nA1,Kettle,9.5,x\n' > i.csv
    reads --items i.csv --columns id=sku,text.title=name,attr.old=id <<< '{"kind":"items","id":"A1","text":{"title":"Kettle"},"price":9.5,"old":"x"}'
    echo '{"sku":"A1","name":"Kettle","emb":[1,2]}' > i.jsonl
    reads --items i.jsonl --columns items:id=sku --columns text.title=name,vector=emb <<< '{"kind":"items","id":"A1","text":{"title":"Kettle"},"vector":[1,2]}'
    refused 1 "i.csv: sku is the id, and so is id; --columns attr.OTHER=id keeps that, too" --items i.csv --columns id=sku
    refused 1 "i.csv: no column isbn for the id; there are: sku, name, price, id" --items i.csv --columns id=isbn
    refused 1 "i.jsonl: no document has the key nmae for the text.title" --items i.jsonl --columns items:id=sku,text.title=nmae
    printf 'id,text.title,text\n1,a,b\n' > c.csv
    refused 1 "c.csv: both text and text.title would be of the text" --users c.csv
    printf 'id,text.title,name\n1,a,b\n' > c.csv
    refused 1 "c.csv: both text.title and name would be the text title" --users c.csv --columns text.title=name
    printf 'id,vector,vector.0\n1,[1],1\n' > c.csv
    refused 1 "c.csv: both vector and vector.0 would be of the vector" --users c.csv
    printf 'id,vector.0,x,vector.vector.0\n1,1,2,3\n' > c.csv
    refused 1 "c.csv: column vector.vector.0 stands apart from vector.0, of the same vector" --users c.csv
    printf 'id,x,attr.x\n1,1,2\n' > c.csv
    refused 1 "c.csv: both x and attr.x would be the attribute x" --users c.csv
    printf 'user_id:token\tage:float\tage:token\n1\t2\tx\n' > c.user
    refused 1 "c.user: both age:float and age:token would be the attribute age" --users c.user
    printf 'user_id:token\tvector.a.0:float\tvector.b.0:float\tvector.a.0:token\n1\t1\t2\t3\n' > c.user
    refused 1 "c.user: column vector.a.0:token stands apart from vector.a.0:float, of the same vector" --users c.user
    printf '"id"x\ty\n1\t2\n' > c.tsv
    reads --users c.tsv --columns 'id="id"x' <<< '{"kind":"users","id":"1","y":2}'
    run --separate-stderr "$BUILD"/dq-export --users c.csv --columns $'users:attr.\xff=x' -o o.dq
    [ "$status" -eq 2 ]
    [[ "${stderr% (try *)}" == *" is no role of users" ]]
    printf 'id,%01025d\n1,2\n' 0 > c.csv
    refused 1 "c.csv: record 2: a column's name is over 1024 bytes or holds a NUL" --users c.csv
    printf 'id,text\n1,b\n' > c.csv
    refused 1 "c.csv: record 2: no users: none of the rows (1) can be used; the first: text is no object of texts; --columns text.NAME=text makes one of it; its columns: id, text" --users c.csv
    reads --users c.csv --columns text.bio=text <<< '{"kind":"users","id":"1","text":{"bio":"b"}}'
    printf '{"id":1,"_id":2}\n' > c.jsonl
    refused 1 "c.jsonl: record 1: no users: none of the rows (1) can be used; the first: both id and _id could be the id; --columns id=id chooses" --users c.jsonl
    reads --users c.jsonl --columns id=id <<< '{"kind":"users","id":"1","_id":2}'
    printf 'id,attr.x,x\n1,2,3\n' > c.csv
    refused 1 "c.csv: both attr.x and x would be the attribute x" --users c.csv
    refused 2 "--columns: 'id=x': of which file? users:id=x or items:id=x" --users u.jsonl --items u.jsonl --columns id=x
    refused 2 "--columns: 'reward=x': there is no file that has it" --users u.jsonl --columns reward=x
    refused 2 "--columns: 'reward' is no role of users" --users u.jsonl --columns users:reward=x
    refused 2 "--columns: 'foo' is no role (id vector text.NAME attr.NAME; user item label reward time propensity position request model)" --users u.jsonl --columns foo=x
    refused 2 "--columns: 'id' is not ROLE=NAME" --users u.jsonl --columns id
    refused 2 "--columns: two columns for the id of users" --users u.jsonl --columns id=a,id=b
    refused 2 "--columns: column a is to be two things" --users u.jsonl --columns id=a,text.b=a
    refused 2 "--columns: there are no --items" --users u.jsonl --columns items:id=a
    refused 2 "--columns: numbers are for a table without a header, so users are all numbers or none" --users c.csv --columns id=1,text.b=x
}

@test "--sep, and headers that are cut at another separator" {
    printf 'user;item;label\n1;"2";SAVE\n' > x.csv
    pair --interactions x.csv --sep ';' | "$BUILD"/dq-cat --kind interactions > got
    [ "$(cat got)" = '{"user":"1","item":"2","label":"SAVE"}' ]
    refused 1 "x.csv: no column that is needed, but the first line looks cut at ';': --sep ';'" --users u.jsonl --items u.jsonl --interactions x.csv
    printf 'id\tname\n1\tC:\\new\n' > t.csv
    refused 1 "t.csv: no column that is needed, but the first line looks cut at 'tab': --sep 'tab'" --users t.csv
    reads --users t.csv --sep tab <<< '{"kind":"users","id":"1","name":"C:\\new"}'
    printf 'id, name\n1, x\n' > s.csv
    refused 1 "s.csv: column 2 is named ' name', with a blank (--sep ', ' cuts it off where one stands behind each separator)" --users s.csv
    reads --users s.csv --sep ', ' <<< '{"kind":"users","id":"1","name":"x"}'
    printf 'sep=;\r\nid;name\r\n1;x\r\n' > e.csv
    reads --users e.csv --sep ';' <<< '{"kind":"users","id":"1","name":"x"}'
    "$BUILD"/dq-export --users - --sep ';' < e.csv | "$BUILD"/dq-cat | diff - <(echo '{"kind":"users","id":"1","name":"x"}')
    refused 2 "--sep: no file is a table" --users u.jsonl --sep ';'
    refused 2 "--sep: 'u.jsonl' is no table by its name" --users u.jsonl --sep 'users:;'
    refused 2 "--sep: '\"' is no separator (1 to 8 bytes, no quote, no line break)" --users e.csv --sep '"'
}

@test "TSV: cells in quotes as pandas and Excel write them, and what dq-cat writes comes back" {
    printf 'id\ttext.bio\n1\t"He said ""hi"", twice"\n2\t"Line one\nline two"\n3\t"Cats" live\n' > u.tsv
    reads --users u.tsv << 'END'
{"kind":"users","id":"1","text":{"bio":"He said \"hi\", twice"}}
{"kind":"users","id":"2","text":{"bio":"Line one\nline two"}}
{"kind":"users","id":"3","text":{"bio":"\"Cats\" live"}}
END
    cat > hard.jsonl << 'END'
{"id":"\"q\"","text":{"bio":"\"whole\"","cv":"\"open\n\ttab \\ \"\"two\"\"\""},"quoted":"\"x\"","list":["\"a\"",1]}
{"id":"\\","text":{"bio":"\\\"","cv":"\"\""},"quoted":"\""}
END
    "$BUILD"/dq-export --users hard.jsonl -o c.dq
    "$BUILD"/dq-cat --to tsv c.dq > back.tsv
    "$BUILD"/dq-export --users back.tsv | zstd -dc > got
    zstd -dc c.dq | cmp - got
}

@test "text in every program: marks are passed over, UTF-16 is refused with what to do" {
    printf '\xef\xbb\xbfid,name\n1,x\n' > u.csv
    reads --users u.csv <<< '{"kind":"users","id":"1","name":"x"}'
    printf 'id,name\n1,\xc3\xa9\n' | iconv -f UTF-8 -t UTF-16 > wide.csv
    refused 1 "wide.csv: this is UTF-16; iconv -f UTF-16 -t UTF-8 makes it readable" --users wide.csv
    reads --users wide.csv --encoding UTF-16 <<< '{"kind":"users","id":"1","name":"é"}'
    refused 1 "wide.csv: no encoding 'x' (iconv -l lists them)" --users wide.csv --encoding x
    printf '\xef\xbb\xbf1 0 2 1\n' > qrels
    printf '\xef\xbb\xbf1 Q0 2 1 0.5 t\n' > run
    "$BUILD"/dq-eval --qrels qrels --run run -m map | grep -q 1.0000
    pair -o c.dq
    printf '\xef\xbb\xbf1\t2\n' > pairs
    /usr/bin/python3 -c 'import numpy; numpy.save("v.npy", numpy.ones((1, 2), "<f4"))'
    printf '\xef\xbb\xbfa\n' > ids
    reads --users v.npy --user-ids ids <<< '{"kind":"users","id":"a","vector":[1,1]}'
    "$BUILD"/dq-export --users v.npy --user-ids ids --items v.npy --item-ids ids -o v.dq
    printf '\xef\xbb\xbfa\ta\n' > pairs
    "$BUILD"/dq-reward --pairs-file pairs v.dq | "$BUILD"/dq-cat --kind transitions | grep -q '"user":"a"'
    for f in qrels run pairs ids; do
        printf 'a\ta 1 1\n' | iconv -t UTF-16 > $f
    done
    wide=": this is UTF-16; iconv -f UTF-16 -t UTF-8 makes it readable"
    run -1 "$BUILD"/dq-eval --qrels qrels --run run -m map
    [ "$output" = "dq-eval: qrels$wide" ]
    run -1 --separate-stderr "$BUILD"/dq-reward --pairs-file pairs v.dq -o o.dq
    [ "$stderr" = "dq-reward: pairs$wide" ]
    refused 1 "ids$wide" --users v.npy --user-ids ids
    echo '{}' | iconv -t UTF-16 > map.json
    refused 1 "map.json$wide" --schema map.json .
}

@test "Latin-1 is said, counted apart, and read by --encoding" {
    printf 'id,text.title\n1,x\n2,"Cr\xe8me"\n' > m.csv
    "$BUILD"/dq-export --items m.csv 2> words > out
    [ "$(without_made words)" = "dq-export: items: 1 skipped: 1 not UTF-8 (first: line 3: iconv -f latin1 -t utf8, or --encoding latin1, if it is Latin-1)" ]
    reads --items m.csv --encoding latin1 << 'END'
{"kind":"items","id":"1","text":{"title":"x"}}
{"kind":"items","id":"2","text":{"title":"Crème"}}
END
    printf '{"id":1,"t":"Cr\xe8me"}\n' > m.jsonl
    reads --items m.jsonl --encoding items:latin1 <<< '{"kind":"items","id":"1","t":"Crème"}'
}

@test "forms that are not read say what converts them, by name and by first bytes" {
    for form in parquet feather npz xlsx pkl bson db h5 pt dq; do
        cp u.jsonl x.$form
        run -2 "$BUILD"/dq-export --users x.$form
        [[ $output == "dq-export: --users: 'x.$form' is "*";"* ]] || { echo "$output"; false; }
    done
    /usr/bin/python3 -c 'import numpy, pickle; numpy.savez("a.npz", a=numpy.ones(3)); pickle.dump([1], open("p", "wb"))'
    mv a.npz a.csv
    run -1 "$BUILD"/dq-export --users a.csv
    [[ $output == "dq-export: a.csv: this is a zip archive"*numpy.save* ]]
    run -1 "$BUILD"/dq-export --users p
    [[ $output == "dq-export: p: this is a pickle"* ]]
    printf 'PAR1 and so on and on' > x.jsonl
    run -1 "$BUILD"/dq-export --users x.jsonl
    [[ $output == "dq-export: x.jsonl: this is Parquet; duckdb"* ]]
    cp a.csv a.npy
    run -1 "$BUILD"/dq-export --users a.npy --user-ids p
    [[ $output == "dq-export: a.npy: this is a zip archive"*numpy.save* ]]
    for f in '{"id":1}' '[{"id":1}]'; do
        echo "$f" > j.csv
        refused 1 "j.csv: JSON, by its first byte; its name is to end in .json or .jsonl" --users j.csv
    done
    "$BUILD"/dq-export --users u.jsonl | zstd -dc > s.jsonl
    run -1 "$BUILD"/dq-export --users s.jsonl
    [[ $output == "dq-export: s.jsonl: this is a stream of dq's"* ]]
}

@test "nothing usable is a failure, whatever the form, and a cut last line too" {
    printf '{"a":1}\n{"b":2}\n' > n.jsonl
    refused 1 "n.jsonl: record 1: no users: none of the rows (2) can be used; the first: users need a key id; there are: a; looked for: id (or _id, user_id, userId, userID, reviewerID); --columns id=NAME" --users n.jsonl
    refused 1 "n.jsonl: record 1: no items: none of the rows (2) can be used; the first: items need a key id; there are: a; looked for: id (or _id, item_id, itemId, itemID, movieId, movie_id, news_id, parent_asin, asin); --columns id=NAME" --users u.jsonl --items n.jsonl --interactions u.jsonl
    printf 'id,name\n,x\n' > n.csv
    refused 1 "n.csv: record 2: no users: none of the rows (1) can be used; the first: no id; its columns: id, name" --users n.csv
    printf '{"user":1,"item":9}\n' > x.jsonl
    refused 1 "x.jsonl: record 1: no interactions: none of the rows (1) can be used; the first: no item '9'" --users u.jsonl --items u.jsonl --interactions x.jsonl
    printf '{"kind":"items","id":1}\n' > o.jsonl
    printf '{"id":1,"kind":"model"}\n{"id":2,"kind":"toy"}\n' > k.jsonl # an attribute that is named as dq's own
    [ "$("$BUILD"/dq-export --users k.jsonl 2> words | "$BUILD"/dq-cat --count)" = $'users\t1' ]
    [ "$(without_made words)" = 'dq-export: users: 1 rows of another "kind" were passed over' ]
    refused 1 "o.jsonl: no users: all rows (1) say they are of another kind" --users o.jsonl
    printf 'a,b,c\n1,2,3\n' > x.csv
    refused 1 "x.csv: interactions need the columns user and item; there are: a, b, c; looked for: user (or user_id, userId, userID, reviewerID); item (or item_id, itemId, itemID, movieId, movie_id, news_id, parent_asin, asin, action); --columns user=NAME,item=NAME (user=1,item=2: no header)" --users u.jsonl --items u.jsonl --interactions x.csv
    printf '{"id":1}\n{"id":2' > c.jsonl
    refused 1 "c.jsonl: record 2: the last line is cut off" --users c.jsonl
    printf 'id,name\n1,x\n2' > c.csv
    refused 1 "c.csv: record 3: the last line is cut off: 1 cells where the header has 2" --users c.csv
    printf 'id,vector.0\n1,1\n2,1e' > c.csv
    refused 1 "c.csv: record 3: the last line is cut off: '1e' is no number" --users c.csv
    : > e.jsonl
    "$BUILD"/dq-export --users e.jsonl 2> words > out
    [ "$(without_made words)" = "dq-export: users: e.jsonl has no rows" ]
}
