# SPDX-License-Identifier: MIT
# The systems of a table of onet.mk that a newcomer knows, in words, as bars to draw: system, input, ndcg, lower, upper.
#
#     awk -f picture.awk docs/onet.tsv

BEGIN {
    FS = OFS = "\t"
    count = split("popularity cosine-best kernel-ridge boosted-trees dyna-q", order, " ")
    split("most popular jobs|closest text (cosine)|kernel ridge|boosted trees|dq: Dyna-Q", words, "|")
    print "system", "input", "ndcg", "lower", "upper"
}
NR > 1 { split($2, x, " ± "); mean[$1] = x[1]; half[$1] = x[2] }
END {
    for (h = 0; h < 2; h++)
        for (i = 1; i <= count; i++) {
            name = order[i] (h ? "-history" : "")
            if (!(name in mean)) continue
            print words[i], h ? "and the job that they hold" : "by the applicants' texts", mean[name], mean[name] - half[name], mean[name] + half[name]
            rows++
        }
    if (!rows) { print "picture.awk: none of its systems is in the table" > "/dev/stderr"; exit 1 }
}
