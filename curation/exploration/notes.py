"""The findings of `explore` in plain sentences, the same in the terminal and on the page."""

from __future__ import annotations

from typing import Any

from curation.errors import some
from curation.rendering.words import agree, many

__all__ = ["notes"]

_NAMED = 5


def notes(findings: dict[str, Any]) -> list[str]:
    """Describe what stands out.

    Parameters
    ----------
    findings : dict
        As in ``explore.json``.

    Returns
    -------
    list of str
        One or two sentences each, the most important first.
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
    if not classes:
        return ["No listing has a label, but finding issues takes at least two classes."]
    if len(classes) == 1:
        sentences = ["There is only one class, but finding issues takes at least two."]
    else:
        most, least = classes[0], classes[-1]
        sentences = [
            f"{len(classes):,} classes: {most['class']} has the most listings ({most['listings']:,}), {least['class']} "
            f"the fewest ({least['listings']:,}); the median class has {labels['median']:,.0f}."
        ]
        needy = [f"{row['class']} ({row['listings']:,})" for row in reversed(classes) if row["hint"]]
        if needy:
            need = f"{many(len(needy), 'class', 'classes')} {agree(len(needy), 'needs', 'need')} balancing"
            them = agree(len(needy), "it", "them")
            sentences.append(
                f"{need}: {some(needy, _NAMED)}. Collect more listings of {them}, or merge {them} with another class."
            )
        else:
            sentences.append("No class needs balancing.")
    if separator := labels["separator"]:
        sentences.append(
            f"{separator['classes']:,} of {many(len(classes), 'class', 'classes')} have {separator['text']!r} in their "
            f"name. If it stands between levels, such as a category and its parts, add "
            f"`label_separator={separator['text']!r}`: confusions within a parent are then told apart from others."
        )
    if without := labels["without_label"]:
        sentences.append(f"{many(without, 'listing')} {agree(without, 'has', 'have')} no label.")
    return sentences


def _of_photos(photos: dict[str, Any]) -> list[str]:
    sentences = []
    if photos["looked_at"] < photos["listings"]:
        sentences.append(
            f"Photo sizes and unreadable photos are from a sample: {photos['looked_at']:,} of {photos['listings']:,}, "
            f"drawn with seed {photos['seed']}."
        )
    if photos["suggested_size"] is not None:
        size = photos["suggested_size"]
        wide, high = photos["width"]["median"], photos["height"]["median"]
        sentences.append(
            f"The median photo has {wide:,.0f} × {high:,.0f} pixels. Suggested input size: {size} "
            f"pixels, which enlarges {photos['enlarged']:.0%} of the photos; a smaller size is faster."
        )
    return sentences


def _of_broken(unreadable: dict[str, Any], photos: dict[str, Any]) -> list[str]:
    if not unreadable["listings"]:
        return []
    reasons = some((f"{why} ({count:,})" for why, count in unreadable["reasons"].items()), _NAMED)
    return [f"{unreadable['listings']:,} of {photos['looked_at']:,} photos can't be read: {reasons}."]


def _of_duplicates(duplicates: dict[str, Any]) -> list[str]:
    if not (groups := duplicates["groups"]):
        return []
    photos = f"{many(groups, 'photo')} {agree(groups, 'occurs', 'occur')} in more than one listing"
    several = duplicates["with_different_labels"]
    under = f", {several:,} of them under different labels" if several else ""
    return [f"{photos} ({duplicates['listings']:,} listings in all, with identical files){under}."]


def _of_prices(prices: dict[str, Any] | None, listings: int) -> list[str]:
    if prices is None:
        return ["There are no prices, so there will be no price issues."]
    sentences = []
    if zero := prices["zero"]:
        sentences.append(f"{many(zero, 'listing')} {agree(zero, 'costs', 'cost')} 0, which the plot leaves out.")
    if missing := prices["missing"]:
        have = agree(missing, "has", "have")
        sentences.append(f"{many(missing, 'listing')} {have} no price ({missing / listings:.0%}).")
    return sentences


def _of_bad_values(bad: list[dict[str, Any]]) -> list[str]:
    if not bad:
        return []
    kinds = some((f"{row['column']} {row['why']} ({row['rows']:,})" for row in bad), _NAMED)
    return [f"Bad values, treated as missing: {kinds}."]
