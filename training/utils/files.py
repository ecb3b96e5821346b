"""Files that are written completely or not at all, files that are safe to read."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

from training.errors import InputError, check_path
from training.utils.bounded import most_bytes, parse_json
from training.utils.flock import locked_folder, temporary_file, temporary_folder
from training.utils.machine import machine_error, naming, room
from training.utils.units import bytes_text

__all__ = [
    "DamagedError",
    "NotReadableError",
    "allocate",
    "copy_regular",
    "make_folder",
    "open_regular",
    "photo_path",
    "printable_name",
    "read_json",
    "read_regular",
    "require_regular",
    "sha256_of_file",
    "sound",
    "sync_folder",
    "sync_tree",
    "whole_file",
    "whole_folder",
    "write_json",
    "write_text",
]


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`; rename it to `path` if the block succeeds.

    The temporary file is flushed to disk before the rename, so a crash leaves the old file or the new one, never a part
    of either. It has the suffix of `path`, which some writers depend on. While the block runs it is locked, so that who
    tidies up can tell it from what a crash left.
    """
    with naming(path):
        make_folder(path.parent)
        with temporary_file(path) as temporary:
            yield temporary
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            temporary.replace(path)
            sync_folder(path.parent)


@contextmanager
def whole_folder(
    folder: Path,
    *,
    new: bool = False,
    outdated: Collection[str] = (),
    fix: str = "Name another folder with `output`.",
) -> Iterator[Path]:
    """Yield an empty folder to fill; move its content to `folder` if the block succeeds, and only then.

    An existing `folder` is not replaced, as it may be a mounted volume or the shell's current folder: the content is
    moved into it, and replaces files of the same name. Files next to the yielded folder are deleted. Of two processes
    that fill one folder, each moves all of its content at once, so that it is never a mixture.

    Parameters
    ----------
    folder : Path
        Where the content goes.
    new : bool
        Refuse a folder that another process has put something into meanwhile.
    outdated : collection of str
        Names of earlier files that are removed if the new content has none of that name.
    fix : str
        Advice for a person if it can't be written to.

    Raises
    ------
    InputError
        If it can't be written to.
    """
    base = folder if folder.is_dir() else folder.absolute().parent
    try:
        base.mkdir(parents=True, exist_ok=True)
        with temporary_folder(base, folder.name) as scratch:
            # that one is readable by its owner alone
            built = scratch / "whole"
            built.mkdir()
            yield built
            sync_tree(built)
            with locked_folder(folder.absolute().parent):
                if new and _filled(folder):
                    raise InputError(f"{folder} is not empty any more", got="files of another command", fix=fix)
                if folder.is_dir():
                    arrived = sorted(built.iterdir())
                    for path in arrived:
                        path.replace(folder / path.name)
                    for name in set(outdated) - {path.name for path in arrived}:
                        (folder / name).unlink(missing_ok=True)
                else:
                    built.rename(folder)
                sync_folder(base)
    except OSError as error:
        got, wanted = error.strerror or str(error), room(error, folder)
        fix = f"Make room there. {fix}" if wanted else fix
        raise InputError(f"can't write to {folder}", got=got, wanted=wanted, fix=fix) from error


def _filled(folder: Path) -> bool:
    """Return whether a folder holds anything but what is being built there."""
    return folder.is_dir() and any(not path.name.startswith(f".{folder.name}-") for path in folder.iterdir())


def allocate(path: Path) -> None:
    """Let a file that will be memory-mapped have its space on the disk now.

    A disk that is full when a page of the map is written kills the process without a message (SIGBUS).

    Raises
    ------
    OSError
        If there is too little space.
    """
    with naming(path), path.open("rb+") as stream:
        os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, so that they survive a power cut; nothing is done if it is there."""
    if folder.is_dir():
        return
    if not os.path.lexists(folder.parent):
        make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Make all that was written below `folder` survive a power cut; not files that are links to others."""
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place, name)
            facts = file.lstat()
            if stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1:
                with file.open("rb") as stream:
                    os.fsync(stream.fileno())
        sync_folder(Path(place))


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, completely or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, completely or not at all. NaN is refused, as JSON has none.

    Names of files that are no UTF-8 are written as :func:`printable_name` does.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    # the backslash of an escape is one more in JSON
    write_text(path, _UNDECODED.sub(lambda byte: rf"\\x{ord(byte[0]) - 0xDC00:02x}", text) + "\n")


