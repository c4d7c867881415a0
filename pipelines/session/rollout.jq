# SPDX-License-Identifier: MIT
# A roll-out's means, in the form of trec_eval's lines.
"return\tall\t\(.mean)", "ctr\tall\t\(.counts.clicks / .steps)", "repeats\tall\t\(.counts.repeats)"
