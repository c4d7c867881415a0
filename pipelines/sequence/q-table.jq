# SPDX-License-Identifier: MIT
# A model's Q-table (dq-cat's lines, slurped) as lines: trials, place, item, Q. Rows stand in the order in which places were
# met; the state beside each, one-hot, says which place it is.
def rows: .shape[1] as $width | [range(.shape[0]) as $row | .data[$row * $width:($row + 1) * $width]];
def matrix($name): map(select(.name == $name))[0] | rows;
matrix("table.q") as $q
| matrix("table.state") | to_entries[]
| .key as $row | (.value | index(1)) as $place
| $q[$row] | to_entries[]
| [$trials, $place, .key, .value] | @tsv
