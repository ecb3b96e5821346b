"""A run to decide on."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.run.folder import RunFolder
from tests.support.fixes import make_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)
