# SPDX-License-Identifier: MIT
# From curves of steps per episode to a table: the first episode with at most 22 steps on average, the steps of the second
# episode and the mean of the last ten.
BEGIN { FS = OFS = "\t" }
NR == 1 { next }
!($1 in last) { names[++count] = $1; last[$1] = 0 }
$3 == 2 { second[$1] = $4 }
$4 <= 22 && !($1 in near) { near[$1] = $3 }
{ step[$1, $3] = $4; last[$1] = $3 }
END {
    print "planning", "near-optimal", "second", "last-ten"
    for (n = 1; n <= count; n++) {
        name = names[n]; sum = 0
        for (e = last[name] - 9; e <= last[name]; e++) sum += step[name, e]
        printf "%s\t%s\t%.1f\t%.1f\n", name, (name in near) ? near[name] : "never", second[name], sum / 10
    }
}
