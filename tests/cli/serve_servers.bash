# SPDX-License-Identifier: MIT
# The servers that the page is looked at in: serve-page.bats and serve_pictures source this file. BUILD is the
# folder of the programs; everything is in the current folder.

# start NAME ARGUMENT...: a dq-serve of its own port; NAME.url, NAME.pid and NAME.words (standard error) are its.
start() {
    local name=$1 pid
    shift
    : > "$name.words" # those of a server before this one say nothing of it
    dq-serve --listen 127.0.0.1:0 "$@" 2> "$name.words" < /dev/null 3>&- &
    pid=$!
    echo "$pid" > "$name.pid"
    until grep -q 'listening at' "$name.words"; do
        kill -0 "$pid" 2> /dev/null || { cat "$name.words"; return 1; }
        sleep 0.05
    done
    sed -n 's/.*listening at //p' "$name.words" > "$name.url"
}

stop() { # NAME
    [ ! -e "$1.pid" ] || { kill "$(cat "$1.pid")" && wait "$(cat "$1.pid")"; } 2> /dev/null
    rm -f "$1.pid"
}

# make_jobs JOBS EPOCHS: a catalogue of the demo's applicants and jobs, and two models of it that were trained for so many
# epochs; the title of one job is markup.
make_jobs() {
    local demo=$ROOT/data/demo
    head -n "$1" "$demo/jobs.jsonl" | jq -c --arg hostile "<img src=x onerror=\"document.title='stolen'\"><script>document.title='stolen'</script>" \
        'if .id == "j007" then .text.title = $hostile else . end' > jobs.jsonl
    jq -c --slurpfile jobs jobs.jsonl -n '($jobs | map({(.id): 1}) | add) as $known | inputs | select($known[.item])' \
        "$demo/veterans-answers.jsonl" > answers.jsonl
    dq-export -q --users "$demo/veterans.jsonl" --items jobs.jsonl --interactions answers.jsonl |
        dq-embed -q hash:64 --compare bio:description --compare skills:technical_skills -o jobs.dq
    for seed in 1 2; do
        dq-reward -q --strategy logged jobs.dq | dq-train --quiet --offline --loss mse --epochs "$2" --hidden 64,32 --world-hidden 32 \
            --validation 0 --seed "$seed" -o "model-$seed.dq"
    done
}

start_all() {
    echo 'a-token-for-the-tests' > token
    start demo --demo --log demo-log.dq &&
        start jobs --demo --catalogue jobs.dq --model first=model-1.dq:0.5 --model second=model-2.dq:0.5 --log jobs-log.dq &&
        start locked --catalogue jobs.dq --model model-1.dq --token-file token
}

stop_all() {
    for server in demo jobs locked; do stop "$server"; done
}
