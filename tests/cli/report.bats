#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-eval --report: pages of each way of working, what is in them, and pages joined. What a browser makes of them:
# report-browser.bats.

bats_require_minimum_version 1.5.0

load ../needs

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    export PATH="$BUILD:$PATH" DQ_THREADS=1
    printf '%s\n' 'anna 0 welder 3' 'anna 0 fitter 1' 'ben 0 nurse 3' > test.qrels
    printf '%s\n' 'anna Q0 fitter 1 0.9 a' 'anna Q0 welder 2 0.7 a' 'ben Q0 clerk 1 0.8 a' > a.run
    printf '%s\n' 'anna Q0 welder 1 9.1 b' 'anna Q0 fitter 2 8.7 b' 'ben Q0 nurse 1 9.4 b' > b.run
    "$BATS_TEST_DIRNAME/../fixtures/world.sh" 6 20
    dq-export -q --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    dq-reward -q -s logged -o t.dq c.dq
    dq-rank -q --by cosine -k 5 -o ranked.dq c.dq
    dq-sim -q sequence --play 20 --seed 5 -o played.dq
    printf 'value\n1\n2\n4\n' > numbers.tsv
    for episode in 1 2 3 4; do echo "{\"user\":\"u\",\"episode\":$episode,\"steps\":10,\"reward\":0.$episode}"; done > log.jsonl
}

setup() {
    set -o pipefail
    cd "$BATS_FILE_TMPDIR" || return
    export PATH="$BUILD:$PATH" DQ_THREADS=1
}

quiet() { dq-eval --quiet "$@" > "$BATS_TEST_TMPDIR/out"; }

# grep that reads all there is, so that nobody is told that a pipe is broken.
has() { grep "$@" > /dev/null; }

# The text of a page's table cells, a row a line, intervals in their cell.
rows_of() { sed -n 's,</t[hd]>, | ,g; s,<small>, ,g; s,<[^>]*>,,gp' "$1"; }

@test "each way of working has a page, and the printed table stays what it is" {
    while read -r name line; do
        # shellcheck disable=SC2086 # a command line
        dq-eval --quiet $line > plain
        # shellcheck disable=SC2086
        dq-eval --quiet $line --report "$name.html" | cmp - plain
        head -1 "$name.html" | has -x '<!DOCTYPE html>'
        tail -1 "$name.html" | has -x '</html>'
        [ "$(grep -c '<!--dq part' "$name.html")" = 1 ]
        grep -q '<table' "$name.html"
        grep -q 'How this was made' "$name.html"
    done <<'LINES'
rankings --qrels test.qrels --run a.run --run b.run
stream --qrels t.dq --run ranked.dq --format json
trec --qrels test.qrels --run a.run --format trec
against --qrels test.qrels --run a.run --run b.run --against all
sizes --sample-size --effect 0.1
rollout --rollout --model random --model cosine --episodes 4 --steps 3 --reward cosine c.dq
cold --cold-start --model random --model cosine --episodes 2 --steps 3 --reward cosine c.dq
env --rollout --env maze --model random --episodes 2
ope --ope log,ips --target uniform --resamples 100 played.dq
agreement --agreement --resamples 100 c.dq t.dq
traffic --traffic c.dq
draw --draw points:x=value,y=value numbers.tsv
curves --curves --format tsv log.jsonl
LINES
}

@test "values, intervals and differences are in the page, with all digits behind them" {
    quiet --qrels test.qrels --run a.run --run b.run -m ndcg@10 -m P@10 --report page.html
    dq-eval --quiet --qrels test.qrels --run a.run --run b.run -m ndcg@10 -m P@10 -f tsv > tsv
    while IFS=$'\t' read -r _ _ _ value low high difference _; do
        for number in $value $difference; do grep -qF "<data value=\"$number\">" page.html; done
        grep -qF "[$(printf '%.4f, %.4f' "$low" "$high")]" page.html
    done < <(tail -n +2 tsv)
    rows_of page.html | grep -F 'b.run | 1.0000  [1.0000, 1.0000] | 0.1500  [0.1000, 0.2000]' # P@10: 2 and 1 of 10
    grep -qF '<strong><data value="1">1.0000</data></strong>' page.html
    rows_of page.html | grep -F 'Difference from a.run'
}

