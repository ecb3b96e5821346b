"""Run kinds of torture, and print their counts: ``python -m tests.torture [KIND...]``."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
import traceback

import click

import tests.torture
from tests.torture.tally import FAULTS, Tally


def kinds() -> list[str]:
    """Return the names of all modules here that have cases: those with a COUNT and a run()."""
    names = [module.name for module in pkgutil.iter_modules(tests.torture.__path__)]
    names = [name for name in names if not name.startswith(("test_", "_"))]
    return [name for name in names if hasattr(importlib.import_module(f"tests.torture.{name}"), "COUNT")]


@click.command()
@click.argument("chosen", metavar="[KIND...]", nargs=-1)
@click.option("--seed", default=0, show_default=True, help="What is tried, and when.")
@click.option("--count", type=click.IntRange(min=1), help="How many cases of each kind. [default: the kind's own]")
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Processes at once.")
def main(chosen: tuple[str, ...], seed: int, count: int | None, jobs: int) -> None:
    """Try KINDs of torture (default: all), print a table of counts, and exit with 1 if any of them is a fault."""
    known = kinds()
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        raise click.UsageError(f"unknown kind {', '.join(unknown)}; there are {', '.join(known)}")
    rows = []
    for name in chosen or known:
        module = importlib.import_module(f"tests.torture.{name}")
        click.echo(f"{name}: {count or module.COUNT} cases, seed {seed} …", err=True)
        start = time.monotonic()
        try:
            tally = module.run(count or module.COUNT, seed, jobs)
        except Exception:  # the other kinds are tried, too
            tally = Tally(name, unexplained=1, faults=[f"the driver failed:\n{traceback.format_exc()}"])
        rows.append((tally, time.monotonic() - start))
        _show(tally)
    _table(rows)
    sys.exit(not all(tally.clean for tally, _ in rows))


def _show(tally: Tally) -> None:
    for line in (*tally.notes, *tally.faults):
        click.echo(f"  {line}", err=True)


def _table(rows: list[tuple[Tally, float]]) -> None:
    click.echo("".join(f"{name:>13}" for name in ("kind", "tried", *FAULTS, "seconds")))
    for tally, seconds in rows:
        cells = [tally.kind, tally.tried, *(getattr(tally, name) for name in FAULTS), round(seconds)]
        skipped = f"   skipped: {tally.skipped}" if tally.skipped else ""
        click.echo("".join(f"{cell:>13}" for cell in cells) + skipped)


if __name__ == "__main__":
    main()
