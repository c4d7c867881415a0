# SPDX-License-Identifier: MIT
# The Q-table as heat maps, after the first order and at the end: gnuplot -e "table='snapshots.tsv'; out='x.png'" q-table.gp
set terminal pngcairo size 900,380 font "Sans,10" background "#ffffff"
set output out
set multiplot layout 1,2
set tics nomirror scale 0
set border 0
unset key
set xtics ("A" 0, "B" 1, "C" 2, "D" 3, "E" 4, "Z" 5)
set ytics 1
set yrange [5.5:0.5]
set xrange [-0.5:5.5]
set xlabel "item"
set ylabel "place"
set cbrange [-1:4.5]
set palette defined (-1 "#D55E00", 0 "#ffffff", 4.5 "#0072B2")
of(n) = sprintf("< awk -F'\\t' '$1 == %d' '%s'", n, table)
set title "Q after 15 trials of A B C D E"
plot of(15) using 3:($2 + 1):4 with image, of(15) using 3:($2 + 1):(sprintf("%.1f", $4)) with labels
set title "Q after 100 more of A D C B E"
plot of(115) using 3:($2 + 1):4 with image, of(115) using 3:($2 + 1):(sprintf("%.1f", $4)) with labels