@test "a picture that has no intervals says nothing of them" {
    quiet --agreement --resamples 100 --report page.html c.dq t.dq
    grep -o 'img src="data:image/svg+xml;base64,[^"]*' page.html | sed 's/.*,//' | while read -r picture; do
        base64 -d <<< "$picture" > picture.svg
        grep -c '95 % intervals' picture.svg || true
    done > "$BATS_TEST_TMPDIR/noted"
    [ "$(paste -sd' ' "$BATS_TEST_TMPDIR/noted")" = '1 0' ] # coefficients, who called what what
}

@test "the same inputs and the same command give the same page" {
    for folder in one two; do
        mkdir -p $folder && cp a.run b.run test.qrels log.jsonl $folder
        (cd $folder && quiet --qrels test.qrels --run a.run --run b.run --report page.html && quiet --curves --report curves.html log.jsonl)
    done
    cmp one/page.html two/page.html
    cmp one/curves.html two/curves.html
}

@test "inputs have their bytes, their SHA-256 and, of streams, who made them" {
    quiet --qrels t.dq --run ranked.dq --catalogue c.dq -m coverage@5 --report page.html
    for file in t.dq ranked.dq c.dq; do
        rows_of page.html | grep -F "$file | $(stat -c %s $file) | $(sha256sum < $file | cut -d' ' -f1)"
    done
    sed -n '/What made ranked.dq/,/<.details>/p' page.html | sed 's/<[^>]*>/ /g' > made
    grep -qF "Section  $(dq-cat --lineage ranked.dq | sed -n 's/^section \([0-9a-f]*\).*/\1/p')" made
    grep -q 'dq-rank' made
    grep -q 'by=cosine' made
    grep -q 'dq-export' made
}

@test "a pipe is read once and told as a file is" {
    dq-rank -q --by cosine -k 5 c.dq | tee r.dq | quiet --qrels t.dq --report pipe.html
    rows_of pipe.html | grep -F "standard input | $(stat -c %s r.dq) | $(sha256sum < r.dq | cut -d' ' -f1)"
    sed -n '/What made standard input/,$p' pipe.html | has '<b>dq-rank</b>'
    quiet --qrels t.dq --report file.html < r.dq
    diff <(sed '/<pre>/d; s/p[0-9a-f]\{8\}//g; /dq part/d' pipe.html) <(sed '/<pre>/d; s/p[0-9a-f]\{8\}//g; /dq part/d' file.html)
}

@test "a stdin that is no input stays where it is" {
    printf 'one\ntwo\n' > lines
    while read -r line; do
        echo "$line"
        dq-eval --quiet --qrels test.qrels --run a.run --report page.html > out
    done < lines > seen
    cmp lines seen
}

@test "what was said is in the page, with --quiet, too" {
    printf 'anna 0 welder 3\ncarl 0 cook 1\n' > more.qrels
    dq-eval --qrels more.qrels --run a.run --report page.html > out 2> said
    [ -s said ]
    sed 's/&#39;/'\''/g' page.html > unescaped
    sed 's/^dq-eval: //' said | while read -r line; do grep -qF "<li>$line</li>" unescaped; done
    dq-eval --quiet --qrels more.qrels --run a.run --report quiet.html > out 2> said
    [ ! -s said ]
    [ "$(grep -c '^<li>' quiet.html)" = "$(grep -c '^<li>' page.html)" ]
}

@test "names are no markup, and a command tells no secret" {
    cp a.run '<script>alert(1)<"&'"'"'.run'
    printf '%s\n' '<img/src=x> 0 welder 3' > evil.qrels
    printf '%s\n' '<img/src=x> Q0 welder 1 0.9 a' > b
    quiet --qrels evil.qrels --run b --title '</title><script>x' -q --report page.html
    sed 's,<img src="data:[^"]*" alt="[^"]*"></picture>,,g' page.html > without-pictures
    run ! grep -qi '<script\|<img' without-pictures
    grep -q '&lt;img/src=x&gt;' page.html
    quiet --qrels test.qrels --run '<script>alert(1)<"&'"'"'.run' --report page.html
    run ! grep -qi '<script' page.html
    quiet --rollout --model random --episodes 2 --steps 2 --reward-cmd 'env API_KEY=sk-123 dq-reward -q -s logged --labels-only' \
        --report page.html t.dq
    run ! grep -q sk-123 page.html
    grep -qF 'API_KEY=***' page.html
    grep -q 'Content-Security-Policy" content="default-src .none.' page.html
    run ! grep -qE '(src|href|srcset)="(https?:)?//|url\(' page.html
}

