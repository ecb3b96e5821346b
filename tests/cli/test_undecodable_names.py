"""Names of files and folders that are no UTF-8 go through the whole loop; they are written with escapes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.test_cli import done


def test_a_dataset_in_a_folder_whose_name_is_no_utf8_goes_through_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shop = os.fsdecode(b"caf\xe9")
    for label in ("lamp", "sofa"):
        for number in range(12):
            photo = tmp_path / shop / label / f"{number}.png"
            photo.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40, 40), (number * 20, 200 * (label == "sofa"), 90)).save(photo)
    photo.rename(photo.with_name(os.fsdecode(b"st\xfchl.png")))
    done("explore", shop)
    done("find-issues", shop, "--preset", "quick", "--no-text", "--no-pretrained")
    run = tmp_path / "runs" / "caf\\xe9" / "1"
    assert json.loads((run / "run.json").read_text())["dataset"]["path"].endswith("/caf\\xe9")
    done("review", "--html")
    (tmp_path / "decisions.csv").write_text(
        "id,decision,new_label\nlamp/0.png,relabel,sofa\nsofa/st\\xfchl.png,keep,\n"
    )
    done("apply-fixes", "--decisions", "decisions.csv")
    cleaned = sorted(os.fsencode(path.relative_to(run / "cleaned")) for path in (run / "cleaned").rglob("*.png"))
    assert len(cleaned) == 24
    assert b"sofa/st\xfchl.png" in cleaned
    done("status")
    done("undo")
