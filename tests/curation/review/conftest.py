"""FiftyOne in the tests' own database: whoever imports it first in a process decides which one it is."""

import pytest

from tests.curation.review.test_review import NO_MONGOD, our_fiftyone


@pytest.fixture(scope="session", autouse=True)
def _ours() -> None:
    if not NO_MONGOD:
        our_fiftyone()
