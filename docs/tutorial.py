"""Runs docs/tutorial.ipynb in an empty folder and stores its outputs: ``python docs/tutorial.py``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).with_suffix(".ipynb")


def executed(folder: Path) -> nbformat.NotebookNode:
    """Return the notebook with the outputs that it has when it is run in `folder`.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    # cells are numbered and timed by the run; neither belongs into the file
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}, record_timing=False)
    return client.execute()


def main() -> None:
    """Run and store it."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CURATE_CACHE_DIR"] = f"{folder}/.cache"
        nbformat.write(executed(Path(folder)), NOTEBOOK)


if __name__ == "__main__":
    main()
