#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Reports of dq-eval in Chromium: narrow and wide, light and dark. A script in a copy of the page looks at what the
# browser made of it (report-browser.js); the page itself forbids scripts.

bats_require_minimum_version 1.5.0

load ../needs

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    export PATH="$BUILD:$PATH" DQ_THREADS=1
    long=$(printf 'a-name-without-a-break-%.0s' 1 2 3 4 5)
    "$BATS_TEST_DIRNAME/../fixtures/world.sh" 6 20
    dq-export -q --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    dq-reward -q -s logged -o t.dq c.dq
    dq-rank -q --by cosine -k 5 -o ranked.dq c.dq
    dq-rank -q --by cosine --epsilon 1 -k 5 -o "$long.dq" c.dq
    dq-sim -q sequence --play 20 --seed 5 -o played.dq
    for episode in 1 2 3 4; do echo "{\"user\":\"u\",\"episode\":$episode,\"steps\":10,\"reward\":0.$episode}"; done > log.jsonl
    ln -s ranked.dq '<script>document.title="stolen"<img src="http:"onerror="x".dq'
    dq-eval --qrels t.dq --run ranked.dq --run "$long.dq" --run '<script>document.title="stolen"<img src="http:"onerror="x".dq' \
        -q --report one.html -o one.txt 2> /dev/null
    dq-eval --quiet --ope log,ips,snips --target uniform --resamples 100 --report two.html -o two.txt played.dq
    dq-eval --quiet --agreement --resamples 100 --report three.html -o three.txt c.dq t.dq
    dq-eval --quiet --curves --report four.html -o four.txt log.jsonl
    dq-eval --quiet --cold-start --model random --model cosine --episodes 4 --steps 4 --reward cosine --report five.html -o five.txt c.dq
    dq-eval --report page.html --title '<b>All</b> & more' one.html two.html three.html four.html five.html
    # the policy would forbid the script that looks
    { sed '/http-equiv="Content-Security-Policy"/,/">$/d' page.html; printf '<script>\n'; cat "$BATS_TEST_DIRNAME"/{contrast,report-browser}.js; printf '</script>\n'; } > looked-at.html
}

setup() {
    needs chromium
    cd "$BATS_FILE_TMPDIR" || return
}

# browser FILE OPTION...: Chromium without a window, on a profile of its own; a slow machine has time.
browser() {
    local file=$1 profile
    shift
    profile=$(mktemp -d "$BATS_TEST_TMPDIR/profile.XXXXXX")
    HOME=$profile timeout 400 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-extensions \
        --disable-background-networking --disable-sync --disable-component-update --hide-scrollbars --user-data-dir="$profile" \
        --proxy-server=127.0.0.1:9 "$@" "file://$PWD/$file" 2> "$BATS_TEST_TMPDIR/words" < /dev/null
}

# look WIDTH SCHEME: what the script saw, a line "NAME VALUE" each, in the file seen; SCHEME 0 is dark, 1 light. The
# page stands in a frame, since no window is narrower than 500 pixels; the browser's clock waits for what the frame says.
look() {
    printf '<!DOCTYPE html><iframe src="looked-at.html" style="width:%dpx;height:900px;border:0"></iframe><pre id="seen"></pre>
        <script>onmessage = e => document.getElementById("seen").textContent = e.data</script>' "$1" > frame.html
    browser frame.html --window-size=1600,1000 --blink-settings=preferredColorScheme="$2" --virtual-time-budget=20000 --dump-dom > dom
    sed -n '/<pre id="seen">/,/<\/pre>/p' dom | sed 's/<[^>]*>//g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' | grep . > seen
    grep -v '^cell' seen
}

# What holds in every form.
sound() { # WIDTH
    grep -qx "width $1" seen
    grep -qx 'overflow 0' seen        # nothing is wider than the page
    grep -qx 'requests 0' seen        # none leaves it
    grep -qx 'scripts 1' seen         # the one that looks
    grep -qx 'title <b>All</b> & more' seen
    grep -qx 'pictures whole' seen
    grep -qx 'links whole' seen
    grep -qx 'names whole' seen # a short name is not broken
    grep -qx 'ids once' seen
    awk '$1 == "contrast" { found = 1; exit !($2 >= 4.5) } END { if (!found) exit 1 }' seen
}

@test "narrow and light" {
    look 360 1
    sound 360
    grep -qx 'scheme light' seen
    grep -qx 'columns 1' seen
}

@test "narrow and dark" {
    look 360 0
    sound 360
    grep -qx 'scheme dark' seen
    grep -qx 'columns 1' seen
}

@test "wide and light; every number of every table is there" {
    look 1400 1
    sound 1400
    grep -qx 'scheme light' seen
    grep -qx 'columns 2' seen
    sed -n 's/^cell //p' seen | sort > cells
    grep -o '<data value="[^"]*">' page.html | sed 's/.*"\(.*\)".*/\1/' | sort | diff - cells
    [ "$(wc -l < cells)" -ge 100 ]
    dq-eval --quiet --qrels t.dq --run ranked.dq -f tsv | awk -F'\t' '$3 == "all" { print $4 }' | while read -r value; do grep -qxF "$value" cells; done
}

@test "wide and dark" {
    look 1400 0
    sound 1400
    grep -qx 'scheme dark' seen
    grep -qx 'columns 2' seen
}

@test "on paper it is a document of some pages" {
    browser page.html --print-to-pdf="$PWD/page.pdf" --no-pdf-header-footer
    [ "$(head -c 5 page.pdf)" = %PDF- ]
    [ "$(stat -c %s page.pdf)" -ge 20000 ]
}
