"""What can happen to the file of the journal, and what is read of it."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import time
from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path

import pytest

from curation.errors import DecisionsError
from curation.run.journal import UNDO, Decision
from curation.run.journal_file import append, read_journal
from curation.run.journal_lines import BEGIN, Step, encoded
from curation.run.transactions import recover, unended


def decided(id: str, action: str = "keep", **more: str) -> Decision:
    return Decision(id, action, None, "ana", "2026-05-01T10:00:00.000+00:00", "app", **more)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return a journal of five lines."""
    path = tmp_path / "decisions.jsonl"
    for id in "abcde":
        append(path, [decided(id)])
    return path


def lines(journal: Path) -> list[bytes]:
    return journal.read_bytes().splitlines(keepends=True)


def read(journal: Path) -> str:
    return "".join(decision.id for decision in read_journal(journal).decisions())


def faults(journal: Path) -> list[tuple[int, str]]:
    content = read_journal(journal)
    for fault in content.faults:
        assert fault.message.startswith(f"decisions.jsonl line {fault.line} ")
    return [(fault.line, fault.kind) for fault in content.faults]


def old(id: str) -> bytes:
    return (
        b'{"id": "%s", "action": "keep", "new_label": null, "reviewer": "ana", "time": "2024", "source": "app"}\n'
        % id.encode()
    )


def test_a_journal_that_nothing_happened_to_has_no_faults(journal: Path) -> None:
    assert read(journal) == "abcde"
    assert faults(journal) == []


def test_lines_are_numbered_from_1_on_whoever_appends(journal: Path) -> None:
    append(journal, [decided("f"), decided("g")])
    assert [entry.number for entry in read_journal(journal).entries] == [1, 2, 3, 4, 5, 6, 7]


def test_a_torn_line_costs_that_line_only(journal: Path) -> None:
    journal.write_bytes(journal.read_bytes()[:-100])
    assert faults(journal) == [(5, "torn")]
    append(journal, [decided("f")])
    assert read(journal) == "abcdf"
    assert (faults(journal), read_journal(journal).messages) == ([(5, "closed")], [])


@pytest.mark.parametrize("left", [b'{"id": "e", "act', b"\0" * 330, b'{"id": "e"' + b"\0" * 320])
def test_a_torn_line_has_no_number_and_can_be_deleted(left: bytes, journal: Path) -> None:
    whole = lines(journal)[:-1]
    journal.write_bytes(b"".join(whole) + left)
    assert faults(journal) == [(5, "torn")]
    append(journal, [decided("f")])
    assert faults(journal) == [(5, "closed")]
    journal.write_bytes(b"".join(line for line in lines(journal) if not line.startswith(left)))
    assert read(journal) == "abcdf"
    assert faults(journal) == []


def zeroed(line: bytes, first: int, last: int) -> bytes:
    return line[:first] + b"\0" * (last - first) + line[last:]


@pytest.mark.parametrize(
    ("left", "kind"),
    [
        # a power cut: from where the write began, to where it ended, or a whole sector
        (lambda line: zeroed(line, 0, 1), "torn"),
        (lambda line: zeroed(line, 0, 200), "torn"),
        (lambda line: zeroed(line, 200, len(line)), "torn"),
        (lambda line: zeroed(line, 100, 612), "torn"),
        (lambda line: line[:-3], "torn"),
        # no power cut leaves less, and a line of full length was acknowledged
        (lambda line: zeroed(line, 100, 611), "damaged"),
        (lambda line: zeroed(line, 15, 16), "damaged"),
        (lambda line: line[:-2] + b"]\n", "damaged"),
        (lambda line: line[:-1] + b"J", "damaged"),
    ],
)
def test_a_last_line_is_torn_as_a_power_cut_leaves_it_and_else_damaged(
    left: Callable[[bytes], bytes], kind: str, journal: Path
) -> None:
    append(journal, [decided("f", note="a note " * 100)])
    whole = lines(journal)
    journal.write_bytes(b"".join(whole[:-1]) + left(whole[-1]))
    assert faults(journal) == [(6, kind)]
    append(journal, [decided("g")])
    assert faults(journal) == [(6, "closed" if kind == "torn" else "damaged")]
    # what was acknowledged keeps its number
    assert read_journal(journal).last == (6 if kind == "torn" else 7)
    assert read_journal(journal).is_lossy == (kind == "damaged")


