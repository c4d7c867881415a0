#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The look of all pictures: dq-eval --plot, --draw and --curves, seen through their SVG (tests/cli/picture.py).

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
    for run in 1 2 3; do
        for episode in $(seq 40); do
            echo "{\"episode\":$episode,\"steps\":10,\"reward\":-0.$((run + episode)),\"success\":$((episode > 4 * run)),\"epsilon\":0.5,\"errors\":$((episode % 3))}"
        done > run$run.jsonl
    done
    printf 'u1 0 a 1\nu1 0 b 0\nu1 0 c 2\nu2 0 a 1\nu2 0 c 1\nu3 0 b 1\n' > qrels
    for run in x y; do
        printf 'u1 Q0 a 1 3 %s\nu1 Q0 b 2 2 %s\nu2 Q0 b 1 3 %s\nu2 Q0 a 2 2 %s\nu3 Q0 %s 1 1 %s\n' $run $run $run $run $([ $run = x ] && echo b || echo c) $run > $run.run
    done
}

texts() { /usr/bin/python3 "$BATS_TEST_DIRNAME/picture.py" texts "$1"; }
lines() { /usr/bin/python3 "$BATS_TEST_DIRNAME/picture.py" lines "$1"; }
words() { texts "$1" | cut -f 3; }
height_of() { texts "$1" | awk -F'\t' -v words="$2" '$3 == words {print $2; exit}'; }

@test "an axis stays within what a value can be: no success rate above 1, though a band is" {
    dq-eval --curves g=run1.jsonl g=run2.jsonl g=run3.jsonl --metric success --plot p.svg
    words p.svg | grep -qx '1.0'
    run ! grep -qx '1\.[1-9]' <(words p.svg)
    # the tick of 1 is where the band ends: a text's place is 4 pixels below its tick
    top=$(lines p.svg | sort -t$'\t' -nk 5 | head -1 | cut -f 5)
    awk -v top="$top" -v tick="$(height_of p.svg 1.0)" 'BEGIN {exit !(top >= tick - 4.6 && top <= tick - 3.4)}'
    # and where the axis ends
    [ "$(/usr/bin/python3 "$BATS_TEST_DIRNAME/picture.py" frames p.svg | cut -f 3 | sort -u)" = "$top" ]
}

@test "an axis of shares goes from 0 to 1, wherever the shares are; so does one whose ends are said" {
    printf '{"episode":1,"steps":9,"reward":1,"success":0.4}\n{"episode":2,"steps":9,"reward":2,"success":0.5}\n' > half.jsonl
    dq-eval --curves half.jsonl --metric success --plot p.svg
    ends() { words "$1" | grep -xE '[0-9.]+' | sort -n | sed -n '1p;$p' | xargs; }
    [ "$(ends p.svg)" = "0 2" ] # of the episodes, too: x ends at 2
    words p.svg | grep -qx '1.0'
    words p.svg | grep -qx '0.2'
    printf 'x\ty\na\t.3\nb\t.4\n' > t.tsv
    dq-eval --draw bars:x=x,y=y,ymin=0,ymax=1 --plot q.svg t.tsv
    words q.svg | grep -qx '1.0'
    dq-eval --draw bars:x=x,y=y,ymin=0 --plot q.svg t.tsv
    run ! grep -qx '1.0' <(words q.svg)
}

@test "rewards may be anything: their axis is that of the numbers, with true minus signs" {
    dq-eval --curves run1.jsonl run2.jsonl --metric reward --plot p.svg
    words p.svg | grep -qx '−0.8'
    run ! grep -q '^-' <(words p.svg)
    for form in png pdf; do dq-eval --curves run1.jsonl run2.jsonl --metric reward --plot p.$form; done
    dq-eval --curves run1.jsonl run2.jsonl --metric reward > drawn
    grep -q '−0.8' drawn
}

