# SPDX-License-Identifier: MIT
# The first measure of a table of "mean ± half" as columns to draw: rewards, ndcg, lower, upper.
BEGIN { FS = OFS = "\t"; print "rewards", "ndcg", "lower", "upper" }
NR > 1 { split($2, x, " ± "); print $1, x[1], x[1] - x[2], x[1] + x[2] }
