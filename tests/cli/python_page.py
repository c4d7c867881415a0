#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The examples of a page, ```python blocks with >>>, run in the folder at hand: python_page.py PAGE"""
import doctest
import re
import sys

import pandas  # noqa: F401

pandas.set_option("display.width", 200)
with open(sys.argv[1]) as f:
    text = "\n".join(re.findall(r"^```python\n(.*?)^```", f.read(), re.M | re.S))
test = doctest.DocTestParser().get_doctest(text, {}, sys.argv[1], sys.argv[1], 0)
assert len(test.examples) > 10, "no examples"
result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test)
sys.exit(result.failed > 0)
