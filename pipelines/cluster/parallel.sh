#!/bin/bash
# SPDX-License-Identifier: MIT
# Agents of all users by GNU parallel, a job a part of the users, here or on machines that ssh reaches; then the lists.
#
#     set -a; . pipelines/cluster/cluster.env; CATALOGUE=catalogue.dq
#     pipelines/cluster/parallel.sh -j 8                            # eight at a time on this machine
#     pipelines/cluster/parallel.sh -j 6 --sshlogin node1,node2     # six on each of two
#
# Options are GNU parallel's. With --sshlogin (-S, --sshloginfile) the machines share no folder: catalogue and scripts are sent to
# each once, by rsync, into $WORKDIR there (else dq-cluster- and a hash of this machine's name and $OUT); agents come back as streams,
# $OUT/shards/I.dq, and lists as $OUT/lists/I.dq. dq's programs are in the machines' PATH. $OUT/joblog says what each part came to;
# after any end the same line goes on: parts that came to 0 are not begun again, and others on the agents that their machine has kept.
# For other settings or another catalogue $OUT/joblog is refused: remove it for a new run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
remote=
for word in "$@"; do case $word in -S* | --sshlogin* | --slf) remote=1 ;; esac; done
mkdir -p "$OUT/shards" "$OUT/lists"
OUT=$(realpath "$OUT")
sent=$OUT/sent
exec 9>"$OUT/.running"
flock -n 9 || { echo "parallel.sh: another run is at work in $OUT; wait for it, or end it" >&2; exit 1; }
of=$(stat -Lc '%n %s %y' "$CATALOGUE" ${FALLBACK:+"$FALLBACK"})
run=$(printf '%s=%q\n' SHARDS "$SHARDS" OPTIONS "$OPTIONS" RANK "$RANK" FALLBACK "${FALLBACK-}" && echo "$of")
if [ -e "$OUT/joblog" ] && [ "$run" != "$(cat "$OUT/joblog.of" 2>/dev/null)" ]; then
    echo "parallel.sh: $OUT/joblog is of other settings or another catalogue ($OUT/joblog.of): remove it for a new run" >&2
    exit 1
fi
printf '%s\n' "$run" >"$OUT/joblog.of"

# What came back: also what an earlier run that was killed has left there, whose parts are not begun again.
collect() {
    for kind in shards lists; do
        [ ! -d "$sent/$kind" ] || find "$sent/$kind" -name '*.dq' -exec mv -t "$OUT/$kind" {} +
    done
    rm -rf "$sent"
}

common=(--term-seq 'TERM,10000,KILL' --joblog "$OUT/joblog" --resume-failed)
mapfile -t parts < <(seq "$SHARDS")
collect
if [ -z "$remote" ]; then
    export OUT CATALOGUE SHARDS OPTIONS RANK FALLBACK THREADS
    parallel "${common[@]}" "$@" "$(printf %q "$here/shard")" {} --stream ::: "${parts[@]}" || status=$?
else
    # what is sent lies in one folder, as it is to lie there; names are relative, so that they fit both sides
    mkdir "$sent"
    ln -L "$CATALOGUE" "$sent/catalogue.dq" 2>/dev/null || cp "$CATALOGUE" "$sent/catalogue.dq"
    cp "$here/shard" "$here/forward.bash" "$sent/"
    { printf '%s=%q\n' SHARDS "$SHARDS" OPTIONS "$OPTIONS" RANK "$RANK" THREADS "${THREADS:-1}"; echo 'CATALOGUE=catalogue.dq OUT=. FALLBACK='; } >"$sent/settings"
    if [ -n "${FALLBACK-}" ]; then
        cp "$FALLBACK" "$sent/fallback.dq"
        echo FALLBACK=fallback.dq >>"$sent/settings"
    fi
    files=(catalogue.dq shard forward.bash settings ${FALLBACK:+fallback.dq})
    WORKDIR=${WORKDIR:-dq-cluster-$(printf %s "$HOSTNAME:$OUT" | sha256sum | cut -c 1-12)}
    # bash, which wrote the settings, reads them, whatever shell serves who logs in
    (cd "$sent" && parallel "${common[@]}" --workdir "$WORKDIR" "${files[@]/#/--basefile=}" --return 'shards/{}.dq' --return 'lists/{}.dq' "$@" \
        "bash -c 'set -a; . ./settings; exec ./shard {} --stream'" ::: "${parts[@]}") || status=$?
    collect
fi
[ "${status:-0}" = 0 ] || [ -n "${FALLBACK-}" ] || exit "$status"
"$here/finish"
exit "${status:-0}"
