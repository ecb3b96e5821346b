"""Single listings are checked by a finished run: what it would say of them in a table."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import curation
from curation.cli import main
from curation.incoming.check import Checker
from curation.run.folder import RunFolder

KINDS = ("label", "price", "outlier", "near_duplicate", "photo_quality", "indirect_image")


@pytest.fixture(scope="module")
def table(demo):
    return pd.read_csv(demo / "listings.csv", dtype=str)


@pytest.fixture(scope="module")
def checker(finished):
    with Checker(finished) as checker:
        yield checker


def record(table, of, **changes):
    row = table[table["id"] == of].iloc[0].dropna().to_dict()
    return {**row, **changes}


def test_a_checked_listing_is_judged_as_in_a_table(finished, demo, table, checker, tmp_path):
    ids = table["id"].iloc[::12].tolist()
    newer = pd.concat([table, table[table["id"].isin(ids)].assign(id=lambda part: "x" + part["id"])])
    folder = tmp_path / "shop"
    shutil.copytree(demo, folder)
    (folder / "dataset.toml").unlink(missing_ok=True)
    newer.to_csv(folder / "newer.csv", index=False)
    listings = curation.read_listings(folder / "newer.csv")
    issues = curation.find_issues(listings, since=finished.folder, run=tmp_path / "run").issues.set_index("id")
    answers = checker([record(newer, f"x{id}") for id in ids], demo)
    for id, answer in zip(ids, answers, strict=True):
        row = issues.loc[f"x{id}"]
        for kind in KINDS:
            score, wanted = answer["issues"][kind]["score"], row[f"{kind}_score"]
            assert (score is None) == bool(pd.isna(wanted)), (id, kind)
            assert score is None or score == pytest.approx(wanted, abs=1e-5), (id, kind)
            assert answer["issues"][kind]["flagged"] == bool(row[f"is_{kind}_issue"]), (id, kind)
        assert answer["suggested_label"] == (None if pd.isna(row["suggested_label"]) else row["suggested_label"])
        assert answer["reasons"] == row["reasons"]


def test_a_known_photo_is_named_as_a_repost(finished, demo, table, checker):
    known = finished.listings()
    id = known["id"][known["unreadable"].isna() & known["near_group"].isna()].iloc[0]
    answer = checker([record(table, id, id="mine")], demo)[0]
    assert answer["reposts"] == [id]
    assert answer["issues"]["near_duplicate"] == {"flagged": True, "score": 0.0}
    assert answer["reasons"].endswith(f"the same photo as {id}")


def test_a_listing_is_no_repost_of_itself(finished, demo, table, checker):
    known = finished.listings()
    id = known["id"][known["unreadable"].isna() & known["near_group"].isna()].iloc[0]
    answer = checker([record(table, id)], demo)[0]
    assert answer["reposts"] == []
    assert not answer["issues"]["near_duplicate"]["flagged"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (5, "no JSON object"),
        ([], "no JSON object"),
        ({}, "says nothing"),
        ({"id": "a"}, "says nothing"),
        ({"title": "lamp", "price": "cheap"}, "price is no price"),
        ({"title": "lamp", "price": -1}, "price is no price"),
        ({"title": "lamp", "price": True}, "price is no price"),
        ({"title": ["lamp"]}, "title is no text"),
        ({"title": "x" * 20_000}, "title is too long"),
    ],
)
def test_a_bad_listing_is_answered_with_its_error(checker, said, why):
    (answer,) = checker([said])
    assert why in answer["error"]


def test_a_bad_listing_does_not_keep_others_from_being_checked(demo, table, checker):
    answers = checker([7, record(table, table["id"].iloc[3]), {"price": "x", "title": "y"}], demo)
    assert ["error" in answer for answer in answers] == [True, False, True]


def test_what_is_missing_is_judged_by_the_rest(checker):
    answers = checker(
        [{"title": "usb cable"}, {"price": 10}, {"label": "Drones", "title": "drone"}, {"image": "no.jpg"}]
    )
    assert all("error" not in answer for answer in answers)
    assert answers[2]["note"].startswith("the run knows nothing of the class Drones")
    assert answers[3]["issues"]["unreadable"]["flagged"]


def test_answers_do_not_depend_on_what_is_asked_beside(demo, table, checker):
    records = [record(table, id, id=f"x{id}") for id in table["id"].iloc[:6]]
    alone = [checker([one], demo)[0] for one in records]
    for one, other in zip(alone, checker(records, demo), strict=True):
        assert one["issues"].keys() == other["issues"].keys()
        for kind in KINDS:
            scores = (one["issues"][kind]["score"], other["issues"][kind]["score"])
            assert scores[0] == pytest.approx(scores[1], abs=1e-6, nan_ok=True) or scores == (None, None)


def test_python_gets_a_table(finished, demo, table):
    rows = table.iloc[:2].assign(id=["a", "b"])
    answers = curation.Run(finished.folder).check(rows, root=demo)
    assert answers["id"].tolist() == ["a", "b"]
    assert {"is_label_issue", "label_score", "price_low", "reasons", "reposts"} <= set(answers.columns)
    assert np.isfinite(answers["label_score"].astype(float)).any()


def test_lines_of_json_are_answered_one_by_one(finished, demo, table):
    lines = [
        json.dumps(record(table, table["id"].iloc[0], id="a", image=str(demo / table["image"].iloc[0]))),
        "{",
        "",
        "3",
    ]
    ran = CliRunner().invoke(main, ["check", "--stdin", "--run", str(finished.folder)], input="\n".join(lines))
    assert ran.exit_code == 0, ran.output
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [answer.get("id") for answer in answers] == ["a", None, None]
    assert ["error" in answer for answer in answers] == [False, True, True]


@pytest.mark.parametrize("form", ["object", "list", "lines"])
def test_a_file_holds_one_listing_or_many(finished, demo, table, tmp_path, form):
    records = [record(table, id) for id in table["id"].iloc[:2]]
    text = {
        "object": json.dumps(records[0], indent=2),
        "list": json.dumps(records),
        "lines": "\n".join(map(json.dumps, records)),
    }
    file = demo / f"asked-{form}.json"
    file.write_text(text[form])
    try:
        ran = CliRunner().invoke(main, ["check", str(file), "--run", str(finished.folder)])
    finally:
        file.unlink()
    assert ran.exit_code == 0, ran.output
    assert len(ran.stdout.splitlines()) == (1 if form == "object" else 2)


def test_nothing_to_check_is_wrong_usage(finished):
    ran = CliRunner().invoke(main, ["check", "--run", str(finished.folder)])
    assert ran.exit_code == 2
    assert "LISTING.json, or --stdin" in ran.output


def test_a_run_without_models_checks_nothing(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "old")
    (tmp_path / "old" / "training" / "small.npy").unlink()
    with pytest.raises(curation.RunError, match=r"no small\.npy"):
        Checker(RunFolder(tmp_path / "old"))
