"""Before and after: the text and bars of a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from curation.comparison import words
from curation.comparison.result import Comparison
from curation.comparison.scored import CORRECT, Difference, Flip, Scores
from curation.rendering.words import agree, many, number, sentence, signed
from curation.report.cards import Card, Cards
from curation.report.confusion import confusion

__all__ = ["comparison_section", "outcome"]

_CLASSES = 40
_CHANGES = 20
_FLIPS = 12
#: Half of the width of a bar of an interval.
_HALF = 56
_MIDDLE = 60
_ACTIONS = {"relabel": "relabelled", "delete": "deleted"}
_SOURCES = {"person": "a person", "suggestion": "accepted suggestion"}
_SIDES = {"helped": "good", "hurt": "bad", "no difference": "even"}


def outcome(comparison: Comparison) -> list[str]:
    """Say in sentences whether cleaning helped, and where other test labels give another verdict."""
    others = [block for block in words.scores_by_labels(comparison).items() if block[1].verdict != comparison.verdict]
    estimate = [words.estimate(comparison.estimated)] if comparison.estimated else []
    return [words.headline(comparison.given), *estimate, *(words.headline(scores, labels) for labels, scores in others)]


def comparison_section(comparison: Comparison, cards: Cards, classes: Sequence[str]) -> dict[str, Any]:
    """Return what the template shows of a comparison.

    Parameters
    ----------
    comparison : Comparison
        Of the run.
    cards : Cards
        Shows the listings that changed sides.
    classes : sequence of str
        The order of the classes in matrices.
    """
    return {
        "side": _SIDES[comparison.verdict],
        "headline": words.headline(comparison.given),
        "estimate": words.estimate(comparison.estimated) if comparison.estimated else "",
        "setup": _setup(comparison),
        "warnings": [sentence(warning) for warning in comparison.warnings],
        "scores": _scores(comparison.given),
        "others": _other_labels(comparison),
        "classes": _classes(comparison.given),
        "changes": _changes(comparison),
        "training": _training(comparison),
        "controls": _controls(comparison),
        "confusion": confusion(comparison.given.confusion, classes),
        "flips": _flips(comparison, cards),
    }


def _setup(comparison: Comparison) -> list[str]:
    """Return how it was compared, in sentences."""
    seeds, scores = comparison.seeds, comparison.given
    tests = f"{many(comparison.test_listings, 'test listing')} in {many(comparison.test_groups, 'group')}"
    sentences = [
        f"{tests}, fixed before detection; {many(len(seeds), 'seed')}.",
        f"Training listings: {words.changed(comparison)}.",
    ]
    if left_out := comparison.left_out_like_test:
        who, they = agree(left_out, "listing is", "listings are"), agree(left_out, "it shares", "they share")
        sentences.append(f"{left_out:,} {who} left out of training: {they} a photo or a group with a test listing.")
    sentences += [
        f"Model: {comparison.model.rstrip('.')}.",
        sentence(words.resolution(scores.difference, "macro-F1")),
        words.flipped(scores.mcnemar),
    ]
    if len(seeds) > 1:
        before, after = (
            ", ".join(f"{value:.3f}" for value in side.macro_f1_by_seed) for side in (scores.before, scores.after)
        )
        sentences.append(f"Macro-F1 by seed: {before} before, {after} after.")
    return sentences


def _scores(scores: Scores) -> list[dict[str, Any]]:
    before, after = scores.before, scores.after
    rows = [
        ("Macro-F1", before.macro_f1, after.macro_f1, scores.difference),
        ("Accuracy", before.accuracy, after.accuracy, scores.accuracy_difference),
    ]
    return _score_rows(rows)


def _other_labels(comparison: Comparison) -> list[dict[str, Any]]:
    """Return macro-F1 by each kind of test labels; empty where there is one kind only."""
    rows = [
        (name, scores.before.macro_f1, scores.after.macro_f1, scores.difference) for name, scores in _blocks(comparison)
    ]
    return _score_rows(rows) if len(rows) > 1 else []


def _score_rows(rows: Sequence[tuple[str, float, float, Difference]]) -> list[dict[str, Any]]:
    bars = _intervals([difference for *_, difference in rows])
    return [
        {"name": name, "before": f"{before:.3f}", "after": f"{after:.3f}", "interval": bar}
        for (name, before, after, _), bar in zip(rows, bars, strict=True)
    ]


def _blocks(comparison: Comparison) -> list[tuple[str, Scores]]:
    """Return the scores by test labels, whose names say how many of them are special."""
    blocks = [(_capital(labels), scores) for labels, scores in words.scores_by_labels(comparison).items()]
    counts = [""]
    if comparison.reviewed is not None:
        counts.append(f" ({comparison.reviewed.decided:,} decided)")
    if comparison.true is not None:
        counts.append(f" ({comparison.true.listings:,} known)")
    return [(name + count, scores) for (name, scores), count in zip(blocks, counts, strict=True)]


def _classes(scores: Scores) -> dict[str, Any]:
    """Return the classes that changed most, from the best change to the worst; untested ones last."""
    rows = list(scores.per_class.items())
    rows.sort(key=lambda row: -abs(row[1].difference.mean) if row[1].difference else 1.0)
    changed_most = rows[:_CLASSES]
    changed_most.sort(key=lambda row: -row[1].difference.mean if row[1].difference else float("inf"))
    bars = _intervals([change.difference for _, change in changed_most])
    for bar, (_, change) in zip(bars, changed_most, strict=True):
        if bar is not None and change.verdict is not None:
            bar["side"] = _SIDES[change.verdict]
    return {
        "of": len(rows),
        "claims": words.claims(scores),
        "rows": [
            {
                "name": name,
                "scores": [
                    f"{vars(change.before)[key]:.2f} → {vars(change.after)[key]:.2f}" if change.difference else "–"
                    for key in ("f1", "precision", "recall")
                ],
                "interval": bar,
                "support": f"{change.before.support:,.0f}",
            }
            for (name, change), bar in zip(changed_most, bars, strict=True)
        ],
    }


def _changes(comparison: Comparison) -> dict[str, Any]:
    rows = [
        {
            "action": _ACTIONS[change.action],
            "old": change.old_label or "no label",
            "new": change.new_label or "",
            "source": _SOURCES[change.source],
            "listings": f"{change.listings:,}",
        }
        for change in comparison.changes[:_CHANGES]
    ]
    return {"rows": rows, "of": len(comparison.changes)}


def _training(comparison: Comparison) -> dict[str, Any]:
    """Return the classes whose training listings changed, the most changed ones first."""
    moved = {
        name: (counts.relabelled_to, counts.relabelled_away, counts.deleted)
        for name, counts in comparison.training.items()
    }
    changed = sorted((name for name in moved if any(moved[name])), key=lambda name: -sum(moved[name]))
    rows = []
    for name in changed[:_CLASSES]:
        counts = comparison.training[name]
        rows.append({"name": name, "counts": [f"{count:,}" for count in (counts.before, *moved[name], counts.after)]})
    return {"rows": rows, "of": len(changed)}


def _controls(comparison: Comparison) -> list[dict[str, Any]]:
    """Return a table for each kind of test labels that the controls were scored with."""
    tables = []
    for labels, scores in words.scores_by_labels(comparison).items():
        if not scores.controls:
            continue
        # the fixes stand beside them, on the same scale
        versions = [("The fixes", scores.after.macro_f1, scores.difference)]
        versions += [
            (_capital(words.CONTROLS[name]), control.macro_f1, control.difference)
            for name, control in scores.controls.items()
        ]
        bars = _intervals([difference for *_, difference in versions])
        rows = [
            {"name": name, "macro_f1": f"{macro_f1:.3f}", "interval": bar, "verdict": difference.verdict}
            for (name, macro_f1, difference), bar in zip(versions, bars, strict=True)
        ]
        share = words.share_of_possible(scores.share_of_possible) if CORRECT in scores.controls else None
        tables.append({"labels": labels, "rows": rows, "share": share})
    return tables


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _flips(comparison: Comparison, cards: Cards) -> list[dict[str, Any]]:
    flips, seeds = comparison.given.flips, len(comparison.seeds)
    sides = []
    for title, flipped in (
        ("Wrong before, right after", flips.to_right),
        ("Right before, wrong after", flips.to_wrong),
    ):
        by_id = cards.of(flip.id for flip in flipped[:_FLIPS])
        shown = [_flip(flip, by_id[flip.id], seeds) for flip in flipped[:_FLIPS] if flip.id in by_id]
        if shown:
            sides.append({"title": title, "count": len(flipped), "shown": shown})
    return sides


def _flip(flip: Flip, card: Card, seeds: int) -> dict[str, Any]:
    return {
        "card": card,
        "label": flip.label,
        "before": _prediction(flip.before, flip.before_right, seeds),
        "after": _prediction(flip.after, flip.after_right, seeds),
    }


def _prediction(name: str, right: float, seeds: int) -> str:
    return f"{name}, right in {number(right * seeds)} of {seeds} seeds" if seeds > 1 else name


def _intervals(differences: Iterable[Difference | None]) -> list[dict[str, Any] | None]:
    """Return bars of 95 % intervals, all on the same scale, 0 in the middle."""
    listed = list(differences)
    ends = [abs(end) for each in listed if each for end in (each.low, each.high, each.mean)]
    scale = _HALF / max([*ends, 0.01])
    return [_bar(each, scale) if each else None for each in listed]


def _bar(difference: Difference, scale: float) -> dict[str, Any]:
    return {
        "mean": signed(difference.mean),
        "range": words.interval(difference),
        "side": _SIDES[difference.verdict],
        "low_at": f"{_MIDDLE + scale * difference.low:.1f}",
        "mean_at": f"{_MIDDLE + scale * difference.mean:.1f}",
        "width": f"{scale * (difference.high - difference.low):.1f}",
    }