@pytest.mark.parametrize("first", [0, 200])
def test_zeros_before_lines_that_count_them_are_damage(first: int, journal: Path) -> None:
    whole = lines(journal)
    journal.write_bytes(b"".join([*whole[:2], zeroed(whole[2], first, len(whole[2]) - 1), *whole[3:]]))
    assert faults(journal) == [(3, "damaged")]
    append(journal, [decided("f")])
    assert faults(journal) == [(3, "damaged")]


def test_lines_torn_one_after_another_are_all_closed_by_the_next(journal: Path) -> None:
    for left in (b'{"id": "f"', b"\0" * 90):
        with journal.open("ab") as stream:
            stream.write(left + b"\n")
    assert faults(journal) == [(6, "torn"), (7, "torn")]
    append(journal, [decided("f")])
    assert faults(journal) == [(6, "closed"), (7, "closed")]
    append(journal, [decided("g")])
    assert (read(journal), faults(journal)) == ("abcdefg", [(6, "closed"), (7, "closed")])


def test_a_torn_line_of_format_1_takes_no_number_in_reading_either(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(old("a") + b'{"id": "b", "act\n' + old("c"))
    append(path, [decided("d")])
    assert [entry.number for entry in read_journal(path).entries] == [1, 2, 3]


def test_zeros_are_said_in_words(journal: Path) -> None:
    with journal.open("ab") as stream:
        stream.write(b"\0" * 300)
    (message,) = read_journal(journal).messages
    assert message.endswith("it is cut short (nothing but zeros)")


def test_a_line_torn_within_a_character_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    append(path, [decided("a"), decided("Stühle")])
    path.write_bytes(path.read_bytes().split("ü".encode())[0] + b"\xc3")
    assert faults(path) == [(2, "torn")]


@pytest.mark.parametrize("byte", range(0, 330, 7))
def test_one_changed_byte_is_a_damaged_line_and_never_another_decision(byte: int, journal: Path) -> None:
    content = lines(journal)
    line = bytearray(content[2])
    place = byte % (len(line) - 1)
    line[place] ^= 1
    journal.write_bytes(b"".join([*content[:2], bytes(line), *content[3:]]))
    assert read(journal) == "abde"
    assert [line for line, _ in faults(journal)] in ([3], [3, 4])
    assert faults(journal)[0][1] in ("damaged", "torn")


def test_a_copied_line_counts_once(journal: Path) -> None:
    append(journal, [decided("e", UNDO)])
    append(journal, [decided("e")])
    content = lines(journal)
    journal.write_bytes(b"".join([*content[:6], content[5], content[6]]))
    assert [decision.action for decision in read_journal(journal).decisions()][-2:] == [UNDO, "keep"]
    assert faults(journal) == [(7, "duplicated")]


def test_swapped_lines_are_read_in_the_order_in_which_they_were_written(journal: Path) -> None:
    a, b, c, d, e = lines(journal)
    journal.write_bytes(b"".join([a, d, c, b, e]))
    assert read(journal) == "abcde"
    assert faults(journal) == [(3, "swapped"), (4, "swapped")]


def test_what_is_said_after_lines_were_swapped_is_the_latest_word(journal: Path) -> None:
    a, b, c, d, e = lines(journal)
    journal.write_bytes(b"".join([a, b, c, e, d]))
    append(journal, [decided("e", "delete")])
    assert read(journal) == "abcdee"
    assert read_journal(journal).decisions()[-1].action == "delete"
    assert faults(journal) == [(5, "swapped")]


def test_a_clash_after_swapped_lines_is_read_where_it_stands(journal: Path) -> None:
    a, b, c, d, e = lines(journal)
    journal.write_bytes(b"".join([a, b, c, e, d, encoded(decided("x"), 5, "2026-05-01T10:00:00.000+00:00")]))
    assert read(journal) == "abcdex"


def test_missing_lines_are_named(journal: Path) -> None:
    a, b, _, _, e = lines(journal)
    journal.write_bytes(b"".join([a, b, e]))
    assert read(journal) == "abe"
    (fault,) = read_journal(journal).faults
    assert (fault.line, fault.kind) == (3, "missing")
    assert fault.message.endswith("number 3 to 4")


def test_a_missing_first_line_is_named(journal: Path) -> None:
    journal.write_bytes(b"".join(lines(journal)[1:]))
    assert faults(journal) == [(1, "missing")]


def test_two_lines_with_one_number_are_both_read(journal: Path) -> None:
    content = lines(journal)
    journal.write_bytes(b"".join([*content[:3], encoded(decided("x"), 3, "2026-05-01T10:00:00.000+00:00")]))
    assert read(journal) == "abcx"
    assert faults(journal) == [(4, "clash")]


def test_a_journal_put_behind_another_one_is_read_behind_it(journal: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    for id in "uvwxyz":
        append(other, [decided(id)])
    journal.write_bytes(journal.read_bytes() + other.read_bytes())
    assert read(journal) == "abcdeuvwxyz"
    assert {kind for _, kind in faults(journal)} == {"clash"}


def test_a_line_of_a_newer_version_is_named_as_such(journal: Path) -> None:
    append(journal, [decided("f")])
    journal.write_bytes(journal.read_bytes().replace(b'"format": 2, "number": 6', b'"format": 4, "number": 6'))
    assert read(journal) == "abcde"
    assert faults(journal) == [(6, "newer")]


def test_lines_of_the_first_format_are_read_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(old("a") + old("b"))
    append(path, [decided("c")])
    with path.open("ab") as stream:  # by an earlier version, beside this one
        stream.write(old("d"))
    append(path, [decided("e")])
    assert read(path) == "abcde"
    assert [entry.number for entry in read_journal(path).entries] == [1, 2, 3, 4, 5]
    assert faults(path) == []


def test_ends_of_lines_of_another_system_change_nothing(journal: Path) -> None:
    journal.write_bytes(journal.read_bytes().replace(b"\n", b"\r\n"))
    append(journal, [decided("f")])
    assert read(journal) == "abcdef"
    assert faults(journal) == []


def test_the_mark_that_an_editor_puts_first_changes_nothing(journal: Path) -> None:
    journal.write_bytes(BOM_UTF8 + journal.read_bytes())
    append(journal, [decided("f")])
    assert read(journal) == "abcdef"
    assert faults(journal) == []


def test_a_number_that_no_file_can_hold_is_named_in_no_time(journal: Path) -> None:
    with journal.open("ab") as stream:
        stream.write(encoded(decided("x"), 10**18, "2026-05-01T10:00:00.000+00:00"))
    assert read(journal) == "abcdex"
    assert faults(journal) == [(6, "missing")]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "1e16", "-5", "true", '"ten"', "1" + "0" * 400])
