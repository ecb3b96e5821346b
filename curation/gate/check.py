"""Comparing what a run measures with limits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from curation.errors import InputError, closest, short_repr, some
from curation.gate.limits import COMPARISONS, Limit, parse_limit
from curation.gate.measures import MEASURES, NEW, Amount, Measured
from curation.gate.result import CROSSED, KEPT, NOT_SHOWN, Gate
from curation.run.folder import RunFolder

__all__ = ["check_limits", "parsed_limits"]

#: Measures of two runs.
_BOTH = ("new_classes", "missing_classes", "removed_listings")
#: Least share of its classes that a baseline must have in common with the run.
_COMMON = 0.5


def parsed_limits(fail_if: str | Iterable[str], *, has_baseline: bool) -> list[Limit]:
    """Read limits.

    Parameters
    ----------
    fail_if : str or iterable of str
        Each a limit; see :func:`curation.gate.limits.parse_limit`.
    has_baseline : bool
        Whether there is a run to compare with.

    Raises
    ------
    InputError
        If there is none, or one can't be understood, or compares with a baseline that there is not.
    """
    texts = [fail_if] if isinstance(fail_if, str) else list(fail_if)
    if not texts:
        raise InputError(
            "there is no limit", wanted="at least one", fix='e.g. `fail_if="label_errors > 5%"`.', parameter="fail_if"
        )
    names = [*MEASURES, *(f"{NEW}{name}" for name in MEASURES if name != "classes"), *_BOTH]
    limits = [parse_limit(text, names) for text in texts]
    for limit in limits:
        _require_sense(limit, has_baseline=has_baseline)
    return limits


def check_limits(run: RunFolder, fail_if: str | Iterable[str], baseline: RunFolder | None = None) -> Gate:
    """Compare what a run measures with limits.

    Parameters
    ----------
    run : RunFolder
        Finished.
    fail_if : str or iterable of str
        The limits; see :func:`curation.gate.limits.parse_limit`.
    baseline : RunFolder, optional
        The finished run of an earlier state of the dataset.

    Returns
    -------
    Gate

    Raises
    ------
    InputError
        If a limit can't be understood or measured, or needs a baseline; if the baseline is of another dataset.
    """
    limits = parsed_limits(fail_if, has_baseline=baseline is not None)
    before = None if baseline is None else Measured(baseline)
    now = Measured(run, None if before is None else frozenset(before.ids))
    if before is not None:
        _require_same(now, before)
    rows = [_judged(limit, now, before) for limit in limits]
    crossed = any(row["verdict"] == CROSSED for row in rows)
    return Gate(run.folder, None if baseline is None else baseline.folder, not crossed, pd.DataFrame(rows))


def _require_sense(limit: Limit, *, has_baseline: bool) -> None:
    is_of_both = limit.measure in _BOTH or limit.measure.startswith(NEW)
    if limit.over_baseline and is_of_both:
        raise InputError(
            f"{limit.measure} compares with the baseline already",
            got=short_repr(limit.text),
            wanted="a number or a share",
            parameter="fail_if",
        )
    if limit.of_class is not None and (limit.measure in _BOTH or limit.measure.endswith("classes")):
        raise InputError(f"{limit.measure} is not measured by class", got=short_repr(limit.text), parameter="fail_if")
    if (limit.over_baseline or is_of_both) and not has_baseline:
        raise InputError(
            "a limit compares with a baseline, and there is none",
            got=short_repr(limit.text),
            fix="Name the run of an earlier state of the dataset: `baseline`.",
            parameter="baseline",
        )


def _require_same(now: Measured, before: Measured) -> None:
    """Refuse a baseline of another dataset: neither ids nor classes agree."""
    known, classes = now.ids.isin(before.ids).mean(), set(before.classes)
    if known < _COMMON and len(classes & set(now.classes)) < _COMMON * len(classes):
        raise InputError(
            f"{before.run.folder} is a run of another dataset",
            got=f"{known:.0%} of the ids, and of its {len(classes):,} classes only "
            f"{len(classes & set(now.classes)):,} ({some(before.classes, 4)})",
            wanted="an earlier state of this one",
            fix="Name another run.",
            parameter="baseline",
        )


def _judged(limit: Limit, now: Measured, before: Measured | None) -> dict[str, Any]:
    bound = limit.bound
    amount = _measured(limit, now, before)
    if limit.over_baseline and before is not None:
        # a class that the baseline lacks has nothing there
        of_before = before(limit.measure, limit.of_class)
        bound += (of_before.share() if limit.is_share else of_before).estimate
    if limit.is_share:
        amount = amount.share()
    crosses = COMPARISONS[limit.comparison]
    # what is only estimated must be beyond the bound with all of its interval
    nearest = amount.low if limit.is_upper else amount.high
    verdict = CROSSED if crosses(nearest, bound) else NOT_SHOWN if crosses(amount.estimate, bound) else KEPT
    return {
        "limit": limit.text,
        "amount": amount.estimate,
        "low": amount.low,
        "high": amount.high,
        "bound": bound,
        "of": amount.of,
        "verdict": verdict,
    }


def _measured(limit: Limit, now: Measured, before: Measured | None) -> Amount:
    if limit.measure in _BOTH and before is not None:
        ours, theirs = set(now.classes), set(before.classes)
        counts = {
            "new_classes": (len(ours - theirs), len(ours)),
            "missing_classes": (len(theirs - ours), len(theirs)),
            "removed_listings": (int((~before.ids.isin(now.ids)).sum()), len(before.ids)),
        }
        return Amount.counted(*counts[limit.measure])
    if limit.of_class is not None and limit.of_class not in now.classes:
        raise InputError(
            f"{short_repr(limit.of_class)} is no class of {now.run.folder}",
            got=short_repr(limit.text),
            wanted=some(now.classes, 12),
            fix=closest(limit.of_class, now.classes),
            parameter="fail_if",
        )
    return now(limit.measure, limit.of_class)
