"""Photos inside a Parquet: what is said of them, and that their bytes are shown nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of

PHOTOS = [{"bytes": b"\xff\xd8\xff" + bytes([row]), "path": f"{row}.jpg"} for row in range(4)]


def held(folder: Path) -> Path:
    rows = {"id": list("abcd"), "image": PHOTOS, "label": ["lamp", "desk", "lamp", "desk"]}
    pd.DataFrame(rows).to_parquet(folder / "shop.parquet")
    return folder / "shop.parquet"


def test_photos_inside_a_parquet_are_refused_in_one_line_that_says_how_they_are_read(tmp_path: Path) -> None:
    with pytest.raises(ListingsError) as caught:
        read_listings(held(tmp_path))
    said = str(caught.value)
    assert said.startswith("the photos inside shop.parquet are not read: got a column 'image'")
    assert "datasets.Dataset.from_parquet('shop.parquet').cast_column('image', datasets.Image())" in said
    assert "\n" not in said
    assert "xff" not in said


def test_a_table_whose_photos_are_not_used_keeps_those_inside(tmp_path: Path) -> None:
    run = run_of(held(tmp_path), tmp_path / "run", needs_image=False, columns={"image": ""})
    assert run.listings()["image"].isna().all()
    run.decide([decided("a", "delete")])
    apply_fixes(run, plan_fixes(run))
    assert pd.read_parquet(run.cleaned / "listings.parquet")["image"].tolist() == PHOTOS[1:]


def test_the_line_that_is_named_reads_the_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.chdir(tmp_path)
    dataset = datasets.Dataset.from_parquet(str(held(tmp_path)), cache_dir=str(tmp_path / "cache"))
    listings = read_listings(dataset.cast_column("image", datasets.Image()), root=tmp_path / "photos")
    assert [(tmp_path / "photos" / name).read_bytes() for name in listings.table["image"]] == [
        photo["bytes"] for photo in PHOTOS
    ]


@pytest.mark.parametrize("kind", [pa.null(), pa.binary(), pa.large_binary()])
def test_paths_beside_empty_bytes_are_the_photos_and_stay_structs(kind: pa.DataType, tmp_path: Path) -> None:
    for row in range(4):
        Image.new("RGB", (4, 4), (row * 40, 0, 0)).save(tmp_path / f"{row}.png")
    struct = pa.struct([("path", pa.string()), ("bytes", kind)])
    photos = pa.array([{"path": f"{row}.png", "bytes": None} for row in range(4)], struct)
    table = pa.table({"id": list("abcd"), "image": photos, "label": ["lamp", "desk", "lamp", "desk"]})
    pyarrow.parquet.write_table(table, tmp_path / "shop.parquet")
    assert read_listings(tmp_path / "shop.parquet").table["image"].tolist() == [f"{row}.png" for row in range(4)]
    run = run_of(tmp_path / "shop.parquet", tmp_path / "run")
    run.decide([decided("a", "delete")])
    apply_fixes(run, plan_fixes(run))
    left = pyarrow.parquet.read_table(run.cleaned / "listings.parquet")["image"]
    assert left.type == struct
    assert [photo["path"] for photo in left.to_pylist()] == [f"../../{row}.png" for row in range(1, 4)]


def test_paths_beside_null_bytes_in_json_are_the_photos(tmp_path: Path) -> None:
    for row in range(4):
        Image.new("RGB", (4, 4), (row * 40, 0, 0)).save(tmp_path / f"{row}.png")
    rows = [{"id": row, "image": {"path": f"{row}.png", "bytes": None}, "label": "ab"[row % 2]} for row in range(4)]
    (tmp_path / "shop.json").write_text(json.dumps(rows))
    assert read_listings(tmp_path / "shop.json").table["image"].tolist() == [f"{row}.png" for row in range(4)]
