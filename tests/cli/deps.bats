#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tests/deps, which installs Debian packages, against an apt that is a script; and what the Makefile says and leaves out
# where packages are missing.

bats_require_minimum_version 1.5.0

# Commands that stand before all others: an apt with the packages of the file `offered`, of which it refuses those in
# `refused`; what it was told stands in `told`. `installed` is what dpkg knows, `who` the user's number.
setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    cd "$BATS_TEST_TMPDIR" || return
    export world=$PWD
    mkdir bin
    for name in dpkg-query apt-cache apt-get sudo id; do
        { printf '#!/bin/bash\n'; "command_${name//-/_}"; } > "bin/$name"
        chmod +x "bin/$name"
    done
    PATH=$PWD/bin:$PATH
    printf '%s\n' aa bb > installed
    printf '%s\n' aa bb cc dd ee > offered
    : > refused
    : > told
    echo 0 > who
}

command_id() { echo 'cat "$world/who"'; }
command_sudo() { echo '[ ! -e "$world/no-sudo" ] || { echo "sudo: a password is required" >&2; exit 1; }; echo "sudo $*" >> "$world/told"; exec "$@"'; }
command_dpkg_query() { echo 'for p in "${@:3}"; do if grep -qx "$p" "$world/installed"; then echo "install ok installed $p"; fi; done'; }
command_apt_cache() { echo 'grep -qx "$2" "$world/offered"'; }
command_apt_get() {
    cat << 'EOF'
[[ " $* " == *" -s "* ]] || echo "apt-get $*" >> "$world/told"
[ ! -e "$world/no-network" ] || [[ " $* " == *" -s "* ]] || { echo "E: no network" >&2; exit 100; }
for word in "$@"; do [[ $word == -* || $word == *::* ]] || words+=("$word"); done
if [ "${words[0]}" = update ]; then echo "Get:1 lists"; [ ! -e "$world/more" ] || cat "$world/more" >> "$world/offered"; exit 0; fi
[[ " $* " == *" --no-remove "* ]] || { echo "E: would remove" >&2; exit 100; }
for p in "${words[@]:1}"; do
    grep -qx "$p" "$world/offered" || { echo "E: Unable to locate package $p" >&2; exit 100; }
    grep -qx "$p" "$world/refused" && { echo "E: Packages need to be removed but remove is disabled." >&2; exit 100; }
done
[[ " $* " != *" -s "* ]] || exit 0
[ ! -e "$world/policy" ] || { "$world/policy"; echo "daemons: $?" >> "$world/told"; }
echo "Selecting previously unselected package ${words[1]}."
for p in "${words[@]:1}"; do
    echo "Setting up $p"
    echo "$p" >> "$world/installed"
    [ ! -d "$world/units" ] || ln -sf /dev/null "$world/units/multi-user.target.wants/$p.service"
done
EOF
}

deps() { "$root"/tests/deps "$@"; }

@test "nothing is said and no apt is run where all is there, one of two alternatives too" {
    run -0 deps aa 'cc|bb|dd' bb=part
    [ -z "$output" ]
    [ ! -s told ]
}

@test "what is missing is named, installed in one go, and what apt does is shown, but for each file" {
    run -0 deps 'aa cc dd=some_part'
    [ "${lines[0]}" = "not installed: cc dd" ]
    [[ $output == *"Setting up cc"*"Setting up dd"* && $output != *Selecting* ]]
    [ "$(wc -l < told)" -eq 1 ]
    grep -q -- '--no-install-recommends --no-remove cc dd$' told
}

@test "of alternatives the first that apt knows is taken" {
    run -0 deps 'xx|ee|cc'
    [ "$(tail -1 installed)" = ee ]
    [ "${lines[0]}" = "not installed: xx or ee or cc" ]
}

@test "lists are fetched where apt does not know a package" {
    echo ff > more
    run -0 deps ff
    [[ $(sed -n 1p told) == *" update" && $(sed -n 2p told) == *" install "*" ff" ]]
    [ "$(tail -1 installed)" = ff ]
}

