"""Files of torch are read as data, and take no more than they hold."""

import io
import os
import zipfile

import pytest
import torch

from training.errors import InputError
from training.utils.tensor_files import OtherFileError, read_tensors


def test_what_torch_saved_is_read(tmp_path):
    torch.save({"a": torch.arange(3), "b": [1, "x", None]}, tmp_path / "a.pt")
    read = read_tensors(tmp_path / "a.pt")
    assert (read["a"].tolist(), read["b"]) == ([0, 1, 2], [1, "x", None])


@pytest.mark.parametrize("value", [[1], torch.ones(2), "text", io.BytesIO])
def test_anything_but_a_dictionary_of_plain_values_is_another_file(value, tmp_path):
    torch.save(value, tmp_path / "a.pt")
    with pytest.raises(OtherFileError):
        read_tensors(tmp_path / "a.pt")


def test_a_tensor_that_claims_more_than_it_holds_is_refused(tmp_path):
    for lie in (torch.ones(1).expand(1 << 40), torch.ones(2, device="meta"), torch.eye(2).to_sparse()):
        torch.save({"outer": [{"a": lie}]}, tmp_path / "a.pt")
        assert (tmp_path / "a.pt").stat().st_size < 1 << 14
        with pytest.raises(ValueError, match="a tensor claims"):
            read_tensors(tmp_path / "a.pt")


def test_a_packed_archive_is_refused_before_it_is_unpacked(tmp_path):
    torch.save({"a": torch.zeros(1 << 20)}, tmp_path / "whole.pt")
    with zipfile.ZipFile(tmp_path / "whole.pt") as whole, zipfile.ZipFile(tmp_path / "a.pt", "w") as packed:
        for name in whole.namelist():
            packed.writestr(name, whole.read(name), zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="it is packed"):
        read_tensors(tmp_path / "a.pt")


def test_lists_within_lists_and_lists_that_hold_themselves_end(tmp_path):
    deep, own = [], []
    for _ in range(200):
        deep = [deep]
    own.append(own)
    for value in (deep, own):
        torch.save({"a": value}, tmp_path / "a.pt")
        with pytest.raises(ValueError, match="nested more than 100 levels"):
            read_tensors(tmp_path / "a.pt")


def test_a_pipe_and_a_file_larger_than_the_memory_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.pt")
    with (tmp_path / "sparse.pt").open("wb") as file:
        file.truncate(1 << 42)
    for name in ("pipe.pt", "sparse.pt"):
        with pytest.raises(InputError, match="can't read"):
            read_tensors(tmp_path / name)
