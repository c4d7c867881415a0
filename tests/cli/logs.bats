#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Logs of choices: propensity, position, request and model on their way from files through every program that meets them.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../said.bash"

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
    shared=$BATS_TEST_DIRNAME/../../../shared/data/obd
}

payload() { zstd -dcq "$1"; }
rows() { dq-cat --kind "$2" "$1"; }

# refused STATUS WORDS ARGUMENTS...: of dq-export, without a stream.
refused() {
    local status=$1 words=$2
    shift 2
    run --separate-stderr -"$status" dq-export "$@" -o no.dq
    [ "${stderr_lines[0]% (try *)}" = "dq-export: $words" ] || { echo "$stderr"; false; }
    [ ! -e no.dq ]
}

# One log, as CSV under names of a data set and as JSON lines under dq's own.
a_log() {
    printf '%s\n' 'user_id,item_id,click,pscore,position,request_id,model,timestamp,shelf' \
        'u1,a,1,0.17336500000000002,1,007,v1,1700000000,"left"' 'u1,b,0,0.3333333333333333,2,007,v1,1700000001,' \
        'u2,a,,1,,,v2,1700000002,3' 'u2,b,0,,1,008,,,' > log.csv
    printf '%s\n' \
        '{"user":"u1","item":"a","reward":1,"propensity":0.17336500000000002,"position":1,"request":"007","model":"v1","time":1700000000,"shelf":"left"}' \
        '{"user":"u1","item":"b","reward":0,"propensity":0.3333333333333333,"position":2,"request":"007","model":"v1","time":1700000001}' \
        '{"user":"u2","item":"a","propensity":1,"model":"v2","time":1700000002,"shelf":3}' \
        '{"user":"u2","item":"b","reward":0,"position":1,"request":"008"}' > log.jsonl
    printf '{"id":"%s"}\n' u1 u2 > users.jsonl
    printf '{"id":"%s"}\n' a b > items.jsonl
}

@test "a log of a table and of JSON lines is one stream, prints in full, and is read again to the same bytes" {
    a_log
    dq-export --interactions log.csv --columns reward=click -o csv.dq 2> words
    only_made words
    dq-export --interactions log.jsonl -o json.dq
    [ "$(dq-cat --count csv.dq)" = $'interactions\t4' ]
    diff <(dq-cat csv.dq) <(dq-cat json.dq)
    dq-cat --kind interactions json.dq | jq -cS . | diff - <(jq -cS . log.jsonl)
    dq-cat json.dq > again.jsonl
    dq-export --interactions again.jsonl -o again.dq
    cmp <(payload json.dq) <(payload again.dq)
    dq-export --users users.jsonl --items items.jsonl --interactions log.jsonl -o whole.dq
    dq-cat whole.dq > all.jsonl # every kind in one file
    dq-export -q --users all.jsonl --items all.jsonl --interactions all.jsonl -o whole2.dq
    cmp <(payload whole.dq) <(payload whole2.dq)
    dq-cat --to tsv --kind interactions json.dq > rows.tsv
    head -1 rows.tsv | tr '\t' '\n' | grep -cxE 'propensity|position|request|model' | grep -x 4
    dq-cat --join whole.dq | dq-cat --kind interactions | diff - <(dq-cat --kind interactions json.dq)
    dq-cat --item b --kind interactions whole.dq | jq -se 'map(.request) == ["007", "008"]'
}

@test "every name that --columns gives" {
    printf '%s\n' 'who,what,got,chance,place,list,by' 'u,i,0.5,0.25,3,r,m' > odd.csv
    dq-export --interactions odd.csv --columns user=who,item=what,reward=got,propensity=chance,position=place,request=list,model=by |
        dq-cat --kind interactions | grep -xF '{"user":"u","item":"i","request":"r","model":"m","reward":0.5,"propensity":0.25,"position":3}'
    printf '%s\n' '{"user":"u","item":"i","position":"nurse"}' > job.jsonl
    refused 1 "job.jsonl: record 1: no interactions: none of the rows (1) can be used; the first: the position is no number; --columns attr.OTHER=position makes an attribute of it" \
        --interactions job.jsonl
    dq-export --interactions job.jsonl --columns attr.job=position | dq-cat | jq -e '.job == "nurse"'
    refused 2 "--columns: there are no --users" --interactions job.jsonl --columns users:propensity=p
    refused 2 "--columns: 'propensity=p': there is no file that has it" --users job.jsonl --columns propensity=p
}

