#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make install and make uninstall; what is installed, as one who has only that uses it; README's lines as they stand.
# tests/bare-root does the same in a system that has nothing.

bats_require_minimum_version 1.5.0

# A program that runs here sees the base system and what the test puts before it, in an empty HOME.
bare() { (cd "$1" && env -i HOME="$home" PATH="$2:/usr/bin:/bin" LC_ALL=C.UTF-8 bash -euo pipefail -c "$3"); }

setup_file() {
    [ -z "$SANITIZER" ] || return 0
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    export root tree="$BATS_FILE_TMPDIR/a tree" doc=/usr/local/share/doc/dq-recommend
    installing install DESTDIR="$tree" > "$BATS_FILE_TMPDIR/words" 2>&1 || cat "$BATS_FILE_TMPDIR/words"
}

installing() { env -u MAKEFLAGS make -s -C "$root" --no-print-directory B="$BUILD" "$@"; }

setup() {
    [ -z "$SANITIZER" ] || skip "the files are those of a build without a sanitizer"
    set -o pipefail
    home=$BATS_TEST_TMPDIR/home
    mkdir "$home"
    cd "$BATS_TEST_TMPDIR" || return
}

# Name, mode, links and bytes of each file under a folder.
listing() { (cd "$1" && find . -printf '%p %M %l\n' | LC_ALL=C sort && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum); }

@test "two installs are equal, whatever the umask, and no file names the folder of the sources or of the install" {
    (umask 077 && installing install DESTDIR="$PWD/other")
    diff <(listing "$tree") <(listing other)
    run ! grep -rlF -e "$BATS_TEST_TMPDIR" -e "$BATS_FILE_TMPDIR" other
    run ! grep -rlIF "$root" other # what is compiled: the next test
    [ -x other/usr/local/bin/dq-train ]
    [ -x other$doc/pipelines/demo/report ]
    [ ! -x other$doc/README.md ]
}

@test "debug information does not name the folder of the sources" {
    CCACHE_DISABLE=1 installing B="$PWD/build" "$PWD/build/obj/lib/core/arena.o" CFLAGS=-gz=none
    run ! grep -F "$root" build/obj/lib/core/arena.o
    grep -q arena.c build/obj/lib/core/arena.o
}

@test "uninstall removes every file of install's, and no other" {
    installing install DESTDIR="$PWD/other"
    touch other/usr/local/bin/mine other$doc/docs/mine.md other/usr/local/include/mine.h
    mkdir -p other$doc/examples/__pycache__
    touch other$doc/examples/__pycache__/dq_env.cpython-311.pyc # as Python leaves it when root runs an example
    installing uninstall DESTDIR="$PWD/other"
    [ "$(cd other && find . ! -type d | sort | xargs)" = "./usr/local/bin/mine ./usr/local/include/mine.h .$doc/docs/mine.md" ]
    [ ! -e other/usr/local/include/dq ]
    [ ! -e other/usr/local/share/dq ]
    [ ! -e other$doc/examples ]
    installing uninstall DESTDIR="$PWD/other" # again, of nothing
    installing install DESTDIR="$PWD/third" PREFIX=/opt/dq LIBDIR=/opt/lib DOCDIR=/opt/doc PYTHONDIR=/opt/py
    [ -f third/opt/doc/README.md ]
    [ -f third/opt/lib/pkgconfig/dq.pc ]
    grep -qx libdir=/opt/lib third/opt/lib/pkgconfig/dq.pc
    installing uninstall LEFT='dq-serve indices' MPI= DESTDIR="$PWD/third" PREFIX=/opt/dq LIBDIR=/opt/lib DOCDIR=/opt/doc PYTHONDIR=/opt/py
    [ -z "$(find third ! -type d)" ]
    [ ! -e third/opt/doc ]
}

@test "man pages have the release's date, whenever they are built, or the one that is asked for" {
    mkdir bin
    printf '#!/bin/sh\necho "$SOURCE_DATE_EPOCH"\n' > bin/scdoc
    chmod +x bin/scdoc
    page() { PATH=$PWD/bin:$PATH installing B="$PWD/$1" "$PWD/$1/man/dq.7" "${@:2}" > /dev/null; cat "$1/man/dq.7"; }
    [ "$(unset SOURCE_DATE_EPOCH; page one)" = "$(date -d "$(sed -n 's/^ -- .*>  //p' "$root"/debian/changelog | head -1)" +%s)" ]
    [ "$(page two SOURCE_DATE_EPOCH=86400)" = 86400 ]
}

