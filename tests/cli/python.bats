#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# python/dq.py: what dq-cat shows is what it reads, what it writes the programs read, and what is no stream it refuses.

bats_require_minimum_version 1.5.0

source "$BATS_TEST_DIRNAME/../needs.bash"

setup_file() {
    export ROOT=$BATS_TEST_DIRNAME/../.. PATH="$BUILD:$PATH" PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$BATS_TEST_DIRNAME/../../python
    export OPENBLAS_NUM_THREADS=1
    cd "$BATS_FILE_TMPDIR" || return
    "$BUILD"/unit/test_format --sample sample.dq
}

setup() {
    set -o pipefail
    needs python3-msgpack python3-numpy python3-xxhash python3-zstandard
    cd "$BATS_TEST_TMPDIR" || return
    sample=$BATS_FILE_TMPDIR/sample.dq
}

streams() { /usr/bin/python3 "$BATS_TEST_DIRNAME"/python_streams.py "$@"; }

# Vectors whose bytes are shuffled in the stream, in several frames.
smooth_vectors() {
    /usr/bin/python3 -c 'import numpy; numpy.save("smooth.npy", 1 + numpy.cumsum(numpy.random.default_rng(1).normal(0, .01, (600, 512)), 1).astype("f4"))'
    dq-cat --from npy smooth.npy -o smooth.dq
    zstd -dcq smooth.dq | grep -ca shuffle
    [ "$(stat -c %s smooth.dq)" -lt $(($(stat -c %s smooth.npy) * 3 / 4)) ]
}

# A stream of each kind and maker: a catalogue with attributes and fields, transitions, models, rankings, sessions, a log.
make_streams() {
    local demo=$ROOT/data/demo
    dq-export --users "$demo"/newcomers.jsonl --items "$demo"/jobs.jsonl --interactions "$demo"/newcomers-answers.jsonl |
        dq-embed hash:8 -o catalogue.dq
    dq-reward --strategy logged catalogue.dq -o transitions.dq
    dq-train --offline --hidden 4 --epochs 1 -q transitions.dq -o model.dq
    dq-rank --model model.dq -k 3 catalogue.dq -o rankings.dq
    dq-rank --model model.dq -k 3 --softmax 1 --seed 1 catalogue.dq -o drawn.dq
    dq-export --users "$BATS_TEST_DIRNAME"/../fixtures/measure/catalogue/users.jsonl --items "$BATS_TEST_DIRNAME"/../fixtures/measure/catalogue/items.jsonl \
        --interactions "$BATS_TEST_DIRNAME"/../fixtures/measure/catalogue/met.jsonl -q -o measured.dq
    dq-sim --items 7 --users 3 -o made.dq
    dq-train --env sequence --agent tabular --total-steps 50 -q -o table.dq
    printf 'shown r%d u%d i%d 1 0.2 m %d\n' 1 1 1 1 2 2 3 2 | "$BUILD"/helpers/make_log log.dq
    printf 'answer r1 u1 i1 1 0.2 m 3 APPLY\n' | "$BUILD"/helpers/make_log log.dq
    smooth_vectors
    zstd -dcq "$sample" > plain
    zstd -dcq "$sample" | gzip > gzip
    cat made.dq made.dq > two.dq
}

@test "what dq-cat shows of a stream, dq.py reads, and passes on with its digests" {
    make_streams
    streams shows_what_dq_cat_shows "$sample" plain gzip *.dq
    streams passes_a_stream_on_unchanged "$sample" plain gzip *.dq
}

@test "sections are one table, references count its rows" {
    streams several_sections_are_one_table "$sample"
}

@test "columns are views of the record" {
    streams columns_are_views "$sample"
}

