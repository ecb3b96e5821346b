import os
import zipfile

import numpy as np
import pytest

from training.utils import bounded
from training.utils.array_files import ObjectsError, Parts, Rows, map_array, open_arrays, read_array, write_arrays
from training.utils.files import DamagedError


def npy(header: str, content: bytes = b"") -> bytes:
    """An array file with any line that describes it."""
    line = header.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + len(line).to_bytes(2, "little") + line + content


def described(descr: str = "'<f8'", shape: str = "(2,)", order: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}"


ARRAYS = [
    np.arange(12.0).reshape(3, 4),
    np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
    np.array(["a", "größer", "\N{GRINNING FACE}"]),
    np.array([b"a", b"bc"]),
    np.array([True, False]),
    np.array(7),
    np.empty((0, 3), np.float32),
    np.array([("L1", 0.5)], dtype=[("id", "U2"), ("x", ">f4")]),
    np.array(["2026-01-01"], dtype="datetime64[D]"),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.dtype))
def test_arrays_are_read_as_numpy_wrote_them(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", first=array)
    np.savez_compressed(tmp_path / "c.npz", first=array)
    read = [read_array(tmp_path / "a.npy"), map_array(tmp_path / "a.npy")]
    for name in ("a.npz", "c.npz"):
        with open_arrays(tmp_path / name) as arrays:
            assert list(arrays) == ["first"]
            read.append(arrays["first"])
    for each in read:
        assert (each.dtype, each.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(each, array)
    read[0][...] = read[0]  # may be written to


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no array"),
        (b"\x93NUMPY\x09\x00xx", "version 9.0"),
        (npy(described(shape="(1000000, 1000000)")), "claims 1,000,000 × 1,000,000 values, 8 TB, and holds 0 B"),
        (npy(described(shape="(3,)"), bytes(16)), "claims 3 values, 24 B, and holds 16 B"),
        (npy(described("'<U0'", "(999999999999,)")), "claims 999,999,999,999 values"),
        (npy(described(shape="(1,)"), bytes(16)), "more than one array"),
        (npy(described()[:-5]), "header is damaged"),
        (npy("(" * 5000), "header is damaged"),
        (npy("\0\1{"), "header is damaged"),
        (npy(described(shape="(-1,)")), "header is damaged"),
        (npy(described(shape="[2]"), bytes(16)), "header is damaged"),
        (npy(described("'nonsense'")), "header is damaged"),
        (npy(described(order="2"), bytes(16)), "header is damaged"),
        (b"\x93NUMPY\x02\x00" + (10**9).to_bytes(4, "little"), "claims 1,000,000,000 characters"),
        (npy(described("'<U1'", "(1,)"), (0xD800).to_bytes(4, "little")), "no character"),
        (npy(described("'<U1'", "(1,)"), (0x7FFFFFFF).to_bytes(4, "little")), "no character"),
    ],
)
def test_a_damaged_array_is_refused_with_the_reason(tmp_path, content, reason):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        read_array(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("first.npy", content)
    with open_arrays(tmp_path / "a.npz") as arrays, pytest.raises(ValueError, match=f"array 'first': .*{reason}"):
        arrays["first"]


def test_objects_are_never_opened(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "a.npz", good=np.ones(1), bad=np.array([{}], dtype=object))
    for read, kind in ((read_array, ObjectsError), (map_array, DamagedError)):
        with pytest.raises(kind, match="may run code"):
            read(tmp_path / "a.npy")
    with open_arrays(tmp_path / "a.npz") as arrays:
        assert arrays["good"].tolist() == [1.0]
        with pytest.raises(ObjectsError):
            arrays["bad"]


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(bounded, "_ALWAYS", 1 << 20)
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(1 << 20), y=np.ones(3))
    with open_arrays(tmp_path / "a.npz") as arrays:
        assert arrays["y"].tolist() == [1, 1, 1]
        with pytest.raises(ValueError, match=r"array 'x' takes 8\.4 MB, and a file of"):
            arrays["x"]


def test_an_archive_that_is_damaged_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(100.0))
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[:-30])
    with pytest.raises(ValueError, match=r"no \.npz"), open_arrays(tmp_path / "a.npz"):
        pass
    (tmp_path / "a.npz").write_bytes(whole.replace(np.arange(5.0).tobytes(), np.ones(5).tobytes()))
    with open_arrays(tmp_path / "a.npz") as arrays, pytest.raises(ValueError, match="array 'x': Bad CRC"):
        arrays["x"]


def test_the_two_kinds_are_told_apart(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(1))
    np.savez(tmp_path / "b.npz", np.ones(1))
    with pytest.raises(ValueError, match=r"several arrays, which is a \.npz"):
        read_array(tmp_path / "b.npz")
    with pytest.raises(ValueError, match=r"an array alone, which is a \.npy"), open_arrays(tmp_path / "a.npy"):
        pass


def test_arrays_written_in_parts_are_those_that_numpy_reads_and_the_same_file_every_time(tmp_path):
    whole, names = np.arange(12, dtype=np.float64).reshape(6, 2), np.array(["a", "bcd"])
    for name in ("one.npz", "two.npz"):
        parts = Parts(whole.shape, np.float32, (whole[row : row + 4] for row in (0, 4)))
        write_arrays(tmp_path / name, {"names": names, "probs": parts, "none": Parts((0, 2), np.float32, [])})
    with np.load(tmp_path / "one.npz", allow_pickle=False) as content:
        assert list(content) == ["names", "probs", "none"]
        assert content["names"].tolist() == names.tolist()
        np.testing.assert_array_equal(content["probs"], whole.astype(np.float32))
        assert (content["probs"].dtype, content["none"].shape) == (np.float32, (0, 2))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_rows_are_read_where_they_are_asked_for(tmp_path):
    array = np.random.default_rng(0).normal(size=(5, 2, 3)).astype(np.float32)
    np.save(tmp_path / "a.npy", array)
    rows = Rows(tmp_path / "a.npy")
    assert (rows.shape, rows.dtype, len(rows)) == ((5, 2, 3), np.float32, 5)
    assert np.array_equal(rows[np.array([4, 0, 4])], array[[4, 0, 4]])
    assert rows[np.array([], dtype=np.int64)].shape == (0, 2, 3)


def test_rows_of_a_deleted_file_can_be_read_and_those_of_a_shorter_one_cannot(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6).reshape(3, 2))
    rows = Rows(tmp_path / "a.npy")
    os.truncate(tmp_path / "a.npy", (tmp_path / "a.npy").stat().st_size - 1)
    assert rows[np.array([1])].tolist() == [[2, 3]]
    with pytest.raises(ValueError, match="row 2 ends 1 B too early"):
        rows[np.array([2])]
    (tmp_path / "a.npy").unlink()
    assert rows[np.array([0])].tolist() == [[0, 1]]


@pytest.mark.parametrize("place", [-1, 3])
def test_a_row_that_is_not_there_is_an_error(tmp_path, place):
    np.save(tmp_path / "a.npy", np.zeros((3, 2)))
    with pytest.raises(IndexError):
        Rows(tmp_path / "a.npy")[np.array([place])]


@pytest.mark.parametrize("array", [np.array(1.0), np.asfortranarray(np.zeros((3, 2)))])
def test_an_array_without_rows_one_after_the_other_is_damaged(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DamagedError):
        Rows(tmp_path / "a.npy")
