"""Files of torch, read without running code in them, and within what they can hold."""

from __future__ import annotations

import os
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import torch

from training.utils.bounded import check_depth, most_bytes
from training.utils.files import open_regular

__all__ = ["OtherFileError", "read_tensors"]

_ZIP = b"PK\x03\x04"


class OtherFileError(ValueError):
    """A file that is no dictionary of numbers, text and tensors as torch writes it."""


def read_tensors(path: Path) -> dict[str, Any]:
    """Read what `torch.save` wrote: a dictionary of numbers, text and tensors, on the CPU.

    Raises
    ------
    OtherFileError
        If it is another kind of file, or holds objects that could run code.
    ValueError
        If it is damaged, or claims more than it holds.
    NotReadableError, OSError
        If it is no regular file, takes more than half of the memory, or can't be read.
    """
    # once as a file, once as tensors
    with open_regular(path, 2 * most_bytes()) as stream:
        begin = stream.read(len(_ZIP))
        if begin != _ZIP:
            raise OtherFileError("another kind of file" if begin else "an empty file")
        try:
            _check_archive(stream)
            stream.seek(0)
            with warnings.catch_warnings():
                # of kinds of tensors that are refused below
                warnings.simplefilter("ignore")
                content = torch.load(stream, map_location="cpu", weights_only=True)
        except (ValueError, MemoryError):
            raise
        except pickle.UnpicklingError:
            # code that someone hid in it is not run, and not shown either
            raise OtherFileError("objects other than numbers, text and tensors, which could run code") from None
        # torch raises many kinds of errors for a damaged file, most without a message
        except Exception as error:
            raise ValueError(str(error).splitlines()[0] if str(error) else type(error).__name__) from None
    if not isinstance(content, dict):
        raise OtherFileError(f"a {type(content).__name__}")
    check_depth(content)
    _check_tensors(content)
    return content


def _check_archive(stream: BinaryIO) -> None:
    """Refuse what torch would unpack into more than there is, and what is not as it was written."""
    held = os.fstat(stream.fileno()).st_size
    with zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        if not any(member.filename.endswith("/data.pkl") for member in members):
            raise OtherFileError("a ZIP archive of other things")
        packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
        if packed or sum(member.file_size for member in members) > held:
            raise ValueError("it is packed, which torch never does")
        if (broken := archive.testzip()) is not None:
            raise ValueError(f"a wrong checksum of {broken}")


def _check_tensors(content: Any) -> None:
    """Refuse tensors that repeat a few values as often as they like: a copy of one would fill the memory."""
    inner, seen = [content], set[int]()
    for value in inner:
        if isinstance(value, torch.Tensor):
            usual = value.layout == torch.strided and value.device.type == "cpu"
            if not usual or value.numel() * value.element_size() > value.untyped_storage().nbytes():
                raise ValueError(f"a tensor claims {tuple(value.shape)} values that it does not hold")
        elif isinstance(value, dict | list | tuple) and id(value) not in seen:
            seen.add(id(value))  # one may hold itself
            inner += value.values() if isinstance(value, dict) else value
