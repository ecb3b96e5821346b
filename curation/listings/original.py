"""The dataset as its author wrote it, kept so that `cleaned/` can be written when the input has moved."""

from __future__ import annotations

import codecs
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pyarrow.parquet

from curation.listings.json_tables import JsonStyle
from curation.listings.workbooks import Book
from curation.listings.written import Kind, TableFormat, WrittenFile
from training.utils.bounded import most_bytes
from training.utils.csv_files import Quoting
from training.utils.files import read_json, read_regular, whole_file, write_json
from training.utils.parquet_files import ROW_GROUP, read_table

if TYPE_CHECKING:
    from curation.listings.read import Listings

__all__ = ["Layout", "Original", "leads_outside", "load_original", "save_original"]

Layout = Literal["table", "class-folders", "imagefolder"]
_FACTS = "input.json"
#: What a line of a CSV may end with.
_ENDS = frozenset({"", "\n", "\r", "\r\n"})


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
    facts = [_save(folder / str(place), file) for place, file in enumerate(listings.raw.files)]
    # last: it says that the others are complete
    described = {"layout": layout, "columns": listings.columns, "labels": source.labels, "files": facts}
    write_json(folder / _FACTS, described)


def _save(place: Path, file: WrittenFile) -> dict[str, Any]:
    """Write the cells of a table, and return the facts about it."""
    with whole_file(place.with_name(f"{place.name}.parquet")) as temporary:
        pyarrow.parquet.write_table(file.cells, temporary, row_group_size=ROW_GROUP)
    facts: dict[str, Any] = {"name": file.name, "format": asdict(file.format), "header": list(file.header)}
    if file.book is not None:
        with whole_file(place.with_name(f"{place.name}.xlsx")) as temporary:
            temporary.write_bytes(file.book.content)
        facts |= {"header_row": file.book.header, "rows": list(file.book.rows)}
    if file.lines:
        facts |= {"lines": {str(row): line for row, line in file.lines.items()}}
    if file.ends:
        facts |= {"ends": {str(row): end for row, end in file.ends.items()}}
    if file.further is not None:
        facts |= {"further": _save(place.with_name(f"{place.name}-further"), file.further), "owners": list(file.owners)}
        facts |= {} if file.after == file.owners else {"after": list(file.after)}
    return facts


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
    layout, columns, labels = facts["layout"], facts["columns"], facts.get("labels", {})
    files = tuple(_file(folder / f"{place}.parquet", each) for place, each in enumerate(facts["files"]))
    if layout not in get_args(Layout) or not files or not _are_texts(columns) or not _are_texts(labels):
        raise ValueError("its layout, columns, labels or files are none")
    return Original(layout, files, columns, labels)


def _file(cells: Path, facts: dict[str, Any]) -> WrittenFile:
    _require_inside(facts["name"])
    header, table = tuple(facts["header"]), read_table(cells)
    if len(header) != table.num_columns or not all(isinstance(name, str) for name in header):
        raise ValueError(f"the header of {facts['name']!r} is not that of its {table.num_columns} columns")
    book = _book(cells.with_suffix(".xlsx"), facts)
    lines, ends = (_texts_of_rows(facts, key, table.num_rows) for key in ("lines", "ends"))
    if not set(ends.values()) <= _ENDS:
        raise ValueError(f"the line ends of {facts['name']!r} are none")
    file = WrittenFile(facts["name"], _format(facts["format"]), header, table, book, lines=lines, ends=ends)
    if "further" not in facts:
        return file
    further, owners = _file(cells.with_stem(f"{cells.stem}-further"), facts["further"]), tuple(facts["owners"])
    # in runs of earlier versions, each stands below its owner
    after = tuple(facts.get("after", owners))
    inside = all(type(owner) is int and 0 <= owner <= table.num_rows for owner in owners)
    below = all(type(place) is int and -1 <= place < table.num_rows for place in after) and list(after) == sorted(after)
    alike = further.cells.num_rows == len(owners) == len(after) and (further.book is None) == (book is None)
    if not inside or not alike or not below:
        raise ValueError(f"the rows that belong to others in {facts['name']!r} are none")
    return replace(file, further=further, owners=owners, after=after)


def _book(file: Path, facts: dict[str, Any]) -> Book | None:
    """Return the workbook of a table; None if it has none, as in runs of earlier versions."""
    if "rows" not in facts:
        return None
    numbers = [facts["header_row"], *facts["rows"]]
    if not all(type(number) is int and number > 0 for number in numbers) or sorted(set(numbers)) != numbers:
        raise ValueError(f"the rows of {file.name} are none")
    return Book(read_regular(file, most_bytes()), numbers[0], tuple(numbers[1:]))


def _texts_of_rows(facts: dict[str, Any], key: str, rows: int) -> dict[int, str]:
    """Return the lines of a CSV that would be written otherwise, or their ends; runs of earlier versions have none."""
    texts = facts.get(key, {})
    if not _are_texts(texts) or not all(row.isdecimal() and int(row) < rows for row in texts):
        raise ValueError(f"the {key} of {facts['name']!r} are none")
    return {int(row): text for row, text in texts.items()}


def _are_texts(pairs: Any) -> bool:
    return isinstance(pairs, dict) and all(isinstance(text, str) for text in pairs.values())


def leads_outside(name: str) -> bool:
    """Return whether the name of a file leads out of the folder that it is in; whoever made the run chose it.

    Parameters
    ----------
    name : str
        Relative to the folder.

    Examples
    --------
    >>> leads_outside("listings.csv"), leads_outside("../listings.csv"), leads_outside("/etc/passwd")
    (False, True, True)
    """
    return Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name


def _require_inside(name: str) -> None:
    if leads_outside(name):
        raise ValueError(f"the file {name!r} would lie outside its folder")


def _format(facts: dict[str, Any]) -> TableFormat:
    """Return how a table is written; what is there must be of the kinds that are written."""
    style = JsonStyle(**facts["json"])
    read = TableFormat(**{**facts, "json": style})
    kinds = [(read, TableFormat(read.kind)), (replace(style, indent=0), JsonStyle(indent=0))]
    for one, usual in kinds:
        strange = [name for name, value in vars(one).items() if type(value) is not type(vars(usual)[name])]
        if strange:
            raise ValueError(f"it has a {strange[0]!r} of another kind")
    if read.kind not in get_args(Kind) or read.quoting not in get_args(Quoting) or len(read.delimiter) != 1:
        raise ValueError("its format is none")
    if not (style.indent is None or type(style.indent) is int):
        raise ValueError("its indent is none")
    codecs.lookup(read.encoding)
    return read
