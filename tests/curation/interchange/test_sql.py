"""A real PostgreSQL, and SQLite: listings out of a query, issues and decisions into tables that join with theirs."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import psycopg
import pytest

import curation
from curation.errors import InputError
from tests.cli.test_cli import curate, done
from tests.support.fixes import LISTINGS, files, make_run
from tests.support.postgres import PASSWORD, postgres

QUERY = "SELECT number AS id, photo AS image, category AS label, price FROM ads ORDER BY number"


@pytest.fixture(scope="module")
def port():
    with postgres() as port:
        yield port


@pytest.fixture
def url(port):
    """Return the URL of an empty database; it says what people type."""
    with connected(port, "postgres") as connection:
        connection.execute("DROP DATABASE IF EXISTS shop")
        connection.execute("CREATE DATABASE shop")
    return f"postgresql://curate:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/shop"


def connected(port, database="shop"):
    login = {"user": "curate", "password": PASSWORD, "dbname": database}
    return psycopg.connect(host="127.0.0.1", port=port, autocommit=True, **login)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_REVIEWER", "cleo")
    return curation.open_run(make_run(tmp_path).folder)


@pytest.fixture
def ads(port, url):
    """Fill a table as a shop has it."""
    with connected(port) as connection:
        connection.execute(
            "CREATE TABLE ads (number BIGINT PRIMARY KEY, photo TEXT, category TEXT, price NUMERIC(10, 2), made "
            "TIMESTAMPTZ DEFAULT now(), tags TEXT[], extra JSONB, thumb BYTEA, code UUID DEFAULT gen_random_uuid())"
        )
        rows = [(n, f"photos/{n}.png", "chair" if n % 2 else "desk", n + 0.5, ["a", "b"], '{"x": 1}') for n in range(7)]
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO ads (number, photo, category, price, tags, extra, thumb) VALUES (%s, %s, %s, %s, %s, %s, "
                "'\\x89504e47')",
                rows,
            )
    return url


def test_listings_of_a_query_are_a_table_that_every_command_reads(tmp_path, monkeypatch, ads):
    monkeypatch.chdir(tmp_path)
    imported = curation.import_listings("sql", ads, query=QUERY)
    assert (imported.listings, imported.columns) == (7, ("id", "image", "label", "price"))
    listings = curation.read_listings("listings.parquet", needs_image=False, strict=False)
    assert listings.table["id"].tolist() == [str(n) for n in range(7)]
    assert listings.table["price"].tolist() == [n + 0.5 for n in range(7)]
    assert listings.table["label"].tolist()[:2] == ["desk", "chair"]


def test_columns_of_all_kinds_come_whole_and_bytes_are_left_out_by_name(tmp_path, monkeypatch, ads):
    monkeypatch.chdir(tmp_path)
    query = "SELECT *, '10:20'::text AS hour, 100 % 7 AS rest FROM ads WHERE photo LIKE '%png' AND category != ':x'"
    imported = curation.import_listings("sql", ads, output="all.parquet", query=query)
    table = pd.read_parquet("all.parquet")
    assert len(table) == 7
    assert "thumb" not in table
    assert any("thumb" in note for note in imported.notes)
    assert (json.loads(table["tags"][0]), json.loads(table["extra"][0])) == (["a", "b"], {"x": 1})
    assert (table["hour"][0], table["rest"][0]) == ("10:20", 2)
    assert len(table["code"][0]) == 36


def test_more_rows_than_are_read_at_once_come_in_their_order_and_empty_parts_take_the_kind_of_others(
    tmp_path, monkeypatch, url
):
    monkeypatch.chdir(tmp_path)
    columns = "n AS id, CASE WHEN n > 15000 THEN n * 0.5 END AS price"
    query = f"SELECT {columns} FROM generate_series(1, 25000) AS n ORDER BY n"
    assert curation.import_listings("sql", url, query=query).listings == 25_000
    table = pd.read_parquet("listings.parquet")
    assert table["id"].tolist() == list(range(1, 25_001))
    assert (table["price"].isna().sum(), float(table["price"][24_999])) == (15_000, 12_500.0)


def test_a_query_that_changes_something_changes_nothing(tmp_path, monkeypatch, port, ads):
    monkeypatch.chdir(tmp_path)
    for query in ("DELETE FROM ads RETURNING number AS id", "DROP TABLE ads"):
        with pytest.raises(InputError, match=r"refuses.*syntax error"):
            curation.import_listings("sql", ads, query=query)
    with connected(port) as connection:
        connection.execute(
            "CREATE FUNCTION emptied() RETURNS BIGINT LANGUAGE SQL AS 'DELETE FROM ads RETURNING number'"
        )
    assert curation.import_listings("sql", ads, query="SELECT emptied() AS id").listings == 1
    with connected(port) as connection:
        assert connection.execute("SELECT count(*) FROM ads").fetchone() == (7,)


def test_a_statement_that_selects_nothing_in_sqlite_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("shop.db")) as database, database:
        database.execute("CREATE TABLE ads (id TEXT)")
        database.execute("INSERT INTO ads VALUES ('1')")
    with pytest.raises(InputError, match="selects nothing"):
        curation.import_listings("sql", "sqlite:///shop.db", query="DELETE FROM ads")
    assert curation.import_listings("sql", "sqlite:///shop.db", query="SELECT id FROM ads").listings == 1


def test_a_file_that_no_import_wrote_is_never_replaced(tmp_path, monkeypatch, ads):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"id": [1]}).to_parquet("listings.parquet")
    with pytest.raises(InputError, match="no import wrote"):
        curation.import_listings("sql", ads, query=QUERY)
    assert len(pd.read_parquet("listings.parquet")) == 1
    for _ in range(2):
        assert curation.import_listings("sql", ads, output="mine.parquet", query=QUERY).listings == 7


def test_issues_and_decisions_are_tables_that_join_with_the_shops_own(run, port, url):
    run.decide("00", "relabel", label="desk", reviewer="ana")
    before = files(run.folder)
    exported = run.export("sql", database=url)
    with connected(port) as connection:
        connection.execute("CREATE TABLE ads (number TEXT PRIMARY KEY)")
        connection.execute("INSERT INTO ads VALUES ('00'), ('07')")
        rows = connection.execute(
            "SELECT number, given_label, is_label_issue, label_score, action, new_label, reviewer, i.run FROM ads "
            "JOIN curate_issues i ON i.id = number LEFT JOIN curate_decisions d ON d.id = number ORDER BY number"
        ).fetchall()
        assert connection.execute("SELECT count(*) FROM curate_issues").fetchone() == (len(LISTINGS),)
        time = connection.execute("SELECT time FROM curate_decisions").fetchone()[0]
    assert rows == [
        ("00", "chair", True, pytest.approx(0.03), "relabel", "desk", "ana", "shop/1"),
        ("07", "desk", False, pytest.approx(0.99), None, None, None, "shop/1"),
    ]
    assert time.isoformat(timespec="seconds")[:10] == run.decisions()["time"][0][:10]
    assert (exported.listings, exported.folder) == (12, None)
    assert PASSWORD not in exported.target
    assert "***" in exported.target
    assert files(run.folder) == before


def test_ids_that_are_all_whole_numbers_are_numbers(tmp_path, monkeypatch, port, url):
    monkeypatch.chdir(tmp_path)
    made = make_run(tmp_path)
    made.write_table(made.issues_file, made.issues().assign(id=[str(n) for n in range(-1, 11)]))
    curation.open_run(made.folder).export("sql", database=url)
    with connected(port) as connection:
        assert connection.execute("SELECT min(id), max(id) FROM curate_issues").fetchone() == (-1, 10)


def test_ids_of_any_length_are_keys_and_zeros_before_them_stay(tmp_path, monkeypatch, port, url):
    monkeypatch.chdir(tmp_path)
    made = make_run(tmp_path)
    made.write_table(made.issues_file, made.issues().assign(id=["007", "x" * 2000, *map(str, range(10))]))
    curation.open_run(made.folder).export("sql", database=url)
    with connected(port) as connection:
        assert connection.execute("SELECT count(*) FROM curate_issues WHERE id IN ('007', '7')").fetchone() == (2,)
        assert connection.execute("SELECT max(length(id)) FROM curate_issues").fetchone() == (2000,)


def test_a_text_that_the_database_cannot_hold_is_an_error_and_nothing_is_written(tmp_path, monkeypatch, port, url):
    monkeypatch.chdir(tmp_path)
    made = make_run(tmp_path)
    made.write_table(made.issues_file, made.issues().assign(reasons="a\x00b"))
    with pytest.raises(InputError, match="NUL"):
        curation.open_run(made.folder).export("sql", database=url)
    with connected(port) as connection:
        tables = connection.execute("SELECT count(*) FROM information_schema.tables WHERE table_name = 'curate_issues'")
        assert tables.fetchone() == (0,)


def test_a_second_export_replaces_all_rows_and_leaves_views_on_them(run, port, url):
    run.export("sql", database=url)
    with connected(port) as connection:
        connection.execute("CREATE VIEW wrong AS SELECT id FROM curate_issues WHERE is_label_issue")
        connection.execute("DELETE FROM curate_issues WHERE id = '00'")
    run.decide("00", "delete")
    run.export("sql", database=url)
    with connected(port) as connection:
        assert connection.execute("SELECT count(*) FROM wrong").fetchone() == (4,)
        assert connection.execute("SELECT action FROM curate_decisions").fetchall() == [("delete",)]


def test_an_export_that_fails_half_way_leaves_what_was_there(run, port, url):
    run.export("sql", database=url)
    with connected(port) as connection:
        connection.execute("ALTER TABLE curate_decisions ADD CONSTRAINT none CHECK (action <> 'delete')")
    run.decide("00", "delete")
    with connected(port) as connection:
        connection.execute("UPDATE curate_issues SET run = 'before'")
    with pytest.raises(InputError, match=r"refuses.*violates check constraint"):
        run.export("sql", database=url)
    with connected(port) as connection:
        assert connection.execute("SELECT DISTINCT run FROM curate_issues").fetchall() == [("before",)]


def test_tables_of_somebody_else_are_refused_and_a_prefix_with_a_schema_is_used(run, port, url):
    with connected(port) as connection:
        connection.execute("CREATE TABLE curate_issues (id TEXT, severity INT)")
        connection.execute("CREATE SCHEMA quality")
    with pytest.raises(InputError, match=r"another table curate_issues.*with severity.*table_prefix"):
        run.export("sql", database=url)
    run.export("sql", database=url, table_prefix="quality.c_")
    with connected(port) as connection:
        assert connection.execute("SELECT count(*) FROM quality.c_issues").fetchone() == (12,)
        assert connection.execute("SELECT count(*) FROM curate_issues").fetchone() == (0,)


def test_sqlite_takes_and_gives_the_same_without_a_server(run):
    sqlite3.connect("shop.db").close()
    run.decide("00", "keep")
    run.export("sql", database="sqlite:///shop.db")
    imported = curation.import_listings("sql", "sqlite:///shop.db", query="SELECT id, given_label FROM curate_issues")
    assert pd.read_parquet(imported.file)["given_label"].tolist()[:2] == ["chair", "chair"]


@pytest.mark.parametrize(
    ("database", "words"),
    [
        ("postgresql://curate:wrong@127.0.0.1:{port}/shop", "password authentication failed"),
        ("postgresql://curate:{password}@127.0.0.1:{port}/else", r'database "else" does not exist'),
        ("postgresql://curate:{password}@127.0.0.1:1/shop", "refused"),
        ("postgres//nothing", "no URL of a database"),
        ("nosuch://host/shop", "no such kind of database"),
        ("mysql+pymysql://host/shop", "no package pymysql"),
        ("sqlite:///none.db", "no such file"),
        ("postgresql://127.0.0.1:{port}/shop?user=curate&password=wrong", "password authentication failed"),
    ],
)
def test_a_database_that_cannot_be_had_is_an_error_without_the_password(run, port, database, words):
    password = quote(PASSWORD, safe="")
    with pytest.raises(InputError, match=words) as error:
        run.export("sql", database=database.format(port=port, password=password))
    assert PASSWORD not in str(error.value)
    assert password not in str(error.value)
    assert "wrong" not in str(error.value)
    assert not Path("none.db").exists()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (None, "needs a query"),
        ("SELECT nothing FROM ads", 'column "nothing" does not exist'),
        ("SELECT number, number FROM ads", "columns of one name"),
        ("SELECT number FROM ads WHERE false", "selects no rows"),
        ("SELECT thumb FROM ads", "only bytes"),
        ("SELEC 1", "syntax error"),
    ],
)
def test_a_query_that_gives_no_listings_is_an_error_and_writes_nothing(tmp_path, monkeypatch, ads, query, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=words):
        curation.import_listings("sql", ads, query=query)
    assert not Path("listings.parquet").exists()


@pytest.mark.parametrize("url", ["postgresql://me:s3cret@db/shop", "mysql+pymysql://me:s3cret@db", "sqlite:///shop.db"])
def test_a_database_as_a_dataset_is_told_how_its_listings_are_taken(url):
    failed = curate("find-issues", url)
    assert failed.exit_code == 2
    assert "curate import-listings sql URL --query" in failed.stderr
    assert "s3cret" not in failed.stderr


def test_the_commands_import_and_export(run, ads):
    shown = done("import-listings", "sql", ads, "--query", QUERY).output
    assert "7 listings with id, image, label, price" in shown
    assert "curate find-issues listings.parquet" in shown
    assert "12 listings" in done("export", "sql", "--database", ads).output
    assert PASSWORD not in shown
    failed = curate("import-listings", "label-studio", "x")
    assert (failed.exit_code, "gives no listings" in failed.stderr) == (2, True)
    assert curate("export", "sql", "--database", "else").exit_code == 2
