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
        ({"image": "https://shop.com/1.jpg"}, "image is a URL"),
    ],
)
def test_a_bad_listing_is_answered_with_its_error(checker, said, why):
    (answer,) = checker([said])
    assert why in answer["error"]


def test_a_bad_listing_does_not_keep_others_from_being_checked(demo, table, checker):
    answers = checker([7, record(table, table["id"].iloc[3]), {"price": "x", "title": "y"}], demo)
    assert ["error" in answer for answer in answers] == [True, False, True]


def test_numbers_that_python_does_not_write_out_are_no_text(checker):
    answers = checker([{"id": 10**5000, "title": "lamp"}, {"price": 10**5000, "title": "lamp"}])
    assert "id is too long" in answers[0]["error"]
    assert "price is no price" in answers[1]["error"]


@pytest.mark.parametrize("id", [float("nan"), float("inf"), True, ["a"], "\ud800"])
def test_an_error_says_no_id_that_is_no_text(checker, id):
    (answer,) = checker([{"id": id, "price": "cheap"}])
    text = json.dumps(answer, allow_nan=False, ensure_ascii=False)
    assert text.encode()
    assert answer["id"] is None or isinstance(answer["id"], str)


def test_an_error_says_the_id_of_the_datasets_column(checker, monkeypatch):
    columns = {**checker._model.record["dataset"], "columns": {"id": "sku"}}
    monkeypatch.setitem(checker._model.record, "dataset", columns)
    (answer,) = checker([{"sku": 7, "price": "cheap"}])
    assert answer["id"] == "7"


@pytest.mark.parametrize("form", ["absolute", "relative", "link"])
def test_a_photo_outside_of_the_folder_is_not_read_unless_allowed(finished, demo, table, checker, tmp_path, form):
    photo = (demo / table["image"].iloc[3]).resolve()
    (tmp_path / "forms").mkdir()
    (tmp_path / "other.jpg").write_bytes(photo.read_bytes())
    (tmp_path / "forms" / "link.jpg").symlink_to(photo)
    image = {"absolute": str(photo), "relative": "../other.jpg", "link": "link.jpg"}[form]
    said = [{"id": "a", "image": image, "title": "lamp"}]
    (answer,) = checker(said, tmp_path / "forms")
    assert answer["id"] == "a"
    assert "leads out of the folder" in answer["error"]
    with Checker(finished, allow_outside=True) as trusting:
        (answer,) = trusting(said, tmp_path / "forms")
    assert not answer["issues"]["unreadable"]["flagged"]


def test_missing_cells_of_pandas_are_missing(checker):
    rows = pd.DataFrame({"id": [1, 2], "title": ["lamp", None], "price": [3, None], "label": [None, "Drones"]})
    answers = checker(rows.convert_dtypes().to_dict("records"))
    assert all("error" not in answer for answer in answers)
    answers = checker([{"id": np.int64(5), "price": np.float32(3)}])
    assert answers[0]["id"] == "5"


def test_listings_that_come_one_by_one_are_checked(checker):
    answers = checker({"title": "lamp"} for _ in range(2))
    assert ["reasons" in answer for answer in answers] == [True, True]


def test_one_listing_in_place_of_a_list_is_named(finished):
    with pytest.raises(curation.InputError, match="Give a list"):
        curation.Run(finished.folder).check({"title": "lamp"})


def test_lines_of_windows_and_lines_that_are_too_long_do_not_end_the_others(finished):
    lines = [b'\xef\xbb\xbf{"id": "a", "title": "lamp"}\r', b"x" * 3_000_000, b'{"id": "b", "title": "\xff"}']
    ran = CliRunner().invoke(main, ["check", "--stdin", "--run", str(finished.folder)], input=b"\n".join(lines))
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == ["a", None, "b"]
    assert "too long" in answers[1]["error"]


def test_a_line_separator_inside_of_a_title_ends_no_line(finished, tmp_path):
    file = tmp_path / "lines.jsonl"
    file.write_text('{"id": "a", "title": "usb\u2028cable\u0085"}\n{"id": "b", "title": "lamp"}\n', encoding="utf-8")
    ran = CliRunner().invoke(main, ["check", str(file), "--run", str(finished.folder)])
    assert [json.loads(line)["id"] for line in ran.stdout.splitlines()] == ["a", "b"]
    assert "error" not in ran.stdout