@test "a value beyond an axis is an error, not a line that leaves the picture" {
    printf 'a\tb\n1\t2\n2\t3\n' > t.tsv
    run -1 --separate-stderr dq-eval --draw lines:x=a,y=b,ymax=2.5,title=B --plot p.svg t.tsv
    [ "$stderr" = "dq-eval: B: 3 is more than what the axis can show, 2.5" ]
    [ ! -e p.svg ]
}

@test "the legend stands above the panels, never on a line, and says of how many runs a band is" {
    dq-eval --curves g=run1.jsonl g=run2.jsonl h=run3.jsonl --plot p.svg --quiet
    words p.svg | grep -qx 'g, mean of 2 runs, ± sd'
    words p.svg | grep -qx h
    lowest=$(texts p.svg | awk -F'\t' '$3 == "h" || $3 ~ /mean of/ {print $2}' | sort -n | tail -1)
    highest=$(lines p.svg | cut -f 5 | sort -n | head -1)
    awk -v legend="$lowest" -v line="$highest" 'BEGIN {exit !(legend < line)}'
    # one legend, whatever the number of panels
    [ "$(words p.svg | grep -cx h)" = 1 ]
}

@test "marks have labels, above the axes, and none covers another" {
    dq-eval --curves run1.jsonl --metric errors --mark "20=the order changes" --mark "22=and again" --mark 30 --plot p.svg
    first=$(height_of p.svg 'the order changes') second=$(height_of p.svg 'and again')
    [ -n "$first" ]
    [ "$second" -lt "$first" ] # a line of its own
    awk -v label="$first" -v line="$(lines p.svg | cut -f 5 | sort -n | head -1)" 'BEGIN {exit !(label < line)}'
    [ "$(grep "path stroke='rgb(144, 148, 152)'" p.svg | grep -o M | wc -l)" = 3 ]
    words p.svg | grep -c '^30$' | grep -qx 2 # the one without a label has its number, as a tick has
    printf 'a\tb\n1\t2\n2\t3\n' > t.tsv
    dq-eval --draw 'lines:x=a,y=b,ymark=2.5=the best there is' --plot h.svg t.tsv
    beside=$(texts h.svg | awk -F'\t' '$3 == "the best there is" {print $1}')
    awk -v label="$beside" -v line="$(lines h.svg | cut -f 4 | sort -n | tail -1)" 'BEGIN {exit !(label > line)}'
}

@test "at most seven hues, then dashes" {
    printf 'x\ty\tname\n' > t.tsv
    for n in $(seq 9); do printf '1\t%s\tn%s\n2\t%s\tn%s\n' "$n" "$n" "$n" "$n"; done >> t.tsv
    dq-eval --draw lines:x=x,y=y,series=name --plot p.svg t.tsv
    lines p.svg > lines
    [ "$(wc -l < lines)" = 9 ]
    [ "$(cut -f 1 lines | sort -u | wc -l)" = 7 ]
    [ "$(cut -f 2 lines | grep -c solid)" = 7 ]
    [ "$(cut -f 1,2 lines | sort -u | wc -l)" = 9 ] # no two look alike
    # bars of the eighth and ninth, and their samples in the legend, have dashed edges
    dq-eval --draw bars:x=x,y=y,series=name --plot b.svg t.tsv
    [ "$(grep -c stroke-dasharray b.svg)" -ge 4 ]
    head -15 t.tsv > seven.tsv
    dq-eval --draw bars:x=x,y=y,series=name --plot b.svg seven.tsv
    run ! grep -q stroke-dasharray b.svg
}

@test "a constant panel is left out, with a word; the last one is drawn" {
    run -0 --separate-stderr dq-eval --curves run1.jsonl run2.jsonl --metric errors --metric epsilon --metric success --plot p.svg
    [ "$stderr" = "dq-eval: Exploration is 0.5 throughout and is not drawn" ]
    run ! grep -qx Exploration <(words p.svg)
    words p.svg | grep -qx 'Success rate'
    dq-eval --curves run1.jsonl --metric epsilon --plot alone.svg
    words alone.svg | grep -qx Exploration
    # bars of one number, or of none that is seen
    run -0 --separate-stderr dq-eval --qrels qrels --run x.run --run y.run -m map -m num_q -m num_nonrel_judged_ret --resamples 200 --plot p.svg
    [[ $stderr == *"num_q is 3 throughout and is not drawn"* ]]
    [ "$(words p.svg | grep -c num_)" = 0 ]
    words p.svg | grep -qx map
}

