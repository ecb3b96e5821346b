"""Probabilities by names of photos, as lists of labels and scores, and by rows that are only numbered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from curation.errors import ProbabilitiesError
from curation.evidence.probabilities import Given, Probabilities, given_probabilities
from tests.support.reporters import Listener

IDS = [str(number) for number in range(1, 25)]
LABELS = [str(number % 4) for number in range(24)]
PHOTOS = {id: f"photos/{id}.jpg" for id in IDS}


def probs() -> Any:
    values = np.full((24, 4), 0.1)
    values[np.arange(24), np.arange(24) % 4] = 0.7
    return values


def table(**more: Any) -> pd.DataFrame:
    return pd.DataFrame(probs(), columns=list("0123")).assign(**more)


def read(given: Given) -> tuple[Probabilities, list[str]]:
    log = Listener()
    found = given_probabilities(given, IDS, LABELS, photos=PHOTOS, reporter=log)
    assert found.ids.tolist() == IDS
    np.testing.assert_allclose(found.probs, probs())
    return found, log.lines


@pytest.mark.parametrize("name", ["photos/{}.jpg", "/home/ana/photos/{}.jpg", "{}.jpg", "C:\\x\\{}.JPG", "photo/{}"])
def test_rows_that_name_photos_are_those_of_their_listings(name: str, tmp_path: Path) -> None:
    names = [name.format(id) for id in IDS]
    shuffled = table(image=names).iloc[::-1]
    shuffled.to_csv(tmp_path / "p.csv", index=False)
    assert "names their photos" in read(tmp_path / "p.csv")[1][0]
    np.savez(tmp_path / "p.npz", probs=probs(), id=np.array(names), classes=np.array(list("0123")))
    if name != "photo/{}":
        assert "are names of photos" in read(tmp_path / "p.npz")[1][0]


@pytest.mark.parametrize("names", [["1.jpg"] * 24, [f"{id}.jpg" for id in IDS[:23]] + ["x.jpg"]])
def test_names_of_photos_that_do_not_all_fit_one_listing_are_refused(names: list[str]) -> None:
    with pytest.raises(ProbabilitiesError, match=r"no column 'id'|duplicate ids"):
        read(table(image=names))


def scores() -> list[list[dict[str, Any]]]:
    return [
        [{"label": str(label), "score": float(row[label])} for label in np.argsort(-row, kind="stable")]
        for row in probs()
    ]


@pytest.mark.parametrize("key", ["id", "image"])
@pytest.mark.parametrize("form", ["json", "jsonl", "parquet", "frame", "csv"])
def test_lists_of_labels_and_scores_become_a_column_per_class(form: str, key: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({key: IDS if key == "id" else list(PHOTOS.values()), "predictions": scores()})
    file = tmp_path / f"p.{form}"
    if form in ("json", "jsonl"):
        frame.to_json(file, orient="records", lines=form == "jsonl")
    elif form == "parquet":
        frame.to_parquet(file)
    elif form == "csv":
        frame.assign(predictions=frame["predictions"].map(json.dumps)).to_csv(file, index=False)
    assert read(frame if form == "frame" else file)[0].classes == tuple("0123")


def test_lists_alone_are_those_of_the_table_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(json.dumps(scores()))
    assert read(tmp_path / "p.json")[0].classes == tuple("0123")


def test_a_cell_that_is_nested_without_end_is_no_list_of_scores() -> None:
    cell = "[" * 100_000 + '"score"'
    with pytest.raises(ProbabilitiesError, match="no column of numbers"):
        read(pd.DataFrame({"id": IDS, "predictions": [cell] * 24}))


def test_lists_without_names_and_tables_without_numbers_are_refused_with_what_is_wanted(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": IDS, "probs": probs().tolist()})
    with pytest.raises(ProbabilitiesError, match=r"no column of numbers.*got columns probs.*\['probs'\]\.tolist\(\)"):
        read(frame)
    with pytest.raises(ProbabilitiesError, match=r"no column of numbers.*wanted a column per class"):
        read(pd.DataFrame({"id": IDS, "predicted": ["a"] * 24}))


def test_rows_numbered_from_0_beside_ids_from_1_are_to_get_the_ids_and_are_not_to_be_turned(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "p.csv")
    for given in (tmp_path / "p.csv", table()):
        with pytest.raises(ProbabilitiesError, match="only numbered, unlike the ids") as error:
            read(given)
        assert "table.T" not in str(error.value)