@test "what cannot have been logged is refused by row, counted and in words" {
    for p in 0 -0.5 1.5; do printf '{"user":"u","item":"i","propensity":%s}\n' $p; done > bad.jsonl
    printf '{"user":"u","item":"i","propensity":%s}\n' '"NaN"' 0.5 >> bad.jsonl
    printf '{"user":"u","item":"i","position":%s}\n' 0 1.5 2 >> bad.jsonl
    dq-export --interactions bad.jsonl -o bad.dq 2> words
    [ "$(dq-cat --count bad.dq)" = $'interactions\t2' ]
    diff <(without_made words) - <<< 'dq-export: interactions: 6 skipped: 1 wrong type (first: line 4: the propensity is no number), 3 impossible propensity (first: line 1: the propensity 0 is not above 0 and at most 1), 2 impossible position (first: line 6: the position 0 is no whole number from 1)'
    refused 1 "bad.jsonl: record 1: the propensity 0 is not above 0 and at most 1" --strict --interactions bad.jsonl
    printf 'user,item,propensity\nu,i,nan\nu,i,0.5\n' > bad.csv
    dq-export --interactions bad.csv -o bad.dq 2> words
    grep -qF '1 wrong type (first: line 2: the propensity is no number)' words
}

@test "interactions go alone, or with both users and items" {
    a_log
    refused 2 "--user: there are no --users" --interactions log.jsonl --user u1
    dq-export --interactions log.jsonl | dq-cat --check
    dq-export --interactions log.jsonl --sep , 2> words && false
    [ -s words ]
}

# A log in the form of the Open Bandit Dataset: three contexts, of which one comes twice; a NUL-free table with an index.
an_obd_log() {
    printf '%s\n' ',timestamp,item_id,position,click,propensity_score,user_feature_0,user_feature_1,user-item_affinity_0,user-item_affinity_1,user-item_affinity_2' \
        '0,2019-11-24 00:01:03.979311+00:00,2,2,0,0.045525,b,x,0.0,0.0,0.0' '1,2019-11-24 00:01:45.406608+00:00,0,3,1,0.5,a,y,0.0,2.0,0.5' \
        '2,2019-11-24 00:02:02.396318+00:00,1,1,0,0.17336500000000002,b,x,1.0,0.0,0.0' '3,2019-11-24 00:03:02+00:00,1,1,0,0,a,x,0.0,0.0,0.0' > log.csv
    printf '%s\n' ',item_id,item_feature_0,item_feature_1' '0,0,-0.5,q' '1,1,0.25,p' '2,2,1,q' > context.csv
}

