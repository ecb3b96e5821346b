"""The data of the review page: the queue as JSON, without the photos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from curation.issues import KINDS
from curation.review.card import Card, Cards, Example
from curation.review.journal_state import standing_of
from curation.run.folder import RunFolder
from curation.run.journal import Decision

__all__ = ["Shown", "choose_listings", "page_data"]

#: Less probable classes are listed after the others, in the run's order.
_LEAST = 0.0005


@dataclass(frozen=True)
class Shown:
    """The listings of a page; each is named by its place, the queue before the others.

    Attributes
    ----------
    queue : tuple of Card
        Those to decide on, the first to look at first.
    others : tuple of Example
        Those shown beside them that are not in the queue: examples and reposts.
    """

    queue: tuple[Card, ...]
    others: tuple[Example, ...]

    @property
    def every(self) -> tuple[Card | Example, ...]:
        """All of them, each at its place."""
        return (*self.queue, *self.others)


def choose_listings(cards: Cards, first: int | None) -> Shown:
    """Return the first listings of the queue, all if `first` is None, and what is shown beside them."""
    queue = tuple(cards.card(id) for id in cards.queue[:first])
    listed = {card.id for card in queue}
    beside = dict.fromkeys(id for card in queue for id in _beside(card) if id not in listed)
    return Shown(queue, tuple(cards.example(id) for id in beside))


def page_data(run: RunFolder, shown: Shown) -> dict[str, Any]:
    """Return the data of a page.

    Parameters
    ----------
    run : RunFolder
        A finished one.
    shown : Shown
        The listings.

    Returns
    -------
    dict
        ``classes``, ``kinds`` (name and title of those that occur), ``listings`` (of the queue, in its order),
        ``others`` (listings beside them), ``decided`` (the decisions of the journal on any of them).
    """
    place = {card.id: number for number, card in enumerate(shown.every)}
    number = {name: number for number, name in enumerate(run.classes)}
    decided = standing_of(run).holding
    flagged = {kind for card in shown.queue for kind in card.issues}
    return {
        "classes": run.classes,
        "kinds": _kinds(flagged),
        "currency": run.record()["dataset"].get("currency"),
        "listings": [_listing(card, place, number) for card in shown.queue],
        "others": [_other(card) for card in shown.others],
        "decided": {id: _decided(decided[id]) for id in place if id in decided},
    }


def _listing(card: Card, place: dict[str, int], number: dict[str, int]) -> dict[str, Any]:
    return {
        **_other(card),
        "low": card.price_low,
        "high": card.price_high,
        "givenChance": card.given_chance,
        "suggested": card.suggested,
        "suggestedChance": card.suggested_chance,
        "issues": list(card.issues),
        "reasons": list(card.reasons),
        "likely": [
            [number[name], round(chance, 4)] for name, chance in card.classes if chance is not None and chance >= _LEAST
        ],
        "likeGiven": [place[example.id] for example in card.like_given],
        "likeSuggested": [place[example.id] for example in card.like_suggested],
        "reposts": [place[id] for id in card.reposts],
        "worth": card.change_chance and round(card.change_chance, 4),
    }


def _other(card: Card | Example) -> dict[str, Any]:
    return {"id": card.id, "title": card.title, "price": card.price, "given": card.given}


def _decided(decision: Decision) -> dict[str, Any]:
    return {
        "decision": decision.action,
        "new_label": decision.new_label or "",
        "reviewer": decision.reviewer,
        "time": decision.time,
        "note": decision.note or "",
    }


def _beside(card: Card) -> list[str]:
    return [*(example.id for example in (*card.like_given, *card.like_suggested)), *card.reposts]


def _kinds(flagged: Iterable[str]) -> list[dict[str, str]]:
    titles = {kind.name: kind.title for kind in KINDS}
    order = [*titles, *sorted(set(flagged) - set(titles))]
    return [{"name": name, "title": titles.get(name, name)} for name in order if name in flagged]
