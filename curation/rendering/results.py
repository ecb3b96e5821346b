"""What every result of the public API can do: become JSON, Markdown, and HTML for a notebook."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.rendering.html import fill_page
from curation.rendering.markdown import escaped, table
from curation.rendering.thumbnails import make_thumbnail
from curation.rendering.words import short
from training.utils.files import photo_path

__all__ = ["ROWS", "Result", "plain"]

#: Rows of a table that are shown; what is left out is counted.
ROWS = 20
_LONGEST = 200
_ITEMS = 12
_THUMBNAIL = 96


@dataclass(frozen=True)
class Result:
    """Base of the results of the public API; subclasses are frozen dataclasses.

    A field whose name begins with an underscore is an implementation detail: it is neither shown nor exported.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Score(Result):
    ...     macro_f1: float
    ...     by_class: dict[str, float]
    >>> score = Score(np.float64(0.5), {"lamp": 0.25, "sofa": float("nan")})
    >>> score.to_dict()
    {'macro_f1': 0.5, 'by_class': {'lamp': 0.25, 'sofa': None}}
    >>> print(score.to_markdown())
    | Score |  |
    | --- | --- |
    | macro f1 | 0.5 |
    | by class | lamp: 0.25, sofa: – |
    """

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON has it; see :func:`plain`."""
        return {name: plain(value) for name, value in self._shown()}

    def to_markdown(self) -> str:
        """Return the result as Markdown tables, for a pull request; long tables are cut off and say so."""
        facts, tables = self._facts(), self._tables()
        lines = table([type(self).__name__, ""], facts) if facts else []
        for name, frame in tables:
            lines += ["", f"{escaped(_heading(name))}:", ""] if lines or len(tables) > 1 else []
            rows = [[_cell(value) for value in row] for row in frame.head(ROWS).itertuples(index=False)]
            lines += table([str(column) for column in frame.columns], rows)
            lines += ["", f"+{len(frame) - ROWS:,} more"] if len(frame) > ROWS else []
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the result as a notebook shows it."""
        root = self._photo_root()
        tables = [{"name": _heading(name), **_shown_table(frame, root)} for name, frame in self._tables()]
        return fill_page("rendering/result.html.jinja", name=type(self).__name__, facts=self._facts(), tables=tables)

    def _photo_root(self) -> Path | None:
        """Return what the column ``image`` of this result's tables is relative to; None shows no photos."""
        return None

    def _shown(self) -> Iterator[tuple[str, Any]]:
        for field in dataclasses.fields(self):
            if not field.name.startswith("_"):
                yield field.name, getattr(self, field.name)

    def _facts(self) -> list[tuple[str, str]]:
        return [(_heading(name), _cell(value)) for name, value in self._shown() if _as_table(value) is None]

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        tables = ((name, _as_table(value)) for name, value in self._shown())
        return [(name, frame) for name, frame in tables if frame is not None]


def plain(value: Any) -> Any:
    """Return a value as JSON has it.

    Parameters
    ----------
    value
        Scalars of Python, NumPy and pandas, dates, paths, enumerations; dataclasses, mappings, sequences, sets
        (sorted), arrays and Series (lists), and DataFrames (a list of rows, without the index) of them.

    Returns
    -------
    dict, list, str, int, float, bool or None
        NaN, NaT, NA and infinities are None: JSON has none of them.

    Raises
    ------
    TypeError
        For any other type.

    Examples
    --------
    >>> plain({"probs": np.array([0.5, np.nan]), "path": Path("a") / "b", "made": pd.Timestamp("2024-05-01")})
    {'probs': [0.5, None], 'path': 'a/b', 'made': '2024-05-01T00:00:00'}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        own = getattr(value, "to_dict", None)
        fields = own() if own else {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return plain(fields)
    if isinstance(value, pd.DataFrame):
        return [plain(row) for row in value.to_dict("records")]
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, AbstractSet):
        return [plain(item) for item in sorted(value)]
    if isinstance(value, np.ndarray):
        # of dates, tolist() would make numbers
        return [plain(item) for item in (value if value.dtype.kind in "mMO" else value.tolist())]
    if isinstance(value, pd.Series):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> str | int | float | bool | None:
    if isinstance(value, np.generic):
        value = pd.Timestamp(value) if isinstance(value, np.datetime64) else value.item()
    if isinstance(value, Enum):
        return _scalar(value.value)
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str | int):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


def _shown_table(frame: pd.DataFrame, photo_root: Path | None) -> dict[str, Any]:
    """Return what the template shows of a table; of the column ``image``, thumbnails of the photos that can be read."""
    lines = []
    with warnings.catch_warnings(action="ignore"):  # of decoders, which warn about odd files
        for record in frame.head(ROWS).to_dict("records"):
            alt, photo = f"photo of {_cell(record.get('id'))}", _photo(record.get("image"), photo_root)
            lines.append(
                [
                    {"text": _cell(value), "alt": alt, "photo": photo if name == "image" else None}
                    for name, value in record.items()
                ]
            )
    return {"columns": [str(column) for column in frame.columns], "rows": lines, "more": max(0, len(frame) - ROWS)}


def _photo(value: Any, root: Path | None) -> str | None:
    if root is None or not isinstance(value, str | Path) or not str(value):
        return None
    return make_thumbnail(photo_path(root, str(value)), _THUMBNAIL).uri


def _as_table(value: Any) -> pd.DataFrame | None:
    """Return a value that is a table: a DataFrame, or a sequence of dataclasses."""
    if isinstance(value, pd.DataFrame):
        return value
    if isinstance(value, Sequence) and value and all(dataclasses.is_dataclass(item) for item in value):
        return pd.DataFrame([plain(item) for item in value])
    return None


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _cell(value: Any) -> str:
    """Write a value in a cell."""
    value = plain(value)
    if isinstance(value, dict):
        value = [f"{key}: {_cell(item)}" for key, item in value.items()]
    if isinstance(value, list):
        more = [f"+{len(value) - _ITEMS:,} more"] if len(value) > _ITEMS else []
        return short(", ".join([*map(_cell, value[:_ITEMS]), *more]), _LONGEST)
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.1f}"
    return short(str(value), _LONGEST)