@test "--schema obd: users of features, items of their file, fields for both, and what was logged" {
    an_obd_log
    dq-export --schema obd --items context.csv log.csv -o obd.dq 2> words
    diff <(without_made words) - <<< 'dq-export: interactions: 1 skipped: 1 impossible propensity (first: line 5: the propensity 0 is not above 0 and at most 1)'
    dq-cat --check obd.dq
    dq-cat --count obd.dq | diff - <(printf 'users\t3\ninteractions\t3\nitems\t3\n')
    rows obd.dq users | jq -ce '.vector' | diff - <(printf '%s\n' '{"user_feature_0":[0,1],"user_feature_1":[1,0]}' \
        '{"user_feature_0":[1,0],"user_feature_1":[0,1]}' '{"user_feature_0":[1,0],"user_feature_1":[1,0]}')
    rows obd.dq items | diff - <(printf '%s\n' '{"id":"0","item_feature_0":-0.5,"item_feature_1":"q","vector":{"item_feature_0":[-0.5],"item_feature_1":[0,1]}}' \
        '{"id":"1","item_feature_0":0.25,"item_feature_1":"p","vector":{"item_feature_0":[0.25],"item_feature_1":[1,0]}}' \
        '{"id":"2","item_feature_0":1,"item_feature_1":"q","vector":{"item_feature_0":[1],"item_feature_1":[0,1]}}')
    rows obd.dq interactions | jq -c 'del(.user)' | diff - <(printf '%s\n' \
        '{"item":"2","reward":0,"propensity":0.045525,"position":2,"time":"2019-11-24 00:01:03.979311+00:00"}' \
        '{"item":"0","reward":1,"propensity":0.5,"position":3,"time":"2019-11-24 00:01:45.406608+00:00","affinity":{"1":2,"2":0.5}}' \
        '{"item":"1","reward":0,"propensity":0.17336500000000002,"position":1,"time":"2019-11-24 00:02:02.396318+00:00","affinity":{"0":1}}')
    # rows 1 and 3 are of one context, and a context's id is made of its values alone
    rows obd.dq interactions | jq -r .user | sed -n '1p;3p' | uniq | wc -l | grep -x 1
    tac log.csv | sed -n '1,3p' > turned.csv
    sed -i "1i $(head -1 log.csv)" turned.csv
    diff <(rows obd.dq users | jq -r .id | sort) <(dq-export -q --schema obd turned.csv | dq-cat --kind users | jq -r .id | { cat; rows obd.dq users | jq -r .id; } | sort -u)
    # without a file of items: those that have affinities
    dq-export -q --schema obd log.csv | dq-cat --kind items | diff - <(printf '{"id":"%s"}\n' 0 1 2)
    for pack in 'zstd -q' 'gzip -k'; do $pack log.csv; done
    for log in log.csv.zst log.csv.gz; do dq-export -q --schema obd --items context.csv $log | zstd -dcq | cmp - <(payload obd.dq); done
    dq-cat obd.dq > all.jsonl
    dq-export -q --users all.jsonl --items all.jsonl --interactions all.jsonl -o again.dq
    diff <(dq-cat obd.dq) <(dq-cat again.dq)
    dq-export -q --schema obd --items context.csv --user "$(rows obd.dq users | jq -r .id | head -1)" log.csv | dq-cat --count | diff - <(printf 'users\t1\ninteractions\t2\nitems\t3\n')
}

@test "--schema obd: what is no such log is said in words" {
    an_obd_log
    refused 2 "--schema obd: needs one log, a table in CSV" --schema obd
    refused 2 "--schema obd: '-' must be a regular file, for it is read twice" --schema obd -
    refused 2 "--schema obd: 'log.jsonl' is no .csv by its name (also .csv.zst or .csv.gz)" --schema obd log.jsonl
    cut -d, -f 1-5 log.csv > short.csv
    refused 1 "short.csv: no column propensity_score: a log of the Open Bandit Dataset has item_id, position, click, propensity_score; for others --interactions and --columns say what is what" --schema obd short.csv
    sed '1s/timestamp/user/' log.csv > user.csv
    refused 1 "user.csv: a column user, which a log of the Open Bandit Dataset does not have; for others --interactions and --columns say what is what" --schema obd user.csv
    head -2 context.csv > few.csv
    dq-export --schema obd --items few.csv log.csv -o few.dq 2> words
    grep -qF "2 unknown item (first: line 2: no item '2')" words
    run -2 dq-export --schema obd log.csv --columns reward=click
    run -1 dq-export --schema obd none.csv -o no.dq
    [ ! -e no.dq ]
}

