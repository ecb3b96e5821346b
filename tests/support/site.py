"""The documents as a site, built as `make docs` does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.project.structure import ROOT


def build_site(folder: Path) -> Path:
    """Build the site in a folder, and return it; a warning is an error, but would not be with `--quiet`."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    told = [line for line in (built.stdout + built.stderr).splitlines() if not line.startswith("INFO ")]
    assert (built.returncode, told) == (0, [])
    return folder
