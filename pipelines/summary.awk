# SPDX-License-Identifier: MIT
# The evaluations of several systems as one table: means and the half-widths of their 95 % intervals (Student's t).
#
#     awk -v measures="ndcg_cut_10 P_10" [-v against=SYSTEM] -f summary.awk FOLDER/SEED/SYSTEM.eval ...
#
# Reads what dq-eval --format trec prints (measure, "all", value); a file's name says the system, its folder the seed.
# With against, the last column is the mean difference to that system in the first measure, seed by seed. Writes TSV.

BEGIN {
    OFS = "\t"
    measure_count = split(measures, measure, " ")
    for (m = 1; m <= measure_count; m++) wanted[measure[m]]
    split("12.706 4.303 3.182 2.776 2.571 2.447 2.365 2.306 2.262 2.228 2.201 2.179 2.16 2.145 2.131", quantile, " ")
}

FNR == 1 {
    parts = split(FILENAME, part, "/")
    name = part[parts]; sub(/\.[a-z]*$/, "", name)
    seed = part[parts - 1]
    if (!(seed in known_seed)) { known_seed[seed]; seeds[++seed_count] = seed }
    if (!(name in known_name)) { known_name[name]; names[++name_count] = name }
}

$1 in wanted { value[name, $1, seed] = $3 }

# The mean and half-width of a row's values in a measure, or of their differences to another row's.
function cell(row, which, minus,    i, x, n, sum, squares, mean, spread) {
    for (i = 1; i <= seed_count; i++) {
        if (!((row, which, seeds[i]) in value)) continue
        x = value[row, which, seeds[i]] - (minus == "" ? 0 : value[minus, which, seeds[i]])
        n++; sum += x; squares += x * x
    }
    if (!n) { print "summary.awk: no " which " of " row > "/dev/stderr"; failed = 1; exit 1 }
    mean = sum / n
    if (n == 1) return sprintf(minus == "" ? "%.3f" : "%+.3f", mean)
    spread = squares / n - mean * mean
    spread = spread > 0 ? sqrt(spread / (n - 1)) * (n <= 16 ? quantile[n - 1] : 1.96) : 0
    return sprintf((minus == "" ? "%.3f" : "%+.3f") " ± %.3f", mean, spread)
}

END {
    if (failed) exit 1
    line = "system"
    for (m = 1; m <= measure_count; m++) line = line OFS measure[m]
    print line (against == "" ? "" : OFS measure[1] " over " against)
    for (s = 1; s <= name_count; s++) {
        line = names[s]
        for (m = 1; m <= measure_count; m++) line = line OFS cell(names[s], measure[m], "")
        print line (against == "" ? "" : OFS (names[s] == against ? "" : cell(names[s], measure[1], against)))
    }
}
