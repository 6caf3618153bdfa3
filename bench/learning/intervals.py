"""95 % intervals of a mean over functions: bias-corrected and accelerated bootstrap (Efron 1987)."""

import random
from statistics import NormalDist, fmean

RESAMPLES = 10000


def bca(values, level=0.95, seed=1):
    """(mean, lower, upper) of `values`, one a function."""
    mean, count = fmean(values), len(values)
    if count < 2 or max(values) == min(values):
        return mean, mean, mean
    numbers = random.Random(seed)
    means = sorted(fmean(numbers.choices(values, k=count)) for _ in range(RESAMPLES))
    normal = NormalDist()
    below = sum(m < mean for m in means) + 0.5 * sum(m == mean for m in means)
    bias = normal.inv_cdf(min(max(below / RESAMPLES, 1e-6), 1 - 1e-6))
    total = sum(values)
    jackknife = [(total - value) / (count - 1) for value in values]
    centre = fmean(jackknife)
    cubes = sum((centre - one) ** 3 for one in jackknife)
    squares = sum((centre - one) ** 2 for one in jackknife)
    acceleration = cubes / (6 * squares**1.5) if squares > 0 else 0

    def end(share):
        z = bias + normal.inv_cdf(share)
        place = normal.cdf(bias + z / (1 - acceleration * z))
        return means[min(max(int(place * RESAMPLES), 0), RESAMPLES - 1)]

    return mean, end((1 - level) / 2), end((1 + level) / 2)
