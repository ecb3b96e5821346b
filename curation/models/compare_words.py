"""A comparison of models in words, as a table, and as Markdown: on the terminal, in a file, in a pull request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curation.errors import some
from curation.rendering.markdown import escaped, table

__all__ = ["columns", "markdown", "notes", "sentence"]

_NAMES = {"macro_f1": "macro-F1", "accuracy": "accuracy", "mae": "MAE", "median_ae": "median error"}


def columns(result: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the cells of the table by heading, best candidate first.

    Parameters
    ----------
    result : mapping
        What ``models.json`` holds.
    """
    candidates, (first, second) = result["candidates"], result["scores"]
    folds = f"of {result['folds']} folds"

    def spread(score: str) -> list[str]:
        return [f"{_number(each['mean'][score], score)} ± {_number(each['sd'][score], score)}" for each in candidates]

    return {
        "model": [each["model"] for each in candidates],
        "optimizer": [each["optimizer"] for each in candidates],
        _NAMES[first]: [_number(each["pooled"][first], first) for each in candidates],
        f"behind the best{_currency(result)} (95 % interval)": [_behind(each, first) for each in candidates],
        f"{_NAMES[first]} {folds}": spread(first),
        f"{_NAMES[second]} {folds}": spread(second),
        "parameters (M)": [f"{each['parameters'] / 1e6:.3g}" for each in candidates],
        "seconds a fold": [_seconds(each["seconds_per_fold"]) for each in candidates],
        "epochs": [_range(each["epochs"]) for each in candidates],
    }


def sentence(result: Mapping[str, Any]) -> str:
    """Say which candidate won, and whether these listings can tell it from the next."""
    best, *others = result["candidates"]
    score, listings = result["scores"][0], f"these {result['listings']['train']:,} listings"
    value = f"{_NAMES[score]} {_number(best['pooled'][score], score)}{_currency(result)}"
    if not others:
        return f"{_named(best)}: {value} over {listings}; there is nothing to compare it with."
    following, difference = others[0], others[0]["behind"]
    far = f"{_number(difference['mean'], score)}{_currency(result)} behind"
    far += f" (95 % interval {_number(difference['low'], score)} to {_number(difference['high'], score)})"
    more = some(_named(each) for each in others[1:] if not each["told_apart"])
    if following["told_apart"]:
        verdict, why, also = "won", "more than the chance of which listings there are explains", "Not told from it:"
    else:
        could = f"about {_number((difference['high'] - difference['low']) / 2, score)}{_currency(result)}"
        verdict, why, also = "came first", f"less than {listings} can show ({could})", "Nor can they tell it from"
    parts = [f"{_named(best)} {verdict}: {value}.", f"The next, {_named(following)}, is {far}: {why}."]
    parts += [f"{also} {more}."] * bool(more)
    return " ".join(parts)


def notes(result: Mapping[str, Any]) -> list[str]:
    """Say what the numbers are of."""
    counts, score = result["listings"], _NAMES[result["scores"][0]]
    lines = [
        f"{score}: over all {counts['train']:,} training listings, each told by the model of the other folds; the same "
        f"{result['folds']} folds for all. The {counts['test']:,} test listings had no part.",
        "The interval holds the chance of which listings there are, not that of training with another seed.",
        "The best of several looks better than it is: what it is worth says the test set.",
    ]
    side_by_side = max(each["side_by_side"] for each in result["candidates"])
    seconds = "Seconds are wall-clock, of all folds divided by their number"
    lines.append(f"{seconds}; {side_by_side} at a time shared the cores." if side_by_side > 1 else f"{seconds}.")
    return lines


def markdown(result: Mapping[str, Any]) -> str:
    """Return a comparison of models as Markdown.

    Parameters
    ----------
    result : mapping
        What ``models.json`` holds.
    """
    cells = columns(result)
    lines = [f"**{escaped(result['sentence'])}**", ""]
    lines += [f"> {escaped(warning)}" for warning in result["warnings"]] + [""] * bool(result["warnings"])
    lines += table(list(cells), list(zip(*cells.values(), strict=True)), right=range(2, len(cells)))
    lines += ["", *(f"- {escaped(note)}" for note in notes(result))]
    lines += ["", "The best, trained on all training listings and scored on the test set:", ""]
    return "\n".join([*lines, f"    {result['next']}"])


def _named(candidate: Mapping[str, Any]) -> str:
    return f"{candidate['model']} with {candidate['optimizer']}"


def _currency(result: Mapping[str, Any]) -> str:
    return f" {result['currency']}" if result["target"] == "price" and result["currency"] else ""


def _behind(candidate: Mapping[str, Any], score: str) -> str:
    if candidate["behind"] is None:
        return "best"
    mean, low, high = (_number(candidate["behind"][key], score) for key in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def _number(value: float, score: str) -> str:
    text = f"{value:.3f}" if score in ("macro_f1", "accuracy") else f"{value:,.2f}"
    return text.replace("-", "−")


def _seconds(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"
