"""The outcome of a comparison in words: the same in the terminal, in the report, and in a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curation.errors import some
from curation.rendering.markdown import escaped, table
from curation.rendering.words import many, percent, signed

if TYPE_CHECKING:
    import pandas as pd

    from curation.comparison.estimated import Estimated
    from curation.comparison.result import Comparison, Retrained
    from curation.comparison.scored import Scores
    from training.evaluation.bootstrap import Difference, Discordant

__all__ = [
    "CONTROLS",
    "changed",
    "claims",
    "classes_table",
    "estimate",
    "facts_of_training",
    "flipped",
    "headline",
    "interval",
    "labels_table",
    "markdown",
    "resolution",
    "scores_by_labels",
    "sentence",
    "share_of_possible",
]

#: What each control trains on, in a few words.
CONTROLS = {
    "random_deletion": "as many listings deleted at random",
    "all_suggestions": "every suggestion accepted blindly",
    "relabelled_only": "relabelled only, nothing deleted",
    "deleted_only": "deleted only, nothing relabelled",
    "correct_labels": "all labels correct",
}


def scores_by_labels(comparison: Comparison) -> dict[str, Scores]:
    """Return the scores of a comparison by the test labels that they are against, those as given first."""
    blocks = {"labels as given": comparison.given}
    if comparison.reviewed is not None:
        blocks["labels as reviewed"] = comparison.reviewed.scores
    if comparison.true is not None:
        blocks["true labels"] = comparison.true.scores
    return blocks


def sentence(scores: Scores, control: str = "") -> str:
    """Say the outcome in one line.

    Parameters
    ----------
    scores : Scores
        Against one set of test labels.
    control : str
        The control to speak of; by default the cleaning.
    """
    version = scores.controls[control] if control else scores.after
    difference = scores.controls[control].difference if control else scores.difference
    if difference.verdict == "no difference":
        outcome = f"no measurable difference ({resolution(difference)})"
    else:
        outcome = f"{CONTROLS[control] if control else 'cleaning'} {difference.verdict}"
    size = f"{many(scores.listings, 'test listing')}, {many(len(version.macro_f1_by_seed), 'seed')}"
    return (
        f"macro-F1 {scores.before.macro_f1:.3f} → {version.macro_f1:.3f} ({signed(difference.mean)}, "
        f"95 % interval {interval(difference)}; {size}): {outcome}"
    )


def headline(scores: Scores, labels: str = "") -> str:
    """Say the outcome in a sentence that begins with the verdict.

    Parameters
    ----------
    scores : Scores
        Against one set of test labels.
    labels : str
        Name of those labels; left out for the labels as given.
    """
    before, after, difference = scores.before.macro_f1, scores.after.macro_f1, scores.difference
    change = f"{before:.3f} → {after:.3f} ({signed(difference.mean)}, 95 % interval {interval(difference)})."
    if labels:
        verdicts = {"helped": "cleaning helped", "hurt": "cleaning hurt"}
        return f"Scored with {labels}, {verdicts.get(scores.verdict, 'no difference is measurable')}: {change}"
    verdicts = {"helped": "Cleaning helped", "hurt": "Cleaning hurt"}
    verdict = verdicts.get(scores.verdict, "This test set can't show whether cleaning helped")
    return f"{verdict}: macro-F1 {change}"


def estimate(made: Estimated) -> str:
    """Say the difference on true labels that few reviewed ones and the belief in the others give, in a sentence."""
    verdicts = {"helped": "cleaning helped", "hurt": "cleaning hurt"}
    known = f"{many(made.reviewed, 'drawn and reviewed test listing')} of {made.of:,}"
    known += f", {made.decided_before:,} decided before" * bool(made.decided_before)
    alone = made.reviewed_alone
    return (
        f"On true labels, estimated, {verdicts.get(made.verdict, 'no difference is measurable')}: macro-F1 "
        f"{signed(made.difference.mean)} (95 % interval {interval(made.difference)}; {known}; the reviewed ones alone: "
        f"{interval(alone)})."
    )


def resolution(difference: Difference, score: str = "") -> str:
    """Say how small a difference the test set can detect.

    Parameters
    ----------
    difference : Difference
        What was measured.
    score : str
        Name of the score; without one, the sentence leaves it out.
    """
    what = f"a difference in {score}" if score else "a difference"
    return f"this test set can detect {what} of about {difference.could_show:.3f} or more"


def interval(difference: Difference) -> str:
    """Write the bounds of an interval."""
    return f"{signed(difference.low)} to {signed(difference.high)}"


def flipped(mcnemar: Discordant) -> str:
    """Say how many predictions became right and wrong."""
    became = f"{many(mcnemar.to_right, 'prediction')} became right, {mcnemar.to_wrong:,} became wrong"
    return f"{became} (McNemar's test: p = {mcnemar.p:.2g})."


def claims(scores: Scores) -> str:
    """Say which classes were helped or hurt, by what holds among so many classes."""
    tested = sum(row.difference is not None for row in scores.per_class.values())
    named = {
        verdict: [name for name, row in scores.per_class.items() if row.verdict == verdict]
        for verdict in ("helped", "hurt")
    }
    parts = [f"{verdict} {some(names)}" for verdict, names in named.items() if names]
    found = "; ".join(parts) or "no change can be shown in any"
    return (
        f"{many(tested, 'class', 'classes')} compared: {found} (false discovery rate of 5 %, Benjamini-Yekutieli; the "
        "intervals of single classes are not corrected for their number)."
    )


def share_of_possible(share: Difference | None) -> str:
    """Say how much of the gain that correct labels bring is reached; None: they bring no gain that can be shown."""
    if share is None:
        return "Correct labels show no gain themselves, so the share of the possible gain is unknown."
    mean, low, high = ("−" * (value < 0) + percent(abs(value)) for value in (share.mean, share.low, share.high))
    return f"The fixes bring {mean} of the gain that correct labels bring (95 % interval {low} to {high})."


def changed(result: Comparison | Retrained) -> str:
    """Say how many training listings the fixes changed."""
    weighted = f", {result.weighted:,} weighted by the chance of their label" if result.weighted else ""
    return f"{result.relabelled:,} relabelled, {result.deleted:,} deleted{weighted}"


def facts_of_training(result: Comparison | Retrained) -> list[tuple[str, str]]:
    """Return how the models were trained, as pairs of a name and a text."""
    return [
        ("model", result.model),
        ("training listings", ", ".join(f"{number:,} {name}" for name, number in result.train_listings.items())),
        ("changed", changed(result)),
        ("test listings", f"{result.test_listings:,}, fixed before detection"),
        ("seeds", ", ".join(map(str, result.seeds))),
        *(("warning", warning) for warning in result.warnings),
    ]


def labels_table(comparison: Comparison) -> pd.DataFrame:
    """Return the scores by test labels as a table of text."""
    import pandas as pd

    rows = [
        {
            "test labels": labels,
            "macro-F1": _change(scores.before.macro_f1, scores.after.macro_f1, scores.difference),
            "accuracy": _change(scores.before.accuracy, scores.after.accuracy, scores.accuracy_difference),
            "became right": f"{scores.mcnemar.to_right:,}",
            "became wrong": f"{scores.mcnemar.to_wrong:,}",
            "McNemar p": f"{scores.mcnemar.p:.2g}",
        }
        for labels, scores in scores_by_labels(comparison).items()
    ]
    return pd.DataFrame(rows)


def classes_table(comparison: Comparison) -> pd.DataFrame:
    """Return the scores of each class as a table of text."""
    import pandas as pd

    rows = []
    for name, row in comparison.given.per_class.items():
        sides = [vars(row.before), vars(row.after)]
        keys = {"precision": "precision", "recall": "recall", "f1": "F1"}
        rows.append(
            {
                "class": name,
                **{title: f"{sides[0][key]:.2f} → {sides[1][key]:.2f}" for key, title in keys.items()},
                "F1 difference": _with_interval(row.difference) if row.difference else "",
                "test listings": f"{row.before.support:,.0f}",
            }
        )
    return pd.DataFrame(rows)


def markdown(comparison: Comparison) -> str:
    """Return a comparison as Markdown for a pull request."""
    lines = [f"**{comparison.sentence}**", ""]
    lines += [estimate(comparison.estimated), ""] if comparison.estimated else []
    lines += [f"> {escaped(warning)}" for warning in comparison.warnings] + [""] * bool(comparison.warnings)
    lines += _numbers(labels_table(comparison))
    lines += ["", *_numbers(classes_table(comparison)), "", escaped(claims(comparison.given))]
    for labels, scores in scores_by_labels(comparison).items():
        if scores.controls:
            rows = [
                [CONTROLS[name], f"{each.macro_f1:.3f}", _with_interval(each.difference), each.difference.verdict]
                for name, each in scores.controls.items()
            ]
            lines += ["", f"Controls, {labels}:", ""]
            lines += table(["control", "macro-F1", "against before", "verdict"], rows, right=range(1, 4))
    return "\n".join([*lines, "", _how(comparison)])


def _how(comparison: Comparison) -> str:
    train = comparison.train_listings
    return (
        f"{escaped(comparison.model)}; trained on {train['before']:,} listings before and {train['after']:,} after "
        f"({changed(comparison)}); seeds "
        f"{', '.join(map(str, comparison.seeds))}; {comparison.test_listings:,} test listings, fixed before detection."
    )


def _change(before: float, after: float, difference: Difference) -> str:
    return f"{before:.3f} → {after:.3f} ({_with_interval(difference)})"


def _with_interval(difference: Difference) -> str:
    return f"{signed(difference.mean)}, {interval(difference)}"


def _numbers(frame: pd.DataFrame) -> list[str]:
    return table(list(frame.columns), frame.to_numpy().tolist(), right=range(1, len(frame.columns)))
