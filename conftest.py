"""Examples of the public API run in an empty folder of their own, with a photo cache of their own."""

import pytest


@pytest.fixture(autouse=True)
def empty_folder_for_examples(request, monkeypatch):
    """Change to an empty folder for an example that writes files, so that it can be typed as it stands."""
    if isinstance(request.node, pytest.DoctestItem):
        folder = request.getfixturevalue("tmp_path")
        monkeypatch.chdir(folder)
        monkeypatch.setenv("CURATE_CACHE_DIR", str(folder / ".cache"))
