# SPDX-License-Identifier: MIT
# What the generator draws: gnuplot -e "users='users.tsv'; events='events.tsv'; out='x.png'" distributions.gp
#
#     users    id, age, income, activity, interactions
#     events   label, month
set terminal pngcairo size 1100,640 font "Sans,10" background "#ffffff"
set output out
set datafile separator "\t"
set multiplot layout 2,3
set tics nomirror out
set border 3
set grid ytics lc rgb "#e0e0e0"
set style fill solid 0.6 noborder
set ylabel "users"
set yrange [0:*]
unset key
bin(x, width) = width * (floor(x / width) + 0.5)
set title "Age"
set boxwidth 4.5
plot users using (bin($2, 5)):(1) smooth frequency with boxes lc rgb "#0072B2"
set title "Income, thousands"
set boxwidth 9
set xrange [0:200]
plot users using (bin($3 / 1000, 10)):(1) smooth frequency with boxes lc rgb "#0072B2"
set autoscale x
set title "Activity"
set boxwidth 0.6
counted(column, file) = sprintf("< cut -f %d '%s' | sort | uniq -c | awk '{ print $2 \"\\t\" $1 }'", column, file)
plot counted(4, users) using 0:2:xtic(1) with boxes lc rgb "#0072B2"
set title "Interactions of a user, by activity"
set key top right
set boxwidth 1.8
set xrange [0:80]
of(activity) = sprintf("< awk -F'\\t' '$4 == \"%s\"' '%s'", activity, users)
plot of("low") using (bin($5, 2)):(1) smooth frequency with boxes lc rgb "#0072B2" title "low", \
    of("medium") using (bin($5, 2)):(1) smooth frequency with boxes lc rgb "#D55E00" title "medium", \
    of("high") using (bin($5, 2)):(1) smooth frequency with boxes lc rgb "#009E73" title "high"
set autoscale x
unset key
set ylabel "interactions"
set xtics font ",8"
set title "How far they went"
set boxwidth 0.6
plot counted(1, events) using 0:2:xtic(1) with boxes lc rgb "#0072B2"
set title "By month"
plot counted(2, events) using 0:2:xtic(int($0) % 6 == 0 ? strcol(1) : "") with boxes lc rgb "#0072B2"
