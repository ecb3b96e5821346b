"""The dataset as its author wrote it, kept so that `cleaned/` can be written when the input has moved."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow.parquet

from curation.listings.json_tables import JsonStyle
from curation.listings.tables import TableFormat, WrittenFile
from training.utils.files import read_json, whole_file, write_json
from training.utils.parquet_files import read_table

if TYPE_CHECKING:
    from curation.listings.read import Listings

__all__ = ["Layout", "Original", "load_original", "save_original"]

Layout = Literal["table", "class-folders", "imagefolder"]
_FACTS = "input.json"


@dataclass(frozen=True)
class Original:
    """A dataset as it was written: row i is the listing i of the run.

    Attributes
    ----------
    layout : str
        ``table``, ``class-folders`` or ``imagefolder`` (photos with metadata files).
    files : tuple of WrittenFile
        Its tables, one after the other; of class folders the list of their photos.
    columns : dict of str to str
        Our column name → the one in the cells, where they differ; empty for one that is not used.
    labels : dict of str to str
        Of the declaration: name of a class → its new name, empty if it stands for no label.
    """

    layout: Layout
    files: tuple[WrittenFile, ...]
    columns: dict[str, str]
    labels: dict[str, str] = field(default_factory=dict)

    def column(self, ours: str) -> str:
        """Return the name that the cells have for a column of ours."""
        return self.columns.get(ours, ours)


def save_original(folder: Path, listings: Listings) -> None:
    """Keep a dataset as it was written.

    Parameters
    ----------
    folder : Path
        Gets a Parquet file for each table, and a description of how it was written.
    listings : Listings
        The dataset.
    """
    source = listings.source
    layout = "class-folders" if source.is_class_folders else "imagefolder" if source.metadata else "table"
    facts = []
    for place, file in enumerate(listings.raw.files):
        with whole_file(folder / f"{place}.parquet") as temporary:
            pyarrow.parquet.write_table(file.cells, temporary)
        facts.append({"name": file.name, "format": asdict(file.format), "header": list(file.header)})
    # last: it says that the others are complete
    described = {"layout": layout, "columns": listings.columns, "labels": source.labels, "files": facts}
    write_json(folder / _FACTS, described)


def load_original(folder: Path) -> Original:
    """Read what :func:`save_original` kept.

    Parameters
    ----------
    folder : Path
        Its folder.

    Raises
    ------
    OSError, ValueError
        If something is missing or damaged.
    """
    facts = read_json(folder / _FACTS)
    for each in facts["files"]:
        _require_inside(each["name"])
    files = [
        WrittenFile(
            each["name"],
            _format(each["format"]),
            tuple(each["header"]),
            read_table(folder / f"{place}.parquet"),
        )
        for place, each in enumerate(facts["files"])
    ]
    return Original(facts["layout"], tuple(files), facts["columns"], facts.get("labels", {}))


def _require_inside(name: str) -> None:
    """Refuse a name that would lead out of the folder that the file is written to; whoever made the run chose it."""
    if Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
        raise ValueError(f"the file {name!r} would lie outside its folder")


def _format(facts: dict[str, Any]) -> TableFormat:
    return TableFormat(**{**facts, "json": JsonStyle(**facts["json"])})
