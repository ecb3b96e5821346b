"""Whether a run was started with the same settings and data, and what differs, in a person's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from curation.errors import some

__all__ = ["Difference", "differences", "in_words"]

#: What is no argument of the API, by its key in ``run.json``.
_WORDS = {
    "path": "dataset",
    "name": "dataset called",
    "root": "photos in",
    "photos": "photos in",
    "currency": "currency",
    "classes": "classes",
    "listings": "listings",
    "merged": "merged labels",
    "sha256": "table with the hash",
    "probabilities_sha256": "probabilities with the hash",
    "embeddings": "embeddings of",
    "embeddings_sha256": "embeddings with the hash",
    "candidates": "candidates",
    "decisions": "number of decisions",
    "decisions_sha256": "decisions with the hash",
}
#: Characters of a hash that tell two apart.
_HASH = 8
#: What follows from another table, and from another dataset.
_OF_TABLE = {"name", "root", "photos", "currency", "classes", "listings", "merged"}
_OF_DATASET = {*_OF_TABLE, "sha256", "columns"}


class Difference(NamedTuple):
    """A fact that is not as recorded.

    Attributes
    ----------
    key : str
        In ``run.json``, below its sections, e.g. ``settings.train.epochs``.
    recorded, given
        Its values; None where there is none.
    """

    key: str
    recorded: Any
    given: Any

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition(".")[2]


def differences(record: Mapping[str, Any], facts: Mapping[str, Any], above: str = "") -> list[Difference]:
    """Return the facts that are not as recorded.

    Parameters
    ----------
    record : mapping
        ``run.json``, or a section of it.
    facts : mapping
        ``dataset``, ``settings`` and ``seed``, or a section of them; of these alone a section is compared as a whole.
    above : str
        The key of the section, and a dot.
    """
    found = []
    for key, value in facts.items():
        recorded = record.get(key)
        # a mapping of columns is one argument
        if isinstance(value, dict) and isinstance(recorded, dict) and key != "columns":
            found += differences(recorded, value, f"{above}{key}.")
            found += [
                Difference(f"{above}{key}.{gone}", recorded[gone], None) for gone in recorded if gone not in value
            ]
        elif recorded != value:
            found.append(Difference(f"{above}{key}", recorded, value))
    return found


def in_words(found: list[Difference]) -> tuple[str, str]:
    """Return what was given and what is recorded, up to five each.

    Settings are named as arguments of the API, in backquotes.

    What only follows from another dataset or table is left out.
    """
    names = {each.name for each in found if each.key.startswith("dataset.")}
    implied = _OF_DATASET if "path" in names else _OF_TABLE if "sha256" in names else set[str]()
    told = {each.name: each for each in found if not (each.key.startswith("dataset.") and each.name in implied)}
    given = some(_typed(each.name, each.given, each.recorded) for each in told.values())
    return given, some(_typed(each.name, each.recorded, each.given) for each in told.values())


def _typed(name: str, value: Any, other: Any) -> str:
    if name in _WORDS:
        return f"{_WORDS[name]} {_shown(name, value, other)}"
    if value is None or value is False or value in ([], {}):
        return f"no `{name}`"
    argument = f"{name}={value!r}"
    return f"`{argument}`"


def _shown(name: str, value: Any, other: Any) -> str:
    if name.endswith("sha256") and isinstance(value, list):
        return some([each[:_HASH] for each in value], 3)
    if isinstance(value, list) and isinstance(other, list):
        own = [each for each in value if each not in other]
        return some(own, 3) if own else f"without {some([each for each in other if each not in value], 3) or 'order'}"
    if name.endswith("sha256"):
        return str(value)[:_HASH]
    return "none" if value is None else str(value)
