"""`curate explore` looks at whatever can be opened, and says what every other command would refuse."""

from __future__ import annotations

import gzip
import json
import shlex
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import curation
from curation.api.run import Run
from tests.cli.test_cli import assert_refused, curate

LABELS = ["lamp", "sofa", "lamp", "sofa", "lamp", "sofa"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shop(**columns: Any) -> pd.DataFrame:
    """Write six photos; return their table, with other columns in place of some, or without those that are None."""
    Path("photos").mkdir(exist_ok=True)
    for row in range(len(LABELS)):
        Image.new("RGB", (40, 60), (row, 90, 90)).save(f"photos/{row}.png")
    table = pd.DataFrame(
        {
            "id": [f"L{row}" for row in range(len(LABELS))],
            "image": [f"photos/{row}.png" for row in range(len(LABELS))],
            "label": LABELS,
            "price": [5.0, 90.0, 6.0, 80.0, 7.0, 70.0],
        }
    )
    kept = table.drop(columns=[name for name, values in columns.items() if values is None])
    return kept.assign(**{name: values for name, values in columns.items() if values is not None})


def look(table: pd.DataFrame, *arguments: str) -> tuple[dict[str, Any], str]:
    """Explore a table; return what was found, and what is printed."""
    table.to_csv("shop.csv", index=False)
    result = curate("explore", "shop.csv", *arguments)
    assert result.exit_code == 0, result.output
    assert Path("explore/shop/explore.html").is_file()
    return json.loads(Path("explore/shop/explore.json").read_text()), result.stdout


def faults(found: dict[str, Any]) -> list[str]:
    return [fault["fault"] for fault in found["faults"]]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"label": None}, ["the table has no column 'label'"]),
        ({"image": None}, ["the table has no column 'image'"]),
        ({"id": None, "label": None}, ["the table has no column 'label'"]),
        ({"id": ["a", "a", "b", "c", "d", "e"]}, ["shop.csv has duplicate ids"]),
        ({"id": ["a", None, "b", "c", "d", "e"]}, ["shop.csv has missing ids"]),
        ({"label": "lamp"}, ["shop.csv has one class only"]),
        ({"label": None, "image": None, "id": None}, ["the table has no columns 'id' and 'image' and 'label'"]),
        ({"split": "test"}, ["shop.csv has nothing to train on"]),
        ({"price": ["cheap", "dear", "so so", "?", "x", "y"]}, ["the column 'price' holds no prices"]),
        ({"image": "photos"}, ["shop.csv: 6 of 6 rows are bad"]),
        ({"image": "/dev/zero"}, ["6 image paths lead out of the"]),
        ({"image": "none.png"}, ["shop.csv: 6 of 6 rows are bad"]),
        ({"image": ["../x.png", *[f"photos/{row}.png" for row in range(1, 6)]]}, ["1 image path leads out of the"]),
        ({"currency": ["GBP", "EUR", *["GBP"] * 4]}, ["shop.csv has prices in 2 currencies"]),
        ({"label": pd.NA}, ["shop.csv has no labels"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_what_other_commands_refuse_is_shown_and_the_first_fault_is_what_they_say(
    columns: dict[str, Any], expected: list[str]
) -> None:
    found, printed = look(shop(**columns))
    assert found["listings"] == len(LABELS)
    assert len(found["faults"]) == len(expected)
    assert all(text.startswith(start) for text, start in zip(faults(found), expected, strict=True))
    refused = curate("find-issues", "shop.csv")
    assert refused.exit_code == 2
    assert f"1. {refused.stderr.splitlines()[-1].removeprefix('Error: ')}" in printed


def test_one_listing_is_looked_at() -> None:
    found, printed = look(shop().head(1))
    assert (found["listings"], found["prices"]["median"], found["photos"]["width"]["median"]) == (1, 5.0, 40.0)
    assert "shop: 1 listing in 1 class\n" in printed


def test_listings_without_ids_and_labels_show_their_photos_and_copies() -> None:
    table = shop(id=None, label=None, image=[*[f"photos/{row}.png" for row in range(5)], "photos/0.png"], price=1.0)
    found, _ = look(table.assign(title=[f"item {row}" for row in range(6)]))
    assert found["duplicates"]["shown"] == [
        {"listings": 2, "ids": ["listing 1", "listing 6"], "labels": [], "image": "photos/0.png"}
    ]
    page = Path("explore/shop/explore.html").read_text()
    assert page.count('alt="photo of listing ') == 7
    assert "without a label" in page


def test_columns_of_the_same_name_are_shown_and_refused_by_everything_else() -> None:
    shop()
    Path("shop.csv").write_text("id,image,label,label\n1,photos/1.png,lamp,red\n2,photos/2.png,sofa,blue\n")
    assert curate("explore", "shop.csv").exit_code == 0
    found = json.loads(Path("explore/shop/explore.json").read_text())
    assert faults(found)[0].startswith("shop.csv has two columns called 'label': got id, image, label, label;")
    assert {"label", "label (2)"} <= {row["column"] for row in found["missing"]}
    assert_refused(Path(), "find-issues", "shop.csv", match="shop.csv has two columns called 'label'")


@pytest.mark.parametrize("cell", [1, None], ids=["filled", "empty"])
def test_a_table_of_500_columns_is_looked_at_and_the_terminal_stays_short(cell: int | None) -> None:
    others = pd.DataFrame({f"field {place}": [cell] * len(LABELS) for place in range(500)})
    found, printed = look(pd.concat([shop(), others], axis=1))
    assert len(found["missing"]) == 507
    assert len(printed.splitlines()) < 60
    assert not found["faults"]


def test_many_listings_of_one_class_are_looked_at() -> None:
    shop()
    found, _ = look(
        pd.DataFrame({"id": range(4_000), "image": [f"photos/{row % 6}.png" for row in range(4_000)], "label": "a"}),
        "--sample",
        "6",
    )
    assert found["listings"] == 4_000
    assert found["duplicates"]["groups"] == 6
    assert faults(found)[0].startswith("shop.csv has one class only: got a;")


def test_a_folder_of_loose_photos_is_looked_at() -> None:
    shop()
    result = curate("explore", "photos")
    assert result.exit_code == 0
    found = json.loads(Path("explore/photos/explore.json").read_text())
    assert (found["listings"], found["photos"]["looked_at"], found["labels"]["without_label"]) == (6, 6, 6)
    assert len(found["faults"]) == 1
    assert faults(found)[0].startswith("photos has no labels: got photos in no class folder;")


def test_a_class_folder_without_photos_is_shown_beside_the_others() -> None:
    shop()
    for name in ("lamp", "sofa", "desk"):
        Path("folders", name).mkdir(parents=True)
        shutil.copy("photos/1.png", f"folders/{name}/{name}.png")
    Path("folders/desk/desk.png").rename("folders/desk/desk.heic")
    assert curate("explore", "folders").exit_code == 0
    found = json.loads(Path("explore/folders/explore.json").read_text())
    assert [row["class"] for row in found["labels"]["per_class"]] == ["lamp", "sofa"]
    assert [text.partition(":")[0] for text in faults(found)] == ["the class 'desk' would vanish"]


def test_a_declaration_with_an_unknown_entry_is_looked_at() -> None:
    shop().to_csv("listings.csv", index=False)
    Path("dataset.toml").write_text('name = "shop"\ntabel = "listings.csv"\n')
    assert curate("explore", ".").exit_code == 0
    found = json.loads(Path("explore/shop/explore.json").read_text())
    assert found["listings"] == 6
    assert [text.partition(":")[0] for text in faults(found)] == ["dataset.toml has entries that mean nothing here"]


def test_metadata_that_names_no_photos_is_looked_at() -> None:
    Path("hub").mkdir()
    Path("hub/metadata.csv").write_text("text,label\na lamp,lamp\na sofa,sofa\n")
    assert curate("explore", "hub").exit_code == 0
    found = json.loads(Path("explore/hub/explore.json").read_text())
    assert (found["listings"], found["labels"]["classes"]) == (2, 2)
    assert faults(found)[0].startswith("metadata.csv names no photos: got text, label;")
    assert_refused(Path(), "find-issues", "hub", match="metadata.csv names no photos")


def packed(write: Any) -> bytes:
    path = Path("table")
    write(path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (lambda: np.random.default_rng(0).bytes(20_000), "it is no text"),
        (lambda: Path("photos/1.png").read_bytes(), "it is no text but a photo"),
        (lambda: gzip.compress(b"id,label\n1,a\n")[:-9], "shop.csv can't be read"),
        (lambda: packed(lambda path: shop().to_parquet(path))[:-9], "shop.csv can't be read"),
        (
            lambda: packed(lambda path: zipfile.ZipFile(path, "w").writestr("a.csv", "x")),
            r"the ending \.xlsx, or \.csv\.zip",
        ),
        (lambda: b"<!DOCTYPE html>\n<html>Sign in", "a web page: download the file itself"),
        (lambda: b"", "it is empty"),
        (lambda: b"\n\n", "it is empty"),
        (lambda: b"id,label\n", "is empty: got no rows"),
        (
            lambda: b"id,label\n1,a\n2,b,c\n3,d\n4,e,f,g\n",
            "2 rows have more cells .* row 3 has 3, row 5 has 4, the header 2",
        ),
        (lambda: b'id,label\n1,"a,z"\n2,"b\n3,c\n', "a quote is not closed, in the row that begins at line 3"),
    ],
    ids=[
        "rubbish",
        "photo",
        "gzip",
        "parquet",
        "zip",
        "web page",
        "empty",
        "blank",
        "header",
        "long rows",
        "open quote",
    ],
)
def test_what_is_no_table_can_not_be_opened_and_says_what_it_is(content: Any, match: str) -> None:
    shop()
    Path("shop.csv").write_bytes(content())
    for command in ("explore", "find-issues"):
        assert_refused(Path(), command, "shop.csv", match=match)


def test_an_empty_folder_can_not_be_opened() -> None:
    Path("empty").mkdir()
    assert_refused(Path(), "explore", "empty", match="empty holds no listings: got no photos in class folders")


def pasted(printed: str) -> Any:
    """Run the last line's command, as a person who pastes it into a shell would."""
    program, *words = shlex.split(printed.splitlines()[-1].partition(": ")[2])
    assert program == "curate"
    return curate(*words)


def test_the_next_command_has_the_mapping_and_works_as_pasted() -> None:
    count = 24
    table = pd.concat([shop()] * 4, ignore_index=True).assign(id=range(count), image=None)
    for row in range(count):
        Image.new("RGB", (40, 60), (row * 9, row, 90)).save(f"photos/{row}.png")
        table.loc[row, "image"] = f"photos/{row}.png"
    table = table.rename(columns={"label": "kind of $thing", "image": "it's here"})
    table.to_csv("my shop.csv", index=False)
    explored = curate("explore", "my shop.csv", "--column", "label=kind of $thing", "--column", "image=it's here")
    assert explored.stdout.splitlines()[-1].startswith("Next: curate find-issues 'my shop.csv' --column")
    ended = pasted(explored.stdout)
    assert ended.exit_code == 0, ended.output
    run = curation.open_run()
    assert isinstance(run, Run)
    assert run.issues["given_label"].unique().tolist() == ["lamp", "sofa"]


def test_with_faults_the_next_command_looks_again_with_the_same_mapping() -> None:
    shop(label=None).to_csv("my shop.csv", index=False)
    explored = curate("explore", "my shop.csv", "--column", "title=price")
    again = pasted(explored.stdout)
    assert again.exit_code == 0
    assert again.stdout == explored.stdout


def test_listings_that_were_only_looked_at_are_used_for_nothing_else() -> None:
    shop(label="lamp").to_csv("shop.csv", index=False)
    listings = curation.read_listings("shop.csv", strict=False)
    assert curation.explore(listings).findings["labels"]["classes"] == 1
    for use in (curation.find_issues, curation.train):
        with pytest.raises(curation.ListingsError, match="has one class only"):
            use(listings)
