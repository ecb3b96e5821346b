"""A run is copied to a bucket of a real server, and from there."""

from __future__ import annotations

from pathlib import Path

import pytest

import curation
from curation import RunError
from tests.support.s3_server import BucketServer
from tests.support.tiny import IDS, tiny_run


def test_a_run_goes_to_a_bucket_and_back(tmp_path: Path, buckets: BucketServer) -> None:
    buckets.make("runs", {})
    run = tiny_run(tmp_path)
    sent = curation.copy_run(run.folder, "s3://runs/shop/1")
    assert curation.copy_run(run.folder, "s3://runs/shop/1").copied_files == 0
    run.decide(IDS[0], "delete")
    assert curation.copy_run(run.folder, "s3://runs/shop/1").copied_files == 1
    back = curation.copy_run("s3://runs/shop/1", tmp_path / "back")
    assert (back.files, back.journal_lines) == (sent.files + 1, 1)
    assert curation.open_run(tmp_path / "back").verify().ok
    own = {path.relative_to(run.folder): path.read_bytes() for path in run.folder.rglob("*.*") if path.name != ".lock"}
    assert own == {path: (tmp_path / "back" / path).read_bytes() for path in own}


def test_a_bucket_that_does_not_exist_is_told(tmp_path: Path, buckets: BucketServer) -> None:
    run = tiny_run(tmp_path)
    with pytest.raises(RunError, match="bucket"):
        curation.copy_run(run.folder, "s3://nowhere/shop/1")
    with pytest.raises(RunError, match="bucket"):
        curation.copy_run("s3://nowhere/shop/1", tmp_path / "back")
