"""One part of a task, in a process of a cluster."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from threadpoolctl import threadpool_limits

from training.engine.contract import Piece, Task
from training.utils.array_files import open_arrays, write_arrays
from training.utils.files import whole_file
from training.utils.parallel import use_cores
from training.utils.progress import Progress, silent

__all__ = ["compute_part", "read_pieces", "write_pieces"]


def compute_part(task: Task, path: Path) -> list[str] | Exception:
    """Compute a part, write what comes of it to a file, and return the messages for a person.

    Parameters
    ----------
    task : Task
        The part.
    path : Path
        The file, which every machine sees.

    Returns
    -------
    list of str or Exception
        An error is returned, not raised: so it arrives as what it is.
    """
    said = _Said()
    try:
        _compute_with(task.cores)
        # as in find_issues: sums must not depend on the number of threads
        with threadpool_limits(1, "blas"):
            write_pieces(path, task(lambda units: None, said))
    except Exception as error:
        error.add_note(traceback.format_exc())
        return error
    return said.lines


def write_pieces(path: Path, pieces: Iterable[Piece]) -> None:
    """Write pieces to one file, completely or not at all; see :func:`read_pieces`.

    Parameters
    ----------
    path : Path
        The file.
    pieces : iterable of Piece
        Any number of them; they are held in memory.
    """
    arrays = {f"{number} {name}": array for number, piece in enumerate(pieces) for name, array in piece.items()}
    with whole_file(path) as temporary:
        write_arrays(temporary, arrays)


def read_pieces(path: Path) -> Iterator[Piece]:
    """Yield the pieces of a file.

    Parameters
    ----------
    path : Path
        The file that :func:`write_pieces` wrote.

    Yields
    ------
    Piece
        In the order in which they were written.
    """
    with open_arrays(path) as arrays:
        pieces: dict[int, dict[str, str]] = {}
        for key in arrays:
            number, _, name = key.partition(" ")
            pieces.setdefault(int(number), {})[name] = key
        for _, names in sorted(pieces.items()):
            yield {name: arrays[key] for name, key in names.items()}


def _compute_with(cores: int) -> None:
    """Let this process use so many cores: the others are for other parts."""
    use_cores(cores)
    # it takes seconds to import, and many tasks need none of it; Ray lets it begin with as many threads
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(cores)


class _Said:
    """A reporter that collects messages."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    @contextmanager
    def bar(self, what: str) -> Iterator[Progress]:
        yield silent