@test "a histogram of one number is left out, and the word says the number" {
    for episode in 1 2 3; do echo "{\"episode\":$episode,\"steps\":$episode,\"reward\":0.5,\"success\":$((episode % 2))}"; done > constant.jsonl
    dq-eval --curves constant.jsonl --plot p.svg 2> said
    grep -q '^dq-eval: Histogram of rewards is 0.5 throughout' said
}

@test "no place of a picture stays empty: each row of panels is as wide as the others" {
    for panels in 3 5 7; do
        { echo $'x\ty\tp'; for p in $(seq $panels); do printf '1\t1\t%s\n2\t%s\t%s\n' "$p" "$((p + 1))" "$p"; done; } > t.tsv
        dq-eval --draw lines:x=x,y=y,panel=p --plot p.svg t.tsv
        lines p.svg > lines
        [ "$(wc -l < lines)" = $panels ]
        # the right end of the last panel of each row: one place
        [ "$(awk -F'\t' '{if ($4 > last + 1 || NR == 1) last = $4; else {print last; last = $4}} END {print last}' lines | sort -u | wc -l)" = 1 ]
    done
}

@test "where all are the mean of as many runs the note says so, once; where their bands overlap, that, too" {
    dq-eval --curves --metric success g=run1.jsonl g=run2.jsonl h=run1.jsonl h=run3.jsonl --plot p.svg
    words p.svg | grep -qx g
    words p.svg | grep -qx h
    words p.svg | grep -qx 'Mean of 2 runs, ± sd. Where bands overlap their colours mix'
    # two histograms share a bin, and then none
    printf 'x\ts\n1\ta\n2\ta\n2\tb\n3\tb\n' > t.tsv
    dq-eval --draw histogram:x=x,series=s --plot q.svg t.tsv
    words q.svg | grep -qx 'Where histograms overlap their colours mix'
    dq-eval --draw histogram:x=x,series=s --plot q.svg <(sed '3d' t.tsv)
    run ! grep -q mix <(words q.svg)
}

@test "of more than four bands each line has intervals, at places of its own" {
    { printf 'x\ty\tsd\tname\n'; for n in 1 2 3 4 5; do printf '0\t%s\t1\tn%s\n9\t%s\t1\tn%s\n' "$n" "$n" "$n" "$n"; done; } > t.tsv
    bands() { grep -c "fill-opacity = '0.2" p.svg || true; }
    places() { # of upright strokes that are no axis
        grep -v 'rgb( 96' p.svg | grep -oE 'M([0-9.]+),[0-9.]+ L\1,[0-9.]+' | tr 'ML,' '   ' | awk '($4 - $2) ^ 2 > 400 {print $1}' | sort -u | wc -l
    }
    dq-eval --draw lines:x=x,y=y,sd=sd,series=name --plot p.svg <(head -9 t.tsv)
    [ "$(bands)" = 4 ]
    dq-eval --draw lines:x=x,y=y,sd=sd,series=name --plot p.svg t.tsv
    [ "$(bands)" = 0 ]
    [ "$(places)" = 20 ] # four of each
}

