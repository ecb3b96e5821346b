"""Links into an open review: each has a code that lets one browser in, once, within a quarter of an hour.

The codes of a review lie in a folder that only its user can open, as hashes. So another process of the same user can
make a link, and what is printed, logged or kept in a browser's history is worth nothing later.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curation.errors import ReviewError
from curation.review.server.team import open_reviews
from curation.run.folder import RunFolder
from training.utils.flock import scratch_folder

__all__ = ["CODE", "VALID", "Codes", "Link", "codes", "make_links"]

#: The parameter of an address.
CODE = "code"
#: Seconds that a code is valid.
VALID = 15 * 60
_REVIEW = "review.json"


@dataclass(frozen=True)
class Codes:
    """The codes of one open review that nobody has used.

    Attributes
    ----------
    folder : Path
        Only its user can open it.
    """

    folder: Path

    def make(self) -> str:
        """Return a new code."""
        code = secrets.token_urlsafe(24)
        descriptor = os.open(self._file(code), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.close(descriptor)
        return code

    def use(self, code: str) -> bool:
        """Use a code up; return whether it let somebody in: it is there, and it is not too old."""
        file = self._file(code)
        try:
            made = file.stat().st_mtime
            # of two who come at the same time, one removes it
            file.unlink()
        except OSError:
            return False
        return time.time() - made < VALID

    def _file(self, code: str) -> Path:
        return self.folder / hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()

    def opened(self, run: RunFolder, address: str) -> None:
        """Note where the review can be opened; `address` has no code yet."""
        content = json.dumps({"run": str(run.folder.resolve()), "address": address})
        (self.folder / _REVIEW).write_text(content, encoding="utf-8")

    def link(self) -> str:
        """Return the address with a new code."""
        address = json.loads((self.folder / _REVIEW).read_text(encoding="utf-8"))["address"]
        return f"{address}{'&' if '?' in address else '?'}{CODE}={self.make()}"


@contextmanager
def codes() -> Iterator[Codes]:
    """Yield an empty folder of codes, which is gone after the block."""
    with scratch_folder("curate-review") as folder:
        yield Codes(folder)


@dataclass(frozen=True)
class Link:
    """A link into an open review.

    Attributes
    ----------
    reviewer : str
        Who decides there.
    port : int
        Where it listens.
    url : str
        The link.
    """

    reviewer: str
    port: int
    url: str


def make_links(run: RunFolder, port: int | None = None) -> list[Link]:
    """Make a new link into each review of `run` that you have open on this machine.

    Parameters
    ----------
    run : RunFolder
        The run under review.
    port : int, optional
        Only the review that listens there.

    Raises
    ------
    ReviewError
        If there is none.
    """
    links = []
    for review in open_reviews(run):
        if review.host != socket.gethostname() or port not in (None, review.port) or not review.codes:
            continue
        folder = Path(review.codes)
        if _is_private(folder) and _run_of(folder) == str(run.folder.resolve()):
            links.append(Link(review.reviewer, review.port, Codes(folder).link()))
    if not links:
        where = "" if port is None else f" on port {port}"
        raise ReviewError(
            f"you have no open review of {run.folder}{where} on this machine. Open one with `review()`",
            parameter="port",
        )
    return links


def _is_private(folder: Path) -> bool:
    """Return whether a folder is ours alone: the note that names it lies in a run, which others may write."""
    try:
        facts = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid() and not facts.st_mode & 0o077


def _run_of(folder: Path) -> str:
    try:
        return str(json.loads((folder / _REVIEW).read_text(encoding="utf-8"))["run"])
    except (OSError, ValueError, KeyError, TypeError):
        # it is still being opened
        return ""
