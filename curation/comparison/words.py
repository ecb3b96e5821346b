"""The outcome of a comparison in words and as Markdown: the same on the terminal, in the report, in a pull request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from curation.rendering.markdown import escaped, table
from curation.rendering.words import signed

if TYPE_CHECKING:
    from training.evaluation.bootstrap import Difference

__all__ = ["CONTROLS", "blocks", "markdown", "sentence"]

#: What each control is, in a few words.
CONTROLS = {
    "random_deletion": "as many listings deleted at random",
    "all_suggestions": "every suggestion accepted blindly",
    "relabelled_only": "relabelled only, nothing deleted",
    "deleted_only": "deleted only, nothing relabelled",
    "correct_labels": "all labels correct",
}


def sentence(
    before: Mapping[str, Any], after: Mapping[str, Any], difference: Difference, listings: int, control: str = ""
) -> str:
    """Say the outcome in one line.

    Parameters
    ----------
    before, after : mapping
        With ``macro_f1`` and ``macro_f1_by_seed``.
    difference : Difference
        Of macro-F1.
    listings : int
        Of the test set.
    control : str
        The control that is told of; by default the cleaning.
    """
    number = len(after["macro_f1_by_seed"])
    seeds = f"{number} seed{'s' * (number > 1)}"
    if difference.verdict == "no difference":
        outcome = f"no difference that this test set can show (it could show ±{difference.could_show:.3f})"
    else:
        outcome = f"{CONTROLS[control] if control else 'cleaning'} {difference.verdict}"
    return (
        f"macro-F1 {before['macro_f1']:.3f} → {after['macro_f1']:.3f} ({signed(difference.mean)}, 95 % interval "
        f"{signed(difference.low)} to {signed(difference.high)}, {listings} test listings, {seeds}): {outcome}"
    )


def markdown(result: Mapping[str, Any]) -> str:
    """Return a comparison as Markdown for a pull request.

    Parameters
    ----------
    result : mapping
        What ``comparison.json`` holds.
    """
    lines = [f"**{result['sentence']}**", ""]
    lines += [f"> {escaped(warning)}" for warning in result["warnings"]] + [""] * bool(result["warnings"])
    lines += _numbers(
        ["test labels", "macro-F1", "accuracy", "became right", "became wrong", "McNemar p"],
        [
            [
                what,
                _change(block, "macro_f1"),
                _change(block, "accuracy"),
                str(block["mcnemar"]["to_right"]),
                str(block["mcnemar"]["to_wrong"]),
                f"{block['mcnemar']['p']:.2g}",
            ]
            for what, block in blocks(result).items()
        ],
    )
    rows = [
        [
            name,
            *(f"{row['before'][key]:.2f} → {row['after'][key]:.2f}" for key in ("precision", "recall", "f1")),
            _interval(row["difference"]) if row["difference"] else "",
            f"{row['before']['support']:.0f}",
        ]
        for name, row in result["per_class"].items()
    ]
    lines += ["", *_numbers(["class", "precision", "recall", "F1", "F1 difference", "test listings"], rows)]
    for what, block in blocks(result).items():
        if "controls" in block:
            rows = [
                [CONTROLS[name], f"{control['macro_f1']:.3f}", _interval(control["difference"]), control["verdict"]]
                for name, control in block["controls"].items()
            ]
            lines += ["", f"Controls, {what}:", ""]
            lines += _numbers(["control", "macro-F1", "against before", "verdict"], rows)
    lines += ["", _how(result)]
    return "\n".join(lines)


def blocks(result: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the scores of a comparison by the test labels that they are against."""
    names = {"reviewed_test_labels": "labels as reviewed", "true_test_labels": "true labels"}
    return {"labels as given": result} | {what: result[key] for key, what in names.items() if key in result}


def _how(result: Mapping[str, Any]) -> str:
    train = result["train_listings"]
    return (
        f"{result['model']}; trained on {train['before']:,} listings before and {train['after']:,} after "
        f"({result['relabelled']:,} relabelled, {result['deleted']:,} deleted); seeds "
        f"{', '.join(map(str, result['seeds']))}; {result['test_listings']:,} test listings, fixed before detection."
    )


def _change(block: Mapping[str, Any], key: str) -> str:
    difference = block["difference" if key == "macro_f1" else "accuracy_difference"]
    return f"{block['before'][key]:.3f} → {block['after'][key]:.3f} ({_interval(difference)})"


def _interval(difference: Mapping[str, float]) -> str:
    return ", ".join([signed(difference["mean"]), f"{signed(difference['low'])} to {signed(difference['high'])}"])


def _numbers(headings: list[str], rows: list[list[str]]) -> list[str]:
    return table(headings, rows, right=range(1, len(headings)))
