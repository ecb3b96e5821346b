"""What is disturbed: commands on tiny runs, and what must hold after each was disturbed and given again."""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import os
import pickle
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tests.torture._preloaded import Ended, command, in_fork
from tests.torture.outcomes import left_overs, read_folder, read_found, read_run, read_state

__all__ = [
    "SCENARIOS",
    "TINY",
    "Scenario",
    "find_words",
    "make_template",
    "spoken",
    "state_wanted",
    "template_of",
]

Faults = Iterator[tuple[str, str]]
#: Three epochs, after each of which there is a snapshot to go on from.
TINY = ("--model", "lenet", "--epochs", "3", "--batch-size", "8", "--no-pretrained", "--device", "cpu")
_FOLDERS = ("--format", "class-folders")
_SMALL = (*TINY, "--image-size", "32")


# what a run holds


def state_of(run: Path) -> dict[str, Any]:
    """Return the decisions in force and the content of ``cleaned/`` of a run."""
    return dict(in_fork(read_state, run))


# the template: what cases are copied from


def make_template(folder: Path) -> None:
    """Write a dataset, its probabilities and decisions, and runs of it.

    The runs are found, once applied, twice applied, and once applied as class folders.
    """
    from PIL import Image

    from tests.cli.test_cli import N, probabilities, table

    photos = folder / "template" / "shop" / "photos"
    photos.mkdir(parents=True)
    for row in range(N):
        Image.effect_noise((32, 32), 60 + row).convert("RGB").save(photos / f"{row}.png")
    place = folder / "template"
    table().to_csv(place / "shop" / "listings.csv", index=False)
    probabilities().to_csv(place / "probs.csv", index=False)
    (place / "mine.csv").write_text("id,decision,new_label\n007,relabel,desk\n008,delete,\n009,keep,\n")
    _must(find_words(place, "run"), place)
    _must(lambda: _decide(place / "run", ["002"], "delete"), place)
    _keep(place, 0)
    _must(_apply(place), place)
    _keep(place, 1)
    _must(_import(place), place)
    _keep(place, 2)
    shutil.rmtree(place / "run")
    shutil.copytree(place / "run-0", place / "run")
    _must([*_apply(place), *_FOLDERS], place)
    _keep(place, 3)
    shutil.rmtree(place / "run")
    shutil.copytree(place / "run-2", place / "run")
    shutil.move(place / "run", place / "found")
    (place / "template.json").write_text(json.dumps({"input": _digest(place / "shop")}))


def _keep(place: Path, number: int) -> None:
    shutil.copytree(place / "run", place / f"run-{number}")
    (place / f"state-{number}").write_bytes(pickle.dumps(state_of(place / "run")))


def _must(work: Any, folder: Path) -> Ended:
    ended = command(work, folder)
    if ended.code != 0:
        raise RuntimeError(f"the undisturbed command failed:\n{ended.output}")
    return ended


