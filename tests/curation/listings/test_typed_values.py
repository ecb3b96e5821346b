"""Values with their types, as MongoDB exports them, are plain values, and stay as they are in the cleaned dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from curation.listings.cell_objects import plain_value
from curation.run.journal import Decision
from tests.support.fixes import decided, run_of

DATE = {"$date": {"$numberLong": "1700000000000"}}


def rows(kind: str) -> list[dict[str, Any]]:
    return [
        {
            "_id": {"$oid": f"5f{row:022}"},
            "category": "ab"[row % 2],
            "price": {f"$number{kind}": str(row + 1) if kind in ("Int", "Long") else f"{row + 1}.125"},
            "listed": DATE,
        }
        for row in range(6)
    ]


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("kind", ["Decimal", "Double", "Int", "Long"])
def test_values_with_their_types_are_plain_and_stay_as_they_are_in_cleaned(
    kind: str, lines: bool, tmp_path: Path
) -> None:
    given = rows(kind)
    file = tmp_path / ("shop.jsonl" if lines else "shop.json")
    file.write_text("".join(json.dumps(row) + "\n" for row in given) if lines else json.dumps(given))
    listings = read_listings(file, needs_image=False)
    assert listings.problems.empty
    assert listings.table["id"].tolist() == [row["_id"]["$oid"] for row in given]
    assert listings.table["price"].tolist() == [float(row["price"][f"$number{kind}"]) for row in given]
    assert listings.table["listed"].unique().tolist() == ["2023-11-14T22:13:20Z"]
    run = run_of(file, tmp_path / "run", needs_image=False)
    run.decide([decided(given[2]["_id"]["$oid"], "relabel", "b"), decided(given[4]["_id"]["$oid"], "delete")])
    apply_fixes(run, plan_fixes(run))
    text = next(path for path in run.cleaned.iterdir() if path.name.startswith("listings.")).read_text()
    cleaned = [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)
    wanted = [dict(row) for row in given]
    wanted[2]["category"] = "b"
    del wanted[4]
    assert cleaned == wanted


@pytest.mark.parametrize(
    ("kind", "new"), [("Decimal", {"$numberDecimal": "9.250"}), ("Int", {"$numberDouble": "9.25"})]
)
def test_a_new_price_has_the_type_of_the_old_one(kind: str, new: dict[str, str], tmp_path: Path) -> None:
    given = rows(kind)
    (tmp_path / "shop.json").write_text(json.dumps(given))
    run = run_of(tmp_path / "shop.json", tmp_path / "run", needs_image=False)
    id = given[1]["_id"]["$oid"]
    run.decide([Decision(id, "reprice", None, "ana", "2024-05-01T10:00:00.000+00:00", "app", None, new_price=9.25)])
    apply_fixes(run, plan_fixes(run))
    cleaned = json.loads((run.cleaned / "listings.json").read_text())
    assert cleaned == [given[0], {**given[1], "price": new}, *given[2:]]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({"$date": "2024-01-02T03:04:05Z"}, "2024-01-02T03:04:05Z"),
        ({"$date": {"$numberLong": "9" * 30}}, "9" * 30),
        ({"$uuid": "a-b"}, "a-b"),
        ({"$numberInt": "1", "more": 2}, {"$numberInt": "1", "more": 2}),
        ({"price": 1}, {"price": 1}),
        ({}, {}),
    ],
)
def test_only_an_object_that_says_a_type_and_nothing_else_is_its_value(value: Any, plain: Any) -> None:
    assert plain_value(value) == plain
