"""JSON nested too deep is a named error, and a line of the journal that is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.listings.label_lists import _entries
from curation.listings.tables import read_raw
from curation.run.journal_file import read_journal


@pytest.mark.parametrize("ending", ["json", "jsonl"])
@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000]
)
def test_a_table_nested_too_deep_is_refused(text: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{ending}"
    path.write_text(text)
    with pytest.raises(ValueError, match="nested more than 100 levels deep"):
        read_raw(path)


def test_a_line_of_the_journal_nested_too_deep_is_left_out(tmp_path: Path) -> None:
    journal = tmp_path / "decisions.jsonl"
    journal.write_text("[" * 100_000 + "\n")
    content = read_journal(journal)
    assert not content.decisions()
    assert "line 1 can't be read" in content.messages[0]


def test_a_label_nested_too_deep_is_text() -> None:
    assert _entries("[" * 100_000 + "]" * 100_000) is None
