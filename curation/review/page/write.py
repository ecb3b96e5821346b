"""The review as one HTML page: no server, no database, no network.

People decide in any browser and download ``decisions.csv`` for `apply_fixes`.
"""

from __future__ import annotations

import base64
import hashlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from curation import __version__
from curation.errors import InputError
from curation.rendering.html import fill_page
from curation.rendering.results import Result
from curation.rendering.thumbnails import MEDIA_TYPE, Thumbnail, make_thumbnail
from curation.review.card import cards_of
from curation.review.commands import BLIND_PREFIX, PAGE_MARK, STORAGE_PREFIX, apply_decisions
from curation.review.journal_state import standing_of
from curation.review.page.data import PageListings, choose_listings, named_blind, page_data
from curation.review.page.scripts import SCRIPT, STYLE, joined
from curation.review.table import require_photos
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from curation.run.own_photos import OwnPhotos
from training.utils.files import printable_name, sha256_of_file, whole_file
from training.utils.flock import sweep
from training.utils.noise import noise_to
from training.utils.parallel import cores, map_ahead
from training.utils.progress import SILENT, Reporter

__all__ = ["PAGE", "TEST_PAGE", "Written", "write_page"]

#: Names of the page in the run's folder: of the queue, and of test listings.
PAGE = "review.html"
TEST_PAGE = "test.html"
#: Longer side in pixels of the photos to decide on, and of those beside them.
_LARGE = 480
_SMALL = 160
_AHEAD = 32


@dataclass(frozen=True)
class Written(Result):
    """A review page that was written.

    Attributes
    ----------
    path : Path or None
        The page; None if nothing is flagged.
    listings : int
        Number of listings to decide on.
    decided : int
        Number of them that have a decision in the journal.
    size : int
        Bytes.
    flagged : int
        Number of flagged listings of the run.
    """

    path: Path | None
    listings: int
    decided: int
    size: int
    flagged: int


def write_page(
    run: RunFolder,
    *,
    output: Path | None = None,
    first: int | None = None,
    only: Sequence[str] | None = None,
    drawn: str = "",
    command: str | None = None,
    reviewer: str | None = None,
    reporter: Reporter = SILENT,
) -> Written:
    """Write the review of a run as one self-contained page.

    Parameters
    ----------
    run : RunFolder
        A finished run with photos.
    output : Path, optional
        The file; by default ``review.html`` in the run's folder. An earlier page is replaced.
    first : int, optional
        Only the first listings of the queue, this many.
    only : sequence of str, optional
        These listings in place of the queue, in their order.
    drawn : str
        If they were drawn, what for: the page says so, and has no suggestions, chances, issues and reasons.
    command : str, optional
        What the page tells people to type once its decisions are downloaded; by default that of `apply_fixes`.
    reviewer : str, optional
        Who will decide; by default, the page asks.
    reporter : Reporter, optional
        Shows progress.

    Returns
    -------
    Written

    Raises
    ------
    ReviewError
        If the photos are gone: their folder, or each of them.
    InputError
        If `output` can't be written, or is a file that is not a review page.
    """
    path = output or run.folder / PAGE
    _check_output(path)
    cards = cards_of(run)
    flagged = int(cards.flagged.sum())
    chosen = cards.queue[:first] if only is None else only
    listings = named_blind(cards, chosen) if drawn else choose_listings(cards, chosen)
    decided = standing_of(run).holding
    if only is not None:
        # a sample is to say what people think: nobody has seen a suggestion that was accepted
        decided = {id: each for id, each in decided.items() if each.source != "suggestion"}
    counts = (len(listings.queue), sum(card.id in decided for card in listings.queue))
    if not listings.queue:
        return Written(None, *counts, 0, flagged)
    require_photos([card.photo for card in listings.queue if card.photo is not None])
    head = _head(run, listings, decided, reviewer, command or apply_decisions(run.folder), drawn=drawn)
    try:
        with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
            stream.write(head)
            stream.writelines(_photos(listings, OwnPhotos(run), run, reporter))
            stream.write("</body>\n</html>\n")
        return Written(path, *counts, path.stat().st_size, flagged)
    except OSError as error:
        raise InputError(
            f"can't write {path}", got=error.strerror or str(error), fix="Name another file with `output`."
        ) from error


def _check_output(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"can't write {path}", got="a folder", wanted="a file", fix="Name one with `output`.")
    sweep(path)
    if not path.exists():
        return
    with path.open("rb") as stream:
        if path.stat().st_size and stream.read(len(PAGE_MARK)) != PAGE_MARK.encode():
            raise InputError(
                f"can't write {path}",
                got="a file that is not a review page",
                wanted="a new file, or an earlier review page",
                fix="Name another one with `output`.",
            )


def _head(
    run: RunFolder,
    listings: PageListings,
    decided: Mapping[str, Decision],
    reviewer: str | None,
    command: str,
    *,
    drawn: str,
) -> str:
    """Return the page up to its photos."""
    data = page_data(run, listings, decided)
    folder = run.folder.resolve()
    name = f"{folder.parent.name}/{folder.name}"
    prefix = BLIND_PREFIX if drawn else STORAGE_PREFIX
    data["run"] = {
        "name": name,
        # decisions must not appear in another run, in this run after its issues have changed, or on its blind pages
        "key": f"{prefix} {name} {sha256_of_file(run.issues_file)[:16]}",
        "command": command,
        "reviewer": reviewer or "",
        "drawn": drawn,
        "then": "Download decisions.csv.",
    }
    # one script, which starts at its end
    style, script = ("\n" + joined(*files) for files in (STYLE, SCRIPT))
    page = fill_page(
        "review/page/page.html.jinja",
        live=False,
        name=name,
        version=__version__,
        data=data,
        # our own files, unchanged: the browser runs only what has these hashes
        style=Markup(style),  # noqa: S704  # nosec B704
        script=Markup(script),  # noqa: S704  # nosec B704
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
    return PAGE_MARK + page


def _hash(text: str) -> str:
    """Return the hash of a text for a Content-Security-Policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _photos(listings: PageListings, own: OwnPhotos, run: RunFolder, reporter: Reporter) -> Iterator[str]:
    """Yield each photo once, as an element that the browser treats as text until the page needs it."""
    sides = (_LARGE,) * len(listings.queue) + (_SMALL,) * len(listings.others)
    photos = (card.photo for card in listings.every)
    jobs = [(f"photo-{place}", photo, side) for place, (photo, side) in enumerate(zip(photos, sides, strict=True))]
    with (
        noise_to(run.log_file),
        reporter.bar("photos for the page") as progress,
        warnings.catch_warnings(action="ignore"),
        ThreadPoolExecutor(cores()) as pool,
    ):
        for done, element in enumerate(
            map_ahead(pool, lambda job: _element(*job, own, run.photo_bytes), jobs, _AHEAD), start=1
        ):
            yield element
            progress(done, len(jobs))


def _element(name: str, photo: str | None, side: int, own: OwnPhotos, max_bytes: int) -> str:
    if photo is None:
        thumbnail = Thumbnail(b"", "this listing has none")
    elif own.may_be_shown(photo):
        thumbnail = make_thumbnail(Path(photo), side, max_bytes)
    else:
        thumbnail = Thumbnail(b"", f"{printable_name(Path(photo).name)} leads to a file that is no photo of this run")
    if thumbnail.error is None:
        return f'<script type="{MEDIA_TYPE}" id="{name}">{thumbnail.base64}</script>\n'
    error = base64.b64encode(thumbnail.error.encode()).decode()
    return f'<script type="text/plain" id="{name}">{error}</script>\n'
