# SPDX-License-Identifier: MIT
# The mean of the last $last evaluations of a log, in the form of trec_eval's lines.
[inputs | select(.evaluation)][-$last:]
| def mean(f): map(f) | add / length;
  mean(.evaluation_value) as $promised | mean(.evaluation_discounted) as $came
| "return\tall\t\(mean(.evaluation_return))",
  "clicks\tall\t\(mean(.evaluation_clicks))",
  "finished\tall\t\(mean(.evaluation_finished))",
  "promised\tall\t\($promised)",
  "came\tall\t\($came)",
  "too-much\tall\t\($promised - $came)"
