"""The shapes of the JSON files of a run, which may be damaged or a colleague's: checked before they are used."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from training.settings import preset_today

__all__ = [
    "COMPARISON",
    "FINISHED_RECORD",
    "ISSUES_COLUMNS",
    "LISTINGS_COLUMNS",
    "MANIFEST",
    "RECORD",
    "STARTED_RECORD",
    "misfit",
    "named_as_today",
    "started_by",
]

_NUMBER = (int, float)
_TEXTS = [str]
#: The commands that start a run.
_STARTING = ("find-issues", "train", "tune", "compare-models")
#: Of ``run.json``; a key with a question mark may be missing, or null.
RECORD = {
    "status?": str,
    "started?": str,
    "command?": _TEXTS,
    "dataset?": {
        **{"name?": str, "path?": str, "root?": str, "photos?": str, "currency?": str, "sha256?": str},
        **{"classes?": _TEXTS, "columns?": dict, "listings?": int},
    },
    "settings?": {"train?": dict},
    "seconds?": dict,
    "versions?": dict,
    "features?": str,
    "embeddings?": dict,
    "photo_root?": str,
    "features_of?": str,
    "titles_of?": str,
    "image_size?": int,
    "learned?": {"from": str, "decisions": int},
    "since?": {"from": str, "classes": _TEXTS, "apart?": _TEXTS},
}
#: What ``listings.parquet`` and ``issues.parquet`` have, those of earlier versions, too.
LISTINGS_COLUMNS = ("id", "label")
ISSUES_COLUMNS = ("id", "given_label", "is_label_issue", "suggested_label", "suggested_confidence")
#: What every started run has, and every finished one.
STARTED_RECORD = {"status": str, "dataset": {"path": str}}
FINISHED_RECORD = {
    "dataset": {"name": str, "path": str, "root": str, "photos?": str, "classes": _TEXTS},
    "settings": {"train": dict},
}
#: What a row of all runs shows of ``cleaned/manifest.json`` and ``comparison.json``.
MANIFEST = {"relabelled": int, "deleted": int, "repriced?": int, "decisions_added?": [dict]}
COMPARISON = {
    **{"before": {"macro_f1": _NUMBER}, "after": {"macro_f1": _NUMBER}},
    "difference": {"mean": _NUMBER, "low": _NUMBER, "high": _NUMBER},
    **{"verdict": str, "test_listings": int, "seeds": list, "model": str},
}


def named_as_today(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``run.json`` with the names of today: the run of an earlier version is resumed and repeated with them.

    Parameters
    ----------
    record : mapping
        Its content, of the shape of `RECORD`.

    Examples
    --------
    >>> named_as_today({"command": ["curate", "find-issues", "shop", "--preset", "thorough"]})
    {'command': ['curate', 'find-issues', 'shop', '--preset', 'resnet']}
    """
    changed: dict[str, Any] = {}
    if command := record.get("command"):
        typed = zip(["", *command], command, strict=False)
        changed["command"] = [preset_today(word) if before.lstrip("-") == "preset" else word for before, word in typed]
    if settings := record.get("settings"):
        train = settings.get("train") or {}
        if isinstance(preset := train.get("preset"), str):
            changed["settings"] = {**settings, "train": {**train, "preset": preset_today(preset)}}
    return {**record, **changed}


def started_by(record: Mapping[str, Any]) -> str:
    """Return the command that started a run, which continues it, too, if interrupted; empty if it was the API.

    Whoever made the run wrote it there, so it is a command that starts runs, quoted for a shell, or none.
    """
    command = record.get("command") or []
    return shlex.join(["curate", *command[1:]]) if command[1:2] and command[1] in _STARTING else ""


def misfit(value: Any, shape: Any, name: str = "it") -> str:
    """Return what of a JSON value is not of the shape that was wanted; an empty text if all is.

    Parameters
    ----------
    value
        Of :func:`training.utils.files.read_json`.
    shape
        A type or several; a list with the shape of every entry; or the shapes of the entries of an object, by key.
        Entries that it does not name may be anything.
    name : str
        What to call the value.

    Examples
    --------
    >>> misfit({"classes": ["lamp", 3]}, {"classes": [str], "name?": str})
    'classes has an entry of another kind'
    >>> misfit({}, {"deleted": int}), misfit({"deleted": 2}, {"deleted": int, "repriced?": int})
    ("no 'deleted'", '')
    """
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{name} is no list"
        return f"{name} has an entry of another kind" if any(misfit(entry, shape[0]) for entry in value) else ""
    if isinstance(shape, dict):
        return _misfit_of_object(value, shape, name)
    fits = isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
    return "" if fits else f"{name} is {value!r}"[:80]


def _misfit_of_object(value: Any, shape: dict[str, Any], name: str) -> str:
    if not isinstance(value, dict):
        return f"{name} is no object"
    for key, inner in shape.items():
        plain = key.removesuffix("?")
        if value.get(plain) is None and plain != key:
            continue
        if plain not in value:
            return f"no {plain!r}"
        if found := misfit(value[plain], inner, plain):
            return found
    return ""
