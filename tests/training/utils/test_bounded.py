import gzip
import io
import json

import pytest

from training.utils import bounded
from training.utils.bounded import check_claim, check_depth, joined, most_bytes, parse_json, parse_toml
from training.utils.files import DamagedError, read_json


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def test_a_claim_within_what_the_file_can_hold_passes():
    check_claim(200 << 20, 10)
    check_claim(min(3 << 30, most_bytes()), 1 << 30)


@pytest.mark.parametrize(("claimed", "held"), [(300 << 20, 1000), (10**15, 10**14)])
def test_a_claim_beyond_the_file_or_the_memory_is_refused_with_both_sizes(claimed, held):
    with pytest.raises(ValueError, match=r"takes .* and a file of .* may hold|more than a quarter of the memory"):
        check_claim(claimed, held)


def test_unpacking_stops_where_the_file_can_hold_no_more(monkeypatch):
    monkeypatch.setattr(bounded, "_ALWAYS", 3 << 20)
    packed = gzip.compress(bytes(50 << 20))
    stream = gzip.GzipFile(fileobj=io.BytesIO(packed))
    with pytest.raises(ValueError, match="its unpacked content takes"):
        joined(stream, len(packed))
    assert stream.tell() <= 20 << 20


def test_json_is_read_up_to_100_levels_and_refused_beyond():
    assert parse_json(nested(100)) != []
    for depth in (102, 900, 100_000):
        with pytest.raises(ValueError, match="nested more than 100 levels"):
            parse_json(nested(depth))
    with pytest.raises(ValueError, match="nested more than 100 levels"):
        check_depth(json.loads('{"a":' * 200 + "1" + "}" * 200))


def test_a_toml_nested_deep_is_refused_as_any_other_fault_of_it_is():
    for text in (f"a = {nested(200)}", f"a = {'[' * 100_000}", f"a = {'9' * 5000}", "a = "):
        with pytest.raises(ValueError, match=r"\w"):
            parse_toml(text)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff", "decode"),
        (b"", "Expecting value"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": 1e999}', "1e999"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": "\\uD800"}', "half of a character"),
        (nested(5000).encode(), "nested"),
        (b"9" * 5000, "5000 digits"),
    ],
)
def test_a_file_of_ours_that_is_damaged_is_named_with_the_reason(tmp_path, content, reason):
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=f"run.json is damaged: got .*{reason}.*wanted .*Put it back"):
        read_json(path)


def test_a_whole_character_that_was_escaped_is_read(tmp_path):
    path = tmp_path / "run.json"
    path.write_text('{"name": "\\ud83d\\ude00"}')
    assert read_json(path) == {"name": "\N{GRINNING FACE}"}
