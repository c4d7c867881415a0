# SPDX-License-Identifier: MIT
# What Q promises at the start of an episode, and the discounted return that came, by episode of training, without and with
# Double: gnuplot -e "curves='values-curves.tsv'; out='x.png'" values.gp
set terminal pngcairo size 900,380 font "Sans,10" background "#ffffff"
set output out
set datafile separator "\t"
set multiplot layout 1,2
set tics nomirror out
set border 3
set grid ytics lc rgb "#e0e0e0"
set key bottom right
set xlabel "episode"
of(name, metric) = sprintf("< awk -F'\\t' '$1 == \"%s\" && $2 == \"%s\"' '%s'", name, metric, curves)
stats curves using 4 every ::1 nooutput
set yrange [0:STATS_max * 1.1]
do for [name in "dqn double"] {
    set title (name eq "dqn" ? "DQN" : "Double DQN")
    plot of(name, "evaluation_value") using 3:4:5 with yerrorlines pt 7 ps 0.5 lw 2 lc rgb "#D55E00" title "Q at the start", \
        of(name, "evaluation_discounted") using 3:4:5 with yerrorlines pt 7 ps 0.5 lw 2 lc rgb "#0072B2" title "discounted return"
}
