"""What differs between two runs, as `diff` returns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curation.rendering.results import Result
from curation.run.row import RunRow

__all__ = ["KindDiff", "Listing", "Moved", "Named", "RunDiff"]


@dataclass(frozen=True)
class Pair:
    """A value of the run ``a`` and of the run ``b``."""

    a: Any
    b: Any


@dataclass(frozen=True)
class Named:
    """A setting or a package by its ``name``: its values in the runs ``a`` and ``b``."""

    name: str
    a: Any
    b: Any


@dataclass(frozen=True)
class Listing:
    """A listing by its ``id``: its values in the runs ``a`` and ``b``; None is a value, too."""

    id: str
    a: Any
    b: Any


@dataclass(frozen=True)
class Moved:
    """A listing by its ``id``: its ``label_score`` and its ``priority`` in both runs."""

    id: str
    label_score: Pair
    priority: Pair


@dataclass(frozen=True)
class Choice:
    """What was decided: the ``action``, and the ``new_label`` and the ``new_price`` where there is one."""

    action: str
    new_label: str | None
    new_price: float | None


@dataclass(frozen=True)
class Overlap:
    """How many listings are in the run ``a``, in ``b``, and in ``both``."""

    a: int
    b: int
    both: int


@dataclass(frozen=True)
class DataDiff:
    """How the tables differ.

    Attributes
    ----------
    same_dataset, same_table : bool
        Whether both runs are of one dataset, and of the same file; None where a run does not say.
    listings : Overlap
    only_a, only_b, photos : list of str
        Ids of the listings that only one run has, and of those with another photo.
    labels : list of Listing
        Listings with another given label.
    """

    same_dataset: bool
    same_table: bool | None
    listings: Overlap
    only_a: list[str]
    only_b: list[str]
    photos: list[str]
    labels: list[Listing]


@dataclass(frozen=True)
class KindDiff:
    """The flags of one ``kind``: how many in ``a``, ``b`` and ``both``; ids ``only_a`` or ``only_b`` flags.

    None for a run that did not look for it.
    """

    kind: str
    a: int | None
    b: int | None
    both: int | None
    only_a: list[str] | None
    only_b: list[str] | None


@dataclass(frozen=True)
class FixesDiff:
    """Changed listings: how many in the ``same`` way; ids changed in ``different`` ways, ``only_a``, ``only_b``."""

    same: int
    different: list[str]
    only_a: list[str]
    only_b: list[str]


@dataclass(frozen=True)
class TestSets:
    """Whether both test sets are the ``same``, their numbers of ``listings``, and whether macro-F1 is ``comparable``.

    ``why`` says why it is not.
    """

    same: bool
    listings: Pair
    comparable: bool
    why: str | None


@dataclass(frozen=True)
class RunDiff(Result):
    """What differs between two runs. Counts are over the listings that both have.

    Attributes
    ----------
    a, b : RunRow
        Both runs.
    settings, versions : list of Named
        Those with other values.
    data : DataDiff
    issues : list of KindDiff
        ``any`` kind first.
    suggestions, decisions : list of Listing
        Those that differ; the most confident suggestions first.
    moved : list of Moved
        The ten largest changes of ``label_score``.
    fixes : FixesDiff or None
        None unless both runs have a cleaned dataset.
    test_set : TestSets
    """

    a: RunRow
    b: RunRow
    settings: list[Named]
    versions: list[Named]
    data: DataDiff
    issues: list[KindDiff]
    suggestions: list[Listing]
    moved: list[Moved]
    decisions: list[Listing]
    fixes: FixesDiff | None
    test_set: TestSets