@test "series that are called by numbers have their column's name; whole numbers have bars of their own and whole ticks" {
    printf 'x\ty\tplace\n1\t1\t1\n2\t2\t1\n1\t3\t2\n2\t4\t2\n' > t.tsv
    dq-eval --draw lines:x=x,y=y,series=place --plot p.svg t.tsv
    for text in 'place 1' 'place 2'; do words p.svg | grep -qx "$text"; done
    dq-eval --draw grid:x=x,y=y,series=place --plot p.svg t.tsv
    words p.svg | grep -qx place
    run ! grep -q 'place 1' <(words p.svg)
    printf 'clicks\n1\n2\n2\n4\n' > h.tsv
    dq-eval --draw histogram:x=clicks --plot h.svg h.tsv
    [ "$(words h.svg | grep -x '[0-9.]*' | sort | uniq -c | awk '{print $2}' | xargs)" = "0 1 2 3 4" ]
    # the tick of 2 is in the middle of the highest bar
    tick=$(texts h.svg | awk -F'\t' '$3 == 2 {print $1 "\t" $2}' | sort -nk 2 | tail -1 | cut -f 1)
    lines h.svg | sort -t$'\t' -nk 5 | head -1 | awk -F'\t' -v tick="$tick" '{middle = ($3 + $4) / 2; exit !(middle - tick < 2 && tick - middle < 2)}'
}

@test "names that slant in one panel do not move those of the next" {
    printf 'name\tn\n' > t.tsv
    for n in $(seq 12); do printf 'number %s\t%s\n' "$n" "$n"; done >> t.tsv
    printf 'name\tn\nlow\t1\nhigh\t2\n' > s.tsv
    dq-eval --draw bars:x=name,y=n --draw bars:x=name,y=n --plot p.svg t.tsv s.tsv
    place=$(texts p.svg | awk -F'\t' '$3 == "low" {print $1}')
    lines p.svg | awk -F'\t' -v at="$place" '$3 < at && at < $4 {middle = ($3 + $4) / 2; found = middle - at < 2 && at - middle < 2} END {exit !found}'
    grep -q "rotate" p.svg
}

@test "categories are in the order in which they come, or that is asked for" {
    printf 'level\tn\nlow\t3\nmedium\t2\nhigh\t1\n' > t.tsv
    order() { texts p.svg | awk -F'\t' '/low|medium|high/' | sort -n | cut -f 3 | xargs; }
    dq-eval --draw bars:x=level,y=n --plot p.svg t.tsv
    [ "$(order)" = "low medium high" ]
    dq-eval --draw 'bars:x=level,y=n,order=high|medium' --plot p.svg t.tsv
    [ "$(order)" = "high medium low" ]
}

@test "bars with long names have these on the left and go to the right; each has its number at its end" {
    printf 'system\tndcg\tlow\thigh\nshort\t.4\t.38\t.42\na name of twenty chars\t.65\t.62\t.68\n' > t.tsv
    dq-eval --draw bars:x=system,y=ndcg,lower=low,upper=high,ymin=0,ymax=1 --plot p.svg t.tsv
    for text in short 'a name of twenty chars' 0.400 0.650; do words p.svg | grep -qx "$text"; done
    # names below one another, left of the bars; the second bar below the first, and longer by .65 / .4
    [ "$(height_of p.svg short)" -lt "$(height_of p.svg 'a name of twenty chars')" ]
    lines p.svg | awk -F'\t' '$1 == "rgb(0,114,178)" {width[++n] = $4 - $3; top[n] = $5} END {
        exit !(n == 2 && top[1] < top[2] && width[2] / width[1] > 1.62 && width[2] / width[1] < 1.63)}'
    # a number stands beyond its interval's end
    high=$(lines p.svg | awk -F'\t' '$1 == "rgb(32,36,40)" {print $4}' | sort -n | tail -1)
    texts p.svg | awk -F'\t' -v high="$high" '$3 == "0.650" {exit !($1 > high)}'
    # short names stay below
    dq-eval --draw bars:x=system,y=ndcg --plot q.svg <(sed 's/ of twenty chars//' t.tsv)
    [ "$(height_of q.svg short)" = "$(height_of q.svg 'a name')" ]
}

