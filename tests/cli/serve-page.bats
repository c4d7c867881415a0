#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The page of dq-serve. serve_page.py visits it in Chromium, once; each test here looks at a part of what came of it.

bats_require_minimum_version 1.5.0

load ../needs
load serve_servers

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    export PATH="$BUILD:$PATH" DQ_THREADS=2 ROOT=$BATS_TEST_DIRNAME/../..
    make_jobs 60 1
    start_all
    [ -x /usr/bin/chromedriver ] && /usr/bin/python3 -c 'import selenium' 2> /dev/null || return 0
    PYTHONDONTWRITEBYTECODE=1 timeout 900 /usr/bin/python3 "$BATS_TEST_DIRNAME/serve_page.py" \
        "$(cat demo.url)" "$(cat jobs.url)" "$(cat locked.url)" "$(cat token)" > visit 2> visit.words < /dev/null || true
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR" && stop_all
}

setup() {
    set -o pipefail
    cd "$BATS_FILE_TMPDIR" || return
}

# A part of the visit went well, on each server that it was made on.
went() {
    needs chromium chromium-driver python3-selenium
    if grep "^not ok $1:" visit || ! grep -qx "ok $1" visit; then
        cat visit.words
        return 1
    fi
}

# fetched PATH OPTION...: the answer's head and body, of the server over jobs.
fetched() {
    local path=$1
    shift
    : > body
    curl -sS -D head -o body "$@" "$(cat jobs.url)$path"
    tr -d '\r' < head > lines
}

@test "its files have types, tags and a policy that allows no script in the markup" {
    needs curl
    for file in /:text/html /style.css:text/css /app.js:text/javascript /chart.js:text/javascript /icon.svg:image/svg+xml; do
        fetched "${file%%:*}"
        grep -qx 'HTTP/1.1 200 OK' lines
        grep -q "^Content-Type: ${file#*:}" lines
        grep -q "^Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self';" lines
        run ! grep -E 'unsafe|http:' lines
        tag=$(sed -n 's/^ETag: //p' lines)
        length=$(grep '^Content-Length: [1-9]' lines)
        fetched "${file%%:*}" -H "If-None-Match: $tag"
        grep -q '^HTTP/1.1 304 ' lines
        grep -qx "$length" lines # of what it would be (RFC 9110, 8.6)
        [ ! -s body ]
        fetched "${file%%:*}" -H 'If-None-Match: "another"'
        grep -qx 'HTTP/1.1 200 OK' lines
    done
    cmp body "$ROOT/cmd/dq-serve/page/icon.svg"
    fetched /page.c
    grep -q '^HTTP/1.1 404 ' lines
}

@test "it holds no script, style or handler in its markup, and no address elsewhere" {
    run ! grep -nE '<script>|<style|style="| on[a-z]+=|https?:' "$ROOT/cmd/dq-serve/page/index.html"
    run ! grep -nE 'innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|localStorage|sessionStorage|cookie *=|https?:' "$ROOT"/cmd/dq-serve/page/*.js
}

@test "every view opens by its link, which is the current one then, and the heading has the focus" { went views_open; }
@test "Initialise makes as much as was asked for, and shows its distributions" { went data_is_made; }
@test "what the API refuses is shown in its own words" { went problem_is_shown; }
@test "a training is watched to its end: progress, curves, numbers" { went training_is_watched; }
@test "a training is cancelled; a second at a time is refused" { went training_is_cancelled; }
@test "Initialise, train and recommend are one press" { went pipeline_runs; }
@test "users and items: search, more, one of them, its history" { went browsed; }
@test "a list is asked for and answered; rewards are summed" { went answered; }
@test "a list is drawn by chance, with propensities, or made diverse" { went explored; }
@test "Q-values beside the world model's, sorted by a press" { went values_shown; }
@test "two models side by side" { went models_compared; }
@test "the keyboard alone is enough, and shows where it is" { went keyboard_alone; }
@test "jobs: a person reads the profile and answers one job at a time" { went simulation; }
@test "jobs: a training over the labels replaces the model that was chosen" { went jobs_trained; }
@test "a title that is markup is text" { went text_stays_text; }
@test "narrow and wide, light and dark: nothing too wide, contrast, names, headings" { went looks; }
@test "a server's token is asked for, and kept nowhere" { went token_asked_for; }

@test "every answer that was given is in the log" {
    needs chromium chromium-driver python3-selenium
    grep '^answered' visit | cut -d' ' -f2- | sort > given
    [ "$(wc -l < given)" -ge 8 ]
    for log in demo-log.dq jobs-log.dq; do
        dq-cat "$log" | jq -r 'select(.label != null) | [.user, .item, .label] | join(" ")'
    done | sort > logged
    diff given logged
}