@test "--schema obd: items whose columns would take the place of an id, numbers that JSON has not, rows without an item" {
    an_obd_log
    local other
    for other in id vector text kind; do
        sed "1s/\$/,$other/; 2,\$s/\$/,7/" context.csv > taken.csv
        refused 1 "taken.csv: a column $other, which a table of items of the Open Bandit Dataset does not have; for others --interactions and --columns say what is what" \
            --schema obd --items taken.csv log.csv
    done
    printf '%s\n' 'item_id,position,click,propensity_score,user_feature_0,shelf' 0,1,0,.5,1e999,-1e999 ,1,0,.5,2,left > far.csv
    dq-export --schema obd far.csv -o far.dq 2> words
    diff <(without_made words) - <<< 'dq-export: interactions: 1 skipped: 1 without a usable id (first: line 3: item: no id)'
    rows far.dq interactions | jq -ce '[.item, .shelf]' | diff - <(echo '["0","-1e999"]')
}

@test "--schema obd: columns are read in a time that grows with their number" {
    awk 'BEGIN { n = 60000; h = "item_id,position,click,propensity_score"; r = "0,1,0,.5"
                 for (i = 0; i < n; i++) { h = h ",user-item_affinity_" i; r = r ",1.5" }
                 print h; for (k = 0; k < 4; k++) print r }' > wide.csv
    (ulimit -t 10 && exec dq-export -q --schema obd wide.csv -o wide.dq)
    [ "$(rows wide.dq interactions | jq '.affinity | length' | sort -u)" = 60000 ]
}

@test "the Open Bandit Dataset itself: its inverse propensity score is the published one" {
    [ -e "$shared"/bts_men.csv.zst ] || skip "no shared/data/obd"
    dq-export --schema obd --items "$shared"/bts_item_context_men.csv "$shared"/bts_men.csv.zst -o bts.dq
    dq-cat --check bts.dq
    rows bts.dq interactions | jq -r '[.reward, .propensity] | @tsv' | awk '
        { w = 1 / 34 / $2; sum += w; squares += w * w; value += w * $1; if (w > most) most = w }
        END { printf "%.9f %.9f %.2f %.2f\n", value / NR, value / sum, sum * sum / squares, most }' | grep -xF '0.003008626 0.003189423 655.71 178.25'
}

# What a ranking was answered with: each row is to one place of one request.
@test "feedback joins what was shown by request and item, else by user and item" {
    printf '%s\n' '{"user":"u1","item":"a","position":1,"request":"r1","propensity":0.5}' '{"user":"u1","item":"b","position":2,"request":"r1","propensity":0.5}' \
        '{"user":"u2","item":"a","position":1,"request":"r2","propensity":0.25}' '{"user":"u3","item":"a"}' '{"user":"u3","item":"b"}' > shown.jsonl
    printf '%s\n' '{"request":"r1","item":"b"}' '{"request":"r2","item":"a","label":"CLICK","reward":0.5}' '{"request":"r2","item":"a","label":"BUY","reward":2}' \
        '{"user":"u3","item":"b","label":"CLICK"}' '{"request":"r9","item":"b"}' > answers.jsonl
    dq-export --interactions shown.jsonl --feedback answers.jsonl -o log.dq 2> words
    diff <(without_made words) - <<< 'dq-export: feedback: 1 answers are to nothing that was shown'
    dq-cat log.dq | jq -c '[.user, .item, .label, .reward]' | diff - <(printf '%s\n' '["u1","a",null,0]' '["u1","b",null,1]' '["u2","a","BUY",2]' '["u3","a",null,0]' '["u3","b","CLICK",1]')
    # the same from a table under other names
    printf 'list,product,what\nr1,b,\nr2,a,BUY\n' > answers.csv
    dq-export -q --interactions shown.jsonl --feedback answers.csv --columns feedback:request=list,item=product,label=what |
        dq-cat | jq -se 'map(.reward) == [0, 1, 1, 0, 0] and .[2].label == "BUY"'
}

