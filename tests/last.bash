# SPDX-License-Identifier: MIT
# Sourced by tests whose usual options stand before those of a single test: the programs refuse an option that is given
# twice.

# last_of PROGRAM WORD...: sets `line` to the words with the last value alone of each option that is no list.
last_of() {
    local program=$1 word key name kind n=0 i
    local -A kinds=() names=() at=()
    line=()
    shift
    while read -r key kind name; do kinds[$key]=$kind names[$key]=$name; done < <("$program" --completion table |
        awk -F'\t' 'NR > 1 { print "--" $1, $3, $1; print "--no-" $1, $3, $1; if ($2 != "") print "-" $2, $3, $1 }')
    while [ $# -gt 0 ]; do
        word=$1 key=${1%%=*} n=$((n + 2))
        shift
        kind=${kinds[$key]-} name=${names[$key]-}
        if [ -n "$kind" ] && [ "$kind" != list ]; then
            i=${at[$name]-}
            [ -z "$i" ] || unset "line[$i]" "line[$((i + 1))]"
            at[$name]=$n
        fi
        line[n]=$word
        case $kind in '' | flag) continue ;; esac
        [ "$word" = "$key" ] || continue
        line[n+1]=${1-}
        shift
    done
}

# last PROGRAM WORD...: runs it so.
last() {
    local -a line
    last_of "$@"
    "$1" "${line[@]}"
}
