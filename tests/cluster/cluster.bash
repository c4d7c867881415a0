# SPDX-License-Identifier: MIT
# What the tests of pipelines/cluster share, each of which compares what an engine made with what one machine makes.
#
#   cluster_whole            (setup_file) the catalogue c.dq, and what one machine makes of it: the agents whole/, lists whole.tsv
#   cluster_begin            (setup) the test's folder, its settings, dq's programs in PATH; $cluster is the folder of the scripts
#   cluster_same             $OUT/agents, or $OUT/shards, and $OUT/lists.dq are those of one machine, user by user
#   cluster_slow PART HOW    the first run of that part does not come to its end by itself: never: it trains something endless,
#                            into $OUT/never; half: it stands still when some of its agents are there, its process in stopped-half;
#                            killed: it is killed, and so is each further run
#   cluster_kept             the agents that are there, and which file each is
#   cluster_kill             (teardown) ends what stands still

# shellcheck disable=SC2034 # settings are exported
cluster_options="--reward cosine --hidden 4 --world-hidden 4 --batch 4 --warmup 5 --replay 50 --episodes 2 --steps 10"

cluster_whole() {
    cd "$BATS_FILE_TMPDIR" || return
    "$BUILD"/dq-sim -q --users 24 --items 20 -o c.dq
    # shellcheck disable=SC2086 # words
    "$BUILD"/dq-train -q --each-user $cluster_options --models-dir whole c.dq
    "$BUILD"/dq-rank -q -k 3 --format tsv --no-header --models-dir whole c.dq | LC_ALL=C sort > whole.tsv
}

cluster_begin() {
    cd "$BATS_TEST_TMPDIR" || return
    # shellcheck disable=SC2034
    cluster=$(cd "$BATS_TEST_DIRNAME/../../pipelines/cluster" && pwd)
    cp "$BATS_FILE_TMPDIR"/c.dq .
    cp -r "$BATS_FILE_TMPDIR"/{whole,whole.tsv} .
    PATH=$BUILD:$PATH
    set -a
    # shellcheck source=/dev/null
    . "$cluster"/cluster.env
    export CATALOGUE=$PWD/c.dq OUT=$PWD/out OPTIONS=$cluster_options RANK="-k 3" SHARDS=12
    set +a
}

cluster_same() {
    if [ -d "$OUT/agents" ]; then
        diff -r --exclude=.lock --exclude=.half "$OUT/agents" whole
        [ -z "$(find "$OUT/agents/.half" -type f 2> /dev/null)" ]
    fi
    if [ -n "$(find "$OUT/shards" -name '*.dq')" ]; then
        cat "$OUT"/shards/*.dq | dq-cat --kind model | LC_ALL=C sort | cmp - <(cat whole/*.dq | dq-cat --kind model | LC_ALL=C sort)
    fi
    dq-rank -q --merge -k 3 --format tsv --no-header "$OUT/lists.dq" | LC_ALL=C sort | cmp - whole.tsv
}

cluster_kept() { find "$OUT/agents" -name '*.dq' -exec stat -c '%n %i' {} + | LC_ALL=C sort; }

# A dq-train in front of the real one.
cluster_slow() {
    mkdir bin
    cat > bin/dq-train << END
#!/bin/bash
words=("\$@")
[[ "\$*" == *"--shard $1/"* ]] || exec "$BUILD"/dq-train "\$@"
[ $2 = killed ] && kill -KILL \$\$
[ ! -e "$PWD"/slowed ] || exec "$BUILD"/dq-train "\$@"
touch "$PWD"/slowed
END
    case $2 in
    never) cat >> bin/dq-train << END
for i in "\${!words[@]}"; do
    case \${words[i]} in
    --episodes) words[i+1]=1000000 ;;
    --models-dir) words[i+1]="$OUT/never" ;;
    esac
done
exec "$BUILD"/dq-train "\${words[@]}"
END
        ;;
    half) cat >> bin/dq-train << END
while :; do # whatever ends before it is told to stand still begins anew
    rm -f "$PWD"/half.log
    "$BUILD"/dq-train --log "$PWD"/half.log "\$@" &
    pid=\$!
    until [ "\$(cat "$PWD"/half.log 2> /dev/null | wc -l)" -ge 4 ]; do kill -0 \$pid || exit 99; done
    kill -STOP \$pid
    case \$(ps -o state= -p \$pid) in [Tt]*) break ;; esac
    wait \$pid
    for user in \$(jq -r .user "$PWD"/half.log); do rm -f {"$OUT",.}/agents/\$user.dq; done
done
echo \$\$ \$pid > "$PWD"/stopped-half.new && mv "$PWD"/stopped-half.new "$PWD"/stopped-half
wait \$pid
END
        ;;
    esac
    chmod +x bin/dq-train
    PATH=$PWD/bin:$PATH
}

cluster_kill() {
    [ ! -e stopped-half ] || xargs kill -KILL < stopped-half 2> /dev/null || true
}
