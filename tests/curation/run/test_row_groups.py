"""Tables of a run can be read in parts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from curation.listings import read_listings
from curation.listings.original import save_original
from curation.run.folder import RunFolder


def groups(file: Path) -> list[int]:
    metadata = pq.read_metadata(file)
    return [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]


def test_a_table_of_a_run_has_a_row_group_for_each_65536_rows(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    table = pd.DataFrame({"id": [f"L{row}" for row in range(65_537)]})
    run.write_table(run.issues_file, table)
    assert groups(run.issues_file) == [65_536, 1]
    run.write_table(run.issues_file, table.iloc[:65_536])
    assert groups(run.issues_file) == [65_536]


def test_the_input_that_a_run_keeps_has_them_too(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    table = pd.DataFrame({"id": range(65_537), "label": ["a", "b", "b"] * 21_845 + ["a", "b"]})
    table.to_csv(tmp_path / "shop.csv", index=False)
    save_original(tmp_path / "kept", read_listings(tmp_path / "shop.csv", needs_image=False))
    assert groups(tmp_path / "kept" / "0.parquet") == [65_536, 1]
