# SPDX-License-Identifier: MIT
"""Laws out of measured points, which are pairs of a size and a cost above 0."""
import math
import statistics


def slope(points):
    """Of log cost over log size, by least squares: 1 where twice the size costs twice as much, 0 where it costs the same."""
    x, y = zip(*((math.log(size), math.log(cost)) for size, cost in points))
    return statistics.linear_regression(x, y).slope


def off(points, fixed, each):
    """By how much of itself the cost of a point differs from the line at most."""
    return max(abs(fixed + each * size - cost) / cost for size, cost in points)


def line(points):
    """(fixed, each, off) of cost = fixed + each * size, neither below 0: least squares of relative errors, so that small sizes
    count as much as large ones."""
    weights = [1 / cost**2 for _, cost in points]
    total = sum(weights)
    size = sum(w * n for w, (n, _) in zip(weights, points)) / total
    cost = sum(w * c for w, (_, c) in zip(weights, points)) / total
    spread = sum(w * (n - size)**2 for w, (n, _) in zip(weights, points))
    each = sum(w * (n - size) * (c - cost) for w, (n, c) in zip(weights, points)) / spread
    if each < 0:
        each, fixed = 0.0, cost
    elif each * size > cost:  # through 0
        each = sum(w * n * c for w, (n, c) in zip(weights, points)) / sum(w * n * n for w, (n, _) in zip(weights, points))
        fixed = 0.0
    else:
        fixed = cost - each * size
    return fixed, each, off(points, fixed, each)
