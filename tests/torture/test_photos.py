"""The quick part of the odd photos."""

from tests.torture import photos


def test_odd_photos_are_read_or_named_with_their_reason() -> None:
    tally = photos.run(150, seed=1, jobs=1)
    assert tally.tried == 150
    assert tally.clean, tally.faults