@test "an SVG is dark where its reader wants that: each colour that is drawn has another there; a grid stays light" {
    printf 'x\ty\tname\n' > t.tsv
    for n in $(seq 7); do printf '1\t%s\tn%s\n2\t%s\tn%s\n' "$n" "$n" "$n" "$n"; done >> t.tsv
    dq-eval --draw lines:x=x,y=y,series=name,xmark=1.5=here --draw points:x=x,y=y,series=name --plot p.svg t.tsv
    grep -q 'prefers-color-scheme:dark' p.svg
    sed -n '/<style>/,/<\/style>/p' p.svg | tr -d ' ' > style
    sed '/<style>/,/<\/style>/d; /<defs>/,/<\/defs>/d' p.svg | grep -oE "(fill|stroke|color) ?= ?[\"'](rgb\([^\"']*|#[0-9a-f]{6})" | tr -d " '\"" | sort -u > drawn
    [ "$(wc -l < drawn)" -ge 16 ]
    while IFS='=' read -r attribute colour; do
        grep -qF "[$attribute=\"$colour\"]" style || { echo "$attribute $colour"; false; }
    done < drawn
    # what browsers show to who points at a line is not gnuplot's number of it
    run ! grep -qi '<title>gnuplot' p.svg
    dq-eval --draw grid:x=x,y=y,series=name --plot g.svg t.tsv
    run ! grep -q '<style>' g.svg
}

@test "what pipelines make with QUICK=1 says that it is no result, and all pictures are dq-eval's" {
    cd "$BATS_TEST_DIRNAME/../.."
    # one rule: no pipeline draws or prints a table but by it
    run ! grep -nE "dq-eval[^|]* --plot|set term|matplotlib|column -t" pipelines/*.mk pipelines/*/* --exclude=common.mk
    mkdir "$BATS_TEST_TMPDIR/build" && ln -s "$BUILD"/dq-* "$BATS_TEST_TMPDIR/build/"
    make -f pipelines/rewards.mk BUILD="$BATS_TEST_TMPDIR/build" QUICK=1 > "$BATS_TEST_TMPDIR/said"
    words "$BATS_TEST_TMPDIR/build/rewards-quick/rewards.svg" | grep -qx 'QUICK: no result'
    grep -A 1 'QUICK: no result' "$BATS_TEST_TMPDIR/said" | grep -q '^system .*ndcg_cut_10'
    printf 'a\tb\n' | NO_RESULT='' pipelines/show > "$BATS_TEST_TMPDIR/shown"
    [ "$(cat "$BATS_TEST_TMPDIR/shown")" = 'a  b' ]
}

@test "README's picture is what its table says, and the table what docs/onet.md says" {
    cd "$BATS_TEST_DIRNAME/../.."
    tail -n +2 docs/onet.tsv | while IFS=$'\t' read -r system ndcg precision; do
        short() { sed 's/0\./\./g' <<< "$1"; }
        grep -qF "| $(short "$ndcg") | $(short "$precision") |" docs/onet.md || grep -qF "| $ndcg | $precision |" docs/onet.md || { echo "$system"; exit 1; }
    done
    make -f pipelines/onet.mk picture BUILD="$BUILD" PICTURE="$BATS_TEST_TMPDIR/again.svg"
    words "$BATS_TEST_TMPDIR/again.svg" > "$BATS_TEST_TMPDIR/words"
    for ndcg in $(sed 1d docs/onet.tsv | grep -v tenth | cut -f 2 | cut -d ' ' -f 1); do grep -qx "$ndcg" "$BATS_TEST_TMPDIR/words"; done
    diff <(words docs/onet.svg) "$BATS_TEST_TMPDIR/words"
}

@test "units, titles of axes, a note" {
    printf 'age\n3\n14\n15\n26\n' > t.tsv
    dq-eval --draw 'histogram:x=age,bin=10,xunit=years,ylabel=users,title=Ages\, of four,note=drawn' --plot p.svg t.tsv
    for text in 'age (years)' users 'Ages, of four' drawn; do words p.svg | grep -qx "$text"; done
    # 3 | 14 15 | 26: the bar in the middle is twice as high as its neighbours
    lines p.svg | awk -F'\t' '{height[++n] = $6 - $5} END {exit !(n == 3 && height[2] > 1.9 * height[1] && height[1] == height[3])}'
}

