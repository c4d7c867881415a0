# SPDX-License-Identifier: MIT
# Turns dq-eval's TSV, a line for each run and measure, into a line for each run:
# system, then for each measure its mean and the ends of its 95 % interval.

BEGIN { FS = OFS = "\t" }
FNR == 1 { next }
{
    parts = split($1, part, "/")
    name = part[parts]; sub(/\.run$/, "", name); gsub(/_/, " ", name); sub(/^dyna-q/, "Dyna-Q", name)
    if (!(name in line)) { names[++count] = name; line[name] = name }
    if (count == 1) heading = heading OFS $2 OFS "low" OFS "high"
    line[name] = line[name] sprintf("\t%.4f\t%.4f\t%.4f", $4, $5, $6)
}
END {
    print "system" heading
    for (n = 1; n <= count; n++) print line[names[n]]
}
