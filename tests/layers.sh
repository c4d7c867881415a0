#!/bin/bash
# SPDX-License-Identifier: MIT
# The include lint: which room may see what (docs/architecture.md, "The law"). Prints TAP; exits 1 on a breach.
#
#   tests/layers.sh [ROOT] [BUILD]     BUILD: also check the symbols of its objects
set -u
here=$(realpath "$(dirname "$0")") root=${1:-.} build=${2:+$(realpath "$2")}
cd "$root" || exit 2

# A room is a folder of lib/. room: the rooms that it may include besides itself; room/header: that header alone.
rooms='
core:
wire:    core
port:    core wire/source wire/sink
math:    core
data:    core
net:     core math
feature: core math data
env:     core data math/clones
learn:   core math net env data
offline: core math data env net learn
embed:   core math data
reward:  core math data
rank:    core math data net feature learn offline
distil:  core wire port/ann math data net feature learn offline rank
compare: core math
measure: core math data compare
ope:     core math measure compare
import:  core wire port data
inspect: core wire port data
llm:     core port
log:     core wire data
label:   core wire port data reward llm compare plot
verdict: core wire port data log measure compare
report:  core wire port data log measure ope compare verdict plot
plot:    core wire port
rollout: core wire math data env net learn measure/summary port/rows
models:  core wire
mpi:     core math/vec
training: core wire data net feature env learn offline label rollout
page:    core wire port inspect plot
serve:   core wire port math data net feature learn offline rank log
cli:     core wire port llm data plot models
'
# file (a shell pattern): rooms that it may include besides those of its room. Who includes such a header must be
# allowed these rooms, too.
exceptions='
lib/data/load.[ch]  wire
'
# include/dq/ holds headers of these rooms.
public='
core: arena bundle schema status value
wire: sink source stream
'

# foreign header (a shell pattern): the only files that may include it
foreign='
cblas.h               lib/math/product/openblas.c
dlfcn.h               lib/core/load/*
msgpack.h             lib/wire/*
msgpack/*             lib/wire/*
zstd*.h               lib/wire/*
iconv.h               lib/wire/*
zlib.h                lib/wire/*
xxhash.h              lib/core/digest.c
jansson.h             lib/port/files/json.c
simdjson.h            lib/port/text/json_reader.cc
charconv              lib/port/text/json_reader.cc
cstring               lib/port/*/*.cc
mpi.h                 lib/mpi/*
new                   lib/port/*/*.cc
faiss/*               lib/port/faiss/faiss.cc
cctype                lib/port/faiss/faiss.cc
climits               lib/port/faiss/faiss.cc
cstdio                lib/port/faiss/faiss.cc
exception             lib/port/faiss/faiss.cc
memory                lib/port/faiss/faiss.cc
vector                lib/port/faiss/faiss.cc
nettle/*              lib/port/files/sha256.c
sqlite3.h             lib/port/cache/sqlite.c
libpq-fe.h            lib/port/cache/libpq.h
curl/*                lib/port/http/*
microhttpd.h          lib/port/httpd/*
mongoc*               lib/port/mongo/*
bson*                 lib/port/mongo/*
getopt.h              cmd/cli/cli.c
sanitizer/*           lib/core/arena.c
'

# file of C++: the library that has no other interface
shims='
lib/port/text/json_reader.cc: simdjson
lib/port/faiss/faiss.cc: faiss, whose functions of C Debian does not build
'

# What is left is the system: C11 and POSIX.
system=' arpa/inet.h netdb.h netinet/in.h sys/un.h assert.h ctype.h dirent.h errno.h fcntl.h float.h inttypes.h libgen.h limits.h locale.h malloc.h math.h poll.h pthread.h sched.h
setjmp.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdio_ext.h stdlib.h string.h strings.h
spawn.h sys/epoll.h sys/eventfd.h sys/file.h sys/ioctl.h sys/mman.h sys/prctl.h sys/random.h sys/resource.h sys/socket.h sys/stat.h sys/syscall.h sys/time.h sys/types.h sys/wait.h termios.h time.h unistd.h wchar.h
xmmintrin.h immintrin.h cpuid.h '
system=${system//$'\n'/ }

# What belongs to the process as a whole, and so to cmd/ alone: its end, its standard streams, its environment, its
# signals. The library is handed values and callbacks.
forbidden='exit _exit _Exit quick_exit abort __assert_fail printf puts putchar vprintf __printf_chk __vprintf_chk perror
stdout stderr err errx warn warnx
getenv secure_getenv setenv unsetenv putenv clearenv environ __environ
signal __sysv_signal bsd_signal sigset sigaction sigvec'

# object: what it may use of that all the same: why
excused='
math/product/kernels.o: getenv: whoever pins the kernels pins them for every program, before one has options
math/product/openblas.o: getenv setenv unsetenv: OpenBLAS takes the choice of its kernels from a variable, and from nothing else
wire/coprocess.o: environ: a child gets the environment of its parent, without secrets
'

declare -A uses owner
while IFS=': ' read -r room rest; do
    [ -n "$room" ] && uses[$room]=" $room $rest "
done <<<"$rooms"
while IFS=': ' read -r room rest; do
    for header in $rest; do owner[$header]=$room; done
done <<<"$public"

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

room_of() { # a file's room; a program has none
    case $1 in
    cmd/cli/*) echo cli ;;
    lib/*) local r=${1#lib/}; echo "${r%%/*}" ;;
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

# What a header is, as an include line says it: "room/name", or nothing when there is no such header.
room_header() { # as written between the quotes
    local name=${1##*/}
    name=${name%.h}
    case $1 in
    dq/*) [ -e "include/$1" ] && echo "${owner[$name]-nobody}/$name" ;;
    */*) [ -e "lib/$1" ] && echo "${1%%/*}/$name" ;;
    esac
}

