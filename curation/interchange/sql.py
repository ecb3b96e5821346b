"""SQL: listings out of a query; issues and decisions into two tables.

Each export replaces all rows of the tables, in one transaction: views on them and rights to them stay. They are keyed
by the id of the listing, a number if all ids are whole numbers, so that they join with the table of the listings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pandas as pd
import pyarrow as pa

from curation.errors import InputError, short_repr, some
from curation.interchange.contract import Exported, Given
from curation.interchange.databases import opened, shown_url
from curation.rendering.words import agree, joined, many
from curation.run.folder import RunFolder
from training.utils.progress import SILENT, Reporter, counted

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["NAME", "give", "write"]

NAME = "sql"
#: The names of the tables, after the prefix.
_ISSUES, _DECISIONS = "issues", "decisions"
_PREFIX = "curate_"
#: Rows that are sent or read at once.
_ROWS = 10_000
#: Whole numbers that a column of numbers holds.
_MOST = 1 << 63
#: Of the decisions that hold.
_DECIDED = {
    "id": "string",
    "action": "string",
    "new_label": "string",
    "new_price": "float64",
    "reviewer": "string",
    "time": "datetime",
    "source": "string",
    "note": "string",
}


def write(run: RunFolder, database: str, *, table_prefix: str | None = None, reporter: Reporter = SILENT) -> Exported:
    """Fill the tables ``curate_issues`` and ``curate_decisions``; they are made if they are not there.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    database : str
        A URL of SQLAlchemy.
    table_prefix : str, optional
        What their names begin with, ``curate_`` by default; with a schema before it, e.g. ``quality.curate_``.
    reporter : Reporter
        Shows progress.

    Raises
    ------
    InputError
        If the database can't be reached or refuses, or has tables of those names with other columns.
    """
    issues, decided = run.issues(), _decisions(run)
    whole = _are_numbers(issues["id"])
    number = f"{run.folder.parent.name}/{run.folder.name}"
    schema, _, prefix = (_PREFIX if table_prefix is None else table_prefix).rpartition(".")
    kinds = {column: str(issues.dtypes[column]) for column in issues.columns}
    with (
        opened(database, "database", keep=True) as connection,
        reporter.bar("sending issues") as progress,
    ):
        sent = counted(progress, len(issues) + len(decided))
        for name, table, types in ((_ISSUES, issues, kinds), (_DECISIONS, decided, _DECIDED)):
            made = _table(connection, prefix + name, schema or None, {**types, "run": "string"}, whole=whole)
            connection.execute(made.delete())
            for rows in _rows(table, number, whole=whole):
                connection.execute(made.insert(), rows)
                sent(len(rows))
    listings, decisions = many(len(issues), "listing"), many(len(decided), "decision")
    notes = [
        f"{prefix}{_ISSUES} has {listings}, and {prefix}{_DECISIONS} {decisions}.",
        f"Their id is {'a number' if whole else 'a text'}, as in the listings.",
    ]
    return Exported(NAME, None, len(issues), tuple(notes), target=shown_url(database))


def _decisions(run: RunFolder) -> pd.DataFrame:
    held = run.holding_decisions().decisions.values()
    rows = [{name: getattr(each, name) for name in _DECIDED} for each in held]
    table = pd.DataFrame(rows, columns=list(_DECIDED), dtype=object)
    table["time"] = pd.to_datetime(table["time"], utc=True, format="ISO8601")
    return table


def _are_numbers(ids: pd.Series) -> bool:
    """Return whether all ids are whole numbers as a database writes them."""
    return all(text.removeprefix("-").isdecimal() and str(int(text)) == text and abs(int(text)) < _MOST for text in ids)


def _rows(table: pd.DataFrame, number: str, *, whole: bool) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows as a database takes them, some thousand at a time."""
    for start in range(0, len(table), _ROWS):
        part = table.iloc[start : start + _ROWS].astype(object)
        part = part.where(part.notna(), None)
        records: list[dict[str, Any]] = part.to_dict("records")  # type: ignore[assignment]
        yield [{**row, "id": int(row["id"]) if whole else row["id"], "run": number} for row in records]


