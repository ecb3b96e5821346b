"""What every long command does around its work: it records how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from curation.errors import InputError
from curation.run.folder import FINISHED, RunFolder
from training.utils.machine import resumable
from training.utils.units import now

__all__ = ["recorded"]


@contextmanager
def recorded(run: RunFolder, finish: Callable[[RunFolder], object] = lambda run: None) -> Iterator[None]:
    """Record in ``run.json`` how the block ends; `finish` is called last, and the run has finished only after it."""
    fresh = not run.listings_file.exists()
    try:
        with resumable():
            yield
            run.update(finished=now())
            finish(run)
            run.update(status=FINISHED)
    except KeyboardInterrupt:
        _ended(run, "interrupted")
        raise
    except InputError:
        _ended(run, "failed")
        if fresh and not run.listings_file.exists() and not run.problems_file.exists():
            # a mistake in what was asked leaves nothing behind; what was found wrong with the listings stays
            run.discard()
        raise
    except BaseException:
        _ended(run, "failed")
        raise


def _ended(run: RunFolder, status: str) -> None:
    # where the disk is full, the status stays "running": the run resumes as after a kill
    with suppress(OSError):
        run.update(status=status)
