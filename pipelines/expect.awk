# SPDX-License-Identifier: MIT
# Holds a table to what is expected of it, and fails where it is not so:
#
#     awk -v expected="SYSTEM COLUMN LEAST MOST; ..." -f expect.awk table.tsv
#
# A system's spaces are written as underscores.

BEGIN { FS = "\t" }
NR == 1 { for (c = 2; c <= NF; c++) column[$c] = c; next }
{ gsub(/ /, "_", $1); for (name in column) { value[$1, name] = $(column[name]) + 0; there[$1, name] } }
END {
    count = split(expected, rule, / *; */)
    for (r = 1; r <= count; r++) {
        if (split(rule[r], word, " ") != 4) continue
        checked++
        key = word[1] SUBSEP word[2]
        if (!(key in there)) problem = "is not in the table"
        else if (value[key] < word[3] || value[key] > word[4]) problem = value[key] " is not in [" word[3] ", " word[4] "]"
        else continue
        print "expect.awk: " word[1] " " word[2] ": " problem > "/dev/stderr"
        failed = 1
    }
    if (!checked) { print "expect.awk: nothing to check" > "/dev/stderr"; failed = 1 }
    exit failed
}
