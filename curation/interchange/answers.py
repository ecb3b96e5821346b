"""What people answer in other tools: which listing an answer is about, and what it decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.errors import DecisionsError, some
from curation.interchange.contract import Asked
from curation.rendering.words import many
from curation.run.journal import Decision, check_reviewer, reviewer_name
from training.utils.bounded import most_bytes, parse_json
from training.utils.files import read_regular
from training.utils.units import now

__all__ = ["ACTIONS", "ByPhoto", "decision_of", "parse_time", "read_bytes", "read_json", "reviewer_of"]

#: Answers that say nothing of the class.
ACTIONS = ("delete", "ambiguous")
#: Bytes of a file that is read.
_LARGEST = 1 << 30


def read_bytes(file: Path, wanted: str) -> bytes:
    """Read a file of another tool.

    Parameters
    ----------
    file : Path
        The file.
    wanted : str
        What it should be, for messages.

    Raises
    ------
    DecisionsError
        If there is none, or it is too large.
    """
    if not file.is_file():
        raise DecisionsError("there is no such file", got=str(file), wanted=wanted, parameter="file")
    return read_regular(file, min(_LARGEST, most_bytes()))


def read_json(file: Path, wanted: str) -> Any:
    """Read a file of JSON that another tool wrote.

    Parameters
    ----------
    file : Path
        The file.
    wanted : str
        What it should be, for messages.

    Raises
    ------
    DecisionsError
        If there is none, or it is no JSON.
    """
    try:
        return parse_json(read_bytes(file, wanted).decode("utf-8-sig"))
    except ValueError as error:
        raise DecisionsError(
            f"{file.name} is no JSON", got=str(error).splitlines()[0], wanted=wanted, parameter="file"
        ) from None


def parse_time(text: Any) -> str:
    """Return a time as decisions have it; now, if it is none.

    Parameters
    ----------
    text : str
        In ISO 8601; without a zone it is UTC.

    Examples
    --------
    >>> parse_time("2026-05-02 10:00:00.123456+02:00")
    '2026-05-02T08:00:00.123+00:00'
    """
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return moment.astimezone(UTC).isoformat(timespec="milliseconds")
    except (TypeError, ValueError, OverflowError):
        return now()


def reviewer_of(asked: Asked, named: str | None = None) -> str:
    """Return who decided: the one that was named for all, else the one in the file, else whoever imports it.

    Parameters
    ----------
    asked : Asked
        What was asked.
    named : str, optional
        By the file.

    Raises
    ------
    DecisionsError
        If that can't be a name.
    """
    return check_reviewer(asked.reviewer or named or reviewer_name())


def decision_of(
    id: str, labels: Sequence[str], others: Sequence[str], asked: Asked, reviewer: str, time: str, source: str
) -> Decision | None:
    """Return what an answer decides; None if it holds none.

    Parameters
    ----------
    id : str
        Of the listing.
    labels : sequence of str
        Chosen classes; an action of :data:`ACTIONS` among them counts as such, unless it is a class.
    others : sequence of str
        Chosen actions.
    asked : Asked
        What was asked.
    reviewer, time, source : str
        Of the decision.
    """
    others = [*others, *(name for name in labels if name not in asked.classes and name.lower() in ACTIONS)]
    labels = [name for name in labels if name not in others]
    if others:
        return Decision(id, others[0].lower(), None, reviewer, time, source)
    if not labels:
        return None
    if len(set(labels)) > 1:
        return Decision(id, "ambiguous", None, reviewer, time, source)
    if labels[0] == asked.labels.get(id):
        return Decision(id, "keep", None, reviewer, time, source)
    return Decision(id, "relabel", labels[0], reviewer, time, source)


class ByPhoto:
    """Finds listings by what another tool calls their photo.

    Tools keep all of its path, its end, or what they put before it. Listings that share a photo share its answers.

    Parameters
    ----------
    photos : mapping of str to (str or None)
        The path of each listing's photo, from the folder of the dataset.
    """

    def __init__(self, photos: Mapping[str, str | None]) -> None:
        self._listings = defaultdict[str, list[str]](list)
        for id, photo in photos.items():
            if photo is not None:
                self._listings[_plain(photo)].append(id)
        #: Photos by the last part of their path.
        self._named = defaultdict[str, list[str]](list)
        for path in self._listings:
            self._named[path.rpartition("/")[2]].append(path)

    def listings(self, name: str) -> list[str]:
        """Return the ids of the listings with a photo.

        Parameters
        ----------
        name : str
            What the tool calls it.

        Raises
        ------
        DecisionsError
            If several photos may be meant.
        """
        name = _plain(name)
        if name in self._listings:
            return self._listings[name]
        near = [path for path in self._named[name.rpartition("/")[2]] if _ends(path, name) or _ends(name, path)]
        # one folder may be the end of another: a/b/1.jpg is both a/b/1.jpg and b/1.jpg of such a dataset
        longest = max(map(len, near), default=0)
        inside = [path for path in near if _ends(name, path) and len(path) == longest]
        if len(near) > 1 and len(inside) != 1:
            raise DecisionsError(
                f"{many(len(near), 'photo')} may be meant by {name!r}",
                got=some(near),
                wanted="paths from the folder of the dataset",
                fix="Keep the folders of the photos when you load them into the tool.",
                parameter="file",
            )
        found = inside or near
        return self._listings[found[0]] if found else []


def _plain(path: str) -> str:
    return path.replace("\\", "/").removeprefix("./")


def _ends(path: str, end: str) -> bool:
    return path.endswith(f"/{end}")