@test "a package that is needed and not to be had is a failure before anything is installed" {
    run -1 deps cc xx
    [ "${lines[-1]}" = "not to be had: xx" ]
    run ! grep -q install told
    run -1 deps 'xx|yy'
    [ "${lines[-1]}" = "not to be had: xx or yy" ]
}

@test "what is refused with the rest is a part that is left out, and named; all else is installed" {
    echo dd > refused
    run -0 deps cc dd=man_pages ee=dq-tune
    [ "${lines[-1]}" = "not to be had: dd. Left out: man pages" ]
    [ "$(tail -2 installed | xargs)" = "cc ee" ]
    [[ $output == *"dd: E: Packages need to be removed but remove is disabled."* ]]
    [ "$(grep -c ' install ' told)" -eq 1 ]
    run -0 deps xx=dq-tune
    [ "${lines[-1]}" = "not to be had: xx. Left out: dq-tune" ]
}

@test "what is refused and needed is a failure with apt's words" {
    echo cc > refused
    run -1 deps cc ee=dq-tune
    [[ $output == *"E: Packages need to be removed but remove is disabled."* ]]
    [ "${lines[-1]}" = "not to be had: cc" ]
    run ! grep -q ' install ' told
}

@test "single tests' packages are no failure" {
    run -0 deps --each cc xx
    [ "${lines[-1]}" = "not to be had: xx. Left out: the tests that need it" ]
    [ "$(tail -1 installed)" = cc ]
}

@test "without a network it fails, and says what apt says" {
    touch no-network
    run -1 deps cc
    [[ $output == *"E: no network"*"not to be had: cc" ]]
}

@test "who is not root installs by sudo" {
    echo 1000 > who
    run -0 deps cc
    grep -q '^sudo env .*apt-get .*--no-remove cc$' told
}

@test "without root and sudo, or refused by it, the line for an administrator is printed" {
    echo 1000 > who
    touch no-sudo
    run -1 deps 'cc|ee' dd=man_pages
    [ "${lines[0]}" = "not installed: cc or ee dd" ]
    [ "${lines[1]}" = "sudo: a password is required" ]
    [ "${lines[3]}" = "    apt-get install --no-install-recommends --no-remove cc dd" ]
    [ "${lines[4]}" = "Left out without dd: man pages" ]
    [ "${#lines[@]}" -eq 5 ]
    run -0 deps dd=man_pages # what can be left out stops nobody
    [ "${lines[-1]}" = "Left out without dd: man pages" ]
    rm bin/sudo
    mkdir base
    for name in bash env cat sed grep wc id dpkg-query apt-cache apt-get; do
        ln -s "$(command -v $name)" base/
    done
    PATH=$PWD/base run -1 deps cc
    [ "${lines[2]}" = "    apt-get install --no-install-recommends --no-remove cc" ]
    [ "${#lines[@]}" -eq 3 ]
    [ ! -s told ]
}

@test "where there is no apt the packages are named" {
    mkdir base
    for name in bash sed; do ln -s "$(command -v $name)" base/; done
    PATH=$PWD/base run -1 deps cc
    [[ $output == *"no apt-get"*"not to be had: cc" ]]
}

