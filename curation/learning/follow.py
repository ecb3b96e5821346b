"""A new run from the decisions of an earlier one: the same listings, photos, folds and test set, judged again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from curation.errors import RunError
from curation.issues.written import write_found
from curation.learning.learn import learn
from curation.rendering.words import many
from curation.report.found import finding_run
from curation.run.carry_over import EARLIER
from curation.run.conflicts import conflicts
from curation.run.damaged import readable
from curation.run.folder import RunFolder
from curation.run.journal import Decision, noted
from curation.run.journal_file import append
from curation.run.learned import taught
from curation.run.status import AUDIT
from training.utils.files import whole_file
from training.utils.progress import SILENT, Reporter

__all__ = ["follow"]

#: Entries of ``run.json`` that are about the listings and models, which stay.
_KEPT = (
    *("dataset", "seed", "sha256", "image_size", "allow_bad", "photo_root", "embeddings"),
    *("features", "features_of", "titles_of", "pretrained", "computed"),
)


def follow(
    earlier: RunFolder,
    *,
    run_folder: Path | None = None,
    command: Sequence[str] = (),
    wait: bool | float = False,
    reporter: Reporter = SILENT,
) -> RunFolder:
    """Make a run that has learned from all decisions of an earlier one; see :func:`curation.learning.learn.learn`.

    Nothing of the earlier run changes. The new one takes over its decisions.

    Parameters
    ----------
    earlier : RunFolder
        A finished run with decisions.
    run_folder : Path, optional
        By default ``runs/<dataset>/<number>`` below the current folder.
    command, wait, reporter
        As for :func:`curation.find_issues`.

    Returns
    -------
    RunFolder
        Finished.

    Raises
    ------
    RunError
        If the earlier run has no decision, or a file of it is damaged or missing.
    """
    record, (said, damaged) = earlier.record(), earlier.decisions()
    decisions = taught(said)
    for line in damaged:
        reporter.say(f"warning: in {earlier.folder}: {line}.")
    if not decisions:
        raise RunError(
            f"{earlier.folder} has no decisions to learn from",
            got="none that a person made and that is in no conflict" if said else "none",
            fix="Decide on some listings first, with `review()`.",
            parameter="learn_from",
        )
    for folder in (earlier.input_folder, earlier.training_folder):
        with readable(folder, run=earlier.folder):
            next(folder.iterdir(), None)
    # what reviewers disagree on teaches nothing, and stays to be settled
    words = [word for each in conflicts(said).values() for word in each]
    decided = {each.id for each in (*decisions.values(), *words)}
    # a note on a listing without a decision says something, too
    notes = [note for id, note in noted(said).items() if id not in decided]
    taken = [*decisions.values(), *words, *notes]
    # so that other decisions are another run
    about = {"learn_from": str(earlier.folder.resolve()), "decisions": len(decisions), "decisions_sha256": _hash(taken)}
    settings = {**record["settings"], **about}
    facts = {"dataset": record["dataset"], "settings": settings, "seed": record["seed"]}
    with finding_run(
        record["dataset"]["name"], run_folder, facts=facts, command=command, wait=wait, reporter=reporter
    ) as run:
        reporter.say(f"learning from {many(len(decisions), 'decision')} of {earlier.folder}")
        # before the first file: what can't be learned from leaves no run behind
        with run.stage("learn"):
            learned = learn(earlier, decisions)
        _copy(earlier, run)
        run.update(**{name: record[name] for name in _KEPT if name in record})
        write_found(run, learned.evidence, learned.issues, csv=settings.get("csv", False), reporter=reporter)
        _take_over(run, taken)
        run.update(
            carried_over={"from": str(earlier.folder), "taken": len(taken) - len(notes), "left": {}},
            learned={"from": str(earlier.folder), "decisions": len(decisions)},
        )
    if (earlier.folder / AUDIT).exists():
        reporter.say(
            f"The audit of {earlier.folder} stays there, for its sample is of that run's chances. What was decided in "
            "it is taken over; draw another one with `audit(size=200)`."
        )
    return run


def _hash(taken: Sequence[Decision]) -> str:
    return hashlib.sha256(json.dumps([asdict(each) for each in taken]).encode()).hexdigest()


def _take_over(run: RunFolder, taken: Sequence[Decision]) -> None:
    """Add what was said in the earlier run to the journal, but for what a command that was killed here added."""
    there = set(run.decisions()[0])
    append(run.journal, [each for each in (replace(each, source=EARLIER) for each in taken) if each not in there])


def _copy(earlier: RunFolder, run: RunFolder) -> None:
    """Copy what both runs have in common: the table as its author wrote it, the listings, features and networks."""
    shutil.copytree(earlier.input_folder, run.input_folder, copy_function=_linked, dirs_exist_ok=True)
    shutil.copytree(
        earlier.training_folder,
        run.training_folder,
        copy_function=_linked,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("retrain", ".*"),
    )
    for file in (earlier.listings_file, earlier.problems_file):
        if file.exists():
            _linked(str(file), str(run.folder / file.name))


def _linked(source: str, target: str) -> str:
    """Link a file, which nobody changes once it is written; copy it where the file system has no links."""
    if not os.path.lexists(target):
        try:
            os.link(source, target)
        except OSError:
            # whole, so that a run that was killed here does not go on with a part of it
            with whole_file(Path(target)) as temporary:
                shutil.copyfile(source, temporary)
    return target