@test "the same input gives the same bytes, and no date is in them" {
    for form in svg png pdf; do
        for n in 1 2; do
            dq-eval --curves run1.jsonl run2.jsonl --metric reward --plot $n.$form
            [ $form != pdf ] || sleep 1.1
        done
        cmp 1.$form 2.$form
    done
    grep -aq '/CreationDate (D:19700101000000' 1.pdf
    [ "$(head -c 5 1.pdf)" = %PDF- ]
    LC_ALL=C dq-eval --curves run1.jsonl run2.jsonl --metric reward --plot c.svg
    cmp c.svg 1.svg
}

@test "a terminal gets colours where they are welcome" {
    cat > in_terminal.py <<-'END'
	import os, pty, sys
	out = b""
	def read(fd):
	    global out
	    data = os.read(fd, 4096)
	    out += data
	    return b""
	pty.spawn(sys.argv[1:], read)
	sys.stdout.write("colours" if b"\x1b[38;5;" in out else "none")
	END
    printf 'level\tn\nlow\t3\nhigh\t1\n' > t.tsv
    for draw in bars:x=level,y=n "lines:x=n,y=n"; do
        [ "$(TERM=xterm python3 in_terminal.py "$BUILD"/dq-eval --draw "$draw" t.tsv < /dev/null)" = colours ]
        [ "$(TERM=xterm NO_COLOR=1 python3 in_terminal.py "$BUILD"/dq-eval --draw "$draw" t.tsv < /dev/null)" = none ]
        [ "$(TERM=dumb python3 in_terminal.py "$BUILD"/dq-eval --draw "$draw" t.tsv < /dev/null)" = none ]
        dq-eval --draw "$draw" t.tsv > piped
        run ! grep -q $'\x1b' piped
    done
    dq-eval --draw bars:x=level,y=n t.tsv | grep -q '^low  *3  █'
}

@test "in a terminal the legend is beside the lines where there is room; ten lines are told apart; --title is above" {
    { printf 'x\ty\tname\n'; for n in $(seq 10); do printf '1\t%s\tn%s\n2\t%s\tn%s\n' "$n" "$n" "$n" "$n"; done; } > t.tsv
    dq-eval --draw lines:x=x,y=y,series=name --title "What is drawn" t.tsv > drawn
    [ "$(head -1 drawn)" = "What is drawn" ]
    # right of the axes, on lines of theirs; each sample another
    for n in 1 7 8 10; do grep -qE "\|.* n$n\$|\|.*[^ ]n$n\$" drawn; done
    [ "$(grep -oE '[^ ]+n[0-9]+$' drawn | sed 's/n[0-9]*$//' | sort -u | wc -l)" = 10 ]
    run ! grep -q $'\f' drawn
    run ! grep -q ' $' drawn
    [ -n "$(tail -1 drawn)" ]
    # long names stand above the axes
    dq-eval --draw lines:x=x,y=y,series=name <(sed '2,$s/\tn/\ta name of more than thirty letters /' t.tsv) > long
    [ "$(grep -n 'letters 1$' long | cut -d : -f 1)" -lt "$(grep -n '|' long | head -1 | cut -d : -f 1)" ]
}

