"""The example notebook runs as it stands, and its stored outputs are those of this version."""

import importlib.util
import re

import nbformat
import pytest

from tests.project.structure import ROOT

NOTEBOOK = ROOT / "docs/tutorial.ipynb"
STORED = nbformat.read(NOTEBOOK, as_version=4)


def cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kinds(cell):
    """Return the kinds of a cell's outputs, e.g. an HTML table or a picture."""
    return [sorted(output.get("data", {output.get("name"): ""})) for output in cell.outputs]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("tutorial", ROOT / "docs/tutorial.py")
    tutorial = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tutorial)
    return tutorial.executed(tmp_path_factory.mktemp("tutorial"))


def test_the_notebook_runs_and_every_cell_shows_what_is_stored_of_it(executed):
    assert [kinds(cell) for cell in cells(executed)] == [kinds(cell) for cell in cells(STORED)]


def test_the_wrong_labels_that_were_planted_are_found(executed):
    plain = [output.get("data", {}).get("text/plain", "") for cell in cells(executed) for output in cell.outputs]
    (counts,) = [text for text in plain if text.startswith("wrong labels")]
    wrong, flagged, _ = map(int, re.findall(r"\s(\d+)$", counts, re.M))
    assert flagged >= 0.7 * wrong


def test_the_stored_notebook_shows_tables_and_pictures_and_no_warning():
    outputs = [output for cell in cells(STORED) for output in cell.outputs]
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    assert kinds.count("text/html") >= 5
    assert "image/png" in kinds
    assert "data:image/webp" in "".join(str(output) for output in outputs)
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]


def test_the_stored_notebook_is_small_and_names_no_machine():
    content = NOTEBOOK.read_text()
    assert len(content) < 1_000_000
    assert not re.search(r"/(tmp|home|root|Users)/", content)