@test "feedback that may be to two rows, or to one with a reward of its own, is unclear and counted" {
    printf '{"user":"u","item":"a","request":"r%d"}\n' 1 2 > shown.jsonl
    printf '{"user":"u","item":"b","reward":1}\n' >> shown.jsonl
    echo '{"user":"u","item":"a"}' > answers.jsonl
    dq-export --interactions shown.jsonl --feedback answers.jsonl -o log.dq 2> words
    diff <(without_made words) - <<< 'dq-export: interactions: 2 skipped: 2 unclear feedback (first: line 2: the feedback may be to an earlier row, which has it; a request in both says which)'
    [ "$(dq-cat log.dq | jq .reward)" = 1 ]
    tail -1 shown.jsonl > own.jsonl
    refused 1 "own.jsonl: record 1: a label or reward of its own, beside the feedback" --strict --interactions own.jsonl --feedback answers.jsonl
    printf 'who,what\n1,2\n' > no.csv
    refused 1 "no.csv: feedback needs the columns user, or request, and item; there are: who, what; looked for: user (or user_id, userId, userID, reviewerID); item (or item_id, itemId, itemID, movieId, movie_id, news_id, parent_asin, asin, action); --columns user=NAME,item=NAME (user=1,item=2: no header)" \
        --interactions shown.jsonl --feedback no.csv
    run -2 dq-export --users shown.jsonl --feedback answers.jsonl
}

a_catalogue() {
    printf '%s\n' '{"id":"anna","vector":[0.9,0.1]}' '{"id":"ben","vector":[0.2,1]}' > users.jsonl
    printf '%s\n' '{"id":"welder","vector":[1,0]}' '{"id":"fitter","vector":[0.9,0.2]}' '{"id":"nurse","vector":[0,1]}' '{"id":"carer","vector":[0.3,0.9]}' > items.jsonl
    dq-export --users users.jsonl --items items.jsonl -o catalogue.dq
}

@test "a drawn ranking has its propensities, the same in every format; joined with feedback it is a log" {
    a_catalogue
    for order in "--softmax 0.5" "--epsilon 0.4"; do
        for format in stream tsv jsonl; do
            # shellcheck disable=SC2086 # two words
            dq-rank -k 3 $order --seed 7 --run-name monday --format $format -o ranked.$format catalogue.dq
        done
        dq-cat --check ranked.stream
        dq-cat --kind rankings ranked.stream | jq -c '[.user, .rank, .item, .value, .propensity, .request, .model]' > rows
        [ "$(wc -l < rows)" = 6 ]
        jq -c '[.user, .rank, .item, .score, .propensity, .request, .model]' ranked.jsonl | diff rows -
        jq -Rc 'split("\t") | [.[0], (.[1] | tonumber), .[2], (.[3] | tonumber), (.[4] | tonumber), .[5], .[6]]' ranked.tsv | diff rows -
        jq -se 'all(.[4] > 0 and .[4] <= 1 and .[6] == "monday") and (map(.[5]) | unique | length == 2) and all(.[5] | test("^[0-9a-f]{16}$"))' rows
        # the softmax, and epsilon, written out: all items' scores are in the plain ranking
        dq-rank -k 4 --format jsonl catalogue.dq | jq -sc . > plain
        jq -se --slurpfile plain plain --arg order "$order" '
            def left($above): map(select(.item as $i | $above | index($i) | not));
            . as $rows | all(.[]; . as $r | ([$rows[] | select(.user == $r.user and .rank < $r.rank) | .item]) as $above |
                ([$plain[0][] | select(.user == $r.user)] | left($above)) as $left |
                (if $order == "--softmax 0.5" then ($r.score / 0.5 | exp) / ($left | map(.score / 0.5 | exp) | add)
                 else 0.4 / ($left | length) + (if $left[0].item == $r.item then 0.6 else 0 end) end) as $p |
                ($p - $r.propensity | fabs) < 1e-6)' ranked.jsonl
    done
    dq-cat --kind rankings ranked.stream > served.jsonl
    jq -c 'select(.rank == 2) | {request, item, label: "CLICK"}' served.jsonl > clicks.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions served.jsonl --columns position=rank --feedback clicks.jsonl -o log.dq 2> words
    only_made words
    rows log.dq interactions | jq -se 'all(.reward == (if .position == 2 then 1 else 0 end) and .propensity > 0) and (map(select(.label == "CLICK")) | length) == 2'
    diff <(rows log.dq interactions | jq .propensity) <(jq .propensity served.jsonl)
}

