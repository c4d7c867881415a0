# SPDX-License-Identifier: MIT
# NDCG@10 by where the rewards came from, with its 95 % interval: gnuplot -e "table='table.tsv'; out='x.svg'" bars.gp
set terminal svg size 640,360 font "sans,12"
set output out
set datafile separator "\t"
set style fill solid 0.6
set boxwidth 0.6
set yrange [0:1]
set ylabel "NDCG\\@10, jobs not met"
set grid ytics
unset key
rows = "< tail -n +2 ".table." | awk -F'\\t' -v OFS='\\t' '{ split($2, x, \" ± \"); print $1, x[1], x[2] + 0 }'"
plot rows using 0:2:xtic(1) with boxes, rows using 0:2:3 with yerrorbars pt 0 lc black
