"""The findings of `explore` in plain sentences, the same in the terminal and on the page."""

from __future__ import annotations

from typing import Any

from curation.errors import some

__all__ = ["notes"]

_NAMED = 5


def notes(findings: dict[str, Any]) -> list[str]:
    """Say what stands out.

    Parameters
    ----------
    findings : dict
        As in ``explore.json``.

    Returns
    -------
    list of str
        One sentence or two each, the most important things first.
    """
    return [
        *_of_labels(findings["labels"]),
        *_of_photos(findings["photos"]),
        *_of_broken(findings["unreadable"], findings["photos"]),
        *_of_duplicates(findings["duplicates"]),
        *_of_prices(findings["prices"], findings["listings"]),
        *_of_bad_values(findings["bad_values"]),
    ]


def _of_labels(labels: dict[str, Any]) -> list[str]:
    classes = labels["per_class"]
    said = []
    if len(classes) == 1:
        said.append("There is one class only; find-issues needs two.")
    else:
        most, least = classes[0], classes[-1]
        said.append(
            f"{len(classes):,} classes: {most['class']} has most listings ({most['listings']:,}), {least['class']} "
            f"fewest ({least['listings']:,}); the median class has {labels['median']:,.0f}."
        )
        needy = [f"{row['class']} ({row['listings']:,})" for row in reversed(classes) if row["hint"]]
        if needy:
            few = "1 class needs" if len(needy) == 1 else f"{len(needy):,} classes need"
            said.append(
                f"{few} balancing: {some(needy, _NAMED)}. "
                "Find more of their listings, or merge them with another class."
            )
        else:
            said.append("No class needs balancing.")
    if labels["without_label"]:
        said.append(f"{_listings(labels['without_label'])} without a label.")
    return said


def _of_photos(photos: dict[str, Any]) -> list[str]:
    said = []
    if photos["looked_at"] < photos["listings"]:
        said.append(
            f"Photo sizes and unreadable photos are of a sample: {photos['looked_at']:,} of {photos['listings']:,}, "
            f"chosen by seed {photos['seed']}."
        )
    if photos["suggested_size"] is not None:
        size = photos["suggested_size"]
        wide, high = photos["width"]["median"], photos["height"]["median"]
        said.append(
            f"The median photo has {wide:,.0f} × {high:,.0f} pixels. Suggested input size: {size} "
            f"pixels, which enlarges {photos['enlarged']:.0%} of the photos; a smaller one is faster."
        )
    return said


def _of_broken(unreadable: dict[str, Any], photos: dict[str, Any]) -> list[str]:
    if not unreadable["listings"]:
        return []
    reasons = some((f"{why} ({count:,})" for why, count in unreadable["reasons"].items()), _NAMED)
    of = f"{unreadable['listings']:,} of {photos['looked_at']:,} photos can't be read"
    return [f"{of}: {reasons}."]


def _of_duplicates(duplicates: dict[str, Any]) -> list[str]:
    if not duplicates["groups"]:
        return []
    several = duplicates["with_different_labels"]
    photos = "1 photo is" if duplicates["groups"] == 1 else f"{duplicates['groups']:,} photos are"
    under = f"; {several:,} of them under different labels" if several else ""
    return [f"{photos} in more than one listing ({duplicates['listings']:,} listings, the same file){under}."]


def _of_prices(prices: dict[str, Any] | None, listings: int) -> list[str]:
    if prices is None:
        return ["There are no prices, so there will be no price issues."]
    said = []
    if prices["zero"]:
        said.append(f"{_listings(prices['zero'])} with a price of 0, which the plot leaves out.")
    if prices["missing"]:
        said.append(f"{_listings(prices['missing'])} without a price ({prices['missing'] / listings:.0%}).")
    return said


def _of_bad_values(bad: list[dict[str, Any]]) -> list[str]:
    if not bad:
        return []
    kinds = some((f"{row['column']} {row['why']} ({row['rows']:,})" for row in bad), _NAMED)
    return [f"Bad values, taken as missing: {kinds}."]


def _listings(count: int) -> str:
    return f"{count:,} listing{'s' * (count != 1)}"
