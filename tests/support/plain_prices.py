"""What the judgement of prices computes, in as few words as possible: slow, a class and a fold at a time."""

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.special import expit, logsumexp
from scipy.stats import t as student

SLIPS, SLIPS_OFTEN = np.array([0.001, 0.01, 0.1, 10, 100, 1000]), np.array([1, 2, 4, 4, 2, 1]) / 14
CAUSES_OFTEN = np.array([0.7, 0.2, 0.1])


def weighted_median(x, weight):
    order = np.argsort(x, kind="stable")
    below = np.cumsum(weight[order])
    low, high = np.searchsorted(below, below[-1] / 2 * (1 + np.array([-1e-9, 1e-9])))
    return (x[order[low]] + x[order[high]]) / 2


def centre_and_spread(x, weight):
    if not len(x):
        return np.nan, np.nan
    centre = weighted_median(x, weight)
    spread = weighted_median(np.abs(x - centre), weight) / 0.6745
    if spread < np.log(1.1):
        spread = max(1.2533 * np.average(np.abs(x - centre), weights=weight), np.log(1.1))
    return centre, spread


def class_prices(x, number, share, classes):
    """Return centre and spread of each class, shape (K,)."""
    whole = centre_and_spread(x, np.ones(len(x)))
    centre, spread, sizes = np.full(classes, whole[0]), np.full(classes, whole[1]), np.zeros(classes)
    for k in range(classes):
        weight = np.where(number == k, share, 0).sum(axis=1)
        if weight.any():
            centre[k], spread[k] = centre_and_spread(x[weight > 0], weight[weight > 0])
            sizes[k] = weight.sum()
    usual = np.median(spread[sizes >= 8]) if (sizes >= 8).any() else whole[1]
    return centre, np.where(sizes > 0, (sizes * spread + 8 * usual) / (sizes + 8), whole[1])


def is_typed(price):
    digits = f"{price:.0f}"
    if not price.is_integer() or len(digits) > 15:
        return False
    return price in (0, 1) or (len(digits) >= 3 and ("1234567890".startswith(digits) or len(set(digits)) == 1))


def roundness(price):
    cents = np.round(price * 100)
    if abs(price * 100 - cents) > 1e-6 * max(1, price * 100):
        return 0
    return next((level for level, step in ((1, 100), (2, 1000), (3, 10_000)) if cents % step != 0), 4)


def log_digits(expected, price):
    """Return a function: prices → how common their roundness is among listings that should cost about as much."""
    place = ((expected - expected.min()) / 0.1).astype(int)
    counts = np.zeros((place.max() + 1, 5))
    for row in np.flatnonzero(price > 0):
        counts[place[row], roundness(price[row])] += 1
    whole = (counts.sum(axis=0) + 0.1) / (counts.sum() + 0.5)
    near = gaussian_filter1d(counts, 7, axis=0, mode="constant") * np.sqrt(2 * np.pi) * 7
    logs = np.log((near + 3 * whole) / (near.sum(axis=1, keepdims=True) + 3))
    return lambda other: logs[place, [roundness(value) for value in np.nan_to_num(other)]]


def judged(price, number, share, fold, classes):
    """Return the chance that each price is wrong, its cause, its slip, and the middle and width of what is usual."""
    priced, wrong, prior = price > 0, np.zeros(len(price)), 0.02
    x = np.log(np.where(priced, price, 1))
    for _ in range(3):
        weight = np.where(priced, 1 - wrong, 0)
        weight = weight if weight.any() else priced.astype(float)
        centre, spread = np.empty(share.shape), np.empty(share.shape)
        for each in set(fold.tolist()):
            others = (weight > 0) & (fold != each)
            others = others if others.any() else weight > 0
            found = class_prices(x[others], number[others], share[others] * weight[others, None], classes)
            for filled, values in zip((centre, spread), found, strict=True):
                filled[fold == each] = values[number[fold == each]]
        middle = (share * centre).sum(axis=1)
        width = np.sqrt((share * (spread**2 + (centre - middle[:, None]) ** 2)).sum(axis=1))
        digits = log_digits(middle, price)

        def density(x, centre=centre, spread=spread):
            logs = student.logpdf((x[:, None] - centre) / spread, 30) - np.log(spread)
            return logsumexp(logs, b=share, axis=1)

        slips = [
            density(x - np.log(slip)) + digits(price / slip) + np.log(often)
            for slip, often in zip(SLIPS, SLIPS_OFTEN, strict=True)
        ]
        typed = [np.log(max(value, 1) / 20) if is_typed(value) else -np.inf for value in price.tolist()]
        causes = np.array([logsumexp(slips, axis=0), typed, digits(price) - np.log(np.log(1e6))])
        causes += np.log(CAUSES_OFTEN)[:, None]
        odds = logsumexp(causes, axis=0) - density(x) - digits(price)
        odds = np.where(priced, odds, np.where(price == 0, np.inf, -np.inf))
        counted = np.isfinite(price)
        for _ in range(30):
            wrong = expit(odds + np.log(prior / (1 - prior)))
            prior = (wrong[counted].sum() + 0.02 * 50) / (counted.sum() + 50)
    return wrong, np.where(price == 0, 1, causes.argmax(axis=0)), np.argmax(slips, axis=0), middle, width