@test "Python, zsh and man find what is theirs" {
    of_make() { installing "${@:2}" --eval 'print-it: ; $(info $('"$1"'))' print-it; }
    /usr/bin/python3 -c 'import sys; print(*sys.path, sep="\n")' > path
    grep -qx "$(of_make PYTHONDIR PREFIX=/usr/local)" path
    grep -qx "$(of_make PYTHONDIR PREFIX=/usr)" path
    [ "$(HOME=$home of_make PYTHONDIR PREFIX="$home/.local")" = "$(HOME=$home /usr/bin/python3 -m site --user-site)" ]
    [ "$(of_make ZSHDIR PREFIX=/usr)" = /usr/share/zsh/vendor-completions ]
    [ "$(of_make ZSHDIR)" = /usr/local/share/zsh/site-functions ]
    for page in "$root"/docs/man/*.scd; do
        page=$(basename "$page" .scd)
        [ -s "$tree/usr/local/share/man/man${page##*.}/$page" ]
    done
}

# The relative links of a page: of Markdown, and of HTML in it.
links() {
    grep -ohE '\]\([^)]+\)|(src|srcset|href)="[^"]+"' "$1" | sed -E 's/^\]\(//; s/\)$//; s/^[a-z]+="//; s/"$//; s/[ #].*//' | grep -vE '^(https?:|mailto:|$)'
}

@test "every relative link of an installed page leads to an installed file" {
    while read -r page; do
        for link in $(links "$page"); do
            [ -e "$(dirname "$page")/$link" ] || echo "${page##*dq-recommend/}: $link"
        done
    done < <(find "$tree$doc" -name '*.md') > broken
    [ ! -s broken ] || { cat broken; false; }
    [ "$(links "$tree$doc/docs/index.md" | wc -l)" -gt 40 ]
    echo 'see [it](nowhere.md#x) and [that](https://example.org/)' > page.md
    [ "$(links page.md)" = nowhere.md ]
}

@test "every file of data, examples and pipelines that an installed page, man page or pipeline names is there" {
    grep -rohE '\b(data|examples|pipelines)/[A-Za-z0-9_./-]*[A-Za-z0-9_]' "$tree$doc"/*.md "$tree$doc"/docs/*.md "$tree"/usr/local/share/man |
        sort -u > named
    [ "$(wc -l < named)" -gt 30 ]
    grep -qx data/demo/jobs.jsonl named
    grep -qx examples/gymnasium_env.py named
    while read -r name; do
        [ -e "$tree$doc/$name" ] || [ ! -e "$root/$name" ] || echo "$name"
    done < named > absent
    [ ! -s absent ] || { cat absent; false; }
}

@test "README's first pipeline runs in a copy of what is installed, with nothing else on PATH" {
    cp -r "$tree$doc" mine
    awk '/^## /{ first = $0 == "## A first pipeline" } /^```/ { inside = first && $0 == "```sh run"; next } inside' mine/README.md > lines.sh
    grep -q '^dq-eval' lines.sh
    bare mine "$tree/usr/local/bin" "$(cat lines.sh)" > table
    [ "$(awk '$1 == "ndcg_cut_10" && $3 > 0.6' table | wc -l)" -eq 1 ] || { cat table; false; }
    [ -z "$(find "$home" -mindepth 1)" ]
}

@test "an installed pipeline takes its programs from PATH, and writes into build/ of the copy where it runs" {
    cp -r "$tree$doc" mine
    listing "$tree" > before
    bare mine "$tree/usr/local/bin" 'make -f pipelines/demo.mk QUICK=1 build/demo-quick/cosine.run'
    [ "$(wc -l < mine/build/demo-quick/cosine.run)" -eq 3360 ]
    bare "$tree$doc" "$tree/usr/local/bin" "make -f pipelines/demo.mk QUICK=1 BUILD='$PWD/elsewhere' '$PWD/elsewhere/demo-quick/cosine.run'"
    cmp mine/build/demo-quick/cosine.run elsewhere/demo-quick/cosine.run
    diff before <(listing "$tree")
}

# README's lines before "The programs": those that are indented and those that are fenced, as tests/bare-root runs them.
@test "README's lines run as they stand in a fresh clone, with nothing else on PATH" {
    [ -e "$root/.git" ] && command -v git > /dev/null || skip "the sources are no clone of git's"
    git clone -q "$root" origin || skip "git refuses to read the folder of the sources"
    "$root"/tests/bare-root --lines "$root"/README.md > lines.sh
    [ "$(grep -cE '^(git clone|make demo|make check|export PATH|sudo make install|dq-eval)' lines.sh)" -eq 6 ]
    # What takes minutes, or root, is not done here: what is built is handed over where `make demo` would build it.
    sed -i -E "s,^git clone URL ,git clone -q '$PWD/origin' ,; s,^make (demo|check).*,ln -sfn '$BUILD' build,
        s,^sudo apt-get .*,:,; s,^sudo make install,make -s -C '$root' B='$BUILD' install DESTDIR='$PWD/new'," lines.sh
    bare "$PWD" "$PWD" "$(cat lines.sh)" > table
    [ "$(awk '$1 == "ndcg_cut_10" && $3 > 0.6' table | wc -l)" -eq 1 ] || { cat table; false; }
    [ -x new/usr/local/bin/dq-train ]
}
