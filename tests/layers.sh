#!/bin/bash
# SPDX-License-Identifier: MIT
# The include lint: which room may see what (docs/design, section "The house"). Prints TAP; exits 1 on a breach.
#
#   tests/layers.sh [ROOT] [BUILD]     BUILD: also check the symbols of its objects
set -u
root=${1:-.} build=${2:+$(realpath "$2")}
cd "$root" || exit 2

# room: the public headers that it owns | the rooms whose public headers it may include besides its own
rooms='
core:    arena bundle index rng schema status utf8 value |
wire:    sink source stream                              | core
math:    adam blas cosine features pool vec              | core
learn:   agent dynaq env factors logged lookahead loss memory mlp net offline population replay rollout schedule sessions task | core math
reward:  judgement prompt reward                         | core math
rank:    explore merge mmr topk                          | core math
measure: bootstrap measure qrels                         | core math
port:    cache csv documents http json mongo npy safetensors sha256 trec | core
cmd:                                                     | core wire math learn reward rank measure port
'

# Single headers that a room may see of another that it may not see whole.
extra='
port source sink
'

# foreign header (a shell pattern): the only files that may include it
foreign='
cblas.h               lib/math/blas.c
msgpack.h             lib/wire/*
msgpack/*             lib/wire/*
zstd*.h               lib/wire/*
zlib.h                lib/wire/*
xxhash.h              lib/wire/*
jansson.h             lib/port/json.c
nettle/*              lib/port/sha256.c
sqlite3.h             lib/port/cache*
curl/*                lib/port/http.c
mongoc*               lib/port/mongo*
bson*                 lib/port/mongo*
getopt.h              cmd/cli.c
'

# What is left is the system: C11 and POSIX.
system=' assert.h ctype.h dirent.h errno.h fcntl.h float.h inttypes.h libgen.h limits.h malloc.h math.h poll.h pthread.h sched.h
setjmp.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdio_ext.h stdlib.h string.h
spawn.h sys/epoll.h sys/ioctl.h sys/mman.h sys/prctl.h sys/random.h sys/resource.h sys/socket.h sys/stat.h sys/syscall.h sys/types.h sys/wait.h termios.h time.h unistd.h
xmmintrin.h immintrin.h '
system=${system//$'\n'/ }

# Functions that end the process or speak on the standard streams: only cmd/ may call them.
forbidden='exit _exit _Exit quick_exit abort __assert_fail printf puts putchar vprintf __printf_chk __vprintf_chk perror
stdout stderr err errx warn warnx'

declare -A owner uses pass
while IFS=': ' read -r room rest; do
    [ -n "$room" ] || continue
    for header in ${rest%%|*}; do owner[$header]=$room; done
    uses[$room]=" $room ${rest#*|} "
done <<<"$rooms"
while read -r room headers; do
    for header in $headers; do pass["$room $header"]=1; done
done <<<"$extra"

tests=0 bad=0
check() { # what, complaints
    tests=$((tests + 1))
    if [ -z "$2" ]; then
        echo "ok $tests $1"
    else
        bad=$((bad + 1))
        echo "not ok $tests $1"
        sed 's/^/# /' <<<"${2%$'\n'}"
    fi
}

room_of() { # a file's room
    case $1 in
    cmd/*) echo cmd ;;
    lib/*/*) local r=${1#lib/}; echo "${r%%/*}" ;;
    include/dq/*) local h=${1##*/}; echo "${owner[${h%.h}]-}" ;;
    esac
}

may_include_foreign() { # file, header: 0 yes, 1 no, 2 not a foreign header
    local pattern home known=2
    while read -r pattern home; do
        # shellcheck disable=SC2053 # patterns, on purpose
        [ -n "$pattern" ] && [[ $2 == $pattern ]] || continue
        known=1
        # shellcheck disable=SC2053
        [[ $1 == $home ]] && return 0
    done <<<"$foreign"
    return $known
}

judge() { # file, its room, the include as written: prints a complaint or nothing
    local file=$1 room=$2 what=$3 header their
    case $what in
    \"dq/*\")
        header=${what#\"dq/} header=${header%.h\"}
        their=${owner[$header]-}
        if [ -z "$their" ]; then
            echo "$file: $what belongs to no room (tests/layers.sh has the table)"
        elif [[ ${uses[$room]} != *" $their "* && -z ${pass["$room $header"]-} ]]; then
            echo "$file: $room may not include $what, which is of $their"
        fi
        ;;
    \"*\")
        header=${what//\"/}
        [[ $header != */* && -e ${file%/*}/$header ]] || echo "$file: $what is not a private header of its room"
        ;;
    \<*\>)
        header=${what//[<>]/}
        may_include_foreign "$file" "$header"
        case $? in
        1) echo "$file: $what has another home" ;;
        2) [[ $system == *" $header "* ]] || echo "$file: $what is neither a system header nor one with a home" ;;
        esac
        ;;
    esac
}

lint_room() { # name, files...
    local name=$1 file room what complaints=''
    shift
    for file in "$@"; do
        room=$(room_of "$file")
        if [ -z "${uses[$room]-}" ]; then
            complaints+="$file: no such room"$'\n'
            continue
        fi
        while read -r what; do
            complaints+=$(judge "$file" "$room" "$what")
            [ -z "$complaints" ] || complaints=${complaints%$'\n'}$'\n'
        done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*([<"][^>"]+[>"]).*/\1/p' "$file")
    done
    check "$name includes only what its room may see" "$complaints"
}

shopt -s nullglob
for folder in cmd lib/* include/dq; do
    files=("$folder"/*.[ch])
    [ ${#files[@]} -eq 0 ] || lint_room "$folder" "${files[@]}"
done

complaints=''
for header in include/dq/*.h; do
    name=${header##*/}
    [ -n "${owner[${name%.h}]-}" ] || complaints+="$header belongs to no room"$'\n'
done
check "every public header has a room" "$complaints"

complaints=''
for file in cmd/*.[ch] lib/*/*.[ch] include/dq/*.h tests/unit/*.c; do
    head -1 "$file" | grep -q 'SPDX-License-Identifier: MIT' || complaints+="$file"$'\n'
done
check "every file of C says its licence" "$complaints"

if [ -n "$build" ]; then
    complaints=''
    for object in "$build"/obj/lib/*/*.o; do
        for symbol in $(nm -u "$object" | awk '{print $2}' | sed 's/@.*//'); do
            for name in $forbidden; do
                [ "$symbol" != "$name" ] || complaints+="${object#"$build"/obj/} uses $symbol"$'\n'
            done
        done
    done
    check "only cmd/ ends the process or speaks on its streams" "$complaints"
fi
echo "1..$tests"
[ $bad -eq 0 ]
