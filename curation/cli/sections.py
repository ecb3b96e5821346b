"""A result of several parts, for the terminal or as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from curation.cli.terminal import echo, echo_lines, print_table, table_width
from curation.rendering.markdown import escaped, table

__all__ = ["Column", "Section", "print_sections", "table_of"]


@dataclass(frozen=True)
class Column:
    """One column of a table: its heading and its cells; `number` aligns them to the right."""

    heading: str
    cells: Sequence[str]
    number: bool = False


@dataclass(frozen=True)
class Section:
    """A heading, a table and lines below it; either may be missing."""

    title: str
    columns: Sequence[Column] = ()
    lines: Sequence[str] = ()


def table_of(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Leave out columns that are empty in all rows."""
    return tuple(column for column in columns if any(column.cells))


def print_sections(sections: Iterable[Section], *, markdown: bool) -> None:
    """Print a result on stdout."""
    for number, section in enumerate(sections):
        if number:
            echo()
        if markdown:
            echo_lines("\n".join(_markdown(section)))
        elif section.columns:
            for part, columns in enumerate(_parts(section.columns, table_width())):
                rows = list(zip(*(column.cells for column in columns), strict=True))
                right = [place for place, column in enumerate(columns) if column.number]
                print_table("" if part else section.title, [column.heading for column in columns], rows, right=right)
        else:
            echo(section.title)
        if not markdown:
            for line in section.lines:
                echo(line)


def _parts(columns: Sequence[Column], width: int) -> list[list[Column]]:
    """Cut a table that is too wide into tables below each other; each begins with the first column."""
    first, *others = columns
    parts, used = [[first]], _wide(first)
    for column in others:
        if used + _wide(column) > width and len(parts[-1]) > 1:
            parts.append([first])
            used = _wide(first)
        parts[-1].append(column)
        used += _wide(column)
    return parts


def _wide(column: Column) -> int:
    """Return how many characters a column takes, with the two blanks between columns."""
    return max(len(text) for text in (column.heading, *column.cells)) + 2


def _markdown(section: Section) -> list[str]:
    text = [f"### {escaped(section.title)}"]
    if section.columns:
        rows = list(zip(*(column.cells for column in section.columns), strict=True))
        right = [place for place, column in enumerate(section.columns) if column.number]
        text += ["", *table([column.heading for column in section.columns], rows, right=right)]
    if section.lines:
        text += ["", *(f"- {escaped(line)}" for line in section.lines)]
    return text
