"""FiftyOne in the tests' own database: whoever imports it first in a process decides which one it is."""

from collections.abc import Iterator
from typing import Any

import pytest

from curation.review.server.application import linked_plugins
from tests.curation.review.test_review import DATABASE, NO_MONGOD, drop_database, our_fiftyone


@pytest.fixture(scope="session", autouse=True)
def _ours() -> None:
    if not NO_MONGOD:
        our_fiftyone()


@pytest.fixture(scope="module")
def fo() -> Iterator[Any]:
    """FiftyOne with our plugin, as ana uses it."""
    fiftyone = our_fiftyone()
    with linked_plugins("ana") as folder:
        fiftyone.config.plugins_dir = str(folder)
        yield fiftyone
    drop_database(DATABASE)