def _digest(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def template_of(case: Path) -> Path:
    """Return the template that a case below a job's folder is copied from."""
    return next(above / "template" for above in case.parents if (above / "template").is_dir())


@functools.cache
def state_wanted(template: Path, number: int) -> dict[str, Any]:
    """Return the state of the template's run to which fixes were applied `number` times."""
    return dict(pickle.loads((template / f"state-{number}").read_bytes()))


# commands


def find_words(place: Path, run: str | None) -> list[str]:
    """Return the words of find-issues with the template's probabilities; the run is numbered if it is None."""
    given = ["--probabilities", str(place / "probs.csv"), "--no-text", "--cache-dir", "cache"]
    return ["find-issues", str(place / "shop"), *given, *(["--run", run] if run else [])]


def _apply(place: Path) -> list[str]:
    return ["apply-fixes", "--run", "run", "--accept-suggestions", "--min-confidence", "0.1"]


def _import(place: Path) -> list[str]:
    return ["apply-fixes", "--run", "run", "--decisions", str(place / "mine.csv")]


def _explore(place: Path, folder: Path) -> list[str]:
    # it may be there, and empty
    folder.mkdir(exist_ok=True)
    return ["explore", str(place / "shop"), "--output", str(folder)]


def _decide(run: Path, ids: list[str], action: str) -> None:
    """Decide on one listing after the other, as the App does; print the id of each that is acknowledged."""
    import curation

    opened = curation.open_run(run)
    for id in ids:
        try:
            opened.decide(id, action, reviewer="ana")
        except OSError as error:  # what the App shows
            click.echo(f"Error: {error}")
            sys.exit(2)
        os.write(1, f"{id}\n".encode())


@dataclass(frozen=True)
class Scenario:
    """A command that is disturbed.

    Attributes
    ----------
    name : str
        Of the scenario.
    work : function
        From the template and the case's folder to the command, or a function.
    run : int or None
        Which run of the template the case begins with: how often fixes were applied.
    after : function
        Called with the case's folder and how the disturbed command ended; yields what went wrong: a count of the tally
        and a line. It gives the same command again, and looks at what comes of it.
    weight : int
        How often it is tried, in proportion.
    cache : bool
        Whether the case begins with a photo cache.
    becomes : int
        The run of the template that it ends as, where that is known.
    """

    name: str
    work: Callable[[Path, Path], Any]
    run: int | None
    after: Callable[[Scenario, Path, Ended], Faults]
    weight: int = 1
    cache: bool = False
    becomes: int = 0

    def prepare(self, case: Path) -> None:
        """Make the case's folder."""
        case.mkdir(parents=True)
        if self.run is not None:
            shutil.copytree(template_of(case) / f"run-{self.run}", case / "run")
        if self.cache:
            shutil.copytree(template_of(case) / "cache", case / "cache")

    def command(self, case: Path, **disturbed: Any) -> Ended:
        """Give the command, disturbed or not."""
        return command(self.work(template_of(case), case), case, **disturbed)

    def verify(self, case: Path, ended: Ended) -> Faults:
        """Give the command again, and yield what is wrong then."""
        yield from spoken(ended, "the disturbed command")
        yield from self.after(self, case, ended)


def spoken(ended: Ended, who: str, codes: tuple[int, ...] = (0, 2)) -> Faults:
    """Yield what is wrong with how a command ended: a traceback, a wait for ever, an exit code without an error."""
    if ended.traceback:
        yield "tracebacks", f"{who}: {ended.last}"
    elif ended.hung:
        yield "hangs", who
    elif ended.code >= 0 and ended.code not in codes:
        yield "unexplained", f"{who} ended with {ended.code}: {ended.last}"
    elif ended.code > 0 and sum("Error: " in line for line in ended.output.splitlines()) != 1:
        yield "unexplained", f"{who} has not one line of error: {ended.output[-300:]!r}"


def _differs(what: str, got: dict[str, Any], wanted: dict[str, Any]) -> Faults:
    if got == wanted:
        return
    names = [name for name in wanted if got.get(name) != wanted[name]]
    shown = "; ".join(f"{name} {str(got.get(name))[:200]} instead of {str(wanted[name])[:200]}" for name in names)
    yield "losses", f"{what}: {shown}"


def _again(scenario: Scenario, case: Path) -> tuple[Ended, list[tuple[str, str]]]:
    ended = scenario.command(case)
    return ended, list(spoken(ended, "the command given again"))


def _after_apply(scenario: Scenario, case: Path, ended: Ended) -> Faults:
    template, first = template_of(case), int(scenario.run or 0)
    again, faults = _again(scenario, case)
    yield from faults
    if again.code != 0:
        yield "losses", f"apply-fixes given again failed: {again.last}"
        return
    yield from _differs("after apply-fixes given again", state_of(case / "run"), state_wanted(template, first + 1))
    if left := left_overs(case / "run"):
        yield "unexplained", f"left over: {left}"
    kept = len(list((case / "run" / "versions").glob("*")))
    if ended.code > 0 and kept != first:
        yield "unexplained", f"a command that was refused, given again, made {kept - first} versions too many"
    verified = command(["verify", "run"], case)
    # a line that nobody was told of stays in the journal, and is no fault
    if verified.code != 0:
        yield "unexplained", f"curate verify: {verified.output[-300:]}"
    yield from _undone(case, list(range(first + 1)), "apply-fixes")


def _undone(case: Path, chain: list[int], what: str) -> Faults:
    """Undo until nothing is left to undo; each state must be one of the chain, the last its first."""
    template = template_of(case)
    wanted = [state_wanted(template, number) for number in chain]
    # what stood twice because the command was given twice may be undone in two steps
    twice = [state_wanted(template, chain[-1] + 1)] if chain[-1] < 2 else []
    for _ in range(6):
        ended = command(["undo", "--run", "run"], case)
        yield from spoken(ended, "undo")
        if ended.code != 0:
            break
        state = state_of(case / "run")
        if state not in wanted + twice:
            yield from _differs(f"undo after {what}", state, wanted[-1])
            return
    yield from _differs(f"after all was undone, after {what}", state_of(case / "run"), wanted[0])


def _after_folders(scenario: Scenario, case: Path, ended: Ended) -> Faults:
    """Fixes that were applied as class folders, or such a version undone."""
    template = template_of(case)
    _, faults = _again(scenario, case)
    yield from faults
    yield from _differs(
        f"{scenario.name} given again", state_of(case / "run"), state_wanted(template, scenario.becomes)
    )
    if left := left_overs(case / "run"):
        yield "unexplained", f"left over: {left}"
    if (case / "run" / "cleaned").exists():
        yield from spoken(command(["verify", "run"], case), "verify", codes=(0,))
        yield from _undone(case, [0, 3], "class folders")


def _copying(words: list[str]) -> Callable[[], None]:
    """Return a function that gives a command on a file system without links."""

    def give() -> None:
        from curation.cli import main

        def link(*_: Any, **__: Any) -> None:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

        os.link = link
        main(words, prog_name="curate")

    return give


def _after_undo(scenario: Scenario, case: Path, ended: Ended) -> Faults:
    template = template_of(case)
    _, faults = _again(scenario, case)
    yield from faults
    state = state_of(case / "run")
    if state not in (state_wanted(template, 1), state_wanted(template, 0)):
        yield from _differs("after undo given again", state, state_wanted(template, 1))
    if ended.code == 0 and state != state_wanted(template, 0):
        yield "losses", "an undo that was acknowledged came back"
    if left := left_overs(case / "run"):
        yield "unexplained", f"left over: {left}"
    yield from _undone(case, [0, 1], "undo")


def _after_decide(scenario: Scenario, case: Path, ended: Ended) -> Faults:
    acknowledged = [line for line in ended.output.split() if line.isdigit()]
    before = {row[0] for row in state_wanted(template_of(case), 0)["decisions"]}
    now = {row[0]: row[1] for row in state_of(case / "run")["decisions"]}
    lost = [id for id in acknowledged if now.get(id) != "keep"]
    if lost or before - set(now):
        yield "losses", f"acknowledged decisions are gone: {lost} {before - set(now)}"
    extra = set(now) - before - set(acknowledged)
    if len(extra) > 1:
        yield "unexplained", f"decisions that nobody made: {sorted(extra)}"
    _, faults = _again(scenario, case)
    yield from faults
    now = {row[0]: row[1] for row in state_of(case / "run")["decisions"]}
    missing = [id for id in _IDS if now.get(id) != "keep"]
    if missing:
        yield "losses", f"decisions given again are not in force: {missing}"
    applied = command(_import(template_of(case)), case)
    yield from spoken(applied, "apply-fixes after decisions", codes=(0,))


_IDS = [f"{number:03}" for number in range(10, 22)]


def _after_find(scenario: Scenario, case: Path, ended: Ended) -> Faults:
    run, wanted = case / "run", in_fork(read_found, template_of(case) / "found")
    done = run.exists() and (run / "run.json").exists() and _status(run) == "finished"
    if done:
        # nothing is left to do: it may not say that it has finished before all is written
        yield from _differs("a run that said finished", in_fork(read_found, run), wanted)
        return
    again, faults = _again(scenario, case)
    yield from faults
    if again.code == 0:
        yield from _differs("find-issues given again", in_fork(read_found, run), wanted)
    elif not faults:
        yield "losses", f"find-issues given again failed: {again.last}"
    if left := left_overs(run):
        yield "unexplained", f"left over: {left}"


def _status(run: Path) -> str:
    return str(json.loads((run / "run.json").read_text())["status"])


def _after_trained(scenario: Scenario, case: Path, ended: Ended) -> Faults:
    """A command that trains: given again, it goes on, and ends as if nothing had disturbed it, to the last bit."""
    if ended.code != 0:
        again, faults = _again(scenario, case)
        yield from faults
        # what was killed after its end is a finished one, which is not overwritten
        if again.code != 0 and "holds a finished" not in again.output:
            if not faults:
                yield "losses", f"{scenario.name} given again failed: {again.last}"
            return
    wanted = _undisturbed(scenario, template_of(case))
    yield from _differs(f"{scenario.name} given again", in_fork(_outcome, case), wanted)


@functools.cache
def _undisturbed(scenario: Scenario, template: Path) -> dict[str, Any]:
    """Return what the command leaves behind when nothing disturbs it."""
    case = template.parent / f"wanted-{scenario.name}-{os.getpid()}"
    scenario.prepare(case)
    _must(scenario.work(template, case), case)
    wanted = dict(in_fork(_outcome, case))
    shutil.rmtree(case)
    return wanted


def _outcome(case: Path) -> dict[str, Any]:
    trained = case / "trained"
    if (case / "looked").exists():
        return read_folder(case, "looked/*.json", "looked/*.html")
    if trained.exists() and not (trained / "issues.csv").exists():
        return read_folder(trained, "model.pt", "metrics.json", "predictions.csv", "tune.json")
    if trained.exists():
        return read_run(trained)
    pages = {name: text.replace(f"{case.name}/run", "run") for name, text in read_folder(case, "page.html").items()}
    return {**pages, **read_run(case / "run")}


def _after_page(scenario: Scenario, case: Path, ended: Ended) -> Faults:
    """Pages are whole, or not there; the same command writes them."""
    wanted = _undisturbed(scenario, template_of(case))
    if any(case.glob("[!.]*.html")) or any(case.glob("looked/[!.]*")):
        yield from _differs("the page of the disturbed command", in_fork(_outcome, case), wanted)
    again, faults = _again(scenario, case)
    yield from faults
    if again.code == 0:
        yield from _differs("the page written again", in_fork(_outcome, case), wanted)
    else:
        yield "losses", f"the page can't be written again: {again.last}"
    for folder in (case, case / "looked"):
        if folder.exists() and (left := left_overs(folder)):
            yield "unexplained", f"left over: {left}"


def _after_trim(scenario: Scenario, case: Path, ended: Ended) -> Faults:
    _, faults = _again(scenario, case)
    yield from faults
    found = command(find_words(template_of(case), "another"), case)
    yield from spoken(found, "find-issues with the trimmed cache", codes=(0,))
    if found.code == 0:
        wanted = in_fork(read_found, template_of(case) / "found")
        yield from _differs("find-issues with the trimmed cache", in_fork(read_found, case / "another"), wanted)


def _train(what: str, *options: str) -> Callable[[Path, Path], list[str]]:
    folder = "--run" if what == "find-issues" else "--output"

    def work(place: Path, case: Path) -> list[str]:
        return [what, str(place / "shop"), *_SMALL, *options, folder, "trained", "--cache-dir", "cache"]

    return work


#: All of them by name; those that train come last.
SCENARIOS = {
    each.name: each
    for each in (
        Scenario("apply", lambda place, case: _apply(place), 0, _after_apply, 6, becomes=1),
        Scenario("import", lambda place, case: _import(place), 1, _after_apply, 5, becomes=2),
        Scenario("undo", lambda place, case: ["undo", "--run", "run"], 2, _after_undo, 6, becomes=1),
        Scenario("folders", lambda place, case: [*_apply(place), *_FOLDERS], 0, _after_folders, 2, becomes=3),
        Scenario("copies", lambda place, case: _copying([*_apply(place), *_FOLDERS]), 0, _after_folders, 1, becomes=3),
        Scenario("undo-folders", lambda place, case: ["undo", "--run", "run"], 3, _after_folders, 1),
        Scenario("decide", lambda place, case: lambda: _decide(case / "run", _IDS, "keep"), 0, _after_decide, 4),
        Scenario("find", lambda place, case: find_words(place, "run"), None, _after_find, 4),
        Scenario(
            "trim", lambda place, case: ["cache", "--limit", "1KB", "--cache-dir", "cache"], 0, _after_trim, 1, True
        ),
        Scenario(
            "page",
            lambda place, case: ["review", "--html", "--no-browser", "--run", "run", "--output", "page.html"],
            1,
            _after_page,
        ),
        Scenario("look", lambda place, case: _explore(place, case / "looked"), None, _after_page),
        Scenario("train", _train("train"), None, _after_trained, 1),
        Scenario("tune", _train("tune", "--trials", "2", "--folds", "2"), None, _after_trained, 1),
        Scenario("find-trained", _train("find-issues", "--folds", "2", "--no-text"), None, _after_trained, 1),
        Scenario(
            "retrain",
            lambda place, case: ["retrain", "--compare", "--run", "run", "--seeds", "1", *TINY],
            1,
            _after_trained,
            1,
        ),
    )
}