excepted() { # file: prints the rooms that it may include as an exception
    local pattern also
    while read -r pattern also; do
        # shellcheck disable=SC2053 # patterns, on purpose
        [ -z "$pattern" ] || [[ $1 != $pattern ]] || echo "$also"
    done <<<"$exceptions"
}

judge_own() { # file, its room (none: a program), what it includes: prints a complaint or nothing
    local file=$1 room=$2 header=$3 is may through
    is=$(room_header "$header")
    may="${uses[${room:-cli}]} $(excepted "$file") "
    if [[ $header == cli/* && $file == cmd/* ]]; then
        [ -e "cmd/$header" ] || echo "$file: there is no \"$header\""
    elif [[ $header != */* ]]; then
        [[ $file == cmd/dq-* && -e ${file%/*}/$header ]] || echo "$file: \"$header\" names no room"
    elif [ -z "$is" ]; then
        echo "$file: \"$header\" is no header of the library"
    elif [ -n "$room" ] && [[ $may != *" ${is%/*} "* && $may != *" $is "* ]]; then
        echo "$file: $room may not include \"$header\", which is of ${is%/*}"
    elif [ -n "$room" ]; then
        for through in $(excepted "lib/$header"); do
            [[ $may == *" $through "* ]] || echo "$file: $room may not include \"$header\", which is of $through, too"
        done
    fi
}

judge() { # file, its room, the include as written: prints a complaint or nothing
    local file=$1 room=$2 header=${3:1:-1}
    if [[ $3 == \"* ]]; then
        judge_own "$file" "$room" "$header"
        return
    fi
    may_include_foreign "$file" "$header"
    case $? in
    1) echo "$file: <$header> has another home" ;;
    2) [[ $system == *" $header "* ]] || echo "$file: <$header> is neither a system header nor one with a home" ;;
    esac
}

lint_folder() { # its name, its files
    local name=$1 file room what complaints='' more
    shift
    for file in "$@"; do
        room=$(room_of "$file")
        if [[ $file != cmd/* && -z ${uses[$room]-} ]]; then
            complaints+="$file: no such room"$'\n'
            continue
        fi
        while read -r what; do
            more=$(judge "$file" "$room" "$what")
            complaints+=${more:+$more$'\n'}
        done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*([<"][^>"]+[>"]).*/\1/p' "$file")
    done
    check "$name includes only what it may see" "$complaints"
}

shopt -s nullglob
folders=(cmd/*/ cmd/cli/*/ lib/*/ lib/*/*/ include/dq/)
for folder in "${folders[@]}"; do
    files=("$folder"*.[ch] "$folder"*.cc)
    [ ${#files[@]} -eq 0 ] || lint_folder "${folder%/}" "${files[@]}"
done

stray=(cmd/*.[ch] lib/*.[ch] {cmd,lib}/*.cc)
check "every file of C stands in a room or a program" "${stray[*]}"

complaints=''
for folder in "${folders[@]}"; do
    for file in "$folder"*.{cc,cpp,cxx,hh,hpp}; do
        [[ $shims == *$'\n'"$file: "* ]] || complaints+="$file is C++"$'\n'
    done
done
check "no file is C++ but the shims of the table" "$complaints"

complaints=''
for pattern in "${folders[@]/%/*.[ch]}" "${folders[@]/%/*.cc}" tests/unit/*.c; do
    for file in $pattern; do
        head -1 "$file" | grep -q 'SPDX-License-Identifier: MIT' || complaints+="$file"$'\n'
    done
done
check "every file of C says its licence" "$complaints"

# A folder that holds more is more than one room. lib/learn waits for its two learners to become one.
complaints=''
for folder in "${folders[@]}"; do
    sources=("$folder"*.c "$folder"*.cc) limit=16
    [ "$folder" != lib/learn/ ] || limit=24
    [ ${#sources[@]} -le $limit ] || complaints+="$folder has ${#sources[@]} files of C, over $limit"$'\n'
done
check "no folder is crowded" "$complaints"

# What computes does not move bytes, and what moves bytes does not compute.
complaints=''
for room in math net feature env learn embed reward rank measure ope; do
    [[ ${uses[$room]} != *\ wire* && ${uses[$room]} != *\ port* ]] || complaints+="$room computes, and may see wire or port"$'\n'
done
for room in wire port import inspect llm; do
    [[ ${uses[$room]-} != *\ math* ]] || complaints+="$room moves bytes, and may see math"$'\n'
done
check "the table keeps the two wings apart" "$complaints"

objects() { # folder...: the objects of their files
    local file
    for file in $(printf '%s*.c ' "$@") $(printf '%s*.cc ' "$@"); do
        file=$build/obj/${file%.c*}.o
        [ ! -e "$file" ] || echo "$file"
    done
}

circles() { # folder...
    local files
    mapfile -t files < <(objects "$@")
    [ ${#files[@]} -eq 0 ] || nm -gPA "${files[@]}" | awk -f "$here/circles.awk"
}

if [ -n "$build" ]; then
    check "no circles between files of the library" "$(circles lib/*/ lib/*/*/ cmd/cli/ cmd/cli/*/)"
    for program in cmd/dq-*/; do check "no circles between files of ${program%/}" "$(circles "$program")"; done
    check "no symbol of the installed library goes without dq_" \
        "$(nm -gPA $(objects lib/core/ lib/wire/) | awk '$3 != "U" && $3 != "w" && $2 !~ /^dq_/ { print $1, $2 }')"
    complaints=''
    for object in "$build"/obj/lib/*/*.o "$build"/obj/lib/*/*/*.o; do
        name=${object#"$build"/obj/lib/}
        allowed=" $(sed -n "s,^$name: \([^:]*\):.*,\1,p" <<<"$excused") " used=' '
        for symbol in $(nm -u "$object" | awk '{print $2}' | sed 's/@.*//'); do
            [[ " ${forbidden//$'\n'/ } " == *" $symbol "* ]] || continue
            used+="$symbol "
            [[ $allowed == *" $symbol "* ]] || complaints+="lib/$name uses $symbol"$'\n'
        done
        for symbol in $allowed; do
            [[ $used == *" $symbol "* ]] || complaints+="lib/$name does not use $symbol: no exception is needed"$'\n'
        done
    done
    check "only cmd/ ends the process, speaks on its streams, knows its environment, catches its signals" "$complaints"
fi
echo "1..$tests"
[ $bad -eq 0 ]
