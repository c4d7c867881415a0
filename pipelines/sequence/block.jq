# SPDX-License-Identifier: MIT
# The means over the first and the last $window of $count trials of a log, from $from on, in the form of trec_eval's lines.
[inputs][$from:$from + $count]
| {first: .[:$window], last: .[-$window:]} | to_entries[]
| .key as $part | .value as $trials
| "success", "errors", "distracted"
| . as $what | "\($what)_\($part)\tall\t\([$trials[][$what]] | add / length)"
