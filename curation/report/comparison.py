"""Before and after: `comparison.json` as text and bars that are ready to be shown.

Runs of earlier versions have fewer keys; what is not there is None or empty here, and is not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from curation.comparison.words import CONTROLS
from curation.rendering.words import many, number, percent, sentence, signed
from curation.report.cards import Cards
from curation.report.confusion import confusion

__all__ = ["comparison", "outcome"]

Found = Mapping[str, Any]

_CLASSES = 40
_CHANGES = 20
_FLIPS = 12
#: Half of the width of a bar of an interval.
_HALF = 56
_MIDDLE = 60
_ACTIONS = {"relabel": "relabelled", "delete": "deleted"}
_SOURCES = {"person": "a person", "suggestion": "accepted suggestion"}


def outcome(found: Found) -> list[str]:
    """Say in sentences whether cleaning helped; by other test labels, too, where they say something else."""
    words = {"helped": "Cleaning helped", "hurt": "Cleaning hurt"}
    said = words.get(found["verdict"], "This test set can't tell whether cleaning helped")
    sentences = [f"{said}: macro-F1 {_from_to(found)}."]
    for name, key in (
        ("the test labels as people left them", "reviewed_test_labels"),
        ("true labels", "true_test_labels"),
    ):
        scores = found.get(key)
        if scores and scores["verdict"] != found["verdict"]:
            did = {"helped": "it helped", "hurt": "it hurt"}.get(scores["verdict"], "no difference shows")
            sentences.append(f"Scored with {name}, {did}: {_from_to(scores)}.")
    return sentences


def _from_to(scores: Found) -> str:
    before, after, difference = scores["before"]["macro_f1"], scores["after"]["macro_f1"], scores["difference"]
    return f"{before:.3f} → {after:.3f} ({signed(difference['mean'])}, 95 % interval {_range(difference)})"


def comparison(found: Found, cards: Cards, classes: Sequence[str]) -> dict[str, Any]:
    """Return what the template shows of a comparison.

    Parameters
    ----------
    found : mapping
        ``comparison.json``.
    cards : Cards
        Shows the listings that changed sides.
    classes : sequence of str
        The order of the classes in matrices.
    """
    return {
        "side": {"helped": "good", "hurt": "bad"}.get(found["verdict"], "even"),
        "headline": sentence(found["sentence"]) if found.get("sentence") else outcome(found)[0],
        "setup": _setup(found),
        "warnings": [sentence(warning) for warning in found.get("warnings", [])],
        "scores": _scores(found),
        "others": _other_labels(found),
        "classes": _classes(found),
        "changes": _changes(found),
        "training": _training(found),
        "controls": _controls(found),
        "confusion": confusion(found.get("confusion", []), classes),
        "flips": _flips(found, cards),
    }


def _setup(found: Found) -> list[str]:
    """Return how it was compared, in sentences."""
    seeds, test = found.get("seeds", []), many(found["test_listings"], "test listing")
    groups = f" in {many(found['test_groups'], 'group')}" if "test_groups" in found else ""
    sentences = [f"{test}{groups}, fixed before detection; {many(len(seeds), 'seed')}."]
    if "relabelled" in found:
        sentences.append(
            f"{many(found['relabelled'], 'training listing')} relabelled, {found.get('deleted', 0):,} deleted."
        )
    if found.get("left_out_like_test"):
        left_out = many(found["left_out_like_test"], "listing")
        sentences.append(f"{left_out} with the photo or the group of a test listing train no model.")
    if found.get("model"):
        sentences.append(f"Model: {str(found['model']).rstrip('.')}.")
    if found.get("could_show") is not None:
        sentences.append(f"This test set tells differences in macro-F1 from {found['could_show']:.3f} on from none.")
    if found.get("mcnemar"):
        right, wrong, p = (found["mcnemar"][key] for key in ("to_right", "to_wrong", "p"))
        sentences.append(f"{many(right, 'answer')} became right and {wrong:,} wrong (McNemar's test: p = {p:.2g}).")
    by_seed = [found[side].get("macro_f1_by_seed", []) for side in ("before", "after")]
    if len(seeds) > 1 and all(by_seed):
        before, after = (", ".join(f"{value:.3f}" for value in values) for values in by_seed)
        sentences.append(f"Macro-F1 by seed: {before} before, {after} after.")
    return sentences


def _scores(found: Found) -> list[dict[str, Any]]:
    differences = [found.get("difference"), found.get("accuracy_difference")]
    bars = _intervals(differences)
    rows = []
    for name, key, bar in zip(("Macro-F1", "Accuracy"), ("macro_f1", "accuracy"), bars, strict=True):
        if key in found["before"]:
            before, after = found["before"][key], found["after"][key]
            rows.append({"name": name, "before": f"{before:.3f}", "after": f"{after:.3f}", "interval": bar})
    return rows


def _blocks(found: Found) -> list[tuple[str, Found, str]]:
    """Return the labels that the same answers were scored with: their name, the scores, and how many there are."""
    reviewed, true = found.get("reviewed_test_labels"), found.get("true_test_labels")
    blocks = [("As given", found, "")]
    if reviewed:
        # earlier versions did not count them
        count = f" ({reviewed['decided']:,} decided)" if "decided" in reviewed else ""
        blocks.append(("As people left them", reviewed, count))
    if true:
        blocks.append(("True", true, f" ({true['listings']:,} known)"))
    return blocks


def _other_labels(found: Found) -> list[dict[str, Any]]:
    """Return macro-F1 by each kind of test labels; empty where there is one kind only."""
    blocks = _blocks(found)
    bars = _intervals([scores["difference"] for _, scores, _ in blocks])
    rows = [
        {
            "name": name + count,
            "before": f"{scores['before']['macro_f1']:.3f}",
            "after": f"{scores['after']['macro_f1']:.3f}",
            "interval": bar,
        }
        for (name, scores, count), bar in zip(blocks, bars, strict=True)
    ]
    return rows if len(blocks) > 1 else []


def _classes(found: Found) -> dict[str, Any]:
    """Return the classes that changed most, from the best change to the worst; untested ones last."""
    rows = [(name, scores, scores.get("difference")) for name, scores in found.get("per_class", {}).items()]
    rows.sort(key=lambda row: -abs(row[2]["mean"]) if row[2] else 1.0)
    shown = sorted(rows[:_CLASSES], key=lambda row: -row[2]["mean"] if row[2] else float("inf"))
    bars = _intervals([difference for _, _, difference in shown])
    return {
        "of": len(rows),
        "rows": [
            {
                "name": name,
                "scores": [
                    f"{scores['before'][key]:.2f} → {scores['after'][key]:.2f}" if difference else "–"
                    for key in ("f1", "precision", "recall")
                ],
                "interval": bar,
                "support": f"{scores['before']['support']:,.0f}",
            }
            for (name, scores, difference), bar in zip(shown, bars, strict=True)
        ],
    }


def _changes(found: Found) -> dict[str, Any]:
    changes = found.get("changes", [])
    rows = [
        {
            "action": _ACTIONS.get(change["action"], change["action"]),
            "old": change["old_label"] or "no label",
            "new": change["new_label"] or "",
            "source": _SOURCES.get(change["source"], change["source"]),
            "listings": f"{change['listings']:,}",
        }
        for change in changes[:_CHANGES]
    ]
    return {"rows": rows, "of": len(changes)}


def _training(found: Found) -> dict[str, Any]:
    """Return the classes whose training listings changed, the most changed ones first."""
    keys = ("relabelled_to", "relabelled_away", "deleted")
    changed = [(name, row) for name, row in found.get("training", {}).items() if any(row[key] for key in keys)]
    changed.sort(key=lambda item: -sum(item[1][key] for key in keys))
    rows = [
        {"name": name, "counts": [f"{row[key]:,}" for key in ("before", *keys, "after")]}
        for name, row in changed[:_CLASSES]
    ]
    return {"rows": rows, "of": len(changed)}


def _controls(found: Found) -> list[dict[str, Any]]:
    """Return a table for each kind of test labels that the controls were scored with."""
    tables = []
    for name, scores, _ in _blocks(found):
        controls = scores.get("controls") or {}
        # what was cleaned stands beside them, on the same scale
        versions = [("The fixes", {**scores["after"], **{key: scores[key] for key in ("difference", "verdict")}})]
        versions += [(_capital(CONTROLS.get(key, key.replace("_", " "))), control) for key, control in controls.items()]
        bars = _intervals([version["difference"] for _, version in versions])
        rows = [
            {"name": what, "macro_f1": f"{version['macro_f1']:.3f}", "interval": bar, "verdict": version["verdict"]}
            for (what, version), bar in zip(versions, bars, strict=True)
        ]
        if controls:
            tables.append({"labels": name, "rows": rows, "share": _share_of_possible(scores)})
    return tables


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _share_of_possible(found: Found) -> str | None:
    if "share_of_possible" not in found:
        return None
    share = found["share_of_possible"]
    if share is None:
        return "Correct labels show no gain themselves, so there is no share of the possible gain to tell."
    low, high = (f"{100 * share[key]:.0f}".replace("-", "−") for key in ("low", "high"))
    gained = percent(share["mean"]) if share["mean"] >= 0 else f"−{percent(-share['mean'])}"
    return f"The fixes brought {gained} of what correct labels would bring (95 % interval {low} to {high} %)."


def _flips(found: Found, cards: Cards) -> list[dict[str, Any]]:
    flips, seeds = found.get("flips") or {}, len(found.get("seeds", []))
    sides = []
    for key, title in (("to_right", "Wrong before, right after"), ("to_wrong", "Right before, wrong after")):
        listed = flips.get(key, [])
        by_id = cards.of(flip["id"] for flip in listed[:_FLIPS])
        shown = [
            {
                "card": by_id[flip["id"]],
                "label": flip["label"],
                "before": _answer(flip["before"], flip["before_right"], seeds),
                "after": _answer(flip["after"], flip["after_right"], seeds),
            }
            for flip in listed[:_FLIPS]
            if flip["id"] in by_id
        ]
        if shown:
            sides.append({"title": title, "count": len(listed), "shown": shown})
    return sides


def _answer(answer: str, right: float, seeds: int) -> str:
    return f"{answer}, right in {number(right * seeds)} of {seeds} seeds" if seeds > 1 else answer


def _intervals(differences: Iterable[Mapping[str, float] | None]) -> list[dict[str, Any] | None]:
    """Return bars of 95 % intervals, all on the same scale, 0 in the middle."""
    listed = list(differences)
    ends = [abs(difference[key]) for difference in listed if difference for key in ("low", "high", "mean")]
    scale = _HALF / max([*ends, 0.01])
    return [_bar(difference, scale) if difference else None for difference in listed]


def _bar(difference: Mapping[str, float], scale: float) -> dict[str, Any]:
    low, mean, high = (difference[key] for key in ("low", "mean", "high"))
    return {
        "mean": signed(mean),
        "range": _range(difference),
        "side": "good" if low > 0 else "bad" if high < 0 else "even",
        "low_at": f"{_MIDDLE + scale * low:.1f}",
        "mean_at": f"{_MIDDLE + scale * mean:.1f}",
        "width": f"{scale * (high - low):.1f}",
    }


def _range(difference: Mapping[str, float]) -> str:
    return f"{signed(difference['low'])} to {signed(difference['high'])}"
