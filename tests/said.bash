# SPDX-License-Identifier: MIT
# For suites that look at what dq-export says on stderr.

# only_made FILE: it has said what it made, if anything, and nothing else.
only_made() { [ -z "$(grep -vE '^dq-export: [0-9]+ (user|item|interaction)s?( |,|$)' "$1")" ] || { cat "$1"; return 1; }; }

# without_made FILE: what else it has said.
without_made() { grep -vE '^dq-export: [0-9]+ (user|item|interaction)s?( |,|$)' "$1"; }
