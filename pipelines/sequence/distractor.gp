# SPDX-License-Identifier: MIT
# What the table holds of the distractor Z at each place, over the trials; the change of the
# order in grey: gnuplot -e "table='snapshots.tsv'; out='x.png'" distractor.gp
set terminal pngcairo size 720,420 font "Sans,10" background "#ffffff"
set output out
set xlabel "trial"
set ylabel "Q of the distractor, mean over the seeds"
set tics nomirror out
set border 3
set grid ytics lc rgb "#e0e0e0"
set key top left
set arrow from 15, graph 0 to 15, graph 1 nohead lc rgb "#808080"
array colour[5] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"]
of(place) = sprintf("< awk -F'\\t' '$2 == %d && $3 == 5' '%s'", place - 1, table)
plot for [p = 1:5] of(p) using 1:4 with linespoints pt 7 ps 0.5 lw 2 lc rgb colour[p] title sprintf("place %d", p)