def test_what_is_no_price_damages_a_line_of_the_first_format(value: str, tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(old("a") + old("b").replace(b"}", b', "new_price": %s}' % value.encode()))
    assert read(path) == "a"
    assert faults(path) == [(2, "damaged")]


@pytest.mark.parametrize(
    "path",
    [
        *("../x", "/tmp/x", "a/../../x", "", ".", "a//b", "a\0b"),
        # in the run, and nothing that a command moves
        *(
            "run.json",
            "decisions.jsonl",
            "decisions.jsonl/cleaned",
            "versions",
            "versions/0001/",
            "versions/0001/run.json",
        ),
        *("input", ".undone-0123abcd/run.json", "cleaned/run.json", "comparison.json", "cleaned\n"),
    ],
)
def test_a_transaction_that_moves_what_no_command_moves_is_a_damaged_line(path: str, journal: Path) -> None:
    with journal.open("ab") as stream:
        step = Step("t", BEGIN, "undo", 5, ((path, "cleaned"),))
        stream.write(encoded(step, 6, "2026-05-01T10:00:00.000+00:00"))
    assert faults(journal) == [(6, "damaged")]


@pytest.mark.parametrize(
    "move", [("versions/0001", "decisions.jsonl"), ("cleaned", "versions/1/x"), ("run2.json", "run.json")]
)
def test_nothing_is_moved_to_where_no_command_moves_it(move: tuple[str, str], journal: Path) -> None:
    with journal.open("ab") as stream:
        stream.write(encoded(Step("t", BEGIN, "apply_fixes", 5, (move,)), 6, "2026-05-01T10:00:00.000+00:00"))
    assert faults(journal) == [(6, "damaged")]
    (source := journal.parent / move[0]).parent.mkdir(exist_ok=True)
    source.mkdir()
    assert unended(journal.parent, journal) is None
    assert recover(journal.parent, journal) is None
    assert source.is_dir()


def test_a_disk_that_refuses_a_line_names_the_journal_and_none_of_it_stays(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = journal.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left") as caught:
            append(journal, [decided("f")])
    assert caught.value.filename == str(journal)
    assert journal.read_bytes() == before


def test_half_a_character_is_refused_and_nothing_is_written(journal: Path) -> None:
    before = journal.read_bytes()
    with pytest.raises(DecisionsError, match="half a character"):
        append(journal, [decided("f"), decided("g", note="\ud800")])
    assert journal.read_bytes() == before


def test_half_a_character_in_the_file_is_a_damaged_line(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(old("a") + old("\\ud800"))
    assert read(path) == "a"
    assert faults(path) == [(2, "damaged")]


def test_appending_reads_the_end_of_the_file_only(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    append(path, [decided(f"{number:06d}") for number in range(3000)])
    script = (
        "import os, sys; from pathlib import Path; from curation.run.journal import Decision\n"
        "from curation.run.journal_file import append\n"
        "append(Path(sys.argv[1]), [Decision('x', 'keep', None, 'ana', '', 'app')])\n"
        "print(open('/proc/self/io').read())\n"
    )
    before = "import curation.run.journal_file\nprint(open('/proc/self/io').read())\n"

    def characters(code: str) -> int:
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        return int(re.findall(r"rchar: (\d+)", done.stdout)[0])

    # what Python reads to start differs by less than what a tenth of this file holds
    size = path.stat().st_size
    assert characters(script) - characters(before) < size // 4


WRITER = (
    "import sys; from pathlib import Path; from curation.run.journal import Decision\n"
    "from curation.run.journal_file import append\n"
    "number = 0\n"
    "while True:\n"
    "    append(Path(sys.argv[1]), [Decision(f'{sys.argv[2]}{number}', 'keep', None, 'ana', '', 'app')])\n"
    "    print(number, flush=True)\n"
    "    number += 1\n"
)


def test_what_was_acknowledged_before_a_kill_is_there_and_every_line_has_its_number(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], stdout=subprocess.PIPE, text=True)
        for name in "pq"
    ]
    while not path.exists() or path.stat().st_size < 30_000:
        time.sleep(0.01)
    for writer in started:
        os.kill(writer.pid, signal.SIGKILL)
    acknowledged = [len(writer.communicate()[0].splitlines()) for writer in started]
    append(path, [decided("last")])
    content = read_journal(path)
    ids = [decision.id for decision in content.decisions()]
    for name, count in zip("pq", acknowledged, strict=True):
        assert [id for id in ids if id.startswith(name)][:count] == [f"{name}{number}" for number in range(count)]
    assert {fault.kind for fault in content.faults} <= {"closed"}
    assert len({entry.number for entry in content.entries}) == len(content.entries)


def test_lines_without_a_number_that_the_next_number_leaves_no_place_for_are_named(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(old("a") + old("b"))
    append(path, [decided("c")])
    assert faults(path) == []
    a, b, c = lines(path)
    path.write_bytes(a + b + a + c)
    (fault,) = read_journal(path).faults
    assert (fault.line, fault.kind) == (4, "uncounted")
    assert "has the number 3, which leaves no place for 1 of the 3 lines without one before it" in fault.message
    assert read(path) == "abac"


def test_a_line_without_a_number_among_those_with_one_is_named(journal: Path) -> None:
    content = lines(journal)
    journal.write_bytes(b"".join([*content[:2], old("x"), *content[2:]]))
    assert faults(journal) == [(4, "uncounted")]
    assert read(journal) == "abxcde"