class DamagedError(InputError, ValueError):
    """A file that curate wrote is no longer what it wrote.

    Parameters
    ----------
    path : Path
        The file.
    reason : str
        What is wrong with its content.

    Attributes
    ----------
    reason
        The same.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{printable_name(str(path))} is damaged",
            got=reason,
            wanted="the file as curate wrote it",
            fix="Put it back from a copy, or make it again.",
        )
        self.path, self.reason = path, reason

    def __reduce__(self) -> tuple[Any, ...]:
        return DamagedError, (self.path, self.reason)


@contextmanager
def sound(path: Path) -> Iterator[None]:
    """Refuse a file that curate wrote if what the block makes of its content fails: it may be damaged in any way.

    Raises
    ------
    DamagedError

    Examples
    --------
    >>> with sound(Path("training/plan.json")):
    ...     {}["recipe"]
    Traceback (most recent call last):
    ...
    training.utils.files.DamagedError: training/plan.json is damaged: got no 'recipe'; wanted the file as curate wrote \
it. Put it back from a copy, or make it again.
    """
    try:
        yield
    except (DamagedError, NotReadableError):
        raise
    except KeyError as error:
        raise DamagedError(path, f"no {error.args[0]!r}") from error
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError, InputError) as error:
        if isinstance(error, RuntimeError) and machine_error(error) is not None:
            raise
        lines = str(error).splitlines()
        raise DamagedError(path, lines[0] if lines else type(error).__name__) from error


def read_json(path: Path) -> Any:
    """Read a JSON file that :func:`write_json` wrote.

    Raises
    ------
    DamagedError
        If it is no such file any more.
    NotReadableError
        If it is no regular file, or larger than 1 GiB or a quarter of the memory.
    OSError
        If it can't be read.
    """
    try:
        _require_no_zeros(path)
        return parse_json(read_regular(path, min(_LARGEST_JSON, most_bytes())).decode(), ours=True)
    except ValueError as error:
        raise DamagedError(path, str(error)) from None


def _require_no_zeros(path: Path) -> None:
    """Refuse zeros at either end, as a power cut leaves them, before all of a file is read: it may be a hole of GBs."""
    with open_regular(path) as stream:
        begin = stream.read(_EDGE)
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - _EDGE))
        if begin.startswith(b"\0") or stream.read(_EDGE).endswith(b"\0"):
            raise ValueError("it begins or ends with zeros")


#: Bytes of a JSON file that is read, and of its ends that are looked at first.
_LARGEST_JSON, _EDGE = 1 << 30, 64
#: Bytes that are copied at a time.
_PIECE = 1 << 20
#: What a path may lead to that is no file, by its kind.
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


class NotReadableError(InputError):
    """A path leads to something that is not read: it could wait for ever, or never end.

    Parameters
    ----------
    path : Path
        As it was given.
    reason : str
        Follows the name of the file, e.g. ``"is a named pipe, not a file"``.

    Attributes
    ----------
    path, reason
        The same.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"can't read {printable_name(str(path))}: it {reason}")
        self.path, self.reason = path, reason

    def __reduce__(self) -> tuple[Any, ...]:
        return NotReadableError, (self.path, self.reason)


def open_regular(path: Path, max_bytes: int | None = None) -> BufferedReader:
    """Open a regular file to read bytes, and nothing else: no pipe, socket, device or folder, not even through a link.

    It never waits: a pipe that nobody writes to is refused like any other. What a path leads to may change between two
    looks, so it is looked at before it is opened, as to open some devices does something, and again afterwards.

    Parameters
    ----------
    path : Path
        A file.
    max_bytes : int, optional
        The largest size that is accepted.

    Returns
    -------
    binary file
        Not limited by itself: a file may grow while it is read. :func:`read_regular` takes care of that.

    Raises
    ------
    NotReadableError
        If it is no regular file, or larger.
    OSError
        If it can't be opened.

    Examples
    --------
    >>> open_regular(Path("/dev/zero"))
    Traceback (most recent call last):
    ...
    training.utils.files.NotReadableError: can't read /dev/zero: it is a device, not a file
    """
    _check_regular(path, os.stat(path), max_bytes)  # noqa: PTH116 - the same call as below
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        _check_regular(path, os.fstat(descriptor), max_bytes)
        return open(descriptor, "rb")  # noqa: PTH123 - a descriptor
    except BaseException:
        os.close(descriptor)
        raise


