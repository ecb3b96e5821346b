"""How far the reviewers of a run agree, on the listings that two or more decided on, each without the others' word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from curation.rendering.results import Result
from curation.rendering.words import agree, many
from curation.run.carry_over import EARLIER
from curation.run.columns import read_issues
from curation.run.conflicts import conflicts, leaves_open
from curation.run.flags import flags_by_kind
from curation.run.folder import RunFolder
from curation.run.journal import NOTE, UNDO, Decision, person, say, stacks_of, words_of
from curation.run.overlap import Overlap
from curation.run.reliability import Coefficient, agreement_of_pair, alpha, kappa

__all__ = ["Agreement", "PairAgreement", "agreement_among", "agreement_of"]

#: Sources of what nobody has said of a listing independently of others.
_NO_WORD = (EARLIER, "suggestion")


@dataclass(frozen=True)
class PairAgreement(Result):
    """How far two reviewers agree.

    Attributes
    ----------
    reviewers : tuple of str
        Both.
    listings : int
        On which both decided independently.
    share : Coefficient
        The share of them on which they agree, in [0, 1].
    kappa : Coefficient
        Cohen's kappa: agreement beyond chance, in [-1, 1].
    """

    reviewers: tuple[str, str]
    listings: int
    share: Coefficient
    kappa: Coefficient

    def __str__(self) -> str:
        """Return it in words."""
        share, names = f"{100 * (self.share.value or 0):.0f} %", " and ".join(self.reviewers)
        return f"{names} agree on {share} of {many(self.listings, 'listing')}, {_said('kappa', self.kappa)}"


@dataclass(frozen=True)
class Agreement(Result):
    """How far the reviewers of a run agree on labels.

    Attributes
    ----------
    reviewers : tuple of str
        Who decided independently of others on a listing that others decided on, too.
    listings : int
        On which at least two of them did.
    alpha : Coefficient
        Krippendorff's alpha (nominal) of all of them: agreement beyond chance, at most 1.
    pairs : tuple of PairAgreement
        Each two of them with a listing in common.
    conflicts : int
        Listings on which reviewers disagree and that nobody has settled.
    waiting : int
        Listings of the overlap that one reviewer has decided on, and that wait for a second one.
    """

    reviewers: tuple[str, ...]
    listings: int
    alpha: Coefficient
    pairs: tuple[PairAgreement, ...]
    conflicts: int
    waiting: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        pairs = [
            {
                "reviewers": list(pair.reviewers),
                "listings": pair.listings,
                "share": pair.share._asdict(),
                "kappa": pair.kappa._asdict(),
            }
            for pair in self.pairs
        ]
        counts = {"listings": self.listings, "conflicts": self.conflicts, "waiting": self.waiting}
        return {"reviewers": list(self.reviewers), **counts, "alpha": self.alpha._asdict(), "pairs": pairs}

    def __str__(self) -> str:
        """Return it in words; empty without a listing that two decided on, or are to decide on."""
        told = [str(pair) for pair in self.pairs]
        if len(self.reviewers) > 2:
            told.append(f"all {len(self.reviewers)} on {many(self.listings, 'listing')}: {_said('alpha', self.alpha)}")
        elif told:
            told[0] += f", {_said('alpha', self.alpha)}"
        if self.waiting:
            told.append(f"{many(self.waiting, 'listing')} {agree(self.waiting, 'waits', 'wait')} for a second reviewer")
        return "; ".join(told)


def _said(name: str, found: Coefficient) -> str:
    if found.value is None:
        return f"{name} not defined: all decisions are the same"
    reach = "" if found.low is None or found.high is None else f" (95 % {found.low:.2f} to {found.high:.2f})"
    return f"{name} {found.value:.2f}{reach}"


def agreement_of(run: RunFolder) -> Agreement:
    """Return how far the reviewers of a run agree.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    """
    said, _ = run.decisions()
    if not said:
        return agreement_among([], {}, 0)
    overlap = Overlap(run)
    if not overlap.share and len({person(each.reviewer) for each in said}) < 2:
        return agreement_among([], {}, 0)
    issues = read_issues(run, ("id", "given_label"), flags=True)
    ids = issues["id"].to_pylist()
    given, stacks = dict(zip(ids, issues["given_label"].to_pylist(), strict=True)), stacks_of(said)
    flags = [issues[name].to_pylist() for name in flags_by_kind(issues.column_names).values()]
    flagged = (id for id, *its in zip(ids, *flags, strict=True) if any(its))
    waiting = sum(overlap.waits(id, stacks.get(id, ())) for id in flagged) if overlap.share else 0
    histories: defaultdict[str, list[Decision]] = defaultdict(list)
    for each in said:
        histories[each.id].append(each)
    return agreement_among(histories.values(), given, len(conflicts(said)), waiting)


def agreement_among(
    histories: Iterable[Sequence[Decision]], given: Mapping[str, str | None], in_conflict: int, waiting: int = 0
) -> Agreement:
    """Return how far reviewers agree.

    Parameters
    ----------
    histories : iterable of sequence of Decision
        What was said of each listing, also what was undone since, oldest first.
    given : mapping of str to (str or None)
        The given label of each listing.
    in_conflict : int
        Listings that nobody has settled.
    waiting : int
        Listings that wait for a second reviewer.
    """
    names: dict[str, str] = {}
    units: list[dict[str, str]] = []
    for said_of_it in histories:
        if len(said_of_it) < 2 or said_of_it[0].id not in given:
            continue
        found = {who: _answer(word, given[word.id]) for who, word in _independent(said_of_it, names).items()}
        said = {who: answer for who, answer in found.items() if answer is not None}
        if len(said) > 1:
            units.append(said)
    known = list(dict.fromkeys(who for said in units for who in sorted(said)))
    pairs = []
    for one, other in combinations(sorted(known), 2):
        both = [(said[one], said[other]) for said in units if one in said and other in said]
        if both:
            who = names[one], names[other]
            pairs.append(PairAgreement(who, len(both), agreement_of_pair(both), kappa(both)))
    reviewers = tuple(names[who] for who in sorted(known))
    return Agreement(reviewers, len(units), alpha(units), tuple(pairs), in_conflict, waiting)


def _independent(history: Sequence[Decision], names: dict[str, str]) -> dict[str, Decision]:
    """Return each person's latest word on a listing before they saw what another one said.

    Who takes it back in sight of another one's word has said it all the same: without it, only agreement would be left.
    """
    stacks: dict[str, list[Decision]] = {}
    words: dict[str, list[Decision]] = defaultdict(list)
    told: set[str] = set()
    for record in _without_retracted(history):
        who = person(record.reviewer)
        before = list(stacks.get(record.id, ()))
        # an accepted suggestion is nobody's word
        others = {person(each.reviewer) for each in before if each.source != "suggestion"} - {who}
        say(stacks, record)
        if record.action == UNDO:
            taken = _taken(before, stacks[record.id])
            owner = person(taken.reviewer) if taken else who
            spoken = {person(each.reviewer) for each in before if each.source != "suggestion"}
            spoken |= {other for other, said in words.items() if said}
            if not spoken - {owner}:
                words[owner] = [word for word in words[owner] if word is not taken]
            if spoken - {who}:
                told.add(who)
            continue
        if record.action == NOTE:
            continue
        names.setdefault(who, record.reviewer)
        # of the first one, nobody else had said anything; of a line of an earlier version, it is not known
        if record.saw is None and others:
            continue
        if record.saw:
            told.add(who)
        if record.action == "reprice" or leaves_open(record, words_of(before)):
            continue  # it says nothing of the label, or was said beside what may have been in sight
        if who not in told and record.source not in _NO_WORD:
            words[who].append(record)
    return {who: said[-1] for who, said in words.items() if said}


def _without_retracted(history: Iterable[Decision]) -> list[Decision]:
    """Return what was said of a listing without what `curate undo` took back: a wrong table was nobody's word."""
    stacks: dict[str, list[Decision]] = {}
    kept: list[Decision] = []
    for record in history:
        before = list(stacks.get(record.id, ()))
        say(stacks, record)
        if record.action == UNDO and record.source == "undo":
            taken = _taken(before, stacks[record.id])
            kept = [each for each in kept if each is not taken]
        else:
            kept.append(record)
    return kept


def _taken(before: Sequence[Decision], after: Sequence[Decision]) -> Decision | None:
    """Return the decision that an undo took from a listing's."""
    left = set(map(id, after))
    return next((each for each in before if id(each) not in left), None)


def _answer(word: Decision, given: str | None) -> str | None:
    """Return the answer a decision gives on the label: a class, or the action; None for a price alone."""
    if word.action == "reprice":
        return None
    label = {"keep": given, "relabel": word.new_label}.get(word.action)
    return f"={label}" if label is not None else word.action
