# SPDX-License-Identifier: MIT
# The return at the first evaluation and at the last ten; the steps until the mean of three evaluations is nine tenths of
# $other's last ten, and how many fewer these are than $other's own. One that never is there counts to its end.
def returns: map(select(.evaluation));
def mean: add / length;
def level: returns[-10:] | map(.evaluation_return) | mean;
def steps_to($level):
    returns as $all
    | first((range(2; $all | length) | select(($all[. - 2:. + 1] | map(.evaluation_return) | mean) >= $level)), ($all | length - 1))
    | $all[.].total_steps;
[inputs] as $log
| ($other | 0.9 * level) as $level
| "first\tall\t\($log | returns[0].evaluation_return)",
  "last\tall\t\($log | level)",
  "steps-to-level\tall\t\($log | steps_to($level))",
  "steps-saved\tall\t\(($other | steps_to($level)) - ($log | steps_to($level)))"
