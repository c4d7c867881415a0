# SPDX-License-Identifier: MIT
# Curves of dq-eval --curves --format tsv, and with them, as a level line, who does not learn: the mean and spread over
# the seeds of "first" in FOLDER/SEED/simulated.cold.
#
#     awk -f cold-curves.awk curves.tsv FOLDER/SEED/simulated.cold ...

BEGIN { FS = OFS = "\t" }
NR == FNR { print; if (FNR > 1) { if (!rows++) { from = $3; metric = $2 } to = $3 > to ? $3 : to } next }
$1 == "first" { n++; sum += $3; squares += $3 * $3 }
END {
    if (!n) { print "cold-curves.awk: no seed of simulated" > "/dev/stderr"; exit 1 }
    mean = sum / n
    spread = squares / n - mean * mean
    sd = n > 1 && spread > 0 ? sqrt(spread * n / (n - 1)) : 0
    print "simulated", metric, from, mean, sd, n
    print "simulated", metric, to, mean, sd, n
}