@test "texts are texts: marks of markup, quotes, control characters, bytes that are no UTF-8" {
    evil=$'x\'; system \'touch pwned\'; `touch pwned` "@{/:Bold y} <b>&amp;_^ 100% %s\x07'
    printf 'name\tn\n' > t.tsv
    printf '%s\t1\n%s\t2\n' "$evil" "plain" >> t.tsv
    dq-eval --draw "bars:x=name,y=n,title=$evil,series=name" --plot p.svg t.tsv
    [ ! -e pwned ]
    words p.svg | grep -qF '{/:Bold y} <b>&amp;_^ 100% %s'
    words p.svg | grep -qF "x'; system"
    dq-eval --curves $'bad\xff\xfe=run1.jsonl' ok=run2.jsonl --metric reward --plot q.svg
    words q.svg | grep -qx 'bad��'
    for form in png pdf; do dq-eval --draw "bars:x=name,y=n,title=$evil" --plot p.$form t.tsv; done
    dq-eval --draw "bars:x=name,y=n,title=$evil" t.tsv > drawn
    run ! grep -q $'\x07' drawn
}

@test "rankings: bars with intervals, precision by recall; the table is printed, too" {
    dq-eval --quiet --qrels qrels --run x.run --run y.run -m ndcg@10 -m map -m iprec_at_recall --resamples 200 --plot p.svg > table
    grep -q '^ndcg_cut_10' table
    for text in ndcg_cut_10 map x.run y.run 'Precision by recall' recall 'interpolated precision' 'mean over queries' '95 % interval. Where bands overlap their colours mix'; do
        words p.svg | grep -qx "$text"
    done
    run ! grep -q iprec <(words p.svg)
    run ! grep -qx '1\.[1-9]' <(words p.svg)
    # one run has intervals when it is drawn, and needs no legend
    dq-eval --quiet --qrels qrels --run x.run -m num_ret -m novelty@2 --resamples 200 --plot q.svg -o out
    [ -s out ]
    run ! grep -q x.run <(words q.svg)
    for text in num_ret novelty_2; do words q.svg | grep -qx "$text"; done
    dq-eval --quiet --qrels qrels --run x.run -m map --resamples 200 --plot - | grep -q '█'
    run -1 --separate-stderr dq-eval --quiet --qrels qrels --run x.run -m runid --plot p.svg
    [ "$stderr" = "dq-eval: no measure has a number to draw" ]
}

@test "estimates of a policy with their intervals, and the log's own" {
    for i in $(seq 40); do
        printf '{"user":"u%d","item":"%s","reward":%d,"propensity":0.5,"position":1,"request":"r%d"}\n' "$i" $((i % 2)) $((i % 3 == 0)) "$i"
    done > rows.jsonl
    dq-export --quiet --interactions rows.jsonl -o log.dq
    dq-eval --quiet --ope log,ips,snips --target uniform --resamples 200 --plot p.svg log.dq > table
    grep -q '^snips' table
    for text in log ips snips reward "the log's policy" '95 % bootstrap interval'; do words p.svg | grep -qx "$text"; done
    dq-eval --quiet --ope ips --target uniform --resamples 200 --plot q.svg log.dq > table
    run ! grep -q "the log's" <(words q.svg)
}

@test "agreement: coefficients, how reliable each label is, confusion" {
    for rater in a b; do
        for i in 1 2 3 4 5 6; do
            label=$([ "$i" -le 3 ] && echo CLICK || echo SAVE)
            [ $rater$i != b1 ] || label=SAVE
            printf '{"user":"u","item":"i%d","label":"%s"}\n' "$i" "$label"
        done > $rater.jsonl
        dq-export --quiet --interactions $rater.jsonl -o $rater.dq
    done
    dq-eval --quiet --agreement --resamples 200 --plot p.svg a.dq b.dq > table
    for text in kappa alpha-nominal CLICK SAVE a.dq b.dq 'Reliability of labels' 'Confusion: pairs'; do words p.svg | grep -qx "$text"; done
    # CLICK: 3 and 2 uses, agreed on 2: 2 * 2 / 5; SAVE: 3 and 4, agreed on 3: 2 * 3 / 7
    dq-eval --quiet --agreement --resamples 200 --plot - a.dq b.dq > drawn
    grep -q '^CLICK  0.8000  █' drawn
    grep -q '^SAVE   0.8571  █' drawn
    grep -qx 'CLICK *2 *1' drawn
    grep -qx 'SAVE *0 *3' drawn
    # streams that only their folders tell apart
    mkdir one two && cp a.dq one/x.dq && cp b.dq two/x.dq
    dq-eval --quiet --agreement --resamples 200 --plot p.svg one/x.dq two/x.dq > table
    for text in one/x.dq two/x.dq; do words p.svg | grep -qx "$text"; done
}

