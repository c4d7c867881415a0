# SPDX-License-Identifier: MIT
# The mean Q over the seeds by trials, place (from 1) and item (A to E, Z the distractor); a place that a run has not met yet counts as 0, as its table does.
BEGIN { FS = OFS = "\t" }
FNR == 1 { seeds++ }
{ key = $1 OFS $2 + 1 OFS substr("ABCDEZ", $3 + 1, 1); if (!(key in sum)) keys[++count] = key; sum[key] += $4 }
END {
    print "trials", "place", "item", "Q"
    for (k = 1; k <= count; k++) printf "%s\t%.4f\n", keys[k], sum[keys[k]] / seeds
}
