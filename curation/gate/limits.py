"""Limits as people write them: ``label_errors > 5%``, ``reposts[Laptops] > 3``, ``label_flags > baseline + 2%``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from curation.errors import InputError, closest, short_repr, some

__all__ = ["COMPARISONS", "Limit", "parse_limit"]

#: How an amount crosses its limit.
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_WANTED = 'e.g. "label_errors > 5%", "reposts > 10" or "label_flags[Laptops] > baseline + 2%"'
_LIMIT = re.compile(
    r"""\s*(?P<measure>[A-Za-z_]+)\s*
    (?:\[(?P<class>.+)\]\s*)?
    (?P<comparison>>=|<=|>|<)\s*
    (?P<baseline>baseline\s*(?:(?P<sign>[+-])\s*(?=\d))?)?
    (?P<bound>\d[\d,_]*(?:\.\d+)?|\.\d+)?\s*
    (?P<percent>%)?\s*""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Limit:
    """What makes a dataset fail.

    Attributes
    ----------
    text : str
        As it was written, with single blanks.
    measure : str
        What is measured.
    of_class : str or None
        The class of the given label that it is measured in; None for all listings.
    comparison : str
        ``>``, ``>=``, ``<`` or ``<=``: an amount that compares so to the bound crosses it.
    bound : float
        A number; of a share, 0 to 1.
    is_share : bool
        Whether shares are compared, and not numbers.
    over_baseline : bool
        Whether the bound is added to what the baseline measures.
    """

    text: str
    measure: str
    of_class: str | None
    comparison: str
    bound: float
    is_share: bool
    over_baseline: bool

    @property
    def is_upper(self) -> bool:
        """Whether too much crosses it, and not too little."""
        return self.comparison.startswith(">")


def parse_limit(text: str, measures: Collection[str]) -> Limit:
    """Read a limit.

    Parameters
    ----------
    text : str
        A measure, perhaps a class in brackets, a comparison, and a number, a share in percent, or what the baseline
        measures with such an amount added or taken off.
    measures : collection of str
        The measures that there are.

    Raises
    ------
    InputError
        If it can't be understood, or names no measure.

    Examples
    --------
    >>> limit = parse_limit("label_errors[Laptops]>1,200", ["label_errors"])
    >>> limit.measure, limit.of_class, limit.comparison, limit.bound, limit.is_share
    ('label_errors', 'Laptops', '>', 1200.0, False)
    >>> parse_limit("label_errors > 5 %", ["label_errors"]).bound
    0.05
    """
    found = _LIMIT.fullmatch(text) if isinstance(text, str) else None
    if found is None or (found["bound"] is None and (found["baseline"] is None or found["sign"] or found["percent"])):
        raise _not_understood(text)
    if found["baseline"] and found["bound"] and not found["sign"]:
        raise _not_understood(text)
    measure = found["measure"].lower()
    if measure not in measures:
        raise InputError(
            f"{short_repr(found['measure'])} is no measure",
            got=short_repr(text),
            wanted=some(sorted(measures), 30),
            fix=closest(measure, sorted(measures)),
            parameter="fail_if",
        )
    bound = float((found["bound"] or "0").replace(",", "").replace("_", ""))
    if found["percent"]:
        bound /= 100
        if bound > 1:
            raise InputError("no share is over 100 %", got=short_repr(text), parameter="fail_if")
    return Limit(
        text=" ".join(text.split()),
        measure=measure,
        of_class=None if found["class"] is None else found["class"].strip(),
        comparison=found["comparison"],
        bound=-bound if found["sign"] == "-" else bound,
        is_share=found["percent"] is not None,
        over_baseline=found["baseline"] is not None,
    )


def _not_understood(text: object) -> InputError:
    return InputError("a limit can't be understood", got=short_repr(text), wanted=_WANTED, parameter="fail_if")
