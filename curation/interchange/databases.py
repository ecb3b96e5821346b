"""Databases by their URL: opened by SQLAlchemy, with errors in a line that never has a password."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from curation.errors import InputError, closest

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["opened", "shown_url"]

#: What people type, and the driver of the extra `sql` for it.
_POSTGRES = ("postgres", "postgresql")
_DRIVER = "postgresql+psycopg"
_INSTALL = "Install it with: pip install 'curate-listings[sql]'"
_WANTED = "a URL of SQLAlchemy, e.g. postgresql://user@host/database or sqlite:///shop.db"


def shown_url(text: str) -> str:
    """Return the URL of a database without its password.

    Parameters
    ----------
    text : str
        As it was given.
    """
    return _shown(_parsed(text))


@contextmanager
def opened(text: str, parameter: str, *, keep: bool) -> Iterator[sa.Connection]:
    """Connect to a database for one transaction.

    Parameters
    ----------
    text : str
        Its URL.
    parameter : str
        The argument with it.
    keep : bool
        Whether what the block changes is kept, if it ends without an error.

    Raises
    ------
    InputError
        If it is no URL, a package is missing, the database can't be reached, or it refuses what the block does.
    """
    url = _parsed(text)
    shown = _shown(url)
    import sqlalchemy as sa

    try:
        engine = sa.create_engine(url)
        try:
            with engine.connect() as connection:
                yield connection
                if keep:
                    connection.commit()
        finally:
            engine.dispose()
    except ModuleNotFoundError as error:
        fix = _INSTALL if url.drivername == _DRIVER else f"Install {error.name}."
        raise InputError(
            f"no driver for {shown}", got=f"no package {error.name}", fix=fix, parameter=parameter
        ) from None
    except sa.exc.NoSuchModuleError:
        # entry points name some, and SQLAlchemy has these itself
        near = closest(url.get_backend_name(), ["postgresql", "mysql", "mariadb", "sqlite", "oracle", "mssql"])
        raise InputError(
            "there is no such kind of database", got=shown, wanted=_WANTED, fix=near, parameter=parameter
        ) from None
    except sa.exc.SQLAlchemyError as error:
        raise InputError(f"{shown} refuses", got=_line(error, url), parameter=parameter) from None


def _parsed(text: str) -> sa.URL:
    if importlib.util.find_spec("sqlalchemy") is None:
        raise InputError("databases need SQLAlchemy", fix=_INSTALL, parameter="format")
    import sqlalchemy as sa

    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        # what it is can't be shown: there may be a password in it
        raise InputError("that is no URL of a database", wanted=_WANTED, parameter="database") from None
    if url.drivername in _POSTGRES and importlib.util.find_spec("psycopg2") is None:
        url = url.set(drivername=_DRIVER)
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).is_file():
        # SQLite would make an empty one
        raise InputError("there is no such file", got=url.database, wanted="a database of SQLite", parameter="database")
    return url


def _shown(url: sa.URL) -> str:
    # there may be a password in the query, too
    return url.set(query={}).render_as_string(hide_password=True)


def _line(error: Exception, url: sa.URL) -> str:
    """Return what the database said, in a line without the password."""
    said = str(getattr(error, "orig", None) or error).strip()
    line = " ".join(part.strip() for part in said.splitlines()[:2] if part.strip()) or type(error).__name__
    values = [value for each in url.query.values() for value in ([each] if isinstance(each, str) else each)]
    for secret in filter(None, [url.password, *(values if "password" in line else ())]):
        line = line.replace(secret, "***")
    return line