def test_errors_name_the_options_of_the_command(finished, tmp_path):
    (tmp_path / "one.json").write_text('{"image": "/etc/hostname"}')
    ran = CliRunner().invoke(main, ["check", str(tmp_path / "one.json"), "--run", str(finished.folder)])
    assert "--allow-outside" in json.loads(ran.stdout)["error"]


@pytest.mark.parametrize("name", ["small.npy", "features*-projection.npz", "features-?.npy", "plan.json"])
def test_a_damaged_run_is_refused_before_the_first_answer(finished, tmp_path, name):
    shutil.copytree(finished.folder, tmp_path / "run")
    (file,) = (tmp_path / "run" / "training").glob(name)
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[: len(content) // 2])
    ran = CliRunner().invoke(main, ["check", "--stdin", "--run", str(tmp_path / "run")], input='{"title": "lamp"}')
    assert ran.exit_code == 2
    assert ran.stdout == ""
    assert "is damaged" in ran.stderr


@pytest.mark.parametrize("name", ["small.npy", "features-?.npy"])
def test_arrays_of_another_run_are_refused(finished, tmp_path, name):
    shutil.copytree(finished.folder, tmp_path / "run")
    (file,) = (tmp_path / "run" / "training").glob(name)
    file.unlink()
    np.save(file, np.zeros((7, 3), dtype=np.float32))
    with pytest.raises(curation.RunError, match=r"is damaged: got it has the shape \(7, 3\)"):
        curation.Run(tmp_path / "run").check([{"title": "lamp"}])


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


def test_lines_of_json_are_answered_one_by_one(finished, demo, table, monkeypatch):
    monkeypatch.chdir(demo)
    lines = [json.dumps(record(table, table["id"].iloc[0], id="a")), "{", "", "3"]
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


@pytest.mark.parametrize("write", [str.lower, str.upper, "  {} ".format])
def test_a_label_that_is_only_written_in_another_way_is_judged_as_its_class(demo, table, checker, write):
    id = table["id"][table["label"].notna()].iloc[5]
    given = record(table, id)
    plain, answer = checker([{**given, "id": None}, {**given, "id": None, "label": write(given["label"])}], demo)
    assert answer["issues"] == plain["issues"]
    assert answer["reasons"].casefold() == plain["reasons"].casefold()
    if write(given["label"]).strip() != given["label"]:
        assert answer["note"] == f"{write(given['label'])} is judged as the class {given['label']}"


def test_a_label_like_two_classes_is_judged_as_none_of_them(checker, monkeypatch):
    monkeypatch.setattr(type(checker._model), "classes", ("glass", "glasses"))
    assert checker._model.spellings_of(["glasss", "GLASS"]).get("glasss") is None


@pytest.mark.parametrize("price", ["29 EUR", "€29", {"amount": 29, "currency": "EUR"}])
def test_a_price_in_another_currency_is_not_judged_by_numbers(checker, price):
    (answer,) = checker([{"id": "a", "title": "lamp", "price": price}])
    assert answer["error"] == "price is in another currency: got 'EUR'; wanted SGD"


def test_a_currency_that_is_said_in_a_field_of_its_own_counts(checker):
    answers = checker([{"title": "lamp", "price": 29, "currency": each} for each in ("EUR", "sgd", "$", "n/a", None)])
    assert answers[0]["error"] == "currency is in another currency: got 'EUR'; wanted SGD"
    assert not any("error" in answer for answer in answers[1:])


def test_a_price_with_the_currency_of_the_run_is_the_number(checker):
    plain, *answers = (
        checker([{"title": "lamp", "price": each}])
        for each in (1299.5, "SGD 1,299.50", "S$ 1.299,50", "$1299.50", {"value": "1299.50", "currencyCode": "SGD"})
    )
    assert all(answer == plain for answer in answers)


def test_fields_may_be_written_in_other_cases(demo, table, checker):
    given = record(table, table["id"].iloc[5])
    loud = {f" {name.upper()} ": value for name, value in given.items()}
    assert checker([loud], demo) == checker([given], demo)


@pytest.mark.parametrize("nothing", ["n/a", "-", "NULL", ""])
def test_words_for_none_say_nothing_as_in_a_table(checker, nothing):
    said, none = checker([{"label": "Webcams", "price": nothing, "title": nothing}, {"label": "Webcams"}])
    assert said == none