# The Makefile without some of what it needs. The build is a new folder, in which nothing is built.
without() { # GOAL COMMAND...: make GOAL in a PATH that lacks the commands
    local goal=$1 name
    mkdir -p base
    ln -sf /usr/bin/* base/
    for name in "${@:2}"; do rm "base/$name"; done
    run env -u MAKEFLAGS -u CC PATH="$PWD/base" make -C "$root" --no-print-directory B="$PWD/none" "$goal"
}

@test "make without the packages says in one line which are missing, and make deps" {
    PKG_CONFIG_LIBDIR=$PWD without programs
    [ "$status" -eq 2 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *"not installed: openblas "*". Run "*"make deps"* ]]
    without programs cc pkg-config
    [ "$status" -eq 2 ]
    [[ ${lines[-1]} == *"not installed: cc pkg-config openblas "* ]]
    [ ! -e none/obj/lib/core/arena.o ]
}

@test "--stopped: daemons are not started as they are installed; whoever says no already is left alone" {
    export POLICY_RC_D=$PWD/policy
    run -0 deps --stopped --each aa cc
    grep -qx 'daemons: 101' told
    [ ! -e policy ]
    printf '#!/bin/sh\nexit 7\n' > policy # an administrator's own
    chmod +x policy
    run -0 deps --stopped dd
    grep -qx 'daemons: 7' told
    [ -e policy ]
    rm policy
    : > told
    touch no-network
    run -1 deps --stopped ee
    [ ! -e policy ]
    rm no-network
    run -0 deps ee
    run ! grep -q daemons told
}

@test "--stopped: nor are they with the machine; what was enabled before stays" {
    export SYSTEMD_UNITS=$PWD/units POLICY_RC_D=$PWD/policy
    mkdir -p units/multi-user.target.wants
    ln -s /dev/null units/multi-user.target.wants/old.service
    printf '#!/bin/bash\necho "systemctl $*" >> "$world/told"\n' > bin/systemctl
    chmod +x bin/systemctl
    run -0 deps --stopped cc dd
    grep -qx 'systemctl --quiet disable cc.service dd.service' told
    [ "${lines[-1]}" = "not started, now or with the machine: cc.service dd.service" ]
    run -0 deps ee
    run ! grep -q 'ee.service' told
}

# What `make -n` would build, with variables as they are given.
would() { env -u MAKEFLAGS make -C "$root" --no-print-directory -n B="$PWD/none" "$@" all; }

@test "a part whose package is missing is left out of the build, and named; the others are as they were" {
    would > whole
    grep -q 'dq-serve' whole
    grep -q scdoc whole
    run ! grep -q 'left out' whole
    would CHART_JS=/nonexistent > served
    run ! grep -qE 'cmd/dq-serve|lib/port/httpd|page_files|lmicrohttpd' served
    grep -q 'left out: dq-serve (not installed: libjs-chart.js; make deps installs' served
    [ "$(grep -o -- '-o [^ ]*/none/dq-[a-z]*$' served | wc -l)" -eq "$(($(grep -o -- '-o [^ ]*/none/dq-[a-z]*$' whole | wc -l) - 1))" ]
    would LACKING='scdoc libmicrohttpd-dev' > fewer
    run ! grep -qE 'scdoc <|lib/port/httpd' fewer
    grep -q 'left out: dq-serve, man pages (not installed: scdoc libmicrohttpd-dev; make deps installs' fewer
}

@test "no program but dq-serve needs the room that is left out with it" {
    [ -z "$SANITIZER" ] || skip "one build is enough"
    nm "$BUILD"/dq-serve > symbols
    grep -q ' T dq_httpd_' symbols
    for program in "$BUILD"/dq-*; do
        [[ $program == */dq-serve || $program == */dq-tune ]] || nm "$program" | sed -n "s,.* T \(dq_httpd_.*\),${program##*/}: \1,p"
    done > needing
    [ ! -s needing ] || { cat needing; false; }
}

@test "the guide has every package, with what is left out without it" {
    of_make() { env -u MAKEFLAGS make -s -C "$root" --no-print-directory --eval 'print-it: ; $(info $('"$1"'))' print-it; }
    guide=$root/docs/installing.md
    for package in $(of_make REQUIRED); do
        grep -qE "(^| )${package//|/ or }( |$)" "$guide" || { echo "$guide lacks ${package//|/ or }"; false; }
    done
    for pair in $(of_make PARTS); do
        part=${pair#*=}
        grep -qE "^\| \`${pair%%=*}\` \| .*${part//_/ }" "$guide" || { echo "$guide lacks the row of $pair"; false; }
    done
}
