# SPDX-License-Identifier: MIT
# Means over seeds of one measure, with 95 % intervals (Student's t), as a table to draw:
#
#     awk -v measure=ndcg_cut_10 -f means.awk TABLE      of system, fewer, seed, measure, value
#
# Writes system, labels ("1 in FEWER"), mean, lower, upper.

BEGIN {
    FS = OFS = "\t"
    split("12.706 4.303 3.182 2.776 2.571 2.447 2.365 2.306 2.262", quantile, " ")
    print "system", "labels", "mean", "lower", "upper"
}

$4 == measure {
    row = $1 OFS "1 in " $2
    if (!(row in n)) rows[++count] = row
    n[row]++; sum[row] += $5; squares[row] += $5 * $5
}

END {
    for (r = 1; r <= count; r++) {
        row = rows[r]
        mean = sum[row] / n[row]
        spread = squares[row] / n[row] - mean * mean
        half = n[row] > 1 && spread > 0 ? sqrt(spread / (n[row] - 1)) * (n[row] <= 10 ? quantile[n[row] - 1] : 1.96) : 0
        print row, mean, mean - half, mean + half
    }
}
