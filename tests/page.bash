# SPDX-License-Identifier: MIT
# The lines that a page shows, for tests that source this file.

# page_block PAGE HEADING [N]: the indented block number N (1) under "## HEADING", as a shell reads it.
page_block() {
    awk -v heading="## $2" -v n="${3:-1}" '/^## / { on = $0 == heading; block = 0; inside = 0 }
        on && /^    / { if (!inside) { block++; inside = 1 } if (block == n) print substr($0, 5); next }
        on && inside && /^$/ { next }
        { inside = 0 }' "$1"
}

# page_headings PAGE: the headings, a line each.
page_headings() { sed -n 's/^## //p' "$1"; }
