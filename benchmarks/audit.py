"""How often the intervals of an audit hold, and how wide they are.

    python benchmarks/audit.py runs/demo/1 demo/truth.csv
    python benchmarks/audit.py runs/cifar/1 listings.csv --size 200 --audits 500

TRUTH.csv has ``id`` and ``true_label``; of a listing without a true label, several labels fit. With a column
``issues``, as in the demo, a label is wrong if it names ``label``. Each audit draws with another seed, and a reviewer
who knows the truth decides. Prints one JSON object: how often the 95 % intervals hold the truth, on which side the
others miss, and their mean width, also against that of as many listings drawn by chance from all of them (Wilson's
interval, corrected for the finite set):

- ``audit``: all drawn listings are decided, nothing else is.
- ``queue``: the first tenth of the queue is decided, too.
- ``half``: half of the drawn listings are decided, in the order of the audit.
- ``half and queue``: both, so that the queue decided on more drawn listings than the audit's order did.

``others`` has the same for wrong labels among all by other intervals from the same draws, ``classes`` for the wrong
labels of each class, and ``expected`` how far the wrong labels that the chances expect are from the truth, before and
after the chances agree with the audit.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.auditing.draw import Draw, draw
from curation.auditing.estimate import Cells
from curation.auditing.evaluation import Counted, Estimates, Known, count_decisions, estimate
from curation.auditing.recalibration import fit_recalibration, recalibrated
from curation.auditing.sample import scores_of
from curation.run.flags import flags_by_kind
from curation.run.folder import RunFolder
from training.utils.arrays import Bool, Float64, Int64

_SITUATIONS = {"audit": (1.0, 0.0), "queue": (1.0, 0.1), "half": (0.5, 0.0), "half and queue": (0.5, 0.1)}
#: With what a width is compared, where that is not its own name: at the start of a review, all is left.
_PLAIN = {"audit: left": "wrong", "queue: left": "left after the queue"}
_Z = 1.959964
_RESAMPLES = 400


@dataclass(frozen=True)
class Truth:
    """The labelled listings of a run, and which labels are wrong.

    Attributes
    ----------
    chances : ndarray of float64, shape (N,)
    flagged, wrong : ndarray of bool, shape (N,)
    queue : ndarray of int64, shape (N,)
        The place of each in the queue.
    given : ndarray of str, shape (N,)
    """

    chances: Float64
    flagged: Bool
    wrong: Bool
    queue: Int64
    given: np.ndarray[Any, Any]


def main() -> None:
    """Print how often the intervals hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--audits", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0, help="of the first audit")
    arguments = parser.parse_args()
    truth = read_truth(RunFolder(arguments.run), arguments.truth)
    print(json.dumps(audited(truth, arguments.size, arguments.audits, arguments.seed), indent=2))


def read_truth(run: RunFolder, path: Path) -> Truth:
    """Read the scores and flags of a run, and the true labels."""
    issues = run.issues()
    table = pd.read_csv(path, dtype=str, keep_default_na=False).set_index("id").loc[issues["id"].astype(str)]
    chances, flagged, labelled = scores_of(issues)
    true = table["true_label"].to_numpy(dtype=object)
    given = issues["given_label"].fillna("").to_numpy(dtype=object)
    wrong = (true != given) & (true != "")
    if "issues" in table:
        wrong = table["issues"].str.split(";").map(lambda names: "label" in names).to_numpy(dtype=bool)
    any_flag = issues[list(flags_by_kind(issues.columns).values())].fillna(False).astype(bool).any(axis=1).to_numpy()
    queue = np.empty(len(issues), dtype=np.int64)
    queue[np.lexsort((issues["priority"].to_numpy(), ~any_flag))] = np.arange(len(issues))
    parts = (chances, flagged, wrong, queue, given)
    return Truth(*(part[labelled] for part in parts))


def audited(truth: Truth, size: int, audits: int, first: int) -> dict[str, Any]:
    """Return coverage and width over simulated audits."""
    cases: dict[str, Cases] = defaultdict(Cases)
    off: list[tuple[float, float]] = []
    total = int(truth.wrong.sum())
    plain = plain_widths(truth, size, audits)
    for seed in range(first, first + audits):
        drawn = draw(truth.chances, truth.flagged, size, seed)
        for name, (decided, queued) in _SITUATIONS.items():
            known = known_of(truth, drawn, decided, queued)
            counted = count_decisions(known)
            says = estimate(known, counted, seed=seed)
            for what, (value, interval) in compared(truth, known, says).items():
                cases[f"{name}: {what}"].add(interval, value)
            if name == "audit":
                for other, interval in others(known, counted, drawn, seed).items():
                    cases[f"others: {other}"].add(interval, total)
                if seed < first + audits // 5:
                    by_class(truth, known, counted, cases["classes"], seed)
                off.append(expectations(truth, known, counted))
    return {
        "listings": len(truth.wrong),
        "wrong": total,
        "flags": int(truth.flagged.sum()),
        "precision": round(float(truth.wrong[truth.flagged].mean()), 4),
        "recall": round(float(truth.flagged[truth.wrong].mean()), 4),
        **{
            name: case.summary(plain.get(_PLAIN.get(name, name.split(": ")[-1])))
            for name, case in sorted(cases.items())
        },
        "expected": {
            "chances": round(float(np.nansum(truth.chances)), 1),
            "off before": round(float(np.mean([before for before, _ in off])), 1),
            "off after": round(float(np.mean([after for _, after in off])), 1),
        },
    }


