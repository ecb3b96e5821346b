"""What every format has: what it writes of a run, what comes back as decisions, and the listings that it gives."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.errors import InputError, closest, some
from curation.rendering.results import Result
from curation.rendering.words import joined
from curation.run.journal import Decision

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FORMATS", "Answers", "Asked", "Exported", "Format", "Given", "check_output", "format_of", "only"]


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
        Where it is: ``write(run, folder, ...)``; if something comes back, ``read(file, asked, ...)``; and if it gives
        listings, ``give(source, ...)``.
    options : tuple of str
        Names of the arguments of an export that only some formats take.
    gives : str
        What `curate import-listings` takes listings from, in a few words; empty if it gives none.
    into : str
        The argument that says where an export goes, the first of ``write`` after the run.
    finds : tuple of str
        Names of the arguments of ``give`` and ``read`` that only some formats take.
    shows : bool
        Whether ``write`` takes long, and a reporter.
    """

    name: str
    writes: str
    reads: str
    module: str
    options: tuple[str, ...] = ()
    gives: str = ""
    into: str = "folder"
    finds: tuple[str, ...] = ()
    shows: bool = False


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
            shows=True,
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
        Format(
            "sql",
            writes="tables of issues and decisions in a database",
            reads="",
            module="curation.interchange.sql",
            options=("table_prefix",),
            gives="a query",
            into="database",
            finds=("query",),
            shows=True,
        ),
        Format(
            "fiftyone",
            writes="fields, a tag, a saved view and a run in a dataset of your own",
            reads="labels that were changed in it, and tags",
            module="curation.interchange.fiftyone",
            gives="a dataset of your own",
            into="dataset",
            finds=("label_field",),
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
    folder : Path or None
        Where, if it is a folder.
    listings : int
        How many listings it holds.
    notes : tuple of str
        What a person should know, and do next: a sentence each.
    target : str
        Where, if it is no folder: the URL of a database without its password, or the name of a dataset.
    """

    format: str
    folder: Path | None
    listings: int
    notes: tuple[str, ...] = ()
    target: str = ""


@dataclass(frozen=True)
class Given:
    """Listings that another tool gives.

    Attributes
    ----------
    table : pyarrow.Table
        A row each.
    source : str
        Where they come from, as it may be shown.
    notes : tuple of str
        What a person should know: a sentence each.
    """

    table: pa.Table
    source: str
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
    root : Path
        That folder.
    reviewer : str or None
        Who decided, where the file names nobody.
    """

    labels: Mapping[str, str | None]
    classes: Collection[str]
    photos: Mapping[str, str | None]
    root: Path = Path()
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


def format_of(name: str, *, reads: bool = False, gives: bool = False) -> Format:
    """Return a format by its name.

    Parameters
    ----------
    name : str
        Its name.
    reads : bool
        Only one that decisions come back from.
    gives : bool
        Only one that gives listings.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    fitting = (each for each in FORMATS.values() if (each.reads or not reads) and (each.gives or not gives))
    names = [each.name for each in fitting]
    if name not in names:
        lacks = f"{name} gives no listings" if gives else "no decisions come back from that format"
        what = lacks if name in FORMATS else "there is no such format"
        raise InputError(
            what, got=repr(name), wanted=some(names, 12), fix=closest(str(name), names), parameter="format"
        )
    return FORMATS[name]


def only(chosen: Format, options: Mapping[str, Any], takes: Callable[[Format], Collection[str]]) -> dict[str, Any]:
    """Return the arguments that were given, if the format takes them.

    Parameters
    ----------
    chosen : Format
        The format.
    options : mapping of str to object
        Arguments that only some formats take. None and False are those that were not given.
    takes : callable
        The names of those that a format takes.

    Raises
    ------
    InputError
        If one has no effect.
    """
    given = {name: value for name, value in options.items() if value not in (None, False)}
    for name in given:
        if name not in takes(chosen):
            others = [each.name for each in FORMATS.values() if name in takes(each)]
            raise InputError(
                f"`{name}` has no effect in {chosen.name}",
                wanted=f"it with {joined(others)}",
                fix="Leave it out.",
                parameter=name,
            )
    return given


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