def _table(connection: sa.Connection, name: str, schema: str | None, types: dict[str, str], *, whole: bool) -> sa.Table:
    """Return a table with these columns, which is made if it is not there."""
    import sqlalchemy as sa

    kinds: dict[str, Any] = {
        "float64": sa.Double,
        "Float64": sa.Double,
        "bool": sa.Boolean,
        "boolean": sa.Boolean,
        "int64": sa.BigInteger,
        "Int64": sa.BigInteger,
        "datetime": sa.DateTime(timezone=True),
    }
    # a key of MySQL has a length
    text = sa.Text().with_variant(sa.String(255), "mysql", "mariadb")
    key = sa.BigInteger() if whole else text
    columns = [
        sa.Column(column, key, primary_key=True, autoincrement=False)
        if column == "id"
        else sa.Column(column, kinds.get(kind, sa.Text))
        for column, kind in types.items()
    ]
    inspector = sa.inspect(connection)
    if inspector.has_table(name, schema=schema):
        there = {str(column["name"]): column["type"] for column in inspector.get_columns(name, schema=schema)}
        _require_ours(name, there, types, whole=whole)
    table = sa.Table(name, sa.MetaData(), *columns, schema=schema)
    table.create(connection, checkfirst=True)
    return table


def _require_ours(name: str, there: dict[str, Any], types: dict[str, str], *, whole: bool) -> None:
    """Refuse a table that another version, another kind of ids or somebody else made."""
    missing = [column for column in types if column not in there]
    foreign = [column for column in there if column not in types]
    other = not missing and whole != issubclass(there["id"].python_type, int)
    if not (missing or foreign or other):
        return
    parts = [
        f"without {joined(missing)}" if missing else "",
        f"with {joined(foreign)}" if foreign else "",
        f"whose id is {'a text' if whole else 'a number'}" if other else "",
    ]
    raise InputError(
        f"there is another table {name}",
        got=f"one {' and '.join(part for part in parts if part)}",
        wanted="a table of this export, or none",
        fix="Drop it, or choose other names with `table_prefix`.",
        parameter="table_prefix",
    )


def give(source: str, *, query: str | None = None) -> Given:
    """Return the listings that a query selects.

    Parameters
    ----------
    source : str
        A URL of SQLAlchemy.
    query : str
        A SELECT. Nothing that it changes is kept.

    Raises
    ------
    InputError
        If there is no query, the database can't be reached or refuses, or it selects no rows or a name twice.
    """
    if query is None or not query.strip():
        raise InputError(
            "sql needs a query",
            wanted="a SELECT of the listings",
            fix="e.g. `query='SELECT id, image, category AS label, price FROM listings'`.",
            parameter="query",
        )
    parts, left_out = list[dict[str, pa.Array]](), dict[str, None]()
    with opened(source, "source", keep=False) as connection, closing(_selected(connection, query)) as result:
        names = _names(result, query)
        while rows := result.fetchmany(_ROWS):
            columns = {}
            for place, name in enumerate(names):
                values = [row[place] for row in rows]
                if any(isinstance(value, bytes | bytearray | memoryview) for value in values):
                    left_out[name] = None
                else:
                    columns[name] = _array(name, values)
            parts.append(columns)
    if not parts:
        raise InputError("the query selects no rows", got=short_repr(query), wanted="the listings", parameter="query")
    kept = [name for name in names if name not in left_out]
    if not kept:
        raise InputError(
            "the query selects only bytes",
            got=some(names),
            wanted="an id and a label, and the path or URL of each photo",
            parameter="query",
        )
    try:
        tables = [pa.table({name: part[name] for name in kept}) for part in parts]
        table = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise InputError(
            "the query selects values of several kinds in one column",
            got=str(error).splitlines()[0],
            wanted="one kind in each",
            fix="CAST it to text.",
            parameter="query",
        ) from None
    have = agree(len(left_out), "has", "have")
    notes = (f"Left out: {joined(list(left_out))}, which {have} bytes.",) if left_out else ()
    return Given(table, shown_url(source), notes)


def _selected(connection: sa.Connection, query: str) -> sa.CursorResult[Any]:
    import sqlalchemy as sa

    # the colon of SQL begins no parameter; rows are not all held at once
    return connection.execution_options(stream_results=True).execute(sa.text(query.replace(":", r"\:")))


def _names(result: sa.CursorResult[Any], query: str) -> list[str]:
    """Return the names of the columns."""
    if not result.returns_rows:
        raise InputError("the query selects nothing", got=short_repr(query), wanted="a SELECT", parameter="query")
    names = list(result.keys())
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise InputError(
            "the query selects columns of one name", got=some(twice), fix="Name them with AS.", parameter="query"
        )
    return names


def _array(name: str, values: list[Any]) -> pa.Array:
    """Return a column as a table has it: numbers, texts, times; the rest as JSON or text."""
    plain = [_plain(value) for value in values]
    try:
        return pa.array(plain)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        kinds = sorted({type(value).__name__ for value in plain if value is not None})
        raise InputError(
            f"the query selects values of several kinds as {name}",
            got=some(kinds),
            wanted="one kind in each column",
            fix=f"CAST({name} AS TEXT) makes it text.",
            parameter="query",
        ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, UUID | Path):
        return str(value)
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return value
