# SPDX-License-Identifier: MIT
# Steps per episode by planning steps, from the second episode on (the first has learnt nothing yet), means over
# the runs: gnuplot -e "curves='curves.tsv'; out='x.png'" figure.gp
set terminal pngcairo size 720,420 font "Sans,10" background "#ffffff"
set output out
set datafile separator "\t"
set xlabel "episode"
set ylabel "steps of an episode"
set xrange [2:50]
set yrange [10:800]
set logscale y
set ytics (14, 20, 50, 100, 200, 500, 800)
set grid ytics lc rgb "#e0e0e0"
set tics nomirror out
set border 3
of(n) = sprintf("< awk -F'\\t' '$1 == %d' '%s'", n, curves)
set label "14: the shortest way" at 30,12.4 tc rgb "#808080"
plot 14 lc rgb "#c0c0c0" notitle, \
    of(0) using 3:4 with lines lw 2 lc rgb "#0072B2" title "0 planning steps", \
    of(5) using 3:4 with lines lw 2 lc rgb "#D55E00" title "5 planning steps", \
    of(50) using 3:4 with lines lw 2 lc rgb "#009E73" title "50 planning steps"
