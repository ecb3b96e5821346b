"""The data of the review page: the queue as JSON, without the photos."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from curation.review.card import Card, Cards, Example
from curation.run.decidable import Decidable, new_classes_of
from curation.run.flags import TITLES
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from curation.run.new_values import MAX_NOTE

__all__ = [
    "PageListings",
    "blinded",
    "card_data",
    "choose_listings",
    "decision_data",
    "listing_data",
    "named_blind",
    "page_data",
    "titled",
]

#: So many classes are in the order of the card; the others follow in the order of the run.
_LIKELY = 20


@dataclass(frozen=True)
class PageListings:
    """The listings of a page. A listing is identified by its place, the queue before the others.

    Attributes
    ----------
    queue : tuple of Card
        The listings to decide on, the most urgent first.
    others : tuple of Example
        The other listings that the page shows: examples and reposts.
    """

    queue: tuple[Card, ...]
    others: tuple[Example, ...]

    @property
    def every(self) -> tuple[Card | Example, ...]:
        """All listings, each at its place."""
        return (*self.queue, *self.others)


def choose_listings(cards: Cards, ids: Sequence[str]) -> PageListings:
    """Return listings to decide on, and those shown beside them.

    Parameters
    ----------
    cards : Cards
        Of the run.
    ids : sequence of str
        The listings to decide on, in their order.
    """
    queue = tuple(cards.card(id) for id in ids)
    listed = {card.id for card in queue}
    beside: dict[str, None] = {}
    for card in queue:
        beside |= dict.fromkeys([*(example.id for example in (*card.like_given, *card.like_suggested)), *card.reposts])
    return PageListings(queue, tuple(cards.example(id) for id in beside if id not in listed))


def named_blind(cards: Cards, ids: Sequence[str]) -> PageListings:
    """Return named listings, in their order, without anything that curate thinks of them.

    Sound examples of the given class stay beside each: they show what the class is.

    Parameters
    ----------
    cards : Cards
    ids : sequence of str
        The listings.

    Raises
    ------
    KeyError
        If the run has no such listing.
    """
    listed = set(ids)
    queue = tuple(blinded(cards.card(id), listed) for id in ids)
    beside = dict.fromkeys(example.id for card in queue for example in card.like_given)
    return PageListings(queue, tuple(cards.example(id) for id in beside))


def blinded(card: Card, listed: Set[str]) -> Card:
    """Return a card without anything that curate thinks of its listing.

    Parameters
    ----------
    card : Card
    listed : set of str
        Those to decide on as well, which are no examples.
    """
    return replace(
        card,
        price_low=None,
        price_high=None,
        suggested_price=None,
        given_chance=None,
        suggested=None,
        suggested_chance=None,
        change_chance=None,
        issues=(),
        reasons=(),
        # in the order of the run: the likely ones first would be a suggestion
        classes=(),
        reposts=(),
        like_suggested=(),
        # that one of those to decide on is sound would be a suggestion, too
        like_given=tuple(example for example in card.like_given if example.id not in listed),
    )


def page_data(run: RunFolder, listings: PageListings, decided: Mapping[str, Decision]) -> dict[str, Any]:
    """Return the data of a page.

    Parameters
    ----------
    run : RunFolder
        A finished one.
    listings : PageListings
        The listings.
    decided : mapping of str to Decision
        What counts as decided.

    Returns
    -------
    dict
        ``classes``, ``kinds`` (name and title of those that occur), ``listings`` (of the queue, in its order),
        ``others`` (listings beside them), ``decided`` (the decisions on any of them), ``added`` (the
        classes that decisions of the journal added), ``currency``, ``thousandths`` (what marks the decimals, where
        prices such as 1.299 are usual), ``max_price`` (of a new price), ``max_note`` (characters of a
        note), and ``priced``: whether the dataset has prices.
    """
    place = {card.id: number for number, card in enumerate(listings.every)}
    number = {name: number for number, name in enumerate(run.classes)}
    decidable = Decidable.of(run)
    flagged = {kind for card in listings.queue for kind in card.issues}
    return {
        "classes": run.classes,
        "kinds": titled(flagged),
        "currency": run.record()["dataset"].get("currency"),
        "thousandths": decidable.thousandths,
        "max_price": decidable.max_price,
        "max_note": MAX_NOTE,
        "priced": bool(run.issues()["price"].notna().any()),
        "listings": [card_data(card, number, place.__getitem__) for card in listings.queue],
        "others": [listing_data(card) for card in listings.others],
        "added": new_classes_of(decided),
        "decided": {id: decision_data(decided[id]) for id in place if id in decided},
    }


def card_data(card: Card, classes: Mapping[str, int], refer: Callable[[str], Any]) -> dict[str, Any]:
    """Return a card as the page has it.

    Parameters
    ----------
    card : Card
        The card.
    classes : mapping of str to int
        The number of each class.
    refer : callable
        Id → what the page knows another listing by.
    """
    return {
        **listing_data(card),
        "low": card.price_low,
        "high": card.price_high,
        "fits": card.suggested_price,
        "givenChance": card.given_chance,
        "suggested": card.suggested,
        "suggestedChance": card.suggested_chance,
        "issues": list(card.issues),
        "reasons": list(card.reasons),
        "likely": [classes[name] for name, _ in card.classes[:_LIKELY]],
        "likeGiven": [refer(example.id) for example in card.like_given],
        "likeSuggested": [refer(example.id) for example in card.like_suggested],
        "reposts": [refer(id) for id in card.reposts],
        "worth": card.change_chance and round(card.change_chance, 4),
    }


def listing_data(card: Card | Example) -> dict[str, Any]:
    """Return what the page shows of a listing beside another one."""
    return {"id": card.id, "title": card.title, "price": card.price, "given": card.given}


def decision_data(decision: Decision) -> dict[str, Any]:
    """Return a decision that holds as the page has it."""
    return {
        "decision": decision.action,
        "new_label": decision.new_label or "",
        "new_price": decision.new_price,
        "new_class": decision.new_class,
        "reviewer": decision.reviewer,
        "time": decision.time,
        "note": decision.note or "",
    }


def titled(flagged: Collection[str]) -> list[dict[str, str]]:
    """Return name and title of kinds of issue, in the order of summaries."""
    order = [*TITLES, *sorted(set(flagged) - set(TITLES))]
    return [{"name": name, "title": TITLES.get(name, name)} for name in order if name in flagged]