@test "a ranking that nothing was drawn for has no propensities; another seed, run or user is another request" {
    a_catalogue
    for order in "" "--mmr 0.5"; do
        # shellcheck disable=SC2086 # none, or two words
        dq-rank $order catalogue.dq | dq-cat | jq -se 'all(has("propensity") or has("request") or has("model") | not)'
    done
    for args in "--seed 1" "--seed 2" "--seed 1 --run-name other" "--seed 1"; do
        # shellcheck disable=SC2086
        dq-rank -k 1 --epsilon 0.5 $args --format jsonl catalogue.dq | jq -r .request
    done > requests
    [ "$(sort -u requests | wc -l)" = 6 ]
    run --separate-stderr -2 dq-rank --run-name x --format tsv --no-header catalogue.dq
    [ "${stderr_lines[0]% (try *)}" = "dq-rank: --run-name: only a TREC run (--format trec) and drawn lists (--epsilon, --softmax, --explore) say who ranks" ]
}

@test "dq-reward and dq-embed keep what was logged, on interactions and on the transitions that are made of them" {
    a_log
    sed -i 's/"u2","item":"a"/&,"reward":1/' log.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions log.jsonl -o log.dq
    dq-reward --strategy logged log.dq -o rewards.dq
    diff <(rows rewards.dq interactions) <(rows log.dq interactions)
    columns='[.user, .item, .reward, .propensity, .position, .request, .model]'
    diff <(rows rewards.dq transitions | jq -c "$columns") <(rows log.dq interactions | jq -c "$columns")
    dq-reward --strategy logged rewards.dq -o again.dq # transitions that are there are labelled anew
    diff <(rows again.dq transitions | jq -c "$columns") <(rows log.dq interactions | jq -c "$columns")
    dq-reward --strategy logged --user u2 log.dq | dq-cat --kind transitions | jq -c "$columns" | diff - <(rows log.dq interactions | jq -c "select(.user == \"u2\") | $columns")
    dq-reward --strategy logged --pairs all log.dq | dq-cat --kind transitions | jq -se 'all(has("propensity") or has("position") | not)'
    dq-embed cf:2 log.dq | dq-cat --kind interactions | diff - <(rows log.dq interactions)
    # several bundles of interactions: two sections, of which one logs nothing
    echo '{"user":"u2","item":"b","reward":0.5}' > more.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions more.jsonl -o more.dq
    cat log.dq more.dq log.dq | dq-reward --strategy logged | dq-cat --kind transitions | jq -c "$columns" |
        diff - <(cat log.dq more.dq log.dq | dq-cat --kind interactions | jq -c "$columns")
    dq-cat rewards.dq > printed.jsonl
    jq -c 'select(.kind == "transitions")' printed.jsonl | jq -se 'map(.request) == ["007", "007", null, "008"]'
}

@test "dq-sim: propensities of what is played are full numbers, and sum to one over the actions" {
    dq-sim --play 40 maze -o any.dq
    actions=$(dq-cat any.dq | jq -s 'map(.choice) | unique | length')
    dq-cat any.dq | jq -se --argjson n "$actions" 'all(.propensity == 1 / $n)'
}

@test "dq-train: a log's propensities are not used, and that is said" {
    dq-sim -q sequence --play 20 --seed 5 -o played.dq
    dq-train --offline --agent dqn --hidden 8 --batch 16 --epochs 1 played.dq -o m.dq 2> words
    grep -xF "dq-train: the log's propensities are not used: nothing is weighed by them" words
    dq-sim -q --users 4 --items 6 --interactions 20 | dq-reward -q -s logged -o t.dq
    dq-train --offline --hidden 8 --no-world --epochs 1 t.dq -o m.dq 2> words
    run -1 grep propensities words
}