@test "broken and hostile streams are refused, in the memory that their bytes take" {
    /usr/bin/python3 "$BATS_TEST_DIRNAME"/../fault/make_streams.py "$sample" faults
    [ "$(ls faults/*.dq | wc -l)" -gt 80 ]
    streams refuses $(ls faults/*.dq | grep -v /catalogue-) # those are sound streams
    /usr/bin/python3 -c 'import dq, sys; [dq.read(path) for path in sys.argv[1:]]' faults/sound-* faults/other-kind-*
}

@test "a stream cut at any byte is refused, and so is each flipped bit" {
    streams refuses_what_is_cut_or_flipped
}

@test "a byte at a time, many frames, gzip, plain" {
    streams pieces_do_not_matter
    streams a_bomb_is_not_blown_up
}

@test "hashes are XXH3, with the module and without" {
    streams hashes_are_xxh3
}

@test "each type, null and reference that is written, dq-cat reads" {
    streams every_type_and_null types.dq
    streams a_large_table_is_cut large.dq
}

@test "what would be no stream is not written" {
    streams refuses_to_write
}

@test "makers and digests of inputs are written down" {
    streams lineage_of_inputs
}

@test "a file appears when it is complete" {
    mkdir folder
    streams a_file_appears_when_it_is_complete folder
}

@test "pandas frames, both ways" {
    needs python3-pandas
    streams frames frames.dq
}

@test "without pandas all but frames works" {
    mkdir none
    echo 'raise ImportError("no pandas here")' > none/pandas.py
    PYTHONPATH=none:$PYTHONPATH /usr/bin/python3 -c 'import dq, sys; print(dq.read(sys.argv[1]).users.rows)' "$sample" | grep -x 3 > /dev/null
}

@test "the programs train on what Python wrote, and rank it" {
    /usr/bin/python3 << 'END'
import dq, numpy
rng = numpy.random.default_rng(1)
users, items = rng.standard_normal((8, 4), "f4"), rng.standard_normal((12, 4), "f4")
ids, names = [f"u{i}" for i in range(8)], [f"i{i}" for i in range(12)]
pairs = [(u, i) for u in range(8) for i in range(12)]
dq.write("mine.dq", users={"id": ids, "vector": users}, items={"id": names, "vector": items},
         transitions={"user": [ids[u] for u, _ in pairs], "item": [i for _, i in pairs], "reward": [float(users[u] @ items[i] > 0) for u, i in pairs]})
END
    dq-cat --check mine.dq
    [ "$(dq-cat --count mine.dq | paste -sd' ')" = $'users\t8 items\t12 transitions\t96' ]
    dq-cat --lineage mine.dq | grep "python $(/usr/bin/python3 -c 'import platform; print(platform.python_version())')" > /dev/null
    dq-train --offline --epochs 2 --hidden 8 -q mine.dq -o model.dq
    dq-rank --model model.dq -k 3 mine.dq -o lists.dq
    /usr/bin/python3 -c 'import dq; r = dq.read("lists.dq").rankings; assert r.rows == 24 and set(r["rank"]) == {1, 2, 3}, r'
    [ "$(dq-rank --by cosine -k 1 --format tsv mine.dq | grep -c '^u[0-9]')" -eq 8 ]
}

@test "a filter of Python stands in a pipe" {
    dq-export --users "$ROOT"/data/demo/newcomers.jsonl --items "$ROOT"/data/demo/jobs.jsonl \
        --interactions "$ROOT"/data/demo/newcomers-answers.jsonl -o catalogue.dq
    /usr/bin/python3 "$ROOT"/examples/popularity.py < catalogue.dq | dq-embed hash:8 > counted.dq
    dq-cat --check counted.dq
    dq-cat --kind items counted.dq | jq -r '[.id, .popularity] | @tsv' | awk '$2 > 0' | sort > mine
    dq-cat --kind interactions --to tsv catalogue.dq | tail -n +2 | cut -f 2 | sort | uniq -c | awk -v OFS='\t' '{ print $2, $1 }' | sort > theirs
    [ -s mine ]
    cmp mine theirs
    dq-cat --lineage counted.dq | grep -A2 dq-embed | grep -A1 'popularity.py 1' | grep dq-export > /dev/null
    # two sections stay two; one that is cut off cuts off what follows
    cat catalogue.dq catalogue.dq | /usr/bin/python3 "$ROOT"/examples/popularity.py | dq-cat --lineage | grep -c ^section | grep -x 2 > /dev/null
    head -c 9000 catalogue.dq > cut.dq
    run -1 --separate-stderr bash -c '/usr/bin/python3 "$ROOT"/examples/popularity.py < cut.dq > broken.dq'
    [[ $stderr == "popularity.py: stdin: record "*": cut off"* ]]
    [ "${#stderr_lines[@]}" -eq 1 ]
    run -1 dq-cat --check broken.dq
}

@test "a terminal is no stream" {
    run -1 script -qec "/usr/bin/python3 -c 'import dq; dq.read()'" /dev/null
    [[ $output == *"is a terminal, where a stream is wanted"* ]]
}

# ---- docs/notebook.ipynb ----

notebook() { MPLCONFIGDIR=$BATS_TEST_TMPDIR IPYTHONDIR=$BATS_TEST_TMPDIR /usr/bin/python3 "$BATS_TEST_DIRNAME"/notebook.py "$1" "$ROOT"/docs/notebook.ipynb; }

@test "the notebook is committed with its outputs, and with no place, machine or time in them" {
    notebook look
    # its colours are those of all pictures
    grep -oE 'HUES = \[[^]]*' "$ROOT"/docs/notebook.ipynb | grep -oE '#[0-9A-F]{6}' | tr -d '#' > mine
    sed -n '/light = {/,/}/s/.*hues = {\(.*\)},/\1/p' "$ROOT"/lib/plot/theme.c | grep -oE '0x[0-9A-F]{6}' | sed 's/0x//' | cmp mine -
    [ "$(wc -l < mine)" -eq 7 ]
}

@test "where make install puts dq.py Python looks, and the notebook there finds it, the programs and the data, and draws" {
    needs python3-pandas python3-matplotlib
    if [ -n "$SANITIZER" ]; then # install is of a build without
        notebook plain
        return
    fi
    env -u MAKEFLAGS make -s -C "$ROOT" B="$BUILD" install DESTDIR="$PWD/root" PREFIX=/usr > words
    cd root/usr
    PATH=$PWD/bin:$PATH PYTHONPATH=$PWD/lib/python3/dist-packages
    /usr/bin/python3 -c 'import dq, sys; print(dq.__file__); print(*sys.path, sep="\n")' > ../found
    grep -qx "$PYTHONPATH/dq.py" ../found
    grep -qx /usr/lib/python3/dist-packages ../found
    ROOT=$PWD/share/doc/dq-recommend notebook plain
}

@test "the notebook runs in Jupyter" {
    [ "${FAULTS-}" = full ] || skip "a kernel's start takes long: make check-full"
    needs python3-pandas python3-matplotlib python3-nbclient python3-ipykernel
    notebook execute
}

@test "the lines of the guide give what it shows" {
    needs python3-pandas
    KEEP=$PWD "$BATS_TEST_DIRNAME"/../examples docs/python.md
    cd docs/python.md
    /usr/bin/python3 "$BATS_TEST_DIRNAME"/python_page.py "$ROOT"/docs/python.md
    dq-cat --check mine.dq
    dq-cat --check fresh.dq
    dq-cat --lineage fresh.dq | grep -A1 'freshen.py 1 days=30' | grep dq-reward > /dev/null
}

@test "the lines for R give what it shows" {
    needs r-base-core
    KEEP=$PWD "$BATS_TEST_DIRNAME"/../examples docs/python.md
    cd docs/python.md
    { sed -n '/^```r$/,/^```$/p' "$ROOT"/docs/python.md | grep -v '^```'; echo 'cat(dim(lists), lists$item[1], dim(items), items$text.title[1])'; } > lines.R
    [ "$(Rscript lines.R)" = "36 4 j207 300 6 Data Engineer" ]
}
