"""Durations and sizes as people write them."""

import pytest

from training.errors import InputError
from training.utils.units import bytes_text, duration, parse_bytes, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45", 45), ("90s", 90), ("10m", 600), ("10 min", 600), ("1h30m", 5400), (" 1.5H ", 5400), ("1d", 86_400),
     ("1h 5m 2s", 3902)],
)  # fmt: skip
def test_durations_are_read_as_people_write_them(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "nonsense", "m", "10 weeks", "-5m", "1h-30m", "5 m!", "1e3", "nan"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(InputError, match="a duration can't be read"):
        parse_duration(text)


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0 s"), (89, "89 s"), (90, "1.5 min"), (5400, "1.5 h")])
def test_durations_are_said_with_a_unit_that_fits(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "1.2.3", "20 XB", "1e9", "nan", "²"])
def test_nonsense_is_no_size(text):
    with pytest.raises(InputError, match=r"wanted e\.g\. 20GB"):
        parse_bytes(text)


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1500, 20 * 10**9, 3 * 10**15])
def test_sizes_are_read_back_as_they_are_shown(count):
    assert parse_bytes(bytes_text(count)) == count