class Cases:
    """Intervals, and whether they hold."""

    def __init__(self) -> None:
        self.below: list[bool] = []
        self.above: list[bool] = []
        self.widths: list[float] = []

    def add(self, interval: tuple[float, float], value: float) -> None:
        """Add one."""
        low, high = interval
        self.below.append(value < low - 1e-9)
        self.above.append(value > high + 1e-9)
        self.widths.append(high - low)

    def summary(self, plain: float | None) -> dict[str, float]:
        """Return how many hold, on which side the others miss, and the mean width, also against a plain one."""
        below, above, width = (float(np.mean(part)) for part in (self.below, self.above, self.widths))
        against = {} if not plain else {"of plain": round(width / plain, 3)}
        return {
            "holds": round(1 - below - above, 4),
            "truth below": round(below, 4),
            "truth above": round(above, 4),
            "width": round(width, 4),
            **against,
        }


def known_of(truth: Truth, drawn: Draw, share: float, queued: float) -> Known:
    """Return what is known after a share of the audit and of the queue is decided."""
    size = len(drawn.rows)
    place = np.full(len(truth.wrong), -1, dtype=np.int64)
    place[drawn.rows] = np.arange(size)
    decided = np.zeros(len(place), dtype=bool)
    decided[drawn.rows[: round(share * size)]] = True
    decided[np.argsort(truth.queue, kind="stable")[: round(queued * len(place))]] = True
    return Known(truth.chances, truth.flagged, truth.queue, drawn.strata, place, decided, truth.wrong & decided)


def compared(truth: Truth, known: Known, says: Estimates) -> dict[str, tuple[float, tuple[float, float]]]:
    """Return each true number with its interval."""
    values = {
        "wrong": float(truth.wrong.sum()),
        "left": float((truth.wrong & ~known.decided).sum()),
        "precision": float(truth.wrong[truth.flagged].mean()),
        "recall": float(truth.flagged[truth.wrong].mean()),
    }
    intervals = {name: getattr(says, name) for name in values}
    return {name: (value, (intervals[name].low, intervals[name].high)) for name, value in values.items()}


def by_class(truth: Truth, known: Known, counted: Counted, cases: Cases, seed: int) -> None:
    """Add the interval of each class of which ten listings are audited."""
    for name in np.unique(truth.given):
        inside = truth.given == name
        if (counted.sample & inside).sum() >= 10:
            wrong = estimate(known, counted, where=inside, seed=seed).wrong
            cases.add((wrong.low, wrong.high), float(truth.wrong[inside].sum()))


def expectations(truth: Truth, known: Known, counted: Counted) -> tuple[float, float]:
    """Return how far the expected wrong labels are from the truth, before and after recalibration."""
    rows = np.flatnonzero(counted.weights > 0)
    at = fit_recalibration(known.chances[rows], known.wrong[rows], counted.weights[rows])
    before, after = (np.nansum(chances) for chances in (known.chances, recalibrated(known.chances, *at)))
    return abs(float(before) - truth.wrong.sum()), abs(float(after) - truth.wrong.sum())


def plain_widths(truth: Truth, size: int, audits: int) -> dict[str, float]:
    """Return the mean widths of Wilson's intervals from as many listings drawn by chance from all."""
    random, count = np.random.default_rng(0), len(truth.wrong)
    widths: dict[str, list[float]] = defaultdict(list)
    late = np.ones(count, dtype=bool)
    late[np.argsort(truth.queue, kind="stable")[: round(0.1 * count)]] = False
    for _ in range(audits):
        rows = random.choice(count, size, replace=False)
        wrong, flagged = truth.wrong[rows], truth.flagged[rows]
        widths["wrong"].append(count * wilson(wrong.sum(), size, count))
        widths["precision"].append(wilson((wrong & flagged).sum(), flagged.sum(), int(truth.flagged.sum())))
        widths["recall"].append(wilson((wrong & flagged).sum(), wrong.sum(), int(truth.wrong.sum())))
        # what is drawn from the queue's beginning says nothing of the rest
        rest, others = late[rows], int(late.sum())
        widths["left after the queue"].append(others * wilson((wrong & rest).sum(), rest.sum(), others))
    return {name: float(np.mean(each)) for name, each in widths.items()}


