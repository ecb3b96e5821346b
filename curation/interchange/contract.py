"""What every format has: what it writes of a run, and what comes back from it as decisions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from curation.errors import InputError, closest, some
from curation.rendering.results import Result
from curation.run.journal import Decision

__all__ = ["FORMATS", "Answers", "Asked", "Exported", "Format", "check_output", "format_of"]


@dataclass(frozen=True)
class Format:
    """A format of another tool; each lives in a file of its own.

    Attributes
    ----------
    name : str
        What it is called on the command line and in Python, and the source of decisions that came from it.
    writes : str
        What `curate export` writes, in a few words.
    reads : str
        What `curate import-decisions` reads, in a few words; empty if nothing comes back.
    module : str
        Where it is: ``write(run, folder, ...)`` and, if something comes back, ``read(file, asked)``.
    options : tuple of str
        Names of the arguments that only some formats take.
    """

    name: str
    writes: str
    reads: str
    module: str
    options: tuple[str, ...] = ()


#: All formats, in the order of the documents.
FORMATS: Mapping[str, Format] = {
    each.name: each
    for each in (
        Format(
            "label-studio",
            writes="tasks with predictions, and a labelling configuration",
            reads="its exports JSON, JSON-MIN, CSV and TSV",
            module="curation.interchange.label_studio",
            options=("all", "top", "photo_prefix"),
        ),
        Format(
            "datalab",
            writes="a folder that Datalab of cleanlab loads, with the issues",
            reads="",
            module="curation.interchange.datalab",
        ),
        Format(
            "huggingface",
            writes="an imagefolder with metadata and a dataset card",
            reads="labels that were changed in it",
            module="curation.interchange.huggingface",
        ),
        Format(
            "coco",
            writes="images with their class as annotation and category",
            reads="categories that were changed in it",
            module="curation.interchange.coco",
        ),
        Format(
            "cvat",
            writes="tags of photos to check, and the labels of the task",
            reads="its export CVAT for images 1.1",
            module="curation.interchange.cvat",
            options=("all", "top"),
        ),
    )
}


@dataclass(frozen=True)
class Exported(Result):
    """What was written for another tool.

    Attributes
    ----------
    format : str
        One of :data:`FORMATS`.
    folder : Path
        Where.
    listings : int
        How many listings it holds.
    notes : tuple of str
        What a person should know, and do next: a sentence each.
    """

    format: str
    folder: Path
    listings: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What was asked: a reader tells answers by it.

    Attributes
    ----------
    labels : mapping of str to (str or None)
        Given label of each listing.
    classes : collection of str
        Classes of the run, and new ones.
    photos : mapping of str to (str or None)
        Path of each listing's photo, from the folder of the dataset.
    reviewer : str or None
        Who decided, where the file names nobody.
    """

    labels: Mapping[str, str | None]
    classes: Collection[str]
    photos: Mapping[str, str | None]
    reviewer: str | None = None


@dataclass(frozen=True)
class Answers:
    """What was decided in another tool.

    Attributes
    ----------
    decisions : list of Decision
        Each reviewer's latest one on each listing, oldest first.
    skipped : int
        Answers that people refused to give, or cancelled.
    unanswered : int
        Listings without an answer.
    """

    decisions: list[Decision]
    skipped: int = 0
    unanswered: int = 0


def format_of(name: str, *, reads: bool = False) -> Format:
    """Return a format by its name.

    Parameters
    ----------
    name : str
        Its name.
    reads : bool
        Only one that decisions come back from.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    names = [each.name for each in FORMATS.values() if each.reads or not reads]
    if name not in names:
        what = "no decisions come back from that format" if name in FORMATS else "there is no such format"
        raise InputError(
            what, got=repr(name), wanted=some(names, 12), fix=closest(str(name), names), parameter="format"
        )
    return FORMATS[name]


def check_output(folder: Path) -> None:
    """Refuse a folder that holds something.

    Parameters
    ----------
    folder : Path
        Where an export goes.

    Raises
    ------
    InputError
        If it is a file, or not empty.
    """
    inside = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if inside or (folder.exists() and not folder.is_dir()):
        raise InputError(
            f"can't write to {folder}",
            got=f"a folder that holds {some(inside, 3)}" if inside else "a file",
            wanted="a new or empty folder",
            fix="Name another one with `output`.",
            parameter="output",
        )
