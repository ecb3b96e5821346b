"""What every long command does around its work: it records how it ends, and says what is wrong with the listings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from curation.errors import InputError
from curation.run.folder import FINISHED, RunFolder
from training.utils.progress import Reporter
from training.utils.units import now

__all__ = ["recorded"]


@contextmanager
def recorded(
    run: RunFolder, reporter: Reporter, finish: Callable[[RunFolder], object] = lambda run: None
) -> Iterator[None]:
    """Record in ``run.json`` how the block ends; call `finish` after it has finished."""
    fresh = not run.listings_file.exists()
    try:
        yield
    except KeyboardInterrupt:
        run.update(status="interrupted")
        reporter.say("Interrupted. Give the same command again to resume.")
        raise
    except InputError:
        run.update(status="failed")
        if fresh and not run.listings_file.exists():
            # a mistake in what was asked leaves nothing behind
            run.discard()
        raise
    except BaseException:
        run.update(status="failed")
        raise
    run.update(status=FINISHED, finished=now())
    finish(run)