def wilson(found: int, drawn: int, listings: int) -> float:
    """Return the width of Wilson's interval of a share, corrected for the finite set; 1 if nothing was drawn."""
    if not drawn:
        return 1.0
    z = _Z * np.sqrt((listings - drawn) / max(listings - 1, 1))
    share = found / drawn
    half = z * np.sqrt(share * (1 - share) / drawn + z * z / (4 * drawn * drawn)) / (1 + z * z / drawn)
    return float(2 * half)


def others(known: Known, counted: Counted, drawn: Draw, seed: int) -> dict[str, tuple[float, float]]:
    """Return other intervals of the wrong labels from the same draw."""
    cells = Cells.of(drawn.strata, known.chances, counted.sample, known.wrong)
    methods: dict[str, Callable[[Cells, np.random.Generator], tuple[float, float]]] = {
        "normal": normal,
        "Wilson, effective size": effective,
        "beta by stratum": beta,
        "bootstrap": bootstrap,
    }
    random = np.random.default_rng(seed)
    found = {name: method(cells, random) for name, method in methods.items()}
    found["difference, normal"] = difference(known, counted, drawn)
    return found


def _moments(cells: Cells) -> tuple[float, float]:
    rate = cells.wrong / cells.audited
    left = 1 - cells.audited / cells.listings
    variance = cells.listings**2 * left * rate * (1 - rate) / np.maximum(cells.audited - 1, 1)
    return float((cells.listings * rate).sum()), float(variance.sum())


def normal(cells: Cells, random: np.random.Generator) -> tuple[float, float]:
    """Return the Horvitz-Thompson total with its stratified standard error."""
    total, variance = _moments(cells)
    return total - _Z * variance**0.5, total + _Z * variance**0.5


def effective(cells: Cells, random: np.random.Generator) -> tuple[float, float]:
    """Return Wilson's interval at the size of a plain sample with that standard error (Korn and Graubard 1998)."""
    total, variance = _moments(cells)
    listings = int(cells.listings.sum())
    share = total / listings
    size = share * (1 - share) / (variance / listings**2) if variance > 0 and 0 < share < 1 else cells.audited.sum()
    middle = (share + _Z**2 / (2 * size)) / (1 + _Z**2 / size)
    half = _Z * np.sqrt(share * (1 - share) / size + _Z**2 / (4 * size**2)) / (1 + _Z**2 / size)
    return listings * (middle - half), listings * (middle + half)


def beta(cells: Cells, random: np.random.Generator) -> tuple[float, float]:
    """Return the sum of beta-binomials by stratum, each with the chance as a prior that counts for one listing."""
    chance = np.clip(cells.chance, 1e-3, 1 - 1e-3)[:, None]
    wrong, right = cells.wrong[:, None], (cells.audited - cells.wrong)[:, None]
    rate = random.beta(wrong + chance, right + 1 - chance, (len(chance), 2000))
    draws = (wrong + random.binomial((cells.listings - cells.audited)[:, None], rate)).sum(axis=0)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def bootstrap(cells: Cells, random: np.random.Generator) -> tuple[float, float]:
    """Return percentiles of totals from stratified resamples of one listing fewer (Rao and Wu 1988)."""
    rate, size = cells.wrong / cells.audited, np.maximum(cells.audited - 1, 1)
    resampled = random.binomial(size[:, None], rate[:, None], (len(rate), _RESAMPLES)) / size[:, None]
    left = np.sqrt(1 - cells.audited / cells.listings)[:, None]
    totals = (cells.listings[:, None] * (rate[:, None] + left * (resampled - rate[:, None]))).sum(axis=0)
    low, high = np.quantile(totals, [0.025, 0.975])
    return float(low), float(high)


def difference(known: Known, counted: Counted, drawn: Draw) -> tuple[float, float]:
    """Return the sum of the chances, corrected by how far they are off in the sample (prediction-powered inference)."""
    chances = np.nan_to_num(known.chances, nan=float(np.nanmean(known.chances)))
    total, variance = float(chances.sum()), 0.0
    for stratum in range(len(drawn.inclusion)):
        rows = np.flatnonzero(counted.sample & (drawn.strata == stratum))
        size, off = int((drawn.strata == stratum).sum()), known.wrong[rows] - chances[rows]
        total += size * float(off.mean())
        if len(rows) > 1:
            variance += size**2 * (1 - len(rows) / size) * float(off.var(ddof=1)) / len(rows)
    return total - _Z * variance**0.5, total + _Z * variance**0.5


if __name__ == "__main__":
    main()
