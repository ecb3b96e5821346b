"""True labels from files as people have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from curation.comparison.truth import NO_CLASS, read_truth
from curation.errors import InputError
from curation.find import FindSettings, find
from curation.listings import read_listings
from curation.run.folder import RunFolder

IDS = [f"{number:04}" for number in range(8)]
TRUTH = ["lamp", "sofa", "lamp", "sofa", "lamp", "sofa", "bundle", None]
EXPECTED = [0, 1, 0, 1, 0, 1, NO_CLASS, -1]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("truth")
    pd.DataFrame({"sku": IDS, "label": ["lamp", "sofa"] * 4}).to_csv(folder / "listings.csv", index=False)
    listings = read_listings(folder / "listings.csv", needs_image=False, columns={"id": "sku"})
    return find(listings, FindSettings(probabilities=np.full((8, 2), 0.5)), run_folder=folder / "run")


def table(ids: object = None, name: str = "id") -> pd.DataFrame:
    return pd.DataFrame({name: IDS if ids is None else ids, "true_label": TRUTH})


@pytest.mark.parametrize(
    ("truth", "options"),
    [
        (table(), {}),
        (table(), {"sep": ";"}),
        (table(), {"encoding": "utf-16", "sep": "\t"}),
        (table(name="sku"), {}),
        (table(ids=range(8)), {}),
        (table(ids=np.arange(8.0)), {}),
        (table().sample(frac=1, random_state=0), {}),
    ],
    ids=["plain", "semicolons", "UTF-16", "own column of ids", "lost zeros", "floats", "another order"],
)
def test_true_labels_are_read_as_any_table_is(
    truth: pd.DataFrame, options: dict[str, str], run: RunFolder, tmp_path: Path
) -> None:
    truth.to_csv(tmp_path / "truth.csv", index=False, **options)
    assert read_truth(run, str(tmp_path / "truth.csv")).tolist() == EXPECTED
    truth.to_excel(tmp_path / "truth.xlsx", index=False)
    assert read_truth(run, str(tmp_path / "truth.xlsx")).tolist() == EXPECTED


@pytest.mark.parametrize(
    ("truth", "match"),
    [
        (table(name="listing"), "has no column 'id': got listing, true_label"),
        (table().rename(columns={"true_label": "truelabel"}), "no column 'true_label': .*Did you mean 'truelabel'"),
        (pd.concat([table(), table().head(1)]), "has repeated ids: got 0000"),
    ],
)
def test_true_labels_that_do_not_fit_are_refused(
    truth: pd.DataFrame, match: str, run: RunFolder, tmp_path: Path
) -> None:
    truth.to_csv(tmp_path / "truth.csv", index=False)
    with pytest.raises(InputError, match=match):
        read_truth(run, str(tmp_path / "truth.csv"))
