# SPDX-License-Identifier: MIT
# The mean Q over the seeds by trials, place and item; a place that a run has not met yet counts as 0, as its table does.
BEGIN { FS = OFS = "\t" }
FNR == 1 { seeds++ }
{ key = $1 OFS $2 OFS $3; if (!(key in sum)) keys[++count] = key; sum[key] += $4 }
END { for (k = 1; k <= count; k++) printf "%s\t%.4f\n", keys[k], sum[keys[k]] / seeds }