@test "what a stream says of its makers is no markup, and tells no secret" {
    needs python3-msgpack
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$BATS_TEST_DIRNAME/../fault /usr/bin/python3 - << 'END'
import make_streams as m
evil = "<script>x</script><!--dq end-->\n<h2 id=\"p\">"
made = {"program": evil, "version": {"a": evil}, "seed": None, "inputs": [],
        "options": {evil: evil, "api-key": "sk 1 told", "more": {"password": "told", "n": 1}, "url": "https://me:told@host/"}}
whole = m.stream(m.USERS, m.ITEMS)
records = m.bodies_of(whole)
open("evil.dq", "wb").write(m.record(m.head(maker=made)) + b"".join(map(m.record, records[1:])))
END
    quiet --qrels test.qrels --run a.run --catalogue evil.dq -m coverage@5 --report evil.html
    grep -q 'What made evil.dq' evil.html
    run ! grep -q '<script\|told' evil.html
    grep -qF 'api-key=***' evil.html
    [ "$(grep -c '<h2' evil.html)" = 1 ]
}

@test "pages are joined in their order, under a title; parts stay as they are" {
    quiet --qrels test.qrels --run a.run --report one.html
    quiet --traffic --report two.html c.dq
    dq-eval --report all.html --title 'A & B' two.html one.html
    grep -q '<title>A &amp; B</title>' all.html
    grep '^<h2' all.html | sed 's/<[^>]*>//g' | diff - <(printf 'Interactions\nRankings\n')
    for page in one two; do
        sed -n '/^<!--dq part/,/^<!--dq end/p' $page.html > part
        sed -n "/$(head -1 part)/,/^<!--dq end/p" all.html | cmp - part
    done
    grep -c '<a href="#p[0-9a-f]*">' all.html | has -x 2
    dq-eval --report again.html all.html
    sed -n '/^<main/,$p' again.html | cmp - <(sed -n '/^<main/,$p' all.html)
    [ "$(grep -o ' id="[^"]*"' all.html | sort | uniq -d | wc -l)" = 0 ]
}

@test "what is no page, or was changed, or is there twice, is an error, and nothing is written" {
    quiet --qrels test.qrels --run a.run --report one.html
    rm -f all.html
    refused() { run -1 dq-eval --report all.html "${@:2}"; [[ "$output" == *"$1"* ]] && [ "${#lines[@]}" = 1 ] && [ ! -e all.html ]; }
    refused 'no report of dq-eval' test.qrels
    refused 'already' one.html one.html
    sed 's/How this/How that/' one.html > changed.html
    refused 'digest' changed.html
    head -c -300 one.html > cut.html
    refused 'cut off' cut.html
    refused 'No such file' none.html
}

@test "outputs that are one, and inputs that would be overwritten, are usage errors" {
    run -2 dq-eval --qrels test.qrels --run a.run --report x.html -o x.html
    [[ "$output" == *"are one file"* ]]
    run -2 dq-eval --qrels test.qrels --run a.run --report a.run
    [[ "$output" == *"would overwrite the input of --run"* ]]
    run -2 dq-eval --qrels test.qrels --run a.run --report test.qrels
    [[ "$output" == *"would overwrite the input of --qrels"* ]]
    run -2 dq-eval --report log.jsonl --curves log.jsonl
    [[ "$output" == *"would overwrite the input"* ]]
    run -2 dq-eval --qrels test.qrels --run a.run --report -
    run -2 dq-eval --qrels test.qrels --run a.run --title x
    run -2 dq-eval --report a.html -o b one.html
}

@test "where the page cannot be written nothing is printed but why" {
    run -1 dq-eval --quiet --qrels test.qrels --run a.run --report /dev/full -o text
    [[ "$output" == *"No space left"* ]]
    run -1 dq-eval --quiet --qrels test.qrels --run a.run --report nowhere/page.html -o text2
    [ ! -e text2 ]
}
