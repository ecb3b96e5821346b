"""What every long command does around its work: it records how it ends, and says what is wrong with the listings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from curation.decisions import now
from curation.errors import InputError
from curation.listings import Listings
from curation.runs import FINISHED, Run
from curation.talk import Talk
from training.files import whole_file

__all__ = ["check_expected", "dataset_facts", "recorded", "report_problems", "say_problems"]

_SAID = 10


@contextmanager
def recorded(run: Run, talk: Talk, finish: Callable[[Run], object] = lambda run: None) -> Iterator[None]:
    """Record in ``run.json`` how the block ends; call `finish` after it has finished."""
    fresh = not run.listings_file.exists()
    try:
        yield
    except KeyboardInterrupt:
        run.update(status="interrupted")
        talk.say("Interrupted. The same command goes on from here.")
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


def dataset_facts(listings: Listings, classes: tuple[str, ...] | list[str]) -> dict[str, Any]:
    """Return what ``run.json`` keeps of a dataset: its name, place, size and hash."""
    source = listings.source
    return {
        "name": source.name,
        "path": str(source.path.resolve()),
        "root": str(source.root.resolve()),
        "currency": source.currency,
        "classes": list(classes),
        "listings": len(listings.table),
        "columns": listings.columns,
        "photos": str(source.boundary.resolve()),
        "sha256": listings.sha256,
    }


def check_expected(listings: Listings, talk: Talk) -> None:
    """Say where a dataset is not as its declaration expects it."""
    counts = {"listings": len(listings.table), "classes": len(listings.classes)}
    if test := int((listings.table["split"] == "test").sum()):
        # without a split of its own, a dataset gets another test set than its declaration knows
        counts["test"] = test
    for what, wanted in listings.source.expected.items():
        if what in counts and counts[what] != wanted:
            named = "test listings" if what == "test" else what
            talk.say(f"warning: the declaration expects {wanted} {named}, there are {counts[what]}")


def report_problems(run: Run, listings: Listings, talk: Talk) -> None:
    """Write the bad values of a table to ``problems.csv``, and say the first of them."""
    problems = listings.problems
    if problems.empty:
        return
    with whole_file(run.folder / "problems.csv") as temporary:
        problems.to_csv(temporary, index=False)
    say_problems(listings, talk, f" (all in {run.folder / 'problems.csv'})")


def say_problems(listings: Listings, talk: Talk, where: str = "") -> None:
    """Say the first bad values of a table; `where`: where all of them are."""
    problems = listings.problems
    if problems.empty:
        return
    talk.say(f"{problems['row'].nunique()} rows have bad values, taken as missing{where}:")
    for bad in problems.head(_SAID).itertuples():
        talk.say(f"  row {bad.row}, id {bad.id}: {bad.column} {bad.value!r} {bad.why}")
    if len(problems) > _SAID:
        talk.say(f"  +{len(problems) - _SAID} more")
