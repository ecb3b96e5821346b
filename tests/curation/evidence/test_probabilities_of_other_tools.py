"""Probabilities of other tools: read where that is certain, otherwise refused with the line that mends it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from curation.errors import ProbabilitiesError
from curation.evidence.probabilities import Given, Probabilities, given_probabilities
from tests.curation.evidence.other_tools import GIVEN, IDS, LABELS, TOOLS, N, csv, frame, npz, probs
from tests.project.structure import ROOT
from tests.support.reporters import Listener
from training.utils.arrays import Float64


def read(given: Given, ids: list[str] = IDS, labels: list[str] = GIVEN, **more: Any) -> tuple[Probabilities, list[str]]:
    log = Listener()
    return given_probabilities(given, ids, labels, reporter=log, **more), log.lines


def assert_right(given: Given, *, tolerance: float = 1e-9, note: str = "") -> None:
    """Assert that probabilities are read as they are meant, and that only what `note` names is said."""
    found, messages = read(given)
    assert found.ids.tolist() == IDS
    by_name = pd.DataFrame(found.probs, columns=list(found.classes))[LABELS]
    np.testing.assert_allclose(by_name, probs(), atol=tolerance)
    assert [note in message for message in messages] == [True] * bool(note)


def assert_refused(given: Given, *parts: str, ids: list[str] = IDS, labels: list[str] = GIVEN) -> None:
    with pytest.raises(ProbabilitiesError) as caught:
        given_probabilities(given, ids, labels)
    assert "\n" not in str(caught.value)
    assert [part for part in parts if part not in str(caught.value)] == []


@pytest.mark.parametrize("form", ["npy", "npz", "npz of floats", "array"])
def test_06_number_labels_npy(form: str, tmp_path: Path) -> None:
    values, ids = probs(240, 12), [str(number) for number in range(240)]
    labels = [str(number % 12) for number in range(240)]
    given: Given = values
    if form == "npy":
        given = tmp_path / "p.npy"
        np.save(given, values)
    elif form.startswith("npz"):
        classes = np.arange(12, dtype=float if "float" in form else int)
        given = npz(tmp_path / "p.npz", probs=values, id=np.arange(240), classes=classes)
    found, messages = read(given, ids, labels)
    assert found.classes == tuple(str(number) for number in range(12))
    assert [found.classes[column] for column in found.probs.argmax(axis=1)] == labels
    assert messages == []


@pytest.mark.parametrize(
    ("part", "saved"),
    [
        ("id", "id=np.array(ids, dtype=str), classes=classes)"),
        ("classes", "id=ids, classes=np.array(classes, dtype=str))"),
        ("probs", "probs=np.array(probs, dtype=float), id=ids"),
    ],
)
def test_09_npz_from_pandas(part: str, saved: str, tmp_path: Path) -> None:
    whole: dict[str, Any] = {"id": IDS, "classes": LABELS, "probs": probs()}
    path = npz(tmp_path / "p.npz", **{part: np.array(whole[part], dtype=object)})
    assert_refused(path, f"got {part} of dtype object", "may run code", "np.savez('p.npz', ", saved)


def test_09_saving_as_the_message_says_mends_it(tmp_path: Path) -> None:
    ids, classes = np.array(IDS, dtype=object), np.array(LABELS, dtype=object)
    assert_right(npz(tmp_path / "p.npz", id=np.array(ids, dtype=str), classes=np.array(classes, dtype=str)))


@pytest.mark.parametrize(
    ("table", "options", "note"),
    [
        (frame(), {}, "left out: Unnamed: 0"),
        (frame(predicted="cable", label=GIVEN), {"index": False}, "left out: predicted, label"),
        (frame(y=np.arange(N) % 3, confidence=0.5), {"index": False}, "left out: y, confidence"),
        (frame(correct=True), {"index": False}, "left out: correct"),
        (frame().set_index("id"), {}, ""),
        (frame().rename(columns={"id": "ID"}), {"index": False}, "taken from ID"),
        (frame().set_index("id").rename_axis(None), {}, "taken from column 'Unnamed: 0'"),
        (frame().rename(columns={"id": "listing"}), {"index": False}, "taken from column 'listing'"),
        (frame().sample(frac=1, random_state=0)[["router", "id", "cable", "mouse"]], {"index": False}, ""),
        (frame().rename(columns={name: f"prob_{name}" for name in LABELS}), {"index": False}, ""),
        (frame().rename(columns={name: f"{name} " for name in LABELS}), {"index": False}, ""),
        (frame().rename(columns=str.title).rename(columns={"Id": "id"}), {"index": False}, "capitals differ"),
        (frame(), {"index": False, "sep": ";", "decimal": ","}, ""),
        (frame(), {"index": False, "sep": "\t", "encoding": "utf-16"}, ""),
        (pd.concat([frame(), frame().head(2)]), {"index": False}, "Copied rows of p.csv are read once: L0, L1"),
    ],
)
def test_10_csv_probabilities_of_pandas(table: pd.DataFrame, options: Any, note: str, tmp_path: Path) -> None:
    assert_right(csv(table, tmp_path / "p.csv", **options), note=note)


def test_10_logits_are_refused_with_the_line_that_makes_probabilities_of_them(tmp_path: Path) -> None:
    logits = frame().assign(**{name: np.log(frame()[name]) + 3 for name in LABELS})
    line = "If these are logits, apply softmax first: probs = scipy.special.softmax(logits, axis=1)."
    assert_refused(csv(logits, tmp_path / "p.csv", index=False), "are no probabilities: got -", line)
    # with the index beside them, too, which is no class
    assert_refused(csv(logits, tmp_path / "p.csv"), line)


@pytest.mark.parametrize("base", [np.log, lambda values: -np.log(values)])
def test_10_logarithms_whose_rows_fit_are_read(base: Callable[[Float64], Float64], tmp_path: Path) -> None:
    table = frame().assign(**{name: base(frame()[name].to_numpy()) for name in LABELS})
    assert_right(csv(table, tmp_path / "p.csv", index=False), note="log-probabilities")


@pytest.mark.parametrize(
    ("changes", "tolerance", "note"),
    [
        ({"id": np.char.add(IDS, " "), "classes": np.array(["cable ", "mouse", "router"])}, 1e-9, ""),
        ({"id": np.char.add("\N{ZERO WIDTH SPACE}", IDS)}, 1e-9, "invisible characters differ"),
        ({"probs": probs().astype(np.float16)}, 2e-3, ""),
        ({"probs": probs() * 100}, 1e-9, "were read as percentages"),
        ({"probs": np.log(probs())}, 1e-9, "were read as log-probabilities"),
        ({"probs": probs().round(2)}, 0.02, ""),
        ({"fold": np.arange(N) % 5.0}, 1e-9, ""),
        ({"probs": None, "pred_probs": probs(), "y": np.arange(N)}, 1e-9, "are read: pred_probs as probs"),
        ({"id": None, "ids": np.array(IDS)}, 1e-9, "are read: ids as id"),
        ({"classes": None, "class_names": np.array(LABELS)}, 1e-9, "are read: class_names as classes"),
        ({"extra": np.array([{}], dtype=object)}, 1e-9, ""),
    ],
)
def test_15_probabilities_whitespace_and_sums(changes: Any, tolerance: float, note: str, tmp_path: Path) -> None:
    assert_right(npz(tmp_path / "p.npz", **changes), tolerance=tolerance, note=note)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"probs": probs() * 0.98}, ["e.g. 0.98 for id L0", "divide: probs / probs.sum(axis=1, keepdims=True)"]),
        ({"probs": probs() ** 0.2}, ["each class was scored on its own (sigmoid), divide: probs / "]),
        ({"probs": np.log(probs()) + 2}, ["are no probabilities: got ", "scipy.special.softmax(logits, axis=1)"]),
        ({"probs": probs()[:, 0]}, ["got probs of shape (60,); wanted (60, 3)", "predict_proba"]),
        ({"probs": probs().T}, ["got probs of shape (3, 60)", "give probs.T"]),
        ({"probs": probs().astype(str)}, ["wrong type: got dtype <U", "probs.astype(float)"]),
        ({"probs": np.vstack([[0, 1, 2], probs()])}, ["shape (61, 3)", "give probs[1:]"]),
        ({"fold": np.arange(N) % 5 + 0.5}, ["fold of p.npz is not a whole number: got 0.5, 1.5", "e.g. 0 to 4"]),
        ({"id": np.array(["L0", *IDS[:-1]])}, ["has duplicate ids: got L0; wanted one row per listing"]),
    ],
)
def test_15_what_can_not_be_read_for_certain_is_refused(changes: Any, parts: list[str], tmp_path: Path) -> None:
    assert_refused(npz(tmp_path / "p.npz", **changes), *parts)


def test_15_a_label_that_became_a_float_is_the_whole_number(tmp_path: Path) -> None:
    from curation.listings import read_listings

    table = pd.DataFrame({"id": IDS, "label": np.arange(N) % 3}).astype({"label": float})
    table.loc[3, "label"] = None
    table.to_parquet(tmp_path / "t.parquet")
    labels = read_listings(tmp_path / "t.parquet", needs_image=False).table["label"].tolist()
    found, messages = read(npz(tmp_path / "p.npz", classes=np.arange(3)), labels=labels)
    assert (found.classes, messages) == (("0", "1", "2"), [])


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["1", "2"], np.array([1.0, 2.0])),
        (["1", "2"], np.array(["1.0", "2.0"])),
        (["1.0", "2.0"], np.array([1, 2])),
        (["01", "02"], np.array([1, 2])),
        (["False", "True"], np.array([False, True])),
        (["FALSE", "TRUE"], np.array([False, True])),
        (["false", "true"], np.array(["False", "True"])),
        (["0.5", "1.5"], np.array([0.5, 1.5])),
    ],
)
def test_numbers_and_truth_values_are_the_same_classes_however_they_are_written(
    labels: list[str], classes: Any, tmp_path: Path
) -> None:
    path = npz(tmp_path / "p.npz", probs=probs(k=2), classes=classes)
    found, _ = read(path, labels=[labels[row % 2] for row in range(N)])
    assert list(found.classes) == labels


@pytest.mark.parametrize("ids", [np.arange(N), np.arange(N).astype(float), [f"{number}.0" for number in range(N)]])
def test_ids_that_lost_their_zeros_are_the_listings_that_they_fit(ids: Any, tmp_path: Path) -> None:
    listings = [f"{number:05}" for number in range(N)]
    found, messages = read(npz(tmp_path / "p.npz", id=np.array(ids)), ids=listings)
    assert found.ids.tolist() == listings
    end = ".0" if isinstance(ids, list) else ""
    assert messages == [
        f"p.npz: 60 ids were read as meant: '0{end}' as '00000', '1{end}' as '00001', '2{end}' as '00002', +57 more "
        "(a program took them for numbers)."
    ]


def test_ids_that_fit_two_listings_are_refused(tmp_path: Path) -> None:
    ids = ["1", "01", *IDS[2:]]
    path = npz(tmp_path / "p.npz", id=np.array(["1.0", *IDS[1:]]))
    assert_refused(path, "ids that fit several: got '1.0', which may be '1' or '01'", ids=ids)


def parquet(table: pd.DataFrame, path: Path) -> Path:
    table.to_parquet(path)
    return path


@pytest.mark.parametrize(
    "table",
    [frame(), frame().set_index("id"), frame().astype(dict.fromkeys(LABELS, np.float32))],
    ids=["column", "index", "float32"],
)
def test_tables_of_any_form_are_read(table: pd.DataFrame, tmp_path: Path) -> None:
    assert_right(parquet(table, tmp_path / "p.parquet"), tolerance=1e-6)
    plain = table.reset_index() if table.index.name else table
    plain.to_excel(tmp_path / "p.xlsx", index=False)
    assert_right(tmp_path / "p.xlsx", tolerance=1e-6)
    plain.to_json(tmp_path / "p.jsonl", orient="records", lines=True, double_precision=15)
    assert_right(tmp_path / "p.jsonl", tolerance=1e-6)
    plain.to_json(tmp_path / "p.json", orient="records", double_precision=15)
    assert_right(tmp_path / "p.json", tolerance=1e-6)
    assert_right(table, tolerance=1e-6)


def test_text_with_tabs_as_excel_saves_it_is_read(tmp_path: Path) -> None:
    assert_right(csv(frame(), tmp_path / "p.txt", index=False, sep="\t", encoding="utf-16"))


def test_a_pickle_is_refused_with_how_to_save_a_table(tmp_path: Path) -> None:
    frame().to_pickle(tmp_path / "p.pkl")
    assert_refused(tmp_path / "p.pkl", "got .pkl; wanted .npz, .npy, or a table", "table.to_csv('p.csv', index=False)")


def test_an_index_of_ids_without_a_name_is_read(tmp_path: Path) -> None:
    table = frame().set_index("id").rename_axis(None)
    assert_right(parquet(table, tmp_path / "p.parquet"), note="taken from its index")
    assert_right(table, note="taken from its index")


def test_the_dataset_s_own_name_of_the_ids_is_known(tmp_path: Path) -> None:
    path = csv(frame().rename(columns={"id": "Artikel"}), tmp_path / "p.csv", index=False)
    assert read(path, id_column="artikel")[0].ids.tolist() == IDS


def test_percent_signs_are_read(tmp_path: Path) -> None:
    table = frame().assign(**{name: [f"{value:.3f} %" for value in 100 * frame()[name]] for name in LABELS})
    assert_right(csv(table, tmp_path / "p.csv", index=False), tolerance=1e-4, note="percentages")


def test_a_class_that_no_listing_has_is_kept_beside_row_numbers(tmp_path: Path) -> None:
    table = pd.DataFrame(probs() * 0.9, columns=LABELS).assign(lamp=0.1, id=IDS)
    found, messages = read(csv(table, tmp_path / "p.csv"))
    assert found.classes == (*LABELS, "lamp")
    assert messages == ["Columns of p.csv that are no class of the listings are left out: Unnamed: 0."]


@pytest.mark.parametrize(
    ("table", "parts"),
    [
        (frame(mouse="cable"), ["column 'mouse' of p.csv does not hold numbers: got 'cable' for id L0"]),
        (frame(fold="a"), ["column fold of p.csv does not hold numbers: got a; wanted e.g. 0 to 4"]),
        (frame(fold=0.5), ["fold of p.csv is not a whole number: got 0.5"]),
        (frame().drop(columns="id"), ["has no column 'id'", "table.insert(0, 'id', listings['id'])"]),
        (frame().set_index("id").T, ["has no column 'id'", "Its columns are listings: turn it with table.T."]),
        (pd.DataFrame(probs()).T.set_index(0).T, ["It begins with numbers", "np.save('p.npy', probs)"]),
        (frame().set_axis(["id", "0", "1", "2"], axis=1), ["only numbered: call them as the labels", "cable, mouse"]),
        (frame().drop(columns="router"), ["column for every label: got classes cable, mouse; wanted also router"]),
        (frame().head(50), ["no row for L50", "Add a row of NaN for each listing that was not scored"]),
        (
            frame().melt("id", var_name="class", value_name="p"),
            [
                "has a row for each class of a listing: got classes in column 'class'",
                "table.pivot(index='id', columns=",
            ],
        ),
    ],
)
def test_a_table_that_does_not_fit_is_refused_with_what_mends_it(
    table: pd.DataFrame, parts: list[str], tmp_path: Path
) -> None:
    assert_refused(csv(table, tmp_path / "p.csv", index=False), *parts)


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        (probs().T, ["shape (3, 60) where (60, 3) was wanted", "Its rows are classes: give probs.T."]),
        (probs()[:, 0], ["It holds one value for each listing: predicted classes?"]),
        (np.vstack([probs()[:1], probs()]), ["One row is too many", "give probs[1:]", "is a copy, it is read once"]),
        (probs()[1:], ["One row is missing", "header=None"]),
        (probs()[:30], ["Name the rows: give id beside probs."]),
        (probs(k=4), ["Name the columns: give classes beside probs."]),
    ],
)
def test_an_array_of_another_shape_is_refused_with_what_mends_it(
    values: Float64, parts: list[str], tmp_path: Path
) -> None:
    assert_refused(values, *parts)
    np.save(tmp_path / "p.npy", values)
    assert_refused(tmp_path / "p.npy", "p.npy", *parts)


def test_one_value_for_two_classes_is_refused_with_how_to_stack_them() -> None:
    labels = ["no" if row % 2 else "yes" for row in range(N)]
    assert_refused(probs(k=2)[:, 1], "give np.column_stack([1 - p, p])", labels=labels)


def test_an_object_array_alone_is_refused_with_how_to_save_it(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", probs().astype(object), allow_pickle=True)
    assert_refused(tmp_path / "p.npy", "got an object array", "Save it with np.save('p.npy', probs.astype(float)).")


def test_a_record_array_is_a_table(tmp_path: Path) -> None:
    records = np.array(
        [(id, *row) for id, row in zip(IDS, probs().tolist(), strict=True)],
        dtype=[("id", "U4"), *((name, float) for name in LABELS)],
    )
    np.save(tmp_path / "p.npy", records)
    assert_right(tmp_path / "p.npy")


def test_something_else_is_refused_with_how_to_make_an_array_of_it() -> None:
    assert_refused(probs().tolist(), "got list", "np.asarray(probs)")  # type: ignore[arg-type]


def test_predicted_classes_are_read_and_pointed_out() -> None:
    _, messages = read(np.eye(3)[np.arange(N) % 3])
    assert messages == ["probs holds only 0 and 1: predicted classes, which don't say how sure they are."]


@pytest.mark.parametrize("tool", TOOLS)
def test_every_file_of_another_tool_is_read_right_or_refused_with_what_mends_it(tool: str, tmp_path: Path) -> None:
    given = TOOLS[tool].write(tmp_path / "p")
    if refused := TOOLS[tool].refused:
        assert_refused(given, refused)
        return
    found, _ = read(given)
    by_name = pd.DataFrame(found.probs, columns=list(found.classes))[LABELS]
    np.testing.assert_allclose(by_name, probs(), atol=0.01)


def test_the_table_of_other_tools_in_the_documentation_has_a_test_for_each_row() -> None:
    text = (ROOT / "docs/data.md").read_text(encoding="utf-8")
    table = text.partition("| File of another tool |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (.*?) \| (.*?) \|$", table, flags=re.MULTILINE)
    assert [name for name, _ in rows] == list(TOOLS)
    for name, what in rows:
        assert what.startswith("refused") == bool(TOOLS[name].refused)