def _check_regular(path: Path, found: os.stat_result, max_bytes: int | None) -> None:
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG:
        raise NotReadableError(path, f"is {_KINDS.get(kind, 'something else')}, not a file")
    if max_bytes is not None and found.st_size > max_bytes:
        size, most = bytes_text(found.st_size), bytes_text(max_bytes)
        if size == most:
            # rounded, it would be no larger
            size, most = f"{found.st_size:,} bytes", f"{max_bytes:,}"
        raise NotReadableError(path, f"has {size}, more than {most}")


def require_regular(path: Path, what: str = "the file") -> None:
    """Refuse what a person named as a file if none can be read there: a path that no system takes, a pipe, a device.

    Parameters
    ----------
    path : Path
        A file or a folder, or nothing: these pass.
    what : str
        What messages call it.

    Raises
    ------
    InputError
    """
    check_path(path, f"the path of {what}")
    if path.is_dir():
        return
    try:
        _check_regular(path, path.stat(), None)
    except (FileNotFoundError, NotADirectoryError):
        return
    except NotReadableError as error:
        raise InputError(
            f"can't read {printable_name(str(path))}",
            got=error.reason.removesuffix(", not a file").removeprefix("is "),
            wanted="a file",
            fix="Write what it gives into a file, and name that: it is read more than once.",
        ) from None


def read_regular(path: Path, max_bytes: int | None = None) -> bytes:
    """Read a regular file, never more of it than its size when it was opened.

    A file that says it is empty is not read, for some of the system's never end.

    Parameters
    ----------
    path, max_bytes
        As for :func:`open_regular`.

    Raises
    ------
    NotReadableError
        As :func:`open_regular`, and if the file grows while it is read.
    OSError
        If it can't be read.
    """
    with open_regular(path, max_bytes) as stream:
        size = os.fstat(stream.fileno()).st_size
        content = stream.read(size) or b""
        if size and stream.read(1):
            raise NotReadableError(path, "grows while it is read")
    return content


def copy_regular(source: Path, target: Path) -> None:
    """Copy a regular file with its times, never more of it than its size when it was opened.

    Parameters
    ----------
    source, target : Path
        The file, and where its copy goes.

    Raises
    ------
    NotReadableError, OSError
        As :func:`open_regular`.
    """
    with open_regular(source) as stream, target.open("wb") as copy:
        left = os.fstat(stream.fileno()).st_size
        while piece := stream.read(min(left, _PIECE)):
            left -= copy.write(piece)
    shutil.copystat(source, target)


def sha256_of_file(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a regular file's content."""
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


#: A byte that is no UTF-8, as Python has it in the name of a file.
_UNDECODED = re.compile("[\udc80-\udcff]")
#: The same byte, as :func:`printable_name` writes it.
_ESCAPED = re.compile(rb"\\x([89a-f][0-9a-f])")


def printable_name(name: str) -> str:
    r"""Return the name of a file with bytes that are no UTF-8 written as escapes, for tables hold text only.

    Parameters
    ----------
    name : str
        As the system gives it.

    Examples
    --------
    >>> printable_name(os.fsdecode(b"caf\xe9.jpg"))
    'caf\\xe9.jpg'
    """
    return os.fsencode(name).decode("utf-8", errors="backslashreplace")


def photo_path(root: Path, name: str) -> Path:
    """Return the path of a photo that a table names: the opposite of :func:`printable_name`.

    Parameters
    ----------
    root : Path
        The folder that names are relative to.
    name : str
        A path, relative to `root` or absolute.
    """
    path = root / name
    if "\\x" not in name or os.path.lexists(path):
        return path
    return root / os.fsdecode(_ESCAPED.sub(lambda byte: bytes([int(byte[1], 16)]), name.encode()))
