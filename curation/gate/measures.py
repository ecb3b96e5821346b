"""What a run measures, in all of its listings, in those of a class, or in those that a baseline lacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from curation.auditing.report import audit_of
from curation.auditing.sample import read_sample
from curation.errors import InputError
from curation.issues.label.anchor import anchor_to
from curation.run.flags import is_flagged
from curation.run.folder import RunFolder
from curation.run.status import AUDIT
from training.utils.arrays import Float64

__all__ = ["MEASURES", "NEW", "Amount", "Measured"]

#: Before the name of a measure: of the listings that the baseline does not have.
NEW = "new_"
#: The normal distribution's 97.5 % quantile.
_QUANTILE = 1.96
#: Flags by the name of their measure.
_FLAGS = {
    "label_flags": "is_label_issue",
    "price_flags": "is_price_issue",
    "reposts": "is_near_duplicate_issue",
    "indirect_photos": "is_indirect_image_issue",
    "off_topic_photos": "is_outlier_issue",
    "poor_photos": "is_photo_quality_issue",
    "unreadable_photos": "is_unreadable_issue",
}
#: Columns of which values may be missing.
_MISSING = {"missing_labels": "given_label", "missing_photos": "image", "missing_prices": "price"}
#: What each measure counts, or estimates.
MEASURES = {
    "listings": "listings",
    "flagged": "listings with at least one issue",
    "label_errors": "wrong labels: what an audit says, or else what the chances expect",
    "label_flags": "labels that look wrong",
    "price_flags": "odd prices",
    "reposts": "listings whose photo others have, too",
    "indirect_photos": "photos that show a screen, a box or text instead of the item",
    "off_topic_photos": "photos of something else",
    "poor_photos": "photos that show little",
    "unreadable_photos": "photos that can't be read",
    "missing_labels": "listings without a label",
    "missing_photos": "listings without a photo",
    "missing_prices": "listings without a price",
    "classes": "classes of the given labels",
}


@dataclass(frozen=True)
class Amount:
    """What is measured.

    Attributes
    ----------
    low, estimate, high : float
        The amount and its 95 % interval; all the same for what is counted.
    of : int
        Of so many.
    """

    low: float
    estimate: float
    high: float
    of: int

    @classmethod
    def counted(cls, count: int, of: int) -> Amount:
        """Return what is no estimate."""
        return cls(count, count, count, of)

    def share(self) -> Amount:
        """Return the amount as a share of all, 0 to 1; of none, 0."""
        of = max(self.of, 1)
        return Amount(self.low / of, self.estimate / of, self.high / of, self.of)


class Measured:
    """What a run measures.

    Parameters
    ----------
    run : RunFolder
        Finished.
    known : set of str, optional
        The ids that a baseline has, for measures of the listings that are new.
    """

    def __init__(self, run: RunFolder, known: frozenset[str] | None = None) -> None:
        self.run, self.issues = run, run.issues()
        self.ids = self.issues["id"].astype(str)
        self.classes = sorted(self.issues["given_label"].dropna().unique())
        self._known = known

    def __call__(self, measure: str, of_class: str | None = None) -> Amount:
        """Measure.

        Parameters
        ----------
        measure : str
            One of :data:`MEASURES`, perhaps with :data:`NEW` before it.
        of_class : str, optional
            Only listings whose given label is this.

        Raises
        ------
        InputError
            If the run can't tell, for lack of evidence.
        """
        rows = pd.Series(data=True, index=self.issues.index)
        name = measure.removeprefix(NEW)
        if name != measure and self._known is not None:
            rows &= ~self.ids.isin(self._known)
        if of_class is not None:
            rows &= (self.issues["given_label"] == of_class).fillna(False)
        if name == "label_errors":
            audited = measure == name and of_class is None and (self.run.folder / AUDIT).exists()
            return (self._audited() if audited else None) or self._expected(rows)
        chosen = self.issues[rows]
        return Amount.counted(self._count(name)(chosen), len(chosen))

    def _count(self, name: str) -> Callable[[pd.DataFrame], int]:
        if name in _FLAGS:
            flag = _FLAGS[name]
            # empty where no listing has the evidence: that is not the same as none
            if flag not in self.issues or (len(self.issues) and self.issues[flag].isna().all()):
                raise _unknown(name, self.run)
            return lambda table: int(table[flag].fillna(False).sum())
        if name in _MISSING:
            return lambda table: int(table[_MISSING[name]].isna().sum())
        counts: dict[str, Callable[[pd.DataFrame], int]] = {
            "listings": len,
            "flagged": lambda table: int(is_flagged(table).sum()),
            "classes": lambda table: int(table["given_label"].nunique()),
        }
        return counts[name]

    def _audited(self) -> Amount | None:
        said = audit_of(self.run, read_sample(self.run))
        if said.wrong is None:
            return None
        return Amount(said.wrong.low, said.wrong.estimate, said.wrong.high, said.listings)

    def _expected(self, rows: pd.Series) -> Amount:
        """Return how many labels are expected to be wrong.

        Chances learned elsewhere may all be too high or too low here, by as much as the offset and slope of
        :mod:`curation.issues.label.anchor` are uncertain before anything is decided.
        """
        scores = self.issues["label_score"]
        if len(self.issues) and scores.isna().all():
            raise _unknown("label_errors", self.run)
        chances: Float64 = 1 - scores[rows].dropna().to_numpy(dtype=np.float64)
        none = np.empty(0)
        expected, reach = float(chances.sum()), _QUANTILE * anchor_to(chances, none, none).spread(chances)
        return Amount(max(0.0, expected - reach), expected, min(float(len(chances)), expected + reach), len(chances))


def _unknown(name: str, run: RunFolder) -> InputError:
    return InputError(
        f"{name} can't be measured",
        got=f"no evidence on it in {run.folder}",
        wanted=f"a run that says something of {MEASURES[name]}",
        fix="Leave this limit out, or find out why: a column that is missing, or an option that switches it off.",
        parameter="fail_if",
    )
