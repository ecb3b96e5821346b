"""`curate explore` looks at whatever can be opened, and says what every other command would refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from tests.cli.test_cli import curate

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
        ({"image": "none.png"}, ["shop.csv: 6 of 6 rows are bad"]),
        ({"image": ["../x.png", *[f"photos/{row}.png" for row in range(1, 6)]]}, ["1 image path leads out of the"]),
        ({"currency": ["GBP", "EUR", *["GBP"] * 4]}, ["shop.csv has prices in 2 currencies"]),
        ({"label": pd.NA}, ["shop.csv: 6 of 6 rows are bad", "shop.csv has no labels"]),
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
