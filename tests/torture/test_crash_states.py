"""The model of what a disk keeps when the power fails."""

import random

from tests.torture.crash_states import Operation, crash_state


def states(*operations, base=None):
    """Return all states that are drawn in 300 tries."""
    found = []
    for seed in range(300):
        state = crash_state([*operations], {"/r": None, **(base or {})}, random.Random(seed))
        if state not in found:
            found.append(state)
    return found


def create(path):
    return Operation("create", path, "", 0, b"")


def write(path, data, at=0):
    return Operation("write", path, "", at, data)


def sync(path):
    return Operation("fsync", path, "", 0, b"")


def rename(path, other):
    return Operation("rename", path, other, 0, b"")


def contents(found, path):
    return {state.get(path, "missing") for state in found}


def test_data_that_was_not_synced_may_be_whole_gone_cut_off_or_zeros_in_part_or_all():
    found = contents(states(create("/r/a"), write("/r/a", b"ab"), sync("/r")), "/r/a")
    assert found == {b"", b"a", b"ab", b"a\0", b"\0\0"}


def test_data_that_was_synced_is_there_under_the_name_it_was_made_with():
    assert contents(states(create("/r/a"), write("/r/a", b"ab"), sync("/r/a")), "/r/a") == {b"ab"}


def test_a_rename_is_kept_for_sure_once_its_folder_is_synced():
    renamed = [create("/r/.a"), write("/r/.a", b"new"), sync("/r/.a"), rename("/r/.a", "/r/a")]
    assert contents(states(*renamed, base={"/r/a": b"old"}), "/r/a") == {b"old", b"new"}
    assert contents(states(*renamed, sync("/r"), base={"/r/a": b"old"}), "/r/a") == {b"new"}


def test_a_rename_without_a_sync_before_it_may_leave_a_torn_file():
    renamed = [create("/r/.a"), write("/r/.a", b"new"), rename("/r/.a", "/r/a"), sync("/r")]
    assert {b"", b"new", b"\0\0\0"} <= contents(states(*renamed, base={"/r/a": b"old"}), "/r/a")


def test_what_a_folder_holds_is_gone_with_the_folder():
    made = [Operation("mkdir", "/r/f", "", 0, b""), create("/r/f/a"), sync("/r/f")]
    found = states(*made)
    assert {"/r": None} in found
    assert {"/r": None, "/r/f": None, "/r/f/a": b""} in found


def test_an_appended_line_keeps_what_was_synced_before_it():
    found = contents(states(write("/r/a", b"two", at=3), base={"/r/a": b"one"}), "/r/a")
    assert {b"one", b"onet", b"onetwo", b"one\0\0\0"} <= found
    assert all(content.startswith(b"one") for content in found)
