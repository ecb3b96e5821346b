"""Single listings: photo, labels, price, title, reasons, and what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from curation.issues import IssueKind
from curation.rendering.thumbnails import make_thumbnail
from curation.rendering.words import amount, short
from curation.run.journal import Decision
from curation.run.own_photos import OwnPhotos

__all__ = ["Card", "Cards", "Section"]

_SHOWN = 24
_THUMBNAIL = 160
_TITLE = 120
_REASONS = 400


@dataclass(frozen=True)
class Card:
    """One listing as the text of a card.

    Attributes
    ----------
    id, label : str
        The listing and its given label.
    photo : str or None
        The thumbnail as a data URI; None where no photo can be read.
    suggested : str or None
        The suggested label with its confidence, if the label is flagged.
    price, title : str or None
        As in the listing.
    reasons : str
        Plain words.
    decision, decided_by : str or None
        The decision that stands, and who or what made it.
    """

    id: str
    label: str
    photo: str | None
    suggested: str | None
    price: str | None
    title: str | None
    reasons: str
    decision: str | None
    decided_by: str | None


@dataclass(frozen=True)
class Section:
    """What the report shows of one kind of issue.

    Attributes
    ----------
    kind : IssueKind
        The kind of issue.
    count, decided : int
        Flagged listings, and how many of them are decided.
    cards : list of Card
        The worst listings.
    """

    kind: IssueKind
    count: int
    decided: int
    cards: list[Card]


class Cards:
    """Makes the cards of a run's listings; reads only the photos that are shown.

    Parameters
    ----------
    issues, listings : DataFrame
        The tables of the run.
    photos : OwnPhotos
        The photos of the run; other files are not shown.
    decisions : mapping of str to Decision
        The decisions that stand, by id.
    currency : str or None
        Of the prices.
    max_bytes : int
        Photos in larger files are not shown.
    """

    def __init__(
        self,
        issues: pd.DataFrame,
        listings: pd.DataFrame,
        photos: OwnPhotos,
        decisions: Mapping[str, Decision],
        currency: str | None,
        max_bytes: int,
    ) -> None:
        self._issues, self._decisions, self._currency = issues, decisions, currency
        # only a few listings of perhaps many need their titles
        self._listings = listings[["id", "title"]] if "title" in listings else None
        self._photo = cache(lambda image: _thumbnail(photos, image, max_bytes))

    def section(self, kind: IssueKind) -> Section:
        """Return the worst listings of a kind, in the order of the queue."""
        flagged = self._issues[self._issues[kind.flag].fillna(False).astype(bool)]
        worst = flagged.nsmallest(_SHOWN, "priority")
        # not isin: it would read all decisions again for each kind
        decided = sum(id in self._decisions for id in flagged["id"].tolist())
        return Section(kind, len(flagged), decided, self._of_rows(worst))

    def of(self, ids: Iterable[str]) -> dict[str, Card]:
        """Return cards by id; ids that the run does not have are left out."""
        rows = self._issues[self._issues["id"].isin(list(ids))]
        return {card.id: card for card in self._of_rows(rows)}

    def _of_rows(self, rows: pd.DataFrame) -> list[Card]:
        titles: dict[str, Any] = {}
        if self._listings is not None:
            titled = self._listings[self._listings["id"].isin(rows["id"])]
            titles = dict(zip(titled["id"], titled["title"], strict=True))
        return [self._card(row, titles.get(row["id"])) for row in rows.to_dict("records")]

    def _card(self, row: dict[Any, Any], title: Any) -> Card:
        decision = self._decisions.get(row["id"])
        suggested = None
        if row["is_label_issue"] is True and not pd.isna(row["suggested_label"]):
            suggested = f"{row['suggested_label']} ({row['suggested_confidence']:.2f})"
        return Card(
            id=row["id"],
            label="no label" if pd.isna(row["given_label"]) else row["given_label"],
            photo=None if pd.isna(row["image"]) else self._photo(row["image"]),
            suggested=suggested,
            price=None if pd.isna(row["price"]) else " ".join(filter(None, [amount(row["price"]), self._currency])),
            title=None if pd.isna(title) else short(str(title), _TITLE),
            reasons="" if pd.isna(row["reasons"]) else short(row["reasons"], _REASONS),
            decision=None if decision is None else _action(decision),
            decided_by=None if decision is None else _who(decision),
        )


def _action(decision: Decision) -> str:
    words = f"relabel to {decision.new_label}" if decision.action == "relabel" else decision.action
    return words if decision.new_price is None else f"{words}, new price {amount(decision.new_price)}"


def _who(decision: Decision) -> str:
    if decision.source == "suggestion":
        return "accepted suggestion, not reviewed"
    return f"by {decision.reviewer}" + (", in an earlier run" if decision.source == "earlier run" else "")


def _thumbnail(photos: OwnPhotos, image: str, max_bytes: int) -> str | None:
    return make_thumbnail(photos.path(image), _THUMBNAIL, max_bytes).uri if photos.may_be_shown(image) else None
