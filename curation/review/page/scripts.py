"""The scripts and the style of the review's pages: parts in files of their own, sent as one."""

from __future__ import annotations

from pathlib import Path

__all__ = ["LIVE_SCRIPT", "LIVE_STYLE", "SCRIPT", "STYLE", "joined"]

_HERE = Path(__file__).parent
_LIVE = _HERE.parent / "live"
STYLE = (_HERE / "page.css",)
LIVE_STYLE = (*STYLE, _LIVE / "grids.css", _LIVE / "photomap.css")
#: In the order in which they are needed.
SCRIPT = tuple(_HERE / f"{name}.js" for name in ("base", "values", "view", "deciding", "files", "local", "start"))
LIVE_SCRIPT = (
    *(_HERE / f"{name}.js" for name in ("base", "values", "view", "deciding")),
    *(_LIVE / f"{name}.js" for name in ("outbox", "filters", "grids", "photomap", "mapdraw", "server", "learning")),
    _HERE / "start.js",
)


def joined(*files: Path) -> str:
    """Return the text of files, one after the other."""
    # a checkout on Windows has other line ends, and the browser runs only what has the hash
    return "".join(file.read_text(encoding="utf-8").replace("\r\n", "\n") for file in files)