@test "roll-outs: scores, and rewards by step" {
    dq-sim --quiet --users 5 --items 20 --interactions 60 -o e.dq
    dq-eval --quiet --cold-start --model random --model cosine --episodes 5 --steps 4 --candidates 10 --reward cosine --plot p.svg e.dq > table
    for text in random cosine 'Score of an episode' 'Reward by step' step 'mean reward over episodes'; do words p.svg | grep -qx "$text"; done
    dq-eval --quiet --rollout --env maze --model random --episodes 3 --max-steps 50 --plot - | grep -q '●'
}

@test "tables: what is no number, no column, no kind" {
    fails() { # words, text of --draw
        run -"$1" --separate-stderr dq-eval --draw "$3" --plot p.svg t.tsv
        [[ $stderr == *"$2"* ]] || { echo "$stderr"; return 1; }
        [ ! -e p.svg ]
    }
    printf 'a\tb\tc\n1\t2\tx\n2\tq\ty\n' > t.tsv
    fails 1 "t.tsv: record 3: b: 'q' is no number" lines:x=a,y=b
    fails 1 "there is no column 'd'" lines:x=a,y=d
    fails 1 "no row counts" lines:x=a,y=b,where=c=z
    fails 2 "'pie:x=a' begins with none of lines:, points:, bars:, histogram: and grid:" pie:x=a
    fails 2 "x=COLUMN is needed" lines:y=b
    fails 2 "y=COLUMN is needed" bars:x=a
    fails 2 "series=COLUMN is needed: the rows of the grid" grid:x=a,y=b
    fails 2 "colour=red means nothing here" lines:x=a,y=b,colour=red
    fails 2 "ymin=low means nothing here" lines:x=a,y=b,ymin=low
    fails 2 "'b' is not KEY=VALUE" lines:x=a,b
    fails 2 "bin and share are for histograms" lines:x=a,y=b,bin=2
    fails 2 "sd means nothing in a histogram" histogram:x=a,sd=b
    fails 2 "runs means nothing in a grid" grid:x=a,y=b,series=c,runs=a
    fails 2 "marks and log mean nothing in a grid" grid:x=a,y=b,series=c,ymark=1
    fails 1 "xmark, xmin, xmax, log=x and bin mean nothing where x is no number" histogram:x=c,xmark=1
    fails 1 "order means nothing where x is a number and there are no series" 'histogram:x=a,order=2|1'
    fails 1 "more than 2000 bins: a greater bin=" histogram:x=a,bin=1e-6
    run -2 --separate-stderr dq-eval --draw histogram:x=a --draw histogram:x=b --draw histogram:x=c t.tsv t.tsv
    [[ $stderr == "dq-eval: --draw: 2 tables for 3 of them"* ]]
    run -2 dq-eval --draw histogram:x=a --plot x.jpg t.tsv
    run -2 dq-eval --draw histogram:x=a --plot x.svg -o y t.tsv
}

@test "tables: filters, several of them, commas, panels, shares" {
    printf 'a,b,c\n1,2,x\n2,4,y\n3,6,x\n' > t.csv
    dq-eval --draw bars:x=a,y=b,where=c=x t.csv > drawn
    grep -q '^1  2  █' drawn
    grep -q '^3  6  █' drawn
    run ! grep -q '^2' drawn
    tr , '\t' < t.csv | dq-eval --draw histogram:x=c,share=yes > drawn # stdin, cut at tabs
    grep -q '^x  0.6667  █' drawn
    dq-eval --draw grid:x=a,y=b,series=c --draw bars:x=c,y=b t.csv > drawn
    grep -q '^x *2 *6$' drawn
}
