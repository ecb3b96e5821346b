"""The paragraph at the top: what was flagged, what was decided, and whether it helped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from curation.rendering.words import agree, joined, many, percent
from curation.report.cards import Section
from curation.run.journal import Decision

__all__ = ["summary"]

_DONE = {
    "relabel": "relabelled", "reprice": "repriced", "delete": "deleted", "keep": "kept",
    "ambiguous": "left as they are because several labels fit",
}  # fmt: skip


def summary(
    *,
    name: str,
    listings: int,
    classes: int,
    flagged: int,
    sections: Sequence[Section],
    decisions: Iterable[Decision],
    unscored: str,
    worth: Sequence[str],
    soft: bool,
    outcome: Sequence[str],
) -> list[str]:
    """Return the sentences of the paragraph.

    Parameters
    ----------
    name : str
        Of the dataset.
    listings, classes, flagged : int
        How many there are.
    sections : sequence of Section
        The kinds of issues.
    decisions : iterable of Decision
        Those that stand.
    unscored : str
        Which listings have no label score, and why, in sentences; empty if all have one.
    worth : sequence of str
        How much worth the first of the queue hold, in sentences; empty if it is not ordered by worth.
    soft : bool
        Whether the cleaned dataset has the chances of its labels.
    outcome : sequence of str
        The result of the comparison, in sentences; empty if there is none.
    """
    sentences = [f"{name} has {many(listings, 'listing')} in {many(classes, 'class', 'classes')}."]
    most = max(sections, key=lambda section: section.count, default=None)
    if most is None or not most.count:
        sentences.append("None is flagged.")
    else:
        verb = agree(flagged, "is", "are")
        sentences.append(
            f"{flagged:,} of them ({percent(flagged / listings)}) {verb} flagged, "
            f"most often as “{most.kind.title.lower()}” ({many(most.count, 'listing')})."
        )
    sentences += [unscored] if unscored else []
    sentences += worth
    sentences += _decided(list(decisions))
    if soft:
        sentences.append(
            "cleaned/label_weights.csv has the chance of each label, and models learn from each label as far as it is "
            "believed."
        )
    return sentences + list(outcome or ["Whether cleaning helps has not been measured yet."])


def _decided(decisions: Sequence[Decision]) -> list[str]:
    if not decisions:
        return ["No listing has been decided on yet."]
    # accepted suggestions were not reviewed
    looked = [decision for decision in decisions if decision.source != "suggestion"]
    unseen = [decision for decision in decisions if decision.source == "suggestion"]
    sentences = []
    if looked:
        people = Counter(decision.reviewer for decision in looked)
        names = joined([name for name, _ in people.most_common()])
        sentences.append(f"{names} decided on {many(len(looked), 'listing')}: {_actions(looked)}.")
    if unseen:
        verb = agree(len(unseen), "was", "were")
        sentences.append(f"{many(len(unseen), 'suggestion')} {verb} accepted without a review: {_actions(unseen)}.")
    return sentences


def _actions(decisions: Sequence[Decision]) -> str:
    counts = Counter(decision.action for decision in decisions)
    return joined([f"{counts[action]:,} {done}" for action, done in _DONE.items() if counts[action]])
