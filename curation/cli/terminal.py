"""What the terminal shows: progress bars and messages on stderr, tables and results on stdout.

Every text that a person reads goes through this module, which makes control characters visible: an id must not clear
the screen, forge a line, or turn the direction of what follows. A test looks for other ways out.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from curation.cli.advice import advised
from curation.rendering.visible import as_json, visible
from training.utils.progress import Progress

__all__ = ["Terminal", "echo", "echo_lines", "print_json", "print_table", "table_width"]


class Terminal:
    """Talks to the person on stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, line: str) -> None:
        """Print a line, spelled as for the command line; what listings hold is never taken for markup."""
        self._console.print(Text(visible(advised(line))))

    def warn(self, lines: Iterable[str]) -> None:
        """Print each line as a warning."""
        for line in lines:
            self.say(f"warning: {line}")

    @contextmanager
    def bar(self, what: str) -> Iterator[Progress]:
        """Draw a bar with the time left; without a terminal, say at the end that it is done."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=self._console, transient=False) as bars:
            task = bars.add_task(visible(what), total=None)

            def progress(done: int, total: int) -> None:
                bars.update(task, completed=done, total=total)

            yield progress


def echo(line: str = "", *, err: bool = False) -> None:
    """Print one line on stdout, or on stderr if `err`."""
    click.echo(visible(line), err=err)


def echo_lines(text: str) -> None:
    """Print several lines on stdout: Markdown, whose cells are without line ends."""
    for line in text.split("\n"):
        echo(line)


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a result as JSON on stdout, on one line without `indent`; whoever reads it gets every character back."""
    click.echo(as_json(value, indent=indent))


def table_width() -> int:
    """Return how many characters a line of a table may have on stdout."""
    # a pipe or a file gets whole lines; a narrow one would cut reasons apart
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 160


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[int] = ()
) -> None:
    """Print a table on stdout.

    Parameters
    ----------
    title : str
        Its heading.
    columns : sequence of str
        Names of the columns.
    rows : sequence of sequences
        Cells; shown as text.
    right : sequence of int
        Numbers of the columns that are aligned to the right.
    """
    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(Text(visible(name)), justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(str(cell))) for cell in row))
    console = Console(highlight=False, width=table_width())
    # above the table, not in it: there it would be wrapped to the width of the columns
    console.print(Text(visible(title), style="bold"))
    console.print(table)
