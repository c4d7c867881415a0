# SPDX-License-Identifier: MIT
# What was drawn of users (id, age, income, activity, interactions) beside what is stated, as a table.
BEGIN { FS = OFS = "\t" }
NR > 1 { n++; age += $2; over += $3 > 35000; share[$4]++; events[$4] += $5; squares[$4] += $5 * $5 }
END {
    print "what", "drawn", "stated"
    printf "age_mean\t%.1f\t38.3\n", age / n
    printf "income_over_35000\t%.3f\t0.5\n", over / n
    split("low medium high", name, " "); split("0.5 0.35 0.15", stated, " "); split("5 20 50", mean, " ")
    for (a = 1; a <= 3; a++) {
        k = share[name[a]]; m = events[name[a]] / k
        printf "%s_share\t%.3f\t%s\n", name[a], k / n, stated[a]
        printf "%s_interactions\t%.2f\t%s\n", name[a], m, mean[a]
        printf "%s_variance_over_mean\t%.2f\t1\n", name[a], (squares[name[a]] / k - m * m) / m
    }
}
